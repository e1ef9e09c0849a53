"""Opens a campaign: validates the event, records the incident, pins the list, freezes the policy, sends the chunks.

Everything is conditional and derived, so that an event may come any number of times and this function may die anywhere:
the next delivery goes on where the records stand.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.campaigns.dispatch_chunks import dispatch, unlimited
from kulanz.application.campaigns.freeze_policy import freeze_policy
from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.campaigns.pin_list import lay_out, pin_list
from kulanz.application.incidents.follow_incident import follow_incident
from kulanz.application.incidents.incident_event import (
    CampaignContract,
    EventRefused,
    IncidentEvent,
    read_incident_event,
)
from kulanz.application.ports import (
    ATTEMPTS_AGAINST_OTHERS,
    Archive,
    CampaignStore,
    ChunkQueue,
    KeptRequest,
    ListStore,
    Outdated,
    PolicyStore,
    Refused,
    RejectedQueue,
    Rejection,
    Stores,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import (
    ENGINE_VERSION,
    WORKABLE,
    Campaign,
    CampaignId,
    Cause,
    Chunks,
    Frozen,
    State,
    StateChange,
)
from kulanz.domain.campaigns.limits import read_share, stated_limits
from kulanz.domain.confirmation import UNCONFIRMED, missing
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.incident import outage_digest
from kulanz.domain.incident_record import (
    DetailType,
    IncidentConflict,
    IncidentRecord,
    Revision,
    VoidRuns,
    decision_digest,
    with_campaign,
    with_revision,
)
from kulanz.domain.ledger.earlier_decisions import ADDS, Rule, follows
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.policy import CompiledPolicy, policy_hash
from kulanz.domain.time import TIME_ZONES, format_instant

TRIED_AGAIN_AFTER = timedelta(minutes=5)
"""When a request is tried again that found a running void: nobody knows when that ends. The schedule's own interval."""


class Opening(StrEnum):
    """What became of an event."""

    RECORDED = "recorded"
    OPENED = "opened"
    KEPT = "kept"
    REPEATED = "repeated"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class OpenSettings:
    """What an operator tunes. `decidable_days` counts from an incident's first event; `chunk_bytes` are bytes.

    `account_ids` is the shape of account ids in lists whose events state none.
    """

    list_bucket: str
    list_prefix: str
    incident_sources: frozenset[str]
    campaign_sources: frozenset[str]
    chunk_bytes: int
    decidable_days: int
    account_ids: IdShape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPorts:
    """The world that recording an incident and opening a campaign touches."""

    campaigns: CampaignStore
    lists: ListStore
    policies: PolicyStore
    chunks: ChunkQueue
    stores: Stores
    seconds_left: Callable[[], float] = unlimited


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPorts(RequestPorts):
    """The world that an event of the bus touches: it may be refused, to whoever looks into the queue."""

    rejected: RejectedQueue
    archive: Archive


def open_campaign(
    event: Mapping[str, Any], ports: OpenPorts, settings: OpenSettings, cause: Cause, now: datetime
) -> Opening:
    """Act on one event of the bus (the EventBridge envelope). A bad one is refused to the rejected queue."""
    try:
        return _act(event, ports, settings, cause, now)
    except EventRefused as refusal:
        _reject(event, refusal, ports, now)
        return Opening.REJECTED


def _act(event: Mapping[str, Any], ports: OpenPorts, settings: OpenSettings, cause: Cause, now: datetime) -> Opening:
    source = str(event.get("source", ""))
    known = read_incident_event(source, str(event.get("detail-type", "")), event.get("detail"))
    if source not in settings.incident_sources | settings.campaign_sources:
        raise EventRefused(
            "source_unknown", "source", "this source may not report incidents; add it to IncidentSources"
        )
    if known.request is not None and source not in settings.campaign_sources:
        record(known, ports, settings, cause, now)
        raise EventRefused(
            "source_may_not_open",
            "source",
            "this source may not open campaigns; add it to CampaignSources or publish from another",
        )
    try:
        return take(known, ports, settings, cause, now)
    except MustWait as wait:
        text = _filed(event).decode()
        kept = KeptRequest(known.incident_id, known.request_digest, wait.until, wait.stopped, text, wait.void)
        ports.campaigns.keep_request(kept)
        return Opening.KEPT


def open_kept_requests(ports: OpenPorts, settings: OpenSettings, cause: Cause, now: datetime) -> list[Opening]:
    """Open the campaigns whose requests had to wait and need not any more; what became of each.

    A request that may not open by now is refused like any other, to the rejected queue. Safe to repeat. Raises what
    one of them raised, after all were tried.
    """
    found, failed = list[Opening](), list[Exception]()
    for kept in ports.campaigns.kept_requests():
        if now < kept.opens_at:
            continue
        try:
            opening = open_campaign(json.loads(kept.event), ports, settings, cause, now)
            if opening is not Opening.KEPT:
                ports.campaigns.forget_request(kept)
            found.append(opening)
        except (TryAgain, Refused) as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return found


class MustWait(EventRefused):
    """The request is right, and too early: a worker of a stopped campaign could still write what the next campaign
    would take for missing, or a `void` of what it granted runs, for which it is tried again at `until`.
    """

    def __init__(self, until: datetime, stopped: CampaignId, void: str = "") -> None:
        what = f"the void {void} runs" if void else f"workers of {stopped}, which was stopped, may write"
        message = f"{what}{'' if void else f' until {format_instant(until)}'}; send the request again after that"
        super().__init__("incident_occupied", "detail.campaign", message)
        self.until = until
        self.stopped = stopped
        self.void = void


def record(known: IncidentEvent, ports: RequestPorts, settings: OpenSettings, cause: Cause, now: datetime) -> None:
    """Record the revision that an event states, if it states one. Safe to repeat. Raises EventRefused, TryAgain."""
    if known.content is not None:
        _record(known, known.content, ports.campaigns, settings, now)
        follow_incident(known.incident_id, ports.campaigns, cause, now)


def take(known: IncidentEvent, ports: RequestPorts, settings: OpenSettings, cause: Cause, now: datetime) -> Opening:
    """Record what an event states and open the campaign that it requests, whoever may send it having been checked.

    Safe to repeat. Raises EventRefused, TryAgain.
    """
    record(known, ports, settings, cause, now)
    if known.request is None:
        return Opening.RECORDED
    if problem := missing(ports.stores.confirmation(), ports.stores.tables()):
        raise EventRefused(UNCONFIRMED, "", problem)
    return _open(known, known.request, ports, settings, cause, now)


def reject_unreadable(body: str, ports: OpenPorts, now: datetime) -> Opening:
    """Refuse a message that is no event at all."""
    refusal = EventRefused(
        "event_unreadable", "", "the message is not an EventBridge event in JSON; publish it to the bus"
    )
    _reject({"unreadable": body}, refusal, ports, now)
    return Opening.REJECTED


def _record(
    event: IncidentEvent, content: bytes, campaigns: CampaignStore, settings: OpenSettings, now: datetime
) -> None:
    revision = Revision(
        event.incident_id, event.revision, event.detail_type.value, content, event.content_digest, now, event.source
    )
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        before = campaigns.incident(event.incident_id)
        forgotten = before is not None and before.has_forgotten(revision.number)
        recorded = campaigns.revision(revision.incident_id, revision.number) if forgotten else None
        try:
            after = with_revision(before, revision, settings.decidable_days, recorded)
        except IncidentConflict as conflict:
            raise EventRefused(conflict.reason, "detail.revision", str(conflict)) from None
        if after is None:
            return
        try:
            campaigns.record_revision(before, after, revision)
        except Outdated:
            continue
        return
    raise TryAgain("the incident's record keeps changing")


def _open(
    event: IncidentEvent,
    request: CampaignContract,
    ports: RequestPorts,
    settings: OpenSettings,
    cause: Cause,
    now: datetime,
) -> Opening:
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        before = ports.campaigns.incident(event.incident_id)
        if before is None:
            raise EventRefused(
                "incident_unknown", "detail.incident_id", "no such incident; publish Incident Declared first"
            )
        seq = before.requests.get(event.request_digest)
        if seq is not None:
            _go_on(CampaignId(event.incident_id, seq), ports)
            return Opening.REPEATED
        try:
            after, campaign_id = with_campaign(before, event.revision, event.request_digest, now)
        except VoidRuns:
            void = VoidId.parse(before.voiding)
            raise MustWait(now + TRIED_AGAIN_AFTER, void.campaign, str(void)) from None
        except IncidentConflict as conflict:
            raise EventRefused(conflict.reason, "detail.campaign", str(conflict)) from None
        await_stopped(before, ports.campaigns, now)
        told = _recorded(event, ports.campaigns)
        if told.detail_type == DetailType.WITHDRAWN:
            raise EventRefused(
                "incident_withdrawn", "detail.incident_id",
                "the incident was withdrawn; if it happened after all, declare it under a higher revision",
            )  # fmt: skip
        _must_be_meant(event, told)
        campaign, frozen = _prepare(event, request, told.content, before, campaign_id, ports, settings, now)
        change = StateChange(1, now, None, State.PLANNING, "requested", cause)
        try:
            ports.campaigns.open(before, after, campaign, frozen, change)
        except Outdated:
            continue
        _go_on(campaign_id, ports)
        return Opening.OPENED
    raise TryAgain("the incident's record keeps changing")


def await_stopped(record: IncidentRecord, campaigns: CampaignStore, now: datetime) -> None:
    """Raise MustWait while a worker of an ended campaign could still write, with the last instant of all of them."""
    waits = []
    for seq in record.applied:
        earlier = campaigns.campaign(CampaignId(record.incident_id, seq))
        until = None if earlier is None else may_write_until(earlier, campaigns)
        if until is not None and now < until:
            waits.append((until, seq))
    if waits:
        until, seq = max(waits)
        raise MustWait(until, CampaignId(record.incident_id, seq))


def _go_on(campaign_id: CampaignId, ports: RequestPorts) -> None:
    """Send what is still to do: the same for a new campaign, a repeated event and a delivery after a crash."""
    campaign = ports.campaigns.campaign(campaign_id)
    if campaign is None:
        return
    if campaign.state in (State.REFUSED, State.REJECTED, State.CANCELLED):
        raise EventRefused(
            "request_spent",
            "detail.campaign",
            f"campaign {campaign_id} of this very request has ended ({campaign.state}: {campaign.state_reason});"
            " name the corrected list's version_id to request another, or plan the same list again with"
            f" `kulanz replan {campaign_id}`",
        )
    if campaign.state in WORKABLE:
        dispatch(campaign, WORKABLE[campaign.state], ports.campaigns, ports.chunks, ports.seconds_left)


def _prepare(
    event: IncidentEvent,
    request: CampaignContract,
    content: bytes,
    record: IncidentRecord,
    campaign_id: CampaignId,
    ports: RequestPorts,
    settings: OpenSettings,
    now: datetime,
) -> tuple[Campaign, Frozen]:
    frozen, policy = freeze_policy(content, request.policy, ports.policies, now)
    pinned = pin_list(event, request.affected, ports.lists, settings.list_bucket, settings.list_prefix)
    layout = lay_out(pinned, policy, request, settings.account_ids, ports.lists)
    try:
        chunks = Chunks(layout.data_start, pinned.size, settings.chunk_bytes)
    except ValueError as error:
        raise EventRefused("list_too_large", "detail.campaign.affected", str(error)) from None
    follow = followed(policy, record, ports.campaigns)
    stated = request.limits.stated() if request.limits else {}
    _must_be_measurable(stated, follow)
    campaign = Campaign(
        id=campaign_id,
        incident_revision=event.revision,
        policy_id=policy.policy_id,
        policy_version=policy.version,
        policy_hash=policy_hash(frozen.policy),
        engine=ENGINE_VERSION,
        time_zones=TIME_ZONES,
        pinned=pinned,
        layout=layout,
        chunks=chunks,
        rows_announced=request.affected.rows,
        decided_at=now,
        decidable_until=record.decidable_until,
        request_digest=event.request_digest,
        opened_by=event.source,
        follows=follow,
        adds=policy.earlier == ADDS,
        keeps_history=bool(policy.history),
        subject=policy.subject or "",
        limits=stated_limits({"policy": policy.limits, "request": stated}),
        ignored_columns=tuple(request.ignored_columns),
        outage=outage_digest(thaw_incident(content)),
        same_outage_as=tuple(request.same_outage_as),
        persons_asked=policy.persons_asked,
        log_count=1,
    )
    return campaign, frozen


def _must_be_measurable(stated: Mapping[str, Any], follows: tuple[int, ...]) -> None:
    """Refuse a limit that this request states and that no plan of it can be compared with.

    A policy may state it for every campaign under it, of which the first of an incident follows none.
    """
    if not follows and "known" in stated and read_share("known", stated["known"]):
        raise EventRefused(
            "limit_not_measurable",
            "detail.campaign.limits.known",
            "this campaign follows no earlier one of the incident, so that no row can be known from one; leave the"
            " limit out, or state 0 %",
        )


def followed(policy: CompiledPolicy, record: IncidentRecord, campaigns: CampaignStore) -> tuple[int, ...]:
    """The incident's campaigns whose grants are set off. Refuses where they cannot be, because subjects differ.

    A line's decision stands under the line and an account's under the account: neither would find what the other gave.
    """
    found = (campaigns.campaign(CampaignId(record.incident_id, seq)) for seq in record.applied)
    applied = {campaign.id.seq: campaign for campaign in found if campaign is not None}
    rule = Rule(policy.policy_id, policy.earlier == ADDS)
    found_seqs = follows(rule, {seq: Rule(one.policy_id, one.adds) for seq, one in applied.items()})
    for seq in found_seqs:
        if applied[seq].subject != (policy.subject or ""):
            raise EventRefused(
                "subjects_differ",
                "detail.campaign.policy",
                f"{applied[seq].id} decided {_subjects(applied[seq].subject)}, this policy decides"
                f" {_subjects(policy.subject or '')}: what was granted could not be set off and would be paid again;"
                " decide the same subjects",
            )
    return found_seqs


def _subjects(column: str) -> str:
    return f"each {column}" if column else "each account"


def _recorded(event: IncidentEvent, campaigns: CampaignStore) -> Revision:
    """The revision that a request is about, as it was recorded."""
    found = campaigns.revision(event.incident_id, event.revision)
    if found is None:
        raise TryAgain("a revision that the incident's record names is not there yet")
    return found


def _must_be_meant(event: IncidentEvent, told: Revision) -> None:
    """Refuse a request for a revision that was recorded with other facts than whoever requests it knows."""
    if event.decision_digest and event.decision_digest != decision_digest(told.content):
        raise EventRefused(
            "revision_differs",
            "detail.decision_digest",
            f"revision {told.number} is recorded with other windows, service, functions, cause or facts; look at it,"
            " then request the campaign with the decision digest of the revision that is meant",
        )


def _filed(event: Mapping[str, Any]) -> bytes:
    """An event as it is filed, in ASCII, because an event may hold what UTF-8 cannot."""
    try:
        return json.dumps(event, sort_keys=True).encode()
    except RecursionError:  # it could be read, and is too deep to be written
        return json.dumps({"source": str(event.get("source", "")), "detail": "nested too deep to be filed"}).encode()


def _reject(event: Mapping[str, Any], refusal: EventRefused, ports: OpenPorts, now: datetime) -> None:
    content = _filed(event)
    key = f"rejected/{sha256(content).hexdigest()}.json"
    ports.archive.put(key, content, "application/json")
    detail = event.get("detail")
    incident_id = detail.get("incident_id") if isinstance(detail, Mapping) else None
    ports.rejected.send(
        Rejection(
            reason=refusal.reason,
            field=refusal.field,
            message=str(refusal),
            source=str(event.get("source", ""))[:200],
            detail_type=str(event.get("detail-type", ""))[:200],
            incident_id=incident_id if isinstance(incident_id, str) and is_incident_id(incident_id) else "",
            event_key=key,
            received_at=now,
        )
    )
