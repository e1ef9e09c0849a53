"""What a source reports of an incident: status changes, times with the field that states them, and how it goes on.

A delivery becomes parts. Of two parts under one key the one with the later order holds, and of equal ones the one whose
text is greater. So parts can come late, twice and in any order: what is kept in the end is the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from kulanz.domain.canonical import canonical_json
from kulanz.domain.time import format_instant, parse_instant


class Degree(StrEnum):
    """How far a component worked. `UNSTATED` is an outage of which the source states no degree."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL = "partial"
    MAJOR = "major"
    UNSTATED = "unstated"
    PLANNED = "planned"
    UNKNOWN = "unknown"


COUNTABLE = (Degree.MAJOR, Degree.PARTIAL, Degree.DEGRADED, Degree.UNSTATED, Degree.PLANNED)
"""The degrees that a configuration may count as an outage."""


class Course(StrEnum):
    """How the incident goes on, as its source says."""

    OPEN = "open"
    RESOLVED = "resolved"
    SCHEDULED = "scheduled"
    UNDER_WAY = "under_way"
    COMPLETED = "completed"
    MERGED = "merged"
    CANCELLED = "cancelled"


PLANNED_COURSES = frozenset({Course.SCHEDULED, Course.UNDER_WAY, Course.COMPLETED})
ENDED = frozenset({Course.RESOLVED, Course.COMPLETED})
OVER = ENDED | {Course.MERGED, Course.CANCELLED}


class Mark(StrEnum):
    """What a person has to know before confirming a draft."""

    START_UNKNOWN = "start_unknown"
    START_ASSUMED = "start_assumed"
    END_ASSUMED = "end_assumed"
    END_MISSING = "end_missing"
    TIMELINE_BROKEN = "timeline_broken"
    TIMES_CONTRADICT = "times_contradict"
    TIME_UNREADABLE = "time_unreadable"
    TIME_WITHOUT_ZONE = "time_without_zone"
    STATUS_UNKNOWN = "status_unknown"
    REOPENED = "reopened"
    MERGED = "merged"
    CANCELLED = "cancelled"
    PLANNED = "planned"
    NOT_BEGUN = "not_begun"
    BACKDATED = "backdated"
    COMPONENT_CHANGED = "component_changed"
    COMPONENT_UNMAPPED = "component_unmapped"
    PAGING_TIMES = "paging_times"
    WRITTEN_TIMES = "written_times"
    SUPPLIER = "supplier"
    BELOW_MINIMUM = "below_minimum"
    NO_WINDOW = "no_window"


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant, and the field of the source that states it; `is_assumed` where no field states it for this."""

    at: datetime
    field: str
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A component's status from an instant on. `before` is the status until then, None where that is not stated.

    `place` orders changes of one instant. `is_own` is false of a change that the source reports outside any incident.
    """

    component: str
    stamp: Stamp
    after: Degree
    before: Degree | None = None
    place: str = ""
    is_own: bool = True

    @property
    def sort_key(self) -> tuple[datetime, str, bool, str, str, str]:
        """Changes of one component, first to last; the same in whatever order they came."""
        return (self.stamp.at, self.place, self.is_own, self.after, self.before or "", self.stamp.field)


@dataclass(frozen=True, slots=True)
class Reported:
    """What one part of a delivery says. Empty and None is what it does not say."""

    title: str = ""
    course: Course | None = None
    url: str = ""
    began: Stamp | None = None
    ended: Stamp | None = None
    changes: tuple[Change, ...] = ()
    components: Mapping[str, str] = field(default_factory=dict)
    marks: frozenset[Mark] = frozenset()

    def content(self) -> dict[str, Any]:
        """The report as JSON-able content, in one form."""
        return {
            "title": self.title,
            "course": self.course,
            "url": self.url,
            "began": _stamp_content(self.began),
            "ended": _stamp_content(self.ended),
            "changes": [_change_content(one) for one in self.changes],
            "components": dict(sorted(self.components.items())),
            "marks": sorted(self.marks),
        }

    @property
    def text(self) -> str:
        """The report as it is stored and compared."""
        return canonical_json(self.content())


def reported_of(content: Mapping[str, Any]) -> Reported:
    """A report back from its content."""
    return Reported(
        title=content["title"],
        course=None if content["course"] is None else Course(content["course"]),
        url=content["url"],
        began=_stamp_of(content["began"]),
        ended=_stamp_of(content["ended"]),
        changes=tuple(_change_of(one) for one in content["changes"]),
        components=dict(content["components"]),
        marks=frozenset(map(Mark, content["marks"])),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what a source reports. `incident` is the source's own id; empty for a component outside any incident.

    `order` sorts as the source means it: text of the same form in all parts of one key.
    """

    incident: str
    key: str
    order: str
    reported: Reported


def order_text(at: datetime, also: str = "") -> str:
    """An instant as text that sorts as instants do, with microseconds always, and what decides between equal ones."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z{also}"


def latest_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Of each key the part that holds, by order. The same set of parts gives the same, however often each comes."""
    held: dict[str, Part] = {}
    for part in parts:
        before = held.get(part.key)
        if before is None or (before.order, before.reported.text) < (part.order, part.reported.text):
            held[part.key] = part
    return tuple(sorted(held.values(), key=lambda part: (part.order, part.key)))


def _stamp_content(stamp: Stamp | None) -> list[Any] | None:
    return None if stamp is None else [format_instant(stamp.at), stamp.field, stamp.is_assumed]


def _stamp_of(content: list[Any] | None) -> Stamp | None:
    return None if content is None else Stamp(parse_instant(content[0]), content[1], content[2])


def _change_content(change: Change) -> list[Any]:
    stamp = _stamp_content(change.stamp)
    return [change.component, stamp, change.after, change.before, change.place, change.is_own]


def _change_of(content: list[Any]) -> Change:
    component, stamp, after, before, place, is_own = content
    at = _stamp_of(stamp)
    if at is None:
        raise ValueError("a change has an instant")
    return Change(component, at, Degree(after), None if before is None else Degree(before), place, is_own)
