"""The queues, the topic and the bus in memory: each keeps what was sent, for whoever drives the other end."""

from collections.abc import Iterable, Sequence

from kulanz.application.ports import (
    Announcement,
    ChunkMessage,
    DeliveryMessage,
    PublishMessage,
    Refused,
    Rejection,
    VoidMessage,
)
from kulanz.domain.delivery.topic_messages import CreditsMessage
from kulanz.domain.notices import NOTICE_MESSAGE_BYTES, NoticeMessage


class FakeChunks:
    """The chunk queue as its senders see it; whoever drives the workers takes from `sent`."""

    def __init__(self) -> None:
        self.sent: list[ChunkMessage] = []
        self.deliveries: list[DeliveryMessage | PublishMessage] = []
        self.voids: list[VoidMessage] = []

    def send(self, messages: Iterable[ChunkMessage]) -> None:
        self.sent.extend(messages)

    def send_deliveries(self, messages: Iterable[DeliveryMessage]) -> None:
        self.deliveries.extend(messages)

    def send_parts(self, messages: Iterable[PublishMessage]) -> None:
        self.deliveries.extend(messages)

    def send_voids(self, messages: Iterable[VoidMessage]) -> None:
        self.voids.extend(messages)


class FakeTopic:
    """The notices topic: everything that was published, repetitions included."""

    def __init__(self) -> None:
        self.published: list[NoticeMessage] = []

    def publish(self, messages: Sequence[NoticeMessage]) -> None:
        for message in messages:
            if len(message.text.encode()) > NOTICE_MESSAGE_BYTES:
                raise Refused("a notice message is too large")
            self.published.append(message)


class FakeCreditsTopic:
    """The credits topic: everything that was published, repetitions included."""

    def __init__(self) -> None:
        self.published: list[CreditsMessage] = []

    def publish(self, messages: Iterable[CreditsMessage]) -> None:
        self.published.extend(messages)


class FakeAnnouncer:
    """The bus: everything that was announced, repetitions included."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []

    def announce(self, announcement: Announcement) -> None:
        self.announced.append(announcement)

    @property
    def after_the_gate(self) -> list[Announcement]:
        """Everything but that plans wait for their approval."""
        return [one for one in self.announced if one.detail_type != "Campaign Awaiting Approval"]


class FakeRejected:
    """The rejected queue: everything that was refused, repetitions included."""

    def __init__(self) -> None:
        self.sent: list[Rejection] = []

    def send(self, rejection: Rejection) -> None:
        self.sent.append(rejection)
