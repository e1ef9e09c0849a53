"""Limits of a plan: what a list may come to before somebody has to look at it.

A list that is cut off, in cents, or full of total rows is well-formed. Its figures are not what they were. A plan that
is outside a limit is executed only by approvals that name the limit. The policy, or the request, may state others.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from kulanz.domain.campaigns.amounts import PLACES_MOST, Distribution, plain_size
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import RowResult, Totals, WriteResult
from kulanz.domain.money import Size, amount_words, format_minor, is_currency, minor_units

SHARES = {
    "rejected": Fraction(1, 100),
    "conflicts": Fraction(1, 1000),
    "nearly_equal": Fraction(1, 1000),
    "held": Fraction(1, 4),
    "known": Fraction(1, 2),
}
"""The largest share of a list's rows that may be rejected, contradict another row of their subject, have nearly the id
of another row, or be held; and the smallest share that must be known from the campaigns that are followed. What holds
where nothing is stated."""
TIMES_MEDIAN = 100
MAJOR_UNITS = 1_000
"""The largest amount may be so many times the median, or so much of its currency (or unit), whichever is more."""
ROWS_FORGIVEN = 1
"""A single row exceeds no share, unless it is half of the list: one row of five is a fifth, and says nothing."""
ROWS_TO_ESTIMATE = 5
"""Where subjects were sampled, fewer contradicting or nearly equal rows than these do not say what share of the list
they are."""

PERCENT = re.compile(r"(100|[0-9]{1,2}(?:\.[0-9]{1,4})?) ?%", re.ASCII)
PERCENT_EXPECTED = "a share such as 2 % or 0.5 %, at most 100 %"
AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?) ([A-Za-z][A-Za-z0-9_ ]{0,59})", re.ASCII)
AMOUNT_EXPECTED = "an amount with its currency or unit, such as 500.00 EUR or 100 GB"


class LimitError(ValueError):
    """A limit that cannot be read: the message says which entry, and what was expected."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a plan. `largest` and `total` are by measure (money in minor units); without an entry in `largest`
    the multiple of the median holds. `stated` says by whom each limit is stated that is not the default.
    """

    shares: Mapping[str, Fraction] = field(default_factory=lambda: dict(SHARES))
    largest: Mapping[str, Size] = field(default_factory=dict)
    total: Mapping[str, Size] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """The limits as JSON-able content; numbers are exact texts."""
        return {
            "shares": {name: str(share) for name, share in self.shares.items()},
            "largest": {measure: str(size) for measure, size in self.largest.items()},
            "total": {measure: str(size) for measure, size in self.total.items()},
            "stated": dict(self.stated),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Limits":
        """Read what `content` wrote."""
        sizes = [{name: plain_size(Decimal(size)) for name, size in content[part].items()} for part in _SIZES]
        shares = SHARES | {name: Fraction(share) for name, share in content["shares"].items()}
        return cls(shares, sizes[0], sizes[1], content["stated"])


_SIZES = ("largest", "total")
DEFAULT_LIMITS = Limits()


class Exceeded(NamedTuple):
    """A limit that a plan does not keep: which, its figures in words, and the currency or unit where it is of one."""

    limit: str
    figures: str
    measure: str = ""

    @property
    def name(self) -> str:
        """How an approval names it: `rejected`, `largest EUR`."""
        return f"{self.limit} {self.measure}" if self.measure else self.limit


def stated_limits(by: Mapping[str, Mapping[str, Any]]) -> Limits:
    """The limits that hold where some are stated: `by` has them by who states them, the last one wins.

    Raises LimitError.
    """
    shares, sizes, stated = dict(SHARES), {part: dict[str, Size]() for part in _SIZES}, dict[str, str]()
    for who, limits in by.items():
        for name, value in limits.items():
            if name in SHARES:
                shares[name] = read_share(name, value)
                stated[name] = who
            else:
                for text in value:
                    measure, size = read_size(name, text)
                    sizes[name][measure] = size
                    stated[f"{name} {measure}"] = who
    return Limits(shares, sizes["largest"], sizes["total"], stated)


def read_share(name: str, text: str) -> Fraction:
    """Read "0.5 %". Raises LimitError."""
    found = PERCENT.fullmatch(text)
    if found is None:
        raise LimitError(f"{name}: expected {PERCENT_EXPECTED}")
    return Fraction(found[1]) / 100


def read_size(name: str, text: str) -> tuple[str, Size]:
    """Read "500.00 EUR" as a measure and minor units, and "100 GB" as a unit and its quantity. Raises LimitError."""
    found = AMOUNT.fullmatch(text)
    if found is None:
        raise LimitError(f"{name}: expected {AMOUNT_EXPECTED}")
    size = Decimal(found[1])
    if is_currency(found[2]):
        size = size.scaleb(minor_units(found[2]))
        if size != int(size):
            raise LimitError(f"{name}: expected no more decimals than {found[2]} has")
    return found[2], plain_size(size)


def exceeded(limits: Limits, totals: Totals, measured: Measured, *, follows: bool) -> list[Exceeded]:
    """Every limit that a plan does not keep. `follows`: earlier campaigns of the incident are set off."""
    rows = totals.rows()
    found = list(_shares(limits, totals, measured, rows))
    share = limits.shares["known"]
    if follows and measured.known < share * rows:
        figures = f"{_of(measured.known, rows)} known from the campaigns that are followed, at least {percent(share)}"
        found.append(Exceeded("known", figures))
    if not measured.amounts.is_complete:
        found.append(Exceeded("largest", f"more than {PLACES_MOST} currencies and units, which cannot be looked at"))
    for measure, amounts in sorted(measured.amounts.by_measure().items()):
        found += _amounts(limits, measure, amounts)
    return found


def every_row_rejected(totals: Totals) -> Exceeded | None:
    """The limit that a list exceeds of which nobody would be decided: no approval is worth anything then."""
    rows = totals.rows()
    if not rows or lines_of(totals, RowResult.REJECTED) != rows:
        return None
    return Exceeded("rejected", f"every row was rejected ({rows:,}), so that nobody would be decided")


def _shares(limits: Limits, totals: Totals, measured: Measured, rows: int) -> Iterator[Exceeded]:
    rejected, held = lines_of(totals, RowResult.REJECTED), lines_of(totals, RowResult.HELD)
    if nobody := every_row_rejected(totals):
        yield nobody
    elif _is_over(rejected, rows, limits.shares["rejected"]):
        yield Exceeded("rejected", f"{_of(rejected, rows)} rejected, at most {percent(limits.shares['rejected'])}")
    repeats = measured.repeats
    rows_seen, whole = repeats.rows, repeats.is_whole
    yield from conflicts_exceeded(limits.shares["conflicts"], rows_seen, repeats.contradicting, is_whole=whole)
    yield from nearly_equal_exceeded(limits.shares["nearly_equal"], rows_seen, repeats.nearly_equal, is_whole=whole)
    if _is_over(held, rows, limits.shares["held"]):
        yield Exceeded("held", f"{_of(held, rows)} held, at most {percent(limits.shares['held'])}")


def conflicts_exceeded(share: Fraction, rows: int, contradicting: int, *, is_whole: bool = True) -> Iterator[Exceeded]:
    """The limit of rows that contradict another row of their subject, of a list or of a sample of its subjects."""
    verb = "contradicts" if contradicting == 1 else "contradict"
    what = f"{verb} another row of the same subject"
    yield from _of_rows("conflicts", share, (contradicting, rows), what, is_whole=is_whole)


def nearly_equal_exceeded(share: Fraction, rows: int, nearly: int, *, is_whole: bool = True) -> Iterator[Exceeded]:
    """The limit of rows whose id nearly is another row's: two exports of the same accounts, each of which would pay."""
    what = f"{'differs' if nearly == 1 else 'differ'} from another row's id by zeros, letters' case or .0 alone"
    yield from _of_rows("nearly_equal", share, (nearly, rows), what, is_whole=is_whole)


def _of_rows(name: str, share: Fraction, found: tuple[int, int], what: str, *, is_whole: bool) -> Iterator[Exceeded]:
    number, rows = found
    if number < (0 if is_whole else ROWS_TO_ESTIMATE) or not _is_over(number, rows, share):
        return
    sampled = "" if is_whole else " of a sample"
    yield Exceeded(name, f"{_of(number, rows)}{sampled} {what}, at most {percent(share)}")


def conflicts_written(limits: Limits, totals: Totals) -> Iterator[Exceeded]:
    """The limit of contradicting rows, held against all that apply found: of a long list the plan saw a sample."""
    conflicts = sum(lines for key, lines in totals.counts.items() if key.write_result is WriteResult.CONFLICT)
    yield from conflicts_exceeded(limits.shares["conflicts"], totals.rows(), conflicts)


def _amounts(limits: Limits, measure: str, amounts: Distribution) -> Iterator[Exceeded]:
    largest = limits.largest.get(measure)
    if largest is not None:
        if amounts.largest > largest:
            figures = f"{size_text(measure, amounts.largest)}, at most {size_text(measure, largest)}"
            yield Exceeded("largest", figures, measure)
    elif amounts.largest > _major(measure):
        median, _ = amounts.median()
        if amounts.largest > TIMES_MEDIAN * median:
            least = "" if amounts.is_exact else "at least "
            figures = f"{size_text(measure, amounts.largest)}, at most {TIMES_MEDIAN} times the median"
            yield Exceeded("largest", f"{figures} ({least}{size_text(measure, median)})", measure)
    total = limits.total.get(measure)
    if total is not None and amounts.sum > total:
        yield Exceeded("total", f"{size_text(measure, amounts.sum)}, at most {size_text(measure, total)}", measure)


def lines_of(totals: Totals, row_result: RowResult) -> int:
    """How many lines came to a result."""
    return sum(lines for key, lines in totals.counts.items() if key.row_result is row_result)


def _is_over(number: int, rows: int, share: Fraction) -> bool:
    return number > share * rows and (number > ROWS_FORGIVEN or 2 * number >= rows)


def _major(measure: str) -> int:
    decimals = minor_units(measure) if is_currency(measure) else 0
    return int(f"{MAJOR_UNITS}{'0' * decimals}")


def _of(number: int, rows: int) -> str:
    return f"{number:,} of {rows:,} row{'s' * (rows != 1)} ({percent(Fraction(number, rows))})"


def percent(share: Fraction) -> str:
    """A share in percent, with at most four significant digits."""
    return f"{round(Decimal(share.numerator) / Decimal(share.denominator) * 100, 2).normalize():f} %"


def size_text(measure: str, size: Size) -> str:
    """An amount for people: `12.50 EUR`, `20 call minutes`."""
    figure = format_minor(int(size), minor_units(measure)) if is_currency(measure) else f"{size:,}"
    return amount_words(figure, measure)


def exceeded_text(found: Iterable[Exceeded]) -> str:
    """The limits that are not kept as one line, with what to do."""
    told = "; ".join(f"{one.limit}: {one.figures}" for one in found)
    return f"{told}. Correct the list, or accept each of these limits by its name where you approve the plan"
