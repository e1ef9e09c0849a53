"""Who belongs to a void and who does not: to the second, by the void's own name, and whoever was faster meanwhile."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.void import Share, Void, VoidState
from kulanz.domain.ledger.entries import granted_benefits, net_worth
from tests.support.by_hand import decide, door_of
from tests.support.small_campaign import row
from tests.support.voiding import closed, net, planned, stands
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import approved, asked, run_voids
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
