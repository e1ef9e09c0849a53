"""Paths of the console's own pages, each value escaped."""

from urllib.parse import quote, urlencode

from kulanz.domain.campaigns.campaign import CampaignId

SAFE = ":~"
"""What an id may hold besides letters, digits and `-._`, which no URL escapes."""


def url(path: str, **query: str | None) -> str:
    """A path with a query of what is stated."""
    stated = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(stated, quote_via=quote)}" if stated else path


def segment(text: object) -> str:
    """A value as a segment of a path."""
    return quote(str(text), safe=SAFE)


def campaign_path(campaign: str) -> str:
    """The last two segments of a path to a campaign."""
    found = CampaignId.parse(campaign)
    return f"{segment(found.incident_id)}/{found.seq}"
