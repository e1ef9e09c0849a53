"""What a void writes of decisions: their entries, in one step with what that takes off the subject's history.

And how long a worker goes on: it looks at the halt and at its time, and keeps the stack's pace.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kulanz.application.campaigns.chunk_run import (
    STOP_LOOK_SECONDS,
    TIME_TO_FINISH_SECONDS,
    Clock,
    GrantSettings,
)
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.deliver_chunk import ASSIGN_WRITE_UNITS
from kulanz.application.delivery.void_histories import history_step
from kulanz.application.delivery.world import CreditLedger, EntriesChange
from kulanz.application.ports import CampaignStore, Ledger
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS
from kulanz.domain.ledger.entries import DecisionKey, Entry, read_decision
from kulanz.domain.policy import CompiledPolicy


@dataclass(slots=True)
class VoidWriter:
    """Writes entries of decisions of one incident, whose campaigns and record it reads once."""

    work: Pass
    keeps_history: bool
    campaigns: CampaignStore
    ledger: Ledger
    credits: CreditLedger
    cache: FrozenCache
    settings: GrantSettings
    clock: Clock
    _looks_below: float = float("inf")
    _found: dict[CampaignId, Campaign] = field(default_factory=dict)
    _policies: dict[CampaignId, CompiledPolicy] = field(default_factory=dict)
    _applied: tuple[int, ...] | None = None

    @property
    def per_wave(self) -> int:
        """How many decisions are worked together."""
        return self.settings.entries_per_wave(1 if self.work is Pass.PLAN else self._units)

    @property
    def _units(self) -> int:
        return HISTORY_WRITE_UNITS if self.keeps_history else ASSIGN_WRITE_UNITS

    def must_end(self) -> bool:
        """Whether this attempt must end here: its time is over, or the stack was halted."""
        seconds_left = self.clock.seconds_left()
        if seconds_left < self._looks_below:
            self._looks_below = seconds_left - STOP_LOOK_SECONDS
            if self.work is Pass.APPLY and self.campaigns.halt().is_on:
                return True
        return seconds_left < TIME_TO_FINISH_SECONDS

    def pace(self, written: int, began: float) -> None:
        """Wait as long as so many entries take at the stack's pace. `began` is the seconds that were left before."""
        if written and self.settings.units_per_second > 0:
            spent = began - self.clock.seconds_left()
            self.clock.wait(max(0.0, self._units * written / self.settings.units_per_second - spent))

    def write(self, changes: Sequence[tuple[Entry, EntriesChange]]) -> set[DecisionKey]:
        """Write the changes of distinct decisions, each on the condition that it is as it was read; which were."""
        kept, plain = list[tuple[Entry, EntriesChange, Campaign]](), list[EntriesChange]()
        for entry, plain_change in changes:
            campaign = self._campaign(entry.key.campaign)
            change = replace(plain_change, notice_locale=self.notice_locale(entry))
            if campaign.keeps_history:
                kept.append((entry, change, campaign))
            else:
                plain.append(change)
        written = self.credits.write_entries(plain) if plain else []
        found = {change.key for change, is_written in zip(plain, written, strict=True) if is_written}
        return found | {change.key for entry, change, of in kept if self._write_with_history(entry, change, of)}

    def notice_locale(self, entry: Entry) -> str:
        """The language in which a customer is told of what is taken back of a decision; empty where nobody is told."""
        notice, campaign_id = read_decision(entry.body).notice, entry.key.campaign
        if notice is None:
            return ""
        if campaign_id not in self._policies:  # of what was overpaid, more campaigns than the cache has room for
            self._policies[campaign_id] = self.cache.get(self._campaign(campaign_id), self.campaigns)
        return self._policies[campaign_id].voided_in(notice)

    def _campaign(self, campaign_id: CampaignId) -> Campaign:
        if campaign_id not in self._found:
            campaign = self.campaigns.campaign(campaign_id)
            if campaign is None:
                raise ValueError("a decision is of a campaign that is there")
            self._found[campaign_id] = campaign
        return self._found[campaign_id]

    def _write_with_history(self, entry: Entry, change: EntriesChange, campaign: Campaign) -> bool:
        """Void a decision in one step with what that takes off its subject's history."""
        step = history_step(entry, change, campaign.policy_id, self.ledger, lambda: self._applied_to(entry.key))
        if step is None:
            return self.credits.write_entries([change])[0]
        return self.credits.write_with_history(change, step.change)

    def _applied_to(self, key: DecisionKey) -> list[Campaign]:
        """The campaigns of the incident that may have decided a subject."""
        if self._applied is None:  # while a void runs no campaign of the incident starts
            record = self.campaigns.incident(key.incident_id)
            self._applied = (key.seq,) if record is None else record.applied
        return [self._campaign(CampaignId(key.incident_id, seq)) for seq in self._applied]
