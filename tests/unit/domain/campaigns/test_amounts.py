"""What single lines are worth is the same however a list is cut, and no larger than an item holds."""

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kulanz.domain.campaigns.amounts import (
    DISTINCT_AMOUNTS,
    PLACES_MOST,
    RANGES_MOST,
    AmountRange,
    Amounts,
    Distribution,
    coarser,
    plain_size,
)
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.ledger.decider import WORTH_DECIMALS, WORTH_LARGEST
from kulanz.domain.money import Money, Size

ITEM_BYTES = 400 * 1024
SIZES: st.SearchStrategy[Size] = st.one_of(
    st.integers(0, 10**9),
    st.decimals(0, 10**9, places=WORTH_DECIMALS).map(Decimal),
    st.sampled_from([0, 1, 9, 10, 19, 20, 99, 100, 500, Decimal("0.000001"), Decimal("0.5"), Decimal("3.5")]),
)
FEW = st.lists(st.integers(1, DISTINCT_AMOUNTS), max_size=60)


def distribution(sizes: Sequence[Size]) -> Distribution:
    found = Distribution()
    for size in sizes:
        found.count(size, 1)
    return found


@given(st.one_of(st.lists(SIZES, min_size=1, max_size=80), FEW.filter(bool)), st.data())
def test_its_figures_are_those_of_the_amounts(sizes: list[Size], data: st.DataObject) -> None:
    found = distribution(sizes)
    assert (found.lines, found.smallest, found.largest) == (len(sizes), min(sizes), max(sizes))
    assert Fraction(found.sum) == sum(map(Fraction, sizes))
    least, most = found.median()
    middle = sorted(sizes)[(len(sizes) - 1) // 2]
    assert least <= middle <= most
    if len(set(sizes)) <= DISTINCT_AMOUNTS:
        assert found.is_exact
        assert least == most == middle
    for one in found.histogram():
        within = [size for size in sizes if one.least <= size <= one.most]
        assert len(within) >= one.lines
    assert sum(one.lines for one in found.histogram()) == len(sizes)
    cut = data.draw(st.integers(0, len(sizes)))
    parts = [distribution(sizes[:cut]), distribution(sizes[cut:])]
    for order in (parts, parts[::-1]):
        together = Distribution()
        for part in order:
            together.add(part)
        assert together == found


@given(st.lists(SIZES, min_size=1, max_size=80, unique=True))
@example([10**power for power in range(10)])
def test_a_median_that_is_not_exact_is_within_its_own_size(sizes: list[Size]) -> None:
    least, most = distribution(sizes).median()
    assert most <= 2 * least or least == 0


@given(st.lists(SIZES, min_size=1, max_size=60), st.integers(1, 12))
def test_fewer_ranges_hold_the_same_lines(sizes: list[Size], most: int) -> None:
    whole = distribution(sizes).histogram()
    shown = list(coarser(whole, most))
    assert len(shown) <= most
    assert sum(one.lines for one in shown) == len(sizes)
    assert (shown[0].least, shown[-1].most) == (whole[0].least, whole[-1].most)


@pytest.mark.parametrize(
    ("lines", "most", "expected"),
    [
        ([9, 1, 1, 9], 3, [9, 2, 9]),
        ([1, 9, 9, 1], 3, [10, 9, 1]),
        ([5, 1, 1, 9, 2], 3, [7, 9, 2]),
        ([5, 1, 1, 9, 2], 1, [18]),
        ([3, 3], 2, [3, 3]),
    ],
)
def test_neighbours_with_the_fewest_lines_are_put_together(lines: list[int], most: int, expected: list[int]) -> None:
    ranges = [AmountRange(10 * place, 10 * place + 5, number) for place, number in enumerate(lines)]
    shown = list(coarser(ranges, most))
    assert [one.lines for one in shown] == expected
    assert [one.least for one in shown] == sorted(one.least for one in shown)
    assert all(one.most < following.least for one, following in pairwise(shown))


def test_a_range_begins_with_its_leading_digit_and_ends_where_the_next_begins() -> None:
    """25 different amounts are counted in ranges: one for each leading digit of each power of ten."""
    sizes: list[Size] = [*range(100, 124), Decimal("0.5"), 199, 200, 999, 1_000]
    assert [(one.least, one.most, one.lines) for one in distribution(sizes).histogram()] == [
        (Decimal("0.5"), Decimal("0.6"), 1), (100, 200, 25), (200, 300, 1), (900, 1_000, 1), (1_000, 1_000, 1),
    ]  # fmt: skip
    assert len(distribution(sizes[:DISTINCT_AMOUNTS]).histogram()) == DISTINCT_AMOUNTS


def granted(reason: str, minor: int, currency: str = "EUR") -> Decision:
    return Decision(Outcome.GRANTED, reason, (Benefit(money=Money(minor, currency)),))


@given(st.lists(st.tuples(st.integers(0, PLACES_MOST + 9), st.integers(1, 50)), max_size=400), st.integers(0, 400))
def test_the_amounts_of_two_parts_are_those_of_the_whole(rows: list[tuple[int, int]], cut: int) -> None:
    def amounts(part: Sequence[tuple[int, int]]) -> Amounts:
        found = Amounts()
        for reason, minor in part:
            found.count(granted(f"r{reason}", minor))
        return found

    whole, first, second = amounts(rows), amounts(rows[:cut]), amounts(rows[cut:])
    first.add(second)
    assert first == whole
    assert Amounts.from_content(json.loads(json.dumps(whole.content()))) == whole
    assert sum(one.lines for one in whole.places.values()) == len(rows)
    assert whole.is_by_reason is (len({reason for reason, _ in rows}) <= PLACES_MOST)


@given(st.lists(SIZES, min_size=1, max_size=80))
@example([*range(1, DISTINCT_AMOUNTS + 20)] * 2)
def test_amounts_are_read_as_they_were_written(sizes: list[Size]) -> None:
    found = Amounts()
    for size in sizes:
        found.count(Decision(Outcome.GRANTED, "credit", (Benefit(quantity=f"{Decimal(size):f}", unit="GB"),)))
    read = Amounts.from_content(json.loads(json.dumps(found.content())))
    assert read == found
    assert [one.lines for one in read.places.values()] == [len(sizes)]


def test_more_places_than_an_item_holds_are_told_and_not_counted_wrong() -> None:
    found = Amounts()
    for number in range(PLACES_MOST + 1):
        found.count(Decision(Outcome.GRANTED, "credit", (Benefit(quantity="1", unit=f"unit_{number}"),)))
    assert not found.is_complete
    assert not found.places


def test_the_most_that_can_be_counted_fits_an_item() -> None:
    """Every place with every range that an amount can lie in, and the longest numbers."""
    found = Amounts()
    digits = [Decimal(digit).scaleb(power) for power in range(-WORTH_DECIMALS, 11) for digit in range(1, 10)]
    sizes = [size for size in digits if size < WORTH_LARGEST]
    for number in range(PLACES_MOST):
        reason, unit = f"{number:03d}".ljust(48, "x"), "u" * 60
        for size in sizes:
            text = f"{size:f}"
            found.count(Decision(Outcome.GRANTED, reason, (Benefit(quantity=text, unit=unit),)), 10**7)
    assert len(found.places) == PLACES_MOST
    assert all(len(one.ranges) <= RANGES_MOST for one in found.places.values())
    assert len(json.dumps(found.content(), separators=(",", ":"))) < ITEM_BYTES - 260_000, (
        "beside sampled subjects and totals"
    )


def test_equal_amounts_have_one_form() -> None:
    assert [str(plain_size(size)) for size in (20, Decimal("20.0"), Decimal("2E+1"))] == ["20"] * 3
    assert str(plain_size(Decimal("0.50"))) == "0.5"
