"""PagerDuty, webhooks V3: one event a delivery, about one incident of one service.

An incident has no status of components and no degree. Its times are those of paging: when the alert came, and when
somebody resolved it. A reopened incident has another window; one that was merged away is not resolved.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, order_text
from kulanz.sources.reading import (
    URL_CHARACTERS,
    Fields,
    Reading,
    ReadSettings,
    SourceProblem,
    Times,
    identifier,
    one_line,
    read_fields,
)

COURSES = {"triggered": Course.OPEN, "acknowledged": Course.OPEN, "resolved": Course.RESOLVED}


class _Service(Fields):
    id: str
    summary: str | None = None


class _Incident(Fields):
    id: str
    type: str = "incident"
    title: str | None = None
    html_url: str | None = None
    status: str | None = None
    created_at: str | None = None
    reopened_at: str | None = None
    service: _Service | None = None
    resolve_reason: Any = None


class _Event(Fields):
    id: str
    event_type: str
    occurred_at: str
    data: Mapping[str, Any] = Field(default_factory=dict)


class _Body(Fields):
    event: _Event


def read(body: object, settings: ReadSettings) -> Reading:
    """What an event says. One that is not about an incident, such as a ping, says nothing. Raises SourceProblem."""
    event = read_fields(_Body, body).event
    if not event.event_type.startswith("incident.") or event.data.get("type") != "incident":
        return Reading()  # about notes, services or nothing; an incident comes in its own events
    told = read_fields(_Incident, event.data)
    times = Times(settings.zone)
    at = times.stamp(event.occurred_at, "event.occurred_at")
    if at is None or told.service is None:
        raise SourceProblem("not_of_this_source", "expected event.occurred_at with its offset, and event.data.service")
    service = identifier(told.service.id)
    created = times.stamp(told.created_at, "event.data.created_at")
    if created is None and event.event_type == "incident.triggered":
        created = at  # bodies of 2021 have no created_at
    course = _course(event, told)
    changes = [] if created is None else [Change(service, created, Degree.UNSTATED)]
    if event.event_type == "incident.reopened":
        reopened = times.stamp(told.reopened_at, "event.data.reopened_at") or at
        changes.append(Change(service, reopened, Degree.UNSTATED, Degree.OPERATIONAL, event.id[:64]))
    is_resolved = event.event_type == "incident.resolved" and course is Course.RESOLVED
    if is_resolved:
        changes.append(Change(service, at, Degree.OPERATIONAL, place=event.id[:64]))
    marks = {Mark.PAGING_TIMES} | (
        {Mark.COMPONENT_CHANGED} if event.event_type == "incident.service_updated" else set()
    )
    reported = Reported(
        title=one_line(told.title or ""),
        course=course,
        url=one_line(told.html_url or "", URL_CHARACTERS),
        began=created,
        ended=at if is_resolved else None,
        changes=tuple(changes),
        components={service: one_line(told.service.summary or "")},
        marks=frozenset(marks | times.marks),
    )
    order = order_text(at.at, identifier(event.id))
    return Reading((Part(identifier(told.id), f"event:{event.id}", order, reported),), service)


def _course(event: _Event, told: _Incident) -> Course | None:
    if event.event_type == "incident.reopened":
        return Course.OPEN
    course = COURSES.get(told.status or "")
    return Course.MERGED if course is Course.RESOLVED and _is_merged(told.resolve_reason) else course


def _is_merged(reason: Any) -> bool:
    """Text in one version of the body, an object with a type in another."""
    word = reason.get("type", "") if isinstance(reason, dict) else reason
    return isinstance(word, str) and word.startswith("merge")
