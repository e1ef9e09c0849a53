"""Asks back what the biller has of decisions: entries, and the additions by which the next delivery has them."""

from dataclasses import dataclass
from functools import cached_property
from itertools import batched

from kulanz.application.campaigns.chunk_run import Clock
from kulanz.application.delivery.deliver_chunk import ROUNDS_MOST
from kulanz.application.delivery.world import (
    ASKED_TOGETHER,
    Asking,
    Booked,
    CreditLedger,
    EntriesChange,
    ReversalLedger,
)
from kulanz.application.ports import CampaignStore, TryAgain
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry
from kulanz.domain.delivery.standing import AddResult, add_entry, standing
from kulanz.domain.delivery.void import Part, Share, Void, reversal_entry
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, granted_benefits


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be written of a decision, the place of its first benefit, and the channel that has it: empty for the
    plan's, else with its form.
    """

    change: EntriesChange
    place: int
    channel: str


@dataclass(frozen=True)
class ReversalAsking:
    """What a void asks the biller for, of decisions of one campaign."""

    void: Void
    campaign: Campaign
    campaigns: CampaignStore
    credits: CreditLedger
    asks: ReversalLedger

    def ask(self, mine: dict[DecisionKey, Booked], parts: dict[DecisionKey, list[Part]], clock: Clock) -> None:
        """Ask back what was planned of some decisions and is still at the biller; `mine` stands as it then is.

        Where one of several was changed meanwhile, each is tried by itself. Of a decision whose credits several
        channels have, each is asked by an entry and an addition of its own. Raises TryAgain where others keep changing
        the same entries.
        """
        waiting = [key for key in sorted(parts, key=str) if any(one.share is Share.ASKABLE for one in parts[key])]
        together = ASKED_TOGETHER
        for _ in range(ROUNDS_MOST):
            asked = {key: found for key in waiting if (found := self._asked(mine[key], parts[key])) is not None}
            if not asked:
                return
            others = False
            for channel in sorted({one.channel for one in asked.values()}):
                of_channel = [key for key, one in asked.items() if one.channel == channel]
                for page in batched(of_channel, together, strict=False):
                    if self.asks.ask([self._asking(mine[key], asked[key], clock) for key in page]):
                        for key in page:
                            after = asked[key].change.after
                            mine[key] = Booked(with_voided(mine[key].entry, after), after)
                    else:
                        others = True
            waiting = list(asked)  # of what was written only other channels are left to ask
            if others:
                mine |= self.credits.booked(waiting)
                together = 1
        if any(self._asked(mine[key], parts[key]) is not None for key in waiting):
            raise TryAgain("the credit entries of some decisions keep changing, or deliveries keep opening")

    def _asking(self, booked: Booked, asked: _Asked, clock: Clock) -> Asking:
        key, by = booked.entry.key, self.void.requested_by
        addition = Addition(AdditionKind.REVERSAL, key, clock.now(), by, asked.place, asked.channel)
        return Asking(asked.change, addition, booked.entry.ttl)

    def _asked(self, booked: Booked, parts: list[Part]) -> _Asked | None:
        """What is written next of a decision: all that one channel has of it. None where nothing is left to ask."""
        new = reversal_entry(self.void, booked.entry, booked.entries, parts)
        if new is None:
            return None
        sizes = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(booked.entry))}
        channels = {place: self._channel(booked.entries, place, sizes[place]) for place in new.benefits}
        first = channels[new.benefits[0]]
        places = tuple(place for place in new.benefits if channels[place] == first)
        entry = CreditEntry(
            new.kind, new.at, new.by, new.id, places, sizes=tuple(new.size_of(place) for place in places)
        )
        adding = add_entry(booked.entries, entry, sizes)
        if adding.result is not AddResult.ADDED:
            return None
        return _Asked(EntriesChange(booked.entry.key, booked.entries, adding.entries), places[0], first)

    def _channel(self, entries: CreditEntries, place: int, size: Size) -> str:
        stands = standing(entries, place, size)
        return "" if not stands.channel or stands.belongs_to == self._own_channel else stands.channel

    @cached_property
    def _own_channel(self) -> str | None:
        """The channel of the plan; read once, and where a credit went to another channel alone."""
        plan = self.campaigns.filed_plan(self.campaign.id)
        return None if plan is None or plan.channel is None else plan.channel.name
