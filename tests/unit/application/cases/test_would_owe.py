"""A case shows what the policy lacks, and what it would owe with that known: by the campaign's own engine."""

import json
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.unit.application.cases.test_waiting import closed

ANY = {"segment": "consumer", "fee": "30.00"}


def case(door: WorldDoor, account: str, seq: int = 1, **query: Any) -> Any:
    """The answer about a case."""
    reply = door.get(f"cases/one/{account}/{INCIDENT_ID}/{seq}", **query)
    assert reply.status == 200, reply.content
    return reply.content


def owed(content: Any) -> dict[str, tuple[str, Any]]:
    """What would be owed, by the facts that were supplied."""
    return {
        ",".join(one["facts"].values()): (
            one["decision"]["outcome"],
            [benefit.get("money") or benefit.get("units") for benefit in one["decision"].get("benefits", ())],
        )
        for one in content["would_owe"]
    }


def test_each_choice_of_the_missing_fact_is_tried() -> None:
    found = case(WorldDoor(closed()), "held-1")
    assert found["reason"] == "segment_unknown"
    assert [fact["name"] for fact in found["missing"] if fact["holds"]] == ["segment"]
    assert owed(found) == {
        "consumer": ("granted", [[299, "EUR"], ["20", "call_minute"]]),
        "business": ("referred", []),
        "prepaid": ("declined", []),
    }
    assert any("299" in step or "2.99" in step for step in found["would_owe"][0]["steps"])


def test_an_amount_that_is_missing_is_asked_about_and_never_guessed() -> None:
    door = WorldDoor(closed())
    assert case(door, "held-2")["would_owe"] == []
    with_fee = case(door, "held-2", facts=json.dumps({"fee": "30.00"}))
    assert owed(with_fee) == {"30.00": ("granted", [[300, "EUR"], ["20", "call_minute"]])}


@pytest.mark.parametrize("account", ["held-1", "held-2"])
def test_it_would_owe_what_a_list_with_the_fact_pays(account: str) -> None:
    missing = {"held-1": "segment", "held-2": "fee"}[account]
    found = case(WorldDoor(closed()), account, facts=json.dumps({missing: ANY[missing]}))
    right = small_world(list_of([row(account, **{missing: ANY[missing]})]))
    right.publish(event(rows=1))
    right.run_until_quiet()
    (entry,) = right.ledger.of_account(account)
    body = json.loads(entry.body)
    assert found["would_owe"][0]["decision"] == {
        name: value for name, value in body.items() if name not in ("v", "campaign", "engine", "policy", "row")
    }


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"fee": "1.00"}, "fact_not_missing"),  # the list states it: a person does not overrule a list unseen
        ({"segment": "gold"}, "fact_invalid"),
        ({"segment": " "}, "fact_invalid"),
        ({"colour": "red"}, "fact_not_missing"),
    ],
)
def test_only_what_the_list_leaves_open_can_be_supplied(facts: dict[str, str], reason: str) -> None:
    reply = WorldDoor(closed()).get(f"cases/one/held-1/{INCIDENT_ID}/1", facts=json.dumps(facts))
    assert (reply.status, reply.content["reason"]) == (409, reason)
    assert "gold" not in json.dumps(reply.content)
    assert "red" not in json.dumps(reply.content)


@pytest.mark.parametrize("facts", ["{}", "[]", '{"a": 1}', '{"a": ""}', '{"a": "1", "a": "2"}', "x" * 1_001, "{"])
def test_facts_that_are_no_object_of_texts_are_refused(facts: str) -> None:
    assert WorldDoor(closed()).get(f"cases/one/held-1/{INCIDENT_ID}/1", facts=facts).status == 400


@pytest.mark.parametrize("account", ["granted-1", "declined-1", "nobody", "torn-1"])
def test_what_was_not_held_or_referred_is_no_case(account: str) -> None:
    assert WorldDoor(closed()).get(f"cases/one/{account}/{INCIDENT_ID}/1").status == 404


def _later(world: World, *lines: bytes) -> None:
    world.lists.upload("lists/later.csv", list_of(list(lines)))
    world.publish(event(key="lists/later.csv", rows=len(lines), detail_type="Incident Amended", revision=2))


def test_a_case_is_closed_while_a_later_campaign_decides_and_open_again_where_that_left_it() -> None:
    world = closed()
    door = WorldDoor(world)
    before = case(door, "held-1")
    assert before["closed"] is None
    _later(world, row("other-1"), row("held-2", fee="10.00"))
    world.approvers = ()
    world.run_until_quiet()
    waiting = case(door, "held-1")
    assert waiting["closed"] is None, "a plan that waits decides nothing yet"
    assert waiting["seen"] != before["seen"], "the incident moved: whoever looked before looks again"
    world.approvers = ("iam:arn:aws:iam::123456789012:user/anna", "iam:arn:aws:iam::123456789012:user/ben")
    while world.campaign(f"{INCIDENT_ID}/2").state is not State.APPLYING:
        world.run(world.steps()[0])
    assert case(door, "held-1")["closed"]["reason"] == "later_campaign"
    world.run_until_quiet()
    assert case(door, "held-1")["closed"] is None
    assert case(door, "held-2")["closed"]["reason"] == "superseded"


def test_a_case_of_a_withdrawn_incident_is_closed() -> None:
    world = closed()
    world.publish(event(rows=1, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    assert case(WorldDoor(world), "held-1")["closed"]["reason"] == "incident_withdrawn"


def test_a_month_lists_its_campaigns_with_what_waits_of_each() -> None:
    door = WorldDoor(closed())
    (listed,) = door.get("cases/month/2026-03").content["campaigns"]
    assert (listed["campaign"], listed["waiting"]["held"], listed["later"]) == (CAMPAIGN, 2, [])
    assert door.get("cases/month/2026-02").content["campaigns"] == []


def test_a_page_names_accounts_and_rows_and_no_value_of_a_row() -> None:
    content = WorldDoor(closed()).get(f"cases/campaign/{INCIDENT_ID}/1").content
    held = [one for one in content["cases"] if one["kind"] == "held"]
    assert [(one["account_id"], one["reason"]) for one in held] == [
        ("held-1", "segment_unknown"), ("held-2", "fee_unknown"),
    ]  # fmt: skip
    rejected = next(one for one in content["cases"] if one["reason"] == "fact_invalid")
    assert "account_id" not in rejected
    assert "perhaps" not in json.dumps(content)
