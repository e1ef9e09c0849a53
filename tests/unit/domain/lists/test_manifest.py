"""A manifest: the bytes of its parts are those of one list, and what cannot be one list is refused with its name."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import (
    MANIFEST_BYTES,
    PART_BYTES_MOST,
    PARTS_MOST,
    Manifest,
    Part,
    must_be_one_list,
    read_manifest,
)

KEY = "lists/acme.csv.manifest.json"
HEADER = b"account_id,fee\n"


def parts_of(contents: list[bytes], header: bytes = HEADER) -> tuple[Part, ...]:
    """Parts with these rows behind the header."""
    return tuple(
        Part(f"lists/acme/part-{number:05d}.csv", f"version-{number}", f'"etag-{number}"', len(header + rows))
        for number, rows in enumerate(contents)
    )


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=6), st.data())
def test_every_span_of_a_list_is_found_in_its_parts(contents: list[bytes], data: st.DataObject) -> None:
    manifest = Manifest(HEADER, parts_of(contents))
    stored = {part.key: HEADER + rows for part, rows in zip(manifest.parts, contents, strict=True)}
    whole = HEADER + b"".join(contents)
    assert manifest.size == len(whole)
    start = data.draw(st.integers(0, len(whole) + 2))
    stop = data.draw(st.integers(start, len(whole) + 2))
    found = b"".join(stored[span.part.key][span.start : span.stop] for span in manifest.spans(start, stop))
    assert HEADER[start:stop] + found == whole[start:stop]
    assert all(span.start < span.stop for span in manifest.spans(start, stop)), "no span without a byte"


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=6))
def test_a_byte_of_a_list_has_one_place_in_one_part(contents: list[bytes]) -> None:
    manifest = Manifest(HEADER, parts_of(contents))
    stored = {part.key: HEADER + rows for part, rows in zip(manifest.parts, contents, strict=True)}
    whole = HEADER + b"".join(contents)
    for offset in range(len(whole)):
        place = manifest.place(offset)
        assert stored[place.part.key][place.start] == whole[offset]


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest(HEADER, parts_of([b"A-1,1\n", b"A-2,2\n"]))
    assert read_manifest(KEY, manifest.text()) == manifest


def test_equal_lists_in_parts_have_one_digest_and_others_another() -> None:
    manifest = Manifest(HEADER, parts_of([b"A-1,1\n", b"A-2,2\n"]))
    later = tuple(part._replace(key=f"lists/again/{number}.csv", version_id=f"later-{number}")
                  for number, part in enumerate(manifest.parts))  # fmt: skip
    assert Manifest(HEADER, later).digest == manifest.digest
    changed = (*later[:1], later[1]._replace(etag='"another"'))
    assert Manifest(HEADER, changed).digest != manifest.digest
    assert Manifest(HEADER, later[::-1]).digest != manifest.digest
    assert Manifest(b"account_id,fei\n", later).digest != manifest.digest


def twice(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]]


def same_content(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]._replace(key="lists/acme/copy.csv")]


def elsewhere(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]._replace(key="policies/acme/1.json", etag="x")]


def above(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]._replace(key="lists/../policies/1.csv", etag="x")]


def nested(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]._replace(key="lists/other.csv.manifest.json", etag="x")]


def jsonl(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]._replace(key="lists/acme/rows.jsonl", etag="x")]


def shorter(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]._replace(key="lists/acme/short.csv", etag="x", size=3)]


def too_many(parts: list[Part]) -> list[Part]:
    return [parts[0]._replace(key=f"lists/{number}.csv", etag=str(number)) for number in range(PARTS_MOST + 1)]


def none(_: list[Part]) -> list[Part]:
    return []


@pytest.mark.parametrize(
    ("change", "reason", "named"),
    [
        (twice, "part_twice", "lists/acme/part-00000.csv"),
        (same_content, "part_twice", "lists/acme/copy.csv"),
        (elsewhere, "part_elsewhere", "policies/acme/1.json"),
        (above, "part_elsewhere", "lists/../policies/1.csv"),
        (nested, "part_elsewhere", "lists/other.csv.manifest.json"),
        (jsonl, "part_elsewhere", "lists/acme/rows.jsonl"),
        (shorter, "part_differs", "lists/acme/short.csv"),
        (too_many, "too_many_parts", str(PARTS_MOST + 1)),
        (none, "too_many_parts", "0 parts"),
    ],
)
def test_parts_that_are_not_one_list_are_refused_by_name(
    change: Callable[[list[Part]], list[Part]], reason: str, named: str
) -> None:
    parts = change(list(parts_of([b"A-1,1\n", b"A-2,2\n"])))
    with pytest.raises(ListRefused) as refused:
        must_be_one_list(KEY, Manifest(HEADER, tuple(parts)))
    assert refused.value.reason == reason
    assert named in str(refused.value)


def test_parts_without_rows_may_be_equal() -> None:
    empty = [Part(f"lists/{number}.csv", "v", '"same"', len(HEADER)) for number in range(3)]
    manifest = Manifest(HEADER, (*empty, *parts_of([b"A-1,1\n"])))
    must_be_one_list(KEY, manifest)
    assert [span.part.key for span in manifest.spans(0, manifest.size)] == ["lists/acme/part-00000.csv"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"{}", b'{"v":1}', b'{"v":1,"header":1,"parts":[]}', b"[" * 100_000,
        b'{"v":2,"header":"account_id\\n","parts":[]}',
        b'{"v":1,"header":"a\\n","parts":[{"key":"lists/a.csv","version_id":"1","etag":"1","size":"9"}]}',
        b'{"v":1,"header":"a\\n","parts":[{"key":"lists/a.csv","version_id":"","etag":"1","size":9}]}',
        b'{"v":1,"header":"a\\n","parts":[{"key":"lists/a.csv","version_id":"1","etag":"1","size":true}]}',
        b'{"v":1,"header":"a\\n","parts":[{"key":"lists/a.csv","version_id":"1","etag":"1","size":9,"x":1}]}',
        b" " * (MANIFEST_BYTES + 1),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ListRefused) as refused:
        read_manifest(KEY, content)
    assert refused.value.reason == "manifest_malformed"


@pytest.mark.parametrize("header", [b"", b"account_id", b"account_id\nA-1\n", b"\n" + HEADER])
def test_the_header_is_one_line(header: bytes) -> None:
    with pytest.raises(ListRefused) as refused:
        must_be_one_list(KEY, Manifest(header, parts_of([b"A-1,1\n"], header)))
    assert refused.value.reason == "manifest_malformed"


def test_the_longest_manifest_can_be_read() -> None:
    part = Part("lists/" + "k" * 300 + ".csv", "v" * 40, "e" * 40, 10**12)
    assert len(json.dumps(part._asdict())) < PART_BYTES_MOST
