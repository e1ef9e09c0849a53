"""What an approver looks at before a yes: everything that a plan will do, in figures, from what is stored.

The answer has the shape of `PlanReview`: `kulanz plan` prints it, and `--json` and the API give it as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from kulanz.application.budgets.review import BudgetReview, beyond_budget, review_budgets
from kulanz.application.campaigns.advance_campaign import add_up
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.campaigns.plausible_plan import (
    IncidentReview,
    RepeatsReview,
    UsualReview,
    campaigns_before,
    incident_review,
    is_older,
    repeats_review,
    same_list,
    uploaded_at,
    usual_review,
)
from kulanz.application.campaigns.report import (
    ReportedAmounts,
    ReportedEstimate,
    delivery_estimate,
    reported_amounts,
    reported_estimate,
    reported_limits,
)
from kulanz.application.ports import CampaignIndex, CampaignStore, ListStore, PinnedVersionGone, Uploads
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State
from kulanz.domain.campaigns.estimate import Operation
from kulanz.domain.campaigns.measured import Commitment
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.gate.approval import Approval, approvable_until, not_automatic, persons_needed, wanted_by
from kulanz.domain.gate.filed_plan import FiledPlan, Sums
from kulanz.domain.gate.settings import GateSettings, SpentPlace, month_of
from kulanz.domain.lists.lines import LINE_BYTES, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Record
from kulanz.domain.time import format_instant

REVIEW_VERSION = 1


class ResultReview(TypedDict):
    """How many lines came to a result and a reason, here and in the campaign before (None where there is none)."""

    result: str
    reason: str
    lines: int
    before: int | None


class SumReview(TypedDict):
    """What lines of a result come to in one measure, as an exact text; money in minor units."""

    result: str
    measure: str
    sum: str
    before: str | None


class LargestReview(TypedDict):
    """One of the largest amounts: how many lines have it, and whose the first of them is, if it can be read."""

    measure: str
    amount: str
    lines: int
    offset: int
    account: str
    subject: str


class LimitReview(TypedDict):
    """A limit that the plan exceeds, under the name by which an approval names it."""

    name: str
    figures: str


class ApprovalReview(TypedDict):
    """A yes that was given."""

    person: str
    at: str
    limits: Sequence[str]
    break_glass: str


class PolicyReview(TypedDict):
    """Which policy decides; `hash` is that of its frozen form."""

    id: str
    version: int
    hash: str
    title: str


class ListReview(TypedDict):
    """Which version of which list is decided, and when it was put into the bucket: null where that was deleted.

    `is_older`: that was before the incident began. `same_as`: campaigns of other incidents whose list has the same
    content.
    """

    key: str
    version_id: str
    rows: int
    bytes: int
    uploaded_at: str | None
    is_older: bool
    same_as: Sequence[str]


class PlanReview(TypedDict):
    """A filed plan, as whoever approves it must know it. Amounts are exact texts; money in minor units.

    `persons_needed` must approve, and `approvals` are there; `reasons` say why it is more than one. `not_automatic`
    says why the plan is not executed without a person. `at_most` is what it can cost with every offer accepted and all
    that is claimable claimed. `budgets` has one entry for each currency.
    """

    v: int
    campaign: str
    state: str
    plan_hash: str
    planned_at: str
    approvable_until: str
    wanted_by: str
    first_due: str | None
    source: str
    requester: str
    persons_needed: int
    reasons: Sequence[str]
    not_automatic: str
    lone_operator: bool
    approvals: Sequence[ApprovalReview]
    incident: IncidentReview
    policy: PolicyReview
    list: ListReview
    repeats: RepeatsReview
    usual: Sequence[UsualReview]
    decided_at: str
    lines: int
    subjects: int
    results: Sequence[ResultReview]
    sums: Sequence[SumReview]
    claimable: dict[str, str]
    at_most: dict[str, str]
    budgets: Sequence[BudgetReview]
    exceeded: Sequence[LimitReview]
    limits: dict[str, str]
    compared_with: str
    amounts: Sequence[ReportedAmounts]
    largest: Sequence[LargestReview]
    estimate: ReportedEstimate | None
    delivery_usd: str | None


@dataclass(frozen=True, slots=True)
class ReviewPorts:
    """The world that a review reads; it writes nothing."""

    campaigns: CampaignStore
    lists: ListStore
    uploads: Uploads
    index: CampaignIndex
    settings: GateSettings
    operation: Operation


class NoPlan(Exception):
    """The campaign has filed no plan; the text says why."""


def review_plan(campaign_id: CampaignId, ports: ReviewPorts, now: datetime) -> PlanReview:
    """Everything that an approver must know of a plan. Raises NoPlan."""
    campaign = ports.campaigns.campaign(campaign_id)
    plan = None if campaign is None else ports.campaigns.filed_plan(campaign_id)
    if campaign is None or plan is None:
        raise NoPlan(_why_none(campaign_id, campaign))
    _, measured, _ = add_up(campaign, ports.campaigns.receipts(campaign_id, Pass.PLAN))
    before = _campaign_before(campaign, ports.campaigns)
    others = campaigns_before(campaign, ports.campaigns, ports.index)
    incident = incident_review(campaign, ports.campaigns)
    uploaded = uploaded_at(campaign, ports.uploads)
    given = [one for one in ports.campaigns.actions(campaign_id) if isinstance(one, Approval)]
    needed = persons_needed(plan, ports.settings)
    budgets = review_budgets(campaign, plan, ports.campaigns, ports.settings, now)
    pinned = campaign.pinned
    return {
        "v": REVIEW_VERSION,
        "campaign": str(campaign_id),
        "state": campaign.state.value,
        "plan_hash": plan.hash,
        "planned_at": format_instant(plan.planned_at),
        "approvable_until": format_instant(approvable_until(plan)),
        "wanted_by": format_instant(wanted_by(plan)),
        "first_due": None if plan.first_due is None else plan.first_due.isoformat(),
        "source": plan.source,
        "requester": plan.requester,
        "persons_needed": needed.persons,
        "reasons": needed.reasons,
        "not_automatic": _not_automatic(plan, ports, now) or beyond_budget(budgets),
        "lone_operator": ports.settings.lone_operator,
        "approvals": [_approval(one) for one in sorted(given, key=lambda one: one.at)],
        "incident": incident,
        "policy": _policy(campaign, ports.campaigns),
        "list": {
            "key": pinned.key, "version_id": pinned.version_id, "rows": campaign.rows_announced, "bytes": pinned.size,
            "uploaded_at": uploaded, "is_older": is_older(uploaded, incident), "same_as": same_list(campaign, others),
        },
        "repeats": repeats_review(measured.repeats),
        "usual": usual_review(campaign, others),
        "decided_at": format_instant(campaign.decided_at),
        "lines": campaign.plan.totals.lines,
        "subjects": plan.subjects,
        "results": list(_results(campaign.plan.totals, before)),
        "sums": list(_sums(campaign.plan.totals, before)),
        "claimable": _texts(plan.claimable),
        "at_most": _texts(plan.at_most),
        "budgets": budgets,
        "exceeded": [{"name": one.name, "figures": one.figures} for one in plan.exceeded],
        "limits": dict(reported_limits(campaign.limits)["shares"]),
        "compared_with": "" if before is None else str(before.id),
        "amounts": reported_amounts(measured.amounts),
        "largest": list(_largest(campaign, measured.commitment, ports.lists)),
        "estimate": reported_estimate(campaign, ports.operation),
        "delivery_usd": None if plan.channel is None else str(delivery_estimate(campaign)),
    }  # fmt: skip


def _why_none(campaign_id: CampaignId, campaign: Campaign | None) -> str:
    if campaign is None:
        return f"there is no campaign {campaign_id}; `kulanz campaigns {campaign_id.incident_id}` lists those there are"
    if campaign.state is State.PLANNING:
        return f"campaign {campaign_id} is still planning; `kulanz watch {campaign_id}` waits for its plan"
    return f"campaign {campaign_id} has no plan to approve: it is {campaign.state} ({campaign.state_reason})"


def _not_automatic(plan: FiledPlan, ports: ReviewPorts, now: datetime) -> str:
    places = (SpentPlace(month=month_of(now)), SpentPlace(incident_id=plan.campaign.incident_id))
    return not_automatic(plan, ports.settings, [ports.campaigns.spent(place) for place in places])


def _campaign_before(campaign: Campaign, campaigns: CampaignStore) -> Campaign | None:
    """The last campaign of the incident before this one that has a complete plan."""
    for seq in range(campaign.id.seq - 1, 0, -1):
        found = campaigns.campaign(CampaignId(campaign.id.incident_id, seq))
        if found is not None and found.is_finished(Pass.PLAN):
            return found
    return None


def _approval(one: Approval) -> ApprovalReview:
    at = format_instant(one.at)
    return {"person": one.person, "at": at, "limits": one.limits, "break_glass": one.break_glass}


def _policy(campaign: Campaign, campaigns: CampaignStore) -> PolicyReview:
    title = thaw(campaign, campaigns.frozen(campaign.id)).title
    return {
        "id": campaign.policy_id,
        "version": campaign.policy_version,
        "hash": campaign.policy_hash,
        "title": title,
    }


def _results(totals: Totals, before: Campaign | None) -> Iterable[ResultReview]:
    here, there = totals.results(), {} if before is None else before.plan.totals.results()
    for place in sorted(here.keys() | there.keys()):
        row_result, reason = place
        earlier = None if before is None else there.get(place, 0)
        yield {"result": row_result.value, "reason": reason, "lines": here.get(place, 0), "before": earlier}


def _sums(totals: Totals, before: Campaign | None) -> Iterable[SumReview]:
    here, there = totals.worth(), {} if before is None else before.plan.totals.worth()
    for place in sorted(here.keys() | there.keys()):
        row_result, measure = place
        earlier = None if before is None else str(there.get(place, 0))
        yield {"result": row_result.value, "measure": measure, "sum": str(here.get(place, 0)), "before": earlier}


def _largest(campaign: Campaign, commitment: Commitment, lists: ListStore) -> Iterable[LargestReview]:
    for measure, amounts in commitment.in_order().items():
        for one in amounts:
            account, subject = _whose(campaign, one.offset, lists)
            yield {
                "measure": measure,
                "amount": str(one.size),
                "lines": one.lines,
                "offset": one.offset,
                "account": account,
                "subject": subject,
            }


def _whose(campaign: Campaign, offset: int, lists: ListStore) -> tuple[str, str]:
    """The account and the subject of the line that starts at a byte of the pinned list; empty where it is gone."""
    start, size = campaign.chunks.data_start, campaign.chunks.size
    read_from = offset if offset == start else offset - 1
    reader = line_reader(campaign.layout, (), campaign.subject or None, campaign.ignored_columns)
    try:
        blocks = lists.read(campaign.pinned, read_from, min(offset + LINE_BYTES + 2, size))
        line = next(lines_starting_in(blocks, read_from, offset, offset + 1, start), None)
    except PinnedVersionGone:
        return "", ""
    record = None if line is None or line.raw is None else reader.record(line)
    return (record.account_id, record.subject) if isinstance(record, Record) else ("", "")


def _texts(sums: Sums) -> dict[str, str]:
    return {measure: str(size) for measure, size in sorted(sums.items())}
