"""The parts of a prepared list: canonical CSV, cut at a size, and put in place together or not at all."""

import csv
import io
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kulanz_cli.outcomes import Unusable

PART_BYTES = 256 * 1024 * 1024
"""A part ends with the first batch that reaches this."""
PARTS_MOST = 10_000


class Part(NamedTuple):
    """A written part: the name of its file, and how many rows it has."""

    name: str
    rows: int


@dataclass(slots=True)
class PartWriter:
    """Writes rows, column by column, into as many parts as they need. Each part begins with the header."""

    folder: Path
    columns: Sequence[str]
    part_bytes: int
    parts: list[Part] = field(default_factory=list)
    _rows: int = 0
    _bytes: int = 0
    _file: "io.BufferedWriter | None" = None

    def write(self, columns: Sequence[Sequence[str]], rows: int) -> None:
        """Write some rows; they lie in one part."""
        if not rows:
            return
        if self._file is None:
            if len(self.parts) == PARTS_MOST:
                raise Unusable(f"the list would have over {PARTS_MOST} parts; state larger ones with --part-bytes")
            self._file = (self.folder / f"part-{len(self.parts) + 1:05d}.csv").open("wb")
            self._put(_written([[name] for name in self.columns], 1))
        self._put(_written(columns, rows))
        self._rows += rows
        if self._bytes >= self.part_bytes:
            self.end_part()

    def _put(self, content: bytes) -> None:
        assert self._file is not None, "a part is open while it is written"
        self._file.write(content)
        self._bytes += len(content)

    def end_part(self) -> None:
        """End the part that is written, where there is one."""
        if self._file is not None:
            self._file.close()
            self.parts.append(Part(Path(self._file.name).name, self._rows))
            self._file, self._rows, self._bytes = None, 0, 0


def _written(columns: Sequence[Sequence[str]], rows: int) -> bytes:
    """Rows as CSV. Where no cell needs quotes, which is nearly always, they are joined, several times as fast."""
    joined = "\n".join(map(",".join, zip(*columns, strict=True))) + "\n"
    commas, ends = (len(columns) - 1) * rows, rows
    is_plain = joined.count(",") == commas and joined.count("\n") == ends and not ('"' in joined or "\r" in joined)
    if is_plain and len(columns) > 1:  # a row of one empty cell would be a blank line
        return joined.encode()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


@contextmanager
def whole_folder(into: Path) -> Iterator[Path]:
    """A new folder that becomes `into` when the block ends well; else nothing is left of it. Raises Unusable."""
    if into.exists():
        raise Unusable(f"{into} is there already; name another folder, or remove it")
    into.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.rename(into)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
