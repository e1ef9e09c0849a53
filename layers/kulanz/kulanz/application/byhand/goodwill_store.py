"""Where goodwill is kept: its records, what was counted of a month, and the campaign of the month."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kulanz.domain.budgets import Draw
from kulanz.domain.byhand.counts import Count, CountOf, CountStep
from kulanz.domain.byhand.goodwill import Goodwill
from kulanz.domain.campaigns.campaign import Campaign, Frozen, Receipt, StateChange
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.entries import Entry


@dataclass(frozen=True, slots=True)
class OpenedMonth:
    """A month's campaign as it is opened: closed over a list without rows, so that all it grants is added by hand.

    `receipts` are those of both passes over that list.
    """

    record: IncidentRecord
    campaign: Campaign
    frozen: Frozen
    plan: FiledPlan
    change: StateChange
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Giving:
    """What is written when goodwill is given: its decision, what is counted, and what it spends of budgets.

    `before` is its record while it waited; None where it did not.
    """

    before: Goodwill | None
    after: Goodwill
    entry: Entry
    counts: Sequence[CountStep]
    draws: tuple[Draw, ...] = ()


class GoodwillStore(Protocol):
    """Goodwill. Every write is one step, on the condition that all of it is as it was read; else Outdated is raised."""

    def goodwill(self, goodwill_id: str) -> Goodwill | None:
        """A record by its id, read consistently."""

    def of_account(self, account_id: str) -> list[Goodwill]:
        """All that was given to an account or asked for it, by id, read consistently."""

    def waiting(self) -> list[str]:
        """The ids of what waits for a second person, also of what has waited too long."""

    def counts(self, of: Sequence[CountOf]) -> tuple[Count, ...]:
        """What was counted, in that order, read consistently."""

    def open_month(self, month: OpenedMonth) -> None:
        """Open the campaign of a month, once. Raises Outdated where it is there."""

    def wait(self, asked: Goodwill, counts: Sequence[CountStep], keep_until: int) -> None:
        """Keep what needs a second person, under an id that nobody has used. In a halted stack Outdated is raised.

        `keep_until` (seconds since 1970) is when it may be deleted.
        """

    def give(self, giving: Giving) -> None:
        """Write a decision by hand, with its record, its addition to the month's campaign, counts, draws and log.

        Only while its campaign is closed, and the stack is not halted.
        """

    def reject(self, before: Goodwill, after: Goodwill) -> None:
        """End what waits."""
