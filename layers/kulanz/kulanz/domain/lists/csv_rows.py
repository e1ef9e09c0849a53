"""Rows of CSV: a line taken apart by the columns of the header.

A row may lack its last cells, and may have empty ones behind the last column: Excel drops and adds them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactValue
from kulanz.domain.lists.header import ACCOUNT_COLUMN, ListFormat, ListLayout
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import (
    Cells,
    Identify,
    LineReader,
    Problem,
    Record,
    decode,
    fact_problems,
    quotes_expected,
    together,
)


def csv_reader(layout: ListLayout, facts: Sequence[FactDeclaration], subject_column: str | None) -> LineReader:
    """The reader of a CSV list's lines for the facts a policy reads; built once per run."""
    places = {name: place for place, name in enumerate(layout.columns)}
    width = len(layout.columns)
    account_place = places[ACCOUNT_COLUMN]
    subject_place = account_place if subject_column is None else places[subject_column]
    # A column that the policy can do without and the list has not lies behind the last one: empty, so unknown.
    fact_places = tuple(places.get(fact.name, width) for fact in facts)
    has_absent = width in fact_places
    fields_of = _Fields(width, layout.unnamed, {account_place, subject_place, *fact_places} - {width})
    parsers = tuple(fact.parse_text for fact in facts)
    identify = Identify(layout, subject_column)
    is_sure = identify.is_sure

    def split(raw: bytes) -> Record | Problem:
        text = decode(raw)
        fields = text if isinstance(text, Problem) else fields_of(text)
        if isinstance(fields, Problem):
            return fields
        if has_absent:
            fields.append("")
        cells = tuple([fields[place] for place in fact_places])
        account = fields[account_place]
        if is_sure(account):
            return Record(account, WHOLE_ACCOUNT, cells)
        identity = identify(account, fields[subject_place])
        if isinstance(identity, Problem):
            # Where other separators stand, the whole line is one field: that is what is wrong with it.
            return _field_count(width) if is_short(raw) else together([*identity.each(), *found(cells)])
        return Record(*identity, cells)

    def found(cells: Cells) -> Sequence[Problem]:
        return list(fact_problems(zip(parsers, cells, strict=True)))

    def values(cells: Cells) -> tuple[FactValue | None, ...]:
        return tuple([parse(cell) for parse, cell in zip(parsers, cells, strict=True)])

    def is_short(raw: bytes) -> bool:
        text = raw.decode("utf-8")
        return len(next(csv.reader([text])) if '"' in text else text.split(",")) < width

    return LineReader(ListFormat.CSV, split, values, lambda cells: together(found(cells)), is_short)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Takes a line apart into as many fields as the header has. `read_places` are those of which something is read."""

    width: int
    unnamed: tuple[int, ...]
    read_places: set[int]

    def __call__(self, text: str) -> list[str] | Problem:
        fields = _quoted(text, self.read_places) if '"' in text else text.split(",")
        if isinstance(fields, Problem):
            return fields
        if len(fields) != self.width and not _fit(fields, self.width):
            return _field_count(self.width)
        # Files were put together; without facts the header would pass for an account, behind a byte order mark as well.
        if ACCOUNT_COLUMN in fields or clean(fields[0]) == ACCOUNT_COLUMN:
            expected = "an account; the header stands in the first line only"
            return Problem(RowReason.HEADER_REPEATED, ACCOUNT_COLUMN, expected)
        if self.unnamed and any(clean(fields[place]) for place in self.unnamed):
            return Problem(RowReason.FIELD_WITHOUT_COLUMN, "", "cells that are empty where the header has no name")
        return fields


def _field_count(width: int) -> Problem:
    return Problem(RowReason.FIELD_COUNT, "", f"{width} fields, as the header has, separated by commas")


def _quoted(text: str, read_places: set[int]) -> list[str] | Problem:
    """The fields of a line with quotes in it."""
    expected = "quotes around a whole field, doubled inside it"
    try:
        fields = next(csv.reader([text], strict=True))
    except csv.Error:
        return Problem(RowReason.CSV_MALFORMED, "", quotes_expected(expected, text))
    for place in read_places:
        if place < len(fields) and fields[place][:1].isspace() and clean(fields[place])[:1] == '"':
            return Problem(RowReason.CSV_MALFORMED, "", f"{expected}, and no blank before the first one")
    return fields


def _fit(fields: list[str], width: int) -> bool:
    """Give a row of another length the header's, where nothing but empty cells makes the difference."""
    if any(map(clean, fields[width:])):
        return False
    del fields[width:]
    fields.extend([""] * (width - len(fields)))
    return True
