"""Starts the execution of a filed plan: with the approvals it needs, or automatically where its stack allows that.

The start is one step with what it rests on: the plan's approvals, the incident's record as it was read, and what is
left of the month's budgets. A revision that changes what the plan was decided by makes the start fail.
"""

from dataclasses import replace
from datetime import datetime

from kulanz.application.budgets.reserve import TooManyCurrencies, reservation_of_start
from kulanz.application.ports import AtTheGate, CampaignStore, Start, Stores
from kulanz.domain.budgets import CURRENCIES_MOST, BudgetExceeded
from kulanz.domain.campaigns.campaign import Campaign, Cause, State
from kulanz.domain.campaigns.limits import size_text
from kulanz.domain.confirmation import UNCONFIRMED, missing
from kulanz.domain.gate.approval import approvable_until, not_automatic
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import GateSettings, SpentPlace, month_of
from kulanz.domain.incident_record import DetailType, IncidentRecord, decision_digest
from kulanz.domain.refusal import WithReason


class CannotStart(WithReason):
    """The plan must not be executed now. `reason` is a code; the text says why and what to do."""


def start_of(campaign: Campaign, plan: FiledPlan, campaigns: CampaignStore, stores: Stores) -> Start:
    """What the start of a plan is conditional on. Raises CannotStart where the plan means nothing any more."""
    if (halt := campaigns.halt()).is_on:
        raise CannotStart("halted", f"the stack is halted ({halt.reason}); lift the halt first")
    if problem := missing(stores.confirmation(), stores.tables()):
        raise CannotStart(UNCONFIRMED, problem)
    if changed := campaign.planned_otherwise():
        raise CannotStart("plan_outdated", f"{changed}; plan it again with replan")
    return Start(_unchanged(plan, campaigns))


def with_budgets(
    start: Start, campaign: Campaign, plan: FiledPlan, campaigns: CampaignStore, settings: GateSettings, now: datetime
) -> Start:
    """A start that also reserves what the plan can cost of the budgets of this month. Raises CannotStart, Outdated."""
    try:
        reserved = reservation_of_start(campaign, plan, settings.budget_month(now), campaigns)
    except BudgetExceeded as beyond:
        raise CannotStart("budget_exceeded", budget_text(beyond)) from None
    except TooManyCurrencies:
        raise CannotStart(
            "budget_currencies",
            f"the plan pays in more than {CURRENCIES_MOST} currencies, which one start cannot reserve; divide the list",
        ) from None
    return replace(start, budgets=reserved)


def budget_text(beyond: BudgetExceeded) -> str:
    """What a month lacks, with what to do."""
    needed, left = (size_text(beyond.currency, size) for size in (beyond.needed, max(0, beyond.left)))
    return (
        f"the plan needs up to {needed}, and the budget of {beyond.month} has {left} left; an administrator can set it"
        f" with kulanz budget set {beyond.currency} {beyond.month}, or the plan waits for another month"
    )


def _unchanged(plan: FiledPlan, campaigns: CampaignStore) -> IncidentRecord:
    """The incident's record, as long as its latest revision decides as the plan does. Raises CannotStart."""
    record = campaigns.incident(plan.campaign.incident_id)
    latest = None if record is None else campaigns.revision(record.incident_id, record.highest_revision)
    if record is None or latest is None:
        raise CannotStart("incident_changed", "the incident has no latest revision; look at it, then try again")
    if record.voiding:
        raise CannotStart("void_runs", f"the void {record.voiding} is under way; wait until it has ended")
    if latest.detail_type == DetailType.WITHDRAWN:
        raise CannotStart("incident_withdrawn", "the incident was withdrawn; nothing is owed for it")
    if decision_digest(latest.content) != plan.decision_digest:
        raise CannotStart(
            "incident_changed",
            f"revision {latest.number} of the incident has other windows, service, functions, cause or facts than the"
            " plan; plan it again with replan",
        )
    return record


def start_automatically(
    campaign: Campaign, campaigns: CampaignStore, stores: Stores, settings: GateSettings, cause: Cause, now: datetime
) -> bool:
    """Start the execution of a waiting plan that no person needs to approve; False where one must. Raises Outdated."""
    plan = campaigns.filed_plan(campaign.id)
    if plan is None or now >= approvable_until(plan):
        return False
    places = (SpentPlace(month=month_of(now)), SpentPlace(incident_id=campaign.id.incident_id))
    spent = [campaigns.spent(place) for place in places]
    if not_automatic(plan, settings, spent):
        return False
    try:
        start = start_of(campaign, plan, campaigns, stores)
        start = with_budgets(start, campaign, plan, campaigns, settings, now)
    except CannotStart:
        return False  # it goes on waiting: its plan shows why, and whoever wants to approve it is told
    added = tuple(one.with_plan(plan.at_most) for one in spent)
    change = campaign.change(State.APPLYING, "executed_automatically: below every threshold", cause, now)
    campaigns.change_state(campaign, change, AtTheGate(start=replace(start, spent=added)))
    return True
