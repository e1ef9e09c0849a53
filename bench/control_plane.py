"""The two functions that act once for a whole campaign, at DynamoDB's and SQS's latency: 20,000 chunks and receipts.

The real adapters and the SDK's clients run; what would travel is answered in the process, each call after a latency.
The stand-ins answer in a millisecond, which hides that these functions make thousands of calls one after the other.
"""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from bench.worker import CREDENTIALS, POLICY
from kulanz.adapters import campaign_items as items
from kulanz.adapters import receipt_items
from kulanz.adapters.aws import client
from kulanz.adapters.campaign_keys import META
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.messaging import SqsChunks
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.dispatch_chunks import dispatch
from kulanz.domain.campaigns.campaign import CHUNKS_PER_LIST, Campaign, Cause, Chunks, Frozen, Pass, Receipt, State
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from tests.support.fake_bucket import FakeArchive
from tests.support.fake_messages import FakeAnnouncer
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores
from tests.support.values import FIRST, campaign, totals

LATENCY_SECONDS = 0.015
PAGE_BYTES = 1024 * 1024
"""What DynamoDB returns in one page of a query."""
ROWS_PER_CHUNK = 6_000
CHUNK_BYTES = 1024 * 1024
CAUSE = Cause("bench", "bench", "bench")
INCIDENT: dict[str, Any] = {"windows": [], "service": "", "functions": [], "cause": None, "facts": {}}


class Body(io.BytesIO):
    """What a client reads an answer from."""

    def stream(self, amount: int = PAGE_BYTES, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amount):
            yield piece


class CampaignAt:
    """DynamoDB and SQS for one campaign, as the clients' `before-send` handlers see them. `calls` counts them."""

    def __init__(self, at: Campaign, receipts: list[dict[str, Any]], sums: dict[str, Any]) -> None:
        self.calls = 0
        self.meta = items.meta_item(at) | sums
        self._pages = list(_pages(receipts))
        self._put = {
            "FROZEN": items.frozen_item(
                at.id, Frozen(document_json(load_policy(POLICY)), json.dumps(INCIDENT).encode())
            )
        }

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.calls += 1
        time.sleep(LATENCY_SECONDS)
        target, body = request.headers["X-Amz-Target"], request.body
        operation = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        assert isinstance(body, (str, bytes))
        answer = getattr(self, f"_{operation}")(json.loads(body))
        return AWSResponse(str(request.url), 200, HTTPHeaders(), Body(json.dumps(answer).encode()))

    def _GetItem(self, asked: Any) -> Any:  # noqa: N802 (the operation's name)
        place = asked["Key"]["sk"]["S"]
        found = self.meta if place == META else self._put.get(place)
        return {} if found is None else {"Item": found}

    def _UpdateItem(self, asked: Any) -> Any:  # noqa: N802
        self.meta |= {asked["ExpressionAttributeNames"]["#name"]: asked["ExpressionAttributeValues"][":value"]}
        return {}

    def _TransactWriteItems(self, asked: Any) -> Any:  # noqa: N802
        values = asked["TransactItems"][0]["Update"]["ExpressionAttributeValues"]
        self.meta |= {"state": values[":target"], "log_count": values[":number"]}
        puts = (one["Put"]["Item"] for one in asked["TransactItems"] if "Put" in one)
        self._put |= {item["sk"]["S"]: item for item in puts}
        return {}

    def _Query(self, asked: Any) -> Any:  # noqa: N802
        if "RECEIPT" not in asked["ExpressionAttributeValues"][":first"]["S"]:
            return {"Items": []}
        number = int(asked.get("ExclusiveStartKey", {}).get("page", {}).get("N", "0"))
        more = {"LastEvaluatedKey": {"page": {"N": str(number + 1)}}} if number + 1 < len(self._pages) else {}
        return {"Items": self._pages[number]} | more

    def _SendMessageBatch(self, asked: Any) -> Any:  # noqa: N802
        done = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for entry in asked["Entries"]]
        return {"Successful": done, "Failed": []}


def _pages(found: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    size = 0
    for item in found:
        page.append(item)
        size += len(json.dumps(item))
        if size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    yield page


@dataclass(frozen=True, slots=True)
class Took:
    """One of the two at work: seconds by the clock and of the processor, and how many calls it made."""

    seconds: float
    cpu_seconds: float
    calls: int


def measured(chunks: int = CHUNKS_PER_LIST) -> tuple[Took, Took]:
    """Sending all chunks of a new campaign; then examining a complete plan and sending the apply pass's chunks."""
    os.environ.update(CREDENTIALS)
    plain = campaign()
    start = plain.chunks.data_start
    size = start + chunks * CHUNK_BYTES
    new = replace(plain, pinned=replace(plain.pinned, size=size), chunks=Chunks(start, size, CHUNK_BYTES))
    receipts, sums = _complete_plan(new)
    planned = replace(new, rows_announced=chunks * ROWS_PER_CHUNK)

    opening = CampaignAt(new, [], {})
    store, queue = _clients(opening)
    first = _timed(opening, lambda: dispatch(new, Pass.PLAN, store, queue))

    finished = CampaignAt(planned, receipts, sums)
    store, queue = _clients(finished)
    ports = AdvancePorts(store, queue, FakeArchive(), FakeAnnouncer(), FakeStores(FakeCampaigns(), FakeLedger()))

    def plan_to_apply() -> None:
        advance_campaign(FIRST, ports, CAUSE, datetime.now(UTC))
        if finished.meta["state"]["S"] != State.AWAITING_APPROVAL:
            raise AssertionError(f"the plan was not taken for complete: {finished.meta['state']}")
        finished.meta |= {"state": {"S": State.APPLYING.value}, "log_count": {"N": "3"}}  # as its approvals leave it
        advance_campaign(FIRST, ports, CAUSE, datetime.now(UTC))

    second = _timed(finished, plan_to_apply)
    return first, second


def _complete_plan(new: Campaign) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The receipts of every chunk as items, and their sums as META has them."""
    found, sums = [], dict[str, Any]()
    for chunk in range(len(new.chunks)):
        begin, end = new.chunks.bounds(chunk)
        receipt = Receipt(FIRST, Pass.PLAN, chunk, begin, end, None, True, _of_a_chunk())
        found.append(receipt_items.receipt_item(receipt))
        for name, value in items.meta_additions(receipt).items():
            sums[name] = sums.get(name, 0) + value
    stored: dict[str, Any] = {name: {"N": str(value)} for name, value in sums.items()}
    return found, stored | {items.dispatched_name(Pass.PLAN): items.dispatched_value(new, len(new.chunks))}


def _of_a_chunk() -> Totals:
    found = totals(ROWS_PER_CHUNK)
    found.unbalanced_quotes = 0
    return found


def _clients(at: CampaignAt) -> tuple[DynamoCampaigns, SqsChunks]:
    tables, queues = client("dynamodb"), client("sqs")
    for one in (tables, queues):
        one.meta.events.register("before-send", at)
    return DynamoCampaigns(tables, "campaigns"), SqsChunks(queues, "https://sqs.eu-central-1.amazonaws.com/1/chunks")


def _timed(at: CampaignAt, act: Callable[[], object]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Took(time.perf_counter() - wall, time.process_time() - cpu, at.calls)


if __name__ == "__main__":
    for took in measured():
        print(took)
