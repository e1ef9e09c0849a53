"""JSON: one object in each line, or an array of objects of any size, read one after the other."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from kulanz.domain.canonical import no_constant, object_once
from kulanz.domain.lists.account_ids import JSON_WHOLE_MOST
from kulanz_cli.prepare.cells import UNREADABLE, exact
from kulanz_cli.prepare.engines import engine
from kulanz_cli.prepare.profile import Profile
from kulanz_cli.prepare.sources import (
    BATCH_ROWS,
    GZIP_FAULTS,
    Batch,
    Columns,
    InputUnusable,
    Progress,
    Stream,
    cut_off,
    opened,
)

OBJECT_BYTES = 1024 * 1024
"""The longest line of JSON lines."""
PEEKED_BYTES = 4096
OBJECTS_FOR_NAMES = 1_000
DEPTH_MOST = 64
"""Objects and arrays inside each other: an export has a few, and memory grows with the square of them."""
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
ONE_OBJECT = "one JSON object with each name once"
_BOM = b"\xef\xbb\xbf"

type _Record = tuple[int, dict[str, Any] | str]
"""The line of an object (of an array: its number from 1), and the object, or why it is none."""


class _Object(dict[str, Any]):
    """An object of an array that knows whether a name stood in it twice: nobody knows which value is meant."""

    has_repeats = False

    def __setitem__(self, name: str, value: Any) -> None:
        self.has_repeats = self.has_repeats or name in self
        super().__setitem__(name, value)

    def names_twice(self) -> bool:
        """Whether a name stands twice in it, or in an object in it."""
        return self.has_repeats or any(isinstance(one, _Object) and one.names_twice() for one in self.values())


class _Depth:
    """How deep JSON is nested in the bytes so far; no value is read."""

    def __init__(self) -> None:
        self._depth, self._is_text, self._rest = 0, False, b""

    def is_exceeded(self, block: bytes) -> bool:
        """Whether these further bytes go deeper than `DEPTH_MOST`."""
        block = self._rest + block
        self._rest = b"\\" if (len(block) - len(block.rstrip(b"\\"))) % 2 else b""  # half an escape
        escaped = block[: len(block) - len(self._rest)]
        pieces = escaped.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_BRACKETS).split(b'"')
        outside = pieces[self._is_text :: 2]
        self._is_text ^= len(pieces) % 2 == 0
        for bracket in b"".join(outside):
            self._depth += 1 if bracket in b"[{" else -1
            if self._depth > DEPTH_MOST:
                return True
        return False


class _Shallow:
    """A stream that is refused where it is nested too deep."""

    def __init__(self, file: Stream, path: Path) -> None:
        self._file, self._path, self._depth = file, path, _Depth()

    def read(self, size: int = -1) -> bytes:
        """Some bytes. Raises InputUnusable."""
        block = self._file.read(size)
        if self._depth.is_exceeded(block):
            raise InputUnusable(
                f"{self._path}: it has over {DEPTH_MOST} objects and arrays inside each other; it is no export of rows"
            )
        return block


class JsonSource:
    """One file of JSON, plain or packed. Its columns are those of its first objects, `a.b` for what is nested."""

    def __init__(self, path: Path, profile: Profile, progress: Progress, *, is_gzip: bool) -> None:
        self._path, self._profile, self._progress, self._is_gzip = path, profile, progress, is_gzip
        if profile.encoding != "utf-8":
            raise InputUnusable(f"{path}: JSON is UTF-8, the profile says {profile.encoding}; correct encoding")
        names: dict[str, None] = {}
        for _, record in islice(self._records(lambda _: None), OBJECTS_FOR_NAMES):
            if isinstance(record, dict):
                names |= dict.fromkeys(_paths(record))
        self.names: Sequence[str] = list(names)

    def batches(self, wanted: Columns) -> Iterator[Batch]:
        """The objects, in their order."""
        names = [str(one) for one in wanted]
        records = self._records(self._progress)
        while some := list(islice(records, BATCH_ROWS)):
            rows = [
                [UNREADABLE + record] * len(names)
                if isinstance(record, str)
                else [_cell(_entry(record, name)) for name in names]
                for _, record in some
            ]
            yield Batch([line for line, _ in some], list(zip(*rows, strict=True)))

    def _records(self, progress: Progress) -> Iterator[_Record]:
        try:
            with opened(self._path, progress, is_gzip=self._is_gzip) as file:
                begin = file.peek(PEEKED_BYTES)
                if begin.startswith(_BOM):
                    file.read(len(_BOM))
                first = begin.removeprefix(_BOM).lstrip()[:1]
                if self._profile.dialect.property or first == b"[":
                    yield from self._array(file)
                else:
                    yield from self._lines(file)
        except GZIP_FAULTS:
            raise cut_off(self._path) from None

    def _array(self, file: Stream) -> Iterator[_Record]:
        ijson = engine("ijson", "arrays of JSON")
        place = self._profile.dialect.property
        number = 0
        try:
            for item in ijson.items(_Shallow(file, self._path), f"{place}.item" if place else "item", map_type=_Object):
                number += 1
                yield number, item if isinstance(item, _Object) and not item.names_twice() else ONE_OBJECT
        except ijson.JSONError:
            raise InputUnusable(
                f"{self._path}: behind object {number} of the array it is not JSON, or it is cut off; nothing was"
                " written, fetch the file again"
            ) from None
        if not number:
            raise InputUnusable(f"{self._path}: no array of objects {f'at {place}' if place else 'in it'}; state"
                                " dialect.property, such as data")  # fmt: skip

    def _lines(self, file: Stream) -> Iterator[_Record]:
        decoder = json.JSONDecoder(object_pairs_hook=object_once, parse_float=Decimal, parse_constant=no_constant)
        number = 0
        while line := file.readline(OBJECT_BYTES):
            number += 1
            if len(line) == OBJECT_BYTES:
                raise InputUnusable(
                    f"{self._path}, line {number}: over {OBJECT_BYTES} bytes; write one object in each line, or state"
                    " where the array of rows is: dialect.property"
                )
            if not line.strip():
                continue
            try:
                record = None if _is_deep(line) else decoder.decode(line.decode())
            except (ValueError, RecursionError, ArithmeticError):
                record = None
            yield number, record if isinstance(record, dict) else ONE_OBJECT


def _is_deep(line: bytes) -> bool:
    """Whether a line is nested too deep; few lines have so many brackets that they are counted one by one."""
    return line.count(b"{") + line.count(b"[") > DEPTH_MOST and _Depth().is_exceeded(line)


def _cell(value: Any) -> str:
    """A value of JSON. Of a whole number beyond 2^53 nobody knows whether its last digits are still what they were."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > JSON_WHOLE_MOST:
        return f"{UNREADABLE}a whole number up to 2^53; write longer ids in quotes"
    return exact(value)


def _paths(record: dict[str, Any]) -> Iterator[str]:
    for name, value in record.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in _paths(value))


def _entry(record: dict[str, Any], name: str) -> Any:
    if name in record:
        return record[name]
    entry: Any = record
    for part in name.split("."):
        entry = entry.get(part) if isinstance(entry, dict) else None
    return entry
