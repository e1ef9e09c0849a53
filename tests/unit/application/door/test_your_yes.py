"""What an answer says of somebody's yes is what happens when they say it: for every person, and whatever waits."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from kulanz.application.door.serve import Reply
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.void import VoidApproval
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.people.people import people_json
from kulanz.domain.people.yes import Yes
from tests.support.by_hand import CARLA
from tests.support.console_waiting import with_everything, with_plan
from tests.support.handed import give
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor
from tests.support.world_stack import WorldStack

ANNA_TOO = Somebody("sso:anna@example.com")
DORA = Somebody("sso:dora@example.com")
GONE = Somebody("iam:arn:aws:iam::123456789012:user/gone")
STRANGER = Somebody("sso:somebody@example.com")
LOGIN = Somebody("login:https://id.example/pool#erik")
ROBOT = Somebody("role:arn:aws:sts::123456789012:assumed-role/deploy/bert")
EVERYBODY = {
    "anna": ANNA, "anna by her other id": ANNA_TOO, "bert": BERT, "carla": CARLA, "dora": DORA, "gone": GONE,
    "a stranger": STRANGER, "a login": LOGIN, "a machine": ROBOT,
}  # fmt: skip
PERSONS: Mapping[str, Mapping[str, Any]] = {
    "anna": {"ids": [ANNA.id, ANNA_TOO.id]},
    "bert": {"ids": [BERT.id]},
    "dora": {"ids": [DORA.id]},
    "gone": {"ids": [GONE.id], "left": "2026-01-01"},
}
OF_A_PERSON = {
    "may_not_approve": Yes.UNLISTED, "may_not_decide": Yes.UNLISTED, "may_not_lift": Yes.UNLISTED,
    "approver_is_requester": Yes.ASKED, "approver_is_asker": Yes.ASKED, "second_is_first": Yes.ASKED,
    "approved_before": Yes.AGREED, "second_person_needed": Yes.AGREED,
}  # fmt: skip
"""Why a yes is refused because of whose it is."""


@cache
def _waiting() -> WorldStack:
    """Anna asked for everything that waits, but for the plan; and she wants the halt lifted."""
    stack = with_everything(with_plan())
    door = stack.served
    for action in ("set", "lift"):
        assert door.put(f"halt/h-{action}", {"action": action, "reason": "a drill"}, ANNA).status == 200
    return stack


def door_of(*, is_listed: bool, is_halted: bool, is_alone: bool = False) -> WorldDoor:
    stack = _waiting()
    world = stack.world.copy()
    world.gate = replace(world.gate, lone_operator=is_alone)
    door = WorldDoor(world)
    door.discretion = stack.served.discretion
    if is_listed:
        door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": PERSONS}))
    if not is_halted:
        assert door.put("halt/h-bert", {"action": "lift", "reason": "a drill"}, BERT).status == 200
        assert give(door, amount="60.00").content["state"] == "waiting", "no copy of the world has what is given"
    return door


def plan(door: WorldDoor, who: Somebody, campaign: str = "second/1") -> tuple[str, Reply]:
    shown = door.get(f"campaigns/plan/{campaign}", who).content
    body = {"action": "approve", "plan_hash": shown["plan_hash"], "limits": [one["name"] for one in shown["exceeded"]]}
    return shown["your_yes"], door.put(f"approvals/{campaign}/yes-of-{len(shown['approvals'])}", body, who)


def approved_plan(door: WorldDoor, who: Somebody) -> tuple[str, Reply]:
    assert plan(door, BERT)[1].content["state"] == "awaiting_approval", "the request came over the bus: two persons"
    return plan(door, who)


def void(door: WorldDoor, who: Somebody) -> tuple[str, Reply]:
    shown = door.get(f"voids/one/{CAMPAIGN}/v-1", who).content
    yes = {"action": "approve", "plan_hash": shown["plan_hash"]}
    return shown["your_yes"], door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", yes, who)


def goodwill(door: WorldDoor, who: Somebody) -> tuple[str, Reply]:
    (shown,) = door.get("goodwill/waiting", who).content["waiting"]
    return shown["your_yes"], door.put(f"goodwill-approvals/{shown['id']}/yes", {"action": "approve"}, who)


def case(door: WorldDoor, who: Somebody) -> tuple[str, Reply]:
    (shown,) = door.get("cases/proposed", who).content["proposed"]
    body = {"action": "agree", "hash": shown["hash"]}
    return shown["your_yes"], door.put(f"case-approvals/{shown['account_id']}/{CAMPAIGN}/yes", body, who)


def halt(door: WorldDoor, who: Somebody) -> tuple[str, Reply]:
    shown = door.get("halt/current", who).content
    return shown["your_yes"], door.put("halt/yes", {"action": "lift", "reason": "a drill"}, who)


KINDS: Mapping[str, Callable[[WorldDoor, Somebody], tuple[str, Reply]]] = {
    "plan": plan, "approved plan": approved_plan, "void": void, "goodwill": goodwill, "case": case, "halt": halt,
}  # fmt: skip


def came_to(reply: Reply) -> Yes | None:
    """What an action's answer says of whose yes it was; None where it was refused for something else."""
    if reply.status == 403:
        return Yes.MACHINE
    return Yes.COUNTS if reply.status == 200 else OF_A_PERSON.get(reply.content["reason"])


def differing(kind: str, who: Mapping[str, Somebody], **stack: bool) -> tuple[list[Any], set[str]]:
    """Whose yes comes to something else than is said of it, and all that is said."""
    found, said = list[Any](), set[str]()
    for name, one in who.items():
        yes, reply = KINDS[kind](door_of(is_halted=kind == "halt", **stack), one)
        said.add(yes)
        if Yes(yes) is not came_to(reply):
            found.append((name, yes, reply.status, reply.content.get("reason")))
    return found, said


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_yes_is_said_to_count_where_it_does_and_else_why_not(kind: str, is_listed: bool) -> None:
    taken = {"plan": set(), "approved plan": {Yes.AGREED}, "halt": {Yes.AGREED}}.get(kind, {Yes.ASKED})
    assert differing(kind, EVERYBODY, is_listed=is_listed) == ([], {Yes.COUNTS, Yes.MACHINE, Yes.UNLISTED, *taken})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "approved plan"])
def test_who_asked_says_yes_where_there_is_a_lone_operator_but_to_a_case(kind: str) -> None:
    """A decision of a case above a person's limit has two persons in every stack."""
    who = {"anna": ANNA, "anna by her other id": ANNA_TOO, "a machine": ROBOT}
    expected = {Yes.ASKED if kind == "case" else Yes.COUNTS, Yes.MACHINE}
    assert differing(kind, who, is_listed=True, is_alone=True) == ([], expected)


def test_of_a_stack_that_is_not_halted_everybodys_word_counts() -> None:
    door = door_of(is_listed=False, is_halted=False)
    assert {door.get("halt/current", who).content["your_yes"] for who in EVERYBODY.values()} == {Yes.COUNTS}


@pytest.mark.parametrize("is_alone", [False, True])
def test_who_requested_a_plan_says_yes_only_to_a_stack_with_a_lone_operator(is_alone: bool) -> None:
    for who, alone in ((ANNA, Yes.ASKED), (BERT, Yes.COUNTS)):
        world = small_world(approvers=(), requester=ANNA.id, gate=GateSettings(lone_operator=is_alone))
        world.publish(event(rows=ROWS))
        world.run_until_quiet()
        yes, reply = plan(WorldDoor(world), who, CAMPAIGN)
        assert yes == came_to(reply) == (Yes.COUNTS if is_alone else alone)


def test_a_lone_operator_who_wanted_a_halt_lifted_before_lifts_it_alone() -> None:
    door = door_of(is_listed=False, is_halted=True)
    assert door.get("halt/current").content["your_yes"] == Yes.AGREED
    door.world.gate = replace(door.world.gate, lone_operator=True)
    yes, reply = halt(WorldDoor(door.world), ANNA)
    assert yes == came_to(reply) == Yes.COUNTS


@pytest.mark.parametrize("is_alone", [False, True])
def test_who_gave_goodwill_approves_it_only_where_a_lone_operator_may(is_alone: bool) -> None:
    door = door_of(is_listed=False, is_halted=False)
    door.world.gate = replace(door.world.gate, lone_operator=is_alone)
    served = WorldDoor(door.world)
    served.discretion = door.discretion
    assert give(served, amount="60.00").content["state"] == "waiting"
    yes, reply = goodwill(served, ANNA)
    assert yes == came_to(reply) == (Yes.COUNTS if is_alone else Yes.ASKED)


def test_of_a_void_that_two_agreed_to_each_of_them_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever agreed last, too: a second yes of that person would be another's."""
    door = door_of(is_listed=True, is_halted=False)
    (waiting,) = (one for one in door.voids.of_campaign(CampaignId.parse(CAMPAIGN)) if one.id.name == "v-1")
    given = tuple(VoidApproval(f"yes-{n}", one.id, door.world.now) for n, one in enumerate((BERT, DORA)))
    agreed = replace(waiting, approvals=given)
    monkeypatch.setattr(door.voids, "void", lambda _: agreed)
    told = {one: door.get(f"voids/one/{CAMPAIGN}/v-1", EVERYBODY[one]).content["your_yes"] for one in EVERYBODY}
    expected = {"anna": Yes.ASKED, "anna by her other id": Yes.ASKED, "bert": Yes.AGREED, "dora": Yes.AGREED}
    assert {one: told[one] for one in expected} == expected
