"""Works one chunk of a list: read, decide, and in the apply pass write; then one receipt for what is finished.

Plan and apply are the same code over the same bounds. They differ in one thing: what becomes of a decided row.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import NamedTuple, Protocol

from kulanz.application.frozen import FrozenCache
from kulanz.application.ports import (
    Archive,
    CampaignStore,
    ChunkMessage,
    ChunkQueue,
    Ledger,
    ListStore,
    Outdated,
    PinnedVersionGone,
)
from kulanz.domain.books import Fate, Totals
from kulanz.domain.campaign import (
    ENGINE_VERSION,
    WORKABLE,
    Campaign,
    Cause,
    Cursor,
    Pass,
    Receipt,
    State,
)
from kulanz.domain.decider import REMEMBERED_FACTS, Decider, Remembered, prepare
from kulanz.domain.ledger import WRITER_LIFE, DecisionKey, Lifetime, judge, new_entry, row_hash
from kulanz.domain.lists import (
    LINE_BYTES,
    LINE_SCAN_BYTES,
    QUOTES_UNBALANCED,
    Line,
    LineReader,
    ListRefused,
    Problem,
    Record,
    line_reader,
    lines_starting_in,
)
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.succession import stands_before, still_owed

STATEMENTS_PER_CALL = 25
LINES_PER_LOOK_AT_THE_CLOCK = 250
WAVE_SECONDS = 5.0
"""The longest a worker waits for its pace between two looks at the clock."""
TIME_TO_FINISH_SECONDS = 40.0
"""What a worker keeps back of its time: all waits of one more wave and of its receipt, were each the longest there is,
and sending the chunk again."""
PROBLEMS_PER_RECEIPT = 10_000
"""A receipt ends here, so that a list of nothing but broken rows needs no more memory than a good one."""
RECEIPTS_PER_MESSAGE = 1_000


class Work(StrEnum):
    """What became of a chunk message."""

    FINISHED = "finished"
    CONTINUED = "continued"
    NOTHING_TO_DO = "nothing_to_do"
    PAUSED = "paused"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class GrantSettings:
    """What an operator tunes. A wave is what one worker has in flight: `calls_in_flight` calls of 25 entries."""

    calls_in_flight: int
    entries_per_second: float
    retention_days: int

    @property
    def entries_per_wave(self) -> int:
        """As many as the calls hold, and no more than a worker may write in `WAVE_SECONDS` at its pace."""
        most = STATEMENTS_PER_CALL * self.calls_in_flight
        if self.entries_per_second <= 0:
            return most
        return max(1, min(most, int(self.entries_per_second * WAVE_SECONDS)))


@dataclass(frozen=True, slots=True)
class GrantPorts:
    """The world that working a chunk touches."""

    campaigns: CampaignStore
    lists: ListStore
    ledger: Ledger
    chunks: ChunkQueue
    archive: Archive


class Clock(Protocol):
    """The worker's time: instants for what it writes, and how long it may still work."""

    def now(self) -> datetime:
        """The writer's clock."""

    def seconds_left(self) -> float:
        """Until the worker is ended."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What a worker did, for its log line: no value of any row."""

    work: Work
    lines: int = 0
    written: int = 0
    receipts: int = 0

    def after(self, receipt: Receipt) -> "Worked":
        """What was done once a further receipt is recorded."""
        totals = receipt.totals
        return Worked(Work.FINISHED, self.lines + totals.lines, self.written + totals.ledger_count(), self.receipts + 1)


def grant_credits(
    message: ChunkMessage, ports: GrantPorts, settings: GrantSettings, clock: Clock, cause: Cause, cache: FrozenCache
) -> Worked:
    """Work a chunk from its cursor to its end, or as far as time allows; then the rest is sent again.

    Raises TryAgain when the world does not answer; the message then comes again and goes on at the cursor.
    """
    done = Worked(Work.NOTHING_TO_DO)
    for _ in range(RECEIPTS_PER_MESSAGE):
        campaign = ports.campaigns.campaign(message.campaign)
        if campaign is None or not may_work(campaign, message):
            return done
        cursor = ports.campaigns.cursor(campaign.id, message.work, message.chunk)
        if cursor is not None and cursor.finished:
            return done
        if clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            break
        run = ChunkRun(campaign, message, cursor, cache.get(campaign, ports.campaigns), ports, settings, clock)
        receipt = _work_or_stop(run, cause)
        if isinstance(receipt, Work):
            return replace(done, work=receipt)
        if ports.campaigns.record_receipt(receipt):
            done = done.after(receipt)
    ports.chunks.send([message])
    return replace(done, work=Work.CONTINUED)


def _work_or_stop(run: "ChunkRun", cause: Cause) -> Receipt | Work:
    """The receipt of one attempt; or, where the campaign cannot go on, how it was stopped."""
    campaign, now = run.campaign, run.clock.now()
    if campaign.engine != ENGINE_VERSION:
        reason = f"engine_changed: planned by engine {campaign.engine}, running is {ENGINE_VERSION}"
        return _stop(run, State.PAUSED, reason, cause)
    if run.message.work is Pass.APPLY and now >= campaign.decidable_until:
        return _stop(run, State.PAUSED, "incident_over: the incident is older than it may be decided", cause)
    try:
        receipt = run.work()
    except PinnedVersionGone:
        reason = "list_version_gone: the pinned version of the list was deleted; a newer upload does not replace it"
        return _stop(run, State.PAUSED, reason, cause)
    except ListRefused as refusal:
        target = State.REFUSED if run.message.work is Pass.PLAN else State.PAUSED
        return _stop(run, target, f"{refusal.reason}: {refusal}", cause)
    if run.problems:
        run.ports.archive.put(problems_key(receipt), _problem_lines(run.problems), "application/x-ndjson")
    return receipt


def may_work(campaign: Campaign, message: ChunkMessage) -> bool:
    """Whether a chunk message still means anything: the right pass, and a chunk that the campaign has."""
    return WORKABLE.get(campaign.state) is message.work and 0 <= message.chunk < len(campaign.chunks)


def _stop(run: "ChunkRun", target: State, reason: str, cause: Cause) -> Work:
    try:
        run.ports.campaigns.change_state(run.campaign, run.campaign.change(target, reason, cause, run.clock.now()))
    except Outdated:
        return Work.NOTHING_TO_DO
    return Work.PAUSED if target is State.PAUSED else Work.REFUSED


def problems_key(receipt: Receipt) -> str:
    """Where the problems of a receipt's lines are filed: the key holds the whole range, so only one content fits it."""
    folder = f"campaigns/{receipt.campaign.incident_id}/{receipt.campaign.seq:03d}/problems"
    return f"{folder}/{receipt.work}-{receipt.start:014d}-{receipt.end:014d}.jsonl"


def _problem_lines(problems: list[dict[str, str | int]]) -> bytes:
    return b"".join(json.dumps(problem, sort_keys=True).encode() + b"\n" for problem in problems)


class Waiting(NamedTuple):
    """A decided line that waits for its wave."""

    offset: int
    record: Record
    remembered: Remembered


@dataclass(slots=True)
class ChunkRun:
    """One attempt at a chunk: from the cursor, with its own totals, to a receipt that is offered once."""

    campaign: Campaign
    message: ChunkMessage
    cursor: Cursor | None
    policy: CompiledPolicy
    ports: GrantPorts
    settings: GrantSettings
    clock: Clock
    totals: Totals = field(default_factory=Totals)
    problems: list[dict[str, str | int]] = field(default_factory=list)
    tally: dict[tuple[Remembered, Fate], int] = field(default_factory=dict)
    wave: dict[tuple[str, str], Waiting] = field(default_factory=dict)
    row_hashes: int = 0
    has_written: bool = False

    def work(self) -> Receipt:
        """Decide (and in the apply pass write) line after line; the receipt covers exactly the lines that are done."""
        chunk_start, chunk_stop = self.campaign.chunks.bounds(self.message.chunk)
        position = start = None if self.cursor is None else self.cursor.position
        reader = line_reader(self.campaign.layout, self.policy.facts, self.policy.unit)
        decider = Decider(self.policy, reader, self.campaign.decided_at, partial(prepare, self.campaign))
        finished = True
        for number, line in enumerate(self._lines(chunk_start, chunk_stop), 1):
            start = line.offset if start is None else start
            self._take(line, reader, decider)
            position = line.end
            if position < chunk_stop and self._must_stop(number):
                finished = False
                break
        self._flush()
        self._settle()
        at = chunk_stop if position is None else position
        return Receipt(
            campaign=self.campaign.id,
            work=self.message.work,
            chunk=self.message.chunk,
            start=at if start is None else start,
            end=at,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finished,
            totals=self.totals,
        )

    def _lines(self, chunk_start: int, chunk_stop: int) -> Iterator[Line]:
        data_start = self.campaign.chunks.data_start
        start = chunk_start if self.cursor is None else self.cursor.position
        read_from = start if start == data_start else start - 1
        return lines_starting_in(self._blocks(read_from, chunk_stop), read_from, start, chunk_stop, data_start)

    def _blocks(self, read_from: int, chunk_stop: int) -> Iterator[bytes]:
        """The chunk and the end of its last line; further bytes only while that line goes on."""
        pinned, position = self.campaign.pinned, read_from
        stop = min(chunk_stop + LINE_BYTES, pinned.size)
        while position < stop:
            yield from self.ports.lists.read(pinned, position, stop)
            position, stop = stop, min(stop + LINE_SCAN_BYTES, pinned.size)

    def _must_stop(self, number: int) -> bool:
        if len(self.problems) >= PROBLEMS_PER_RECEIPT:
            return True
        if not self.has_written and number % LINES_PER_LOOK_AT_THE_CLOCK:
            return False
        self.has_written = False
        return self.clock.seconds_left() < TIME_TO_FINISH_SECONDS

    def _take(self, line: Line, reader: LineReader, decider: Decider[Remembered]) -> None:
        if line.raw == b"":
            self.totals.count_blank()
            return
        record = reader.record(line)
        if isinstance(record, Problem):
            self.totals.unbalanced_quotes += record.reason == QUOTES_UNBALANCED
            self._reject(line.offset, record)
            return
        remembered = decider.decide(record)
        if isinstance(remembered, Problem):
            self._reject(line.offset, remembered)
        elif self.message.work is Pass.PLAN and not self.campaign.follows:
            self._count(line.offset, remembered.body(remembered.digest(record)), remembered, Fate.NONE)
        else:
            if record[:2] in self.wave:
                self._flush()  # two rows of one unit in one call would hide which of them was first
            self.wave[record.account_id, record.unit] = Waiting(line.offset, record, remembered)
            if len(self.wave) >= self.settings.entries_per_wave:
                self._flush()

    def _reject(self, offset: int, problem: Problem) -> None:
        self.totals.count_rejected(problem.reason)
        if self.message.work is Pass.PLAN:
            self._note(offset, problem.reason, field=problem.field, expected=problem.expected)

    def _count(self, offset: int, body: str, remembered: Remembered, fate: Fate) -> None:
        key = remembered, fate
        self.tally[key] = self.tally.get(key, 0) + 1
        self.row_hashes += row_hash(offset, body)
        if len(self.tally) >= REMEMBERED_FACTS:
            self._settle()

    def _settle(self) -> None:
        """Bring what was counted by remembered decision into the totals."""
        for (remembered, fate), lines in self.tally.items():
            self.totals.count_decided(remembered.decision, fate, lines)
        self.totals.digest_rows(self.row_hashes)
        self.tally.clear()
        self.row_hashes = 0

    def _flush(self) -> None:
        """Finish the wave; each row's fate is known before the next wave begins."""
        waiting = list(self.wave.values())
        self.wave.clear()
        if self.campaign.follows:
            waiting = self._still_owed(waiting)
        if self.message.work is Pass.APPLY:
            self._write(waiting)
            return
        for offset, record, remembered in waiting:
            self._count(offset, remembered.body(remembered.digest(record)), remembered, Fate.NONE)

    def _still_owed(self, waiting: list[Waiting]) -> list[Waiting]:
        """What earlier campaigns of the incident have not given yet; lines that are owed nothing more are counted."""
        campaign = self.campaign
        keys = {
            key: [DecisionKey(key[0], campaign.id.incident_id, key[1], seq) for seq in campaign.follows]
            for key in ((line.record.account_id, line.record.unit) for line in waiting)
        }
        standing = self.ports.ledger.standing([key for ours in keys.values() for key in ours])
        owed = []
        for line in waiting:
            ours = keys[line.record.account_id, line.record.unit]
            before = stands_before(standing[key] for key in ours if key in standing)
            whole = line.remembered.decision
            decision = still_owed(whole, before)
            if decision is None:
                self.totals.count_unchanged(whole.reason)
            elif before is None:
                owed.append(line)
            else:
                now = prepare(campaign, decision, line.remembered.facts, before.texts())
                owed.append(line._replace(remembered=now))
        return owed

    def _write(self, waiting: list[Waiting]) -> None:
        if not waiting:
            return
        campaign, now = self.campaign, self.clock.now()
        keep_until = max(campaign.decidable_until, now + timedelta(days=self.settings.retention_days)) + WRITER_LIFE
        lifetimes: dict[Remembered, Lifetime] = {}
        entries = []
        for offset, record, remembered in waiting:
            lifetime = lifetimes.get(remembered)
            if lifetime is None:
                lifetime = lifetimes[remembered] = Lifetime.of(remembered.decision, now, keep_until)
            key = DecisionKey(record.account_id, campaign.id.incident_id, record.unit, campaign.id.seq)
            body = remembered.body(remembered.digest(record))
            entries.append(new_entry(key, offset, body, remembered.decision, lifetime))
        before = self.clock.seconds_left()
        stored = self.ports.ledger.insert(entries)
        for line, entry, found in zip(waiting, entries, stored, strict=True):
            fate = Fate.WRITTEN if found is None else judge(entry, found)
            self._count(line.offset, entry.body, line.remembered, fate)
            if found is not None and fate is Fate.CONFLICT:
                expected = "one set of facts for an account in a list"
                self._note(line.offset, "conflict", stored_offset=found.origin, expected=expected)
        self._pace(len(entries), before - self.clock.seconds_left())
        self.has_written = True

    def _pace(self, entries: int, spent_seconds: float) -> None:
        if self.settings.entries_per_second > 0:
            self.clock.wait(max(0.0, entries / self.settings.entries_per_second - spent_seconds))

    def _note(self, offset: int, reason: str, **details: str | int) -> None:
        self.problems.append(
            {"offset": offset, "reason": reason, **{name: text for name, text in details.items() if text != ""}}
        )
