"""A list on this machine, in one file or in parts: read as the one list that a campaign would read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from types import MappingProxyType

from kulanz.domain.lists.header import ListFormat, format_of
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_ENDING, Manifest, Part, must_differ, read_manifest
from kulanz_cli.event_file import EventUnsendable
from kulanz_cli.list_parts import must_be_parts, parts_among
from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.command import matching
from kulanz_cli.stack import LIST_PREFIX

BLOCK_BYTES = 1024 * 1024
SCHEME = "s3://"


class LocalList:
    """A list of one or more files. Its bytes and lines are counted through all parts, with one header."""

    def __init__(self, paths: Sequence[Path], stated: Mapping[Path, int] = MappingProxyType({})) -> None:
        """`stated` are the sizes of the parts by their manifest, where there is one."""
        self.paths, self._stated = paths, stated
        self.format = ListFormat.CSV
        self._manifest = Manifest(b"", ())

    @property
    def name(self) -> str:
        """What the list is called in reports."""
        return self.paths[0].name if len(self.paths) == 1 else f"{self.paths[0].name} and {len(self.paths) - 1} more"

    @property
    def size(self) -> int:
        """The bytes of the list."""
        return self._manifest.size

    def must_be_one(self) -> None:
        """Refuse files that are no list, or not one: as `kulanz send` and a campaign do. Raises ListRefused."""
        for path, size in self._stated.items():
            if path.stat().st_size != size:
                raise ListRefused("part_differs", f"{path} has another size than the manifest says; fetch it again")
        if len(self.paths) == 1:
            self.format, header = format_of(self.paths[0].name), b""
        else:
            try:
                header = must_be_parts(self.paths)
            except EventUnsendable as refusal:
                raise ListRefused("part_differs", str(refusal)) from None
            self.format = format_of(self.paths[0].name)
        sizes = [path.stat().st_size for path in self.paths]
        alike = Counter(sizes)
        parts = tuple(
            Part(str(path), "local", _digest(path) if alike[size] > 1 else "", size)
            for path, size in zip(self.paths, sizes, strict=True)
        )
        must_differ(parts, len(header))
        self._manifest = Manifest(header, parts)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, in blocks."""
        manifest = self._manifest
        if start < min(stop, len(manifest.header)):
            yield manifest.header[start:stop]
        for span in manifest.spans(start, stop):
            with Path(span.part.key).open("rb") as file:
                position = file.seek(span.start)
                while position < span.stop and (block := file.read(min(BLOCK_BYTES, span.stop - position))):
                    yield block
                    position += len(block)

    def lines(self) -> Iterator[bytes]:
        """All physical lines, the header first."""
        for number, path in enumerate(self.paths):
            with path.open("rb") as file:
                if number and self.format is ListFormat.CSV:
                    file.readline()
                yield from file

    def places(self, lines: set[int]) -> dict[int, str]:
        """The part, and the line in it, of some lines of a list in parts; nothing of a list in one file."""
        found: dict[int, str] = {}
        if len(self.paths) == 1 or not lines:
            return found
        before, last, heads = 0, max(lines), int(self.format is ListFormat.CSV)
        for number, path in enumerate(self.paths):
            skipped = heads if number else 0
            count = _line_ends(path) - skipped
            named = (line for line in lines if before < line <= before + count)
            found |= {line: f"{path.name} line {line - before + skipped:,}" for line in named}
            before += count
            if before >= last:
                break
        return found


def local_list(files: Sequence[str]) -> LocalList:
    """The list of names, folders and patterns. Raises Unusable."""
    away = next((one for one in files if one.startswith(SCHEME)), None)
    if away is not None:
        raise Unusable(f"{away} is not on this machine; copy it here first: aws s3 cp --recursive {away} FOLDER")
    paths = [path for one in files for path in _named(one)]
    if len(paths) == 1 and paths[0].name.endswith(MANIFEST_ENDING):
        stated = _of_manifest(paths[0])
        return LocalList(list(stated), stated)
    return LocalList(parts_among(paths))


def _of_manifest(path: Path) -> dict[Path, int]:
    """The parts of a manifest as they lie beside it, in a folder as in the bucket or without one, with their sizes."""
    try:
        manifest = read_manifest(f"{LIST_PREFIX}{path.name}", path.read_bytes())
    except ListRefused as refusal:
        raise Unusable(f"{path}: {refusal}") from None
    found: dict[Path, int] = {}
    for part in manifest.parts:
        places = (path.parent / part.key.removeprefix(LIST_PREFIX), path.parent / Path(part.key).name)
        there = next((place for place in places if place.is_file()), None)
        if there is None:
            raise Unusable(f"{path} names {part.key}, and {places[0]} is not there; copy the parts beside the manifest")
        found[there] = part.size
    return found


def _named(one: str) -> list[Path]:
    return [Path(one)] if Path(one).is_dir() else matching([one])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _line_ends(path: Path) -> int:
    count = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            count += block.count(b"\n")
    return count
