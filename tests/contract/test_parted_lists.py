"""Lists in parts over every list store: one list is read, of exactly the versions that its manifest names."""

import pytest

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.ports import ListMissing, PinnedVersionGone
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_BYTES, Manifest, Part
from tests.contract.backends import Backend

HEADER = b"account_id,fee\n"
KEY = "lists/acme.csv.manifest.json"
CONTENTS = [b"A-1,1.00\nA-2,2.00\n", b"", b"A-3,3.00\n", b"A-4,4.00\nA-5,5.00\n"]
WHOLE = HEADER + b"".join(CONTENTS)


def uploaded(backend: Backend) -> Manifest:
    parts = []
    for number, rows in enumerate(CONTENTS):
        key = f"lists/acme/part-{number:05d}.csv"
        version = backend.upload(key, HEADER + rows)
        pinned = backend.lists.pin(backend.bucket, key, version)
        parts.append(Part(key, version, pinned.etag, pinned.size))
    manifest = Manifest(HEADER, tuple(parts))
    backend.upload(KEY, manifest.text())
    return manifest


def test_every_range_is_that_of_one_file(backend: Backend) -> None:
    manifest = uploaded(backend)
    lists = PartedLists(backend.lists)
    pinned = lists.pin(backend.bucket, KEY, None)
    assert (pinned.size, pinned.etag) == (len(WHOLE), manifest.digest)
    for start in range(0, len(WHOLE) + 1, 7):
        for stop in (None, start, start + 1, start + 20, len(WHOLE) + 9):
            assert b"".join(lists.read(pinned, start, stop)) == WHOLE[start:stop]


def test_what_is_uploaded_later_changes_nothing_and_what_is_deleted_is_named(backend: Backend) -> None:
    manifest = uploaded(backend)
    pinned = PartedLists(backend.lists).pin(backend.bucket, KEY, None)
    for part in manifest.parts:
        backend.upload(part.key, b"something else\n")
    backend.upload(KEY, b"{}")
    assert b"".join(PartedLists(backend.lists).read(pinned, 0)) == WHOLE
    backend.delete_version(manifest.parts[2].key, manifest.parts[2].version_id)
    with pytest.raises(PinnedVersionGone, match=r"part-00002\.csv"):
        b"".join(PartedLists(backend.lists).read(pinned, 0))


def test_a_manifest_that_is_gone_is_named(backend: Backend) -> None:
    uploaded(backend)
    pinned = PartedLists(backend.lists).pin(backend.bucket, KEY, None)
    backend.upload(KEY, b"{}")
    backend.delete_version(KEY, pinned.version_id)
    with pytest.raises(PinnedVersionGone, match=KEY):
        b"".join(PartedLists(backend.lists).read(pinned, 0))
    with pytest.raises(ListMissing):
        PartedLists(backend.lists).pin(backend.bucket, "lists/none.csv.manifest.json", None)


def test_a_manifest_is_bounded_and_checked_when_it_is_pinned(backend: Backend) -> None:
    for content in (b"{}", b" " * (MANIFEST_BYTES + 1)):
        backend.upload(KEY, content)
        with pytest.raises(ListRefused):
            PartedLists(backend.lists).pin(backend.bucket, KEY, None)
