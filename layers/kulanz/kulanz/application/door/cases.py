"""Cases through the API: what waits for a person, and what the policy would owe with a fact known."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from kulanz.application.cases.case import Case, CasePorts, CaseRefused, Owed, campaign_closed_because, find_case
from kulanz.application.cases.waiting import CaseKind, Place, WaitingCase, counted, waiting_in
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.campaigns import existing
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import FieldProblem, Kind, Problem, unknown
from kulanz.application.door.routes import read_facts
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign, Pass
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.time import format_instant

CASES_VERSION = 1
CAMPAIGNS_PER_ANSWER = 100
"""Campaigns of a month that are looked at for one answer, each with one read."""
CASES_PER_ANSWER = 100
"""An answer goes on with the next hundred lines until it has as many."""


class Closed(TypedDict):
    """Why nobody can decide it now: a stable code, and a sentence that says what to do."""

    reason: str
    says: str


class CampaignCases(TypedDict):
    """How much of a campaign waits, by kind, as its receipts counted it: at most, less what was decided since.

    `later` are campaigns of the incident that set this one off, by number: they may have decided all of it.
    """

    campaign: str
    decided_at: str
    decidable_until: str
    waiting: Mapping[str, int]
    later: list[int]
    closed: Closed | None


class MonthAnswer(TypedDict):
    """The campaigns of a month with something that waits, by their deadline. `next` is where more may be."""

    v: int
    month: str
    campaigns: list[CampaignCases]
    next: str | None


def of_month(asked: Asked, door: Door) -> MonthAnswer:
    """The campaigns that were opened in a month and wait for persons; those with the earliest deadline first."""
    after = read_cursor(asked.question, asked.query.get("cursor"))
    page = door.index.campaigns_in(asked.of["month"], after, CAMPAIGNS_PER_ANSWER)
    found = (door.campaigns.campaign(one.id) for one in page.found)
    waiting = [cases for one in found if one is not None and (cases := _of(one, asked, door)) is not None]
    waiting.sort(key=lambda one: (one["decidable_until"], one["decided_at"], one["campaign"]))
    return {
        "v": CASES_VERSION,
        "month": asked.of["month"],
        "campaigns": waiting,
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }


def _of(campaign: Campaign, asked: Asked, door: Door) -> CampaignCases | None:
    """What of a campaign waits; None where nothing does: its list was not decided, or its incident was withdrawn."""
    if not campaign.is_finished(Pass.APPLY):
        return None
    waiting = {kind.value: lines for kind, lines in sorted(counted(campaign.apply.totals).items()) if lines}
    incident = door.campaigns.incident(campaign.id.incident_id)
    if not waiting or incident is None:
        return None
    closed = campaign_closed_because(campaign, incident, door.campaigns, asked.now)
    if closed is not None and closed[0] == "incident_withdrawn":
        return None
    return {
        "campaign": str(campaign.id),
        "decided_at": format_instant(campaign.decided_at),
        "decidable_until": format_instant(campaign.decidable_until),
        "waiting": waiting,
        "later": [seq for seq in incident.applied if seq > campaign.id.seq],
        "closed": _closed(closed),
    }


def _closed(closed: tuple[str, str] | None) -> Closed | None:
    return None if closed is None else {"reason": closed[0], "says": closed[1]}


class CaseItem(TypedDict):
    """One thing that waits. Of a rejected row the account is not known; `field` and `expected` say what is wrong."""

    kind: str
    reason: str
    row_offset: int
    account_id: NotRequired[str]
    subject: NotRequired[str]
    since: NotRequired[str]
    field: NotRequired[str]
    expected: NotRequired[str]


class CasesAnswer(TypedDict):
    """Some of what waits in a campaign, in the order of its list; `next` is the cursor of the rest.

    An answer may be empty and have a rest: it reads a bounded part of the list.
    """

    v: int
    campaign: str
    decided_at: str
    decidable_until: str
    closed: Closed | None
    cases: list[CaseItem]
    next: str | None


def of_campaign(asked: Asked, door: Door) -> CasesAnswer:
    """What of a campaign waits for a person, some at a time."""
    campaign = existing(asked, door)
    incident = door.campaigns.incident(campaign.id.incident_id)
    if incident is None:
        raise unknown("no such incident is recorded")
    kinds = frozenset({CaseKind(asked.query["kind"])} if "kind" in asked.query else CaseKind)
    after = read_cursor(asked.question, asked.query.get("cursor"))
    try:
        begin = Place.parse(after) if after else Place()
    except ValueError:
        raise Problem(Kind.CURSOR, "expected the text `next` of an earlier answer to this very question") from None
    try:
        page = waiting_in(
            campaign, incident, kinds, begin, CASES_PER_ANSWER, _ports(door), asked.now, asked.seconds_left
        )
    except (PinnedVersionGone, ListRefused):
        gone = "the pinned version of the list is gone: its cases cannot be listed any more"
        raise Problem(Kind.REFUSED, gone, reason="list_gone") from None
    return {
        "v": CASES_VERSION,
        "campaign": str(campaign.id),
        "decided_at": format_instant(campaign.decided_at),
        "decidable_until": format_instant(campaign.decidable_until),
        "closed": _closed(page.closed),
        "cases": [_item(one) for one in page.cases],
        "next": None if page.rest is None else make_cursor(asked.question, str(page.rest)),
    }


def _ports(door: Door) -> CasePorts:
    return CasePorts(door.campaigns, door.lists, door.ledger)


def _item(one: WaitingCase) -> CaseItem:
    item: CaseItem = {"kind": one.kind.value, "reason": one.reason, "row_offset": one.offset}
    if one.key is not None:
        item |= {"account_id": one.key.account_id, "subject": one.key.subject}
    if one.entry is not None:
        item["since"] = format_instant(one.entry.effective_at)
    if one.field:
        item["field"] = one.field
    if one.expected:
        item["expected"] = one.expected
    return item


class MissingFact(TypedDict):
    """A fact that the list leaves open for this row: what may be supplied. `holds`: the policy holds the row for it."""

    name: str
    type: str
    choices: list[str]
    holds: bool


class OwedAnswer(TypedDict):
    """What the policy comes to with some facts supplied, less what stands already, and the steps of its arithmetic.

    `decision` is the body of a decision, None where nothing is owed any more.
    """

    facts: Mapping[str, str]
    decision: Mapping[str, Any] | None
    steps: list[str]


class CaseAnswer(TypedDict):
    """A case. `seen` is what a decision by hand names, so that nobody decides a case that has changed since.

    `would_owe` tries the values of the missing fact where there are few, or has the facts that were asked about.
    `earlier` is what earlier campaigns of the incident granted, net of voids, as exact texts by measure.
    """

    v: int
    account_id: str
    campaign: str
    subject: str
    status: str
    reason: str
    since: str
    decidable_until: str
    closed: Closed | None
    amended: bool
    steps: list[str]
    missing: list[MissingFact]
    earlier: Mapping[str, str]
    would_owe: list[OwedAnswer]
    seen: str


def one(asked: Asked, door: Door) -> CaseAnswer:
    """A case with the policy's own steps, and what it would owe if a missing fact were known."""
    case = case_of(asked, door, asked.query.get("subject", WHOLE_ACCOUNT))
    facts = read_facts(asked.query["facts"]) if "facts" in asked.query else None
    try:
        owed = [case.owed(facts)] if facts is not None else list(case.tried())
    except CaseRefused as refusal:
        raise refused(refusal) from None
    return {
        "v": CASES_VERSION,
        "account_id": case.entry.key.account_id,
        "campaign": str(case.campaign.id),
        "subject": case.entry.key.subject,
        "status": case.entry.status.value,
        "reason": case.decision.reason,
        "since": format_instant(case.campaign.decided_at),
        "decidable_until": format_instant(case.campaign.decidable_until),
        "closed": _closed(case.closed),
        "amended": case.is_amended,
        "steps": list(case.steps),
        "missing": [
            {
                "name": fact.name,
                "type": fact.type,
                "choices": list(fact.choices),
                "holds": case.holding is not None and fact.name == case.holding.name,
            }
            for fact in case.missing
        ],
        "earlier": {} if case.before is None else case.before.texts(),
        "would_owe": [_owed(one) for one in owed],
        "seen": case.seen,
    }


def case_of(asked: Asked, door: Door, subject: str) -> Case:
    """The case that a path and a subject name. Raises Problem where there is none."""
    campaign = asked.campaign_id
    key = DecisionKey(asked.of["account"], campaign.incident_id, subject, campaign.seq)
    try:
        return find_case(key, _ports(door), asked.now)
    except CaseRefused as refusal:
        raise unknown(str(refusal)) from None


def refused(refusal: CaseRefused) -> Problem:
    """A refusal as a problem."""
    errors: list[FieldProblem] = [{"field": refusal.field, "expected": str(refusal)}] if refusal.field else []
    return Problem(Kind.REFUSED, str(refusal), reason=refusal.reason, errors=errors)


def _owed(owed: Owed) -> OwedAnswer:
    decision = None if owed.decision is None else owed.decision.to_body()
    return {"facts": dict(owed.facts), "decision": decision, "steps": list(owed.steps)}
