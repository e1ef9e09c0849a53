"""The discretion file, one object a version, beside the published policies."""

from typing import Any

from kulanz.adapters.published_file import PublishedFile
from kulanz.application.ports import DiscretionSealed, Refused
from kulanz.domain.byhand.discretion import (
    BYTES_MOST,
    NO_DISCRETION,
    VERSION_HIGHEST,
    Discretion,
    DiscretionError,
    discretion_from_json,
)

DISCRETION_FOLDER = "_discretion/"
"""Under the prefix of policies. An id of a policy has no underscore."""
VERSION_DIGITS = len(str(VERSION_HIGHEST))


class S3Discretion:
    """The discretion file. It is read anew for each action: a limit that was lowered holds at once."""

    def __init__(self, client: Any, bucket: str, policy_prefix: str) -> None:
        folder = policy_prefix + DISCRETION_FOLDER
        self._file = PublishedFile(client, bucket, folder, "the discretion file", VERSION_DIGITS, BYTES_MOST)

    def current(self) -> Discretion:
        version = self._file.latest()
        if not version:
            return NO_DISCRETION
        try:
            found = discretion_from_json(self._file.read(version))
        except DiscretionError as error:
            raise Refused(f"discretion file, version {version}: {error}") from None
        if found.version != version:
            raise Refused(f"discretion file, version {version}: it says that it is another version")
        return found

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        if self._file.put(version, content, by):
            return True
        if self._file.read(version) == content:
            return False
        raise DiscretionSealed(f"version {version} of the discretion file is published with other content")
