"""The list of affected accounts: its header, its lines and its rows, from bytes to typed values.

CSV with a header or JSONL, UTF-8 (a byte order mark is skipped), one record per line, lines ended by LF or CRLF, the
last one with or without. Columns that the policy does not read are ignored. A line is known by its byte offset.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from kulanz.domain.facts import FactDeclaration, FactError, FactValue, canonical
from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, WHOLE_ACCOUNT, is_account_id

LINE_BYTES = 64 * 1024
LINE_SCAN_BYTES = 16 * 1024 * 1024
HEADER_BYTES = LINE_BYTES
COLUMNS_PER_LIST = 256
ACCOUNT_COLUMN = "account_id"
QUOTES_UNBALANCED = "quotes_unbalanced"
"""The problem that refuses a list as a whole."""

_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


class ListFormat(StrEnum):
    """How a list is written; told by the ending of its key."""

    CSV = "csv"
    JSONL = "jsonl"


class ListRefused(Exception):
    """A list cannot be used as a whole. `reason` is a code; the text says what was expected and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ListLayout:
    """What the header tells: the format, the columns in order (none for JSONL), and where the first line starts."""

    format: ListFormat
    columns: tuple[str, ...]
    data_start: int


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


def format_of(key: str) -> ListFormat:
    """The format of a list by its key. Raises ListRefused with what to do instead."""
    lowered = key.lower()
    if lowered.endswith(".csv"):
        return ListFormat.CSV
    if lowered.endswith((".jsonl", ".ndjson")):
        return ListFormat.JSONL
    if lowered.endswith((".gz", ".zip", ".zst", ".bz2")):
        raise ListRefused(
            "list_compressed",
            "the list is compressed, which hides where its lines start; upload it as plain .csv or .jsonl",
        )
    raise ListRefused("list_format_unknown", "the list's key ends neither in .csv nor in .jsonl; name it by its format")


def read_layout(list_format: ListFormat, head: bytes, size: int, required: Sequence[str]) -> ListLayout:
    """The layout of a list of `size` bytes from its first `HEADER_BYTES` bytes.

    `required` are the columns that must be there. Raises ListRefused.
    """
    if size == 0:
        raise ListRefused("list_empty", "the list has no bytes; upload at least a header and one row")
    if head.startswith(_GZIP):
        raise ListRefused("list_compressed", "the list is gzip data; upload it as plain text")
    if head.startswith(_OTHER_ENCODINGS):
        raise ListRefused("list_not_utf8", "the list is UTF-16; save it as UTF-8")
    start = len(_BOM) if head.startswith(_BOM) else 0
    if list_format is ListFormat.JSONL:
        if size <= start:
            raise ListRefused("list_empty", "the list has no row; upload at least one")
        return ListLayout(list_format, (), start)
    end = head.find(b"\n", start, HEADER_BYTES)
    if end < 0 and size > len(head[:HEADER_BYTES]):
        raise ListRefused(
            "header_too_long",
            f"the header has no line end in its first {HEADER_BYTES} bytes; lines end with LF or CRLF",
        )
    columns = _header_columns(head[start : end if end >= 0 else len(head)].rstrip(b"\r"))
    missing = [name for name in required if name not in columns]
    if missing:
        raise ListRefused(
            "column_missing", f"the header lacks the column {', '.join(missing)}, which the policy reads; add it"
        )
    if end < 0 or end + 1 >= size:
        raise ListRefused("list_without_rows", "the list has a header and no row; upload at least one row")
    return ListLayout(list_format, columns, end + 1)


def _header_columns(line: bytes) -> tuple[str, ...]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise ListRefused("list_not_utf8", "the header is not UTF-8; save the list as UTF-8") from None
    if text.count('"') % 2 or "\0" in text:
        raise ListRefused(
            "header_malformed", "the header has an unbalanced quote or a NUL character; write it as plain CSV"
        )
    try:
        columns = tuple(next(csv.reader([text], strict=True), ()))
    except csv.Error:
        raise ListRefused("header_malformed", "the header is not well-formed CSV; write it as plain CSV") from None
    if not any(columns):
        raise ListRefused("header_malformed", "the first line is blank; the first line is the header")
    if len(columns) > COLUMNS_PER_LIST:
        raise ListRefused(
            "too_many_columns", f"the header has {len(columns)} columns; at most {COLUMNS_PER_LIST} are allowed"
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        places = ", ".join(str(number) for number, name in enumerate(columns, 1) if name in twice)
        raise ListRefused("column_twice", f"two columns have the same name (columns {places}); name each column once")
    return columns


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line without its end. `raw` is None when it is longer than `LINE_BYTES`; `end` is the next start.

    `quotes` counts the double quotes of one that is too long, which has no `raw` to count them in.
    """

    offset: int
    raw: bytes | None
    end: int
    quotes: int = 0


def lines_starting_in(
    blocks: Iterable[bytes], read_from: int, start: int, stop: int, data_start: int
) -> Iterator[Line]:
    """The lines that start in `[start, stop)`, from `blocks` of the list's bytes beginning at `read_from`.

    A line starts at `data_start` and after every LF. To know whether one starts at `start`, the byte before must be
    among the blocks: `read_from` is `start - 1`, or `start` when that is `data_start`. Bytes after the last wanted line
    are not asked for. Memory is bounded by a block and a line. Raises ListRefused for a line over `LINE_SCAN_BYTES`.
    """
    aligned = start == data_start
    if read_from != (start if aligned else start - 1):
        raise ValueError("reading starts at the byte before the span, or at the first data line")
    offset, pending, dropped, quotes = read_from, b"", 0, 0
    for block in blocks:
        pieces = (pending + block).split(b"\n")
        pending = pieces.pop()
        for piece in pieces:
            end = offset + dropped + len(piece) + 1
            if not aligned:
                aligned = True
            elif dropped or len(piece) > LINE_BYTES + 1:
                yield Line(offset, None, end, quotes + piece.count(b'"'))
            else:
                yield _line(offset, piece, end)
            offset, dropped, quotes = end, 0, 0
            if offset >= stop:
                return
        if not aligned and offset + dropped + len(pending) >= stop:
            return  # no line starts in this span
        if dropped + len(pending) > LINE_SCAN_BYTES:
            raise ListRefused(
                "line_endless",
                f"the line at byte {offset} has no end within {LINE_SCAN_BYTES} bytes; end every row with LF or CRLF",
            )
        if len(pending) > LINE_BYTES + 1:
            dropped, quotes, pending = dropped + len(pending), quotes + pending.count(b'"'), b""
    if aligned and (pending or dropped):
        end = offset + dropped + len(pending)
        yield Line(offset, None, end, quotes + pending.count(b'"')) if dropped else _line(offset, pending, end)


def _line(offset: int, piece: bytes, end: int) -> Line:
    raw = piece[:-1] if piece.endswith(b"\r") else piece
    return Line(offset, raw, end) if len(raw) <= LINE_BYTES else Line(offset, None, end, raw.count(b'"'))


def has_unbalanced_quotes(list_format: ListFormat, line: Line) -> bool:
    """Whether a line of CSV opens a quote it does not close: a line break may hide in the field."""
    quotes = line.quotes if line.raw is None else line.raw.count(b'"')
    return list_format is ListFormat.CSV and quotes % 2 == 1


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
    return Problem("fact_invalid", error.field, error.expected)


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
