"""What approvers do: look at a plan that waits, approve it, reject it, or have its list planned again."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.replan import ReplanPorts, ReplanRefused, replan
from kulanz.application.campaigns.review_plan import NoPlan, PlanReview, ReviewPorts, review_plan
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Words, read_body
from kulanz.application.door.problems import FieldProblem, Kind, Problem, unknown
from kulanz.domain.campaigns.campaign import Campaign, Cause
from kulanz.domain.gate.approval import Approval, ApprovalRefused, Rejection
from kulanz.domain.people.yes import yes_of

APPROVAL_VERSION = 1
LIMITS_MOST = 200
"""More limits than a plan can exceed: five, and two for each currency and unit that is looked at."""
LIMIT_CHARACTERS = 100

_Limit = Annotated[str, Field(min_length=1, max_length=LIMIT_CHARACTERS)]


class ApprovalBody(Body):
    """What is done with the plan whose hash is named, whole or as it is shown. To reject or replan needs a reason.

    `limits` are the exceeded limits that an approval accepts. `break_glass` is why one person alone must be enough.
    """

    action: Literal["approve", "reject", "replan"]
    plan_hash: Annotated[str, Field(pattern=r"^([0-9a-f]{12,64})?$")] = ""
    limits: Annotated[list[_Limit], Field(max_length=LIMITS_MOST)] = Field(default_factory=list)
    reason: Words = ""
    break_glass: Words = ""


class ApprovalAnswer(TypedDict):
    """The campaign as it stands after the action; of a new plan, the campaign that plans the list again."""

    v: int
    campaign: str
    state: str
    reason: str


class PlanAnswer(PlanReview):
    """A filed plan. `your_yes` is `counts`, or why the yes of whoever asks would not: `machine`, `unlisted` (in the
    people file), `asked` (for the campaign) or `agreed` (already).
    """

    your_yes: str


def plan(asked: Asked, door: Door) -> PlanAnswer:
    """What a filed plan will do."""
    ports = ReviewPorts(door.campaigns, door.lists, door.uploads, door.index, door.gate, door.operation)
    try:
        review = review_plan(asked.campaign_id, ports, asked.now)
    except NoPlan as problem:
        raise unknown(str(problem)) from None
    asked_by, agreed = requester_of(review), [one["person"] for one in review["approvals"]]
    return {**review, "your_yes": yes_of(asked.acting, asked_by, agreed, door.people.current(), asked.now).value}


def requester_of(review: PlanReview) -> str:
    """Whose own yes does not count; empty where everybody's does."""
    return "" if review["lone_operator"] else review["requester"]


def act(asked: Asked, door: Door) -> ApprovalAnswer:
    """Approve a plan, reject it, or plan its list again."""
    body = read_body(ApprovalBody, asked.body)
    _must_be_whole(body)
    caller, action_id = asked.acting, asked.of["id"]
    if body.action == "replan":
        return _answer(_replanned(asked, door, body.reason))
    said: Approval | Rejection = Rejection(action_id, caller.id, body.plan_hash, body.reason, asked.now)
    if body.action == "approve":
        said = Approval(action_id, caller.id, body.plan_hash, tuple(body.limits), asked.now, body.break_glass)
    ports = GatePorts(door.campaigns, door.stores, door.gate, door.people.current())
    try:
        found = decide_plan(asked.campaign_id, said, caller, ports, door.code_version)
    except ApprovalRefused as refusal:
        raise Problem(
            Kind.REFUSED, str(refusal), reason=refusal.reason, errors=list(_errors(refusal.field, str(refusal)))
        ) from None
    return _answer(found)


def _must_be_whole(body: ApprovalBody) -> None:
    missing: list[FieldProblem] = []
    if body.action != "replan" and not body.plan_hash:
        missing.append({"field": "plan_hash", "expected": "the hash of the plan, as `kulanz plan` shows it"})
    if body.action != "approve" and not body.reason.strip():
        missing.append({"field": "reason", "expected": "why, in one line"})
    if missing:
        raise Problem(Kind.BODY, "correct the fields that are named, and send it again", errors=missing)


def _replanned(asked: Asked, door: Door, reason: str) -> Campaign:
    cause = Cause(asked.caller.id, asked.of["id"], door.code_version)
    try:
        return replan(asked.campaign_id, ReplanPorts(door.campaigns, door.chunks), reason, cause, asked.now)
    except ReplanRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None


def _errors(field: str, expected: str) -> Sequence[FieldProblem]:
    return [{"field": field, "expected": expected}] if field else []


def _answer(campaign: Campaign) -> ApprovalAnswer:
    return {
        "v": APPROVAL_VERSION,
        "campaign": str(campaign.id),
        "state": campaign.state.value,
        "reason": campaign.state_reason,
    }
