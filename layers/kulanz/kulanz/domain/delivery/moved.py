"""What an entry moves between the sums of states, and of what is due: counted with the receipt of whoever wrote it.

It follows from the place of the entry in its list, so that whoever reads the same list counts the same.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit
from kulanz.domain.delivery.dues import DueOf, Dues, owe
from kulanz.domain.delivery.entries import CreditEntries, channel_of
from kulanz.domain.delivery.standing import (
    CODES_MOST,
    OTHER_CODES,
    Counted,
    CreditState,
    OfWhich,
    RejectedWith,
    Standing,
    standing,
)
from kulanz.domain.money import Size

MOVES_REMEMBERED = 256
"""Of some 500 bytes each."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What one entry moved between the sums of states, of a measure and an amount component of the policy.

    What is left of one state is added to another; what is asked back, or not any more, is counted beside them. `due` is
    the credit's deadline. `off_bills` is how much less of it (negative) or more is not on bills, and `number` whether
    it is one credit less or more of those. `channel` is the one that had the credit; empty where it was due, and so at
    none. What is void no more was void at the channel whose biller undid a reversal, also where the credit is due by
    then. `code` is the biller's, where something is rejected with it, or is not any more.
    """

    measure: str
    component: str
    by_state: Mapping[Counted, Size]
    due: datetime | None
    off_bills: Size
    number: int
    channel: str = ""
    code: str = ""


NOT_OWED = frozenset({CreditState.APPLIED, CreditState.WRITTEN_OFF, CreditState.VOIDED})
"""The states of what is on a bill, or will never be. Everything else is late once its deadline is over."""


def moved_by(entries: CreditEntries, at: int, place: int, benefit: Benefit) -> Moved:
    """What the entry at a place of a list moved of the credit of a benefit."""
    measure, size = worth_of(benefit)
    stood, stands = standing(entries[:at], place, size), standing(entries[: at + 1], place, size)
    return moved_between(stood, stands, measure, benefit.component, size)


@lru_cache(MOVES_REMEMBERED, typed=True)
def moved_between(stood: Standing, stands: Standing, measure: str, component: str, size: Size) -> Moved:
    """What a credit of a size moved that stood so and stands so; the credits of a list stand in few ways."""
    before, after = stood.shares(size), stands.shares(size)
    changes: dict[Counted, Size] = {state: after.get(state, 0) - before.get(state, 0) for state in (*before, *after)}
    changes[OfWhich.ASKED_BACK] = stands.asked_back - stood.asked_back
    is_at_none = stood.state is CreditState.DUE and changes.get(CreditState.VOIDED, 0) >= 0
    owed_before, owed_after = owed(before), owed(after)
    return Moved(
        measure,
        component,
        {state: change for state, change in changes.items() if change},
        stands.due,
        owed_after - owed_before,
        bool(owed_after) - bool(owed_before),
        "" if is_at_none else channel_of(stood.delivery),
        stands.code or stood.code,
    )


def owed(shares: Mapping[CreditState, Size]) -> Size:
    """How much of a credit is on no bill, and still may be: this is late once its deadline is over."""
    return sum((share for state, share in shares.items() if state not in NOT_OWED), start=0)


def with_codes(counted: tuple[str, ...], new: Collection[str]) -> tuple[str, ...]:
    """The codes that are counted by themselves once `new` ones are known, in the order in which they came.

    A code that had no room once never has: so it is known by this list alone where a credit's code was counted.
    """
    return (*counted, *sorted(set(new) - set(counted)))[:CODES_MOST]


class MovedOf(NamedTuple):
    """What sums of states are kept by. What is rejected with a code is kept for all amount components together."""

    campaign: CampaignId
    measure: str
    component: str
    channel: str = ""


type MovedSums = dict[MovedOf, dict[Counted, Size]]
"""How much each state gained, in minor units or a quantity; what it lost is negative."""


@dataclass(slots=True)
class Moves:
    """What some entries moved together; the moves of two disjoint stretches add up to those of both.

    `dues` is how many credits of a deadline are on bills, or will never be, or are not any more, and how much of them.
    """

    moved: MovedSums = field(default_factory=dict)
    dues: Dues = field(default_factory=dict)

    def take(self, campaign_id: CampaignId, moved: Moved, counted: Collection[str] = ()) -> None:
        """Count what an entry moved of its campaign's sums. `counted` are the biller's codes that are counted by
        themselves; a code that is none of them counts with the other ones.
        """
        self._move(MovedOf(campaign_id, moved.measure, moved.component, moved.channel), moved.by_state)
        if rejected := moved.by_state.get(CreditState.REJECTED):
            code = RejectedWith(moved.code) if moved.code in counted else OTHER_CODES
            self._move(MovedOf(campaign_id, moved.measure, "", moved.channel), {code: rejected})
        if moved.due is not None:
            owe(self.dues, DueOf(campaign_id, moved.due, moved.measure), moved.number, moved.off_bills)

    def take_all(self, other: "Moves") -> None:
        """Count what a disjoint stretch moved."""
        for place, sums in other.moved.items():
            self._move(place, sums)
        for due, (number, size) in other.dues.items():
            owe(self.dues, due, number, size)

    def _move(self, place: MovedOf, sums: Mapping[Counted, Size]) -> None:
        here = self.moved.setdefault(place, {})
        for state, size in sums.items():
            here[state] = here.get(state, 0) + size

    @property
    def campaigns(self) -> set[CampaignId]:
        """The campaigns whose sums were moved."""
        return {place.campaign for place in self.moved}
