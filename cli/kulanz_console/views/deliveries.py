"""*Deliveries*: what is on its way to bills, what is late, and which accounts wait for it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from kulanz_console.drawing.ways import SAYS, delivery_words
from kulanz_console.views.forms import on_campaign
from kulanz_console.views.months import last_months
from kulanz_console.visit import Shown, Visit

MONTHS_OF_DUE = 2
"""Months whose campaigns are asked for what waits for a delivery; the pages of earlier months have theirs."""


def show(visit: Visit) -> Shown:
    """What is not sent, what is kept back, what is late, and the deliveries of a channel."""
    channel = visit.query.get("channel", "").strip()
    months = last_months(visit.now, MONTHS_OF_DUE)
    waiting, late, (found, is_more), *bills = visit.together(
        lambda: visit.ask("deliveries.waiting"),
        lambda: visit.ask("acknowledgements.overdue"),
        lambda: visit.pages("deliveries.of_channel", "deliveries", channel=channel) if channel else ([], False),
        *(_bills_of(visit, month) for month in months),
    )
    campaigns = list(chain.from_iterable(part for part, _ in bills))
    kept_back = {one["campaign"] for one in waiting["kept_back"]}
    delivered = [one["delivery"] for one in (*waiting["deliveries"], *campaigns) if one["delivery"]]
    content = {
        "waiting": waiting["deliveries"],
        "kept_back": waiting["kept_back"],
        "late": late,
        "months": months,
        "due": list(_due(one for one in campaigns if one["campaign"] not in kept_back)),
        "due_more": any(is_cut for _, is_cut in bills),
        "is_delivered": bool(delivered) or any(_is_of_additions(one) for one in campaigns),
        "channels": sorted({str(one).rpartition("/")[0] for one in delivered}),
        "channel": channel,
        "found": found,
        "is_more": is_more,
    }
    return Shown("deliveries.html", visit.words("Deliveries"), content)


def _bills_of(visit: Visit, month: str) -> Any:
    return lambda: visit.pages("acknowledgements.of_month", "campaigns", month=month)


def _is_of_additions(campaign: Mapping[str, Any]) -> bool:
    """Whether what was added to a campaign is in a delivery, though its list is in none."""
    return campaign["delivery"] is None and not campaign["why_not"]


def _due(campaigns: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, str]]:
    """What is in no delivery yet, by campaign and measure."""
    for one in campaigns:
        for line in one["lines"]:
            if Decimal(text := line["by_state"].get("due", "0")):
                said = {"measure": line["measure"], "sum": text, "says": delivery_words(one)}
                yield {"campaign": one["campaign"], **said}


def show_late(visit: Visit) -> Shown:
    """The credits of a campaign that are late, by account: for whoever lists them for a regulator."""
    found, is_more = visit.pages("acknowledgements.late_credits", "credits", None, **on_campaign(visit))
    campaign = f"{visit.of['incident']}/{visit.of['seq']}"
    content = {"campaign": campaign, "credits": found, "is_more": is_more, "says": SAYS}
    return Shown("late.html", visit.words("Late credits of {campaign}", campaign=campaign), content)
