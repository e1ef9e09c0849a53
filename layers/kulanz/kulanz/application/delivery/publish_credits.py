"""Publishes a part of a released delivery on the credits topic, for those who book by event.

What is published is read from the part, which the trailer names already. So it is the same however often it is
published, and nothing is published before the credits of the whole delivery came to the reconciliation.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from kulanz.application.delivery.world import CreditsTopic, DeliveryStore
from kulanz.application.ports import Archive, CampaignWork, Outdated, PublishMessage, Refused
from kulanz.domain.campaigns.campaign import DELIVERABLE
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.topic_messages import credits_messages


class PublishWork(StrEnum):
    """What became of a message. HALTED: the stack is halted, or the campaign stopped; the watch sends it again."""

    PUBLISHED = "published"
    NOTHING_TO_DO = "nothing_to_do"
    HALTED = "halted"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class PublishCreditsPorts:
    """The world that publishing credits touches."""

    campaigns: CampaignWork
    deliveries: DeliveryStore
    archive: Archive
    topic: CreditsTopic


@dataclass(frozen=True, slots=True)
class PublishDone:
    """What a worker did, for its log line."""

    work: PublishWork
    credits: int = 0
    messages: int = 0


def publish_credits(message: PublishMessage, ports: PublishCreditsPorts) -> PublishDone:
    """Publish a part's credits at least once, then note that they are; nothing where that was done in this round.

    Raises TryAgain when the topic or the store does not answer; the message then comes again, and receivers recognise
    the credits that they have. Raises Refused where a part that was sent before is not there as it was written.
    """
    delivery = ports.deliveries.delivery(message.delivery)
    if delivery is None or not delivery.is_publishing:
        return PublishDone(PublishWork.NOTHING_TO_DO)
    receipt = ports.deliveries.receipt(delivery.id, message.start, message.chunk)
    if receipt is None or receipt.part is None or receipt.published >= delivery.rounds:
        return PublishDone(PublishWork.NOTHING_TO_DO)
    campaign = ports.campaigns.campaign(delivery.campaign)
    if campaign is None or campaign.state not in DELIVERABLE or ports.campaigns.halt().is_on:
        return PublishDone(PublishWork.HALTED)
    content = ports.archive.get(f"{delivery.id.folder}/{receipt.part.name}")
    if not _is_as_written(receipt.part, content):
        _flag(delivery, receipt.part, ports)
        return PublishDone(PublishWork.FLAGGED)
    messages = list(credits_messages(delivery, receipt.part, content))
    ports.topic.publish(messages)
    ports.deliveries.mark_published(receipt, delivery.rounds)
    return PublishDone(PublishWork.PUBLISHED, receipt.part.number, len(messages))


def _is_as_written(part: PartFile, content: bytes) -> bool:
    return len(content) == part.size_bytes and sha256(content).hexdigest() == part.sha256


def _flag(delivery: Delivery, part: PartFile, ports: PublishCreditsPorts) -> None:
    """Somebody replaced a part. What is published of the others stays published; a person has to look.

    A delivery that was sent stays sent: its message goes to the dead letters.
    """
    reason = f"{part.name} is not what was written; its earlier versions are in the bucket"
    if delivery.state is DeliveryState.SENT:
        raise Refused(reason)
    with suppress(Outdated):  # another worker was first
        ports.deliveries.change(delivery, replace(delivery, state=DeliveryState.FLAGGED, reason=reason))
