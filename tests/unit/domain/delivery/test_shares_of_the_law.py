"""The shares of the law, one by one: how they add up, what counters know of them, and how a difference is told."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.campaigns.ends import EndOf, counted_end
from kulanz.domain.delivery.law import LAW, Counted, Shares, Unequal, added_up, broken, law_of_counters, unequal
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NAMES = [field.name for field in fields(Shares)]
ONE = Shares(*(3**place for place in range(len(NAMES))))
OTHER = Shares(*(1_000 * 3**place for place in range(len(NAMES))))
BOTH = Shares(*(1_001 * 3**place for place in range(len(NAMES))))


def test_each_share_is_added_to_its_own_and_what_is_asked_back_is_no_share() -> None:
    assert ONE + OTHER == BOTH
    assert added_up([{"EUR": ONE, "GB": OTHER}, {"EUR": OTHER}]) == {"EUR": BOTH, "GB": OTHER}
    assert ONE.granted == sum(getattr(ONE, name) for name in LAW) == 1 + 3 + 9 + 27 + 81


@pytest.mark.parametrize(
    ("ended_at", "ended", "expected", "is_exact"),
    [
        (NOW + TICK, 700, Shares(100, 0, 30, 7, 863, 11), True),  # nothing has ended yet
        (NOW, 136, Shares(100, 0, 30, 7, 863, 11), False),  # less than what is gone
        (NOW, 138, Shares(100, 1, 30, 7, 862, 11), False),
        (NOW, 999, Shares(100, 862, 30, 7, 1, 11), False),
        (NOW, 1_000, Shares(100, 863, 30, 7, 0, 11), True),  # all of it has ended
        (NOW, 1_001, Shares(100, 863, 30, 7, 0, 11), True),
    ],
)
def test_what_is_gone_counts_as_the_first_that_ended(
    ended_at: datetime, ended: int, expected: Shares, *, is_exact: bool
) -> None:
    states = {CreditState.APPLIED: 100, CreditState.WRITTEN_OFF: 7, CreditState.DUE: 863}
    line = ToTheBill("EUR", 1_000, 30, states, asked_back=11)
    ends = {EndOf("EUR", ended_at): ended, EndOf("GB", NOW): 999}
    assert law_of_counters(line, ends, NOW) == Counted(expected, is_exact)
    added = ToTheBill("EUR", 1_000, 30, states, 1, 11)
    assert law_of_counters(added, ends, NOW) == Counted(expected, is_exact=False)


def test_ends_of_several_hours_add_up_and_are_exact_where_nothing_is_gone() -> None:
    line = ToTheBill("EUR", 1_000, 0, {CreditState.DUE: 1_000})
    ends = {EndOf("EUR", NOW - timedelta(hours=hours)): 10**hours for hours in range(3)}
    assert law_of_counters(line, ends, NOW) == Counted(Shares(expired=111, open=889), is_exact=True)


@pytest.mark.parametrize("name", NAMES)
def test_each_share_that_differs_is_named_with_both_figures(name: str) -> None:
    """Expired alone is told where the counters know it, and both sums of what is left are equal."""
    here = {"EUR": Shares(**{one: 50 + (one == name) for one in NAMES}), "GB": ONE}
    there = {"EUR": Counted(Shares(**dict.fromkeys(NAMES, 50)), is_exact=True), "GB": Counted(ONE, is_exact=True)}
    told = {"expired": ("expired or open", 100), "open": ("expired or open", 100)}
    share, counters = told.get(name, (name.replace("_", " "), 50))
    assert list(unequal(there, here)) == [Unequal("EUR", share, counters, counters + 1)]
    assert broken(there, here) == [f"EUR {share}: counters {counters}, entries {counters + 1} (in the smallest unit)"]


@pytest.mark.parametrize("is_exact", [True, False])
def test_expired_alone_differs_only_where_the_counters_know_it(*, is_exact: bool) -> None:
    counted = {"EUR": Counted(Shares(expired=7, open=3), is_exact)}
    expected = [Unequal("EUR", "expired", 7, 6)] if is_exact else []
    assert list(unequal(counted, {"EUR": Shares(expired=6, open=4)})) == expected


def test_what_only_one_side_has_differs_from_nothing_in_the_order_of_measures() -> None:
    counted = {"GB": Counted(Shares(used=2), is_exact=True)}
    assert list(unequal(counted, {"EUR": Shares(voided=5)})) == [
        Unequal("EUR", "voided", 0, 5),
        Unequal("GB", "used", 2, 0),
    ]


@pytest.mark.parametrize(
    ("ends_at", "hour"),
    [
        (NOW, NOW),
        (NOW + TICK, NOW + timedelta(hours=1)),
        (NOW - TICK, NOW),
        (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        (datetime(9999, 12, 31, 22, 59, 59, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)),
        (datetime(9999, 12, 31, 23, 0, 0, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_an_end_counts_from_the_next_full_hour(ends_at: datetime, hour: datetime) -> None:
    assert counted_end(ends_at) == hour
