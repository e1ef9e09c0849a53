"""Who belongs to a void and who does not: to the second, by the void's own name, and whoever was faster meanwhile."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from kulanz.application.delivery.advance_void import advance_void
from kulanz.application.delivery.deliver_chunk import ROUNDS_MOST
from kulanz.application.delivery.void_chunk import VoidDone, void_chunk
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import PinnedVersionGone, TryAgain, VoidMessage
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.void import Share, Void, VoidState
from kulanz.domain.ledger.entries import granted_benefits, net_worth
from tests.support import world_voids
from tests.support.by_hand import decide, door_of
from tests.support.exporting import small_stretches
from tests.support.faults import Tap
from tests.support.small_campaign import CAMPAIGN, row
from tests.support.voiding import closed, net, planned, stands
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import CAUSE, advance_ports, approved, asked, run_voids, worked
from tests.unit.application.cases.test_conflicts_and_rejected import at, undelivered
from tests.unit.application.delivery.test_voiding_overpaid import SECOND, first, then
from tests.unit.application.delivery.test_voiding_overpaid import net as net_of
from tests.unit.application.delivery.test_voiding_overpaid import voided as voided_of_overpaid


def ended(world: World, void: Void) -> Void:
    """A void that was asked for, at its end."""
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    return stands(world, void)


@pytest.mark.parametrize(("beside", "is_planned"), [(-1, False), (0, False), (1, False), (1, True)])
def test_an_account_that_is_recognised_by_the_instant_of_the_opening_is_voided_and_later_none(
    beside: int, *, is_planned: bool
) -> None:
    """Whether its decision was there when the plan was made, or not: both passes say the same."""
    world = undelivered()
    opens_at = world.now + timedelta(seconds=10)
    if beside <= 0:
        world.now = opens_at + timedelta(seconds=beside)
        assert decide(door_of(world), "b-d", row=at("wrong account")).status == 200
    world.now = opens_at - timedelta(seconds=1)  # asking takes a second
    void = asked(world, ANNA)
    assert void.opened_at == opens_at
    if is_planned:
        run_voids(world)
    if beside > 0:
        world.now = max(world.now, opens_at + timedelta(seconds=beside))
        assert decide(door_of(world), "b-d", row=at("wrong account")).status == 200
    void = ended(world, void)
    assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
    assert net(world, "b-d") == ({} if beside <= 0 else {"EUR": 400, "call_minute": 20})
    assert void.plan.totals.unmatched == void.apply.totals.unmatched


def test_a_row_that_a_person_decides_after_the_opening_is_of_the_list_as_before() -> None:
    """It stands as a decision of the campaign, and has nothing that was granted by then."""
    world = undelivered()
    void = planned(world)
    before = net(world, "held-1")
    assert before == {}
    assert decide(door_of(world), "held-1", facts={"fee": "40.00"}).status == 200
    given = net(world, "held-1")
    assert given
    void = ended(world, void)
    assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
    assert net(world, "held-1") == given


@pytest.mark.parametrize("other", ["wrong-list-2", "wrong", "wrong-lis", "2-wrong-list", "wrong-list-wrong-list"])
def test_a_void_whose_name_is_like_anothers_takes_what_that_one_left(other: str) -> None:
    world = closed()
    earlier = 0
    for entry in world.ledger.all_entries():
        if len(granted_benefits(entry)) > 1:
            one = CreditEntry(EntryKind.VOIDED, world.now, "anna", f"void/1/{other}", (0,))
            assert world.credits.write_entries([EntriesChange(entry.key, (), (one,))]) == [True]
            earlier += 1
    assert earlier
    left = net(world)
    assert left
    void = ended(world, asked(world, ANNA))
    assert void.apply.totals.by_measure(Share.VOIDED) == left
    assert net(world) == {}


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries each wave of the pass after a plan was paced by."""
    found: list[int] = []

    def pace(self: VoidWriter, number: int, began: float) -> None:
        assert began >= self.clock.seconds_left()
        if self.work is Pass.APPLY:
            found.append(number)

    monkeypatch.setattr(VoidWriter, "pace", pace)
    return found


def somebody_faster(world: World, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Of the next writes of several decisions some fail, as where somebody else changes their entries meanwhile."""
    write, left = world.credits.write_entries, [times]

    def writing(changes: Sequence[EntriesChange]) -> list[bool]:
        if len(changes) < 2 or not left[0]:
            return write(changes)
        left[0] -= 1
        return [False, *write(changes[1:])]

    monkeypatch.setattr(world.credits, "write_entries", writing)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_wave_of_several_rounds_is_paced_by_what_all_of_them_wrote(
    paced: list[int], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    world = closed()
    void = planned(world)
    somebody_faster(world, monkeypatch, times)
    void = ended(world, void)
    assert void.state is VoidState.VOIDED
    assert sum(paced) == void.apply.totals.decisions
    assert net(world) == {}


@pytest.mark.parametrize("times", [0, 1, 2])
def test_so_is_a_wave_that_reduces_several_decisions_of_a_subject_one_after_the_other(
    paced: list[int], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    accounts = [f"a-{number}" for number in range(4)]
    world = first(*(row(account, fee="20.00") for account in accounts))
    then(world, *(row(account, fee="50.00") for account in accounts))
    then(world, *(row(account, fee="10.00") for account in accounts))
    somebody_faster(world, monkeypatch, times)
    void = voided_of_overpaid(world, f"{SECOND[:-1]}3")
    assert void.state is VoidState.VOIDED
    reduced = [entry for entry in world.ledger.all_entries() if entry.voided]
    assert len(reduced) == 2 * len(accounts)
    assert sum(paced) == len(reduced)
    assert {net_of(world, account)["EUR"] for account in accounts} == {100}
    assert sum(int(net_worth(entry).get("EUR", 0)) for entry in world.ledger.all_entries()) == 100 * len(accounts)


def test_of_what_moved_since_the_plan_only_what_was_planned_is_voided() -> None:
    """One credit went to the biller meanwhile; another came back from it, which the plan had left there."""
    world = closed()
    moving = [entry for entry in world.ledger.all_entries() if len(granted_benefits(entry)) > 1]
    assert len(moving) > 1

    def write(place: int, kind: EntryKind, **stated: Any) -> None:
        for entry in moving:
            one = CreditEntry(kind, world.now, "x", f"{kind}/{place}", (place,), delivery="billing/1", **stated)
            before = world.credits.of(entry.key)
            assert world.credits.write_entries([EntriesChange(entry.key, before, (*before, one))]) == [True]

    write(1, EntryKind.ASSIGNED)
    void = planned(world)
    world.now += timedelta(seconds=1)
    write(0, EntryKind.ASSIGNED)
    write(1, EntryKind.REJECTED, code="closed")
    void = ended(world, void)
    assert void.state is VoidState.VOIDED
    for entry in moving:
        kinds = [one.kind for one in world.credits.of(entry.key)]
        assert kinds == [EntryKind.ASSIGNED, EntryKind.ASSIGNED, EntryKind.REJECTED]
    assert void.apply.totals.by_measure(Share.CHANGED)["EUR"] > 0


def test_a_message_about_a_chunk_that_is_done_does_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[int, VoidDone]] = []
    work = void_chunk

    def worked(message: VoidMessage, *asked: Any) -> VoidDone:
        first, again = (work(message, *asked) for _ in range(2))  # as a queue delivers it at least once
        done.extend([(message.chunk, first), (message.chunk, again)])
        return again

    monkeypatch.setattr(world_voids, "void_chunk", worked)
    world = closed()
    chunks = len(world.campaign(CAMPAIGN).chunks)
    assert chunks > 1
    void = ended(world, asked(world, ANNA))
    assert void.state is VoidState.VOIDED
    for work_name in ("plan", "apply"):
        said = [(chunk, one) for chunk, one in done if one.work == work_name]
        assert [chunk for chunk, _ in said] == sorted({chunk for chunk, _ in said})
        assert len(said) == chunks
        assert sum(one.lines for _, one in said) == void.plan.totals.lines
    others = [one for _, one in done if not one.work]
    assert len(others) == 2 * chunks
    assert {(one.lines, one.decisions, one.receipts) for one in others} == {(0, 0, 0)}


def test_of_a_subject_with_more_decisions_than_a_write_has_rounds_all_are_reduced_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def worked_at_once(*asked: Any) -> VoidDone:
        try:
            return void_chunk(*asked)
        except TryAgain as again:
            raise AssertionError(str(again)) from again

    monkeypatch.setattr(world_voids, "void_chunk", worked_at_once)
    fees = ["10.00", "20.00", "30.00", "40.00", "50.00", "60.00", "70.00", "80.00"]
    assert len(fees) > ROUNDS_MOST + 1
    world = first(row("a-1", fee=fees[0]))
    for fee in (*fees[1:], "0.50"):
        then(world, row("a-1", fee=fee))
    void = voided_of_overpaid(world, f"{SECOND[:-1]}{len(fees) + 1}")
    assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
    assert net_of(world, "a-1")["EUR"] == 5
    assert sum(bool(entry.voided) for entry in world.ledger.all_entries()) == len(fees)


def test_a_plan_that_was_made_meanwhile_is_not_rejected_by_a_worker_that_came_late() -> None:
    """Its list went while it read; another worker had planned all by then."""
    world = first(row("a-1", fee="50.00"))
    then(world, row("a-1", fee="20.00"))
    void = asked(world, ANNA, name="difference", campaign=SECOND, is_of_overpaid=True)
    late: list[str] = []

    def choose(_: int, name: str) -> None:
        if name == "lists.read" and not late:
            late.append(name)
            run_voids(world)
            assert stands(world, void).state is VoidState.AWAITING_APPROVAL
            raise PinnedVersionGone("it was deleted")

    advance_void(void.id, advance_ports(world), CAUSE, world.now)
    (message, *_) = world.chunks.voids
    with suppress(TryAgain):
        worked(world, message, Tap(choose))
    assert late
    assert stands(world, void).state is VoidState.AWAITING_APPROVAL


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_a_message_about_a_chunk_that_there_is_not_does_nothing(beyond: int) -> None:
    world = closed()
    void = asked(world, ANNA)
    advance_void(void.id, advance_ports(world), CAUSE, world.now)
    chunks, sent = len(world.campaign(CAMPAIGN).chunks), list(world.chunks.voids)
    worked(world, replace(sent[0], chunk=beyond if beyond < 0 else chunks + beyond))
    assert (world.chunks.voids, list(world.voids.receipts(void.id, Pass.PLAN))) == (sent, [])


@pytest.mark.parametrize("most", [1, 2, 3])
def test_of_what_was_overpaid_an_attempt_ends_between_stretches_where_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Never before its first one: each receipt has a stretch, and the next one goes on behind it."""
    small_stretches(monkeypatch, most)
    accounts = [f"a-{number}" for number in range(6)]
    world = first(*(row(account, fee="50.00") for account in accounts), chunk_bytes=1_000_000)
    then(world, *(row(account, fee="20.00") for account in accounts))
    monkeypatch.setattr(VoidWriter, "must_end", lambda _: True)
    monkeypatch.setattr(VoidWriter, "per_wave", property(lambda _: len(accounts)))
    void = voided_of_overpaid(world)
    assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
    assert {net_of(world, account)["EUR"] for account in accounts} == {200}
    for work in Pass:
        receipts = sorted(world.voids.receipts(void.id, work), key=lambda one: one.start)
        assert [one.totals.lines for one in receipts if one.totals.lines] == [most] * (len(accounts) // most)
        assert all(one.end == other.start for one, other in pairwise(receipts))
        assert [one.finishes_chunk for one in receipts] == [False] * (len(receipts) - 1) + [True]
