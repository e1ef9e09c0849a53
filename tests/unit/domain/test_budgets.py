"""Budgets: whatever the order, what is reserved and spent stays within the budget, and in the end equals the ledger."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kulanz.domain.budgets import (
    CURRENCIES_MOST,
    RELEASED_AT_START_MOST,
    Budget,
    BudgetExceeded,
    Needed,
    Reservation,
    accept,
    charge,
    draw_on,
    release,
    reserve,
    settle,
    step_of_end,
    step_of_start,
)
from tests.support.effort import examples

AMOUNTS = st.integers(0, 500)


class Month(RuleBasedStateMachine):
    """One month: executions start, write a part of what they planned, end; customers accept; offers run out.

    `ledger` is a plain model: what stands granted, by campaign and by charge.
    """

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget("EUR", "2026-11", 0)
        self.made: dict[str, Reservation] = {}
        self.granted: dict[str, int] = {}
        self.offered: dict[str, int] = {}
        self.accepted: dict[str, int] = {}
        self.over: set[str] = set()
        self.charged = 0
        self.beyond = 0
        self.misstated: dict[str, tuple[int, int]] = {}
        """By campaign: how much more than the ledger has was stated as granted, and as claimable."""

    @initialize(limit=st.integers(0, 2_000))
    def set_limit(self, limit: int) -> None:
        self.budget = replace(self.budget, limit=limit)

    @rule(granting=AMOUNTS, claimable=AMOUNTS)
    def start(self, granting: int, claimable: int) -> None:
        name = f"c/{len(self.made) + 1}"
        left = self.budget.left
        assert left is not None
        if granting + claimable > left:
            with pytest.raises(BudgetExceeded) as refused:
                reserve(self.budget, name, granting, claimable)
            assert (refused.value.needed, refused.value.left) == (granting + claimable, left)
            return
        self.budget, self.made[name] = reserve(self.budget, name, granting, claimable)
        self.granted[name] = self.offered[name] = self.accepted[name] = 0

    def _choose(self, data: st.DataObject, among: list[str]) -> str | None:
        return data.draw(st.sampled_from(among)) if among else None

    @rule(data=st.data(), granted=AMOUNTS, offered=AMOUNTS)
    def write(self, data: st.DataObject, granted: int, offered: int) -> None:
        name = self._choose(data, [name for name, one in self.made.items() if not one.is_settled])
        if name is None:
            return
        made = self.made[name]
        self.granted[name] += min(granted, made.granting - self.granted[name])
        self.offered[name] += min(offered, made.claimable + made.drawn - self.offered[name])

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        name = self._choose(data, list(self.made))
        if name is None:
            return
        self.budget, self.made[name] = settle(self.budget, self.made[name], self.granted[name], self.offered[name])

    @rule(data=st.data(), granted=AMOUNTS, claimable=AMOUNTS)
    def state(self, data: st.DataObject, granted: int, claimable: int) -> None:
        """One that cannot be counted is settled by what a person states, at most what it reserved: right or not."""
        name = self._choose(data, [name for name, one in self.made.items() if not one.is_settled])
        if name is None:
            return
        made = self.made[name]
        granted, claimable = min(granted, made.granting), min(claimable, made.claimable + made.drawn)
        self.budget, self.made[name] = settle(self.budget, made, granted, claimable)
        kept = 0 if name in self.over else max(0, claimable - self.accepted[name])
        is_open = 0 if name in self.over else self.offered[name] - self.accepted[name]
        self.misstated[name] = granted - self.granted[name], kept - is_open

    @rule(data=st.data(), amount=AMOUNTS)
    def take_up(self, data: st.DataObject, amount: int) -> None:
        name = self._choose(data, [name for name in self.made if name not in self.over])
        if name is None:
            return
        amount = min(amount, self.offered[name] - self.accepted[name])
        drawn = draw_on(self.made[name], "EUR", amount, "2026-11")
        if drawn.campaign:
            self.budget, self.made[name] = accept(self.budget, self.made[name], amount)
        else:  # more than a person stated: a customer's right all the same
            assert name in self.misstated
            self.budget = charge(self.budget, amount)
            self.beyond += amount
            wrong, kept = self.misstated[name]
            self.misstated[name] = wrong, kept + amount
        self.accepted[name] += amount

    @rule(data=st.data())
    def offers_run_out(self, data: st.DataObject) -> None:
        name = self._choose(data, list(self.made))
        if name is None:
            return
        self.budget, self.made[name] = release(self.budget, self.made[name])
        self.over.add(name)

    @rule(amount=AMOUNTS)
    def claimed_without_a_reservation(self, amount: int) -> None:
        self.budget = charge(self.budget, amount)
        self.charged += amount

    @invariant()
    def nothing_passes_the_budget_but_the_rights_of_customers(self) -> None:
        assert self.budget.limit is not None
        assert self.budget.reserved + self.budget.spent <= self.budget.limit + self.charged + self.beyond
        assert self.budget.reserved == sum(one.amount for one in self.made.values())

    @invariant()
    def the_ledger_is_never_beyond_what_is_reserved_and_spent(self) -> None:
        ledger = sum(self.granted.values()) + sum(self.accepted.values()) + self.charged
        too_little = sum(max(0, -wrong) for wrong, _ in self.misstated.values())
        assert ledger <= self.budget.reserved + self.budget.spent + too_little

    @precondition(lambda self: all(one.is_settled for one in self.made.values()))
    @invariant()
    def what_is_spent_is_the_ledger_when_nothing_is_under_way(self) -> None:
        ledger = sum(self.granted.values()) + sum(self.accepted.values()) + self.charged
        assert self.budget.spent == ledger + sum(wrong for wrong, _ in self.misstated.values())
        assert self.budget.reserved == sum(
            self.offered[name] - self.accepted[name] + self.misstated.get(name, (0, 0))[1]
            for name in self.made
            if name not in self.over
        )


def test_whatever_the_order_the_budget_is_kept_and_equals_the_ledger_in_the_end() -> None:
    run_state_machine_as_test(Month, settings=settings(max_examples=examples(150), stateful_step_count=30))


def test_without_a_limit_nothing_is_refused_and_everything_is_counted() -> None:
    budget, made = reserve(Budget("EUR", "2026-11"), "c/1", 10**9, 10**9)
    assert (budget.left, budget.reserved, made.amount) == (None, 2 * 10**9, 2 * 10**9)


@pytest.mark.parametrize(("granted", "claimable"), [(11, 0), (0, 6), (11, 6)])
def test_the_ledger_is_what_counts_also_beyond_the_reservation_and_that_is_told(granted: int, claimable: int) -> None:
    budget, made = reserve(Budget("EUR", "2026-11", 100), "c/1", 10, 5)
    step = step_of_end({budget.place: budget}, [made], {"EUR": Needed(granted, claimable)}, is_over=False)
    ((_, after),) = step.budgets
    assert (after.spent, after.reserved) == (granted, claimable)
    assert step.is_beyond() is (granted + claimable > 15)


def test_nobody_accepts_more_of_a_reservation_than_it_has() -> None:
    budget, made = reserve(Budget("EUR", "2026-11", 100), "c/1", 10, 5)
    with pytest.raises(ValueError, match="more was accepted"):
        accept(budget, made, 6)


def test_what_is_set_free_while_workers_write_is_not_reserved_again_when_they_are_counted() -> None:
    budget, made = release(*reserve(Budget("EUR", "2026-11", 100), "c/1", 10, 5))
    assert (budget.reserved, made.amount) == (10, 10)
    budget, made = settle(budget, made, 7, 5)
    assert (budget.reserved, budget.spent, made.is_done) == (0, 7, True)


def test_a_start_that_ends_offers_sets_them_free_in_its_own_step() -> None:
    november = Budget("EUR", "2026-11", 100)
    november, first = reserve(november, "c/1", 10, 60)
    read = {november.place: november}
    with pytest.raises(BudgetExceeded) as refused:
        step_of_start(read, "c/2", "2026-11", {"EUR": Needed(0, 91)}, None, [first])
    assert (refused.value.needed, refused.value.left) == (91, 90)
    step = step_of_start(read, "c/2", "2026-11", {"EUR": Needed(0, 90)}, None, [first])
    ((_, after),) = step.budgets
    assert (after.left, [one.campaign for one in step.made()]) == (0, ["c/2"])


def test_one_step_of_the_most_currencies_is_one_transaction() -> None:
    """DynamoDB takes 100 actions. A start also writes record, log, incident, two sums, halt, approval, plan, two lists
    and two entries of the audit log, and lists what is reserved.
    """
    beside = 14
    assert 2 * CURRENCIES_MOST + 2 * RELEASED_AT_START_MOST + beside <= 100


def test_a_settlement_and_a_release_are_safe_to_repeat() -> None:
    budget, made = reserve(Budget("EUR", "2026-11", 100), "c/1", 10, 5)
    once = settle(budget, made, 7, 5)
    assert settle(*once, 7, 5) == once
    freed = release(*once)
    assert release(*freed) == freed
    assert (freed[0].reserved, freed[0].spent) == (0, 7)
