"""The plan pass over a chunk: each line decided and counted, and a digest filed for each stretch of lines."""

from dataclasses import dataclass, field

from kulanz.application.campaigns.chunk_run import PROBLEMS_PER_RECEIPT, ChunkRun, Waiting
from kulanz.application.campaigns.filed_reads import LineRead
from kulanz.application.campaigns.read_earlier import NOTHING_EARLIER, UnitPlace
from kulanz.application.campaigns.read_history import NOTHING_READ
from kulanz.domain.campaigns.campaign import Receipt
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import WriteResult, nothing_owed
from kulanz.domain.campaigns.repeats import Repeats, account_hash, bound_for
from kulanz.domain.campaigns.stretches import (
    STRETCH_FULL_BYTES,
    STRETCH_SECONDS,
    STRETCHES_PER_RECEIPT,
    Stretch,
    rows_per_stretch,
    stretch_of,
)
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Remembered
from kulanz.domain.ledger.earlier_decisions import IN_ANOTHER_MEASURE
from kulanz.domain.ledger.entries import row_hash
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.lists.lines import Line, is_blank
from kulanz.domain.lists.near_ids import normal_id
from kulanz.domain.lists.rows import QUOTES_UNBALANCED, Problem, Record, row_digest
from kulanz.domain.lists.unread_columns import in_other_currency

LINES_PER_LOOK_AT_THE_CLOCK = 250
"""Lines whose facts are remembered between two looks at the clock. After a line that had to be worked out the clock is
looked at whatever their number, because one alone may take a second."""


@dataclass(slots=True)
class PlanRun(ChunkRun):
    """One attempt at a chunk in the plan pass."""

    measured: Measured = field(init=False)
    stretch_rows: int = field(init=False)
    agreed: dict[Remembered, tuple[str, ...]] = field(default_factory=dict)
    first_of: dict[Remembered, int] = field(default_factory=dict)
    """The byte offset of the first line that came to each remembered decision."""
    wave: dict[UnitPlace, Waiting] = field(default_factory=dict)
    has_waited: bool = False
    decided_before: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    stretch_start: int = 0
    stretch_began: float = 0.0
    lines_filed: int = 0
    last_row: int = field(init=False)
    seconds_left: float = 0.0

    def __post_init__(self) -> None:
        ChunkRun.__post_init__(self)
        campaign, policy = self.campaign, self.policy
        self.measured = Measured(repeats=Repeats(bound_for(campaign.rows_announced)))
        self.stretch_rows = self.last_row = rows_per_stretch(policy.row_steps, reads=self.filed is not None)

    def work(self) -> Receipt:
        """Decide line after line; the receipt covers exactly the lines that are done."""
        chunk_start, chunk_stop = self.campaign.chunks.bounds(self.message.chunk)
        begun = chunk_start if self.cursor is None else self.cursor.position
        start = position = None if self.cursor is None else self.cursor.position
        finished, is_full, number, full_at = True, False, 0, 0
        for number, line in enumerate(self.lines(begun, chunk_stop), 1):
            if number == 1:
                start = self.stretch_start = line.offset
                full_at = line.offset + STRETCH_FULL_BYTES
            self._take(line)
            position = line.end
            if number >= self.last_row or position > full_at:
                self._end_stretch(position, number)
                full_at = position + STRETCH_FULL_BYTES
                is_full = len(self.stretches) >= STRETCHES_PER_RECEIPT
            if position < chunk_stop and (is_full or self._must_end(number)):
                finished = False
                break
        at = chunk_stop if position is None else position
        self._end_stretch(at, number)
        self.settle()
        start = at if start is None else start
        receipt = self.receipt(start, at, finishes_chunk=finished, measured=self.measured, stretches=self.stretches)
        return receipt if self.filed is None else self.filed.file(receipt)

    def _must_end(self, number: int) -> bool:
        changed = self.measured.changed
        if len(self.problems) >= PROBLEMS_PER_RECEIPT or (changed.rows and changed.is_full):
            return True
        if self.filed is not None and self.filed.is_long():
            return True
        is_cheap = self.decider.decided == self.decided_before
        if is_cheap and not self.has_waited and number % LINES_PER_LOOK_AT_THE_CLOCK:
            return False
        self.has_waited, self.decided_before = False, self.decider.decided
        self.seconds_left = self.clock.seconds_left()
        self.stretch_began = max(self.stretch_began, self.seconds_left)
        if self.stretch_began - self.seconds_left >= STRETCH_SECONDS:
            self.last_row = number  # the stretch ends with the next line
        return self.must_end(self.seconds_left)

    def _end_stretch(self, end: int, number: int) -> None:
        """File the digest of the lines since the last stretch ended, if there are any. `number` is the last one's."""
        if number == self.lines_filed:
            return
        self._flush()
        self.stretches.append(stretch_of(self.stretch_start, end, number - self.lines_filed, self.row_hashes))
        self.totals.digest_rows(self.row_hashes)
        self.stretch_start, self.lines_filed, self.row_hashes = end, number, 0
        self.stretch_began, self.last_row = self.seconds_left, number + self.stretch_rows

    def _take(self, line: Line) -> None:
        if is_blank(line.raw, is_csv=self.is_csv):
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
        hashed, repeats = account_hash(record.account_id), self.measured.repeats
        if hashed < repeats.bound:
            repeats.see(hashed, record.account_id, record.subject, remembered.digest(record))
        if record.former is not None:
            self._see_former(record, record.former, line.offset)
        if record.currencies and self.agreed.get(remembered) != record.currencies:
            self._look_at_currencies(record.currencies, remembered)
        if self.filed is None:
            body = remembered.body_of(record)
            self.first_of.setdefault(remembered, line.offset)
            self.count(row_hash(line.offset, body), remembered, WriteResult.NONE)
        else:
            if record[:2] in self.wave:
                self._flush()  # a table is asked for each key once
            self.wave[record.account_id, record.subject] = Waiting(line.offset, record, remembered)
            if len(self.wave) >= self.entries_per_wave:
                self._flush()

    def _see_former(self, record: Record, former: Former, offset: int) -> None:
        """Measure an account that changed. Its former id is a subject that the list names, too."""
        self.measured.changed.see(record.account_id, former.account_id, record.subject, offset)
        if normal_id(former.account_id) == normal_id(record.account_id):
            return  # written otherwise: a row of the former id is nearly equal to this one
        hashed = account_hash(former.account_id)
        if hashed < self.measured.repeats.bound:
            digest = row_digest(former.account_id, record.subject, record.account_id)
            self.measured.repeats.see(hashed, former.account_id, record.subject, digest, is_former=True)

    def _look_at_currencies(self, stated: tuple[str, ...], remembered: Remembered) -> None:
        """Count a row that would be paid in another currency than it states; remember one that would not."""
        if in_other_currency(remembered.decision, stated):
            self.measured.other_currency += 1
            return
        if len(self.agreed) >= REMEMBERED_FACTS:
            self.agreed.clear()
        self.agreed[remembered] = stated

    def _reject(self, offset: int, problem: Problem) -> None:
        self.totals.count_rejected(problem.reason)
        for one in problem.each():
            self.note(offset, one.reason, field=one.field, expected=one.expected)

    def settle(self) -> None:
        for (remembered, _), lines in self.tally.items():
            decision = remembered.decision
            self.measured.amounts.count(decision, lines)
            due = self.policy.due_day(decision)
            self.measured.commitment.count(decision, lines, self.first_of[remembered], due)
        self.first_of.clear()
        ChunkRun.settle(self)

    def _flush(self) -> None:
        """Finish the lines that wait for what earlier campaigns and incidents gave."""
        waiting, filed = list(self.wave.values()), self.filed
        self.wave.clear()
        if not waiting or filed is None:
            return
        earlier = self.stands_before(line.record for line in waiting)
        self.measured.known += sum(one.before is not None for one in earlier.values())
        self.has_waited = True
        reads = (
            [NOTHING_READ] * len(waiting)
            if self.history is None
            else self.history.read([one.record for one in waiting], earlier)
        )
        for line, read in zip(self.decided_with(waiting, reads), reads, strict=True):
            stood = earlier.get(line.key, NOTHING_EARLIER).before
            filed.note(line.offset, LineRead(read, stood))
            owed = self.less(line.record, line.remembered, stood)
            too_much = self.overpaid(line.remembered, stood, owed)
            if too_much:
                self.totals.count_overpaid(too_much)
            if owed is None:
                self.totals.count_nothing_owed(nothing_owed(too_much), line.remembered.decision.reason)
                continue
            if owed.decision.reason == IN_ANOTHER_MEASURE:
                expected = "a grant in the currency and unit of what this incident's earlier campaigns granted"
                self.note(line.offset, IN_ANOTHER_MEASURE, expected=expected)
            body = owed.body_of(line.record)
            self.first_of.setdefault(owed, line.offset)
            self.count(row_hash(line.offset, body), owed, WriteResult.NONE)
