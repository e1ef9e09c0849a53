"""The audit log: who did what, when and why. Each entry is written in one step with what it is about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from kulanz.domain.money import format_minor, minor_units

if TYPE_CHECKING:
    from kulanz.domain.budgets import LimitSet
    from kulanz.domain.byhand.goodwill import Goodwill
    from kulanz.domain.campaigns.campaign import Campaign, CampaignId, PinnedList, StateChange
    from kulanz.domain.incident_record import Revision
    from kulanz.domain.ledger.entries import DecisionKey
    from kulanz.domain.ledger.hand_decision import HandDecision


class About(StrEnum):
    """What an entry is about."""

    CAMPAIGN = "campaign"
    INCIDENT = "incident"
    DECISION = "decision"
    POLICY = "policy"
    LIST = "list"
    STACK = "stack"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. `actor` is a person, a machine, a source of events or a function of the stack.

    `on` names it; of a decision its campaign, account and subject, of a policy its id and version, of a budget its
    currency and month, with spaces between.
    `place` tells apart what was done to one thing: a number of its log. `cause` is the id of the action or the event.
    """

    at: datetime
    actor: str
    action: str
    about: About
    on: str
    place: str
    reason: str = ""
    cause: str = ""

    @property
    def is_by_caller(self) -> bool:
        """Whether a person or machine did it, whose id has a colon; functions and sources of events have none."""
        return ":" in self.actor


def opening_entry(campaign: "Campaign", change: "StateChange") -> AuditEntry:
    """The request for a campaign: its actor is whoever requested it, not the function that opened it."""
    asked = f"policy {campaign.policy_id} {campaign.policy_version}, list {campaign.pinned.key}"
    return AuditEntry(
        change.at, campaign.opened_by, "requested", About.CAMPAIGN, str(campaign.id), str(change.number), asked,
        change.cause.event_id,
    )  # fmt: skip


APPROVALS = frozenset({"approved", "glass_broken"})
"""The reasons, up to their colon, of the changes of state that are a person's yes."""


def change_entry(campaign_id: "CampaignId", change: "StateChange") -> AuditEntry:
    """A change of a campaign's state; an approval is one too, also where it leaves the state as it is."""
    is_approval = change.reason.partition(":")[0] in APPROVALS
    action = "approved" if is_approval else change.target.value
    return AuditEntry(
        change.at, change.cause.actor, action, About.CAMPAIGN, str(campaign_id), str(change.number), change.reason,
        change.cause.event_id,
    )  # fmt: skip


def revision_entry(revision: "Revision") -> AuditEntry:
    """A revision of an incident, as a source reported it."""
    return AuditEntry(
        revision.recorded_at, revision.source, revision.detail_type, About.INCIDENT, revision.incident_id,
        str(revision.number),
    )  # fmt: skip


def acceptance_entry(key: "DecisionKey", at: datetime, actor: str) -> AuditEntry:
    """The acceptance of an offer, which happens once."""
    return AuditEntry(at, actor, "accepted", About.DECISION, f"{key.campaign} {key.account_id} {key.subject}", "1")


def hand_decision_entry(key: "DecisionKey", hand: "HandDecision") -> AuditEntry:
    """The decision of a case by a person: it happens once. The note is the account's, and stands with the decision."""
    action = f"{hand.decision.outcome.value} by hand"
    return _of_case(key, hand.person, hand.at, action, hand.reason, hand.id)


def case_asked_entry(key: "DecisionKey", hand: "HandDecision") -> AuditEntry:
    """A decision above what the person may decide alone: it waits for a second person."""
    return _of_case(key, hand.person, hand.at, "asked to decide", hand.reason, hand.id)


def case_agreed_entry(key: "DecisionKey", person: str, at: datetime, action_id: str) -> AuditEntry:
    """The yes of a second person to a decision by hand."""
    return _of_case(key, person, at, "agreed to", "", action_id)


def case_rejected_entry(key: "DecisionKey", person: str, at: datetime, reason: str, action_id: str) -> AuditEntry:
    """The no of a second person to a decision by hand."""
    return _of_case(key, person, at, "rejected", reason, action_id)


def _of_case(key: "DecisionKey", person: str, at: datetime, action: str, reason: str, action_id: str) -> AuditEntry:
    on = f"{key.campaign} {key.account_id} {key.subject}"
    return AuditEntry(at, person, action, About.DECISION, on, action_id, reason, action_id)


def goodwill_entry(one: "Goodwill") -> AuditEntry:
    """What was done about goodwill last: asked for, given, approved and so given, or rejected.

    The note stands here and in the record, and nowhere else: it is no text for the customer.
    """
    on = f"{one.month} {one.account_id} {one.id}"
    asked = f"{one.amount}: {one.reason}{f' ({one.note})' if one.note else ''}"
    if one.is_waiting:
        return AuditEntry(one.asked_at, one.asked_by, "asked to give", About.DECISION, on, "0", asked, one.id)
    by, cause = one.decided_by or one.asked_by, one.decided_as or one.id
    if one.is_rejected:
        at, why = one.decided_at or one.asked_at, f"{asked}: {one.why}"
        return AuditEntry(at, by, "rejected to give", About.DECISION, on, "1", why, cause)
    return AuditEntry(one.given_at or one.asked_at, by, "gave", About.DECISION, on, "1", asked, cause)


def budget_entry(setting: "LimitSet") -> AuditEntry:
    """The setting of a month's budget, or its removal."""
    verb, why = "removed", setting.reason
    if setting.limit is not None:
        verb, amount = "set", format_minor(setting.limit, minor_units(setting.currency))
        why = f"{amount} {setting.currency}: {setting.reason}"
    on = f"{setting.currency} {setting.month}"
    return AuditEntry(setting.at, setting.actor, verb, About.BUDGET, on, setting.id, why, setting.id)


UPLOADER_UNKNOWN = "unknown"
BY_ITS_OWN_WORD = "as the object says"
"""Of an upload the bucket knows the time alone. Whoever puts an object says who that is; the access log knows it."""


def published_entry(policy_id: str, version: int, at: datetime, by: str) -> AuditEntry:
    """The publication of a policy's version."""
    said = (by, BY_ITS_OWN_WORD) if by else (UPLOADER_UNKNOWN, "")
    return AuditEntry(at, said[0], "published", About.POLICY, f"{policy_id} {version}", str(version), said[1])


def uploaded_entry(pinned: "PinnedList", at: datetime, by: str) -> AuditEntry:
    """The upload of the version of a list that a campaign pinned."""
    said = (by, BY_ITS_OWN_WORD) if by else (UPLOADER_UNKNOWN, "")
    return AuditEntry(at, said[0], "uploaded", About.LIST, pinned.key, pinned.version_id, said[1])
