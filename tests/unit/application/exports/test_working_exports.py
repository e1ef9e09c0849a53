"""An export is asked for when nothing changes, and its workers may die, come again and run out of time."""

from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import WORKER_LONGEST, ControlPorts, cancel, pause
from kulanz.application.exports.ask_export import ExportRefused
from kulanz.application.exports.write_parts import PartsWritten
from kulanz.application.ports import ExportMessage, TryAgain
from kulanz.domain.campaigns import stretches as stretches_module
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Cursor, State
from kulanz.domain.exports.export import LANES
from kulanz.domain.exports.figures import LineKey, Of, SumKey, Written, differences, expected
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz.domain.time import CLOCK_ALLOWANCE
from tests.support.exporting import (
    EXPORT,
    NOBODY_APPROVES,
    ask,
    by_rows,
    executed,
    exported,
    parts,
    planned,
    rows,
    small_stretches,
    work,
    work_all,
)
from tests.support.faults import Fault, Killed, Tap, fault_at, no_faults
from tests.support.small_campaign import (
    CAMPAIGN,
    ROWS,
    event,
    list_of,
    row,
    small_world,
)
from tests.support.world import World
from tests.support.world_steps import Function

ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "a command", "1")


# When


def applying(rows_in_all: int = 400, **settings: Any) -> World:
    """A world that has written some of its decisions."""
    content = list_of([row(f"a-{number}") for number in range(rows_in_all)])
    world = small_world(content, units_per_second=20.0, chunk_bytes=20_000, **settings)
    world.publish(event(rows=rows_in_all))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    assert world.campaign(CAMPAIGN).state is State.APPLYING
    return world


def test_nothing_is_exported_while_it_changes() -> None:
    early = small_world()
    early.publish(event(rows=ROWS))
    early.run(early.steps()[0])
    with pytest.raises(ExportRefused, match="not complete"):
        ask(early, CAMPAIGN)
    world = applying()
    with pytest.raises(ExportRefused, match="is applying") as refusal:
        ask(world, CAMPAIGN)
    assert refusal.value.reason == "executing"
    control = ControlPorts(world.campaigns, world.chunks, world.stores)
    pause(ID, control, "why", CAUSE, world.now)
    with pytest.raises(ExportRefused, match="is paused"):
        ask(world, CAMPAIGN)
    cancel(ID, control, "why", CAUSE, world.now)
    with pytest.raises(ExportRefused, match="may write until"):
        ask(world, CAMPAIGN)
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    assert ask(world, CAMPAIGN).of is Of.LEDGER


def test_a_campaign_that_was_cancelled_midway_shows_what_was_written_and_what_was_not() -> None:
    world = applying()
    cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "why", CAUSE, world.now)
    world.run_until_quiet()
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    export = exported(world, CAMPAIGN)
    campaign = world.campaign(CAMPAIGN)
    assert list(differences(expected(campaign, Of.LEDGER), export.figures)) == []
    counts = {key.result: lines for key, lines in export.figures.lines.items()}
    assert counts["granted"] == len(world.ledger.all_entries())
    assert counts["not_written"] == 400 - counts["granted"]
    assert by_rows(world) == export.figures


def test_what_was_written_without_a_receipt_is_shown_apart() -> None:
    """A worker died between its writes and its receipt, and then the campaign was cancelled."""
    content = list_of([row(f"a-{number}") for number in range(12)])
    world = small_world(content)
    world.publish(event(rows=12))
    while world.campaigns.campaign(ID) is None or world.campaign(CAMPAIGN).state is not State.APPLYING:
        world.run(world.steps()[0])
    world.tap.choose = lambda _, name: Fault.KILLED_BEFORE if name == "campaigns.record_receipt" else None
    while not world.ledger.inserted:
        world.run(next(step for step in world.steps() if step.function in (Function.ADVANCE, Function.GRANT)))
    world.tap.choose = no_faults
    cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "why", CAUSE, world.now)
    world.run_until_quiet()
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    export = exported(world, CAMPAIGN)
    figures = export.figures
    assert figures.lines[LineKey("granted", "credit", Written.UNCOUNTED)] == len(world.ledger.all_entries()) > 0
    assert figures.sums[SumKey("uncounted", "EUR")] == 299 * len(world.ledger.all_entries())
    assert list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), figures)) == []


@pytest.mark.parametrize("counted", range(4))
def test_what_receipts_count_ends_before_the_very_line_at_which_the_next_one_begins(
    monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    """Of rows with a decision, of one that cannot be read, and of one that repeats the first."""
    lines = [row("a-1"), row("bad", fee="much"), row("a-1"), row("a-4")]
    world = small_world(list_of(lines))
    world.publish(event(rows=len(lines)))
    world.run_until_quiet()
    begins = world.campaign(CAMPAIGN).chunks.data_start
    position = begins + sum(len(one) + 1 for one in lines[:counted])
    monkeypatch.setattr(world.campaigns, "cursor", lambda *_: Cursor(position, finished=False))
    found = [
        (one["result"], one["written"]) for one in rows(world, exported(world, CAMPAIGN)) if one["benefit"] in (1, None)
    ]
    reached = [("granted", "yes"), ("rejected", "no"), ("duplicate", "no"), ("granted", "yes")]
    not_reached = [("granted", "uncounted"), ("not_written", "no"), ("not_written", "no"), ("granted", "uncounted")]
    assert found == [*reached[:counted], *not_reached[counted:]]


# Workers


def test_an_export_never_has_more_messages_than_lanes() -> None:
    content = list_of([row(f"a-{number}") for number in range(200)])
    world = small_world(content, chunk_bytes=4_000, **NOBODY_APPROVES)
    world.publish(event(rows=200))
    world.run_until_quiet()
    assert len(world.campaign(CAMPAIGN).chunks) > 3 * LANES
    ask(world, CAMPAIGN)
    while world.export_queue.sent:
        assert len(world.export_queue.sent) <= LANES
        work(world, world.export_queue.sent.pop(0))
    export = world.exports.export(ID, EXPORT)
    assert export is not None
    assert export.bytes_done == world.campaign(CAMPAIGN).chunks.total_bytes


def test_a_message_that_comes_again_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small_stretches(monkeypatch)
    world = executed()
    ask(world, CAMPAIGN)
    messages = list(world.export_queue.sent)
    work_all(world)
    before, documents = world.exports.export(ID, EXPORT), dict(world.archive.documents)
    for message in [*messages, *messages]:
        assert work(world, message).parts == 0
    work_all(world)
    assert (world.exports.export(ID, EXPORT), world.archive.documents) == (before, documents)


@pytest.mark.parametrize("make", [planned, executed])
@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST])
def test_a_worker_may_die_at_every_call_that_it_makes(make: Any, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message comes again, and the export is the one that it would have been."""
    small_stretches(monkeypatch, 12)
    world = make()
    wanted = exported(world, CAMPAIGN, "wanted")
    number = 0
    while True:
        ask(world, CAMPAIGN, f"e-{number}")
        died = _worked_with_a_death(world, number, fault)
        export = world.exports.export(ID, f"e-{number}")
        assert export is not None
        assert (export.figures, export.bytes_done) == (wanted.figures, wanted.bytes_done)
        assert [one.sha256 for one in parts(world, export)] == [one.sha256 for one in parts(world, wanted)]
        if not died:
            break
        number += 1
    assert number > 10, "there are calls to die at"


def test_a_worker_without_time_hands_on_what_is_left() -> None:
    content = list_of([row(f"a-{number}") for number in range(60)])
    with pytest.MonkeyPatch.context() as patch:
        small_stretches(patch, 5)
        world = small_world(content, chunk_bytes=500_000, **NOBODY_APPROVES)
        world.publish(event(rows=60))
        world.run_until_quiet()
    ask(world, CAMPAIGN)
    world.seconds_per_look = 30.0
    lives = 0
    while world.export_queue.sent:
        work(world, world.export_queue.sent.pop(0))
        lives += 1
    export = world.exports.export(ID, EXPORT)
    assert export is not None
    assert lives > 3
    assert export.bytes_done == world.campaign(CAMPAIGN).chunks.total_bytes
    assert by_rows(world) == export.figures


@pytest.mark.parametrize(
    "message",
    [ExportMessage(ID, "of-nobody", 0), ExportMessage(ID, EXPORT, 99), ExportMessage(CampaignId("x", 1), EXPORT, 0)],
)
def test_a_message_about_nothing_does_nothing(message: ExportMessage) -> None:
    world = executed()
    ask(world, CAMPAIGN)
    world.export_queue.sent.clear()
    assert work(world, message) == PartsWritten()
    assert world.export_queue.sent == []


def test_a_stretch_is_a_part_of_some_megabytes_at_most() -> None:
    """One part is held in memory: at most so many lines, each with few rows of text."""
    assert stretches_module.STRETCH_ROWS <= 10_000
    assert LINE_BYTES < stretches_module.STRETCH_BYTES


def _worked_with_a_death(world: World, number: int, fault: Fault) -> bool:
    """Work an export to its end; the worker's `number`-th call dies. False where there are not so many."""
    tap, died = Tap(fault_at(number, fault)), False
    while world.export_queue.sent:
        message = world.export_queue.sent.pop(0)
        try:
            work(world, message, tap)
        except (Killed, TryAgain):
            died = True
            tap.choose = no_faults
            world.export_queue.sent.append(message)
    return died
