"""Working a chunk: what a worker does when time runs out, when it may not work, and how fast it may write."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from kulanz.application.campaigns import plan_chunk
from kulanz.application.campaigns.chunk_run import (
    TIME_TO_FINISH_SECONDS,
    GrantPorts,
    GrantSettings,
)
from kulanz.application.campaigns.control_campaign import ControlPorts, ControlRefused, resume
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.grant_credits import Work, grant_credits
from kulanz.application.campaigns.plan_chunk import LINES_PER_LOOK_AT_THE_CLOCK
from kulanz.application.campaigns.replan import ReplanPorts, ReplanRefused, replan
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, CampaignId, Cause, Pass, PinnedList, State
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS, INSERTS_PER_CALL
from kulanz.domain.ledger.decider import Decider
from kulanz.domain.ledger.entries import WRITER_LIFE, Entry
from kulanz.domain.time import TIME_ZONES
from tests.support.end_state import check_sound, end_state
from tests.support.fakes import FakeLedger
from tests.support.faults import Fault, Killed, Tap, tapped
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, POLICY, event, list_of, row, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_clock import WorldClock

ID = CampaignId.parse(CAMPAIGN)
MANY = 3 * LINES_PER_LOOK_AT_THE_CLOCK + 10


def _rows(count: int) -> list[bytes]:
    return [f"many-{number:05d},consumer,yes,1.00,en,".encode() for number in range(count)]


def _world(lines: Sequence[bytes], state: State = State.APPLYING, **settings: int) -> World:
    """A world whose campaign has just come into a state, with one chunk."""
    return _begun(small_world(list_of(lines), chunk_bytes=65_536, **settings), len(lines), state)


def _begun(world: World, rows: int, state: State) -> World:
    world.publish(event(rows=rows))
    while (found := world.campaigns.campaign(ID)) is None or found.state is not state:
        world.run(world.steps()[0])
    world.chunk_messages.clear()
    world.chunks.sent.clear()
    return world


def _work(world: World, work: Pass = Pass.APPLY, chunk: int = 0, settings: GrantSettings | None = None) -> Work:
    ports = GrantPorts(world.campaigns, world.lists, world.ledger, world.chunks, world.archive)
    cause = Cause("grant_credits", "a-message", "1")
    message, clock = ChunkMessage(ID, work, chunk), WorldClock(world)
    return grant_credits(message, ports, settings or GrantSettings(1, 0, 800), clock, cause, FrozenCache()).work


def _change(world: World, **changes: object) -> None:
    """Let the stored campaign differ, as another version of the code would have written it."""
    kept = world.campaigns._campaigns[ID]
    kept.campaign = replace(kept.campaign, **changes)  # type: ignore[arg-type] # the names are the fields'


# Time


def test_a_worker_that_runs_out_of_time_receipts_what_it_did_and_sends_the_chunk_again() -> None:
    world = _world(_rows(MANY))
    world.seconds_per_look = 30.0  # of 120: the looks up to the end of the first wave are too many

    assert _work(world) is Work.CONTINUED

    (receipt,) = world.campaigns.receipts(ID, Pass.APPLY)
    assert 0 < receipt.totals.lines < MANY
    assert receipt.totals.lines % INSERTS_PER_CALL == 0, "it looks at the clock between waves"
    assert not receipt.finishes_chunk
    assert len(world.ledger.all_entries()) == receipt.totals.lines
    assert world.chunks.sent == [ChunkMessage(ID, Pass.APPLY, 0)]


def test_what_was_cut_by_time_adds_up_to_what_was_not() -> None:
    hurried, calm = _world(_rows(MANY)), _world(_rows(MANY))
    hurried.seconds_per_look = 30.0
    for world in (hurried, calm):
        world.chunks.sent.append(ChunkMessage(ID, Pass.APPLY, 0))
        world.run_until_quiet()
        check_sound(world)

    assert len(list(hurried.campaigns.receipts(ID, Pass.APPLY))) > 2
    assert end_state(hurried, whole_ranges=False) == end_state(calm, whole_ranges=False)


def test_a_worker_without_time_does_nothing_but_send_the_chunk_again() -> None:
    world = _world(_rows(3))
    world.worker_seconds = TIME_TO_FINISH_SECONDS - 1

    assert _work(world) is Work.CONTINUED
    assert world.ledger.all_entries() == []
    assert list(world.campaigns.receipts(ID, Pass.APPLY)) == []
    assert len(world.chunks.sent) == 1


def test_a_receipt_ends_where_its_problems_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_chunk, "PROBLEMS_PER_RECEIPT", 10)
    world = _world([row("")[:60]] * 25, state=State.PLANNING)

    assert _work(world, Pass.PLAN) is Work.FINISHED

    receipts = list(world.campaigns.receipts(ID, Pass.PLAN))
    assert [receipt.totals.lines for receipt in receipts] == [10, 10, 5]
    filed = [content.count(b"\n") for key, content in sorted(world.archive.documents.items()) if "/problems/" in key]
    assert filed == [10, 10, 5]


class _CountingLedger(FakeLedger):
    """Keeps how many entries each call had."""

    def __init__(self) -> None:
        super().__init__()
        self.waves: list[int] = []

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        self.waves.append(len(entries))
        return super().insert(entries)


@pytest.mark.parametrize(("calls", "waves"), [(1, [25, 25, 10]), (2, [50, 10]), (4, [60])])
def test_a_wave_is_what_may_be_in_flight(calls: int, waves: list[int]) -> None:
    world = _world(_rows(60))
    ledger = world.ledger = _CountingLedger()

    _work(world, settings=GrantSettings(calls, 0, 800))

    assert ledger.waves == waves
    assert waves[0] <= calls * INSERTS_PER_CALL


def test_a_worker_keeps_to_its_share_of_the_write_rate() -> None:
    world = _world(_rows(100))
    started = world.now

    _work(world, settings=GrantSettings(1, 10.0, 800))

    assert (world.now - started).total_seconds() == pytest.approx(10.0)


def test_a_worker_without_a_rate_waits_for_nothing() -> None:
    world = _world(_rows(100))
    started = world.now
    _work(world)

    assert world.now == started


# Who may work


@pytest.mark.parametrize(
    ("state", "work", "chunk"),
    [
        (State.PLANNING, Pass.APPLY, 0),
        (State.APPLYING, Pass.PLAN, 0),
        (State.APPLYING, Pass.APPLY, 1),
        (State.APPLYING, Pass.APPLY, 10**9),
    ],
)
def test_a_message_that_means_nothing_is_acknowledged_unread(state: State, work: Pass, chunk: int) -> None:
    world = _world(_rows(3), state)
    before = end_state(world)

    assert _work(world, work, chunk) is Work.NOTHING_TO_DO
    assert end_state(world) == before
    assert world.chunks.sent == []


@pytest.mark.parametrize("state", [State.PAUSED, State.CANCELLED, State.FLAGGED, State.CLOSED, State.REFUSED])
def test_nothing_is_worked_while_a_campaign_waits_or_after_it_ended(state: State) -> None:
    world = _world(_rows(3))
    _change(world, state=state)

    assert _work(world) is Work.NOTHING_TO_DO
    assert world.ledger.all_entries() == []


def test_a_message_about_a_campaign_that_does_not_exist_is_acknowledged() -> None:
    world = World()

    assert _work(world) is Work.NOTHING_TO_DO


OTHERWISE = {
    "engine": f"engine_changed: planned by engine older, running is {ENGINE_VERSION}",
    "time_zones": f"time_zones_changed: planned with time zones older, running are {TIME_ZONES}",
}


INSTEAD = {
    Pass.PLAN: f"`kulanz replan {CAMPAIGN}` makes it again",
    Pass.APPLY: "execution has begun; cancel it and request another, which grants the rest",
}
"""What is done with a campaign that was planned otherwise: an execution that began is never planned again."""


@pytest.mark.parametrize("what", OTHERWISE)
@pytest.mark.parametrize("work", list(Pass))
def test_another_engine_or_other_time_zones_than_planned_pause_the_campaign(work: Pass, what: str) -> None:
    world = _world(_rows(3), State.PLANNING if work is Pass.PLAN else State.APPLYING)
    _change(world, **{what: "older"})

    assert _work(world, work) is Work.PAUSED

    campaign = _campaign(world)
    assert campaign.state is State.PAUSED
    assert campaign.state_reason == OTHERWISE[what]
    assert world.ledger.all_entries() == []
    with pytest.raises(ControlRefused, match=INSTEAD[work]):
        resume(
            ID,
            ControlPorts(world.campaigns, world.chunks, world.stores),
            "try it",
            Cause("a person", "x", "1"),
            world.now,
        )
    again = partial(replan, ID, ReplanPorts(world.campaigns, world.chunks), "try it", Cause("a person", "x", "1"))
    if work is Pass.PLAN:
        assert again(world.now).state is State.PLANNING
    else:
        with pytest.raises(ReplanRefused, match="request another campaign, which grants the rest"):
            again(world.now)


def _campaign(world: World) -> Campaign:
    return world.campaign(CAMPAIGN)


def test_after_an_incidents_time_no_chunk_is_applied() -> None:
    world = _world(_rows(3))
    world.now = _campaign(world).decidable_until

    assert _work(world) is Work.PAUSED
    assert _campaign(world).state_reason.startswith("incident_over")
    assert world.ledger.all_entries() == []


def test_an_incidents_time_lasts_to_its_last_instant() -> None:
    world = _world(_rows(3))
    world.now = _campaign(world).decidable_until - timedelta(microseconds=1)

    assert _work(world) is Work.FINISHED


def test_after_an_incidents_time_the_list_may_still_be_planned() -> None:
    world = _world(_rows(3), State.PLANNING)
    world.now = _campaign(world).decidable_until

    assert _work(world, Pass.PLAN) is Work.FINISHED


@pytest.mark.parametrize(("retention_days", "kept_days"), [(1, 400), (800, 800)])
def test_a_decision_outlives_whatever_could_write_it_again(retention_days: int, kept_days: int) -> None:
    """What DynamoDB purges can never be granted again."""
    world = _world(_rows(1), decidable_days=400)
    written = world.now

    _work(world, settings=GrantSettings(1, 0, retention_days))

    (entry,) = world.ledger.all_entries()
    until = max(_campaign(world).decidable_until, written + timedelta(days=kept_days))
    assert entry.ttl >= int((until + WRITER_LIFE).timestamp())
    assert entry.effective_at == written


def test_a_campaign_cancelled_by_somebody_else_meanwhile_stays_cancelled() -> None:
    world = _world(_rows(3))
    _change(world, engine="older")

    def cancel_first(_: int, name: str) -> None:
        before = _campaign(world)
        if name == "campaigns.change_state":
            person = Cause("a person", "x", "1")
            world.campaigns.change_state(before, before.change(State.CANCELLED, "told so", person, world.now))

    found = world.grant(ChunkMessage(ID, Pass.APPLY, 0), Tap(cancel_first), FrozenCache(), "a-message")

    assert found.work is Work.NOTHING_TO_DO
    assert _campaign(world).state is State.CANCELLED
    assert world.campaigns.log(ID)[-1].cause.actor == "a person"


# What a list may name


def test_a_unit_is_decided_once_for_each_line_of_an_account() -> None:
    world = World()
    policy = POLICY.replace("net-credit", "line-credit").replace("currency: EUR", "currency: EUR\nsubject: line_id")
    world.policies.publish("line-credit", 1, sealed_policy(policy))
    content = b"account_id,line_id,segment,affected,fee,language\n" + b"".join(
        b"a-1,line-%d,consumer,yes,10.00,en\n" % number for number in (1, 2, 2)
    )
    world.lists.upload("lists/lines.csv", content)
    world.publish(event(key="lists/lines.csv", rows=3, policy="line-credit"))
    world.run_until_quiet()

    assert [entry.key.subject for entry in world.ledger.of_account("a-1", INCIDENT_ID)] == ["line-1", "line-2"]
    assert _campaign(world).state is State.CLOSED
    check_sound(world)


def test_a_list_of_one_row_and_one_of_exactly_full_chunks_close() -> None:
    for lines in ([row("only")[:60]], [f"{number:049d}".encode() + b",consumer,yes,1.00,en," for number in range(90)]):
        world = small_world(list_of(lines) + b"\n", chunk_bytes=360)
        world.publish(event(rows=len(lines)))
        world.run_until_quiet()
        assert _campaign(world).state is State.CLOSED
        check_sound(world)


def test_a_chunk_is_read_before_anything_of_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing is paced; S3 cuts off who reads as slowly as that."""
    world = _world(_rows(60))
    read, under_way, inserts = world.lists.read, 0, 0

    def watched(pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        nonlocal under_way
        under_way += 1
        yield from read(pinned, start, stop)
        under_way -= 1

    def none_is_read(_: int, name: str) -> None:
        nonlocal inserts
        if name == "ledger.insert":
            inserts += 1
            assert under_way == 0

    monkeypatch.setattr(world.lists, "read", watched)
    world.lists.block_bytes = 64
    world.grant(ChunkMessage(ID, Pass.APPLY, 0), Tap(none_is_read), FrozenCache(), "a-message")

    assert inserts > 1


@pytest.mark.parametrize("work", list(Pass))
@pytest.mark.parametrize("seconds", [1, 15])
def test_a_worker_whose_rows_take_seconds_each_ends_within_its_time(
    work: Pass, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """250 lines between two looks at the clock outlast a worker where each has fifty windows under a dozen masks."""
    rows = [f"slow-{number:03d},consumer,yes,{number + 1}.00,en,".encode() for number in range(60)]
    decided, worlds = Decider._decide, list[World]()

    def slow(decider: Any, *arguments: Any) -> Any:
        for one in worlds:
            one.now += timedelta(seconds=seconds)
        return decided(decider, *arguments)

    monkeypatch.setattr(Decider, "_decide", slow)
    worlds.append(small_world(list_of(rows), chunk_bytes=65_536))
    world = _begun(worlds[0], len(rows), State.APPLYING if work is Pass.APPLY else State.PLANNING)
    started = world.now
    for _ in range(60):
        began = world.now
        done = _work(world, work)
        assert (world.now - began).total_seconds() <= world.worker_seconds
        if done is Work.FINISHED:
            break
    assert world.campaign(CAMPAIGN).progress(work).totals.lines == len(rows)
    assert (world.now - started).total_seconds() >= seconds * len(rows)


# What a worker left


@pytest.mark.parametrize("hours", [0, 5])
def test_what_a_dead_worker_had_written_ends_as_it_was_written(hours: int) -> None:
    """The receipt is that of the next worker; each grant lasts from its own instant."""
    world = _world(_rows(3))
    tap, records = Tap(), world.campaigns
    ports = GrantPorts(tapped(records, "campaigns", tap), world.lists, world.ledger, world.chunks, world.archive)
    tap.choose = lambda _, name: Fault.KILLED_BEFORE if name == "campaigns.record_receipt" else None
    message, cause = ChunkMessage(ID, Pass.APPLY, 0), Cause("grant_credits", "a-message", "1")
    with pytest.raises(Killed):
        grant_credits(message, ports, GrantSettings(1, 0, 800), WorldClock(world), cause, FrozenCache())
    written = world.ledger.all_entries()
    assert len(written) == 3
    world.now += timedelta(hours=hours)
    assert _work(world) is Work.FINISHED
    assert world.ledger.all_entries() == written
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    check_sound(world)


@pytest.mark.parametrize("rate", [0.2, 1.0, 3.9, 4.0, 25.0, 99.0, 400.0, 100_000.0])
@pytest.mark.parametrize("write_units", [1, HISTORY_WRITE_UNITS])
def test_a_wave_costs_no_more_than_a_worker_may_write_in_a_second(rate: float, write_units: int) -> None:
    entries, most = GrantSettings(4, rate, 800).entries_per_wave(write_units), 4 * INSERTS_PER_CALL
    assert 1 <= entries <= most
    assert entries == 1 or entries * write_units <= rate
    assert entries == most or (entries + 1) * write_units > rate
    assert GrantSettings(4, 0, 800).entries_per_wave(write_units) == most
