"""What a file is before anything of its columns is known: its encoding, its delimiter, where header and footer are."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.header_advice import ACCOUNT_NAMES
from kulanz_cli.prepare.engines import engine
from kulanz_cli.prepare.profile import ENCODINGS
from kulanz_cli.prepare.question import Question
from kulanz_cli.prepare.sources import GZIP, GZIP_FAULTS, PARQUET, READ_BYTES, ZIP, InputUnusable, cut_off, opened
from kulanz_cli.prepare.text import DELIMITERS

HEADER_LINES = 30
LINES_COMPARED = 500
FOOTER_LINES = 20
TAIL_BYTES = 64 * 1024
LIKELY = ("windows-1252", "iso-8859-15", "windows-1250", "windows-1251", "macintosh", "cp850", "shift_jis", "gb18030")
assert set(LIKELY) <= set(ENCODINGS)


def sniffed(path: Path, wanted: Sequence[str], answers: Mapping[str, str]) -> tuple[dict[str, Any], list[Question]]:
    """What a profile states of a file beside its columns, and what has to be asked first. Raises InputUnusable."""
    with path.open("rb") as file:
        head = file.read(4)
    is_gzip = head.startswith(GZIP)
    try:
        with opened(path, lambda _: None, is_gzip=is_gzip) as stream:
            sample = stream.read(READ_BYTES)
    except GZIP_FAULTS:
        raise cut_off(path) from None
    if sample.startswith(PARQUET):
        return {}, []
    if sample.startswith(ZIP):
        return _workbook(path, wanted, answers)
    first = sample.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first in (b"{", b"["):
        stated = answers.get("dialect.property")
        return ({"dialect": {"property": stated}} if stated else {}), []
    return _text(path, sample, wanted, answers, is_gzip=is_gzip)


def _workbook(path: Path, wanted: Sequence[str], answers: Mapping[str, str]) -> tuple[dict[str, Any], list[Question]]:
    calamine = engine("python_calamine", "workbooks")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        names: list[str] = book.sheet_names
        stated = answers.get("dialect.sheetName", names[0] if len(names) == 1 else "")
        if stated not in names:
            return {}, [Question("dialect.sheetName", "which sheet", names)]
        rows = book.get_sheet_by_name(stated).to_python(skip_empty_area=False)[:HEADER_LINES]
    except calamine.CalamineError:
        raise InputUnusable(f"{path}: it is no workbook, or it is damaged; save it again") from None
    line = _stated_line(answers) or _header_line([_filled([str(cell) for cell in row]) for row in rows], wanted)
    dialect: dict[str, Any] = {"sheetName": stated} if len(names) > 1 else {}
    return {"dialect": dialect | {"headerRows": [line]}} if line > 1 or dialect else {}, []


def _text(
    path: Path, sample: bytes, wanted: Sequence[str], answers: Mapping[str, str], *, is_gzip: bool
) -> tuple[dict[str, Any], list[Question]]:
    encoding = answers.get("encoding") or _encoding(sample)
    if not encoding:
        text = "the file is not UTF-8: its encoding (Excel in Western Europe and America: windows-1252)"
        return {}, [Question("encoding", text, LIKELY)]
    text = sample.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    lines = text.splitlines()[:LINES_COMPARED]
    if not lines:
        raise InputUnusable(f"{path}: the file is empty; export it again")
    rated = sorted(((_rate(lines, mark, wanted), mark) for mark in DELIMITERS), reverse=True)
    stated = answers.get("dialect.delimiter")
    if stated is None and rated[0][0] == rated[1][0] and rated[0][0][1] > 1:
        best = [mark for rate, mark in rated if rate == rated[0][0]]
        return {}, [Question("dialect.delimiter", "what separates the columns", best)]
    delimiter = stated or (rated[0][1] if rated[0][0][1] > 1 else ",")
    rows = [_cells(line, delimiter) for line in lines]
    dialect: dict[str, Any] = {} if delimiter == "," else {"delimiter": delimiter}
    line = min(_stated_line(answers) or _header_line(rows, wanted), len(rows))
    if not any(_is_known(name, wanted) for name in rows[line - 1]) and answers.get("dialect.header") != "true":
        if answers.get("dialect.header") is None:
            text = f"is line {line} a header with the names of the columns (no name of the policy is in it)"
            return {}, [Question("dialect.header", text, ("true", "false"))]
        dialect["header"] = False
    elif line > 1:
        dialect["headerRows"] = [line]
    found: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    found |= {"dialect": dialect} if dialect else {}
    footer = 0 if is_gzip else _footer(path, encoding, delimiter, len(rows[line - 1]))
    return found | ({"footer": {"rows": footer}} if footer else {}), []


def _encoding(sample: bytes) -> str:
    """The encoding, where there is no doubt."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # The sample may end within a letter.
        return "utf-8" if error.start >= len(sample) - 3 and len(sample) == READ_BYTES else ""
    return "utf-8"


def _rate(lines: Sequence[str], delimiter: str, wanted: Sequence[str]) -> tuple[int, int, int]:
    """How well a delimiter fits: names that are known in one line, columns of most lines, lines that have them."""
    rows = [_cells(line, delimiter) for line in lines if line.strip()]
    known = max((sum(_is_known(name, wanted) for name in row) for row in rows[:HEADER_LINES]), default=0)
    widths = Counter([len(row) for row in rows])
    width, times = widths.most_common(1)[0] if widths else (0, 0)
    return known, width if times * 2 > len(rows) else 0, times


def _header_line(rows: Sequence[Sequence[str]], wanted: Sequence[str]) -> int:
    """The line of the header, from 1: with most known names, else the first that is as wide as most."""
    known: list[int] = [sum(_is_known(name, wanted) for name in row) for row in rows[:HEADER_LINES]]
    if any(known):
        return known.index(max(known)) + 1
    widths = Counter(len(row) for row in rows if any(row))
    usual = widths.most_common(1)[0][0] if widths else 0
    return next((number for number, row in enumerate(rows, 1) if len(row) == usual), 1)


def _filled(row: list[str]) -> list[str]:
    """A row of a workbook without its empty last cells: a title fills one, and the sheet is as wide as its rows."""
    while row and not row[-1]:
        row.pop()
    return row


def _stated_line(answers: Mapping[str, str]) -> int:
    """The line of the header as it was answered; 0 where it was not."""
    stated = answers.get("dialect.headerRows", "")
    return int(stated) if stated.isdecimal() else 0


def _is_known(name: str, wanted: Sequence[str]) -> bool:
    plain = "".join(letter for letter in clean(name).casefold() if letter.isalnum())
    names = [*wanted, *ACCOUNT_NAMES]
    return bool(plain) and plain in {"".join(letter for letter in one.casefold() if letter.isalnum()) for one in names}


def _footer(path: Path, encoding: str, delimiter: str, width: int) -> int:
    """How many rows at the end have another width than the header: what a report writes below its rows."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read().decode(encoding if encoding != "utf-16" else "utf-16-le", errors="replace")
    lines = [line for line in tail.splitlines()[-FOOTER_LINES:] if line.strip()]
    count = 0
    for line in reversed(lines):
        row = _cells(line, delimiter)
        if width < 2 or len(row) >= width or not any(row):  # noqa: PLR2004 (one column has no narrower row)
            break
        count += 1
    return count


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)
