"""Lists of affected accounts, and who brought what into the bucket."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kulanz.domain.campaigns.campaign import PinnedList


class ListStore(Protocol):
    """The lists of affected accounts, in versioned storage."""

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        """The current version (or the named one) of a list. Raises ListMissing.

        A list in parts is pinned by its manifest; a manifest that cannot be read raises ListRefused.
        """

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to `stop` (default: the end) of exactly the pinned version, in bounded blocks, lazily.

        Raises PinnedVersionGone, also while iterating; TryAgain when the connection fails; ListRefused where a part is
        not what its manifest says.
        """

    def put_inline(self, key: str, content: bytes) -> PinnedList:
        """Store a list that came inside an event, once: a second call with the same key returns the first version."""


UPLOADED_BY = "kulanz-by"
"""The metadata in which whoever puts a list or a policy into the bucket says who that is."""


@dataclass(frozen=True, slots=True)
class Upload:
    """When an object came into the bucket, and who put it there by its own word; `by` is empty where it has none."""

    at: datetime
    by: str


class Uploads(Protocol):
    """Who brought what into the bucket, as far as its objects say."""

    def policies(self, policy_id: str) -> Iterator[tuple[int, Upload]]:
        """Each published version of a policy, lowest first."""

    def policy(self, policy_id: str, version: int) -> Upload | None:
        """A published version of a policy; None where it is not there."""

    def pinned(self, pinned: PinnedList) -> Upload | None:
        """The version of a list that was pinned; None where it was deleted."""
