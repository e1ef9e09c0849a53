"""``kulanz ledger``: what an operator does with the tables themselves, after a first deployment or a restore."""

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import ANSWER_CODES

COMMANDS = {
    "After a first deployment, a restore or a move": section(
        ("confirm", "ledger", "confirm", "Confirm that the stack's tables are the right ones."),
        ("check", "ledger", "check", "Compare the ledger with the receipts of CAMPAIGN, or of all."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=ANSWER_CODES)
def ledger() -> None:
    """Confirm the stack's tables; compare ledger and receipts."""
