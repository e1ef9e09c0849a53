"""Sending a long delivery's chunks and parts, and a long void's chunks; and what is said of deliveries on the bus."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from kulanz.application.campaigns.dispatch_chunks import CHUNKS_PER_LOOK_AT_THE_CLOCK, SECONDS_TO_FINISH
from kulanz.application.delivery.advance_delivery import (
    DELIVERY_EVENT_VERSION,
    DeliveryPorts,
    advance_delivery,
    compare_again,
    delivery_content,
)
from kulanz.application.delivery.advance_void import AdvanceVoidPorts, advance_void
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.delivery.channel import Channel, ChannelKind, FileFormat
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.void import Void, VoidReceipt, VoidTotals
from tests.support.fake_deliveries import FakeDeliveries
from tests.support.fake_messages import FakeChunks
from tests.support.fake_voids import FakeVoids
from tests.support.small_campaign import CAMPAIGN, ROWS, event, list_of, row, small_world
from tests.support.values import CAUSE, NOW, campaign
from tests.unit.application.campaigns.test_dispatching import CHUNKS, stored

PAGE = CHUNKS_PER_LOOK_AT_THE_CLOCK
FIRST = DeliveryId("billing", 1)
VOID = VoidId(campaign().id, "wrong-list")
FINISHED = (3, PAGE - 1, PAGE, CHUNKS - 2)
"""Chunks that are done before the others are sent: within a page, at its edge, and near the end."""


@dataclass
class Work:
    """Something with many chunks: what was sent of it, how far that is noted, and what takes its next step."""

    step: Callable[..., object]
    sent: Callable[[], list[int]]
    dispatched: Callable[[], int]


def delivery_of_a_list() -> Work:
    """A delivery that assigns."""
    campaigns, new = stored(CHUNKS)
    deliveries, queue = FakeDeliveries(), FakeChunks()
    deliveries.open(Delivery(FIRST, new.id, FileFormat.CSV, NOW, "test"))
    for chunk in FINISHED:
        deliveries.record(part_of(chunk, *new.chunks.bounds(chunk), part=False))
    return _of_delivery(campaigns, deliveries, queue)


def delivery_to_a_topic() -> Work:
    """A delivery whose parts are published, for the second time."""
    campaigns, new = stored(CHUNKS)
    deliveries, queue = FakeDeliveries(), FakeChunks()
    deliveries.open(Delivery(FIRST, new.id, FileFormat.CSV, NOW, "test", kind=ChannelKind.TOPIC))
    for chunk in range(CHUNKS):
        deliveries.record(part_of(chunk, *new.chunks.bounds(chunk)))
    found = deliveries.delivery(FIRST)
    assert found is not None
    deliveries._set(replace(found, state=DeliveryState.SENT, rounds=2, sent_at=NOW))
    for chunk in range(CHUNKS):
        if (receipt := deliveries.receipt(FIRST, new.chunks.bounds(chunk)[0], chunk)) is not None:
            deliveries.mark_published(receipt, 2 if chunk in FINISHED else 1)
    return _of_delivery(campaigns, deliveries, queue)


def part_of(chunk: int, start: int, end: int, *, part: bool = True) -> DeliveryReceipt:
    """A chunk that is delivered."""
    file = PartFile(f"{chunk}.csv", 1, "0" * 64, 1) if part else None
    return DeliveryReceipt(FIRST, chunk, start, end, None, True, 1, file, CreditSums(), CreditSums())


def _of_delivery(campaigns: Any, deliveries: FakeDeliveries, queue: FakeChunks) -> Work:
    ports = DeliveryPorts(campaigns, deliveries, queue, *cast("Any", [None] * 3))

    def known() -> Delivery:
        found = deliveries.delivery(FIRST)
        assert found is not None
        return found

    def sent() -> list[int]:
        return [one.chunk for one in queue.deliveries]

    def step(seconds_left: Callable[[], float], *, again: bool = False) -> object:
        return advance_delivery(FIRST, ports, NOW, seconds_left, again=again)

    return Work(step, sent, lambda: known().dispatched)


def void_of_a_list() -> Work:
    """A void that is planned."""
    campaigns, new = stored(CHUNKS)
    voids, queue = FakeVoids(campaigns, {}), FakeChunks()
    voids.open(Void(VOID, "why", "anna", "anna", NOW))
    for chunk in FINISHED:
        voids.record(VoidReceipt(VOID, Pass.PLAN, chunk, *new.chunks.bounds(chunk), None, True, VoidTotals()))
    ports = AdvanceVoidPorts(campaigns, voids, queue, cast("Any", None))

    def step(seconds_left: Callable[[], float], *, again: bool = False) -> object:
        return advance_void(VOID, ports, CAUSE, NOW, seconds_left, again=again)

    def dispatched() -> int:
        found = voids.void(VOID)
        assert found is not None
        return found.plan.sent

    return Work(step, lambda: [one.chunk for one in queue.voids], dispatched)


@pytest.mark.parametrize("work", [delivery_of_a_list, delivery_to_a_topic, void_of_a_list])
def test_a_function_without_time_goes_on_where_it_was_and_sends_what_is_unfinished_once(
    work: Callable[[], Work],
) -> None:
    found, stops = work(), list[int]()
    unfinished = [chunk for chunk in range(CHUNKS) if chunk not in FINISHED]
    while found.dispatched() < CHUNKS:
        found.step(lambda: SECONDS_TO_FINISH - 0.001)
        stops.append(found.dispatched())
        assert found.sent() == [chunk for chunk in unfinished if chunk < stops[-1]], "what is noted was sent"
        assert len(stops) <= CHUNKS // PAGE + 1
    assert found.sent() == unfinished
    found.step(lambda: SECONDS_TO_FINISH)
    assert found.sent() == unfinished, "nothing is sent twice unasked"
    found.step(lambda: SECONDS_TO_FINISH, again=True)
    assert found.sent() == unfinished * 2


@pytest.mark.parametrize("work", [delivery_of_a_list, delivery_to_a_topic, void_of_a_list])
def test_with_the_time_it_needs_it_sends_all_at_once(work: Callable[[], Work]) -> None:
    found = work()
    found.step(lambda: SECONDS_TO_FINISH)
    assert (found.dispatched(), len(found.sent())) == (CHUNKS, CHUNKS - len(FINISHED))


SUMS = CreditSums(
    {
        SumOf(CreditType.CREDIT, "USD", True): (4, 1_234),
        SumOf(CreditType.CREDIT, "GB", False): (5, Decimal("2.5")),
        SumOf(CreditType.REVERSAL, "USD", True): (6, 789),
    }
)


def test_the_event_of_a_delivery_has_each_figure_under_its_name_and_the_sums_in_order() -> None:
    found = Delivery(
        DeliveryId("letters", 12),
        campaign().id,
        FileFormat.JSONL,
        NOW,
        "anna",
        state=DeliveryState.FLAGGED,
        reason="sums_differ: EUR",
        bytes_done=99,
        lines=31,
        parts=2,
        dispatched=7,
        seen=8,
        sums=SUMS,
        elsewhere=CreditSums({SumOf(CreditType.CREDIT, "USD", True): (41, 5_678)}),
        kind=ChannelKind.TOPIC,
        rounds=3,
        published=1,
    )
    assert delivery_content(found) == {
        "v": DELIVERY_EVENT_VERSION,
        "delivery": "letters/12",
        "campaign": "net-outage/1",
        "kind": "topic",
        "state": "flagged",
        "reason": "sums_differ: EUR",
        "folder": "deliveries/letters/00000012",
        "parts": 2,
        "credits": 15,
        "sums": [
            {"type": "credit", "measure": "GB", "credits": 5, "sum": "2.5"},
            {"type": "credit", "measure": "USD", "credits": 4, "sum": "12.34"},
            {"type": "reversal", "measure": "USD", "credits": 6, "sum": "7.89"},
        ],
    }


@pytest.mark.parametrize("kind", ChannelKind)
def test_a_delivery_is_sent_when_it_is_released_and_says_so_once(kind: ChannelKind) -> None:
    world = small_world(channel=Channel("billing", kind, FileFormat.JSONL), delivers=False)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    world.delivers, opened_at = True, world.now
    world.campaigns.changes.append(world.campaign(CAMPAIGN).id)
    world.run_until_quiet()
    found = world.deliveries.delivery(FIRST)
    assert found is not None
    assert found.sent_at is not None
    assert opened_at < found.opened_at < found.sent_at <= world.now
    assert found.sent_at >= found.opened_at + timedelta(seconds=3), "its chunks were delivered in between"
    told = [one for one in world.announcer.announced if one.detail_type.startswith("Delivery")]
    assert [(one.detail_type, json.loads(one.detail)) for one in told] == [("Delivery Sent", delivery_content(found))]


@pytest.mark.parametrize(
    ("rounds", "state"), [(0, DeliveryState.ASSIGNING), (1, DeliveryState.PUBLISHING), (2, DeliveryState.PUBLISHING)]
)
def test_a_flagged_delivery_is_taken_up_where_it_was_and_has_no_reason_any_more(
    rounds: int, state: DeliveryState
) -> None:
    deliveries = FakeDeliveries()
    found = Delivery(
        FIRST, campaign().id, FileFormat.CSV, NOW, "x", state=DeliveryState.FLAGGED, reason="sums_differ", rounds=rounds
    )
    deliveries._set(found)
    after = replace(found, state=state, reason="")
    assert compare_again(found, deliveries) == after == deliveries.delivery(FIRST)


def test_what_is_not_flagged_is_not_compared_again() -> None:
    world = small_world(list_of([row("a-1")]), channel=Channel("billing"))
    world.publish(event(rows=1))
    world.run_until_quiet()
    found = world.deliveries.delivery(FIRST)
    assert found is not None
    changes = len(world.deliveries.changes)
    assert compare_again(found, world.deliveries) == found
    assert (world.deliveries.delivery(FIRST), len(world.deliveries.changes)) == (found, changes)
