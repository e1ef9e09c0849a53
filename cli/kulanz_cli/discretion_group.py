"""``kulanz discretion``: what persons may decide and give by hand."""

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import FILE_CODES

COMMANDS = {
    "The discretion file": section(
        ("check", "discretion", "check", "Check a discretion FILE."),
        ("publish", "discretion", "publish", "Publish a discretion FILE as the next version."),
        ("show", "discretion", "show", "Show the discretion file that holds now."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=FILE_CODES)
def discretion() -> None:
    """Check and publish the discretion file."""
