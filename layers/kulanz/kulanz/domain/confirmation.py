"""A person's word that a stack's tables are the right ones: those that remember what was granted.

An incident is never granted twice because two tables remember it: CampaignsTable the incident and its campaigns,
CreditsTable every decision. A stack that was deleted and deployed again has new, empty tables, and a table that was
restored may have forgotten its last minutes; in both the same event would grant again. So no campaign opens before
somebody has said that there was nothing before, or that what there was has been checked, and that word is about these
two tables and no others. No execution starts or goes on without it, either: its campaign may have been opened before
the tables were restored.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

UNCONFIRMED = "tables_unconfirmed"
"""The reason with which a campaign's request, its approval and its resumption are refused until then."""
_REPAIR = "see docs/deployment.md, Delete, move, restore; after that do the same again"


@dataclass(frozen=True, slots=True)
class Tables:
    """The two tables, each by its ARN and the instant it was made: a new or restored table was made later."""

    credits: str
    campaigns: str


class Occasion(StrEnum):
    """Why the tables are new to the stack.

    FIRST: this is the first stack, or none before it ever granted anything. CHECKED: they were restored or brought from
    elsewhere, and the ledger was compared with the receipts.
    """

    FIRST = "first"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who said so, when (aware), of which tables, and why."""

    tables: Tables
    occasion: Occasion
    actor: str
    reason: str
    at: datetime


def missing(confirmation: Confirmation | None, tables: Tables) -> str:
    """What a confirmation lacks for these tables, as a sentence; empty where nothing does."""
    if confirmation is None:
        return (
            "nobody has confirmed this stack's tables, and tables of an earlier stack may remember what was granted;"
            f" if there was none: kulanz ledger confirm --first; otherwise {_REPAIR}"
        )
    if confirmation.tables != tables:
        return f"one of this stack's tables was replaced or restored since they were confirmed; {_REPAIR}"
    return ""
