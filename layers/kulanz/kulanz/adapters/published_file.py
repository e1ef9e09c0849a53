"""A checked file that is published in versions, one object each, beside the published policies.

It stands under their prefix, in a folder that no policy's id can name, so that whatever protects policies protects it:
it is published by the same people, never replaced, hidden or expired.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from kulanz.adapters.aws import call, translated
from kulanz.adapters.s3 import put_once
from kulanz.application.ports import Refused, TryAgain


class Versioned(Protocol):
    """What a file says, with the version that it says it is."""

    @property
    def version(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """The versions of one file. `named` is what it is called, without its article; keys are in the order of their text.

    `sealed` is raised where a version has been published with other content.
    """

    _client: Any
    bucket: str
    folder: str
    named: str
    version_digits: int
    bytes_most: int
    sealed: type[Refused]

    def current[Content: Versioned](
        self, parse: Callable[[bytes], Content], wrong: type[Exception], nothing: Content
    ) -> Content:
        """The newest version, as `parse` reads it; `nothing` where none was published.

        Raises Refused where it is too large, says that it is another version, or where `parse` raises `wrong`.
        """
        version = self._latest()
        if not version:
            return nothing
        try:
            found = parse(self._read(version))
        except wrong as error:
            raise Refused(f"{self.named}, version {version}: {error}") from None
        if found.version != version:
            raise Refused(f"{self.named}, version {version}: it says that it is another version")
        return found

    def publish(self, version: int, content: bytes, by: str) -> bool:
        """Publish a version once; False where the same content stands. Raises `sealed`, PublishingForbidden."""
        named = f"version {version} of the {self.named}"
        if put_once(self._client, self.bucket, self._key(version), content, named, by):
            return True
        if self._read(version) == content:
            return False
        raise self.sealed(f"{named} is published with other content")

    def _latest(self) -> int:
        """The highest version that was published; 0 where there is none."""
        latest, more = 0, dict[str, str]()
        while True:
            answer = call("ListObjectsV2", self._client.list_objects_v2, Bucket=self.bucket, Prefix=self.folder, **more)
            for item in answer.get("Contents", ()):
                name = item["Key"].removeprefix(self.folder).removesuffix(".json")
                if name.isascii() and name.isdigit() and item["Key"] == self._key(int(name)):
                    latest = max(latest, int(name))
            if not answer.get("IsTruncated"):
                return latest
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _read(self, version: int) -> bytes:
        """A published version. Raises Refused where it is too large, TryAgain."""
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(version))
            content: bytes = answer["Body"].read(self.bytes_most + 1)
        except ClientError as error:
            raise translated(error, "GetObject") from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        if len(content) > self.bytes_most:
            raise Refused(f"the {self.named} has at most {self.bytes_most} bytes")
        return content

    def _key(self, version: int) -> str:
        return f"{self.folder}{version:0{self.version_digits}d}.json"
