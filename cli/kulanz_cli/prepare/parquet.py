"""Parquet, by pyarrow: the columns that are read, batch by batch, with their types; what no list has is refused."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kulanz_cli.prepare.cells import exact, of_float
from kulanz_cli.prepare.engines import engine
from kulanz_cli.prepare.sources import BATCH_ROWS, Batch, Columns, InputUnusable, Progress

ROW_GROUP_BYTES = 512 * 1024 * 1024
"""What the read columns of one row group may hold, unpacked: a row group is the least that can be read at a time."""


class ParquetSource:
    """One file of Parquet."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path, self._progress = path, progress
        self._arrow = engine("pyarrow", "files of Parquet")
        parquet = engine("pyarrow.parquet", "files of Parquet")
        try:
            self._file = parquet.ParquetFile(path)
        except (self._arrow.ArrowException, OSError):
            raise InputUnusable(f"{path}: the Parquet file is damaged or cut off; fetch it again") from None
        self._schema = self._file.schema_arrow
        self.names: Sequence[str] = list(self._schema.names)

    def batches(self, wanted: Columns) -> Iterator[Batch]:
        """The rows, in their order."""
        names = [str(one) for one in wanted]
        readers = [self._reader(name) for name in names]
        self._must_fit(names)
        rows, size, line = self._file.metadata.num_rows, self._path.stat().st_size, 0
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS, columns=names, use_threads=False):
                columns = [read(batch.column(name)) for name, read in zip(names, readers, strict=True)]
                yield Batch(list(range(line + 1, line + batch.num_rows + 1)), columns)
                self._progress(size * (line + batch.num_rows) // rows - size * line // rows)
                line += batch.num_rows
        except (self._arrow.ArrowException, OSError):
            raise InputUnusable(
                f"{self._path}: behind row {line} the Parquet file is damaged; nothing was written, fetch it again"
            ) from None

    def _must_fit(self, names: Sequence[str]) -> None:
        """Refuse a file of which not even one row group fits into the memory."""
        metadata = self._file.metadata
        for place in range(metadata.num_row_groups):
            group = metadata.row_group(place)
            chunks = [group.column(number) for number in range(group.num_columns)]
            read = [chunk for chunk in chunks if chunk.path_in_schema.partition(".")[0] in names]
            if sum(chunk.total_uncompressed_size for chunk in read) > ROW_GROUP_BYTES:
                raise InputUnusable(
                    f"{self._path}: row group {place + 1} has over {ROW_GROUP_BYTES} bytes; write it again with smaller"
                    " row groups (a million rows), or export CSV"
                )

    def _reader(self, name: str) -> Callable[[Any], list[str]]:
        """What reads a column into texts. Raises InputUnusable for a type that no list has."""
        arrow, kind = self._arrow, self._schema.field(name).type
        types = arrow.types
        if types.is_dictionary(kind):
            return lambda column: [exact(value) for value in column.dictionary_decode().to_pylist()]
        if types.is_timestamp(kind):
            whole = arrow.timestamp("us", tz=kind.tz)
            return lambda column: [exact(value) for value in column.cast(whole, safe=False).to_pylist()]
        if types.is_float64(kind):
            return lambda column: ["" if value is None else of_float(value) for value in column.to_pylist()]
        if types.is_floating(kind):
            raise self._unusable(name, "numbers of less than 64 bits, which hold some seven digits")
        is_list = types.is_list(kind) or types.is_large_list(kind)
        inner = kind.value_type if is_list else kind
        is_plain = (
            types.is_string(inner)
            or types.is_large_string(inner)
            or types.is_integer(inner)
            or types.is_decimal(inner)
            or (not is_list and (types.is_boolean(inner) or types.is_date(inner) or types.is_null(inner)))
        )
        if not is_plain:
            raise self._unusable(name, f"values of the type {kind}")
        return lambda column: [exact(value) for value in column.to_pylist()]

    def _unusable(self, name: str, has: str) -> InputUnusable:
        return InputUnusable(
            f"{self._path}: the column {name!r} has {has}, which no cell of a list can be; export it as texts,"
            " decimals, days or timestamps, one column for each"
        )
