"""What the list store makes of ranges that are cut short, moved on, or of another object."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    IncompleteReadError,
)
from botocore.response import StreamingBody

from kulanz.adapters.s3 import S3Lists
from kulanz.application.ports import (
    PinnedVersionGone,
    Refused,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import PinnedList
from tests.support.scripted import Scripted, error, waits_kept


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


PINNED = PinnedList("bucket", "lists/a.csv", "version-1", '"etag"', 100)


def _body(content: bytes, length: int | None = None) -> StreamingBody:
    return StreamingBody(io.BytesIO(content), len(content) if length is None else length)


def _part(content: bytes, start: int, length: int | None = None) -> dict[str, Any]:
    return {
        "Body": _body(content, length),
        "ETag": PINNED.etag,
        "ContentRange": f"bytes {start}-{start + len(content) - 1}/100",
        "ResponseMetadata": {"HTTPStatusCode": 206},
    }


def _read(client: Scripted, start: int = 10, stop: int = 20) -> bytes:
    return b"".join(S3Lists(client, "bucket").read(PINNED, start, stop))


def test_a_range_is_read_of_the_pinned_version_alone() -> None:
    client = Scripted(get_object=[_part(b"0123456789", 10)])

    assert _read(client) == b"0123456789"
    (asked,) = client.asked
    assert (asked["Range"], asked["VersionId"]) == ("bytes=10-19", "version-1")
    assert "IfMatch" not in asked


def test_a_version_with_other_content_than_was_pinned_is_not_read() -> None:
    other = _part(b"0123456789", 10) | {"ETag": '"another"'}
    with pytest.raises(PinnedVersionGone):
        _read(Scripted(get_object=[other]))


def test_a_whole_object_in_place_of_a_range_is_cut_to_it() -> None:
    whole = {"Body": _body(bytes(range(100))), "ETag": PINNED.etag, "ResponseMetadata": {"HTTPStatusCode": 200}}

    assert _read(Scripted(get_object=[whole])) == bytes(range(10, 20))


@pytest.mark.parametrize("block_bytes", [1, 3, 7, 10, 99, 100])
@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(("start", "stop"), [(0, 100), (0, 7), (10, 20), (93, 100), (99, 100), (42, 43), (50, 50)])
def test_a_range_is_the_same_in_whatever_blocks_it_comes(
    block_bytes: int, start: int, stop: int, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    monkeypatch.setattr("kulanz.adapters.s3.BLOCK_BYTES", block_bytes)
    content = bytes(range(100))
    whole = {"Body": _body(content), "ETag": PINNED.etag, "ResponseMetadata": {"HTTPStatusCode": 200}}
    answer = whole if is_whole else _part(content[start:stop], start)
    assert _read(Scripted(get_object=[answer]), start, stop) == content[start:stop]


def test_another_range_than_was_asked_for_is_not_taken() -> None:
    with pytest.raises(TryAgain, match="another range"):
        _read(Scripted(get_object=[_part(b"0123456789", 0)]))


@pytest.mark.parametrize("length", [None, 10])
def test_an_answer_that_is_cut_short_is_read_again(length: int | None) -> None:
    with pytest.raises(TryAgain):
        _read(Scripted(get_object=[_part(b"01234", 10, length)]))


class _Broken(io.RawIOBase):
    """A connection that dies while it is read."""

    def __init__(self, raised: Exception) -> None:
        self._pieces: Iterator[bytes] = iter([b"0123"])
        self._raised = raised

    def readable(self) -> bool:
        return True

    def read(self, _: int = -1) -> bytes:
        for piece in self._pieces:
            return piece
        raise self._raised


@pytest.mark.parametrize(
    "raised", [ConnectionResetError(), IncompleteReadError(actual_bytes=4, expected_bytes=10), TimeoutError()]
)
def test_a_connection_that_dies_under_way_is_tried_again(raised: Exception) -> None:
    answer = _part(b"", 10) | {"Body": StreamingBody(_Broken(raised), 10), "ContentRange": "bytes 10-19/100"}  # type: ignore[arg-type] # any file

    with pytest.raises(TryAgain):
        _read(Scripted(get_object=[answer]))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error("NoSuchVersion", 404), PinnedVersionGone),
        (error("404", 404), PinnedVersionGone),
        (error("MethodNotAllowed", 405), PinnedVersionGone),
        (error("SlowDown", 503), TryAgain),
        (error("AccessDenied", 403), Refused),
    ],
)
def test_a_version_that_cannot_be_read_says_why(answer: Exception, expected: type) -> None:
    with pytest.raises(expected):
        _read(Scripted(get_object=[answer]))


def test_a_throttled_read_does_not_pass_for_a_deleted_version() -> None:
    with pytest.raises(TryAgain):
        _read(Scripted(get_object=[error("SlowDown", 503)]))


def test_a_bucket_without_versions_is_refused() -> None:
    client = Scripted(head_object=[{"ContentLength": 3, "ETag": '"e"'}])

    with pytest.raises(Refused, match="versioning"):
        S3Lists(client, "bucket").pin("bucket", "lists/a.csv", None)
