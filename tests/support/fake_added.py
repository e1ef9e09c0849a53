"""What was granted beside the lists of campaigns, in memory: what acceptances count, and deliveries take."""

from datetime import datetime

from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.added import Added, Additions
from kulanz.domain.delivery.moved import MovedSums
from kulanz.domain.ledger.additions import Addition
from kulanz.domain.time import microseconds_of


class AddedItems:
    """What was added to each campaign, and since when some of it is in no delivery."""

    def __init__(self) -> None:
        self.found: dict[CampaignId, Added] = {}
        self.waiting: dict[CampaignId, datetime] = {}
        self.by_hand: list[Addition] = []
        """What persons added that no row of a list has."""
        self.listed: list[Addition] = []
        """Additions that no acceptance made."""

    def require_open(self, campaign_id: CampaignId, at: datetime) -> None:
        """Raises Outdated where a delivery was opened over an instant."""
        if microseconds_of(at) < self.found.get(campaign_id, Added()).until:
            raise Outdated

    def count(self, campaign_id: CampaignId, at: datetime, moved: MovedSums) -> None:
        """Count one addition."""
        before = self.found.get(campaign_id, Added())
        sums = {place: dict(found) for place, found in before.moved.items()}
        for place, found in moved.items():
            for state, size in found.items():
                sums.setdefault(place, {})[state] = sums.get(place, {}).get(state, 0) + size
        self.found[campaign_id] = Added(before.number + 1, sums, before.until)
        self.waiting.setdefault(campaign_id, at)

    def take(self, campaign_id: CampaignId, added: Added, taken: Additions) -> None:
        """All that was added so far is in a delivery. Raises Outdated where more was added since."""
        known = self.found.get(campaign_id, Added())
        if (known.number, known.until) != (added.number, taken.start):
            raise Outdated
        self.found[campaign_id] = Added(known.number, known.moved, taken.end)
        self.waiting.pop(campaign_id, None)
