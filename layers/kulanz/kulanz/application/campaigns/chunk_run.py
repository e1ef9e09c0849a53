"""What all passes do with a chunk: its lines read and decided, what earlier campaigns gave set off, results counted.

The plan pass (`plan_chunk`), the apply pass (`apply_chunk`) and an export decide the same lines by the same code. They
differ in one thing: what becomes of a decided line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol

from kulanz.application.campaigns.filed_reads import FiledReads
from kulanz.application.campaigns.read_earlier import Earlier, EarlierReader, UnitPlace
from kulanz.application.campaigns.read_history import HISTORY_OF_FORMER_ID, HistoryReader, Read
from kulanz.application.ports import Archive, CampaignWork, ChunkMessage, ChunkQueue, Ledger, ListStore
from kulanz.domain.campaigns.campaign import WORKABLE, Campaign, Cursor, Pass, Receipt
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Overpaid, Totals, WriteResult
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS, INSERTS_PER_CALL
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Decider, Remembered, prepare
from kulanz.domain.ledger.earlier_decisions import Before, is_more_than, overpaid, still_owed, unchanged_under_new_id
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import LINE_BYTES, LINE_SCAN_BYTES, Line, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import LineReader, Problem, Record
from kulanz.domain.lists.unread_columns import OWN_COLUMNS
from kulanz.domain.policy import CompiledPolicy

WAVE_SECONDS = 5.0
"""The longest a worker waits for its pace between two looks at the clock: at the slowest pace, for one entry."""
STOP_LOOK_SECONDS = 1.0
"""How often a worker looks whether its campaign was stopped. A wave of several entries takes as long at most, so that
within two seconds of a stop nothing more is written."""
TIME_TO_FINISH_SECONDS = 40.0
"""What a worker keeps back of its time: all waits of one more wave and of its receipt, were each the longest there is,
and sending the chunk again."""
PROBLEMS_PER_RECEIPT = 10_000
"""A receipt ends here, so that a list of nothing but broken rows needs no more memory than a good one."""
WAVE_ROW_STEPS = 15_000_000
"""What deciding the rows of one wave again, with what is kept of their subjects, can take: below 15 s, so that it is
over in `ROUND_SECONDS`. A wave of a costly policy has fewer rows."""
ROUND_SECONDS = 20.0
"""No round begins with less time left: all waits of one are over in it, and a worker that began a wave has two."""


@dataclass(frozen=True, slots=True)
class GrantSettings:
    """What an operator tunes. A wave is what one worker has in flight: `calls_in_flight` calls of 25 entries."""

    calls_in_flight: int
    units_per_second: float
    retention_days: int

    def entries_per_wave(self, write_units: int) -> int:
        """As many as the calls hold, and no more than a worker may write in `STOP_LOOK_SECONDS` at its pace, or one.

        `write_units` is what one of them costs.
        """
        most = INSERTS_PER_CALL * self.calls_in_flight
        if self.units_per_second <= 0:
            return most
        return max(1, min(most, int(self.units_per_second * STOP_LOOK_SECONDS / write_units)))


@dataclass(frozen=True, slots=True)
class GrantPorts:
    """The world that working a chunk touches."""

    campaigns: CampaignWork
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
        return self.remembered.body_of(self.record)


def lines_of(campaign: Campaign, lists: ListStore, start: int, stop: int) -> Iterator[Line]:
    """The lines of a campaign's list that start in `[start, stop)`."""
    data_start = campaign.chunks.data_start
    read_from = start if start == data_start else start - 1
    return lines_starting_in(_blocks(campaign, lists, read_from, stop), read_from, start, stop, data_start)


def _blocks(campaign: Campaign, lists: ListStore, read_from: int, chunk_stop: int) -> Iterator[bytes]:
    """The chunk and the end of its last line; further bytes only while that line goes on.

    All of the chunk (16 MiB at most) before the first line of it: writing is paced, for minutes where a table is
    slow, and S3 cuts off who reads that slowly (boto3 issues 829 and 2495).
    """
    pinned, position = campaign.pinned, read_from
    stop = min(chunk_stop + LINE_BYTES, pinned.size)
    while position < stop:
        yield from list(lists.read(pinned, position, stop))
        position, stop = stop, min(stop + LINE_SCAN_BYTES, pinned.size)


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
    earlier: EarlierReader = field(init=False)
    history: HistoryReader | None = field(init=False)
    filed: FiledReads | None = field(init=False)
    """Where something is read from a table for each line (earlier decisions, a history): what the plan read."""
    entries_per_wave: int = field(init=False)
    is_csv: bool = field(init=False)
    totals: Totals = field(default_factory=Totals)
    problems: list[dict[str, str | int]] = field(default_factory=list)
    tally: dict[tuple[Remembered, WriteResult], int] = field(default_factory=dict)
    row_hashes: int = 0
    looks_below: float = float("inf")

    def __post_init__(self) -> None:
        campaign, policy, ports = self.campaign, self.policy, self.ports
        self.reader = line_reader(
            campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, OWN_COLUMNS, campaign.decided_at
        )
        self.is_csv = self.reader.format is ListFormat.CSV
        self.earlier = EarlierReader(campaign.id.incident_id, campaign.follows, policy.began_at(), ports.ledger)
        self.decider = Decider(policy, self.reader, campaign.decided_at, partial(prepare, campaign))
        self.history = HistoryReader(campaign, policy, ports.ledger) if campaign.keeps_history else None
        self.filed = None
        if campaign.follows or campaign.keeps_history:
            self.filed = FiledReads(campaign, self.message.chunk, ports.campaigns, ports.archive)
        self.entries_per_wave = self.settings.entries_per_wave(HISTORY_WRITE_UNITS if campaign.keeps_history else 1)
        if campaign.keeps_history:
            self.entries_per_wave = max(1, min(self.entries_per_wave, WAVE_ROW_STEPS // policy.row_steps))

    def lines(self, start: int, stop: int) -> Iterator[Line]:
        """The lines that start in `[start, stop)`."""
        return lines_of(self.campaign, self.ports.lists, start, stop)

    def must_end(self, seconds_left: float) -> bool:
        """Whether this attempt must end here: its receipt is full, its time is over, or its campaign was stopped."""
        is_full = len(self.problems) >= PROBLEMS_PER_RECEIPT
        return is_full or seconds_left < TIME_TO_FINISH_SECONDS or self._is_stopped(seconds_left)

    def _is_stopped(self, seconds_left: float) -> bool:
        """Whether the campaign's state or a halt says so; both are read every `STOP_LOOK_SECONDS`."""
        if seconds_left > self.looks_below:
            return False
        self.looks_below = seconds_left - STOP_LOOK_SECONDS
        state = self.ports.campaigns.state_of(self.campaign.id)
        if state is None or WORKABLE.get(state) is not self.message.work:
            return True
        return self.message.work is Pass.APPLY and self.ports.campaigns.halt().is_on

    def receipt(
        self,
        start: int,
        end: int,
        *,
        finishes_chunk: bool,
        measured: Measured | None = None,
        stretches: Iterable[Stretch] = (),
    ) -> Receipt:
        """The receipt of the lines in `[start, end)`."""
        return Receipt(
            campaign=self.campaign.id,
            work=self.message.work,
            chunk=self.message.chunk,
            start=start,
            end=end,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finishes_chunk,
            totals=self.totals,
            measured=measured,
            stretches=tuple(stretches),
        )

    def count(self, row_hash: int, remembered: Remembered, write_result: WriteResult) -> None:
        """Count a decided line, whose place and decision have that hash."""
        key = remembered, write_result
        self.tally[key] = self.tally.get(key, 0) + 1
        self.row_hashes += row_hash
        if len(self.tally) >= REMEMBERED_FACTS:
            self.settle()

    def settle(self) -> None:
        """Bring what was counted by remembered decision into the totals."""
        for (remembered, write_result), lines in self.tally.items():
            self.totals.count_decided(remembered.decision, write_result, lines)
        self.tally.clear()

    def note(self, offset: int, reason: str, **details: str | int) -> None:
        """File a problem with a line."""
        self.problems.append(
            {"offset": offset, "reason": reason, **{name: text for name, text in details.items() if text != ""}}
        )

    # What earlier campaigns of the incident gave

    def stands_before(self, records: Iterable[Record]) -> Mapping[UnitPlace, Earlier]:
        """What earlier campaigns of the incident have decided about some records' subjects, as it stands now."""
        if not self.campaign.follows:
            return {}
        return self.earlier.read({(one.account_id, one.subject): one.former for one in records})

    def less(self, record: Record, whole: Remembered, before: Before | None) -> Remembered | None:
        """A decision less what earlier campaigns of the incident gave; None when nothing is owed any more.

        Of an account that changed something is always decided, so that it is found under its present id, too.
        """
        if before is None or whole.decision.reason == HISTORY_OF_FORMER_ID:
            return whole
        decision = still_owed(whole.decision, before)
        if decision is None and record.former is not None:
            decision = unchanged_under_new_id(whole.decision, before)
            return prepare(self.campaign, decision, whole.facts, whole.kept, earlier=before.texts())
        if decision is None:
            return None
        addition = whole.addition if decision.outcome is whole.decision.outcome else None
        if addition is not None and is_more_than(before, whole.decision):
            addition = self.decider.addition(record, whole.kept, before.money())
        return prepare(self.campaign, decision, whole.facts, whole.kept, addition, before.texts())

    def overpaid(self, whole: Remembered, before: Before | None, owed: Remembered | None) -> Overpaid:
        """How much more those gave than a line is entitled to now. `owed` is what `less` came to."""
        return () if before is None else overpaid(whole.decision, before, None if owed is None else owed.decision)

    # With a history, a decision also depends on what is kept of the subject's earlier incidents

    def decided_with(self, waiting: Sequence[Waiting], reads: Iterable[Read]) -> Sequence[Waiting]:
        """The lines as they come to with what was read of their subjects' histories, where the policy keeps any."""
        if self.history is None:
            return waiting
        decided = zip(waiting, reads, strict=True)
        return [line._replace(remembered=self.with_history(line.record, read)) for line, read in decided]

    def with_history(self, record: Record, read: Read) -> Remembered:
        """What a record's facts come to with what is kept of its subject's earlier incidents."""
        remembered = self.decider.decide(record, read.kept)
        assert not isinstance(remembered, Problem), "the record's facts were read before"
        if read.holds(remembered.decision):
            return prepare(self.campaign, Decision(Outcome.HELD, read.held), remembered.facts, read.kept)
        return remembered
