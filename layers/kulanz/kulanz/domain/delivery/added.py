"""What was granted beside the list of a campaign, and is to be booked from that instant: accepted offers, and goodwill.

Each addition counts in the transaction that makes it. A delivery over additions takes all that were made so far; what
comes later is made behind them, so that no two deliveries have the same one and none is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit
from kulanz.domain.delivery.moved import MovedOf, MovedSums
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.ledger.entries import Entry, granted_benefits
from kulanz.domain.money import Size

ADDITIONS_EVERY = timedelta(days=1)
"""How long the first addition of a campaign waits for others, before all of them are delivered."""


@dataclass(frozen=True, slots=True)
class Added:
    """What was added to a campaign so far for one channel. `number` counts additions, also those that grant nothing.

    `moved` is what they granted, due from then on. A delivery is opened over those before `until` (microseconds since
    1970), and no addition is made before it any more. `channel` is empty for the plan's; else another one with its
    form (`letters:csv`), where persons send what the plan's rejected. That grants nothing.
    """

    number: int = 0
    moved: MovedSums = field(default_factory=dict)
    until: int = 0
    channel: str = ""

    @property
    def worth(self) -> dict[str, Size]:
        """What additions granted, by measure."""
        found: dict[str, Size] = {}
        for place, sums in self.moved.items():
            found[place.measure] = found.get(place.measure, 0) + sums.get(CreditState.DUE, 0)
        return found


@dataclass(frozen=True, slots=True)
class Additions:
    """The additions that a delivery is over: those in `[start, end)`, in microseconds since 1970, for one `channel`.

    `number` and `worth` are what was counted when they were made: what the delivery has to come to.
    """

    start: int
    end: int
    number: int
    worth: Mapping[str, Size] = field(default_factory=dict)
    channel: str = ""


def added_by(offered: Entry, granted: Entry) -> MovedSums:
    """What an acceptance adds to what its decision granted before."""
    return _due(granted.key.campaign, granted_benefits(granted)[len(granted_benefits(offered)) :])


def added_whole(entry: Entry) -> MovedSums:
    """What a decision adds that no row of the list has: all that it grants."""
    return _due(entry.key.campaign, granted_benefits(entry))


def _due(campaign: CampaignId, benefits: Iterable[Benefit]) -> MovedSums:
    found: MovedSums = {}
    for benefit in benefits:
        measure, size = worth_of(benefit)
        sums = found.setdefault(MovedOf(campaign, measure, benefit.component), {})
        sums[CreditState.DUE] = sums.get(CreditState.DUE, 0) + size
    return found


def not_delivered(added: Added, end: int, earlier: Iterable[Additions]) -> Additions:
    """What was added and is in none of the `earlier` deliveries of the campaign; `end` is behind the last of it."""
    number, worth = added.number, added.worth
    for one in (one for one in earlier if one.channel == added.channel):
        number -= one.number
        for measure, size in one.worth.items():
            worth[measure] = worth.get(measure, 0) - size
    left = {measure: size for measure, size in worth.items() if size}
    return Additions(added.until, end, number, left, added.channel)
