"""The contract of ListStore: what was pinned is what is read, whatever is uploaded or deleted afterwards."""

import pytest

from kulanz.adapters import s3
from kulanz.application.ports import ListMissing, PinnedVersionGone
from kulanz.domain.campaigns.campaign import PinnedList
from tests.contract.backends import Backend

KEY = "lists/net-outage.csv"
FIRST = bytes(range(256)) * 400
SECOND = b"something else\n" * 50


def _read(backend: Backend, pinned: PinnedList, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join(backend.lists.read(pinned, start, stop))


def test_a_list_is_pinned_in_its_current_version(backend: Backend) -> None:
    backend.upload(KEY, SECOND)
    version = backend.upload(KEY, FIRST)

    pinned = backend.lists.pin(backend.bucket, KEY, None)

    assert (pinned.bucket, pinned.key, pinned.version_id, pinned.size) == (backend.bucket, KEY, version, len(FIRST))
    assert pinned.etag


def test_a_list_is_pinned_in_the_version_that_was_named(backend: Backend) -> None:
    version = backend.upload(KEY, FIRST)
    backend.upload(KEY, SECOND)

    pinned = backend.lists.pin(backend.bucket, KEY, version)

    assert (pinned.version_id, pinned.size) == (version, len(FIRST))
    assert _read(backend, pinned) == FIRST


def test_a_list_that_does_not_exist_cannot_be_pinned(backend: Backend) -> None:
    with pytest.raises(ListMissing):
        backend.lists.pin(backend.bucket, KEY, None)


def test_a_version_that_was_deleted_cannot_be_pinned(backend: Backend) -> None:
    version = backend.upload(KEY, FIRST)
    backend.upload(KEY, SECOND)
    backend.delete_version(KEY, version)

    with pytest.raises(ListMissing):
        backend.lists.pin(backend.bucket, KEY, version)


def test_a_deleted_list_cannot_be_pinned(backend: Backend) -> None:
    backend.upload(KEY, FIRST)
    backend.delete(KEY)

    with pytest.raises(ListMissing):
        backend.lists.pin(backend.bucket, KEY, None)


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, None), (0, 1), (1, 2), (255, 70_000), (70_000, None), (len(FIRST) - 1, None), (0, len(FIRST) + 99)],
)
def test_a_range_is_exactly_the_bytes_that_were_asked_for(backend: Backend, start: int, stop: int | None) -> None:
    backend.upload(KEY, FIRST)
    pinned = backend.lists.pin(backend.bucket, KEY, None)

    assert _read(backend, pinned, start, stop) == FIRST[start:stop]


@pytest.mark.parametrize("start", [len(FIRST), len(FIRST) + 1])
def test_nothing_is_read_behind_the_end(backend: Backend, start: int) -> None:
    backend.upload(KEY, FIRST)
    pinned = backend.lists.pin(backend.bucket, KEY, None)

    assert _read(backend, pinned, start) == b""


def test_blocks_are_bounded(backend: Backend) -> None:
    backend.upload(KEY, FIRST * 8)
    pinned = backend.lists.pin(backend.bucket, KEY, None)

    blocks = list(backend.lists.read(pinned, 10))

    assert b"".join(blocks) == (FIRST * 8)[10:]
    assert max(len(block) for block in blocks) <= s3.BLOCK_BYTES
    assert len(blocks) > 1


def test_an_overwritten_list_reads_as_it_was_pinned(backend: Backend) -> None:
    backend.upload(KEY, FIRST)
    pinned = backend.lists.pin(backend.bucket, KEY, None)
    backend.upload(KEY, SECOND)

    assert _read(backend, pinned) == FIRST
    assert _read(backend, pinned, 300, 90_000) == FIRST[300:90_000]


def test_a_list_under_a_delete_marker_reads_as_it_was_pinned(backend: Backend) -> None:
    backend.upload(KEY, FIRST)
    pinned = backend.lists.pin(backend.bucket, KEY, None)
    backend.delete(KEY)

    assert _read(backend, pinned, 300, 90_000) == FIRST[300:90_000]


@pytest.mark.parametrize("newer", [True, False])
@pytest.mark.parametrize("older", [True, False])
def test_a_version_deleted_under_way_is_gone_whatever_stands_beside_it(
    backend: Backend, newer: bool, older: bool
) -> None:
    if older:
        backend.upload(KEY, b"an older list\n")
    version = backend.upload(KEY, FIRST)
    pinned = backend.lists.pin(backend.bucket, KEY, None)
    if newer:
        backend.upload(KEY, SECOND)
    backend.delete_version(KEY, version)

    with pytest.raises(PinnedVersionGone):
        _read(backend, pinned, 300, 90_000)


def test_an_inline_list_is_stored_once(backend: Backend) -> None:
    first = backend.lists.put_inline("inline/x/1.jsonl", b'{"account_id":"a"}\n')
    again = backend.lists.put_inline("inline/x/1.jsonl", b'{"account_id":"a"}\n')

    assert again == first
    assert _read(backend, first) == b'{"account_id":"a"}\n'
    assert backend.lists.pin(backend.bucket, "inline/x/1.jsonl", None) == first
