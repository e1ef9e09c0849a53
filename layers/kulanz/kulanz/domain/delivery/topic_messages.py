"""The messages of the credits topic: the records C of a part, as its lines have them, some together in each message.

A topic has no trailer. So each message says how many credits its delivery has: whoever has seen that many ids of a
serial has all of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypedDict

from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.files import PartFile

CREDITS_MESSAGE_VERSION = 1
CREDITS_MESSAGE_BYTES = 60 * 1024
"""Below SNS's 64 KB, above which a message is billed twice. A credit that alone is larger has a message of its own."""


class CreditRecord(TypedDict):
    """A credit as files in JSON Lines and messages have it. Every field is a text, empty where there is nothing.

    `credit_id` is permanent: the same id is the same booking, however often it comes. `amount` is a plain decimal
    without a sign, in `measure`: a currency where `kind` is `money`, else a unit. `due` is the first instant at which
    it is late, `valid_until` the first at which it can no longer be used. `terms` is the text of a JSON object.
    `due_by` is what `due` was counted by: the list's bill days, these and months behind the last, or the policy alone.
    """

    record: Literal["C"]
    credit_id: str
    type: Literal["credit", "reversal"]
    account_id: str
    biller_account: str
    subject: str
    amount: str
    measure: str
    kind: Literal["money", "units"]
    due: str
    valid_from: str
    valid_until: str
    text: str
    reason_code: str
    treatment: str
    ledger_account: str
    corrects: str
    to: str
    restriction: str
    terms: str
    due_by: Literal["", "list", "list_and_months", "policy"]


class CreditsContract(TypedDict):
    """A message of the credits topic: some credits of one delivery.

    `part` names the file that has the same credits. `credits_in_delivery` is how many the delivery has in all.
    """

    v: int
    kind: Literal["credits"]
    channel: str
    serial: int
    campaign: str
    part: str
    credits_in_delivery: int
    credits: list[CreditRecord]


@dataclass(frozen=True, slots=True)
class CreditsMessage:
    """One message as it is published: JSON, in UTF-8. `channel` and `incident_id` are what subscribers filter by."""

    channel: str
    incident_id: str
    content: bytes
    credits: int


def credits_messages(delivery: Delivery, part: PartFile, content: bytes) -> Iterator[CreditsMessage]:
    """The messages of a part's content, which begins with its header H; the same however often it is asked."""
    opening = _opening(delivery, part)
    page: list[bytes] = []
    used = fixed = len(opening) + len(_CLOSING)
    for line in content.split(b"\n")[1:-1]:
        if page and used + len(line) + 1 > CREDITS_MESSAGE_BYTES:
            yield _message(delivery, opening, page)
            page, used = [], fixed
        page.append(line)
        used += len(line) + 1
    if page:
        yield _message(delivery, opening, page)


_CLOSING = b"]}"


def _opening(delivery: Delivery, part: PartFile) -> bytes:
    head: CreditsContract = {
        "v": CREDITS_MESSAGE_VERSION,
        "kind": "credits",
        "channel": delivery.id.channel,
        "serial": delivery.id.serial,
        "campaign": str(delivery.campaign),
        "part": part.name,
        "credits_in_delivery": delivery.sums.number,
        "credits": [],
    }
    return json.dumps(head, ensure_ascii=False, separators=(",", ":")).removesuffix("]}").encode()


def _message(delivery: Delivery, opening: bytes, lines: list[bytes]) -> CreditsMessage:
    content = opening + b",".join(lines) + _CLOSING
    return CreditsMessage(delivery.id.channel, delivery.campaign.incident_id, content, len(lines))
