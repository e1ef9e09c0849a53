"""Actions, documents and refused events in memory."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kulanz.application.door.action_store import Action
from kulanz.application.door.asked import Document, RefusedEvent
from kulanz.domain.audit import AuditEntry
from tests.support.fake_bucket import FakeArchive
from tests.support.fake_messages import FakeRejected


class FakeActions:
    """Actions by place and key."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Action] = {}
        self.entries: list[AuditEntry] = []

    def begin(self, action: Action) -> Action:
        return self.stored.setdefault((action.place, action.key), action)

    def finish(self, action: Action, answer: Mapping[str, Any], entry: AuditEntry | None) -> None:
        place = action.place, action.key
        if self.stored[place].answer is None:
            self.entries += [] if entry is None else [entry]
            self.stored[place] = replace(self.stored[place], answer=json.loads(json.dumps(answer)))


class FakeDocuments:
    """The documents of an archive."""

    def __init__(self, archive: FakeArchive) -> None:
        self._documents = archive.documents

    def under(self, prefix: str, after: str, most: int) -> list[Document]:
        found = sorted(key for key in self._documents if key.startswith(prefix) and key > after)
        return [Document(key, len(self._documents[key])) for key in found[:most]]

    def link(self, key: str, seconds: int) -> str:
        return f"https://lists.example/{key}?seconds={seconds}"


class FakeRefusedEvents:
    """Refused events as they were sent; each message has a number."""

    def __init__(self, rejected: FakeRejected) -> None:
        self._rejected = rejected
        self._gone: set[str] = set()

    def look(self, most: int) -> list[RefusedEvent]:
        named = [RefusedEvent(f"message-{number}", one) for number, one in enumerate(self._rejected.sent)]
        return [one for one in named if one.message_id not in self._gone][:most]

    def take_out(self, message_ids: Sequence[str], seconds_left: Callable[[], float]) -> set[str]:  # noqa: ARG002
        done = {one.message_id for one in self.look(10_000)} & set(message_ids)
        self._gone |= done
        return done
