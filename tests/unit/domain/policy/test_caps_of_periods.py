"""A cap of a period is worked out for that period: what it reads of the outage is what lies in the period."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        assert minor(decision) >= together - 1
