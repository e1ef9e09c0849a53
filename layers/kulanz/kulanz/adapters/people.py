"""The people file, one object a version, beside the published policies."""

from typing import Any

from kulanz.adapters.published_file import PublishedFile
from kulanz.application.ports import PeopleSealed
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


class S3People:
    """The people file. It is read anew for each action: whoever has left must not act for as long as a cache holds."""

    def __init__(self, client: Any, bucket: str, policy_prefix: str) -> None:
        folder = policy_prefix + PEOPLE_FOLDER
        self._file = PublishedFile(
            client, bucket, folder, "people file", VERSION_DIGITS, PEOPLE_BYTES_MOST, PeopleSealed
        )

    def current(self) -> People:
        return self._file.current(people_from_json, PeopleError, NOBODY_LISTED)

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        return self._file.publish(version, content, by)
