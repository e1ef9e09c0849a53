"""A company's own systems, played here: one queue subscribed to the notices topic, one to the bus's announcements."""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from kulanz_local.embedded import ACCOUNT_ID, REGION

MESSAGES_PER_RECEIVE = 10
WAIT_SECONDS = 1
STOP_SECONDS = 10
"""How long each receiver may take to its end. Ctrl-C ends a command within a minute, whatever a receiver waits for."""
ANNOUNCING_SOURCE = "kulanz"

type Audience = tuple[str, str, str]
"""Campaign, kind and locale of a notice."""


class Receiver(threading.Thread):
    """Takes every message of a queue, in a thread of its own, until it is stopped."""

    def __init__(self, sqs: Any, queue_url: str, take: Callable[[str], None]) -> None:
        super().__init__(name=f"receiver of {queue_url.rpartition('/')[2]}", daemon=True)
        self._sqs, self._queue_url, self._take = sqs, queue_url, take
        self._stopped = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        """Receive, take, delete, until stopped or failed."""
        while not self._stopped.is_set():
            try:
                self._receive()
            except (ClientError, BotoCoreError, ValueError, KeyError, OSError) as error:
                self.failure = error
                return

    def _receive(self) -> None:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=MESSAGES_PER_RECEIVE, WaitTimeSeconds=WAIT_SECONDS
        )
        messages = answer.get("Messages", [])
        for message in messages:
            self._take(message["Body"])
        if messages:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)

    def stop(self) -> None:
        """Let the thread end after the call it is in."""
        self._stopped.set()


class KnownNotices:
    """Counts distinct notices, however many there are: their ids are kept in a file, of which memory holds a part.

    Delivery is at least once, and the id tells a repetition. For one thread at a time.
    """

    def __init__(self) -> None:
        # A database without a name is a file that SQLite removes by itself, and whose pages it keeps 2 MB of.
        self._ids = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._ids.execute("PRAGMA journal_mode = OFF")
        self._ids.execute("CREATE TABLE ids (audience INTEGER, id BLOB, PRIMARY KEY (audience, id)) WITHOUT ROWID")
        self._places: dict[Audience, int] = {}
        self._distinct: Counter[Audience] = Counter()
        self.delivered = 0

    def add(self, audience: Audience, ids: Sequence[bytes]) -> None:
        """Count notices of one message."""
        place = self._places.setdefault(audience, len(self._places))
        before = self._ids.total_changes
        self._ids.execute("BEGIN")
        self._ids.executemany("INSERT OR IGNORE INTO ids VALUES (?, ?)", [(place, one) for one in ids])
        self._ids.execute("COMMIT")
        self._distinct[audience] += self._ids.total_changes - before
        self.delivered += len(ids)

    def distinct(self) -> Counter[Audience]:
        """Distinct notices by audience."""
        return self._distinct.copy()

    def close(self) -> None:
        """Remove the file; the counts stay."""
        self._ids.close()


class Subscriber:
    """Receives all notices and announcements of a stack for the length of a `with` block."""

    def __init__(self, session: boto3.Session, endpoint: str, topic_arn: str, bus_name: str) -> None:
        self._sqs: Any = session.client("sqs", endpoint_url=endpoint)
        self._sns: Any = session.client("sns", endpoint_url=endpoint)
        self._events: Any = session.client("events", endpoint_url=endpoint)
        self._topic_arn, self._bus_name = topic_arn, bus_name
        self._lock = threading.Lock()
        self._known = KnownNotices()
        self._of_incidents: dict[str, dict[str, Any]] = {}
        self._announced: list[tuple[str, dict[str, Any]]] = []
        self._receivers: list[Receiver] = []

    def __enter__(self) -> Self:
        notices = self._queue("kulanz-subscriber-notices", "sns.amazonaws.com", self._topic_arn)
        self._sns.subscribe(
            TopicArn=self._topic_arn,
            Protocol="sqs",
            Endpoint=_queue_arn(notices),
            Attributes={"RawMessageDelivery": "true"},
        )
        rule = f"{self._bus_name}-subscriber"
        pattern = json.dumps({"source": [ANNOUNCING_SOURCE]})
        answer = self._events.put_rule(Name=rule, EventBusName=self._bus_name, EventPattern=pattern)
        announcements = self._queue("kulanz-subscriber-announcements", "events.amazonaws.com", answer["RuleArn"])
        self._events.put_targets(
            Rule=rule, EventBusName=self._bus_name, Targets=[{"Id": "queue", "Arn": _queue_arn(announcements)}]
        )
        self._receivers = [
            Receiver(self._sqs, notices, self._take_notices),
            Receiver(self._sqs, announcements, self._take_announcement),
        ]
        for receiver in self._receivers:
            receiver.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for receiver in self._receivers:
            receiver.stop()
        for receiver in self._receivers:
            receiver.join(STOP_SECONDS)
        # A receiver that does not end may hold it; both end with the process.
        if self._lock.acquire(timeout=STOP_SECONDS):
            self._known.close()
            self._lock.release()

    def _queue(self, name: str, service: str, source_arn: str) -> str:
        """A queue that the topic, or the rule, may send to."""
        url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": _queue_arn(url),
            "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url

    def _take_notices(self, body: str) -> None:
        message = json.loads(body)
        if "incident" in message:
            with self._lock:
                self._of_incidents[message["notice_id"]] = message
            return
        audience = message["campaign"], message["kind"], message["locale"]
        ids = [bytes.fromhex(recipient["notice_id"]) for recipient in message["recipients"]]
        with self._lock:
            self._known.add(audience, ids)

    def _take_announcement(self, body: str) -> None:
        event = json.loads(body)
        with self._lock:
            self._announced.append((event["detail-type"], event["detail"]))

    def check(self) -> None:
        """Raise what ended a receiver, if anything did."""
        for receiver in self._receivers:
            if receiver.failure is not None:
                raise receiver.failure

    def distinct_notices(self) -> Counter[Audience]:
        """Distinct notices by audience."""
        with self._lock:
            return self._known.distinct()

    def notices_of(self, campaign: str) -> int:
        """Distinct notices of a campaign."""
        return sum(number for audience, number in self.distinct_notices().items() if audience[0] == campaign)

    def status_notices(self, incident_id: str) -> list[str]:
        """The kinds of the distinct notices about an incident itself, by revision."""
        with self._lock:
            found = [message for message in self._of_incidents.values() if message["incident_id"] == incident_id]
        return [message["kind"] for message in sorted(found, key=lambda message: int(message["incident"]["revision"]))]

    def deliveries(self) -> int:
        """Notices delivered, repetitions included."""
        with self._lock:
            return self._known.delivered

    def announcements(self) -> list[tuple[str, dict[str, Any]]]:
        """Detail type and detail of every announcement so far."""
        with self._lock:
            return list(self._announced)


def _queue_arn(queue_url: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{queue_url.rpartition('/')[2]}"
