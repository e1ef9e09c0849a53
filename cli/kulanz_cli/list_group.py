"""``kulanz list``: what can be done with lists of accounts before they are sent. No AWS is asked."""

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import FILE_CODES

COMMANDS = {
    "Lists of affected accounts": section(
        ("profile", "prepare.propose", "profile", "Propose the profile of an export."),
        ("prepare", "prepare.command", "prepare", "Make a list of FILES as another tool wrote them."),
        ("check", "lists", "check", "Show what a campaign would make of LIST."),
        ("schema", "prepare.command", "schema", "Print the JSON Schema of profiles, for editors."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=FILE_CODES)
def list_() -> None:
    """Prepare and check lists of affected accounts."""
