"""What is said of each credit: a bounded list of entries on the decision's own item, and its text as it is stored.

A decision's body never changes. What deliveries, billers and persons add is this list. Each entry is written on the
condition that the list is as it was read, so that two writers never lose each other's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from kulanz.domain.campaigns.amounts import plain_size
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import DueAt, DueBy
from kulanz.domain.money import Size
from kulanz.domain.time import parse_day

ENTRIES_MOST = 32
ENTRIES_BYTES = 2048
"""Of the list as it is stored. A credit that is delivered, booked and billed needs 300 bytes: with a decision of one
write unit, changing it costs two. Only credits that are sent again several times need more than a KB."""


LISTS_REMEMBERED = 256
"""Lists whose text, content and standing are remembered: a delivery assigns most of its decisions by the same few
entries, so that most answers find the same list.
"""


class EntryKind(StrEnum):
    """What can be said of a credit. SENT is an entry only of a channel that sends credits one by one: a file sends all
    of its credits by its trailer, and that stands in the delivery's record. SEND_AGAIN: a person says that what was
    rejected or taken back is delivered again, perhaps to another channel. WRITE_OFF_ASKED, REDIRECT_ASKED: one person
    wrote it off, or sent it to another channel, and a second one is needed. REDUCED: a part of it was voided, and the
    rest stands where it stood. REVERSAL_ASKED: a void asks back what the biller has; REVERSAL_ASSIGNED: that is in a
    delivery. The others are what the biller answers to it; UNDONE: it took the reversal back."""

    ASSIGNED = "assigned"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    REJECTED = "rejected"
    TAKEN_BACK = "taken_back"
    WRITTEN_OFF = "written_off"
    VOIDED = "voided"
    SEND_AGAIN = "send_again"
    WRITE_OFF_ASKED = "write_off_asked"
    REDIRECT_ASKED = "redirect_asked"
    REDUCED = "reduced"
    REVERSAL_ASKED = "reversal_asked"
    REVERSAL_ASSIGNED = "reversal_assigned"
    REVERSAL_ACCEPTED = "reversal_accepted"
    REVERSAL_APPLIED = "reversal_applied"
    REVERSAL_REJECTED = "reversal_rejected"
    REVERSAL_UNDONE = "reversal_undone"


ASKED = frozenset({EntryKind.WRITE_OFF_ASKED, EntryKind.REDIRECT_ASKED})
"""What one person asked for, and another has to say, too. It moves nothing."""

ANSWERS = frozenset(
    {EntryKind.ACCEPTED, EntryKind.APPLIED, EntryKind.REJECTED, EntryKind.TAKEN_BACK, EntryKind.UNKNOWN}
)
"""What a biller, or a channel, says of a credit that it got. Such an entry is about one benefit."""

REVERSAL_ANSWERS: Mapping[EntryKind, EntryKind] = {
    EntryKind.ACCEPTED: EntryKind.REVERSAL_ACCEPTED,
    EntryKind.APPLIED: EntryKind.REVERSAL_APPLIED,
    EntryKind.REJECTED: EntryKind.REVERSAL_REJECTED,
    EntryKind.TAKEN_BACK: EntryKind.REVERSAL_UNDONE,
}
"""What a biller says of a reversal, by what it would be of a credit. Such an entry is about one benefit, too."""
OF_REVERSALS = frozenset({EntryKind.REVERSAL_ASKED, EntryKind.REVERSAL_ASSIGNED, *REVERSAL_ANSWERS.values()})
"""What is said of reversals."""
_ABOUT_ONE = ANSWERS | frozenset(REVERSAL_ANSWERS.values())
_ON_A_BILL = frozenset({EntryKind.APPLIED, EntryKind.REVERSAL_APPLIED})
_SIZED = frozenset({EntryKind.REDUCED, EntryKind.REVERSAL_ASKED})


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One entry: what happened to some benefits of a decision, by their places, when, by whom and why.

    `id` is what a repetition is recognised by. `delivery` is the delivery (`billing/12`) that an assignment belongs to,
    or that an answer answers; `attempt` is the one that is answered. `amount` (minor units of money, or a quantity),
    `bill` and `day` belong to `applied`; `code` to `rejected`. `dues` are the first instants at which what is assigned
    is late, in the order of `benefits`; empty where none has a deadline. `account` is the account's key at the biller
    where a person corrected it. `channel` is where a person sends it, with its form (`letters:csv`), where that is
    another channel than the one that had it. `sizes` are how much of each of `benefits` was voided, in their order, of
    what is `reduced`, or is asked back. Of an answer to a reversal `attempt` is which one of the benefit it is.
    """

    kind: EntryKind
    at: datetime
    by: str
    id: str
    benefits: tuple[int, ...]
    cause: str = ""
    delivery: str = ""
    attempt: int = 1
    amount: Size | None = None
    bill: str = ""
    day: date | None = None
    code: str = ""
    dues: tuple[DueAt | None, ...] = ()
    account: str = ""
    channel: str = ""
    sizes: tuple[Size, ...] = ()

    def __post_init__(self) -> None:
        # As it is stored: an entry that was read is written again by the very text, which conditions name.
        if self.at.microsecond:
            object.__setattr__(self, "at", self.at.replace(microsecond=0))
        if self.amount is not None:
            object.__setattr__(self, "amount", plain_size(self.amount))
        if self.sizes:
            object.__setattr__(self, "sizes", tuple(map(plain_size, self.sizes)))
        if self.dues and len(self.dues) != len(self.benefits):
            raise ValueError("every benefit that is assigned has a deadline or None")
        if not self.benefits or len(set(self.benefits)) != len(self.benefits) or min(self.benefits) < 0:
            raise ValueError("an entry is about at least one benefit, and names none twice")
        if self.kind in _ABOUT_ONE and len(self.benefits) != 1:
            raise ValueError("an answer is about one credit")
        if (self.kind in _ON_A_BILL) is not (self.amount is not None):
            raise ValueError("what is applied has an amount, and nothing else has")
        if self.amount is not None and self.amount <= 0:
            raise ValueError("what is applied is more than nothing")
        if len(self.sizes) != (len(self.benefits) if self.kind in _SIZED else 0):
            raise ValueError(
                "of every benefit that is reduced, or asked back, it is stated how much, and of nothing else"
            )
        if any(size <= 0 for size in self.sizes):
            raise ValueError("what is reduced, or asked back, is more than nothing")

    def __hash__(self) -> int:
        """Over what tells the entries of a channel apart; over every field it is a fifth of hearing an answer."""
        return hash((self.id, self.cause, self.benefits, self.dues))

    def says_the_same(self, other: "CreditEntry") -> bool:
        """Whether another entry says the same, whoever brought it, whenever."""
        return replace(self, at=other.at, by=other.by, cause=other.cause) == other

    def due_of(self, benefit: int) -> DueAt | None:
        """When what it assigns of a benefit is late, and what that was counted by; None where nothing says so."""
        return self.dues[self.benefits.index(benefit)] if self.dues else None

    def size_of(self, benefit: int) -> Size:
        """How much it voids, or asks back, of a benefit."""
        return self.sizes[self.benefits.index(benefit)]

    def content(self, delivery_before: str = "") -> dict[str, Any]:
        """The entry as plain JSON, as short as it can be: a list of them has 2 KB. Instants are in whole seconds.

        What follows from the rest, or from the entry before with its delivery, is left out.
        """
        content: dict[str, Any] = {"k": self.kind.value, "at": int(self.at.timestamp()), "by": self.by}
        if self.id != usual_id(self.kind, self.bill, self.delivery, self.attempt):
            content["id"] = self.id
        if self.benefits != _FIRST_ALONE:
            content["n"] = list(self.benefits)
        if self.delivery != delivery_before:
            content["d"] = self.delivery
        texts = {"why": self.cause, "bill": self.bill, "code": self.code, "acct": self.account, "to": self.channel}
        content |= {name: text for name, text in texts.items() if text}
        if self.attempt > 1:
            content["try"] = self.attempt
        if self.amount is not None:
            content["sum"] = str(self.amount)
        if self.day is not None:
            content["day"] = self.day.isoformat()
        if any(self.dues):
            dues = [0 if due is None else int(due.at.timestamp()) for due in self.dues]
            content["due"] = dues if len(set(dues)) > 1 else dues[0]
            counted = [_COUNTED[DueBy.POLICY if due is None else due.by] for due in self.dues]
            if set(counted) != {_COUNTED[DueBy.POLICY]}:
                content["by_"] = "".join(counted)
        if self.sizes:
            content["less"] = [str(size) for size in self.sizes]
        return content

    @classmethod
    def from_content(cls, content: Mapping[str, Any], delivery_before: str = "") -> "CreditEntry":
        """Read what `content` wrote."""
        benefits = tuple(content.get("n", _FIRST_ALONE))
        stored = content.get("due", [])
        dues = stored if isinstance(stored, list) else [stored] * len(benefits)
        counted = content.get("by_", _COUNTED[DueBy.POLICY] * len(dues))
        kind, bill, delivery = EntryKind(content["k"]), content.get("bill", ""), content.get("d", delivery_before)
        attempt = content.get("try", 1)
        return cls(
            kind=kind,
            at=datetime.fromtimestamp(content["at"], UTC),
            by=content["by"],
            id=content["id"] if "id" in content else usual_id(kind, bill, delivery, attempt),
            benefits=benefits,
            cause=content.get("why", ""),
            delivery=delivery,
            attempt=attempt,
            amount=Decimal(content["sum"]) if "sum" in content else None,
            bill=bill,
            day=parse_day(content["day"]) if "day" in content else None,
            code=content.get("code", ""),
            dues=tuple(
                DueAt(datetime.fromtimestamp(due, UTC), _COUNTED_BY[by]) if due else None
                for due, by in zip(dues, counted, strict=True)
            ),
            account=content.get("acct", ""),
            channel=content.get("to", ""),
            sizes=tuple(map(Decimal, content.get("less", ()))),
        )


_COUNTED = {DueBy.LIST: "l", DueBy.LIST_AND_MONTHS: "m", DueBy.POLICY: "p"}
_COUNTED_BY = {letter: by for by, letter in _COUNTED.items()}
"""What deadlines were counted by, a letter for each benefit. Nothing is stored where the policy alone says all."""

_FIRST_ALONE = (0,)
"""The benefits of most entries: a decision grants one thing."""


def usual_id(kind: EntryKind, bill: str, delivery: str, attempt: int) -> str:
    """The id of an assignment, and of an answer in a file. It follows from the rest, and so is not stored."""
    if kind is EntryKind.ASSIGNED:
        return delivery
    if kind is EntryKind.REVERSAL_ASSIGNED:
        return f"{kind}/{delivery}"
    number = attempt if kind in OF_REVERSALS else 0
    return bill_id(bill, delivery, number) if kind in _ON_A_BILL else answer_id(kind, delivery, number)


def answer_id(kind: EntryKind, delivery: str, reversal: int = 0) -> str:
    """What a repetition of an answer to a delivery is recognised by: `accepted/billing/12`. Each channel counts its own
    serials. Of a reversal it has its number, because one delivery may have several of a benefit.
    """
    return f"{kind}/{reversal}/{delivery}" if reversal else f"{kind}/{delivery}"


def bill_id(bill: str, delivery: str, reversal: int = 0) -> str:
    """What a repetition of an amount on a bill is recognised by: `bill/billing/INV-1`. Each channel numbers its own
    bills. A reversal is on a bill beside its credit.
    """
    name = f"bill/{channel_of(delivery)}/{bill}"
    return f"reversal/{reversal}/{name}" if reversal else name


def channel_of(delivery: str) -> str:
    """The channel of a delivery (`billing/12`)."""
    return delivery.rpartition("/")[0]


type CreditEntries = tuple[CreditEntry, ...]
"""The list on a decision's item, in the order in which it was written."""


@lru_cache(LISTS_REMEMBERED)
def entries_text(entries: CreditEntries) -> str:
    """The list as it is stored."""
    before = ("", *[entry.delivery for entry in entries])
    return f"[{','.join(map(_entry_text, entries, before))}]"


@lru_cache(LISTS_REMEMBERED)
def _entry_text(entry: CreditEntry, delivery_before: str) -> str:
    return canonical_json(entry.content(delivery_before))


@lru_cache(LISTS_REMEMBERED)
def read_entries(text: str) -> CreditEntries:
    """The list back from its stored text; nothing is stored of a decision that nothing happened to."""
    found: list[CreditEntry] = []
    for content in json.loads(text) if text else ():
        found.append(CreditEntry.from_content(content, found[-1].delivery if found else ""))
    return tuple(found)
