"""Parts of a list that lie in the stack's bucket already: found by their folder, each pinned in its current version.

The command lists versions, 1,000 in a call, and reads one header, so that 10,000 parts take seconds. It writes nothing
but the manifest, at the end; an interrupted command is repeated. What is uploaded later changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, format_of
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_ENDING, Manifest, Part, must_be_one_list
from kulanz_cli.event_file import EventUnsendable, legal_name, with_place
from kulanz_cli.stack import LIST_PREFIX, Stack

NAMED = 3


@dataclass(frozen=True, slots=True)
class PinnedParts:
    """A list in the bucket: how an event names it, its parts, and what was not taken."""

    place: Mapping[str, Any]
    parts: Sequence[Part]
    empty: Sequence[str]
    deleted: Sequence[str]

    def notes(self) -> Iterator[str]:
        """What whoever sends the list should look at."""
        for keys, why in ((self.empty, "have no bytes"), (self.deleted, "were deleted in the bucket")):
            if keys:
                named = ", ".join(keys[:NAMED]) + (" and more" if len(keys) > NAMED else "")
                yield f"note: objects that {why} are not in the list, {len(keys):,}: {named}"


def pinned_parts(stack: Stack, folder: str) -> PinnedParts:
    """Pin all objects under a folder of the list bucket, by key, and store their manifest. Raises EventUnsendable."""
    if not folder.startswith(LIST_PREFIX) or not folder.endswith("/") or folder == LIST_PREFIX:
        raise EventUnsendable(f"{folder} is no folder of lists; write {LIST_PREFIX}NAME/, with the slash at its end")
    bucket, s3 = stack.outputs.list_bucket_name, stack.client("s3")
    found, empty, deleted = _current(s3, bucket, folder)
    if not found:
        raise EventUnsendable(f"there is no part under {folder} in the bucket {bucket}")
    try:
        list_format = _format(found[0].key)
        header = b"" if list_format is ListFormat.JSONL else _header(s3, bucket, found[0])
        manifest = Manifest(header, tuple(found))
        name = legal_name(f"{folder.strip('/').rpartition('/')[2]}.csv").removesuffix(".csv")
        key = f"{folder.rstrip('/').rpartition('/')[0]}/{name}.{list_format.value}{MANIFEST_ENDING}"
        must_be_one_list(key, manifest)
    except ListRefused as refusal:
        raise EventUnsendable(f"{refusal}; nothing was sent") from None
    made = s3.put_object(Bucket=bucket, Key=key, Body=manifest.text(), ContentType="application/json")
    place = {"s3": {"bucket": bucket, "key": key, "version_id": made["VersionId"]}}
    return PinnedParts(place, found, empty, deleted)


def with_pinned(event: dict[str, Any], pinned: PinnedParts, rows: int) -> dict[str, Any]:
    """The event naming the list. Raises EventUnsendable where it asks for no campaign."""
    return with_place(event, {**pinned.place, "rows": rows})


def _current(s3: Any, bucket: str, folder: str) -> tuple[list[Part], list[str], list[str]]:
    """The current versions under a folder by key; the keys of those without bytes; those that were deleted."""
    found: list[Part] = []
    empty: list[str] = []
    deleted: list[str] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=folder):
        deleted += [one["Key"] for one in page.get("DeleteMarkers", ()) if one["IsLatest"]]
        for one in page.get("Versions", ()):
            if one["IsLatest"] and one["Size"]:
                found.append(Part(one["Key"], one["VersionId"], one["ETag"], one["Size"]))
            elif one["IsLatest"]:
                empty.append(one["Key"])
    return sorted(found), sorted(empty), sorted(deleted)


def _format(key: str) -> ListFormat:
    try:
        return format_of(key)
    except ListRefused as refusal:
        raise ListRefused(refusal.reason, f"{key}: {refusal}") from None


def _header(s3: Any, bucket: str, part: Part) -> bytes:
    asked = {"Bucket": bucket, "Key": part.key, "VersionId": part.version_id}
    head: bytes = s3.get_object(**asked, Range=f"bytes=0-{HEADER_BYTES - 1}")["Body"].read()
    line, end, _ = head.partition(b"\n")
    try:
        line.decode()
    except UnicodeDecodeError:
        raise ListRefused("list_not_utf8", f"the header of {part.key} is not UTF-8; save the parts as UTF-8") from None
    if not end:
        raise ListRefused("header_too_long", f"{part.key} has no header line in its first {HEADER_BYTES} bytes")
    return line + end
