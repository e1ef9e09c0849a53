"""Atlassian Statuspage: an incident with all its updates in each delivery, or one component's change by itself.

Shapes as in recorded deliveries and public incident pages: incident_updates come newest first, each with the components
that it names. A component that is changed outside the incident comes without the incident's id.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp, order_text
from kulanz.sources.reading import (
    URL_CHARACTERS,
    Fields,
    Reading,
    ReadSettings,
    SourceProblem,
    Times,
    identifier,
    of_word,
    one_line,
    read_fields,
    within_limits,
)

DEGREES = {
    "operational": Degree.OPERATIONAL,
    "degraded_performance": Degree.DEGRADED,
    "partial_outage": Degree.PARTIAL,
    "major_outage": Degree.MAJOR,
    "under_maintenance": Degree.PLANNED,
}
COURSES = {
    "investigating": Course.OPEN,
    "identified": Course.OPEN,
    "monitoring": Course.OPEN,
    "resolved": Course.RESOLVED,
    "postmortem": Course.RESOLVED,
    "scheduled": Course.SCHEDULED,
    "in_progress": Course.UNDER_WAY,
    "verifying": Course.UNDER_WAY,
    "completed": Course.COMPLETED,
}
WRITTEN_LATER = timedelta(minutes=1)
"""An update whose stated time is further from when it was written was told afterwards."""


class _Page(Fields):
    id: str


class _Affected(Fields):
    code: str
    name: str = ""
    old_status: str | None = None
    new_status: str | None = None


class _Update(Fields):
    id: str = ""
    status: str = ""
    created_at: str | None = None
    updated_at: str | None = None
    display_at: str | None = None
    affected_components: tuple[_Affected, ...] | None = None


class _Component(Fields):
    id: str
    name: str = ""


class _Incident(Fields):
    id: str
    name: str = ""
    status: str
    shortlink: str | None = None
    backfilled: bool | None = None
    scheduled_for: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    updated_at: str | None = None
    resolved_at: str | None = None
    incident_updates: tuple[_Update, ...] | None = None
    components: tuple[_Component, ...] | None = None


class _ComponentUpdate(Fields):
    id: str
    component_id: str
    old_status: str | None = None
    new_status: str
    created_at: str


class _Body(Fields):
    page: _Page
    incident: _Incident | None = None
    component_update: _ComponentUpdate | None = None
    component: _Component | None = None


def read(body: object, settings: ReadSettings) -> Reading:
    """What a delivery says, or an incident of the page's public API. Raises SourceProblem."""
    told = read_fields(_Body, body)
    speaker = identifier(told.page.id)
    if told.incident is not None:
        return Reading((within_limits(_incident(told.incident, Times(settings.zone))),), speaker)
    if told.component_update is not None:
        return Reading((_component(told.component_update, told.component, Times(settings.zone)),), speaker)
    return Reading((), speaker)


def _incident(told: _Incident, times: Times) -> Part:
    course = COURSES.get(told.status)
    updates = sorted(_updates(told, times), key=lambda one: (one[0].at, one[1].id))
    marks = set() if course is not None else {Mark.STATUS_UNKNOWN}
    marks |= {Mark.REOPENED} if _is_reopened([update for _, update in updates]) else set()
    marks |= {Mark.BACKDATED} if told.backfilled or _is_written_later(updates, times) else set()
    planned_for = times.stamp(told.scheduled_for, "incident.scheduled_for")
    began = planned_for or times.stamp(told.started_at, "incident.started_at")
    began = began or times.stamp(told.created_at, "incident.created_at")
    reported = Reported(
        title=one_line(told.name),
        course=course,
        url=one_line(told.shortlink or "", URL_CHARACTERS),
        began=began,
        ended=times.stamp(told.resolved_at, "incident.resolved_at"),
        changes=tuple(_changes(updates)),
        components={identifier(one.id): one_line(one.name) for one in told.components or ()},
        marks=frozenset(marks | times.marks),
    )
    return Part(identifier(told.id), "incident", _order(told, times), reported)


def _order(told: _Incident, times: Times) -> str:
    """The newest instant at which anything of it was written. A body has the whole incident, so the newest holds."""
    texts = (
        told.created_at,
        told.updated_at,
        *(one.updated_at or one.created_at for one in told.incident_updates or ()),
    )
    written = [stamp.at for stamp in (times.stamp(text, "") for text in texts) if stamp is not None]
    if not written:
        raise SourceProblem("not_of_this_source", "expected incident.updated_at with its offset")
    return order_text(max(written))


def _updates(told: _Incident, times: Times) -> Iterator[tuple[Stamp, _Update]]:
    for update in told.incident_updates or ():
        name = "display_at" if update.display_at else "created_at"
        at = times.stamp(getattr(update, name), f"incident_updates.{one_line(update.id, 40)}.{name}")
        if at is not None:
            yield at, update


def _changes(updates: list[tuple[Stamp, _Update]]) -> Iterator[Change]:
    for number, (at, update) in enumerate(updates):
        for one in update.affected_components or ():
            yield Change(
                identifier(one.code),
                at,
                of_word(DEGREES, one.new_status, Degree.UNKNOWN),
                None if one.old_status is None else of_word(DEGREES, one.old_status, Degree.UNKNOWN),
                f"{number:06d}",
            )


def _is_reopened(updates: list[_Update]) -> bool:
    courses = [COURSES.get(update.status) for update in updates]
    return any(one is Course.RESOLVED and later is Course.OPEN for one, later in pairwise(courses))


def _is_written_later(updates: list[tuple[Stamp, _Update]], times: Times) -> bool:
    written = ((at, times.stamp(update.created_at, "")) for at, update in updates)
    return any(stamp is not None and abs(stamp.at - at.at) > WRITTEN_LATER for at, stamp in written)


def _component(told: _ComponentUpdate, component: _Component | None, times: Times) -> Part:
    at = times.stamp(told.created_at, "component_update.created_at")
    if at is None:
        raise SourceProblem("not_of_this_source", "expected component_update.created_at with its offset")
    named = identifier(told.component_id)
    before = None if told.old_status is None else of_word(DEGREES, told.old_status, Degree.UNKNOWN)
    change = Change(named, at, of_word(DEGREES, told.new_status, Degree.UNKNOWN), before, told.id[:64], is_own=False)
    name = "" if component is None else one_line(component.name)
    return Part(
        "", f"change:{identifier(told.id)}", order_text(at.at), Reported(changes=(change,), components={named: name})
    )
