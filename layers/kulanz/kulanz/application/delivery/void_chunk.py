"""Works a chunk of a void: the plan counts where each decision stands; the pass after it writes what was planned.

A decision is judged as it stood when the void was opened, in both passes. An entry is written on the condition that the
entries are as they were read, so that a void and an assignment of the same credit never both stand. Under a policy with
a history the entry and the history are one step.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, Clock, GrantPorts, GrantSettings
from kulanz.application.campaigns.chunk_run import lines_of as lines_of_campaign
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.ask_biller import ReversalAsking
from kulanz.application.delivery.ask_void import layout_of_file
from kulanz.application.delivery.deliver_chunk import ROUNDS_MOST
from kulanz.application.delivery.reject_codes import KnownCodes
from kulanz.application.delivery.void_overpaid import OverpaidRun
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.application.delivery.world import (
    Booked,
    CreditLedger,
    EntriesChange,
    RejectCodes,
    ReversalLedger,
    VoidQueue,
    VoidStore,
)
from kulanz.application.ports import CampaignStore, RecognisedRows, TryAgain, VoidMessage
from kulanz.domain.campaigns.campaign import Campaign, Cursor, Pass
from kulanz.domain.campaigns.reconciliation import RowResult, worth_of
from kulanz.domain.delivery.entries import CreditEntry
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.delivery.standing import AddResult, add_entry
from kulanz.domain.delivery.void import (
    WORKED,
    Part,
    Share,
    Void,
    VoidReceipt,
    VoidTotals,
    came_to,
    entry_id,
    moved_of,
    parts_of,
    reversal_entry,
    void_entry,
)
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import DecisionKey, Entry, granted_benefits, is_of_rejected_row
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import Line, is_blank, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import LineReader, Problem

LINES_PER_RECEIPT = 20_000
RECEIPTS_PER_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class VoidChunkPorts:
    """The world that working a void touches: that of deciding lines, and that of their credits."""

    work: GrantPorts
    campaigns: CampaignStore
    credits: CreditLedger
    voids: VoidStore
    queue: VoidQueue
    rows: RecognisedRows
    asks: ReversalLedger
    codes: RejectCodes

    def writer(
        self, work: Pass, campaign: Campaign, settings: GrantSettings, clock: Clock, cache: FrozenCache
    ) -> VoidWriter:
        """What writes for a void of a campaign."""
        ledger, keeps = self.work.ledger, campaign.keeps_history
        return VoidWriter(work, keeps, self.campaigns, ledger, self.credits, cache, settings, clock)


@dataclass(frozen=True, slots=True)
class VoidDone:
    """What a worker did, for its log line: no value of any row. `work` is empty where there was nothing to do."""

    work: str = ""
    lines: int = 0
    decisions: int = 0
    receipts: int = 0


def void_chunk(
    message: VoidMessage, ports: VoidChunkPorts, settings: GrantSettings, clock: Clock, cache: FrozenCache
) -> VoidDone:
    """Work a chunk from its cursor to its end, or as far as time allows; then the rest is sent again.

    Raises TryAgain when the world does not answer; the message then comes again and goes on at the cursor.
    """
    lines = decisions = receipts = tried = 0
    work: Pass | None = None
    for _ in range(RECEIPTS_PER_MESSAGE):
        void = ports.voids.void(message.void)
        campaign = None if void is None else ports.work.campaigns.campaign(message.void.campaign)
        work = None if void is None else WORKED.get(void.state)
        if void is None or campaign is None or work is None:
            return VoidDone("", lines, decisions, receipts)
        if not 0 <= message.chunk < len(void.chunks(campaign)):
            return VoidDone()
        cursor = ports.voids.cursor(void.id, work, message.chunk)
        if cursor is not None and cursor.finished:
            return VoidDone(work.value if receipts else "", lines, decisions, receipts)
        if work is Pass.APPLY and ports.work.campaigns.halt().is_on:  # the watch sends what is not finished again
            return VoidDone("", lines, decisions, receipts)
        if clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            break
        tried += 1
        run_of = OverpaidRun if void.is_of_overpaid else _Run
        receipt = run_of(void, campaign, work, message.chunk, cursor, ports, settings, clock, cache).work_on()
        if receipt is not None and ports.voids.record(receipt):
            lines, receipts = lines + receipt.totals.lines, receipts + 1
            decisions += receipt.totals.decisions
    if tried and not receipts:
        raise TryAgain("no line of the chunk was worked in a worker's time")
    ports.queue.send_voids([message])
    return VoidDone("" if work is None else work.value, lines, decisions, receipts)


class _Line(NamedTuple):
    """A line: where it starts and ends, and the decision that it names; `key` is None where it names none.

    `is_row`: it is a row of the campaign's list, whose decision is the one that was written for this very row.
    """

    start: int
    end: int
    key: DecisionKey | None
    is_row: bool


@dataclass(slots=True)
class _Run:
    """One attempt at a chunk: from the cursor to a receipt."""

    void: Void
    campaign: Campaign
    work: Pass
    chunk: int
    cursor: Cursor | None
    ports: VoidChunkPorts
    settings: GrantSettings
    clock: Clock
    cache: FrozenCache
    totals: VoidTotals = field(default_factory=VoidTotals)
    moves: Moves = field(default_factory=Moves)
    seen: set[DecisionKey] = field(default_factory=set)
    """What earlier lines of a file named: of a chunk that is the whole file."""
    rejected: bool | None = None
    """Whether the list has rows that were rejected, once that was looked at."""
    writer: VoidWriter = field(init=False)
    codes: KnownCodes = field(init=False)

    def __post_init__(self) -> None:
        self.writer = self.ports.writer(self.work, self.campaign, self.settings, self.clock, self.cache)
        self.codes = KnownCodes(self.ports.codes)

    def work_on(self) -> VoidReceipt | None:
        """Work lines wave after wave; the receipt covers exactly those that are done. None where none was."""
        chunk_start, chunk_stop = self.void.chunks(self.campaign).bounds(self.chunk)
        start = position = None if self.cursor is None else self.cursor.position
        finished, number = True, 0
        for page in batched(self._lines(chunk_start, chunk_stop, start), self.writer.per_wave, strict=False):
            if number and (number >= LINES_PER_RECEIPT or self.writer.must_end()):
                finished = False
                break
            start = page[0].start if start is None else start
            self._count(page)
            number += len(page)
            position = page[-1].end
        if position is None or finished:
            position = chunk_stop if position is None else max(position, chunk_stop)
        return VoidReceipt(
            void=self.void.id,
            work=self.work,
            chunk=self.chunk,
            start=position if start is None else start,
            end=position,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finished,
            totals=self.totals,
            moves=self.moves,
        )

    @property
    def _is_of_a_file(self) -> bool:
        """Whether lines name decisions, and are not the rows that these were written for."""
        return self.void.pinned is not None

    # What is read

    def _lines(self, chunk_start: int, chunk_stop: int, reached: int | None) -> Iterator[_Line]:
        if self.void.pinned is None:
            yield from self._of_list(chunk_start if reached is None else reached, chunk_stop)
        else:
            yield from self._of_file(chunk_start, chunk_stop, reached)

    def _of_list(self, start: int, stop: int) -> Iterator[_Line]:
        campaign = self.campaign
        policy = self.cache.get(campaign, self.ports.work.campaigns)
        reader = line_reader(campaign.layout, (), policy.subject, campaign.ignored_columns)
        for line in lines_of_campaign(campaign, self.ports.work.lists, start, stop):
            yield _Line(line.offset, line.end, self._key_of(reader, line), is_row=True)

    def _of_file(self, start: int, stop: int, reached: int | None) -> Iterator[_Line]:
        """The lines of a file from where the cursor stands; those before it are read again, for what they named."""
        pinned = self.void.pinned
        assert pinned is not None, "asked for a void of a file"
        layout = layout_of_file(pinned, self.campaign, self.ports.work.lists)
        reader = line_reader(layout, (), self.campaign.subject or None, ())
        blocks = self.ports.work.lists.read(pinned, start, stop)
        for line in lines_starting_in(blocks, start, start, stop, start):
            found = self._first(_Line(line.offset, line.end, self._key_of(reader, line), is_row=False))
            if reached is None or line.offset >= reached:
                yield found

    def _first(self, line: _Line) -> _Line:
        """The line, without its decision where an earlier line has named it."""
        if line.key in self.seen:
            return line._replace(key=None)
        if line.key is not None:
            self.seen.add(line.key)
        return line

    def _key_of(self, reader: LineReader, line: Line) -> DecisionKey | None:
        if is_blank(line.raw, is_csv=reader.format is ListFormat.CSV):
            return None
        record = reader.record(line)
        return None if isinstance(record, Problem) else self._key(record.account_id, record.subject)

    def _key(self, account_id: str, subject: str) -> DecisionKey:
        campaign = self.campaign.id
        return DecisionKey(account_id, campaign.incident_id, subject, campaign.seq)

    # What becomes of it

    def _count(self, lines: tuple[_Line, ...]) -> None:
        """Count some lines, of which the pass after the plan has written what was planned."""
        spent, written = self.clock.seconds_left(), 0
        lines = self._with_recognised(lines)
        rows = {(line.key, line.start) for line in lines if line.is_row}
        keys = list(dict.fromkeys(line.key for line in lines if line.key is not None))
        found = self.ports.credits.booked(keys)
        mine = {
            key: one
            for key, one in found.items()
            if (self._is_of_a_file or (key, one.entry.origin) in rows) and not self._came_later(one.entry)
        }
        self.totals.lines += len(lines)
        self.totals.unmatched += len(lines) - len(mine)
        parts = {key: list(parts_of(one.entry, one.entries, self.void)) for key, one in mine.items()}
        if self.work is Pass.APPLY:
            written = self._void(mine, parts)
            if self.void.asks_biller:
                self._ask(mine, parts)
        for key, one in mine.items():
            if self.work is Pass.PLAN:
                self.totals.count(parts[key], self.writer.notice_locale(one.entry))
                continue
            moved = moved_of(self.void, one.entry, one.entries)
            self.totals.count(came_to(parts[key], moved), one.notice_locale)
            for place in moved.values():
                self.moves.take(self.campaign.id, place, self.codes.counting(self.campaign.id, place))
        self.writer.pace(written, spent)

    def _with_recognised(self, lines: tuple[_Line, ...]) -> tuple[_Line, ...]:
        """Some lines, with the decision of each that cannot be read and whose account a person recognised."""
        if self.rejected is None:
            counts = self.campaign.apply.totals.counts
            self.rejected = any(one.row_result is RowResult.REJECTED for one in counts)
        if not self.rejected or all(line.key is not None or not line.is_row for line in lines):
            return lines
        known = self.ports.rows.recognised(self.campaign.id, lines[0].start, lines[-1].end)
        return tuple(line._replace(key=known.get(line.start)) if line.key is None else line for line in lines)

    def _came_later(self, entry: Entry) -> bool:
        """Whether a person recognised the account after the void was opened: its plan cannot have met the decision."""
        return is_of_rejected_row(entry) and entry.effective_at > self.void.opened_at

    def _void(self, mine: dict[DecisionKey, Booked], parts: dict[DecisionKey, list[Part]]) -> int:
        """Write what was planned of some decisions, as far as it still can be; how many entries were written."""
        waiting = {key for key, some in parts.items() if any(part.share is Share.VOIDABLE for part in some)}
        written = 0
        for _ in range(ROUNDS_MOST):
            changes: dict[DecisionKey, tuple[Entry, EntriesChange]] = {}
            for key in sorted(waiting, key=str):
                booked = mine[key]
                places = _places(parts[key])
                change = self._change(booked, places)
                if change is None:
                    waiting.discard(key)
                else:
                    changes[key] = booked.entry, change
            if not changes:
                return written
            left = self._written(changes, mine)
            written += len(changes) - len(left)
            if left:
                mine |= self.ports.credits.booked(left)
        if waiting:
            raise TryAgain("the credit entries of some decisions keep changing")
        return written

    def _ask(self, mine: dict[DecisionKey, Booked], parts: dict[DecisionKey, list[Part]]) -> None:
        """Ask back what the biller has of some decisions, as far as it still has it."""
        ports = self.ports
        waiting = [key for key, some in parts.items() if any(one.share is Share.ASKABLE for one in some)]

        def wanted() -> dict[DecisionKey, CreditEntry]:
            found = (
                (key, reversal_entry(self.void, mine[key].entry, mine[key].entries, parts[key])) for key in waiting
            )
            return {key: new for key, new in found if new is not None}

        asking = ReversalAsking(self.void, ports.campaigns, ports.credits, ports.asks, self.writer)
        asking.ask(mine, wanted, self.clock)

    def _written(
        self, changes: dict[DecisionKey, tuple[Entry, EntriesChange]], mine: dict[DecisionKey, Booked]
    ) -> list[DecisionKey]:
        """Write some changes; what was written stands so in `mine`. Those where somebody else was faster are given."""
        written = self.writer.write(list(changes.values()))
        for key in written:
            entry, change = changes[key]
            mine[key] = Booked(with_voided(entry, change.after), change.after, self.writer.notice_locale(entry))
        return [key for key in changes if key not in written]

    def _change(self, booked: Booked, places: set[int]) -> EntriesChange | None:
        """What voids the places that can be voided; None where none is left, or this void was here before."""
        entries = booked.entries
        if any(one.id == entry_id(self.void) for one in entries):
            return None
        sizes = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(booked.entry))}
        adding = add_entry(entries, void_entry(self.void, tuple(sorted(places))), sizes)
        if adding.result is not AddResult.ADDED:  # some of it moved meanwhile: what else can be voided?
            left = tuple(
                place
                for place in sorted(places & sizes.keys())
                if add_entry(entries, void_entry(self.void, (place,)), sizes).result is AddResult.ADDED
            )
            if not left:
                return None
            adding = add_entry(entries, void_entry(self.void, left), sizes)
        return EntriesChange(booked.entry.key, entries, adding.entries) if adding.result is AddResult.ADDED else None


def _places(parts: list[Part]) -> set[int]:
    return {part.place for part in parts if part.share is Share.VOIDABLE}
