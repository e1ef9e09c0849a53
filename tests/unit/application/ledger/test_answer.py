"""Answers to "did I get it, and why that much?": from the ledger, explained again from the row that was decided."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.ledger.answer import Explained
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Outcome
from tests.support.small_campaign import (
    EVERY_KIND_OF_ROW,
    INCIDENT_ID,
    LIST_KEY,
    POLICY,
    ROWS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import World


@pytest.fixture(scope="module")
def world() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_a_granted_account_gets_its_amount_with_the_arithmetic(world: World) -> None:
    answer = world.ask("granted-1", INCIDENT_ID)
    (found,) = answer.decisions

    assert found.decision.outcome is Outcome.GRANTED
    assert found.explained is Explained.AGREES
    assert found.recomputed == found.decision
    assert not found.expired
    assert any("2.99" in step for step in found.steps)
    assert answer.is_final()


@pytest.mark.parametrize(
    ("account", "outcome", "reason"),
    [
        ("declined-1", Outcome.DECLINED, "not_affected"),
        ("declined-2", Outcome.DECLINED, "prepaid"),
        ("referred-1", Outcome.REFERRED, "business_customer"),
        ("held-1", Outcome.HELD, "segment_unknown"),
        ("granted-6", Outcome.GRANTED, "credit"),
    ],
)
def test_every_outcome_is_explained(world: World, account: str, outcome: Outcome, reason: str) -> None:
    (found,) = world.ask(account, INCIDENT_ID).decisions

    assert (found.decision.outcome, found.decision.reason) == (outcome, reason)
    assert found.explained is Explained.AGREES
    assert found.steps


def test_every_decision_of_a_campaign_is_explained_by_the_row_it_came_from(world: World) -> None:
    for entry in world.ledger.all_entries():
        (found,) = world.ask(entry.key.account_id).decisions
        assert found.explained is Explained.AGREES, entry.key.account_id
        assert found.recomputed == found.decision


def test_an_account_that_was_not_listed_has_no_decision_and_the_campaign_is_final(world: World) -> None:
    answer = world.ask("unlisted", INCIDENT_ID)

    assert answer.decisions == ()
    assert answer.is_final()
    assert [campaign.state for campaign in answer.campaigns] == [State.CLOSED]


def test_while_a_campaign_is_at_work_no_answer_is_final() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    seen = set()
    while steps := world.steps():
        if campaigns := world.campaigns.campaigns_of(INCIDENT_ID):
            assert world.ask("granted-1", INCIDENT_ID).is_final() is (campaigns[0].state is State.CLOSED)
            seen.add(campaigns[0].state)
        world.run(steps[0])
    assert seen >= {State.PLANNING, State.APPLYING}


@pytest.mark.parametrize("account", ["", "a#b", "a/b", "ä", "a" * 65, "a@example.com"])
def test_an_impossible_account_is_refused_with_what_an_account_is(world: World, account: str) -> None:
    with pytest.raises(ValueError, match="ASCII letters, digits"):
        world.ask(account)


def test_a_benefit_has_ended_from_its_last_instant_on_by_the_clock_alone() -> None:
    world = small_world(list_of([row("minutes-1")]))
    minutes = POLICY.replace("pay: 10% of fee\ndue: 2 billing cycles\n", "").replace(
        "We credit {{ amount }} and", "You get"
    )
    world.policies.publish("minutes", 1, sealed_policy(minutes.replace("net-credit", "minutes")))
    world.publish(event(rows=1, policy="minutes"))
    world.run_until_quiet()
    (entry,) = world.ledger.of_account("minutes-1")
    assert entry.expires_at == entry.effective_at + timedelta(days=7)

    world.now = entry.expires_at - timedelta(microseconds=1)
    assert not world.ask("minutes-1").decisions[0].expired
    world.now = entry.expires_at
    assert world.ask("minutes-1").decisions[0].expired


def test_money_beside_minutes_does_not_end(world: World) -> None:
    (entry,) = world.ledger.of_account("granted-1")

    assert entry.expires_at is None


@pytest.mark.parametrize("before", [0, 1, 2])
def test_an_incident_is_withdrawn_by_whichever_revision_says_so_the_first_included(before: int) -> None:
    world = small_world()
    for revision in range(1, before + 1):
        world.publish(event(rows=ROWS, revision=revision, campaign=...))
    for revision, detail_type, is_withdrawn in (
        (before + 1, "Incident Withdrawn", True),
        (before + 2, "Incident Declared", False),
    ):
        world.publish(event(rows=ROWS, detail_type=detail_type, revision=revision, campaign=...))
        world.run_until_quiet()
        assert world.ask("granted-1", INCIDENT_ID).incidents[INCIDENT_ID].is_withdrawn is is_withdrawn


def test_a_newer_list_has_no_effect_on_an_explanation(world: World) -> None:
    pinned = world.campaign("net-outage/1").pinned
    world.lists.upload(LIST_KEY, list_of([row("granted-1", fee="1000.00")]))

    (found,) = world.ask("granted-1").decisions

    assert found.explained is Explained.AGREES
    assert pinned.size == len(EVERY_KIND_OF_ROW)


def test_a_question_writes_nothing(world: World) -> None:
    before = (len(world.ledger.inserted), len(world.campaigns.changes), len(world.archive.documents))
    world.ask("granted-1", INCIDENT_ID)

    assert (len(world.ledger.inserted), len(world.campaigns.changes), len(world.archive.documents)) == before


def test_a_row_of_somebody_else_explains_no_decision() -> None:
    world = small_world(list_of([row("a-1"), row("a-2")]))
    world.publish(event(rows=2))
    world.run_until_quiet()
    first, second = sorted(world.ledger.all_entries(), key=lambda entry: entry.origin)
    world.ledger._entries[first.key] = replace(first, origin=second.origin)
    (found,) = world.ask(first.key.account_id, INCIDENT_ID).decisions
    assert (found.explained, found.steps, found.recomputed) == (Explained.ROW_UNREADABLE, (), None)
