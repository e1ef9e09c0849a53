"""The report of a campaign: what happened to every line, in figures that anybody can add up again."""

from collections.abc import Sequence
from typing import Any

from kulanz.domain.books import IN_THE_LEDGER, Difference, Totals
from kulanz.domain.campaign import Campaign, Pass
from kulanz.domain.time import format_instant

REPORT_VERSION = 1
DIFFERENCES_SHOWN = 50


def campaign_report(campaign: Campaign, differences: Sequence[Difference]) -> dict[str, Any]:
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
        Pass.PLAN.value: _figures(plan),
        Pass.APPLY.value: _figures(apply),
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


def _figures(totals: Totals) -> dict[str, Any]:
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
