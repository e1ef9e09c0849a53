"""A void through the API: asked for, planned, approved by another, and read; whatever is bad is a problem."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.delivery.advance_void import advance_void
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.entries import CreditEntry, EntryKind, read_entries
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.ledger.entries import granted_benefits
from kulanz.domain.time import format_instant
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, row, small_world
from tests.support.world_door import ANNA, BERT, WorldDoor
from tests.support.world_voids import CAUSE, advance_ports, run_voids, worked
from tests.unit.application.delivery.test_voiding_overpaid import SECOND, overpaying, then

WHY = {"reason": "it was the wrong list"}


@pytest.fixture
def door() -> WorldDoor:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return WorldDoor(world)


def ask(door: WorldDoor, body: Mapping[str, Any] = WHY, name: str = "v-1") -> Any:
    reply = door.put(f"voids/{CAMPAIGN}/{name}", body)
    run_voids(door.world)
    return reply


def one(door: WorldDoor, name: str = "v-1") -> Mapping[str, Any]:
    return door.get(f"voids/one/{CAMPAIGN}/{name}").content


def sums(figures: Mapping[str, Any], share: str) -> dict[str, str]:
    return {item["measure"]: item["sum"] for item in figures["sums"] if item["share"] == share}


def logged(door: WorldDoor) -> list[tuple[str, str, str, str]]:
    """What the audit log has of it: who, what, of which campaign, and why."""
    return [(entry.actor, entry.action, entry.on, entry.reason) for entry in door.actions.entries]


def test_a_void_is_planned_approved_by_another_and_done(door: WorldDoor) -> None:
    assert ask(door).content["state"] == "planning"
    planned = one(door)
    assert (planned["state"], planned["about"], planned["persons_needed"]) == ("awaiting_approval", "campaign", 1)
    (open_one,) = door.get("voids/open").content["voids"]
    assert {"v": 1, "your_yes": "asked", **open_one} == planned
    yes = {"action": "approve", "plan_hash": planned["plan_hash"][:12]}
    reply = door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", yes, BERT)
    assert (reply.status, reply.content["state"]) == (200, "voiding")
    run_voids(door.world)
    assert door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", yes, BERT).content == reply.content
    done = one(door)
    assert (done["state"], done["reason"]) == ("voided", "balanced")
    assert door.get("voids/open").content["voids"] == [], "nobody has anything to do with it any more"
    assert sums(done["done"], "voided") == sums(planned["plan"], "voidable") != {}
    assert [void["void"] for void in door.get(f"voids/campaign/{CAMPAIGN}").content["voids"]] == ["v-1"]
    assert logged(door) == [
        (ANNA.id, "requested void v-1 of", CAMPAIGN, "it was the wrong list"),
        (BERT.id, "approved void v-1 of", CAMPAIGN, ""),
    ]


def test_a_void_says_who_asked_who_approved_when_and_how_far_it_is(door: WorldDoor) -> None:
    world = door.world
    asked_at, began = world.now, door.put(f"voids/{CAMPAIGN}/v-1", WHY).content
    assert (began["opened_at"], began["requested_by"], began["why"]) == (
        format_instant(asked_at), ANNA.id, WHY["reason"],
    )  # fmt: skip
    nothing_yet = {name: began[name] for name in ("plan_hash", "approvals", "started_at", "bytes_done")}
    assert nothing_yet == {"plan_hash": None, "approvals": [], "started_at": None, "bytes_done": 0}
    advance_void(world.voids.changes[0], advance_ports(world), CAUSE, world.now)
    worked(world, world.chunks.voids[0])
    assert 0 < one(door)["bytes_done"] < one(door)["bytes_in_all"]
    run_voids(world)
    planned, approved_at = one(door), world.now
    assert (planned["started_at"], planned["bytes_done"]) == (None, 0)
    door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", {"action": "approve", "plan_hash": planned["plan_hash"]}, BERT)
    begun = one(door)
    assert begun["approvals"] == [{"person": BERT.id, "at": format_instant(approved_at)}]
    assert begun["started_at"] == format_instant(approved_at) != begun["opened_at"] == began["opened_at"]
    run_voids(world)
    ask(door, name="v-2")
    assert [void["void"] for void in door.get(f"voids/campaign/{CAMPAIGN}").content["voids"]] == ["v-1", "v-2"]


def test_accounts_that_are_named_stand_in_no_record_of_the_void(door: WorldDoor) -> None:
    ask(door, {**WHY, "accounts": [{"account_id": "granted-1"}]})
    found = one(door)
    assert (found["about"], found["plan"]["decisions"]) == ("file", 1)
    assert "granted-1" not in str(door.world.voids.__dict__)


def test_a_rejected_void_takes_nothing_back(door: WorldDoor) -> None:
    ask(door)
    no = {"action": "reject", "plan_hash": one(door)["plan_hash"], "reason": "it was the right list"}
    assert door.put(f"void-approvals/{CAMPAIGN}/v-1/no", no, BERT).content["state"] == "rejected"
    run_voids(door.world)
    assert (one(door)["state"], one(door)["done"]["lines"]) == ("rejected", 0)
    assert logged(door)[1:] == [(BERT.id, "rejected void v-1 of", CAMPAIGN, "it was the right list")]


BAD: Mapping[str, tuple[str, Mapping[str, Any], int]] = {
    "no reason": (f"voids/{CAMPAIGN}/x", {}, 422),
    "both": (
        f"voids/{CAMPAIGN}/x",
        {**WHY, "accounts": [{"account_id": "a"}], "file": {"key": "lists/a.csv", "version_id": "v"}},
        422,
    ),
    "a file elsewhere": (f"voids/{CAMPAIGN}/x", {**WHY, "file": {"key": "policies/a.csv", "version_id": "v"}}, 422),
    "a file that is gone": (f"voids/{CAMPAIGN}/x", {**WHY, "file": {"key": "lists/a.csv", "version_id": "v"}}, 409),
    "another campaign": ("voids/net-outage/9/x", WHY, 404),
    "no hash": (f"void-approvals/{CAMPAIGN}/v-1/x", {"action": "approve"}, 422),
    "another hash": (f"void-approvals/{CAMPAIGN}/v-1/x", {"action": "approve", "plan_hash": "0" * 64}, 409),
    "no such void": (f"void-approvals/{CAMPAIGN}/v-9/x", {"action": "approve", "plan_hash": "0" * 64}, 409),
    "rejected without a reason": (
        f"void-approvals/{CAMPAIGN}/v-1/x", {"action": "reject", "plan_hash": "0" * 64}, 422,
    ),
    "a subject of an account": (f"voids/{CAMPAIGN}/x", {**WHY, "accounts": [{"account_id": "a", "subject": "b"}]}, 409),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status"), BAD.values(), ids=BAD)
def test_what_is_bad_is_a_problem_and_changes_nothing(
    door: WorldDoor, path: str, body: Mapping[str, Any], status: int
) -> None:
    ask(door)
    before = one(door)
    reply = door.put(path, body, BERT)
    assert reply.status == status, reply.content
    run_voids(door.world)
    assert one(door) == before
    assert door.world.credits.texts == {}


def test_who_asked_does_not_approve(door: WorldDoor) -> None:
    ask(door)
    reply = door.put(
        f"void-approvals/{CAMPAIGN}/v-1/x", {"action": "approve", "plan_hash": one(door)["plan_hash"]}, ANNA
    )
    assert (reply.status, reply.content["reason"]) == (409, "approver_is_requester")


def test_what_was_overpaid_is_asked_for_alone(door: WorldDoor) -> None:
    file = {"key": "lists/x.csv", "version_id": "1"}
    for name, about in (("a", {"accounts": [{"account_id": "a-1"}]}), ("b", {"file": file})):
        reply = door.put(f"voids/{CAMPAIGN}/{name}", {**WHY, **about, "overpaid": True})
        assert (reply.status, reply.content["errors"][0]["field"]) == (422, "overpaid")
    refused = door.put(f"voids/{CAMPAIGN}/v-1", {**WHY, "overpaid": True})
    assert (refused.status, refused.content["reason"]) == (409, "nothing_earlier")
    assert door.get(f"voids/campaign/{CAMPAIGN}").content["voids"] == []


def test_what_was_overpaid_is_planned_approved_and_taken_back() -> None:
    door = WorldDoor(overpaying())
    asked = door.put(f"voids/{SECOND}/v-1", {**WHY, "overpaid": True})
    assert (asked.status, asked.content["about"]) == (200, "overpaid")
    assert door.put(f"voids/{SECOND}/v-1", WHY).status == 409, "another request under its id"
    run_voids(door.world)
    planned = door.get(f"voids/one/{SECOND}/v-1").content
    assert sums(planned["plan"], "voidable") == {"EUR": "300"}
    yes = {"action": "approve", "plan_hash": planned["plan_hash"]}
    assert door.put(f"void-approvals/{SECOND}/v-1/yes", yes, BERT).status == 200
    run_voids(door.world)
    done = door.get(f"voids/one/{SECOND}/v-1").content
    assert (done["state"], sums(done["done"], "voided")) == ("voided", {"EUR": "300"})
    (credit, _) = door.get("accounts/a-1").content["decisions"][0]["credits"]
    assert (credit["amount"], credit["voided"], credit["state"]) == ("5.00", "3.00", "due")


# What cannot be voided, approved, or taken twice


def used_up(door: WorldDoor) -> str:
    """All of it was given up already."""
    world = door.world
    for entry in world.ledger.all_entries():
        by = [(number, f"off/{number}") for number in range(len(granted_benefits(entry)))]
        gone = tuple(CreditEntry(EntryKind.WRITTEN_OFF, world.now, "test", name, (number,)) for number, name in by)
        if gone:
            assert world.credits.write_entries([EntriesChange(entry.key, (), gone)]) == [True]
    world.now += timedelta(seconds=2)
    ask(door)
    return str(one(door)["reason"]).partition(":")[0]


def voided_twice(door: WorldDoor) -> str:
    ask(door)
    yes = {"action": "approve", "plan_hash": one(door)["plan_hash"]}
    assert door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", yes, BERT).status == 200
    run_voids(door.world)
    ask(door, name="v-2")
    return str(one(door, "v-2")["reason"]).partition(":")[0]


def approved_while_it_is_delivered(door: WorldDoor) -> str:
    ask(door)
    campaign = door.world.campaign(CAMPAIGN)
    delivery = Delivery(DeliveryId("billing", 1), campaign.id, FileFormat.CSV, door.world.now, "test")
    door.world.deliveries.open(delivery)
    yes = {"action": "approve", "plan_hash": one(door)["plan_hash"]}
    return str(door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", yes, BERT).content["reason"])


def approved_for_another_campaign(door: WorldDoor) -> str:
    ask(door)
    yes = {"action": "approve", "plan_hash": one(door)["plan_hash"]}
    then(door.world, row("a-1", fee="1.00"))
    reply = door.put(f"void-approvals/{INCIDENT_ID}/2/v-1/yes", yes, BERT)
    return str(reply.content["reason"])


def approved_for_another_plan(door: WorldDoor) -> str:
    ask(door)
    ask(door, {**WHY, "accounts": [{"account_id": "granted-1"}]}, "v-2")
    yes = {"action": "approve", "plan_hash": one(door, "v-2")["plan_hash"]}
    return str(door.put(f"void-approvals/{CAMPAIGN}/v-1/yes", yes, BERT).content["reason"])


def test_what_cannot_be_voided_is_a_documented_problem_and_nothing_is_changed() -> None:
    cases = {
        used_up: "nothing to void",
        voided_twice: "nothing to void",
        approved_while_it_is_delivered: "delivery_under_way",
        approved_for_another_campaign: "void_unknown",
        approved_for_another_plan: "plan_differs",
    }
    found, moved = {}, []
    for act in cases:
        world = small_world()
        world.publish(event(rows=ROWS))
        world.run_until_quiet()
        found[act] = act(WorldDoor(world))
        texts = dict(world.credits.texts)
        run_voids(world)
        moved += [act] * (world.credits.texts != texts)
        is_voided = [one.kind is EntryKind.VOIDED for text in texts.values() for one in read_entries(text)]
        moved += [act] * (any(is_voided) and act is not voided_twice)
    assert (found, moved) == (cases, [])
