"""The columns a policy declares to read, and the strict reading of them from a list.

Every column gets its two parsers once, when its declaration is made; a row then costs one call per column. An error
names the field and what was expected, never the value.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from kulanz.domain.lists.cells import cell_reader
from kulanz.domain.lists.facts import INVALID, LIST_SEPARATOR, LIST_TYPES, FactError, FactValue

MAX_EXPONENT = 30
"""Far beyond every amount; the eleven characters of 1e999999999 would be a gigabyte when written out."""

type ParseText = Callable[[str], FactValue | None]
type ParseJson = Callable[[object], FactValue | None]


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
        read = cell_reader(self)
        self.parse_text: ParseText = _text_parser(name, read, hold_invalid)
        self.parse_json: ParseJson = _json_parser(name, type_, read, hold_invalid)

    def __repr__(self) -> str:
        return f"FactDeclaration({self.name!r}, {self.type!r})"


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
