"""Text files with a delimiter: Python's own reader under the profile's dialect, strict about quotes.

Measured against DuckDB and pyarrow it reads fast enough, keeps every cell as it is written, and knows the line of each
row (docs/decisions). So text files need nothing but what the command has anyway.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from kulanz.domain.lists.cells import clean
from kulanz_cli.prepare.profile import COLUMNS_MOST, HEADER_ROWS_MOST, Footer, Profile, python_encoding
from kulanz_cli.prepare.sources import (
    BATCH_ROWS,
    GZIP_FAULTS,
    READ_BYTES,
    Batch,
    Columns,
    InputUnusable,
    Progress,
    above_footer,
    cut_off,
    opened,
    places_of,
    taken,
    unreadable,
)

LINE_CHARACTERS = 1024 * 1024
"""The longest line; a file without line ends must not fill the memory."""
DELIMITERS = (",", ";", "\t", "|", "^", "~")
_BROKEN = "\0broken: "
"""What begins the only cell of a row whose quotes are wrong. No other cell begins so: those with NUL are refused."""
_LINE_END = re.compile("\r\n|\r|\n")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

type _Rows = tuple[Sequence[int], list[list[str]]]
"""The first line of each row, and its cells."""


class TextSource:
    """One text file, plain or packed."""

    def __init__(self, path: Path, profile: Profile, progress: Progress, *, is_gzip: bool) -> None:
        self._path, self._profile, self._progress, self._is_gzip = path, profile, progress, is_gzip
        self._is_whole, self._has_nul = True, False
        self._header_line = profile.dialect.header_rows[0] if profile.dialect.header else 0
        with opened(path, _unwatched, is_gzip=is_gzip) as file:
            try:
                self._must_be_encoded(file.read(READ_BYTES))
            except GZIP_FAULTS:
                raise cut_off(path) from None
        self._header: list[str] = []
        self.names: Sequence[str] = ()
        self.names = self._names(next(self._read(_unwatched), ([], [])))

    def _names(self, first: "_Rows") -> list[str]:
        lines, rows = first
        if not self._header_line:
            width = max(map(len, rows[:HEADER_ROWS_MOST]), default=0)
            return [str(number) for number in range(1, width + 1)]
        header = next((row for line, row in zip(lines, rows, strict=True) if line == self._header_line), [])
        if not any(header) or header[0].startswith(_BROKEN):
            raise InputUnusable(f"{self._path}: line {self._header_line} is no header; it is blank, or broken")
        if len(header) > COLUMNS_MOST:
            raise InputUnusable(f"{self._path}: the header has {len(header)} columns; at most {COLUMNS_MOST} are read")
        if any("\udc80" <= letter <= "\udcff" for name in header for letter in name):
            raise InputUnusable(
                f"{self._path}: the header is not {self._profile.encoding}; state the encoding, such as windows-1252"
            )
        self._header = header
        return [clean(name) for name in header]

    def _must_be_encoded(self, sample: bytes) -> None:
        """Refuse a file whose first bytes say that its encoding is another."""
        stated = self._profile.encoding
        is_utf_16 = sample.startswith(_UTF_16)
        if is_utf_16 is not (stated == "utf-16"):
            has = "UTF-16" if is_utf_16 else "no byte order mark of UTF-16"
            raise InputUnusable(f"{self._path}: the file has {has}, the profile says {stated}; correct encoding")
        if stated.startswith("utf") or sample.isascii():
            return
        try:
            codecs.getincrementaldecoder("utf-8")().decode(sample)
        except UnicodeDecodeError:
            return
        raise InputUnusable(f"{self._path}: the file is UTF-8, the profile says {stated}; correct encoding")

    def _lines(self, progress: Progress) -> Iterator[str]:
        comment = self._profile.dialect.comment
        with opened(self._path, progress, is_gzip=self._is_gzip) as file:
            errors = "strict" if self._profile.encoding == "utf-16" else "surrogateescape"
            text = io.TextIOWrapper(file, python_encoding(self._profile), errors, newline="")
            line, readline = "\n", text.readline
            while following := readline(LINE_CHARACTERS):
                line = following
                if len(line) == LINE_CHARACTERS:
                    raise InputUnusable(
                        f"{self._path}: a line has over {LINE_CHARACTERS} characters; end every row with a line end"
                    )
                if "\0" in line:
                    self._has_nul = True
                yield "\n" if comment and line.startswith(comment) else line
            self._is_whole = line[-1] in "\r\n"

    def _read(self, progress: Progress) -> Iterator["_Rows"]:
        """All rows, some at a time: titles, the header and blank ones among them; a broken one as its error."""
        dialect = self._profile.dialect
        reader = csv.reader(
            self._lines(progress), delimiter=dialect.delimiter, quotechar=dialect.quote, doublequote=dialect.doubled,
            escapechar=dialect.escape or None, skipinitialspace=dialect.skips_blanks, strict=True,
        )  # fmt: skip
        before, is_open = 0, True
        while is_open:
            rows: list[list[str]] = []
            broken = ""
            try:
                rows.extend(islice(reader, BATCH_ROWS))
            except csv.Error as error:  # what was read before it stays
                broken = f"{_BROKEN}{error}"
            except GZIP_FAULTS:
                raise cut_off(self._path) from None
            except UnicodeError:
                raise InputUnusable(
                    f"{self._path}: below line {before} it is not {self._profile.encoding}; the file is damaged, or was"
                    " joined from files of different encodings"
                ) from None
            is_open = bool(broken) or len(rows) == BATCH_ROWS
            lines = self._numbers(rows, before, reader.line_num, is_broken=bool(broken))
            if broken:
                rows.append([broken])
            before = reader.line_num
            if rows:
                yield lines, rows

    def _numbers(self, rows: list[list[str]], before: int, last: int, *, is_broken: bool) -> Sequence[int]:
        """The first line of each row. Refuses a row over several lines in which whole rows may be one cell."""
        if last - before == len(rows) + is_broken:
            return range(before + 1, last + 1)
        delimiter = self._profile.dialect.delimiter
        lines, line = [], before
        for row in rows:
            lines.append(line + 1)
            inside = [_LINE_END.split(cell) for cell in row if "\n" in cell or "\r" in cell]
            line += 1 + sum(len(found) - 1 for found in inside)
            if len(self.names) > 1 and any(
                part.count(delimiter) >= len(self.names) - 1 for found in inside for part in found
            ):
                raise self._unclosed(lines[-1], line)
        if is_broken:
            lines.append(line + 1)
            if last > line + 1:
                raise self._unclosed(line + 1, last)
        return lines

    def _unclosed(self, first: int, last: int) -> InputUnusable:
        return InputUnusable(
            f"{self._path}: the quote that opens in line {first} closes in line {last} or never, so that whole rows may"
            " be in one cell; double the quotes inside cells, or correct quoteChar of the profile"
        )

    def batches(self, wanted: Columns) -> Iterator[Batch]:
        """The rows below the header."""
        width, places = len(self.names), places_of(self.names, wanted)
        dropped: list[tuple[int, str]] = []
        batches = self._below_header(dropped)
        if self._profile.footer is not None:
            batches = _without_footer(batches, self._profile.footer, dropped, self._path)
        for lines, rows in batches:
            fitted = self._fitted(rows, width)
            yield Batch(lines, taken(fitted, places), dropped[:])
            dropped.clear()
        if dropped:
            yield Batch([], taken([], places), dropped)

    def _below_header(self, dropped: list[tuple[int, str]]) -> Iterator["_Rows"]:
        """The rows that are not blank; a header that comes again is none."""
        for lines, rows in self._read(self._progress):
            gone: set[int] = set()
            if lines and lines[0] <= self._header_line:
                gone = {place for place, line in enumerate(lines) if line <= self._header_line}
            if not all(map(any, rows)):
                gone |= {place for place, row in enumerate(rows) if not any(row)}
            if self._header and self._header in rows:
                again = {place for place, row in enumerate(rows) if row == self._header} - gone
                dropped += [(lines[place], "header again") for place in sorted(again)]
                gone |= again
            if gone:
                kept = [place for place in range(len(rows)) if place not in gone]
                yield [lines[place] for place in kept], [rows[place] for place in kept]
            else:
                yield lines, rows

    def _fitted(self, rows: list[list[str]], width: int) -> list[list[str]]:
        """Rows of the header's width: last cells that a row lacks are empty, and empty ones behind the last are cut."""
        if not self._has_nul and set(map(len, rows)) <= {width} and (width > 1 or not self._has_broken(rows)):
            return rows
        fitted = [row if len(row) == width and not self._has_nul else self._fit(row, width) for row in rows]
        if not self._is_whole and rows and len(rows[-1]) < width:  # the file was read to its end, and ends here
            fitted[-1] = unreadable("as many cells as the header has; the file ends within this row, cut off", width)
        return fitted

    def _has_broken(self, rows: list[list[str]]) -> bool:
        return any(row[0].startswith(_BROKEN) for row in rows)

    def _fit(self, row: list[str], width: int) -> list[str]:
        if row[0].startswith(_BROKEN):
            return unreadable("quotes around a whole cell, doubled inside it", width)
        if any("\0" in cell for cell in row):
            return unreadable("no NUL characters", width)
        if any(map(clean, row[width:])):
            return unreadable(f"{width} cells, as the header has", width)
        return row[:width] + [""] * (width - len(row))


def _without_footer(
    batches: Iterator[_Rows], footer: Footer, dropped: list[tuple[int, str]], path: Path
) -> Iterator[_Rows]:
    rows = ((line, row) for lines, rows in batches for line, row in zip(lines, rows, strict=True))
    above = above_footer(rows, footer, dropped, path)
    while some := list(islice(above, BATCH_ROWS)):
        yield [line for line, _ in some], [row for _, row in some]


def _unwatched(_: int) -> None:
    """Nothing is shown of what is read twice."""


def advice(path: Path, profile: Profile, lacking: Sequence[str], wanted: Sequence[str]) -> str:
    """What is probably wrong with a profile whose columns a text file lacks: another delimiter, or another line."""
    found = _header_elsewhere(path, profile, wanted)
    if found is None:
        return ""
    delimiter, line = found
    corrections = []
    if delimiter != profile.dialect.delimiter:
        corrections.append(f"delimiter {delimiter!r}, not {profile.dialect.delimiter!r}")
    if line != profile.dialect.header_rows[0]:
        corrections.append(f"headerRows [{line}], not {list(profile.dialect.header_rows)}")
    return f"; the file has {' and '.join(corrections)}: correct the profile" if corrections and lacking else ""


def _header_elsewhere(path: Path, profile: Profile, wanted: Sequence[str]) -> tuple[str, int] | None:
    """The delimiter and the line at which all wanted names stand."""
    text = first_text(path, python_encoding(profile))
    for number, line in enumerate(text.splitlines()[:HEADER_ROWS_MOST], 1):
        for delimiter in DELIMITERS:
            try:
                names = {clean(name) for name in next(csv.reader([line], delimiter=delimiter), [])}
            except csv.Error:
                continue
            if names.issuperset(wanted):
                return delimiter, number
    return None


def first_text(path: Path, encoding: str) -> str:
    """The beginning of a text file, plain or packed, with a mark for what cannot be decoded."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    with opened(path, _unwatched, is_gzip=is_gzip) as stream:
        decoder: Any = codecs.getincrementaldecoder(encoding)(errors="replace")
        return str(decoder.decode(stream.read(READ_BYTES)))
