"""The reconciliation of a campaign: every line of the list with exactly one result, and what it was worth.

The plan pass counts what each line will become. The apply pass counts, for the same lines, what became of it in the
ledger. The reconciliation balances when for every result, reason, currency and unit the plan equals the sum of its
write results.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from kulanz.domain.campaigns.ends import EndOf, counted_end
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome

DIGEST_MODULUS = 2**128
RECURRENCE = frozenset({"each", "times"})
"""The terms of a benefit that comes again."""


class RowResult(StrEnum):
    """Where a line of the list ended: with a decision, or with the reason why there is none.

    UNCHANGED: earlier campaigns of the incident gave all that is owed. OVERPAID: they gave more than that; its sums are
    how much more. A line that is owed something of one measure and has too much of another adds to those sums alone.
    """

    GRANTED = "granted"
    DECLINED = "declined"
    HELD = "held"
    REFERRED = "referred"
    OFFERED = "offered"
    UNCHANGED = "unchanged"
    OVERPAID = "overpaid"
    REJECTED = "rejected"
    BLANK = "blank"


RESULT_OF: Mapping[Outcome, RowResult] = {outcome: RowResult(outcome.value) for outcome in Outcome}


class WriteResult(StrEnum):
    """What became of a decided line in the ledger; NONE in the plan pass and for a line that is never written.

    CAPPED: a decision stands in the ledger that gives less than the plan said, because what is kept of the subject's
    earlier incidents had grown in between. Its sum is what it gives less; what it gives is counted as written.
    HELD_SINCE: the decision that stands holds the subject, because what the plan had read about it has changed. It
    gives nothing of what was planned.
    """

    NONE = "none"
    WRITTEN = "written"
    ALREADY = "already"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    CAPPED = "capped"
    HELD_SINCE = "held_since"


type Overpaid = tuple[tuple[str, int | Decimal], ...]
"""How much more a subject has than it is entitled to, by measure."""
NEVER_WRITTEN = frozenset({RowResult.UNCHANGED, RowResult.OVERPAID, RowResult.REJECTED, RowResult.BLANK})
IN_THE_LEDGER = frozenset({WriteResult.WRITTEN, WriteResult.ALREADY})
"""The write_results whose sums stand in the ledger."""
WITH_A_DECISION = IN_THE_LEDGER | {WriteResult.CAPPED, WriteResult.HELD_SINCE}
"""The write_results whose lines have a decision in the ledger."""


class CountKey(NamedTuple):
    """What lines are counted by."""

    row_result: RowResult
    reason: str
    write_result: WriteResult


class SumKey(NamedTuple):
    """What values are added up by; `measure` is a currency (`USD`, in minor units) or a unit (`call_minute`)."""

    row_result: RowResult
    write_result: WriteResult
    measure: str


def worth_of(benefit: Benefit) -> tuple[str, int | Decimal]:
    """What a benefit is measured in and how much it is: minor units of a currency, or a quantity of a unit.

    Something unlimited cannot be added up; its grants are counted, under a measure of its own. So has what comes again:
    100 GB in each of three billing cycles are neither 100 GB once nor 100 GB in each of two.
    """
    if benefit.money is not None:
        return benefit.money.currency, benefit.money.minor
    terms = benefit.terms
    again = f":{terms.get('times', 'always')} x {terms.get('each', 'once')}" if terms.keys() & RECURRENCE else ""
    if benefit.quantity == UNLIMITED:
        return f"{benefit.unit}{again}:{UNLIMITED}", 1
    return f"{benefit.unit}{again}", Decimal(benefit.quantity)


def worth_by_measure(decision: Decision) -> dict[str, int | Decimal]:
    """What a decision's benefits add up to, by measure."""
    found: dict[str, int | Decimal] = {}
    for benefit in decision.benefits:
        measure, size = worth_of(benefit)
        found[measure] = found.get(measure, 0) + size
    return found


@dataclass(slots=True)
class Totals:
    """Counts and sums over some lines; adding the totals of two disjoint ranges gives those of both.

    `ends` is when what stands in the ledger as granted ends; of a plan there is none. `digest` is the sum, modulo
    2^128, of a hash of each decided row at its place, so it does not depend on how the list
    was cut into ranges.
    """

    lines: int = 0
    unbalanced_quotes: int = 0
    digest: int = 0
    counts: Counter[CountKey] = field(default_factory=Counter)
    sums: dict[SumKey, int | Decimal] = field(default_factory=dict)
    ends: dict[EndOf, int | Decimal] = field(default_factory=dict)

    def count_rejected(self, reason: str) -> None:
        """Count a line that cannot be decided."""
        self.lines += 1
        self.counts[CountKey(RowResult.REJECTED, reason, WriteResult.NONE)] += 1

    def count_blank(self) -> None:
        """Count a line without any character."""
        self.lines += 1
        self.counts[CountKey(RowResult.BLANK, "blank", WriteResult.NONE)] += 1

    def count_nothing_owed(self, row_result: RowResult, reason: str) -> None:
        """Count a line that earlier campaigns of the incident have given all it is owed, or more (`nothing_owed`)."""
        self.lines += 1
        self.counts[CountKey(row_result, reason, WriteResult.NONE)] += 1

    def count_overpaid(self, overpaid: Overpaid) -> None:
        """Count how much more a subject has than it is entitled to."""
        for measure, size in overpaid:
            key = SumKey(RowResult.OVERPAID, WriteResult.NONE, measure)
            self.sums[key] = self.sums.get(key, 0) + size

    def count_decided(self, decision: Decision, write_result: WriteResult, lines: int = 1) -> None:
        """Count lines that came to the same decision and the same write_result, and their worth."""
        self.lines += lines
        row_result = RESULT_OF[decision.outcome]
        self.counts[CountKey(row_result, decision.reason, write_result)] += lines
        for benefit in decision.benefits:
            measure, size = worth_of(benefit)
            key = SumKey(row_result, write_result, measure)
            self.sums[key] = self.sums.get(key, 0) + size * lines

    def count_less(self, planned: Decision, stands: Decision, write_result: WriteResult) -> None:
        """Count a line whose decision gives less than planned: it is capped, or holds the subject.

        `write_result` is that of what it did give.
        """
        self.lines += 1
        row_result = RESULT_OF[planned.outcome]
        since = WriteResult.HELD_SINCE if stands.outcome is Outcome.HELD else WriteResult.CAPPED
        self.counts[CountKey(row_result, planned.reason, since)] += 1
        given = worth_by_measure(stands) if stands.outcome is planned.outcome else {}
        for measure, size in worth_by_measure(planned).items():
            here = given.get(measure, 0)
            for place, value in ((write_result, here), (since, size - here)):
                if value:
                    key = SumKey(row_result, place, measure)
                    self.sums[key] = self.sums.get(key, 0) + value

    def count_ends(self, granted: Decision, effective_at: datetime, lines: int = 1) -> None:
        """Count when what lines granted at an instant ends."""
        for benefit in granted.benefits:
            ends_at = benefit.validity.expires_at(effective_at)
            if ends_at is not None:
                measure, size = worth_of(benefit)
                end = EndOf(measure, counted_end(ends_at))
                self.ends[end] = self.ends.get(end, 0) + size * lines

    def digest_rows(self, row_hashes: int) -> None:
        """Add the hashes of decided rows (one, or their sum) to the digest."""
        self.digest = (self.digest + row_hashes) % DIGEST_MODULUS

    def add(self, other: "Totals") -> None:
        """Add the totals of another range."""
        self.lines += other.lines
        self.unbalanced_quotes += other.unbalanced_quotes
        self.digest = (self.digest + other.digest) % DIGEST_MODULUS
        self.counts.update(other.counts)
        for key, value in other.sums.items():
            self.sums[key] = self.sums.get(key, 0) + value
        for end, size in other.ends.items():
            self.ends[end] = self.ends.get(end, 0) + size

    def rows(self) -> int:
        """Lines that are not blank: what a publisher's control total announces."""
        return self.lines - sum(n for key, n in self.counts.items() if key.row_result is RowResult.BLANK)

    def results(self) -> dict[tuple[RowResult, str], int]:
        """Lines by class and reason, whatever their write_result."""
        found: Counter[tuple[RowResult, str]] = Counter()
        for key, number in self.counts.items():
            found[key.row_result, key.reason] += number
        return dict(found)

    def worth(self, write_results: frozenset[WriteResult] | None = None) -> dict[tuple[RowResult, str], int | Decimal]:
        """Sums by class and measure over `write_results` (all of them by default)."""
        found: dict[tuple[RowResult, str], int | Decimal] = {}
        for key, value in self.sums.items():
            if write_results is None or key.write_result in write_results:
                place = key.row_result, key.measure
                found[place] = found.get(place, 0) + value
        return found

    def ledger_count(self) -> int:
        """Lines whose decision stands in the ledger."""
        return sum(n for key, n in self.counts.items() if key.write_result in WITH_A_DECISION)


def nothing_owed(overpaid: Overpaid) -> RowResult:
    """The result of a line to which nothing is owed any more."""
    return RowResult.OVERPAID if overpaid else RowResult.UNCHANGED


class Difference(NamedTuple):
    """A place where the books do not balance."""

    what: str
    planned: int | Decimal
    applied: int | Decimal


def differences(plan: Totals, apply: Totals) -> Iterator[Difference]:
    """Where the apply pass differs from the plan; nothing when the books balance."""
    if plan.lines != apply.lines:
        yield Difference("lines", plan.lines, apply.lines)
    if plan.digest != apply.digest:
        yield Difference("digest of the decisions", plan.digest, apply.digest)
    planned, applied = plan.results(), apply.results()
    for row_result, reason in sorted(planned.keys() | applied.keys()):
        there, here = planned.get((row_result, reason), 0), applied.get((row_result, reason), 0)
        if there != here:
            yield Difference(f"lines {row_result} ({reason})", there, here)
    planned_worth, applied_worth = plan.worth(), apply.worth()
    for row_result, measure in sorted(planned_worth.keys() | applied_worth.keys()):
        owed, paid = planned_worth.get((row_result, measure), 0), applied_worth.get((row_result, measure), 0)
        if owed != paid:
            yield Difference(f"{measure} {row_result}", owed, paid)
    undecided = sum(
        n
        for key, n in apply.counts.items()
        if key.write_result is WriteResult.NONE and key.row_result not in NEVER_WRITTEN
    )
    if undecided:
        yield Difference("decided lines without a write_result", 0, undecided)
