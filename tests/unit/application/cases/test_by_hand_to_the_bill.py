"""What is granted by hand is to be booked from then on, and delivered once, a day later; a void comes before that."""

from decimal import Decimal
from functools import cache

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import Channel
from tests.support.by_hand import decide, door_of
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import approved, asked, run_voids
from tests.unit.application.delivery.test_additions import HEADER, a_day_later, booked, deliveries, granted, line


@cache
def _delivered(*, keys: bool) -> World:
    lines = [row("a-0", fee="20.00"), row("a-1", fee=""), row("a-2", fee="")]
    if keys:
        lines = [line_ + b",K-" + line_[:3] for line_ in lines]
    world = small_world(list_of(lines, HEADER) if keys else list_of(lines), channel=Channel("billing"))
    world.publish(event(rows=3))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


@pytest.mark.parametrize("keys", [False, True], ids=["by account", "by the biller's key"])
def test_what_was_granted_by_hand_is_delivered_once_a_day_later(keys: bool) -> None:
    world = _delivered(keys=keys).copy()
    first = deliveries(world)
    assert {account for _, account, _, _ in booked(world)} == {"a-0"}
    before = Decimal(line(world)["to_be_booked"])
    decide(door_of(world), "a-1", facts={"fee": "30.00"})
    assert Decimal(line(world)["to_be_booked"]) - before == 3
    assert line(world)["by_state"]["due"] == "3.00"
    a_day_later(world)
    assert booked(world) == granted(world)
    assert {account for _, account, _, _ in booked(world)} == {"a-0", "a-1"}
    assert len(deliveries(world)) == len(first) + 1
    a_day_later(world)
    assert len(deliveries(world)) == len(first) + 1


def test_a_void_before_the_delivery_leaves_nothing_to_deliver() -> None:
    world = _delivered(keys=False).copy()
    decide(door_of(world), "a-1", facts={"fee": "30.00"})
    void = asked(world, ANNA)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    assert line(world)["voided"] == "3.00"
    a_day_later(world)
    assert [one.sums.number for one in deliveries(world)] == [2, 0]
    assert line(world)["by_state"] == {"sent": "2.00"}


def test_who_is_declined_by_hand_is_in_no_delivery() -> None:
    world = _delivered(keys=False).copy()
    first = deliveries(world)
    decide(door_of(world), "a-2", way="decline")
    a_day_later(world)
    assert deliveries(world) == first
