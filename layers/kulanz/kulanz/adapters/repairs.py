"""What operators repair: refused events and dead letters in their queues, and the functions that do work again."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kulanz.adapters.aws import call
from kulanz.adapters.campaign_keys import meta_key
from kulanz.adapters.credit_entries import booked_item
from kulanz.adapters.incident_items import revision_item
from kulanz.adapters.messaging import RejectionContract
from kulanz.application.delivery.world import Booked
from kulanz.application.door.asked import RefusedEvent
from kulanz.application.ports import Rejection, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.incident_record import Revision
from kulanz.domain.time import parse_instant

MESSAGES_PER_RECEIVE = 10
"""The limit of ReceiveMessage."""
RECEIVE_WAIT_SECONDS = 2
"""With any wait SQS asks all servers of a queue, so that an empty answer is an empty queue; else only some of them."""
HIDDEN_SECONDS = 60
"""How long a message that is looked at, or moved, is hidden; if that is cut off, it shows up again."""
SECONDS_FOR_A_ROUND = 8.0
"""Messages are received only while so much is left: the wait, ten calls, and the answer."""

type Message = Mapping[str, Any]


class SqsRefusedEvents:
    """The queue of refused events. Looking hides a message for a moment, and shows it again at once."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def look(self, most: int) -> list[RefusedEvent]:
        seen: dict[str, str] = {}
        try:
            messages = list(self._messages(lambda: most - len(seen), seen))
        finally:
            self._show_again(seen.values())
        return [RefusedEvent(one["MessageId"], read_rejection(one["Body"])) for one in messages]

    def take_out(self, message_ids: Sequence[str], seconds_left: Callable[[], float]) -> set[str]:
        seen: dict[str, str] = {}
        done: set[str] = set()

        def wanted() -> int:
            is_over = len(done) == len(message_ids) or seconds_left() < SECONDS_FOR_A_ROUND
            return 0 if is_over else MESSAGES_PER_RECEIVE

        try:
            for message in self._messages(wanted, seen):
                if message["MessageId"] in message_ids:
                    handle = seen.pop(message["MessageId"])
                    call("DeleteMessage", self._client.delete_message, QueueUrl=self._queue_url, ReceiptHandle=handle)
                    done.add(message["MessageId"])
        finally:
            self._show_again(seen.values())
        return done

    def _messages(self, wanted: Callable[[], int], seen: dict[str, str]) -> Iterator[Message]:
        """Messages until the queue is empty or none is wanted; `seen` gets the handle of each."""
        known: set[str] = set()
        while (most := wanted()) > 0:
            received = call(
                "ReceiveMessage",
                self._client.receive_message,
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(MESSAGES_PER_RECEIVE, most),
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
            ).get("Messages", [])
            messages = [message for message in received if message["MessageId"] not in known]
            if not messages:
                return
            known |= {message["MessageId"] for message in messages}
            seen |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            yield from messages

    def _show_again(self, handles: Iterable[str]) -> None:
        for handle in handles:
            call(
                "ChangeMessageVisibility",
                self._client.change_message_visibility,
                QueueUrl=self._queue_url,
                ReceiptHandle=handle,
                VisibilityTimeout=0,
            )


def read_rejection(text: str) -> Rejection | None:
    """A refused event back from its message; None where somebody else wrote the message."""
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or not found.keys() >= RejectionContract.__required_keys__:
            return None
        texts = {name: str(found[name]) for name in RejectionContract.__required_keys__ - {"v", "received_at"}}
        return Rejection(**texts, received_at=parse_instant(str(found["received_at"])))
    except (ValueError, RecursionError):
        return None


class SqsDeadLetters:
    """Dead letters, by the name of the queue that they go back to: each name's source and target."""

    def __init__(self, client: Any, queue_urls: Mapping[str, tuple[str, str]]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def redrive(self, queue: str, seconds_left: Callable[[], float]) -> tuple[int, bool]:
        source, target = self._queue_urls[queue]
        moved: set[str] = set()
        while seconds_left() >= SECONDS_FOR_A_ROUND:
            messages = call(
                "ReceiveMessage",
                self._client.receive_message,
                QueueUrl=source,
                MaxNumberOfMessages=MESSAGES_PER_RECEIVE,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
            ).get("Messages", [])
            if not messages:
                return len(moved), True
            for message in messages:  # sent, then deleted: one that comes twice is recognised, a lost one is not
                call("SendMessage", self._client.send_message, QueueUrl=target, MessageBody=message["Body"])
                handle = message["ReceiptHandle"]
                call("DeleteMessage", self._client.delete_message, QueueUrl=source, ReceiptHandle=handle)
                moved.add(message["MessageId"])
        return len(moved), False


class LambdaWorkers:
    """The functions that work on streams, invoked with the records that they missed.

    So nobody but they needs their permissions.
    """

    def __init__(self, client: Any, advance_function: str, publish_function: str) -> None:
        self._client = client
        self._advance, self._publish = advance_function, publish_function

    def advance(self, campaign_id: CampaignId) -> None:
        self._invoke(self._advance, [_record("MODIFY", meta_key(campaign_id))])

    def publish_decisions(self, decisions: Sequence[Booked]) -> None:
        self._invoke(self._publish, [_record("INSERT", booked_item(one)) for one in decisions])

    def publish_revisions(self, revisions: Sequence[Revision]) -> None:
        self._invoke(self._publish, [_record("INSERT", revision_item(revision)) for revision in revisions])

    def _invoke(self, function: str, records: Sequence[Mapping[str, Any]]) -> None:
        payload = json.dumps({"Records": list(records)}).encode()
        answer = call("Invoke", self._client.invoke, FunctionName=function, Payload=payload)
        if "FunctionError" in answer:
            raise TryAgain("Invoke: the function failed; its log says where")


def _record(event_name: str, item: dict[str, Any]) -> dict[str, Any]:
    """A record as the table's stream would deliver it."""
    keys = {name: item[name] for name in ("pk", "sk")}
    image = {"Keys": keys, "NewImage": item}
    return {"eventID": "kulanz-repair", "eventName": event_name, "eventSource": "aws:dynamodb", "dynamodb": image}
