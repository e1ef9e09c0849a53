"""Facts about an account: the types they have, the values these take, and the one text of each value.

A value is ``str``, ``bool``, ``int`` (money: minor units; number), ``Fraction`` (number), ``datetime`` (aware UTC),
``date``, or a tuple of texts, numbers, amounts, dates or windows; ``None`` is unknown, ``INVALID`` wrong and held.
"""

from datetime import date, datetime
from enum import Enum
from fractions import Fraction

from kulanz.domain.time import Window, format_instant

LIST_SEPARATOR = "|"
LIST_SEPARATORS = (LIST_SEPARATOR, ",", ";")
"""What may separate the items of a list in a cell; the first is meant where a policy names none."""
SINGLE_TYPES = ("text", "yes_no", "number", "money", "instant", "day", "zone")
LIST_TYPES = ("list", "numbers", "amounts", "dates", "windows")
FACT_TYPES = (*SINGLE_TYPES, *LIST_TYPES)


FACT_INVALID = "fact_invalid"
LIST_SEPARATOR_UNKNOWN = "list_separator_unknown"
"""The problem of a cell that holds several items, or one with a comma in it; it refuses a list as a whole."""


class Invalid(Enum):
    """What stands for a wrong value whose policy holds the account: neither default nor incident fills it in."""

    INVALID = "invalid"


INVALID = Invalid.INVALID

type FactItem = str | int | Fraction | date | Window
type FactValue = str | bool | int | Fraction | datetime | date | tuple[FactItem, ...] | Invalid


class FactError(ValueError):
    """A value that is not what its policy declared: the reason code, the field, and what was expected of it."""

    def __init__(self, field: str, expected: str, reason: str = FACT_INVALID) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
        self.reason = reason


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
