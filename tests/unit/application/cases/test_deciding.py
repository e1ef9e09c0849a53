"""A person decides a case once, within a limit; above it a second person agrees; and nothing is ever paid twice."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import Entry, net_worth
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz.domain.people.people import people_json
from tests.support.by_hand import CARLA, decide, door_of, second, seen
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import ANNA as ANNA_ID
from tests.support.world import BEN, World
from tests.support.world_door import ANNA, Somebody
from tests.support.world_voids import approved, asked, run_voids
from tests.unit.application.cases.test_waiting import closed, names, pages

FEE: dict[str, Any] = {"facts": {"fee": "30.00"}}


def entry_of(world: World, account: str, seq: int = 1) -> Entry:
    """The decision that stands."""
    return next(one for one in world.ledger.of_account(account) if one.key.seq == seq)


def later(world: World, *lines: bytes, revision: int = 2, **changes: Any) -> None:
    """A further campaign over a list, run to its end."""
    key = f"lists/later-{revision}.csv"
    world.lists.upload(key, list_of(list(lines)))
    kind = "Incident Amended"
    world.publish(event(key=key, rows=len(lines), detail_type=kind, revision=revision, **changes))
    world.run_until_quiet()


def granted(world: World, account: str) -> dict[str, Any]:
    """What an account has, over all campaigns."""
    sums: dict[str, Any] = {}
    for one in world.ledger.of_account(account):
        for measure, size in net_worth(one).items():
            sums[measure] = sums.get(measure, 0) + size
    return sums


def test_a_decision_by_the_policy_grants_what_a_list_with_the_fact_would_have() -> None:
    world = closed()
    door = door_of(world)
    reply = decide(door, "held-2", **FEE)
    assert (reply.status, reply.content["state"]) == (200, "decided"), reply.content
    right = small_world(list_of([row("held-2", fee="30.00")]))
    right.publish(event(rows=1))
    right.run_until_quiet()
    assert granted(world, "held-2") == granted(right, "held-2") == {"EUR": 300, "call_minute": 20}
    stands = entry_of(world, "held-2")
    assert stands.effective_at == world.now
    assert stands.expires_at is None
    assert [one.decided.key.account_id for one in door.cases.steps] == ["held-2"]


def test_what_was_granted_by_hand_is_not_paid_again_by_a_later_campaign() -> None:
    world = closed()
    decide(door_of(world), "held-2", **FEE)
    later(world, row("held-2", fee="30.00"), row("other"))
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    assert granted(world, "held-2") == {"EUR": 300, "call_minute": 20}
    assert granted(world, "other") == {"EUR": 299, "call_minute": 20}


def test_a_later_campaign_grants_what_a_smaller_amount_by_hand_left_of_its_measure() -> None:
    world = closed()
    decide(door_of(world), "held-2", way="amount", amount="1.00", measure="EUR", reason="other", note="a first part")
    later(world, row("held-2", fee="30.00"))
    # The policy gives minutes, too, of which nothing was granted: what is in another measure is a person's again
    assert granted(world, "held-2") == {"EUR": 100}
    assert entry_of(world, "held-2", 2).status is Outcome.HELD


def test_who_is_declined_by_hand_gets_nothing_and_leaves_the_queue() -> None:
    world = closed()
    reply = decide(door_of(world), "held-1", way="decline")
    assert reply.content["by_hand"]["decision"]["outcome"] == "declined"
    assert granted(world, "held-1") == {}
    assert ("held", "held-1") not in names(pages(world)[0])


def test_a_case_is_decided_once() -> None:
    world = closed()
    door = door_of(world)
    mine = seen(door, "held-2")
    first = decide(door, "held-2", seen=mine, **FEE)
    stands = entry_of(world, "held-2")
    again = decide(door, "held-2", seen=mine, **FEE)
    assert again.content == first.content
    otherwise = decide(door, "held-2", seen=mine, facts={"fee": "40.00"})
    assert (otherwise.status, otherwise.content["type"]) == (409, "urn:kulanz:problem:id-used")
    another = decide(door, "held-2", CARLA, "d-2", seen=mine, **FEE)
    assert (another.status, another.content["reason"]) == (409, "decided")
    assert entry_of(world, "held-2") == stands
    assert len(door.cases.steps) == 1


def test_a_repetition_after_a_lost_answer_is_the_same_answer() -> None:
    world = closed()
    door = door_of(world)
    mine = seen(door, "held-2")
    first = decide(door, "held-2", seen=mine, **FEE)
    door.actions.__init__()  # type: ignore[misc]  # the function died before it stored the answer
    assert decide(door, "held-2", seen=mine, **FEE).content == first.content
    assert len(door.cases.steps) == 1


def test_above_the_limit_a_second_person_agrees_and_then_it_is_decided() -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR")
    assert waits.content["state"] == "waits"
    assert granted(world, "referred-1") == {}
    (listed,) = door.get("cases/proposed").content["proposed"]
    assert (listed["hash"], listed["person"]) == (waits.content["hash"], ANNA.id)
    agreed = second(door, "referred-1", CARLA, waits.content["hash"])
    assert (agreed.status, agreed.content["state"]) == (200, "decided")
    assert agreed.content["by_hand"]["persons"] == 2
    assert granted(world, "referred-1") == {"EUR": 2000}
    hand = entry_of(world, "referred-1").by_hand
    assert hand is not None
    assert (hand.person, hand.second) == (ANNA.id, CARLA.id)
    assert door.get("cases/proposed").content["proposed"] == []


@pytest.mark.parametrize(("is_decided", "reason"), [(False, "case_changed"), (True, "superseded")])
def test_a_second_yes_on_a_case_that_has_changed_meanwhile_decides_nothing(reason: str, *, is_decided: bool) -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "held-2", way="amount", amount="20.00", measure="EUR")
    assert waits.content["state"] == "waits"
    if is_decided:
        later(world, row("held-2", fee="10.00"))
    else:
        told: dict[str, Any] = {"cause": "fire", "detail_type": "Incident Amended", "revision": 2, "campaign": ...}
        world.publish(event(rows=1, **told))
        world.run_until_quiet()
    before = granted(world, "held-2")
    reply = second(door, "held-2", CARLA, waits.content["hash"])
    assert (reply.status, reply.content["reason"]) == (409, reason)
    assert granted(world, "held-2") == before
    assert not door.cases.steps


def test_a_second_yes_that_comes_twice_is_one() -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR")
    first = second(door, "referred-1", CARLA, waits.content["hash"])
    assert second(door, "referred-1", CARLA, waits.content["hash"]).content == first.content
    door.actions.__init__()  # type: ignore[misc]  # the function died before it stored the answer
    assert second(door, "referred-1", CARLA, waits.content["hash"]).content == first.content
    again = second(door, "referred-1", CARLA, waits.content["hash"], "s-2")
    assert (again.status, again.content["reason"]) == (409, "nothing_waits")
    assert granted(world, "referred-1") == {"EUR": 2000}
    assert len(door.cases.steps) == 1


@pytest.mark.parametrize("other", ["iam:arn:aws:iam::123456789012:user/anna", "iam:arn:aws:iam::123456789012:user/a2"])
def test_the_second_person_is_never_the_same_human_under_whatever_id(other: str) -> None:
    world = closed()
    door = door_of(world)
    listed = {"anna": {"ids": [ANNA.id, "iam:arn:aws:iam::123456789012:user/a2"]}, "carla": {"ids": [CARLA.id]}}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": listed}))
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR")
    refused = second(door, "referred-1", Somebody(other), waits.content["hash"])
    assert (refused.status, refused.content["reason"]) == (409, "second_is_first")
    assert granted(world, "referred-1") == {}
    assert second(door, "referred-1", CARLA, waits.content["hash"], "s-2").status == 200


def test_what_was_rejected_is_open_again() -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR")
    assert decide(door, "referred-1", CARLA, "d-2", way="amount", amount="21.00", measure="EUR").content["reason"] == (
        "waits_for_second"
    )
    assert second(door, "referred-1", CARLA, waits.content["hash"], action="reject").status == 422
    rejected = second(door, "referred-1", CARLA, waits.content["hash"], action="reject", reason="too much")
    assert rejected.content["state"] == "rejected"
    assert second(door, "referred-1", CARLA, waits.content["hash"], "s-3").content["reason"] == "nothing_waits"
    assert decide(door, "referred-1", name="d-3", way="amount", amount="5.00", measure="EUR").status == 200
    assert granted(world, "referred-1") == {"EUR": 500}


def test_what_a_second_person_agrees_to_is_granted_from_then_on_and_spent_in_that_month() -> None:
    world = closed()
    door = door_of(world)
    world.now = datetime(2026, 3, 31, 23, tzinfo=UTC)
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR")
    assert waits.content["state"] == "waits", waits.content
    world.now = datetime(2026, 4, 1, tzinfo=UTC)
    before = world.campaigns.budget("EUR", "2026-03").spent
    assert second(door, "referred-1", CARLA, waits.content["hash"]).status == 200
    stands = entry_of(world, "referred-1")
    assert stands.by_hand is not None
    assert (stands.effective_at, stands.by_hand.at) == (world.now, world.now)
    assert world.campaigns.budget("EUR", "2026-03").spent == before
    assert world.campaigns.budget("EUR", "2026-04").spent == 20_00


def test_a_second_person_agrees_to_what_was_seen_and_in_time() -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR").content["hash"]
    assert second(door, "referred-1", CARLA, "0" * 64).content["reason"] == "proposal_differs"
    world.now += timedelta(days=14)
    assert second(door, "referred-1", CARLA, waits, "s-2").content["reason"] == "waited_too_long"
    assert decide(door, "referred-1", name="d-2", way="amount", amount="20.00", measure="EUR").status == 200


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"way": "amount", "amount": "50.01", "measure": "EUR"}, 409, "decision_exceeded"),
        ({"way": "amount", "amount": "5.00", "measure": "USD"}, 409, "limit_none"),
        ({"way": "amount", "amount": "5.001", "measure": "EUR"}, 409, "amount_invalid"),
        ({"way": "amount", "amount": "-5.00", "measure": "EUR"}, 409, "amount_invalid"),
        ({"way": "amount", "amount": "0", "measure": "EUR"}, 409, "amount_not_positive"),
        ({"way": "amount", "amount": "5.00", "measure": "EURO-"}, 409, "limit_none"),
        ({"way": "amount", "amount": "5.00", "measure": "XXQ"}, 409, "measure_unknown"),
        ({"way": "amount", "amount": "5.00"}, 422, None),
        ({"way": "decline", "facts": {"fee": "1.00"}}, 422, None),
        ({"way": "policy"}, 409, "policy_does_not_grant"),
        ({"way": "policy", "facts": {"fee": "wrong"}}, 409, "fact_invalid"),
        ({"way": "policy", "facts": {"segment": "consumer"}}, 409, "fact_not_missing"),
        ({"way": "decline", "reason": "unheard_of"}, 409, "reason_unknown"),
        ({"way": "decline", "reason": "other"}, 409, "note_missing"),
        ({"way": "decline", "seen": "0" * 64}, 409, "case_changed"),
        ({"way": "decline", "seen": "0"}, 422, None),
        ({"way": "something"}, 422, None),
    ],
)
def test_what_may_not_be_decided_is_a_documented_problem_and_changes_nothing(
    body: dict[str, Any], status: int, reason: str | None
) -> None:
    world = closed()
    before = world.ledger.all_entries()
    door = door_of(world)
    reply = decide(door, "held-2", **body)
    assert (reply.status, reply.content.get("reason")) == (status, reason), reply.content
    assert world.ledger.all_entries() == before
    assert not door.cases.steps
    assert "wrong" not in json.dumps(reply.content)


def test_without_a_discretion_file_nobody_decides() -> None:
    world = closed()
    assert decide(door_of(world, None), "held-2", way="decline").content["reason"] == "reason_unknown"


def test_a_machine_decides_nothing() -> None:
    door = door_of(closed())
    machine = Somebody("role:arn:aws:sts::123456789012:assumed-role/batch/job")
    assert decide(door, "held-2", machine, **FEE).status == 403
    assert not door.cases.steps


def test_limits_of_a_month_count_every_decision_of_a_person_and_of_an_account() -> None:
    world = small_world(list_of([row(f"a-{number}", fee="") for number in range(6)]))
    world.publish(event(rows=6))
    world.run_until_quiet()
    door = door_of(world)

    def give(number: int, amount: str, name: str = "d") -> str:
        body: dict[str, Any] = {"way": "amount", "amount": amount, "measure": "EUR"}
        reply = decide(door, f"a-{number}", name=f"{name}-{number}", **body)
        found: str = reply.content.get("state") or reply.content["reason"]
        return found

    assert [give(number, "5.00") for number in range(2)] == ["decided", "decided"]
    assert give(2, "2.01") == "waits"  # 12.00 a month is what one person gives alone
    assert second(door, "a-2", CARLA, door.get("cases/proposed").content["proposed"][0]["hash"]).status == 200
    assert give(3, "47.00") == "waits"  # 12.01 and 47.00 are below what two persons give
    assert give(4, "47.99") == "waits"
    proposed = {one["account_id"]: one["hash"] for one in door.get("cases/proposed").content["proposed"]}
    assert second(door, "a-3", CARLA, proposed["a-3"], "s-3").status == 200
    beyond = second(door, "a-4", CARLA, proposed["a-4"], "s-4")
    assert (beyond.status, beyond.content["reason"]) == (409, "person_month_exceeded")
    assert granted(world, "a-4") == {}
    world.now += timedelta(days=31)
    assert give(5, "5.00") == "decided"


def test_a_halt_refuses_every_decision_by_hand() -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "referred-1", way="amount", amount="20.00", measure="EUR").content["hash"]
    mine = seen(door, "held-2")
    halted = door.put("halt/h-1", {"action": "set", "reason": "a fault"})
    assert halted.status == 200, halted.content
    assert decide(door, "held-2", seen=mine, **FEE).content["reason"] == "halted"
    assert second(door, "referred-1", CARLA, waits).content["reason"] == "halted"
    assert not door.cases.steps


def test_a_withdrawn_incident_refuses_every_decision() -> None:
    world = closed()
    door = door_of(world)
    mine = seen(door, "held-2")
    world.publish(event(rows=1, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    refused = decide(door, "held-2", seen=mine, **FEE)
    assert (refused.status, refused.content["reason"]) == (409, "incident_withdrawn")


def test_an_amended_incident_is_seen_anew_and_not_decided_by_what_the_policy_said_before() -> None:
    world = closed()
    door = door_of(world)
    mine = seen(door, "held-2")
    amended: dict[str, Any] = {"cause": "fire", "detail_type": "Incident Amended", "revision": 2, "campaign": ...}
    world.publish(event(rows=1, **amended))
    world.run_until_quiet()
    assert decide(door, "held-2", seen=mine, **FEE).content["reason"] == "case_changed"
    assert decide(door, "held-2", name="d-2", **FEE).content["reason"] == "incident_amended"
    assert decide(door, "held-2", name="d-3", way="amount", amount="1.00", measure="EUR").status == 200


def test_a_later_campaign_that_decided_it_closes_the_case() -> None:
    world = closed()
    door = door_of(world)
    mine = seen(door, "held-2")
    later(world, row("held-2", fee="10.00"))
    refused = decide(door, "held-2", seen=mine, **FEE)
    assert (refused.status, refused.content["reason"]) == (409, "superseded")
    assert granted(world, "held-2") == {"EUR": 100, "call_minute": 20}


def test_what_was_granted_by_hand_can_be_voided_and_is_paid_in_full_then() -> None:
    world = closed()
    decide(door_of(world), "held-2", **FEE)
    void = asked(world, ANNA_ID)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    assert not any(granted(world, "held-2").values())
    later(world, row("held-2", fee="30.00"))
    assert granted(world, "held-2") == {"EUR": 300, "call_minute": 20}


def test_a_void_that_was_planned_before_does_not_take_back_what_was_granted_by_hand_since() -> None:
    world = closed()
    void = asked(world, ANNA_ID)
    run_voids(world)
    world.now += timedelta(seconds=2)
    decide(door_of(world), "held-2", **FEE)
    approved(world, void, BEN)
    run_voids(world)
    stands = world.voids.void(void.id)
    assert stands is not None
    assert stands.state_reason == "balanced"
    assert granted(world, "held-2") == {"EUR": 300, "call_minute": 20}


def test_a_decision_by_hand_is_charged_to_its_month() -> None:
    world = closed()
    before = world.campaigns.budget("EUR", "2026-03")
    decide(door_of(world), "held-2", **FEE)
    spent = world.campaigns.budget("EUR", "2026-03")
    assert (spent.spent - before.spent, spent.reserved) == (300, before.reserved)


def test_ask_explains_it_by_the_policys_own_steps_and_names_a_role() -> None:
    world = closed()
    door = door_of(world)
    decide(door, "held-2", note="the customer sent the contract", **FEE)
    (found,) = door.get("accounts/held-2").content["decisions"]
    said = "\n".join(found["steps"])
    assert "Decided by hand on 2026-03-01 by a person of support: granted 3.00 EUR, 20 call minutes." in said
    assert "The reason: The fact is known (known_fact)." in said
    assert "fee = 30.00" in said
    assert "10%" in said or "10 %" in said
    assert found["by_hand"]["role"] == "support"
    assert ANNA.id not in json.dumps(found)
    (standing,) = door.get("accounts/held-2").content["standings"]
    assert (standing["state"], standing["granted"]) == ("granted", {"EUR": "300", "call_minute": "20"})


def test_the_campaign_counts_what_was_decided_of_it() -> None:
    world = closed()
    door = door_of(world)
    decide(door, "held-2", **FEE)
    decide(door, "held-1", name="d-2", way="decline")
    found = door.cases.decided(world.campaign(CAMPAIGN).id)
    assert found.counts == {(CaseKind.HELD, Outcome.GRANTED): 1, (CaseKind.HELD, Outcome.DECLINED): 1}
    assert found.granted == {"EUR": 300, "call_minute": 20}
    (listed,) = door.get("cases/month/2026-03").content["campaigns"]
    assert "held" not in listed["waiting"]
    assert listed["waiting"]["referred"] == 1
    assert (listed["decided"], listed["granted"]) == (
        {"granted": 1, "declined": 1}, {"EUR": "300", "call_minute": "20"},
    )  # fmt: skip
