"""Rows of JSONL: one object in each line, typed as soon as it is read.

JSON's 1 and true are equal as cells, and are not the same fact.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kulanz.domain.canonical import no_constant, object_once
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError, FactValue
from kulanz.domain.lists.former_ids import former_in_record
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
    or_problem,
    together,
    value_or_invalid,
)
from kulanz.domain.lists.to_bill import to_bill_in_record
from kulanz.domain.lists.unread_columns import entries_of, near_misses, unread_currency

NAMES_REMEMBERED = 1_024
"""Names of records' entries, of which it is remembered whether each names a currency."""


def jsonl_reader(
    layout: ListLayout,
    facts: Sequence[FactDeclaration],
    subject_column: str | None,
    ignored: Sequence[str],
    own_columns: Sequence[str] = (),
    now: datetime | None = None,
) -> LineReader:
    """The reader of a JSONL list's lines for the facts a policy reads; built once per run.

    A record that lacks a fact and nearly names it is wrong, unless that name is among the `ignored` ones: else the
    fact's default would count for a record whose writer stated the fact. `own_columns` are looked at in the same way:
    OWN_COLUMNS where rows are decided, else none. `now` is when they are decided; None where that does not matter.
    """
    parsers = tuple((_json_entry(fact.name), fact.parse_json) for fact in facts)
    subject_of = _json_entry(ACCOUNT_COLUMN if subject_column is None else subject_column)
    decoder = json.JSONDecoder(object_pairs_hook=object_once, parse_constant=no_constant, parse_float=Decimal)
    states_currency = lru_cache(NAMES_REMEMBERED)(unread_currency(facts, ignored))
    identify = Identify(layout, subject_column)
    missed = near_misses(facts, subject_column, ignored, own_columns)

    def split(raw: bytes) -> Record | Problem:
        text = decode(raw)
        if isinstance(text, Problem):
            return text
        record = _object(decoder, text)
        if record is None:
            return Problem(RowReason.JSON_MALFORMED, "", "one JSON object with each name once")
        identity = identify(record.get(ACCOUNT_COLUMN), subject_of(record))
        is_nested = text.count("{") > 1
        nearly, stated = missed(record, is_nested), or_problem(to_bill_in_record, record)
        was = or_problem(former_in_record, "" if isinstance(identity, Problem) else identity[0], record, now)
        if isinstance(identity, Problem) or isinstance(stated, Problem) or isinstance(was, Problem) or nearly:
            wrong = [one for part in (identity, stated, was) if isinstance(part, Problem) for one in part.each()]
            return together([*wrong, *map(_nearly_named, nearly), *found(record)])
        try:
            cells = tuple([parse(entry(record)) for entry, parse in parsers])
        except FactError:
            return together(found(record))
        entries = entries_of(record) if is_nested else record.items()
        return Record(*identity, cells, _currencies(entries, states_currency), stated, was)

    def found(record: dict[str, Any]) -> Sequence[Problem]:
        return list(fact_problems((parse, entry(record)) for entry, parse in parsers))

    columns = (ACCOUNT_COLUMN, *(() if subject_column is None else (subject_column,)))
    loosely = _loose_reader(decoder, columns, facts, states_currency)

    def never_short(_: bytes) -> bool:
        return False

    return LineReader(ListFormat.JSONL, split, _as_they_are, _without_faults, never_short, loosely)


def _object(decoder: json.JSONDecoder, text: str) -> dict[str, Any] | None:
    """The object of a line; None where it is none, or has a name twice."""
    try:
        record = decoder.decode(text)
    except (ValueError, RecursionError, ArithmeticError):
        return None
    return record if isinstance(record, dict) else None


def _loose_reader(
    decoder: json.JSONDecoder,
    columns: Sequence[str],
    facts: Sequence[FactDeclaration],
    states_currency: Callable[[str], bool],
) -> Callable[[bytes], ReadLoosely | None]:
    """What reads a line that is wrong, as far as it can be: its ids, by the names of their columns, and its facts."""
    entries = [(name, _json_entry(name)) for name in (*columns, *(fact.name for fact in facts))]

    def loosely(raw: bytes) -> ReadLoosely | None:
        text = decode(raw)
        record = None if isinstance(text, Problem) else _object(decoder, text)
        if record is None:
            return None
        named = {name: entry(record) for name, entry in entries}
        said = {name: cell if isinstance(cell, str) else _shown(cell) for name, cell in named.items()}
        values = tuple([value_or_invalid(fact.parse_json, named[fact.name]) for fact in facts])
        return ReadLoosely(said, values, _currencies(entries_of(record), states_currency))

    return loosely


def _currencies(entries: Iterable[tuple[str, Any]], states_currency: Callable[[str], bool]) -> tuple[str, ...]:
    return tuple([cell for name, cell in entries if isinstance(cell, str) and states_currency(name)])


def _shown(cell: Any) -> str:
    """What a record has that is no text, as JSON; nothing where it has nothing."""
    return "" if cell is None else json.dumps(cell, ensure_ascii=False, default=str)


def _nearly_named(name: str) -> Problem:
    expected = (
        "this name, written exactly so; the record has one that is almost the same or means the same, and nothing reads"
        " it: rename it, or name it in campaign.ignored_columns of the event if it is meant"
    )
    return Problem(RowReason.FACT_NEARLY_NAMED, name, expected)


def _json_entry(name: str) -> Callable[[dict[str, Any]], Any]:
    """Give what reads an entry of a record; one with dots in its name may be nested instead."""
    if "." not in name:
        return lambda record: record.get(name)

    def nested(record: dict[str, Any]) -> Any:
        if name in record:
            return record[name]
        entry: Any = record
        for part in name.split("."):
            entry = entry.get(part) if isinstance(entry, dict) else None
        return entry

    return nested


def _as_they_are(cells: Cells) -> tuple[FactValue | None, ...]:
    return cells


def _without_faults(_: Cells) -> Problem:
    raise AssertionError("rows of JSONL are typed when they are taken apart")
