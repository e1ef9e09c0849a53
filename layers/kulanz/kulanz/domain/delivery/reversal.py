"""A reversal: what the biller has of a credit is asked back, and counts once the biller has answered.

    asked ─► assigned ─► booked ─► applied
      └─► lapsed   └─► rejected   └─► undone

A credit goes on as it would beside it: it may come onto a bill while its reversal is under way. Once the biller has
booked the reversal, that much of the credit is void; where the biller takes the reversal back, it is not any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.money import Size


class ReversalState(StrEnum):
    """Where a reversal stands. ASKED: a void asked for it, and it is in no delivery yet. ASSIGNED: it is in one.

    BOOKED: the biller will take it off, or has of a part. APPLIED: all of it is on bills. REJECTED: the biller did not
    book it. UNDONE: the biller took it back. LAPSED: before it was delivered the biller said that the credit is booked
    no more.
    """

    ASKED = "asked"
    ASSIGNED = "assigned"
    BOOKED = "booked"
    APPLIED = "applied"
    REJECTED = "rejected"
    UNDONE = "undone"
    LAPSED = "lapsed"


OPEN = frozenset({ReversalState.ASKED, ReversalState.ASSIGNED})
"""The states of what is asked back, and not answered."""
VOID = frozenset({ReversalState.BOOKED, ReversalState.APPLIED})
"""The states in which so much of the credit is void."""

REVERSAL_MOVES: Mapping[ReversalState, Mapping[EntryKind, ReversalState]] = {
    ReversalState.ASKED: {EntryKind.REVERSAL_ASSIGNED: ReversalState.ASSIGNED},
    ReversalState.ASSIGNED: {
        EntryKind.REVERSAL_ACCEPTED: ReversalState.BOOKED,
        EntryKind.REVERSAL_APPLIED: ReversalState.BOOKED,
        EntryKind.REVERSAL_REJECTED: ReversalState.REJECTED,
        EntryKind.REVERSAL_UNDONE: ReversalState.UNDONE,
    },
    ReversalState.BOOKED: {
        EntryKind.REVERSAL_APPLIED: ReversalState.BOOKED,
        EntryKind.REVERSAL_REJECTED: ReversalState.REJECTED,
        EntryKind.REVERSAL_UNDONE: ReversalState.UNDONE,
    },
    ReversalState.APPLIED: {
        EntryKind.REVERSAL_APPLIED: ReversalState.BOOKED,
        EntryKind.REVERSAL_UNDONE: ReversalState.UNDONE,
    },
    ReversalState.REJECTED: {EntryKind.REVERSAL_UNDONE: ReversalState.UNDONE},
    ReversalState.UNDONE: {},
    ReversalState.LAPSED: {},
}
"""Every legal move. What is applied in full is APPLIED where this says BOOKED; more than all is a conflict, and so is
to reject what is on a bill."""

_BOOKED = EntryKind.REVERSAL_ACCEPTED
REVERSAL_OVERTAKEN: Mapping[ReversalState, frozenset[EntryKind]] = {
    ReversalState.BOOKED: frozenset({_BOOKED}),
    ReversalState.APPLIED: frozenset({_BOOKED}),
    ReversalState.REJECTED: frozenset({_BOOKED, EntryKind.REVERSAL_REJECTED}),
    ReversalState.UNDONE: frozenset(
        {_BOOKED, EntryKind.REVERSAL_APPLIED, EntryKind.REVERSAL_REJECTED, EntryKind.REVERSAL_UNDONE}
    ),
}
"""What comes late in a state and changes nothing."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """One reversal of a credit: the `number`-th of its benefit, of the credit's `attempt`, which is `size` large.

    `of` is the delivery that the biller has the credit from, `delivery` the one that the reversal is assigned to,
    `applied` how much of it is on bills, `code` why it was rejected.
    """

    number: int
    attempt: int
    of: str
    size: Size
    state: ReversalState = ReversalState.ASKED
    delivery: str = ""
    applied: Size = 0
    code: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is asked for, and the biller has not answered."""
        return self.state in OPEN

    @property
    def voids(self) -> Size:
        """How much of the credit is void by it."""
        return self.size if self.state in VOID else 0

    def after(self, entry: CreditEntry) -> "Reversal | None":
        """The reversal after an entry that moves it; None where it does not, or would be on bills with more than it
        is.
        """
        target = REVERSAL_MOVES[self.state].get(entry.kind)
        if target is None:
            return None
        match entry.kind:
            case EntryKind.REVERSAL_ASSIGNED:
                return replace(self, state=target, delivery=entry.delivery)
            case EntryKind.REVERSAL_APPLIED:
                applied = self.applied + (entry.amount or 0)
                state = ReversalState.APPLIED if applied == self.size else target
                return replace(self, state=state, applied=applied) if applied <= self.size else None
            case EntryKind.REVERSAL_REJECTED:
                return None if self.applied else replace(self, state=target, code=entry.code)
            case _:
                return replace(self, state=target, applied=0, code="")
