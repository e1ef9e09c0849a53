"""What budgets promise at any instant, and when nothing is under way, checked over the stores of a world in memory."""

from collections import Counter

from kulanz.domain.budgets import BudgetPlace
from kulanz.domain.ledger.entries import Entry, granted_benefits, is_offer, is_taken, read_decision
from tests.support.world import World


def in_the_ledger(world: World) -> Counter[str]:
    """What all decisions grant as they stand, in minor units by currency."""
    found: Counter[str] = Counter()
    for entry in world.ledger.all_entries():
        for benefit in granted_benefits(entry):
            if benefit.money is not None:
                found[benefit.money.currency] += benefit.money.minor
    return found


def check_budgets(world: World) -> None:
    """At any instant: budgets and reservations agree, no start passes a limit, and the ledger is within both."""
    items = world.campaigns.budget_items
    reserved: Counter[BudgetPlace] = Counter()
    used: Counter[str] = Counter()
    for made in items.reservations.values():
        reserved[made.place] += made.amount
    for place, budget in items.budgets.items():
        assert budget.reserved == reserved[place], place
        used[place.currency] += budget.reserved + budget.spent
        if budget.limit is not None:
            assert budget.reserved + budget.spent <= budget.limit + items.charged[place], place
    for currency, granted in in_the_ledger(world).items():
        assert granted <= used[currency], "more is granted than any budget was asked for"


def check_settled(world: World) -> None:
    """When nothing is under way: what is spent is the ledger, and what is reserved are its open offers."""
    items = world.campaigns.budget_items
    assert [one for one in items.reservations.values() if not one.is_settled] == []
    spent: Counter[str] = Counter()
    reserved: Counter[str] = Counter()
    for place, budget in items.budgets.items():
        spent[place.currency] += budget.spent
        reserved[place.currency] += budget.reserved
    assert spent == in_the_ledger(world)
    is_over = {(made.campaign, made.currency) for made in items.reservations.values() if made.is_over}
    expected: Counter[str] = Counter()
    for entry in world.ledger.all_entries():
        for currency, minor in _open_offer(entry).items():
            if (str(entry.key.campaign), currency) not in is_over:
                expected[currency] += minor
    assert +reserved == +expected
    kept = {made.campaign for made in items.reservations.values() if made.claimable}
    assert items.open.keys() == kept, "what can still change is listed, and nothing else"


def _open_offer(entry: Entry) -> Counter[str]:
    if not is_offer(entry) or is_taken(entry):
        return Counter()
    decision = read_decision(entry.body)
    at_once = () if not granted_benefits(entry) else decision.benefits
    found: Counter[str] = Counter()
    for benefit in (*decision.benefits, *decision.claimable):
        if benefit.money is not None and benefit not in at_once:
            found[benefit.money.currency] += benefit.money.minor
    return found
