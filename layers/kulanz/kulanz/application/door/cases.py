"""Cases through the API: what waits for a person, and what the policy would owe with a fact known."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, Self, TypedDict

from pydantic import Field, model_validator

from kulanz.application.cases.case import Case, CasePorts, CaseRefused, Owed, campaign_closed_because, find_case
from kulanz.application.cases.decide import (
    DecidePorts,
    HandOutcome,
    HandRequest,
    agree_to_case,
    decide_case,
    no_amount,
    reject_case,
)
from kulanz.application.cases.store import WAITS
from kulanz.application.cases.waiting import Place, WaitingCase, counted, waiting_in
from kulanz.application.door.accounts import ByHandAnswer, by_hand_answer
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Words, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.parameters import FACTS_CHARACTERS, FACTS_MOST, read_facts
from kulanz.application.door.problems import FieldProblem, Kind, Problem, unknown
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.byhand.discretion import CODE_CHARACTERS
from kulanz.domain.campaigns.campaign import Campaign, Pass
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS, WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind, Way
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.people.yes import yes_of
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
    """How much of a campaign waits, by kind: as its receipts counted it, less what was decided by hand since.

    `decided` is how many were, by outcome, and `granted` what that came to, as exact texts by measure. `later` are
    campaigns of the incident that set this one off, by number: they may have decided all of it.
    """

    campaign: str
    decided_at: str
    decidable_until: str
    waiting: Mapping[str, int]
    decided: Mapping[str, int]
    granted: Mapping[str, str]
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
    by_hand = door.cases.decided(campaign.id)
    left = counted(campaign.apply.totals)
    left.subtract(by_hand.by_kind())
    waiting = {kind.value: lines for kind, lines in sorted(left.items()) if lines > 0}
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
        "decided": {became.value: number for became, number in by_hand.by_outcome().items()},
        "granted": {measure: str(size) for measure, size in sorted(by_hand.granted.items())},
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
    return CasePorts(door.campaigns, door.lists, door.ledger, door.cases)


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

    `kind` is why it waits. `row_offset` is the row that is in question, and `row` what stands in it, by column: of a
    conflict the row that contradicts the decided one, of a rejected row that row, with `field` and `expected` of what
    is wrong with it. `stands` is the decision that stands where another row made it. `only_decline` is why nothing can
    be granted by this case, and `no_amount` why no amount can be stated.

    `would_owe` tries the values of the missing fact where there are few, or has the facts that were asked about.
    `earlier` is what earlier campaigns of the incident granted, net of voids, as exact texts by measure.
    """

    v: int
    account_id: str
    campaign: str
    subject: str
    kind: str
    status: str
    reason: str
    since: str
    row_offset: int
    row: Mapping[str, str]
    field: str
    expected: str
    stands: Mapping[str, Any] | None
    only_decline: Closed | None
    no_amount: Closed | None
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
    row = int(asked.query["row"]) if "row" in asked.query else None
    case = case_of(asked, door, asked.query.get("subject", WHOLE_ACCOUNT), row)
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
        "kind": case.kind.value,
        "status": case.entry.status.value,
        "reason": case.reason,
        "row_offset": case.entry.origin if case.of is None else case.of.offset,
        "row": dict(case.said),
        "field": "" if case.problem is None else case.problem.field,
        "expected": "" if case.problem is None else case.problem.expected,
        "stands": case.decision.to_body() if case.kind is CaseKind.CONFLICT else None,
        "only_decline": _closed(case.ungrantable),
        "no_amount": _closed(no_amount(case)),
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


def case_of(asked: Asked, door: Door, subject: str, row: int | None = None) -> Case:
    """The case that a path, a subject and a row name. Raises Problem where there is none."""
    try:
        return find_case(_key(asked, subject), _ports(door), asked.now, row)
    except CaseRefused as refusal:
        raise (refused(refusal) if refusal.field else unknown(str(refusal))) from None


def refused(refusal: CaseRefused) -> Problem:
    """A refusal as a problem."""
    errors: list[FieldProblem] = [{"field": refusal.field, "expected": str(refusal)}] if refusal.field else []
    return Problem(Kind.REFUSED, str(refusal), reason=refusal.reason, errors=errors)


def _owed(owed: Owed) -> OwedAnswer:
    decision = None if owed.decision is None else owed.decision.to_body()
    return {"facts": dict(owed.facts), "decision": decision, "steps": list(owed.steps)}


NOTE_CHARACTERS = 500
_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_LENGTH_CHARACTERS)]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Code = Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS, pattern=r"^[a-z][a-z0-9_]*$")]
_Note = Annotated[str, Field(max_length=NOTE_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Text = Annotated[str, Field(min_length=1, max_length=FACTS_CHARACTERS)]


class DecideBody(Body):
    """How a case is decided. `seen` is the case as it was looked at; `reason` is a code of the discretion file.

    By the `policy`, with `facts` that the list leaves open; by an `amount` such as 5.00 of a `measure` such as EUR,
    beside what earlier campaigns granted; or `decline`. The note is kept with the decision; it is not for the customer.
    `row` is where a row starts that contradicts the decided one, or that cannot be read and is this account's.
    """

    way: Literal["policy", "amount", "decline"]
    seen: _Hash
    reason: _Code
    note: _Note = ""
    subject: _Id = WHOLE_ACCOUNT
    facts: Annotated[dict[_Id, _Text], Field(max_length=FACTS_MOST)] = Field(default_factory=dict)
    amount: Annotated[str, Field(max_length=40)] = ""
    measure: Annotated[str, Field(max_length=60)] = ""
    row: Annotated[int | None, Field(ge=0, lt=10**15)] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        is_amount = self.way == "amount"
        if is_amount != bool(self.amount and self.measure) or (self.facts and self.way != "policy"):
            raise ValueError("expected amount and measure with way amount alone, and facts with way policy alone")
        return self


class SecondBody(Body):
    """A second person's yes or no to the decision whose hash is named. To reject needs a reason."""

    action: Literal["agree", "reject"]
    hash: _Hash
    subject: _Id = WHOLE_ACCOUNT
    reason: Words = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.action == "reject" and not self.reason.strip():
            raise ValueError("expected a reason, in one line, where it is rejected")
        return self


class HandAnswer(TypedDict):
    """What a decision by hand came to: `decided`, `waits` for a second person, or `rejected`.

    `hash` is what the second person names; None where nobody has to. `by_hand` says what is, or would be, decided.
    """

    v: int
    account_id: str
    campaign: str
    subject: str
    state: str
    hash: str | None
    by_hand: ByHandAnswer | None


def decide(asked: Asked, door: Door) -> HandAnswer:
    """Decide a case, or let the decision wait for a second person. Deciding twice changes nothing."""
    body = read_body(DecideBody, asked.body)
    request = HandRequest(
        asked.of["id"], Way(body.way), body.seen, body.reason, body.note, body.facts, body.amount, body.measure,
        body.row,
    )  # fmt: skip
    key = _key(asked, body.subject)
    try:
        came = decide_case(key, request, asked.acting, _decide_ports(door), asked.now)
    except CaseRefused as refusal:
        raise refused(refusal) from None
    return _came_to(key, came)


def second(asked: Asked, door: Door) -> HandAnswer:
    """Agree to what waits for a second person, or reject it."""
    body = read_body(SecondBody, asked.body)
    key, ports, action_id = _key(asked, body.subject), _decide_ports(door), asked.of["id"]
    try:
        if body.action == "agree":
            return _came_to(key, agree_to_case(key, body.hash, action_id, asked.acting, ports, asked.now))
        reject_case(key, body.hash, body.reason, action_id, asked.acting, ports, asked.now)
    except CaseRefused as refusal:
        raise refused(refusal) from None
    return _answer(key, "rejected", None, None)


def _key(asked: Asked, subject: str) -> DecisionKey:
    campaign = asked.campaign_id
    return DecisionKey(asked.of["account"], campaign.incident_id, subject, campaign.seq)


def _decide_ports(door: Door) -> DecidePorts:
    return DecidePorts(_ports(door), door.cases, door.discretion.current(), door.people.current(), door.gate)


def _came_to(key: DecisionKey, came: HandOutcome) -> HandAnswer:
    if came.proposal is not None:
        return _answer(key, "waits", came.proposal.hash, by_hand_answer(came.proposal.hand))
    hand = None if came.entry is None else came.entry.by_hand
    return _answer(key, "decided", None, None if hand is None else by_hand_answer(hand))


def _answer(key: DecisionKey, state: str, hash_: str | None, hand: ByHandAnswer | None) -> HandAnswer:
    return {
        "v": CASES_VERSION,
        "account_id": key.account_id,
        "campaign": str(key.campaign),
        "subject": key.subject,
        "state": state,
        "hash": hash_,
        "by_hand": hand,
    }


class ProposedItem(TypedDict):
    """A decision that waits for a second person: who asked, until when it waits, and what would be decided.

    `your_yes` is `counts`, or why the yes of whoever asks would not: `machine`, `unlisted` (in the people file) or
    `asked` (first).
    """

    account_id: str
    campaign: str
    subject: str
    hash: str
    person: str
    waits_until: str
    by_hand: ByHandAnswer
    your_yes: str


class ProposedAnswer(TypedDict):
    """Decisions that wait for a second person; `next` is where more may be."""

    v: int
    proposed: list[ProposedItem]
    next: str | None


def proposed(asked: Asked, door: Door) -> ProposedAnswer:
    """Decisions above what one person may decide: they wait for a second one."""
    after = read_cursor(asked.question, asked.query.get("cursor"))
    found, rest = door.cases.proposals(after, CASES_PER_ANSWER)
    people = door.people.current() if found else NOBODY_LISTED
    return {
        "v": CASES_VERSION,
        "proposed": [
            {
                "account_id": one.key.account_id,
                "campaign": str(one.key.campaign),
                "subject": one.key.subject,
                "hash": one.hash,
                "person": one.hand.person,
                "waits_until": format_instant(one.hand.at + WAITS),
                "by_hand": by_hand_answer(one.hand),
                "your_yes": yes_of(asked.acting, one.hand.person, (), people, asked.now).value,
            }
            for one in found
            if not one.is_over(asked.now)
        ],
        "next": make_cursor(asked.question, rest) if rest else None,
    }
