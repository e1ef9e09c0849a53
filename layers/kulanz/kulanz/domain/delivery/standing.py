"""Where a credit stands: the states that its entries lead to, and what may be added to them.

    due ─► assigned ─► sent ─► accepted ─► applied
     ▲                            │ rejected, unknown, taken back
     └── to be sent again ◄───────┘ written off, voided

Answers of a biller come twice, late and in any order. An answer that an earlier one has overtaken changes nothing, and
two about one record that cannot both be true are a conflict for a person: the first stands. What is asked back of a
credit stands beside it (`reversal`), and neither's answers change what the other's mean. Where the biller says that
nothing of the credit is booked, and that it booked the reversal, both stand in either order, and a person looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from kulanz.domain.decision import DueBy
from kulanz.domain.delivery.entries import (
    ANSWERS,
    ASKED,
    ENTRIES_BYTES,
    ENTRIES_MOST,
    LISTS_REMEMBERED,
    OF_REVERSALS,
    CreditEntries,
    CreditEntry,
    EntryKind,
    channel_of,
    entries_text,
)
from kulanz.domain.delivery.reversal import REVERSAL_MOVES, REVERSAL_OVERTAKEN, Reversal, ReversalState
from kulanz.domain.money import Size

STANDINGS_REMEMBERED = 256
"""Of some 500 bytes each."""


ENTRIES_OF_REVERSAL, BYTES_OF_REVERSAL = 3, 400
"""What a reversal that is asked for adds to its decision's entries: assigned, accepted and on a bill. So much room is
kept for it, because what was asked and cannot be answered would stand for ever."""


class CreditState(StrEnum):
    """Where a credit stands. UNKNOWN: it was sent, and nobody knows whether it is booked; it is never resent by itself.

    PARTLY_APPLIED: less than all of it is on bills. VOIDED: all of it was taken back, here or by the biller.
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


class OfWhich(StrEnum):
    """What is counted beside the states, of what these have already."""

    ASKED_BACK = "asked_back"


class RejectedWith(NamedTuple):
    """What of all that is rejected was rejected with a code of the biller."""

    code: str


OTHER_CODES = RejectedWith("")
"""What was rejected with any other code than those that are counted by themselves; each of the biller has a text."""
CODES_MOST = 20
"""Codes of one campaign and channel that are counted by themselves. A biller that writes something new into each answer
would fill the campaign's sums, which are one item of at most 400 KB."""

type Counted = CreditState | OfWhich | RejectedWith
"""What sums of credits are kept by."""


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
AT_BILLER = frozenset(
    {CreditState.ASSIGNED, CreditState.SENT, CreditState.ACCEPTED, CreditState.PARTLY_APPLIED, CreditState.APPLIED}
)
"""The states of what the biller has, or will have once its delivery is released: only this can be asked back."""
BOOKED_NO_MORE = frozenset({EntryKind.REJECTED, EntryKind.TAKEN_BACK})
"""After these answers the biller has nothing of the credit."""
_BY_A_PERSON: dict[EntryKind, CreditState] = {EntryKind.SEND_AGAIN: CreditState.DUE} | _ENDED
_STANDING = (*ASKED, EntryKind.REDUCED)
"""What leaves a credit in its state."""
_OF_PERSONS = frozenset({*_BY_A_PERSON, *_STANDING})
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
    CreditState.REJECTED: {
        **_BY_A_PERSON,
        **dict.fromkeys(_STANDING, CreditState.REJECTED),
        EntryKind.TAKEN_BACK: CreditState.TAKEN_BACK,
    },
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
    CreditState.TAKEN_BACK: _EARLIER | {EntryKind.APPLIED, EntryKind.REJECTED, EntryKind.TAKEN_BACK},
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
    for the rest it was delivered. `reversals` are what was asked back of it, the first one first. `booked_as` is where
    it would stand if the biller undid these, where it is VOIDED because the biller has booked some of them.
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
    reversals: tuple[Reversal, ...] = ()
    booked_as: CreditState | None = None

    @property
    def asked_back(self) -> Size:
        """How much of it is asked back, and not answered: it is not void yet."""
        return sum((one.size for one in self.reversals if one.is_open), start=0)

    @property
    def reversed(self) -> Size:
        """How much of `voided` the biller has taken back, and could give again."""
        return sum((one.voids for one in self.reversals), start=0)

    @property
    def at_biller(self) -> CreditState:
        """Where it stands at the biller, whatever was taken back there."""
        return self.booked_as or self.state

    def can_undo(self, reversal: Reversal) -> bool:
        """Whether it stands again where the biller undoes a reversal: not if it was sent again since, for the rest."""
        return reversal.of == self.delivery

    @property
    def reversed_since_sent(self) -> Size:
        """How much of what was delivered last the biller has taken back."""
        return sum((one.voids for one in self.reversals if self.can_undo(one)), start=0)

    def askable(self, size: Size) -> Size:
        """How much of a credit of a size can be asked back now: nothing while the biller has to answer for some."""
        return size - self.voided if self.state in AT_BILLER and not self.asked_back else 0

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
        # A reversal takes off what is on no bill yet first: until the rest is billed, it is less that is to come.
        on_bills = min(self.applied, size - self.voided)
        rest = size - self.voided - on_bills
        match self.state:
            case CreditState.PARTLY_APPLIED:
                found = {CreditState.APPLIED: on_bills, CreditState.ACCEPTED: rest}
            case CreditState.WRITTEN_OFF:
                found = {CreditState.APPLIED: on_bills, CreditState.WRITTEN_OFF: rest}
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
    if entry.kind in OF_REVERSALS:
        return _with_reversal(found, entry, benefit, size)
    is_answer = entry.kind in ANSWERS
    target = MOVES[found.at_biller if is_answer else found.state].get(entry.kind)
    if target is None or (is_answer and entry.attempt != found.attempt) or _against_reversal(found, entry):
        return None
    if entry.kind in ASKED:
        return found
    stood = found if found.booked_as is None else replace(found, state=found.booked_as, booked_as=None)
    moved = _moved_to(target, stood, entry, benefit, size)
    return moved if moved is None or not found.reversals else _with_what_is_void(moved, entry.kind, size)


def _against_reversal(found: Standing, entry: CreditEntry) -> str:
    """Why an entry cannot stand beside what was asked back; empty where it can."""
    if entry.kind in (*_OF_PERSONS, EntryKind.REVERSAL_ASKED) and found.asked_back:
        return "reversal_under_way: it is asked back, and the biller has not answered"
    return ""


def _with_what_is_void(found: Standing, kind: EntryKind, size: Size) -> Standing:
    """A credit that moved beside its reversals. What was not delivered of these lapses where the biller has nothing of
    the credit any more.
    """
    if kind in BOOKED_NO_MORE:
        kept = tuple(
            replace(one, state=ReversalState.LAPSED) if one.state is ReversalState.ASKED else one
            for one in found.reversals
        )
        found = replace(found, reversals=kept)
    is_all = found.reversed and found.voided == size and found.state is not CreditState.VOIDED
    return replace(found, state=CreditState.VOIDED, booked_as=found.state) if is_all else found


def _with_reversal(found: Standing, entry: CreditEntry, benefit: int, size: Size) -> Standing | None:
    """A credit after an entry about what is asked back of it; None where that cannot be."""
    if entry.kind is EntryKind.REVERSAL_ASKED:
        if entry.size_of(benefit) > found.askable(size):
            return None
        asked = Reversal(len(found.reversals) + 1, found.attempt, found.delivery, entry.size_of(benefit))
        return replace(found, reversals=(*found.reversals, asked))
    if entry.kind is EntryKind.REVERSAL_ASSIGNED:
        moved = tuple(one.after(entry) or one for one in found.reversals)
        return replace(found, reversals=moved) if moved != found.reversals else None
    known = _reversal_of(found, entry)
    after = None if known is None else known.after(entry)
    if known is None or after is None:
        return None
    reversals = tuple(after if one is known else one for one in found.reversals)
    if after.voids != known.voids and not found.can_undo(known):
        return None
    voided = found.voided + after.voids - known.voids
    stood = replace(found, state=found.at_biller, booked_as=None, reversals=reversals, voided=voided)
    return _with_what_is_void(stood, entry.kind, size)


def contradiction(found: Standing, new: CreditEntry) -> str:
    """What a person has to look at where an answer stands that contradicts one which stands already, of a credit and of
    a reversal of it; empty where it does not. `found` is where the credit stood before it.

    Both say that the customer does not have it, so the order of the two changes nothing but which of them is looked
    at. The biller may have taken it off twice.
    """
    if new.kind in BOOKED_NO_MORE:
        is_news = found.at_biller not in _NOT_BOOKED
        says = new.kind if is_news and found.reversed_since_sent else ""
    else:
        known = _reversal_of(found, new) if new.kind in _REVERSED else None
        is_news = known is not None and not known.voids
        says = found.at_biller if is_news and found.at_biller in _NOT_BOOKED else ""
    return says and f"credit_{says}: nothing of the credit is booked, and its reversal is; taken off twice?"


_NOT_BOOKED = frozenset({CreditState.REJECTED, CreditState.TAKEN_BACK})
_REVERSED = frozenset({EntryKind.REVERSAL_ACCEPTED, EntryKind.REVERSAL_APPLIED})


def _reversal_of(found: Standing, entry: CreditEntry) -> Reversal | None:
    """The reversal that an answer is about."""
    return next((one for one in found.reversals if one.number == entry.attempt), None)


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
            return replace(found, state=target, applied=0, code="")
        case EntryKind.APPLIED:
            applied, most = found.applied + (entry.amount or 0), size - found.left_out
            state = CreditState.APPLIED if applied == most else target
            return _with_applied(found, state, applied) if applied <= most else None
        case EntryKind.REDUCED:
            voided = found.voided + entry.size_of(benefit)
            state = CreditState.VOIDED if voided == size and not found.reversed else target
            return replace(found, state=state, voided=voided) if voided <= size else None
        case _:
            return _in_state(found, target, entry.code)


@lru_cache(STANDINGS_REMEMBERED, typed=True)
def _with_applied(found: Standing, state: CreditState, applied: Size) -> Standing:
    """The same with so much of it on bills."""
    return replace(found, state=state, applied=applied)


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
    """What became of an entry, the list as it then is, and a reason (a code, then words) where it was not taken.

    `moved` is where each credit that an added entry is about stood before it, and stands: it is what `standing` gives.
    """

    result: AddResult
    entries: CreditEntries
    reason: str = ""
    moved: Mapping[int, tuple[Standing, Standing]] = field(default_factory=dict)


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
    moved: dict[int, tuple[Standing, Standing]] = {}
    refused: set[str] = set()
    for place in new.benefits:
        stood = standing(stands, place, sizes[place]) if place in sizes else None
        after = _NOT_GRANTED if stood is None else _result(stood, new, place, sizes[place])
        if isinstance(after, str):
            refused.add(after)
        elif stood is not None:
            moved[place] = stood, after
    if refused == {_OVERTAKEN} and not moved:
        return Adding(AddResult.OVERTAKEN, stands)
    if refused:
        return Adding(AddResult.CONFLICT, stands, min(refused))
    added = (*stands, new)
    kept = _kept_for_reversals(added, sizes) if new.kind not in OF_REVERSALS - {EntryKind.REVERSAL_ASKED} else 0
    if (
        len(added) + kept * ENTRIES_OF_REVERSAL > ENTRIES_MOST
        or len(entries_text(added).encode()) + kept * BYTES_OF_REVERSAL > ENTRIES_BYTES
    ):
        return Adding(AddResult.FULL, stands, f"entries_full: at most {ENTRIES_MOST} entries and {ENTRIES_BYTES} bytes")
    return Adding(AddResult.ADDED, added, moved=moved)


def _kept_for_reversals(entries: CreditEntries, sizes: Mapping[int, Size]) -> int:
    """How many reversals of a decision are asked for and not answered: room is kept for what will be said of them."""
    if not any(one.kind is EntryKind.REVERSAL_ASKED for one in entries):
        return 0
    stand = [standing(entries, place, size) for place, size in sizes.items()]
    return sum(one.is_open for found in stand for one in found.reversals)


_OVERTAKEN = "overtaken"
_NOT_GRANTED = "not_granted: the decision does not grant all that the entry names"
_BOOKED = frozenset({EntryKind.ACCEPTED, EntryKind.APPLIED})
_BOOKED_ELSEWHERE = "booked_elsewhere: it was sent to another channel, because this one had said that nothing is booked"


def _result(found: Standing, new: CreditEntry, benefit: int, size: Size) -> Standing | str:
    """What an entry does to one credit: where it stands then, `_OVERTAKEN`, or the reason of a conflict."""
    if new.kind in OF_REVERSALS:
        return _result_of_reversal(found, new, benefit, size)
    is_answer = new.kind in ANSWERS
    if is_answer and (why := _not_of_this_attempt(found, new)):
        return why
    here = found.at_biller if is_answer else found.state
    if new.kind in OVERTAKEN[here]:
        return _OVERTAKEN
    if new.kind not in MOVES[here]:
        return f"not_from_{here}: what is {here} cannot become {new.kind}"
    if (moved := _moved(found, new, benefit, size)) is not None:
        return moved
    return _against_reversal(found, new) or "amount_exceeds: more would be on bills, or void, than was credited"


def _result_of_reversal(found: Standing, new: CreditEntry, benefit: int, size: Size) -> Standing | str:
    """What an entry about a reversal does: as `_result`."""
    if (moved := _moved(found, new, benefit, size)) is not None:
        return moved
    if new.kind is EntryKind.REVERSAL_ASKED:
        if found.state not in AT_BILLER:
            return f"not_from_{found.state}: what is {found.state} cannot be asked back"
        return _against_reversal(found, new) or "amount_exceeds: more would be asked back than is left"
    known = _reversal_of(found, new)
    if new.kind is EntryKind.REVERSAL_ASSIGNED or known is None:
        return "nothing_asked: no such reversal waits for it"
    return _OVERTAKEN if new.kind in REVERSAL_OVERTAKEN.get(known.state, ()) else _against_answer(known, new)


def _against_answer(known: Reversal, new: CreditEntry) -> str:
    """Why an answer about a reversal, which nothing has overtaken, cannot be."""
    if known.after(new) is not None:
        return "sent_again: the credit was sent again since, for what the biller had not taken back"
    if new.kind is EntryKind.REVERSAL_APPLIED and new.kind in REVERSAL_MOVES[known.state]:
        return "amount_exceeds: more of the reversal would be on bills than was asked back"
    return f"reversal_{known.state}: what is {known.state} cannot become {new.kind}"


def _not_of_this_attempt(found: Standing, new: CreditEntry) -> str:
    """What an answer is that is about another channel, delivery or attempt than the latest; empty where it is not."""
    if new.delivery and found.belongs_to not in ("", channel_of(new.delivery)):
        return _BOOKED_ELSEWHERE if new.kind in _BOOKED else _OVERTAKEN
    is_booked = new.kind in (EntryKind.APPLIED, EntryKind.TAKEN_BACK)
    is_of_earlier_delivery = new.delivery and found.delivery not in ("", new.delivery) and not is_booked
    if new.attempt < found.attempt or is_of_earlier_delivery:
        return _OVERTAKEN
    return "attempt_unknown: no such attempt was delivered" if new.attempt > found.attempt else ""
