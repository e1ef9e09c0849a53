"""A chunk whose plan is complete, read stretch by stretch: each decided as its plan decided it, and compared with it.

What every pass after the plan begins with: the execution, which then writes (`apply_chunk`), and an export, which only
reads. A stretch is bounded (`domain/campaigns/stretches.py`), so that a pass needs no more memory for a longer list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, ChunkRun, Waiting
from kulanz.application.campaigns.read_earlier import UnitPlace
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.campaigns.reconciliation import Overpaid, RowResult, nothing_owed
from kulanz.domain.campaigns.stretches import Stretch, stretch_of
from kulanz.domain.decision import Decision
from kulanz.domain.ledger.decider import Remembered
from kulanz.domain.ledger.earlier_decisions import Before
from kulanz.domain.ledger.entries import row_hash
from kulanz.domain.lists.lines import Line, is_blank
from kulanz.domain.lists.rows import Problem, Record

LINES_READ_TOGETHER = 100
"""Lines whose earlier decisions and histories are read at a time: one call's keys."""


class DecidedOtherwise(Exception):
    """The lines of a stretch come to something else than the plan says; nothing of the stretch was written now.

    `start` is the byte where the stretch begins. `stretch` is what the plan filed of it, or None where the plan filed
    nothing for lines that are there.
    """

    def __init__(self, start: int, stretch: Stretch | None) -> None:
        super().__init__("the execution decides otherwise than the plan")
        self.start = start
        self.stretch = stretch


class Owed(NamedTuple):
    """A line as its plan decided it, with the body of that decision and the hash of both."""

    offset: int
    record: Record
    remembered: Remembered
    body: str
    hashed: int

    @property
    def key(self) -> UnitPlace:
        """The account and subject it is about."""
        return self.record.account_id, self.record.subject

    @classmethod
    def of(cls, offset: int, record: Record, remembered: Remembered) -> "Owed":
        """A line with the body and the hash of its decision."""
        body = remembered.body_of(record)
        return cls(offset, record, remembered, body, row_hash(offset, body))


class NotWritten(NamedTuple):
    """A line that leaves nothing in the ledger: it is blank, rejected, or has all that it is owed (then a record)."""

    offset: int
    row_result: RowResult
    reason: str
    record: Record | None = None


@dataclass(slots=True)
class DecidedStretch:
    """The lines of a stretch, decided as the plan decided them, and not written yet.

    `before` is what the plan had read of their subjects' earlier decisions, by the lines' offsets, and `overpaid` how
    much more these gave than the subjects are entitled to; `whole` is what these lines come to by themselves.
    """

    start: int
    end: int
    lines: int = 0
    owed: list[Owed] = field(default_factory=list)
    others: list[NotWritten] = field(default_factory=list)
    before: dict[int, Before] = field(default_factory=dict)
    overpaid: dict[int, Overpaid] = field(default_factory=dict)
    whole: dict[int, tuple[Record, Decision]] = field(default_factory=dict)

    def stretch(self) -> Stretch:
        """What the plan filed of these lines if it came to the same."""
        return stretch_of(self.start, self.end, self.lines, sum(line.hashed for line in self.owed))


@dataclass(slots=True)
class StretchRun(ChunkRun):
    """One attempt at a chunk in a pass after the plan."""

    def planned(self, reached: int | None) -> Iterator[tuple[int, Stretch]]:
        """The plan's stretches of this chunk that end behind `reached`, each with the byte where it begins."""
        chunk_start, chunk_stop = self.campaign.chunks.bounds(self.message.chunk)
        for receipt in self.ports.campaigns.receipts(self.campaign.id, Pass.PLAN, chunk_start, chunk_stop):
            if receipt.chunk != self.message.chunk:
                continue
            at = receipt.start
            for stretch in receipt.stretches:
                if reached is None or stretch.end > reached:
                    yield at, stretch
                at = stretch.end
            if at != receipt.end:
                raise DecidedOtherwise(at, None)

    def decided(self, lines: Iterator[Line], start: int, planned: Stretch) -> DecidedStretch | None:
        """The lines of a stretch as the plan decided them; None where time ran out over reading about them."""
        stretch = DecidedStretch(start, start)
        waiting: list[Waiting] = []
        for line in lines:
            self._take(line, stretch, waiting)
            stretch.lines += 1
            stretch.end = line.end
            if line.end >= planned.end:
                break
        for number, page in enumerate(batched(waiting, LINES_READ_TOGETHER, strict=False)):
            if number and self.clock.seconds_left() < TIME_TO_FINISH_SECONDS:
                return None
            self._set_off(page, stretch)
        return stretch

    def _take(self, line: Line, stretch: DecidedStretch, waiting: list[Waiting]) -> None:
        if is_blank(line.raw, is_csv=self.is_csv):
            stretch.others.append(NotWritten(line.offset, RowResult.BLANK, ""))
            return
        record = self.reader.record(line)
        came = record if isinstance(record, Problem) else self.decider.decide(record)
        if isinstance(came, Problem):
            stretch.others.append(NotWritten(line.offset, RowResult.REJECTED, came.reason))
        elif isinstance(record, Record):
            if self.filed is not None:
                waiting.append(Waiting(line.offset, record, came))
            else:
                stretch.owed.append(Owed.of(line.offset, record, came))

    def _set_off(self, waiting: Sequence[Waiting], stretch: DecidedStretch) -> None:
        """Decide some lines with what earlier campaigns and incidents had given when they were planned."""
        assert self.filed is not None, "no line waits unless something was read of it"
        planned = [self.filed.planned(line.offset) for line in waiting]
        decided = self.decided_with(waiting, (read.history for read in planned))
        for line, (_, before) in zip(decided, planned, strict=True):
            owed = self.less(line.record, line.remembered, before)
            too_much = self.overpaid(line.remembered, before, owed)
            if too_much:
                stretch.overpaid[line.offset] = too_much
                stretch.whole[line.offset] = line.record, line.remembered.decision
            if owed is None:
                reason = line.remembered.decision.reason
                stretch.others.append(NotWritten(line.offset, nothing_owed(too_much), reason, line.record))
                continue
            stretch.owed.append(Owed.of(line.offset, line.record, owed))
            if before is not None:
                stretch.before[line.offset] = before
