"""A worker of a void: how far one receipt goes, what the next one takes up, and what it says that it did."""

from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.application.delivery import void_chunk as module
from kulanz.application.delivery.void_chunk import VoidDone
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.domain.campaigns.campaign import Cause, Pass, PinnedList, State
from kulanz.domain.delivery.void import Ends, Share, Void, VoidState
from kulanz.domain.halt import Halt, HaltAction, Verb
from tests.support import world_voids
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_ROW
from tests.support.voiding import closed, file_of, net, planned, stands
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import CAUSE, approved, asked, run_voids, watched_voids

PACE = 2.0
"""Entries a second: a plan's wave has two lines, and that of the pass after it one."""
MOST = 4


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[VoidDone]:
    """What each worker says that it did, where a receipt has few lines."""
    found: list[VoidDone] = []
    work = module.void_chunk

    def worked(*asked: Any) -> VoidDone:
        found.append(work(*asked))
        return found[-1]

    monkeypatch.setattr(module, "LINES_PER_RECEIPT", MOST)
    monkeypatch.setattr(world_voids, "void_chunk", worked)
    return found


def paced() -> World:
    """A world whose workers are paced from now on."""
    world = closed()
    world.units_per_second = PACE
    return world


def through(world: World, file: PinnedList | None = None) -> Void:
    """A void from its plan to its end."""
    void = planned(world, file)
    approved(world, void, BEN)
    run_voids(world)
    return stands(world, void)


def test_a_receipt_ends_where_it_has_as_many_lines_as_it_may_and_the_worker_says_all_that_it_did(
    done: list[VoidDone],
) -> None:
    world = paced()
    before = net(world)
    void = through(world)
    assert void.state is VoidState.VOIDED
    for work in Pass:
        receipts = list(world.voids.receipts(void.id, work))
        chunks = len(world.campaign(CAMPAIGN).chunks)
        short = [one for one in receipts if one.totals.lines < MOST]
        assert max(one.totals.lines for one in receipts) == MOST
        assert len(short) <= chunks < len(receipts), "only the last receipt of a chunk may have fewer"
        said = [one for one in done if one.work == work.value]
        assert [sum(getattr(one, name) for one in said) for name in ("lines", "decisions", "receipts")] == [
            sum(one.totals.lines for one in receipts), sum(one.totals.decisions for one in receipts), len(receipts),
        ]  # fmt: skip
    assert void.apply.totals.by_measure(Share.VOIDED) == before


def test_a_file_is_gone_on_with_at_the_very_line_and_whom_an_earlier_receipt_named_is_named_before(
    done: list[VoidDone],
) -> None:
    world = paced()
    names = ["granted-1", "nobody", "granted-1", "granted-3", "granted-2", "declined-1", "granted-3", "granted-4"]
    void = through(world, file_of(world, "\n".join(["account_id", *names, ""]).encode()))
    assert void.state is VoidState.VOIDED
    for totals in (void.plan.totals, void.apply.totals):
        assert (totals.lines, totals.decisions, totals.unmatched) == (8, 4, 3)
    assert net(world, "granted-1", "granted-2", "granted-3", "granted-4") == {}
    assert [one.receipts for one in done] == [2, 2]


def test_every_line_that_cannot_be_read_is_looked_up_among_those_that_a_person_recognised(
    done: list[VoidDone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the last one of a wave."""
    world, asked_of = paced(), list[tuple[int, int]]()

    def recognised(_: object, start: int, end: int) -> Mapping[int, Any]:
        asked_of.append((start, end))
        return {}

    monkeypatch.setattr(world.cases, "recognised", recognised)
    planned(world)
    rejected = (
        EVERY_KIND_OF_ROW.index(b"a#b"),
        EVERY_KIND_OF_ROW.index(b"bad-fields"),
        EVERY_KIND_OF_ROW.index(b"bad-long"),
    )
    for offset in rejected:
        assert any(start <= offset < end for start, end in asked_of), offset
    assert done


def test_each_wave_is_paced_by_the_entries_that_it_wrote_and_a_plan_writes_none(
    done: list[VoidDone], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[Pass, int] = dict.fromkeys(Pass, 0)

    def pace(self: VoidWriter, number: int, began: float) -> None:
        assert began >= self.clock.seconds_left()
        written[self.work] += number

    monkeypatch.setattr(VoidWriter, "pace", pace)
    void = through(paced())
    assert written == {Pass.PLAN: 0, Pass.APPLY: void.apply.totals.decisions}
    assert void.apply.totals.decisions > MOST
    assert done


def halted(world: World) -> None:
    """The stack is halted."""
    action = HaltAction("h-1", Verb.SET, "a person", "a wrong file", world.now)
    world.campaigns.change_halt(world.campaigns.halt(), Halt(version=1, number=1, set=action), action)


def test_a_halt_stops_no_plan_and_the_watch_sends_nothing_again_while_it_lasts() -> None:
    world = closed()
    void = asked(world, ANNA)
    halted(world)
    run_voids(world)
    assert stands(world, void).state is VoidState.AWAITING_APPROVAL
    other = closed()
    begun = planned(other)
    approved(other, begun, BEN)
    halted(other)
    run_voids(other)
    for _ in range(3):
        watched_voids(other)
    assert other.chunks.voids == []
    assert stands(other, begun).state is VoidState.VOIDING


def test_a_flagged_campaign_ends_with_its_void_by_the_word_of_whoever_asked_for_that() -> None:
    world = closed()
    campaign = world.campaign(CAMPAIGN)
    change = campaign.change(State.FLAGGED, "incident_withdrawn: by its source", Cause("x", "y", "z"), world.now)
    world.campaigns.change_state(campaign, change)
    void = asked(world, ANNA, ends=Ends.UNUSED)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    last = list(world.campaigns.log(campaign.id))[-1]
    assert (last.target, last.reason) == (
        State.CANCELLED, "voided_by_hand: the void wrong-list took back what was unused (it was the wrong list)",
    )  # fmt: skip
    assert last.cause == Cause(ANNA, void.id.name, CAUSE.code_version)
