"""The people file in memory."""

from kulanz.application.ports import PeopleSealed
from kulanz.domain.people.people import NOBODY_LISTED, People, people_from_json


class FakePeople:
    """The published versions of the people file."""

    def __init__(self) -> None:
        self._published: dict[int, bytes] = {}

    def current(self) -> People:
        return people_from_json(self._published[max(self._published)]) if self._published else NOBODY_LISTED

    def publish(self, version: int, content: bytes, by: str = "") -> bool:  # noqa: ARG002 - nobody asks it
        if version in self._published:
            if self._published[version] != content:
                raise PeopleSealed(f"version {version} of the people file is published with other content")
            return False
        self._published[version] = content
        return True
