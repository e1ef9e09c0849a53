"""A draft: what an incident would be for one mapped service, with where each instant came from. A person confirms it.

It is worked out anew from everything that was received, whenever it is looked at. So late, doubled and reordered
deliveries end in the same draft, and nothing has to be put right.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from kulanz.domain.canonical import canonical_json
from kulanz.domain.drafts.reported import (
    ENDED,
    OVER,
    Change,
    Course,
    Degree,
    Mark,
    Part,
    Reported,
    Stamp,
    latest_parts,
)
from kulanz.domain.drafts.timeline import JOINED_AFTER, JOINED_BEFORE, Span, Timeline, joined, timeline
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS
from kulanz.domain.time import Window, format_instant

SOURCE_NAME_CHARACTERS = 12
UPSTREAM_NAME_CHARACTERS = 32
SERVICE_NAME_CHARACTERS = IDENTIFIER_LENGTH_CHARACTERS - SOURCE_NAME_CHARACTERS - UPSTREAM_NAME_CHARACTERS - 2
"""A draft's id is the incident's id: source, hyphen, name of the upstream incident, hyphen, service."""
TITLE_CHARACTERS = 500
"""What an incident event takes."""

_PLAIN_NAME = re.compile(rf"[a-z0-9]{{1,{UPSTREAM_NAME_CHARACTERS}}}", re.ASCII).fullmatch
DRAFT_ID_PATTERN = (
    rf"([a-z][a-z0-9]{{0,{SOURCE_NAME_CHARACTERS - 1}}})-([a-z0-9]{{1,{UPSTREAM_NAME_CHARACTERS}}})"
    rf"(?:-([a-z][a-z0-9-]{{0,{SERVICE_NAME_CHARACTERS - 1}}}))?"
)
_DRAFT_ID = re.compile(DRAFT_ID_PATTERN, re.ASCII).fullmatch


def upstream_name(upstream_id: str, *, folds_case: bool) -> str:
    """The name of an upstream incident in ids: its own id where that is legal there, else the start of its SHA-256.

    `folds_case`: ids of this source that differ in case alone do not exist. A name that is a digest begins with x and
    is one character longer than what is left to ids that are taken as they are.
    """
    plain = upstream_id.lower() if folds_case else upstream_id
    if _PLAIN_NAME(plain) is not None and not (plain.startswith("x") and len(plain) == UPSTREAM_NAME_CHARACTERS):
        return plain
    return "x" + sha256(upstream_id.encode("utf-8", "surrogatepass")).hexdigest()[: UPSTREAM_NAME_CHARACTERS - 1]


def draft_id(source: str, name: str, service: str) -> str:
    """The id of a draft, and of the incident that it becomes. `service` is empty where no component is mapped."""
    return f"{source}-{name}-{service}" if service else f"{source}-{name}"


def read_draft_id(text: str) -> tuple[str, str, str] | None:
    """Source, name of the upstream incident, and service of a draft's id; None where it is none."""
    found = _DRAFT_ID(text)
    return None if found is None else (found[1], found[2], found[3] or "")


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """What a configuration says of a service. `text` is the service of incident events.

    `counts` are the degrees that are an outage; a shorter window than `minimum` is not proposed. The rest is a
    suggestion for the person who confirms: a policy `id/version`, the key of a list, a cause, and who is asked.
    """

    name: str
    text: str
    counts: frozenset[Degree] = frozenset({Degree.MAJOR})
    minimum: timedelta = timedelta(0)
    policy: str = ""
    list_key: str = ""
    cause: str = ""
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a component of the source belongs."""

    service: str
    function: str = ""


@dataclass(frozen=True, slots=True)
class SourceMap:
    """How a source's components become services. `ignored` are components that no customer's service depends on."""

    source: str
    components: Mapping[str, Mapped]
    services: Mapping[str, ServiceRule]
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DraftWindow:
    """A stretch of outage with where its instants came from, half-open; `end` is None while it lasts."""

    start: Stamp
    end: Stamp | None

    @property
    def window(self) -> Window:
        """The window as an incident states it."""
        return Window(self.start.at, None if self.end is None else self.end.at)


@dataclass(frozen=True, slots=True)
class ComponentDraft:
    """A component of a draft: its timeline, and the function that it is of the service."""

    component: str
    name: str
    function: str
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Totals:
    """How long the outage was, by what one counts; None where it lasts, or its times contradict each other."""

    major: timedelta | None
    major_and_partial: timedelta | None
    start_to_resolved: timedelta | None


_UNCONFIRMABLE = {
    Mark.NOT_BEGUN: "the planned work has not begun; confirm it when it has",
    Mark.SUPPLIER: "it is an incident of a supplier; confirm your own incident, with this one as its cause",
    Mark.MERGED: "the source merged it into another incident; confirm that one",
    Mark.CANCELLED: "the source cancelled it; if it happened after all, send an incident event of your own",
}
"""What no person confirms from a draft, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an incident would be for one service. `windows` are those that the configuration counts."""

    id: str
    source: str
    upstream_id: str
    title: str
    url: str
    course: Course | None
    rule: ServiceRule | None
    began: Stamp | None
    ended: Stamp | None
    components: tuple[ComponentDraft, ...]
    unmapped: tuple[tuple[str, str], ...]
    windows: tuple[DraftWindow, ...]
    totals: Totals
    marks: frozenset[Mark]
    windows_by_degree: Mapping[str, tuple[DraftWindow, ...]] = field(default_factory=dict)

    @property
    def is_planned(self) -> bool:
        """Whether the source calls it planned work."""
        return Mark.PLANNED in self.marks

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of the service whose components have a counted span; all of them where none has."""
        counted = self.rule.counts if self.rule is not None else frozenset[Degree]()
        hit = {one.function for one in self.components if any(span.degree in counted for span in one.timeline.spans)}
        named = hit or {one.function for one in self.components}
        return tuple(sorted(named - {""}))

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of what a person sees and confirms."""
        return sha256(canonical_json(decided_content(self)).encode()).hexdigest()

    @property
    def problem(self) -> str:
        """Why it cannot be confirmed as matters stand, with what to do; empty where it can."""
        if self.rule is None:
            return "no component of the incident is mapped to a service; map one in the configuration of sources"
        if self.unmapped:
            named = ", ".join(identifier for identifier, _ in self.unmapped)
            return (
                f"the configuration of sources does not say where these components belong: {named}; map or ignore"
                " them, and publish it"
            )
        for mark, text in _UNCONFIRMABLE.items():
            if mark in self.marks:
                return text
        return ""


def decided_content(draft: Draft) -> dict[str, Any]:
    """What a person confirms of a draft: JSON-able, the instants with their fields.

    Service and functions come from the configuration. They are recorded as they are then, so they belong to it.
    """
    return {
        "service": "" if draft.rule is None else draft.rule.text,
        "functions": list(draft.functions),
        "title": draft.title,
        "course": draft.course,
        "began": _stamp(draft.began),
        "ended": _stamp(draft.ended),
        "windows": [_window(one) for one in draft.windows],
        "components": {
            one.component: [[span.degree, _stamp(span.start), _stamp(span.end)] for span in one.timeline.spans]
            for one in draft.components
        },
        "unmapped": [identifier for identifier, _ in draft.unmapped],
        "marks": sorted(draft.marks),
    }


def _stamp(stamp: Stamp | None) -> list[Any] | None:
    return None if stamp is None else [format_instant(stamp.at), stamp.field, stamp.is_assumed]


def _window(window: DraftWindow) -> list[Any]:
    return [_stamp(window.start), _stamp(window.end)]


def drafts_of(parts: Iterable[Part], outside: Iterable[Change], mapping: SourceMap, name: str) -> tuple[Draft, ...]:
    """The drafts of one upstream incident: one for each service that a component of it is mapped to.

    `parts` are all that were received of it; `outside` are changes of its components that came without an incident.
    Where no component is mapped there is one draft without a service. Raises ValueError where there is no part.
    """
    held = latest_parts(parts)
    if not held:
        raise ValueError("an incident has at least one part")
    told = _merged(held)
    names = {identifier: text for part in held for identifier, text in part.reported.components.items()}
    changes = [change for part in held for change in part.reported.changes]
    names |= {change.component: "" for change in changes if change.component not in names}
    changes += joined(
        (one for one in outside if one.component in names),
        None if told.began is None else told.began.at,
        None if told.ended is None else told.ended.at,
    )
    unmapped = tuple(
        (identifier, names[identifier])
        for identifier in sorted(names)
        if identifier not in mapping.components and identifier not in mapping.ignored
    )
    services = sorted({mapping.components[one].service for one in names if one in mapping.components})
    of = _Upstream(mapping, held[0].incident, name, told, names, changes, unmapped)
    return tuple(_draft(of, mapping.services[service]) for service in services) or (_draft(of, None),)


@dataclass(frozen=True, slots=True)
class JoinedRange:
    """Which components of an incident may have changed outside of it, and when; `last` is None while it goes on."""

    components: frozenset[str]
    first: datetime
    last: datetime | None


def joined_range(parts: Iterable[Part]) -> JoinedRange | None:
    """Which changes that came without an incident may belong to one; None where its beginning is not known."""
    held = latest_parts(parts)
    told = _merged(held)
    if told.began is None:
        return None
    names = {one for part in held for one in part.reported.components}
    names |= {change.component for part in held for change in part.reported.changes}
    last = None if told.ended is None else told.ended.at + JOINED_AFTER
    return JoinedRange(frozenset(names), told.began.at - JOINED_BEFORE, last)


def _merged(held: Sequence[Part]) -> Reported:
    """What the parts say together, the last word last. An end counts until the incident is open again."""
    course, title, url = None, "", ""
    began: Stamp | None = None
    ended: Stamp | None = None
    marks: set[Mark] = set()
    for part in held:
        told = part.reported
        title, url = told.title or title, told.url or url
        if told.began is not None and (began is None or told.began.at < began.at):
            began = told.began
        if told.course is not None:
            if told.course is Course.OPEN and course is Course.RESOLVED:
                marks.add(Mark.REOPENED)
            course = told.course
            ended = None if course not in OVER else ended
        if told.ended is not None and (ended is None or told.ended.at > ended.at):
            ended = told.ended
        marks |= told.marks
    return Reported(title, course, url, began, ended, marks=frozenset(marks))


@dataclass(frozen=True, slots=True)
class _Upstream:
    """What the drafts of one upstream incident have in common."""

    mapping: SourceMap
    upstream_id: str
    name: str
    reported: Reported
    names: Mapping[str, str]
    changes: Sequence[Change]
    unmapped: tuple[tuple[str, str], ...]


def _draft(of: _Upstream, rule: ServiceRule | None) -> Draft:
    """What is over ends at an instant that somebody states: where none does, its last window is not proposed at all.

    It would go on by the draft, and by the incident that it becomes, while its source says that it is over.
    """
    told = of.reported
    components = tuple(_components(of, rule))
    spans = [span for one in components for span in one.timeline.spans]
    counts = frozenset[Degree]() if rule is None else rule.counts
    is_endless = told.course in OVER and told.ended is None
    if is_endless:
        spans = [span for span in spans if span.end is not None]
    union = covered(span for span in spans if span.degree in counts)
    minimum = timedelta(0) if rule is None else rule.minimum
    windows = tuple(one for one in union if one.end is None or one.end.at - one.start.at >= minimum)
    begins_first = told.began is None or told.ended is None or told.began.at < told.ended.at
    marks = {mark for one in components for mark in one.timeline.marks} | told.marks
    marks |= _marks_of_course(told.course)
    marks |= {Mark.BELOW_MINIMUM} if len(windows) < len(union) else set()
    marks |= set() if begins_first else {Mark.TIMES_CONTRADICT}
    marks |= set() if windows else {Mark.NO_WINDOW}
    marks |= {Mark.END_MISSING} if is_endless and told.course in ENDED else set()
    marks |= {Mark.COMPONENT_UNMAPPED} if of.unmapped else set()
    by_degree = {
        "major": covered(span for span in spans if span.degree is Degree.MAJOR),
        "partial": covered(span for span in spans if span.degree in (Degree.MAJOR, Degree.PARTIAL)),
        "whole": _whole(told) if begins_first and not is_endless else (),
    }
    return Draft(
        id=draft_id(of.mapping.source, of.name, "" if rule is None else rule.name),
        source=of.mapping.source,
        upstream_id=of.upstream_id,
        title=told.title,
        url=told.url,
        course=told.course,
        rule=rule,
        began=told.began,
        ended=told.ended,
        components=components,
        unmapped=of.unmapped,
        windows=windows,
        totals=Totals(
            total(by_degree["major"]),
            total(by_degree["partial"]),
            total(by_degree["whole"]) if by_degree["whole"] else None,
        ),
        marks=frozenset(marks),
        windows_by_degree=by_degree,
    )


def _components(of: _Upstream, rule: ServiceRule | None) -> Iterable[ComponentDraft]:
    began = None if of.reported.began is None else of.reported.began.at
    is_over = of.reported.course in OVER
    for identifier in sorted(of.names):
        mapped = of.mapping.components.get(identifier)
        if rule is None or mapped is None or mapped.service != rule.name:
            continue
        own = (change for change in of.changes if change.component == identifier)
        line = timeline(own, began, of.reported.ended if is_over else None, is_over=is_over)
        yield ComponentDraft(identifier, of.names[identifier], mapped.function, line)


def _marks_of_course(course: Course | None) -> set[Mark]:
    marks = {
        Course.MERGED: {Mark.MERGED},
        Course.CANCELLED: {Mark.CANCELLED},
        Course.SCHEDULED: {Mark.PLANNED, Mark.NOT_BEGUN},
        Course.UNDER_WAY: {Mark.PLANNED},
        Course.COMPLETED: {Mark.PLANNED},
    }
    return marks.get(course, set()) if course is not None else set()


def _whole(told: Reported) -> tuple[DraftWindow, ...]:
    return () if told.began is None else (DraftWindow(told.began, told.ended),)


def covered(spans: Iterable[Span]) -> tuple[DraftWindow, ...]:
    """The time that spans cover, as few windows as can be; the last may have no end."""
    found: list[DraftWindow] = []
    for span in sorted(spans, key=lambda one: (one.start.at, one.start.field, one.start.is_assumed)):
        last = found[-1] if found else None
        if last is None or (last.end is not None and span.start.at > last.end.at):
            found.append(DraftWindow(span.start, span.end))
        elif last.end is not None and (span.end is None or span.end.at > last.end.at):
            found[-1] = DraftWindow(last.start, span.end)
    return tuple(found)


def total(windows: Iterable[DraftWindow]) -> timedelta | None:
    """How long windows are together; None where one has no end."""
    lengths = [None if one.end is None else one.end.at - one.start.at for one in windows]
    return None if None in lengths else sum((one for one in lengths if one is not None), timedelta(0))
