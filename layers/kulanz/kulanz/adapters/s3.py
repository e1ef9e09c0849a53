"""Lists, policies and what campaigns leave behind, in the one versioned bucket."""

import re
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from kulanz.adapters.aws import backoff_seconds, call, error_code, translated
from kulanz.application.ports import (
    UPLOADED_BY,
    ListMissing,
    PinnedVersionGone,
    PolicyMissing,
    PolicySealed,
    PublishedPolicy,
    PublishingForbidden,
    Refused,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.policy.document.frozen import MAX_EXAMPLES_BYTES, MAX_PUBLISHED_BYTES

BLOCK_BYTES = 256 * 1024
PUBLISH_ATTEMPTS = 5
PUBLISHED_AT_MOST = 10_000
"""Versions of policies in one listing, so that a bucket with other things in it cannot fill the memory."""

NOT_THERE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "NoSuchBucket"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_DELETE_MARKER = frozenset({"405", "MethodNotAllowed"})
_FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden"})
_CONFLICT = frozenset({"409", "ConditionalRequestConflict"})
_PARTIAL_CONTENT = 206
_PUBLISHED = re.compile(r"([a-z0-9-]+)/([1-9][0-9]{0,4})\.json")


class S3Lists:
    """The list store over a versioned bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        named = {} if version_id is None else {"VersionId": version_id}
        try:
            head = self._client.head_object(Bucket=bucket, Key=key, **named)
        except ClientError as error:
            if error_code(error) in NOT_THERE | _FORBIDDEN | _DELETE_MARKER | {"400", "InvalidArgument"}:
                raise ListMissing(key) from None
            raise translated(error, "HeadObject") from error
        except BotoCoreError as error:
            raise translated(error, "HeadObject") from error
        return _pinned(bucket, key, head, int(head["ContentLength"]))

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        wanted = (pinned.size if stop is None else min(stop, pinned.size)) - start
        if wanted <= 0:
            return
        answer = self._get(pinned, f"bytes={start}-{start + wanted - 1}")
        skip = _bytes_before(answer, start)
        try:
            for block in answer["Body"].iter_chunks(BLOCK_BYTES):
                piece = block[skip : skip + wanted] if skip or len(block) > wanted else block
                skip = max(0, skip - len(block))
                if piece:
                    wanted -= len(piece)
                    yield piece
                if wanted <= 0:
                    return
        except (HTTPClientError, BotoCoreError, HTTPError, OSError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        finally:
            answer["Body"].close()
        raise TryAgain("GetObject: the answer was cut short")

    def _get(self, pinned: PinnedList, span: str) -> Any:
        """By the version alone: an ETag is an MD5, and other bytes can be made that have the same one."""
        place = {"Bucket": pinned.bucket, "Key": pinned.key, "VersionId": pinned.version_id}
        try:
            answer = self._client.get_object(**place, Range=span)
        except ClientError as error:
            if error_code(error) in NOT_THERE | _DELETE_MARKER:
                raise PinnedVersionGone(pinned.key) from None
            raise translated(error, "GetObject") from error
        except BotoCoreError as error:
            raise translated(error, "GetObject") from error
        if answer["ETag"] != pinned.etag:  # a manifest that nobody pinned may say anything of its parts
            answer["Body"].close()
            raise PinnedVersionGone(pinned.key)
        return answer

    def put_inline(self, key: str, content: bytes) -> PinnedList:
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="application/x-ndjson", IfNoneMatch="*"
            )
        except ClientError as error:
            if error_code(error) in _CHANGED:
                return self.pin(self._bucket, key, None)
            raise translated(error, "PutObject") from error
        except BotoCoreError as error:
            raise translated(error, "PutObject") from error
        return _pinned(self._bucket, key, answer, len(content))


def _pinned(bucket: str, key: str, answer: Any, size: int) -> PinnedList:
    version_id = answer.get("VersionId")
    if not version_id or version_id == "null":
        raise Refused("the list bucket keeps no versions; enable versioning on it")
    return PinnedList(bucket, key, version_id, answer["ETag"], size)


def _bytes_before(answer: Any, start: int) -> int:
    """How many bytes of the answer come before `start`: none in a partial answer, `start` in a whole object."""
    if answer["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL_CONTENT:
        return start
    if not str(answer.get("ContentRange", "")).startswith(f"bytes {start}-"):
        raise TryAgain("GetObject: another range came than was asked for")
    return 0


def put_once(client: Any, bucket: str, key: str, content: bytes, named: str, by: str = "") -> bool:
    """Put an object where there is none; False where one stands. Raises PublishingForbidden, with what is `named`."""
    said = {"Metadata": {UPLOADED_BY: by}} if by else {}
    for attempt in range(1, PUBLISH_ATTEMPTS + 1):
        try:
            client.put_object(
                Bucket=bucket, Key=key, Body=content, ContentType="application/json", IfNoneMatch="*", **said
            )
        except ClientError as error:
            code = error_code(error)
            if code in _CONFLICT and attempt < PUBLISH_ATTEMPTS:  # another publisher is at it: see who was first
                time.sleep(backoff_seconds(attempt))
                continue
            if code in _FORBIDDEN:
                raise PublishingForbidden(named) from None
            if code not in _CHANGED:
                raise translated(error, "PutObject") from error
            return False
        except BotoCoreError as error:
            raise translated(error, "PutObject") from error
        return True
    raise AssertionError("unreachable: the last attempt returns or raises")


class S3Policies:
    """Published policies under `<prefix><id>/<version>.json`, their examples under `<version>.examples.json`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def fetch(self, policy_id: str, version: int) -> bytes:
        content = self._content(f"{policy_id}/{version}.json", MAX_PUBLISHED_BYTES + 1)
        if content is None:
            raise PolicyMissing(f"{policy_id}/{version}")
        if len(content) > MAX_PUBLISHED_BYTES:
            raise Refused(f"a policy has at most {MAX_PUBLISHED_BYTES} bytes")
        return content

    def _content(self, name: str, most: int) -> bytes | None:
        """The first `most` bytes of an object; None where there is none."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{name}")
            content: bytes = answer["Body"].read(most)
        except ClientError as error:
            if error_code(error) in NOT_THERE:
                return None
            raise translated(error, "GetObject") from error
        except (BotoCoreError, HTTPError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        return content

    def is_replaced(self, policy_id: str, version: int) -> bool:
        key = f"{self._prefix}{policy_id}/{version}.json"
        found = call(  # by name, and of one name the newest first
            "ListObjectVersions", self._client.list_object_versions, Bucket=self._bucket, Prefix=key, MaxKeys=2
        )
        written = [one for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ()) if one["Key"] == key]
        return len(written) > 1

    def publish(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        named = f"{policy_id} version {version}"
        key = f"{self._prefix}{policy_id}/{version}.json"
        if put_once(self._client, self._bucket, key, content, named, by):
            return True
        if self.fetch(policy_id, version) == content:
            return False
        raise PolicySealed(f"{named} is published with other content")

    def publish_examples(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        named, key = f"{policy_id} version {version}", f"{self._prefix}{policy_id}/{version}.examples.json"
        if put_once(self._client, self._bucket, key, content, named, by):
            return True
        return self.examples(policy_id, version) == content

    def examples(self, policy_id: str, version: int) -> bytes | None:
        content = self._content(f"{policy_id}/{version}.examples.json", MAX_EXAMPLES_BYTES + 1)
        return None if content is None or len(content) > MAX_EXAMPLES_BYTES else content

    def published(self, policy_id: str = "") -> Iterator[PublishedPolicy]:
        prefix = f"{self._prefix}{policy_id}/" if policy_id else self._prefix
        found: list[PublishedPolicy] = []
        more: dict[str, str] = {}
        while True:
            answer = call("ListObjectsV2", self._client.list_objects_v2, Bucket=self._bucket, Prefix=prefix, **more)
            for item in answer.get("Contents", ()):
                name = _PUBLISHED.fullmatch(item["Key"].removeprefix(self._prefix))
                if name is not None:  # what else lies there is nothing that a campaign could name
                    found.append(PublishedPolicy(name[1], int(name[2]), item["LastModified"]))
            if len(found) > PUBLISHED_AT_MOST:
                raise Refused(f"more than {PUBLISHED_AT_MOST} published versions are not listed")
            if not answer.get("IsTruncated"):
                return iter(sorted(found, key=lambda policy: (policy.policy_id, policy.version)))
            more = {"ContinuationToken": answer["NextContinuationToken"]}


class S3Archive:
    """Reports, problems of rows and refused events."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes, content_type: str) -> None:
        call("PutObject", self._client.put_object, Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def get(self, key: str) -> bytes:
        answer = call("GetObject", self._client.get_object, Bucket=self._bucket, Key=key)
        try:
            content: bytes = answer["Body"].read()
        except (BotoCoreError, HTTPError, OSError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        return content
