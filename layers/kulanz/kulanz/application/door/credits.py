"""What finance does with a single credit that the biller rejected or took back: send it again, perhaps to another
channel, or write it off.
"""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from kulanz.application.delivery.act_on_credit import CreditAction, CreditPorts, CreditRefused, act_on_credit
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.domain.delivery.credit import CREDIT_ID_CHARACTERS
from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.identifiers import CHANNEL_NAME, IDENTIFIER_LENGTH_CHARACTERS, WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.lists.facts import FactError
from kulanz.domain.lists.to_bill import biller_account_of

CREDIT_ACTION_VERSION = 1

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_LENGTH_CHARACTERS)]
_KINDS = {"send_again": EntryKind.SEND_AGAIN, "write_off": EntryKind.WRITTEN_OFF}


class CreditBody(Body):
    """Which credit, as it was delivered, what is done with it, and why.

    `biller_account` is the account's key in the biller's system, where that is corrected before it is sent again. It
    stays with the credit. `channel` names another channel to send it to; left out, it goes where it was.
    """

    action: Literal["send_again", "write_off"]
    account_id: _Id
    subject: _Id = WHOLE_ACCOUNT
    credit_id: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{CREDIT_ID_CHARACTERS}}}$")]
    reason: Reason
    biller_account: Annotated[str, Field(max_length=IDENTIFIER_LENGTH_CHARACTERS)] = ""
    channel: Annotated[str, Field(pattern=rf"^({CHANNEL_NAME})?$")] = ""


class CreditActed(TypedDict):
    """Where the credit stands now. `second_person_needed`: it is done when another person says the same, too.

    `channel` has it, or will have it next.
    """

    v: int
    credit_id: str
    state: str
    attempt: int
    channel: str
    second_person_needed: bool


def act(asked: Asked, door: Door) -> CreditActed:
    """Send a credit again with the next delivery of additions, there or to another channel, or write it off."""
    body = read_body(CreditBody, asked.body)
    if body.channel and body.action != "send_again":
        errors: list[FieldProblem] = [{"field": "channel", "expected": "a channel only of what is sent again"}]
        raise Problem(Kind.BODY, "correct the fields that are named, and send it again", errors=errors)
    campaign = asked.campaign_id
    key = DecisionKey(body.account_id, campaign.incident_id, body.subject, campaign.seq)
    account = _account(body)
    action = CreditAction(asked.of["id"], _KINDS[body.action], key, body.credit_id, account, body.channel)
    known = {one.name: one for one in (*door.other_channels, *([door.channel] if door.channel else ()))}
    people = door.people.current()
    ports = CreditPorts(
        door.campaigns, door.credits, door.credit_actions, door.answers, door.gate, people, channels=known
    )
    try:
        acted = act_on_credit(action, asked.acting, ports, asked.now)
    except CreditRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return {
        "v": CREDIT_ACTION_VERSION,
        "credit_id": body.credit_id,
        "state": acted.stands.state.value,
        "attempt": acted.stands.attempt,
        "channel": acted.stands.belongs_to,
        "second_person_needed": acted.waits,
    }


def _account(body: CreditBody) -> str:
    """The corrected key of the account, checked as a list's column is. Raises Problem."""
    if not body.biller_account:
        return ""
    expected = "a correction only of what is sent again"
    try:
        account = biller_account_of(body.biller_account)
    except FactError as problem:
        expected, account = problem.expected, ""
    if account and body.action == "send_again":
        return account
    errors: list[FieldProblem] = [{"field": "biller_account", "expected": expected}]
    raise Problem(Kind.BODY, "correct the fields that are named, and send it again", errors=errors)
