"""The files that an export can be: CSV for a spreadsheet, JSON lines and Parquet for programs.

A file is written beside its place and put there whole, or not at all.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TextIO

from kulanz.domain.delivery.law import STATED
from kulanz.domain.exports.rows import COLUMNS, NUMBERS
from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.engines import engine

ROWS_PER_GROUP = 50_000
"""Rows of Parquet that are held until they are written: some 60 MB."""
AMOUNTS = ("amount", *STATED)
AMOUNT_DIGITS, AMOUNT_DECIMALS = 38, 6
"""Of an amount in Parquet: more decimals than any currency or quantity has."""
FORMULA = frozenset("=+-@\t\r\n")
"""What a cell must not begin with: a spreadsheet would work it out instead of showing it."""
ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}

type Row = Mapping[str, Any]


class Sink(Protocol):
    """What takes the rows of an export."""

    def write(self, row: Row) -> None:
        """Take one row with every column."""

    def close(self) -> None:
        """Write what is left."""


class CsvSink:
    """One line for each row, under a line of names. A text that a spreadsheet would take for a formula has a `'`."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, row: Row) -> None:
        self._writer.writerow([_cell(name, row[name]) for name in COLUMNS])

    def close(self) -> None:
        """Every row is written already."""


def _cell(name: str, value: Any) -> Any:
    if name in NUMBERS:
        return "" if value is None else value
    return f"'{value}" if value[:1] in FORMULA and value else value


class JsonLinesSink:
    """One object for each row."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        self._file.write(json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Every row is written already."""


class ParquetSink:
    """Columns with types: whole numbers, exact decimals, and texts; nothing where there is no amount or benefit."""

    def __init__(self, path: Path) -> None:
        arrow, parquet = engine("pyarrow", "files of Parquet"), engine("pyarrow.parquet", "files of Parquet")
        types = {"line": arrow.int64(), "benefit": arrow.int32()}
        types |= dict.fromkeys(AMOUNTS, arrow.decimal128(AMOUNT_DIGITS, AMOUNT_DECIMALS))
        self._arrow = arrow
        self._schema = arrow.schema([(name, types.get(name, arrow.string())) for name in COLUMNS])
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        self._rows.append({**row, **{name: Decimal(row[name]) if row[name] else None for name in AMOUNTS}})
        if len(self._rows) >= ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A place for a file that is put at `path` when all went well, and removed otherwise, also at Ctrl-C."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise Unusable(f"{path}: cannot be written ({error.strerror}); name another file") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def sink(path: Path, kind: str) -> Iterator[Sink]:
    """What writes a file of a kind."""
    if kind == "parquet":
        found: Sink = ParquetSink(path)
        yield found
        found.close()
        return
    makes: Mapping[str, Callable[[TextIO], Sink]] = {"csv": CsvSink, "jsonl": JsonLinesSink}
    with path.open("w", encoding="utf-8", newline="") as file:
        found = makes[kind](file)
        yield found
        found.close()
