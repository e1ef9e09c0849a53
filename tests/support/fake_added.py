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
        self.beside: dict[tuple[CampaignId, str], Added] = {}
        """What is for another channel than the plan's, by that channel."""
        self.waiting: dict[tuple[CampaignId, str], datetime] = {}
        self.by_hand: list[Addition] = []
        """What persons added that no row of a list has."""
        self.listed: list[Addition] = []
        """Additions that no acceptance made."""

    def of(self, campaign_id: CampaignId, channel: str = "") -> Added:
        """What was added for a channel."""
        if channel:
            return self.beside.get((campaign_id, channel), Added(channel=channel))
        return self.found.get(campaign_id, Added())

    def _set(self, campaign_id: CampaignId, added: Added) -> None:
        if added.channel:
            self.beside[campaign_id, added.channel] = added
        else:
            self.found[campaign_id] = added

    def require_open(self, campaign_id: CampaignId, at: datetime, channel: str = "") -> None:
        """Raises Outdated where a delivery was opened over an instant."""
        if microseconds_of(at) < self.of(campaign_id, channel).until:
            raise Outdated

    def count(self, campaign_id: CampaignId, at: datetime, moved: MovedSums, channel: str = "") -> None:
        """Count one addition."""
        before = self.of(campaign_id, channel)
        sums = {place: dict(found) for place, found in before.moved.items()}
        for place, found in moved.items():
            for state, size in found.items():
                sums.setdefault(place, {})[state] = sums.get(place, {}).get(state, 0) + size
        self._set(campaign_id, Added(before.number + 1, sums, before.until, channel))
        self.waiting.setdefault((campaign_id, channel), at)

    def take(self, campaign_id: CampaignId, added: Added, taken: Additions) -> None:
        """All that was added so far is in a delivery. Raises Outdated where more was added since."""
        known = self.of(campaign_id, added.channel)
        if (known.number, known.until) != (added.number, taken.start):
            raise Outdated
        self._set(campaign_id, Added(known.number, known.moved, taken.end, added.channel))
        self.waiting.pop((campaign_id, added.channel), None)
