"""Advancing a campaign: a plan that balances is applied, books that balance are closed, and everything else is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.campaigns.advance_campaign import ANNOUNCED, AdvancePorts, add_up, advance_campaign
from kulanz.application.campaigns.dispatch_chunks import dispatch
from kulanz.application.ports import NOTHING_MORE, AtTheGate, ChunkMessage
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, Pass, Receipt, State, StateChange
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, WriteResult
from tests.support.end_state import check_sound
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_steps import CHANGES, Function

ID = CampaignId.parse(CAMPAIGN)
LINES = [row(f"a-{number:02d}") for number in range(20)]
CAUSE = Cause("advance_campaign", "a-record", "1")


def _world() -> World:
    world = small_world(list_of(LINES), chunk_bytes=10_000)
    world.publish(event(rows=len(LINES)))
    return world


def _worked_but_not_advanced(work: Pass) -> World:
    """A world in which every chunk of a pass is worked, and nobody has looked at it."""
    world = _world()
    while (found := world.campaigns.campaign(ID)) is None or not found.is_finished(work):
        steps = world.steps()
        world.run(next((step for step in steps if step.function is Function.GRANT), steps[0]))
    return world


def _advance(world: World) -> State | None:
    ports = AdvancePorts(world.campaigns, world.chunks, world.archive, world.announcer, world.stores)
    return advance_campaign(ID, ports, CAUSE, world.now)


def _tamper(world: World, work: Pass, change: Callable[[Receipt], Receipt | None]) -> None:
    """Change the stored receipts of a pass, as a mistake in the store would have."""
    kept = world.campaigns._campaigns[ID].receipts
    for at, receipt in list(kept.items()):
        if receipt.work is work:
            changed = change(receipt)
            if changed is None:
                del kept[at]
            else:
                kept[at] = changed


def _events(world: World) -> list[tuple[str, dict[str, Any]]]:
    return [(told.detail_type, json.loads(told.detail)) for told in world.announcer.after_the_gate]


def test_a_plan_that_balances_waits_and_once_it_is_approved_every_chunk_is_sent() -> None:
    world = _worked_but_not_advanced(Pass.PLAN)

    assert _advance(world) is State.AWAITING_APPROVAL
    assert world.campaign(CAMPAIGN).state_reason == "plan_balanced"
    assert world.chunks.sent == []
    for person in world.approvers:
        world.approve(ID, person)
    assert _advance(world) is State.APPLYING

    campaign = world.campaign(CAMPAIGN)
    assert campaign.is_dispatched(Pass.APPLY)
    assert world.chunks.sent == [ChunkMessage(ID, Pass.APPLY, chunk) for chunk in range(len(campaign.chunks))]


def test_books_that_balance_are_closed_filed_and_announced_once() -> None:
    world = _worked_but_not_advanced(Pass.APPLY)

    for _ in range(3):
        assert _advance(world) is State.CLOSED

    ((detail_type, report),) = _events(world)
    assert detail_type == "Campaign Closed"
    assert (report["campaign"], report["state"], report["reason"]) == (CAMPAIGN, "closed", "balanced")
    assert report["in_the_ledger"]["decisions"] == len(LINES)
    assert report["differences"] == []
    filed = [text for key, text in sorted(world.archive.documents.items()) if "/report-" in key]
    assert json.loads(filed[-1]) == report
    assert world.campaigns.log(ID)[-1].cause == CAUSE
    world.run_until_quiet()
    assert len(_events(world)) == 1
    check_sound(world)


def test_a_campaign_that_is_not_finished_is_left_alone() -> None:
    world = _world()
    while not world.chunk_messages:
        world.run(world.steps()[0])
    before = len(world.campaigns.changes)

    assert _advance(world) is State.PLANNING
    assert _advance(world) is State.PLANNING
    assert len(world.campaigns.changes) == before
    assert world.announcer.after_the_gate == []


def test_there_is_nothing_to_advance_where_there_is_no_campaign() -> None:
    assert _advance(World()) is None


def _first_only(change: Callable[[Receipt], Receipt | None]) -> Callable[[Receipt], Receipt | None]:
    def changed(receipt: Receipt) -> Receipt | None:
        return change(receipt) if receipt.chunk == 0 else receipt

    return changed


def _another_cent(receipt: Receipt) -> Receipt:
    sums = {key: value + 1 if key.measure == "EUR" else value for key, value in receipt.totals.sums.items()}
    return replace(receipt, totals=replace(receipt.totals, sums=sums))


TAMPERED = {
    "a receipt is missing": (lambda _: None, "receipts_incomplete: expected a receipt at byte 46"),
    "a receipt ends early": (
        lambda receipt: replace(receipt, end=receipt.end - 1),
        "receipts_incomplete: expected a receipt",
    ),
    "a receipt counts a line less": (
        lambda receipt: replace(receipt, totals=replace(receipt.totals, lines=receipt.totals.lines - 1)),
        "sums_differ",
    ),
    "a receipt counts a cent more": (_another_cent, "sums_differ"),
}


@pytest.mark.parametrize("name", TAMPERED)
@pytest.mark.parametrize("work", list(Pass))
def test_receipts_that_do_not_tile_the_list_or_add_up_stop_the_campaign(name: str, work: Pass) -> None:
    change, reason = TAMPERED[name]
    world = _worked_but_not_advanced(work)
    _tamper(world, work, _first_only(change))

    stopped = {Pass.PLAN: State.REFUSED, Pass.APPLY: State.FLAGGED}[work]
    assert _advance(world) is stopped

    assert world.campaign(CAMPAIGN).state_reason.startswith(reason)
    assert [detail_type for detail_type, _ in _events(world)] == [ANNOUNCED[stopped]]


def _miscounted(campaign: Campaign) -> Campaign:
    """One granted row that the apply pass has counted as worth a cent less, in sums and receipts alike."""
    totals = campaign.apply.totals
    key = SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "EUR")
    return replace(
        campaign, apply=replace(campaign.apply, totals=replace(totals, sums={**totals.sums, key: totals.sums[key] - 1}))
    )


def test_books_that_differ_are_flagged_with_the_difference_and_the_chunk() -> None:
    world = _worked_but_not_advanced(Pass.APPLY)
    kept = world.campaigns._campaigns[ID]
    kept.campaign = _miscounted(kept.campaign)

    def less(receipt: Receipt) -> Receipt:
        key = SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "EUR")
        sums = {**receipt.totals.sums, key: receipt.totals.sums[key] - 1}
        return replace(receipt, totals=replace(receipt.totals, sums=sums))

    _tamper(world, Pass.APPLY, _first_only(less))

    assert _advance(world) is State.FLAGGED

    ((detail_type, report),) = _events(world)
    assert detail_type == "Campaign Flagged"
    assert report["reason"] == "plan_differs: EUR granted: planned 5980, applied 5979"
    assert report["differences"] == [{"what": "EUR granted", "planned": "5980", "applied": "5979"}]
    assert [told["chunk"] for told in report["chunks"]] == [0]
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert record.open_seq == 1, "a flagged campaign still occupies its incident"


def test_a_lost_row_of_the_plan_is_never_applied() -> None:
    """The sums and receipts agree with each other and are a row short of what was announced."""
    world = _worked_but_not_advanced(Pass.PLAN)
    kept = world.campaigns._campaigns[ID]
    kept.campaign = replace(kept.campaign, rows_announced=len(LINES) + 1)

    assert _advance(world) is State.REFUSED
    assert world.campaign(CAMPAIGN).state_reason.startswith(
        "rows_differ: rows announced by the event: 21, rows of the list that are not blank: 20"
    )
    assert world.chunks.sent == []
    assert world.ledger.all_entries() == []


def test_receipts_tile_a_list_whatever_empty_ones_lie_between() -> None:
    world = _worked_but_not_advanced(Pass.PLAN)
    campaign, receipts = world.campaign(CAMPAIGN), list(world.campaigns.receipts(ID, Pass.PLAN))
    empty = replace(receipts[0], start=receipts[1].start, end=receipts[1].start, totals=type(receipts[0].totals)())

    assert add_up(campaign, receipts)[-1] == ""
    assert add_up(campaign, [receipts[0], empty, *receipts[1:]]) == add_up(campaign, receipts)
    for wrong in ([], receipts[1:], receipts[:-1], [*receipts, receipts[-1]], list(reversed(receipts))):
        assert add_up(campaign, wrong)[-1]


def test_sending_again_sends_what_is_not_finished() -> None:
    world = _world()
    while len(world.campaigns.finished_chunks(ID, Pass.PLAN)) < 2:
        world.run(next((step for step in world.steps() if step.function is not Function.ADVANCE), CHANGES))
    world.chunk_messages.clear()
    campaign = world.campaign(CAMPAIGN)

    dispatch(campaign, Pass.PLAN, world.campaigns, world.chunks)

    assert {message.chunk for message in world.chunks.sent} == set(range(2, len(campaign.chunks)))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_nothing_is_sent_for_a_pass_that_is_finished() -> None:
    world = _worked_but_not_advanced(Pass.PLAN)
    world.chunk_messages.clear()

    dispatch(world.campaign(CAMPAIGN), Pass.PLAN, world.campaigns, world.chunks)

    assert world.chunks.sent == []


def test_somebody_who_was_first_is_not_overruled() -> None:
    """The worker reads, a person pauses, the worker's move is outdated; what it then reads it leaves alone."""
    world = _worked_but_not_advanced(Pass.PLAN)
    ports = AdvancePorts(world.campaigns, world.chunks, world.archive, world.announcer, world.stores)
    original = world.campaigns.change_state

    def paused_first(before: Campaign, change: StateChange, gate: AtTheGate = NOTHING_MORE) -> None:
        world.campaigns.change_state = original  # type: ignore[method-assign] # once
        person = Cause("a person", "x", "1")
        original(before, before.change(State.PAUSED, "wait", person, world.now))
        original(before, change, gate)

    world.campaigns.change_state = paused_first  # type: ignore[method-assign] # the race

    assert advance_campaign(ID, ports, CAUSE, world.now) is State.PAUSED
    assert [change.target for change in world.campaigns.log(ID)] == [State.PLANNING, State.PAUSED]
    assert _events(world)[-1][0] == "Campaign Paused"


def test_the_classes_of_a_report_are_those_of_the_books() -> None:
    world = _worked_but_not_advanced(Pass.APPLY)
    _advance(world)
    report = _events(world)[-1][1]

    assert report["apply"]["results"] == [
        {"result": "granted", "reason": "credit", "write_result": "written", "lines": 20}
    ]
    assert (
        world.campaign(CAMPAIGN).apply.totals.counts[CountKey(RowResult.GRANTED, "credit", WriteResult.WRITTEN)] == 20
    )
    assert {told["measure"]: told["sum"] for told in report["in_the_ledger"]["worth"]} == {
        "EUR": "5980",
        "call_minute": "400",
    }
