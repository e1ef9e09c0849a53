"""A campaign is held, goes on and ends on a person's word, between chunks; nothing is granted twice or forgotten."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from kulanz.application.campaigns.control_campaign import (
    WORKER_LONGEST,
    ControlPorts,
    ControlRefused,
    cancel,
    keep,
    may_write_until,
    pause,
    resume,
    settle,
)
from kulanz.application.campaigns.open_campaign import Opening
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.campaign import ENDED, TRANSITIONS, CampaignId, Cause, Pass, State
from kulanz.domain.ledger.entries import WRITER_LIFE
from kulanz.domain.time import CLOCK_ALLOWANCE, MICROSECOND
from tests.support.faults import no_faults
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import SECONDS_PER_STEP, World
from tests.support.world_steps import CHANGES, Function

HAND = Cause("arn:aws:iam::123456789012:user/ops", "kulanz pause", "1")
ID = CampaignId.parse(CAMPAIGN)


def ports(world: World) -> ControlPorts:
    return ControlPorts(world.campaigns, world.chunks, world.stores)


def begun(state: State, chunks_done: int = 1) -> World:
    """A campaign in a state, with some chunks of that pass finished and the others' messages waiting."""
    world = small_world()
    world.publish(event(rows=ROWS))
    work = Pass.PLAN if state is State.PLANNING else Pass.APPLY
    for _ in range(500):
        campaign = world.campaigns.campaign(ID)
        if campaign is not None and campaign.state is state:
            done = len(world.campaigns.finished_chunks(ID, work))
            if done >= chunks_done and campaign.is_dispatched(work):
                return world
        world.run(world.steps()[0])
    raise AssertionError("the campaign never came there")


def books(world: World) -> object:
    campaign = world.campaign(CAMPAIGN)
    decisions = {
        (found.key, found.body, found.origin) for account in ("granted-1", "granted-6", "declined-2", "held-1")
        for found in world.ledger.of_account(account)
    }  # fmt: skip
    return campaign.plan.totals, campaign.apply.totals, decisions


def undisturbed() -> object:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return books(world)


@pytest.mark.parametrize("chunks_done", [0, 1])
@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_paused_campaign_stands_still_and_goes_on_where_it_stood(state: State, chunks_done: int) -> None:
    world = begun(state, chunks_done)

    assert pause(ID, ports(world), "a wrong text", HAND, world.now).state is State.PAUSED
    before = world.campaign(CAMPAIGN)
    world.run_until_quiet()
    after = world.campaign(CAMPAIGN)
    assert (after.plan.totals, after.apply.totals) == (before.plan.totals, before.apply.totals)

    assert resume(ID, ports(world), "text mended", HAND, world.now).state is state
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert books(world) == undisturbed()


def test_every_move_is_in_the_log_with_who_and_why() -> None:
    world = begun(State.APPLYING)
    pause(ID, ports(world), "a wrong text", HAND, world.now)
    resume(ID, ports(world), "text mended", HAND, world.now)

    moves = [(change.target, change.reason, change.cause.actor) for change in world.campaigns.log(ID)[-2:]]

    assert moves == [
        (State.PAUSED, "paused_by_hand: a wrong text", HAND.actor),
        (State.APPLYING, "resumed_by_hand: text mended", HAND.actor),
    ]


def test_a_repeated_word_is_one_move() -> None:
    world = begun(State.APPLYING)
    for _ in range(3):
        pause(ID, ports(world), "again", HAND, world.now)

    assert [change.target for change in world.campaigns.log(ID)].count(State.PAUSED) == 1


def test_resuming_a_campaign_at_work_sends_its_unfinished_chunks_again() -> None:
    world = begun(State.APPLYING)
    world.chunk_messages.clear()  # lost
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.APPLYING

    resume(ID, ports(world), "messages were lost", HAND, world.now)
    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert books(world) == undisturbed()


class NoChunks:
    """A chunk queue that the person who resumes does not reach any more."""

    def send(self, _: object) -> None:
        raise TryAgain("SendMessageBatch: ConnectionClosedError")


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_campaign_goes_on_also_when_the_command_that_resumed_it_was_cut_off(state: State) -> None:
    world = begun(state)
    pause(ID, ports(world), "a wrong text", HAND, world.now)
    world.run_until_quiet()  # its messages have come, and are gone

    resume(ID, ControlPorts(world.campaigns, NoChunks(), world.stores), "text mended", HAND, world.now)
    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert books(world) == undisturbed()


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_campaign_goes_on_when_it_was_held_for_a_moment_while_its_chunks_were_being_sent(state: State) -> None:
    """Whoever was sending them cannot say that all were sent: those that came meanwhile were acknowledged unread."""
    world = small_world()
    work = Pass.PLAN if state is State.PLANNING else Pass.APPLY
    held = False

    def hold_for_a_moment(_: int, name: str) -> None:
        nonlocal held
        found = world.campaigns.campaign(ID)
        if held or name != "campaigns.mark_dispatched" or found is None or found.state is not state:
            return
        held = True
        pause(ID, ports(world), "a wrong text", HAND, world.now)
        world.chunks.sent.clear()
        world.chunk_messages.clear()
        resume(ID, ports(world), "text mended", HAND, world.now)

    world.tap.choose = hold_for_a_moment
    world.publish(event(rows=ROWS))
    world.run_until_quiet()

    assert held
    assert world.campaign(CAMPAIGN).is_finished(work)
    assert world.campaign(CAMPAIGN).state is State.CLOSED


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_cancelled_campaign_writes_nothing_more_and_its_report_is_told(state: State) -> None:
    world = begun(state)
    held = len(world.ledger.inserted)

    cancel(ID, ports(world), "the wrong list", HAND, world.now)
    world.run_until_quiet()

    assert len(world.ledger.inserted) == held
    assert [told.detail_type for told in world.announcer.after_the_gate] == ["Campaign Cancelled"]
    with pytest.raises(ControlRefused, match="has ended"):
        resume(ID, ports(world), "after all", HAND, world.now)


def test_no_campaign_opens_while_workers_of_a_cancelled_one_may_write() -> None:
    world = begun(State.APPLYING)
    cancel(ID, ports(world), "the wrong list", HAND, world.now)
    version = world.lists.upload("lists/second.csv", world.lists._content(world.campaign(CAMPAIGN).pinned))
    again = event(rows=ROWS, key="lists/second.csv", version_id=version)

    world.publish(again)
    world.run_until_quiet()
    assert world.openings == [Opening.OPENED, Opening.KEPT]

    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    world.run_until_quiet()
    assert world.openings == [Opening.OPENED, Opening.KEPT, Opening.OPENED]
    assert world.rejected.sent == []
    assert world.campaign("net-outage/2").state is State.CLOSED


LAMBDA_LONGEST = timedelta(minutes=15)
"""What AWS lets a function run at most."""


@pytest.mark.parametrize(
    ("after", "opening"),
    [(-MICROSECOND, Opening.KEPT), (timedelta(0), Opening.OPENED), (MICROSECOND, Opening.OPENED)],
)
def test_the_next_campaign_waits_for_the_longest_life_of_a_worker_by_clocks_that_differ(
    after: timedelta, opening: Opening
) -> None:
    world = begun(State.APPLYING)
    cancelled = world.now + timedelta(milliseconds=703)
    found = cancel(ID, ports(world), "the wrong list", HAND, cancelled)
    until = may_write_until(found, world.campaigns)
    assert until == cancelled + LAMBDA_LONGEST + CLOCK_ALLOWANCE

    version = world.lists.upload("lists/second.csv", world.lists._content(world.campaign(CAMPAIGN).pinned))
    world.run_until_quiet()
    world.now = until + after - timedelta(seconds=SECONDS_PER_STEP)
    world.publish(event(rows=ROWS, key="lists/second.csv", version_id=version))
    world.run(world.steps()[0])
    assert world.openings[-1] is opening
    assert world.rejected.sent == []
    if opening is Opening.KEPT:
        (kept,) = world.campaigns.kept_requests()
        assert (kept.opens_at, kept.after) == (until, ID)
        world.now = until
        world.run_until_quiet()
        assert world.openings[-1] is Opening.OPENED, "the tick opens it"
        assert list(world.campaigns.kept_requests()) == []


def test_an_incident_is_free_at_once_when_nothing_can_have_been_written() -> None:
    world = begun(State.PLANNING)
    cancel(ID, ports(world), "the wrong list", HAND, world.now)
    version = world.lists.upload("lists/second.csv", world.lists._content(world.campaign(CAMPAIGN).pinned))

    world.publish(event(rows=ROWS, key="lists/second.csv", version_id=version))
    world.run_until_quiet()

    assert world.campaign("net-outage/2").state is State.CLOSED


def test_a_worker_that_began_before_the_cancel_finishes_its_chunk_and_the_next_campaign_sees_it() -> None:
    """The worker is caught between two looks at the state; what it writes then stands, and is never paid twice."""
    world = begun(State.APPLYING, chunks_done=0)
    message = world.chunk_messages[0]
    cancelled = False

    def cancel_first(_: int, name: str) -> None:
        nonlocal cancelled
        if name == "ledger.insert" and not cancelled:
            cancelled = True
            cancel(ID, ports(world), "the wrong list", HAND, world.now)

    world.tap.choose = cancel_first
    world.run(next(step for step in world.steps() if step.function is Function.GRANT))
    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert cancelled
    assert campaign.state is State.CANCELLED
    assert campaign.apply.totals.ledger_count() == len(world.ledger.inserted) > 0
    told = [json.loads(announced.detail)["in_the_ledger"]["decisions"] for announced in world.announcer.after_the_gate]
    assert told[-1] == len(world.ledger.inserted)
    filed = [text for key, text in sorted(world.archive.documents.items()) if "/report-" in key]
    assert json.loads(filed[-1])["in_the_ledger"]["decisions"] == len(world.ledger.inserted)
    assert message.body.campaign == ID


@pytest.mark.parametrize("way", [cancel, pause])
def test_a_report_that_was_told_is_told_again_with_what_workers_added(way: Callable[..., object]) -> None:
    """Whoever reads the report of a stopped campaign learns what it granted, not what it had when it stopped."""
    world = begun(State.APPLYING, chunks_done=0)
    told: list[int] = []

    def stop_and_tell_first(_: int, name: str) -> None:
        if name == "ledger.insert":
            world.tap.choose = no_faults
            way(ID, ports(world), "the wrong list", HAND, world.now)
            while world.streams[CHANGES].position < len(world.campaigns.changes):
                world.run(CHANGES)
            told.append(len(world.announcer.after_the_gate))

    world.tap.choose = stop_and_tell_first
    world.run(next(step for step in world.steps() if step.function is Function.GRANT))
    world.run_until_quiet()

    assert told == [1]
    decisions = [
        json.loads(announced.detail)["in_the_ledger"]["decisions"] for announced in world.announcer.after_the_gate
    ]
    assert decisions == [0, len(world.ledger.inserted)]


@pytest.mark.parametrize("move", [pause, cancel, resume])
def test_what_does_not_exist_cannot_be_moved(move: object) -> None:
    world = small_world()
    with pytest.raises(ControlRefused, match="no campaign"):
        move(ID, ports(world), "x", HAND, world.now)  # type: ignore[operator]


def test_a_campaign_of_an_incident_that_is_over_is_not_resumed() -> None:
    world = begun(State.APPLYING)
    pause(ID, ports(world), "x", HAND, world.now)

    until = world.campaign(CAMPAIGN).decidable_until
    for now in (until, until + timedelta(days=1)):
        with pytest.raises(ControlRefused, match="older than it may be decided"):
            resume(ID, ports(world), "x", HAND, now)
    assert resume(ID, ports(world), "x", HAND, until - MICROSECOND).state is State.APPLYING


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING, State.PAUSED, State.CANCELLED])
@pytest.mark.parametrize(("end", "what"), [(settle, "waits to be settled"), (keep, "is kept")])
def test_only_a_flagged_campaign_is_settled_or_kept_and_any_other_is_told_so(
    end: Callable[..., object], what: str, state: State
) -> None:
    stopping = {State.PAUSED: pause, State.CANCELLED: cancel}
    world = begun(State.APPLYING if state in stopping else state)
    if state in stopping:
        stopping[state](ID, ports(world), "x", HAND, world.now)
    before = list(world.campaigns.log(ID))
    with pytest.raises(ControlRefused) as refused:
        end(ID, ports(world), "as it stands", HAND, world.now + WORKER_LONGEST + CLOCK_ALLOWANCE)
    assert str(refused.value) == f"campaign {ID} is {state}; only a flagged one {what}"
    assert list(world.campaigns.log(ID)) == before


def test_an_ended_campaign_ends_for_good_but_for_a_withdrawal() -> None:
    assert {state: TRANSITIONS[state] for state in ENDED} == {
        State.CLOSED: frozenset({State.FLAGGED}),
        **dict.fromkeys((State.REFUSED, State.REJECTED, State.CANCELLED), frozenset()),
    }  # fmt: skip


def test_a_decision_outlives_every_worker() -> None:
    assert WRITER_LIFE > WORKER_LONGEST + CLOCK_ALLOWANCE
