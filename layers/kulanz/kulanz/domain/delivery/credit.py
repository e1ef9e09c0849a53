"""A credit: the complete record of one thing that a system must book, with an id that never changes.

Notices are what customers are told, where a policy has texts. Credits are what billing books: one for each benefit that
is granted, always. Nothing in a credit is guessed: what a policy does not say under `bill:` is empty.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Literal, TypedDict

from kulanz.domain.campaigns.reconciliation import RECURRENCE, worth_of
from kulanz.domain.decision import Benefit, Decision, DueAt, DueBy
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey, Entry, benefits_granted, granted_at, read_decision
from kulanz.domain.money import Size, format_minor, minor_units
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill
from kulanz.domain.time import format_instant

CREDIT_VERSION = 1
CREDIT_ID_CHARACTERS = 32
"""128 bits in hexadecimal: ASCII, and short enough for the keys of all billers (Chargebee's have at most 100)."""


class CreditType(StrEnum):
    """Which way a credit goes; its amount has no sign. REVERSAL takes back what the credit that it `corrects` gave."""

    CREDIT = "credit"
    REVERSAL = "reversal"


class CreditContract(TypedDict):
    """A credit with the keys of its campaign and its decision. Files and messages have its record C.

    `credit_id` is permanent: the same id is the same booking, however often it comes. `amount` is a plain decimal
    without a sign, in `measure`: a currency where `kind` is `money`, else a unit. `subject` is empty where the credit
    is for the whole account. `due` is the first instant at which it is late, `valid_until` the first at which it can no
    longer be used; both are empty where there is none. `text`, `reason_code`, `treatment` and `ledger_account` are the
    policy's, and empty where it does not say. `decision` is the key of the decision. `due_by` is what `due` was counted
    by: the bill days that the list states, these and a month for each bill behind the last of them, or the latest day
    that the policy allows.
    """

    v: int
    credit_id: str
    type: Literal["credit", "reversal"]
    campaign: str
    decision: str
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
    terms: Mapping[str, str]
    due_by: Literal["", "list", "list_and_months", "policy"]


@dataclass(frozen=True, slots=True)
class Credit:
    """One thing to book. `benefit` is its place among what its decision grants; `attempt` counts from 1, and is higher
    where an earlier booking was taken back.

    `size` is in minor units where `is_money`, else a quantity. `measure` is what sums are kept by: a currency, or a
    unit with how often it comes again, as `worth_of` gives it. `biller_account` is the account's key at the biller: the
    account itself where the list states no other.
    """

    id: str
    type: CreditType
    key: DecisionKey
    benefit: int
    attempt: int
    biller_account: str
    size: Size
    measure: str
    is_money: bool
    due: datetime | None
    valid_from: datetime
    valid_until: datetime | None
    text: str = ""
    reason_code: str = ""
    treatment: str = ""
    ledger_account: str = ""
    corrects: str = ""
    to: str = ""
    restriction: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    due_by: DueBy | None = None

    @property
    def amount(self) -> str:
        """The size as a plain decimal without a sign: "5.00", "200" yen, "20" minutes."""
        if self.is_money:
            return format_minor(int(self.size), minor_units(self.measure))
        return f"{Decimal(self.size):f}"

    def content(self) -> CreditContract:
        """The credit as billing reads it."""
        return {
            "v": CREDIT_VERSION,
            "credit_id": self.id,
            "type": self.type.value,
            "campaign": str(self.key.campaign),
            "decision": str(self.key),
            "account_id": self.key.account_id,
            "biller_account": self.biller_account,
            "subject": "" if self.key.subject == WHOLE_ACCOUNT else self.key.subject,
            "amount": self.amount,
            "measure": self.measure,
            "kind": "money" if self.is_money else "units",
            "due": "" if self.due is None else format_instant(self.due),
            "valid_from": format_instant(self.valid_from),
            "valid_until": "" if self.valid_until is None else format_instant(self.valid_until),
            "text": self.text,
            "reason_code": self.reason_code,
            "treatment": self.treatment,
            "ledger_account": self.ledger_account,
            "corrects": self.corrects,
            "to": self.to,
            "restriction": self.restriction,
            "terms": dict(self.terms),
            "due_by": "" if self.due_by is None else self.due_by.value,
        }


def credit_id(key: DecisionKey, benefit: int, attempt: int = 1, kind: CreditType = CreditType.CREDIT) -> str:
    """The permanent id of a credit: 128 bits over its decision's key, its benefit's place, its attempt and its type.

    A credit that is sent again has the same id. One that is booked anew, after it was taken back, has another. The
    attempt of a reversal is which one of the benefit it is.
    """
    return blake2b(f"{key}|{kind}|{benefit}|{attempt}".encode(), digest_size=CREDIT_ID_CHARACTERS // 2).hexdigest()


def reversal_of(credit: Credit, number: int, size: Size) -> Credit:
    """The record that takes `size` of a credit back: the `number`-th one of its benefit.

    It has no deadline of its own. All else is the credit's, by which whoever booked that finds how it was booked.
    """
    return replace(
        credit,
        id=credit_id(credit.key, credit.benefit, number, CreditType.REVERSAL),
        type=CreditType.REVERSAL,
        attempt=number,
        size=size,
        due=None,
        due_by=None,
        corrects=credit.id,
    )


type DueOf = Callable[[Benefit, datetime], DueAt | None]
"""The first instant at which a benefit that was granted at an instant is late, and what it was counted by; None where
nothing says so.
"""


@dataclass(frozen=True, slots=True)
class Booking:
    """What a list and a policy say of how the credits of a decision are booked."""

    biller_account: str
    bills: Mapping[str, Bill]
    due_of: DueOf


def credits_of(
    entry: Entry,
    booking: Booking,
    attempts: Mapping[int, int],
    decision: Decision | None = None,
    less: Mapping[int, Size] | None = None,
) -> Iterator[Credit]:
    """The credits of some benefits of a decision as it stands. `attempts` has the attempt of each, by its place.

    `less` is how much of a benefit was void when its credit was assigned: the credit is for the rest.

    `decision` is that of the entry's body, for whoever has read it; never a person's. Raises ValueError for a place at
    which nothing is granted.
    """
    decision = read_decision(entry.body) if decision is None else decision
    granted = benefits_granted(entry, decision)
    locale = decision.notice.locale if decision.notice is not None else ""
    for place, attempt in sorted(attempts.items()):
        if not 0 <= place < len(granted):
            raise ValueError("a credit is for a benefit that its decision grants")
        since = granted_at(entry, decision, place)
        credit = _credit(entry.key, place, attempt, granted[place], since, booking, locale)
        left_out = less.get(place) if less else None
        yield credit if not left_out else replace(credit, size=credit.size - left_out)


def _credit(
    key: DecisionKey,
    place: int,
    attempt: int,
    benefit: Benefit,
    granted_at: datetime,
    booking: Booking,
    locale: str,
) -> Credit:
    bill = booking.bills.get(benefit.component, NOTHING_BILLED)
    measure, size = worth_of(benefit)
    due = booking.due_of(benefit, granted_at)
    return Credit(
        id=credit_id(key, place, attempt),
        type=CreditType.CREDIT,
        key=key,
        benefit=place,
        attempt=attempt,
        biller_account=booking.biller_account,
        size=size,
        measure=measure,
        is_money=benefit.money is not None,
        due=None if due is None else due.at,
        valid_from=benefit.validity.starts_at(granted_at),
        valid_until=benefit.validity.expires_at(granted_at),
        text=bill.text_in(locale),
        reason_code=bill.reason_code,
        treatment=bill.treatment,
        ledger_account=bill.ledger_account,
        corrects=credit_id(key, place, attempt - 1) if attempt > 1 else "",
        to=benefit.terms.get("to", ""),
        restriction=benefit.restriction or "",
        terms={name: text for name, text in benefit.terms.items() if name != "to" and name not in RECURRENCE},
        due_by=None if due is None else due.by,
    )


@dataclass(frozen=True, slots=True, order=True)
class SumOf:
    """What credits are added up by."""

    type: CreditType
    measure: str
    is_money: bool


@dataclass(slots=True)
class CreditSums:
    """How many credits there are and what they add up to; adding those of two disjoint sets gives those of both."""

    found: dict[SumOf, tuple[int, Size]] = field(default_factory=dict)

    @classmethod
    def over(cls, credits_: Iterable[Credit]) -> "CreditSums":
        """The sums of some credits."""
        sums = cls()
        for credit in credits_:
            sums.count(SumOf(credit.type, credit.measure, credit.is_money), 1, credit.size)
        return sums

    def count(self, of: SumOf, number: int, size: Size) -> None:
        """Count `number` more credits, which add up to `size`."""
        known_number, known_size = self.found.get(of, (0, 0))
        self.found[of] = known_number + number, known_size + size

    def add(self, other: "CreditSums") -> None:
        """Add the sums of other credits."""
        for of, (number, size) in other.found.items():
            self.count(of, number, size)

    @property
    def number(self) -> int:
        """How many credits there are."""
        return sum(number for number, _ in self.found.values())

    def by_measure(self, kind: CreditType = CreditType.CREDIT) -> dict[str, Size]:
        """The sums of one type, by measure, without those of nothing."""
        return {of.measure: size for of, (_, size) in self.found.items() if of.type is kind and size}
