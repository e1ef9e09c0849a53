"""``kulanz halt`` and ``lift``: nothing is granted any more, until two persons have said that it may go on."""

from typing import Any

import click

from kulanz_cli.command import action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.outcomes import ACTION_CODES
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say
from kulanz_console.drawing.text import seconds


@click.command("halt", epilog=ACTION_CODES)
@click.option("--reason", help="Why, for the log; no customer's data. Without it, the halt is shown and not set.")
@under_id
@as_json
@pass_stack
def halt_stack(stack: Stack, reason: str | None, given_id: str | None, is_json: bool) -> None:
    """Halt the whole stack: nothing is executed, accepted or published.

    Workers stop within two seconds. Plans and questions go on, and so do pause and cancel. For administrators.
    """
    if reason is None:
        _show(stack.door().ask("halts.current"), is_json)
        return
    _act(stack, "set", reason, given_id, is_json)


@click.command("lift", epilog=ACTION_CODES)
@click.option("--reason", required=True, help="Why, for the log; no customer's data.")
@under_id
@as_json
@pass_stack
def lift_halt(stack: Stack, reason: str, given_id: str | None, is_json: bool) -> None:
    """Say that a halted stack may go on. It does when another person has said so too."""
    _act(stack, "lift", reason, given_id, is_json)


def _act(stack: Stack, action: str, reason: str, given_id: str | None, is_json: bool) -> None:
    must_be_a_reason(reason)
    done = stack.door().act(
        "halts.act", {"action": action, "reason": reason}, id=given_id or action_id(f"halt-{action}", reason)
    )
    _show(done, is_json)


def _show(halt: dict[str, Any], is_json: bool) -> None:
    if is_json:
        print_json(halt)
        return
    out = console()
    if not halt["halted"]:
        say(out, "the stack is not halted")
        return
    say(
        out,
        f"the stack is halted (halt {halt['number']}) since {seconds(halt['since'])} by {halt['by']}: {halt['reason']}",
        further=2,
    )
    lifted_by = halt["lifted_by"]
    missing = halt["needed"] - len(lifted_by)
    said = f"{', '.join(lifted_by)} would lift it; " if lifted_by else ""
    say(out, f"{said}kulanz lift by {missing} more {'person' if missing == 1 else 'persons'} lets it go on", further=2)
