"""Approvals of a filed plan: who may approve, which approvals count, who must still approve, and until when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import combinations

from kulanz.domain.campaigns.limits import size_text
from kulanz.domain.gate.filed_plan import FiledPlan, Sums
from kulanz.domain.gate.settings import GateSettings, Spent
from kulanz.domain.money import Size
from kulanz.domain.people.caller import APART
from kulanz.domain.people.people import People

APPROVAL_LONGEST = timedelta(days=14)
"""How long a filed plan can be approved at most."""
DECIDABLE_MARGIN = timedelta(days=1)
"""What is kept for the execution before its incident is too old to be decided."""
ONE_PERSON, TWO_PERSONS = 1, 2
SUBJECTS_FOR_ONE_PERSON = 100_000
"""A plan that gives something to more subjects needs two persons, whatever it is worth."""
SUBJECTS_WITHOUT_THRESHOLD = 10_000
"""The same where a measure of the plan has no second threshold."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to one plan. `limits` are the exceeded limits that it names.

    `break_glass` is why this person alone must be enough; empty in any other approval.
    """

    id: str
    person: str
    plan_hash: str
    limits: tuple[str, ...]
    at: datetime
    break_glass: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One person's no to a plan, and why."""

    id: str
    person: str
    plan_hash: str
    reason: str
    at: datetime


type Action = Approval | Rejection
"""What a person does with a waiting plan."""


class ApprovalRefused(Exception):
    """An approval or a rejection that does not count.

    `reason` is a code, and `field` is what is wrong, if it is one; the text says what to do.
    """

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.field = reason, field


def approvable_until(plan: FiledPlan) -> datetime:
    """The first instant at which a plan can no longer be approved."""
    ends = [plan.planned_at + APPROVAL_LONGEST, plan.decidable_until - DECIDABLE_MARGIN]
    return min(ends if plan.first_end is None else [*ends, plan.first_end])


def check_approval(
    plan: FiledPlan, approval: Approval, given: Sequence[Approval], settings: GateSettings, people: People
) -> None:
    """Raise ApprovalRefused unless an approval counts beside those that were `given` before.

    Whoever approves is known to be a person. `people` says whose ids are one human's; where it does not say that two
    ids are two persons', they are taken for one.
    """
    if approval.plan_hash != plan.hash:
        raise ApprovalRefused(
            "plan_differs", "plan_hash", "that is the hash of another plan; look at this plan, then approve its hash"
        )
    if approval.at >= approvable_until(plan):
        raise ApprovalRefused("approval_over", "", "the time to approve this plan is over; plan it again with replan")
    if not _may_approve(approval, plan, settings, people):
        raise ApprovalRefused(
            "approver_is_requester",
            "",
            f"who requested a campaign cannot approve it; ask another person ({APART})",
        )
    if not all(people.are_two(other.person, approval.person) for other in given):
        raise ApprovalRefused(
            "approved_before", "", f"this person has approved the plan; another person is needed ({APART})"
        )
    named, outside = set(approval.limits), {one.name for one in plan.exceeded}
    if missing := sorted(outside - named):
        raise ApprovalRefused(
            "limits_not_named", "limits",
            f"the plan is outside its limits; an approval must name each: {', '.join(missing)}",
        )  # fmt: skip
    if named - outside:
        known = ", ".join(sorted(outside)) or "none"
        raise ApprovalRefused("limits_not_exceeded", "limits", f"expected only limits that the plan exceeds: {known}")


def _may_approve(approval: Approval, plan: FiledPlan, settings: GateSettings, people: People) -> bool:
    return settings.lone_operator or not plan.requester or people.are_two(approval.person, plan.requester)


@dataclass(frozen=True, slots=True)
class Needed:
    """How many persons must approve a plan, and each reason why it is more than one."""

    persons: int
    reasons: tuple[str, ...] = ()


def persons_needed(plan: FiledPlan, settings: GateSettings) -> Needed:
    """Who has to approve a plan that does not execute automatically.

    Where one person operates a stack alone, one is enough, unless the policy asks for two.
    """
    reasons = [] if settings.lone_operator else list(_second_person(plan, settings))
    if plan.persons_asked >= TWO_PERSONS:
        reasons.append("the policy asks for two persons")
    return Needed(TWO_PERSONS if reasons else ONE_PERSON, tuple(reasons))


def _second_person(plan: FiledPlan, settings: GateSettings) -> Iterable[str]:
    if not plan.requester:
        yield "no person requested it"
    if plan.subjects > SUBJECTS_FOR_ONE_PERSON:
        yield f"it gives something to more than {SUBJECTS_FOR_ONE_PERSON:,} subjects"
    for measure, size in sorted(plan.at_most.items()):
        threshold = settings.second_person_above.get(measure)
        if threshold is None:
            if plan.subjects > SUBJECTS_WITHOUT_THRESHOLD:
                yield f"it has more than {SUBJECTS_WITHOUT_THRESHOLD:,} subjects, and {measure} has no threshold"
        elif size > threshold:
            yield f"it can cost more than {size_text(measure, threshold)}"


def is_approved(
    plan: FiledPlan, given: Sequence[Approval], settings: GateSettings, people: People, now: datetime
) -> bool:
    """Whether the approvals of a plan are enough to execute it at `now`. Each was checked when it was given.

    Breaking the glass stands for the second person, and for nothing else.
    """
    if now >= approvable_until(plan):
        return False
    counts = [one for one in given if one.plan_hash == plan.hash and _may_approve(one, plan, settings, people)]
    if any(one.break_glass for one in counts) or persons_needed(plan, settings).persons == ONE_PERSON:
        return bool(counts)
    return any(people.are_two(one.person, other.person) for one, other in combinations(counts, TWO_PERSONS))


def not_automatic(plan: FiledPlan, settings: GateSettings, spent: Iterable[Spent]) -> str:
    """Why a plan does not execute automatically; empty where it does.

    `spent` is what automatic executions before it add up to: those of its incident, and those of the month.
    """
    if not settings.automatic_below or not settings.automatic_monthly:
        return "automatic execution is not set up"
    if plan.persons_asked:
        return "the policy asks for an approval"
    if not plan.requester and _automation(plan.source) not in settings.automatic_sources:
        return "its source is not in AutomaticSources"
    if plan.exceeded:
        return "it is outside its limits"
    if plan.is_unlimited():
        return "it gives something without limit"
    before = [one.sums for one in spent]
    above = (_above(measure, size, settings, before) for measure, size in sorted(plan.at_most.items()))
    return next((why for why in above if why), "")


def _automation(source: str) -> str:
    """How `AutomaticSources` names a source of events, or the role of a machine: `billing`, `role/exporter`."""
    role = source.partition(":assumed-role/")[2].partition("/")[0] if source.startswith("role:") else ""
    return f"role/{role}" if role else source


def _above(measure: str, size: Size, settings: GateSettings, spent: Sequence[Sums]) -> str:
    threshold, monthly = settings.automatic_below.get(measure), settings.automatic_monthly.get(measure)
    if threshold is None or monthly is None:
        return f"{measure} has no threshold"
    if size >= threshold:
        return f"{size_text(measure, size)} is not below {size_text(measure, threshold)}"
    if any(sums.get(measure, 0) + size >= monthly for sums in spent):
        return f"automatic executions would not stay below {size_text(measure, monthly)} a month"
    return ""


class Reminder(StrEnum):
    """What a waiting plan reminds of."""

    HALF = "half"
    FOUR_FIFTHS = "four_fifths"
    EXPIRED = "expired"


REMINDED_AT: Mapping[Reminder, tuple[int, int]] = {Reminder.HALF: (1, 2), Reminder.FOUR_FIFTHS: (4, 5)}
"""The share of the time, as a fraction, after which a reminder is due."""


def wanted_by(plan: FiledPlan) -> datetime:
    """When a plan must be approved: at the start (UTC) of the first day on which something is due, or when its time
    ends, whatever is first.
    """
    until = approvable_until(plan)
    if plan.first_due is None:
        return until
    return min(until, datetime.combine(plan.first_due, time(), tzinfo=UTC))


def due_reminders(plan: FiledPlan, now: datetime) -> tuple[Reminder, ...]:
    """The reminders of a waiting plan that are due at `now`, first to last. Whoever sends one remembers it."""
    whole = wanted_by(plan) - plan.planned_at
    found = [one for one, (part, of) in REMINDED_AT.items() if now >= plan.planned_at + whole * part / of]
    return (*found, *((Reminder.EXPIRED,) if now >= approvable_until(plan) else ()))
