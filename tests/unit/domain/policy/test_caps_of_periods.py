"""A cap of a period is worked out for that period: what it reads of the outage is what lies in the period."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy.deciding.shares import _whole_parts
from kulanz.domain.time import format_instant
from tests.unit.domain.policy.rulebook import compiled, incident, minor, written

HOUR = timedelta(hours=1)
MONTHS = [datetime(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC) for month in range(1, 14)]
TIERS = """
zone: UTC
values:
  credit:
    by: total(outage)
    tiers:
      at least 24 h: 50.00 USD
      at least 1 h: 10.00 USD
      otherwise: 0 USD
for_each: month
pay: credit
"""


def paid(policy: str, *windows: tuple[datetime, datetime]) -> int:
    happened = incident(*((format_instant(start), format_instant(end)) for start, end in windows))
    return minor(compiled(written(policy), happened, decided_at=MONTHS[-1]).decide(()))


def by_month(start: datetime, end: datetime) -> list[timedelta]:
    """How much of a window lies in each month of the year."""
    return [max(timedelta(0), min(end, after) - max(start, first)) for first, after in pairwise(MONTHS)]


def owed(hours: timedelta) -> int:
    return 5_000 if hours >= 24 * HOUR else 1_000 if hours >= HOUR else 0


@given(st.integers(0, 7_000), st.integers(1, 2_000))
def test_a_cap_equal_to_what_is_paid_for_each_month_takes_nothing(first: int, hours: int) -> None:
    window = MONTHS[0] + first * HOUR, min(MONTHS[0] + (first + hours) * HOUR, MONTHS[-1])
    expected = sum(map(owed, by_month(*window)))
    assert paid(TIERS, window) == expected
    assert paid(TIERS + "cap: {per: month, at: credit}\n", window) == expected


@given(st.integers(0, 7_000), st.integers(1, 2_000))
def test_a_cap_that_grows_with_the_outage_holds_in_each_month(first: int, hours: int) -> None:
    window = MONTHS[0] + first * HOUR, min(MONTHS[0] + (first + hours) * HOUR, MONTHS[-1])
    cap = "cap: {per: month, at: total(outage) / 1 h * 1.00 USD}\n"
    allowed = [min(owed(time), time // HOUR * 100) for time in by_month(*window)]
    assert paid(TIERS + cap, window) == sum(allowed)


@given(st.integers(0, 7_000), st.integers(1, 2_000), st.integers(0, 700), st.integers(0, 60))
def test_a_cap_below_nothing_in_one_month_allows_nothing_there_and_changes_no_other(
    first: int, hours: int, off: int, most: int
) -> None:
    """What the first cap allowed is what the second divides by: a debt in one month is not a credit in the next."""
    window = MONTHS[0] + first * HOUR, min(MONTHS[0] + (first + hours) * HOUR, MONTHS[-1])
    grows = f"{{per: month, at: total(outage) / 1 h * 1.00 USD - {off}.00 USD}}"
    caps = f"cap: [{grows}, {{per: month, at: {most}.00 USD}}]\n"
    allowed = [max(0, min(owed(time), (time // HOUR - off) * 100, most * 100)) for time in by_month(*window)]
    assert paid(TIERS + caps, window) == sum(allowed)


@pytest.mark.parametrize("per", ["month", "quarter"])
def test_a_hundred_dollars_of_two_months_are_paid_under_their_own_cap(per: str) -> None:
    """On the whole incident the uptime of a month was below all tiers, and 100 USD became nothing."""
    policy = f"""
zone: UTC
values:
  uptime: 1 - total(outage) / 744 h
  credit: {{by: uptime, tiers: {{at least 99%: 0 USD, at least 90%: 50.00 USD, otherwise: nothing}}}}
for_each: {per}
pay: credit
cap: {{per: {per}, at: credit}}
"""
    assert paid(policy, (MONTHS[3] - 40 * HOUR, MONTHS[3] + 40 * HOUR)) == 10_000


PARTS = "facts: {one: number, two: number, three: number, first: money, second: money, third: money}\ncurrency: EUR\n"


@pytest.mark.parametrize("stage", ["head", "total"])
@pytest.mark.parametrize("mode", ["half_up", "up", "down"])
@given(st.tuples(*[st.integers(0, 9_999)] * 3), st.tuples(*[st.integers(0, 4_000)] * 2), st.randoms())
def test_no_cap_is_passed_by_rounding_whichever_of_them_is_the_lowest(
    stage: str, mode: str, thousandths: tuple[int, ...], caps: tuple[int, ...], order: Random
) -> None:
    """Parts of a cent each, beside caps of whole cents: together they may round to more than any of them alone."""
    heads = "".join(f"- {{name: {name}_part, pay: {name} / 1000 * 1.00 EUR}}\n" for name in ("one", "two", "three"))
    bounds = "cap: [{at: first}, {at: second}, {at: third}]\n"
    policy = compiled(written(f"{PARTS}rounding: {{stage: {stage}, mode: {mode}}}\nheads:\n{heads}{bounds}"))
    together = -(
        -sum(thousandths) // 10
    )  # in cents, rounded up: takes nothing off by itself, and is the lowest at times
    limits = [*caps, together]
    order.shuffle(limits)
    known = dict(zip(("one", "two", "three", "first", "second", "third"), (*thousandths, *limits), strict=True))
    decision = policy.decide([known[fact.name] for fact in policy.facts])
    assert minor(decision) <= min(limits)
    if min(limits) == together and mode != "down":
        assert minor(decision) >= together - len(thousandths), "nor is a cent of each part too much lost"


@pytest.mark.parametrize(
    ("whole", "parts", "limits", "given"),
    [
        (7, {"a": "7/3", "b": "7/3", "c": "7/3"}, {}, {"a": 3, "b": 2, "c": 2}),
        (8, {"b": "8/3", "c": "8/3", "a": "8/3"}, {}, {"a": 3, "b": 3, "c": 2}),
        (7, {"a": "2.2", "b": "2.6", "c": "2.2"}, {}, {"a": 2, "b": 3, "c": 2}),
        (7, {"a": "2.6", "b": "2.2", "c": "2.2"}, {"a": "2.9"}, {"a": 2, "b": 3, "c": 2}),
        (9, {"a": "2.2", "b": "2.6", "c": "2.2"}, {"b": 3}, {"a": 3, "b": 3, "c": 3}),
        (12, {"a": "2.2", "b": "2.6", "c": "2.2"}, {"b": 3, "c": 4}, {"a": 6, "b": 3, "c": 3}),
        (10, {"a": 5, "b": 5}, {"a": 3, "b": 3}, {"a": 7, "b": 3}),
        (10, {"a": "4.5", "b": "5.5"}, {"a": 4, "b": 3}, {"a": 4, "b": 6}),
        (0, {"a": 0, "b": 0}, {}, {"a": 0, "b": 0}),
    ],
)
def test_the_units_that_are_left_go_to_the_largest_remainders_first_as_far_as_there_is_room(
    whole: int, parts: dict[str, str], limits: dict[str, str], given: dict[str, int]
) -> None:
    """What no limit has room for goes to the period that lost most to its limit, else to the first."""
    exact = {name: Fraction(part) for name, part in parts.items()}
    found = _whole_parts(whole, exact, {name: Fraction(limit) for name, limit in limits.items()})
    assert found == given
