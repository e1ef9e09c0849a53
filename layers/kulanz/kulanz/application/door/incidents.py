"""Answers about incidents: what is recorded of one, what a revision says, which events were refused."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import unknown
from kulanz.domain.incident_record import IncidentRecord, Revision, decision_digest
from kulanz.domain.time import format_instant

INCIDENT_VERSION = 1
REVISIONS_PER_ANSWER = 100
"""The latest ones; each of the others can be asked for by its number."""
REFUSED_EVENTS_PER_ANSWER = 100


class RevisionLine(TypedDict):
    """A revision without what it says. `decision_digest` is what a campaign request names."""

    number: int
    detail_type: str
    digest: str
    decision_digest: str
    recorded_at: str
    source: str


class IncidentAnswer(TypedDict):
    """What is recorded of an incident. `next_seq` is the number that its next campaign gets.

    `open_seq` is the campaign that occupies it; `applied` are those that may have granted; `requests` says which
    campaign a request became, by the request's digest. `revisions` are the latest ones, lowest first.
    """

    v: int
    incident_id: str
    highest_revision: int
    decidable_until: str
    next_seq: int
    open_seq: int | None
    applied: list[int]
    requests: Mapping[str, int]
    revisions: list[RevisionLine]


class IncidentLine(TypedDict):
    """An incident and the instant of its first event."""

    incident_id: str
    first_recorded_at: str


class IncidentsAnswer(TypedDict):
    """Some incidents; `next` is the cursor of the rest."""

    v: int
    incidents: list[IncidentLine]
    next: str | None


class RevisionAnswer(RevisionLine):
    """A revision and what it says, in the fields of an incident event."""

    v: int
    incident_id: str
    content: Mapping[str, Any]


class RefusedEventLine(TypedDict):
    """An event that was refused, and why. `id` is what takes it out of the queue; the event lies at `event_key`."""

    id: str
    reason: str
    field: str
    message: str
    source: str
    detail_type: str
    incident_id: str
    event_key: str
    received_at: str


class RefusedEventsAnswer(TypedDict):
    """The refused events that were seen in one look; all stay in their queue.

    `foreign` are the ids of messages that Kulanz did not write. `more`: there may be others.
    """

    v: int
    events: list[RefusedEventLine]
    foreign: list[str]
    more: bool


def one(asked: Asked, door: Door) -> IncidentAnswer:
    """An incident's record and its latest revisions."""
    incident_id = asked.of["incident"]
    record = door.campaigns.incident(incident_id)
    if record is None:
        raise unknown("no such incident is recorded")
    return {
        "v": INCIDENT_VERSION,
        "incident_id": incident_id,
        "highest_revision": record.highest_revision,
        "decidable_until": format_instant(record.decidable_until),
        "next_seq": record.next_seq,
        "open_seq": record.open_seq,
        "applied": list(record.applied),
        "requests": dict(record.requests),
        "revisions": [_line(revision) for revision in _latest(record, door)],
    }


def of_month(asked: Asked, door: Door) -> IncidentsAnswer:
    """The incidents whose first event came in a month of UTC, first to last."""
    page = door.index.incidents_in(asked.of["month"], read_cursor(asked.question, asked.query.get("cursor")))
    return {
        "v": INCIDENT_VERSION,
        "incidents": [{"incident_id": one.id, "first_recorded_at": format_instant(one.at)} for one in page.found],
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }


def _latest(record: IncidentRecord, door: Door) -> list[Revision]:
    numbers = sorted(record.revision_digests)[-REVISIONS_PER_ANSWER:]
    found = (door.campaigns.revision(record.incident_id, number) for number in numbers)
    return [revision for revision in found if revision is not None]


def revision(asked: Asked, door: Door) -> RevisionAnswer:
    """What a revision of an incident says."""
    found = door.campaigns.revision(asked.of["incident"], int(asked.of["revision"]))
    if found is None:
        raise unknown("no such revision of the incident is recorded")
    return {
        "v": INCIDENT_VERSION,
        "incident_id": found.incident_id,
        **_line(found),
        "content": json.loads(found.content),
    }


def _line(found: Revision) -> RevisionLine:
    return {
        "number": found.number,
        "detail_type": found.detail_type,
        "digest": found.digest,
        "decision_digest": decision_digest(found.content),
        "recorded_at": format_instant(found.recorded_at),
        "source": found.source,
    }


def refused(asked: Asked, door: Door) -> RefusedEventsAnswer:  # noqa: ARG001 (every use case has both)
    """Events that were refused, and why. Looking takes none out of the queue."""
    found = door.refused_events.look(REFUSED_EVENTS_PER_ANSWER)
    events: list[RefusedEventLine] = [
        {
            "id": one.message_id,
            "reason": one.rejection.reason,
            "field": one.rejection.field,
            "message": one.rejection.message,
            "source": one.rejection.source,
            "detail_type": one.rejection.detail_type,
            "incident_id": one.rejection.incident_id,
            "event_key": one.rejection.event_key,
            "received_at": format_instant(one.rejection.received_at),
        }
        for one in found
        if one.rejection is not None
    ]
    return {
        "v": INCIDENT_VERSION,
        "events": events,
        "foreign": [one.message_id for one in found if one.rejection is None],
        "more": len(found) >= REFUSED_EVENTS_PER_ANSWER,
    }
