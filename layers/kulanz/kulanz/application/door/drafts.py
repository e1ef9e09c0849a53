"""Drafts of incidents as their sources report them: what was received, what it would be, and a person's confirmation.

Nothing becomes an incident of Kulanz but by a confirmation. Who confirms names the draft by its digest, so that nobody
confirms what has changed since it was looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import Field, model_validator

from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.door.requests import campaign_of, read_as_caller, take_as_caller
from kulanz.application.drafts.draft_ports import Confirmed, Dismissed, Unread, Upstream
from kulanz.application.drafts.read_drafts import read_drafts
from kulanz.application.incidents.incident_event import FUNCTIONS_PER_INCIDENT, WINDOWS_PER_INCIDENT
from kulanz.application.ports import Outdated
from kulanz.domain.drafts.difference import differences, seen_content
from kulanz.domain.drafts.draft import Draft, DraftWindow, read_draft_id, total
from kulanz.domain.drafts.reported import Stamp
from kulanz.domain.incident_record import DetailType, Revision, decision_digest
from kulanz.domain.people.caller import must_be_person
from kulanz.domain.time import MICROSECOND, format_instant

DRAFT_VERSION = 1
UPSTREAM_PER_ANSWER = 25
"""Upstream incidents of one answer: each is worked out anew from what was received of it."""


class StampContent(TypedDict):
    """An instant, and the field of the source that states it; `assumed` where no field states it for this."""

    at: str
    field: str
    assumed: bool


class WindowContent(TypedDict):
    """A stretch of time, half-open; `end` is null while it lasts."""

    start: StampContent
    end: StampContent | None


class SpanContent(WindowContent):
    """A stretch of time in which a component was not operational, and how far."""

    degree: str


class ComponentContent(TypedDict):
    """A component of a draft and its spans."""

    component: str
    name: str
    function: str
    spans: list[SpanContent]
    marks: list[str]


class TotalsContent(TypedDict):
    """How long the outage was, by what one counts, in microseconds; null where it lasts, or its times contradict."""

    proposed: int | None
    major: int | None
    partial: int | None
    whole: int | None


class ConfirmedContent(TypedDict):
    """What was confirmed last: the incident's revision, by whom and when."""

    revision: int
    by: str
    at: str
    digest: str


class DismissedContent(TypedDict):
    """What was dismissed last: the draft with this digest, by whom, when and why."""

    reason: str
    by: str
    at: str
    digest: str


class DraftLine(TypedDict):
    """A draft in a list. `state`: new, confirmed, changed (since it was confirmed), held (`problem` says why),
    dismissed, or reopened (it has changed since it was dismissed).
    """

    draft: str
    title: str
    course: str | None
    began: str | None
    state: str
    windows: int
    proposed_microseconds: int | None


class UnreadLine(TypedDict):
    """A delivery that was authentic and could not be read. Its body lies at `body` in the bucket for some time."""

    source: str
    reason: str
    message: str
    body: str
    received_at: str


class DraftsAnswer(TypedDict):
    """What was received in a month; `next` is the cursor of the rest."""

    v: int
    drafts: list[DraftLine]
    unread: list[UnreadLine]
    next: str | None


class DraftAnswer(TypedDict):
    """A draft: `windows` are those that the configuration counts, `by` others that a person may choose.

    `problem` is why it cannot be confirmed, empty where it can. `changed` says, in sentences, what is different from
    what was confirmed; of a draft that nobody confirmed, from what was dismissed.
    """

    v: int
    draft: str
    digest: str
    source: str
    kind: str
    upstream_id: str
    title: str
    url: str
    course: str | None
    service: str | None
    functions: list[str]
    began: StampContent | None
    ended: StampContent | None
    windows: list[WindowContent]
    by: Mapping[str, list[WindowContent]]
    totals_microseconds: TotalsContent
    components: list[ComponentContent]
    unmapped: list[Mapping[str, str]]
    marks: list[str]
    problem: str
    suggested: Mapping[str, Any]
    confirmed: ConfirmedContent | None
    dismissed: DismissedContent | None
    changed: list[str]


class ConfirmAnswer(TypedDict):
    """The incident that a draft became, and the campaign where one was requested."""

    v: int
    incident_id: str
    revision: int
    decision_digest: str
    campaign: str | None
    state: str | None


class DismissAnswer(TypedDict):
    """The draft that was dismissed. It waits for nobody, until its source reports something else."""

    v: int
    draft: str
    dismissed: DismissedContent


class ConfirmBody(Body):
    """What a person says of a draft: its digest, and the windows that count, as in an incident event.

    `campaign` is that of a *Campaign Requested* event. Without `functions` they are the draft's. With the `action`
    dismiss nothing is recorded: it has the digest and a reason, and nothing else.
    """

    action: Literal["confirm", "dismiss"] = "confirm"
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    windows: Annotated[list[dict[str, Any]], Field(max_length=WINDOWS_PER_INCIDENT)] = Field(default_factory=list)
    functions: Annotated[list[str], Field(max_length=FUNCTIONS_PER_INCIDENT)] | None = None
    title: str | None = None
    cause: str | None = None
    reason: Reason | None = None
    campaign: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        recorded = (self.functions, self.title, self.cause, self.campaign)
        if self.action == "confirm" and not self.windows:
            raise ValueError("expected windows, at least one, where a draft is confirmed")
        if self.action == "dismiss" and (self.windows or not self.reason or any(one is not None for one in recorded)):
            raise ValueError("expected the digest and a reason, and nothing else, where a draft is dismissed")
        return self


def of_month(asked: Asked, door: Door) -> DraftsAnswer:
    """What was received in a month of UTC."""
    page = door.drafts.in_month(
        asked.of["month"], read_cursor(asked.question, asked.query.get("cursor")), UPSTREAM_PER_ANSWER
    )
    upstream = [one for one in page.found if isinstance(one, Upstream)]
    return {
        "v": DRAFT_VERSION,
        "drafts": [line for one in upstream for line in _lines(one, door)],
        "unread": [_unread(one) for one in page.found if isinstance(one, Unread)],
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }


def one(asked: Asked, door: Door) -> DraftAnswer:
    """A draft as it is now, and what has changed since it was confirmed."""
    of, draft = found_draft(asked.of["draft"], door)
    confirmed = None if draft.rule is None else door.drafts.confirmed(of, draft.rule.name)
    dismissed = door.drafts.dismissed(of, _service_of(draft))
    kind = door.sources.current().sources[of.source].source.kind
    changed: list[str] = []
    if confirmed is not None:
        changed = _changed(confirmed, draft, door)
    elif dismissed is not None:
        changed = _differences(dismissed, draft)
    return answer_of(draft, kind, confirmed, changed, dismissed)


def _service_of(draft: Draft) -> str:
    """What the records of a draft are named by; empty for the draft of no service."""
    return "" if draft.rule is None else draft.rule.name


def answer_of(
    draft: Draft, kind: str, confirmed: Confirmed | None, changed: list[str], dismissed: Dismissed | None = None
) -> DraftAnswer:
    """A draft as an answer."""
    suggested = {} if draft.rule is None else {
        "policy": draft.rule.policy,
        "list": draft.rule.list_key,
        "cause": draft.rule.cause,
        "asked": list(draft.rule.asked),
    }  # fmt: skip
    return {
        "v": DRAFT_VERSION,
        "draft": draft.id,
        "digest": draft.digest,
        "source": draft.source,
        "kind": kind,
        "upstream_id": draft.upstream_id,
        "title": draft.title,
        "url": draft.url,
        "course": draft.course,
        "service": None if draft.rule is None else draft.rule.text,
        "functions": list(draft.functions),
        "began": _stamp(draft.began),
        "ended": _stamp(draft.ended),
        "windows": _windows(draft.windows),
        "by": {name: _windows(windows) for name, windows in draft.windows_by_degree.items()},
        "totals_microseconds": {
            "proposed": _microseconds(total(draft.windows)),
            "major": _microseconds(draft.totals.major),
            "partial": _microseconds(draft.totals.major_and_partial),
            "whole": _microseconds(draft.totals.start_to_resolved),
        },
        "components": [
            {
                "component": component.component,
                "name": component.name,
                "function": component.function,
                "spans": [
                    {"degree": span.degree, "start": _stamped(span.start), "end": _stamp(span.end)}
                    for span in component.timeline.spans
                ],
                "marks": sorted(component.timeline.marks),
            }
            for component in draft.components
        ],
        "unmapped": [{"component": identifier, "name": name} for identifier, name in draft.unmapped],
        "marks": sorted(draft.marks),
        "problem": draft.problem,
        "suggested": suggested,
        "confirmed": None if confirmed is None else _confirmed(confirmed),
        "dismissed": None if dismissed is None else _dismissed(dismissed),
        "changed": changed,
    }


def found_draft(draft_id: str, door: Door) -> tuple[Upstream, Draft]:
    """A draft by its id. Raises Problem where there is none."""
    parts = read_draft_id(draft_id)
    configured = None if parts is None else door.sources.current().sources.get(parts[0])
    if parts is None or configured is None:
        raise unknown("there is no such draft")
    of = Upstream(parts[0], parts[1])
    for draft in read_drafts(of, configured, door.drafts):
        if draft.id == draft_id:
            return of, draft
    raise unknown("there is no such draft")


def confirm(asked: Asked, door: Door) -> ConfirmAnswer | DismissAnswer:
    """Record an incident as a person confirms it from a draft, and request a campaign where that is wanted.

    Or dismiss the draft: nothing is recorded. Raises PersonNeeded for a machine: no source states an outage well
    enough to be believed unseen.
    """
    must_be_person(asked.acting)
    body = read_body(ConfirmBody, asked.body)
    of, draft = found_draft(asked.of["draft"], door)
    if body.action == "confirm" and (draft.problem or draft.rule is None):
        raise Problem(Kind.REFUSED, draft.problem, reason="draft_held")
    if body.digest != draft.digest:
        raise Problem(Kind.REFUSED, "the draft has changed since you looked at it; look again", reason="draft_changed")
    if body.action == "dismiss":
        return _dismiss(of, draft, body.reason or "", asked, door)
    assert draft.rule is not None, "a draft without one has a problem"
    revision = _record(draft, draft.rule.text, body, asked, door)
    before = door.drafts.confirmed(of, draft.rule.name)
    confirmed = Confirmed(
        draft_id=draft.id,
        count=1 if before is None else before.count + 1,
        digest=draft.digest,
        content=seen_content(draft),
        revision=revision.number,
        by=asked.caller.id,
        at=asked.now,
    )
    if before is None or (before.digest, before.revision) != (confirmed.digest, confirmed.revision):
        try:
            door.drafts.confirm(of, draft.rule.name, confirmed)
        except Outdated:
            raise Problem(Kind.TRY_AGAIN, "somebody else confirmed it at the same time; look again") from None
    digest = decision_digest(revision.content)
    requested = None
    if body.campaign is not None:
        detail = {
            "incident_id": draft.id,
            "revision": revision.number,
            "decision_digest": digest,
            "campaign": body.campaign,
        }
        known = read_as_caller(asked.caller.id, DetailType.CAMPAIGN_REQUESTED.value, detail)
        take_as_caller(known, asked, door)
        requested = campaign_of(known, door)
    return {
        "v": DRAFT_VERSION,
        "incident_id": draft.id,
        "revision": revision.number,
        "decision_digest": digest,
        "campaign": None if requested is None else str(requested.id),
        "state": None if requested is None else requested.state.value,
    }


def _dismiss(of: Upstream, draft: Draft, reason: str, asked: Asked, door: Door) -> DismissAnswer:
    """Note that nothing is to be recorded of a draft as it is. What was confirmed as it is cannot be dismissed."""
    service = _service_of(draft)
    confirmed = door.drafts.confirmed(of, service) if service else None
    if confirmed is not None and confirmed.digest == draft.digest:
        said = (
            f"the draft was confirmed as revision {confirmed.revision} of the incident; withdraw the incident instead"
        )
        raise Problem(Kind.REFUSED, said, reason="draft_confirmed")
    before = door.drafts.dismissed(of, service)
    count = 1 if before is None else before.count + 1
    done = Dismissed(draft.id, count, draft.digest, seen_content(draft), reason, asked.caller.id, asked.now)
    try:
        door.drafts.dismiss(of, service, done)
    except Outdated:
        raise Problem(Kind.TRY_AGAIN, "somebody else dismissed it at the same time; look again") from None
    return {"v": DRAFT_VERSION, "draft": draft.id, "dismissed": _dismissed(done)}


def _record(draft: Draft, service: str, body: ConfirmBody, asked: Asked, door: Door) -> Revision:
    """The revision that states what was confirmed: the latest one where it states the same already, else the next."""
    incident = door.campaigns.incident(draft.id)
    latest = None if incident is None else door.campaigns.revision(draft.id, incident.highest_revision)
    detail = _detail(draft, service, body)
    if latest is not None and latest.detail_type != DetailType.WITHDRAWN:
        same = read_as_caller(asked.caller.id, latest.detail_type, {**detail, "revision": latest.number})
        if same.content == latest.content:
            return latest
    number = 1 if incident is None else incident.highest_revision + 1
    has_ended = all(window.get("end") is not None for window in body.windows)
    if latest is None:
        kind = DetailType.RESOLVED if has_ended else DetailType.DECLARED
    else:
        kind = DetailType.AMENDED if has_ended else DetailType.UPDATED
    take_as_caller(read_as_caller(asked.caller.id, kind.value, {**detail, "revision": number}), asked, door)
    found = door.campaigns.revision(draft.id, number)
    if found is None:
        raise Problem(Kind.TRY_AGAIN, "the revision is not there yet; ask again")
    return found


def _detail(draft: Draft, service: str, body: ConfirmBody) -> dict[str, Any]:
    """The incident event of a confirmation, but for its revision. A cause is a person's alone."""
    detail: dict[str, Any] = {
        "incident_id": draft.id,
        "title": body.title or draft.title or draft.id,
        "service": service,
        "functions": list(draft.functions) if body.functions is None else body.functions,
        "windows": body.windows,
        "facts": {"source": draft.source, "source_id": draft.upstream_id, "planned": draft.is_planned},
    }
    return detail if body.cause is None else {**detail, "cause": body.cause}


def _lines(of: Upstream, door: Door) -> Iterable[DraftLine]:
    configured = door.sources.current().sources.get(of.source)
    if configured is None:
        return
    for draft in read_drafts(of, configured, door.drafts):
        confirmed = None if draft.rule is None else door.drafts.confirmed(of, draft.rule.name)
        yield {
            "draft": draft.id,
            "title": draft.title,
            "course": draft.course,
            "began": None if draft.began is None else format_instant(draft.began.at),
            "state": _state(draft, confirmed, door.drafts.dismissed(of, _service_of(draft))),
            "windows": len(draft.windows),
            "proposed_microseconds": _microseconds(total(draft.windows)),
        }


def _state(draft: Draft, confirmed: Confirmed | None, dismissed: Dismissed | None) -> str:
    if confirmed is not None and confirmed.digest == draft.digest:
        return "confirmed"
    if dismissed is not None and dismissed.digest == draft.digest:
        return "dismissed"
    if confirmed is not None:
        return "changed"
    if draft.problem:
        return "held"
    return "new" if dismissed is None else "reopened"


def _differences(decided: Confirmed | Dismissed, draft: Draft) -> list[str]:
    """What is different from the draft as a person saw it, in sentences."""
    found = differences(decided.content, seen_content(draft))
    if not found and decided.digest != draft.digest:
        found = ["the times of components differ; the proposed windows are the same"]
    return found


def _changed(confirmed: Confirmed, draft: Draft, door: Door) -> list[str]:
    found = _differences(confirmed, draft)
    incident = door.campaigns.incident(draft.id)
    if incident is not None and incident.highest_revision > confirmed.revision:
        found.append(f"revision {incident.highest_revision} of the incident was recorded without this draft")
    return found


def _confirmed(confirmed: Confirmed) -> ConfirmedContent:
    return {
        "revision": confirmed.revision,
        "by": confirmed.by,
        "at": format_instant(confirmed.at),
        "digest": confirmed.digest,
    }


def _dismissed(dismissed: Dismissed) -> DismissedContent:
    return {
        "reason": dismissed.reason,
        "by": dismissed.by,
        "at": format_instant(dismissed.at),
        "digest": dismissed.digest,
    }


def _unread(unread: Unread) -> UnreadLine:
    return {
        "source": unread.source,
        "reason": unread.reason,
        "message": unread.text,
        "body": unread.key,
        "received_at": format_instant(unread.received_at),
    }


def _windows(windows: Sequence[DraftWindow]) -> list[WindowContent]:
    return [{"start": _stamped(window.start), "end": _stamp(window.end)} for window in windows]


def _stamp(stamp: Stamp | None) -> StampContent | None:
    return None if stamp is None else _stamped(stamp)


def _stamped(stamp: Stamp) -> StampContent:
    return {"at": format_instant(stamp.at), "field": stamp.field, "assumed": stamp.is_assumed}


def _microseconds(length: timedelta | None) -> int | None:
    return None if length is None else length // MICROSECOND
