"""``kulanz source``: where incidents come from."""

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import FILE_CODES

COMMANDS = {
    "The configuration of incident sources": section(
        ("check", "sources", "check", "Check a CONFIG, and show what a recorded delivery would become."),
        ("publish", "sources", "publish", "Publish a CONFIG as the next version."),
        ("show", "sources", "show", "Show the configuration that holds now."),
        ("play", "play", "play", "Send a RECORDING to the deployed receiver, as its source would."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=FILE_CODES)
def source() -> None:
    """Check, publish and try the configuration of incident sources."""
