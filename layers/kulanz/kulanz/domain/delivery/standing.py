"""Where a credit stands: the states that its entries lead to, and what may be added to them.

    due ─► assigned ─► sent ─► accepted ─► applied
     ▲                            │ rejected, unknown, taken back
     └── to be sent again ◄───────┘ written off, voided

Answers of a biller come twice, late and in any order. An answer that an earlier one has overtaken changes nothing, and
two that cannot both be true are a conflict for a person: the first stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from kulanz.domain.decision import DueBy
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.entries import (
    ANSWERS,
    ASKED,
    ENTRIES_BYTES,
    ENTRIES_MOST,
    LISTS_REMEMBERED,
    CreditEntries,
    CreditEntry,
    EntryKind,
    channel_of,
    entries_text,
)

STANDINGS_REMEMBERED = 256
"""Of some 500 bytes each."""


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
