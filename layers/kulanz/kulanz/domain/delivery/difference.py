"""The difference: what earlier campaigns gave a subject more than it is entitled to now, and what a void takes of it.

The latest decision is reduced first, and of one decision its last benefit. What is used, has expired, was written off
or is at the biller stays. So a subject keeps what it is entitled to, or what it has used of it where that is more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.moved import Moved, moved_by
from kulanz.domain.delivery.standing import AddResult, CreditState, add_entry, standing
from kulanz.domain.delivery.void import Part, Share, Void, entry_id, is_own, parts_of
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import DecisionKey, Entry, granted_benefits, net_worth

CAMPAIGNS_MOST = 20
"""Earlier campaigns of which a void reduces decisions. Its receipts move the sums of each, and what each has due in a
month, in one transaction, which has room for 100 items."""

_STAYS = (Share.AT_BILLER, Share.WRITTEN_OFF, Share.EXPIRED, Share.USED)
"""What cannot be taken back, in the order in which it is named: what the biller may still give back comes first."""
_REDUCIBLE = frozenset({CreditState.DUE, CreditState.REJECTED, CreditState.TAKEN_BACK})


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the subject as it stands, with what became of its credits."""

    entry: Entry
    entries: CreditEntries


class Piece(NamedTuple):
    """A part of what was overpaid, and whose decision has it."""

    key: DecisionKey
    part: Part


type Entitled = Mapping[str, Size]
"""What a subject is entitled to, by measure."""


def pieces_of(entitled: Entitled, decisions: Sequence[Decided], campaign_seq: int, void: Void) -> list[Piece]:
    """Where what a subject has too much is, as it stood when the void was opened: the same however often it is asked.

    `decisions` are those of the campaigns that were set off, and that of the campaign itself (`campaign_seq`), if it
    made one. Nothing where a person decided some of them, or is to decide: who waits may be entitled to all.
    """
    own = next((one.entry for one in decisions if one.entry.key.seq == campaign_seq), None)
    if own is not None and (own.by_hand is not None or own.status in (Outcome.HELD, Outcome.REFERRED)):
        return []
    parts = [
        Piece(one.entry.key, part)
        for one in sorted(decisions, key=lambda one: one.entry.key.seq, reverse=True)
        for part in sorted(parts_of(one.entry, one.entries, void), key=lambda part: part.place, reverse=True)
    ]
    by_hand = {one.entry.key for one in decisions if one.entry.by_hand is not None}
    if any(piece.key in by_hand and piece.part.share in _NET for piece in parts):
        return []
    found: list[Piece] = []
    for measure in sorted({piece.part.measure for piece in parts}):
        mine = [piece for piece in parts if piece.part.measure == measure and piece.part.share in _NET]
        too_much = sum((piece.part.size for piece in mine), start=0) - entitled.get(measure, 0)
        for share in (Share.ASKED_BEFORE, Share.VOIDABLE, *_STAYS):
            for piece in mine:
                if piece.part.share is share and too_much > 0:
                    taken = min(too_much, piece.part.size)
                    found.append(piece._replace(part=piece.part._replace(size=taken)))
                    too_much -= taken
    return found


_NET = frozenset({Share.ASKED_BEFORE, Share.VOIDABLE, *_STAYS})


@dataclass(frozen=True, slots=True)
class Taking:
    """What a line of the campaign's list takes back of its subject. `offset` is where the line is in the list."""

    void: Void
    offset: int
    entitled: Entitled
    pieces: Sequence[Piece]

    @property
    def entry_id(self) -> str:
        """By what a line of a void knows its own entries."""
        return f"{entry_id(self.void)}/{self.offset}"

    def next(self, decisions: Mapping[DecisionKey, Decided]) -> tuple[DecisionKey, CreditEntries] | None:
        """The next decision that is reduced, with its entries as they then are; None where nothing is left to take.

        It reduces no decision by more than was planned of it, and a subject never below what it is entitled to now:
        another void may have taken something since the plan. Where a person has decided since, nothing is taken.
        """
        if self.is_repeated(decisions.values()) or any(map(_is_granted_by_hand, decisions.values())):
            return None
        left = self._too_much(decisions.values())
        for key, planned in self._by_decision().items():
            stands = decisions.get(key)
            if stands is None or any(one.id == self.entry_id for one in stands.entries):
                continue
            sizes: dict[int, Size] = {}
            for part in planned:
                taken = min(part.size, left.get(part.measure, 0), _reducible(stands, part.place))
                if taken > 0:
                    sizes[part.place] = taken
                    left[part.measure] -= taken
            if sizes and (after := self._reduced(stands, sizes)) is not None:
                return key, after
        return None

    def is_repeated(self, decisions: Iterable[Decided]) -> bool:
        """Whether another line of the list took back what was overpaid to the subject."""
        return any(is_own(self.void, one) and one.id != self.entry_id for found in decisions for one in found.entries)

    def _by_decision(self) -> dict[DecisionKey, list[Part]]:
        found: dict[DecisionKey, list[Part]] = {}
        for key, part in self.pieces:
            if part.share is Share.VOIDABLE:
                found.setdefault(key, []).append(part)
        return found

    def _too_much(self, decisions: Iterable[Decided]) -> dict[str, Size]:
        """How much of each measure is too much now, less what the biller is asked for already."""
        net: dict[str, Size] = {}
        for one in decisions:
            for place, benefit in enumerate(granted_benefits(one.entry)):
                measure, size = worth_of(benefit)
                if asked := standing(one.entries, place, size).asked_back:
                    net[measure] = net.get(measure, 0) - asked
            for measure, size in net_worth(with_voided(one.entry, one.entries)).items():
                net[measure] = net.get(measure, 0) + size
        return {measure: size - self.entitled.get(measure, 0) for measure, size in net.items()}

    def _reduced(self, stands: Decided, sizes: Mapping[int, Size]) -> CreditEntries | None:
        """A decision's entries once it is reduced; None where they have no room."""
        if self.void.started_at is None:
            raise ValueError("a void writes after it was approved")
        places = tuple(sorted(sizes))
        new = CreditEntry(
            EntryKind.REDUCED,
            self.void.started_at,
            self.void.requested_by,
            self.entry_id,
            places,
            sizes=tuple(sizes[place] for place in places),
        )
        whole = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(stands.entry))}
        adding = add_entry(stands.entries, new, whole)
        return adding.entries if adding.result is AddResult.ADDED else None

    # What became of it

    def came_to(self, decisions: Mapping[DecisionKey, Decided]) -> Iterator[Part]:
        """The parts once the line has taken what it could: voidable is voided by this line, or has changed since."""
        instead = Share.REPEATED if self.is_repeated(decisions.values()) else Share.CHANGED
        for key, part in self.pieces:
            if part.share is not Share.VOIDABLE:
                yield part
                continue
            own = self._own(decisions[key].entries)
            voided = own.size_of(part.place) if own is not None and part.place in own.benefits else 0
            if voided:
                yield part._replace(share=Share.VOIDED, size=voided)
            if voided < part.size:
                yield part._replace(share=instead, size=part.size - voided)

    def moved(self, decisions: Iterable[Decided]) -> Iterator[tuple[DecisionKey, Moved]]:
        """What this line moved between the sums of states, of each decision's campaign."""
        for stands in decisions:
            own = self._own(stands.entries)
            if own is None:
                continue
            at = stands.entries.index(own)
            for place, benefit in enumerate(granted_benefits(stands.entry)):
                if place in own.benefits:
                    yield stands.entry.key, moved_by(stands.entries, at, place, benefit)

    def _own(self, entries: CreditEntries) -> CreditEntry | None:
        return next((one for one in entries if one.id == self.entry_id), None)


def _is_granted_by_hand(stands: Decided) -> bool:
    entry = with_voided(stands.entry, stands.entries)
    return entry.by_hand is not None and any(net_worth(entry).values())


def _reducible(stands: Decided, place: int) -> Size:
    """How much of a benefit can be voided now."""
    granted = granted_benefits(stands.entry)
    if place >= len(granted):
        return 0
    _, size = worth_of(granted[place])
    found = standing(stands.entries, place, size)
    return size - found.voided if found.state in _REDUCIBLE else 0
