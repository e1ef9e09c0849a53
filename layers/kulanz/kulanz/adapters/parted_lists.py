"""Lists in parts over any list store: read as the one list that they are, each part by its pinned version.

The header of a part is compared, and its last line looked at, whenever its first or its last byte is read. The plan
reads every byte, so no row is decided for good of a list of which a part has another header or was cut off.
"""

from collections.abc import Iterator

from kulanz.application.ports import ListMissing, ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_BYTES, Manifest, Span, is_manifest, read_manifest

MANIFESTS_LOADED = 4
"""Manifests that a worker keeps: it works on few campaigns at a time, and a manifest has some megabytes."""


class PartedLists:
    """The list store in which a manifest is the list that its parts are; every other list is the inner store's."""

    def __init__(self, inner: ListStore) -> None:
        self._inner = inner
        self._manifests: dict[tuple[str, str], Manifest] = {}

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        """The current version (or the named one) of a list. Raises ListMissing; ListRefused for a bad manifest."""
        pinned = self._inner.pin(bucket, key, version_id)
        if not is_manifest(key):
            return pinned
        manifest = self._loaded(pinned)
        return PinnedList(bucket, key, pinned.version_id, manifest.digest, manifest.size)

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of the list. Raises as ListStore says; ListRefused where a part is not what the manifest says."""
        if not is_manifest(pinned.key):
            yield from self._inner.read(pinned, start, stop)
            return
        manifest = self.manifest(pinned)
        end = manifest.size if stop is None else min(stop, manifest.size)
        if start < min(end, len(manifest.header)):
            yield manifest.header[start:end]
        for span in manifest.spans(start, end):
            yield from self._span(pinned.bucket, manifest, span)

    def put_inline(self, key: str, content: bytes) -> PinnedList:
        """Store a list that came inside an event."""
        return self._inner.put_inline(key, content)

    def manifest(self, pinned: PinnedList) -> Manifest:
        """The manifest of a pinned list in parts. Raises PinnedVersionGone."""
        known = self._manifests.get((pinned.key, pinned.version_id))
        if known is None:
            try:
                known = self._loaded(self._inner.pin(pinned.bucket, pinned.key, pinned.version_id))
            except ListMissing:
                raise PinnedVersionGone(pinned.key) from None
        return known

    def _loaded(self, pinned: PinnedList) -> Manifest:
        if pinned.size > MANIFEST_BYTES:
            raise ListRefused("manifest_malformed", f"the manifest has over {MANIFEST_BYTES} bytes")
        manifest = read_manifest(pinned.key, b"".join(self._inner.read(pinned, 0)))
        while len(self._manifests) >= MANIFESTS_LOADED:
            del self._manifests[next(iter(self._manifests))]
        self._manifests[pinned.key, pinned.version_id] = manifest
        return manifest

    def _span(self, bucket: str, manifest: Manifest, span: Span) -> Iterator[bytes]:
        part, header = span.part, manifest.header
        is_first = span.start == len(header)
        pinned = PinnedList(bucket, part.key, part.version_id, part.etag, part.size)
        awaited = header if is_first else b""
        last = b""
        for block in self._inner.read(pinned, 0 if is_first else span.start, span.stop):
            rows = block
            if awaited:
                if block[: len(awaited)] != awaited[: len(block)]:
                    raise ListRefused("part_differs", f"the part {part.key} has another header than the manifest says")
                rows, awaited = block[len(awaited) :], awaited[len(block) :]
            if rows:
                last = rows
                yield rows
        if span.stop == part.size and last and not last.endswith(b"\n"):
            raise ListRefused(
                "part_cut_off", f"the part {part.key} ends within a line; end its last line, or export it again"
            )
