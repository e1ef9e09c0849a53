"""Facts about an account: what a policy declares to read, and the strict reading of it from a list.

Every column gets its two parsers once, when its declaration is made; a row then costs one call per column. A value is
``str``, ``bool``, ``int`` (money: minor units; number), ``Fraction`` (number), ``datetime`` (aware UTC), ``date``, or a
tuple of texts, numbers, amounts, dates or windows; ``None`` is unknown, ``INVALID`` wrong and held. An error names the
field and what was expected, never the value.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from kulanz.domain.money import AmountError, minor_units, parse_minor, whole
from kulanz.domain.time import TimeError, Window, format_instant, parse_day, parse_instant, zone_of

MAX_TEXT_CHARACTERS = 200
MAX_LIST_ITEMS = 50
MAX_EXPONENT = 30
"""Far beyond every amount; the eleven characters of 1e999999999 would be a gigabyte when written out."""
LIST_SEPARATOR = "|"
SINGLE_TYPES = ("text", "yes_no", "number", "money", "instant", "day", "zone")
LIST_TYPES = ("list", "numbers", "amounts", "dates", "windows")
FACT_TYPES = (*SINGLE_TYPES, *LIST_TYPES)


class Invalid(Enum):
    """What stands for a wrong value whose policy holds the account: neither default nor incident fills it in."""

    INVALID = "invalid"


INVALID = Invalid.INVALID

type FactItem = str | int | Fraction | date | Window
type FactValue = str | bool | int | Fraction | datetime | date | tuple[FactItem, ...] | Invalid
type ParseText = Callable[[str], FactValue | None]
type ParseJson = Callable[[object], FactValue | None]

_NUMBER = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,12}))?", re.ASCII)
YES_NO = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO"), False),
}


class FactError(ValueError):
    """A value that is not what its policy declared: the field, and what was expected of it."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


class FactDeclaration:
    """One fact a policy reads: its name, type and limits, with the parsers of its column.

    ``required`` says whether a list must have the column. ``parse_text`` reads a CSV cell (empty is unknown),
    ``parse_json`` a JSON value (null is unknown); both raise ``FactError``, unless ``hold_invalid`` makes a value of
    the wrong type or out of range ``INVALID`` instead.
    """

    __slots__ = (
        "choices",
        "currency",
        "hold_invalid",
        "maximum",
        "minimum",
        "name",
        "parse_json",
        "parse_text",
        "required",
        "type",
    )

    def __init__(
        self,
        name: str,
        type_: str,
        *,
        currency: str = "",
        choices: tuple[str, ...] = (),
        minimum: Fraction | None = None,
        maximum: Fraction | None = None,
        required: bool = True,
        hold_invalid: bool = False,
    ) -> None:
        self.name = name
        self.type = type_
        self.currency = currency
        self.choices = choices
        self.minimum = minimum
        self.maximum = maximum
        self.required = required
        self.hold_invalid = hold_invalid
        read = _reader(self)
        self.parse_text: ParseText = _text_parser(name, read, hold_invalid)
        self.parse_json: ParseJson = _json_parser(name, type_, read, hold_invalid)

    def __repr__(self) -> str:
        return f"FactDeclaration({self.name!r}, {self.type!r})"


def canonical(value: FactValue | None) -> str:  # noqa: PLR0911 (one return per type)
    """Write a typed value so that equal values, and only they, give equal text. Unknown is the empty text."""
    match value:
        case None:
            return ""
        case Invalid():
            return "\0invalid"  # no text holds a NUL
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return value
        case Fraction():
            return str(value)
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case tuple():
            return f"[{LIST_SEPARATOR.join(_item_text(item) for item in value)}]"


def _item_text(item: FactItem) -> str:
    if not isinstance(item, Window):
        return canonical(item)
    return f"{format_instant(item.start)}/{format_instant(item.end) if item.end is not None else ''}"


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


def _reader(fact: FactDeclaration) -> Callable[[str], FactValue]:  # noqa: PLR0911 (one return per type)
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


def _list_reader(fact: FactDeclaration) -> Callable[[str], tuple[FactItem, ...]]:
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


def _bounded(
    read: Callable[[str], int | Fraction], fact: FactDeclaration, scale: int
) -> Callable[[str], int | Fraction]:
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


def _text_parser(name: str, read: Callable[[str], FactValue], hold_invalid: bool) -> ParseText:
    def parse_text(raw: str) -> FactValue | None:
        if not raw:
            return None
        try:
            return read(raw)
        except ValueError as error:
            if hold_invalid:
                return INVALID
            raise FactError(name, str(error)) from None

    return parse_text


def _json_parser(name: str, type_: str, read: Callable[[str], FactValue], hold_invalid: bool) -> ParseJson:
    from_text = _text_parser(name, read, hold_invalid)
    numeric = type_ in ("number", "money")
    expected = {
        "yes_no": "true or false, without quotes",
        "list": "a list of texts",
        "numbers": "a list of whole numbers, or decimals in quotes",
        "amounts": "a list of whole numbers, or decimals in quotes",
        "dates": "a list of days",
        "windows": "a list of windows, each with start and end",
        "number": "a whole number, or a decimal in quotes",
        "money": "a whole number, or a decimal in quotes",
    }.get(type_, "a text")

    def parse_json(value: object) -> FactValue | None:  # noqa: PLR0911 (one return per form of a value)
        if value is None:
            return None
        if isinstance(value, str) and type_ != "yes_no":
            return from_text(value)
        if isinstance(value, bool):
            if type_ == "yes_no":
                return value
        elif isinstance(value, int) and numeric:
            return from_text(str(value))
        elif isinstance(value, Decimal) and numeric and value.is_finite() and abs(value.adjusted()) <= MAX_EXPONENT:
            return from_text(format(value, "f"))
        elif isinstance(value, list) and type_ in LIST_TYPES:
            texts = [text for item in value if (text := _json_item(item, type_)) is not None]
            if len(texts) == len(value):
                return from_text(LIST_SEPARATOR.join(texts)) if texts else ()
        if hold_invalid:
            return INVALID
        raise FactError(name, expected)

    return parse_json


def _json_item(item: object, type_: str) -> str | None:
    """Write one item of a JSON list as a cell has it; None where it is not one of the type."""
    if type_ == "windows":
        return _window_text(item)
    if type_ in ("numbers", "amounts") and isinstance(item, int | Decimal) and not isinstance(item, bool):
        small = isinstance(item, int) or (item.is_finite() and abs(item.adjusted()) <= MAX_EXPONENT)
        return format(item, "f" if isinstance(item, Decimal) else "d") if small else None
    return item if isinstance(item, str) and LIST_SEPARATOR not in item else None


def _window_text(item: object) -> str | None:
    """Write a JSON window as a cell has it; None where it is none."""
    if not isinstance(item, dict) or not set(item) <= {"start", "end"}:
        return None
    start, end = item.get("start"), item.get("end")
    return f"{start}/{end or ''}" if isinstance(start, str) and isinstance(end, str | None) else None
