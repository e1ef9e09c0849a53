"""What a requester does: record, amend or withdraw an incident; request a campaign over an uploaded list.

The bus stays for machines. Here the answer says at once what the bus says later in a queue.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from kulanz.application.campaigns.open_campaign import RequestPorts, take
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, read_body
from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.application.incidents.incident_event import EventRefused, IncidentEvent, read_incident_event
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause
from kulanz.domain.incident_record import DetailType, decision_digest
from kulanz.domain.time import format_instant

REQUEST_VERSION = 1
CONFLICTING = frozenset(
    {
        "incident_occupied",
        "incident_withdrawn",
        "request_spent",
        "revision_conflict",
        "revision_differs",
        "revision_stale",
    }
)
"""Refusals by how matters stand; the same request may be accepted at another time."""


class RecordBody(Body):
    """A revision of an incident: its kind, and the fields of an incident event without `campaign`."""

    detail_type: Literal[
        "Incident Declared", "Incident Updated", "Incident Resolved", "Incident Amended", "Incident Withdrawn"
    ]
    incident: dict[str, Any]


class CampaignBody(Body):
    """A request: the digest of what the revision decides by, and `campaign` as in a *Campaign Requested* event."""

    decision_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    campaign: dict[str, Any]


class RecordAnswer(TypedDict):
    """What is recorded: the revision, and the digest that a campaign request names."""

    v: int
    incident_id: str
    revision: int
    digest: str
    decision_digest: str
    recorded_at: str


class CampaignRequestAnswer(TypedDict):
    """The campaign that the request is. The same request again is the same campaign."""

    v: int
    campaign: str
    state: str


def record(asked: Asked, door: Door) -> RecordAnswer:
    """Record, amend or withdraw an incident, by its revision."""
    body = read_body(RecordBody, asked.body)
    if "campaign" in body.incident:
        expected = "no such field here; request a campaign under requests/campaigns"
        raise Problem(Kind.BODY, "record the incident without it", errors=[{"field": "campaign", "expected": expected}])
    incident_id, number = asked.of["incident"], int(asked.of["revision"])
    detail = {**body.incident, **_as_in_path(body.incident, {"incident_id": incident_id, "revision": number})}
    take_as_caller(read_as_caller(asked.caller.id, body.detail_type, detail), asked, door)
    found = door.campaigns.revision(incident_id, number)
    if found is None:
        raise Problem(Kind.TRY_AGAIN, "the revision is not there yet; ask again")
    return {
        "v": REQUEST_VERSION,
        "incident_id": incident_id,
        "revision": number,
        "digest": found.digest,
        "decision_digest": decision_digest(found.content),
        "recorded_at": format_instant(found.recorded_at),
    }


def campaign(asked: Asked, door: Door) -> CampaignRequestAnswer:
    """Request a campaign for a recorded revision of an incident."""
    body = read_body(CampaignBody, asked.body)
    incident_id, number = asked.of["incident"], int(asked.of["revision"])
    detail = {
        "incident_id": incident_id,
        "revision": number,
        "decision_digest": body.decision_digest,
        "campaign": body.campaign,
    }
    known = read_as_caller(asked.caller.id, DetailType.CAMPAIGN_REQUESTED.value, detail)
    take_as_caller(known, asked, door)
    found = campaign_of(known, door)
    return {"v": REQUEST_VERSION, "campaign": str(found.id), "state": found.state.value}


def campaign_of(known: IncidentEvent, door: Door) -> Campaign:
    """The campaign that a request became. Raises Problem where it is not there yet."""
    incident = door.campaigns.incident(known.incident_id)
    seq = None if incident is None else incident.requests.get(known.request_digest)
    found = None if seq is None else door.campaigns.campaign(CampaignId(known.incident_id, seq))
    if found is None:
        raise Problem(Kind.TRY_AGAIN, "the campaign is not there yet; ask again")
    return found


def _as_in_path(body: Mapping[str, Any], path: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the path says; a body that says the same may, one that says something else is refused."""
    wrong = [name for name, value in path.items() if name in body and body[name] != value]
    if wrong:
        named: list[FieldProblem] = [
            {"field": f"incident.{name}", "expected": "as in the path, or left out"} for name in wrong
        ]
        raise Problem(Kind.BODY, "path and body name different things", errors=named)
    return path


def read_as_caller(caller: str, detail_type: str, detail: Mapping[str, Any]) -> IncidentEvent:
    """An event whose source is whoever asks: the log names the person, not a system."""
    try:
        return read_incident_event(caller, detail_type, detail)
    except EventRefused as refusal:
        raise _refused(refusal) from None


def take_as_caller(known: IncidentEvent, asked: Asked, door: Door) -> None:
    """Record what an event states and request what it requests, as whoever asks. Raises Problem, TryAgain."""
    ports = RequestPorts(
        campaigns=door.campaigns,
        lists=door.lists,
        policies=door.policies,
        chunks=door.chunks,
        stores=door.stores,
        seconds_left=asked.seconds_left,
    )
    cause = Cause(asked.caller.id, asked.of.get("id", f"{known.incident_id}/{known.revision}"), door.code_version)
    try:
        take(known, ports, door.settings, cause, asked.now)
    except EventRefused as refusal:
        raise _refused(refusal) from None


def _refused(refusal: EventRefused) -> Problem:
    kind = Kind.REFUSED if refusal.reason in CONFLICTING else Kind.REQUEST_REFUSED
    field = refusal.field.removeprefix("detail.")
    errors: list[FieldProblem] = [{"field": field, "expected": str(refusal)}] if field else []
    return Problem(kind, str(refusal), reason=refusal.reason, errors=errors)
