"""Approvals through the API: whoever signed is who approves, and what is done twice is done once."""

from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.people.people import people_json
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor

ID = CampaignId.parse(CAMPAIGN)
LINES = [row("a-1"), row("a-2", fee="10.00"), row("a-3", affected="no")]
ROBOT = Somebody("role:arn:aws:sts::123456789012:assumed-role/deploy/bert")
CENTRE = Somebody("sso:anna@example.com")


@pytest.fixture
def door() -> WorldDoor:
    world = small_world(list_of(LINES), approvers=())
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    return WorldDoor(world)


def plan_hash(world: World) -> str:
    plan = world.campaigns.filed_plan(ID)
    assert plan is not None
    return plan.hash


def say(door: WorldDoor, by: Somebody, action: str = "approve", under: str = "", **body: Any) -> Any:
    content = {"action": action, "plan_hash": plan_hash(door.world), **body}
    return door.put(f"approvals/{CAMPAIGN}/{under or by.id.rpartition('/')[2] + '-' + action}", content, by)


def test_two_persons_approve_what_the_plan_shows(door: WorldDoor) -> None:
    shown = door.get(f"campaigns/plan/{CAMPAIGN}").content
    assert (shown["plan_hash"], shown["persons_needed"], shown["approvals"]) == (plan_hash(door.world), 2, [])
    assert shown["at_most"] == {"EUR": "399", "call_minute": "40"}
    assert [one["account"] for one in shown["largest"] if one["measure"] == "EUR"] == ["a-1", "a-2"]

    first = say(door, ANNA)
    assert (first.status, first.content["state"]) == (200, "awaiting_approval")
    assert say(door, ANNA).content == first.content, "the same again is the same answer"
    assert door.get(f"campaigns/plan/{CAMPAIGN}").content["approvals"][0]["person"] == ANNA.id
    assert say(door, BERT).content["state"] == "applying"
    door.world.run_until_quiet()
    assert door.world.campaign(CAMPAIGN).state is State.CLOSED


def test_the_same_id_with_another_body_names_the_fields(door: WorldDoor) -> None:
    say(door, ANNA)
    again = say(door, ANNA, break_glass="flood")
    assert (again.status, [one["field"] for one in again.content["errors"]]) == (409, ["break_glass"])


@pytest.mark.parametrize(
    ("by", "body", "status", "reason"),
    [
        (ROBOT, {}, 403, None),
        (ROBOT, {"action": "reject", "reason": "so"}, 403, None),
        (ANNA, {"plan_hash": "0" * 64}, 409, "plan_differs"),
        (ANNA, {"plan_hash": "xyz"}, 422, None),
        (ANNA, {"plan_hash": ""}, 422, None),
        (ANNA, {"action": "reject"}, 422, None),
        (ANNA, {"action": "reject", "reason": " \u00a0 "}, 422, None),
        (ANNA, {"action": "replan", "plan_hash": ""}, 422, None),
        (ANNA, {"limits": ["held"]}, 409, "limits_not_exceeded"),
        (ANNA, {"person": "iam:arn:aws:iam::123456789012:user/bert"}, 422, None),
    ],
)
def test_what_does_not_count_is_a_problem_and_changes_nothing(
    door: WorldDoor, by: Somebody, body: dict[str, Any], status: int, reason: str | None
) -> None:
    before = door.world.campaigns.log(ID)
    reply = say(door, by, **{"under": "an-id", **body})
    assert (reply.status, reply.content.get("reason")) == (status, reason)
    assert door.world.campaigns.log(ID) == before


def test_two_ids_that_the_people_file_joins_are_one_person(door: WorldDoor) -> None:
    persons = {"anna": {"ids": [ANNA.id, CENTRE.id]}, "bert": {"ids": [BERT.id]}}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))
    say(door, ANNA)
    reply = say(door, CENTRE, under="from-the-other-door")
    assert (reply.status, reply.content["reason"]) == (409, "approved_before")
    assert say(door, BERT).content["state"] == "applying"


def test_a_rejected_plan_is_planned_again(door: WorldDoor) -> None:
    assert say(door, ANNA, "reject", reason="a list of last month").content["state"] == "rejected"
    again = door.put(f"approvals/{CAMPAIGN}/again", {"action": "replan", "reason": "it was right"}, BERT)
    assert (again.status, again.content["campaign"]) == (200, f"{INCIDENT_ID}/2")
    door.world.run_until_quiet()
    assert door.world.campaign(f"{INCIDENT_ID}/2").state is State.AWAITING_APPROVAL


def test_a_campaign_without_a_plan_says_so(door: WorldDoor) -> None:
    assert door.get(f"campaigns/plan/{INCIDENT_ID}/7").status == 404
