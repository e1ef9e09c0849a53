"""Goodwill: an amount, or some units, that a person gives to an account although no policy owes it.

It is a decision in the ledger as any other, of the campaign of its month. What it is for, by which reason and under
which ticket, stands in its body; who gave it stands in its record and in the audit log. To the customer it is a role.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

from kulanz.domain.byhand.sizes import quantity_text, size_text
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, CampaignId
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import NEXT_BILL, Benefit, Decision, Outcome
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS, goodwill_month, is_account_id
from kulanz.domain.ledger.entries import DecisionKey, Entry, Lifetime, StoredBill, decision_body, new_entry
from kulanz.domain.money import Money, Size, counted, is_currency
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill

WAITS = timedelta(days=14)
"""How long what needs a second person waits for one, as a plan does; then it is asked for again under another id."""
EQUAL_WITHIN = timedelta(days=30)
"""An equal amount to the same account within this time is likely the same twice, so it has to name the first one."""
GOODWILL_ID_EXPECTED = (
    f"1 to {IDENTIFIER_LENGTH_CHARACTERS} ASCII letters, digits or . _ : ~ -, the first a letter or digit,"
    " such as the number of the ticket"
)
TICKET_CHARACTERS = 64


class GoodwillState(StrEnum):
    """Where it stands: it waits for a second person, was given, or was rejected by one."""

    WAITING = "waiting"
    GIVEN = "given"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Goodwill:
    """What somebody asked to give. Its `id` is the form's own or the ticket's number, and stands for this alone.

    `size` is in minor units of a currency or a quantity of a unit, as `measure` says. `reason` is a code of the
    discretion file and `title` what it said. `about` is the incident that it is about, empty for none; `repeat_of` the
    earlier one that is repeated on purpose. `decided_by` is the second person, empty while none was needed or decided.
    `given_at` is None until it is given. `version` counts the writes of the record.
    """

    id: str
    account_id: str
    measure: str
    size: Size
    reason: str
    title: str
    asked_by: str
    asked_at: datetime
    note: str = ""
    about: str = ""
    ticket: str = ""
    repeat_of: str = ""
    state: GoodwillState = GoodwillState.WAITING
    decided_by: str = ""
    decided_as: str = ""
    why: str = ""
    decided_at: datetime | None = None
    given_at: datetime | None = None
    version: int = 1

    @property
    def amount(self) -> str:
        """The amount as it is shown."""
        return size_text(self.size, self.measure)

    @property
    def campaign(self) -> CampaignId | None:
        """The month's campaign that it was given in; None before."""
        return None if self.given_at is None else month_campaign(self.given_at)

    @property
    def month(self) -> CampaignId:
        """The campaign of the month that it was given in, or asked for until it is given."""
        return month_campaign(self.given_at or self.asked_at)

    @property
    def is_waiting(self) -> bool:
        """Whether a second person has not said yet."""
        return self.state is GoodwillState.WAITING

    @property
    def is_rejected(self) -> bool:
        """Whether a second person has rejected it."""
        return self.state is GoodwillState.REJECTED

    def is_over(self, now: datetime) -> bool:
        """Whether it waited longer than it may."""
        return self.is_waiting and now >= self.asked_at + WAITS

    def given(self, now: datetime, by: str = "", action_id: str = "") -> "Goodwill":
        """As it is when it is given, at the word of `by` where a second person was needed."""
        return replace(
            self, state=GoodwillState.GIVEN, given_at=now, decided_by=by, decided_as=action_id, version=self.version + 1
        )

    def rejected(self, by: str, action_id: str, why: str, now: datetime) -> "Goodwill":
        """As it is after a second person has rejected it."""
        return replace(
            self,
            state=GoodwillState.REJECTED,
            decided_by=by,
            decided_as=action_id,
            why=why,
            decided_at=now,
            version=self.version + 1,
        )


_ASKED = ("account_id", "measure", "size", "reason", "note", "about", "ticket", "repeat_of", "asked_by")


def differing(one: Goodwill, other: Goodwill) -> list[str]:
    """The names of what two requests under one id ask for differently; nothing where they are the same."""
    return [name for name in _ASKED if getattr(one, name) != getattr(other, name)]


def equals_of(asked: Goodwill, known: Iterable[Goodwill], now: datetime) -> list[Goodwill]:
    """What the account was given of the same amount, or may be, within the time in which that has to be named."""
    return [
        one
        for one in known
        if one.id != asked.id
        and (one.measure, one.size) == (asked.measure, asked.size)
        and not one.is_rejected
        and not one.is_over(now)
        and now - (one.given_at or one.asked_at) < EQUAL_WITHIN
    ]


def is_goodwill_id(text: str) -> bool:
    """Whether `text` may name goodwill: it stands as the subject of its decision."""
    return is_account_id(text) and ".." not in text


def month_of(instant: datetime) -> str:
    """The month of a campaign of goodwill; that of UTC, as of all campaigns."""
    return f"{instant.astimezone(UTC):%Y-%m}"


def month_begins(month: str) -> datetime:
    """The first instant of a month such as 2026-11. Nothing of its campaign was given before."""
    return datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)


def month_campaign(instant: datetime) -> CampaignId:
    """The campaign that holds what is given in a month: the only one of its incident."""
    return CampaignId(goodwill_month(month_of(instant)), 1)


def goodwill_entry(given: Goodwill, policy_hash: str, keep_until: datetime, bill: Bill = NOTHING_BILLED) -> Entry:
    """The decision that goodwill is in the ledger. `keep_until` is until when its campaign's decisions are kept.

    `bill` is how billing books it. Its benefit is an amount component of its own then, named as its reason: so sums are
    kept by what is booked alike.
    """
    campaign, now = given.campaign, given.given_at
    if campaign is None or now is None:
        raise ValueError("only what was given is a decision")
    decision = Decision(Outcome.GRANTED, given.reason, (_benefit(given, bill),))
    row = sha256(canonical_json([given.account_id, given.id]).encode()).hexdigest()
    body = json.loads(decision_body(campaign, ENGINE_VERSION, policy_hash, row, decision))
    body["by_hand"] = _by_hand(given) | ({"bill": stated} if (stated := _stated(bill)) else {})
    key = DecisionKey(given.account_id, campaign.incident_id, given.id, campaign.seq)
    return new_entry(key, 0, canonical_json(body), decision, Lifetime.of(decision, now, keep_until))


def _benefit(given: Goodwill, bill: Bill) -> Benefit:
    component = "" if bill == NOTHING_BILLED else given.reason
    if is_currency(given.measure):
        return Benefit(money=Money(int(given.size), given.measure), due=NEXT_BILL, component=component)
    return Benefit(quantity=quantity_text(given.size), unit=given.measure, component=component)


def _stated(bill: Bill) -> StoredBill:
    """What a bill says. Goodwill states no language: the first text is that of its credit."""
    said = {
        "text": bill.text_in(""),
        "reason_code": bill.reason_code,
        "treatment": bill.treatment,
        "ledger_account": bill.ledger_account,
    }
    return cast("StoredBill", {name: text for name, text in said.items() if text})


def goodwill_bills(body: str) -> Mapping[str, Bill]:
    """How billing books goodwill, by the name of its amount component; nothing where `body` does not say."""
    content = json.loads(body) if _BY_HAND in body else {}
    stated = content.get("by_hand", {}).get("bill")
    return {content["reason"]: Bill(**stated)} if stated else {}


def _by_hand(given: Goodwill) -> dict[str, Any]:
    found = {"kind": "goodwill", "title": given.title, "persons": 2 if given.decided_by else 1}
    named = {"about": given.about, "ticket": given.ticket, "repeat_of": given.repeat_of}
    return found | {name: text for name, text in named.items() if text}


def goodwill_steps(body: str) -> tuple[str, ...]:
    """How a decision of goodwill came about, in words; nothing where `body` is that of another decision."""
    content = json.loads(body)
    said: Mapping[str, Any] = content.get("by_hand", {})
    if said.get("kind") != "goodwill":
        return ()
    decision = Decision.from_body(content)
    given = " + ".join(_worth(benefit) for benefit in decision.benefits)
    who = "a person of the role support"
    steps = [
        "Goodwill: no policy owes it. It is given beside whatever policies grant, and nothing sets it off.",
        f"Given by {who}{', and a second person agreed' if said['persons'] > 1 else ''}.",
        f"The reason: {said['title']} ({decision.reason}).",
    ]
    if "about" in said:
        steps.append(f"It is about the incident {said['about']}.")
    if "ticket" in said:
        steps.append(f"The ticket: {said['ticket']}.")
    if "repeat_of" in said:
        steps.append(f"It repeats, on purpose, the equal amount {said['repeat_of']}.")
    return (*steps, f"Granted: {given}.")


def goodwill_persons(body: str) -> int:
    """How many persons gave what a decision's body says; 0 where that is no goodwill."""
    said: Mapping[str, Any] = json.loads(body).get("by_hand", {}) if _BY_HAND in body else {}
    return int(said["persons"]) if said.get("kind") == "goodwill" else 0


_BY_HAND = '"by_hand":'


def about_of(body: str) -> str:
    """The incident that goodwill is about, by a decision's body; empty where it is about none."""
    found: str = json.loads(body).get("by_hand", {}).get("about", "")
    return found


def _worth(benefit: Benefit) -> str:
    if benefit.money is not None:
        return size_text(benefit.money.minor, benefit.money.currency)
    return counted(benefit.quantity, benefit.unit)
