"""*Month*: what a month granted, what of it is on bills, and where plan, ledger and bill differ."""

from collections.abc import Mapping
from decimal import Decimal

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
from kulanz_console.views.months import month_of, neighbours
from kulanz_console.visit import Shown, Visit

KINDS = {"applied": "granted", "accepted": "since", "sent": "waiting", "rejected": "stopped", "unknown": "stopped"}
"""The class of a state's colour; the others have the quiet one."""


def show(visit: Visit) -> Shown:
    """The month."""
    month = month_of(visit)
    campaigns, is_more = visit.pages("acknowledgements.of_month", "campaigns", month=month)
    totals = totals_of(campaigns)
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
    }
    return Shown("month.html", visit.words("Month {month}", month=month), content)


def _bar(total: Mapping[str, str]) -> Bar:
    sizes = [(state, Decimal(total.get(state, 0))) for state in STATES]
    words = ", ".join(f"{size:,} {SAYS[state]}" for state, size in sizes if size)
    segments = [Segment(size, KINDS.get(state, "rest")) for state, size in sizes if size]
    return Bar(measure_words(total["measure"]), f"{Decimal(total['granted']):,}", segments, words)
