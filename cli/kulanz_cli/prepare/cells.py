"""One cell of an export becomes one cell of a list: by its field in the profile, and by the fact that the policy reads.

What cannot be read is never written as it stands, because a campaign might read it as something else. `#VALUE!` stands
in its place, which a campaign rejects in every type, so that the row is counted and named there as well.

Sources whose cells have types (workbooks, Parquet, JSON) give texts that begin with `EXACT` and a letter for the type.
What is behind these is in the list's own form already, so that marks and formats of the profile do not apply to it.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from math import isnan
from typing import NamedTuple

from kulanz.domain.lists.account_ids import DIGITS_KEPT, read_id, read_part_id
from kulanz.domain.lists.cells import YES_NO, clean, no_value_words
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, LIST_SEPARATOR, LIST_TYPES, FactError, FactValue
from kulanz.domain.lists.header import ACCOUNT_COLUMN
from kulanz.domain.money import format_minor, minor_units
from kulanz.domain.time import format_instant
from kulanz_cli.prepare.moments import Unread, day_in, in_zone, iso_local, moment_of
from kulanz_cli.prepare.profile import EPOCHS, Field

WRONG = "#VALUE!"
"""What stands in the list for a value that is there and that nobody can read."""
EXACT = "\0"
NUMBER, YES_OR_NO, DAY, LOCAL, INSTANT, ITEMS, UNREADABLE = (EXACT + letter for letter in "nbdlij!")
"""What a typed cell begins with: a number, yes or no, a day, a time of some clock, an instant, an array; `UNREADABLE`
begins the reason why a row, or a cell of a type that no list has, cannot be read."""
THOUSAND_DECIMALS = 3
QUOTE_BEHIND_A_BLANK = "a quote at the beginning of its cell; state skipInitialSpace where a blank precedes it"
"""To a reader of CSV that is no quote, and a delimiter inside would part the cell."""
UNCONFIRMED_DAY = 12
"""A day up to the twelfth may as well be a month."""
_LONE_BYTES = re.compile("[\udc80-\udcff]")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}[.][0-9]{3}", re.ASCII)
"""What may be a number of thousands with another mark between its digits."""


class Change(StrEnum):
    """What was changed of a cell."""

    NONE = ""
    TRIMMED = "blanks at its ends removed"
    NO_VALUE = "word for no value emptied"
    NUMBER = "number rewritten"
    UNIT = "minor units made major units"
    DAY = "day rewritten"
    INSTANT = "instant rewritten"
    YES_NO = "word for yes or no rewritten"
    WORD = "word replaced"
    ITEMS = "items separated otherwise"


class Cell(NamedTuple):
    """A cell of the list; `wrong` is what was expected where it has no value that the policy reads.

    `number` is what the file's number is by the profile, in the file's unit; `value` is what the policy reads of it, of
    money in minor units. `is_order_sure`: a day whose order of day and month is beyond doubt; None where the format has
    no such order.
    """

    text: str
    change: Change = Change.NONE
    wrong: str = ""
    number: Decimal | None = None
    is_order_sure: bool | None = None
    value: FactValue | None = None


type ReadCell = Callable[[str], Cell]


def cell_reader(
    field: Field, fact: FactDeclaration | None, missing: tuple[str, ...], encoding: str, *, is_id: bool
) -> ReadCell:
    """Give what reads the cells of a field. `missing` are the profile's words for no value; the reader never raises."""
    read = _id_reader(field) if is_id else _value_reader(field, fact)
    words = frozenset(map(clean, (*missing, *field.missing))) - {""}
    known = frozenset() if is_id else no_value_words(() if fact is None else fact.choices) - {""}
    values = {clean(word): meant for word, meant in field.values.items()}

    def read_cell(raw: str) -> Cell:
        if raw.startswith(UNREADABLE):
            return Cell(WRONG, wrong=raw[len(UNREADABLE) :])
        try:
            if values and raw.startswith((NUMBER, YES_OR_NO)):
                raw = raw[2:]  # words stand for numbers as well
            if raw.startswith(EXACT):
                return _settled(read(raw), fact)
            if not raw.isascii():
                must_be_encoded(raw, encoding)
            text = clean(raw)
            if text[:1] == '"' and raw[0].isspace():
                return Cell(WRONG, wrong=QUOTE_BEHIND_A_BLANK)
            if not text or text in words or text in known:
                return Cell("", Change.NO_VALUE if text else Change.NONE)
            found = _by_word(text, values) if values else read(text)
        except Unread as error:
            return Cell(WRONG, wrong=str(error))
        if found.change is Change.NONE and found.text != raw:
            found = found._replace(change=Change.TRIMMED)
        return _settled(found, fact)

    return read_cell


def _by_word(text: str, values: Mapping[str, str]) -> Cell:
    if text not in values:
        raise Unread("one of the words under values: " + ", ".join(values))
    return Cell(values[text], Change.WORD if values[text] != text else Change.NONE)


def must_be_encoded(raw: str, encoding: str) -> None:
    """Refuse what was written in another encoding than the rest of the file. Raises Unread."""
    if _LONE_BYTES.search(raw):
        raise Unread(f"text in {encoding}; it has bytes that are none")
    if encoding.startswith("utf"):
        return
    try:
        raw.encode(encoding).decode()
    except UnicodeError:
        return
    raise Unread(f"text in {encoding}; it is UTF-8")


def _settled(found: Cell, fact: FactDeclaration | None) -> Cell:
    """A cell that the policy was asked about: what it would refuse is told now."""
    if not found.text.isprintable():
        return Cell(WRONG, wrong="printable characters, and no line break")
    if found.wrong or fact is None or not found.text:
        return found
    try:
        value = fact.parse_text(found.text)
    except FactError as error:
        return found._replace(wrong=error.expected)
    wrong = "a value of its type" if value is INVALID else ""
    return Cell(found.text, found.change, wrong, found.number, found.is_order_sure, value)


def _id_reader(field: Field) -> ReadCell:
    by_itself = read_id if field.name == ACCOUNT_COLUMN else read_part_id
    read = by_itself if field.constraints is None else field.constraints.shape().reader()

    def read_cell(raw: str) -> Cell:
        text = raw
        if raw.startswith(EXACT):
            text = raw[2:]
            if raw.startswith(NUMBER) and not text.isdecimal():
                raise Unread("an id; it is a number with decimals, export the column as text")
            if raw.startswith((DAY, LOCAL, INSTANT)):
                raise Unread("an id; a spreadsheet took it for a day or a time, export the column as text")
            if raw.startswith((YES_OR_NO, ITEMS)):
                raise Unread("an id, as a text")
        found = read(text)
        if isinstance(found, str):
            return Cell(found)
        # With the shape of the profile alone, a campaign would not know that this is none.
        return Cell(text if field.constraints is None else WRONG, wrong=found.expected)

    return read_cell


def _value_reader(field: Field, fact: FactDeclaration | None) -> ReadCell:  # noqa: PLR0911 (one return per type)
    type_ = _type_of(field, fact)
    match type_:
        case "yes_no":
            return _yes_no_reader(field)
        case "number" | "money" | "integer":
            return _number_reader(field, fact)
        case "day":
            return _day_reader(field)
        case "instant":
            return _instant_reader(field)
        case "windows":
            return lambda raw: Cell(_payload(raw, ITEMS, "windows as start/end"))
        case _ if type_ in LIST_TYPES:
            return _list_reader(field, fact)
        case _:
            return lambda raw: Cell(_text_of(raw))


def _type_of(field: Field, fact: FactDeclaration | None) -> str:
    if fact is not None:
        return fact.type
    return {"": "text", "string": "text", "boolean": "yes_no", "date": "day", "datetime": "instant"}.get(
        field.type, field.type
    )


def _text_of(raw: str) -> str:
    """A text; of a typed cell, the one text that its value has."""
    if raw.startswith(ITEMS):
        raise Unread("a text; it is an array")
    return raw[2:] if raw.startswith(EXACT) else raw


def _payload(raw: str, tag: str, expected: str) -> str:
    """The text of a cell that is untyped, or of the one type that is expected."""
    if not raw.startswith(EXACT):
        return raw
    if not raw.startswith(tag):
        raise Unread(expected)
    return raw[2:]


def _yes_no_reader(field: Field) -> ReadCell:
    words = dict.fromkeys(map(clean, field.true), "true") | dict.fromkeys(map(clean, field.false), "false")
    expected = f"one of {', '.join(words)}" if words else "true or false; state other words as trueValues, falseValues"

    def read(raw: str) -> Cell:
        if raw.startswith(YES_OR_NO):
            return Cell(raw[2:])
        text = _payload(raw, NUMBER, expected)
        if words:
            if text not in words:
                raise Unread(expected)
            return Cell(words[text], Change.YES_NO if words[text] != text else Change.NONE)
        if text not in YES_NO:
            raise Unread(expected)
        return Cell(text)

    return read


def _number_reader(field: Field, fact: FactDeclaration | None) -> ReadCell:
    """Numbers by their marks; of money by its unit, and never with three decimals, which may be thousands."""
    is_money = fact is not None and fact.type in ("money", "amounts")
    decimals = minor_units(fact.currency) if fact is not None and is_money else None
    pattern = _number_pattern(field)
    mark = field.decimal or "."
    expected = f"a number such as 1{field.group}234{mark}50"
    is_open = not field.decimal or (decimals is not None and decimals < THOUSAND_DECIMALS)
    symbols = sorted(field.symbols, key=len, reverse=True)

    def read(raw: str) -> Cell:
        if raw.startswith(EXACT):
            text = plain = _payload(raw, NUMBER, expected)
            if decimals is not None and "." in text:
                plain = _without_zeros(text)
        else:
            text = raw
            plain = _plain_number(_without(text, symbols), pattern, field.group, expected)
            if is_open and _THOUSANDS.fullmatch(plain):
                advice = "" if field.decimal else "; state decimalChar"
                raise Unread(f"a number; with {THOUSAND_DECIMALS} decimals it may mean thousands{advice}")
        number = Decimal(plain)
        if field.unit == "minor" and decimals is not None:
            if number != number.to_integral_value():
                raise Unread("a whole number of minor units, such as cents")
            major = format_minor(int(number), decimals)
            return Cell(major, Change.UNIT if major != text else Change.NONE, number=number)
        if decimals is not None and "." in plain and plain[-decimals - 1 :][:1] != ".":
            _must_be_payable(plain, decimals, fact.currency if fact is not None else "")
        return Cell(plain, Change.NUMBER if plain != text and not raw.startswith(EXACT) else Change.NONE, number=number)

    return read


def _must_be_payable(plain: str, decimals: int, currency: str) -> None:
    """Refuse an amount with more decimals than its currency has; zeros at its end are none."""
    if len(plain.partition(".")[2].rstrip("0")) > decimals:
        raise Unread(f"an amount with at most {decimals} decimals, as {currency} has; round it where it is made")


def whole_digits(group: str) -> str:
    """A pattern of the whole digits of a number, with what stands between its thousands; or lakhs, as in India."""
    between = re.escape(group)
    if not between:
        return "[0-9]+"
    return rf"[0-9]{{1,3}}(?:{between}[0-9]{{3}})+|[0-9]{{1,2}}(?:{between}[0-9]{{2}})+{between}[0-9]{{3}}|[0-9]+"


def _number_pattern(field: Field) -> re.Pattern[str]:
    mark = re.escape(field.decimal or ".")
    return re.compile(rf"([+-]?)(?:({whole_digits(field.group)})(?:{mark}([0-9]+))?|{mark}([0-9]+))", re.ASCII)


def _plain_number(text: str, pattern: re.Pattern[str], group: str, expected: str) -> str:
    found = pattern.fullmatch(text)
    if found is None:
        raise Unread(expected)
    sign, digits, fraction = found[1], found[2] or "0", found[3] or found[4]
    whole = digits.replace(group, "") if group else digits
    return ("-" if sign == "-" else "") + whole + (f".{fraction}" if fraction else "")


def _without(text: str, symbols: list[str]) -> str:
    """A number without the one symbol that may stand before or behind it."""
    for symbol in symbols:
        if text.startswith(symbol):
            return clean(text[len(symbol) :])
        if text.endswith(symbol):
            return clean(text[: -len(symbol)])
    return text


def _without_zeros(text: str) -> str:
    """An exact number without the zeros at its end: a database writes 39.9000, which means nothing more than 39.9."""
    return text.rstrip("0").rstrip(".")


def _day_reader(field: Field) -> ReadCell:
    has_order = {"%d", "%m"} <= set(re.findall(r"%.", field.format))

    def read(raw: str) -> Cell:
        if raw.startswith(EXACT):
            return Cell(_exact_day(raw, field))
        if not field.format:
            return Cell(raw)
        moment = moment_of(raw, field)
        if moment.tzinfo is not None and not field.timezone:
            raise Unread(_INSTANT_FOR_A_DAY)
        day = moment.date() if moment.tzinfo is None else day_in(moment, field.timezone)
        text = day.isoformat()
        sure = day.day > UNCONFIRMED_DAY if has_order else None
        return Cell(text, Change.DAY if text != raw else Change.NONE, is_order_sure=sure)

    return read


def _exact_day(raw: str, field: Field) -> str:
    if raw.startswith(DAY):
        return raw[2:]
    if raw.startswith(LOCAL):
        moment = datetime.fromisoformat(raw[2:])
        if field.type == "datetime" or moment.time() == datetime.min.time():
            return moment.date().isoformat()
        raise Unread("a day; it has a time of day, state type: datetime to cut it off")
    if raw.startswith(INSTANT):
        if not field.timezone:
            raise Unread(_INSTANT_FOR_A_DAY)
        return day_in(datetime.fromisoformat(raw[2:]), field.timezone).isoformat()
    raise Unread("a day; export it as a day or as a text")


def _instant_reader(field: Field) -> ReadCell:
    has_order = {"%d", "%m"} <= set(re.findall(r"%.", field.format))

    def read(raw: str) -> Cell:
        if raw.startswith(INSTANT):
            return Cell(raw[2:])
        if raw.startswith(NUMBER) and field.format in EPOCHS:
            return Cell(format_instant(moment_of(raw[2:], field)), Change.INSTANT)
        if raw.startswith(EXACT):
            return Cell(format_instant(in_zone(datetime.fromisoformat(_payload(raw, LOCAL, _INSTANT)), field)))
        if field.format:
            moment = moment_of(raw, field)
            sure = moment.day > UNCONFIRMED_DAY if has_order else None
            text = format_instant(in_zone(moment, field))
            return Cell(text, Change.INSTANT if text != raw else Change.NONE, is_order_sure=sure)
        if not field.timezone or (local := iso_local(raw)) is None:
            return Cell(raw)
        return Cell(format_instant(in_zone(local, field)), Change.INSTANT)

    return read


_INSTANT_FOR_A_DAY = "a day; it is an instant, state the timezone whose day is meant"
_INSTANT = "an instant; it is no time at all, or a day without one"


def _list_reader(field: Field, fact: FactDeclaration | None) -> ReadCell:
    """Lists: the items of a cell, each read by its type, with what the policy expects between them."""
    wanted = (fact.separator if fact is not None else "") or LIST_SEPARATOR
    given = field.delimiter or wanted
    type_ = "" if fact is None else fact.type
    read_item: ReadCell = {
        "numbers": _number_reader, "amounts": _number_reader,
    }.get(type_, lambda _field, _fact: _day_reader(field) if type_ == "dates" else Cell)(field, fact)  # fmt: skip

    def read(raw: str) -> Cell:
        if raw.startswith(EXACT):
            items = json.loads(_payload(raw, ITEMS, "a list"))
        elif raw[0] in "[{":
            return Cell(raw)  # an array of JSON, which a campaign reads as it is
        else:
            items = [clean(item) for item in raw.split(given)]
        texts = [read_item(item).text for item in items]
        if any(wanted in text for text in texts):
            raise Unread(f"items without {wanted} in them")
        text = wanted.join(texts)
        return Cell(text, Change.ITEMS if text != raw and not raw.startswith(EXACT) else Change.NONE)

    return read


def of_float(value: float) -> str:
    """A double as a typed cell, with the 15 digits that it surely has, which a spreadsheet shows as well.

    NaN is no value; a whole number of more digits has lost some.
    """
    if isnan(value):
        return ""
    if abs(value) >= 10**DIGITS_KEPT:
        return f"{UNREADABLE}a number of at most {DIGITS_KEPT} digits; more were lost, export the column as text"
    return f"{NUMBER}{Decimal(f'{value:.{DIGITS_KEPT}g}') + 0:f}"


def exact(value: object) -> str:  # noqa: PLR0911 (one return per type)
    """A typed value as the text that `cell_reader` takes. What no list has is `UNREADABLE`, with the reason."""
    match value:
        case None:
            return ""
        case str():
            return f"{UNREADABLE}a text without NUL characters" if EXACT in value else value
        case bool():
            return YES_OR_NO + ("true" if value else "false")
        case int():
            return f"{NUMBER}{value}"
        case Decimal():
            return f"{NUMBER}{value:f}" if value.is_finite() else f"{UNREADABLE}a number"
        case datetime():
            return f"{LOCAL}{value.isoformat()}" if value.tzinfo is None else f"{INSTANT}{format_instant(value)}"
        case date():
            return f"{DAY}{value.isoformat()}"
        case list() if all(isinstance(item, str) for item in value):
            return ITEMS + json.dumps(value, ensure_ascii=False)
        case list() if all(isinstance(item, int | Decimal) and not isinstance(item, bool) for item in value):
            return ITEMS + json.dumps([f"{item:f}" if isinstance(item, Decimal) else str(item) for item in value])
        case _:
            return f"{UNREADABLE}a value that a list has; it is a {type(value).__name__}"
