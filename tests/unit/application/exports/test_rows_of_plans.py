"""The rows of a plan's stretch: each line that is not blank once, in the order of the list, with what is its own."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.campaigns.stretch_run import DecidedOtherwise, DecidedStretch, NotWritten, Owed
from kulanz.application.exports import plan_rows as module
from kulanz.application.exports.plan_rows import PlanRows
from kulanz.domain.campaigns.reconciliation import Overpaid, RowResult
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.decision import Benefit, Decision, Due, Outcome
from kulanz.domain.exports.figures import Written
from kulanz.domain.exports.rows import Found, decision_key
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Remembered
from kulanz.domain.lists.lines import Line
from kulanz.domain.lists.rows import Record
from kulanz.domain.money import Money
from tests.support.values import FIRST, NOW

BILLS: Any = {"credit": "its bill"}
NONE: Overpaid = ()
FIVE: Overpaid = (("EUR", 5),)
SIX: Overpaid = (("EUR", 6),)


def benefit(minor: int, due: Due | None) -> Benefit:
    return Benefit(money=Money(minor, "EUR"), due=due)


TWO_DUES = Decision(
    Outcome.GRANTED,
    "entitled",
    (benefit(1, Due(day="2026-04-01")), benefit(2, None), benefit(3, Due(day="2026-05-01"))),
)
OFFERED = Decision(Outcome.OFFERED, "offered", (benefit(4, Due(day="2026-06-01")),))
GRANTED, SAME, ASKED = (Remembered(one, "facts", "{", "}") for one in (TWO_DUES, TWO_DUES, OFFERED))


def owed(offset: int, account: str, remembered: Remembered, subject: str = "-") -> Owed:
    return Owed.of(offset, Record(account, subject, ()), remembered)


def left(offset: int, result: RowResult, reason: str = "", account: str = "") -> NotWritten:
    return NotWritten(offset, result, reason, Record(account, "line", ()) if account else None)


OWED = [owed(10, "a", GRANTED), owed(40, "b", GRANTED, "s-2"), owed(50, "c", SAME), owed(90, "d", ASKED)]
OTHERS = [
    left(20, RowResult.BLANK), left(30, RowResult.REJECTED, "fact_invalid"), left(60, RowResult.UNCHANGED, "r", "e"),
    left(70, RowResult.OVERPAID, "r", "f"), left(80, RowResult.OVERPAID, "r", "g"),
    left(100, RowResult.REJECTED, "fact_invalid"), left(110, RowResult.BLANK),
]  # fmt: skip
TOO_MUCH = {40: FIVE, 50: FIVE, 70: FIVE, 80: SIX}
OFFSETS = range(10, 120, 10)


class Run:
    """One attempt at a chunk, whose lines come to what they came to."""

    def __init__(self, stretch: DecidedStretch | None) -> None:
        self.stretch = stretch
        self.policy = SimpleNamespace(due_by=self.due_by)
        self.campaign = SimpleNamespace(decided_at=NOW)

    def due_by(self, due: Due, at: datetime) -> date:
        assert at == NOW
        return date.fromisoformat(due.day)

    def decided(self, lines: Iterator[Line], start: int, _: Stretch) -> DecidedStretch | None:
        assert start == 10
        assert [line.offset for line in lines] == list(OFFSETS)
        return self.stretch


def written_of(
    monkeypatch: pytest.MonkeyPatch, stretch: DecidedStretch | None, planned: Stretch
) -> tuple[bool, list[tuple[Any, ...]]]:
    """Whether all was written, and what: what is said of a line, its number and whose it is."""
    rendered: list[tuple[Any, ...]] = []

    def render(campaign: Any, found: Found, days: Sequence[Any] = (), bills: Any = None) -> Any:
        assert campaign == FIRST
        rendered.append((found, list(days), bills))
        return len(rendered) - 1

    monkeypatch.setattr(module, "rendered", render)
    rows = PlanRows(Run(stretch), FIRST, BILLS)  # type: ignore[arg-type] # what it takes of a run
    found: list[tuple[Any, ...]] = []
    lines = (Line(offset, b"x", offset + 10) for offset in OFFSETS)
    done = rows.write(lines, 10, planned, lambda *row: found.append((rendered[row[0]], *row[1:])))
    return done, found


def stretch_of() -> DecidedStretch:
    return DecidedStretch(10, 120, 11, owed=OWED, others=OTHERS, overpaid=TOO_MUCH)


@pytest.mark.parametrize("remembered", [REMEMBERED_FACTS, 1])
def test_each_line_has_a_row_with_what_is_its_own(monkeypatch: pytest.MonkeyPatch, remembered: int) -> None:
    """Equal decisions are said alike, and yet each with what was too much of its own line."""
    monkeypatch.setattr(module, "REMEMBERED_FACTS", remembered)
    done, found = written_of(monkeypatch, stretch_of(), stretch_of().stretch())
    days = [date(2026, 4, 1), None, date(2026, 5, 1)]

    def decided(result: str, decision: Decision, too_much: Overpaid, due: list[date | None]) -> tuple[Any, ...]:
        return Found(result, decision.reason, Written.PLANNED, decision, overpaid=too_much), due, BILLS

    def other(result: RowResult, reason: str, too_much: Overpaid = NONE) -> tuple[Any, ...]:
        return Found(result.value, reason, Written.PLANNED, overpaid=too_much), [], None

    assert done
    assert found == [
        (decided("granted", TWO_DUES, NONE, days), 1, "a", "-", decision_key(FIRST, "a", "-")),
        (other(RowResult.REJECTED, "fact_invalid"), 3, "", ""),
        (decided("granted", TWO_DUES, FIVE, days), 4, "b", "s-2", decision_key(FIRST, "b", "s-2")),
        (decided("granted", TWO_DUES, FIVE, days), 5, "c", "-", decision_key(FIRST, "c", "-")),
        (other(RowResult.UNCHANGED, "r"), 6, "e", "line"),
        (other(RowResult.OVERPAID, "r", FIVE), 7, "f", "line"),
        (other(RowResult.OVERPAID, "r", SIX), 8, "g", "line"),
        (decided("offered", OFFERED, NONE, [None]), 9, "d", "-", decision_key(FIRST, "d", "-")),
        (other(RowResult.REJECTED, "fact_invalid"), 10, "", ""),
    ]


def test_of_a_stretch_that_comes_to_something_else_or_to_nothing_in_time_no_row_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned = stretch_of().stretch()
    assert written_of(monkeypatch, None, planned) == (False, [])
    for other in (planned._replace(lines=planned.lines + 1), planned._replace(end=planned.end + 1)):
        with pytest.raises(DecidedOtherwise) as found:
            written_of(monkeypatch, stretch_of(), other)
        assert (found.value.start, found.value.stretch) == (10, other)
