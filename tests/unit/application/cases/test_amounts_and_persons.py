"""A decision by hand at its edges: the choices that are tried, whose yes an id stands for, and what a month counts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.cases.case import TRIED_MOST, CasePorts, CaseRefused
from kulanz.application.cases.decide import DecidePorts, agree_to_case
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import people_json
from tests.support.by_hand import CARLA, decide, door_of, look, second
from tests.support.small_campaign import INCIDENT_ID, event, list_of, row, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, Somebody, WorldDoor
from tests.unit.application.cases.test_waiting import closed

DORA = "iam:arn:aws:iam::123456789012:user/dora"


def ports_of(door: WorldDoor) -> DecidePorts:
    """What deciding by hand touches of a world."""
    look_at = CasePorts(door.campaigns, door.lists, door.ledger, door.cases)
    return DecidePorts(look_at, door.cases, door.discretion.current(), door.people.current(), door.gate)


@pytest.mark.parametrize(("choices", "tried"), [(TRIED_MOST, TRIED_MOST), (TRIED_MOST + 1, 0)])
def test_as_many_choices_are_tried_as_are_few(choices: int, tried: int) -> None:
    named = [f"choice-{number}" for number in range(choices)]
    policy = (
        "kulanz: 1\nid: choices\nversion: 1\ntitle: T\ncurrency: EUR\n"
        f"facts:\n  tariff: [{', '.join(named)}]\n"
        'who:\n  - decline: other\n    when: tariff = "choice-0"\npay: 1.00 EUR\n'
    )
    world = World()
    world.policies.publish("choices", 1, sealed_policy(policy))
    world.lists.upload("lists/choices.csv", b"account_id,tariff\nheld,\n")
    world.publish(event(key="lists/choices.csv", rows=1, policy="choices"))
    world.run_until_quiet()
    found = look(door_of(world), "held").content
    assert [one["facts"]["tariff"] for one in found["would_owe"]] == named[:tried]


def test_an_agreement_is_of_the_person_who_gave_it_whoever_sends_its_id_again() -> None:
    door = door_of(closed())
    body: dict[str, Any] = {"way": "amount", "amount": "20.00", "measure": "EUR"}
    waits = decide(door, "referred-1", **body).content["hash"]
    assert second(door, "referred-1", CARLA, waits, "s-1").status == 200
    key, ports = DecisionKey("referred-1", INCIDENT_ID, "-", 1), ports_of(door)
    (stands,) = door.ledger.of_account("referred-1")
    again = agree_to_case(key, waits, "s-1", Person(CARLA.id), ports, door.world.now)
    assert again.entry == stands
    with pytest.raises(CaseRefused) as refused:
        agree_to_case(key, waits, "s-1", Person(DORA), ports, door.world.now)
    assert refused.value.reason == "nothing_waits"
    assert DORA not in json.dumps(stands.by_hand.to_text() if stands.by_hand is not None else "")


def test_what_two_persons_decide_counts_for_the_one_who_decided_it_and_not_for_who_agreed() -> None:
    door = door_of(closed())
    body: dict[str, Any] = {"way": "amount", "amount": "20.00", "measure": "EUR"}
    waits = decide(door, "referred-1", **body).content["hash"]
    assert second(door, "referred-1", CARLA, waits).status == 200
    (step,) = door.cases.steps
    assert {(one.after.of.person, one.after.of.account, one.after.size) for one in step.counts} == {
        (ANNA.id, "", 2_000), ("", "referred-1", 2_000),
    }  # fmt: skip


def test_it_is_charged_to_the_month_of_the_budgets_and_counted_in_that_of_the_limits() -> None:
    """At one instant it may be another month where budgets are kept than where persons' limits are."""
    world = closed()
    world.now = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    door = door_of(world)
    assert (world.gate.budget_month(world.now), door.discretion.current().month_of(world.now)) == ("2026-03", "2026-04")
    assert decide(door, "held-2", way="amount", amount="1.00", measure="EUR").content["state"] == "decided"
    (step,) = door.cases.steps
    assert [(draw.month, draw.amount) for draw in step.draws] == [("2026-03", 100)]
    assert {one.after.of.month for one in step.counts} == {"2026-04"}


def test_what_a_person_gave_under_another_id_counts_for_what_that_person_may_give() -> None:
    """12.00 EUR a month is what one person gives alone, by whichever of the ids that the people file joins."""
    world = small_world(list_of([row(f"a-{number}", fee="") for number in range(3)]))
    world.publish(event(rows=3))
    world.run_until_quiet()
    door = door_of(world)
    other = Somebody("iam:arn:aws:iam::123456789012:user/a2")
    listed = {"anna": {"ids": [ANNA.id, other.id]}, "carla": {"ids": [CARLA.id]}}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": listed}))

    def give(number: int, caller: Somebody, amount: str) -> str:
        body: dict[str, Any] = {"way": "amount", "amount": amount, "measure": "EUR"}
        state: str = decide(door, f"a-{number}", caller, f"d-{number}", **body).content["state"]
        return state

    assert [give(0, ANNA, "5.00"), give(1, other, "5.00")] == ["decided", "decided"]
    assert give(2, other, "2.01") == "waits"
