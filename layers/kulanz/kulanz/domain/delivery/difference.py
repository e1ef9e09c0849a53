"""The difference: what earlier campaigns gave a subject more than it is entitled to now, and what a void takes of it.

The latest decision is reduced first, and of one decision its last benefit. What is used, has expired or is at the
biller stays. So a subject keeps what it is entitled to, or what it has used of it where that is more. What was written
off never reached a bill: counted as given, a void would take for it what the subject is entitled to. A void that asks
the biller asks for as much of what the biller has as is still too much then, in the same order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.moved import Moved, moved_by
from kulanz.domain.delivery.standing import AddResult, CreditState, add_entry, standing
from kulanz.domain.delivery.void import Part, Share, Void, entry_id, is_own, parts_of
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import DecisionKey, Entry, granted_benefits, net_worth, written_off_worth
from kulanz.domain.money import Size

CAMPAIGNS_MOST = 20
"""Earlier campaigns of which a void reduces decisions. Its receipts move the sums of each, and what each has due in a
month, in one transaction, which has room for 100 items."""

_STAYS = (Share.AT_BILLER, Share.EXPIRED, Share.USED)
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
    if any(piece.key in by_hand and piece.part.share in _STANDING for piece in parts):
        return []
    found: list[Piece] = []
    for measure in sorted({piece.part.measure for piece in parts}):
        mine = [piece for piece in parts if piece.part.measure == measure and piece.part.share in _NET]
        too_much = sum((piece.part.size for piece in mine), start=0) - entitled.get(measure, 0)
        for share in (Share.ASKED_BEFORE, Share.VOIDABLE, Share.ASKABLE, *_STAYS):
            for piece in mine:
                if piece.part.share is share and too_much > 0:
                    taken = min(too_much, piece.part.size)
                    found.append(piece._replace(part=piece.part._replace(size=taken)))
                    too_much -= taken
    return found


_NET = frozenset({Share.ASKED_BEFORE, Share.VOIDABLE, Share.ASKABLE, *_STAYS})
_STANDING = _NET | {Share.WRITTEN_OFF}


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
            if stands is None or self._own(stands, EntryKind.REDUCED):
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

    def asks(self, decisions: Mapping[DecisionKey, Decided]) -> dict[DecisionKey, CreditEntry]:
        """What the biller is asked for once all is reduced that could be: of some decisions, an entry each.

        Never more than was planned of a credit, than the biller still has of it, and than is too much now. What this
        line has asked for already is left out, whatever the biller has answered.
        """
        if self.is_repeated(decisions.values()) or any(map(_is_granted_by_hand, decisions.values())):
            return {}
        left = self._too_much(decisions.values())
        found: dict[DecisionKey, dict[int, Size]] = {}
        for key, part in self.pieces:
            if part.share is not Share.ASKABLE or key not in decisions:
                continue
            stands = decisions[key]
            asked = {place for one in self._own(stands, EntryKind.REVERSAL_ASKED) for place in one.benefits}
            size = min(part.size, left.get(part.measure, 0), _askable(stands, part))
            if size > 0 and part.place not in asked:
                found.setdefault(key, {})[part.place] = size
                left[part.measure] -= size
        return {key: self._entry(EntryKind.REVERSAL_ASKED, sizes) for key, sizes in found.items()}

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
            stands = with_voided(one.entry, one.entries)
            for measure, size in net_worth(stands).items():
                net[measure] = net.get(measure, 0) + size
            for measure, size in written_off_worth(stands).items():
                net[measure] -= size
        return {measure: size - self.entitled.get(measure, 0) for measure, size in net.items()}

    def _reduced(self, stands: Decided, sizes: Mapping[int, Size]) -> CreditEntries | None:
        """A decision's entries once it is reduced; None where they have no room."""
        new = self._entry(EntryKind.REDUCED, sizes)
        whole = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(stands.entry))}
        adding = add_entry(stands.entries, new, whole)
        return adding.entries if adding.result is AddResult.ADDED else None

    def _entry(self, kind: EntryKind, sizes: Mapping[int, Size]) -> CreditEntry:
        """What this line writes of a decision, by place of its benefits."""
        if self.void.started_at is None:
            raise ValueError("a void writes after it was approved")
        at, by, places = self.void.started_at, self.void.requested_by, tuple(sorted(sizes))
        return CreditEntry(kind, at, by, self.entry_id, places, sizes=tuple(sizes[place] for place in places))

    # What became of it

    def came_to(self, decisions: Mapping[DecisionKey, Decided]) -> Iterator[Part]:
        """The parts once the line has taken what it could: voidable is voided by this line, or has changed since; what
        was to be asked back is asked back, or is not.
        """
        instead = Share.REPEATED if self.is_repeated(decisions.values()) else Share.CHANGED
        for key, part in self.pieces:
            if part.share is Share.VOIDABLE:
                kind, done, left = EntryKind.REDUCED, Share.VOIDED, instead
            elif part.share is Share.ASKABLE:
                kind, done, left = EntryKind.REVERSAL_ASKED, Share.ASKED, Share.NOT_ASKED
            else:
                yield part
                continue
            own = [one for one in self._own(decisions[key], kind) if part.place in one.benefits]
            taken = sum((one.size_of(part.place) for one in own), start=0)
            if taken:
                yield part._replace(share=done, size=taken)
            if taken < part.size:
                yield part._replace(share=left, size=part.size - taken)

    def moved(self, decisions: Iterable[Decided]) -> Iterator[tuple[DecisionKey, Moved]]:
        """What this line moved between the sums of states, of each decision's campaign."""
        for stands in decisions:
            own = [(at, one) for at, one in enumerate(stands.entries) if one.id == self.entry_id]
            granted = granted_benefits(stands.entry) if own else ()
            for at, one in own:
                for place in one.benefits:
                    yield stands.entry.key, moved_by(stands.entries, at, place, granted[place])

    def _own(self, stands: Decided, kind: EntryKind) -> list[CreditEntry]:
        return [one for one in stands.entries if one.id == self.entry_id and one.kind is kind]


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


def _askable(stands: Decided, part: Part) -> Size:
    """How much of a planned part can be asked back now. A credit that was sent again since is another one."""
    granted = granted_benefits(stands.entry)
    if part.place >= len(granted):
        return 0
    _, size = worth_of(granted[part.place])
    found = standing(stands.entries, part.place, size)
    return found.askable(size) if found.delivery == part.delivery else 0
