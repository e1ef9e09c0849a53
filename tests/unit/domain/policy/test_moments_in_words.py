"""A moment in words is that moment: a day stands for its first or last instant alone, everything else has its clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from kulanz.domain.policy.explaining.wording import first_moment, last_moment, said
from kulanz.domain.policy.language.kinds import INSTANT, OUTAGE
from kulanz.domain.time import MICROSECOND, microseconds_of, start_of_day, zone_of
from tests.unit.domain.policy.rulebook import NOW, compiled, incident, written

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia")
AFTER_MIDNIGHT = {
    timedelta(0): "",
    MICROSECOND: " 00:00:00.000001",
    timedelta(seconds=1): " 00:00:01",
    timedelta(seconds=59, microseconds=500_000): " 00:00:59.500000",
    timedelta(minutes=1): " 00:01",
    timedelta(hours=1): " 01:00",
    timedelta(hours=12): " 12:00",
    timedelta(hours=24) - MICROSECOND: " 23:59:59.999999",
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("after", AFTER_MIDNIGHT)
def test_a_day_is_told_for_its_first_instant_and_every_other_one_with_its_clock(zone: str, after: timedelta) -> None:
    place, clock = zone_of(zone), AFTER_MIDNIGHT[after]
    at = microseconds_of(start_of_day(date(2026, 7, 8), place) + after)
    assert first_moment(at, place) == f"2026-07-08{clock}"
    assert last_moment(at, place) == (f"until 2026-07-08{clock}" if clock else "up to and including 2026-07-07")
    assert said(INSTANT, at, place) == f"2026-07-08{clock or ' 00:00'}"


CHANGES = (
    ("Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30+02:00"),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 02:30+01:00"),
    ("Europe/Berlin", datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "2026-10-25 03:00"),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29 03:00"),
    ("America/New_York", datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC), "2026-11-01 01:59:59-04:00"),
    ("America/New_York", datetime(2026, 11, 1, 6, 59, 59, tzinfo=UTC), "2026-11-01 01:59:59-05:00"),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 45, tzinfo=UTC), "2026-04-05 01:45+11:00"),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, 15, tzinfo=UTC), "2026-04-05 01:45+10:30"),
)


@pytest.mark.parametrize(("zone", "at", "told"), CHANGES)
def test_an_hour_that_comes_twice_is_told_with_its_offset_both_times(zone: str, at: datetime, told: str) -> None:
    place, instant = zone_of(zone), microseconds_of(at)
    assert said(INSTANT, instant, place) == told
    assert (first_moment(instant, place), last_moment(instant, place)) == (told, f"until {told}")
    long = said(OUTAGE, ((instant, instant + 1_000_000),), place)
    assert long.startswith(f"{told} to ")
    if datetime.fromisoformat(told).tzinfo is not None:
        assert datetime.fromisoformat(told) == at


DUES = {"2 billing cycles": "2026-08-01", "2026-07-08": "2026-07-08", "20 days": "2026-06-21", "": None}


@pytest.mark.parametrize("dues", [*permutations(DUES, 3)], ids=str)
def test_what_is_granted_is_due_first_on_the_first_of_its_days(dues: tuple[str, ...]) -> None:
    heads = [f"- {{name: h{place}, pay: 1 EUR{f', due: {due}' if due else ''}}}\n" for place, due in enumerate(dues)]
    policy = compiled(written("heads:\n" + "".join(heads)), incident(("2026-05-30T08:00:00Z", "2026-05-30T09:00:00Z")))
    decision = policy.decide(())
    first = min(day for due in dues if (day := DUES[due]) is not None)
    assert policy.due_day(decision) == date.fromisoformat(first)
    days = [one.due and policy.due_by(one.due, NOW).isoformat() for one in decision.benefits]
    assert days == [DUES[due] for due in dues]


@pytest.mark.parametrize(
    "body", ["pay: 1 EUR", "pay: 1 EUR\ndue: 3 days\nmode: claim", "pay: 0 EUR\ndue: 3 days", "pay: 1 EUR\nmode: offer"]
)
def test_nothing_is_due_of_what_has_no_day_or_is_not_granted_yet(body: str) -> None:
    policy = compiled(written(body))
    assert policy.due_day(policy.decide(())) is None
