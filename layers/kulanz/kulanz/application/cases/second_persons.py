"""What waits for a second person: announced, reminded of, and over by the clock, as a plan that waits is.

Decisions of cases and goodwill above one person's limit wait for fourteen days. The schedule looks at what waits. What
was sent is remembered after it was sent: an event may come twice, and is never left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol, TypedDict

from kulanz.application.cases.store import WAITS as CASE_WAITS
from kulanz.application.ports import Announcement, Announcer
from kulanz.domain.byhand.goodwill import WAITS as GOODWILL_WAITS
from kulanz.domain.canonical import canonical_json
from kulanz.domain.gate.approval import REMINDED_AT, Reminder
from kulanz.domain.time import format_instant

SECOND_PERSON_WAITED_FOR = "Second Person Waited For"
"""The detail-type of the event."""
WAITING = "waiting"
"""What is remembered of one that was announced, and of which no reminder was due yet."""


class Asked(StrEnum):
    """What a person asked for above the own limit: a decision of a case, or goodwill."""

    CASE = "case"
    GOODWILL = "goodwill"


WAITS: Mapping[Asked, timedelta] = {Asked.CASE: CASE_WAITS, Asked.GOODWILL: GOODWILL_WAITS}
"""How long each waits for its second person."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that waits: the hash of a case's decision, or the id of goodwill. No account is in it.

    `since` is None where an earlier release wrote it: it counts from the first look. `reminded` is what was announced.
    """

    asked: Asked
    name: str
    since: datetime | None
    reminded: str = ""


class SecondPersonContract(TypedDict):
    """The detail of *Second Person Waited For*: what waits, since when and until when.

    `id` is what the second person names: the hash of a case's decision, or the id of goodwill. `reminder` is empty with
    the first event, then `half`, `four_fifths`, and `expired`, with which it waits no more.
    """

    v: Literal[1]
    asked: Literal["case", "goodwill"]
    id: str
    since: str
    until: str
    reminder: Literal["", "half", "four_fifths", "expired"]


class SecondPersons(Protocol):
    """What waits for a second person, and what was announced of it."""

    def waiting(self) -> list[Waiting]:
        """All that waits, read consistently."""

    def remember(self, one: Waiting, since: datetime, reminded: str) -> None:
        """Remember what was announced. Nothing where it waits no more."""

    def forget(self, one: Waiting) -> None:
        """It waits no more, because its time is over. Nothing where it waits no more already."""


@dataclass(frozen=True, slots=True)
class SecondPersonPorts:
    """The world that looking at what waits touches."""

    waiting: SecondPersons
    announcer: Announcer


def due_reminder(since: datetime, waits: timedelta, now: datetime) -> str:
    """The latest reminder that is due; `WAITING` where none is."""
    if now >= since + waits:
        return Reminder.EXPIRED.value
    found = [one.value for one, (part, of) in REMINDED_AT.items() if now >= since + waits * part / of]
    return found[-1] if found else WAITING


def watch_second_persons(ports: SecondPersonPorts, now: datetime) -> int:
    """Announce what waits and each reminder that is due; how many waited in vain, for the alarm. Safe to repeat.

    Raises TryAgain.
    """
    expired = 0
    for one in ports.waiting.waiting():
        since = one.since or now
        due = due_reminder(since, WAITS[one.asked], now)
        if due == one.reminded:
            continue
        ports.announcer.announce(Announcement(SECOND_PERSON_WAITED_FOR, canonical_json(_content(one, since, due))))
        if due == Reminder.EXPIRED:
            expired += 1
            ports.waiting.forget(one)
        else:
            ports.waiting.remember(one, since, due)
    return expired


def _content(one: Waiting, since: datetime, due: str) -> SecondPersonContract:
    return {
        "v": 1,
        "asked": one.asked.value,
        "id": one.name,
        "since": format_instant(since),
        "until": format_instant(since + WAITS[one.asked]),
        "reminder": "" if due == WAITING else due,  # type: ignore[typeddict-item]
    }
