"""The rows of a list: a line taken apart into the account it is about and its cells, and these typed.

CSV and JSONL, one record per line. A problem with a line names its field and holds no value of it.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, WHOLE_ACCOUNT, is_account_id
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import LIST_SEPARATOR_UNKNOWN, FactError, FactValue, canonical
from kulanz.domain.lists.header import ACCOUNT_COLUMN, ListFormat, ListLayout
from kulanz.domain.lists.lines import LINE_BYTES, Line

QUOTES_UNBALANCED = "quotes_unbalanced"
"""The problem that refuses a list as a whole."""

type Cells = tuple[Any, ...]
"""The columns a policy reads, as a line has them; equal cells are equal facts, and a decision is remembered by them."""


class Record(NamedTuple):
    """A line taken apart: the subject it is about, and the cells of the facts, not yet typed."""

    account_id: str
    subject: str
    cells: Cells


@dataclass(frozen=True, slots=True)
class Row:
    """A typed line: the subject it is about and the facts the policy reads, in the policy's order (None is unknown)."""

    account_id: str
    subject: str
    values: tuple[FactValue | None, ...]


def facts_text(values: Sequence[FactValue | None]) -> str:
    """The facts' part of what a row's digest is over: each value's text with its length before it."""
    return "".join(_measured("" if value is None else canonical(value)) for value in values)


def row_digest(account_id: str, subject: str, facts: str) -> str:
    """128 bits, as hex, over all typed content of a row: equal digests are equal rows."""
    return blake2b(f"{_measured(account_id)}{_measured(subject)}{facts}".encode(), digest_size=16).hexdigest()


def _measured(text: str) -> str:
    return f"{len(text)}:{text}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be decided; it holds no value of the line."""

    reason: str
    field: str
    expected: str


def has_unbalanced_quotes(list_format: ListFormat, line: Line) -> bool:
    """Whether a line of CSV opens a quote it does not close: a line break may hide in the field."""
    quotes = line.quotes if line.raw is None else line.raw.count(b'"')
    return list_format is ListFormat.CSV and quotes % 2 == 1


def unseparated_lists(lines: int) -> str:
    """Why a list is refused as a whole, `lines` of which have a cell that nobody can take apart."""
    return (
        f"{LIST_SEPARATOR_UNKNOWN}: {lines} lines have a list with , or ; and without | in a cell; separate its items"
        " with |, or name the separator in the policy"
    )


@dataclass(frozen=True, slots=True)
class LineReader:
    """Reads the lines of one list for one policy: `split` takes a line apart, `values` types the cells of its facts.

    `split` gives a record or the problem with the line; `values` raises FactError.
    """

    format: ListFormat
    split: Callable[[bytes], Record | Problem]
    values: Callable[[Cells], tuple[FactValue | None, ...]]

    def record(self, line: Line) -> Record | Problem:
        """The record of a line that is not blank, or the problem with it."""
        if has_unbalanced_quotes(self.format, line):
            return Problem(QUOTES_UNBALANCED, "", "an even number of double quotes; no line break inside a field")
        if line.raw is None:
            return Problem("line_too_long", "", f"a line of at most {LINE_BYTES} bytes")
        return self.split(line.raw)

    def row(self, raw: bytes) -> Row | Problem:
        """The typed row of one non-blank line, or the problem with it."""
        record = self.split(raw)
        if isinstance(record, Problem):
            return record
        try:
            return Row(record.account_id, record.subject, self.values(record.cells))
        except FactError as error:
            return fact_problem(error)


def fact_problem(error: FactError) -> Problem:
    """The problem with a line one of whose facts is not what the policy declared."""
    return Problem(error.reason, error.field, error.expected)


def line_reader(layout: ListLayout, facts: Sequence[FactDeclaration], subject_column: str | None) -> LineReader:
    """The reader of a list's lines for the facts a policy reads; built once per run."""
    if layout.format is ListFormat.CSV:
        return _csv_reader(layout, facts, subject_column)
    return _jsonl_reader(facts, subject_column)


def _decode(raw: bytes) -> str | Problem:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Problem("not_utf8", "", "a line in UTF-8")
    if "\0" in text:
        return Problem("nul_character", "", "a line without NUL characters")
    return text


def _identify(account_id: object, subject: object, subject_column: str | None) -> tuple[str, str] | Problem:
    if account_id is None or account_id == "":
        return Problem("account_id_missing", ACCOUNT_COLUMN, ACCOUNT_ID_EXPECTED)
    if not isinstance(account_id, str) or not is_account_id(account_id):
        return Problem("account_id_invalid", ACCOUNT_COLUMN, ACCOUNT_ID_EXPECTED)
    if subject_column is None:
        return account_id, WHOLE_ACCOUNT
    if not isinstance(subject, str) or not is_account_id(subject):
        return Problem("subject_id_invalid", subject_column, ACCOUNT_ID_EXPECTED)
    return account_id, subject


def _csv_reader(layout: ListLayout, facts: Sequence[FactDeclaration], subject_column: str | None) -> LineReader:
    places = {name: place for place, name in enumerate(layout.columns)}
    width = len(layout.columns)
    account_place = places[ACCOUNT_COLUMN]
    subject_place = None if subject_column is None else places[subject_column]
    # A column that the policy can do without and the list has not lies behind the last one: empty, so unknown.
    fact_places = tuple(places.get(fact.name, width) for fact in facts)
    has_absent = width in fact_places
    parsers = tuple(fact.parse_text for fact in facts)

    def split(raw: bytes) -> Record | Problem:
        text = _decode(raw)
        if isinstance(text, Problem):
            return text
        if '"' in text:
            try:
                fields = next(csv.reader([text], strict=True))
            except csv.Error:
                return Problem("csv_malformed", "", "quotes around a whole field, doubled inside it")
        else:
            fields = text.split(",")
        if len(fields) != width:
            return Problem("field_count", "", f"{width} fields, as the header has")
        if ACCOUNT_COLUMN in fields:  # files were put together; without facts it would pass for an account
            return Problem("header_repeated", ACCOUNT_COLUMN, "an account; the header stands in the first line only")
        if has_absent:
            fields.append("")
        identity = _identify(
            fields[account_place], None if subject_place is None else fields[subject_place], subject_column
        )
        if isinstance(identity, Problem):
            return identity
        return Record(*identity, tuple([fields[place] for place in fact_places]))

    def values(cells: Cells) -> tuple[FactValue | None, ...]:
        return tuple([parse(cell) for parse, cell in zip(parsers, cells, strict=True)])

    return LineReader(ListFormat.CSV, split, values)


def _jsonl_reader(facts: Sequence[FactDeclaration], subject_column: str | None) -> LineReader:
    parsers = tuple((_json_entry(fact.name), fact.parse_json) for fact in facts)
    subject_of = None if subject_column is None else _json_entry(subject_column)
    decoder = json.JSONDecoder(object_pairs_hook=_object_once, parse_constant=_no_constant, parse_float=Decimal)

    def split(raw: bytes) -> Record | Problem:
        text = _decode(raw)
        if isinstance(text, Problem):
            return text
        try:
            record = decoder.decode(text)
        except (ValueError, RecursionError, ArithmeticError):
            return Problem("json_malformed", "", "one JSON object with each name once")
        if not isinstance(record, dict):
            return Problem("json_malformed", "", "one JSON object with each name once")
        identity = _identify(
            record.get(ACCOUNT_COLUMN), None if subject_of is None else subject_of(record), subject_column
        )
        if isinstance(identity, Problem):
            return identity
        try:  # typed here: JSON's 1 and true are equal as cells, and are not the same fact
            return Record(*identity, tuple([parse(entry(record)) for entry, parse in parsers]))
        except FactError as error:
            return fact_problem(error)

    return LineReader(ListFormat.JSONL, split, _as_they_are)


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


def _object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name twice")
    return record


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")
