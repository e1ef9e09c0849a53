"""Putting the values and names of a policy into words, for a customer, a support agent or a regulator to read.

Nothing is computed here and nothing is rounded: what is not exact in the digits shown is marked with "about".
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.money import counted
from kulanz.domain.policy.language.kinds import OUTAGE, PERIOD, Kind, money, show, show_number
from kulanz.domain.time import MONTH_NAMES, MONTHS_PER_YEAR, instant_of

MIDNIGHT = datetime.min.time()
_CODE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
_SPANS = ("days", "working days", "months")
_OPENERS = ("A", "An", "Another", "How", "Of", "The", "This", "What", "When", "Where", "Whether", "Which", "Who")


def spoken(name: str) -> str:
    """A name of the policy as words: `line_monthly_rate` is "line monthly rate"."""
    return name.replace("_", " ").replace(".", " ")


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def aside(text: str) -> str:
    """A sentence of the policy as a remark within another: without its full stop, and small where that is safe."""
    text = _CODE.sub(lambda code: spoken(code[0]), text)
    first = text.partition(" ")[0]
    return (text[:1].lower() + text[1:] if first in _OPENERS else text).rstrip(".")


def listed(words: Sequence[str], last: str = "and") -> str:
    """Words one after another: "a, b and c"."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def said(kind: Kind, value: Any, zone: ZoneInfo | None) -> str:  # noqa: PLR0911 (one kind, one line)
    """A value in words, instants in the zone."""
    if value is None:
        return "not known"
    if kind == OUTAGE:
        return listed([_stretch(start, end, zone) for start, end in value]) or "none"
    if kind == PERIOD:
        return _period(value, zone)
    if kind.name in _SPANS:
        return counted(show_number(value), kind.name.removesuffix("s"))
    if kind.name == "instant":
        return _instant(value, zone)
    if kind.name == "text":
        return quoted(value)
    if kind.name == "list":
        return listed([quoted(item) for item in value]) or "none"
    return show(kind, value, zone).replace("~", "about ")


def said_amount(minor: int | Fraction, currency: str) -> str:
    """An amount with its currency; more decimals than the currency has where it is not rounded yet."""
    return said(money(currency), minor, None)


def said_share(value: int | Fraction) -> str:
    """A number as a percentage."""
    return show_number(value * 100).replace("~", "about ") + "%"


def quoted(text: str) -> str:
    """A text as the list or the policy has it, in quotes; a code is written with spaces."""
    return f'"{text.replace("_", " ") if _CODE.fullmatch(text) else text}"'


def first_moment(begin: int | Fraction, zone: ZoneInfo | None) -> str:
    """A beginning, in microseconds: the day alone where it is the first moment of the day."""
    local = _local(begin, zone)
    return local.date().isoformat() if local.time() == MIDNIGHT else _moment(local)


def last_moment(end: int | Fraction, zone: ZoneInfo | None) -> str:
    """An end in microseconds that itself no longer counts: "until" a moment, or a day's last one as the day."""
    local = _local(end, zone)
    if local.time() == MIDNIGHT and local.date() > date.min:
        return f"up to and including {(local.date() - timedelta(days=1)).isoformat()}"
    return f"until {_moment(local)}"


def _local(value: int | Fraction, zone: ZoneInfo | None) -> datetime:
    """An instant on the zone's clock; one beyond the calendar as its first or last moment."""
    try:
        return instant_of(int(value)).astimezone(zone or UTC)
    except (OverflowError, ValueError):
        return datetime.min.replace(tzinfo=UTC) if value < 0 else datetime.max.replace(tzinfo=UTC)


def _instant(value: int | Fraction, zone: ZoneInfo | None) -> str:
    return _moment(_local(value, zone)) + ("Z" if zone is None else "")


def _moment(local: datetime) -> str:
    return f"{local.date().isoformat()} {_clock(local)}"


def _clock(local: datetime) -> str:
    """The time of day; in the hour that comes twice, when the clocks go back, with its offset."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    exactness = "microseconds" if local.microsecond else "seconds" if local.second else "minutes"
    return local.time().isoformat(exactness) + (f"{local:%:z}" if twice else "")


def _stretch(start: int, end: int, zone: ZoneInfo | None) -> str:
    """From one instant to another; the second without its day where that is the same."""
    first, last = _local(start, zone), _local(end, zone)
    if first.date() == last.date():
        return f"{_moment(first)} to {_clock(last)}" + ("Z" if zone is None else "")
    return f"{_instant(start, zone)} to {_instant(end, zone)}"


def _period(value: tuple[int, int], zone: ZoneInfo | None) -> str:
    """A period: by its months where it has whole ones, else from one instant to another."""
    first, after = _local(value[0], zone), _local(value[1], zone)
    ends_alike = first.time() == after.time() == MIDNIGHT and first.day == after.day == 1
    if not ends_alike or value[0] >= value[1]:
        return _stretch(*value, zone)
    months = (after.year - first.year) * MONTHS_PER_YEAR + after.month - first.month
    last = after.date() - timedelta(days=1)
    if months == 1:
        return _month(last)
    if months == MONTHS_PER_YEAR and first.month == 1:
        return str(first.year)
    begin = MONTH_NAMES[first.month - 1] if first.year == last.year else _month(first)
    return f"{begin} to {_month(last)}"


def _month(day: date) -> str:
    return f"{MONTH_NAMES[day.month - 1]} {day.year}"


def zone_name(zone: ZoneInfo | None) -> str:
    """Name the zone in which times are said."""
    return zone.key if zone is not None else "UTC"
