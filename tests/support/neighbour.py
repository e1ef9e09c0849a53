"""A campaign of another incident beside what a test does wrong: whatever it is, nothing of the neighbour moves."""

from typing import Any

from kulanz.application.ports import Rejection
from kulanz.domain.campaigns.campaign import State
from tests.support.end_state import end_state
from tests.support.small_campaign import (
    event,
    list_of,
    row,
    small_world,
)
from tests.support.world import World

NEIGHBOUR = "neighbour/1"
GOOD_ROWS = [row("good-1"), row("good-2", affected="no"), row("good-3", segment="business")]
GOOD = list_of(GOOD_ROWS) + b"\n"
CANARY = "canary-4711"
"""Planted in rows and events; it must not come back in any message."""


def world_with_neighbour() -> World:
    """A world with a closed campaign of another incident, and a good list of ours."""
    world = small_world(GOOD)
    world.lists.upload("lists/neighbour.csv", list_of([row("neighbour-1"), row("good-1")]))
    world.publish(event(key="lists/neighbour.csv", rows=2, incident_id="neighbour"))
    world.run_until_quiet()
    assert world.campaign(NEIGHBOUR).state is State.CLOSED
    return world


def refusal_of(world: World, bad: dict[str, Any]) -> Rejection:
    """Publish an event that must be refused: once, with nothing changed but the record that it came."""
    before = end_state(world)
    world.publish(bad)
    world.run_until_quiet()
    after = end_state(world)
    assert (after.ledger, after.campaigns, after.notices) == (before.ledger, before.campaigns, before.notices)
    assert world.dead_letters == []
    (refusal,) = world.rejected.sent
    assert refusal.event_key in world.archive.documents
    assert CANARY not in f"{refusal.message} {refusal.field} {refusal.reason}"
    return refusal


def good_event(**changes: Any) -> dict[str, Any]:
    return event(rows=3, **changes)


def campaign_of(**changes: Any) -> dict[str, Any]:
    """The campaign part of an event, with parts of `affected` or `policy` replaced."""
    request: dict[str, Any] = good_event()["detail"]["campaign"]
    request["affected"].update(changes.pop("affected", {}))
    request["policy"].update(changes.pop("policy", {}))
    return {**request, **changes}
