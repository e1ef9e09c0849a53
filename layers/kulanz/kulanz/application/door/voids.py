"""Voids through the API: asked for by requesters, approved or rejected by approvers, read by everybody who reads."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from kulanz.application.delivery.ask_void import (
    VoidPorts,
    VoidRefused,
    approve_void,
    ask_void,
    inline_file,
    persons_needed,
    reject_void,
    settle_void,
)
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, Words, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.problems import FieldProblem, Kind, Problem, unknown
from kulanz.application.ports import ListMissing
from kulanz.domain.campaigns.campaign import Campaign, PinnedList
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import ACCOUNTS_MOST, OVER, WORKED, Void, VoidState, VoidTotals
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS, WHOLE_ACCOUNT
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.people.yes import yes_of
from kulanz.domain.time import format_instant

VOID_VERSION = 1
KEY_CHARACTERS = 1_024

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_LENGTH_CHARACTERS)]


class NamedDecision(Body):
    """A decision of the campaign: that of an account, or of a `subject` of it."""

    account_id: _Id
    subject: _Id = WHOLE_ACCOUNT


class VoidFile(Body):
    """An uploaded file of accounts, by its key and its version."""

    key: Annotated[str, Field(min_length=1, max_length=KEY_CHARACTERS, pattern=r"^lists/[A-Za-z0-9._/-]+$")]
    version_id: Annotated[str, Field(min_length=1, max_length=KEY_CHARACTERS)]


class VoidBody(Body):
    """Why, and what: the decisions of `accounts`, those of a `file`, or, without either, all of the campaign.

    `overpaid`: what the campaign found that earlier ones of the incident gave more than is owed; of their decisions.
    `at_biller`: the biller is asked for what was delivered, too. That is void once the biller has booked it.
    """

    reason: Reason
    accounts: Annotated[list[NamedDecision], Field(max_length=ACCOUNTS_MOST)] = Field(default_factory=list)
    file: VoidFile | None = None
    overpaid: bool = False
    at_biller: bool = False


class VoidApprovalBody(Body):
    """What is done with the plan of the void whose hash is named, whole or as it is shown.

    To reject needs a reason, and so does `settle`, which ends a flagged void as it stands.
    """

    action: Literal["approve", "reject", "settle"]
    plan_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]
    reason: Words = ""


class ShareItem(TypedDict):
    """A part of what was granted, as an exact text; money in minor units. `share` says where it is."""

    share: str
    measure: str
    sum: str


class AskedItem(TypedDict):
    """How many credits a channel is asked for, and how much of them as an exact text; money in minor units."""

    channel: str
    measure: str
    credits: int
    sum: str


class VoidFigures(TypedDict):
    """What a pass came to: lines, those that name no decision, decisions with something to void, and the sums.

    `asked` is what is asked back, by channel: none of it is void before the biller has answered. `notices` is of how
    many of the decisions customers are told; where the biller is asked, once it has booked.
    """

    lines: int
    unmatched: int
    decisions: int
    sums: list[ShareItem]
    asked: list[AskedItem]
    notices: int


class ApprovalItem(TypedDict):
    """A person's approval."""

    person: str
    at: str


class VoidItem(TypedDict):
    """A void as it stands. `about` is `campaign`, `file` or `overpaid`. `plan_hash` is there once the plan is complete.
    `ends` is what it takes back of a flagged campaign that ends with it: `unused` or `unassigned`; None of any other.
    `at_biller`: the biller is asked for what it has.

    `plan` is what would be voided; `done` is what was, so far. `bytes_done` counts the pass that is at work.
    """

    void: str
    campaign: str
    state: str
    reason: str
    why: str
    about: str
    at_biller: bool
    ends: str | None
    requested_by: str
    opened_at: str
    started_at: str | None
    plan_hash: str | None
    persons_needed: int
    approvals: list[ApprovalItem]
    plan: VoidFigures
    done: VoidFigures
    bytes_done: int
    bytes_in_all: int


class VoidAnswer(VoidItem):
    """One void. `your_yes` is `counts`, or why the yes of whoever asks would not: `machine`, `unlisted` (in the people
    file), `asked` (for the void) or `agreed` (already).
    """

    v: int
    your_yes: str


class VoidsAnswer(TypedDict):
    """The voids of a campaign, by their ids."""

    v: int
    campaign: str
    voids: list[VoidItem]


class OpenVoidsAnswer(TypedDict):
    """Voids that are not over: planned, waiting for an approval, under way, or flagged. First the oldest."""

    v: int
    voids: list[VoidItem]


def waiting(asked: Asked, door: Door) -> OpenVoidsAnswer:  # noqa: ARG001 (every question is asked alike)
    """The voids of all campaigns with which somebody still has something to do."""
    found = (door.voids.void(one) for one in door.voids.open_voids())
    opened = sorted((one for one in found if one is not None and one.state not in OVER), key=lambda one: one.opened_at)
    of = ((one, door.campaigns.campaign(one.id.campaign)) for one in opened)
    return {
        "v": VOID_VERSION,
        "voids": [_item(void, campaign, door) for void, campaign in of if campaign is not None],
    }


def of_campaign(asked: Asked, door: Door) -> VoidsAnswer:
    """The voids of a campaign."""
    campaign = existing(asked, door)
    found = [_item(one, campaign, door) for one in door.voids.of_campaign(campaign.id)]
    return {"v": VOID_VERSION, "campaign": str(campaign.id), "voids": found}


def one(asked: Asked, door: Door) -> VoidAnswer:
    """A void as it stands."""
    campaign = existing(asked, door)
    found = door.voids.void(VoidId(campaign.id, asked.of["void"]))
    if found is None:
        raise unknown("there is no such void of this campaign")
    return _answer(found, campaign, asked, door)


def ask(asked: Asked, door: Door) -> VoidAnswer:
    """Ask for a void. Its plan is made, and waits for its approval."""
    body = read_body(VoidBody, asked.body)
    errors: list[FieldProblem]
    if body.accounts and body.file is not None:
        errors = [{"field": "file", "expected": "accounts or a file, not both"}]
        raise Problem(Kind.BODY, "state accounts or a file, not both", errors=errors)
    if body.overpaid and (body.accounts or body.file is not None):
        errors = [{"field": "overpaid", "expected": "no accounts and no file: it is about all that was overpaid"}]
        raise Problem(Kind.BODY, "state what was overpaid without accounts or a file", errors=errors)
    campaign = existing(asked, door)
    void_id, ports = VoidId(campaign.id, asked.of["id"]), void_ports(door)
    try:
        file = _file(body, void_id, ports, door)
        void = ask_void(
            void_id,
            file,
            body.reason,
            asked.acting,
            ports,
            asked.now,
            is_of_overpaid=body.overpaid,
            asks_biller=body.at_biller,
        )
    except VoidRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return _answer(void, campaign, asked, door)


def _file(body: VoidBody, void_id: VoidId, ports: VoidPorts, door: Door) -> PinnedList | None:
    if body.accounts:
        return inline_file(void_id, [(one.account_id, one.subject) for one in body.accounts], ports)
    if body.file is None:
        return None
    try:
        return door.lists.pin(door.settings.list_bucket, body.file.key, body.file.version_id)
    except ListMissing:
        raise VoidRefused("list_missing", "no such file, or no such version of it; upload it again") from None
    except ListRefused as refusal:
        raise VoidRefused(refusal.reason, str(refusal)) from None


def decide(asked: Asked, door: Door) -> VoidAnswer:
    """Approve the plan of a void, or reject it, or settle a flagged void."""
    body = read_body(VoidApprovalBody, asked.body)
    if body.action != "approve" and not body.reason.strip():
        errors: list[FieldProblem] = [{"field": "reason", "expected": "why, in one line"}]
        raise Problem(Kind.BODY, "correct the fields that are named, and send it again", errors=errors)
    campaign = existing(asked, door)
    void_id, ports = VoidId(campaign.id, asked.of["void"]), void_ports(door)
    try:
        if body.action == "approve":
            void = approve_void(void_id, body.plan_hash, asked.of["id"], asked.acting, ports, asked.now)
        elif body.action == "settle":
            void = settle_void(void_id, body.plan_hash, body.reason, asked.acting, ports)
        else:
            void = reject_void(void_id, body.plan_hash, body.reason, asked.acting, ports)
    except VoidRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return _answer(void, campaign, asked, door)


def void_ports(door: Door) -> VoidPorts:
    """The world behind the API as voids touch it."""
    return VoidPorts(door.campaigns, door.deliveries, door.voids, door.lists, door.gate, door.people.current())


def _answer(void: Void, campaign: Campaign, asked: Asked, door: Door) -> VoidAnswer:
    asked_by, agreed = "" if door.gate.lone_operator else void.requester, [one.person for one in void.approvals]
    yes = yes_of(asked.acting, asked_by, agreed, door.people.current(), asked.now)
    return {"v": VOID_VERSION, **_item(void, campaign, door), "your_yes": yes.value}


def _item(void: Void, campaign: Campaign, door: Door) -> VoidItem:
    work = WORKED.get(void.state)
    return {
        "void": void.id.name,
        "campaign": str(void.id.campaign),
        "state": void.state.value,
        "reason": void.state_reason,
        "why": void.reason,
        "about": "overpaid" if void.is_of_overpaid else "campaign" if void.pinned is None else "file",
        "at_biller": void.asks_biller,
        "ends": None if void.ends is None else void.ends.value,
        "requested_by": void.requested_by,
        "opened_at": format_instant(void.opened_at),
        "started_at": None if void.started_at is None else format_instant(void.started_at),
        "plan_hash": None if void.state is VoidState.PLANNING else void.plan_hash,
        "persons_needed": persons_needed(void, door.gate),
        "approvals": [{"person": one.person, "at": format_instant(one.at)} for one in void.approvals],
        "plan": _figures(void.plan.totals),
        "done": _figures(void.apply.totals),
        "bytes_done": 0 if work is None else void.progress(work).bytes_done,
        "bytes_in_all": void.chunks(campaign).total_bytes,
    }


def _figures(totals: VoidTotals) -> VoidFigures:
    return {
        "lines": totals.lines,
        "unmatched": totals.unmatched,
        "decisions": totals.decisions,
        "sums": [
            {"share": share.value, "measure": measure, "sum": str(size)}
            for (share, measure), size in sorted(totals.sums.items())
        ],
        "asked": [
            {"channel": channel, "measure": measure, "credits": number, "sum": str(size)}
            for (channel, measure), (number, size) in sorted(totals.asked.items())
        ],
        "notices": totals.notices,
    }
