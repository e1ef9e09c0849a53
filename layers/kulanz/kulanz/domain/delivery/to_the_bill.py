"""Plan, ledger and bill of a campaign, by measure: where every credit that is to be booked stands.

    to be booked = due + assigned + sent + unknown + accepted + applied + rejected + written off + taken back + voided

It is added up from counters alone: the campaign's receipts, its delivery's, and those of the biller's answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kulanz.domain.delivery.answer_pass import MovedOf
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import CreditState


@dataclass(frozen=True, slots=True)
class ToTheBill:
    """What of one measure is to be booked, and where it stands; minor units of money, or a quantity."""

    measure: str
    to_be_booked: Size
    by_state: Mapping[CreditState, Size]

    @property
    def not_on_bills(self) -> Size:
        """What is not on bills yet, and may still come there."""
        ended = (CreditState.APPLIED, CreditState.WRITTEN_OFF, CreditState.VOIDED)
        return sum((size for state, size in self.by_state.items() if state not in ended), start=0)

    def differences(self) -> list[str]:
        """Where the counters contradict each other, as sentences; nothing where they agree."""
        found = [
            f"{self.measure}: less than nothing is {state.replace('_', ' ')}: {size} (in the smallest unit)"
            for state, size in sorted(self.by_state.items())
            if size < 0
        ]
        total = sum(self.by_state.values(), start=0)
        if total != self.to_be_booked:
            said = f"to be booked {self.to_be_booked}, accounted for {total} (in the smallest unit)"
            found.append(f"{self.measure}: {said}")
        return found


def to_the_bill(
    booked: Mapping[str, Size], delivery: Delivery | None, moved: Mapping[MovedOf, Mapping[CreditState, Size]]
) -> list[ToTheBill]:
    """Where what a campaign granted stands, by measure. `moved` is what answers moved between the states."""
    delivered = {} if delivery is None else delivery.sums.by_measure()
    is_sent = delivery is not None and delivery.state is DeliveryState.SENT
    measures = sorted(booked.keys() | delivered.keys() | {place.measure for place in moved})
    return [_of(measure, booked.get(measure, 0), delivered.get(measure, 0), moved, is_sent) for measure in measures]


def _of(
    measure: str,
    booked: Size,
    delivered: Size,
    moved: Mapping[MovedOf, Mapping[CreditState, Size]],
    is_sent: bool,
) -> ToTheBill:
    where = CreditState.SENT if is_sent else CreditState.ASSIGNED
    sums: dict[CreditState, Size] = {CreditState.DUE: booked - delivered, where: delivered}
    for place, by_state in moved.items():
        if place.measure == measure:
            for state, size in by_state.items():
                # A file sends its credits by its trailer: what is assigned in their entries was sent with it.
                there = where if state is CreditState.ASSIGNED else state
                sums[there] = sums.get(there, 0) + size
    return ToTheBill(measure, booked, {state: size for state, size in sums.items() if size})
