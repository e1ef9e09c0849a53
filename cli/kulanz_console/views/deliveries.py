"""*Deliveries*: what is on its way to bills, what is late, and which accounts wait for it."""

from kulanz_console.drawing.ways import SAYS
from kulanz_console.views.forms import on_campaign
from kulanz_console.visit import Shown, Visit


def show(visit: Visit) -> Shown:
    """What is not sent, what is kept back, what is late, and the deliveries of a channel."""
    channel = visit.query.get("channel", "").strip()
    waiting, late, (found, is_more) = visit.together(
        lambda: visit.ask("deliveries.waiting"),
        lambda: visit.ask("acknowledgements.overdue"),
        lambda: visit.pages("deliveries.of_channel", "deliveries", channel=channel) if channel else ([], False),
    )
    content = {
        "waiting": waiting["deliveries"],
        "kept_back": waiting["kept_back"],
        "late": late,
        "channel": channel,
        "found": found,
        "is_more": is_more,
    }
    return Shown("deliveries.html", visit.words("Deliveries"), content)


def show_late(visit: Visit) -> Shown:
    """The credits of a campaign that are late, by account: for whoever lists them for a regulator."""
    found, is_more = visit.pages("acknowledgements.late_credits", "credits", None, **on_campaign(visit))
    campaign = f"{visit.of['incident']}/{visit.of['seq']}"
    content = {"campaign": campaign, "credits": found, "is_more": is_more, "says": SAYS}
    return Shown("late.html", visit.words("Late credits of {campaign}", campaign=campaign), content)
