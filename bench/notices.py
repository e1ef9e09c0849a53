"""publish_notices over full batches of its stream, at SNS's latency: whether a thousand records a second go out.

The handler itself runs, with the adapters and the SDK's client; what would travel to SNS is answered in the process,
each call after a latency. Every record is a granted decision with a notice, as its stream has it, and the batch comes
as the text that Lambda hands over. The campaign is read once and remembered, as in a function that is warm.
"""

import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from bench.control_plane import LATENCY_SECONDS
from bench.stacks import naive_rows
from bench.worker import CREDENTIALS, EVENT, POLICY
from kulanz.adapters.aws import client
from kulanz.adapters.ledger_table import entry_item
from kulanz.adapters.messaging import SnsNotices
from kulanz.application.notices.publish_notices import PublishPorts
from kulanz.domain.ledger.entries import Entry, read_decision
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from tests.support.world import World

RECORDS_PER_SECOND = 1_000
"""What a shard of a table's stream carries; also a full batch of the template's mapping."""
RECIPIENTS_PER_MESSAGE = 100
ACCOUNTS_PER_RECORD = 2
"""Not every account of the list is granted something."""
SETTINGS = {
    **CREDENTIALS,
    "POWERTOOLS_SERVICE_NAME": "kulanz",
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "CAMPAIGNS_TABLE": "campaigns",
    "NOTICES_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:notices",
    "NOTICES_PER_MESSAGE": str(RECIPIENTS_PER_MESSAGE),
}


@dataclass(frozen=True, slots=True)
class Published:
    """One batch: seconds by the clock and of the processor, the calls of SNS, and the recipients that they carried."""

    seconds: float
    cpu_seconds: float
    calls: int
    recipients: int


class _Body(io.BytesIO):
    def stream(self, amount: int = 2**20, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amount):
            yield piece


class Topic:
    """SNS as the client's `before-send` handler sees it."""

    def __init__(self) -> None:
        self.calls = self.recipients = 0

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        time.sleep(LATENCY_SECONDS)
        body = request.body
        fields = dict(parse_qsl(body.decode() if isinstance(body, bytes) else str(body)))
        self.calls += 1
        ids = [value for name, value in fields.items() if name.endswith(".Id")]
        messages = [value for name, value in fields.items() if name.endswith(".Message")]
        self.recipients += sum(len(json.loads(message)["recipients"]) for message in messages)
        done = "".join(f"<member><Id>{one}</Id><MessageId>m</MessageId></member>" for one in ids)
        text = (
            '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
            f"<Successful>{done}</Successful><Failed/></PublishBatchResult></PublishBatchResponse>"
        )
        return AWSResponse(str(request.url), 200, HTTPHeaders(), _Body(text.encode()))


def published(repeats: int) -> Published:
    """A full batch, by the median of its repeats after a first one that is not counted."""
    os.environ.update(SETTINGS)
    import publish_notices.handler as function  # noqa: PLC0415 - it reads its settings when it is imported

    world, entries = _granted()
    topic, sns = Topic(), client("sns")
    sns.meta.events.register("before-send", topic)
    ports = PublishPorts(world.campaigns, SnsNotices(sns, SETTINGS["NOTICES_TOPIC_ARN"]), world.troubles)
    composed = ports, RECIPIENTS_PER_MESSAGE
    # The world in place of AWS; all else is the handler's.
    function._composed = lambda: composed  # type: ignore[assignment] # noqa: SLF001
    event = json.dumps({"Records": [_record(entry) for entry in entries]})
    context: Any = SimpleNamespace(
        function_name="bench", memory_limit_in_mb=1769, invoked_function_arn="arn", aws_request_id="bench"
    )
    found = []
    for _ in range(repeats + 1):
        topic.calls = topic.recipients = 0
        wall, cpu = time.perf_counter(), time.process_time()
        function.handle(json.loads(event), context)
        found.append(Published(time.perf_counter() - wall, time.process_time() - cpu, topic.calls, topic.recipients))
    if {one.recipients for one in found} != {RECORDS_PER_SECOND}:
        raise AssertionError(f"{RECORDS_PER_SECOND} recipients were to be told, not {found[0].recipients}")
    counted = found[1:]
    return Published(
        median(one.seconds for one in counted), median(one.cpu_seconds for one in counted),
        counted[0].calls, counted[0].recipients,
    )  # fmt: skip


def _granted() -> tuple[World, list[Entry]]:
    """A campaign that has closed, and so many of its decisions that are told."""
    world = World(chunk_bytes=2**20)
    rows, _ = naive_rows(ACCOUNTS_PER_RECORD * RECORDS_PER_SECOND)
    world.policies.publish("att-2024-02", 1, document_json(load_policy(POLICY)))
    world.lists.upload("lists/bench.csv", rows)
    event = json.loads(EVENT.read_text())
    place = {"bucket": world.lists.bucket, "key": "lists/bench.csv"}
    announced = ACCOUNTS_PER_RECORD * RECORDS_PER_SECOND
    event["detail"]["campaign"] |= {"affected": {"s3": place, "rows": announced}, "limits": {"held": "100 %"}}
    world.publish(event)
    world.run_until_quiet()
    told = [entry for entry in world.ledger.inserted if read_decision(entry.body).notice is not None]
    return world, told[:RECORDS_PER_SECOND]


def _record(entry: Entry) -> dict[str, Any]:
    """A new decision as the stream has it."""
    item = entry_item(entry)
    keys = {name: item[name] for name in ("pk", "sk")}
    image = {"Keys": keys, "NewImage": item, "SequenceNumber": "1", "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return {"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": image}


if __name__ == "__main__":
    print(published(5))
