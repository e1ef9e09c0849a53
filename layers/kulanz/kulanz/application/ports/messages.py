"""What leaves the use cases: messages to workers, to the company's systems and to people, and documents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.delivery.ids import DeliveryId, VoidId

if TYPE_CHECKING:
    from kulanz.domain.notices import NoticeMessage


@dataclass(frozen=True, slots=True)
class ChunkMessage:
    """A hint that a chunk has work; what is to be done stands in the campaign's record alone."""

    campaign: CampaignId
    work: Pass
    chunk: int


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """A hint that a chunk of a delivery has work; what is to be done stands in the delivery's record alone."""

    delivery: DeliveryId
    chunk: int


@dataclass(frozen=True, slots=True)
class PublishMessage:
    """A hint that a part of a delivery is to be published: that of the receipt of a chunk that starts at `start`."""

    delivery: DeliveryId
    start: int
    chunk: int


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """A hint that a chunk of an answer file has work; what is to be done stands in the file's record alone."""

    channel: str
    file: str
    chunk: int


@dataclass(frozen=True, slots=True)
class VoidMessage:
    """A hint that a chunk of a void has work; what is to be done stands in the void's record alone."""

    void: VoidId
    chunk: int


@dataclass(frozen=True, slots=True)
class ExportMessage:
    """A hint that a chunk of an export has work. Whoever finishes it sends the chunk that is `LANES` further on."""

    campaign: CampaignId
    export: str
    chunk: int


class ChunkQueue(Protocol):
    """Sends chunk messages to the workers."""

    def send(self, messages: Iterable[ChunkMessage]) -> None:
        """Send every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


class NoticeTopic(Protocol):
    """Publishes notices to the company's systems."""

    def publish(self, messages: Sequence["NoticeMessage"]) -> None:
        """Publish every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened to a campaign, as an event on the bus."""

    detail_type: str
    detail: str


class Announcer(Protocol):
    """Puts announcements on the bus."""

    def announce(self, announcement: Announcement) -> None:
        """Put one event. Raises TryAgain when the bus did not take it."""


class Archive(Protocol):
    """Documents that campaigns leave behind: reports, problems of rows, refused events. Keys are derived."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write a document. Keys are derived, so a repetition writes the same place; older versions are kept."""

    def get(self, key: str) -> bytes:
        """A document that was written. Raises Refused when it is not there."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an event was refused: for the rejected queue. It holds no value of the event but its names."""

    reason: str
    field: str
    message: str
    source: str
    detail_type: str
    incident_id: str
    event_key: str
    received_at: datetime


class RejectedQueue(Protocol):
    """Reports events that were refused."""

    def send(self, rejection: Rejection) -> None:
        """Send at least once. Raises TryAgain."""
