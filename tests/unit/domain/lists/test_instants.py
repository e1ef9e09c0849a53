"""Instants in a list: every form that says which instant it is gives it, and a form that does not is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.instants import read_instant

EIGHT = datetime(2026, 2, 27, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-27T08:00:00Z",
        "2026-02-27T08:00Z",
        "2026-02-27 08:00:00+00",  # PostgreSQL
        "2026-02-27 13:30:00+05:30",
        "2026-02-27 04:32:36-03:27:24",
        "2026-02-27 08:00:00 UTC",  # BigQuery, Ruby
        "2026-02-27 08:00:00.000000 UTC",
        "2026-02-27 08:00:00.000 UTC",  # Presto, Trino
        "2026-02-27 09:00:00.000 Europe/Berlin",
        "2026-02-27 05:00:00.000 America/Argentina/Buenos_Aires",
        "2026-02-27 09:00:00.000 +01:00",
        "2026-02-27T08:00:00.000+0000",  # Spark, Jackson
        "2026-02-27T08:00:00.000000000Z",
        "2026-02-27 08:00:00 +00:00",
        "2026-02-27 10:00:00.0000000 +02:00",  # SQL Server's datetimeoffset
        "2026-02-27 00:00:00.000 -0800",  # Snowflake
        "Fri, 27 Feb 2026 00:00:00 -0800",
        "Fri, 27 Feb 2026 08:00:00 GMT",  # HTTP, toUTCString
        "27 Feb 2026 08:00:00 +0000",
        "2026-02-27T08:00Z[UTC]",  # Java's ZonedDateTime
        "2026-02-27T09:00+01:00[Europe/Berlin]",
        "2026-02-27T09:00:00+01:00[+01:00]",
        "Fri Feb 27 08:00:00 UTC 2026",  # Java's Date, the date command
        "2026-02-27 08:00:00 +0000 UTC",  # Go's time.String
        "2026-02-27 09:00:00.000000000 +0100 CET",
        "2026-02-27 05:00:00 -0300 -03",
        "2026-02-27 08:00:00 +0000 UTC m=+0.000012",
        "Fri Feb 27 2026 09:00:00 GMT+0100 (Central European Standard Time)",  # JavaScript
        "20260227T080000Z",
        "2026-02-27 08:00:00Z",  # .NET
    ],
)
def test_an_instant_is_read_as_databases_and_programs_write_it(text: str) -> None:
    assert read_instant(text) == EIGHT


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-27T08:00:00",  # no offset
        "2026-02-27 08:00:00",
        "2026-02-27",
        "1772179200",  # seconds, milliseconds or microseconds of whatever
        "1772179200000",
        "46080.333",  # Excel's serial number
        "27.02.2026 08:00:00 UTC",
        "02/03/2026 08:00:00 UTC",  # February or March
        "2026-02-27 08:00:00 CST",  # of China, Cuba or America
        "Fri Feb 27 08:00:00 CET 2026",
        "Thu Feb 27 08:00:00 UTC 2026",  # it was a Friday
        "Thu, 27 Feb 2026 08:00:00 GMT",
        "2026-02-30 08:00:00 UTC",
        "2026-02-27 24:01:00 UTC",
        "2026-02-27 08:60:00 UTC",
        "2026-02-27 08:00:00 UTC EST",
        "2026-02-27 09:00:00 +0100 UTC",
        "2026-02-27T09:00+02:00[Europe/Berlin]",  # where it was +01:00
        "2026-02-27T09:00+01:00[Europe/Atlantis]",
        "2026-02-27 09:00:00 Europe/Atlantis",
        "2026-10-25 02:30:00 Europe/Berlin",  # shown twice
        "2026-03-29 02:30:00 Europe/Berlin",  # never shown
        "2026-02-27 08:00:00+99",
        "20260227080000",
        "infinity",
        "now",
        "-infinity",
        "2026-02-27 08:00:00 UTC " + "x" * 1000,
        "٢٠٢٦-02-27T08:00:00Z",
    ],
)
def test_what_does_not_say_which_instant_it_is_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="an instant") as refused:
        read_instant(text)
    assert text not in str(refused.value)
    assert "Atlantis" not in str(refused.value)


FRACTIONS = {
    "2026-02-27 08:00:00{}+00:00": ".,",
    "2026-02-27T08:00:00{} +0000": ".,",
    "2026-02-27 08:00:00{} UTC": ".,",
    "2026-02-27 09:00:00{} Europe/Berlin": ".,",
    "20260227T080000{}Z": ".",
    "20260227T080000{}+0000": ".",
    "Fri, 27 Feb 2026 08:00:00{} GMT": ".,",
    "27 Feb 2026 08:00:00{} +0000": ".,",
    "Fri Feb 27 08:00:00{} UTC 2026": ".,",
}
"""Each form with a place for parts of a second, and what may stand before them."""


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("form", FRACTIONS)
def test_a_second_has_up_to_twelve_decimals_of_which_six_count(form: str, mark: str) -> None:
    digits = "1234567890123"
    for count in range(14):
        text = form.format(mark + digits[:count])
        if 1 <= count <= 12 and mark in FRACTIONS[form]:
            expected = EIGHT + timedelta(microseconds=int(digits[:count][:6].ljust(6, "0")))
            assert read_instant(text) == expected
        else:
            with pytest.raises(ValueError, match="an instant"):
                read_instant(text)


@pytest.mark.parametrize("offset", ["-03", "-0300", "-03:00", "-030000", "-03:00:00"])
@pytest.mark.parametrize("form", ["2026-02-27T05:00:00{}", "2026-02-27 05:00 {}", "20260227T050000{}",
                                  "Fri, 27 Feb 2026 05:00:00 {}"])  # fmt: skip
def test_an_offset_has_hours_minutes_and_seconds(form: str, offset: str) -> None:
    assert read_instant(form.format(offset)) == EIGHT
    assert read_instant(form.format(offset.replace("-03", "+03"))) == EIGHT - timedelta(hours=6)
    if len(offset) > 3:
        longer = offset[:-2] + "30"
        apart = timedelta(seconds=30) if len(offset) > 6 else timedelta(minutes=30)
        assert read_instant(form.format(longer)) == EIGHT + apart


@pytest.mark.parametrize("name", ["Z", "z", "UTC", "GMT", "Etc/UTC"])
def test_utc_has_these_names_and_no_other(name: str) -> None:
    assert read_instant(f"2026-02-27 08:00:00 {name}") == EIGHT
    for wrong in (name[:-1] + "x", name + "1"):
        with pytest.raises(ValueError, match="an instant"):
            read_instant(f"2026-02-27 08:00:00 {wrong}")


@given(st.dates(date(1980, 1, 1), date(2090, 1, 1)))
def test_every_day_is_read_by_the_names_of_its_month_and_weekday(day: date) -> None:
    expected = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    weekday, month = WEEKDAYS[day.weekday()], MONTHS[day.month - 1]
    forms = [
        f"{weekday}, {day.day} {month} {day.year} 08:00:00 GMT",
        f"{weekday}, {day.day:02d} {month} {day.year} 08:00:00 GMT",
        f"{weekday} {month} {day.day:2d} 08:00:00 UTC {day.year}",
        f"{weekday} {month} {day.day:02d} {day.year} 08:00:00 GMT+0000",
        f"{weekday} {month} {day.day:02d} {day.year} 10:30:00 GMT+0230 (A Time)",
    ]
    assert [read_instant(form) for form in forms] == [expected] * len(forms)
    for wrong in WEEKDAYS:
        if wrong != weekday:
            with pytest.raises(ValueError, match="day of the week"):
                read_instant(forms[0].replace(weekday, wrong))


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
INSTANTS = st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(INSTANTS, OFFSETS)
def test_the_same_instant_is_read_from_every_form_with_its_offset(instant: datetime, offset: timezone) -> None:
    local = instant.astimezone(offset)
    with_colon, without = local.isoformat()[-6:], local.strftime("%z")
    clock = local.strftime("%Y-%m-%d %H:%M:%S.%f")
    forms = [
        str(local),
        local.isoformat(),
        f"{clock} {with_colon}",
        f"{clock}{without}",
        f"{clock}999{with_colon}",
        f"{clock} {without} XYZ",
        instant.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
        instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ[UTC]"),
    ]
    assert {read_instant(form) for form in forms} == {instant}
    seconds = instant.replace(microsecond=0)
    plain = [local.strftime("%a, %d %b %Y %H:%M:%S %z"), local.strftime("%a %b %d %Y %H:%M:%S GMT%z (There)")]
    assert {read_instant(form) for form in plain} == {seconds}


@given(INSTANTS, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]))
def test_an_instant_with_a_zone_is_read_or_refused_and_never_another(instant: datetime, name: str) -> None:
    text = instant.astimezone(ZoneInfo(name)).strftime(f"%Y-%m-%d %H:%M:%S.%f {name}")
    try:
        found = read_instant(text)
    except ValueError:
        local = instant.astimezone(ZoneInfo(name))
        assert local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    else:
        assert found == instant
