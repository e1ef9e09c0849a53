"""Approves or rejects a plan that waits, on a person's word. What is approved is the plan of one hash, and no other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kulanz.application.campaigns.start_execution import CannotStart, start_of, with_budgets
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, AtTheGate, CampaignStore, Outdated, Stores, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, State
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.gate.approval import (
    Action,
    Approval,
    ApprovalRefused,
    Rejection,
    check_approval,
    is_approved,
    persons_needed,
)
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN, FiledPlan
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.people.caller import Caller, Door, must_be_person
from kulanz.domain.people.people import People, approver_problem


@dataclass(frozen=True, slots=True)
class GatePorts:
    """The world that approving touches. `people` is the people file that holds now."""

    campaigns: CampaignStore
    stores: Stores
    settings: GateSettings
    people: People
    door: Door = Door.IAM


def decide_plan(
    campaign_id: CampaignId, asked: Action, caller: Caller, ports: GatePorts, code_version: str
) -> Campaign:
    """Record an approval or a rejection of `caller`; the campaign as it then stands.

    The last approval that is needed starts the execution, and a rejection ends the campaign. `asked.person` is the id
    of the caller; `asked.plan_hash` may be the beginning of the hash, as it is shown. The same action again changes
    nothing. Raises PersonNeeded for a machine, ApprovalRefused, and TryAgain.
    """
    if problem := approver_problem(must_be_person(caller), ports.people, ports.door, asked.at):
        raise ApprovalRefused("may_not_approve", "", problem)
    if isinstance(asked, Approval):
        asked = replace(asked, limits=tuple(sorted(set(asked.limits))))
    cause = Cause(asked.person, asked.id, code_version)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        campaign = ports.campaigns.campaign(campaign_id)
        if campaign is None:
            raise ApprovalRefused("campaign_unknown", "", f"there is no campaign {campaign_id}")
        before = ports.campaigns.actions(campaign_id)
        if _is_repeated(asked, before):
            return campaign
        try:
            plan = _waiting_plan(campaign, ports.campaigns)
            meant = replace(asked, plan_hash=_whole_hash(asked.plan_hash, plan))
            if isinstance(meant, Rejection):
                _reject(campaign, plan, meant, ports, cause)
            else:
                _approve(campaign, plan, meant, [one for one in before if isinstance(one, Approval)], ports, cause)
        except Outdated:
            continue
        return ports.campaigns.campaign(campaign_id) or campaign
    raise TryAgain("the campaign's record keeps changing")


def _is_repeated(asked: Action, before: Sequence[Action]) -> bool:
    """Whether this very action was done. Raises ApprovalRefused for another one under its id."""
    known = next((one for one in before if one.id == asked.id), None)
    if known is None:
        return False
    again = replace(asked, at=known.at)
    if known.plan_hash.startswith(asked.plan_hash) and len(asked.plan_hash) >= HASH_DIGITS_SHOWN:
        again = replace(again, plan_hash=known.plan_hash)
    if again == known:
        return True
    raise ApprovalRefused("id_taken", "id", "another approval or rejection has this id; choose a new one")


def _waiting_plan(campaign: Campaign, campaigns: CampaignStore) -> FiledPlan:
    if campaign.state is not State.AWAITING_APPROVAL:
        raise ApprovalRefused(
            "not_waiting",
            "",
            f"campaign {campaign.id} is {campaign.state}; only a plan that waits is approved or rejected",
        )
    plan = campaigns.filed_plan(campaign.id)
    if plan is None:
        raise Outdated  # the plan is filed in one step with the state; it moved between the two looks
    return plan


def _whole_hash(asked: str, plan: FiledPlan) -> str:
    return plan.hash if len(asked) >= HASH_DIGITS_SHOWN and plan.hash.startswith(asked) else asked


def _approve(
    campaign: Campaign, plan: FiledPlan, approval: Approval, given: Sequence[Approval], ports: GatePorts, cause: Cause
) -> None:
    check_approval(plan, approval, given, ports.settings, ports.people)
    all_given = [*given, approval]
    is_last = is_approved(plan, all_given, ports.settings, ports.people, approval.at)
    try:
        start = start_of(campaign, plan, ports.campaigns, ports.stores)
        if is_last:
            start = with_budgets(start, campaign, plan, ports.campaigns, ports.settings, approval.at)
    except CannotStart as problem:
        raise ApprovalRefused(problem.reason, "", str(problem)) from None
    if is_last:
        change = campaign.change(State.APPLYING, _start_reason(plan, all_given, ports.settings), cause, approval.at)
        trouble = _alone(campaign, all_given, approval.at)
        ports.campaigns.change_state(campaign, change, AtTheGate(action=approval, start=start, trouble=trouble))
        return
    needed = persons_needed(plan, ports.settings)
    reason = f"approved: {len(all_given)} of {needed.persons} persons"
    change = campaign.change(State.AWAITING_APPROVAL, reason, cause, approval.at)
    ports.campaigns.change_state(campaign, change, AtTheGate(action=approval))


def _glass_of(given: Sequence[Approval]) -> str:
    """Why one person alone was enough; empty where nobody broke the glass."""
    return next((one.break_glass for one in given if one.break_glass), "")


def _alone(campaign: Campaign, given: Sequence[Approval], now: datetime) -> Trouble | None:
    """What everybody is to see of a plan that one person alone approved."""
    return Trouble(TroubleKind.GLASS_BROKEN, str(campaign.id), now, now) if _glass_of(given) else None


def _start_reason(plan: FiledPlan, given: Sequence[Approval], settings: GateSettings) -> str:
    if glass := _glass_of(given):
        return f"glass_broken: {glass}"
    persons = persons_needed(plan, settings).persons
    alone = "; this stack lets one person request and approve" if settings.lone_operator else ""
    return f"approved: by {persons} {'person' if persons == 1 else 'persons'}{alone}"


def _reject(campaign: Campaign, plan: FiledPlan, rejection: Rejection, ports: GatePorts, cause: Cause) -> None:
    if rejection.plan_hash != plan.hash:
        raise ApprovalRefused("plan_differs", "plan_hash", "that is the hash of another plan; look at this plan")
    change = campaign.change(State.REJECTED, f"rejected_by_hand: {rejection.reason}", cause, rejection.at)
    ports.campaigns.change_state(campaign, change, AtTheGate(action=rejection))
