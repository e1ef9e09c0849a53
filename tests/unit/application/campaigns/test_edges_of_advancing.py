"""Advancing and watching campaigns: what receipts add up to, which reminder is told, and what a watch forgets."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.campaigns import advance_campaign as module
from kulanz.application.campaigns import watch_open as watching
from kulanz.application.campaigns.advance_campaign import AdvancePorts, add_up, advance_campaign
from kulanz.application.campaigns.watch_open import WatchPorts, watch_open
from kulanz.application.ports import GivenUpBatch, OpenCampaign, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, Pass, Progress, Receipt, State
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.campaigns.trouble import STALLED_AFTER, Trouble, TroubleKind
from kulanz.domain.gate.approval import Reminder
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.values import DATA_START, NOW, SIZE, campaign
from tests.support.world import World

ID = CampaignId.parse(CAMPAIGN)
MIDDLE = DATA_START + 400


def receipt(start: int, end: int, lines: int, known: int) -> Receipt:
    """A range of the list, with figures that are powers of two."""
    measured = Measured(known=known, other_currency=16 * known)
    return Receipt(campaign().id, Pass.PLAN, 0, start, end, None, False, Totals(lines=lines), measured=measured)


def test_receipts_add_up_in_every_figure_and_an_empty_one_is_no_gap() -> None:
    found = [
        receipt(DATA_START, DATA_START, 1, 1),
        receipt(DATA_START, MIDDLE, 2, 2),
        receipt(MIDDLE, MIDDLE, 4, 4),
        receipt(MIDDLE, SIZE, 8, 8),
        receipt(SIZE, SIZE, 16, 16),
    ]
    totals, measured, gap = add_up(campaign(), found)
    assert (totals.lines, measured.known, measured.other_currency, gap) == (10, 10, 160, "")


@pytest.mark.parametrize(
    ("ranges", "gap"),
    [
        ([(DATA_START, MIDDLE)], f"the receipts end at byte {MIDDLE} of {SIZE}"),
        ([(DATA_START + 1, SIZE)], f"expected a receipt at byte {DATA_START}, found one at {DATA_START + 1}"),
        ([(DATA_START, MIDDLE), (MIDDLE + 1, SIZE)], f"expected a receipt at byte {MIDDLE}, found one at {MIDDLE + 1}"),
        ([(DATA_START, MIDDLE), (MIDDLE - 1, SIZE)], f"expected a receipt at byte {MIDDLE}, found one at {MIDDLE - 1}"),
        ([], f"the receipts end at byte {DATA_START} of {SIZE}"),
    ],
)
def test_the_first_place_where_receipts_leave_a_gap_or_overlap_is_named(
    ranges: Sequence[tuple[int, int]], gap: str
) -> None:
    assert add_up(campaign(), [receipt(*one, 1, 1) for one in ranges])[-1] == gap


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_list_of_more_or_of_fewer_rows_than_were_announced_is_refused_with_both_numbers(more: int) -> None:
    world = small_world(approvers=())
    world.publish(event(rows=ROWS + more))
    world.run_until_quiet()
    found = world.campaign(CAMPAIGN)
    if more == 0:
        assert found.state is State.AWAITING_APPROVAL
        return
    assert found.state is State.REFUSED
    assert found.state_reason.startswith(f"rows_differ: rows announced by the event: {ROWS + more}, rows of the list")
    assert f"not blank: {ROWS};" in found.state_reason


def waiting() -> World:
    """A plan that waits and was announced."""
    world = small_world(approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_of_several_reminders_that_are_due_the_last_one_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = waiting()
    told = len(world.announcer.announced)
    reminders = list(Reminder)
    assert len(reminders) > 2
    for number in (1, len(reminders)):
        monkeypatch.setattr(module, "due_reminders", lambda *_, number=number: tuple(reminders[:number]))
        for _ in range(2):
            advance_campaign(ID, world._advance_ports(), Cause("x", "y", "z"), world.now)
        last = reminders[number - 1]
        assert len(world.announcer.announced) == (told := told + 1)
        report = json.loads(world.announcer.announced[-1].detail)
        assert report["reason"].endswith(f"; reminder: {last}")
        assert [key for key in world.archive.documents if key.endswith(f"-{last}.json")] != []
        assert world.campaign(CAMPAIGN).announced.endswith(f"-{last}")


class Watched:
    """What a watch reads and writes, of campaigns that are as they are said to be."""

    def __init__(self, found: Mapping[CampaignId, Campaign], seen: Sequence[OpenCampaign] = ()) -> None:
        self.found, self.seen = found, seen
        self.known: dict[tuple[TroubleKind, str], Trouble] = {}
        self.noted: list[OpenCampaign] = []
        self.batches: dict[str, GivenUpBatch] = {}
        self.looked_at: list[str] = []
        self.opened: list[str] = []
        self.before_batches: Callable[[], object] = lambda: None

    def open_campaigns(self) -> list[OpenCampaign]:
        return list(self.seen)

    def campaign(self, of: CampaignId) -> Campaign | None:
        return self.found.get(of)

    def filed_plan(self, _: CampaignId) -> None:
        return None

    def troubles(self) -> list[Trouble]:
        return list(self.known.values())

    def note(self, kind: TroubleKind, on: str, now: Any) -> None:
        self.known.setdefault((kind, on), Trouble(kind, on, now, now))

    def repaired(self, kind: TroubleKind, on: str, _: object) -> None:
        self.known.pop((kind, on), None)

    def note_seen(self, seen: OpenCampaign) -> None:
        self.noted.append(seen)

    def keys(self) -> list[str]:
        return list(self.batches)

    def batch(self, key: str) -> GivenUpBatch:
        return self.batches[key]

    def has_looked_at(self, key: str) -> bool:
        self.before_batches()
        return key in self.looked_at

    def note_looked_at(self, key: str) -> None:
        self.looked_at.append(key)

    def open_tables(self) -> list[str]:
        return self.opened

    def watch(self) -> watching.Watched:
        """What the schedule does."""
        stores = cast("Any", self)
        advance = cast("AdvancePorts", SimpleNamespace(campaigns=self))
        return watch_open(WatchPorts(advance, stores, stores, stores, stores), Cause("w", "s", "1"), NOW, lambda: 99.0)


@pytest.fixture(autouse=True)
def _nothing_moves(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Where a watch is tried alone, campaigns are not moved on, but for those that a test says fail."""
    if "failing" in request.fixturenames:
        failing: set[CampaignId] = request.getfixturevalue("failing")

        def moved(of: CampaignId, *_: object) -> None:
            if of in failing:
                raise TryAgain("busy")

        monkeypatch.setattr(watching, "advance_campaign", moved)


@pytest.fixture
def failing() -> set[CampaignId]:
    """The campaigns that cannot be moved on."""
    return set()


BEFORE = NOW - STALLED_AFTER


@pytest.mark.parametrize("part", ["plan.bytes_done", "apply.bytes_done", "plan.sent", "apply.sent", ""])
@pytest.mark.usefixtures("failing")
def test_a_campaign_has_moved_where_any_of_its_figures_has(part: str) -> None:
    progress = {"plan": Progress(1, 2, Totals()), "apply": Progress(4, 8, Totals())}
    found = replace(campaign(ID), **cast("Any", progress))
    seen = OpenCampaign(ID, found.state, BEFORE, came_to=15, seen_at=BEFORE)
    if part:
        name, _, of = part.partition(".")
        more = {of: getattr(progress[name], of) + 16}
        found = replace(found, **cast("Any", {name: replace(progress[name], **more)}))
    world = Watched({ID: found}, [seen])
    world.watch()
    assert list(world.known) == ([] if part else [(TroubleKind.STALLED, CAMPAIGN)])
    assert [one.came_to for one in world.noted] == ([31] if part else [])


def test_what_failed_and_works_again_in_the_same_watch_is_no_failure(failing: set[CampaignId]) -> None:
    """A campaign that a batch names a second time is tried a second time; another one goes on failing."""
    other = CampaignId("another", 1)
    seen = [OpenCampaign(one, State.PLANNING, BEFORE, came_to=0, seen_at=None) for one in (ID, other)]
    world = Watched({one: campaign(one) for one in (ID, other)}, seen)
    failing |= {ID, other}
    world.batches = {"a": GivenUpBatch("a", moved=(ID,)), "b": GivenUpBatch("b", moved=(other,))}
    world.before_batches = lambda: failing.discard(ID)
    found = world.watch()
    assert found.failed == ((other, "TryAgain: busy"),)
    assert world.looked_at == ["a"], "a batch is looked at until all that it names could be moved on"


@pytest.mark.usefixtures("failing")
def test_each_table_that_is_open_is_a_trouble_until_it_is_closed_and_each_by_its_name() -> None:
    world, kind = Watched({}), TroubleKind.OPEN_TABLE
    world.known = {(kind, name): Trouble(kind, name, BEFORE, BEFORE) for name in ("credits", "campaigns")}
    world.opened = ["campaigns", "drafts"]
    world.watch()
    assert sorted(world.known) == [(kind, "campaigns"), (kind, "drafts")]


def test_a_campaign_that_cannot_be_moved_on_is_stuck_also_where_it_is_not_listed_any_more(
    failing: set[CampaignId],
) -> None:
    gone, stuck = CampaignId("gone", 1), TroubleKind.STUCK
    world = Watched({ID: campaign(ID)})
    world.known = {(stuck, str(one)): Trouble(stuck, str(one), BEFORE, BEFORE) for one in (ID, gone)}
    world.batches = {"a": GivenUpBatch("a", moved=(ID,))}
    failing.add(ID)
    world.watch()
    assert list(world.known) == [(stuck, CAMPAIGN)]
