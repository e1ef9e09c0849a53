"""A campaign as a line of a list: its state, how far it is, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult, Totals
from kulanz_console.drawing.figures import totals_of
from kulanz_console.drawing.words import state_kind
from kulanz_console.drawing.worth import value_text

WHOLE_PERCENT = 100


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """What a list says of a campaign. Sums are words, empty where there is none."""

    id: str
    state: str
    kind: str
    reason: str
    rows: int
    granted: str
    offered: str
    planned: str
    left: str
    percent: int
    policy: str
    decided_at: str
    approvable_until: str
    """Until when its plan can be approved; empty where none waits."""


def line_of(item: Mapping[str, Any]) -> CampaignLine:
    """Read it from an answer."""
    report, state = item["report"], State(item["state"])
    plan, apply = totals_of(report["plan"]), totals_of(report["apply"])
    ledger = apply.worth(IN_THE_LEDGER)
    at_work = item["apply"] if state is not State.PLANNING else item["plan"]
    whole = item["bytes_in_all"]
    seconds = item["seconds_left"]
    return CampaignLine(
        id=item["campaign"],
        state=state.value,
        kind=state_kind(state),
        reason=item["reason"],
        rows=plan.rows() if item["plan"]["finished"] else report["list"]["rows_announced"],
        granted=_sum(ledger, RowResult.GRANTED),
        offered=_sum(ledger, RowResult.OFFERED),
        planned=_planned(plan),
        left="" if seconds is None else str(timedelta(seconds=seconds)),
        percent=WHOLE_PERCENT * at_work["bytes_done"] // whole if whole else 0,
        policy=f"{report['policy']['id']} {report['policy']['version']}",
        decided_at=item["decided_at"],
        approvable_until=item["approvable_until"] or "",
    )


def _sum(sums: Mapping[tuple[RowResult, str], Any], row_result: RowResult) -> str:
    return " + ".join(
        value_text(measure, size) for (found, measure), size in sorted(sums.items()) if found is row_result
    )


def _planned(plan: Totals) -> str:
    worth = plan.worth()
    return _sum(worth, RowResult.GRANTED) or _sum(worth, RowResult.OFFERED)
