"""Workbooks (.xlsx): values by python-calamine, and a look at what values alone do not show.

Hidden rows, merged cells, and formulas that were never computed are in the file's XML only. Each could pay other
accounts than the person sees who saved the workbook, so each is refused with what to do.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from kulanz.domain.lists.cells import clean
from kulanz_cli.prepare.cells import UNREADABLE, exact, of_float
from kulanz_cli.prepare.engines import engine
from kulanz_cli.prepare.profile import Profile
from kulanz_cli.prepare.sources import (
    BATCH_ROWS,
    READ_BYTES,
    Batch,
    Columns,
    InputUnusable,
    Progress,
    Row,
    above_footer,
    places_of,
    taken,
    unreadable,
)

EXCEL_ROWS = 1_048_576
"""The rows of a sheet; a longer export is cut off there without a word."""
WORKBOOK_BYTES = 512 * 1024 * 1024
"""What the sheet and the texts of a workbook may have when they are unpacked: a workbook is read as a whole."""
NAMED = 5
_OVERLAP_BYTES = 64 * 1024
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HIDDEN_ROW = re.compile(rb'<row\b(?=[^>]*\shidden="(?:1|true)")[^>]*?\sr="([0-9]+)"')
_FORMULA = re.compile(
    rb"<c\b(?P<cell>[^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?P<value><v\b[^>]*/>|<v\b[^>]*></v>|</c>)?"
)
_PLACE = re.compile(rb'\sr="([A-Z]+[0-9]+)"')


class WorkbookSource:
    """One sheet of a workbook."""

    def __init__(self, path: Path, profile: Profile, progress: Progress) -> None:
        self._path, self._profile, self._progress = path, profile, progress
        calamine = engine("python_calamine", "workbooks")
        try:
            with zipfile.ZipFile(path) as packed:
                self._must_fit(packed)
                book = calamine.CalamineWorkbook.from_path(str(path))
                name = self._sheet_name(book)
                self._computed = self._looked_at(packed, name)
                self._sheet = book.get_sheet_by_name(name)
                self._rows = self._sheet.to_python(skip_empty_area=False)
        except (zipfile.BadZipFile, calamine.CalamineError, ET.ParseError, KeyError):
            raise InputUnusable(f"{path}: it is no workbook, or it is damaged; save it again") from None
        if len(self._rows) >= EXCEL_ROWS:
            raise InputUnusable(
                f"{path}: the sheet has {EXCEL_ROWS:,} rows, which is Excel's limit: what was exported beyond it is not"
                " in the file; export CSV instead"
            )
        self._header_line = profile.dialect.header_rows[0] if profile.dialect.header else 0
        self._must_not_be_merged()
        self.names: Sequence[str] = self._names()

    def _must_fit(self, packed: zipfile.ZipFile) -> None:
        size = sum(one.file_size for one in packed.infolist() if one.filename.endswith(".xml"))
        if size > WORKBOOK_BYTES:
            raise InputUnusable(
                f"{self._path}: unpacked, the workbook has over {WORKBOOK_BYTES} bytes and is read as a whole; save the"
                " sheet as CSV UTF-8, or export CSV, which is read at any size"
            )

    def _sheet_name(self, book: Any) -> str:
        names: list[str] = book.sheet_names
        stated = self._profile.dialect.sheet
        if stated and stated in names:
            return stated
        if stated or len(names) != 1:
            raise InputUnusable(
                f"{self._path}: the workbook has the sheets {', '.join(names[:NAMED])}; name the one that is meant as"
                " dialect.sheetName of the profile"
            )
        return names[0]

    def _looked_at(self, packed: zipfile.ZipFile, name: str) -> int:
        """How many cells of a sheet are computed. Refuses hidden rows, and formulas without a result."""
        hidden: list[int] = []
        empty: list[str] = []
        computed = 0
        with packed.open(_part_of(packed, name)) as file:
            kept = b""
            while block := file.read(READ_BYTES):
                text = kept + block
                # What lies in the overlap may go on in the next block; it is counted there, and only there.
                stop = len(text) - _OVERLAP_BYTES if len(block) == READ_BYTES else len(text)
                stop = max(stop, 0)
                hidden += [int(found[1]) for found in _HIDDEN_ROW.finditer(text) if found.start() < stop]
                for found in _FORMULA.finditer(text):
                    if found.start() < stop:
                        computed += 1
                        if found["value"] and b't="str"' not in found["cell"]:
                            place = _PLACE.search(found["cell"])
                            empty.append(place[1].decode() if place else "?")
                kept = text[stop:]
        if hidden:
            raise InputUnusable(
                f"{self._path}: {len(hidden):,} rows are hidden, {_first(hidden)} among them: whoever saved the"
                " workbook does not see them; show them all, or copy the rows that are meant to a new sheet"
            )
        if empty:
            raise InputUnusable(
                f"{self._path}: {len(empty):,} cells have a formula that was never computed, {_first(empty)} among"
                " them; open the workbook in a spreadsheet and save it"
            )
        return computed

    def _must_not_be_merged(self) -> None:
        """Refuse merged cells below the header: only the first cell of a merged range has a value."""
        below = [
            f"{_column_name(left)}{top + 1}:{_column_name(right)}{bottom + 1}"
            for (top, left), (bottom, right) in self._sheet.merged_cell_ranges or ()
            if bottom + 1 >= max(self._header_line, 1)
        ]
        if below:
            raise InputUnusable(
                f"{self._path}: cells are merged, {_first(below)}: only the first of them has a value; unmerge them and"
                " fill each cell"
            )

    def _names(self) -> list[str]:
        if not self._header_line:
            return [str(number) for number in range(1, max(map(len, self._rows), default=0) + 1)]
        if len(self._rows) < self._header_line:
            raise InputUnusable(f"{self._path}: the sheet has no row {self._header_line} for a header")
        header = self._rows[self._header_line - 1]
        return [clean(name) if isinstance(name, str) else str(name) for name in header]

    def batches(self, wanted: Columns) -> Iterator[Batch]:
        """The rows below the header."""
        places = places_of(self.names, wanted)
        dropped: list[tuple[int, str]] = []
        rows: Iterator[Row] = (
            (line, [_spelled(value) for value in values])
            for line, values in enumerate(self._rows, 1)
            if line > self._header_line and any(value != "" for value in values)
        )
        if self._profile.footer is not None:
            rows = above_footer(rows, self._profile.footer, dropped, self._path)
        width = len(self.names)
        lines: list[int] = []
        cells: list[list[str]] = []
        for line, row in rows:
            lines.append(line)
            is_longer = any(map(clean, row[width:]))
            cells.append(
                unreadable(f"{width} cells, as the header has", width)
                if is_longer
                else row[:width] + [""] * (width - len(row))
            )
            if len(cells) == BATCH_ROWS:
                yield Batch(lines, taken(cells, places), dropped[:])
                lines, cells = [], []
                dropped.clear()
        yield Batch(lines, taken(cells, places), dropped)
        self._progress(self._path.stat().st_size)


def _spelled(value: Any) -> str:
    match value:
        case float():
            return of_float(value)
        case time() | timedelta():
            return f"{UNREADABLE}a value that a list has; it is a time of day"
        case datetime():
            return exact(value)
        case _:
            return exact(value)


def _part_of(packed: zipfile.ZipFile, sheet: str) -> str:
    """The name of a sheet's part in the package."""
    book = ET.fromstring(packed.read("xl/workbook.xml"))  # noqa: S314 (expat refuses amplification)
    sheets = (one for one in book.iter() if one.tag.endswith("}sheet") and one.get("name") == sheet)
    wanted = next(one.attrib[_RELATION] for one in sheets)
    links = ET.fromstring(packed.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 (as above)
    target = next(one.attrib["Target"] for one in links if one.get("Id") == wanted)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _first(found: Sequence[object]) -> str:
    return ", ".join(str(one) for one in found[:NAMED]) + (" and more" if len(found) > NAMED else "")


def _column_name(place: int) -> str:
    name = ""
    number = place + 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
