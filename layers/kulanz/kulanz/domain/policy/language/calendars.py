"""The functions of expressions that need a calendar: days of the rule's zone, working days, billing periods."""

# ruff: noqa: PLR2004 (how many arguments a function takes)

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.money import Exact
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.expression import Function, KindMismatch, Node, Zoned
from kulanz.domain.policy.language.functions import SCALABLE, SPANS, check_kinds, need, same_kind
from kulanz.domain.policy.language.kinds import (
    DATES,
    DAY,
    DURATION,
    INSTANT,
    LIST,
    NUMBER,
    OUTAGE,
    PERIOD,
    SPAN_DAYS,
    SPAN_MONTHS,
    SPAN_WORKING_DAYS,
    TEXT,
    TIME_OF_DAY,
    YES_NO,
    Kind,
)
from kulanz.domain.time import (
    SECOND_MICROSECONDS,
    WorkingDays,
    add_days,
    add_months,
    instant_of,
    microseconds_of,
)

WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = {name: number for number, name in enumerate(WEEKDAY_NAMES)}
NO_REGION = "declare the region whose holidays count: working_days: GB-ENG"
MAX_BILLING_DAY = 31
MAX_MONTH = 12
MAX_SPAN_DAYS = 36_525
INSTANTS = (microseconds_of(datetime.min.replace(tzinfo=UTC)), microseconds_of(datetime.max.replace(tzinfo=UTC)))
"""The first and the last instant that the calendar has."""
LAST_DAY = date.max.toordinal()

CALENDARS_REMEMBERED = 8
"""The functions of how many regions' working days a process remembers, those of no region among them."""

type Bound = tuple[Kind, Callable[..., Any] | Zoned]
type Bind = Callable[[tuple[Node, ...]], Bound]


@lru_cache(maxsize=CALENDARS_REMEMBERED)
def calendar_functions(working: WorkingDays | None) -> MappingProxyType[str, Function]:
    """Give the calendar's functions; ``working`` are the working days of the policy's region, if it names one."""
    functions = {
        "+": Function("a + b, day + 2 days, day + 2 working days", _plus(working)),
        "-": Function("a - b, instant - instant, day - day", _minus),
        "day": Function("day(instant)", _zoned(exposure.day_of, INSTANT, gives=DAY), says="the day of {0}"),
        "start_of": Function("start_of(day)", _zoned(exposure.day_start, DAY, gives=INSTANT), says="the start of {0}"),
        "end_of": Function(
            "end_of(day)",
            _zoned(lambda d, zone: exposure.day_start(d + 1, zone), DAY, gives=INSTANT),
            says="the end of {0}",
        ),
        "at": Function("at(day, 18:00)", _zoned(exposure.clock, DAY, TIME_OF_DAY, gives=INSTANT), says="{1} on {0}"),
        "days": Function("days(outage), days(period)", _days, says="the days of {0}"),
        "days_with_more_than": Function(
            "days_with_more_than(outage, 12 h)",
            _zoned(_days_with_more_than, OUTAGE, DURATION, gives=NUMBER),
            says="the days with more than {1} of {0}",
        ),
        "days_with_at_least": Function(
            "days_with_at_least(outage, 12 h)",
            _zoned(_days_with_at_least, OUTAGE, DURATION, gives=NUMBER),
            says="the days with at least {1} of {0}",
        ),
        "weekday": Function("weekday(day)", _weekday, choices=WEEKDAY_NAMES, says="the weekday of {0}"),
        "is_working_day": Function(
            "is_working_day(day)",
            _is_working_day(working),
            says="{0} is a working day",
            says_not="{0} is not a working day",
        ),
        "time_of_day": Function(
            "time_of_day(instant)", _zoned(_time_of_day, INSTANT, gives=TIME_OF_DAY), says="the time of day of {0}"
        ),
        "daily": Function(
            "daily(outage, 08:00, 22:00)",
            _zoned(exposure.daily, OUTAGE, TIME_OF_DAY, TIME_OF_DAY, gives=OUTAGE),
            says="{0} from {1} to {2} each day",
        ),
        "during": Function("during(outage, period), during(dates, period)", _during, says="{0} in {1}"),
        "on_working_days": Function("on_working_days(outage)", _on_working_days(working), says="{0} on working days"),
        "weekdays": Function('weekdays(outage, ["sat", "sun"])', _weekdays, says="{0} on {1}"),
        "month": Function("month(day)", _period(1), says="the month of {0}"),
        "quarter": Function("quarter(day)", _period(3), says="the quarter of {0}"),
        "half_year": Function("half_year(day)", _period(6), says="the half-year of {0}"),
        "year": Function("year(day), year(day, 4) for a year from April", _year, says="the year of {0}"),
        "billing_period": Function(
            "billing_period(day, 15)",
            _billing_period,
            says="the billing period of {0}, with periods from day {1} of a month on",
        ),
        "working_days": Function(
            "working_days(day, day)", _working_days(working), says="the working days after {0} until {1}"
        ),
        "most_in_a_year": Function(
            "most_in_a_year(outage, 4)",
            _zoned(_most_in_a_year, OUTAGE, NUMBER, gives=NUMBER),
            says="the most of {0} in one year that starts in {1}",
        ),
    }
    return MappingProxyType(functions)


def _zoned(function: Callable[..., Any], *kinds: Kind, gives: Kind) -> Bind:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        check_kinds(nodes, *kinds)
        return gives, Zoned(function)

    return bind


def _weekday(nodes: tuple[Node, ...]) -> Bound:
    check_kinds(nodes, DAY)
    return TEXT, lambda day: WEEKDAY_NAMES[(day - 1) % 7]


def _is_working_day(working: WorkingDays | None) -> Bind:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        check_kinds(nodes, DAY)
        if working is None:
            raise KindMismatch(NO_REGION)

        def is_working(ordinal: int) -> bool | None:
            day = date.fromordinal(ordinal)
            return working.is_working(day) if working.knows(day) else None

        return YES_NO, is_working

    return bind


def _time_of_day(instant: int, zone: ZoneInfo) -> Exact:
    """Give the time of day in minutes, exact: a second after 18:00 is later than 18:00."""
    local = instant_of(instant).astimezone(zone)
    microseconds = local.second * SECOND_MICROSECONDS + local.microsecond
    minutes = local.hour * 60 + local.minute
    return minutes + Fraction(microseconds, exposure.MINUTE) if microseconds else minutes


def _days_with_more_than(outage: exposure.Outage, threshold: int, zone: ZoneInfo) -> int:
    return sum(time > threshold for time in exposure.time_on_days(outage, zone))


def _days_with_at_least(outage: exposure.Outage, threshold: int, zone: ZoneInfo) -> int:
    return sum(time >= threshold for time in exposure.time_on_days(outage, zone))


def _days(nodes: tuple[Node, ...]) -> Bound:
    need(len(nodes) == 1 and nodes[0].kind in (OUTAGE, PERIOD), "expected an outage or a period")
    if nodes[0].kind == PERIOD:
        return NUMBER, Zoned(lambda period, zone: exposure.count_days(exposure.union((period,)), zone))
    return NUMBER, Zoned(exposure.count_days)


def _plus(working: WorkingDays | None) -> Bind:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        left, right = nodes
        if right.kind == DURATION and left.kind == INSTANT:
            return INSTANT, lambda instant, duration: _in_the_calendar(instant + duration)
        if left.kind in (DAY, INSTANT) and right.kind in (SPAN_DAYS, SPAN_MONTHS, SPAN_WORKING_DAYS):
            return left.kind, _moved(left.kind, right.kind, working, 1)
        same_kind(nodes, (*SCALABLE, *SPANS))
        return left.kind, operator.add

    return bind


def _minus(nodes: tuple[Node, ...]) -> Bound:
    left, right = nodes
    if left.kind == INSTANT and right.kind == INSTANT:
        return DURATION, operator.sub
    if left.kind == DAY and right.kind == DAY:
        return NUMBER, operator.sub
    if left.kind == INSTANT and right.kind == DURATION:
        return INSTANT, lambda instant, duration: _in_the_calendar(instant - duration)
    if left.kind in (DAY, INSTANT) and right.kind in (SPAN_DAYS, SPAN_MONTHS):
        return left.kind, _moved(left.kind, right.kind, None, -1)
    same_kind(nodes, (*SCALABLE, *SPANS))
    return left.kind, operator.sub


def _in_the_calendar(instant: Exact) -> int | None:
    """Give an instant to the microsecond; unknown where the calendar has none."""
    return instant // 1 if INSTANTS[0] <= instant <= INSTANTS[1] else None


def _moved(kind: Kind, span: Kind, working: WorkingDays | None, sign: int) -> Callable[..., Any] | Zoned:
    """Give the function that moves a day, or an instant at its time of day, by a span of the calendar."""
    if span == SPAN_WORKING_DAYS and working is None:
        raise KindMismatch(NO_REGION)

    def move_day(day: int, count: Exact) -> int | None:
        if not -MAX_SPAN_DAYS <= count <= MAX_SPAN_DAYS or count.denominator != 1:
            return None
        steps = sign * int(count)
        if span == SPAN_DAYS:
            moved = day + steps
            return moved if 0 < moved <= LAST_DAY else None
        start = date.fromordinal(day)
        if span == SPAN_MONTHS:
            return add_months(start, steps).toordinal()
        assert working is not None
        working_day = working.after(start, steps)
        return None if working_day is None else working_day.toordinal()

    if kind == DAY:
        return move_day

    def move_instant(instant: int, count: Exact, zone: ZoneInfo) -> int | None:
        day = exposure.day_of(instant, zone)
        moved = move_day(day, count)
        return None if moved is None else microseconds_of(add_days(instant_of(instant), moved - day, zone))

    return Zoned(move_instant)


def _weekdays(nodes: tuple[Node, ...]) -> Bound:
    check_kinds(nodes, OUTAGE, LIST)
    need(nodes[1].constant and set(nodes[1].value) <= set(WEEKDAYS), f"expected days such as {', '.join(WEEKDAYS)}")
    wanted = frozenset(WEEKDAYS[word] for word in nodes[1].value)
    return OUTAGE, Zoned(
        lambda outage, _days, zone: exposure.on_days(outage, zone, lambda day: (day - 1) % 7 in wanted)
    )


def _during(nodes: tuple[Node, ...]) -> Bound:
    """Keep what lies in a period: of an outage the time, of dates the days."""
    need(len(nodes) == 2 and nodes[0].kind in (OUTAGE, DATES), "expected an outage or dates, and a period")
    need(nodes[1].kind == PERIOD, f"expected a period, found {nodes[1].kind}")
    if nodes[0].kind == OUTAGE:
        return OUTAGE, lambda outage, period: exposure.clip(outage, *period)

    def dates_during(days: tuple[int, ...], period: exposure.Interval, zone: ZoneInfo) -> tuple[int, ...]:
        return tuple(day for day in days if period[0] <= exposure.day_start(day, zone) < period[1])

    return DATES, Zoned(dates_during)


def _on_working_days(working: WorkingDays | None) -> Bind:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        check_kinds(nodes, OUTAGE)
        if working is None:
            raise KindMismatch(NO_REGION)

        def on_working_days(outage: exposure.Outage, zone: ZoneInfo) -> exposure.Outage | None:
            ends = (outage[0][0], outage[-1][1] - 1) if outage else ()
            if not all(working.knows(date.fromordinal(exposure.day_of(end, zone))) for end in ends):
                return None
            return exposure.on_days(outage, zone, lambda day: working.is_working(date.fromordinal(day)))

        return OUTAGE, Zoned(on_working_days)

    return bind


def _to_day(node: Node) -> Callable[[int, ZoneInfo], int]:
    need(node.kind in (DAY, INSTANT), f"expected a day or an instant, found {node.kind}")
    return exposure.day_of if node.kind == INSTANT else lambda day, _zone: day


def _period(months: int) -> Bind:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        need(len(nodes) == 1, "expected one day or instant")
        to_day = _to_day(nodes[0])
        return PERIOD, Zoned(lambda value, zone: exposure.month_period(to_day(value, zone), zone, months))

    return bind


def _year(nodes: tuple[Node, ...]) -> Bound:
    need(1 <= len(nodes) <= 2, "expected a day or instant, and the month in which the year starts")
    to_day = _to_day(nodes[0])
    if len(nodes) == 2:
        need(nodes[1].constant and nodes[1].value in range(1, MAX_MONTH + 1), "expected a month from 1 to 12")
    first = int(nodes[1].value) if len(nodes) == 2 else 1
    return PERIOD, Zoned(lambda *values: exposure.month_period(to_day(values[0], values[-1]), values[-1], 12, first))


def _billing_period(nodes: tuple[Node, ...]) -> Bound:
    need(len(nodes) == 2 and nodes[1].kind == NUMBER, "expected a day or instant, and the billing day of the month")
    to_day = _to_day(nodes[0])

    def period(value: int, billing_day: Exact, zone: ZoneInfo) -> exposure.Interval | None:
        if billing_day not in range(1, MAX_BILLING_DAY + 1):
            return None
        return exposure.billing_period(to_day(value, zone), zone, int(billing_day))

    return PERIOD, Zoned(period)


def _working_days(working: WorkingDays | None) -> Bind:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        check_kinds(nodes, DAY, DAY)
        if working is None:
            raise KindMismatch(NO_REGION)
        return NUMBER, lambda first, last: working.between(date.fromordinal(first), date.fromordinal(last))

    return bind


def _most_in_a_year(outage: exposure.Outage, first_month: Exact, zone: ZoneInfo) -> int | None:
    """Count the outages that start in one year from a month on, in the year that has most of them."""
    if first_month not in range(1, MAX_MONTH + 1):
        return None
    counts: dict[int, int] = {}
    for start, _ in outage:
        year = exposure.month_period(exposure.day_of(start, zone), zone, MAX_MONTH, int(first_month))[0]
        counts[year] = counts.get(year, 0) + 1
    return max(counts.values(), default=0)
