"""Days and instants as exports write them: what says which one it is, is read; what does not, is told, and no crash."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz_cli.prepare.cells import WRONG
from kulanz_cli.prepare.profile import EPOCHS
from tests.unit.cli.prepare.test_cells import read

NAMED = {"format": "%d.%m.%Y %H:%M %Z", "timezone": "Europe/Berlin"}
ANYWHERE = st.sampled_from(["", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])


@pytest.mark.parametrize(
    ("type_", "stated", "cell", "text"),
    [
        ("day", {"format": "epoch"}, "1772323200", WRONG),
        ("day", {"format": "epoch", "timezone": "America/New_York"}, "1772323200", "2026-02-28"),
        ("day", {"format": "epoch", "timezone": "Europe/Berlin"}, "1772323200", "2026-03-01"),
        ("day", {"format": "%Y-%m-%dT%H:%M%z"}, "2026-02-28T23:00Z", WRONG),
        ("day", {"format": "%Y-%m-%dT%H:%M%z", "timezone": "Europe/Berlin"}, "2026-02-28T23:00Z", "2026-03-01"),
        ("day", {"format": "%Y-%m-%d %H:%M %Z"}, "2026-02-28 23:00 UTC", WRONG),
        ("day", {"format": "%Y-%m-%d %H:%M"}, "2026-02-28 23:00", "2026-02-28"),
        ("day", {"format": "%d%m%Y"}, "01032026", "2026-03-01"),
        ("day", {"format": "%d%m%Y"}, "1032026", WRONG),
        ("day", {"format": "%Y%m%d"}, "2026111", WRONG),
        ("day", {"format": "%d.%m.%Y"}, "1.3.2026", "2026-03-01"),
        ("instant", {"format": "%Y%m%d%H%M%S%f", "timezone": "UTC"}, "202603011000005", "2026-03-01T10:00:00.500000Z"),
        ("instant", {"format": "%Y%m%d%H%M%S", "timezone": "UTC"}, "2026030110000", WRONG),
        ("instant", {"format": "%Y%m%d %H:%M", "timezone": "UTC"}, "20260301 9:05", "2026-03-01T09:05:00Z"),
        ("instant", NAMED, "01.03.2026 10:00 UTC", "2026-03-01T10:00:00Z"),
        ("instant", NAMED, "01.03.2026 10:00 CET", WRONG),
        ("instant", {"format": "epoch_ms"}, "1772323200000", "2026-03-01T00:00:00Z"),
        ("instant", {"format": "epoch_ms"}, "1772323200", WRONG),
        ("instant", {"format": "epoch_us"}, "1772323200000000", "2026-03-01T00:00:00Z"),
        ("instant", {"format": "epoch_ns"}, "1772323200123456789", "2026-03-01T00:00:00.123456Z"),
        ("instant", {"format": "epoch"}, "-1", WRONG),
        ("instant", {"timezone": "Europe/Berlin"}, "0001-01-01 00:00:00", WRONG),
        ("instant", {"timezone": "America/New_York"}, "9999-12-31 23:59:59.999", WRONG),
    ],
)  # fmt: skip
def test_a_moment_is_read_where_it_is_one_alone(type_: str, stated: dict[str, str], cell: str, text: str) -> None:
    assert read(cell, type_, **stated) == text


@given(st.sampled_from(sorted(EPOCHS)), st.integers(-(10**19), 10**19), ANYWHERE, st.sampled_from(["day", "instant"]))
def test_no_count_since_1970_raises_and_each_is_read_in_one_unit_alone(
    unit: str, count: int, zone: str, type_: str
) -> None:
    found = {other: read(f"{count}", type_, format=other, **({"timezone": zone} if zone else {})) for other in EPOCHS}
    assert found[unit]
    years = [text[:4] for text in found.values() if text != WRONG and "1990" <= text[:4] <= "2100"]
    assert len(years) <= 1, "seconds are told from milliseconds, and those from shorter units"


@given(st.dates(), ANYWHERE, st.sampled_from(["%d%m%Y", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d%m%y"]))
def test_every_day_of_every_year_is_read_or_told(day: date, zone: str, form: str) -> None:
    stated = {"format": form, **({"timezone": zone} if zone else {})}
    written = f"{day.day:02}.{day.month:02}.{day.year:04}" if form == "%d.%m.%Y" else day.strftime(form)
    assert read(written, "day", **stated) in (day.isoformat(), WRONG) or form.endswith("%y")
    if "%H" in form:
        assert read(written, "instant", **{"timezone": "UTC", **stated})
