"""The discretion file, one object a version, beside the published policies."""

from typing import Any

from kulanz.adapters.published_file import PublishedFile
from kulanz.application.ports import DiscretionSealed
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
        self._file = PublishedFile(
            client, bucket, folder, "discretion file", VERSION_DIGITS, BYTES_MOST, DiscretionSealed
        )

    def current(self) -> Discretion:
        return self._file.current(discretion_from_json, DiscretionError, NO_DISCRETION)

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        return self._file.publish(version, content, by)
