"""A list in parts, as `kulanz send --list` takes it: checked, uploaded part by part, and named by a manifest.

A part whose content lies under its key already is not uploaded again, so that a command that was interrupted goes on
where it stopped. What is pinned is the version that was looked at, whatever is uploaded later.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, format_of
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.manifest import MANIFEST_ENDING, PARTS_MOST, Manifest, Part, must_be_one_list
from kulanz_cli.event_file import EventUnsendable, legal_name, rows_in, stated_key, with_place
from kulanz_cli.send import upload_file
from kulanz_cli.stack import LIST_PREFIX, Stack

CONTENT_MARK = "kulanz-sha256"
"""Metadata of an uploaded part by which the same content is known again."""
_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "403", "405"})


def parts_among(paths: Sequence[Path]) -> list[Path]:
    """The files that are one list: those of a folder by name, others in their order. Raises EventUnsendable."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
            if not inside:
                raise EventUnsendable(f"{path} has no file; name the folder that `kulanz list prepare` wrote")
            found += inside
        else:
            found.append(path)
    if len(found) > PARTS_MOST:
        raise EventUnsendable(f"{len(found):,} parts are named; a list has at most {PARTS_MOST:,}")
    return found


def must_be_parts(paths: Sequence[Path]) -> bytes:
    """The header that all parts begin with; empty for JSONL. Raises EventUnsendable for parts that are no one list."""
    formats = {_format(path) for path in paths}
    names = [legal_name(path.name) for path in paths]
    if len(formats) > 1:
        raise EventUnsendable("some parts are CSV and some JSONL; write all parts alike")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise EventUnsendable(f"two parts are called {name}; name each part once")
    headers = {path: b"" if formats == {ListFormat.JSONL} else _header(path) for path in paths}
    header = headers[paths[0]]
    for path in paths:
        if headers[path] != header:
            raise EventUnsendable(
                f"{path.name} has another header than {paths[0].name}; export all parts alike, or give the files to"
                " `kulanz list prepare`"
            )
        if not path.stat().st_size:
            raise EventUnsendable(f"{path.name} is empty; leave it out, or export it again")
        if _last_byte(path) != b"\n":
            raise EventUnsendable(f"{path.name} ends within a line: it was cut off, or lacks its last line end")
    return header


def _format(path: Path) -> ListFormat:
    try:
        return format_of(legal_name(path.name))
    except ListRefused as refusal:
        raise EventUnsendable(
            f"{path.name} is no part of a list: {refusal}; `kulanz list prepare` makes parts of it"
        ) from None


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        line = file.readline(HEADER_BYTES)
    if not line.endswith(b"\n"):
        raise EventUnsendable(f"{path.name} has no header line")
    try:
        line.decode()
    except UnicodeDecodeError:
        raise EventUnsendable(
            f"the header of {path.name} is not UTF-8; save the parts as UTF-8, or give the files to"
            " `kulanz list prepare`"
        ) from None
    return line


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def with_parts(event: dict[str, Any], stack: Stack, paths: Sequence[Path], rows: int | None) -> dict[str, Any]:
    """The event naming a list in parts, uploaded under the key that the event gives (or the name of their folder)."""
    key = stated_key(event) or paths[0].resolve().parent.name
    name = legal_name(f"{key.removeprefix(LIST_PREFIX).partition('.')[0]}.csv").removesuffix(".csv")
    return with_place(event, upload_parts(stack, paths, name, rows))


def upload_parts(stack: Stack, paths: Sequence[Path], name: str, rows: int | None = None) -> dict[str, Any]:
    """Upload a list in parts and its manifest; give it as an event names it. Raises EventUnsendable.

    `name` is the list's: its parts lie in a folder of that name. `rows` is counted where it is not given.
    """
    header = must_be_parts(paths)
    bucket, s3 = stack.outputs.list_bucket_name, stack.client("s3")
    list_format = _format(paths[0])
    parts = tuple(_part(s3, bucket, f"{LIST_PREFIX}{name}/{legal_name(path.name)}", path) for path in paths)
    manifest = Manifest(header, parts)
    key = f"{LIST_PREFIX}{name}.{list_format.value}{MANIFEST_ENDING}"
    try:
        must_be_one_list(key, manifest)
    except ListRefused as refusal:
        raise EventUnsendable(f"{refusal}; nothing was sent") from None
    answer = s3.put_object(Bucket=bucket, Key=key, Body=manifest.text(), ContentType="application/json")
    counted = sum(rows_in(path, list_format) for path in paths) if rows is None else rows
    return {"s3": {"bucket": bucket, "key": key, "version_id": answer["VersionId"]}, "rows": counted}


def _part(s3: Any, bucket: str, key: str, path: Path) -> Part:
    """One part as it lies in the bucket: the version that has its content, uploaded where there is none."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    head = _head(s3, bucket, key)
    if head is None or head["Metadata"].get(CONTENT_MARK) != digest:
        made = upload_file(s3, path, bucket, key, {CONTENT_MARK: digest})
        return Part(key, made.version_id, made.etag, path.stat().st_size)
    return Part(key, head["VersionId"], head["ETag"], head["ContentLength"])


def _head(s3: Any, bucket: str, key: str) -> Any:
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            return None
        raise
