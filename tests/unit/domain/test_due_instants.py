"""By when a credit must be on a bill: an instant for each credit, and what it was counted by."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import Due, DueBy, due_at
from kulanz.domain.time import local_day, start_of_day

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
GRANTED = datetime(2026, 11, 30, 12, tzinfo=UTC)
TWO_CYCLES = Due(2, "billing_cycle")


def test_the_second_stated_bill_is_where_two_cycles_end() -> None:
    found = due_at(TWO_CYCLES, GRANTED, UTC_ZONE, None, (date(2026, 12, 5), date(2027, 1, 5), date(2027, 2, 5)))
    assert (found.at, found.by) == (datetime(2027, 1, 6, tzinfo=UTC), DueBy.LIST)


def test_after_the_last_stated_bill_each_cycle_is_a_month() -> None:
    found = due_at(TWO_CYCLES, GRANTED, UTC_ZONE, None, (date(2026, 12, 5),))
    assert (found.at, found.by) == (datetime(2027, 1, 6, tzinfo=UTC), DueBy.LIST_AND_MONTHS)


@pytest.mark.parametrize("stated", [(), (date(2026, 11, 1),), (date(2026, 10, 1), date(2026, 11, 29))])
def test_where_no_coming_bill_is_stated_the_latest_day_of_the_policy_counts(stated: tuple[date, ...]) -> None:
    found = due_at(TWO_CYCLES, GRANTED, UTC_ZONE, None, stated)
    assert (found.at, found.by) == (datetime(2027, 1, 31, tzinfo=UTC), DueBy.POLICY)


def test_a_bill_on_the_day_of_the_grant_counts_because_too_early_does_no_harm() -> None:
    found = due_at(Due(1, "billing_cycle"), GRANTED, UTC_ZONE, None, (date(2026, 11, 30), date(2026, 12, 30)))
    assert found.at == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_bill_that_is_stated_for_years_ahead_is_a_mistake_and_not_counted() -> None:
    found = due_at(TWO_CYCLES, GRANTED, UTC_ZONE, None, (date(2029, 1, 1), date(2099, 12, 31)))
    assert (found.at, found.by) == (datetime(2027, 1, 31, tzinfo=UTC), DueBy.POLICY)


def test_days_are_those_of_the_policys_zone() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # it is December in Berlin
    assert due_at(Due(1, "day"), late, BERLIN, None).at == datetime(2026, 12, 2, 23, tzinfo=UTC)
    assert due_at(Due(1, "day"), late, UTC_ZONE, None).at == datetime(2026, 12, 2, tzinfo=UTC)


def test_other_deadlines_do_not_depend_on_bills() -> None:
    bills = (date(2026, 12, 1), date(2027, 1, 1))
    for due in (Due(3, "day"), Due(2, "week"), Due(1, "month"), Due(day="2026-12-24"), Due(5, "working_day")):
        found = due_at(due, GRANTED, UTC_ZONE, None, bills)
        assert found == due_at(due, GRANTED, UTC_ZONE, None)
        assert found.by is DueBy.POLICY


def test_the_last_day_of_the_calendar_is_a_deadline_too() -> None:
    assert due_at(Due(day="9999-12-31"), GRANTED, UTC_ZONE, None).at == datetime(9999, 12, 31, tzinfo=UTC)


@given(
    st.integers(1, 12),
    st.lists(st.dates(date(2026, 11, 30), date(2028, 1, 1)), unique=True, max_size=12),
    st.sampled_from([UTC_ZONE, BERLIN, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")]),
)
def test_one_more_cycle_is_never_due_earlier_and_no_deadline_lies_before_its_grant(
    count: int, bills: list[date], zone: ZoneInfo
) -> None:
    bills.sort()
    now = due_at(Due(count, "billing_cycle"), GRANTED, zone, None, bills)
    later = due_at(Due(count + 1, "billing_cycle"), GRANTED, zone, None, bills)
    assert GRANTED < now.at <= later.at
    assert now.at == start_of_day(local_day(now.at, zone), zone), "a deadline is the start of a day"
    if len([day for day in bills if day >= local_day(GRANTED, zone)]) >= count:
        assert now.by is DueBy.LIST
