"""What is nested too deep, or published under another name, is refused with a reason; it ends in no dead letters."""

from typing import Any

import pytest

from kulanz.application.incidents.incident_event import INLINE_DEPTH, is_deeper
from tests.support.small_campaign import LIST_KEY, ROWS, SEALED, event, sealed_policy, small_world
from tests.support.world import World

SORRY = "kulanz: 1\nid: {id}\nversion: {version}\ntitle: T\npay: 5.00 EUR\nearlier: add\n"


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def refused(world: World) -> list[str]:
    world.run_until_quiet()
    assert world.dead_letters == []
    assert world.campaigns.all_campaigns() == []
    return [rejection.reason for rejection in world.rejected.sent]


@pytest.mark.parametrize("depth", [INLINE_DEPTH, 100, 500, 900])
def test_a_deep_row_in_an_event_is_refused(depth: int) -> None:
    world = small_world()
    row = {"account_id": "a-1", "segment": "consumer", "affected": True, "fee": "5.00", "z": nested(depth)}
    campaign = {"policy": {"id": "net-credit", "version": 1}, "affected": {"inline": [row], "rows": 1}}
    world.publish(event(rows=1, campaign=campaign))
    assert refused(world) == ["event_invalid"]


@pytest.mark.parametrize("depth", [1, 2, 9])
def test_depth_is_counted_by_the_lists_and_objects_within_each_other(depth: int) -> None:
    assert [is_deeper(nested(depth), most) for most in (depth, depth - 1)] == [False, True]


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_a_deep_published_policy_is_refused(depth: int) -> None:
    world = small_world()
    world.policies._published["net-credit", 1] = b'{"format":1,"policy":' + b"[" * depth + b"]" * depth + b"}"
    world.publish(event(rows=ROWS))
    assert refused(world) == ["policy_unusable"]


@pytest.mark.parametrize(("named", "version"), [("another", 1), ("sorry", 2)])
def test_a_policy_that_is_published_under_another_name_is_refused(named: str, version: int) -> None:
    """Under another id than its own it would be added beside the campaigns that it should set off."""
    world = small_world()
    world.policies._published[named, version] = sealed_policy(SORRY.format(id="sorry", version=1))
    world.publish(event(rows=ROWS, policy=named, policy_version=version, key=LIST_KEY))
    assert refused(world) == ["policy_unusable"]
    assert "calls itself sorry version 1" in world.rejected.sent[0].message
    assert world.policies._published[named, version] != SEALED
