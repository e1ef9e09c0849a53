"""The report of a campaign: what happened to every line, in figures that anybody can add up again."""

from collections.abc import Sequence
from typing import TypedDict

from kulanz.domain.books import IN_THE_LEDGER, Difference, Totals
from kulanz.domain.campaign import Campaign
from kulanz.domain.time import format_instant

REPORT_VERSION = 1
DIFFERENCES_SHOWN = 50


class PolicyHashed(TypedDict):
    """Which policy decided; `hash` is that of its frozen form."""

    id: str
    version: int
    hash: str


class ListTold(TypedDict):
    """Which version of which list was decided."""

    key: str
    version_id: str
    bytes: int
    rows_announced: int


ClassTold = TypedDict("ClassTold", {"class": str, "reason": str, "fate": str, "lines": int})
WorthTold = TypedDict("WorthTold", {"class": str, "fate": str, "measure": str, "sum": str})
LedgerWorth = TypedDict("LedgerWorth", {"class": str, "measure": str, "sum": str})
# Written by call because `class` is a word of Python.


class Figures(TypedDict):
    """What the receipts of one pass add up to."""

    lines: int
    rows: int
    digest: str
    classes: list[ClassTold]
    worth: list[WorthTold]


class LedgerTold(TypedDict):
    """What stands in the ledger because of the campaign."""

    decisions: int
    worth: list[LedgerWorth]


class DifferenceTold(TypedDict):
    """A place where the books do not balance."""

    what: str
    planned: str
    applied: str


class ReportContract(TypedDict):
    """The report of a campaign: the detail of its events on the bus, and a document in the bucket."""

    v: int
    campaign: str
    state: str
    reason: str
    policy: PolicyHashed
    engine: str
    decided_at: str
    list: ListTold
    plan: Figures
    apply: Figures
    in_the_ledger: LedgerTold
    differences: "Sequence[DifferenceTold]"


def campaign_report(campaign: Campaign, differences: Sequence[Difference]) -> ReportContract:
    """The books as JSON-able content; sums are exact texts, money in minor units."""
    plan, apply = campaign.plan.totals, campaign.apply.totals
    return {
        "v": REPORT_VERSION,
        "campaign": str(campaign.id),
        "state": campaign.state.value,
        "reason": campaign.state_reason,
        "policy": {"id": campaign.policy_id, "version": campaign.policy_version, "hash": campaign.policy_hash},
        "engine": campaign.engine,
        "decided_at": format_instant(campaign.decided_at),
        "list": {
            "key": campaign.pinned.key,
            "version_id": campaign.pinned.version_id,
            "bytes": campaign.pinned.size,
            "rows_announced": campaign.rows_announced,
        },
        "plan": _figures(plan),
        "apply": _figures(apply),
        "in_the_ledger": {
            "decisions": apply.ledger_count(),
            "worth": [
                {"class": row_class.value, "measure": measure, "sum": str(value)}
                for (row_class, measure), value in sorted(apply.worth(IN_THE_LEDGER).items())
            ],
        },
        "differences": [
            {"what": found.what, "planned": str(found.planned), "applied": str(found.applied)}
            for found in differences[:DIFFERENCES_SHOWN]
        ],
    }


def _figures(totals: Totals) -> Figures:
    return {
        "lines": totals.lines,
        "rows": totals.rows(),
        "digest": f"{totals.digest:032x}",
        "classes": [
            {"class": key.row_class.value, "reason": key.reason, "fate": key.fate.value, "lines": number}
            for key, number in sorted(totals.counts.items())
        ],
        "worth": [
            {"class": key.row_class.value, "fate": key.fate.value, "measure": key.measure, "sum": str(value)}
            for key, value in sorted(totals.sums.items())
        ],
    }
