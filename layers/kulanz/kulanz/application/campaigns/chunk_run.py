"""One attempt at a chunk: its lines read, decided and, in the apply pass, written, up to one receipt.

Plan and apply are the same code over the same bounds. They differ in one thing: what becomes of a decided row.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol
from zlib import crc32

from kulanz.application.campaigns.read_history import HistoryReader, Read
from kulanz.application.ports import (
    Archive,
    CampaignStore,
    ChunkMessage,
    ChunkQueue,
    Ledger,
    ListStore,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import Campaign, Cursor, Pass, Receipt
from kulanz.domain.campaigns.estimate import HISTORY_WRITE_UNITS, INSERTS_PER_CALL
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, Totals, WriteResult
from kulanz.domain.campaigns.repeats import Repeats, bound_for
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Decider, Remembered, prepare
from kulanz.domain.ledger.earlier_decisions import (
    IN_ANOTHER_MEASURE,
    Before,
    is_as_planned,
    is_more_than,
    stands_before,
    still_owed,
    within_plan,
)
from kulanz.domain.ledger.entries import (
    WRITER_LIFE,
    DecisionKey,
    Entry,
    EntryWithHistory,
    HistoryChange,
    HistoryMoved,
    Lifetime,
    judge,
    new_entry,
    read_decision,
    row_hash,
)
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import LINE_BYTES, LINE_SCAN_BYTES, Line, is_blank, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import QUOTES_UNBALANCED, LineReader, Problem, Record
from kulanz.domain.lists.unread_columns import (
    CurrenciesOf,
    currency_cell,
    currency_reader,
    in_other_currency,
)
from kulanz.domain.policy import CompiledPolicy

LINES_PER_LOOK_AT_THE_CLOCK = 250
"""Lines whose facts are remembered between two looks at the clock. After a line that had to be worked out the clock is
looked at whatever their number, because one alone may take a second."""
WAVE_SECONDS = 5.0
"""The longest a worker waits for its pace between two looks at the clock."""
TIME_TO_FINISH_SECONDS = 40.0
"""What a worker keeps back of its time: all waits of one more wave and of its receipt, were each the longest there is,
and sending the chunk again."""
PROBLEMS_PER_RECEIPT = 10_000
"""A receipt ends here, so that a list of nothing but broken rows needs no more memory than a good one."""
WAVE_ROW_STEPS = 15_000_000
"""What deciding the rows of one wave again, with what is kept of their subjects, can take: below 15 s, so that it is
over in `ROUND_SECONDS`. A wave of a costly policy has fewer rows."""
HISTORY_ROUNDS = 10
"""How often a subject is decided again because another incident changed its history; then the chunk comes again."""
ROUND_SECONDS = 20.0
"""No round begins with less time left: all waits of one are over in it, and a worker that began a wave has two."""


@dataclass(frozen=True, slots=True)
class GrantSettings:
    """What an operator tunes. A wave is what one worker has in flight: `calls_in_flight` calls of 25 entries."""

    calls_in_flight: int
    units_per_second: float
    retention_days: int

    def entries_per_wave(self, write_units: int) -> int:
        """As many as the calls hold, and no more than a worker may write in `WAVE_SECONDS` at its pace.

        `write_units` is what one of them costs.
        """
        most = INSERTS_PER_CALL * self.calls_in_flight
        if self.units_per_second <= 0:
            return most
        return max(1, min(most, int(self.units_per_second * WAVE_SECONDS / write_units)))


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


type UnitPlace = tuple[str, str]
"""An account and a subject of it."""


class Waiting(NamedTuple):
    """A decided line that waits for its wave."""

    offset: int
    record: Record
    remembered: Remembered

    @property
    def key(self) -> UnitPlace:
        """The account and subject it is about."""
        return self.record.account_id, self.record.subject

    @property
    def body(self) -> str:
        """The body of its decision."""
        return self.remembered.body(self.remembered.digest(self.record))


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
    reader: LineReader = field(init=False)
    decider: Decider[Remembered] = field(init=False)
    history: HistoryReader | None = field(init=False)
    entries_per_wave: int = field(init=False)
    currencies_of: CurrenciesOf | None = field(init=False)
    currency_cell: Callable[[bytes], bytes] = field(init=False)
    paid: dict[Remembered, tuple[bytes, ...]] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    measured: Measured | None = None
    problems: list[dict[str, str | int]] = field(default_factory=list)
    tally: dict[tuple[Remembered, WriteResult], int] = field(default_factory=dict)
    wave: dict[UnitPlace, Waiting] = field(default_factory=dict)
    row_hashes: int = 0
    has_waited: bool = False
    decided_before: int = 0

    def __post_init__(self) -> None:
        campaign, policy, ports = self.campaign, self.policy, self.ports
        self.reader = line_reader(campaign.layout, policy.facts, policy.subject, campaign.ignored_columns)
        self.decider = Decider(policy, self.reader, campaign.decided_at, partial(prepare, campaign))
        self.history = None
        if campaign.keeps_history:
            place = self.message.chunk
            self.history = HistoryReader(campaign, policy, place, ports.ledger, ports.campaigns, ports.archive)
        self.currencies_of = None
        self.currency_cell = currency_cell(campaign.layout)
        if self.message.work is Pass.PLAN:
            self.measured = Measured(repeats=Repeats(bound_for(campaign.rows_announced)))
            self.currencies_of = currency_reader(campaign.layout, policy.facts, campaign.ignored_columns)
        self.entries_per_wave = self.settings.entries_per_wave(HISTORY_WRITE_UNITS if campaign.keeps_history else 1)
        if campaign.keeps_history:
            self.entries_per_wave = max(1, min(self.entries_per_wave, WAVE_ROW_STEPS // policy.row_steps))

    def work(self) -> Receipt:
        """Decide (and in the apply pass write) line after line; the receipt covers exactly the lines that are done."""
        chunk_start, chunk_stop = self.campaign.chunks.bounds(self.message.chunk)
        position = start = None if self.cursor is None else self.cursor.position
        finished = True
        for number, line in enumerate(self._lines(chunk_start, chunk_stop), 1):
            start = line.offset if start is None else start
            self._take(line)
            position = line.end
            if position < chunk_stop and self._must_stop(number):
                finished = False
                break
        self._flush()
        self._settle()
        at = chunk_stop if position is None else position
        receipt = Receipt(
            campaign=self.campaign.id,
            work=self.message.work,
            chunk=self.message.chunk,
            start=at if start is None else start,
            end=at,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finished,
            totals=self.totals,
            measured=self.measured,
        )
        return receipt if self.history is None else self.history.file(receipt)

    def _lines(self, chunk_start: int, chunk_stop: int) -> Iterator[Line]:
        data_start = self.campaign.chunks.data_start
        start = chunk_start if self.cursor is None else self.cursor.position
        read_from = start if start == data_start else start - 1
        return lines_starting_in(self._blocks(read_from, chunk_stop), read_from, start, chunk_stop, data_start)

    def _blocks(self, read_from: int, chunk_stop: int) -> Iterator[bytes]:
        """The chunk and the end of its last line; further bytes only while that line goes on.

        All of the chunk (16 MiB at most) before the first line of it: writing is paced, for minutes where a table is
        slow, and S3 cuts off who reads that slowly (boto3 issues 829 and 2495).
        """
        pinned, position = self.campaign.pinned, read_from
        stop = min(chunk_stop + LINE_BYTES, pinned.size)
        while position < stop:
            yield from list(self.ports.lists.read(pinned, position, stop))
            position, stop = stop, min(stop + LINE_SCAN_BYTES, pinned.size)

    def _must_stop(self, number: int) -> bool:
        if len(self.problems) >= PROBLEMS_PER_RECEIPT:
            return True
        if self.history is not None and self.history.is_long():
            return True
        is_cheap = self.decider.decided == self.decided_before
        if is_cheap and not self.has_waited and number % LINES_PER_LOOK_AT_THE_CLOCK:
            return False
        self.has_waited, self.decided_before = False, self.decider.decided
        return self.clock.seconds_left() < TIME_TO_FINISH_SECONDS

    def _take(self, line: Line) -> None:
        if is_blank(line.raw, is_csv=self.reader.format is ListFormat.CSV):
            self.totals.count_blank()
            return
        record = self.reader.record(line)
        if isinstance(record, Problem):
            self.totals.unbalanced_quotes += record.reason == QUOTES_UNBALANCED
            self._reject(line.offset, record)
            return
        remembered = self.decider.decide(record)
        if isinstance(remembered, Problem):
            self._reject(line.offset, remembered)
            return
        if self.measured is not None:
            self._measure(self.measured, line.raw, record, remembered)
        if self.message.work is Pass.PLAN and not self.campaign.follows and self.history is None:
            self._count(line.offset, remembered.body(remembered.digest(record)), remembered, WriteResult.NONE)
        else:
            if record[:2] in self.wave:
                self._flush()  # two rows of one subject in one call would hide which of them was first
            self.wave[record.account_id, record.subject] = Waiting(line.offset, record, remembered)
            if len(self.wave) >= self.entries_per_wave:
                self._flush()

    def _measure(self, measured: Measured, raw: bytes | None, record: Record, remembered: Remembered) -> None:
        """What the plan sees of a row beside its decision: its subject, and the currency that it states."""
        hashed = crc32(record.account_id.encode())
        if hashed < measured.repeats.bound:
            measured.repeats.see(hashed, record.account_id, record.subject, remembered.digest(record))
        if self.currencies_of is None or raw is None:
            return
        paid = self.paid.get(remembered)
        if paid is None:
            benefits = remembered.decision.benefits
            paid = self.paid[remembered] = tuple(
                {one.money.currency.encode() for one in benefits if one.money is not None}
            )
        if not paid or (len(paid) == 1 and self.currency_cell(raw) == paid[0]):
            return
        stated = self.currencies_of(raw)
        measured.other_currency += bool(stated) and in_other_currency(remembered.decision, stated)

    def _reject(self, offset: int, problem: Problem) -> None:
        self.totals.count_rejected(problem.reason)
        if self.message.work is Pass.PLAN:
            for one in problem.each():
                self._note(offset, one.reason, field=one.field, expected=one.expected)

    def _count(self, offset: int, body: str, remembered: Remembered, write_result: WriteResult) -> None:
        key = remembered, write_result
        self.tally[key] = self.tally.get(key, 0) + 1
        self.row_hashes += row_hash(offset, body)
        if len(self.tally) >= REMEMBERED_FACTS:
            self._settle()

    def _settle(self) -> None:
        """Bring what was counted by remembered decision into the totals."""
        for (remembered, write_result), lines in self.tally.items():
            self.totals.count_decided(remembered.decision, write_result, lines)
            if self.measured is not None:
                self.measured.amounts.count(remembered.decision, lines)
        self.totals.digest_rows(self.row_hashes)
        self.tally.clear()
        self.paid.clear()
        self.row_hashes = 0

    def _flush(self) -> None:
        """Finish the wave; each row's write_result is known before the next wave begins."""
        waiting = list(self.wave.values())
        self.wave.clear()
        if not waiting:
            return
        before = self._stands_before(waiting)
        if self.measured is not None:
            self.measured.known += sum(before.get(line.key) is not None for line in waiting)
        self.has_waited = bool(self.campaign.follows) or self.history is not None
        if self.history is not None:
            waiting = self._as_planned(waiting, self.history)
        planned = [owed for line in waiting if (owed := self._still_owed(line, before)) is not None]
        if self.message.work is Pass.PLAN:
            for line in planned:
                self._count(line.offset, line.body, line.remembered, WriteResult.NONE)
        elif self.history is None:
            self._write(planned)
        else:
            self._write_and_keep(planned, before, self.history)

    def _stands_before(self, waiting: list[Waiting]) -> Mapping[UnitPlace, Before | None]:
        """What earlier campaigns of the incident have decided about the subjects of some lines."""
        campaign = self.campaign
        if not campaign.follows:
            return {}
        keys = {
            line.key: [DecisionKey(line.key[0], campaign.id.incident_id, line.key[1], seq) for seq in campaign.follows]
            for line in waiting
        }
        standing = self.ports.ledger.standing([key for ours in keys.values() for key in ours])
        return {
            subject: stands_before(standing[key] for key in ours if key in standing) for subject, ours in keys.items()
        }

    def _still_owed(self, line: Waiting, before: Mapping[UnitPlace, Before | None]) -> Waiting | None:
        """The line with what earlier campaigns have not given yet; None, and counted, when that is nothing."""
        whole = line.remembered
        owed = self._less(line.record, whole, before.get(line.key))
        if owed is None:
            self.totals.count_unchanged(whole.decision.reason)
        elif owed.decision.reason == IN_ANOTHER_MEASURE and self.message.work is Pass.PLAN:
            expected = "a grant in the currency and unit of what this incident's earlier campaigns granted"
            self._note(line.offset, IN_ANOTHER_MEASURE, expected=expected)
        return None if owed is None else line._replace(remembered=owed)

    def _less(self, record: Record, whole: Remembered, before: Before | None) -> Remembered | None:
        """A decision less what earlier campaigns of the incident gave; None when nothing is owed any more."""
        if before is None:
            return whole
        decision = still_owed(whole.decision, before)
        if decision is None:
            return None
        addition = whole.addition if decision.outcome is whole.decision.outcome else None
        if addition is not None and is_more_than(before, whole.decision):
            addition = self.decider.addition(record, whole.kept, before.money())
        return prepare(self.campaign, decision, whole.facts, whole.kept, addition, before.texts())

    def _write(self, waiting: list[Waiting]) -> None:
        """Insert the decisions of a wave, and count what became of each."""
        if not waiting:
            return
        entries = self._entries(waiting)
        before = self.clock.seconds_left()
        stored = self.ports.ledger.insert(entries)
        for line, entry, found in zip(waiting, entries, stored, strict=True):
            write_result = WriteResult.WRITTEN if found is None else judge(entry, found)
            self._count(line.offset, entry.body, line.remembered, write_result)
            if found is not None and write_result is WriteResult.CONFLICT:
                self._note_conflict(line, found)
        self._pace(len(entries), before - self.clock.seconds_left())
        self.has_waited = True

    def _entries(self, waiting: list[Waiting]) -> list[Entry]:
        campaign, now = self.campaign, self.clock.now()
        keep_until = max(campaign.decidable_until, now + timedelta(days=self.settings.retention_days)) + WRITER_LIFE
        lifetimes: dict[Remembered, Lifetime] = {}
        entries = []
        for offset, record, remembered in waiting:
            lifetime = lifetimes.get(remembered)
            if lifetime is None:
                lifetime = lifetimes[remembered] = Lifetime.of(remembered.decision, now, keep_until)
            key = DecisionKey(record.account_id, campaign.id.incident_id, record.subject, campaign.id.seq)
            body = remembered.body(remembered.digest(record))
            entries.append(new_entry(key, offset, body, remembered.decision, lifetime))
        return entries

    def _pace(self, write_units: int, spent_seconds: float) -> None:
        if self.settings.units_per_second > 0:
            self.clock.wait(max(0.0, write_units / self.settings.units_per_second - spent_seconds))

    def _note(self, offset: int, reason: str, **details: str | int) -> None:
        self.problems.append(
            {"offset": offset, "reason": reason, **{name: text for name, text in details.items() if text != ""}}
        )

    def _note_conflict(self, line: Waiting, stored: Entry) -> None:
        expected = "one set of facts for an account in a list"
        self._note(line.offset, "conflict", stored_offset=stored.origin, expected=expected)

    # With a history: the same, but a decision also depends on what is kept of the subject's earlier incidents

    def _as_planned(self, waiting: list[Waiting], history: HistoryReader) -> list[Waiting]:
        """The lines as the plan decides, or decided, them: with what was kept when it read the subjects' histories."""
        if self.message.work is Pass.APPLY:
            reads = [history.planned(line.offset) for line in waiting]
        else:
            reads = history.read_for_plan([(line.offset, line.record) for line in waiting])
        decided = zip(waiting, reads, strict=True)
        return [line._replace(remembered=self._decided(line.record, read)) for line, read in decided]

    def _decided(self, record: Record, read: Read) -> Remembered:
        """What a record's facts come to with what is kept of its subject's earlier incidents."""
        remembered = self.decider.decide(record, read.kept)
        assert not isinstance(remembered, Problem), "the record's facts were read before"
        if read.holds(remembered.decision):
            return prepare(self.campaign, Decision(Outcome.HELD, read.held), remembered.facts, read.kept)
        return remembered

    def _write_and_keep(
        self, planned: list[Waiting], before: Mapping[UnitPlace, Before | None], history: HistoryReader
    ) -> None:
        """Write a wave's decisions, each in one step with what it adds to its subject's history.

        Where somebody else's incident was first, the subject's history is read and the line decided again.
        """
        for _ in range(HISTORY_ROUNDS):
            if not planned or self.clock.seconds_left() < ROUND_SECONDS:
                break
            planned = self._round(planned, before, history)
        if planned:
            raise TryAgain("the histories of some subjects keep changing")

    def _round(
        self, planned: list[Waiting], before: Mapping[UnitPlace, Before | None], history: HistoryReader
    ) -> list[Waiting]:
        """One try at some lines; those whose subject's history moved meanwhile are left."""
        now = history.of(line.record for line in planned)
        decided = [self._within_plan(line, before, history.counted(now[history.key(line.record)])) for line in planned]
        entries = self._entries(decided)
        keeping = [
            None if after is None else EntryWithHistory(entry, HistoryChange(key, now[key], after))
            for line, entry in zip(decided, entries, strict=True)
            for key in (history.key(line.record),)
            for after in (history.after(now[key], line.remembered.addition),)
        ]
        spent = self.clock.seconds_left()
        kept = [one for one in keeping if one is not None]
        plain = [entry for entry, one in zip(entries, keeping, strict=True) if one is None]
        written = iter(self.ports.ledger.insert_with_history(kept) if kept else ())
        inserted = iter(self.ports.ledger.insert(plain) if plain else ())
        left = []
        for line, now_decided, entry, one in zip(planned, decided, entries, keeping, strict=True):
            found = next(inserted if one is None else written)
            if isinstance(found, HistoryMoved):
                left.append(line)
            else:
                self._count_with_history(line, now_decided.remembered.decision, entry, found)
        self._pace(len(plain) + HISTORY_WRITE_UNITS * len(kept), spent - self.clock.seconds_left())
        self.has_waited = True
        return left

    def _within_plan(self, line: Waiting, before: Mapping[UnitPlace, Before | None], read: Read) -> Waiting:
        """What is written of a planned line, decided with what is kept now."""
        whole = self._decided(line.record, read)
        now = self._less(line.record, whole, before.get(line.key))
        decision = within_plan(line.remembered.decision, None if now is None else now.decision)
        if now is not None and decision is now.decision:
            return line._replace(remembered=now)
        return line._replace(remembered=prepare(self.campaign, decision, whole.facts, whole.kept))

    def _count_with_history(self, planned: Waiting, decided: Decision, entry: Entry, found: Entry | None) -> None:
        """Count a line by its plan: written as planned, capped since then, or somebody's row was there before."""
        write_result = WriteResult.WRITTEN if found is None else judge(entry, found)
        stands = decided if found is None else read_decision(found.body)
        if write_result not in IN_THE_LEDGER or is_as_planned(planned.remembered.decision, stands):
            self._count(planned.offset, planned.body, planned.remembered, write_result)
        else:
            self.totals.count_capped(planned.remembered.decision, stands, write_result)
            self.row_hashes += row_hash(planned.offset, planned.body)
        if found is not None and write_result is WriteResult.CONFLICT:
            self._note_conflict(planned, found)
