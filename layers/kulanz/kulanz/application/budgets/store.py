"""What budgets need of the world beside the campaigns: their list, their limits, and what is still reserved of them."""

from dataclasses import dataclass
from typing import Protocol

from kulanz.application.ports import INDEXED_PER_PAGE, Page
from kulanz.domain.budgets import Budget, BudgetStep, Counted, LimitSet
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.gate.stated import Stated


@dataclass(frozen=True, slots=True)
class ReservedBy:
    """A campaign of whose reservations something can still change; `counted` is what a pass over its ledger found."""

    campaign: CampaignId
    counted: Counted | None = None


class BudgetStore(Protocol):
    """The budgets. All reads are consistent. What a start reserves and an acceptance draws is written with these."""

    def budgets_since(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Budget]:
        """The budgets of a month and of those after it, by month and currency: with a limit, or drawn on."""

    def limit_set(self, currency: str, month: str, setting_id: str) -> LimitSet | None:
        """The setting of a budget that was made under an id; None where none was."""

    def set_limit(self, setting: LimitSet) -> None:
        """Set a budget's limit or remove it, once, with its entry of the audit log, in one step.

        Whatever is reserved or spent at the same moment stays as it is. Raises Outdated where its id was used before,
        and where a limit is to be removed of which something is reserved.
        """

    def reserved(self) -> list[ReservedBy]:
        """The campaigns of whose reservations something can still change, by incident."""

    def note_counted(self, campaign_id: CampaignId, before: Counted | None, after: Counted) -> None:
        """Note how far a pass over a campaign's ledger has come. Raises Outdated where another one was first."""

    def write(self, campaign_id: CampaignId, step: BudgetStep, *, is_done: bool) -> None:
        """Settle or set free reservations of a campaign, in one step. `is_done`: nothing of them can change any more.

        Raises Outdated where a budget or a reservation is not as it was read.
        """

    def stated(self, campaign_id: CampaignId) -> Stated | None:
        """What persons stated of a campaign that cannot be counted; None where nobody did."""

    def state(self, campaign_id: CampaignId, before: Stated | None, after: Stated) -> None:
        """Note what a person stated, which waits for a second person. Raises Outdated where `before` does not stand."""

    def settle_as_stated(
        self, campaign_id: CampaignId, step: BudgetStep, before: Stated | None, after: Stated, *, is_done: bool
    ) -> None:
        """The same as `write`, in one step with the statement that it is settled by. Raises Outdated as both do."""
