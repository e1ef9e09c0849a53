"""What a plan means for the budgets of its month, for whoever approves it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from kulanz.application.budgets.reserve import needed_of, set_free_by
from kulanz.application.ports import CampaignStore
from kulanz.domain.budgets import Budget, Reservation
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import GateSettings


class BudgetReview(TypedDict):
    """A month's budget in one currency of a plan, as it stands now; minor units, as exact texts.

    `limit` and `left` are None where no budget is set. `needed` is what the plan can cost at most. `set_free` is what
    its start takes off what is reserved, because it ends offers of an earlier campaign. `is_reserved`: its execution
    has started, and what it needed is among what is reserved and spent. `is_enough`: that much is left.
    """

    currency: str
    month: str
    limit: str | None
    reserved: str
    spent: str
    left: str | None
    needed: str
    set_free: str
    is_reserved: bool
    is_enough: bool


def review_budgets(
    campaign: Campaign, plan: FiledPlan, campaigns: CampaignStore, settings: GateSettings, now: datetime
) -> Sequence[BudgetReview]:
    """The budget of each currency of a plan: of the month in which it started, or of the present one."""
    made = {one.currency: one for one in campaigns.reservations(campaign.id)}
    ended = [] if made else set_free_by(campaign, campaigns)
    month = settings.budget_month(now)
    found: list[BudgetReview] = []
    for currency, needed in needed_of(plan).items():
        standing = made.get(currency)
        budget = campaigns.budget(currency, month if standing is None else standing.month)
        found.append(_review(budget, needed.amount, ended, is_reserved=standing is not None))
    return found


def _review(budget: Budget, needed: int, ended: Sequence[Reservation], *, is_reserved: bool) -> BudgetReview:
    set_free = sum(one.claimable for one in ended if one.place == budget.place)
    left = budget.left
    return {
        "currency": budget.currency,
        "month": budget.month,
        "limit": None if budget.limit is None else str(budget.limit),
        "reserved": str(budget.reserved),
        "spent": str(budget.spent),
        "left": None if left is None else str(left),
        "needed": str(needed),
        "set_free": str(set_free),
        "is_reserved": is_reserved,
        "is_enough": is_reserved or left is None or needed <= left + set_free,
    }


def beyond_budget(budgets: Sequence[BudgetReview]) -> str:
    """Why a plan does not start by itself that could otherwise: what its month lacks. Empty where nothing does."""
    lacking = [f"{one['month']} in {one['currency']}" for one in budgets if not one["is_enough"]]
    return f"not enough is left of the budget of {', '.join(lacking)}" if lacking else ""
