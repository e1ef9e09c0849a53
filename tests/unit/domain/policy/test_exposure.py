"""Measures of outages: properties that hold for all of them, and tables at the instants where they change."""

from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.exposure import Outage
from kulanz.domain.policy.language.periods import PERIODS
from kulanz.domain.time import microseconds_of, parse_instant, zone_of

SECOND = 1_000_000
HOUR = 3600 * SECOND
BERLIN = zone_of("Europe/Berlin")
SAO_PAULO = zone_of("America/Sao_Paulo")
ORIGIN = microseconds_of(datetime(2026, 3, 20, tzinfo=UTC))

moments = st.integers(0, 20 * 24 * 60).map(lambda minutes: ORIGIN + minutes * 60 * SECOND)
intervals = st.lists(st.tuples(moments, moments), max_size=8)
outages = intervals.map(exposure.union)
zones = st.sampled_from([BERLIN, zone_of("UTC"), zone_of("America/New_York"), zone_of("Australia/Lord_Howe")])


def at(text: str) -> int:
    return microseconds_of(parse_instant(text))


def between(start: str, end: str) -> Outage:
    return ((at(start), at(end)),)


@given(intervals, st.randoms(use_true_random=False))
def test_the_order_of_windows_is_irrelevant(windows: list[tuple[int, int]], random: object) -> None:
    shuffled = windows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a Random
    assert exposure.union(shuffled) == exposure.union(windows)


@given(outages, moments)
def test_splitting_an_outage_at_an_instant_changes_nothing(outage: Outage, cut: int) -> None:
    parts = (*exposure.clip(outage, None, cut), *exposure.clip(outage, cut, None))
    assert exposure.union(parts) == outage
    assert exposure.total(parts) == exposure.total(outage)


def minutes_of(outage: Outage) -> set[int]:
    return {minute for start, end in outage for minute in range(start, end, 60 * SECOND)}


@given(outages, outages, moments, moments)
def test_what_is_kept_of_an_outage_is_kept_minute_by_minute(outage: Outage, other: Outage, a: int, b: int) -> None:
    every, those = minutes_of(outage), minutes_of(other)
    for kept, minutes in (
        (exposure.both(outage, other), every & those),
        (exposure.without(outage, other), every - those),
        (exposure.clip(outage, a, b), {minute for minute in every if a <= minute < b}),
        (exposure.clip(outage, a, a), set()),
    ):
        assert minutes_of(kept) == minutes
        assert kept == exposure.union(kept)


@given(outages, outages)
def test_what_is_removed_and_what_is_kept_make_the_whole(outage: Outage, other: Outage) -> None:
    kept, removed = exposure.both(outage, other), exposure.without(outage, other)
    assert exposure.union((*kept, *removed)) == outage
    assert exposure.total(kept) + exposure.total(removed) == exposure.total(outage)
    assert exposure.both(other, outage) == kept


@given(outages, zones)
def test_the_time_on_days_is_the_time(outage: Outage, zone: object) -> None:
    assert sum(exposure.time_on_days(outage, zone)) == exposure.total(outage)  # type: ignore[arg-type] # a zone


@given(outages, zones, st.sampled_from(["outage", "day", *PERIODS]))
def test_the_pieces_are_the_whole(outage: Outage, zone: object, unit: str) -> None:
    pieces = exposure.pieces(outage, zone, unit)  # type: ignore[arg-type] # a zone
    assert exposure.union(part for piece in pieces for part in piece) == outage
    assert sum(exposure.total(piece) for piece in pieces) == exposure.total(outage)
    assert all(pieces)


@pytest.mark.parametrize(
    ("unit", "cuts"),
    [
        ("outage", []),
        ("day", ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]),
        ("month", ["2027-01-01"]),
        ("quarter", ["2027-01-01"]),
        ("calendar year", ["2027-01-01"]),
    ],
)
def test_an_outage_is_cut_where_its_periods_end(unit: str, cuts: list[str]) -> None:
    outage = between("2026-12-29T12:00:00Z", "2027-01-02T12:00:00Z")
    pieces = exposure.pieces(outage, zone_of("UTC"), unit)
    assert [piece[0][0] for piece in pieces[1:]] == [at(f"{day}T00:00:00Z") for day in cuts]


@pytest.mark.parametrize(
    ("unit", "starts"),
    [
        *[("month", [4, 5, 6, 7]), ("quarter", [4, 7]), ("calendar year", [4])],
        *[("year from April", [4]), ("year from May", [4, 5]), ("year from July", [4, 7]), ("year from December", [4])],
    ],
)
def test_periods_are_as_long_as_their_name_says(unit: str, starts: list[int]) -> None:
    pieces = exposure.pieces(between("2026-04-01T00:00:00Z", "2026-07-02T00:00:00Z"), zone_of("UTC"), unit)
    assert [piece[0][0] for piece in pieces] == [at(f"2026-0{month}-01T00:00:00Z") for month in starts]


@given(outages, zones, st.integers(0, 1439), st.integers(0, 1440))
def test_a_daily_mask_and_its_complement_make_the_whole(outage: Outage, zone: object, start: int, end: int) -> None:
    if start == end:
        return
    inside = exposure.daily(outage, start, end, zone)  # type: ignore[arg-type] # a zone
    if start == 0 and end == 1440:
        assert inside == outage
        return
    outside = exposure.daily(outage, end % 1440, start or 1440, zone)  # type: ignore[arg-type] # a zone
    assert exposure.total(inside) + exposure.total(outside) == exposure.total(outage)


@given(outages, st.integers(1, 100).map(lambda minutes: minutes * 60 * SECOND))
def test_merging_only_adds_time_and_only_joins(outage: Outage, under: int) -> None:
    merged = exposure.merge_gaps(outage, under)
    assert exposure.total(exposure.both(merged, outage)) == exposure.total(outage)
    assert all(later[0] - earlier[1] >= under for earlier, later in pairwise(merged))
    assert exposure.merge_gaps(merged, under) == merged


@given(outages, outages)
def test_more_outage_never_measures_less(outage: Outage, more: Outage) -> None:
    larger = exposure.union((*outage, *more))
    assert exposure.total(larger) >= exposure.total(outage)
    assert exposure.longest(larger) >= exposure.longest(outage)
    assert len(exposure.days_touched(larger, BERLIN)) >= len(exposure.days_touched(outage, BERLIN))


@pytest.mark.parametrize(("pause_seconds", "count"), [(7199, 1), (7200, 2), (7201, 2), (0, 1), (1, 1)])
def test_only_a_pause_of_two_hours_ends_an_outage(pause_seconds: int, count: int) -> None:
    first = (0, HOUR)
    second = (HOUR + pause_seconds * SECOND, 5 * HOUR)
    assert len(exposure.merge_gaps(exposure.union((first, second)), 2 * HOUR)) == count


@pytest.mark.parametrize(("seconds", "at_least", "longer"), [(599, 0, 0), (600, 1, 0), (601, 1, 1)])
def test_at_least_and_longer_differ_at_the_threshold(seconds: int, at_least: int, longer: int) -> None:
    outage = ((0, seconds * SECOND),)
    assert len(exposure.at_least(outage, 600 * SECOND)) == at_least
    assert len(exposure.longer_than(outage, 600 * SECOND)) == longer


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-05-04T22:00:00Z", "2026-05-05T22:00:00Z", 1),  # a whole day of Berlin
        ("2026-05-04T21:59:59Z", "2026-05-05T22:00:00Z", 2),
        ("2026-05-04T22:00:00Z", "2026-05-05T22:00:01Z", 2),
        ("2026-05-04T22:00:00Z", "2026-05-04T22:00:01Z", 1),
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 1),  # 23 hours: clocks go forward
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 1),  # 25 hours: clocks go back
        ("2024-02-28T23:00:00Z", "2024-02-29T23:00:00Z", 1),  # a leap day
        ("2024-02-28T22:00:00Z", "2024-03-01T00:00:00Z", 3),
    ],
)
def test_days_are_days_of_the_zone(start: str, end: str, days: int) -> None:
    assert len(exposure.days_touched(between(start, end), BERLIN)) == days
    assert exposure.count_days(between(start, end), BERLIN) == days


@given(outages, zones)
def test_days_are_counted_as_they_are_listed(outage: Outage, zone: object) -> None:
    assert exposure.count_days(outage, zone) == len(exposure.days_touched(outage, zone))  # type: ignore[arg-type] # a zone


@pytest.mark.parametrize(("days", "good"), [(4000, True), (4001, False)])
def test_only_so_many_days_are_looked_at(days: int, good: bool) -> None:
    outage = ((0, days * 24 * HOUR),)
    if good:
        assert len(exposure.days_touched(outage, zone_of("UTC"))) == days
    else:
        for measure in (
            exposure.days_touched,
            lambda o, z: exposure.daily(o, 0, 60, z),
            lambda o, z: exposure.periods_of(o, z, "month"),
        ):
            with pytest.raises(exposure.TooLong):
                measure(outage, zone_of("UTC"))


def test_two_outages_on_one_day_touch_one_day() -> None:
    outage = (
        *between("2026-05-04T08:00:00Z", "2026-05-04T09:00:00Z"),
        *between("2026-05-04T10:00:00Z", "2026-05-06T09:00:00Z"),
    )
    assert exposure.days_touched(outage, BERLIN) == [date(2026, 5, day).toordinal() for day in (4, 5, 6)]
    assert exposure.count_days(outage, BERLIN) == 3


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2025-04-01T19:00:00Z", "2025-04-02T07:00:00Z", 2),
        ("2025-04-01T06:00:00Z", "2025-04-01T20:00:00Z", 14),
        ("2025-04-01T20:00:00Z", "2025-04-02T06:00:00Z", 0),
    ],
)
def test_only_the_hours_of_the_mask_count(start: str, end: str, hours: int) -> None:
    masked = exposure.daily(between(start, end), 8 * 60, 22 * 60, zone_of("Europe/Madrid"))
    assert exposure.total(masked) == hours * HOUR


def test_a_mask_over_midnight_is_one_stretch() -> None:
    masked = exposure.daily(between("2026-05-04T00:00:00Z", "2026-05-06T00:00:00Z"), 22 * 60, 6 * 60, zone_of("UTC"))
    assert masked == exposure.union(
        (
            *between("2026-05-04T00:00:00Z", "2026-05-04T06:00:00Z"),
            *between("2026-05-04T22:00:00Z", "2026-05-05T06:00:00Z"),
            *between("2026-05-05T22:00:00Z", "2026-05-06T00:00:00Z"),
        )
    )


@pytest.mark.parametrize(
    ("day", "minutes", "expected"),
    [
        (date(2026, 3, 29), 2 * 60 + 30, "2026-03-29T01:00:00Z"),  # skipped: the end of the gap
        (date(2026, 3, 29), 3 * 60, "2026-03-29T01:00:00Z"),
        (date(2026, 3, 29), 1 * 60 + 59, "2026-03-29T00:59:00Z"),
        (date(2026, 10, 25), 2 * 60 + 30, "2026-10-25T00:30:00Z"),  # twice: the first
        (date(2026, 10, 25), 24 * 60, "2026-10-25T23:00:00Z"),
        (date(2026, 5, 4), 0, "2026-05-03T22:00:00Z"),
    ],
)
def test_a_time_of_day_on_a_day_of_a_clock_change(day: date, minutes: int, expected: str) -> None:
    assert exposure.clock(day.toordinal(), minutes, BERLIN) == at(expected)


@pytest.mark.parametrize("microseconds", [1, 500_000, 999_999])
def test_a_skipped_time_within_the_first_second_of_a_gap_is_found(microseconds: int) -> None:
    minutes = 2 * 60 + Fraction(microseconds, 60_000_000)
    assert exposure.clock(date(2026, 3, 29).toordinal(), minutes, BERLIN) == at("2026-03-29T01:00:00Z")


def test_a_midnight_that_does_not_exist_is_the_end_of_its_gap() -> None:
    assert exposure.clock(date(2018, 11, 4).toordinal(), 0, SAO_PAULO) == at("2018-11-04T03:00:00Z")


@pytest.mark.parametrize(
    ("day", "months", "first", "start", "end"),
    [
        (date(2024, 2, 29), 1, 1, "2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z"),
        (date(2024, 2, 29), 3, 1, "2023-12-31T23:00:00Z", "2024-03-31T22:00:00Z"),
        (date(2024, 12, 31), 12, 1, "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"),
        (date(2016, 3, 31), 12, 4, "2015-03-31T22:00:00Z", "2016-03-31T22:00:00Z"),
        (date(2016, 4, 1), 12, 4, "2016-03-31T22:00:00Z", "2017-03-31T22:00:00Z"),
    ],
)
def test_periods_start_where_the_calendar_says(day: date, months: int, first: int, start: str, end: str) -> None:
    assert exposure.month_period(day.toordinal(), BERLIN, months, first) == (at(start), at(end))


@pytest.mark.parametrize(
    ("day", "billing_day", "start", "end"),
    [
        (date(2025, 3, 14), 15, "2025-02-15", "2025-03-15"),
        (date(2025, 3, 15), 15, "2025-03-15", "2025-04-15"),
        (date(2025, 2, 27), 31, "2025-01-31", "2025-02-28"),
        (date(2025, 2, 28), 31, "2025-02-28", "2025-03-31"),
        (date(2024, 2, 29), 30, "2024-02-29", "2024-03-30"),
        (date(2025, 1, 1), 1, "2025-01-01", "2025-02-01"),
    ],
)
def test_billing_periods_in_short_months(day: date, billing_day: int, start: str, end: str) -> None:
    utc = zone_of("UTC")
    period = exposure.billing_period(day.toordinal(), utc, billing_day)
    assert period == (at(f"{start}T00:00:00Z"), at(f"{end}T00:00:00Z"))


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 31))
def test_every_day_lies_in_exactly_one_billing_period(day: date, billing_day: int) -> None:
    utc = zone_of("UTC")
    start, end = exposure.billing_period(day.toordinal(), utc, billing_day)
    assert start <= exposure.day_start(day.toordinal(), utc) < end
    following = exposure.billing_period(exposure.day_of(end, utc), utc, billing_day)
    assert following[0] == end


def test_weekdays_are_days_of_the_zone() -> None:
    friday_evening = between("2023-11-17T12:00:00Z", "2023-11-20T12:00:00Z")
    weekend = exposure.on_days(
        friday_evening, zone_of("Australia/Sydney"), lambda day: date.fromordinal(day).weekday() > 4
    )
    assert exposure.union(weekend) == between("2023-11-17T13:00:00Z", "2023-11-19T13:00:00Z")


def test_no_outage_measures_nothing() -> None:
    assert exposure.total(()) == exposure.longest(()) == 0
    assert exposure.days_touched((), BERLIN) == []
    assert exposure.daily((), 0, 60, BERLIN) == ()
    assert exposure.union(((5, 5), (7, 6))) == ()


def test_a_mask_and_periods_reach_as_far_as_days_do() -> None:
    utc = zone_of("UTC")
    assert exposure.total(exposure.daily(((0, 3999 * 24 * HOUR),), 0, 60, utc)) == 3999 * HOUR
    assert len(exposure.periods_of(((0, 4000 * 24 * HOUR),), utc, "calendar year")) == 11


def test_a_mask_that_ends_when_it_starts_is_the_whole_day() -> None:
    outage = between("2026-05-04T00:00:00Z", "2026-05-06T00:00:00Z")
    assert exposure.daily(outage, 480, 480, zone_of("UTC")) == outage


def test_only_the_outer_parts_are_cut() -> None:
    assert exposure.clip(((0, 10), (20, 30), (40, 50)), 5, 45) == ((5, 10), (20, 30), (40, 45))


def test_what_only_touches_is_not_kept() -> None:
    assert exposure.clip(((0, 10),), 10, 20) == ()
    assert exposure.clip(((10, 20),), 0, 10) == ()
    assert exposure.without(((0, 10), (20, 30)), ((10, 20),)) == ((0, 10), (20, 30))


@pytest.mark.parametrize("minutes", [0, 12 * 60, 23 * 60 + 59])
def test_a_whole_day_that_was_skipped_is_the_end_of_its_gap(minutes: int) -> None:
    apia = zone_of("Pacific/Apia")  # had no 30 December 2011
    assert exposure.clock(date(2011, 12, 30).toordinal(), minutes, apia) == at("2011-12-30T10:00:00Z")


def test_an_outage_that_ends_with_a_period_is_not_in_the_next() -> None:
    april = between("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z")
    assert exposure.periods_of(april, zone_of("UTC"), "month") == list(april)


def test_a_period_is_a_month_from_january_unless_said_otherwise() -> None:
    day = date(2026, 5, 4).toordinal()
    utc = zone_of("UTC")
    assert exposure.month_period(day, utc) == (at("2026-05-01T00:00:00Z"), at("2026-06-01T00:00:00Z"))
    assert exposure.month_period(day, utc, 12) == (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"))


@pytest.mark.parametrize(("seconds", "at_least", "longer"), [(599, 0, 0), (600, 1, 0), (601, 1, 1)])
def test_the_threshold_is_of_the_length_and_not_of_the_instant(seconds: int, at_least: int, longer: int) -> None:
    outage = ((HOUR, HOUR + seconds * SECOND),)
    assert exposure.longest(outage) == exposure.total(outage) == seconds * SECOND
    assert len(exposure.at_least(outage, 600 * SECOND)) == at_least
    assert len(exposure.longer_than(outage, 600 * SECOND)) == longer


def test_a_microsecond_is_an_outage_of_its_day() -> None:
    midnight = at("2026-05-05T00:00:00Z")
    assert exposure.count_days(((midnight, midnight + 1),), zone_of("UTC")) == 1
    assert exposure.days_touched(((midnight, midnight + 1),), zone_of("UTC")) == [date(2026, 5, 5).toordinal()]


def test_outages_joined_over_short_pauses_are_one_from_the_first_start() -> None:
    assert exposure.merge_gaps(((0, 10), (11, 20), (21, 30), (40, 50)), 5) == ((0, 30), (40, 50))
