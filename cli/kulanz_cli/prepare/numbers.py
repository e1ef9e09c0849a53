"""A column of numbers, many cells at once: where nearly every amount differs, no cell was read before.

Only cells that are numbers beyond doubt are taken, all by the rules of `cells`; the others are read there one by one.
The sum before is that of the digits in the file, and the sum after that of what the policy reads in what is written.
"""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Self

from kulanz.domain.lists.cells import clean, no_value_words
from kulanz.domain.lists.columns import FactDeclaration, ParseText
from kulanz.domain.lists.facts import FactError
from kulanz.domain.money import format_minor, minor_units
from kulanz_cli.prepare.cells import THOUSAND_DECIMALS, Change, must_be_encoded, whole_digits
from kulanz_cli.prepare.moments import Unread
from kulanz_cli.prepare.profile import Field

DECIMALS_MOST = 12
"""Of a number that is no amount: a policy reads no more."""
BLANKS = (" ", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}")
"""What stands between a number and its symbol."""
_END = "\n"
"""Between cells. A number has none."""


class Numbers(NamedTuple):
    """The cells of a list for some of a file. `before` is their sum in the file's unit, `after` as the policy reads it,
    of money in minor units.
    """

    texts: list[str]
    before: Decimal
    after: int | Fraction


class PlainNumbers:
    """Reads the numbers of one field."""

    def __init__(self, field: Field, fact: FactDeclaration, decimals: int | None, cell: str) -> None:
        self._mark, self._removed = field.decimal or ".", [*_longest_first(field.symbols), field.group]
        if field.symbols:
            self._removed += BLANKS
        self._parse: ParseText = fact.parse_text
        self._minor = decimals if field.unit == "minor" else None
        self.change = Change.NUMBER if self._minor is None else Change.UNIT
        self._all = re.compile(f"(?:(?:{cell}){_END})*+", re.ASCII)
        self._one = re.compile(cell, re.ASCII)

    @classmethod
    def of(cls, field: Field, fact: FactDeclaration | None, missing: Sequence[str], encoding: str) -> Self | None:
        """What reads a field; None where a cell that looks like a number may be something else."""
        if fact is None or fact.type not in ("number", "money") or field.values:
            return None
        decimals = minor_units(fact.currency) if fact.type == "money" else None
        most = DECIMALS_MOST if decimals is None else 0 if field.unit == "minor" else decimals
        if not field.decimal:
            most = min(most, THOUSAND_DECIMALS - 1)
        mark = field.decimal or "."
        if any(set(symbol) & {*"0123456789", *BLANKS, mark, field.group, _END} for symbol in field.symbols):
            return None
        if mark in BLANKS:
            return None
        cell = _cell(field, mark, most)
        is_number = re.compile(cell, re.ASCII).fullmatch
        words = {*map(clean, (*missing, *field.missing)), *no_value_words(fact.choices)}
        if any(map(is_number, words)) or not _is_surely_encoded(field, mark, encoding):
            return None
        return cls(field, fact, decimals, cell)

    def others(self, raws: Sequence[str]) -> list[int]:
        """The places of the cells that are no such numbers."""
        joined = _END.join(raws)
        if joined.count(_END) == len(raws) - 1 and self._all.fullmatch(joined + _END):
            return []
        return [place for place, found in enumerate(map(self._one.fullmatch, raws)) if found is None]

    def read(self, raws: Sequence[str]) -> Numbers | None:
        """Read numbers, none of which is one of the `others`; None where the policy refuses one."""
        joined = _END.join(raws)
        for removed in self._removed:
            if removed:
                joined = joined.replace(removed, "")
        plain = texts = joined.replace(self._mark, ".").split(_END)
        if self._minor is not None:
            texts = [format_minor(int(digits), self._minor) for digits in plain]
        try:
            values = list(map(self._parse, texts))
        except FactError:
            return None
        after = _sum([value for value in values if isinstance(value, int | Fraction)])
        if len(texts) != len(raws) or not set(map(type, values)) <= {int, Fraction}:
            return None  # a wrong value that the policy holds has no number
        return Numbers(texts, sum(map(Decimal, plain), Decimal(0)), after)


def _cell(field: Field, mark: str, most: int) -> str:
    """What a number beyond doubt looks like. A sign is none: few amounts have one."""
    fraction = rf"(?:{re.escape(mark)}[0-9]{{1,{most}}})?" if most else ""
    number = f"(?:{whole_digits(field.group)}){fraction}"
    if not field.symbols:
        return number
    symbol, blank = f"(?:{'|'.join(map(re.escape, _longest_first(field.symbols)))})", f"[{''.join(BLANKS)}]?"
    return f"{symbol}{blank}{number}|{number}(?:{blank}{symbol})?"


def _longest_first(symbols: Sequence[str]) -> list[str]:
    return sorted(symbols, key=len, reverse=True)


def _is_surely_encoded(field: Field, mark: str, encoding: str) -> bool:
    """Whether no cell of digits with these marks and symbols is UTF-8 by chance."""
    cells = [f"0{field.group}0", f"0{mark}0"]
    for symbol in field.symbols:
        for blank in ("", *BLANKS):
            cells += [f"{symbol}{blank}0", f"0{blank}{symbol}"]
    try:
        for cell in cells:
            if not cell.isascii():
                must_be_encoded(cell, encoding)
    except Unread:
        return False
    return True


def _sum(values: Sequence[int | Fraction]) -> int | Fraction:
    """The exact sum; few denominators are many times faster than as many fractions."""
    if set(map(type, values)) <= {int}:
        return sum(values)
    numerators: Counter[int] = Counter()
    for value in values:
        numerators[value.denominator] += value.numerator
    return sum((Fraction(top, below) for below, top in numerators.items()), Fraction(0))
