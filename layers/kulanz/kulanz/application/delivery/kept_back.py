"""What a campaign granted that is in no delivery because a person ended it so: listed and alarmed until it is over.

It stays due. Whoever ends such a campaign chooses: to deliver it, or to keep it back until it is voided or delivered.
"""

from datetime import datetime
from typing import Protocol

from kulanz.application.delivery.advance_delivery import DeliveryPorts, is_whole, open_over_list
from kulanz.application.delivery.campaign_law import LawPorts, counted_lines
from kulanz.application.ports import CampaignStore, Troubles
from kulanz.domain.campaigns.campaign import DELIVERABLE, Campaign, CampaignId, Cause, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill


class KeptBackPorts(LawPorts, Protocol):
    """What has the counters of a campaign, and what waits for a person."""

    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def troubles(self) -> Troubles: ...


def kept_back(campaign: Campaign, ports: KeptBackPorts) -> list[ToTheBill]:
    """What an ended campaign granted that nothing will deliver by itself, by measure; empty where there is none.

    Nothing is kept back where the plan names no channel: nobody meant to deliver it from here.
    """
    ends_by_itself = campaign.state is State.CLOSED and is_whole(campaign)
    if campaign.state not in DELIVERABLE or ends_by_itself or ports.deliveries.over_list(campaign.id) is not None:
        return []
    plan = ports.campaigns.filed_plan(campaign.id)
    if plan is None or plan.channel is None:
        return []
    return [line for line in counted_lines(campaign, ports) if line.by_state.get(CreditState.DUE, 0) > 0]


def end_delivered(
    campaign: Campaign, delivering: DeliveryPorts, ports: KeptBackPorts, cause: Cause, now: datetime
) -> None:
    """A campaign has ended: open its delivery, or note that what it granted is kept back. Safe to repeat."""
    open_over_list(campaign, delivering, cause, now)
    if kept_back(campaign, ports):
        ports.troubles.note(TroubleKind.KEPT_BACK, str(campaign.id), now)


def watch_kept_back(ports: KeptBackPorts, now: datetime) -> None:
    """Forget the campaigns of which nothing is kept back any more: it was delivered, or voided."""
    for trouble in ports.troubles.troubles():
        if trouble.kind is TroubleKind.KEPT_BACK:
            campaign = ports.campaigns.campaign(CampaignId.parse(trouble.on))
            if campaign is None or not kept_back(campaign, ports):
                ports.troubles.repaired(TroubleKind.KEPT_BACK, trouble.on, now)
