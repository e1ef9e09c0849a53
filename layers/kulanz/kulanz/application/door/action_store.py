"""Where actions stand under the ids that their callers chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kulanz.domain.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Action:
    """An action as it is stored. `key` is unique in its `place`; `fields` has a digest of each field of its body.

    `answer` is None until it was done.
    """

    place: str
    key: str
    actor: str
    at: datetime
    fields: Mapping[str, str]
    answer: Mapping[str, Any] | None = None


class Actions(Protocol):
    """The actions that were begun, each beside what it is about."""

    def begin(self, action: Action) -> Action:
        """Store an action where none stands under its key; the one that stands there then, read consistently."""

    def finish(self, action: Action, answer: Mapping[str, Any], entry: AuditEntry | None) -> None:
        """Add the answer to an action, and its entry to the audit log, in one step. A repetition changes nothing."""
