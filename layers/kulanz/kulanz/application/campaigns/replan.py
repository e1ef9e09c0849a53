"""Plans the list of a campaign again, as the next campaign of its incident: after a rejection, when the time to approve
is over, or when the engine, the incident or what the plan read has changed.

The next campaign reads the same version of the same list under the same frozen policy. What it decides by otherwise is
as it stands now. Who requested the first one has requested this one, so that whoever plans again gains no right by it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from kulanz.application.campaigns.dispatch_chunks import dispatch
from kulanz.application.campaigns.freeze_policy import must_have_happened, must_state_facts
from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.campaigns.open_campaign import await_stopped, followed
from kulanz.application.incidents.incident_event import EventRefused
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, ChunkQueue, Outdated, TryAgain
from kulanz.domain.campaigns.campaign import (
    CAN_BE_REPLANNED,
    ENDED,
    ENGINE_VERSION,
    Campaign,
    CampaignId,
    Cause,
    Frozen,
    Pass,
    Progress,
    State,
    StateChange,
)
from kulanz.domain.incident import outage_digest
from kulanz.domain.incident_record import DetailType, IncidentConflict, IncidentRecord, Revision, with_campaign
from kulanz.domain.policy import PolicyError, compile_policy
from kulanz.domain.refusal import WithReason
from kulanz.domain.time import TIME_ZONES


class ReplanRefused(WithReason):
    """The list cannot be planned again. `reason` is a code; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ReplanPorts:
    """The world that planning again touches."""

    campaigns: CampaignStore
    chunks: ChunkQueue


def replan(campaign_id: CampaignId, ports: ReplanPorts, reason: str, cause: Cause, now: datetime) -> Campaign:
    """Open the next campaign over the same pinned list; a campaign that is not over is cancelled for it.

    Repeated, it is the same next campaign. Raises ReplanRefused, and TryAgain.
    """
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        campaign, record = _known(campaign_id, ports.campaigns)
        digest = sha256(f"replan of {campaign.id} {campaign.request_digest}".encode()).hexdigest()
        seq = record.requests.get(digest)
        if seq is not None:
            return _go_on(CampaignId(campaign_id.incident_id, seq), ports)
        _must_be_replannable(campaign, ports.campaigns)
        try:
            if campaign.state not in ENDED:
                change = campaign.change(State.CANCELLED, f"cancelled_for_replan: {reason}", cause, now)
                ports.campaigns.change_state(campaign, change)
                continue
            return _open(campaign, record, digest, ports, reason, cause, now)
        except Outdated:
            continue
    raise TryAgain("the campaign's record keeps changing")


def _known(campaign_id: CampaignId, campaigns: CampaignStore) -> tuple[Campaign, IncidentRecord]:
    campaign, record = campaigns.campaign(campaign_id), campaigns.incident(campaign_id.incident_id)
    if campaign is None or record is None:
        raise ReplanRefused("campaign_unknown", f"there is no campaign {campaign_id}")
    return campaign, record


def _must_be_replannable(campaign: Campaign, campaigns: CampaignStore) -> None:
    if campaign.state is State.REFUSED:
        raise ReplanRefused(
            "list_refused",
            f"the list of {campaign.id} cannot be trusted ({campaign.state_reason}); publish a correct one",
        )
    if campaign.state not in CAN_BE_REPLANNED:
        raise ReplanRefused("not_replannable", f"campaign {campaign.id} is {campaign.state}; only a plan is made again")
    if any(change.target is State.APPLYING for change in campaigns.log(campaign.id)):
        raise ReplanRefused(
            "execution_began",
            f"the execution of {campaign.id} has begun; request another campaign, which grants the rest",
        )


def _open(
    old: Campaign,
    record: IncidentRecord,
    digest: str,
    ports: ReplanPorts,
    reason: str,
    cause: Cause,
    now: datetime,
) -> Campaign:
    latest = _latest(record, ports.campaigns)
    frozen = Frozen(ports.campaigns.frozen(old.id).policy, latest.content)
    try:
        after, campaign_id = with_campaign(record, latest.number, digest, now)
        await_stopped(record, ports.campaigns, now)
        incident = thaw_incident(latest.content)
        must_have_happened(incident, now)
        policy = compile_policy(frozen.policy, incident, now)
        must_state_facts(incident, policy)
        policy.must_be_affordable()
        campaign = replace(
            old,
            id=campaign_id,
            incident_revision=latest.number,
            engine=ENGINE_VERSION,
            time_zones=TIME_ZONES,
            decided_at=now,
            request_digest=digest,
            follows=followed(policy, record, ports.campaigns),
            outage=outage_digest(incident),
            persons_asked=policy.persons_asked,
            state=State.PLANNING,
            state_reason="",
            log_count=1,
            announced="",
            plan=Progress(),
            apply=Progress(),
        )
    except IncidentConflict as conflict:
        raise ReplanRefused(conflict.reason, str(conflict)) from None
    except EventRefused as refusal:
        raise ReplanRefused(refusal.reason, str(refusal)) from None
    except (PolicyError, ArithmeticError, ValueError):
        raise ReplanRefused(
            "policy_unusable", "this release cannot decide by the campaign's policy; request another campaign"
        ) from None
    change = StateChange(1, now, None, State.PLANNING, f"replanned: as {old.id}: {reason}", cause)
    ports.campaigns.open(record, after, campaign, frozen, change)
    return _go_on(campaign_id, ports)


def _latest(record: IncidentRecord, campaigns: CampaignStore) -> Revision:
    latest = campaigns.revision(record.incident_id, record.highest_revision)
    if latest is None:
        raise TryAgain("a revision that the incident's record names is not there yet")
    if latest.detail_type == DetailType.WITHDRAWN:
        raise ReplanRefused("incident_withdrawn", "the incident was withdrawn; nothing is owed for it")
    return latest


def _go_on(campaign_id: CampaignId, ports: ReplanPorts) -> Campaign:
    """The next campaign as it stands, with its chunks sent: also after a call that died before it sent them."""
    campaign = ports.campaigns.campaign(campaign_id)
    if campaign is None:
        raise TryAgain("the next campaign is not there yet")
    if campaign.state is State.PLANNING:
        dispatch(campaign, Pass.PLAN, ports.campaigns, ports.chunks)
    return campaign
