"""What earlier campaigns granted counts less what was voided of it: a void makes room, and no more room than that."""

from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ledger.answer import Explained
from kulanz.application.ledger.standing import Now, standings
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.ledger.earlier_decisions import Before, stands_before, still_owed
from kulanz.domain.ledger.entries import DecisionKey, Entry, granted_benefits, net_worth, read_decision
from tests.support.small_campaign import INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World

RIGHT_KEY = "lists/right.csv"


def granted_world() -> World:
    """A world in which a wrong list was granted: two accounts of which one was meant, with another fee."""
    world = small_world(list_of([row("a-1", fee="50.00"), row("a-2")]))
    world.publish(event(rows=2))
    world.run_until_quiet()
    return world


def void(world: World, entry: Entry, *places: int) -> None:
    """Take back some benefits of a decision, or all."""
    chosen = places or tuple(range(len(granted_benefits(entry))))
    entries = (CreditEntry(EntryKind.VOIDED, world.now, "test", "void/1", chosen),)
    assert world.credits.write_entries([EntriesChange(entry.key, (), entries)]) == [True]


def then_the_right_list(world: World, *rows: bytes) -> None:
    world.lists.upload(RIGHT_KEY, list_of(rows))
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    asked = event(detail_type="Campaign Requested", key=RIGHT_KEY, rows=len(rows), **facts)
    world.publish(asked)
    world.run_until_quiet()


def net(world: World, account: str) -> dict[str, int]:
    """What all campaigns together leave an account, by measure."""
    found: dict[str, int] = {}
    for entry in world.ledger.of_account(account):
        for measure, size in net_worth(entry).items():
            found[measure] = found.get(measure, 0) + int(size)
    return {measure: size for measure, size in found.items() if size}


def test_after_all_was_voided_the_right_list_pays_in_full() -> None:
    world = granted_world()
    for entry in world.ledger.all_entries():
        void(world, entry)
    assert net(world, "a-1") == {}
    then_the_right_list(world, row("a-1", fee="20.00"))
    assert net(world, "a-1") == {"EUR": 200, "call_minute": 20}
    second = world.ledger.of_account("a-1")[-1]
    assert (second.key.seq, second.status) == (2, Outcome.GRANTED)
    assert '"earlier"' not in second.body


def test_what_was_not_voided_is_set_off_as_ever() -> None:
    world = granted_world()
    entry = world.ledger.of_account("a-1")[0]
    void(world, entry, 1)  # the minutes alone
    then_the_right_list(world, row("a-1", fee="60.00"))
    assert net(world, "a-1") == {"EUR": 600, "call_minute": 20}
    second = read_decision(world.ledger.of_account("a-1")[-1].body)
    assert [one.money.minor for one in second.benefits if one.money] == [100]
    assert [one.explained for one in world.ask("a-1").decisions] == [Explained.AGREES] * 2


def test_where_all_was_voided_a_later_list_may_decline() -> None:
    world = granted_world()
    void(world, world.ledger.of_account("a-1")[0])
    then_the_right_list(world, row("a-1", affected="no"))
    assert [one.status for one in world.ledger.of_account("a-1")] == [Outcome.GRANTED, Outcome.DECLINED]


def test_without_a_void_a_later_list_declines_nobody() -> None:
    world = granted_world()
    then_the_right_list(world, row("a-1", affected="no"))
    assert [one.status for one in world.ledger.of_account("a-1")] == [Outcome.GRANTED]


def test_what_a_person_granted_beside_the_list_is_not_paid_again() -> None:
    world = granted_world()
    like = world.ledger.of_account("a-1")[0]
    by_hand = replace(like, key=DecisionKey("by-hand", INCIDENT_ID, like.key.subject, 1), origin=-1)
    world.ledger.insert([by_hand])
    then_the_right_list(world, row("by-hand", fee="50.00"), row("new", fee="50.00"))
    assert [one.key.seq for one in world.ledger.of_account("by-hand")] == [1]
    assert [one.key.seq for one in world.ledger.of_account("new")] == [2]


@pytest.mark.parametrize(("voided", "owed"), [((), None), ((0, 1), (500, 20)), ((0,), (500, None)), ((1,), (None, 20))])
def test_a_later_decision_owes_exactly_what_was_voided(
    voided: tuple[int, ...], owed: tuple[int | None, int | None] | None
) -> None:
    world = granted_world()
    entry = world.ledger.of_account("a-1")[0]
    if voided:
        void(world, entry, *voided)
    before = stands_before(world.ledger.of_account("a-1"))
    again = still_owed(read_decision(entry.body), before)
    if owed is None:
        assert again is None
        return
    assert again is not None
    money = next((one.money.minor for one in again.benefits if one.money), None)
    minutes = next((int(one.quantity) for one in again.benefits if one.quantity), None)
    assert (money, minutes) == owed


def test_a_subject_of_which_all_is_void_has_no_outcome_that_stands_in_the_way() -> None:
    world = granted_world()
    void(world, world.ledger.of_account("a-1")[0])
    assert stands_before(world.ledger.of_account("a-1")) == Before(None, ())


def test_whoever_asks_hears_that_it_was_voided() -> None:
    world = granted_world()
    void(world, world.ledger.of_account("a-1")[0])
    (standing,) = standings(world.ask("a-1").decisions)
    assert (standing.state, dict(standing.granted)) == (Now.VOIDED, {})
