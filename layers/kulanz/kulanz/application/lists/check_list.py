"""Tells what a campaign would make of a list, before anybody publishes it: the workers' own reader and policy, no AWS.

An account that is listed twice is found by the ledger alone, so it is not told here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kulanz.domain.campaigns.reconciliation import RESULT_OF, RowResult
from kulanz.domain.decider import Decider
from kulanz.domain.decision import Decision
from kulanz.domain.lists.facts import LIST_SEPARATOR_UNKNOWN
from kulanz.domain.lists.header import ACCOUNT_COLUMN, HEADER_BYTES, ListFormat, ListLayout, read_layout
from kulanz.domain.lists.lines import Line, ListRefused, lines_starting_in
from kulanz.domain.lists.rows import QUOTES_UNBALANCED, Problem, line_reader, unseparated_lists
from kulanz.domain.policy import CompiledPolicy

PROBLEMS_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that would be rejected: its number in the file (from 1), the byte where it starts, and no value of it."""

    line: int
    offset: int
    problem: Problem


@dataclass(slots=True)
class CheckedList:
    """What a list would come to. `classes` counts lines by class and reason; `problems` are the first of them."""

    lines: int = 0
    classes: Counter[tuple[RowResult, str]] = field(default_factory=Counter)
    problems: list[LineProblem] = field(default_factory=list)
    unbalanced_quotes: int = 0

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

    def refusal(self, rows_announced: int | None) -> str:
        """Why the whole list would be refused after its plan; empty when it would not."""
        if self.unbalanced_quotes:
            return f"quotes_unbalanced: {self.unbalanced_quotes} lines have an odd number of double quotes"
        unseparated = self.classes[RowResult.REJECTED, LIST_SEPARATOR_UNKNOWN]
        if unseparated:
            return unseparated_lists(unseparated)
        if rows_announced is not None and rows_announced != self.rows:
            return f"rows_differ: {rows_announced} are announced, the list has {self.rows} that are not blank"
        return ""


def required_columns(policy: CompiledPolicy) -> Sequence[str]:
    """The columns without which a list is refused as a whole."""
    subject = [policy.subject] if policy.subject else []
    return [ACCOUNT_COLUMN, *subject, *(fact.name for fact in policy.facts if fact.required)]


def must_not_state_history(policy: CompiledPolicy, layout: ListLayout) -> None:
    """Refuse a list with a column for what Kulanz keeps itself: it would be ignored. Raises ListRefused."""
    kept = [name for name in layout.columns if policy.keeps(name)]
    if kept:
        raise ListRefused(
            "column_kept",
            f"under this policy Kulanz keeps {kept[0]} itself, from the incidents it decides; leave that column out",
        )


def check_list(
    read: Callable[[int, int], Iterable[bytes]],
    size: int,
    list_format: ListFormat,
    policy: CompiledPolicy,
    decided_at: datetime,
) -> CheckedList:
    """Read the whole list once. `read(start, stop)` gives its bytes in blocks; memory does not grow with its length.

    Raises ListRefused when the list cannot be read at all.
    """
    layout = read_layout(list_format, b"".join(read(0, min(size, HEADER_BYTES))), size, required_columns(policy))
    must_not_state_history(policy, layout)
    reader = line_reader(layout, policy.facts, policy.subject)
    checked, decider = CheckedList(), Decider(policy, reader, decided_at, _class_and_reason)
    first = 1 if list_format is ListFormat.JSONL else _lines_of_header(read, layout) + 1
    for number, line in enumerate(_lines(read, layout, size), first):
        checked.lines += 1
        if line.raw == b"":
            checked.classes[RowResult.BLANK, "blank"] += 1
            continue
        record = reader.record(line)
        verdict = record if isinstance(record, Problem) else decider.decide(record)
        if isinstance(verdict, Problem):
            checked.unbalanced_quotes += verdict.reason == QUOTES_UNBALANCED
            checked.classes[RowResult.REJECTED, verdict.reason] += 1
            if len(checked.problems) < PROBLEMS_SHOWN:
                checked.problems.append(LineProblem(number, line.offset, verdict))
        else:
            checked.classes[verdict] += 1
    return checked


def _lines(read: Callable[[int, int], Iterable[bytes]], layout: ListLayout, size: int) -> Iterator[Line]:
    start = layout.data_start
    return lines_starting_in(read(start, size), start, start, size, start)


def _lines_of_header(read: Callable[[int, int], Iterable[bytes]], layout: ListLayout) -> int:
    return b"".join(read(0, layout.data_start)).count(b"\n")


def _class_and_reason(decision: Decision, *_: object) -> tuple[RowResult, str]:
    return RESULT_OF[decision.outcome], decision.reason
