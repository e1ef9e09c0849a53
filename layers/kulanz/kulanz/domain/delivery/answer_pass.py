"""An answer file as a pass: what is pinned of it, its receipts, and what these add up to.

Receipts tile the file as those of a campaign tile its list, so that every line has exactly one result, and a line whose
worker died is counted once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from kulanz.domain.campaigns.campaign import CampaignId, Chunks, PinnedList
from kulanz.domain.delivery.answers import AnswerResult, Heard
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.dues import DueOf, Dues, owe
from kulanz.domain.delivery.entries import CreditState
from kulanz.domain.lists.header import ListLayout

CAMPAIGNS_PER_RECEIPT = 3
"""A receipt adds to the sums of each campaign that its lines are about, and to each month in which something is due of
it (at most `BILLS_AHEAD_MONTHS` and the month of the policy's own day), in one transaction of at most 100 items."""


class MovedOf(NamedTuple):
    """What sums of states are kept by."""

    campaign: CampaignId
    measure: str
    component: str


@dataclass(slots=True)
class AnswerTotals:
    """Lines by result and code, and what they moved between the sums of states.

    `moved` is how much each state gained, in minor units or a quantity; what it lost is negative. `dues` is how many
    credits of a deadline are on bills or not any more, and how much of them. Adding the totals of two disjoint
    stretches gives those of both.
    """

    lines: int = 0
    counts: Counter[tuple[AnswerResult, str]] = field(default_factory=Counter)
    moved: dict[MovedOf, dict[CreditState, Size]] = field(default_factory=dict)
    dues: Dues = field(default_factory=dict)

    def count(self, campaign_id: CampaignId | None, heard: Heard) -> None:
        """Count a line, and what it moved of its campaign's sums."""
        self.lines += 1
        self.counts[heard.result, code_of(heard)] += 1
        moved = heard.moved
        if moved is None or campaign_id is None:
            return
        self._move(MovedOf(campaign_id, moved.measure, moved.component), moved.by_state)
        if moved.due is not None:
            owe(self.dues, DueOf(campaign_id, moved.due, moved.measure), moved.number, moved.off_bills)

    def add(self, other: "AnswerTotals") -> None:
        """Add the totals of another stretch."""
        self.lines += other.lines
        self.counts.update(other.counts)
        for place, sums in other.moved.items():
            self._move(place, sums)
        for due, (number, size) in other.dues.items():
            owe(self.dues, due, number, size)

    def _move(self, place: MovedOf, sums: Mapping[CreditState, Size]) -> None:
        here = self.moved.setdefault(place, {})
        for state, size in sums.items():
            here[state] = here.get(state, 0) + size

    @property
    def campaigns(self) -> set[CampaignId]:
        """The campaigns whose sums these lines moved."""
        return {place.campaign for place in self.moved}

    def by_result(self) -> Mapping[AnswerResult, int]:
        """Lines by result."""
        found: Counter[AnswerResult] = Counter()
        for (result, _), number in self.counts.items():
            found[result] += number
        return found


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """An answer file that is read for a channel. `bytes_done` and `totals` are what its receipts add up to.

    `seen` is how far it had come when the watch looked last.
    """

    id: str
    channel: str
    pinned: PinnedList
    layout: ListLayout
    chunks: Chunks
    opened_at: datetime
    opened_by: str
    bytes_done: int = 0
    seen: int = -1
    totals: AnswerTotals = field(default_factory=AnswerTotals)

    @property
    def is_finished(self) -> bool:
        """Whether every line has its result."""
        return self.bytes_done == self.chunks.total_bytes


def code_of(heard: Heard) -> str:
    """What a line is counted by beside its result: the code of its reason, where the result does not say it all."""
    if heard.result is AnswerResult.REJECTED_LINE:
        return heard.reason
    code, colon, _ = heard.reason.partition(":")
    return code if colon else ""


@dataclass(frozen=True, slots=True)
class AnswerReceipt:
    """The record that the lines in `[start, end)` of an answer file have their results.

    `moved_from` is where the chunk's cursor stood; None for its first receipt. `problems` is the document that has the
    lines that changed nothing and ought to be looked at; empty where there are none.
    """

    file: str
    channel: str
    chunk: int
    start: int
    end: int
    moved_from: int | None
    finishes_chunk: bool
    totals: AnswerTotals
    problems: str = ""
