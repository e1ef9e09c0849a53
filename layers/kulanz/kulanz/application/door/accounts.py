"""Answers about one account: did it get a credit, and why that much?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from kulanz.application.delivery.world import Booked
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.taken_back import TakenBackAnswer, taken_back, taken_back_step
from kulanz.application.ledger.answer import (
    SEARCHED_BYTES_MOST,
    Answer,
    AnsweredDecision,
    AnswerPorts,
    Explained,
    answer,
)
from kulanz.application.ledger.found_overpaid import OverpaidPorts, found_overpaid
from kulanz.application.ledger.held_since import held_since
from kulanz.application.ledger.standing import Standing, is_granted, offer_has_ended, offer_is_open, standings
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, Pass
from kulanz.domain.campaigns.limits import lines_of
from kulanz.domain.campaigns.reconciliation import RowResult, worth_of
from kulanz.domain.decision import Benefit, Outcome
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import state_of
from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.moved import owed
from kulanz.domain.delivery.reversal import ReversalState
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.ledger.entries import Entry, granted_benefits, is_offer, is_taken, is_voided
from kulanz.domain.ledger.hand_decision import HandDecision
from kulanz.domain.money import Size, format_minor, minor_units
from kulanz.domain.notices import notice_id
from kulanz.domain.time import format_instant

ANSWER_VERSION = 1


class DecidedBy(TypedDict):
    """Which policy decided; `hash` is that of its frozen form."""

    id: str
    version: int
    hash: str


class OverpaidAnswer(TypedDict):
    """How much was given too much, by measure, money in minor units, and the campaign that found it. `sums` is None
    where the list of that campaign is too long to be searched, or gone.
    """

    campaign: str
    sums: Mapping[str, str] | None


class StandingAnswer(TypedDict):
    """How a subject stands with an incident now. Sums are exact texts by measure, money in minor units.

    `granted_by` and `offered_by` name the campaigns whose decisions are granted, or can be accepted, now. `overpaid` is
    what the latest campaign found to be more than is owed, as far as it was not taken back; None where nothing is.
    """

    incident_id: str
    title: str | None
    began: str | None
    withdrawn: bool
    subject: str
    state: str
    granted: Mapping[str, str]
    expired: Mapping[str, str]
    usable_until: str | None
    granted_by: list[str]
    offered_by: list[str]
    overpaid: OverpaidAnswer | None


class OfferAnswer(TypedDict):
    """What is known of a decision that offers something, or leaves something to claim.

    `open`: it can be accepted now. `ended`: a later campaign replaces it, or its campaign was stopped. `late`: its time
    is over.
    """

    open: bool
    accepted: bool
    accepted_at: str | None
    ended: bool
    late: bool
    replaced: bool


class BillPart(TypedDict):
    """How much of a credit is on a bill, and which."""

    bill: str
    billed_on: str | None
    amount: str


class RejectedReversal(TypedDict):
    """What a void asked the biller to take back and the biller did not: how much, and the biller's code."""

    amount: str
    code: str


class CreditAnswer(TypedDict):
    """Where a credit of a decision stands on its way to the bill. `delivery` is where it was delivered last, and
    `sent_at` when that was released; None where it was not.

    `amount` is what was granted, and `voided` how much of that was taken back. `asked_back` is how much the biller is
    asked for, and has not answered. `code` is why the biller rejected it; `reversals_rejected` is what the biller was
    asked for and did not take back, the first one first.
    `due` is the first instant at which it is late; None where there is none.
    """

    credit_id: str
    amount: str
    voided: str
    asked_back: str
    measure: str
    state: str
    delivery: str
    sent_at: str | None
    due: str | None
    due_by: str
    late: bool
    bills: list[BillPart]
    code: str
    reversals_rejected: list[RejectedReversal]


class ByHandAnswer(TypedDict):
    """What a person decided of a case. To the customer the person is a role; the audit log has who.

    `kind` is why it waited: held, referred, conflict or rejected. `decision` is a body of a decision, `persons` how
    many decided, `facts` what was supplied. The note is not for the customer.
    """

    at: str
    kind: NotRequired[str]
    way: str
    reason: str
    title: str
    role: str
    persons: int
    facts: Mapping[str, str]
    note: str
    decision: Mapping[str, Any]


class DecisionAnswer(TypedDict):
    """A decision as it is stored, and its explanation. `decision` and `recomputed` are bodies of decisions.

    `because` is what the policy lets support tell the customer of the clause that decided.
    """

    campaign: str
    campaign_state: NotRequired[str]
    decided_at: NotRequired[str]
    subject: str
    effective_at: str
    expires_at: str | None
    expired: bool
    superseded: bool
    status: str
    decision: Mapping[str, Any]
    remaining: list[str | None]
    offer: OfferAnswer | None
    steps: list[str]
    explained: str
    row_offset: int
    policy: NotRequired[DecidedBy]
    engine: NotRequired[str]
    recomputed: NotRequired[Mapping[str, Any]]
    because: NotRequired[str]
    notice_id: NotRequired[str]
    credits: NotRequired[list[CreditAnswer]]
    taken_back: NotRequired[list[TakenBackAnswer]]
    by_hand: NotRequired[ByHandAnswer]


class LookedIn(TypedDict):
    """A campaign of the incident that was asked about, and what it says about an account without a decision.

    `finished`: its whole list was decided. `may_have_expired`: its decisions may have been deleted by now. `searched`:
    its list was searched for the id as a `subject`, the column that names what it decides about; None where it decides
    accounts. `rejected` is how many rows of its list were not decided, `rejected_rows` where the bucket has them.
    """

    campaign: str
    state: str
    finished: bool
    may_have_expired: bool
    subject: str | None
    searched: bool
    rejected: int
    rejected_rows: str


class IncidentNamed(TypedDict):
    """An incident by its latest revision."""

    incident_id: str
    title: str
    began: str
    withdrawn: bool


class Withheld(TypedDict):
    """Decisions that are not shown, because the id changed hands after them: how many, and when that was."""

    before: str
    decisions: int


class AskAnswer(TypedDict):
    """Everything that was decided about an account. `final`: no campaign of the incident is at work any more.
    `explained_by` is the engine that worked out the steps; each decision names the one that decided.

    `found_as` is what was asked for where that is a line, service or premises of the account. `listed_nowhere`: no list
    of the incident has a good row of the account. `withheld` is what is older than the instant since which a list says
    that the id is another account's; None where nothing is. The auditor's question shows it.
    """

    v: int
    account_id: str
    asked_at: str
    explained_by: str
    final: bool
    found_as: str | None
    standings: list[StandingAnswer]
    decisions: list[DecisionAnswer]
    campaigns: list[LookedIn]
    incidents: list[IncidentNamed]
    listed_nowhere: bool
    withheld: Withheld | None


def ask(asked: Asked, door: Door) -> AskAnswer:
    """What one account got and why, for all incidents or one; nothing that was decided before the id changed hands."""
    found = _found(asked, door)
    since = held_since(door.ledger.of_account(found.account_id), door.ledger)
    shown = [one for one in found.decisions if since is None or one.entry.effective_at >= since]
    if since is None or len(shown) == len(found.decisions):
        return _content(found, asked, door)
    named = {one.entry.key.incident_id for one in shown} | {asked.query.get("incident")}
    incidents = {name: one for name, one in found.incidents.items() if name in named}
    content = _content(replace(found, decisions=tuple(shown), incidents=incidents), asked, door)
    content["withheld"] = {"before": format_instant(since), "decisions": len(found.decisions) - len(shown)}
    content["listed_nowhere"] = False
    return content


def ask_past(asked: Asked, door: Door) -> AskAnswer:
    """The same with all that was ever decided under the id, also about whoever had it before."""
    return _content(_found(asked, door), asked, door)


def _found(asked: Asked, door: Door) -> Answer:
    ports = AnswerPorts(door.campaigns, door.lists, door.ledger)
    return answer(asked.of["account"], asked.query.get("incident"), ports, asked.now, asked.query.get("subject"))


def _content(found: Answer, asked: Asked, door: Door) -> AskAnswer:
    content = ask_answer(found)
    too_much = OverpaidPorts(door.campaigns, door.lists, door.archive)
    for stands, one_shown in zip(standings(found.decisions), content["standings"], strict=True):
        one_shown["overpaid"] = _overpaid([one.entry for one in stands.decisions], too_much)
    keys = [decided.entry.key for decided in found.decisions if decided.entry.status is Outcome.GRANTED]
    booked = door.credits.booked(keys) if keys else {}
    for decided, shown in zip(found.decisions, content["decisions"], strict=True):
        one = booked.get(decided.entry.key)
        if one is not None and one.entries:
            granted = granted_benefits(one.entry)
            shown["credits"] = [_credit(one, place, benefit, asked, door) for place, benefit in enumerate(granted)]
            if found_back := list(taken_back(one, door.voids)):
                shown["taken_back"] = found_back
                shown["steps"] += map(taken_back_step, found_back)
    return content


def _credit(booked: Booked, place: int, benefit: Benefit, asked: Asked, door: Door) -> CreditAnswer:
    """Where the credit of a benefit stands."""
    measure, size = worth_of(benefit)
    stands = standing(booked.entries, place, size)
    delivery = door.deliveries.delivery(DeliveryId.parse(stands.delivery)) if stands.delivery else None
    sent_at = None if delivery is None else delivery.sent_at
    bills = [
        one
        for one in booked.entries
        if place in one.benefits and one.kind is EntryKind.APPLIED and one.attempt == stands.attempt
    ]
    has_ended = not owed(stands.shares(size))
    return {
        "credit_id": credit_id(booked.entry.key, place, stands.attempt),
        "amount": _size_text(benefit, size),
        "voided": _size_text(benefit, stands.shares(size).get(CreditState.VOIDED, 0)),
        "asked_back": _size_text(benefit, stands.asked_back),
        "measure": measure,
        "state": state_of(stands, delivery).value,
        "delivery": stands.delivery,
        "sent_at": None if sent_at is None else format_instant(sent_at),
        "due": None if stands.due is None else format_instant(stands.due),
        "due_by": "" if stands.due_by is None else stands.due_by.value,
        "late": stands.due is not None and asked.now >= stands.due and not has_ended,
        "bills": [
            {
                "bill": one.bill,
                "billed_on": None if one.day is None else one.day.isoformat(),
                "amount": _size_text(benefit, one.amount or 0),
            }
            for one in bills
            if stands.applied
        ],
        "code": stands.code,
        "reversals_rejected": [
            {"amount": _size_text(benefit, one.size), "code": one.code}
            for one in stands.reversals
            if one.state is ReversalState.REJECTED
        ],
    }


def _overpaid(entries: Sequence[Entry], ports: OverpaidPorts) -> OverpaidAnswer | None:
    found = found_overpaid(entries, ports)
    if found is None:
        return None
    sums = None if found.sums is None else {measure: str(size) for measure, size in found.sums}
    return {"campaign": str(found.campaign), "sums": sums}


def _size_text(benefit: Benefit, size: Size) -> str:
    if benefit.money is None:
        return f"{Decimal(size):f}"
    return format_minor(int(size), minor_units(benefit.money.currency))


def ask_answer(found: Answer) -> AskAnswer:
    """The answer as JSON-able content."""
    stands = list(standings(found.decisions))
    superseded = {id(one) for standing in stands for one in standing.decisions if standing.is_superseded(one)}
    return {
        "v": ANSWER_VERSION,
        "account_id": found.account_id,
        "asked_at": format_instant(found.asked_at),
        "explained_by": ENGINE_VERSION,
        "final": found.is_final(),
        "found_as": found.found_as or None,
        "standings": [_standing(standing, found) for standing in stands],
        "decisions": [_decision(decided, is_superseded=id(decided) in superseded) for decided in found.decisions],
        "campaigns": [_looked_in(campaign, found) for campaign in found.campaigns],
        "incidents": [
            {
                "incident_id": name,
                "title": one.title,
                "began": format_instant(one.began),
                "withdrawn": one.is_withdrawn,
            }
            for name, one in found.incidents.items()
        ],
        "listed_nowhere": found.is_final() and found.is_listed_nowhere(),
        "withheld": None,
    }


def _standing(standing: Standing, found: Answer) -> StandingAnswer:
    incident = found.incidents.get(standing.incident_id)
    return {
        "incident_id": standing.incident_id,
        "title": None if incident is None else incident.title,
        "began": None if incident is None else format_instant(incident.began),
        "withdrawn": incident is not None and incident.is_withdrawn,
        "subject": standing.subject,
        "state": standing.state.value,
        "granted": {measure: str(size) for measure, size in sorted(standing.granted.items())},
        "expired": {measure: str(size) for measure, size in sorted(standing.expired.items())},
        "usable_until": None if standing.usable_until is None else format_instant(standing.usable_until),
        "granted_by": [
            str(one.entry.key.campaign) for one in standing.decisions if is_granted(one) and not is_voided(one.entry)
        ],
        "offered_by": [str(one.entry.key.campaign) for one in standing.offered],
        "overpaid": None,
    }


def _decision(decided: AnsweredDecision, *, is_superseded: bool) -> DecisionAnswer:
    entry, decision, campaign = decided.entry, decided.decision, decided.campaign
    content: DecisionAnswer = {
        "campaign": str(entry.key.campaign),
        "subject": entry.key.subject,
        "effective_at": format_instant(entry.effective_at),
        "expires_at": None if entry.expires_at is None else format_instant(entry.expires_at),
        "expired": decided.expired,
        "superseded": is_superseded,
        "status": entry.status.value,
        "decision": decision.to_body(),
        "remaining": [None if left is None else str(left) for left in entry.remaining],
        "offer": _offer(decided) if is_offer(entry) else None,
        "steps": list(decided.steps),
        "explained": decided.explained.value,
        "row_offset": entry.origin,
    }
    if campaign is not None:
        content["campaign_state"] = campaign.state.value
        content["decided_at"] = format_instant(campaign.decided_at)
        content["policy"] = {
            "id": campaign.policy_id, "version": campaign.policy_version, "hash": campaign.policy_hash,
        }  # fmt: skip
        content["engine"] = campaign.engine
    if decided.recomputed is not None and decided.explained is Explained.DIFFERS:
        content["recomputed"] = decided.recomputed.to_body()
    if decided.because:
        content["because"] = decided.because
    if entry.by_hand is not None:
        kind = decision.outcome.value if entry.by_hand.row is None else entry.by_hand.row.kind.value
        content["by_hand"] = {**by_hand_answer(entry.by_hand), "kind": kind}
    if decision.notice is not None:
        content["notice_id"] = notice_id(entry.key, decision.notice.kind)
    return content


def by_hand_answer(hand: HandDecision) -> ByHandAnswer:
    """A decision by hand, without who decided it."""
    return {
        "at": format_instant(hand.at),
        "way": hand.way.value,
        "reason": hand.reason,
        "title": hand.title,
        "role": "support",
        "persons": hand.persons,
        "facts": dict(hand.facts),
        "note": hand.note,
        "decision": hand.decision.to_body(),
    }


def _offer(decided: AnsweredDecision) -> OfferAnswer:
    accepted_at = decided.entry.accepted_at
    return {
        "open": offer_is_open(decided),
        "accepted": is_taken(decided.entry),
        "accepted_at": None if accepted_at is None else format_instant(accepted_at),
        "ended": offer_has_ended(decided),
        "late": decided.is_late,
        "replaced": decided.has_ended,
    }


def _looked_in(campaign: Campaign, found: Answer) -> LookedIn:
    return {
        "campaign": str(campaign.id),
        "state": campaign.state.value,
        "finished": campaign.is_finished(Pass.APPLY),
        "may_have_expired": found.asked_at >= campaign.decidable_until,
        "subject": campaign.subject or None,
        "searched": bool(campaign.subject) and campaign.pinned.size <= SEARCHED_BYTES_MOST,
        "rejected": _rejected(campaign),
        "rejected_rows": f"s3://{campaign.pinned.bucket}/{campaign.id.folder}/problems/",
    }


def _rejected(campaign: Campaign) -> int:
    """How many rows were rejected so far, by whichever pass has gone further."""
    return max(lines_of(totals, RowResult.REJECTED) for totals in (campaign.plan.totals, campaign.apply.totals))
