"""The header of a list: its format, its columns in order, and where the first row starts.

A list is CSV with a header or JSONL, in UTF-8; a byte order mark is skipped. Columns that the policy does not read are
ignored, and so are columns without a name as long as they are empty: Excel writes them behind the last one.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.header_advice import advice
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.lists.lines import LINE_BYTES, ListRefused

HEADER_BYTES = LINE_BYTES
COLUMNS_PER_LIST = 256
ACCOUNT_COLUMN = "account_id"

_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


class ListFormat(StrEnum):
    """How a list is written; told by the ending of its key."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class ListLayout:
    """What is known of a list before its rows: format, columns in order (none for JSONL), where the first row starts.

    `account_ids` and `subject_ids` are the shapes that its ids have, where somebody stated them. A column without a
    name is blank in `columns`.
    """

    format: ListFormat
    columns: tuple[str, ...]
    data_start: int
    account_ids: IdShape | None = None
    subject_ids: IdShape | None = None

    @property
    def unnamed(self) -> tuple[int, ...]:
        """The places of columns without a name, whose cells must be empty.

        The first column may be without one and full: pandas writes the numbers of its rows there.
        """
        return tuple(place for place, name in enumerate(self.columns) if place and not clean(name))


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
        lacks = f"the header lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}, which the policy reads"
        told = advice(head[start:].decode("utf-8", errors="replace"), required)
        raise ListRefused("column_missing", f"{lacks}: {told}")
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
    if "\r" in text:
        raise ListRefused("header_malformed", "lines end with CR alone, as old programs of Macs write them; use LF")
    try:
        columns = tuple(next(csv.reader([text], strict=True), ()))
    except csv.Error:
        raise ListRefused("header_malformed", "the header is not well-formed CSV; write it as plain CSV") from None
    if not any(map(clean, columns)):
        raise ListRefused("header_malformed", "the first line is blank; the first line is the header")
    if len(columns) > COLUMNS_PER_LIST:
        raise ListRefused(
            "too_many_columns", f"the header has {len(columns)} columns; at most {COLUMNS_PER_LIST} are allowed"
        )
    twice = sorted({name for name in columns if clean(name) and columns.count(name) > 1})
    if twice:
        places = ", ".join(str(number) for number, name in enumerate(columns, 1) if name in twice)
        raise ListRefused("column_twice", f"two columns have the same name (columns {places}); name each column once")
    return columns
