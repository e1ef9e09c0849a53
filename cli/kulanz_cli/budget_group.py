"""``kulanz budget``: what campaigns may cost in a month, and what is left of it."""

import click

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import ACTION_CODES

COMMANDS = {
    "What a month may cost": section(
        ("show", "budget", "show", "Show the budgets of this month and of those after it."),
        ("set", "budget", "set_limit", "Set what CURRENCY may cost in MONTH."),
        ("remove", "budget", "remove", "Remove the budget of CURRENCY in MONTH."),
    ),
    "What a campaign reserved": section(
        ("reserved", "settlement", "reserved", "Show what CAMPAIGN reserved, and what it may have granted."),
        ("settle", "settlement", "settle", "State what CAMPAIGN granted, where its list is gone."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=ACTION_CODES, invoke_without_command=True)
def budget() -> None:
    """Show and set what campaigns may cost in a month.

    Without a command it shows them.
    """
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        from kulanz_cli.budget import show  # noqa: PLC0415 (a group imports no command before it is run)

        context.invoke(show)
