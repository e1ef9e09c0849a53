"""Plan, ledger and bill of a campaign, by measure: where every credit that is to be booked stands.

    to be booked = granted - voided
                 = due + assigned + sent + unknown + accepted + applied + rejected + written off + taken back

It is added up from counters alone: the receipts of the campaign, of its deliveries, of the biller's answers and of
voids. What voids took back was on no bill; what a customer accepted later counts from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import Counted, CreditState, OfWhich, RejectedWith
from kulanz.domain.money import Size


@dataclass(frozen=True, slots=True)
class ToTheBill:
    """What of one measure was granted and voided, and where the rest stands; minor units of money, or a quantity.

    `by_state` is of what is to be booked: without what was voided. `added` is how much of `granted` no row of the list
    granted by itself. `asked_back` is how much of all that is asked back of the biller, which has not answered.

    `by_channel` is where all of it stands, what was voided included, by the channel that has it; under no name what is
    due or was voided while it was. `rejected_with` is how much is rejected, by channel and code of the biller.
    """

    measure: str
    granted: Size
    voided: Size
    by_state: Mapping[CreditState, Size]
    added: Size = 0
    asked_back: Size = 0
    by_channel: Mapping[str, Mapping[CreditState, Size]] = field(default_factory=dict)
    rejected_with: Mapping[tuple[str, RejectedWith], Size] = field(default_factory=dict)

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
        sums: dict[CreditState | OfWhich, Size] = {CreditState.VOIDED: self.voided, OfWhich.ASKED_BACK: self.asked_back}
        sums |= dict(self.by_state.items())
        found = [
            f"{self.measure}: less than nothing is {state.replace('_', ' ')}: {size} (in the smallest unit)"
            for state, size in sorted(sums.items())
            if size < 0
        ]
        found += [
            f"{self.measure}: less than nothing is {state.replace('_', ' ')} at {channel or 'no channel'}: {size}"
            " (in the smallest unit)"
            for channel, by_state in self.by_channel.items()
            for state, size in sorted(by_state.items())
            if size < 0 <= sums.get(state, 0)
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
    delivered: dict[str, _ByChannel] = {}
    for delivery in deliveries:
        where = CreditState.SENT if delivery.is_released else CreditState.ASSIGNED
        for measure, size in delivery.sums.by_measure().items():
            _add(delivered.setdefault(measure, {}), delivery.id.channel, where, size)
    measures = sorted(granted.keys() | delivered.keys() | {place.measure for sums in moved for place in sums})
    return [_of(measure, granted.get(measure, 0), delivered.get(measure, {}), moved) for measure in measures]


type _ByChannel = dict[str, dict[CreditState, Size]]


def _add(sums: _ByChannel, channel: str, state: CreditState, size: Size) -> None:
    here = sums.setdefault(channel, {})
    here[state] = here.get(state, 0) + size


def _of(
    measure: str, granted: Size, sums: _ByChannel, moved: Sequence[Mapping[MovedOf, Mapping[Counted, Size]]]
) -> ToTheBill:
    """`sums` are those of the deliveries, to which is added what became of it."""
    _add(sums, "", CreditState.DUE, granted - sum(chain.from_iterable(one.values() for one in sums.values()), start=0))
    asked_back: Size = 0
    rejected: dict[tuple[str, RejectedWith], Size] = {}
    for place, by_state in chain.from_iterable(found.items() for found in moved):
        if place.measure == measure:
            for state, size in by_state.items():
                match state:
                    case OfWhich():
                        asked_back += size
                    case RejectedWith():
                        at = place.channel, state
                        rejected[at] = rejected.get(at, 0) + size
                    case CreditState.DUE:  # what is due is at no channel
                        _add(sums, "", state, size)
                    case CreditState.ASSIGNED:  # what is released counts as sent, and only that is answered
                        _add(sums, place.channel, CreditState.SENT, size)
                    case _:
                        _add(sums, place.channel, state, size)
    whole: dict[CreditState, Size] = {}
    for state, size in chain.from_iterable(one.items() for one in sums.values()):
        whole[state] = whole.get(state, 0) + size
    voided = whole.pop(CreditState.VOIDED, 0)
    by_channel = {
        channel: {state: size for state, size in one.items() if size}
        for channel, one in sorted(sums.items())
        if any(one.values())
    }
    return ToTheBill(
        measure,
        granted,
        voided,
        {state: size for state, size in whole.items() if size},
        asked_back=asked_back,
        by_channel=by_channel,
        rejected_with={at: size for at, size in sorted(rejected.items()) if size},
    )
