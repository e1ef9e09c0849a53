"""The watch of voids and the end of one: what is a trouble and why, what is seen to move, and what a void frees."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from kulanz.application.delivery.advance_void import AdvanceVoidPorts, advance_void, watch_voids
from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Ends, Share, Void, VoidProgress, VoidReceipt, VoidState, VoidTotals
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.money import Size
from tests.support.fake_messages import FakeChunks
from tests.support.fake_troubles import FakeTroubles
from tests.support.fake_voids import FakeVoids
from tests.support.fakes import FakeCampaigns
from tests.support.values import CAUSE, NOW, SIZE
from tests.unit.application.campaigns.test_dispatching import stored

NAMES = ("first", "second")
BERLIN = GateSettings(budget_zone="Europe/Berlin")
LATE = NOW.replace(day=31, hour=23)
"""In Berlin it is April already."""


class Stack:
    """A campaign of three chunks, and voids of it."""

    def __init__(self) -> None:
        self.campaigns, self.campaign = stored(3)
        self.voids, self.queue = FakeVoids(self.campaigns, {}), FakeChunks()
        self.troubles = FakeTroubles(self.campaigns)
        self.ports = AdvanceVoidPorts(self.campaigns, self.voids, self.queue, self.troubles, BERLIN)

    def id_of(self, name: str) -> VoidId:
        """A void of the campaign."""
        return VoidId(self.campaign.id, name)

    def put(self, name: str, state: VoidState, **more: Any) -> Void:
        """A void that stands so."""
        void = Void(self.id_of(name), "why", "anna", "anna", NOW - timedelta(days=3), state=state, **more)
        self.voids.open(void)
        return void

    def now(self, name: str) -> Void:
        """A void as it stands."""
        found = self.voids.void(self.id_of(name))
        assert found is not None
        return found

    def read(self, name: str, work: Pass, *totals: VoidTotals) -> None:
        """Workers have read the chunks of a pass."""
        for chunk, one in enumerate(totals):
            bounds = self.campaign.chunks.bounds(chunk)
            self.voids.record(VoidReceipt(self.id_of(name), work, chunk, *bounds, None, True, one))


def totals(decisions: int, share: Share = Share.VOIDABLE, size: int = 500) -> VoidTotals:
    """What a chunk came to."""
    sums: dict[tuple[Share, str], Size] = {(share, "EUR"): size} if decisions else {}
    return VoidTotals(lines=decisions, decisions=decisions, sums=sums)


def test_each_flagged_void_is_a_trouble_of_its_own_with_its_own_reason_until_it_is_settled() -> None:
    stack, kind = Stack(), TroubleKind.VOID_FLAGGED
    for name in NAMES:
        stack.put(name, VoidState.FLAGGED, state_reason=f"sums_differ: {name}")
    looked = watch_voids(stack.ports, CAUSE, NOW)
    assert looked.flagged == tuple((str(stack.id_of(name)), f"sums_differ: {name}") for name in NAMES)
    assert sorted(stack.campaigns.troubles) == [(kind, str(stack.id_of(name))) for name in NAMES]
    assert {one.since for one in stack.campaigns.troubles.values()} == {NOW}
    stack.voids._set(replace(stack.now("first"), state=VoidState.SETTLED))
    for after in (1, 2):
        watch_voids(stack.ports, CAUSE, NOW + timedelta(minutes=5 * after))
    assert list(stack.campaigns.troubles) == [(kind, str(stack.id_of("second")))]
    assert stack.voids.open_voids() == [stack.id_of("second")]


def test_what_the_pass_that_writes_has_done_counts_as_movement_as_well() -> None:
    stack = Stack()
    whole = VoidProgress(SIZE, 3, totals(3))
    stack.put("first", VoidState.VOIDING, plan=whole, apply=VoidProgress(0, 3), seen=SIZE)
    assert watch_voids(stack.ports, CAUSE, NOW).waiting == 0
    assert [one.chunk for one in stack.queue.voids] == [0, 1, 2], "it stood still"
    stack.queue.voids.clear()
    stack.read("first", Pass.APPLY, totals(1, Share.VOIDED))
    watch_voids(stack.ports, CAUSE, NOW)
    assert stack.queue.voids == []
    assert stack.now("first").seen == SIZE + stack.now("first").apply.bytes_done


@pytest.mark.parametrize(
    ("planned", "ends", "state"),
    [
        ((1, 0, 2), None, VoidState.AWAITING_APPROVAL),
        ((0, 0, 0), None, VoidState.REJECTED),
        ((0, 0, 0), Ends.UNUSED, VoidState.VOIDED),
        ((1, 0, 2), Ends.UNUSED, VoidState.AWAITING_APPROVAL),
    ],
)
def test_a_plan_waits_where_something_can_be_voided_and_else_ends_at_once(
    planned: Sequence[int], ends: Ends | None, state: VoidState
) -> None:
    stack = Stack()
    stack.put("first", VoidState.PLANNING, ends=ends)
    stack.read("first", Pass.PLAN, *map(totals, planned))
    assert advance_void(stack.id_of("first"), stack.ports, CAUSE, NOW) is state
    assert stack.now("first").state_reason.startswith("planned" if any(planned) else "nothing to void: ")


def occupied(stack: Stack, by: str) -> IncidentRecord:
    """The incident while a void runs."""
    record = stack.campaigns.incident(stack.campaign.id.incident_id)
    assert record is not None
    after = replace(record, version=record.version + 1, voiding=by)
    stack.campaigns.move_incident(record, after)
    return after


def voiding_of(campaigns: FakeCampaigns, campaign_id: CampaignId) -> str:
    """Which void occupies the incident."""
    record = campaigns.incident(campaign_id.incident_id)
    assert record is not None
    return record.voiding


@pytest.mark.parametrize("by_this_one", [True, False])
@pytest.mark.parametrize("voided", [500, 499])
def test_a_void_that_ends_sets_free_what_it_occupied_and_gives_back_what_it_took_in_the_month_of_its_end(
    voided: int, monkeypatch: pytest.MonkeyPatch, *, by_this_one: bool
) -> None:
    """One that did not come to its plan is flagged: it occupies the incident no longer, and gives nothing back."""
    stack, given = Stack(), list[Sequence[Regained]]()
    change = stack.voids.change

    def changed(before: Void, after: Void, incident: Any = None, regained: Sequence[Regained] = ()) -> None:
        given.append(regained)
        change(before, after, incident, regained)

    monkeypatch.setattr(stack.voids, "change", changed)
    of_plan = totals(1)
    stack.put("first", VoidState.VOIDING, plan=VoidProgress(SIZE, 3, of_plan), apply=VoidProgress(0, 3))
    other = str(stack.id_of("second"))
    occupied(stack, str(stack.id_of("first")) if by_this_one else other)
    parts = [totals(1, Share.VOIDED, voided), VoidTotals(), VoidTotals()]
    stack.read("first", Pass.APPLY, *parts)
    state = advance_void(stack.id_of("first"), stack.ports, CAUSE, LATE)
    is_balanced = voided == 500
    assert state is (VoidState.VOIDED if is_balanced else VoidState.FLAGGED)
    assert voiding_of(stack.campaigns, stack.campaign.id) == ("" if by_this_one else other)
    ((*regained,),) = given
    assert [(one.month, one.currency, one.amount) for one in regained] == (
        [("2026-04", "EUR", 500)] if is_balanced else []
    )
    assert cast("Any", stack.now("first").state_reason).startswith("balanced" if is_balanced else "")
