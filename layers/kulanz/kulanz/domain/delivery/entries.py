"""What became of each credit: a bounded list of entries on the decision's own item, and the states they lead to.

A decision's body never changes. What deliveries, billers and persons add is this list. Each entry is written on the
condition that the list is as it was read, so that two writers never lose each other's.

    due ─► assigned ─► sent ─► accepted ─► applied
     ▲                            │ rejected, unknown, taken back
     └── to be sent again ◄───────┘ written off, voided

Answers of a biller come twice, late and in any order. An answer that an earlier one has overtaken changes nothing, and
two that cannot both be true are a conflict for a person: the first stands.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import DueAt, DueBy
from kulanz.domain.delivery.credit import Size
from kulanz.domain.time import parse_day

STANDINGS_REMEMBERED = 256
"""Of some 500 bytes each."""
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
    rest stands where it stood."""

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


ASKED = frozenset({EntryKind.WRITE_OFF_ASKED, EntryKind.REDIRECT_ASKED})
"""What one person asked for, and another has to say, too. It moves nothing."""


class CreditState(StrEnum):
    """Where a credit stands. UNKNOWN: it was sent, and nobody knows whether it is booked; it is never resent by itself.

    PARTLY_APPLIED: less than all of it is on bills.
    """

    DUE = "due"
    ASSIGNED = "assigned"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTLY_APPLIED = "partly_applied"
    APPLIED = "applied"
    REJECTED = "rejected"
    TAKEN_BACK = "taken_back"
    WRITTEN_OFF = "written_off"
    VOIDED = "voided"


_ANSWERED: dict[EntryKind, CreditState] = {
    EntryKind.ACCEPTED: CreditState.ACCEPTED,
    EntryKind.APPLIED: CreditState.PARTLY_APPLIED,
    EntryKind.REJECTED: CreditState.REJECTED,
    EntryKind.TAKEN_BACK: CreditState.TAKEN_BACK,
}
_ENDED: dict[EntryKind, CreditState] = {
    EntryKind.WRITTEN_OFF: CreditState.WRITTEN_OFF,
    EntryKind.VOIDED: CreditState.VOIDED,
}
_ASSIGNED: dict[EntryKind, CreditState] = {EntryKind.ASSIGNED: CreditState.ASSIGNED}
_BY_A_PERSON: dict[EntryKind, CreditState] = {EntryKind.SEND_AGAIN: CreditState.DUE} | _ENDED
_STANDING = (*ASKED, EntryKind.REDUCED)
"""What leaves a credit in its state."""
_APPLIED_MORE: dict[EntryKind, CreditState] = {
    EntryKind.APPLIED: CreditState.PARTLY_APPLIED,
    EntryKind.TAKEN_BACK: CreditState.TAKEN_BACK,
}

MOVES: Mapping[CreditState, Mapping[EntryKind, CreditState]] = {
    CreditState.DUE: {**_ASSIGNED, **_ENDED, EntryKind.REDUCED: CreditState.DUE},
    CreditState.ASSIGNED: {**_ANSWERED, EntryKind.SENT: CreditState.SENT, EntryKind.UNKNOWN: CreditState.UNKNOWN},
    CreditState.SENT: {**_ANSWERED, EntryKind.UNKNOWN: CreditState.UNKNOWN},
    CreditState.UNKNOWN: _ANSWERED,
    CreditState.ACCEPTED: {kind: state for kind, state in _ANSWERED.items() if kind is not EntryKind.ACCEPTED},
    CreditState.PARTLY_APPLIED: {**_APPLIED_MORE, EntryKind.WRITTEN_OFF: CreditState.WRITTEN_OFF},
    CreditState.APPLIED: _APPLIED_MORE,
    CreditState.REJECTED: {**_BY_A_PERSON, **dict.fromkeys(_STANDING, CreditState.REJECTED)},
    CreditState.TAKEN_BACK: {**_BY_A_PERSON, **dict.fromkeys(_STANDING, CreditState.TAKEN_BACK)},
    CreditState.WRITTEN_OFF: {},
    CreditState.VOIDED: {},
}
"""Every legal move. What is applied in full is APPLIED where this says PARTLY_APPLIED; more than all is a conflict.
What is reduced by all of it is VOIDED."""

_EARLIER = frozenset({EntryKind.SENT, EntryKind.UNKNOWN, EntryKind.ACCEPTED})
OVERTAKEN: Mapping[CreditState, frozenset[EntryKind]] = {
    CreditState.DUE: frozenset({EntryKind.SENT, EntryKind.ACCEPTED, EntryKind.REJECTED}),
    CreditState.ASSIGNED: frozenset(),
    CreditState.SENT: frozenset({EntryKind.SENT}),
    CreditState.UNKNOWN: frozenset({EntryKind.SENT, EntryKind.UNKNOWN}),
    CreditState.ACCEPTED: _EARLIER,
    CreditState.PARTLY_APPLIED: _EARLIER,
    CreditState.APPLIED: _EARLIER,
    CreditState.REJECTED: _EARLIER | {EntryKind.REJECTED},
    CreditState.TAKEN_BACK: _EARLIER | {EntryKind.APPLIED, EntryKind.TAKEN_BACK},
    CreditState.WRITTEN_OFF: _EARLIER | {EntryKind.REJECTED},
    CreditState.VOIDED: _EARLIER | {EntryKind.REJECTED},
}
"""What comes late in a state and changes nothing. Everything in neither table is a conflict. What is due and was never
delivered has no answer: whoever hears answers looks at that first."""

ANSWERS = frozenset({*_ANSWERED, EntryKind.UNKNOWN})
"""What a biller, or a channel, says of a credit that it got. Such an entry is about one benefit."""


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One entry: what happened to some benefits of a decision, by their places, when, by whom and why.

    `id` is what a repetition is recognised by. `delivery` is the delivery (`billing/12`) that an assignment belongs to,
    or that an answer answers; `attempt` is the one that is answered. `amount` (minor units of money, or a quantity),
    `bill` and `day` belong to `applied`; `code` to `rejected`. `dues` are the first instants at which what is assigned
    is late, in the order of `benefits`; empty where none has a deadline. `account` is the account's key at the biller
    where a person corrected it. `channel` is where a person sends it, with its form (`letters:csv`), where that is
    another channel than the one that had it. `sizes` are how much was voided of each of `benefits`, in their order, of
    what is `reduced`.
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
        object.__setattr__(self, "at", self.at.replace(microsecond=0))  # as it is stored
        if self.dues and len(self.dues) != len(self.benefits):
            raise ValueError("every benefit that is assigned has a deadline or None")
        if not self.benefits or len(set(self.benefits)) != len(self.benefits) or min(self.benefits) < 0:
            raise ValueError("an entry is about at least one benefit, and names none twice")
        if self.kind in ANSWERS and len(self.benefits) != 1:
            raise ValueError("an answer is about one credit")
        if (self.kind is EntryKind.APPLIED) is not (self.amount is not None):
            raise ValueError("what is applied has an amount, and nothing else has")
        if self.amount is not None and self.amount <= 0:
            raise ValueError("what is applied is more than nothing")
        if len(self.sizes) != (len(self.benefits) if self.kind is EntryKind.REDUCED else 0):
            raise ValueError("of every benefit that is reduced it is stated by how much, and of nothing else")
        if any(size <= 0 for size in self.sizes):
            raise ValueError("what is reduced is reduced by more than nothing")

    def says_the_same(self, other: "CreditEntry") -> bool:
        """Whether another entry says the same, whoever brought it, whenever."""
        return replace(self, at=other.at, by=other.by, cause=other.cause) == other

    def due_of(self, benefit: int) -> DueAt | None:
        """When what it assigns of a benefit is late, and what that was counted by; None where nothing says so."""
        return self.dues[self.benefits.index(benefit)] if self.dues else None

    def size_of(self, benefit: int) -> Size:
        """How much it voids of a benefit that it reduces."""
        return self.sizes[self.benefits.index(benefit)]

    def content(self, delivery_before: str = "") -> dict[str, Any]:
        """The entry as plain JSON, as short as it can be: a list of them has 2 KB. Instants are in whole seconds.

        What follows from the rest, or from the entry before with its delivery, is left out.
        """
        content: dict[str, Any] = {"k": self.kind.value, "at": int(self.at.timestamp()), "by": self.by}
        if self.id != _usual_id(self.kind, self.bill, self.delivery):
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
        return cls(
            kind=kind,
            at=datetime.fromtimestamp(content["at"], UTC),
            by=content["by"],
            id=content["id"] if "id" in content else _usual_id(kind, bill, delivery),
            benefits=benefits,
            cause=content.get("why", ""),
            delivery=delivery,
            attempt=content.get("try", 1),
            amount=_size(content["sum"]) if "sum" in content else None,
            bill=bill,
            day=parse_day(content["day"]) if "day" in content else None,
            code=content.get("code", ""),
            dues=tuple(
                DueAt(datetime.fromtimestamp(due, UTC), _COUNTED_BY[by]) if due else None
                for due, by in zip(dues, counted, strict=True)
            ),
            account=content.get("acct", ""),
            channel=content.get("to", ""),
            sizes=tuple(map(_size, content.get("less", ()))),
        )


_COUNTED = {DueBy.LIST: "l", DueBy.LIST_AND_MONTHS: "m", DueBy.POLICY: "p"}
_COUNTED_BY = {letter: by for by, letter in _COUNTED.items()}
"""What deadlines were counted by, a letter for each benefit. Nothing is stored where the policy alone says all."""

_FIRST_ALONE = (0,)
"""The benefits of most entries: a decision grants one thing."""


def _usual_id(kind: EntryKind, bill: str, delivery: str) -> str:
    """The id that is not stored, because it follows from the rest: of an assignment and of an answer in a file."""
    if kind is EntryKind.ASSIGNED:
        return delivery
    return bill_id(bill, delivery) if kind is EntryKind.APPLIED else answer_id(kind, delivery)


def answer_id(kind: EntryKind, delivery: str) -> str:
    """What a repetition of an answer to a delivery is recognised by: `accepted/billing/12`. Each channel counts its own
    serials.
    """
    return f"{kind}/{delivery}"


def bill_id(bill: str, delivery: str) -> str:
    """What a repetition of an amount on a bill is recognised by: `bill/billing/INV-1`. Each channel numbers its own
    bills.
    """
    return f"bill/{channel_of(delivery)}/{bill}"


def channel_of(delivery: str) -> str:
    """The channel of a delivery (`billing/12`)."""
    return delivery.rpartition("/")[0]


type CreditEntries = tuple[CreditEntry, ...]
"""The list on a decision's item, in the order in which it was written."""


def entries_text(entries: Sequence[CreditEntry]) -> str:
    """The list as it is stored."""
    before = ("", *(entry.delivery for entry in entries))
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one credit stands, by its latest attempt. `delivery` is the last one that it was assigned to.

    `applied` is how much of it is on bills, `due` the first instant at which the rest is late, and `due_by` what that
    was counted by. `account` is the account's key at the biller as a person corrected it; empty where nobody did.
    `channel` is where persons sent it last, with its form; empty where it never left the plan's. `voided` is how much
    of it was voided, where that is not all of it, and `left_out` how much of that was void when it was assigned last:
    for the rest it was delivered.
    """

    state: CreditState = CreditState.DUE
    attempt: int = 1
    delivery: str = ""
    applied: Size = 0
    code: str = ""
    due: datetime | None = None
    account: str = ""
    channel: str = ""
    voided: Size = 0
    left_out: Size = 0
    due_by: DueBy | None = None

    @property
    def belongs_to(self) -> str:
        """The name of the channel that has it, or will have it next; empty before its first delivery."""
        return self.channel.partition(":")[0] or channel_of(self.delivery)

    @property
    def is_new(self) -> bool:
        """Whether it was never assigned to a delivery, and still can be."""
        return self.state is CreditState.DUE and not self.delivery

    def shares(self, size: Size) -> dict[CreditState, Size]:
        """How a credit of a size adds to the sums of states: each part of it once."""
        if self.state is CreditState.VOIDED:
            return {CreditState.VOIDED: size}
        rest = size - self.voided - self.applied
        match self.state:
            case CreditState.PARTLY_APPLIED:
                found = {CreditState.APPLIED: self.applied, CreditState.ACCEPTED: rest}
            case CreditState.WRITTEN_OFF:
                found = {CreditState.APPLIED: self.applied, CreditState.WRITTEN_OFF: rest}
            case _:
                found = {self.state: size - self.voided}
        found[CreditState.VOIDED] = self.voided
        return {state: share for state, share in found.items() if share}


def standing(entries: Sequence[CreditEntry], benefit: int, size: Size) -> Standing:
    """Where the credit of a benefit stands, which is `size` large. Raises ValueError for entries that no list has."""
    return _standing(tuple(entries), benefit, size)


@lru_cache(LISTS_REMEMBERED, typed=True)
def _standing(entries: CreditEntries, benefit: int, size: Size) -> Standing:
    if not entries:
        return Standing()
    *before, entry = entries
    found = _standing(tuple(before), benefit, size)
    if benefit not in entry.benefits:
        return found
    moved = _moved(found, entry, benefit, size)
    if moved is None:
        raise ValueError("entries that cannot stand one after the other")
    return moved


def _moved(found: Standing, entry: CreditEntry, benefit: int, size: Size) -> Standing | None:
    """Where a credit stands after an entry that moves it; None where the entry does not."""
    target = MOVES[found.state].get(entry.kind)
    if target is None or (entry.kind in ANSWERS and entry.attempt != found.attempt):
        return None
    return found if entry.kind in ASKED else _moved_to(target, found, entry, benefit, size)


def _moved_to(target: CreditState, found: Standing, entry: CreditEntry, benefit: int, size: Size) -> Standing | None:
    match entry.kind:
        case EntryKind.ASSIGNED:
            due = entry.due_of(benefit)
            late, by = (None, None) if due is None else (due.at, due.by)
            place = replace(found, state=target, delivery=entry.delivery, due=late, due_by=by)
            return replace(place, applied=0, code="", left_out=found.voided)
        case EntryKind.SEND_AGAIN:
            attempt = found.attempt + (found.state is CreditState.TAKEN_BACK)
            account, channel = entry.account or found.account, entry.channel or found.channel
            return replace(found, state=target, attempt=attempt, code="", account=account, channel=channel)
        case EntryKind.TAKEN_BACK:
            return replace(found, state=target, applied=0)
        case EntryKind.APPLIED:
            applied, most = found.applied + (entry.amount or 0), size - found.voided
            state = CreditState.APPLIED if applied == most else target
            return replace(found, state=state, applied=applied) if applied <= most else None
        case EntryKind.REDUCED:
            voided = found.voided + entry.size_of(benefit)
            state = CreditState.VOIDED if voided == size else target
            return replace(found, state=state, voided=voided) if voided <= size else None
        case _:
            return _in_state(found, target, entry.code)


@lru_cache(STANDINGS_REMEMBERED)
def _in_state(found: Standing, target: CreditState, code: str) -> Standing:
    """The same in another state; the credits of a list stand in few ways."""
    return replace(found, state=target, code=code)


class AddResult(StrEnum):
    """What becomes of an entry that is to be added.

    ALREADY: the same entry stands. OVERTAKEN: a later one stands, which makes it mean nothing. CONFLICT: it contradicts
    what stands, or its id was used for something else. FULL: the list has no room.
    """

    ADDED = "added"
    ALREADY = "already"
    OVERTAKEN = "overtaken"
    CONFLICT = "conflict"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Adding:
    """What became of an entry, the list as it then is, and a reason (a code, then words) where it was not taken."""

    result: AddResult
    entries: CreditEntries
    reason: str = ""


def add_entry(entries: Sequence[CreditEntry], new: CreditEntry, sizes: Mapping[int, Size]) -> Adding:
    """Add an entry to a decision's list. `sizes` has the size of each benefit that the decision grants, by its place.

    The result depends on nothing but what stands, so a repetition of any number of entries, in the same or another
    order, ends the same unless two of them contradict each other.
    """
    stands = tuple(entries)
    if known := [one for one in stands if one.id == new.id and set(one.benefits) & set(new.benefits)]:
        if known[0].says_the_same(new):
            return Adding(AddResult.ALREADY, stands)
        return Adding(AddResult.CONFLICT, stands, "id_used: an entry with this id says something else")
    results = {
        _result(standing(stands, place, sizes[place]), new, place, sizes[place]) if place in sizes else _NOT_GRANTED
        for place in new.benefits
    }
    if results == {_OVERTAKEN}:
        return Adding(AddResult.OVERTAKEN, stands)
    if wrong := sorted(results - {_MOVES}):
        return Adding(AddResult.CONFLICT, stands, wrong[0])
    added = (*stands, new)
    if len(added) > ENTRIES_MOST or len(entries_text(added).encode()) > ENTRIES_BYTES:
        return Adding(AddResult.FULL, stands, f"entries_full: at most {ENTRIES_MOST} entries and {ENTRIES_BYTES} bytes")
    return Adding(AddResult.ADDED, added)


_MOVES, _OVERTAKEN = "", "overtaken"
_NOT_GRANTED = "not_granted: the decision does not grant all that the entry names"
_BOOKED = frozenset({EntryKind.ACCEPTED, EntryKind.APPLIED})
_BOOKED_ELSEWHERE = "booked_elsewhere: it was sent to another channel, because this one had said that nothing is booked"


def _result(found: Standing, new: CreditEntry, benefit: int, size: Size) -> str:
    """What an entry does to one credit: `_MOVES`, `_OVERTAKEN`, or the reason of a conflict."""
    if new.kind in ANSWERS and (why := _not_of_this_attempt(found, new)):
        return why
    if new.kind in OVERTAKEN[found.state]:
        return _OVERTAKEN
    if new.kind not in MOVES[found.state]:
        return f"not_from_{found.state}: what is {found.state} cannot become {new.kind}"
    if _moved(found, new, benefit, size) is None:
        return "amount_exceeds: more would be on bills, or void, than was credited"
    return _MOVES


def _not_of_this_attempt(found: Standing, new: CreditEntry) -> str:
    """What an answer is that is about another channel, delivery or attempt than the latest; empty where it is not."""
    if new.delivery and found.belongs_to not in ("", channel_of(new.delivery)):
        return _BOOKED_ELSEWHERE if new.kind in _BOOKED else _OVERTAKEN
    is_booked = new.kind in (EntryKind.APPLIED, EntryKind.TAKEN_BACK)
    is_of_earlier_delivery = new.delivery and found.delivery not in ("", new.delivery) and not is_booked
    if new.attempt < found.attempt or is_of_earlier_delivery:
        return _OVERTAKEN
    return "attempt_unknown: no such attempt was delivered" if new.attempt > found.attempt else ""


def _size(text: str) -> Size:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number
