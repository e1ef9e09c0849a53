"""What voids took back of a decision, void by void: read from the entries of its credits alone.

Whoever reads the same entries finds the same, so that what is told of it twice is recognised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.entries import REVERSAL_ANSWERS, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.delivery.void import void_named_by
from kulanz.domain.ledger.entries import Entry, granted_benefits
from kulanz.domain.money import Size


@dataclass(frozen=True, slots=True)
class Taken:
    """What one entry made void, or not void any more because the biller undid it: then `sizes` are less than nothing.

    `entry_id` is by what the void knows the entry by which it took or asked, `benefits` which of the decision's it was
    about. `sizes` and `left`, what the decision still grants then, are by measure: minor units, or a quantity.
    """

    at: datetime
    void: VoidId
    entry_id: str
    benefits: tuple[int, ...]
    sizes: Mapping[str, Size]
    left: Mapping[str, Size]

    @property
    def is_taken(self) -> bool:
        """Whether it was taken back, and not given again."""
        return all(size > 0 for size in self.sizes.values())


def taken_of(entry: Entry, entries: Sequence[CreditEntry]) -> Iterator[Taken]:
    """What voids took back of a decision, the earliest first."""
    for number, one in enumerate(entries):
        name = _void_of(entries, one)
        void = void_named_by(name, entry.key.incident_id)
        if void is None:
            continue
        sizes: dict[str, Size] = {}
        left: dict[str, Size] = {}
        for place, benefit in enumerate(granted_benefits(entry)):
            measure, size = worth_of(benefit)
            before, after = (
                standing(entries[:end], place, size).shares(size).get(CreditState.VOIDED, 0)
                for end in (number, number + 1)
            )
            left[measure] = left.get(measure, 0) + size - after
            if after != before:
                sizes[measure] = sizes.get(measure, 0) + after - before
        if sizes:
            yield Taken(one.at, void, name, one.benefits, sizes, left)


def _void_of(entries: Sequence[CreditEntry], one: CreditEntry) -> str:
    """By what a void wrote an entry, or asked the biller for what the entry answers; empty where it is neither."""
    if one.kind in (EntryKind.VOIDED, EntryKind.REDUCED):
        return one.id
    if one.kind not in REVERSAL_ANSWERS.values():
        return ""
    kind, place = EntryKind.REVERSAL_ASKED, one.benefits[0]
    asked = [other.id for other in entries if other.kind is kind and place in other.benefits]
    return asked[one.attempt - 1]
