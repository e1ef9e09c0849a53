"""Budgets: what a currency may cost in a month, what is reserved of it, and what was spent.

An execution reserves what it can cost at most when it starts: what it grants, and what its customers may still accept
or claim. When no worker can write any more, what the ledger holds is spent, and only what may still be accepted stays
reserved, until nobody can accept it.
An acceptance draws on its campaign's reservation. Without one it is charged to its own month, whatever is left: it is a
customer's right, and never refused for a budget.
All amounts are minor units of one currency.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

CURRENCIES_MOST = 24
"""Currencies of one plan: its start writes a budget and a reservation for each, in one step with all else."""
RELEASED_AT_START_MOST = 12
"""Reservations of earlier campaigns that a start sets free in its own step; those beyond follow by and by."""


class BudgetExceeded(Exception):
    """An execution would cost more than is left of its month."""

    def __init__(self, currency: str, month: str, needed: int, left: int) -> None:
        super().__init__(f"the budget of {month} in {currency} is used up")
        self.currency = currency
        self.month = month
        self.needed = needed
        self.left = left


class ReadApart(ValueError):
    """A budget and reservations do not fit together: they were read at different instants. Read them again."""


class BudgetPlace(NamedTuple):
    """Which budget it is: of one month, such as 2026-12, in one currency."""

    month: str
    currency: str


@dataclass(frozen=True, slots=True)
class Budget:
    """A month's budget in one currency. `limit` is None where none is set: then nothing is refused, and all is counted.

    `voided` is what voids of this month took back, whenever it was granted: it can be spent again. `version` counts its
    writes.
    """

    currency: str
    month: str
    limit: int | None = None
    reserved: int = 0
    spent: int = 0
    version: int = 0
    voided: int = 0

    @property
    def place(self) -> BudgetPlace:
        """Which one it is."""
        return BudgetPlace(self.month, self.currency)

    @property
    def left(self) -> int | None:
        """What may still be reserved, below zero where customers' rights went beyond; None where no limit is set."""
        return None if self.limit is None else self.limit - self.reserved - self.spent + self.voided

    @property
    def is_exceeded(self) -> bool:
        """Whether more is reserved and spent than the limit allows."""
        return self.left is not None and self.left < 0

    def moved(self, *, reserved: int = 0, spent: int = 0) -> "Budget":
        """The budget after amounts were reserved (or set free, below zero) and spent. Raises ReadApart."""
        changed = replace(self, reserved=self.reserved + reserved, spent=self.spent + spent, version=self.version + 1)
        if changed.reserved < 0 or changed.spent < 0:
            raise ReadApart("no budget has less than nothing reserved or spent")
        return changed


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an execution may still cost in one currency; its month is that of its start.

    `granting` is reserved for what its workers write, nothing once that is settled. `claimable` is reserved for what
    customers may accept or claim, until the instant `claims_until` (None where nothing known ends that), and nothing
    once nobody can: then it `is_over`. `drawn` is what they did accept. `at_most` is all that its start reserved, and
    `version` counts its writes.
    """

    campaign: str
    currency: str
    month: str
    granting: int
    claimable: int
    at_most: int
    drawn: int = 0
    is_settled: bool = False
    is_over: bool = False
    claims_until: datetime | None = None
    version: int = 1

    @property
    def place(self) -> BudgetPlace:
        """The budget that it is of."""
        return BudgetPlace(self.month, self.currency)

    @property
    def amount(self) -> int:
        """What of it is still reserved."""
        return self.granting + self.claimable

    @property
    def is_done(self) -> bool:
        """Whether nothing will ever change of it."""
        return self.is_settled and not self.claimable


@dataclass(frozen=True, slots=True)
class Needed:
    """What an execution can cost at most in one currency: what it grants at once, and what it lets customers claim."""

    granting: int
    claimable: int

    @property
    def amount(self) -> int:
        """Both."""
        return self.granting + self.claimable


@dataclass(frozen=True, slots=True)
class Draw:
    """What an acceptance spends: of the reservation of `campaign`; where that is empty, of its own month."""

    currency: str
    month: str
    amount: int
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Regained:
    """What a void that ends gives back to the budget of its month, in minor units; or a biller that books reversals.
    Less than nothing where it takes them back.
    """

    currency: str
    month: str
    amount: int


@dataclass(frozen=True, slots=True)
class BudgetStep:
    """What changes in one step: budgets and reservations as they were read, and as they become.

    A reservation that is made has none before it.
    """

    budgets: tuple[tuple[Budget, Budget], ...] = ()
    reservations: tuple[tuple[Reservation | None, Reservation], ...] = ()

    def made(self) -> "list[Reservation]":
        """The reservations that it makes."""
        return [after for before, after in self.reservations if before is None]

    def is_beyond(self) -> bool:
        """Whether it spends and keeps more of a budget than was reserved."""
        more = (after.reserved + after.spent - before.reserved - before.spent for before, after in self.budgets)
        return not self.made() and any(used > 0 for used in more)


# One budget and one reservation


def reserve(
    budget: Budget, campaign: str, granting: int, claimable: int, claims_until: datetime | None = None
) -> tuple[Budget, Reservation]:
    """Reserve what an execution costs at most. Raises BudgetExceeded."""
    needed, left = granting + claimable, budget.left
    if left is not None and needed > left:
        raise BudgetExceeded(budget.currency, budget.month, needed, left)
    made = Reservation(campaign, budget.currency, budget.month, granting, claimable, needed, claims_until=claims_until)
    return budget.moved(reserved=needed), made


def settle(budget: Budget, made: Reservation, granted: int, claimable: int) -> tuple[Budget, Reservation]:
    """Spend what the ledger says was granted at once, and keep reserved what may still be accepted of `claimable`.

    `claimable` is all that the ledger offers, also what was accepted by now. A settled reservation stays as it is.
    The ledger is what counts, also where it has more than was reserved.
    """
    if made.is_settled:
        return budget, made
    open_claims = 0 if made.is_over else max(0, claimable - made.drawn)
    after = replace(made, granting=0, claimable=open_claims, is_settled=True, version=made.version + 1)
    return budget.moved(reserved=after.amount - made.amount, spent=granted), after


def accept(budget: Budget, made: Reservation, amount: int) -> tuple[Budget, Reservation]:
    """Spend what a customer accepted of a reservation. Raises ValueError where that much is not reserved."""
    if amount > made.claimable:
        raise ValueError("more was accepted than may be claimed")
    after = replace(made, claimable=made.claimable - amount, drawn=made.drawn + amount, version=made.version + 1)
    return budget.moved(reserved=-amount, spent=amount), after


def release(budget: Budget, made: Reservation) -> tuple[Budget, Reservation]:
    """Set free what nobody can accept any more, also where workers' part is not settled yet. Safe to repeat."""
    if made.is_over:
        return budget, made
    after = replace(made, claimable=0, is_over=True, version=made.version + 1)
    return budget.moved(reserved=-made.claimable), after


def charge(budget: Budget, amount: int) -> Budget:
    """Spend what a customer has a right to and nobody reserved, whatever is left."""
    return budget.moved(spent=amount)


def draw_on(made: Reservation | None, currency: str, amount: int, month: str) -> Draw:
    """What an acceptance in `month` spends: of its campaign's reservation where that has as much."""
    if made is not None and amount <= made.claimable:
        return Draw(currency, made.month, amount, made.campaign)
    return Draw(currency, month, amount)


# All currencies of a campaign


def step_of_start(
    read: Mapping[BudgetPlace, Budget],
    campaign: str,
    month: str,
    needed: Mapping[str, Needed],
    claims_until: datetime | None,
    ended: Iterable[Reservation] = (),
) -> BudgetStep:
    """What the start of an execution reserves, by currency. Raises BudgetExceeded, ReadApart.

    `ended` are reservations of earlier campaigns whose offers this start ends: what they keep for these is set free in
    the same step. `read` has the budget of every place that is touched.
    """
    now, moves = dict(read), list[tuple[Reservation | None, Reservation]]()
    for before in ended:
        now[before.place], after = release(now[before.place], before)
        moves.append((before, after))
    for currency, most in sorted(needed.items()):
        place = BudgetPlace(month, currency)
        now[place], made = reserve(now[place], campaign, most.granting, most.claimable, claims_until)
        moves.append((None, made))
    return _step(read, now, moves)


def step_of_end(
    read: Mapping[BudgetPlace, Budget],
    standing: Sequence[Reservation],
    counted: Mapping[str, Needed] | None,
    *,
    is_over: bool,
) -> BudgetStep:
    """What is settled and released of a campaign's reservations; nothing where nothing changes.

    `counted` is what its ledger grants and offers, by currency; None where that cannot be told yet. `is_over`: nobody
    can accept any more what it offers. Raises ReadApart.
    """
    now, moves = dict(read), list[tuple[Reservation | None, Reservation]]()
    for before in standing:
        budget, after = now[before.place], before
        if counted is not None:
            found = counted.get(before.currency, Needed(0, 0))
            budget, after = settle(budget, after, found.granting, found.claimable)
        if is_over:
            budget, after = release(budget, after)
        if after != before:
            now[before.place] = budget
            moves.append((before, after))
    return _step(read, now, moves)


def _step(
    read: Mapping[BudgetPlace, Budget],
    now: Mapping[BudgetPlace, Budget],
    moves: Sequence[tuple[Reservation | None, Reservation]],
) -> BudgetStep:
    changed = tuple((read[place], now[place]) for place in sorted(now) if now[place] != read[place])
    return BudgetStep(changed, tuple(moves))


# What is stored beside them


@dataclass(frozen=True, slots=True)
class LimitSet:
    """One setting of a month's budget: which, to how much, by whom, when and why. `id` is the action's own.

    `limit` is None where it was removed: then nothing is refused any more, and all is counted.
    """

    id: str
    currency: str
    month: str
    limit: int | None
    actor: str
    reason: str
    at: datetime

    def is_same_request(self, other: "LimitSet") -> bool:
        """Whether another one asks for the same, whenever it came."""
        return replace(self, at=other.at) == other


@dataclass(frozen=True, slots=True)
class Counted:
    """How far a pass over a campaign's ledger has come: what the rows before byte `position` grant and offer."""

    position: int
    sums: Mapping[str, Needed]
