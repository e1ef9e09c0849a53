"""Budgets: what a currency may cost in a month, what is reserved of it, and what was spent.

An execution reserves what it can cost at most when it starts: what it grants, and what its customers may still accept
or claim. When no worker can write any more, what was granted is spent, and only what may still be accepted stays
reserved.
An acceptance draws on its campaign's reservation. Without one it is charged to its own month, whatever is left: it is a
customer's right, and never refused for a budget.
"""

from dataclasses import dataclass, replace


class BudgetExceeded(Exception):
    """An execution would cost more than is left of its month. Amounts are minor units."""

    def __init__(self, currency: str, month: str, needed: int, left: int) -> None:
        super().__init__(f"the budget of {month} in {currency} is used up")
        self.currency = currency
        self.month = month
        self.needed = needed
        self.left = left


@dataclass(frozen=True, slots=True)
class Budget:
    """A month's budget in one currency, in minor units. `limit` is None where none is set: then nothing is refused.

    `version` counts its writes, and every write is conditional on it.
    """

    currency: str
    month: str
    limit: int | None = None
    reserved: int = 0
    spent: int = 0
    version: int = 0

    @property
    def left(self) -> int | None:
        """What may still be reserved, below zero where customers' rights went beyond; None where no limit is set."""
        return None if self.limit is None else self.limit - self.reserved - self.spent

    def moved(self, *, reserved: int = 0, spent: int = 0) -> "Budget":
        """The budget after amounts were reserved (or set free, below zero) and spent."""
        changed = replace(self, reserved=self.reserved + reserved, spent=self.spent + spent, version=self.version + 1)
        if changed.reserved < 0 or changed.spent < 0:
            raise ValueError("no budget has less than nothing reserved or spent")
        return changed


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an execution may still cost, in minor units of one currency.

    `granting` is reserved for what its workers write, nothing once that is settled. `claimable` is reserved for what
    customers may accept or claim. `drawn` is what they did accept.
    """

    campaign: str
    currency: str
    month: str
    granting: int
    claimable: int
    drawn: int = 0
    is_settled: bool = False

    @property
    def amount(self) -> int:
        """What of it is still reserved."""
        return self.granting + self.claimable


def reserve(budget: Budget, campaign: str, granting: int, claimable: int) -> tuple[Budget, Reservation]:
    """Reserve what an execution costs at most. Raises BudgetExceeded."""
    needed, left = granting + claimable, budget.left
    if left is not None and needed > left:
        raise BudgetExceeded(budget.currency, budget.month, needed, left)
    made = Reservation(campaign, budget.currency, budget.month, granting, claimable)
    return budget.moved(reserved=needed), made


def settle(budget: Budget, made: Reservation, granted: int, claimable: int) -> tuple[Budget, Reservation]:
    """Spend what the ledger says was granted at once, and keep reserved what may still be accepted of `claimable`.

    `claimable` is all that the ledger offers, also what was accepted by now. A settled reservation stays as it is.
    Raises ValueError where the ledger has more than was reserved: that is no matter of a budget.
    """
    if made.is_settled:
        return budget, made
    if granted > made.granting or claimable > made.claimable + made.drawn:
        raise ValueError("the ledger has more than the execution was to cost")
    after = replace(made, granting=0, claimable=claimable - made.drawn, is_settled=True)
    return budget.moved(reserved=after.amount - made.amount, spent=granted), after


def accept(budget: Budget, made: Reservation, amount: int) -> tuple[Budget, Reservation]:
    """Spend what a customer accepted of a reservation. Raises ValueError where that much is not reserved."""
    if amount > made.claimable:
        raise ValueError("more was accepted than may be claimed")
    after = replace(made, claimable=made.claimable - amount, drawn=made.drawn + amount)
    return budget.moved(reserved=-amount, spent=amount), after


def release(budget: Budget, made: Reservation) -> tuple[Budget, Reservation]:
    """Set free what nobody can accept any more, once the workers' part is settled. Safe to repeat."""
    if not made.is_settled:
        raise ValueError("a worker may still write")
    return budget.moved(reserved=-made.claimable) if made.claimable else budget, replace(made, claimable=0)


def charge(budget: Budget, amount: int) -> Budget:
    """Spend what a customer has a right to and nobody reserved, whatever is left."""
    return budget.moved(spent=amount)
