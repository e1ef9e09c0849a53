"""Holds a campaign, lets it go on, or ends it, on a person's word.

A worker looks at the campaign's state every second. It stops there, and what it has written has its receipt.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kulanz.application.campaigns.dispatch_chunks import dispatch
from kulanz.application.incidents.follow_incident import is_amended
from kulanz.application.ports import (
    ATTEMPTS_AGAINST_OTHERS,
    NOTHING_MORE,
    AtTheGate,
    CampaignStore,
    ChunkQueue,
    Outdated,
    Start,
    Stores,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import ENDED, KEPT, WORKABLE, Campaign, CampaignId, Cause, Pass, State
from kulanz.domain.confirmation import missing
from kulanz.domain.gate.filed_plan import requester_of
from kulanz.domain.incident_record import DetailType, decision_digest
from kulanz.domain.people.caller import APART, Caller, Door, must_be_person
from kulanz.domain.people.people import People, approver_problem
from kulanz.domain.time import CLOCK_ALLOWANCE, format_instant

WORKER_LONGEST = timedelta(minutes=15)
"""The longest that Lambda lets a function run; the template's timeout is shorter."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A caller's word that an execution goes on although its incident was amended.

    `decides_by` is the decision digest of the amended incident, and `people` the people file that holds now. A
    `lone_operator` may accept what that person requested.
    """

    decides_by: str
    caller: Caller
    people: People
    lone_operator: bool = False
    door: Door = Door.IAM


class ControlRefused(Exception):
    """The campaign cannot be moved so; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ControlPorts:
    """The world that control touches."""

    campaigns: CampaignStore
    chunks: ChunkQueue
    stores: Stores


def pause(campaign_id: CampaignId, ports: ControlPorts, reason: str, cause: Cause, now: datetime) -> Campaign:
    """Let no further chunk begin. Safe to repeat. Raises ControlRefused."""
    return _move(campaign_id, State.PAUSED, ports, f"paused_by_hand: {reason}", cause, now)


def cancel(campaign_id: CampaignId, ports: ControlPorts, reason: str, cause: Cause, now: datetime) -> Campaign:
    """End a campaign; what it has granted stays. Safe to repeat. Raises ControlRefused."""
    return _move(campaign_id, State.CANCELLED, ports, f"cancelled_by_hand: {reason}", cause, now)


def settle(campaign_id: CampaignId, ports: ControlPorts, reason: str, cause: Cause, now: datetime) -> Campaign:
    """Close a flagged campaign as it stands, on the word of a person who has looked. Safe to repeat.

    Nothing is written or taken back; its report keeps the differences. Raises ControlRefused.
    """
    campaign = _existing(campaign_id, ports.campaigns)
    if campaign.state not in (State.FLAGGED, State.CLOSED):
        raise ControlRefused(f"campaign {campaign_id} is {campaign.state}; only a flagged one waits to be settled")
    return _move(campaign_id, State.CLOSED, ports, f"settled_by_hand: {reason}", cause, now)


def keep(campaign_id: CampaignId, ports: ControlPorts, reason: str, cause: Cause, now: datetime) -> Campaign:
    """Close a flagged campaign whose credits all stay: they are delivered as those of any other. Safe to repeat.

    Raises ControlRefused.
    """
    campaign = _existing(campaign_id, ports.campaigns)
    if campaign.state not in (State.FLAGGED, State.CLOSED):
        raise ControlRefused(f"campaign {campaign_id} is {campaign.state}; only a flagged one is kept")
    until = may_write_until(campaign, ports.campaigns)
    if until is not None and now < until:
        raise ControlRefused(f"workers of {campaign_id} may write until {format_instant(until)}; try again then")
    return _move(campaign_id, State.CLOSED, ports, f"{KEPT}: {reason}", cause, now)


def resume(
    campaign_id: CampaignId,
    ports: ControlPorts,
    reason: str,
    cause: Cause,
    now: datetime,
    accepted: Accepted | None = None,
) -> Campaign:
    """Go on where a campaign was paused; advance_campaign hears of it and sends the chunks.

    On a campaign that is at work it sends every chunk that is not finished, which repairs one whose messages were lost.
    An execution whose incident was amended goes on only by the word of another person than its requester: `accepted`.
    Raises ControlRefused, and PersonNeeded where a machine accepts.
    """
    campaign = _existing(campaign_id, ports.campaigns)
    if (halt := ports.campaigns.halt()).is_on:
        raise ControlRefused(f"the stack is halted ({halt.reason}); lift the halt first")
    if problem := missing(ports.stores.confirmation(), ports.stores.tables()):
        raise ControlRefused(problem)
    if campaign.state is State.AWAITING_APPROVAL:
        raise ControlRefused(
            f"campaign {campaign_id} waits for its approval; `kulanz plan {campaign_id}` shows what it would do"
        )
    if campaign.state not in WORKABLE:
        if campaign.state in ENDED:
            raise ControlRefused(f"campaign {campaign_id} has ended: it is {campaign.state}")
        if changed := campaign.planned_otherwise():
            raise ControlRefused(f"campaign {campaign_id}: {changed}. {_instead(campaign_id, ports.campaigns)}")
        if now >= campaign.decidable_until:
            raise ControlRefused(f"the incident of campaign {campaign_id} is older than it may be decided; cancel it")
        target = State.APPLYING if has_begun(campaign_id, ports.campaigns) else State.PLANNING
        return _move(campaign_id, target, ports, f"resumed_by_hand: {reason}", cause, now, accepted)
    dispatch(campaign, WORKABLE[campaign.state], ports.campaigns, ports.chunks, again=True)
    return campaign


def has_begun(campaign_id: CampaignId, campaigns: CampaignStore) -> bool:
    """Whether a campaign's execution has begun."""
    return any(change.target is State.APPLYING for change in campaigns.log(campaign_id))


def _instead(campaign_id: CampaignId, campaigns: CampaignStore) -> str:
    """What to do with a campaign whose plan was made otherwise: only a plan that nothing came of is made again."""
    if has_begun(campaign_id, campaigns):
        return "Its execution has begun; cancel it and request another, which grants the rest"
    return f"Its plan means nothing any more; `kulanz replan {campaign_id}` makes it again"


def _start(campaign: Campaign, campaigns: CampaignStore, accepted: Accepted | None, now: datetime) -> Start:
    """What an execution that goes on is conditional on: the incident's record as it was looked at.

    Raises ControlRefused where the incident is not what the campaign decides by, and nobody else accepts that;
    PersonNeeded where a machine does.
    """
    record = campaigns.incident(campaign.id.incident_id)
    latest = None if record is None else campaigns.revision(record.incident_id, record.highest_revision)
    if record is None or latest is None:
        raise ControlRefused(f"the incident of campaign {campaign.id} has no revision; report it")
    if record.voiding:
        raise ControlRefused(f"the void {record.voiding} is under way; wait until it has ended")
    if latest.detail_type == DetailType.WITHDRAWN:
        raise ControlRefused(f"the incident of campaign {campaign.id} was withdrawn; cancel the campaign")
    if not is_amended(campaign, latest, campaigns):
        return Start(record)
    digest = decision_digest(latest.content)
    if accepted is None or accepted.decides_by != digest:
        raise ControlRefused(
            f"revision {latest.number} amended the incident of campaign {campaign.id}, which decides by an earlier one."
            f" Cancel it and request another, or let it go on as it is by naming the decision digest {digest}"
        )
    _must_be_another(campaign, accepted, now)
    return Start(record)


def _must_be_another(campaign: Campaign, accepted: Accepted, now: datetime) -> None:
    """Whoever accepts an amendment is a person, and no requester of the campaign, under whatever id."""
    person = must_be_person(accepted.caller)
    if problem := approver_problem(person, accepted.people, accepted.door, now):
        raise ControlRefused(problem)
    requester = requester_of(campaign.opened_by)
    if requester and not accepted.lone_operator and not accepted.people.are_two(person.id, requester):
        raise ControlRefused(
            f"{requester} requested campaign {campaign.id}; after an amendment another person has to let it go on"
            f" ({APART})"
        )


def may_write_until(campaign: Campaign, campaigns: CampaignStore) -> datetime | None:
    """Until when workers that began before a campaign was last stopped may still write; None when none can.

    Whatever state it is in by now: each way out of the execution counts, and the last one may be behind others.
    """
    if campaign.state is State.APPLYING or campaign.is_finished(Pass.APPLY):
        return None
    left = [change.at for change in campaigns.log(campaign.id) if change.source is State.APPLYING]
    return max(left) + WORKER_LONGEST + CLOCK_ALLOWANCE if left else None


def _move(
    campaign_id: CampaignId,
    target: State,
    ports: ControlPorts,
    reason: str,
    cause: Cause,
    now: datetime,
    accepted: Accepted | None = None,
) -> Campaign:
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        campaign = _existing(campaign_id, ports.campaigns)
        if campaign.state is target:
            return campaign
        if campaign.state in ENDED:
            raise ControlRefused(f"campaign {campaign_id} has ended: it is {campaign.state}")
        try:
            decides_by = "" if accepted is None else accepted.decides_by
            change = replace(campaign.change(target, reason, cause, now), decides_by=decides_by)
        except ValueError:
            raise ControlRefused(f"campaign {campaign_id} is {campaign.state} and cannot become {target}") from None
        goes_on = target is State.APPLYING
        gate = AtTheGate(start=_start(campaign, ports.campaigns, accepted, now)) if goes_on else NOTHING_MORE
        try:
            ports.campaigns.change_state(campaign, change, gate)
        except Outdated:
            continue
        return _existing(campaign_id, ports.campaigns)
    raise TryAgain("the campaign's record keeps changing")


def _existing(campaign_id: CampaignId, campaigns: CampaignStore) -> Campaign:
    campaign = campaigns.campaign(campaign_id)
    if campaign is None:
        raise ControlRefused(f"there is no campaign {campaign_id}; `kulanz campaigns INCIDENT` lists them")
    return campaign
