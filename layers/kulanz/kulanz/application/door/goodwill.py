"""Goodwill through the API: given by support within its limits, above them with a second person's approval."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from kulanz.application.byhand.give_goodwill import (
    GoodwillPorts,
    GoodwillRefused,
    approve_goodwill,
    ask_goodwill,
    reject_goodwill,
)
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Words, read_body
from kulanz.application.door.problems import FieldProblem, Kind, Problem, unknown
from kulanz.domain.byhand.discretion import CODE_CHARACTERS
from kulanz.domain.byhand.goodwill import TICKET_CHARACTERS, WAITS, Goodwill, GoodwillState
from kulanz.domain.byhand.sizes import MEASURE_EXPECTED, UNIT_CHARACTERS, is_measure, parse_size
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS
from kulanz.domain.money import AmountError
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.people.yes import yes_of
from kulanz.domain.time import format_instant

GOODWILL_VERSION = 1
AMOUNT_CHARACTERS = 24

_Id = Annotated[str, Field(max_length=IDENTIFIER_LENGTH_CHARACTERS, pattern=r"^([A-Za-z0-9][A-Za-z0-9._:~-]*)?$")]


class GoodwillBody(Body):
    """How much, and why. `amount` is a text such as "20.00", in `measure`: a currency, or a unit such as GB.

    `reason` is a code of the discretion file, which says whether it needs a `note`; the note is no customer's text.
    `incident` is what it is about, where it is about one, and `ticket` the number of a ticket. `repeat_of` is the id of
    an equal amount of the last thirty days that is repeated on purpose.
    """

    amount: Annotated[str, Field(min_length=1, max_length=AMOUNT_CHARACTERS)]
    measure: Annotated[str, Field(min_length=1, max_length=UNIT_CHARACTERS)]
    reason: Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS)]
    note: Words = ""
    incident: Annotated[
        str, Field(max_length=IDENTIFIER_LENGTH_CHARACTERS, pattern=r"^([a-z0-9][a-z0-9-]*)?$")
    ] = ""  # fmt: skip
    ticket: Annotated[str, Field(max_length=TICKET_CHARACTERS, pattern=r"^[!-~]*$")] = ""
    repeat_of: _Id = ""


class GoodwillApprovalBody(Body):
    """What a second person does with goodwill that waits. To reject it needs a reason."""

    action: Literal["approve", "reject"]
    reason: Words = ""


class GoodwillItem(TypedDict):
    """Goodwill as it stands. `state` is `waiting`, `given` or `rejected`; what has waited too long is `over`.

    `reason` is its code, `title` what the discretion file said of it. `campaign` is that of the month it was given in.
    `waits_until` is there while it waits.
    """

    id: str
    account_id: str
    amount: str
    state: str
    reason: str
    title: str
    note: str
    incident: str | None
    ticket: str | None
    repeat_of: str | None
    asked_by: str
    asked_at: str
    waits_until: str | None
    decided_by: str | None
    why: str | None
    given_at: str | None
    campaign: str | None


class GoodwillAnswer(GoodwillItem):
    """One."""

    v: int


class WaitingGoodwillItem(GoodwillItem):
    """One that waits. `your_yes` is `counts`, or why the yes of whoever asks would not: `machine`, `unlisted` (in the
    people file) or `asked` (for it).
    """

    your_yes: str


class GoodwillsAnswer(TypedDict):
    """All that waits for a second person, by its id, also what has waited too long."""

    v: int
    waiting: list[WaitingGoodwillItem]


class ReasonItem(TypedDict):
    """A reason of the discretion file: its code, what it says, and whether a note has to stand beside it."""

    code: str
    title: str
    needs_note: bool


class ReasonsAnswer(TypedDict):
    """The reasons that persons give for what they decide or give by hand; none until a discretion file is published."""

    v: int
    reasons: list[ReasonItem]


def reasons(asked: Asked, door: Door) -> ReasonsAnswer:  # noqa: ARG001 (every question is asked alike)
    """The reasons of the discretion file, in its order."""
    found = door.discretion.current().reasons.values()
    return {
        "v": GOODWILL_VERSION,
        "reasons": [{"code": one.code, "title": one.title, "needs_note": one.needs_note} for one in found],
    }


def waiting(asked: Asked, door: Door) -> GoodwillsAnswer:
    """What waits for a second person."""
    found = [one for one in map(door.goodwill.goodwill, door.goodwill.waiting()) if one is not None]
    people = door.people.current() if found else NOBODY_LISTED
    excluded = ["" if door.gate.lone_operator else one.asked_by for one in found]
    return {
        "v": GOODWILL_VERSION,
        "waiting": [
            {**_item(one, asked), "your_yes": yes_of(asked.acting, asked_by, (), people, asked.now).value}
            for one, asked_by in zip(found, excluded, strict=True)
        ],
    }


def one(asked: Asked, door: Door) -> GoodwillAnswer:
    """Goodwill by its id."""
    return _answer(_existing(asked, door), asked)


def give(asked: Asked, door: Door) -> GoodwillAnswer:
    """Give an amount, or some units, to an account. Above the limits for one person it waits for a second."""
    body = read_body(GoodwillBody, asked.body)
    if not is_measure(body.measure):
        raise _wrong("measure", MEASURE_EXPECTED)
    try:
        size = parse_size(body.amount, body.measure)
    except AmountError as error:
        raise _wrong("amount", str(error)) from None
    discretion = door.discretion.current()
    reason = discretion.reasons.get(body.reason)
    wanted = Goodwill(
        id=asked.of["goodwill"],
        account_id=asked.of["account"],
        measure=body.measure,
        size=size,
        reason=body.reason,
        title="" if reason is None else reason.title,
        asked_by=asked.caller.id,
        asked_at=asked.now,
        note=body.note,
        about=body.incident,
        ticket=body.ticket,
        repeat_of=body.repeat_of,
    )
    try:
        return _answer(ask_goodwill(wanted, asked.acting, _ports(door), asked.now), asked)
    except GoodwillRefused as refusal:
        raise _problem(refusal) from None


def decide(asked: Asked, door: Door) -> GoodwillAnswer:
    """Approve, as the second person, what waits, or reject it."""
    body = read_body(GoodwillApprovalBody, asked.body)
    if body.action == "reject" and not body.reason.strip():
        raise _wrong("reason", "why, in one line")
    _existing(asked, door)
    named, ports = (asked.of["goodwill"], asked.of["id"]), _ports(door)
    try:
        if body.action == "approve":
            return _answer(approve_goodwill(*named, asked.acting, ports, asked.now), asked)
        return _answer(reject_goodwill(*named, body.reason, asked.acting, ports, asked.now), asked)
    except GoodwillRefused as refusal:
        raise _problem(refusal) from None


def _existing(asked: Asked, door: Door) -> Goodwill:
    found = door.goodwill.goodwill(asked.of["goodwill"])
    if found is None:
        raise unknown("there is no goodwill with this id")
    return found


def _wrong(field: str, expected: str) -> Problem:
    errors: list[FieldProblem] = [{"field": field, "expected": expected}]
    return Problem(Kind.BODY, "correct the fields that are named, and send it again", errors=errors)


_FIELDS = {"account_id": "account", "size": "amount", "about": "incident", "asked_by": "goodwill"}
"""How a body calls what a record has under another name."""


def _problem(refusal: GoodwillRefused) -> Problem:
    names = dict.fromkeys(_FIELDS.get(name, name) for name in refusal.fields)
    expected = "as it was the first time, or another id" if refusal.id_is_taken else str(refusal)
    errors: list[FieldProblem] = [{"field": name, "expected": expected} for name in names]
    kind = Kind.ID_USED if refusal.id_is_taken else Kind.REFUSED
    return Problem(kind, str(refusal), reason=refusal.reason, errors=errors)


def _ports(door: Door) -> GoodwillPorts:
    return GoodwillPorts(
        store=door.goodwill,
        campaigns=door.campaigns,
        lists=door.lists,
        people=door.people.current(),
        discretion=door.discretion.current(),
        gate=door.gate,
        settings=door.settings,
        channel=door.channel,
        code_version=door.code_version,
    )


def _answer(found: Goodwill, asked: Asked) -> GoodwillAnswer:
    return {"v": GOODWILL_VERSION, **_item(found, asked)}


def _item(found: Goodwill, asked: Asked) -> GoodwillItem:
    waits = found.state is GoodwillState.WAITING
    return {
        "id": found.id,
        "account_id": found.account_id,
        "amount": found.amount,
        "state": "over" if found.is_over(asked.now) else found.state.value,
        "reason": found.reason,
        "title": found.title,
        "note": found.note,
        "incident": found.about or None,
        "ticket": found.ticket or None,
        "repeat_of": found.repeat_of or None,
        "asked_by": found.asked_by,
        "asked_at": format_instant(found.asked_at),
        "waits_until": format_instant(found.asked_at + WAITS) if waits else None,
        "decided_by": found.decided_by or None,
        "why": found.why or None,
        "given_at": None if found.given_at is None else format_instant(found.given_at),
        "campaign": None if found.campaign is None else str(found.campaign),
    }
