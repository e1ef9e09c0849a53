"""A list in parts: a manifest names them in their order, each pinned by its version; together they are one list.

That list is the header, which all parts begin with, and then the rows of each part. Whoever reads it sees one run of
bytes, and every offset in it is what it would be in one file.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple

from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, format_of
from kulanz.domain.lists.lines import ListRefused

MANIFEST_ENDING = ".manifest.json"
"""Of a manifest's key; before it stands the format of the parts: `lists/acme.csv.manifest.json`."""
MANIFEST_VERSION = 1
PARTS_MOST = 10_000
MANIFEST_BYTES = 8 * 1024 * 1024
"""Of a manifest: 10,000 parts with keys, versions and checksums of 800 bytes together."""
PART_BYTES_MOST = 800
assert PARTS_MOST * PART_BYTES_MOST <= MANIFEST_BYTES
CONTENT_PREFIX = "parts-"
"""What the digest of a list in parts begins with; it stands where one file has its checksum."""


class Part(NamedTuple):
    """One part, as it was pinned: its key, its version, and its checksum and size as its storage says them."""

    key: str
    version_id: str
    etag: str
    size: int


class Span(NamedTuple):
    """Bytes `[start, stop)` of a part."""

    part: Part
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of a list, and the header that all of them begin with; empty for JSONL."""

    header: bytes
    parts: tuple[Part, ...]
    _starts: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sizes = (part.size - len(self.header) for part in self.parts)
        object.__setattr__(self, "_starts", list(accumulate(sizes, initial=len(self.header))))

    @property
    def size(self) -> int:
        """The bytes of the list: one header, and the rows of all parts."""
        return self._starts[-1]

    @property
    def digest(self) -> str:
        """What equal lists in parts have in common, whatever their parts are called and whenever they were uploaded."""
        content = "".join(f"{part.etag} {part.size}\n" for part in self.parts)
        return CONTENT_PREFIX + sha256(self.header + content.encode()).hexdigest()

    def spans(self, start: int, stop: int) -> Iterator[Span]:
        """The bytes of the parts that are `[start, stop)` of the list, without those of the header."""
        position, stop = max(start, len(self.header)), min(stop, self.size)
        place = bisect_right(self._starts, position) - 1
        while position < stop:
            part, first = self.parts[place], self._starts[place]
            end = min(stop, self._starts[place + 1])
            if end > position:
                offset = len(self.header) - first
                yield Span(part, position + offset, end + offset)
                position = end
            place += 1

    def place(self, offset: int) -> Span:
        """The part, and the byte in it, of a byte of the list; of the header, that of the first part."""
        found = next(self.spans(offset, offset + 1), None)
        return Span(self.parts[0], offset, offset + 1) if found is None else found

    def text(self) -> bytes:
        """The manifest as it is stored."""
        parts = [part._asdict() for part in self.parts]
        content = {"v": MANIFEST_VERSION, "header": self.header.decode(), "parts": parts}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def is_manifest(key: str) -> bool:
    """Whether a key is that of a list in parts."""
    return key.endswith(MANIFEST_ENDING)


def read_manifest(key: str, content: bytes) -> Manifest:
    """Read a manifest. Raises ListRefused, which names the part that is wrong."""
    if len(content) > MANIFEST_BYTES:
        raise ListRefused("manifest_malformed", f"the manifest has over {MANIFEST_BYTES} bytes")
    try:
        manifest = _manifest(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        problem = "the manifest cannot be read; let `kulanz send --list` write it"
        raise ListRefused("manifest_malformed", problem) from None
    must_be_one_list(key, manifest)
    return manifest


def _manifest(told: Any) -> Manifest:
    if told["v"] != MANIFEST_VERSION:
        raise ValueError("another version")
    return Manifest(told["header"].encode(), tuple(_part(one) for one in told["parts"]))


def _part(told: Any) -> Part:
    part = Part(**told)
    texts: list[Any] = [part.key, part.version_id, part.etag]
    if not all(isinstance(text, str) and text for text in texts) or type(part.size) is not int:
        raise ValueError("a part has a key, a version, a checksum and a size")
    return part


def must_be_one_list(key: str, manifest: Manifest) -> None:
    """Refuse parts that cannot be one list: too many, one of them twice, elsewhere, or in another format."""
    parts = manifest.parts
    if not 1 <= len(parts) <= PARTS_MOST:
        raise ListRefused("too_many_parts", f"the manifest names {len(parts)} parts; a list has 1 to {PARTS_MOST}")
    list_format = format_of(key.removesuffix(MANIFEST_ENDING))
    header = manifest.header
    is_header = header.endswith(b"\n") and header.count(b"\n") == 1 and len(header) <= HEADER_BYTES
    if not (is_header if list_format is ListFormat.CSV else not header):
        raise ListRefused("manifest_malformed", "the manifest's header is not the one line that all parts begin with")
    folder = key.partition("/")[0] + "/"
    for part in parts:
        if not part.key.startswith(folder) or ".." in part.key or is_manifest(part.key):
            raise ListRefused("part_elsewhere", f"the part {part.key} is no list under {folder}")
        if not _has_format(part.key, list_format):
            raise ListRefused("part_elsewhere", f"the part {part.key} has another format than the manifest's name says")
        if part.size < len(header):
            raise ListRefused("part_differs", f"the part {part.key} is shorter than the header")
    must_differ(parts, len(header))


def _has_format(key: str, wanted: ListFormat) -> bool:
    try:
        return format_of(key) is wanted
    except ListRefused:
        return False


def must_differ(parts: Sequence[Part], header_bytes: int) -> None:
    """Refuse a part that is named twice, or the same rows under two names. Parts without rows may be equal."""
    keys: set[str] = set()
    contents: dict[tuple[str, int], str] = {}
    for part in parts:
        if part.key in keys:
            raise ListRefused("part_twice", f"the part {part.key} is named twice; name each part once")
        keys.add(part.key)
        if part.size == header_bytes:
            continue
        other = contents.setdefault((part.etag, part.size), part.key)
        if other != part.key:
            raise ListRefused("part_twice", f"the parts {other} and {part.key} have the same content; name one of them")
