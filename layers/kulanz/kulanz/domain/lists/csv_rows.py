"""Rows of CSV: a line taken apart by the columns of the header.

A row may lack its last cells, and may have empty ones behind the last column: Excel drops and adds them.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactValue
from kulanz.domain.lists.former_ids import FORMER_COLUMNS, former_in_fields, states_no_former
from kulanz.domain.lists.header import ACCOUNT_COLUMN, ListFormat, ListLayout
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import (
    Cells,
    Identify,
    LineReader,
    Problem,
    ReadLoosely,
    Record,
    decode,
    fact_problems,
    never_sure,
    or_problem,
    quotes_expected,
    together,
    value_or_invalid,
)
from kulanz.domain.lists.to_bill import TO_BILL_COLUMNS, states_no_bill, to_bill_in_fields
from kulanz.domain.lists.unread_columns import unread_currency

QUOTES_EXPECTED = "quotes around a whole field, doubled inside it"


def csv_reader(
    layout: ListLayout,
    facts: Sequence[FactDeclaration],
    subject_column: str | None,
    ignored: Sequence[str],
    now: datetime | None = None,
) -> LineReader:
    """The reader of a CSV list's lines for the facts a policy reads; built once per run.

    `now` is when the rows are decided; None where that does not matter.
    """
    places = {name: place for place, name in enumerate(layout.columns)}
    width = len(layout.columns)
    account_place = places[ACCOUNT_COLUMN]
    subject_place = account_place if subject_column is None else places[subject_column]
    # A column that the policy can do without and the list has not lies behind the last one: empty, so unknown.
    fact_places = tuple(places.get(fact.name, width) for fact in facts)
    has_absent = width in fact_places
    own_places = {places[name] for name in (*TO_BILL_COLUMNS, *FORMER_COLUMNS) if name in places}
    read_places = sorted(({account_place, subject_place, *fact_places} | own_places) - {width})
    fields_of = _fields_reader(width, layout.unnamed, read_places)
    states_currency = unread_currency(facts, ignored)
    currency_places = [place for place, name in enumerate(layout.columns) if states_currency(name)]
    cells_of, currencies_of = _picked(fact_places), _picked(currency_places)
    parsers = tuple(fact.parse_text for fact in facts)
    read_to_bill, read_former = to_bill_in_fields(layout.columns), former_in_fields(layout.columns, now)
    states_more = read_to_bill is not states_no_bill or read_former is not states_no_former
    identify = Identify(layout, subject_column)
    is_sure = never_sure if states_more else identify.is_sure

    def split(raw: bytes) -> Record | Problem:
        text = decode(raw)
        fields = text if isinstance(text, Problem) else fields_of(text)
        if isinstance(fields, Problem):
            return fields
        if has_absent:
            fields.append("")
        cells, currencies = cells_of(fields), currencies_of(fields)
        account = fields[account_place]
        if is_sure(account):
            return Record(account, WHOLE_ACCOUNT, cells, currencies)
        identity, stated = identify(account, fields[subject_place]), or_problem(read_to_bill, fields)
        if isinstance(identity, Problem) and is_short(raw):
            return _field_count(width)  # where other separators stand, the whole line is one field: that is wrong
        was = or_problem(read_former, "" if isinstance(identity, Problem) else identity[0], fields)
        if isinstance(identity, Problem) or isinstance(stated, Problem) or isinstance(was, Problem):
            wrong = [one for part in (identity, stated, was) if isinstance(part, Problem) for one in part.each()]
            return together([*wrong, *found(cells)])
        return Record(*identity, cells, currencies, stated, was)

    def found(cells: Cells) -> Sequence[Problem]:
        return list(fact_problems(zip(parsers, cells, strict=True)))

    def values(cells: Cells) -> tuple[FactValue | None, ...]:
        return tuple([parse(cell) for parse, cell in zip(parsers, cells, strict=True)])

    named = {ACCOUNT_COLUMN: account_place, **({} if subject_column is None else {subject_column: subject_place})}
    loosely = _loose_reader(fields_of, named, facts, fact_places, currency_places)

    def is_short(raw: bytes) -> bool:
        text = raw.decode("utf-8")
        return len(next(csv.reader([text])) if '"' in text else text.split(",")) < width

    return LineReader(ListFormat.CSV, split, values, lambda cells: together(found(cells)), is_short, loosely)


def _picked(places: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """What takes the fields at some places, once for each row of a list: `itemgetter` gives a tuple of several only."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda fields: tuple([fields[place] for place in places])


def _loose_reader(
    fields_of: Callable[[str], list[str] | Problem],
    named: Mapping[str, int],
    facts: Sequence[FactDeclaration],
    places: Sequence[int],
    currency_places: Sequence[int],
) -> Callable[[bytes], ReadLoosely | None]:
    """What reads a line that is wrong, as far as it can be: its ids, by the names of their columns, and its facts."""

    def loosely(raw: bytes) -> ReadLoosely | None:
        text = decode(raw)
        fields = text if isinstance(text, Problem) else fields_of(text)
        if isinstance(fields, Problem):
            return None
        fields.append("")
        cells = [fields[place] for place in places]
        said = {name: fields[place] for name, place in named.items()}
        said |= {fact.name: cell for fact, cell in zip(facts, cells, strict=True)}
        values = [value_or_invalid(fact.parse_text, cell) for fact, cell in zip(facts, cells, strict=True)]
        return ReadLoosely(said, tuple(values), tuple([fields[place] for place in currency_places]))

    return loosely


def _fields_reader(
    width: int, unnamed: Sequence[int], read_places: Sequence[int]
) -> Callable[[str], list[str] | Problem]:
    """What takes a line apart into as many fields as the header has. Of those at `read_places` something is read."""
    waiting: list[str] = []
    read = csv.reader(iter(waiting.pop, None), strict=True).__next__
    """One reader for all lines, each of which is a whole row: where it wants another line, there is none to take."""

    def fields_of(text: str) -> list[str] | Problem:
        has_quotes = '"' in text
        if has_quotes:
            try:
                waiting.append(text)
                fields = read()
            except (csv.Error, IndexError):
                return Problem(RowReason.CSV_MALFORMED, "", quotes_expected(QUOTES_EXPECTED, text))
        else:
            fields = text.split(",")
        if len(fields) < width:
            fields.extend([""] * (width - len(fields)))
        if has_quotes:
            for place in read_places:
                if fields[place][:1].isspace() and clean(fields[place])[:1] == '"':
                    return Problem(RowReason.CSV_MALFORMED, "", f"{QUOTES_EXPECTED}, and no blank before the first one")
        if len(fields) != width:
            if any(map(clean, fields[width:])):
                return _field_count(width)
            del fields[width:]
        # Files were put together; without facts the header would pass for an account, behind a byte order mark as well.
        if ACCOUNT_COLUMN in fields or (ACCOUNT_COLUMN in fields[0] and clean(fields[0]) == ACCOUNT_COLUMN):
            expected = "an account; the header stands in the first line only"
            return Problem(RowReason.HEADER_REPEATED, ACCOUNT_COLUMN, expected)
        if unnamed and any(clean(fields[place]) for place in unnamed):
            return Problem(RowReason.FIELD_WITHOUT_COLUMN, "", "cells that are empty where the header has no name")
        return fields

    return fields_of


def _field_count(width: int) -> Problem:
    return Problem(RowReason.FIELD_COUNT, "", f"{width} fields, as the header has, separated by commas")
