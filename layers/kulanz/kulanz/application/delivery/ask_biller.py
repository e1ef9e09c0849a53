"""Asks back what the biller has of decisions: entries, and the additions by which the next delivery has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import Protocol

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
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry
from kulanz.domain.delivery.standing import AddResult, add_entry, standing
from kulanz.domain.delivery.void import Void
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, Entry, granted_benefits
from kulanz.domain.money import Size


class NoticeLocales(Protocol):
    """In which languages customers are told of what is taken back."""

    def notice_locale(self, entry: Entry) -> str:
        """The language in which the customer of a decision is told of it; empty where nobody is told."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be written of a decision, the place of its first benefit, and the channel that has it: empty for the
    plan's, else with its form.
    """

    change: EntriesChange
    place: int
    channel: str


type Wanted = Mapping[DecisionKey, CreditEntry]
"""What the biller is asked for of some decisions, an entry each."""


@dataclass(frozen=True)
class ReversalAsking:
    """What a void asks billers for, of decisions of one incident."""

    void: Void
    campaigns: CampaignStore
    credits: CreditLedger
    asks: ReversalLedger
    locales: NoticeLocales
    _channels: dict[CampaignId, str | None] = field(default_factory=dict)

    def ask(self, mine: dict[DecisionKey, Booked], wanted: Callable[[], Wanted], clock: Clock) -> None:
        """Ask back what `wanted` says of some decisions as they stand in `mine`, which stand so afterwards.

        Where one of several was changed meanwhile, each is tried by itself. Of a decision whose credits several
        channels have, each is asked by an entry and an addition of its own. Raises TryAgain where others keep changing
        the same entries.
        """
        together = ASKED_TOGETHER
        for _ in range(ROUNDS_MOST):
            asked = self._asked(mine, wanted())
            if not asked:
                return
            changed = False
            for place in sorted({(key.seq, one.channel) for key, one in asked.items()}):
                of_place = [key for key, one in asked.items() if (key.seq, one.channel) == place]
                for page in batched(of_place, together, strict=False):
                    if not self.asks.ask([self._asking(mine[key], asked[key], clock) for key in page]):
                        changed = True
                        continue
                    for key in page:
                        change = asked[key].change
                        stands = with_voided(mine[key].entry, change.after)
                        mine[key] = Booked(stands, change.after, change.notice_locale)
            if changed:
                mine |= self.credits.booked(list(asked))
                together = 1
        if self._asked(mine, wanted()):
            raise TryAgain("the credit entries of some decisions keep changing, or deliveries keep opening")

    def _asking(self, booked: Booked, asked: _Asked, clock: Clock) -> Asking:
        key, by = booked.entry.key, self.void.requested_by
        addition = Addition(AdditionKind.REVERSAL, key, clock.now(), by, asked.place, asked.channel)
        return Asking(asked.change, addition, booked.entry.ttl)

    def _asked(self, mine: Mapping[DecisionKey, Booked], wanted: Wanted) -> dict[DecisionKey, _Asked]:
        found = ((key, self._of_one_channel(mine[key], wanted[key])) for key in sorted(wanted, key=str))
        return {key: one for key, one in found if one is not None}

    def _of_one_channel(self, booked: Booked, new: CreditEntry) -> _Asked | None:
        """What is written next of a decision: all that one channel has of it. None where it cannot be asked."""
        sizes = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(booked.entry))}
        campaign_id = booked.entry.key.campaign
        channels = {place: self._channel(campaign_id, booked.entries, place, sizes[place]) for place in new.benefits}
        first = channels[new.benefits[0]]
        places = tuple(place for place in new.benefits if channels[place] == first)
        entry = CreditEntry(
            new.kind, new.at, new.by, new.id, places, sizes=tuple(new.size_of(place) for place in places)
        )
        adding = add_entry(booked.entries, entry, sizes)
        if adding.result is not AddResult.ADDED:
            return None
        notice_locale = self.locales.notice_locale(booked.entry)
        return _Asked(EntriesChange(booked.entry.key, booked.entries, adding.entries, notice_locale), places[0], first)

    def _channel(self, campaign_id: CampaignId, entries: CreditEntries, place: int, size: Size) -> str:
        stands = standing(entries, place, size)
        return "" if not stands.channel or stands.belongs_to == self._own_channel(campaign_id) else stands.channel

    def _own_channel(self, campaign_id: CampaignId) -> str | None:
        """The channel of a campaign's plan; read once, and where a credit went to another channel alone."""
        if campaign_id not in self._channels:
            plan = self.campaigns.filed_plan(campaign_id)
            self._channels[campaign_id] = None if plan is None or plan.channel is None else plan.channel.name
        return self._channels[campaign_id]
