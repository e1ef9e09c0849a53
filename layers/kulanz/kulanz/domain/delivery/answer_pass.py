"""An answer file as a pass: what is pinned of it, its receipts, and what these add up to.

Receipts tile the file as those of a campaign tile its list, so that every line has exactly one result, and a line whose
worker died is counted once.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId, Chunks, PinnedList
from kulanz.domain.delivery.answers import AnswerResult, Heard
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.lists.header import ListLayout
from kulanz.domain.money import is_currency

CAMPAIGNS_PER_RECEIPT = 3
"""A receipt adds to the sums of each campaign that its lines are about, and to each month in which something is due of
it (at most `BILLS_AHEAD_MONTHS` and the month of the policy's own day), in one transaction of at most 100 items."""


@dataclass(slots=True)
class AnswerTotals(Moves):
    """Lines by result and code, and what they moved; the totals of two disjoint stretches add up to those of both."""

    lines: int = 0
    counts: Counter[tuple[AnswerResult, str]] = field(default_factory=Counter)

    def count(self, campaign_id: CampaignId | None, heard: Heard, codes: Collection[str] = ()) -> None:
        """Count a line, and what it moved of its campaign's sums. `codes` are those that are counted by themselves."""
        self.lines += 1
        self.counts[heard.result, code_of(heard)] += 1
        if heard.moved is not None and campaign_id is not None:
            self.take(campaign_id, heard.moved, codes)

    def add(self, other: "AnswerTotals") -> None:
        """Add the totals of another stretch."""
        self.lines += other.lines
        self.counts.update(other.counts)
        self.take_all(other)

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
    lines that changed nothing and ought to be looked at; empty where there are none. `regained` is what budgets get
    back in its step.
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
    regained: tuple[Regained, ...] = field(default=(), compare=False)


def regained_by(totals: AnswerTotals, month: str) -> tuple[Regained, ...]:
    """What answers give back to the budgets of a month: what the biller has taken back of credits by reversals."""
    found: dict[str, int] = {}
    for place, sums in totals.moved.items():
        if is_currency(place.measure):
            found[place.measure] = found.get(place.measure, 0) + int(sums.get(CreditState.VOIDED, 0))
    return tuple(Regained(currency, month, size) for currency, size in sorted(found.items()) if size)
