"""Shows what a campaign would make of a list, before anybody publishes it: the workers' reader and policy, no AWS."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from kulanz.domain.campaigns.amounts import Amounts
from kulanz.domain.campaigns.changed_accounts import ChangedAccounts
from kulanz.domain.campaigns.limits import Exceeded, Limits, conflicts_exceeded, exceeded, nearly_equal_exceeded
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import (
    RESULT_OF,
    CountKey,
    RowResult,
    Totals,
    WriteResult,
    worth_by_measure,
)
from kulanz.domain.decision import Decision
from kulanz.domain.language_tags import language_tag
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Decider
from kulanz.domain.lists.account_ids import has_zeros_for_digits, is_long_number
from kulanz.domain.lists.facts import FactValue
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.lists.header import ACCOUNT_COLUMN, HEADER_BYTES, ListFormat, ListLayout, read_layout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.lists.lines import Line, ListRefused, is_blank, lines_starting_in
from kulanz.domain.lists.near_ids import normal_id
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import (
    LIST_SEPARATOR_UNKNOWN,
    QUOTES_UNBALANCED,
    Cells,
    LineReader,
    Problem,
    Record,
    row_digest,
    unseparated_lists,
)
from kulanz.domain.lists.unread_columns import (
    OWN_COLUMNS,
    in_other_currency,
    must_not_nearly_name,
    names_in,
    other_currency,
)
from kulanz.domain.money import Size, format_minor, minor_units
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.time import format_instant

PROBLEMS_SHOWN = 1_000
FIRST_LINES = 5
"""Of each kind of finding so many lines are named."""
LARGEST_SHOWN = 10
NAMES_REMEMBERED = 1_000
"""Names of JSON records that are remembered, to say which of them nothing reads."""
LINES_PER_PROGRESS = 10_000
LONG_IDS_LEAST = 20
"""From so many ids of 16 to 18 digits on, it is no chance that half of them end as a spreadsheet rounds them."""

type Ranged = int | Fraction | date


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that would be rejected: its number in the file (from 1), the byte where it starts, and no value of it."""

    line: int
    offset: int
    problem: Problem


@dataclass(slots=True)
class Found:
    """How many lines something was found in, and the first of them."""

    lines: int = 0
    first: list[int] = field(default_factory=list)

    def see(self, line: int) -> None:
        """Count a line."""
        self.lines += 1
        if len(self.first) < FIRST_LINES:
            self.first.append(line)


@dataclass(slots=True)
class Range:
    """The smallest and the largest value of a fact; `currency` is that of an amount, in minor units."""

    currency: str
    least: Ranged
    most: Ranged

    def see(self, value: Ranged) -> None:
        """Take a value of the same type in."""
        self.least, self.most = min(self.least, value), max(self.most, value)

    def text(self, value: Ranged) -> str:
        """A value as a list has it."""
        if isinstance(value, datetime):
            return format_instant(value)
        if isinstance(value, date):
            return value.isoformat()
        if self.currency and isinstance(value, int):
            return f"{format_minor(value, minor_units(self.currency))} {self.currency}"
        return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a whole list names more than once. `repeated`: rows of a subject again with the same facts; `contradicting`:
    with others; `nearly_equal`: rows whose id differs from another's by zeros, letters' case or `.0` alone. Lines are
    named in pairs: the row, and the one before it that it repeats.
    """

    repeated: int
    contradicting: int
    nearly_equal: int
    first_repeated: Sequence[tuple[int, int]]
    first_contradicting: Sequence[tuple[int, int]]
    first_nearly_equal: Sequence[tuple[int, int]]


class SubjectIndex(Protocol):
    """Remembers every subject of a list, in memory that does not grow with it."""

    def see(self, account_id: str, subject: str, digest: str, line: int, *, is_former: bool = False) -> None:
        """Remember a row: its subject, the digest of its facts, and its line; or the subject under its former id.

        Two rows that name a former id alike repeat nothing by that: they are counted by the id that they have.
        """

    def found(self) -> Subjects:
        """What was named more than once."""


@dataclass(slots=True)
class CheckedList:
    """What a list would come to. `classes` counts lines by result and reason; `problems` are the first of them.

    `ranges` has the smallest and the largest value of every number, amount, instant and day; `unknown` counts the cells
    of each fact that have no value, `no_language` those of the customer's language that are no language tag, `short`
    rows whose last cells are missing and were read as empty; `largest` are the lines worth most, by measure. `long_ids`
    counts ids of more digits than a spreadsheet keeps, `zeros_for_digits` those of them that end as it rounds them.
    """

    lines: int = 0
    classes: Counter[tuple[RowResult, str]] = field(default_factory=Counter)
    problems: list[LineProblem] = field(default_factory=list)
    kinds: dict[Problem, Found] = field(default_factory=dict)
    unbalanced_quotes: int = 0
    amounts: Amounts = field(default_factory=Amounts)
    largest: dict[str, list[tuple[Size, int]]] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    no_language: Counter[str] = field(default_factory=Counter)
    short: int = 0
    unread: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    other_currency: Found = field(default_factory=Found)
    long_ids: int = 0
    zeros_for_digits: Found = field(default_factory=Found)
    changed: ChangedAccounts = field(default_factory=ChangedAccounts)
    subjects: Subjects | None = None

    @property
    def blank(self) -> int:
        """Lines without any character."""
        return sum(number for (row_result, _), number in self.classes.items() if row_result is RowResult.BLANK)

    @property
    def rows(self) -> int:
        """Lines that are not blank: what a publisher's control total announces."""
        return self.lines - self.blank

    @property
    def rejected(self) -> int:
        """Lines that cannot be decided."""
        return sum(number for (row_result, _), number in self.classes.items() if row_result is RowResult.REJECTED)

    @property
    def are_rounded(self) -> bool:
        """Whether the ids lost their last digits in a spreadsheet, as far as many of them show and one does not."""
        return self.long_ids >= LONG_IDS_LEAST and self.zeros_for_digits.lines * 2 >= self.long_ids

    def refusal(self, rows_announced: int | None) -> str:
        """Why the whole list would be refused after its plan; empty when it would not."""
        if self.unbalanced_quotes:
            return f"quotes_unbalanced: lines with an odd number of double quotes: {self.unbalanced_quotes}"
        unseparated = self.classes[RowResult.REJECTED, LIST_SEPARATOR_UNKNOWN]
        if unseparated:
            return unseparated_lists(unseparated)
        if rows_announced is not None and rows_announced != self.rows:
            return f"rows_differ: rows announced: {rows_announced}, rows of the list that are not blank: {self.rows}"
        if self.other_currency.lines:
            return other_currency(self.other_currency.lines)
        return next(self.changed.refusals(), "")

    def outside(self, limits: Limits, *, decided: bool) -> list[Exceeded]:
        """The limits that the list does not keep. Without `decided`, those of results that an incident gives are left.

        How many subjects a followed campaign knows is only known to the stack.
        """
        told = self.classes if decided else {key: n for key, n in self.classes.items() if key[0] is RowResult.REJECTED}
        counts = Counter({CountKey(*key, WriteResult.NONE): n for key, n in told.items() if n})
        blank = 0 if decided else self.blank
        totals = Totals(lines=self.lines - blank, counts=counts)
        measured = Measured(amounts=self.amounts if decided else Amounts())
        found = exceeded(limits, totals, measured, follows=False)
        if self.subjects is not None:
            found += conflicts_exceeded(limits.shares["conflicts"], self.rows, self.subjects.contradicting)
            found += nearly_equal_exceeded(limits.shares["nearly_equal"], self.rows, self.subjects.nearly_equal)
        return found


def required_columns(policy: CompiledPolicy) -> Sequence[str]:
    """The columns without which a list is refused as a whole."""
    subject = [policy.subject] if policy.subject else []
    return [ACCOUNT_COLUMN, *subject, *(fact.name for fact in policy.facts if fact.required)]


def must_not_state_history(policy: CompiledPolicy, layout: ListLayout) -> None:
    """Refuse a list with a column for what Kulanz keeps itself: it would be ignored. Raises ListRefused."""
    kept = [name for name in layout.columns if policy.keeps(name)]
    if kept:
        raise ListRefused(
            "column_of_history",
            f"under this policy Kulanz keeps {kept[0]} itself, from the incidents it decides; leave that column out",
        )


def check_list(
    read: Callable[[int, int], Iterable[bytes]],
    size: int,
    list_format: ListFormat,
    policy: CompiledPolicy,
    decided_at: datetime,
    *,
    ignored_columns: Sequence[str] = (),
    account_ids: IdShape | None = None,
    subject_ids: IdShape | None = None,
    subjects: SubjectIndex | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> CheckedList:
    """Read the whole list once. `read(start, stop)` gives its bytes in blocks; memory does not grow with its length.

    `account_ids` and `subject_ids` are the shapes that its ids have, where they are stated. `progress` hears up to
    which byte it was read. Raises ListRefused when the list cannot be read at all.
    """
    head = b"".join(read(0, min(size, HEADER_BYTES)))
    layout = read_layout(list_format, head, size, required_columns(policy))
    layout = replace(layout, account_ids=account_ids, subject_ids=subject_ids)
    must_not_state_history(policy, layout)
    check = _Check(layout, policy, decided_at, ignored_columns, subjects)
    check.look_at_columns(ignored_columns, head, size)
    first = 1 if list_format is ListFormat.JSONL else _lines_of_header(read, layout) + 1
    for number, line in enumerate(_lines(read, layout, size), first):
        check.take(number, line)
        if number % LINES_PER_PROGRESS == 0:
            progress(line.end)
    check.settle()
    check.name_columns()
    progress(size)
    if subjects is not None:
        check.checked.subjects = subjects.found()
    return check.checked


@dataclass(frozen=True, slots=True, eq=False)
class _Came:
    """What equal facts came to, told apart by identity."""

    decision: Decision
    facts: str
    worth: tuple[tuple[str, Size], ...]
    unknown: tuple[str, ...]
    no_language: bool


class _Check:
    """One reading of a list, row after row."""

    def __init__(
        self,
        layout: ListLayout,
        policy: CompiledPolicy,
        decided_at: datetime,
        ignored_columns: Sequence[str],
        subjects: SubjectIndex | None,
    ) -> None:
        self.checked = CheckedList()
        self._layout, self._policy, self._subjects = layout, policy, subjects
        self._reader = line_reader(layout, policy.facts, policy.subject, ignored_columns, OWN_COLUMNS, decided_at)
        self._names: dict[str, None] = {}
        self._facts = {fact.name for fact in policy.facts}
        self._values: tuple[FactValue | None, ...] = ()
        watched: LineReader = replace(self._reader, values=self._watch)
        self._decider = Decider(policy, watched, decided_at, self._came)
        self._tally: dict[_Came, int] = {}

    def look_at_columns(self, ignored_columns: Sequence[str], head: bytes, size: int) -> None:
        """Raises ListRefused where a column, or a name in the first records, nearly is that of an absent fact."""
        lines = head[self._layout.data_start :].splitlines()
        names = names_in(self._layout, lines if len(head) == size else lines[:-1] or lines)
        must_not_nearly_name(names, self._policy.facts, self._policy.subject, ignored_columns, OWN_COLUMNS)
        self._names |= dict.fromkeys(self._layout.columns)

    def name_columns(self) -> None:
        """Name what nothing reads, and what is not there: of JSONL, in any of the records that were taken."""
        facts = [fact.name for fact in self._policy.facts]
        read = {ACCOUNT_COLUMN, self._policy.subject, *facts, *OWN_COLUMNS}
        self.checked.unread = [name for name in self._names if name.strip() and name not in read]
        self.checked.absent = [name for name in facts if name not in self._names]

    def take(self, number: int, line: Line) -> None:
        """Read and decide a line."""
        checked = self.checked
        checked.lines += 1
        if is_blank(line.raw, is_csv=self._layout.format is ListFormat.CSV):
            checked.classes[RowResult.BLANK, "blank"] += 1
            return
        if line.raw is not None and self._layout.format is ListFormat.JSONL:
            self._see_names(line.raw)
        record = self._reader.record(line)
        came = record if isinstance(record, Problem) else self._decider.decide(record)
        if isinstance(came, Problem):
            self._reject(number, line, came)
        elif isinstance(record, Record):
            checked.short += line.raw is not None and self._reader.is_short(line.raw)
            self._see(number, record, came)
            if record.former is not None:
                self._see_former(number, line.offset, record, record.former)

    def _see_former(self, number: int, offset: int, record: Record, former: Former) -> None:
        """Remember an account that changed. Its former id is a subject that the list names, too."""
        self.checked.changed.see(record.account_id, former.account_id, record.subject, offset)
        if self._subjects is not None and normal_id(former.account_id) != normal_id(record.account_id):
            digest = row_digest(former.account_id, record.subject, record.account_id)
            self._subjects.see(former.account_id, record.subject, digest, number, is_former=True)

    def _see_names(self, raw: bytes) -> None:
        """Remember what a record names: facts always, and of the others the first ones."""
        for name in names_in(self._layout, (raw,)):
            if len(self._names) < NAMES_REMEMBERED or name in self._facts:
                self._names[name] = None

    def _reject(self, number: int, line: Line, problem: Problem) -> None:
        checked = self.checked
        checked.unbalanced_quotes += problem.reason == QUOTES_UNBALANCED
        checked.classes[RowResult.REJECTED, problem.reason] += 1
        for one in problem.each():
            checked.kinds.setdefault(one, Found()).see(number)
            if len(checked.problems) < PROBLEMS_SHOWN:
                checked.problems.append(LineProblem(number, line.offset, one))

    def _see(self, number: int, record: Record, came: _Came) -> None:
        checked = self.checked
        self._tally[came] = self._tally.get(came, 0) + 1
        if len(self._tally) >= REMEMBERED_FACTS:
            self.settle()
        for measure, size in came.worth:
            most = checked.largest.setdefault(measure, [])
            if len(most) < LARGEST_SHOWN:
                heapq.heappush(most, (size, -number))
            elif size > most[0][0]:
                heapq.heapreplace(most, (size, -number))
        if self._subjects is not None:
            self._subjects.see(record.account_id, record.subject, record.digest(came.facts), number)
        if is_long_number(record.account_id):
            checked.long_ids += 1
            if has_zeros_for_digits(record.account_id):
                checked.zeros_for_digits.see(number)
        if record.currencies and in_other_currency(came.decision, record.currencies):
            checked.other_currency.see(number)

    def settle(self) -> None:
        """Bring what was counted by equal facts into the figures."""
        checked = self.checked
        for came, lines in self._tally.items():
            checked.classes[RESULT_OF[came.decision.outcome], came.decision.reason] += lines
            checked.amounts.count(came.decision, lines)
            for name in came.unknown:
                checked.unknown[name] += lines
            if came.no_language:
                checked.no_language[self._policy.language_fact] += lines
        self._tally.clear()

    def _watch(self, cells: Cells) -> tuple[FactValue | None, ...]:
        self._values = self._reader.values(cells)
        return self._values

    def _came(self, decision: Decision, facts: str, *_: object) -> _Came:
        unknown, no_language = [], False
        for fact, value in zip(self._policy.facts, self._values, strict=True):
            if value is None:
                unknown.append(fact.name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, (int, Fraction, date)) and not isinstance(item, bool):
                    self.checked.ranges.setdefault(fact.name, Range(fact.currency, item, item)).see(item)
            if fact.name == self._policy.language_fact:
                no_language = isinstance(value, str) and language_tag(value) is None
        return _Came(decision, facts, tuple(worth_by_measure(decision).items()), tuple(unknown), no_language)


def _lines(read: Callable[[int, int], Iterable[bytes]], layout: ListLayout, size: int) -> Iterator[Line]:
    start = layout.data_start
    return lines_starting_in(read(start, size), start, start, size, start)


def _lines_of_header(read: Callable[[int, int], Iterable[bytes]], layout: ListLayout) -> int:
    return b"".join(read(0, layout.data_start)).count(b"\n")
