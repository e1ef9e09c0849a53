"""What a plan measures of a list beside its results: what a person looks at, and what its limits are held against."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from kulanz.domain.campaigns.amounts import PLACES_MOST, Amounts, plain_size
from kulanz.domain.campaigns.changed_accounts import ChangedAccounts
from kulanz.domain.campaigns.reconciliation import worth_by_measure, worth_of
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.money import Size

LARGEST_SHOWN = 10
"""Amounts of one measure that an approver is shown, the largest first. Equal amounts are one."""


@dataclass(frozen=True, slots=True)
class LargestAmount:
    """An amount, how many lines have it, and the byte offset of the first of them in the list."""

    size: Size
    lines: int
    offset: int


@dataclass(slots=True)
class Commitment:
    """What a plan commits to beside its sums, as an approver must know it.

    `claimable` is what customers may still claim beside what is granted at once, by measure. `largest` has the largest
    amounts of single lines, by measure: of at most `PLACES_MOST` measures. `first_due` is the first day on which
    something is due, and `first_end` the first instant from which a benefit would be over before it begins.
    `last_claim` is when the last offer or claim ends that has an end; `is_claimable_without_end` where one has none.
    """

    claimable: dict[str, Size] = field(default_factory=dict)
    largest: dict[str, dict[Size, LargestAmount]] = field(default_factory=dict)
    first_due: date | None = None
    first_end: datetime | None = None
    last_claim: datetime | None = None
    is_claimable_without_end: bool = False

    def count(self, decision: Decision, lines: int, offset: int, due: date | None) -> None:
        """Count lines that came to the same decision; `offset` is that of the first one. `due` is its first due day."""
        if decision.outcome not in (Outcome.GRANTED, Outcome.OFFERED):
            return
        for measure, size in worth_by_measure(decision).items():
            self._see(measure, LargestAmount(plain_size(size), lines, offset))
        for benefit in decision.claimable:
            measure, size = worth_of(benefit)
            self.claimable[measure] = plain_size(self.claimable.get(measure, 0) + size * lines)
        self.first_due = _earlier(self.first_due, due)
        for end in _ends((*decision.benefits, *decision.claimable)):
            self.first_end = _earlier(self.first_end, end)
        if decision.outcome is Outcome.OFFERED or decision.claimable:
            self.is_claimable_without_end = self.is_claimable_without_end or decision.claim_until is None
            self.last_claim = _later(self.last_claim, decision.claim_until)

    def add(self, other: "Commitment") -> None:
        """Add that of other lines, which stand anywhere in the list."""
        for measure, size in other.claimable.items():
            self.claimable[measure] = plain_size(self.claimable.get(measure, 0) + size)
        for measure, found in other.largest.items():
            for one in found.values():
                self._see(measure, one)
        self.first_due = _earlier(self.first_due, other.first_due)
        self.first_end = _earlier(self.first_end, other.first_end)
        self.last_claim = _later(self.last_claim, other.last_claim)
        self.is_claimable_without_end = self.is_claimable_without_end or other.is_claimable_without_end

    def _see(self, measure: str, one: LargestAmount) -> None:
        known = self.largest.get(measure)
        if known is None:
            if len(self.largest) >= PLACES_MOST:
                return
            known = self.largest[measure] = {}
        before = known.get(one.size)
        if before is not None:
            one = LargestAmount(one.size, before.lines + one.lines, min(before.offset, one.offset))
        elif len(known) >= LARGEST_SHOWN:
            least = min(known)
            if one.size <= least:
                return
            del known[least]
        known[one.size] = one

    @property
    def claims_until(self) -> datetime | None:
        """The first instant at which nothing can be accepted or claimed any more; None where that is not known."""
        return None if self.is_claimable_without_end else self.last_claim

    def in_order(self) -> Mapping[str, list[LargestAmount]]:
        """The largest amounts by measure, the largest first."""
        return {
            measure: [known[size] for size in sorted(known, reverse=True)]
            for measure, known in sorted(self.largest.items())
        }


def _ends(benefits: Iterable[Benefit]) -> Iterable[datetime]:
    return (one.validity.until for one in benefits if one.validity.until is not None)


def _earlier[Moment: (date, datetime)](known: Moment | None, other: Moment | None) -> Moment | None:
    if known is None or other is None:
        return known or other
    return min(known, other)


def _later(known: datetime | None, other: datetime | None) -> datetime | None:
    return max((one for one in (known, other) if one is not None), default=None)


@dataclass(slots=True)
class Measured:
    """The measures of some lines. Adding those of two disjoint ranges gives those of both.

    `known` counts decided rows whose subject an earlier campaign that is followed has decided. `other_currency` counts
    rows that would be given money and state another currency in a column that the policy does not read. `changed` are
    the accounts that had another id before.
    """

    amounts: Amounts = field(default_factory=Amounts)
    repeats: Repeats = field(default_factory=Repeats)
    known: int = 0
    other_currency: int = 0
    commitment: Commitment = field(default_factory=Commitment)
    changed: ChangedAccounts = field(default_factory=ChangedAccounts)

    def add(self, other: "Measured") -> None:
        """Add the measures of another range of the list."""
        self.amounts.add(other.amounts)
        self.repeats.add(other.repeats)
        self.known += other.known
        self.other_currency += other.other_currency
        self.commitment.add(other.commitment)
        self.changed.add(other.changed)
