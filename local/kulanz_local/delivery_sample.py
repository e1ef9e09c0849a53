"""Writes the sample of a delivery that docs/delivery.md names: `python -m kulanz_local.delivery_sample`."""

import json
from datetime import UTC, datetime, timedelta

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Due, DueAt, Outcome, Validity, due_at
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import Booking, Credit, CreditSums, credits_of
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.files import (
    PartHead,
    part_file,
    part_name,
    render_part,
    render_trailer,
    trailer_name,
)
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.topic_messages import credits_messages
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, remaining_of
from kulanz.domain.money import Money
from kulanz.domain.policy.document.owed import Bill
from kulanz.domain.time import zone_of
from kulanz_local.embedded import PROJECT

FOLDER = PROJECT / "docs" / "samples"
INCIDENT, POLICY_HASH = "acme-2025-10-16", "0" * 64
DELIVERY = DeliveryId("billing", 12)
MESSAGE = "credits-message.json"
GRANTED_AT = datetime(2025, 10, 20, 9, 0, 5, tzinfo=UTC)
OPENED_AT = GRANTED_AT + timedelta(seconds=55)
FIRST_BYTE, LAST_BYTE = 40, 103
"""Where the rows of the sample's list begin and end."""
BILL = Bill("Credit for the outage of 16 October", "SVC-OUTAGE", "price_reduction", "4000-120")


def _credits() -> list[Credit]:
    """One account that gets money, and a phone line that gets money and minutes for a week."""
    money = Benefit(Money(10_000, "USD"), due=Due(1, "billing_cycle"))
    less = Benefit(Money(899, "USD"), due=Due(1, "billing_cycle"))
    minutes = Benefit(None, "20", "call_minute", "landlines", Validity(7, "days"), terms={"on": "weekends"})
    rows: list[tuple[str, str, str, tuple[Benefit, ...]]] = [
        ("A-1001", "-", "", (money,)),
        ("A-1005", "555-0100", "cus_77", (less, minutes)),
    ]
    found: list[Credit] = []
    for account, subject, biller_account, benefits in rows:
        decision = Decision(Outcome.GRANTED, "credit", benefits)
        key = DecisionKey(account, INCIDENT, subject, 1)
        body = decision_body(key.campaign, "2", POLICY_HASH, "row", decision)
        entry = Entry(key, body, decision.outcome, remaining_of(benefits), GRANTED_AT, None, 0, FIRST_BYTE)
        booking = Booking(biller_account or account, {"": BILL}, _due_of)
        found += credits_of(entry, booking, dict.fromkeys(range(len(benefits)), 1))
    return found


def _due_of(benefit: Benefit, granted_at: datetime) -> DueAt | None:
    return None if benefit.due is None else due_at(benefit.due, granted_at, zone_of("UTC"), None)


def sample() -> dict[str, bytes]:
    """The files of a delivery in each form, by their names."""
    found, credits_ = dict[str, bytes](), _credits()
    for form in FileFormat:
        name = part_name(FIRST_BYTE, LAST_BYTE, form)
        part = render_part(PartHead(DELIVERY, f"{INCIDENT}/1", FIRST_BYTE, OPENED_AT), credits_, form)
        parts = [part_file(name, part, len(credits_))]
        found[name] = part
        found[trailer_name(form)] = render_trailer(DELIVERY, parts, CreditSums.over(credits_), form)
    return found


def message_sample() -> bytes:
    """The message of the same credits on the credits topic, laid out to be read."""
    credits_, form = _credits(), FileFormat.JSONL
    name = part_name(FIRST_BYTE, LAST_BYTE, form)
    part = render_part(PartHead(DELIVERY, f"{INCIDENT}/1", FIRST_BYTE, OPENED_AT), credits_, form)
    sent = Delivery(
        DELIVERY, CampaignId(INCIDENT, 1), form, OPENED_AT, "advance_campaign", sums=CreditSums.over(credits_)
    )
    (message,) = credits_messages(sent, part_file(name, part, len(credits_)), part)
    return json.dumps(json.loads(message.content), indent=2, ensure_ascii=False).encode() + b"\n"


if __name__ == "__main__":
    (FOLDER / MESSAGE).write_bytes(message_sample())
    for name, content in sample().items():
        path = FOLDER / DELIVERY.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
