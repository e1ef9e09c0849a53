"""*Month*: what a month granted, what of it is on bills, and where plan, ledger and bill differ."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kulanz.domain.campaigns.campaign import ENDED, State
from kulanz_console.drawing.pictures import Bar, Segment, picture
from kulanz_console.drawing.ways import (
    NO_DIFFERENCE,
    NOTHING_TO_COMPARE,
    SAYS,
    STATES,
    accounts_of,
    delivery_words,
    differences_of,
    is_compared,
    rest_of,
    totals_of,
)
from kulanz_console.drawing.worth import measure_words
from kulanz_console.views import cases, voids
from kulanz_console.views.months import month_of, neighbours
from kulanz_console.visit import Shown, Visit

KINDS = {"applied": "granted", "accepted": "since", "sent": "waiting", "rejected": "stopped", "unknown": "stopped"}
"""The class of a state's colour; the others have the quiet one."""
DELIVERIES_ASKED = 40
"""Deliveries of a month that are asked for their instant, each with one question; of more, nothing is said."""
OPEN_TEXTS = {
    "campaigns": "Campaigns that are not over",
    "voids": "Voids that are not over",
    "proposed": "Decisions of cases that wait for a second person",
    "cases": "Cases for manual review",
    "goodwill": "Goodwill that waits for a second person",
}
"""What may still change the figures of a month."""
OPEN_RIGHTS = ("halts.current", "cases.of_month", "goodwill.waiting")


def show(visit: Visit) -> Shown:
    """The month."""
    month = month_of(visit)
    campaigns, is_more = visit.pages("acknowledgements.of_month", "campaigns", month=month)
    totals = totals_of(campaigns)
    still_open, sent, dues = visit.together(
        lambda: list(_still_open(visit, month, campaigns)),
        lambda: _sent_since(visit, campaigns),
        lambda: _next_dues(visit, campaigns),
    )
    content = {
        "month": month,
        "neighbours": neighbours(month),
        "campaigns": campaigns,
        "is_more": is_more,
        "totals": totals,
        "standing": [[state for state in STATES if Decimal(total.get(state, 0))] for total in totals],
        "picture_of": picture("Where credits stand", [_bar(total) for total in totals]) if totals else None,
        "says": SAYS,
        "accounts": accounts_of(campaigns),
        "delivery_words": delivery_words,
        "differences": differences_of(campaigns),
        "agreed": NO_DIFFERENCE if is_compared(campaigns) else NOTHING_TO_COMPARE,
        "rest": rest_of(campaigns),
        "still_open": still_open,
        "open_texts": OPEN_TEXTS,
        "may_read_all": all(map(visit.may, OPEN_RIGHTS)),
        "sent_since": sent,
        "next_dues": dues,
    }
    return Shown("month.html", visit.words("Month {month}", month=month), content)


def _still_open(visit: Visit, month: str, campaigns: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int, str]]:
    """What may still change the month, as far as the person may read it: its kind, how many, and where it stands."""
    of_month = {one["campaign"] for one in campaigns}

    def of_this(found: Iterable[Mapping[str, Any]]) -> int:
        return sum(one["campaign"] in of_month for one in found)

    yield "campaigns", sum(State(one["state"]) not in ENDED for one in campaigns), f"/campaigns?month={month}"
    if visit.may("halts.current"):
        open_voids = visit.ask("voids.waiting")["voids"]
        yield "voids", sum(any(voids.may_reduce(one, granted) for granted in of_month) for one in open_voids), "/#voids"
    if visit.may("cases.of_month"):
        yield "proposed", of_this(cases.proposed(visit)[0]), "/cases"
        queue = [one for one in cases.waiting_in(visit, [month]) if one["closed"] is None]
        yield "cases", sum(sum(one["waiting"].values()) for one in queue), f"/cases?month={month}"
    if visit.may("goodwill.waiting") and month == f"{visit.now:%Y-%m}":  # it belongs to the month it is given in
        waiting = visit.ask("goodwill.waiting")["waiting"]
        yield "goodwill", sum(one["state"] == "waiting" for one in waiting), "/goodwill"


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
    words = ", ".join(f"{size:,} {SAYS[state]}" for state, size in sizes if size)
    segments = [Segment(size, KINDS.get(state, "rest")) for state, size in sizes if size]
    return Bar(measure_words(total["measure"]), f"{Decimal(total['granted']):,}", segments, words)
