"""*Month*: what a month granted, what of it is on bills, and where plan, ledger and bill differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from kulanz.domain.money import measure_words
from kulanz_console.drawing.pictures import Bar, Segment, picture
from kulanz_console.drawing.said import Said, joined
from kulanz_console.drawing.ways import (
    NO_DIFFERENCE,
    NOTHING_TO_COMPARE,
    OTHER_CODES,
    SAYS,
    STATES,
    accounts_of,
    channels_of,
    delivery_words,
    differences_of,
    is_compared,
    is_late,
    rejected_of,
    rest_of,
    standing_of,
    totals_of,
)
from kulanz_console.month_table import csv_of
from kulanz_console.port import NotAnswered, Why
from kulanz_console.still_open import OPEN_RIGHTS, OPEN_TEXTS, StillOpen, still_open
from kulanz_console.views.months import month_of, neighbours
from kulanz_console.visit import File, Shown, Visit

KINDS = {"applied": "granted", "accepted": "since", "sent": "waiting", "rejected": "stopped", "unknown": "stopped"}
"""The class of a state's colour; the others have the quiet one."""
DELIVERIES_ASKED = 40
"""Deliveries of a month that are asked for their instant, each with one question; of more, nothing is said."""
OPEN_PATHS = {
    "differences": "#differences", "late": "#campaigns", "rejected": "/#rejects", "undelivered": "/deliveries",
    "unanswered": "#campaigns", "plans": "/#plans", "troubles": "/#troubles", "voids": "/#voids",
    "proposed": "/cases", "goodwill": "/goodwill",
}  # fmt: skip
"""Where each kind of what is left stands."""
BY_MONTH = {"campaigns": "campaigns", "asked_back": "campaigns", "cases": "cases"}
"""Where those stand that are under their month."""


def show(visit: Visit) -> Shown:
    """The month."""
    month = month_of(visit)
    campaigns, is_more = visit.pages("acknowledgements.of_month", "campaigns", month=month)
    totals = totals_of(campaigns)
    is_open, sent, dues = visit.together(
        lambda: _still_open(visit, month, campaigns, is_more=is_more),
        lambda: _sent_since(visit, campaigns),
        lambda: _next_dues(visit, campaigns),
    )
    content = {
        "month": month,
        "neighbours": neighbours(month),
        "campaigns": campaigns,
        "is_more": is_more,
        "totals": totals,
        "standing": [standing_of(total) for total in totals],
        "has_expired": [bool(Decimal(total["expired"])) for total in totals],
        "is_asked_back": [bool(Decimal(total["asked_back"])) for total in totals],
        "picture_of": picture("Where credits stand", [_bar(total) for total in totals]) if totals else None,
        "says": SAYS,
        "other_codes": OTHER_CODES,
        "accounts": accounts_of(campaigns),
        "rejected": rejected_of(campaigns),
        "channels": channels_of(campaigns),
        "delivery_words": delivery_words,
        "differences": differences_of(campaigns),
        "agreed": NO_DIFFERENCE if is_compared(campaigns) else NOTHING_TO_COMPARE,
        "rest": rest_of(campaigns),
        "still_open": is_open,
        "open_texts": OPEN_TEXTS,
        "open_paths": OPEN_PATHS | {kind: f"/{where}?month={month}" for kind, where in BY_MONTH.items()},
        "sent_since": sent,
        "next_dues": dues,
        "late": {one["campaign"] for one in campaigns if visit.may("acknowledgements.late_credits") and is_late(one)},
    }
    return Shown("month.html", visit.words("Month {month}", month=month), content)


def table(visit: Visit) -> File:
    """The month as a table, whole or not at all: sums of a part would be filed as those of the month."""
    month = month_of(visit)
    campaigns, is_more = visit.pages("acknowledgements.of_month", "campaigns", month=month)
    if is_more:
        raise NotAnswered(
            "the month has more campaigns than a page reads; kulanz month --csv writes them all", Why.WRONG
        )
    return File(f"kulanz-{month}.csv", "text/csv; charset=utf-8", csv_of(campaigns))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A page's questions about what is left. `cut` has the names of those of whose answers it reads a part."""

    visit: Visit
    cut: list[str] = field(default_factory=list)

    def ask(self, use: str) -> Mapping[str, Any]:
        return self.visit.ask(use)

    def items(self, use: str, name: str, **values: str) -> Sequence[Mapping[str, Any]]:
        found, is_more = self.visit.pages(use, name, None, **values)
        self.cut.extend([use] if is_more else [])
        return found


def _still_open(visit: Visit, month: str, campaigns: Sequence[Mapping[str, Any]], *, is_more: bool) -> StillOpen:
    """What is left of the month, as far as the person may read it."""
    rights = [right for right in OPEN_RIGHTS if visit.may(right)]
    asked = _Asked(visit)
    found = still_open(month, campaigns, rights, asked, visit.now)
    return replace(found, is_every=not is_more and not asked.cut)


def _sent_since(visit: Visit, campaigns: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """When the oldest delivery was sent of which something has no answer, by measure; nothing where they are many."""
    measures: dict[str, list[str]] = {}
    for one in campaigns:
        for line in one["lines"]:
            if one["delivery"] and Decimal(line["by_state"].get("sent", "0")):
                measures.setdefault(one["delivery"], []).append(line["measure"])
    if len(measures) > DELIVERIES_ASKED:
        return {}
    found: dict[str, str] = {}
    for answer in visit.together(*(_delivery(visit, name) for name in measures)):
        for measure in measures[answer["delivery"]] if answer["sent_at"] else ():
            found[measure] = min(found.get(measure, answer["sent_at"]), answer["sent_at"])
    return found


def _delivery(visit: Visit, name: str) -> Any:
    channel, _, serial = name.rpartition("/")
    return lambda: visit.ask("deliveries.one", None, channel=channel, serial=serial)


def _next_dues(visit: Visit, campaigns: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """When the next credits of the month become late, by measure, where that is soon."""
    of_month = {one["campaign"] for one in campaigns}
    found: dict[str, str] = {}
    for one in visit.ask("acknowledgements.overdue")["due_soon"]:
        if one["campaign"] in of_month:
            found[one["measure"]] = min(found.get(one["measure"], one["due"]), one["due"])
    return found


def _bar(total: Mapping[str, str]) -> Bar:
    sizes = [(state, Decimal(total.get(state, 0))) for state in STATES]
    words = joined(", ", (Said("{sum} {where}", sum=f"{size:,}", where=SAYS[state]) for state, size in sizes if size))
    segments = [Segment(size, KINDS.get(state, "rest")) for state, size in sizes if size]
    return Bar(measure_words(total["measure"]), f"{Decimal(total['granted']):,}", segments, words)
