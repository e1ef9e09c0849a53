"""A month that a page is about: the one that was chosen, those beside it, and the last ones."""

import re
from datetime import datetime

from kulanz_console.port import NotAnswered, Why
from kulanz_console.visit import Visit

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
MONTHS = 12


def month_of(visit: Visit) -> str:
    """The month of a question, such as 2026-11; by default this one, of UTC. Raises NotAnswered."""
    chosen = visit.query.get("month", "").strip()
    if chosen and not _MONTH.fullmatch(chosen):
        raise NotAnswered("expected a month such as 2026-11; choose one", Why.WRONG)
    return chosen or f"{visit.now:%Y-%m}"


def neighbours(month: str) -> tuple[str, str]:
    """The months before and after."""
    year, number = map(int, month.split("-"))
    place = year * MONTHS + number - 1
    return _named(place - 1), _named(place + 1)


def last_months(now: datetime, number: int) -> list[str]:
    """The month of an instant, of UTC, and those before it; the latest first."""
    place = now.year * MONTHS + now.month - 1
    return [_named(place - back) for back in range(number)]


def _named(place: int) -> str:
    return f"{place // MONTHS:04d}-{place % MONTHS + 1:02d}"
