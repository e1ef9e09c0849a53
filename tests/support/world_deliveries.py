"""What a world does with deliveries: the steps of its functions, composed as their handlers compose them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.campaigns.chunk_run import GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.advance_delivery import (
    DeliveryPorts,
    advance_delivery,
    watch_deliveries,
)
from kulanz.application.delivery.campaign_law import law_at
from kulanz.application.delivery.deliver_chunk import DeliverDone, DeliverPorts, deliver_chunk
from kulanz.application.delivery.given_again import watch_given_again
from kulanz.application.delivery.kept_back import end_delivered, watch_kept_back
from kulanz.application.delivery.publish_credits import PublishCreditsPorts, PublishDone, publish_credits
from kulanz.application.delivery.watching import Looked
from kulanz.application.ports import DeliveryMessage, PublishMessage
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.law import Counted
from tests.support.fake_answers import FakeAnswers
from tests.support.faults import Tap, tapped
from tests.support.world_clock import WorldClock

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.world import World


def delivery_ports(world: "World") -> DeliveryPorts:
    """The world as opening and releasing deliveries touches it."""
    return DeliveryPorts(
        campaigns=tapped(world.campaigns, "campaigns", world.tap),
        deliveries=tapped(world.deliveries, "deliveries", world.tap),
        queue=tapped(world.chunks, "chunks", world.tap),
        archive=tapped(world.archive, "archive", world.tap),
        announcer=tapped(world.announcer, "announcer", world.tap),
        index=tapped(world.index, "index", world.tap),
    )


class KeptBack:
    """The world as what is kept back is worked out from it."""

    def __init__(self, world: "World") -> None:
        self.campaigns = tapped(world.campaigns, "campaigns", world.tap)
        self.deliveries = tapped(world.deliveries, "deliveries", world.tap)
        self.answers = FakeAnswers(world.deliveries.dues, world.codes)  # nothing is answered of what is in no delivery
        self.voids = tapped(world.voids, "voids", world.tap)
        self.troubles = tapped(world.troubles, "troubles", world.tap)


def opened(world: "World", campaign: Campaign, cause: Cause, now: "datetime") -> None:
    """A campaign has ended: its delivery opens, or what it granted is kept back."""
    end_delivered(campaign, delivery_ports(world), KeptBack(world), cause, now)


def law_of_campaign(world: "World", campaign: Campaign, now: "datetime") -> Mapping[str, Counted]:
    """Where what a campaign granted is, for its report."""
    return law_at(campaign, KeptBack(world), now)


def advanced(world: "World", batch: Sequence[DeliveryId]) -> None:
    """The records of some deliveries have changed."""
    for delivery_id in dict.fromkeys(batch):
        advance_delivery(delivery_id, delivery_ports(world), world.now)


def watched(world: "World") -> Looked:
    """What the schedule does with deliveries that are not sent."""
    found = watch_deliveries(delivery_ports(world), world.now)
    watch_kept_back(KeptBack(world), world.now)
    watch_given_again(KeptBack(world), world.now)
    return found


def unsent_of(world: "World", campaign_id: CampaignId) -> list[Delivery]:
    """The deliveries of a campaign that are not sent."""
    over_list, over_additions = world.deliveries.over_list(campaign_id), world.deliveries.over_additions(campaign_id)
    found = [*([] if over_list is None else [over_list]), *over_additions]
    return [one for one in found if not one.is_released]


def published(world: "World", message: PublishMessage, tap: Tap) -> PublishDone:
    """A worker gets a message about a part."""
    ports = PublishCreditsPorts(
        campaigns=tapped(world.campaigns, "campaigns", tap),
        deliveries=tapped(world.deliveries, "deliveries", tap),
        archive=tapped(world.archive, "archive", tap),
        topic=tapped(world.credits_topic, "credits_topic", tap),
    )
    return publish_credits(message, ports)


def delivered(
    world: "World", message: DeliveryMessage | PublishMessage, tap: Tap, cache: FrozenCache
) -> DeliverDone | PublishDone:
    """A worker gets a message about a chunk or a part of a delivery."""
    if isinstance(message, PublishMessage):
        return published(world, message, tap)
    ports = DeliverPorts(
        campaigns=tapped(world.campaigns, "campaigns", tap),
        lists=PartedLists(tapped(world.lists, "lists", tap)),
        credits=tapped(world.credits, "credits", tap),
        deliveries=tapped(world.deliveries, "deliveries", tap),
        queue=tapped(world.chunks, "chunks", tap),
        archive=tapped(world.archive, "archive", tap),
        index=tapped(world.index, "index", tap),
    )
    settings = GrantSettings(world.calls_in_flight, world.units_per_second, world.retention_days)
    return deliver_chunk(message, ports, settings, WorldClock(world), cache)
