"""Sets what a currency may cost in a month, or removes that, on an administrator's word.

A limit may be less than what is reserved: then it stops every further start, and what is under way goes on. It is
removed only where nothing is reserved: what is under way was approved under it.
"""

from dataclasses import dataclass

from kulanz.application.budgets.store import BudgetStore
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Outdated, Refused, TryAgain
from kulanz.domain.budgets import Budget, LimitSet
from kulanz.domain.money import AmountError, minor_units

LIMIT_DIGITS_MOST = 15
"""Digits of a limit before its point: with three decimals fewer than the 38 that DynamoDB keeps of a number."""


@dataclass(frozen=True, slots=True)
class SetBudgetPorts:
    """The world that setting a budget touches."""

    campaigns: CampaignStore
    budgets: BudgetStore


class BudgetReserved(Refused):
    """A budget cannot be removed while something of it is reserved."""


def set_budget(asked: LimitSet, ports: SetBudgetPorts) -> Budget:
    """Set a month's budget; how it stands then. The same setting again changes nothing, also after a later one.

    Raises Refused where its id was used for another setting, BudgetReserved, and TryAgain.
    """
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        known = ports.budgets.limit_set(asked.currency, asked.month, asked.id)
        if known is not None:
            if not known.is_same_request(asked):
                raise Refused("another setting of this budget has this id; take another one")
            return ports.campaigns.budget(asked.currency, asked.month)
        try:
            ports.budgets.set_limit(asked)
        except Outdated:
            if asked.limit is None and ports.campaigns.budget(asked.currency, asked.month).reserved:
                raise BudgetReserved(
                    "something of this budget is reserved; it can be removed when that is settled or accepted"
                ) from None
            continue
        return ports.campaigns.budget(asked.currency, asked.month)
    raise TryAgain("the budget's record keeps changing")


def limit_of(text: str, currency: str) -> int:
    """Read a limit such as 250000.00 into minor units. Raises AmountError, which repeats no value."""
    decimals = minor_units(currency)
    whole, point, fraction = text.partition(".")
    is_number = all(part.isascii() and part.isdigit() for part in ([whole, fraction] if point else [whole]))
    if not is_number or len(whole) > LIMIT_DIGITS_MOST:
        raise AmountError("expected digits with a decimal point, such as 250000.00")
    if len(fraction) > decimals:
        raise AmountError(f"expected at most {decimals} decimals")
    return int(whole + fraction.ljust(decimals, "0"))
