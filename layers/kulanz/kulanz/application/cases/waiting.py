"""What of a campaign waits for a person: its held and referred decisions, conflicts and rejected rows, some at a time.

No item of the ledger lists them: the receipts of the execution say in which bytes of the list they are, and those
bytes are read again, each line beside what stands in the ledger for it. So a hold costs nothing when it is written, and
an answer reads a bounded part of the list, however long that is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import batched

from kulanz.application.campaigns.chunk_run import lines_of
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.cases.case import CasePorts, campaign_closed_because, later_of
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, Pass, Receipt
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, CountKey, RowResult, Totals, WriteResult
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.decider import Decider, Remembered, prepare
from kulanz.domain.ledger.entries import DecisionKey, Entry, read_decision, row_digest_of
from kulanz.domain.ledger.hand_decision import DECIDABLE, CaseKind
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import Line, is_blank
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem, Record
from kulanz.domain.lists.unread_columns import OWN_COLUMNS

LINES_TOGETHER = 100
"""Lines whose decisions are read at a time: one call's keys."""
LINES_PER_ANSWER = 20_000
"""Lines that are read for one answer, at some 20 µs each, where a few of many wait."""
READS_PER_ANSWER = 60
"""Calls to the ledger for one answer, at some 20 ms each. Together with the lines this is below two seconds."""
BYTES_TOGETHER = 1024 * 1024
"""Of the list that is read at a time."""
SECONDS_FOR_MORE = 8.0
"""With less time left an answer ends where it is, and names where the rest begins."""


_OF_RESULT = {RowResult.HELD: CaseKind.HELD, RowResult.REFERRED: CaseKind.REFERRED}


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """One thing that waits: `offset` is where its row starts. `entry` is the decision where one waits.

    Of a conflict `key` has the decision that stands; of a rejected row nothing is known but what is wrong with it.
    """

    kind: CaseKind
    offset: int
    reason: str
    key: DecisionKey | None = None
    entry: Entry | None = None
    field: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes on: within the receipt that starts at one byte, at the line that starts at another."""

    receipt: int = 0
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.receipt}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read what `str` wrote. Raises ValueError."""
        receipt, offset = text.split(":")
        return cls(int(receipt), int(offset))


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """Some of what waits, and where the rest begins; None where there is none.

    `closed` is why nobody can decide any case of the campaign now, as a code and a sentence.
    """

    cases: Sequence[WaitingCase]
    rest: Place | None
    closed: tuple[str, str] | None


def counted(totals: Totals) -> Counter[CaseKind]:
    """How many of each kind the receipts of an execution count: before any was decided, or superseded."""
    found: Counter[CaseKind] = Counter()
    for key, lines in totals.counts.items():
        kind = _kind_of(key)
        if kind is not None:
            found[kind] += lines
    return found


def _kind_of(key: CountKey) -> CaseKind | None:
    if key.write_result is WriteResult.HELD_SINCE:
        return CaseKind.HELD
    if key.write_result is WriteResult.CONFLICT:
        return CaseKind.CONFLICT
    if key.row_result is RowResult.REJECTED:
        return CaseKind.REJECTED
    return _OF_RESULT.get(key.row_result) if key.write_result in IN_THE_LEDGER else None


def waiting_in(
    campaign: Campaign,
    incident: IncidentRecord,
    kinds: frozenset[CaseKind],
    begin: Place,
    most: int,
    ports: CasePorts,
    now: datetime,
    seconds_left: Callable[[], float],
) -> WaitingPage:
    """The next cases of a campaign, of some kinds, in the order of its list. Raises PinnedVersionGone.

    Where its incident was withdrawn nothing waits. What was decided by hand, or by a later campaign, is left out.
    """
    closed = campaign_closed_because(campaign, incident, ports.campaigns, now)
    if closed is not None and closed[0] == "incident_withdrawn":
        return WaitingPage((), None, closed)
    search = _Search(campaign, incident, kinds, most, ports, seconds_left)
    return WaitingPage(search.found, search.run(begin), closed)


@dataclass(slots=True)
class _Search:
    campaign: Campaign
    incident: IncidentRecord
    kinds: frozenset[CaseKind]
    most: int
    ports: CasePorts
    seconds_left: Callable[[], float]
    found: list[WaitingCase] = field(default_factory=list)
    lines: int = 0
    reads: int = 0
    later: list[int] = field(init=False)
    rests_on_facts: bool = field(init=False)
    """Whether a row's facts alone say that it is held: nothing else was read to decide it, by this very engine."""

    def __post_init__(self) -> None:
        campaign = self.campaign
        self.later = later_of(campaign.id, self.incident, self.ports.campaigns)
        is_alone = not campaign.follows and not campaign.keeps_history
        self.rests_on_facts = is_alone and campaign.engine == ENGINE_VERSION

    def run(self, begin: Place) -> Place | None:
        """Search on from a place; where the rest begins, or None at the end of the list."""
        campaign = self.campaign
        policy = thaw(campaign, self.ports.campaigns.frozen(campaign.id))
        reader = line_reader(campaign.layout, policy.facts, policy.subject, campaign.ignored_columns, OWN_COLUMNS)
        decider = Decider(policy, reader, campaign.decided_at, partial(prepare, campaign))
        is_csv = reader.format is ListFormat.CSV

        def decided(line: Line) -> "_Line | None":
            self.lines += 1
            if is_blank(line.raw, is_csv=is_csv):
                return None
            record = reader.record(line)
            came = record if isinstance(record, Problem) else decider.decide(record)
            if isinstance(came, Problem):
                return _Line(line.offset, came, None, None)
            assert isinstance(record, Record), "only a record is decided"
            return _Line(line.offset, None, record, came)

        for receipt in self.ports.campaigns.receipts(campaign.id, Pass.APPLY, begin.receipt):
            kinds = self.kinds & counted(receipt.totals).keys()
            if not kinds or receipt.end <= begin.offset:
                continue
            start = max(receipt.start, begin.offset) if receipt.start == begin.receipt else receipt.start
            for page in batched(self._lines(start, receipt), LINES_TOGETHER, strict=False):
                self._take((one for line in page if (one := decided(line)) is not None), kinds)
                if self._is_full():
                    end = page[-1].end
                    return Place(receipt.end, receipt.end) if end >= receipt.end else Place(receipt.start, end)
        return None

    def _lines(self, start: int, receipt: Receipt) -> Iterator[Line]:
        while start < receipt.end:
            stop = min(start + BYTES_TOGETHER, receipt.end)
            yield from lines_of(self.campaign, self.ports.lists, start, stop)
            start = stop

    def _is_full(self) -> bool:
        is_long = self.lines >= LINES_PER_ANSWER or self.reads >= READS_PER_ANSWER
        return is_long or len(self.found) >= self.most or self.seconds_left() < SECONDS_FOR_MORE

    def _take(self, lines: "Iterable[_Line]", kinds: frozenset[CaseKind]) -> None:
        asked, rejected = list[_Line](), list[WaitingCase]()
        for line in lines:
            if line.problem is not None:
                problem = line.problem
                rejected.append(
                    WaitingCase(
                        CaseKind.REJECTED, line.offset, problem.reason.value, None, None, problem.field,
                        problem.expected,
                    )
                )  # fmt: skip
            elif CaseKind.CONFLICT in kinds or not self.rests_on_facts or line.decision_outcome in DECIDABLE:
                asked.append(line)
        found = [*(self._open(rejected) if CaseKind.REJECTED in kinds else ()), *self._standing(asked, kinds)]
        self.found += sorted(found, key=lambda one: one.offset)

    def _open(self, rejected: Sequence[WaitingCase]) -> Sequence[WaitingCase]:
        """Those rejected rows that nobody has decided."""
        if not rejected:
            return ()
        self.reads += 1
        known = self.ports.rows.recognised(self.campaign.id, rejected[0].offset, rejected[-1].offset + 1)
        return [one for one in rejected if one.offset not in known]

    def _standing(self, lines: "Sequence[_Line]", kinds: frozenset[CaseKind]) -> Iterator[WaitingCase]:
        keys = {line.offset: line.key(self.campaign) for line in lines}
        if not keys:
            return
        self.reads += 1
        standing = self.ports.ledger.standing(list(dict.fromkeys(keys.values())))
        waiting = {key for key, entry in standing.items() if entry.by_hand is None}
        superseded = self._superseded(waiting)
        for line in lines:
            key = keys[line.offset]
            entry = standing.get(key)
            if entry is None or entry.by_hand is not None or key in superseded:
                continue
            if entry.origin == line.offset:
                if entry.status in DECIDABLE:
                    kind = CaseKind(entry.status.value)
                    if kind in kinds:
                        yield WaitingCase(kind, line.offset, read_decision(entry.body).reason, key, entry)
            elif CaseKind.CONFLICT in kinds and line.digest != row_digest_of(entry.body):
                yield WaitingCase(CaseKind.CONFLICT, line.offset, "conflict", key, entry)

    def _superseded(self, keys: set[DecisionKey]) -> set[DecisionKey]:
        """Those whose subject a later campaign has decided anew."""
        if not self.later or not keys:
            return set()
        self.reads += 1
        anew = {replace(key, seq=seq): key for key in keys for seq in self.later}
        return {anew[key] for key in self.ports.ledger.standing(list(anew))}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not blank: what is wrong with it, or its record and what its facts come to."""

    offset: int
    problem: Problem | None
    record: Record | None
    came: Remembered | None

    @property
    def decision_outcome(self) -> str:
        assert self.came is not None, "a line without a problem was decided"
        return self.came.decision.outcome

    @property
    def digest(self) -> str:
        assert self.came is not None, "a line without a problem was decided"
        assert self.record is not None, "a line without a problem has a record"
        return self.came.digest(self.record)

    def key(self, campaign: Campaign) -> DecisionKey:
        assert self.record is not None, "a line without a problem has a record"
        return DecisionKey(self.record.account_id, campaign.id.incident_id, self.record.subject, campaign.id.seq)
