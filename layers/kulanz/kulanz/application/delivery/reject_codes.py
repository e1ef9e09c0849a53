"""The biller's codes that a campaign counts by themselves, as a worker knows them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from kulanz.application.delivery.world import RejectCodes
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.moved import Moved
from kulanz.domain.delivery.standing import CODES_MOST, CreditState


@dataclass(slots=True)
class KnownCodes:
    """What was read of the codes, of as many campaigns and channels as a worker meets; none is ever forgotten."""

    codes: RejectCodes
    _known: dict[tuple[CampaignId, str], frozenset[str]] = field(default_factory=dict)

    def note(self, campaign_id: CampaignId, channel: str, new: Collection[str]) -> None:
        """Let codes be counted by themselves, before a credit is written that is rejected with one. Raises TryAgain."""
        at = campaign_id, channel
        if not self._are_known(at, new):
            self._known[at] = self.codes.codes(campaign_id, channel, new)

    def counting(self, campaign_id: CampaignId, moved: Moved) -> Collection[str]:
        """The codes that are counted by themselves where an entry moved what is rejected; else nothing is asked."""
        if CreditState.REJECTED not in moved.by_state:
            return ()
        at = campaign_id, moved.channel
        if not self._are_known(at, (moved.code,)):
            self._known[at] = self.codes.codes(*at)
        return self._known[at]

    def _are_known(self, at: tuple[CampaignId, str], codes: Collection[str]) -> bool:
        """Whether reading again can say nothing new of some codes."""
        known = self._known.get(at)
        return known is not None and (len(known) >= CODES_MOST or known.issuperset(codes))
