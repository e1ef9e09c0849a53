"""The kinds of value an expression can have, and how a value of each is written for people.

At run time a value is plain: an exact number (money in minor units, durations and instants in microseconds, days as
ordinals), a bool, a text, or a tuple; its kind is known when the policy is compiled.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from kulanz.domain.money import format_minor, minor_units, whole
from kulanz.domain.time import SECOND_MICROSECONDS, instant_of

SHOWN_DECIMALS = 6
HOUR = 3600 * SECOND_MICROSECONDS


class Kind(NamedTuple):
    """What a value is; money carries its currency."""

    name: str
    currency: str = ""

    def __str__(self) -> str:
        return f"{self.name} in {self.currency}" if self.currency else self.name


YES_NO = Kind("yes or no")
TEXT = Kind("text")
NUMBER = Kind("number")
DURATION = Kind("duration")
INSTANT = Kind("instant")
DAY = Kind("day")
TIME_OF_DAY = Kind("time of day")
SPAN_DAYS = Kind("days")
SPAN_WORKING_DAYS = Kind("working days")
SPAN_MONTHS = Kind("months")
LIST = Kind("list")
NUMBERS = Kind("list of numbers")
DATES = Kind("list of days")
OUTAGE = Kind("outage")
PERIOD = Kind("period")
MONEY_BY_TIME = "money times a duration"
"""What a fee times an outage is, until it is divided by the length of its period."""


def money(currency: str) -> Kind:
    """Give the kind of amounts in a currency."""
    return Kind("money", currency)


def amounts(currency: str) -> Kind:
    """Give the kind of lists of amounts in a currency."""
    return Kind("list of amounts", currency)


def show(kind: Kind, value: Any, zone: ZoneInfo | None = None) -> str:
    """Write a value for people: "7.99 EUR", "15 h 30 min", "2026-05-09 00:00"."""
    if value is None:
        return "unknown"
    writer = _WRITERS.get(kind.name)
    return f'"{value}"' if writer is None else writer(kind, value, zone)


def filled_in(kind: Kind, value: Any, zone: ZoneInfo | None = None) -> str:
    """Write a value into a customer's text: texts as they are, without quotation marks, several with commas between."""
    if kind == TEXT:
        return str(value)
    if kind == LIST:
        return ", ".join(map(str, value))
    return show(kind, value, zone)


def show_number(value: int | Fraction) -> str:
    """Write an exact number: as a decimal where it is one, else shortened and marked with a tilde."""
    if isinstance(value, int):
        return str(value)
    scaled = value * 10**SHOWN_DECIMALS
    exact = scaled.denominator == 1
    shown = scaled.numerator if exact else round(scaled)
    text = format_minor(shown, SHOWN_DECIMALS).rstrip("0").rstrip(".")
    return text if exact else f"~{text}"


def _show_money(value: int | Fraction, currency: str) -> str:
    decimals, value = minor_units(currency), whole(value)
    if isinstance(value, int):
        return f"{format_minor(value, decimals)} {currency}"
    return f"{show_number(value / 10**decimals)} {currency}"


def _show_duration(value: int | Fraction) -> str:
    if value < 0:
        return f"minus {_show_duration(-value)}"
    seconds = Fraction(value, SECOND_MICROSECONDS)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        f"{show_number(rest)} s" if rest else "",
    ]
    return " ".join(part for part in parts if part) or "0 h"


def _show_instant(value: int | Fraction, zone: ZoneInfo | None) -> str:
    moment = instant_of(int(value))
    try:
        moment = moment.astimezone(zone or UTC)
    except OverflowError:  # at the first or last hour that there is
        zone = None
    told = f"{moment:%Y-%m-%d %H:%M}" + (f":{_show_seconds(moment)}" if moment.second or moment.microsecond else "")
    return told + ("Z" if zone is None else "")


def _show_seconds(moment: datetime) -> str:
    return f"{moment:%S.%f}".rstrip("0") if moment.microsecond else f"{moment:%S}"


def _show_time_of_day(_kind: Kind, value: int | Fraction, _zone: ZoneInfo | None) -> str:
    minutes, rest = divmod(value, 1)
    seconds, fraction = divmod(rest * 60, 1)
    told = f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if rest else "")
    return told + (show_number(Fraction(fraction)).partition("0")[2] if fraction else "")


def _show_span(kind: Kind, value: Any, _zone: ZoneInfo | None) -> str:
    return f"{show_number(value)} {kind.name}"


def _show_items(kind: Kind, values: Any, zone: ZoneInfo | None) -> str:
    return "[" + ", ".join(show(kind, value, zone) for value in values) + "]"


def _show_outage(_kind: Kind, value: Any, zone: ZoneInfo | None) -> str:
    return "; ".join(f"{_show_instant(start, zone)} to {_show_instant(end, zone)}" for start, end in value) or "none"


_WRITERS: dict[str, Callable[[Kind, Any, ZoneInfo | None], str]] = {
    "yes or no": lambda _kind, value, _zone: "yes" if value else "no",
    "money": lambda kind, value, _zone: _show_money(value, kind.currency),
    "number": lambda _kind, value, _zone: show_number(value),
    "duration": lambda _kind, value, _zone: _show_duration(value),
    "instant": lambda _kind, value, zone: _show_instant(value, zone),
    "day": lambda _kind, value, _zone: date.fromordinal(value).isoformat(),
    "time of day": _show_time_of_day,
    MONEY_BY_TIME: lambda kind, value, _zone: f"{_show_money(Fraction(value, HOUR), kind.currency)} times 1 h",
    "days": _show_span,
    "working days": _show_span,
    "months": _show_span,
    "list": lambda _kind, value, _zone: "[" + ", ".join(str(item) for item in value) + "]",
    "list of numbers": lambda _kind, value, zone: _show_items(NUMBER, value, zone),
    "list of amounts": lambda kind, value, zone: _show_items(money(kind.currency), value, zone),
    "list of days": lambda _kind, value, zone: _show_items(DAY, value, zone),
    "outage": _show_outage,
    "period": lambda kind, value, zone: _show_outage(kind, (value,), zone),
}
