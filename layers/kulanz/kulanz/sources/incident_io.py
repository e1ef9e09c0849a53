"""incident.io: response incidents by webhook, and incidents of its status pages.

A response incident has timestamps that the company names itself: `began` and `ended` of the configuration say which.
It has components at most in a field of the company's own. An incident of a status page has its windows ready.
"""

from collections.abc import Iterator
from typing import Any

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, order_text
from kulanz.sources.reading import (
    URL_CHARACTERS,
    Fields,
    Reading,
    ReadSettings,
    SourceProblem,
    Times,
    identifier,
    is_stated,
    of_word,
    one_line,
    read_fields,
    text_of,
    within_limits,
)

WHOLE = "-"
"""The component of an incident that names none: a configuration maps it like any other."""
COURSES = {
    "triage": Course.OPEN,
    "live": Course.OPEN,
    "paused": Course.OPEN,
    "learning": Course.RESOLVED,
    "closed": Course.RESOLVED,
    "merged": Course.MERGED,
    "declined": Course.CANCELLED,
    "canceled": Course.CANCELLED,
}
PAGE_COURSES = {
    "investigating": Course.OPEN,
    "identified": Course.OPEN,
    "monitoring": Course.OPEN,
    "resolved": Course.RESOLVED,
    "maintenance_scheduled": Course.SCHEDULED,
    "maintenance_in_progress": Course.UNDER_WAY,
    "maintenance_complete": Course.COMPLETED,
}
DEGREES = {
    "operational": Degree.OPERATIONAL,
    "degraded_performance": Degree.DEGRADED,
    "partial_outage": Degree.PARTIAL,
    "full_outage": Degree.MAJOR,
    "under_maintenance": Degree.PLANNED,
}


class _Named(Fields):
    name: str = ""


class _TimestampText(Fields):
    value: str | None = None


class _Timestamp(Fields):
    incident_timestamp: _Named
    value: _TimestampText | None = None


class _CustomField(Fields):
    custom_field: _Named
    values: tuple[dict[str, Any], ...] = ()


class _Status(Fields):
    category: str


class _Incident(Fields):
    id: str
    name: str = ""
    permalink: str | None = None
    updated_at: str
    incident_status: _Status
    incident_timestamp_values: tuple[_Timestamp, ...] = ()
    custom_field_entries: tuple[_CustomField, ...] = ()


class _Impact(Fields):
    component_id: str
    component_status: str
    start_at: str
    end_at: str | None = None


class _PageUpdate(Fields):
    published_at: str


class _PageIncident(Fields):
    id: str
    status_page_id: str
    name: str = ""
    incident_status: str
    published_at: str
    updated_at: str | None = None
    component_impacts: tuple[_Impact, ...] = ()
    updates: tuple[_PageUpdate, ...] = ()


def read(body: object, settings: ReadSettings) -> Reading:
    """What a delivery says. Private incidents tell an id only, and say nothing. Raises SourceProblem."""
    if not isinstance(body, dict):
        raise SourceProblem("not_of_this_source", "expected one JSON object")
    times = Times(settings.zone)
    if "status_page_incident" in body:
        page = read_fields(_PageIncident, body["status_page_incident"])
        return Reading((within_limits(_page_part(page, times)),), identifier(page.status_page_id))
    kind = text_of(body.get("event_type"))
    if not kind:
        raise SourceProblem("not_of_this_source", "expected event_type, or status_page_incident")
    if not kind.startswith("public_incident.incident_"):
        return Reading()
    told = body.get(kind)
    incident = told.get("incident", told) if isinstance(told, dict) else told
    return Reading((within_limits(_part(read_fields(_Incident, incident), settings, times)),))


def _part(told: _Incident, settings: ReadSettings, times: Times) -> Part:
    written = times.stamp(told.updated_at, "incident.updated_at")
    if written is None:
        raise SourceProblem("not_of_this_source", "expected incident.updated_at with its offset")
    course = COURSES.get(told.incident_status.category)
    began_text, ended_text = _named(told, settings.began), _named(told, settings.ended)
    began = times.stamp(began_text, _field(settings.began))
    ended = times.stamp(ended_text, _field(settings.ended))
    components = dict(_components(told, settings.components)) or {WHOLE: "the whole incident"}
    changes: list[Change] = []
    for component in components:
        changes += [] if began is None else [Change(component, began, Degree.UNSTATED, place="0")]
        changes += [] if began is None or ended is None else [Change(component, ended, Degree.OPERATIONAL, place="1")]
    is_backwards = began is not None and ended is not None and ended.at <= began.at
    is_unread = ended is None and is_stated(ended_text)
    marks = set(times.marks) | (set() if course is not None else {Mark.STATUS_UNKNOWN})
    reported = Reported(
        title=one_line(told.name),
        course=course,
        url=one_line(told.permalink or "", URL_CHARACTERS),
        began=began,
        ended=ended,
        changes=() if is_backwards or is_unread else tuple(changes),
        components=components,
        marks=frozenset(marks),
    )
    return Part(identifier(told.id), "incident", order_text(written.at), reported)


def _named(told: _Incident, name: str) -> str | None:
    """The timestamp that the company calls so, as it stands."""
    for one in told.incident_timestamp_values:
        if name and one.incident_timestamp.name == name and one.value is not None:
            return one.value.value
    return None


def _field(name: str) -> str:
    return f"incident_timestamp_values.{one_line(name, 60)}"


def _components(told: _Incident, name: str) -> Iterator[tuple[str, str]]:
    for entry in told.custom_field_entries:
        if not name or entry.custom_field.name != name:
            continue
        for value in entry.values:
            for kind in ("value_catalog_entry", "value_option"):
                found = value.get(kind)
                if isinstance(found, dict):
                    named = text_of(found.get("external_id")) or text_of(found.get("id"))
                    yield identifier(named), one_line(text_of(found.get("name")) or text_of(found.get("value")))


def _page_part(told: _PageIncident, times: Times) -> Part:
    course = PAGE_COURSES.get(told.incident_status)
    changes: list[Change] = []
    marks: set[Mark] = set() if course is not None else {Mark.STATUS_UNKNOWN}
    for number, impact in enumerate(told.component_impacts):
        component, where = identifier(impact.component_id), f"component_impacts.{number}"
        start, end = times.stamp(impact.start_at, f"{where}.start_at"), times.stamp(impact.end_at, f"{where}.end_at")
        if start is None or (end is None and is_stated(impact.end_at)):
            continue  # marked as unreadable
        if end is not None and end.at <= start.at:
            marks.add(Mark.TIMES_CONTRADICT)
            continue
        degree = of_word(DEGREES, impact.component_status, Degree.UNKNOWN)
        changes.append(Change(component, start, degree, place="1"))
        changes += [] if end is None else [Change(component, end, Degree.OPERATIONAL, place="0")]
    published = times.stamp(told.published_at, "status_page_incident.published_at")
    starts = [one.stamp for one in changes if one.after is not Degree.OPERATIONAL]
    ends = [one.stamp for one in changes if one.after is Degree.OPERATIONAL]
    reported = Reported(
        title=one_line(told.name),
        course=course,
        began=min(starts, key=lambda one: one.at, default=published),
        ended=max(ends, key=lambda one: one.at, default=None)
        if course in (Course.RESOLVED, Course.COMPLETED)
        else None,
        changes=tuple(changes),
        components={one.component: "" for one in changes},
        marks=frozenset(marks | times.marks),
    )
    return Part(identifier(told.id), "incident", _page_order(told, times), reported)


def _page_order(told: _PageIncident, times: Times) -> str:
    texts = (told.published_at, told.updated_at, *(one.published_at for one in told.updates))
    written = [stamp.at for stamp in (times.stamp(text, "") for text in texts) if stamp is not None]
    if not written:
        raise SourceProblem("not_of_this_source", "expected status_page_incident.published_at with its offset")
    return order_text(max(written))
