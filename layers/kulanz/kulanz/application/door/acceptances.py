"""What support does for a customer: accept an offer."""

from typing import Annotated, TypedDict

from pydantic import Field

from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, read_body
from kulanz.application.door.problems import Kind, Problem
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS, WHOLE_ACCOUNT
from kulanz.domain.time import format_instant

ACCEPTANCE_VERSION = 1


class AcceptBody(Body):
    """Which offer: for the account itself or a `subject` of it, and of which `campaign` where several made one."""

    subject: Annotated[str, Field(min_length=1, max_length=IDENTIFIER_LENGTH_CHARACTERS)] = WHOLE_ACCOUNT
    campaign: Annotated[int, Field(ge=1, le=CAMPAIGNS_PER_INCIDENT)] | None = None


class AcceptAnswer(TypedDict):
    """An offer that is granted from `effective_at` on."""

    v: int
    accepted: bool
    campaign: str
    effective_at: str


def accept(asked: Asked, door: Door) -> AcceptAnswer:
    """Accept an offer for a customer. Accepting twice changes nothing."""
    body = read_body(AcceptBody, asked.body)
    ports = AcceptPorts(door.ledger, door.stores, door.campaigns, door.offers, door.gate)
    account, incident = asked.of["account"], asked.of["incident"]
    try:
        granted = accept_offer(account, incident, ports, asked.caller.id, asked.now, body.subject, body.campaign)
    except OfferRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return {
        "v": ACCEPTANCE_VERSION,
        "accepted": True,
        "campaign": str(granted.key.campaign),
        "effective_at": format_instant(granted.accepted_at or granted.effective_at),
    }
