"""The sums that the page states, from the reconciliation's own figures: each is exact, and they add up again."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from kulanz.domain.campaigns.reconciliation import (
    IN_THE_LEDGER,
    NEVER_WRITTEN,
    WITH_A_DECISION,
    CountKey,
    RowResult,
    SumKey,
    Totals,
    WriteResult,
)
from kulanz.domain.money import is_currency

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import Figures as PassFigures
    from kulanz.application.campaigns.report import ReportContract

BESIDE = (WriteResult.DUPLICATE, WriteResult.CONFLICT, WriteResult.CAPPED, WriteResult.HELD_SINCE)
"""Write results of decided lines whose sum is not in the ledger."""
ORDER = {row_result: place for place, row_result in enumerate(RowResult)}


@dataclass(frozen=True, slots=True)
class WorthLine:
    """A result in one measure: what was planned, what is in the ledger, and where the rest is.

    `beside` has the sums of `BESIDE`, in its order. `left` is what was not written: negative where more was written
    than planned. So planned = ledger + sum(beside) + left. Money in minor units.
    """

    row_result: RowResult
    measure: str
    planned: int | Decimal
    ledger: int | Decimal
    beside: tuple[int | Decimal, ...]
    left: int | Decimal


@dataclass(frozen=True, slots=True)
class MeasureTotals:
    """What the campaign comes to in one measure. granted + offered + held_back = planned, of which `to_offer` was to be
    offered and not granted. Money in minor units.
    """

    measure: str
    planned: int | Decimal
    to_offer: int | Decimal
    granted: int | Decimal
    offered: int | Decimal
    held_back: int | Decimal


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """How many lines came to a result for a reason; `ledger` is None where such lines are never written."""

    row_result: RowResult
    reason: str
    lines: int
    ledger: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is added up on the page. `decided` lines were to be written, `decisions` stand in the ledger.

    `overpaid` is how much more earlier campaigns of the incident gave than is owed now, by measure.
    """

    plan: Totals
    apply: Totals
    worth: tuple[WorthLine, ...]
    totals: tuple[MeasureTotals, ...]
    reasons: tuple[ReasonLine, ...]
    decided: int
    decisions: int
    overpaid: tuple[tuple[str, int | Decimal], ...]

    def lines_beside(self, write_result: WriteResult) -> int:
        """Lines of a write result, whatever they came to."""
        return sum(n for key, n in self.apply.counts.items() if key.write_result is write_result)


def figures_of(report: "ReportContract") -> Figures:
    """Add up a report."""
    plan, apply = totals_of(report["plan"]), totals_of(report["apply"])
    worth = tuple(_worth(plan, apply))
    decided = sum(n for key, n in plan.counts.items() if key.row_result not in NEVER_WRITTEN)
    overpaid = sorted((measure, size) for (of, measure), size in plan.worth().items() if of is RowResult.OVERPAID)
    reasons = tuple(_reasons(plan, apply))
    return Figures(plan, apply, worth, tuple(_totals(worth)), reasons, decided, apply.ledger_count(), tuple(overpaid))


def _worth(plan: Totals, apply: Totals) -> Iterator[WorthLine]:
    planned, ledger = plan.worth(), apply.worth(IN_THE_LEDGER)
    others = [apply.worth(frozenset({one})) for one in BESIDE]
    places = {place for place in planned.keys() | apply.worth().keys() if place[0] not in NEVER_WRITTEN}
    for place in sorted(places, key=lambda place: (ORDER[place[0]], place[1])):
        beside = tuple(one.get(place, 0) for one in others)
        owed, written = planned.get(place, 0), ledger.get(place, 0)
        yield WorthLine(*place, owed, written, beside, owed - written - sum(beside))


def _totals(worth: tuple[WorthLine, ...]) -> Iterator[MeasureTotals]:
    for measure in sorted({one.measure for one in worth}):
        of = [one for one in worth if one.measure == measure]
        planned = sum((one.planned for one in of), 0)
        granted = sum((one.ledger for one in of if one.row_result is not RowResult.OFFERED), 0)
        offered = sum((one.ledger for one in of if one.row_result is RowResult.OFFERED), 0)
        to_offer = sum((one.planned for one in of if one.row_result is RowResult.OFFERED), 0)
        yield MeasureTotals(measure, planned, to_offer, granted, offered, planned - granted - offered)


def _reasons(plan: Totals, apply: Totals) -> Iterator[ReasonLine]:
    ledger = Totals()
    ledger.counts.update({key: n for key, n in apply.counts.items() if key.write_result in WITH_A_DECISION})
    written = ledger.results()
    for place, lines in sorted(plan.results().items(), key=lambda one: (ORDER[one[0][0]], one[0][1])):
        row_result, reason = place
        yield ReasonLine(row_result, reason, lines, None if row_result in NEVER_WRITTEN else written.get(place, 0))


def totals_of(figures: "PassFigures") -> Totals:
    """The counts and sums of a report's pass."""
    totals = Totals(lines=figures["lines"], digest=int(figures["digest"], 16))
    for one in figures["results"]:
        totals.counts[CountKey(RowResult(one["result"]), one["reason"], WriteResult(one["write_result"]))] = one[
            "lines"
        ]
    for worth in figures["worth"]:
        key = SumKey(RowResult(worth["result"]), WriteResult(worth["write_result"]), worth["measure"])
        totals.sums[key] = size_of(worth["measure"], worth["sum"])
    return totals


def size_of(measure: str, text: str) -> int | Decimal:
    """A sum from its exact text: minor units of a currency, or a quantity of a unit."""
    return int(text) if is_currency(measure) else Decimal(text)
