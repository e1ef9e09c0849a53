"""The people file, one object a version, beside the published policies.

It stands where no policy can, so that whatever protects policies protects it: it is published by the same people, never
replaced, hidden or expired.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from kulanz.adapters.aws import call, translated
from kulanz.adapters.s3 import put_once
from kulanz.application.ports import PeopleSealed, Refused, TryAgain
from kulanz.domain.people.people import (
    NOBODY_LISTED,
    PEOPLE_BYTES_MOST,
    VERSION_HIGHEST,
    People,
    PeopleError,
    people_from_json,
)

PEOPLE_FOLDER = "_people/"
"""Under the prefix of policies. An id of a policy has no underscore."""
VERSION_DIGITS = len(str(VERSION_HIGHEST))
"""Keys are listed in the order of their text, so every version has as many digits."""


class S3People:
    """The people file. It is read anew for each action: whoever has left must not act for as long as a cache holds."""

    def __init__(self, client: Any, bucket: str, policy_prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = policy_prefix + PEOPLE_FOLDER

    def current(self) -> People:
        version = self._latest()
        if not version:
            return NOBODY_LISTED
        try:
            people = people_from_json(self._read(version))
        except PeopleError as error:
            raise Refused(f"people file, version {version}: {error}") from None
        if people.version != version:
            raise Refused(f"people file, version {version}: it says that it is another version")
        return people

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        named = f"version {version} of the people file"
        if put_once(self._client, self._bucket, self._key(version), content, named, by):
            return True
        if self._read(version) == content:
            return False
        raise PeopleSealed(f"{named} is published with other content")

    def _key(self, version: int) -> str:
        return f"{self._prefix}{version:0{VERSION_DIGITS}d}.json"

    def _latest(self) -> int:
        """The highest version that was published; 0 where there is none."""
        latest, more = 0, dict[str, str]()
        while True:
            answer = call(
                "ListObjectsV2", self._client.list_objects_v2, Bucket=self._bucket, Prefix=self._prefix, **more
            )
            for item in answer.get("Contents", ()):
                name = item["Key"].removeprefix(self._prefix).removesuffix(".json")
                if name.isascii() and name.isdigit() and item["Key"] == self._key(int(name)):
                    latest = max(latest, int(name))
            if not answer.get("IsTruncated"):
                return latest
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _read(self, version: int) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(version))
            content: bytes = answer["Body"].read(PEOPLE_BYTES_MOST + 1)
        except ClientError as error:
            raise translated(error, "GetObject") from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        if len(content) > PEOPLE_BYTES_MOST:
            raise Refused(f"a people file has at most {PEOPLE_BYTES_MOST} bytes")
        return content
