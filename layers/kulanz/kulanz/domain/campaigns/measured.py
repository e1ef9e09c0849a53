"""What a plan measures of a list beside its results: what a person looks at, and what its limits are held against."""

from dataclasses import dataclass, field

from kulanz.domain.campaigns.amounts import Amounts
from kulanz.domain.campaigns.repeats import Repeats


@dataclass(slots=True)
class Measured:
    """The measures of some lines. Adding those of two disjoint ranges gives those of both.

    `known` counts decided rows whose subject an earlier campaign that is followed has decided. `other_currency` counts
    rows that would be given money and state another currency in a column that the policy does not read.
    """

    amounts: Amounts = field(default_factory=Amounts)
    repeats: Repeats = field(default_factory=Repeats)
    known: int = 0
    other_currency: int = 0

    def add(self, other: "Measured") -> None:
        """Add the measures of another range of the list."""
        self.amounts.add(other.amounts)
        self.repeats.add(other.repeats)
        self.known += other.known
        self.other_currency += other.other_currency
