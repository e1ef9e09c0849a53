"""Lists, policies and what campaigns leave behind, in the one versioned bucket."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from kulanz.adapters.aws import call, error_code, translated
from kulanz.application.ports import ListMissing, PinnedVersionGone, PolicyMissing, Refused, TryAgain
from kulanz.domain.campaign import PinnedList

BLOCK_BYTES = 256 * 1024
POLICY_BYTES = 256 * 1024

_NOT_THERE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "NoSuchBucket"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_DELETE_MARKER = frozenset({"405", "MethodNotAllowed"})
_FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden"})
_PARTIAL_CONTENT = 206


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
            if error_code(error) in _NOT_THERE | _FORBIDDEN | _DELETE_MARKER | {"400", "InvalidArgument"}:
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
        """By key while the key still holds the pinned content, else by its version."""
        place = {"Bucket": pinned.bucket, "Key": pinned.key, "Range": span}
        try:
            return self._client.get_object(**place, IfMatch=pinned.etag)
        except ClientError as error:
            if error_code(error) not in _NOT_THERE | _CHANGED | _DELETE_MARKER:
                raise translated(error, "GetObject") from error
        except BotoCoreError as error:
            raise translated(error, "GetObject") from error
        try:
            return self._client.get_object(**place, VersionId=pinned.version_id)
        except ClientError as error:
            if error_code(error) in _NOT_THERE | _DELETE_MARKER:
                raise PinnedVersionGone(pinned.key) from None
            raise translated(error, "GetObject") from error
        except BotoCoreError as error:
            raise translated(error, "GetObject") from error

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


class S3Policies:
    """Published policies under `<prefix><id>/<version>.json`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def fetch(self, policy_id: str, version: int) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{policy_id}/{version}.json")
            content: bytes = answer["Body"].read(POLICY_BYTES + 1)
        except ClientError as error:
            if error_code(error) in _NOT_THERE:
                raise PolicyMissing(f"{policy_id}/{version}") from None
            raise translated(error, "GetObject") from error
        except (BotoCoreError, HTTPError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        if len(content) > POLICY_BYTES:
            raise Refused(f"a policy has at most {POLICY_BYTES} bytes")
        return content

    def publish(self, policy_id: str, version: int, content: bytes) -> bool:
        """Publish a version once. True when it is new, False when the same content stands; raises Refused otherwise."""
        key = f"{self._prefix}{policy_id}/{version}.json"
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="application/json", IfNoneMatch="*"
            )
        except ClientError as error:
            if error_code(error) not in _CHANGED:
                raise translated(error, "PutObject") from error
            if self.fetch(policy_id, version) == content:
                return False
            raise Refused(
                f"{policy_id} version {version} is published with other content; publish the change as a new version"
            ) from None
        return True


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
