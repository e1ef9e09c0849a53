"""What a biller had taken back by reversals and gives again: listed and alarmed where others have counted on that.

A later campaign granted anew, or another incident had the room under a cap: then a subject may have both, and nothing
else would say so. Whoever looked has sent the list again, or has voided.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from kulanz.application.delivery.world import VoidStore
from kulanz.application.ports import CampaignStore, Troubles
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.delivery.void import VoidState


class GivenAgainPorts(Protocol):
    """The world that looking at it touches."""

    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def voids(self) -> VoidStore: ...
    @property
    def troubles(self) -> Troubles: ...


def note_given_again(given: Iterable[CampaignId], campaigns: CampaignStore, troubles: Troubles, now: datetime) -> None:
    """Note each campaign of which something is given again, where a later one has set it off. Safe to repeat."""
    for campaign_id in sorted(given, key=str):
        if _later(campaign_id, campaigns):
            troubles.note(TroubleKind.GIVEN_AGAIN, str(campaign_id), now)


def note_room_used(campaign_id: CampaignId, troubles: Troubles, now: datetime) -> None:
    """Note a campaign of which something is given again, where other incidents have added to a history since it was
    taken back: together they may be over a cap. Safe to repeat.
    """
    troubles.note(TroubleKind.GIVEN_AGAIN, str(campaign_id), now)


def watch_given_again(ports: GivenAgainPorts, now: datetime) -> None:
    """Forget those campaigns of whose incident a list was sent again since, or something was voided."""
    for trouble in ports.troubles.troubles():
        if trouble.kind is TroubleKind.GIVEN_AGAIN and _was_looked_at(trouble, ports):
            ports.troubles.repaired(TroubleKind.GIVEN_AGAIN, trouble.on, now)


def _was_looked_at(trouble: Trouble, ports: GivenAgainPorts) -> bool:
    campaign_id = CampaignId.parse(trouble.on)
    later = _later(campaign_id, ports.campaigns)
    if any(one.decided_at > trouble.found_at for one in later):
        return True
    voids = (void for one in (campaign_id, *(one.id for one in later)) for void in ports.voids.of_campaign(one))
    return any(void.state is VoidState.VOIDED and void.opened_at > trouble.found_at for void in voids)


def _later(campaign_id: CampaignId, campaigns: CampaignStore) -> list[Campaign]:
    """The campaigns that granted, or grant, less what a campaign had granted."""
    record = campaigns.incident(campaign_id.incident_id)
    applied = () if record is None else record.applied
    found = (campaigns.campaign(CampaignId(campaign_id.incident_id, seq)) for seq in applied if seq > campaign_id.seq)
    return [one for one in found if one is not None and campaign_id.seq in one.follows]
