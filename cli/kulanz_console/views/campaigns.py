"""*Campaigns*: those of a month or of an incident, with their states and sums."""

from kulanz_console.views.campaign_lines import line_of
from kulanz_console.views.months import month_of, neighbours
from kulanz_console.visit import Shown, Visit


def show(visit: Visit) -> Shown:
    """The list."""
    incident = visit.query.get("incident", "").strip()
    month = month_of(visit)
    if incident:
        items, is_more = visit.pages("campaigns.of_incident", "campaigns", incident=incident)
    else:
        items, is_more = visit.pages("campaigns.of_month", "campaigns", month=month)
    content = {
        "campaigns": [line_of(item) for item in items],
        "is_more": is_more,
        "incident": incident,
        "month": month,
        "neighbours": neighbours(month),
    }
    return Shown("campaigns.html", visit.words("Campaigns"), content)
