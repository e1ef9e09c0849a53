"""The periods for each of which an amount is capped, kept or worked out, and the labels that tell them apart.

A label is a part of names: `paid_2026_from_april` is what was paid in the year from April 2026.
"""

import re
from datetime import date
from zoneinfo import ZoneInfo

from kulanz.domain.time import MONTH_NAMES, MONTHS_PER_YEAR, instant_of, local_day

_YEARS = {f"year from {name}": number for number, name in enumerate(MONTH_NAMES, 1) if number > 1}
PERIODS = {
    "calendar year": (MONTHS_PER_YEAR, 1),
    "quarter": (3, 1),
    "month": (1, 1),
    **{per: (MONTHS_PER_YEAR, first_month) for per, first_month in _YEARS.items()},
}
"""Kinds of periods: how many months each has, and a month that one begins with."""
_LABELS = {
    "calendar year": "[0-9]{4}",
    "quarter": "[0-9]{4}_q[1-4]",
    "month": "[0-9]{4}_[0-9]{2}",
    **{per: f"[0-9]{{4}}_from_{per.rpartition(' ')[2].lower()}" for per in _YEARS},
}


def label(start: int, per: str, zone: ZoneInfo) -> str:
    """Give the label of the period of a kind that starts at an instant: 2026, 2026_q2, 2026_04 or 2026_from_april."""
    return _label(local_day(instant_of(start), zone), per)


def example_label(per: str) -> str:
    """Give the label of a period of a kind, for people to see how such labels look."""
    return _label(date(2026, PERIODS[per][1], 1), per)


def _label(first: date, per: str) -> str:
    if per == "month":
        return f"{first.year}_{first.month:02}"
    if per == "quarter":
        return f"{first.year}_q{(first.month + 2) // 3}"
    return f"{first.year}_from_{MONTH_NAMES[first.month - 1].lower()}" if per in _YEARS else str(first.year)


def label_in(name: str, family: str, per: str) -> str:
    """Give the label of a period in the name of a family's value, such as 2026 in `paid_2026`; empty where none is."""
    text = name.removeprefix(f"{family}_")
    return text if text != name and re.fullmatch(_LABELS[per], text, re.ASCII) else ""


def spoken_label(text: str) -> str:
    """Put a label into words: `2026_05` is "May 2026", `2026_from_april` "the year from April 2026"."""
    year, _, part = text.partition("_")
    if part.startswith("from_"):
        return f"the year from {part.removeprefix('from_').capitalize()} {year}"
    if part.startswith("q"):
        last = int(part[1:]) * 3
        return f"{MONTH_NAMES[last - 3]} to {MONTH_NAMES[last - 1]} {year}"
    return f"{MONTH_NAMES[int(part) - 1]} {year}" if part else year
