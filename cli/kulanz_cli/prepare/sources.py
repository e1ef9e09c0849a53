"""Files as batches of rows: text, gzip, JSON, Parquet and workbooks, read in bounded memory.

Every source gives the cells of the wanted columns alone, column by column, each cell as `cells.exact` writes it.
"""

import gzip
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.cells import UNREADABLE
from kulanz_cli.prepare.profile import FOOTER_ROWS_MOST, Footer

BATCH_ROWS = 10_000
READ_BYTES = 1024 * 1024
GZIP_FAULTS = (EOFError, gzip.BadGzipFile, zlib.error)
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
PARQUET = b"PAR1"
OTHER_COMPRESSION = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstandard", b"\x04\x22\x4d\x18": "lz4"}

type Columns = Sequence[str | int]
type Stream = io.BufferedReader[Any] | gzip.GzipFile
type Row = tuple[int, list[str]]
"""The line of a row, and its cells."""
type Progress = Callable[[int], None]
"""Told how many bytes of the inputs, as they lie on the disk, were read since it was last told."""


class InputUnusable(Unusable):
    """A file cannot be prepared; the text says where, what was expected, and what to do."""


@dataclass(slots=True)
class Batch:
    """Some rows of one file: the line (or row) of each, and the cells of each wanted column.

    `dropped` are lines that are no rows, each with the reason why.
    """

    lines: Sequence[int]
    columns: Sequence[Sequence[str]]
    dropped: list[tuple[int, str]] = field(default_factory=list)


class Source(Protocol):
    """One file, of which `names` are the columns that it has, in their order."""

    names: Sequence[str]

    def batches(self, wanted: Columns) -> Iterator[Batch]:
        """The rows, lazily. Raises InputUnusable, also while iterating."""


class _Watched(io.RawIOBase):
    """A binary file that says how far it was read."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file = path.open("rb")
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._progress(count)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def opened(path: Path, progress: Progress, *, is_gzip: bool) -> Stream:
    """A file's content as a stream, unpacked where it is packed."""
    plain = io.BufferedReader(_Watched(path, progress), READ_BYTES)
    return gzip.GzipFile(fileobj=plain) if is_gzip else plain


def cut_off(path: Path) -> InputUnusable:
    """What to say of gzip data that ends too soon, or that was changed."""
    return InputUnusable(f"{path}: its gzip data is cut off or damaged; nothing was written, fetch the file again")


def above_footer(rows: Iterator[Row], footer: Footer, dropped: list[tuple[int, str]], path: Path) -> Iterator[Row]:
    """The rows without the footer, whose lines are noted as dropped. Raises InputUnusable where it has a whole row."""
    held: deque[Row] = deque()
    has_begun = False
    for line, row in rows:
        if footer.starts_with:
            has_begun = has_begun or next(filter(None, row), "").startswith(footer.starts_with)
        if has_begun or footer.rows:
            held.append((line, row))
            if has_begun and len(held) > FOOTER_ROWS_MOST:
                raise InputUnusable(
                    f"{path}: the footer begins in line {held[0][0]}, and over {FOOTER_ROWS_MOST} rows follow; a row"
                    " begins like the footer: correct footer.startsWith of the profile"
                )
            if footer.rows and len(held) > footer.rows:
                yield held.popleft()
        else:
            yield line, row
    for line, row in held:
        if len(row) > 1 and all(row):
            raise InputUnusable(
                f"{path}, line {line}: the profile calls it a footer, and every cell of it is filled as in a row;"
                " correct footer of the profile"
            )
        dropped.append((line, "footer"))


def unreadable(why: str, width: int) -> list[str]:
    """The cells of a row that cannot be read: it is counted in the list, and no campaign decides it."""
    return [UNREADABLE + why] * width


def places_of(names: Sequence[str], wanted: Columns) -> list[int]:
    """Where the wanted columns are; the caller has made sure that they are there."""
    return [one - 1 if isinstance(one, int) else names.index(one) for one in wanted]


def taken(rows: Sequence[Sequence[str]], places: Sequence[int]) -> list[Sequence[str]]:
    """The cells of some places, column by column."""
    if not rows:
        return [() for _ in places]
    across = list(zip(*rows, strict=True))
    return [across[place] for place in places]
