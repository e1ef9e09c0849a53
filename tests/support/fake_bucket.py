"""The bucket in memory: lists in versions, published policies, and the documents that campaigns leave behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5

from kulanz.application.ports import (
    ListMissing,
    PinnedVersionGone,
    PolicyMissing,
    PolicySealed,
    PublishedPolicy,
    Refused,
)
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.policy.document.frozen import MAX_EXAMPLES_BYTES
from kulanz.domain.time import EPOCH

BLOCK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of an object; `content` is None for a delete marker."""

    version_id: str
    content: bytes | None
    etag: str
    at: datetime = EPOCH


def _no_clock() -> datetime:
    return EPOCH


class FakeLists:
    """A versioned bucket with lists. `upload`, `delete` and `delete_version` are what publishers do to it."""

    def __init__(self, bucket: str, block_bytes: int = BLOCK_BYTES) -> None:
        self.bucket = bucket
        self.block_bytes = block_bytes
        self._versions: dict[str, list[_Version]] = {}
        self._count = 0
        self.now: Callable[[], datetime] = _no_clock

    def upload(self, key: str, content: bytes) -> str:
        """Write a new version of an object and return its id."""
        return self._add(key, content).version_id

    def delete(self, key: str) -> str:
        """Put a delete marker on top of an object's versions, and return its id."""
        return self._add(key, None).version_id

    def delete_version(self, key: str, version_id: str) -> None:
        """Remove one version for good."""
        self._versions[key] = [version for version in self._versions[key] if version.version_id != version_id]

    def has(self, pinned: PinnedList) -> bool:
        """Whether the pinned version is still there."""
        return any(version.version_id == pinned.version_id for version in self._versions.get(pinned.key, []))

    def uploaded_at(self, pinned: PinnedList) -> datetime:
        """When the pinned version came."""
        return next(one.at for one in self._versions[pinned.key] if one.version_id == pinned.version_id)

    def newest(self, key: str) -> str:
        """The id of an object's newest version; one that nothing has where there is none."""
        versions = self._versions.get(key, [])
        return versions[-1].version_id if versions else "version-of-nothing"

    def listed(self, prefix: str) -> dict[str, list[dict[str, object]]]:
        """All versions under a prefix, as S3 lists them on one page."""
        found: dict[str, list[dict[str, object]]] = {"Versions": [], "DeleteMarkers": []}
        for key in sorted(one for one in self._versions if one.startswith(prefix)):
            for version in self._versions[key]:
                of = {"Key": key, "VersionId": version.version_id, "IsLatest": version is self._versions[key][-1]}
                if version.content is None:
                    found["DeleteMarkers"].append(of)
                else:
                    found["Versions"].append({**of, "ETag": version.etag, "Size": len(version.content)})
        return found

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        versions = self._versions.get(key, []) if bucket == self.bucket else []
        named = [version for version in versions if version_id in (None, version.version_id)]
        if not named or named[-1].content is None:
            raise ListMissing(key)
        return self._pinned(key, named[-1])

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        end = pinned.size if stop is None else min(stop, pinned.size)
        for position in range(start, end, self.block_bytes):
            yield self._content(pinned)[position : min(position + self.block_bytes, end)]

    def put_inline(self, key: str, content: bytes) -> PinnedList:
        versions = self._versions.get(key, [])
        if versions and versions[-1].content is not None:
            return self._pinned(key, versions[-1])
        return self._pinned(key, self._add(key, content))

    def _add(self, key: str, content: bytes | None) -> _Version:
        self._count += 1
        digest = md5(content or b"", usedforsecurity=False).hexdigest()
        version = _Version(f"version-{self._count:06d}", content, f'"{digest}"', self.now())
        self._versions.setdefault(key, []).append(version)
        return version

    def _pinned(self, key: str, version: _Version) -> PinnedList:
        return PinnedList(self.bucket, key, version.version_id, version.etag, len(version.content or b""))

    def _content(self, pinned: PinnedList) -> bytes:
        """By its version alone, as the bucket's adapter reads."""
        for version in self._versions.get(pinned.key, []):
            if version.version_id == pinned.version_id and version.content is not None:
                return version.content
        raise PinnedVersionGone(pinned.key)


class FakePolicies:
    """Published policies."""

    def __init__(self) -> None:
        self._published: dict[tuple[str, int], bytes] = {}
        self._examples: dict[tuple[str, int], bytes] = {}
        self.published_by: dict[tuple[str, int], str] = {}
        self._replaced: set[tuple[str, int]] = set()

    def replace(self, policy_id: str, version: int, content: bytes) -> None:
        """Write over a version, as somebody could whom the bucket's policy does not stop."""
        self._published[policy_id, version] = content
        self._replaced.add((policy_id, version))

    def is_replaced(self, policy_id: str, version: int) -> bool:
        return (policy_id, version) in self._replaced

    def fetch(self, policy_id: str, version: int) -> bytes:
        try:
            return self._published[policy_id, version]
        except KeyError:
            raise PolicyMissing(f"{policy_id}/{version}") from None

    def publish(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        ours = bytes(bytearray(content))  # an object of its own: equal content may be somebody else's
        known = self._published.setdefault((policy_id, version), ours)
        if known != content:
            raise PolicySealed(f"{policy_id} version {version} is published with other content")
        self.published_by.setdefault((policy_id, version), by)
        return known is ours

    def publish_examples(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:  # noqa: ARG002
        return self._examples.setdefault((policy_id, version), content) == content

    def examples(self, policy_id: str, version: int) -> bytes | None:
        found = self._examples.get((policy_id, version))
        return None if found is None or len(found) > MAX_EXAMPLES_BYTES else found

    def published(self, policy_id: str = "") -> Iterator[PublishedPolicy]:
        found = (one for one in sorted(self._published) if policy_id in ("", one[0]))
        return (PublishedPolicy(named, version, EPOCH) for named, version in found)


class FakeArchive:
    """Documents by key. A key that is written with two contents breaks the port's promise and fails the test."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}

    def put(self, key: str, content: bytes, content_type: str) -> None:
        if not content_type:
            raise ValueError("a document has a content type")
        known = self.documents.setdefault(key, content)
        if known != content:
            raise AssertionError(f"{key} was written with two contents")

    def get(self, key: str) -> bytes:
        if key not in self.documents:
            raise Refused(f"{key} is not there")
        return self.documents[key]
