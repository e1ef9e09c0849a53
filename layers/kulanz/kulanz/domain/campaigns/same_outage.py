"""Campaigns of other incidents over the same outage: one outage under two incident ids must not pay twice unseen."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT, Campaign, CampaignId, PinnedList, SameOutage

OTHERS_READ = 5_000
"""Campaigns over one outage that are read at most; one incident alone may have `CAMPAIGNS_PER_INCIDENT` of them."""
assert CAMPAIGNS_PER_INCIDENT < OTHERS_READ


class OutageCampaign(NamedTuple):
    """A campaign over an outage, and the list that it pinned."""

    id: CampaignId
    pinned: PinnedList


def others_among(campaign: Campaign, over: Iterable[OutageCampaign]) -> SameOutage:
    """The campaigns of other incidents among those over a campaign's outage; `over` has the campaign itself, too."""
    read = list(islice(over, OTHERS_READ + 1))
    others = [one for one in read[:OTHERS_READ] if one.id.incident_id != campaign.id.incident_id]
    same = tuple(one.id for one in others if is_same_content(one.pinned, campaign.pinned))
    other = tuple(one.id for one in others if not is_same_content(one.pinned, campaign.pinned))
    return SameOutage(same, other, is_whole=len(read) <= OTHERS_READ)


def is_same_content(one: PinnedList, another: PinnedList) -> bool:
    """Whether two pinned lists have the same bytes, as far as their storage says: its checksum and the size agree."""
    return (one.etag, one.size) == (another.etag, another.size)
