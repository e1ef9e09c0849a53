"""A worker of a delivery: where a part ends, of a list and of additions, what it waits, and what it says it did."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery import deliver_chunk as module
from kulanz.application.delivery.advance_delivery import open_over_additions
from kulanz.application.delivery.deliver_chunk import ASSIGN_WRITE_UNITS, DeliverDone, DeliverWork
from kulanz.application.delivery.kept_back import kept_back
from kulanz.application.delivery.world import EntriesChange, WaitingAdditions
from kulanz.domain.campaigns.campaign import KEPT, State
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.time import format_instant, microseconds_of
from tests.support import world_deliveries
from tests.support.billing_files import read_delivery
from tests.support.faults import Tap
from tests.support.small_campaign import list_of, row
from tests.support.world import World
from tests.support.world_clock import WorldClock
from tests.support.world_deliveries import KeptBack, delivery_ports
from tests.support.world_door import BERT, WorldDoor
from tests.unit.application.delivery.test_additions import (
    ACCOUNTS,
    HEADER,
    ID,
    a_day_later,
    accept,
    booked,
    granted,
    offered,
)
from tests.unit.application.delivery.test_additions import deliveries as of_channel
from tests.unit.application.delivery.test_delivering import closed, delivery

MOST = 3
ROWS = 20
PACE = 2.0
"""Write units a second: a wave has one decision."""


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[DeliverDone]:
    """What each worker says that it did, where a part has few lines."""
    found: list[DeliverDone] = []
    work = module.deliver_chunk

    def worked(*asked: Any) -> DeliverDone:
        found.append(work(*asked))
        return found[-1]

    monkeypatch.setattr(module, "LINES_PER_PART", MOST)
    monkeypatch.setattr(world_deliveries, "deliver_chunk", worked)
    return found


def receipts_of(world: World, of: Delivery) -> list[DeliveryReceipt]:
    return sorted(world.deliveries.receipts(of.id), key=lambda one: (one.chunk, one.start))


def test_a_part_of_a_list_has_as_many_lines_as_it_may_and_every_line_is_in_one(done: list[DeliverDone]) -> None:
    rows = [row(f"a-{number}") for number in range(ROWS)]
    world = closed(list_of(rows), rows=ROWS, units_per_second=PACE, chunk_bytes=9_000)
    found, campaign = delivery(world), world.campaign(str(delivery(world).campaign))
    assert found.state is DeliveryState.SENT
    receipts = receipts_of(world, found)
    assert len(campaign.chunks) > 1
    for chunk in range(len(campaign.chunks)):
        mine = [one for one in receipts if one.chunk == chunk]
        assert all(one.end == other.start == other.moved_from for one, other in pairwise(mine))
        assert [one.lines for one in mine[:-1]] == [MOST] * (len(mine) - 1)
        assert mine[-1].lines <= MOST
        assert [one.finishes_chunk for one in mine] == [False] * (len(mine) - 1) + [True]
    assert all(one.end == other.start for one, other in pairwise(receipts))
    assert sum(one.lines for one in receipts) == ROWS
    said = [(one.lines, one.credits, one.receipts) for one in done]
    assert [sum(column) for column in zip(*said, strict=True)] == [ROWS, found.sums.number, len(receipts)]
    assert Counter(one.work for one in done)[DeliverWork.FINISHED] == len(campaign.chunks)
    assert sum(one.part.number for one in receipts if one.part) == found.sums.number == 2 * ROWS
    for one in receipts:
        if one.part is not None:
            head = world.archive.documents[f"{found.id.folder}/{one.part.name}"].split(b"\n")[0].decode()
            at = format_instant(found.opened_at)
            assert head.split(",") == ["H", "1", "billing", "1", str(campaign.id), str(one.start), at]


@pytest.mark.parametrize("corrected", ["", "K-9"])
@pytest.mark.parametrize("listed", ["", "K-77"])
def test_a_credit_that_is_sent_again_goes_to_the_corrected_account_then_the_lists_then_its_own(
    corrected: str, listed: str
) -> None:
    rows = [row("a-1"), row("a-2")]
    with_keys = list_of([one + f",{listed}{number}".encode() for number, one in enumerate(rows)], HEADER)
    world = closed(with_keys if listed else list_of(rows), rows=2)
    listed = f"{listed}0" if listed else "a-1"
    entry = next(one for one in world.ledger.all_entries() if one.key.account_id == "a-1")
    no = CreditEntry(EntryKind.REJECTED, world.now, "f", "no", (0,), delivery="billing/1", code="unknown_account")
    before = world.credits.of(entry.key)
    assert world.credits.write_entries([EntriesChange(entry.key, before, (*before, no))]) == [True]
    body = {"action": "send_again", "account_id": "a-1", "credit_id": credit_id(entry.key, 0), "reason": "moved"}
    more = {"biller_account": corrected} if corrected else {}
    reply = WorldDoor(world).put(f"deliveries/credits/{ID}/r-1", {**body, **more}, BERT)
    assert reply.status == 200, reply.content
    a_day_later(world)
    first, again = (read_delivery(world.archive.documents, one.id.folder).credits for one in of_channel(world))
    (sent,) = again.values()
    assert sent["credit_id"] == credit_id(entry.key, 0)
    assert sent["biller_account"] == (corrected or listed)
    assert first[sent["credit_id"]]["biller_account"] == listed


GAPS = [
    pytest.param([0, 0, 0, 0, 0, 0, 0], id="all at one instant"),
    pytest.param([1, 1, 1, 1, 1, 1, 1], id="one after the other, a microsecond apart"),
    pytest.param([5, 0, 7, 0, 0, 0, 3], id="some at one instant"),
    pytest.param([0, 0, 0, 1, 0, 0, 0], id="two instants"),
    pytest.param([1, 0, 1, 0, 1, 0, 1], id="in pairs"),
]


@pytest.mark.parametrize("gaps", GAPS)
def test_what_was_added_at_one_instant_is_in_one_part_and_a_part_ends_behind_an_instant(
    done: list[DeliverDone], gaps: list[int]
) -> None:
    world = offered()
    instants = [microseconds_of(world.now)]
    accept(world, ACCOUNTS[0])
    for account, gap in zip(ACCOUNTS[1:], gaps, strict=True):
        world.now += timedelta(microseconds=gap)
        instants.append(microseconds_of(world.now))
        accept(world, account)
    world.units_per_second = PACE
    a_day_later(world)
    (found,) = of_channel(world)
    assert (found.state, found.reason) == (DeliveryState.SENT, "balanced")
    assert booked(world) == granted(world)
    receipts = receipts_of(world, found)
    additions = found.additions
    assert additions is not None
    assert (receipts[0].start, receipts[-1].end) == (additions.start, additions.end)
    assert all(one.end == other.start for one, other in pairwise(receipts))
    inside = [[at for at in instants if one.start <= at < one.end] for one in receipts]
    assert [one.lines for one in receipts] == [len(some) for some in inside]
    for some in inside[:-1]:
        assert len(some) >= MOST, "a part ends where it has as many lines as it may"
        assert len([at for at in some if at != some[-1]]) < MOST, "or with the instant that came to these"
    assert sum(one.receipts for one in done) == len(receipts)
    assert sum(one.credits for one in done) == found.sums.number


def test_what_is_added_at_the_very_instant_that_a_delivery_ends_at_is_in_the_next_one_alone() -> None:
    world = offered()
    accept(world, ACCOUNTS[0])
    world.now += timedelta(minutes=1)
    opened = open_over_additions(ID, delivery_ports(world), "test", world.now)
    assert opened is not None
    assert opened.additions is not None
    until = opened.additions.end
    ends = world.now + timedelta(microseconds=until - microseconds_of(world.now))
    assert microseconds_of(ends) == until
    world.now = max(world.now, ends)
    accept(world, ACCOUNTS[1], ends)
    a_day_later(world)
    a_day_later(world)
    first, second = of_channel(world)
    assert [one.state for one in (first, second)] == [DeliveryState.SENT] * 2
    assert [sum(one.lines for one in receipts_of(world, of)) for of in (first, second)] == [1, 1]
    assert [of.elsewhere.number for of in (first, second)] == [0, 0]
    assert booked(world) == granted(world)


@pytest.mark.parametrize("look", [0.0, 0.125, 0.25])
def test_a_worker_waits_for_the_rest_of_what_its_assignments_take_at_the_pace(
    monkeypatch: pytest.MonkeyPatch, look: float
) -> None:
    """A look at the clock takes its time, and so do writes: that is taken off."""
    waited: list[float] = []
    rows = [row(f"a-{number}") for number in range(MOST)]
    world = closed(list_of(rows), rows=MOST, delivers=False)
    world.delivers, world.tap = True, Tap()
    world.campaigns.changes.append(world.campaign(str(ID)).id)
    world.units_per_second, world.seconds_per_look = PACE, look
    monkeypatch.setattr(WorldClock, "wait", lambda _, seconds: waited.append(seconds))
    world.run_until_quiet()
    assert delivery(world).state is DeliveryState.SENT
    assert waited == [ASSIGN_WRITE_UNITS / PACE - look] * MOST


@pytest.mark.parametrize(("seconds", "work"), [(0.5, DeliverWork.CONTINUED), (600.0, DeliverWork.FINISHED)])
def test_a_worker_without_time_sends_its_message_again_and_that_is_no_failure(
    done: list[DeliverDone], seconds: float, work: DeliverWork
) -> None:
    world = closed(list_of([row("a-1")]), rows=1, delivers=False)
    world.delivers, world.tap = True, Tap()
    world.campaigns.changes.append(world.campaign(str(ID)).id)
    while not world.delivery_messages:
        world.run(world.steps()[0])
    world.worker_seconds = seconds
    (first,) = [one.body for one in world.delivery_messages]
    world_deliveries.delivered(world, first, Tap(), FrozenCache())
    assert done[-1].work is work
    assert done[-1].receipts == (work is DeliverWork.FINISHED)


def test_additions_that_wait_are_called_by_their_campaign_and_by_another_channel_where_they_go_there() -> None:
    at = offered().now
    assert str(WaitingAdditions(ID, at)) == str(ID)
    assert str(WaitingAdditions(ID, at, "letters:csv")) == f"{ID} for letters:csv"


@pytest.mark.parametrize("is_delivered", [False, True])
@pytest.mark.parametrize(
    ("state", "reason", "waits"),
    [
        (State.CLOSED, "", False),
        (State.FLAGGED, "it is looked at", False),
        (State.CLOSED, f"{KEPT}: all of it", False),
        (State.CLOSED, "settled: by a person", True),
        (State.CANCELLED, "voided_by_hand: in part", True),
    ],
)
def test_what_nothing_will_deliver_by_itself_is_kept_back_until_a_delivery_is_there(
    state: State, reason: str, *, waits: bool, is_delivered: bool
) -> None:
    world = closed(list_of([row("a-1"), row("a-2")]), rows=2, delivers=is_delivered)
    campaign = world.campaign(str(ID))
    stands = replace(campaign, state=state, state_reason=reason or campaign.state_reason)
    kept = kept_back(stands, KeptBack(world))
    assert {line.measure: line.by_state[CreditState.DUE] for line in kept} == (
        {"EUR": 2 * 299, "call_minute": 40} if waits and not is_delivered else {}
    )
