"""The estimate against the calls that a campaign really makes, counted at the wire on moto."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import botocore.hooks
import pytest
from moto import mock_aws

from kulanz.adapters.messaging import SqsChunks
from kulanz.adapters.stores import DynamoStores
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.grant_credits import grant_credits
from kulanz.application.campaigns.open_campaign import OpenPorts, OpenSettings, open_campaign
from kulanz.application.campaigns.report import campaign_estimate
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.estimate import (
    AS_DEPLOYED,
    READS_PER_CHUNK,
    Estimate,
    execution_read_units,
    receipt_write_units,
)
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS
from kulanz.domain.confirmation import Occasion
from kulanz.domain.gate.approval import Approval
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.contract.backends import AwsBackend
from tests.support.fake_messages import FakeChunks
from tests.support.moto_partiql import repaired_moto
from tests.support.small_campaign import CAMPAIGN, SEALED, event, list_of, row, sealed_policy
from tests.support.world import ANNA, BEN, START, World
from tests.support.world_clock import WorldClock

ROWS = 260
CAUSE = Cause("test", "test", "test")
ID = CampaignId.parse(CAMPAIGN)
CALLS_OF_APPROVAL = {"GetItem": 15, "Query": 2, "TransactWriteItems": 2}
"""Of two persons, over the whole plan: what each read, what the other had done, a budget, whether
the tables are confirmed, and one step for each."""


class Sent(FakeChunks):
    """Sends chunk messages through the real adapter, and keeps them for the test's own delivery."""

    def __init__(self, adapter: SqsChunks) -> None:
        super().__init__()
        self._adapter = adapter

    def send(self, messages: Any) -> None:
        kept = list(messages)
        self._adapter.send(kept)
        super().send(kept)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Every request by operation, from the event that comes right before the wire."""
    calls: Counter[str] = Counter()
    original = botocore.hooks.HierarchicalEmitter.emit

    def emit(self: Any, event_name: str, **arguments: Any) -> Any:
        if event_name.startswith("before-send."):
            calls[event_name.rpartition(".")[2]] += 1
        return original(self, event_name, **arguments)

    monkeypatch.setattr(botocore.hooks.HierarchicalEmitter, "emit", emit)
    return calls


@pytest.fixture
def aws() -> Iterator[AwsBackend]:
    with repaired_moto(), mock_aws():
        yield AwsBackend("moto")


def confirmed(aws: AwsBackend) -> DynamoStores:
    confirm_tables(aws.stores, Occasion.FIRST, "a person", "first deployment", START)
    return aws.stores


def deliver(aws: AwsBackend, chunks: FakeChunks) -> None:
    messages: list[ChunkMessage] = list(chunks.sent)
    chunks.sent.clear()
    ports = GrantPorts(aws.campaigns, aws.lists, aws.ledger, chunks, aws.archive)
    settings, cache = GrantSettings(1, 0.0, 800), FrozenCache()
    for message in messages:
        grant_credits(message, ports, settings, WorldClock(World()), CAUSE, cache)


def test_the_estimate_is_what_is_really_called(aws: AwsBackend, counted: Counter[str]) -> None:
    chunks = Sent(aws.chunks)
    aws.policies.publish("net-credit", 1, SEALED)
    version = aws.upload("lists/net-outage.csv", list_of([row(f"a-{number:03d}") for number in range(ROWS)]))
    request = event(rows=ROWS, version_id=version)
    request["detail"]["campaign"]["affected"]["s3"]["bucket"] = aws.bucket
    settings = OpenSettings(aws.bucket, "lists/", frozenset({"billing"}), frozenset({"billing"}), 120_000, 400)
    ports = OpenPorts(
        campaigns=aws.campaigns,
        lists=aws.lists,
        policies=aws.policies,
        chunks=chunks,
        rejected=aws.rejected,
        archive=aws.archive,
        stores=confirmed(aws),
    )
    open_campaign(request, ports, settings, CAUSE, START)

    counted.clear()
    deliver(aws, chunks)
    called = workers_calls(counted)
    made = estimated(aws)
    planned = made.planned
    assert (planned.rows, planned.decisions) == (ROWS, ROWS)
    assert called == {**shares(made), "BatchExecuteStatement": 0}
    assert made.calls.read_units == planned.chunks * (2 * READS_PER_CHUNK + execution_read_units(planned))
    advance(aws, chunks)
    approve(aws, counted)
    advance(aws, chunks)
    assert counted["SendMessageBatch"] == made.calls.queue_requests // 2 - 2 * planned.chunks

    counted.clear()
    deliver(aws, chunks)
    executed = shares(made)
    executed["GetItem"] += planned.chunks  # the halt
    assert workers_calls(counted) == {**executed, "BatchExecuteStatement": made.calls.insert_calls}
    advance(aws, chunks)
    campaign = aws.campaigns.campaign(ID)
    assert campaign is not None
    assert campaign.state is State.CLOSED
    assert made.calls.write_units == campaign.apply.totals.ledger_count() + receipt_write_units(planned)


def estimated(aws: AwsBackend) -> Estimate:
    campaign = aws.campaigns.campaign(ID)
    assert campaign is not None
    made = campaign_estimate(campaign, AS_DEPLOYED)
    assert made is not None
    return made


def shares(made: Estimate) -> dict[str, int]:
    """The workers' calls of one pass by the estimate, which is of both."""
    return {
        "GetObject": made.calls.bucket_reads // 2,
        "TransactWriteItems": made.planned.chunks,
        "GetItem": READS_PER_CHUNK * made.planned.chunks + 1,  # and the frozen policy, once for each worker process
        "BatchGetItem": 0,
    }


def workers_calls(counted: Counter[str]) -> dict[str, int]:
    names = ("GetObject", "TransactWriteItems", "GetItem", "BatchGetItem", "BatchExecuteStatement")
    found = {name: counted[name] for name in names}
    counted.clear()
    return found


def advance(aws: AwsBackend, chunks: FakeChunks) -> None:
    advance_campaign(ID, AdvancePorts(aws.campaigns, chunks, aws.archive, aws.announcer, aws.stores), CAUSE, START)


def approve(aws: AwsBackend, counted: Counter[str]) -> None:
    """Two persons approve the plan that waits. What that calls is the same for every list, and is not estimated."""
    plan = aws.campaigns.filed_plan(ID)
    assert plan is not None
    counted.clear()
    for person in (ANNA, BEN):
        approval = Approval(f"yes-{person.rpartition('/')[2]}", person, plan.hash, (), START)
        decide_plan(ID, approval, Person(person), GatePorts(aws.campaigns, aws.stores, SAFE, NOBODY_LISTED), "test")
    assert counted == CALLS_OF_APPROVAL
    counted.clear()


HISTORY_ROWS = 60
KEEPING = """
kulanz: 1
id: net-credit
version: 2
title: Five euros, at most eight in a calendar year over all incidents
currency: EUR
facts:
  paid: {type: money, per: calendar year, add: amount}
pay: 5.00 EUR
cap: {per: calendar year, at: 8.00 EUR - paid}
"""


def test_under_a_policy_that_keeps_a_history_every_unit_is_read_twice_and_written_with_it(
    aws: AwsBackend, counted: Counter[str]
) -> None:
    chunks = Sent(aws.chunks)
    aws.policies.publish("net-credit", 2, sealed_policy(KEEPING))
    version = aws.upload("lists/net-outage.csv", list_of([row(f"a-{number:03d}") for number in range(HISTORY_ROWS)]))
    request = event(rows=HISTORY_ROWS, policy_version=2, version_id=version)
    request["detail"]["campaign"]["affected"]["s3"]["bucket"] = aws.bucket
    settings = OpenSettings(aws.bucket, "lists/", frozenset({"billing"}), frozenset({"billing"}), 120_000, 400)
    ports = OpenPorts(
        campaigns=aws.campaigns,
        lists=aws.lists,
        policies=aws.policies,
        chunks=chunks,
        rejected=aws.rejected,
        archive=aws.archive,
        stores=confirmed(aws),
    )
    open_campaign(request, ports, settings, CAUSE, START)
    deliver(aws, chunks)
    advance(aws, chunks)
    made = estimated(aws)
    approve(aws, counted)
    advance(aws, chunks)
    counted.clear()
    deliver(aws, chunks)
    called = workers_calls(counted)
    advance(aws, chunks)

    campaign = aws.campaigns.campaign(ID)
    assert campaign is not None
    assert campaign.state is State.CLOSED
    assert called["BatchExecuteStatement"] == 0
    assert called["TransactWriteItems"] == made.planned.chunks + made.calls.insert_calls
    decisions = HISTORY_WRITE_UNITS * campaign.apply.totals.ledger_count()
    assert made.calls.write_units == receipt_write_units(made.planned) + decisions
    reads = made.planned.chunks * (2 * READS_PER_CHUNK + execution_read_units(made.planned))
    assert made.calls.read_units == reads + 2 * HISTORY_ROWS
