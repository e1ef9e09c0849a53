import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.time import (
    TIME_ZONES,
    TimeError,
    WorkingDays,
    add_days,
    add_months,
    format_instant,
    instant_of,
    local_day,
    microseconds_of,
    parse_day,
    parse_instant,
    start_of_day,
    zone_of,
)

BERLIN = zone_of("Europe/Berlin")
EASTER = WorkingDays(frozenset({date(2025, 4, 18), date(2025, 4, 21)}), 2025, 2026)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-22T09:45:00Z", datetime(2024, 2, 22, 9, 45, tzinfo=UTC)),
        ("2024-02-22T10:45:00+01:00", datetime(2024, 2, 22, 9, 45, tzinfo=UTC)),
        ("2024-02-29T23:59:59.5Z", datetime(2024, 2, 29, 23, 59, 59, 500_000, tzinfo=UTC)),
        ("2024-02-22T09:45Z", datetime(2024, 2, 22, 9, 45, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_into_utc(text: str, expected: datetime) -> None:
    assert parse_instant(text) == expected
    assert parse_instant(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-02-22",
        "2024-02-22T09:45:00",
        "2024-02-22 09:45:00Z",
        "2023-02-29T00:00:00Z",
        "2024-02-22T24:01:00Z",
        "20240222T094500Z",
        "2024-02-22T09:45:00ZZ",
        "\uff12024-02-22T09:45:00Z",
        "0001-01-01T00:00:00+23:00",
    ],
)
def test_what_is_not_an_aware_instant_is_refused(text: str) -> None:
    with pytest.raises(TimeError, match="expected an instant"):
        parse_instant(text)


FIRST, LAST = datetime(1970, 1, 2), datetime(2199, 1, 1)  # noqa: DTZ001 (hypothesis adds the zone itself)


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)))
def test_an_instant_survives_being_written_and_counted(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant
    assert instant_of(microseconds_of(instant)) == instant
    assert format_instant(instant.astimezone(timezone(timedelta(hours=5)))) == format_instant(instant)


def test_a_naive_instant_cannot_be_written() -> None:
    with pytest.raises(TimeError):
        format_instant(datetime(2024, 1, 1))  # noqa: DTZ001 (the naive one is the point)


@pytest.mark.parametrize("text", ["2023-02-29", "2024-2-1", "2024-02-22T00:00:00Z", ""])
def test_what_is_not_a_day_is_refused(text: str) -> None:
    with pytest.raises(TimeError, match="expected a day"):
        parse_day(text)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24), (date(2024, 2, 29), 24)],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day: date, hours: int) -> None:
    assert start_of_day(day + timedelta(days=1), BERLIN) - start_of_day(day, BERLIN) == timedelta(hours=hours)


def test_a_day_whose_midnight_does_not_exist_starts_after_the_gap() -> None:
    zone = zone_of("America/Sao_Paulo")
    start = start_of_day(date(2018, 11, 4), zone)
    assert start == datetime(2018, 11, 4, 3, 0, tzinfo=UTC)
    assert local_day(start, zone) == date(2018, 11, 4)
    assert local_day(start - timedelta(seconds=1), zone) == date(2018, 11, 3)


def test_no_days_later_it_is_the_same_instant_in_the_hour_that_comes_twice_too() -> None:
    for minute in (0, 90):  # 02:00, and 02:30 after the clocks were set back
        instant = datetime(2026, 10, 25, 0, tzinfo=UTC) + timedelta(minutes=minute)
        assert add_days(instant, 0, zone_of("Europe/Berlin")) == instant


@pytest.mark.parametrize("minutes", [30, 90])
def test_a_time_that_comes_twice_on_the_day_it_is_moved_to_is_its_first_whichever_it_was_before(minutes: int) -> None:
    instant = datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes)  # 02:30, before the change or after it
    assert add_days(instant, 371, BERLIN) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert add_days(instant, 1, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert add_days(instant, -1, BERLIN) == datetime(2026, 10, 24, 0, 30, tzinfo=UTC)


def test_days_are_added_by_the_calendar() -> None:
    before = datetime(2026, 3, 28, 11, 0, tzinfo=UTC)
    assert add_days(before, 1, BERLIN) == datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    skipped = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)  # 02:30, which the next day does not have
    assert add_days(skipped, 1, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 11, 30), 3, date(2025, 2, 28)),
        (date(2024, 12, 15), 1, date(2025, 1, 15)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 1, 15), -1, date(2023, 12, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 11, 15), 1, date(2024, 12, 15)),
    ],
)
def test_months_end_where_they_end(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2025, 4, 17), 0, date(2025, 4, 17)),
        (date(2025, 4, 17), 1, date(2025, 4, 22)),
        (date(2025, 4, 18), 1, date(2025, 4, 22)),
        (date(2025, 4, 22), 2, date(2025, 4, 24)),
        (date(2025, 4, 25), 1, date(2025, 4, 28)),
    ],
)
def test_working_days_skip_weekends_and_holidays(day: date, count: int, expected: date) -> None:
    assert EASTER.after(day, count) == expected


def test_working_days_between_count_the_last_day_and_not_the_first() -> None:
    assert EASTER.between(date(2025, 4, 17), date(2025, 4, 22)) == 1
    assert EASTER.between(date(2025, 4, 22), date(2025, 4, 23)) == 1
    assert EASTER.between(date(2025, 4, 22), date(2025, 4, 22)) == 0
    assert EASTER.between(date(2025, 4, 23), date(2025, 4, 22)) == 0


def test_outside_the_known_years_nothing_is_guessed() -> None:
    assert EASTER.after(date(2024, 12, 30), 1) is None
    assert EASTER.after(date(2026, 12, 31), 1) is None
    assert EASTER.between(date(2026, 12, 1), date(2027, 1, 4)) is None
    assert EASTER.after(date(2025, 1, 2), 1001) is None


def test_an_unknown_zone_is_an_error() -> None:
    for name in ("Europe/Atlantis", "", "../etc/passwd", "Berlin Time"):
        with pytest.raises(TimeError, match="IANA"):
            zone_of(name)


def test_zones_are_those_of_the_locked_release_whatever_the_system_has(tmp_path: Path) -> None:
    """Lambda renews its own zones at any time; a laptop explains what a function decided."""
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes((Path(tzdata.__file__).parent / "zoneinfo/Asia/Tokyo").read_bytes())
    zoneinfo.reset_tzpath([str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    zone_of.cache_clear()
    try:
        noon = datetime(2025, 7, 1, 12, tzinfo=UTC)
        assert noon.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).hour == 21
        assert noon.astimezone(zone_of("Europe/Berlin")).hour == 14
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()
        zone_of.cache_clear()


def test_a_runtime_without_any_zones_changes_nothing(tmp_path: Path) -> None:
    zoneinfo.reset_tzpath([str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    zone_of.cache_clear()
    try:
        assert datetime(2025, 7, 1, 12, tzinfo=UTC).astimezone(zone_of("Europe/Berlin")).hour == 14
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()
        zone_of.cache_clear()


def test_the_release_of_the_zones_is_the_one_of_their_package() -> None:
    assert re.fullmatch(r"20[0-9]{2}[a-z]", TIME_ZONES)
    package = version("tzdata")  # 2026.6 is the sixth release of 2026
    year, number = package.split(".")
    assert f"{year}{'abcdefghijklmnopqrstuvwxyz'[int(number) - 1]}" == TIME_ZONES
