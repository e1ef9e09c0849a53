"""Chunk messages, refused events, notices and announcements: batches whose entries can fail one by one."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, TypedDict

from kulanz.adapters.aws import ENTRY_ATTEMPTS, backoff_seconds, call
from kulanz.application.ports import (
    Announcement,
    AnswerMessage,
    ChunkMessage,
    DeliveryMessage,
    ExportMessage,
    PublishMessage,
    Rejection,
    TryAgain,
    VoidMessage,
)
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.time import format_instant

if TYPE_CHECKING:
    from kulanz.domain.delivery.topic_messages import CreditsMessage
    from kulanz.domain.notices import NoticeMessage

ENTRIES_PER_CALL = 10
"""The limit of SendMessageBatch, PublishBatch and PutEvents alike."""
PUBLISH_CALL_BYTES = 240 * 1024
"""PublishBatch takes 256 KB in all; attributes and framing count too."""
CHUNK_MESSAGE_VERSION = 1
REJECTION_VERSION = 1
EVENT_SOURCE = "kulanz"
DRAFTS_SOURCE = "kulanz.drafts"
"""What speaks of drafts may not speak of campaigns: the bus's policy keeps both apart."""


ChunkContract = TypedDict("ChunkContract", {"v": int, "campaign": str, "pass": Pass, "chunk": int})
"""A message of the chunk queue: a hint that a chunk of a campaign's pass has work."""


class ExportMessageContract(TypedDict):
    """A message of the chunk queue: a hint that a chunk of an export has work. `export` is the export's id."""

    v: int
    campaign: str
    export: str
    chunk: int


class DeliveryMessageContract(TypedDict):
    """A message of the chunk queue: a hint that a chunk of a delivery has work."""

    v: int
    delivery: str
    chunk: int


class PublishMessageContract(TypedDict):
    """A message of the chunk queue: a hint that a part of a delivery is to be published. `start` is in bytes."""

    v: int
    publish: str
    start: int
    chunk: int


class AnswerMessageContract(TypedDict):
    """A message of the chunk queue: a hint that a chunk of an answer file has work. `answers` is the file's id."""

    v: int
    channel: str
    answers: str
    chunk: int


class VoidMessageContract(TypedDict):
    """A message of the chunk queue: a hint that a chunk of a void has work."""

    v: int
    void: str
    chunk: int


class RejectionContract(TypedDict):
    """A message of the rejected queue: why an event was refused; the event itself lies at `event_key` in the bucket."""

    v: int
    reason: str
    field: str
    message: str
    source: str
    detail_type: str
    incident_id: str
    event_key: str
    received_at: str


def chunk_message_text(message: ChunkMessage) -> str:
    """A chunk message as it travels."""
    content: ChunkContract = {
        "v": CHUNK_MESSAGE_VERSION,
        "campaign": str(message.campaign),
        "pass": message.work,
        "chunk": message.chunk,
    }
    return json.dumps(content, separators=(",", ":"))


def delivery_message_text(message: DeliveryMessage) -> str:
    """A delivery message as it travels."""
    content: DeliveryMessageContract = {
        "v": CHUNK_MESSAGE_VERSION,
        "delivery": str(message.delivery),
        "chunk": message.chunk,
    }
    return json.dumps(content, separators=(",", ":"))


def publish_message_text(message: PublishMessage) -> str:
    """A message about a part as it travels."""
    content: PublishMessageContract = {
        "v": CHUNK_MESSAGE_VERSION,
        "publish": str(message.delivery),
        "start": message.start,
        "chunk": message.chunk,
    }
    return json.dumps(content, separators=(",", ":"))


def answer_message_text(message: AnswerMessage) -> str:
    """An answer message as it travels."""
    content: AnswerMessageContract = {
        "v": CHUNK_MESSAGE_VERSION,
        "channel": message.channel,
        "answers": message.file,
        "chunk": message.chunk,
    }
    return json.dumps(content, separators=(",", ":"))


def export_message_text(message: ExportMessage) -> str:
    """A message of an export as it travels."""
    content: ExportMessageContract = {
        "v": CHUNK_MESSAGE_VERSION,
        "campaign": str(message.campaign),
        "export": message.export,
        "chunk": message.chunk,
    }
    return json.dumps(content, separators=(",", ":"))


def void_message_text(message: VoidMessage) -> str:
    """A message of a void as it travels."""
    content: VoidMessageContract = {"v": CHUNK_MESSAGE_VERSION, "void": str(message.void), "chunk": message.chunk}
    return json.dumps(content, separators=(",", ":"))


type WorkerMessage = ChunkMessage | DeliveryMessage | PublishMessage | ExportMessage | AnswerMessage | VoidMessage
"""What the chunk queue carries."""


def read_chunk_message(text: str) -> WorkerMessage:
    """Read a message of the chunk queue. Raises ValueError naming the field."""
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("v") != CHUNK_MESSAGE_VERSION:
        raise ValueError(f"v: expected a chunk message of version {CHUNK_MESSAGE_VERSION}")
    chunk = _number_from_0(content, "chunk")
    if "void" in content:
        return VoidMessage(VoidId.parse(str(content["void"])), chunk)
    if "publish" in content:
        return PublishMessage(DeliveryId.parse(str(content["publish"])), _number_from_0(content, "start"), chunk)
    if "delivery" in content:
        return DeliveryMessage(DeliveryId.parse(str(content["delivery"])), chunk)
    if "answers" in content:
        return AnswerMessage(str(content.get("channel")), str(content["answers"]), chunk)
    campaign = CampaignId.parse(str(content.get("campaign")))
    if "export" in content:
        return ExportMessage(campaign, str(content["export"]), chunk)
    return ChunkMessage(campaign, Pass(str(content.get("pass"))), chunk)


def _number_from_0(content: dict[str, Any], name: str) -> int:
    number = content.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f"{name}: expected a number from 0")
    return number


class SqsChunks:
    """The chunk queue."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Iterable[ChunkMessage]) -> None:
        self._send_texts(map(chunk_message_text, messages))

    def send_deliveries(self, messages: Iterable[DeliveryMessage]) -> None:
        self._send_texts(map(delivery_message_text, messages))

    def send_parts(self, messages: Iterable[PublishMessage]) -> None:
        self._send_texts(map(publish_message_text, messages))

    def send_answers(self, messages: Iterable[AnswerMessage]) -> None:
        self._send_texts(map(answer_message_text, messages))

    def send_voids(self, messages: Iterable[VoidMessage]) -> None:
        self._send_texts(map(void_message_text, messages))

    def send_exports(self, messages: Iterable[ExportMessage]) -> None:
        self._send_texts(map(export_message_text, messages))

    def _send_texts(self, texts: Iterable[str]) -> None:
        for page in batched(texts, ENTRIES_PER_CALL, strict=False):
            entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(page)]
            _send_entries("SendMessageBatch", entries, self._send)

    def _send(self, entries: list[dict[str, Any]]) -> set[str]:
        answer = call("SendMessageBatch", self._client.send_message_batch, QueueUrl=self._queue_url, Entries=entries)
        return {failure["Id"] for failure in answer.get("Failed", [])}


class SqsRejected:
    """The rejected queue."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, rejection: Rejection) -> None:
        content: RejectionContract = {
            "v": REJECTION_VERSION,
            "reason": rejection.reason,
            "field": rejection.field,
            "message": rejection.message,
            "source": rejection.source,
            "detail_type": rejection.detail_type,
            "incident_id": rejection.incident_id,
            "event_key": rejection.event_key,
            "received_at": format_instant(rejection.received_at),
        }
        call("SendMessage", self._client.send_message, QueueUrl=self._queue_url, MessageBody=json.dumps(content))


class SnsNotices:
    """The notices topic."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, messages: "Sequence[NoticeMessage]") -> None:
        texts = (
            (
                message.text,
                {
                    "kind": message.audience.kind,
                    "incident_id": message.incident_id,
                    "locale": message.audience.locale,
                    "channel": message.audience.channel,
                },
            )
            for message in messages
        )
        _publish_all(self._client.publish_batch, self._topic_arn, texts)


class SnsCredits:
    """The credits topic."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, messages: "Iterable[CreditsMessage]") -> None:
        texts = (
            (message.content.decode(), {"channel": message.channel, "incident_id": message.incident_id})
            for message in messages
        )
        _publish_all(self._client.publish_batch, self._topic_arn, texts)


def _publish_all(
    publish_batch: Callable[..., Any], topic_arn: str, messages: Iterable[tuple[str, Mapping[str, str]]]
) -> None:
    """Publish texts with their attributes, as many in a call as it takes. Raises TryAgain."""

    def publish(entries: list[dict[str, Any]]) -> set[str]:
        answer = call("PublishBatch", publish_batch, TopicArn=topic_arn, PublishBatchRequestEntries=entries)
        return {failure["Id"] for failure in answer.get("Failed", [])}

    page: list[dict[str, Any]] = []
    used = 0
    for text, attributes in messages:
        size = len(text.encode())
        if page and (len(page) == ENTRIES_PER_CALL or used + size > PUBLISH_CALL_BYTES):
            _send_entries("PublishBatch", page, publish)
            page, used = [], 0
        page.append(_publish_entry(str(len(page)), text, attributes))
        used += size
    if page:
        _send_entries("PublishBatch", page, publish)


def _publish_entry(entry_id: str, text: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Id": entry_id,
        "Message": text,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }


class EventBridgeAnnouncer:
    """Announcements on the stack's own bus."""

    def __init__(self, client: Any, bus_name: str, source: str = EVENT_SOURCE) -> None:
        self._client = client
        self._bus_name = bus_name
        self._source = source

    def announce(self, announcement: Announcement) -> None:
        entry = {
            "Id": "0",
            "Source": self._source,
            "DetailType": announcement.detail_type,
            "Detail": announcement.detail,
            "EventBusName": self._bus_name,
        }
        _send_entries("PutEvents", [entry], self._put)

    def _put(self, entries: list[dict[str, Any]]) -> set[str]:
        plain = [{name: value for name, value in entry.items() if name != "Id"} for entry in entries]
        answer = call("PutEvents", self._client.put_events, Entries=plain)
        results = zip(entries, answer.get("Entries", []), strict=True)
        return {entry["Id"] for entry, result in results if "ErrorCode" in result}


def _send_entries(what: str, entries: list[dict[str, Any]], send: Callable[[list[dict[str, Any]]], set[str]]) -> None:
    """Send entries until none is refused, waiting longer each time. Raises TryAgain after `ENTRY_ATTEMPTS`."""
    for attempt in range(1, ENTRY_ATTEMPTS + 1):
        refused = send(entries)
        if not refused:
            return
        entries = [entry for entry in entries if entry["Id"] in refused]
        time.sleep(backoff_seconds(attempt))
    raise TryAgain(f"{what}: entries refused {ENTRY_ATTEMPTS} times: {len(entries)}")
