"""What the lines of a list are worth one by one: how often, how little and how much, not only their sum.

A sum hides a list in cents that was meant in euros. So for each result, reason and measure the amounts are counted: one
by one while they are few, else in ranges. Adding the amounts of two disjoint parts of a list gives those of both, in
any order and however the list was cut.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from kulanz.domain.campaigns.reconciliation import RESULT_OF, RowResult, worth_by_measure
from kulanz.domain.decision import Decision
from kulanz.domain.money import Size

DISTINCT_AMOUNTS = 24
"""So many different amounts of one place are counted one by one; with more, they are counted in ranges."""
RANGE_SMALLEST = -6
RANGE_LARGEST = 11
"""The powers of ten between which amounts lie: a quantity has six decimals, and is below 10^10; lines are summed."""
PLACES_MOST = 60
"""More results, reasons and measures than this are counted by result and measure alone; and more of those not at all.

With `RANGES_MOST` ranges each they are less than a DynamoDB item holds."""
RANGES_MOST = 9 * (RANGE_LARGEST - RANGE_SMALLEST + 1) + 1


class AmountRange(NamedTuple):
    """How many lines are worth at least `least` and at most `most` each."""

    least: Size
    most: Size
    lines: int


@dataclass(slots=True)
class Distribution:
    """The amounts of some lines: `values` counts each, or, where those are too many, `ranges` by leading digit."""

    lines: int = 0
    sum: Size = 0
    smallest: Size = 0
    largest: Size = 0
    values: dict[Size, int] = field(default_factory=dict)
    ranges: dict[int, int] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        """Whether every amount is known; else only in which range it lies."""
        return not self.ranges

    def count(self, size: Size, lines: int) -> None:
        """Count lines that are worth `size` each."""
        size = plain_size(size)
        self._bounds(size, size)
        self.lines += lines
        self.sum = plain_size(self.sum + size * lines)
        if self.ranges:
            place = _range_of(size)
            self.ranges[place] = self.ranges.get(place, 0) + lines
        else:
            self.values[size] = self.values.get(size, 0) + lines
            self._shrink()

    def add(self, other: "Distribution") -> None:
        """Add the amounts of other lines."""
        if not other.lines:
            return
        self._bounds(other.smallest, other.largest)
        self.lines += other.lines
        self.sum = plain_size(self.sum + other.sum)
        for size, lines in other.values.items():
            self.values[size] = self.values.get(size, 0) + lines
        for place, lines in other.ranges.items():
            self.ranges[place] = self.ranges.get(place, 0) + lines
        self._shrink()

    def median(self) -> tuple[Size, Size]:
        """The lower median: the same twice where it is exact, else the least and the most that it can be."""
        middle = (self.lines + 1) // 2
        for found in self.histogram():
            middle -= found.lines
            if middle <= 0:
                return found.least, found.most
        raise ValueError("no line has an amount")

    def histogram(self) -> list[AmountRange]:
        """The amounts from the smallest to the largest: each of them, or the ranges that hold any."""
        if self.is_exact:
            return [AmountRange(size, size, lines) for size, lines in sorted(self.values.items())]
        found = []
        for place, lines in sorted(self.ranges.items()):
            least, most = _bounds_of(place)
            found.append(AmountRange(max(least, self.smallest), min(most, self.largest), lines))
        return found

    def _bounds(self, smallest: Size, largest: Size) -> None:
        self.smallest = min(self.smallest, smallest) if self.lines else smallest
        self.largest = max(self.largest, largest) if self.lines else largest

    def _shrink(self) -> None:
        if not self.ranges and len(self.values) <= DISTINCT_AMOUNTS:
            return
        for size, lines in self.values.items():
            place = _range_of(size)
            self.ranges[place] = self.ranges.get(place, 0) + lines
        self.values.clear()


def _range_of(size: Size) -> int:
    """The number of an amount's range: ten to a power of ten, one for each leading digit; 0 is that of nothing."""
    if size <= 0:
        return 0
    power = Decimal(size).adjusted()
    digit = int(Decimal(size).scaleb(-power))
    return 1 + 10 * (min(max(power, RANGE_SMALLEST), RANGE_LARGEST) - RANGE_SMALLEST) + digit


def _bounds_of(place: int) -> tuple[Size, Size]:
    """Where a range begins and where the next one begins."""
    if place == 0:
        return 0, 0
    power, digit = divmod(place - 1, 10)
    power += RANGE_SMALLEST
    return plain_size(Decimal(digit).scaleb(power)), plain_size(Decimal(digit + 1).scaleb(power))


def plain_size(size: Size) -> Size:
    """An amount in the one form that equal amounts have."""
    if isinstance(size, int):
        return size
    return int(size) if size == int(size) else size.normalize()


class AmountPlace(NamedTuple):
    """What amounts are counted by. `reason` is empty where there are too many to tell them apart."""

    row_result: RowResult
    reason: str
    measure: str


@dataclass(slots=True)
class Amounts:
    """The amounts of the decided lines of a list, by result, reason and measure."""

    places: dict[AmountPlace, Distribution] = field(default_factory=dict)
    is_by_reason: bool = True
    is_complete: bool = True

    def count(self, decision: Decision, lines: int = 1) -> None:
        """Count lines that came to the same decision, where it gives something."""
        for measure, size in worth_by_measure(decision).items():
            self._at(RESULT_OF[decision.outcome], decision.reason, measure).count(size, lines)
            self._shrink()

    def add(self, other: "Amounts") -> None:
        """Add the amounts of other lines."""
        self.is_by_reason = self.is_by_reason and other.is_by_reason
        self.is_complete = self.is_complete and other.is_complete
        for place, distribution in other.places.items():
            self._at(*place).add(distribution)
            self._shrink()
        self._shrink()

    def by_measure(self) -> Mapping[str, Distribution]:
        """The amounts of every line that gives or offers something, by measure."""
        found: dict[str, Distribution] = {}
        for place, distribution in self.places.items():
            found.setdefault(place.measure, Distribution()).add(distribution)
        return found

    def _at(self, row_result: RowResult, reason: str, measure: str) -> Distribution:
        place = AmountPlace(row_result, reason if self.is_by_reason else "", measure)
        found = self.places.get(place)
        if found is None:
            found = self.places[place] = Distribution()
        return found

    def _shrink(self) -> None:
        if self.is_by_reason and len(self.places) > PLACES_MOST:
            self.is_by_reason = False
        if not self.is_by_reason and any(place.reason for place in self.places):
            known, self.places = self.places, {}
            for place, distribution in known.items():
                self._at(*place).add(distribution)
        if len(self.places) > PLACES_MOST:
            self.is_complete = False
        if not self.is_complete:
            self.places.clear()

    def content(self) -> dict[str, Any]:
        """The amounts as JSON-able content; numbers are exact texts."""
        return {
            "by_reason": self.is_by_reason,
            "complete": self.is_complete,
            "places": [
                [*place, str(one.sum), str(one.smallest), str(one.largest), *_counted(one)]
                for place, one in sorted(self.places.items())
            ],
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Amounts":
        """Read what `content` wrote."""
        found = cls({}, content["by_reason"], content["complete"])
        for row_result, reason, measure, total, smallest, largest, values, ranges in content["places"]:
            one = Distribution(sum=_size(total), smallest=_size(smallest), largest=_size(largest))
            one.values = {_size(size): lines for size, lines in values}
            one.ranges = dict(ranges)
            one.lines = sum(one.values.values()) + sum(one.ranges.values())
            found.places[AmountPlace(RowResult(row_result), reason, measure)] = one
        return found


def _counted(one: Distribution) -> tuple[list[tuple[str, int]], list[tuple[int, int]]]:
    return [(str(size), lines) for size, lines in sorted(one.values.items())], sorted(one.ranges.items())


def _size(text: str) -> Size:
    return plain_size(Decimal(text))


def coarser(ranges: Iterable[AmountRange], most: int) -> Iterator[AmountRange]:
    """The same amounts in at most so many ranges: neighbours are put together, those with the fewest lines first."""
    found = list(ranges)
    while len(found) > most:
        at = min(range(len(found) - 1), key=lambda place: found[place].lines + found[place + 1].lines)
        left, right = found[at : at + 2]
        found[at : at + 2] = [AmountRange(left.least, right.most, left.lines + right.lines)]
    yield from found
