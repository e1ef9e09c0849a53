"""The one place where a cell becomes a value: of CSV, of JSONL, and of the rows inside an event.

What every cell goes through, in this order:

| step | what happens | example |
|---|---|---|
| edges | white space of Unicode and invisible marks are taken off both ends | ``povo2.0   `` is ``povo2.0`` |
| form | letters are brought to Unicode's form NFC | ``u`` with a combining diaeresis is ``ü`` |
| no value | an empty cell, null, or a word for it (``words.NO_VALUE``) is unknown, in every type | ``NULL`` |
| | ... unless the policy lists that very word among its choices | ``choices: [None, Basic]`` |
| type | the reader of the fact's type gives the value, or says what it expected | |

What the types make of it:

| type | reads | refuses |
|---|---|---|
| text | up to 200 printable characters; one of the choices, where there are any | a spreadsheet's ``#REF!`` |
| yes_no | true, false, yes, no, in these spellings; t, f; JSON's true and false, never 1 and 0 | T, Y, 1, WAHR |
| number | digits with a decimal point; zeros at its end change nothing; Oracle's .5 | 39,90 1e3 1 000 |
| money | the same, in whole minor units: 39.9000 EUR is exact | 39.905; 1.000, which may mean a thousand |
| instant | every form that says which instant it is (``instants``) | 2026-02-27T08:00:00 1772179200 |
| day | 2026-02-27, also with a midnight behind it | 27.02.2026 |
| zone | an IANA name, and none that people mean another clock by | CET EST GMT+1 |
| lists | items separated by ``|`` or by what the policy names; an array in JSON | a ``,`` or ``;`` and never a bar |
| windows | start/end; the end may be missing, the slash may not | a start alone |

Readers take a text that is not empty, and raise ``ValueError`` with what they expected; that never repeats the value.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Protocol
from unicodedata import normalize

from kulanz.domain.lists.facts import LIST_SEPARATOR, LIST_SEPARATORS, LIST_TYPES, FactItem, FactValue
from kulanz.domain.lists.instants import read_instant
from kulanz.domain.lists.words import NO_VALUE
from kulanz.domain.money import AmountError, minor_units, parse_minor, whole
from kulanz.domain.time import TimeError, Window, parse_day, zone_of

MAX_TEXT_CHARACTERS = 200
MAX_LIST_ITEMS = 50
THOUSANDS_DIGITS = 3
"""How many digits stand behind a separator of thousands: an amount with as many decimals may be a thousand times it."""
EDGES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"  # white space
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\xad"  # invisible
)
"""What is no part of a value at its ends: white space, and marks that nobody sees and that copying leaves there."""

_NUMBER = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,12}))?", re.ASCII)
_THOUSANDS = re.compile(r"0*[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)
_MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00(?::00(?:\.0+)?)?", re.ASCII)
_BETWEEN = re.compile(r"[ ]*/[ ]*(?=[0-9]|$)")
"""What separates the ends of a window: zones have slashes as well, but no digit behind them."""
YES_NO = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "t"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "f"), False),
}
"""PostgreSQL writes a boolean as t or f, in psql, in COPY and in CSV. Where Y and N are meant, a policy lists them as
the choices of a text; 1 and 0 may be a count."""
_FAILED_FORMULA = re.compile(
    r"#[^\s#]{2,20}[!?]|#{3,}|#GETTING_DATA|#DIV0|Err:[0-9]{3}|Loading\.\.\.|\[object Object\]|-?1\.#[A-Z]{3,4}"
)
"""What programs write where there is a value that they cannot show: of a spreadsheet's formula that
failed, in every language (#REF!, #¡REF!, #WERT!; LibreOffice's Err:502, Google's Loading...), of a column that was too
narrow (####), of an object in JavaScript, and of a number that is none in C.
"""
REPLACED = "\N{REPLACEMENT CHARACTER}"
"""What stands for a letter that was lost where a text was read in another encoding than it was written in."""
ZONES_BY_HABIT = frozenset("CET EET MET WET EST MST HST Factory".split())  # noqa: SIM905
"""Names of zones that people write for the clock of a place, and that are other clocks: EST has no summer time."""


class SeparatorUnknownError(ValueError):
    """A cell of several items, or of one with a comma in it: nobody but the policy can say."""


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
    @property
    def separator(self) -> str: ...


def clean(text: str) -> str:
    """Take off what is no part of a value at its ends, and bring its letters to one form. It may be empty then."""
    if text.isascii():
        return text if text and text[0] > " " and text[-1] > " " else text.strip(EDGES)
    return normalize("NFC", text).strip(EDGES)


def no_value_words(choices: Sequence[str]) -> frozenset[str]:
    """The cleaned texts that are unknown where a policy has these choices, the empty text among them."""
    return (NO_VALUE | {""}) - {clean(choice) for choice in choices}


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
    """Give the reader of a cleaned text of the fact's type; it raises ``ValueError`` with what it expected."""
    match fact.type:
        case "text":
            return _text_reader(fact.choices)
        case "yes_no":
            return _read_yes_no
        case "number":
            return _bounded(_read_number, fact, 1)
        case "money":
            decimals = minor_units(fact.currency)
            return _bounded(lambda text: _read_money(text, decimals), fact, 10**decimals)
        case "instant":
            return read_instant
        case "day":
            return _read_day
        case "zone":
            return _read_zone
        case _:
            read_items, separator = items_reader(fact), fact.separator
            return lambda text: read_items(split_items(text, separator))


def items_reader(fact: Declared) -> Callable[[Sequence[str]], tuple[FactItem, ...]]:
    """Give the reader of the items of a list, which are not cleaned yet."""
    assert fact.type in LIST_TYPES, f"unknown fact type {fact.type}"
    read, must_have_all = _item_reader(fact), fact.type != "list"
    separator = fact.separator or LIST_SEPARATOR

    def read_items(texts: Sequence[str]) -> tuple[FactItem, ...]:
        if len(texts) > MAX_LIST_ITEMS:
            raise ValueError(f"at most {MAX_LIST_ITEMS} items, separated by {separator}")
        items = [read(text) for raw in texts if (text := clean(raw)) or must_have_all]
        return _in_order(fact.type, items)

    return read_items


def split_items(text: str, separator: str) -> list[str]:
    """The items of a cell, by the separator that the policy names, else by bars where nothing else could be meant.

    Raises ``SeparatorUnknownError`` where another separator could be meant, ``ValueError`` for brackets.
    """
    mark = separator or LIST_SEPARATOR
    if text[0] in "[{":
        return _array(text)
    if not separator and mark not in text and any(other in text for other in LIST_SEPARATORS):
        raise SeparatorUnknownError(
            f"items separated by {mark}; a cell with another separator and no {mark} may be one item or several:"
            " separate them so, or name the separator in the policy"
        )
    return text.split(mark)


def _array(text: str) -> list[str]:
    """The texts and numbers of an array in JSON."""
    expected = "items without brackets around them, or an array of texts in JSON"
    try:
        items = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise ValueError(expected) from None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError(expected)
    return items


def _in_order(type_: str, items: list[FactItem]) -> tuple[FactItem, ...]:
    """The items as the fact has them: a list of texts is a set, windows go by their start, the others stay."""
    if type_ == "list":
        return tuple(sorted({str(item) for item in items}))
    if type_ == "windows":
        return tuple(sorted((item for item in items if isinstance(item, Window)), key=lambda window: window.start))
    return tuple(items)


def _item_reader(fact: Declared) -> Callable[[str], FactItem]:
    match fact.type:
        case "list":
            return _read_listed_text
        case "numbers":
            return _read_number
        case "amounts":
            places = minor_units(fact.currency)
            return lambda text: _read_money(text, places)
        case "dates":
            return _read_day
        case _:
            return _read_window


def _text_reader(choices: tuple[str, ...]) -> Callable[[str], str]:
    known = {clean(choice): choice for choice in choices}
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
    if _FAILED_FORMULA.fullmatch(text):
        raise ValueError("a text, not what a program writes where it cannot show the value, such as #REF! or ####")
    if REPLACED in text:
        raise ValueError("a text with all its letters; one was lost: export it as UTF-8")
    return text


def _read_listed_text(text: str) -> str:
    if text in NO_VALUE:
        raise ValueError("items that are values; leave out one that has none")
    if LIST_SEPARATOR in text:
        raise ValueError(f"items without a {LIST_SEPARATOR} in them")
    return _read_text(text)


def _read_yes_no(text: str) -> bool:
    try:
        return YES_NO[text]
    except KeyError:
        raise ValueError("true or false") from None


def _read_number(text: str) -> int | Fraction:
    text = _with_zero(text)
    try:
        return parse_number(text)
    except ValueError:
        head, point, decimals = text.partition(".")
        if not (point and decimals.endswith("0")):
            raise
        return parse_number(f"{head}.{decimals.rstrip('0') or '0'}")


def _with_zero(text: str) -> str:
    """A number that begins with its point, as Oracle writes those below one: `.5` is `0.5`, and can be nothing else."""
    return text.replace(".", "0.", 1) if text[:1] == "." or text[:2] == "-." else text


def _read_money(text: str, decimals: int) -> int:
    text = _with_zero(text)
    try:
        return parse_minor(text, decimals)
    except AmountError as error:
        expected = "an amount: " + str(error).removeprefix("expected ")
    if _THOUSANDS.fullmatch(text):
        raise ValueError(f"{expected}; with {THOUSANDS_DIGITS} decimals it may mean thousands")
    head, point, rest = text.partition(".")
    if point and head.isdecimal() and rest.isdecimal() and not rest[decimals:].strip("0"):
        return parse_minor(f"{head}.{rest[:decimals]}" if decimals else head, decimals)
    raise ValueError(expected)


def _read_day(text: str) -> date:
    midnight = _MIDNIGHT.fullmatch(text)
    try:
        return parse_day(midnight[1] if midnight else text)
    except TimeError as error:
        raise ValueError(str(error).removeprefix("expected ")) from None


def _read_zone(text: str) -> str:
    try:
        if text not in ZONES_BY_HABIT:
            return zone_of(text).key
    except TimeError:
        pass
    raise ValueError("an IANA time zone such as Europe/Berlin")


def _read_window(text: str) -> Window:
    expected = "windows such as 2026-05-04T08:00:00Z/2026-05-04T12:00:00Z, each with its slash"
    ends = _BETWEEN.split(text, maxsplit=1)
    if len(ends) == 1:
        raise ValueError(expected)
    try:
        window = Window(read_instant(ends[0]), read_instant(ends[1]) if ends[1] else None)
    except ValueError:
        raise ValueError(expected) from None
    if window.end is not None and window.end <= window.start:
        raise ValueError("windows that end after they start")
    return window


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
