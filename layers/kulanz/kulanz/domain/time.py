"""Time as rules mean it: aware UTC instants, half-open windows, and days of a calendar in a zone.

Nothing here reads a clock. A duration is physical time (24 h is 24 hours on every day of the year); days, working days
and months are counted on the calendar of a zone, so that a day of a clock change has 23 or 25 hours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_MICROSECONDS = 1_000_000
HOUR_MICROSECONDS = 3600 * SECOND_MICROSECONDS
CLOCK_ALLOWANCE = timedelta(minutes=15)
"""How far two clocks may be apart: of two workers, or of who tells of an outage and who decides it."""
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MONTHS_PER_YEAR = len(MONTH_NAMES)
MAX_WORKING_DAYS = 1000
"""The most working days a rule may count ahead, so that a wrong number cannot loop for ever."""

SATURDAY = 5
"""The weekday number on which the weekend starts; Monday is 0."""

TIME_ZONES: str = tzdata.IANA_VERSION
"""The release of the time-zone database that decisions use, such as 2026c: that of a locked package and never the
system's. Lambda renews its own, region by region, so that two workers of one campaign could differ by an hour."""

_ZONES = Path(tzdata.__file__).parent

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class TimeError(ValueError):
    """A text that is not an instant, a day or a zone; the message says what was expected and repeats no value."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time ``[start, end)``; ``end`` is None while it lasts."""

    start: datetime
    end: datetime | None


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with an offset or Z ("2024-02-22T09:45:00Z") into aware UTC; refuse a naive one."""
    if _INSTANT.fullmatch(text) is None:
        raise TimeError("expected an instant with its offset, such as 2024-02-22T09:45:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise TimeError("expected an instant that exists, such as 2024-02-22T09:45:00Z") from None


def format_instant(instant: datetime) -> str:
    """Write an aware instant in UTC: "2024-02-22T09:45:00Z", with microseconds only where there are any."""
    if instant.tzinfo is None:
        raise TimeError("expected an aware instant")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_day(text: str) -> date:
    """Read a calendar day "2024-02-22"."""
    if _DAY.fullmatch(text) is None:
        raise TimeError("expected a day such as 2024-02-22")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise TimeError("expected a day that exists, such as 2024-02-22") from None


@cache
def _zone_names() -> frozenset[str]:
    return frozenset((_ZONES / "zones").read_text(encoding="ascii").split())


@cache
def zone_of(name: str) -> ZoneInfo:
    """Give the IANA zone of a name such as Europe/Berlin, as of ``TIME_ZONES``. Raises TimeError."""
    if name not in _zone_names():
        raise TimeError("expected an IANA time zone such as Europe/Berlin")
    with (_ZONES / "zoneinfo" / name).open("rb") as content:
        return ZoneInfo.from_file(content, key=name)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Give the calendar day on which an instant falls in a zone."""
    return instant.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Give the first instant of a calendar day in a zone, in UTC, also where midnight is skipped or repeated."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def add_days(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Give the same wall-clock time a number of calendar days later in a zone.

    A skipped time moves past the gap, and one that comes twice is its first; no days later is the same instant.
    """
    if not days:
        return instant
    local = instant.astimezone(zone)
    moved = datetime.combine(local.date() + timedelta(days=days), local.timetz(), tzinfo=zone)
    return moved.replace(fold=0).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """Give the same day of the month a number of months later, or that month's last day where it is shorter."""
    index = day.year * MONTHS_PER_YEAR + day.month - 1 + months
    year, month = divmod(index, MONTHS_PER_YEAR)
    first = date(year, month + 1, 1)
    following = date(year + (month + 1) // MONTHS_PER_YEAR, (month + 1) % MONTHS_PER_YEAR + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))


def microseconds_of(instant: datetime) -> int:
    """Give an aware instant as whole microseconds since 1970, the form in which intervals are measured."""
    return (instant - EPOCH) // MICROSECOND


def instant_of(microseconds: int) -> datetime:
    """Give the UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def days_of_year(year: int) -> Iterator[date]:
    """Give every day of a year."""
    first, end = date(year, 1, 1), date(year + 1, 1, 1)
    return (first + timedelta(days=number) for number in range((end - first).days))


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days on which people work in a region, known for the years ``first`` to ``last``.

    They are Monday to Friday without ``holidays``, and the days of a weekend that are ``worked``: a region with another
    weekend, such as Friday and Saturday, has its Fridays among the first and its Sundays among the second. Outside
    these years nothing is guessed: the answer is None.
    """

    holidays: frozenset[date]
    first_year: int
    last_year: int
    worked: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """Say whether people work on a day of the known years."""
        return day in self.worked or (day.weekday() < SATURDAY and day not in self.holidays)

    def after(self, day: date, count: int) -> date | None:
        """Give the ``count``-th working day after a day, which itself never counts."""
        if not 0 <= count <= MAX_WORKING_DAYS or not self.knows(day):
            return None
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day if self.knows(day) else None

    def between(self, first: date, last: date) -> int | None:
        """Count the working days after ``first`` up to and including ``last``; none when ``last`` is not later."""
        if not (self.knows(first) and self.knows(last)):
            return None
        return sum(self.is_working(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))

    def knows(self, day: date) -> bool:
        """Say whether the day lies in the known years."""
        return self.first_year <= day.year <= self.last_year
