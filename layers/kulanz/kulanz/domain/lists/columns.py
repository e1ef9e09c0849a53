"""The columns a policy declares to read, and the strict reading of them from a list.

Every column gets its two parsers once, when its declaration is made; a row then costs one call per column. An error
names the field and what was expected, never the value.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from kulanz.domain.lists.cells import SeparatorUnknownError, cell_reader, clean, items_reader, no_value_words
from kulanz.domain.lists.facts import INVALID, LIST_SEPARATOR_UNKNOWN, LIST_TYPES, FactError, FactValue

MAX_EXPONENT = 30
"""Far beyond every amount; the eleven characters of 1e999999999 would be a gigabyte when written out."""

type ParseText = Callable[[str], FactValue | None]
type ParseJson = Callable[[object], FactValue | None]


class FactDeclaration:
    """One fact a policy reads: its name, type and limits, with the parsers of its column.

    ``required`` says whether a list must have the column. ``parse_text`` reads a CSV cell (empty is unknown),
    ``parse_json`` a JSON value (null is unknown); both raise ``FactError``, unless ``hold_invalid`` makes a value of
    the wrong type or out of range ``INVALID`` instead. ``separator`` is what the policy says stands between the items
    of a list in a cell; empty where it says nothing.
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
        "separator",
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
        separator: str = "",
    ) -> None:
        self.name = name
        self.type = type_
        self.currency = currency
        self.choices = choices
        self.minimum = minimum
        self.maximum = maximum
        self.required = required
        self.hold_invalid = hold_invalid
        self.separator = separator
        self.parse_text: ParseText = _text_parser(self, cell_reader(self))
        self.parse_json: ParseJson = _json_parser(self)

    def __repr__(self) -> str:
        return f"FactDeclaration({self.name!r}, {self.type!r})"


def _text_parser(fact: FactDeclaration, read: Callable[[str], FactValue]) -> ParseText:
    unknown = no_value_words(fact.choices)

    def parse_text(raw: str) -> FactValue | None:
        if not raw:
            return None
        text = raw if raw.isascii() and raw[0] > " " and raw[-1] > " " else clean(raw)
        if text in unknown:
            return None
        try:
            return read(text)
        except ValueError as error:
            return _wrong(fact, error)

    return parse_text


def _wrong(fact: FactDeclaration, error: ValueError) -> FactValue:
    """What a wrong value is: ``INVALID`` where it is held; else raises ``FactError``.

    What was expected is said without the word: amounts, days and instants say it by themselves.
    """
    expected = str(error).removeprefix("expected ")
    if isinstance(error, SeparatorUnknownError):  # of the column, not of its row: held rows would hide it
        raise FactError(fact.name, expected, LIST_SEPARATOR_UNKNOWN) from None
    if fact.hold_invalid:
        return INVALID
    raise FactError(fact.name, expected) from None


def _json_parser(fact: FactDeclaration) -> ParseJson:
    type_, from_text = fact.type, fact.parse_text
    read_items = items_reader(fact) if type_ in LIST_TYPES else None
    numeric = type_ in ("number", "money")
    unknown = no_value_words(fact.choices)
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
        if isinstance(value, str) and (type_ != "yes_no" or clean(value) in unknown):
            return from_text(value)
        if isinstance(value, bool):
            if type_ == "yes_no":
                return value
        elif isinstance(value, int | Decimal) and numeric and _is_small(value):
            return from_text(_digits(value))
        elif isinstance(value, list) and read_items is not None:
            texts = [text for item in value if (text := _json_item(item, type_)) is not None]
            if len(texts) == len(value):
                try:
                    return read_items(texts)
                except ValueError as error:
                    return _wrong(fact, error)
        if fact.hold_invalid:
            return INVALID
        raise FactError(fact.name, expected)

    return parse_json


def _is_small(number: int | Decimal) -> bool:
    """Whether a number of JSON can be written out."""
    return isinstance(number, int) or (number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT)


def _digits(number: int | Decimal) -> str:
    """Write a number of JSON as a cell has it. Its point is a decimal point, so zeros at its end mean nothing."""
    text = format(number, "f" if isinstance(number, Decimal) else "d")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _json_item(item: object, type_: str) -> str | None:
    """Write one item of a JSON list as a cell has it; None where it is not one of the type."""
    if type_ == "windows":
        return _window_text(item)
    if type_ in ("numbers", "amounts") and isinstance(item, int | Decimal) and not isinstance(item, bool):
        return _digits(item) if _is_small(item) else None
    return item if isinstance(item, str) else None


def _window_text(item: object) -> str | None:
    """Write a JSON window as a cell has it; None where it is none."""
    if not isinstance(item, dict) or not set(item) <= {"start", "end"}:
        return None
    start, end = item.get("start"), item.get("end")
    return f"{start}/{end or ''}" if isinstance(start, str) and isinstance(end, str | None) else None
