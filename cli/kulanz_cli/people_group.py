"""``kulanz people``: which ids are one human's."""

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import FILE_CODES

COMMANDS = {
    "The people file": section(
        ("check", "people", "check", "Check a people FILE."),
        ("publish", "people", "publish", "Publish a people FILE as the next version."),
        ("show", "people", "show", "Show the people file that holds now."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=FILE_CODES)
def people() -> None:
    """Check and publish the people file."""
