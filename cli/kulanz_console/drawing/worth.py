"""Sums and ranges of amounts in words, from the exact texts and whole numbers of answers."""

from decimal import Decimal
from typing import TYPE_CHECKING

from kulanz.domain.money import amount_words, format_minor, is_currency, minor_units

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import ReportedAmounts

RANGES_PRINTED = 8


def figure(measure: str, value: int | Decimal) -> str:
    """A sum without what it is measured in."""
    return f"{Decimal(format_minor(int(value), minor_units(measure))):,}" if is_currency(measure) else f"{value:,}"


def value_text(measure: str, value: int | Decimal) -> str:
    """A sum for people: minor units of a currency as an amount, anything else with its unit."""
    return amount_words(figure(measure, value), measure)


def coarser_ranges(one: "ReportedAmounts") -> list[tuple[str, int]]:
    """At most `RANGES_PRINTED` ranges, as they are printed: neighbours with the fewest lines are put together."""
    ranges = [(found["least"], found["most"], found["lines"]) for found in one["histogram"]]
    while len(ranges) > RANGES_PRINTED:
        at = min(range(len(ranges) - 1), key=lambda place: ranges[place][2] + ranges[place + 1][2])
        left, right = ranges[at : at + 2]
        ranges[at : at + 2] = [(left[0], right[1], left[2] + right[2])]
    measure = one["measure"]
    return [
        (value_text(measure, Decimal(least)), lines)
        if least == most
        else (f"{value_text(measure, Decimal(least))} to {value_text(measure, Decimal(most))}", lines)
        for least, most, lines in ranges
    ]
