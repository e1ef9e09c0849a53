"""Plan, ledger and bill of a campaign, by measure: where every credit that is to be booked stands.

    to be booked = granted - voided
                 = due + assigned + sent + unknown + accepted + applied + rejected + written off + taken back

It is added up from counters alone: the receipts of the campaign, of its deliveries, of the biller's answers and of
voids. What voids took back was on no bill; what a customer accepted later counts from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import Counted, CreditState, OfWhich


@dataclass(frozen=True, slots=True)
class ToTheBill:
    """What of one measure was granted and voided, and where the rest stands; minor units of money, or a quantity.

    `by_state` is of what is to be booked: without what was voided. `added` is how much of `granted` no row of the list
    granted by itself. `asked_back` is how much of all that is asked back of the biller, which has not answered.
    """

    measure: str
    granted: Size
    voided: Size
    by_state: Mapping[CreditState, Size]
    added: Size = 0
    asked_back: Size = 0

    @property
    def to_be_booked(self) -> Size:
        """What was granted and not voided."""
        return self.granted - self.voided

    @property
    def not_on_bills(self) -> Size:
        """What is not on bills yet, and may still come there."""
        ended = (CreditState.APPLIED, CreditState.WRITTEN_OFF)
        return sum((size for state, size in self.by_state.items() if state not in ended), start=0)

    def differences(self) -> list[str]:
        """Where the counters contradict each other, as sentences; nothing where they agree."""
        sums: dict[Counted, Size] = {CreditState.VOIDED: self.voided, OfWhich.ASKED_BACK: self.asked_back}
        sums |= dict(self.by_state.items())
        found = [
            f"{self.measure}: less than nothing is {state.replace('_', ' ')}: {size} (in the smallest unit)"
            for state, size in sorted(sums.items())
            if size < 0
        ]
        total = sum(self.by_state.values(), start=0)
        if total != self.to_be_booked:
            said = f"to be booked {self.to_be_booked}, accounted for {total} (in the smallest unit)"
            found.append(f"{self.measure}: {said}")
        return found


def to_the_bill(
    granted: Mapping[str, Size], deliveries: Iterable[Delivery], *moved: Mapping[MovedOf, Mapping[Counted, Size]]
) -> list[ToTheBill]:
    """Where what a campaign granted stands, by measure. `deliveries` are all of the campaign.

    `moved` is what answers, persons and voids moved between the states.
    """
    delivered: dict[str, dict[CreditState, Size]] = {}
    for delivery in deliveries:
        where = CreditState.SENT if delivery.is_released else CreditState.ASSIGNED
        for measure, size in delivery.sums.by_measure().items():
            sums = delivered.setdefault(measure, {})
            sums[where] = sums.get(where, 0) + size
    measures = sorted(granted.keys() | delivered.keys() | {place.measure for sums in moved for place in sums})
    return [_of(measure, granted.get(measure, 0), delivered.get(measure, {}), moved) for measure in measures]


def _of(
    measure: str,
    granted: Size,
    delivered: Mapping[CreditState, Size],
    moved: Sequence[Mapping[MovedOf, Mapping[Counted, Size]]],
) -> ToTheBill:
    sums: dict[CreditState, Size] = {CreditState.DUE: granted - sum(delivered.values(), start=0), **delivered}
    asked_back: Size = 0
    for place, by_state in chain.from_iterable(found.items() for found in moved):
        if place.measure == measure:
            for state, size in by_state.items():
                if isinstance(state, OfWhich):
                    asked_back += size
                    continue
                # What is released counts as sent, and only that is answered.
                there = CreditState.SENT if state is CreditState.ASSIGNED else state
                sums[there] = sums.get(there, 0) + size
    voided = sums.pop(CreditState.VOIDED, 0)
    by_state_ = {state: size for state, size in sums.items() if size}
    return ToTheBill(measure, granted, voided, by_state_, asked_back=asked_back)
