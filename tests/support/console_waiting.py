"""A console's world in which something of every kind waits for a person: cases, goodwill, and what is to be voided."""

from collections.abc import Mapping
from functools import cache

from kulanz.domain.byhand.discretion import discretion_json
from tests.support.by_hand import DISCRETION, decide
from tests.support.handed import discretion_content, give
from tests.support.received import configure, receive
from tests.support.small_campaign import CAMPAIGN, ROWS, event, list_of, small_world
from tests.support.sources import body_of, recorded
from tests.support.world import World
from tests.support.world_door import ANNA
from tests.support.world_stack import WorldStack
from tests.support.world_voids import run_voids
from tests.support.wrong_lists import A_RIGHT_LIST
from tests.unit.application.door.test_drafts import VOICE

CASE = f"/case/held-1/{CAMPAIGN}"
WAITING_CASE = f"/case/referred-1/{CAMPAIGN}"
"""A case of which a decision waits for a second person."""
VOID = f"/void/{CAMPAIGN}/v-1"
DRAFT = f"/draft/{VOICE}"
HELD_DRAFT = "/draft/it-planned00001-voice"
ALL_THAT_WAITS = (CASE, WAITING_CASE, VOID, DRAFT, HELD_DRAFT)
"""The pages of single things that wait in `with_everything`."""


@cache
def _closed() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def with_plan() -> World:
    """The small campaign, executed, and a campaign of another incident whose plan waits: `second/1`."""
    world = _closed().copy()
    world.approvers = ()
    world.lists.upload("lists/second.csv", list_of(A_RIGHT_LIST.rows))
    window = {"start": "2026-02-10T08:00:00Z", "end": "2026-02-10T20:00:00Z"}
    rows = len(A_RIGHT_LIST.rows)
    world.publish(event(key="lists/second.csv", rows=rows, incident_id="second", windows=[window]))
    world.run_until_quiet()
    return world


def with_discretion(world: World | None = None) -> WorldStack:
    """The small campaign, executed or a world that has it; and a discretion file that lets persons decide and give."""
    stack = WorldStack(_closed().copy() if world is None else world)
    content = discretion_content(cases=DISCRETION["cases"])
    reasons: Mapping[str, object] = {**content["reasons"], **DISCRETION["reasons"]}
    stack.served.discretion.publish(1, discretion_json({**content, "reasons": reasons}))
    stack.desk = ANNA
    return stack


def with_drafts(stack: WorldStack) -> WorldStack:
    """The same, and a source that reported an outage, and planned work that cannot be confirmed."""
    configure(stack.served, "statuspage")
    planned = body_of("statuspage", "maintenance-completed")
    planned["incident"] |= {"id": "planned00001", "status": "scheduled"}
    receive(stack.served, *recorded("statuspage"), planned)
    return stack


def with_void(stack: WorldStack, **body: object) -> WorldStack:
    """The same, and a void whose plan waits."""
    asked = stack.served.put(f"voids/{CAMPAIGN}/v-1", {"reason": "it was the wrong list", **body}, ANNA)
    assert asked.status == 200, asked.content
    run_voids(stack.world)
    return stack


def with_everything(world: World | None = None) -> WorldStack:
    """Something of every kind waits for a second person, or for a first one."""
    stack = with_drafts(with_void(with_discretion(world)))
    door = stack.served
    waits = decide(door, "referred-1", ANNA, way="amount", amount="20.00", measure="EUR")
    assert waits.content["state"] == "waits", waits.content
    given = give(door, "T-1", "granted-1", amount="60.00", note="called twice", ticket="T-1")
    assert given.content["state"] == "waiting", given.content
    return stack
