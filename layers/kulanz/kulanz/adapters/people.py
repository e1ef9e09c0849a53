"""The people file, one object a version, beside the published policies."""

from typing import Any

from kulanz.adapters.published_file import PublishedFile
from kulanz.application.ports import PeopleSealed, Refused
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
        self._file = PublishedFile(client, bucket, folder, "the people file", VERSION_DIGITS, PEOPLE_BYTES_MOST)

    def current(self) -> People:
        version = self._file.latest()
        if not version:
            return NOBODY_LISTED
        try:
            people = people_from_json(self._file.read(version))
        except PeopleError as error:
            raise Refused(f"people file, version {version}: {error}") from None
        if people.version != version:
            raise Refused(f"people file, version {version}: it says that it is another version")
        return people

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        if self._file.put(version, content, by):
            return True
        if self._file.read(version) == content:
            return False
        raise PeopleSealed(f"version {version} of the people file is published with other content")
