"""Instants in a list: every form that says which instant it is gives it, and a form that does not is refused."""

from datetime import UTC, datetime, timedelta, timezone
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
