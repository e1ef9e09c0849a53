"""What nothing can count is stated by persons: within what the records prove, once, by two where much is set free."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.campaigns.control_campaign import cancel, may_write_until, settle
from kulanz.application.ledger.state_amounts import (
    StatePorts,
    StateRefused,
    Uncounted,
    look_at,
    state_amounts,
    stated_amounts,
)
from kulanz.domain.budgets import Needed, Reservation
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.gate.stated import Between, Stated, known_of
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.people.caller import Caller, Machine, PersonNeeded, caller_with
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.budget_checks import check_budgets
from tests.support.effort import examples
from tests.support.faults import Fault, Tap
from tests.support.small_campaign import event
from tests.support.world import ANNA, BEN, World
from tests.support.world_door import Somebody, WorldDoor
from tests.unit.application.ledger.test_settle_budgets import (
    DEAD,
    FIRST,
    HAND,
    control,
    in_the_ledger,
    limit,
    midway,
    send,
    used,
)

CARL = ANNA.replace("anna", "carl")
ENOUGH = GateSettings(second_person_above={"EUR": 10**9})


def gone(world: World, ended: str = "cancelled") -> World:
    """It ends by a person or by the withdrawal of its incident, its workers are dead, and its list is deleted."""
    if ended == "cancelled":
        cancel(FIRST, control(world), "wrong", HAND, world.now)
    else:
        world.publish(event(rows=3, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    pinned = world.campaign(str(FIRST)).pinned
    world.lists.delete_version(pinned.key, pinned.version_id)
    world.now += DEAD
    world.settle()
    return world


def found(world: World) -> Uncounted:
    return look_at(world.campaign(str(FIRST)), world.campaigns, world.budgets, world.troubles)


def state(world: World, granted: int, by: str = ANNA, as_id: str = "s-1", **more: Any) -> Uncounted:
    gate = more.pop("gate", ENOUGH)
    caller: Caller = more.pop("caller", caller_with(by))
    amounts = stated_amounts({"EUR": granted}, more, found(world).known)
    stated = Stated(as_id, amounts, by, "counted by hand", world.now)
    ports = StatePorts(world.campaigns, world.budgets, world.troubles, gate, NOBODY_LISTED)
    return state_amounts(FIRST, stated, caller, ports)


def claimable_in_the_ledger(world: World) -> int:
    """What the bodies of all decisions offer, or let claim."""
    decisions = [read_decision(entry.body) for entry in world.ledger.all_entries()]
    offers = [one for decision in decisions for one in decision.claimable if one.money is not None]
    return sum(one.money.minor for one in offers if one.money is not None)


def test_what_was_granted_is_spent_as_stated_and_the_rest_is_free() -> None:
    world = gone(midway())
    limit(world, 44_000)
    assert found(world).is_open
    (trouble,) = world.troubles.troubles()
    assert (trouble.kind, "kulanz budget settle" in trouble.says) == (TroubleKind.UNCOUNTED, True)
    after = state(world, in_the_ledger(world))
    assert used(world) == (found(world).known["EUR"].most.claimable, in_the_ledger(world))
    assert after.stated is not None
    assert (after.stated.person, after.stated.is_settled, after.is_open) == (ANNA, True, False)
    check_budgets(world)
    world.now += timedelta(minutes=5)
    world.settle()
    assert used(world) == (0, in_the_ledger(world)), "nobody accepts what a cancelled campaign offers"
    world.settle()
    assert (world.troubles.troubles(), world.budgets.reserved()) == ([], [])
    assert FIRST not in world.campaigns.waiting()


ROW = st.tuples(st.sampled_from(["a", "b", "c", "d", "e"]), st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=examples(60))
@given(
    lines=st.lists(ROW, min_size=2, max_size=14),
    steps=st.integers(0, 60),
    killed_at=st.integers(0, 4),
    ended=st.sampled_from(["cancelled", "withdrawn"]),
)
def test_whenever_it_ended_the_truth_is_possible_and_settles_as_the_pass_would_have(
    lines: list[tuple[str, int, int]], steps: int, killed_at: int, ended: str
) -> None:
    """Also where the list names accounts twice, and a worker died between its writes and its receipt."""
    world = World(chunk_bytes=60)
    send(world, [(name, f"{fee}.00", f"{extra}.00") for name, fee, extra in lines])
    inserts = iter(range(1_000))
    world.tap = Tap(
        lambda _, name: Fault.KILLED_AFTER if name == "ledger.insert" and next(inserts) == killed_at else None
    )
    for _ in range(steps):
        if not world.steps():
            break
        world.run(world.steps()[-1])
    world.tap = Tap()
    campaign = world.campaigns.campaign(FIRST)
    if campaign is None or campaign.state is not State.APPLYING or not world.campaigns.reservations(FIRST):
        return
    counted = world.copy()
    cancel(FIRST, control(counted), "wrong", HAND, counted.now)
    counted.now += DEAD
    counted.settle()
    assert used(counted) == (0, in_the_ledger(counted))
    gone(world, ended)
    if world.campaign(str(FIRST)).state is State.CLOSED:
        return
    known = found(world).known["EUR"]
    truth = Needed(in_the_ledger(world), claimable_in_the_ledger(world))
    assert known.has(truth), (known, truth)
    if world.campaign(str(FIRST)).apply.totals.lines == len(lines):
        assert known.least.granting == known.most.granting == truth.granting
    state(world, truth.granting, EUR=truth.claimable)
    world.settle()
    assert used(world) == (0, in_the_ledger(world)) == used(counted)
    check_budgets(world)
    assert world.budgets.reserved() == []


@pytest.mark.parametrize(
    ("write_result", "most"),
    [(one, 1_000 if one in IN_THE_LEDGER else 600) for one in WriteResult if one is not WriteResult.NONE],
)
def test_what_receipts_say_was_not_written_is_not_possible_any_more(write_result: WriteResult, most: int) -> None:
    """Of the planned 10.00 a receipt has 4.00, with this write result: the other 6.00 have no receipt."""
    plan = gone(midway()).campaigns.filed_plan(FIRST)
    assert plan is not None
    plan = replace(plan, granted={"EUR": 1_000}, offered={"EUR": 1_000}, claimable={"EUR": 30})
    made = Reservation(str(FIRST), "EUR", "2026-03", 1_000, 1_030, 2_030)
    sums: dict[SumKey, int | Decimal] = {
        SumKey(result, write_result, "EUR"): 400 for result in (RowResult.GRANTED, RowResult.OFFERED)
    }
    known = known_of(plan, Totals(sums=sums), [made])["EUR"]
    least = 400 if write_result in IN_THE_LEDGER else 0
    assert known == Between(Needed(least, least), Needed(most, most + 30))


def edges() -> Iterator[tuple[str, int]]:
    known = found(gone(midway())).known["EUR"]
    assert known.least.granting < known.most.granting
    yield "", known.least.granting
    yield "", known.most.granting
    yield "not_possible", known.least.granting - 1
    yield "not_possible", known.most.granting + 1


def test_what_is_stated_lies_between_the_receipts_and_the_plan() -> None:
    start, wrong = gone(midway()), []
    for reason, granted in edges():
        world = start.copy()
        before = used(world)
        try:
            state(world, granted)
            got = ""
        except StateRefused as refusal:
            got = refusal.reason
            assert used(world) == before
        if got != reason:
            wrong.append((granted, got))
    assert wrong == []
    with pytest.raises(StateRefused, match="EUR: less than"):
        state(start.copy(), in_the_ledger(start), EUR=found(start).known["EUR"].most.claimable + 1)


def test_much_is_set_free_by_two_persons_who_state_the_same() -> None:
    world = gone(midway())
    known = found(world).known["EUR"]
    granted = known.least.granting
    free = known.most.amount - Needed(granted, known.most.claimable).amount
    strict = GateSettings(second_person_above={"EUR": free - 2})
    just = GateSettings(second_person_above={"EUR": free})
    alone = world.copy()
    assert state(alone, granted, gate=just).campaign.id == FIRST
    assert used(alone)[1] == granted
    less = world.copy()
    assert state(less, granted, gate=just, EUR=known.most.claimable - 1).is_open, "claimable that is set free counts"
    before = used(world)
    for gate in (strict, GateSettings()):
        waits = world.copy()
        assert state(waits, granted, gate=gate).is_open
        assert used(waits) == before, "one person's word"
        assert state(waits, granted, gate=gate).stated is not None, "the same again is the same"
        with pytest.raises(StateRefused, match="ask another person"):
            state(waits, granted, as_id="s-2", gate=gate)
        state(waits, granted + 1, BEN, "s-3", gate=gate)
        assert used(waits) == before, "another amount is another statement"
        state(waits, granted, CARL, "s-4", gate=gate)
        assert used(waits) == before
        done = state(waits, granted, BEN, "s-5", gate=gate)
        assert used(waits) == (known.most.claimable, granted)
        assert done.stated is not None
        assert (done.stated.person, done.stated.second, done.stated.is_settled) == (CARL, BEN, True)
        assert state(waits, granted, BEN, "s-5", gate=gate).stated == done.stated
        assert state(waits, granted, CARL, "s-4", gate=gate).stated == done.stated
        with pytest.raises(StateRefused) as refused:
            state(waits, granted, ANNA, "s-6", gate=gate)
        assert refused.value.reason == "nothing_to_settle"
    lone = world.copy()
    state(lone, granted, gate=GateSettings(lone_operator=True))
    assert used(lone)[1] == granted
    all_of_it = world.copy()
    state(all_of_it, known.most.granting, gate=GateSettings())
    assert used(all_of_it)[1] == known.most.granting, "nothing is set free that the records do not prove"


def test_nothing_is_stated_of_what_can_be_counted_or_may_still_change() -> None:
    running = midway()
    with pytest.raises(StateRefused) as refused:
        state(running, 0)
    assert refused.value.reason == "not_over"
    cancel(FIRST, control(running), "wrong", HAND, running.now)
    with pytest.raises(StateRefused) as refused:
        state(running, in_the_ledger(running))
    assert refused.value.reason == "not_over", "its workers may still write"
    until = may_write_until(running.campaign(str(FIRST)), running.campaigns)
    assert until is not None
    for now, reason in ((until - timedelta(microseconds=1), "not_over"), (until, "is_counted")):
        running.now = now
        with pytest.raises(StateRefused) as refused:
            state(running, in_the_ledger(running))
        assert refused.value.reason == reason, "a worker has until that instant"
    running.now += DEAD
    with pytest.raises(StateRefused) as refused:
        state(running, in_the_ledger(running))
    assert refused.value.reason == "is_counted", "its list is there"
    machine, uncounted = "sts:AROAABCDEFGHIJKLMNOP:deploy", gone(midway())
    with pytest.raises(PersonNeeded):
        state(uncounted, 0, machine, caller=Machine(machine, "a role"))


def test_a_list_that_is_back_is_counted_and_then_nothing_is_stated_any_more() -> None:
    world = midway()
    pinned = world.campaign(str(FIRST)).pinned
    back = world.copy()
    gone(world)
    world.lists = back.lists
    world.now += timedelta(minutes=5)
    world.settle()
    assert world.troubles.troubles() == []
    assert used(world) == (0, in_the_ledger(world))
    assert pinned == world.campaign(str(FIRST)).pinned
    with pytest.raises(StateRefused) as refused:
        state(world, in_the_ledger(world))
    assert refused.value.reason == "nothing_to_settle"


def test_what_customers_may_still_accept_stays_reserved_until_they_cannot() -> None:
    world = midway()
    world.publish(event(rows=3, detail_type="Incident Withdrawn", revision=2, campaign=...))
    gone(world, "withdrawn")
    settle(FIRST, control(world), "as it is", HAND, world.now)
    state(world, in_the_ledger(world))
    world.settle()
    assert used(world) == (0, in_the_ledger(world)), "a withdrawn incident has no offers"


def test_the_door_answers_what_is_known_and_settles_and_the_log_says_who() -> None:
    world = gone(midway())
    door = WorldDoor(world)
    door.gate = GateSettings()
    asked = door.get("budgets/reserved/net-outage/1").content
    (item,) = asked["reserved"]
    assert asked["must_be_stated"] is True
    assert (item["currency"], item["is_settled"]) == ("EUR", False)
    truth = f"{in_the_ledger(world) / 100:.2f}"
    assert float(item["granted_least"]) <= float(truth) <= float(item["granted_most"])
    body = {"granted": {"EUR": truth}, "reason": "counted by hand"}
    first = door.put("settlements/net-outage/1/s-1", body, Somebody(ANNA))
    assert (first.status, first.content["stated"]["persons_needed"]) == (200, 2), first.content
    assert first.content["stated"]["is_settled"] is False
    second = door.put("settlements/net-outage/1/s-2", body, Somebody(BEN))
    assert (second.status, second.content["stated"]["second"]) == (200, BEN)
    assert second.content["stated"]["persons_needed"] == 2, "as many as stated it"
    assert second.content["reserved"][0]["is_settled"] is True
    assert used(world)[1] == in_the_ledger(world)
    logged = [(one.actor, one.action, one.reason) for one in door.actions.entries]
    assert logged == [
        (ANNA, f"stated {truth} EUR granted of", "counted by hand"),
        (BEN, f"stated {truth} EUR granted of", "counted by hand"),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"granted": {"EUR": "1.001"}}, "granted"),
        ({"granted": {"USD": "1.00"}}, "granted"),
        ({"granted": {"EUR": "1.00", "USD": "1.00"}}, "granted"),
        ({"granted": {"EUR": "-1.00"}}, "granted.EUR"),
        ({"granted": {}}, "granted"),
        ({"granted": {"EUR": "0.01"}}, "granted"),
        ({"granted": {"EUR": "1.00"}, "claimable": {"USD": "1.00"}}, "claimable"),
        ({"claimable": {"EUR": "1.00"}}, "granted"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(body: dict[str, Any], field: str) -> None:
    world = gone(midway())
    before = used(world)
    refused = WorldDoor(world).put("settlements/net-outage/1/s-1", {**body, "reason": "r"}, Somebody(ANNA))
    assert refused.status in (409, 422)
    assert [one["field"] for one in refused.content["errors"]] == [field], refused.content
    assert used(world) == before
    assert world.budgets.stated(FIRST) is None
