"""The discretion file in memory."""

from kulanz.application.ports import DiscretionSealed
from kulanz.domain.byhand.discretion import NO_DISCRETION, Discretion, discretion_from_json


class FakeDiscretion:
    """The published versions of the discretion file."""

    def __init__(self) -> None:
        self._published: dict[int, bytes] = {}

    def current(self) -> Discretion:
        return discretion_from_json(self._published[max(self._published)]) if self._published else NO_DISCRETION

    def publish(self, version: int, content: bytes, by: str = "") -> bool:  # noqa: ARG002 - nobody asks it
        if version in self._published:
            if self._published[version] != content:
                raise DiscretionSealed(f"version {version} of the discretion file is published with other content")
            return False
        self._published[version] = content
        return True
