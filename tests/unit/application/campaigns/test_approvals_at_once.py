"""Persons who approve a plan, or stop its campaign, at the same moment: what they did has one order."""

from collections.abc import Callable

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.gate.approval import ApprovalRefused
from tests.support.faults import Tap, tapped
from tests.support.interleaving import Interleaving, switching_after
from tests.support.small_campaign import CAMPAIGN, event
from tests.support.world import ANNA, BEN, World
from tests.unit.application.campaigns.test_gate import HAND, ID, targets, waiting


def _approver(world: World, person: str) -> Callable[[Tap], object]:
    def act(tap: Tap) -> object:
        return world.approve(ID, person, tap=tap)

    return act


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("calls", range(12))
def test_two_approvers_at_once_start_one_execution(first: int, calls: int) -> None:
    world = waiting()
    Interleaving().run([_approver(world, ANNA), _approver(world, BEN)], switching_after(first, calls))
    assert targets(world).count(State.APPLYING) == 1
    assert len(world.campaigns.actions(ID)) == 2
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


@pytest.mark.parametrize("calls", range(12))
def test_one_person_at_two_keyboards_is_one_person(calls: int) -> None:
    world = waiting()
    refusals = []

    def second(tap: Tap) -> None:
        try:
            world.approve(ID, ANNA, tap=tap, id="from the other keyboard")
        except ApprovalRefused as refusal:
            refusals.append(refusal.reason)

    def first(tap: Tap) -> None:
        try:
            world.approve(ID, ANNA, tap=tap)
        except ApprovalRefused as refusal:
            refusals.append(refusal.reason)

    Interleaving().run([first, second], switching_after(0, calls))
    assert refusals == ["approved_before"]
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL


@pytest.mark.parametrize("calls", range(12))
@pytest.mark.parametrize("stop", ["cancel", "amend"])
def test_an_approval_and_a_stop_at_once_end_in_one_order_or_the_other(calls: int, stop: str) -> None:
    world, refusals = waiting(), list[str]()
    world.approve(ID, ANNA)

    def approver(tap: Tap) -> None:
        try:
            world.approve(ID, BEN, tap=tap)
        except ApprovalRefused as refusal:
            refusals.append(refusal.reason)

    def other(tap: Tap) -> None:
        if stop == "cancel":
            campaigns = tapped(world.campaigns, "campaigns", tap)
            cancel(ID, ControlPorts(campaigns, world.chunks, world.stores), "wrong", HAND, world.now)
        else:
            _record_amendment(world, tap)

    Interleaving().run([approver, other], switching_after(0, calls))
    began = State.APPLYING in targets(world)
    assert refusals == ([] if began else ["not_waiting" if stop == "cancel" else "incident_changed"])
    if stop == "cancel":
        assert world.campaign(CAMPAIGN).state is State.CANCELLED


def _record_amendment(world: World, tap: Tap) -> None:
    before, world.tap = world.tap, tap
    try:
        _amend_only(world)
    finally:
        world.tap = before


def _amend_only(world: World) -> None:
    later = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T21:00:00Z"}]
    world.publish(event(rows=3, detail_type="Incident Amended", revision=2, windows=later, campaign=...))
    world.run(world.steps()[0])
