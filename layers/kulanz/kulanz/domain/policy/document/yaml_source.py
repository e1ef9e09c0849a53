"""Reading a policy from its YAML file, with its data files and holidays taken in. No worker imports this."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from kulanz.domain.policy.document.data_files import take_in
from kulanz.domain.policy.document.document import PolicyDocument, read_document
from kulanz.domain.policy.document.strict_yaml import read_file, read_yaml
from kulanz.domain.policy.language.errors import DataFileNamed, Path, PolicyError
from kulanz.domain.time import SATURDAY, days_of_year

HOLIDAY_YEARS = range(2000, 2041)
"""The years whose public holidays a published policy carries."""

WEEKENDS_ALONE = (f"{HOLIDAY_YEARS[0]}-01-01", f"{HOLIDAY_YEARS[-1]}-12-31")
"""In place of the public holidays: the ends of their years. Such a document is good for its texts, not to decide."""

MAX_DATA_FILES = 20
"""The most data files one policy takes in."""


def read_policy(source: FilePath | str, *, with_days_off: bool = True) -> PolicyDocument:
    """Read a policy, from a path or from its text. Its expressions are not looked at yet.

    Without its days off, which take a tenth of a second a region, it may be shown, never decide and never be published.
    Raises ``PolicyError`` with file, line, and what to do.
    """
    file = source if isinstance(source, FilePath) else None
    data, lines = read_yaml(source, "") if isinstance(source, str) else read_file(source)
    document = _with_data_files(data, lines, file)
    region = document.policy.working_days
    if region and with_days_off:
        document = _with_days_off(document, region)
    elif region:
        document = replace(document, holidays=WEEKENDS_ALONE)
    return document


def _with_data_files(data: dict[str, Any], lines: dict[Path, int], file: FilePath | None) -> PolicyDocument:
    """Read a document, taking in one data file after another until none is named."""
    name = str(file or "")
    taken: list[str] = []
    while True:
        try:
            document = read_document(data, file=name, lines=lines)
            return replace(document, data_files=tuple(taken))
        except DataFileNamed as named:
            try:
                found, content = take_in(named, file)
            except PolicyError as error:
                raise error.located(name, lines) from None
            _put(data, named.path, content)
            taken.append(str(found))
        if len(taken) > MAX_DATA_FILES:
            raise PolicyError(f"expected at most {MAX_DATA_FILES} data files", file=name)


def _put(data: Any, path: Path, content: Any) -> None:
    """Put what was taken in where its name stands."""
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = content


def _with_days_off(document: PolicyDocument, region: str) -> PolicyDocument:
    holidays, worked = days_off(region)
    if not holidays:
        problem = f"{region!r} has no calendar of public holidays; write a country or region such as DE or GB-ENG"
        raise document.located(PolicyError(problem, ("working_days",)))
    return replace(document, holidays=holidays, worked=worked)


@cache
def days_off(region: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give where a region's working days are not Monday to Friday: the days off, and the weekend days that are worked.

    Days are in order; there are none where the region is not known. The days off are its public holidays and the days
    from Monday to Friday of its own weekend, as it was in that year. Years for which the calendar lacks some holidays
    (it warns: India's follow the moon and are announced) are left out, so that no day of theirs is taken for a working
    day.
    """
    import warnings  # noqa: PLC0415 (needed here only)

    import holidays  # noqa: PLC0415 (slow to import, and few policies count working days)

    country, _, subdivision = region.partition("-")
    off: set[date] = set()
    worked: set[date] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for year in HOLIDAY_YEARS:
            try:
                known = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
            except UserWarning:
                continue
            except NotImplementedError:
                return (), ()
            off |= set(known)
            known.expand = False  # a holiday of the next year that is observed in this one is in its own year's list
            for day in days_of_year(year):
                is_worked = day not in known and (not known.is_weekend(day) or day in known.weekend_workdays)
                if day.weekday() < SATURDAY and not is_worked:
                    off.add(day)
                elif day.weekday() >= SATURDAY and is_worked:
                    worked.add(day)
    return _written(off), _written(worked)


def _written(days: Iterable[date]) -> tuple[str, ...]:
    return tuple(day.isoformat() for day in sorted(days))
