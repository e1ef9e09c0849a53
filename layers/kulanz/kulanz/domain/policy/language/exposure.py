"""Outages as sets of time: merged, clipped, masked and measured.

An outage is a tuple of half-open intervals ``(start, end)`` in microseconds since 1970, sorted and disjoint. Every
function here is pure and gives such a tuple, or a measure of one. Days are days of a zone: on a clock change they have
23 or 25 hours, and a time of day that does not exist is the instant after the gap.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from zoneinfo import ZoneInfo

from kulanz.domain.money import Exact
from kulanz.domain.policy.language.periods import PERIODS
from kulanz.domain.time import SECOND_MICROSECONDS, add_months, instant_of, local_day, microseconds_of, start_of_day

type Interval = tuple[int, int]
type Outage = tuple[Interval, ...]

_START, _END = itemgetter(0), itemgetter(1)

MINUTE = 60 * SECOND_MICROSECONDS
DAY = 24 * 60 * MINUTE
MAX_DAYS = 4000
"""The most days that are looked at one by one: ten years and more. Beyond them a row is held, so that none is slow."""
REMEMBERED_DAYS = 4096
"""How many starts of days are remembered per process: a campaign touches few, again and again."""


def union(intervals: Iterable[Interval]) -> Outage:
    """Merge intervals that overlap or touch; empty and inverted ones vanish."""
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def clip(outage: Outage, start: int | None, end: int | None) -> Outage:
    """Keep what lies in ``[start, end)``; None leaves that side open."""
    if start is not None and end is not None and start >= end:
        return ()
    first = 0 if start is None else bisect_right(outage, start, key=_END)
    last = len(outage) if end is None else bisect_left(outage, end, key=_START)
    kept = outage[first:last]
    if kept and start is not None and kept[0][0] < start:
        kept = ((start, kept[0][1]), *kept[1:])
    if kept and end is not None and kept[-1][1] > end:
        kept = (*kept[:-1], (kept[-1][0], end))
    return kept


def without(outage: Outage, holes: Outage) -> Outage:
    """Remove other intervals."""
    if not outage:
        return outage
    edges = (outage[0][0], *(edge for hole in holes for edge in hole), outage[-1][1])
    return both(outage, tuple(zip(edges[::2], edges[1::2], strict=True)))


def both(outage: Outage, other: Outage) -> Outage:
    """Keep what lies in both, walking along both at once: each may have an interval for every day of years."""
    kept: list[Interval] = []
    here = there = 0
    while here < len(outage) and there < len(other):
        (start, end), (other_start, other_end) = outage[here], other[there]
        low, high = max(start, other_start), min(end, other_end)
        if low < high:
            kept.append((low, high))
        if end < other_end:
            here += 1
        else:
            there += 1
    return tuple(kept)


def merge_gaps(outage: Outage, under: int) -> Outage:
    """Join outages whose pause is shorter than ``under``; the pause then counts as outage."""
    joined: list[Interval] = []
    for start, end in outage:
        if joined and start - joined[-1][1] < under:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def at_least(outage: Outage, shortest: int) -> Outage:
    """Keep the outages that last ``shortest`` or longer."""
    return tuple(part for part in outage if part[1] - part[0] >= shortest)


def longer_than(outage: Outage, length: int) -> Outage:
    """Keep the outages that last longer than ``length``."""
    return tuple(part for part in outage if part[1] - part[0] > length)


def total(outage: Outage) -> int:
    """Give the time of all outages together."""
    return sum(end - start for start, end in outage)


def longest(outage: Outage) -> int:
    """Give the time of the longest uninterrupted outage."""
    return max((end - start for start, end in outage), default=0)


@lru_cache(maxsize=REMEMBERED_DAYS)
def day_start(ordinal: int, zone: ZoneInfo) -> int:
    """Give the first instant of a day in a zone."""
    return microseconds_of(start_of_day(date.fromordinal(ordinal), zone))


def day_of(instant: int, zone: ZoneInfo) -> int:
    """Give the day on which an instant falls in a zone, as an ordinal."""
    return local_day(instant_of(instant), zone).toordinal()


class TooLong(ValueError):
    """An outage over more days than are looked at one by one."""


def count_days(outage: Outage, zone: ZoneInfo) -> int:
    """Count the days of a zone on which there was any outage."""
    count, last = 0, -1
    for start, end in outage:
        first, until = day_of(start, zone), day_of(end - 1, zone)
        count += until - max(first, last + 1) + 1
        last = until
    return count


def days_touched(outage: Outage, zone: ZoneInfo) -> list[int]:
    """Give the days of a zone on which there was any outage, in order. Raises ``TooLong``."""
    if count_days(outage, zone) > MAX_DAYS:
        raise TooLong
    days: list[int] = []
    for start, end in outage:
        first, last = day_of(start, zone), day_of(end - 1, zone)
        days.extend(range(max(first, days[-1] + 1) if days else first, last + 1))
    return days


def time_on_days(outage: Outage, zone: ZoneInfo) -> list[int]:
    """Give the outage time of every day of a zone that has any, in order."""
    days = days_touched(outage, zone)
    return [total(clip(outage, day_start(day, zone), day_start(day + 1, zone))) for day in days]


@lru_cache(maxsize=REMEMBERED_DAYS)
def clock(ordinal: int, minutes: Exact, zone: ZoneInfo) -> int:
    """Give the instant of a time of day in minutes: 24:00 is the next day's start, a skipped time its gap's end."""
    day = date.fromordinal(ordinal)
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(microseconds=int(minutes * MINUTE))
    instant = microseconds_of(local)
    shown = instant_of(instant).astimezone(zone)
    if shown.replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    return _end_of_gap(instant, zone)


def _end_of_gap(instant: int, zone: ZoneInfo) -> int:
    """Find the clock change before an instant whose local time was skipped: both of its sides differ in offset."""
    low, high = instant - 24 * 3600 * SECOND_MICROSECONDS, instant
    before = instant_of(low).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if instant_of(middle).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def daily(outage: Outage, start_minutes: Exact, end_minutes: Exact, zone: ZoneInfo) -> Outage:
    """Keep a part of each day of a zone, such as 08:00 to 22:00; it may run over midnight (22:00 to 06:00)."""
    if not outage:
        return outage
    first, last = day_of(outage[0][0], zone) - 1, day_of(outage[-1][1], zone)
    if last - first > MAX_DAYS:
        raise TooLong
    later = 0 if start_minutes < end_minutes else 1
    starts = _clocks(range(first, last + 1), start_minutes, zone)
    ends = _clocks(range(first + later, last + later + 1), end_minutes, zone)
    return both(outage, union(zip(starts, ends, strict=True)))


def _clocks(days: range, minutes: Exact, zone: ZoneInfo) -> list[int]:
    """Give the instant of a time of day on each of some days in a row; only days of a clock change are looked up."""
    midnights = [day_start(day, zone) for day in range(days.start, days.stop + 1)]
    length = int(minutes * MINUTE)
    return [
        midnight + length if following - midnight == DAY else clock(day, minutes, zone)
        for day, midnight, following in zip(days, midnights, midnights[1:], strict=False)
    ]


def on_days(outage: Outage, zone: ZoneInfo, counts: Callable[[int], bool]) -> Outage:
    """Keep the days of a zone that count; a day is an ordinal. Days in a row stay one stretch."""
    return union(
        part
        for day in days_touched(outage, zone)
        if counts(day)
        for part in clip(outage, day_start(day, zone), day_start(day + 1, zone))
    )


def month_period(ordinal: int, zone: ZoneInfo, months: int = 1, first_month: int = 1) -> Interval:
    """Give the period of so many months that holds a day: 1 month, 3 the quarter, 12 the year from ``first_month``."""
    day = date.fromordinal(ordinal)
    back = (day.month - first_month) % months
    start = add_months(day.replace(day=1), -back)
    end = add_months(start, months)
    return day_start(start.toordinal(), zone), day_start(end.toordinal(), zone)


def billing_period(ordinal: int, zone: ZoneInfo, day_of_month: int) -> Interval:
    """Give the month from a billing day on that holds a day; in a shorter month it starts on the last day."""
    day = date.fromordinal(ordinal)
    start = _billing_day(day, day_of_month)
    if start > day:
        start = _billing_day(add_months(day.replace(day=1), -1), day_of_month)
    end = _billing_day(add_months(start.replace(day=1), 1), day_of_month)
    return day_start(start.toordinal(), zone), day_start(end.toordinal(), zone)


def _billing_day(day: date, day_of_month: int) -> date:
    last = add_months(day.replace(day=1), 1) - timedelta(days=1)
    return day.replace(day=min(day_of_month, last.day))


def pieces(outage: Outage, zone: ZoneInfo, unit: str) -> list[Outage]:
    """Divide an outage into what is worked out separately: each ``outage``, or its part in each ``day`` or period."""
    if unit == "outage":
        return [(part,) for part in outage]
    if unit == "day":
        return [clip(outage, day_start(day, zone), day_start(day + 1, zone)) for day in days_touched(outage, zone)]
    return [clip(outage, *period) for period in periods_of(outage, zone, unit)]


def periods_of(outage: Outage, zone: ZoneInfo, per: str) -> list[Interval]:
    """Give the periods of a kind that an outage touches, in order. Raises ``TooLong``."""
    months, first_month = PERIODS[per]
    if outage and day_of(outage[-1][1], zone) - day_of(outage[0][0], zone) > MAX_DAYS:
        raise TooLong
    periods: list[Interval] = []
    for start, end in outage:
        at = start
        if periods and at < periods[-1][1]:
            at = periods[-1][1]
        while at < end:
            periods.append(month_period(day_of(at, zone), zone, months, first_month))
            at = periods[-1][1]
    return periods
