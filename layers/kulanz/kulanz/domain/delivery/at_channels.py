"""What is at which channel, and what its biller rejected with which code: from the entries of decisions.

The counters of deliveries, answers, persons and voids say the same (`ToTheBill.by_channel`, `rejected_with`). What is
due is at no channel. What was voided is in the law, for all channels together.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.entries import CreditEntry, channel_of
from kulanz.domain.delivery.standing import OTHER_CODES, CreditState, RejectedWith, standing
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.ledger.entries import Entry, granted_benefits
from kulanz.domain.money import Size

type Place = tuple[str, str, CreditState | RejectedWith]
"""A measure, a channel, and a state or a code of the biller."""

_NOWHERE = frozenset({CreditState.DUE, CreditState.VOIDED})


@dataclass(slots=True)
class AtChannels:
    """How much is where; minor units of money, or a quantity."""

    sums: dict[Place, Size] = field(default_factory=dict)

    def take(self, entry: Entry, entries: Sequence[CreditEntry]) -> None:
        """Add what a decision grants, by its entries."""
        for place, benefit in enumerate(granted_benefits(entry) if entries else ()):
            measure, size = worth_of(benefit)
            stands = standing(entries, place, size)
            channel = channel_of(stands.delivery)
            for state, share in stands.shares(size).items() if channel else ():
                self._add((measure, channel, _on_its_way(state)), share)
                if state is CreditState.REJECTED:
                    self._add((measure, channel, RejectedWith(stands.code)), share)

    def _add(self, place: Place, size: Size) -> None:
        if place[2] not in _NOWHERE:
            self.sums[place] = self.sums.get(place, 0) + size

    def broken(self, lines: Iterable[ToTheBill], codes: Callable[[str], Collection[str]]) -> list[str]:
        """Where counters say something else, as sentences. `codes` are those of a channel counted by themselves."""
        counted = dict(_counted(lines))
        found: dict[Place, Size] = {}
        for (measure, channel, what), size in self.sums.items():
            is_other = isinstance(what, RejectedWith) and what.code not in codes(channel)
            place = measure, channel, OTHER_CODES if is_other else what
            found[place] = found.get(place, 0) + size
        return [
            f"{measure} {_words(what)} by {channel}: counters {counted.get(place, 0)}, entries {found.get(place, 0)}"
            " (in the smallest unit)"
            for place in sorted(counted.keys() | found.keys(), key=str)
            for measure, channel, what in (place,)
            if counted.get(place, 0) != found.get(place, 0)
        ]


def _counted(lines: Iterable[ToTheBill]) -> Iterator[tuple[Place, Size]]:
    for line in lines:
        for channel, by_state in line.by_channel.items():
            sums: dict[CreditState, Size] = {}
            for state, size in by_state.items():
                if state not in _NOWHERE:
                    sums[_on_its_way(state)] = sums.get(_on_its_way(state), 0) + size
            yield from (((line.measure, channel, state), size) for state, size in sums.items())
        yield from (((line.measure, channel, code), size) for (channel, code), size in line.rejected_with.items())


def _on_its_way(state: CreditState) -> CreditState:
    """Entries do not say whether a delivery was released."""
    return CreditState.SENT if state is CreditState.ASSIGNED else state


def _words(what: CreditState | RejectedWith) -> str:
    if isinstance(what, RejectedWith):
        return f"rejected with {what.code or 'other codes'}"
    return what.replace("_", " ")
