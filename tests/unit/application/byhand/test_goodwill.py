"""Goodwill: given within limits, once, by persons; above them with a second person; in the campaign of its month."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from kulanz.application.ports import Outdated
from kulanz.domain.budgets import LimitSet
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.ledger.entries import row_digest_of
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.people.people import people_json
from tests.support.handed import MONTH, decide, give, opened, publish_discretion, worth
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.world import START, World
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor

ROBOT = Somebody("role:arn:aws:sts::123456789012:assumed-role/deploy/anna")
CENTRE = Somebody("sso:anna@example.com")


@pytest.fixture
def door() -> WorldDoor:
    return opened()


def state_of(door: WorldDoor) -> dict[str, Any]:
    """Everything that giving could have changed."""
    return {
        "entries": [*door.ledger.all_entries()],
        "records": dict(door.goodwill._records),
        "counts": dict(door.goodwill._counts),
        "budgets": dict(door.campaigns.budget_items.budgets),
        "added": [*door.goodwill.given],
    }


def test_an_amount_within_the_limits_is_given_at_once_in_the_campaign_of_its_month(door: WorldDoor) -> None:
    answer = give(door, ticket="T-1", incident="")
    assert (answer.status, answer.content["state"], answer.content["amount"]) == (200, "given", "20.00 EUR")
    assert answer.content["campaign"] == str(MONTH)
    assert worth(door) == {"EUR": 2000}

    campaign = door.campaigns.campaign(MONTH)
    assert campaign is not None
    assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")
    assert [(one.kind, one.key.subject) for one in door.goodwill.given] == [("goodwill", "T-1")]
    assert door.campaigns.budget("EUR", f"{START:%Y-%m}").spent == 2000


def test_units_are_given_and_spend_no_budget(door: WorldDoor) -> None:
    assert give(door, amount="2.5", measure="GB").content["amount"] == "2.5 GB"
    assert worth(door) == {"GB": Decimal("2.5")}
    assert not door.campaigns.budget_items.budgets


def test_an_id_is_given_once(door: WorldDoor) -> None:
    first = give(door)
    before = state_of(door)
    assert give(door).content == first.content
    bodies: list[dict[str, Any]] = [
        {"amount": "21.00"}, {"reason": "other"}, {"note": "n"}, {"ticket": "T-2"}, {"repeat_of": "T-0"},
    ]  # fmt: skip
    for body in bodies:
        again = give(door, **body)
        assert (again.status, again.content["type"]) == (409, "urn:kulanz:problem:id-used")
    for again in (give(door, account="A-1002"), give(door, by=BERT)):
        assert again.status == 409
        assert again.content["type"] == "urn:kulanz:problem:id-used"
    assert state_of(door) == before


def test_an_equal_amount_within_thirty_days_names_the_first_one(door: WorldDoor) -> None:
    give(door, "T-1")
    refused = give(door, "T-2")
    assert (refused.status, refused.content["reason"]) == (409, "equal_before")
    assert "T-1" in refused.content["detail"]
    assert give(door, "T-2", repeat_of="T-9").content["reason"] == "repeat_unknown"
    assert give(door, "T-3", account="A-1002").status == 200, "another account"
    assert give(door, "T-4", amount="20.01").status == 200, "another amount"
    assert give(door, "T-2", repeat_of="T-1").content["repeat_of"] == "T-1"
    assert worth(door) == {"EUR": 6001}

    door.world.now += timedelta(days=29, hours=23)
    assert give(door, "T-5", amount="20.01").content["reason"] == "equal_before"
    door.world.now += timedelta(hours=1)
    assert give(door, "T-5", amount="20.01").status == 200


def test_the_reasons_are_those_of_the_discretion_file_and_none_before_it(door: WorldDoor) -> None:
    named = [(one["code"], one["needs_note"]) for one in door.get("goodwill/reasons").content["reasons"]]
    assert named == [("long_wait", False), ("other", True)]
    assert WorldDoor(door.world).get("goodwill/reasons").content["reasons"] == []


def test_above_the_limits_for_one_it_waits_for_a_second_person(door: WorldDoor) -> None:
    asked = give(door, amount="60.00")
    assert (asked.content["state"], asked.content["campaign"]) == ("waiting", None)
    assert worth(door) == {}
    assert [one["id"] for one in door.get("goodwill/waiting").content["waiting"]] == ["T-1"]
    assert give(door, "T-2", amount="60.00").content["reason"] == "equal_before", "what waits is an equal amount, too"

    assert decide(door, "T-1", ANNA).content["reason"] == "approver_is_asker"
    assert decide(door, "T-1", ROBOT).content["type"] == "urn:kulanz:problem:person-needed"
    assert worth(door) == {}

    given = decide(door, "T-1", BERT)
    assert (given.content["state"], given.content["decided_by"]) == ("given", BERT.id)
    assert decide(door, "T-1", BERT).content == given.content, "the same again is the same answer"
    assert give(door, amount="60.00").status == 200
    assert worth(door) == {"EUR": 6000}
    assert door.get("goodwill/waiting").content["waiting"] == []


def test_the_same_human_under_another_id_is_no_second_person(door: WorldDoor) -> None:
    give(door, amount="60.00")
    assert decide(door, "T-1", CENTRE).content["reason"] == "approver_is_asker", "nobody says that these are two"
    persons = {"anna": {"ids": [ANNA.id, CENTRE.id]}, "bert": {"ids": [BERT.id]}}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))
    assert decide(door, "T-1", CENTRE, under="again").content["reason"] == "approver_is_asker"
    assert decide(door, "T-1", BERT).content["state"] == "given"


def test_the_ids_of_one_human_count_together(door: WorldDoor) -> None:
    persons = {"anna": {"ids": [ANNA.id, CENTRE.id]}, "bert": {"ids": [BERT.id]}}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))
    for number in range(10):
        by = (ANNA, CENTRE)[number % 2]
        assert give(door, f"T-{number}", f"A-{number}", by, amount="50.00").content["state"] == "given"
    for by in (ANNA, CENTRE):
        assert give(door, f"T-{by.id[:3]}", f"A-{by.id[:3]}", by, amount="0.01").content["state"] == "waiting"
    assert give(door, "T-bert", "A-bert", BERT, amount="50.00").content["state"] == "given"


def test_what_waits_can_be_rejected_and_is_over_after_two_weeks(door: WorldDoor) -> None:
    give(door, amount="60.00")
    rejected = decide(door, "T-1", BERT, "reject", reason="not a fault of ours")
    assert (rejected.content["state"], rejected.content["why"]) == ("rejected", "not a fault of ours")
    assert decide(door, "T-1", BERT, under="x").content["reason"] == "not_waiting"

    give(door, "T-2", amount="60.00")
    door.world.now += timedelta(days=14)
    assert decide(door, "T-2", BERT).content["reason"] == "waited_too_long"
    assert [one["state"] for one in door.get("goodwill/waiting").content["waiting"]] == ["over"]
    assert give(door, "T-3", amount="60.00").content["state"] == "waiting"
    assert worth(door) == {}


def test_what_was_given_meanwhile_counts_when_a_second_person_agrees(door: WorldDoor) -> None:
    give(door, "T-1", amount="200.00")
    give(door, "T-2", amount="199.99")
    assert decide(door, "T-1", BERT).content["state"] == "given"
    refused = decide(door, "T-2", BERT)
    assert (refused.status, refused.content["reason"]) == (409, "account_month_exceeded")
    assert worth(door) == {"EUR": 20000}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"measure": "USD"}, 409, "limit_none"),
        ({"measure": "EUX"}, 422, None),
        ({"measure": "EUR GB"}, 422, None),
        ({"amount": "-5.00"}, 422, None),
        ({"amount": "5.001"}, 422, None),
        ({"amount": "1e3"}, 422, None),
        ({"amount": 20.0}, 422, None),
        ({"amount": "0.00"}, 409, "amount_not_positive"),
        ({"amount": "200.01"}, 409, "decision_exceeded"),
        ({"reason": "because"}, 409, "reason_unknown"),
        ({"reason": "other"}, 409, "note_missing"),
        ({"note": "two\nlines"}, 422, None),
        ({"incident": "never-reported"}, 409, "incident_unknown"),
        ({"named": "x" * 65}, 400, None),
        ({"named": "a..b"}, 400, None),
        ({"account": "anna@example.com"}, 400, None),
        ({"by": ROBOT}, 403, None),
        ({"colour": "red"}, 422, None),
    ],
)
def test_what_cannot_be_given_is_a_documented_problem_and_changes_nothing(
    door: WorldDoor, body: dict[str, Any], status: int, reason: str | None
) -> None:
    before = state_of(door)
    answer = give(door, **body)
    assert (answer.status, answer.content.get("reason")) == (status, reason)
    assert state_of(door) == before
    assert door.campaigns.campaign(MONTH) is None


def test_an_account_is_one_of_the_shape_that_the_stack_states() -> None:
    door = opened(account_ids=IdShape("A-[0-9]{4}"))
    assert give(door, account="A-10015").content["reason"] == "account_shape"
    assert give(door, account="A-1001").status == 200


def test_until_a_discretion_file_is_published_nobody_may_give() -> None:
    door = WorldDoor(World())
    assert give(door).content["reason"] == "reason_unknown"
    assert worth(door) == {}


def test_a_limit_that_was_lowered_holds_at_once(door: WorldDoor) -> None:
    give(door)
    publish_discretion(door, 2, goodwill={})
    assert give(door, "T-2", amount="1.00").content["reason"] == "limit_none"


def test_in_a_halted_stack_nothing_is_given_and_nothing_waits(door: WorldDoor) -> None:
    give(door, "T-0", amount="60.00")
    door.put("halt/h", {"action": "set", "reason": "wrong amounts"})
    before = state_of(door)
    for answer in (give(door), give(door, "T-2", amount="61.00"), decide(door, "T-0", BERT)):
        assert (answer.status, answer.content["reason"]) == (409, "halted")
    assert state_of(door) == before


def test_a_stopped_months_campaign_takes_nothing_more(door: WorldDoor) -> None:
    give(door)
    kept = door.campaigns._campaigns[MONTH]
    kept.campaign = replace(kept.campaign, state=State.FLAGGED)
    assert give(door, "T-2", amount="1.00").content["reason"] == "campaign_stopped"
    assert worth(door) == {"EUR": 2000}


def test_the_thirty_days_of_what_waited_count_from_when_it_was_given(door: WorldDoor) -> None:
    give(door, "T-1", amount="60.00")
    door.world.now += timedelta(days=13)
    assert decide(door, "T-1", BERT).content["state"] == "given"
    door.world.now += timedelta(days=30) - timedelta(microseconds=1)
    assert give(door, "T-2", amount="60.00").content["reason"] == "equal_before"
    door.world.now += timedelta(microseconds=1)
    assert give(door, "T-2", amount="60.00").content["state"] == "waiting"


def test_what_waits_is_remembered_until_an_equal_amount_need_not_be_named_any_more(door: WorldDoor) -> None:
    """Given on the last day, it is an equal amount for thirty days more."""
    give(door, "T-1", amount="60.00")
    waited, equal = timedelta(days=14), timedelta(days=30)
    assert door.goodwill.kept_until["T-1"] == int((door.world.now + waited + equal).timestamp())


def test_who_has_left_neither_gives_nor_approves_nor_rejects(door: WorldDoor) -> None:
    give(door, "T-1", amount="60.00")
    left = {"ids": [BERT.id], "left": f"{START:%Y-%m-%d}"}
    persons = {"anna": {"ids": [ANNA.id]}, "bert": left}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))
    door.world.now += timedelta(days=1)
    before = state_of(door)
    refused = [
        give(door, "T-2", by=BERT).content["reason"],
        decide(door, "T-1", BERT).content["reason"],
        decide(door, "T-1", BERT, "reject", reason="r").content["reason"],
    ]
    assert refused == ["person_left", "may_not_approve", "person_left"]
    assert state_of(door) == before


def test_two_gifts_to_one_account_have_digests_of_their_own(door: WorldDoor) -> None:
    """The digest of a row stands for the row: goodwill's are its account and its id."""
    give(door, "T-1")
    give(door, "T-2", repeat_of="T-1")
    give(door, "T-3", account="A-1002")
    assert len({row_digest_of(one.body) for one in door.ledger.all_entries()}) == 3


@pytest.mark.parametrize(("budgets", "month"), [("UTC", "2026-03"), ("Asia/Tokyo", "2026-04")])
def test_it_is_spent_in_the_month_of_the_budgets_zone(budgets: str, month: str) -> None:
    """The limits of persons count in the discretion file's zone, Europe/Berlin: there the month has begun."""
    door = opened()
    door.gate = GateSettings(budget_zone=budgets)
    door.world.now = (
        datetime(2026, 3, 31, 22, 30, tzinfo=UTC) if budgets == "UTC" else datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
    )
    assert give(door).status == 200
    spent = {place.month: one.spent for place, one in door.campaigns.budget_items.budgets.items()}
    assert spent == {month: 2000}


def test_a_budget_is_spent_and_never_refuses(door: WorldDoor) -> None:
    month = f"{START:%Y-%m}"
    door.budgets.set_limit(LimitSet("b", "EUR", month, 1500, ANNA.id, "r", START))
    assert give(door).status == 200
    budget = door.campaigns.budget("EUR", month)
    assert (budget.spent, budget.left, budget.is_exceeded) == (2000, -500, True)


def test_nothing_of_it_is_written_where_somebody_else_was_first(door: WorldDoor) -> None:
    """Whatever moves between reading and writing, it is read again, and compared with the limits again."""
    others = iter([("T-2", "50.00"), ("T-3", "49.00")])

    def first() -> None:
        door.goodwill.before_write = lambda: None
        if (other := next(others, None)) is not None:
            assert give(door, other[0], amount=other[1]).content["state"] == "given"
            door.goodwill.before_write = first

    give(door, "T-0", amount="0.01")
    door.goodwill.before_write = first
    answer = give(door, "T-1", amount="2.00")
    assert answer.content["state"] == "waiting", "50.00, 49.00 and 0.01 leave 0.99 of the account's month"
    assert worth(door) == {"EUR": 9901}


def test_where_others_are_always_first_it_says_try_again(door: WorldDoor) -> None:
    def first() -> None:
        raise Outdated

    door.goodwill.before_write = first
    answer = give(door)
    assert (answer.status, answer.content["type"]) == (503, "urn:kulanz:problem:try-again")
    assert worth(door) == {}


def test_the_answer_explains_it_and_calls_the_person_a_role() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    door = WorldDoor(world)
    publish_discretion(door)
    give(door, "T-1", "a-1", incident=INCIDENT_ID, ticket="T-1", reason="other", note="the shop was closed")

    for found in (door.get("accounts/a-1").content, door.get("accounts/a-1", incident=INCIDENT_ID).content):
        by_hand = next(one for one in found["decisions"] if one["campaign"].startswith("goodwill-"))
        assert by_hand["decision"]["benefits"] == [{"money": [2000, "EUR"], "due": "1 billing_cycle"}]
        assert by_hand["explained"] == "agrees"
        told = " ".join(by_hand["steps"])
        assert "a person of the role support" in told
        assert INCIDENT_ID in told
        assert "T-1" in told
        assert ANNA.id not in str(found)
        assert "the shop was closed" not in str(found)
        titles = {one["incident_id"]: one["title"] for one in found["standings"]}
        assert titles[MONTH.incident_id] == f"Goodwill of {START:%Y-%m}"


def test_its_steps_say_how_many_persons_gave_it(door: WorldDoor) -> None:
    give(door, "T-1", "a-1", amount="10.00")
    give(door, "T-2", "a-2", amount="60.00")
    assert decide(door, "T-2", BERT).content["state"] == "given"
    said = {}
    for account in ("a-1", "a-2"):
        (found,) = door.get(f"accounts/{account}").content["decisions"]
        said[account] = found["steps"][1]
    one = "Given by a person of the role support"
    assert said == {"a-1": f"{one}.", "a-2": f"{one}, and a second person agreed."}


def test_it_is_apart_from_what_policies_grant() -> None:
    """What was given by hand about an incident is no earlier grant of it: a later campaign pays in full."""
    world = small_world()
    door = WorldDoor(world)
    publish_discretion(door)
    give(door, "T-1", "a-1")
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    alone = small_world()
    alone.publish(event(rows=ROWS))
    alone.run_until_quiet()
    both, without = (
        [one.body for one in found.ledger.of_account("a-1") if one.key.campaign == CampaignId.parse(CAMPAIGN)]
        for found in (world, alone)
    )
    assert both == without


def test_nobody_reports_an_incident_under_the_id_of_a_months_goodwill() -> None:
    world = small_world()
    told = event(rows=ROWS)
    told["detail"]["incident_id"] = MONTH.incident_id
    world.publish(told)
    world.run_until_quiet()
    assert [one.reason for one in world.rejected.sent] == ["incident_reserved"]
    assert world.campaigns.incident(MONTH.incident_id) is None


def test_the_months_campaign_is_announced_and_names_the_channel_of_its_additions() -> None:
    world = World(channel=Channel("billing"))
    door = WorldDoor(world)
    publish_discretion(door)
    give(door)
    world.run_until_quiet()
    assert [one.detail_type for one in world.announcer.announced] == ["Campaign Closed"]
    assert world.deliveries.over_list(MONTH) is None, "its list grants nothing, so that no empty file is sent"
    plan = world.campaigns.filed_plan(MONTH)
    assert plan is not None
    assert plan.channel == world.channel


def test_each_month_has_a_campaign_of_its_own(door: WorldDoor) -> None:
    give(door)
    door.world.now += timedelta(days=31)
    later = give(door, "T-2")
    assert later.content["campaign"] == f"goodwill-{door.world.now:%Y-%m}/1"
    assert later.content["campaign"] != str(MONTH)


@examples(st.lists(st.tuples(st.integers(1, 25000), st.sampled_from("ab"), st.booleans()), max_size=12))
def test_no_account_is_given_more_than_the_month_allows_whoever_agrees(asked: list[tuple[int, str, bool]]) -> None:
    """Against a plain sum: alone at most 100 an account in all, with a second person at most 300."""
    door = opened()
    sums, alone = {"a": 0, "b": 0}, {"a": 0, "b": 0}
    for number, (minor, account, agrees) in enumerate(asked):
        body: dict[str, Any] = {"amount": f"{minor // 100}.{minor % 100:02d}"}
        same = [f"T-{n}" for n, (size, of, _) in enumerate(asked[:number]) if (size, of) == (minor, account)]
        answer = give(door, f"T-{number}", account, **body)
        for earlier in same:
            if answer.content.get("reason") in ("equal_before", "repeat_unknown"):
                answer = give(door, f"T-{number}x{earlier}", account, **body, repeat_of=earlier)
        if answer.status == 200 and answer.content["state"] == "given":
            alone[account] = sums[account] = sums[account] + minor
        elif answer.status == 200 and agrees:
            done = decide(door, answer.content["id"], BERT)
            sums[account] += minor if done.status == 200 else 0
    for account, total in sums.items():
        assert worth(door, account).get("EUR", 0) == total <= 30000
        assert alone[account] <= 10000
