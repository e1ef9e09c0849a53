"""Amounts as persons write them: of a currency with its decimals, or of a unit."""

import re
from decimal import Decimal
from typing import TypeIs

from kulanz.domain.campaigns.amounts import plain_size
from kulanz.domain.decision import QUANTITY_DECIMALS
from kulanz.domain.money import MAX_MINOR_UNITS, AmountError, Size, amount_words, format_minor, is_currency, minor_units

WHOLE_DIGITS_MOST = 12
"""Digits of an amount before its point: a month's limit of a trillion is no limit."""
UNIT_CHARACTERS = 60
"""As the units of a policy."""

_AMOUNT = re.compile(rf"([0-9]{{1,{WHOLE_DIGITS_MOST}}})(?:\.([0-9]{{1,{QUANTITY_DECIMALS}}}))?", re.ASCII)
_UNIT = re.compile(rf"[A-Za-z][A-Za-z0-9_.-]{{0,{UNIT_CHARACTERS - 1}}}", re.ASCII)
_LIKE_A_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
MEASURE_EXPECTED = (
    "a currency of ISO 4217 such as EUR, or a unit such as GB or call_minute; three capital letters are a currency"
)


def is_measure(text: object) -> TypeIs[str]:
    """Whether `text` is a currency or a unit. Three capital letters that are no currency are a typing error."""
    return isinstance(text, str) and (
        is_currency(text) or (_UNIT.fullmatch(text) is not None and _LIKE_A_CURRENCY.fullmatch(text) is None)
    )


def parse_size(text: str, measure: str) -> Size:
    """Read "5.00" as minor units of a currency, or as a quantity of a unit. Raises AmountError.

    No sign, no exponent, no separators, and no more decimals than the currency, or a quantity, has.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise AmountError("expected digits with a decimal point, such as 5.00; no sign and no separators")
    decimals = minor_units(measure) if is_currency(measure) else QUANTITY_DECIMALS
    if len(found[2] or "") > decimals:
        raise AmountError(f"expected at most {decimals} decimals of {measure}")
    return plain_size(Decimal(text).scaleb(minor_units(measure)) if is_currency(measure) else Decimal(text))


def size_text(size: Size, measure: str) -> str:
    """An amount as it is shown: "5.00 EUR", "20 call minutes"."""
    figure = format_minor(int(size), minor_units(measure)) if is_currency(measure) else quantity_text(size)
    return amount_words(figure, measure)


def quantity_text(size: Size) -> str:
    """A quantity as a decision stores it: a plain decimal."""
    return f"{Decimal(size):f}"


def largest(measure: str) -> Size:
    """The most that one decision may give: as much as one benefit may have."""
    return MAX_MINOR_UNITS if is_currency(measure) else Decimal(MAX_MINOR_UNITS)
