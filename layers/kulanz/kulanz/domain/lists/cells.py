"""Where a cell becomes a value: one reader for each type of fact.

A reader takes a text that is not empty and gives its value, or raises ``ValueError`` with what it expected; that never
repeats the value.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from kulanz.domain.lists.facts import LIST_SEPARATOR, FactItem, FactValue
from kulanz.domain.money import AmountError, minor_units, parse_minor, whole
from kulanz.domain.time import TimeError, Window, parse_day, parse_instant, zone_of

MAX_TEXT_CHARACTERS = 200
MAX_LIST_ITEMS = 50

_NUMBER = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,12}))?", re.ASCII)
YES_NO = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO"), False),
}


class Declared(Protocol):
    """What a reader needs to know of a fact: its type and the limits of its values."""

    @property
    def type(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def choices(self) -> tuple[str, ...]: ...
    @property
    def minimum(self) -> Fraction | None: ...
    @property
    def maximum(self) -> Fraction | None: ...


def parse_number(text: str) -> int | Fraction:
    """Read a plain decimal exactly: an optional minus, ASCII digits, one point; no exponent, NaN or separators."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("a plain decimal number such as 12 or 12.5")
    sign, digits, decimals = match.groups()
    if decimals is None:
        return -int(digits) if sign else int(digits)
    exact = whole(Fraction(int(digits + decimals), 10 ** len(decimals)))
    return -exact if sign else exact


def cell_reader(fact: Declared) -> Callable[[str], FactValue]:  # noqa: PLR0911 (one return per type)
    """Give the reader of a non-empty text of the fact's type; it raises ``ValueError`` with what it expected."""
    match fact.type:
        case "text":
            return _text_reader(fact.choices)
        case "yes_no":
            return _read_yes_no
        case "number":
            return _bounded(parse_number, fact, 1)
        case "money":
            decimals = minor_units(fact.currency)
            return _bounded(lambda text: _read_money(text, decimals), fact, 10**decimals)
        case "instant":
            return _read_instant
        case "day":
            return _read_day
        case "zone":
            return _read_zone
        case _:
            return _list_reader(fact)


def _list_reader(fact: Declared) -> Callable[[str], tuple[FactItem, ...]]:
    match fact.type:
        case "list":
            return _read_list
        case "numbers":
            return _items_reader(parse_number)
        case "amounts":
            places = minor_units(fact.currency)
            return _items_reader(lambda text: _read_money(text, places))
        case "dates":
            return _items_reader(_read_day)
        case "windows":
            return _read_windows
        case other:
            raise AssertionError(f"unknown fact type {other}")


def _text_reader(choices: tuple[str, ...]) -> Callable[[str], str]:
    known = {choice: choice for choice in choices}
    expected = "one of " + ", ".join(choices)

    def read_choice(text: str) -> str:
        try:
            return known[text]
        except KeyError:
            raise ValueError(expected) from None

    return read_choice if choices else _read_text


def _read_text(text: str) -> str:
    if len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
        raise ValueError(f"a text of at most {MAX_TEXT_CHARACTERS} printable characters")
    return text


def _read_yes_no(text: str) -> bool:
    try:
        return YES_NO[text]
    except KeyError:
        raise ValueError("true or false") from None


def _read_money(text: str, decimals: int) -> int:
    try:
        return parse_minor(text, decimals)
    except AmountError as error:
        raise ValueError("an amount: " + str(error).removeprefix("expected ")) from None


def _read_instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except TimeError as error:
        raise ValueError(str(error).removeprefix("expected ")) from None


def _read_day(text: str) -> date:
    try:
        return parse_day(text)
    except TimeError as error:
        raise ValueError(str(error).removeprefix("expected ")) from None


def _read_zone(text: str) -> str:
    try:
        return zone_of(text).key
    except TimeError:
        raise ValueError("an IANA time zone such as Europe/Berlin") from None


def _read_list(text: str) -> tuple[str, ...]:
    items = text.split(LIST_SEPARATOR)
    if len(items) > MAX_LIST_ITEMS:
        raise ValueError(f"at most {MAX_LIST_ITEMS} texts separated by {LIST_SEPARATOR}")
    return tuple(sorted({_read_text(item) for item in items if item}))


def _items_reader(read: Callable[[str], FactItem]) -> Callable[[str], tuple[FactItem, ...]]:
    """Give the reader of several values of one type, in the order in which they are written."""

    def read_items(text: str) -> tuple[FactItem, ...]:
        items = text.split(LIST_SEPARATOR)
        if len(items) > MAX_LIST_ITEMS:
            raise ValueError(f"at most {MAX_LIST_ITEMS} values separated by {LIST_SEPARATOR}")
        return tuple(read(item) for item in items)

    return read_items


def _read_windows(text: str) -> tuple[Window, ...]:
    expected = f"windows such as 2026-05-04T08:00:00Z/2026-05-04T12:00:00Z, separated by {LIST_SEPARATOR}"
    items = text.split(LIST_SEPARATOR)
    if len(items) > MAX_LIST_ITEMS:
        raise ValueError(f"at most {MAX_LIST_ITEMS} {expected}")
    windows = []
    for item in items:
        start, _, end = item.partition("/")
        try:
            window = Window(parse_instant(start), parse_instant(end) if end else None)
        except TimeError:
            raise ValueError(expected) from None
        if window.end is not None and window.end <= window.start:
            raise ValueError("windows that end after they start")
        windows.append(window)
    return tuple(sorted(windows, key=lambda window: window.start))


def _bounded(read: Callable[[str], int | Fraction], fact: Declared, scale: int) -> Callable[[str], int | Fraction]:
    if fact.minimum is None and fact.maximum is None:
        return read
    low, high = fact.minimum, fact.maximum
    low_scaled, high_scaled = low if low is None else low * scale, high if high is None else high * scale
    expected = (
        "a value"
        + (f" of at least {_decimal(low)}" if low is not None else "")
        + (f" of at most {_decimal(high)}" if high is not None else "")
    )

    def read_bounded(text: str) -> int | Fraction:
        value = read(text)
        if (low_scaled is not None and value < low_scaled) or (high_scaled is not None and value > high_scaled):
            raise ValueError(expected)
        return value

    return read_bounded


def _decimal(value: Fraction) -> str:
    """Write a limit for people: as a decimal, like the values that it bounds."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
