"""The contract of budgets: reserved with a start, drawn on with an acceptance, settled, set once; each in one step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.budgets.store import ReservedBy
from kulanz.application.ports import AtTheGate, Outdated, Start
from kulanz.domain.audit import About
from kulanz.domain.budgets import (
    Budget,
    BudgetPlace,
    BudgetStep,
    Counted,
    Draw,
    LimitSet,
    Needed,
    Reservation,
    step_of_end,
    step_of_start,
)
from kulanz.domain.campaigns.campaign import Campaign, State
from kulanz.domain.decision import Outcome
from kulanz.domain.gate.stated import Stated
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.entries import Entry
from tests.contract.backends import Backend
from tests.support.values import FIRST, NOW, OPENING, change, declared, entry, frozen, move, opened, revision

MONTH = "2026-03"
EUR, USD = BudgetPlace(MONTH, "EUR"), BudgetPlace(MONTH, "USD")
NEEDED = {"EUR": Needed(500, 300), "USD": Needed(0, 7)}
UNTIL = NOW + timedelta(days=30)
BUDGET = LimitSet("first", "EUR", MONTH, 1_000, "iam:arn:aws:iam::123456789012:user/anna", "as agreed", NOW)


def read(backend: Backend, *places: BudgetPlace) -> dict[BudgetPlace, Budget]:
    return {place: backend.campaigns.budget(place.currency, place.month) for place in places}


def waiting(backend: Backend) -> Campaign:
    """A campaign whose plan waits."""
    store, record = backend.campaigns, declared()
    store.record_revision(None, record, revision())
    after, new = opened(record)
    store.open(record, after, new, frozen(), OPENING)
    move(store, new, State.AWAITING_APPROVAL)
    found = store.campaign(FIRST)
    assert found is not None
    return found


def record_of(backend: Backend) -> IncidentRecord:
    found = backend.campaigns.incident(FIRST.incident_id)
    assert found is not None
    return found


def begin(backend: Backend, campaign: Campaign, step: BudgetStep) -> None:
    """Start its execution with what that reserves."""
    gate = AtTheGate(start=Start(record_of(backend), budgets=step))
    backend.campaigns.change_state(campaign, change(campaign, State.APPLYING), gate)


def step_of(backend: Backend) -> BudgetStep:
    return step_of_start(read(backend, EUR, USD), str(FIRST), MONTH, NEEDED, UNTIL)


def started(backend: Backend) -> list[Reservation]:
    """What a campaign reserved that has started."""
    campaign = waiting(backend)
    begin(backend, campaign, step_of(backend))
    return backend.campaigns.reservations(FIRST)


def test_nothing_is_reserved_and_no_limit_is_set_before_somebody_does(backend: Backend) -> None:
    assert backend.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH)
    assert backend.campaigns.reservations(FIRST) == []
    assert backend.budgets.reserved() == []
    assert backend.budgets.budgets_since("2026-01").found == ()
    assert backend.budgets.limit_set("EUR", MONTH, "first") is None


def test_a_start_reserves_in_its_own_step(backend: Backend) -> None:
    assert started(backend) == [
        Reservation(str(FIRST), "EUR", MONTH, 500, 300, 800, claims_until=UNTIL),
        Reservation(str(FIRST), "USD", MONTH, 0, 7, 7, claims_until=UNTIL),
    ]
    assert read(backend, EUR, USD) == {
        EUR: Budget("EUR", MONTH, None, 800, 0, 1), USD: Budget("USD", MONTH, None, 7, 0, 1)
    }  # fmt: skip
    assert backend.budgets.reserved() == [ReservedBy(FIRST)]


def test_a_start_over_a_budget_that_has_moved_reserves_nothing(backend: Backend) -> None:
    campaign = waiting(backend)
    late = step_of(backend)
    backend.budgets.set_limit(BUDGET)

    with pytest.raises(Outdated):
        begin(backend, campaign, late)

    assert backend.campaigns.reservations(FIRST) == []
    assert (backend.budgets.reserved(), record_of(backend).applied) == ([], ())
    assert read(backend, EUR) == {EUR: Budget("EUR", MONTH, 1_000, 0, 0, 1)}
    begin(backend, campaign, step_of(backend))
    assert read(backend, EUR) == {EUR: Budget("EUR", MONTH, 1_000, 800, 0, 2)}


def test_a_start_that_is_repeated_reserves_once(backend: Backend) -> None:
    campaign = waiting(backend)
    step, record = step_of(backend), record_of(backend)
    for _ in range(2):
        gate = AtTheGate(start=Start(record, budgets=step))
        backend.campaigns.change_state(campaign, change(campaign, State.APPLYING), gate)
    assert backend.campaigns.budget("EUR", MONTH).reserved == 800


# Limits


def test_a_limit_is_set_once_and_leaves_what_is_reserved(backend: Backend) -> None:
    started(backend)
    backend.budgets.set_limit(BUDGET)

    assert backend.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH, 1_000, 800, 0, 2)
    assert backend.budgets.limit_set("EUR", MONTH, "first") == BUDGET
    with pytest.raises(Outdated):
        backend.budgets.set_limit(replace(BUDGET, limit=9))
    backend.budgets.set_limit(replace(BUDGET, id="second", limit=2_000))
    assert backend.campaigns.budget("EUR", MONTH).left == 1_200


def test_a_limit_is_removed_only_while_nothing_is_reserved(backend: Backend) -> None:
    backend.budgets.set_limit(BUDGET)
    removal = replace(BUDGET, id="removal", limit=None)
    backend.budgets.set_limit(removal)
    assert backend.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH, None, 0, 0, 2)
    assert backend.budgets.limit_set("EUR", MONTH, "removal") == removal
    with pytest.raises(Outdated):
        backend.budgets.set_limit(replace(removal, limit=9))
    started(backend)
    backend.budgets.set_limit(replace(BUDGET, id="again"))
    with pytest.raises(Outdated):
        backend.budgets.set_limit(replace(removal, id="another"))
    assert backend.campaigns.budget("EUR", MONTH).limit == BUDGET.limit


def test_the_audit_log_says_who_set_a_limit(backend: Backend) -> None:
    backend.budgets.set_limit(BUDGET)
    logged = [one for one in backend.index.audit_of_actor(BUDGET.actor).found if one.about is About.BUDGET]
    assert [(one.on, one.action, one.reason, one.at) for one in logged] == [
        ("EUR 2026-03", "set", "10.00 EUR: as agreed", NOW)
    ]


def test_budgets_come_by_month_and_currency_a_page_at_a_time(backend: Backend) -> None:
    names = [("2025-12", "EUR"), ("2026-01", "EUR"), ("2026-01", "USD"), ("2026-11", "CHF")]
    for month, currency in reversed(names):
        backend.budgets.set_limit(replace(BUDGET, id=f"{month}-{currency}", month=month, currency=currency))
    found, after = list[tuple[str, str]](), ""
    for _ in range(3):
        page = backend.budgets.budgets_since("2026-01", after, 1)
        found += [(one.month, one.currency) for one in page.found]
        after = page.after
    assert found == names[1:]
    assert after == ""
    assert len(backend.budgets.budgets_since("2020-01").found) == 4


# Acceptances


def offer(backend: Backend, account_id: str = "offered") -> tuple[Entry, Entry]:
    offered = entry(account_id, status=Outcome.OFFERED)
    backend.ledger.insert([offered])
    return offered, replace(offered, status=Outcome.GRANTED, accepted_at=NOW + timedelta(days=1))


def test_an_acceptance_draws_on_its_campaigns_reservation(backend: Backend) -> None:
    euro, dollar = started(backend)
    offered, granted = offer(backend)
    draws = (Draw("EUR", MONTH, 200, str(FIRST)), Draw("USD", MONTH, 7, str(FIRST)))
    backend.offers.accept(offered, granted, record_of(backend), "support", None, draws)

    assert backend.campaigns.reservations(FIRST) == [
        replace(euro, claimable=100, drawn=200, version=2), replace(dollar, claimable=0, drawn=7, version=2)
    ]  # fmt: skip
    assert read(backend, EUR, USD) == {
        EUR: Budget("EUR", MONTH, None, 600, 200, 2), USD: Budget("USD", MONTH, None, 0, 7, 2)
    }  # fmt: skip


def test_an_acceptance_that_is_not_reserved_changes_nothing_and_is_charged_to_its_own_month(backend: Backend) -> None:
    before = started(backend)
    offered, granted = offer(backend)
    beyond = (Draw("EUR", MONTH, 301, str(FIRST)),)
    with pytest.raises(Outdated):
        backend.offers.accept(offered, granted, record_of(backend), "support", None, beyond)
    assert backend.ledger.of_account("offered") == [offered]
    assert (backend.campaigns.reservations(FIRST), backend.campaigns.budget("EUR", MONTH).spent) == (before, 0)

    own_month = (Draw("EUR", "2026-04", 301),)
    backend.offers.accept(offered, granted, record_of(backend), "support", None, own_month)
    assert backend.campaigns.reservations(FIRST) == before
    assert backend.campaigns.budget("EUR", "2026-04") == Budget("EUR", "2026-04", None, 0, 301, 1)


def test_two_acceptances_both_count_and_outdate_a_settlement_that_did_not_know_them(backend: Backend) -> None:
    standing = started(backend)
    late = step_of_end(read(backend, EUR, USD), standing, {"EUR": Needed(500, 300)}, is_over=False)
    for name in ("one", "two"):
        draws = (Draw("EUR", MONTH, 100, str(FIRST)),)
        backend.offers.accept(*offer(backend, name), record_of(backend), "support", None, draws)
    assert backend.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH, None, 600, 200, 3)

    with pytest.raises(Outdated):
        backend.budgets.write(FIRST, late, is_done=False)
    assert backend.campaigns.budget("EUR", MONTH).spent == 200


# Settlement


def test_what_is_settled_is_read_back_and_delisted_when_nothing_of_it_can_change(backend: Backend) -> None:
    euro, dollar = started(backend)
    counted = {"EUR": Needed(450, 300), "USD": Needed(0, 7)}
    step = step_of_end(read(backend, EUR, USD), [euro, dollar], counted, is_over=False)
    backend.budgets.write(FIRST, step, is_done=False)
    settled = backend.campaigns.reservations(FIRST)
    assert settled == [
        replace(euro, granting=0, is_settled=True, version=2), replace(dollar, is_settled=True, version=2)
    ]  # fmt: skip
    assert backend.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH, None, 300, 450, 2)
    assert backend.budgets.reserved() == [ReservedBy(FIRST)]

    over = step_of_end(read(backend, EUR, USD), settled, None, is_over=True)
    backend.budgets.write(FIRST, over, is_done=True)
    assert [one.is_done and one.is_over for one in backend.campaigns.reservations(FIRST)] == [True, True]
    assert (backend.campaigns.budget("EUR", MONTH).reserved, backend.budgets.reserved()) == (0, [])
    with pytest.raises(Outdated):  # DynamoDB would know the very same step by its token
        backend.budgets.write(FIRST, over, is_done=False)
    backend.budgets.write(FIRST, BudgetStep(), is_done=True)


def test_a_pass_goes_on_where_it_stopped_and_two_do_not_overtake_each_other(backend: Backend) -> None:
    started(backend)
    first, second = Counted(100, {"EUR": Needed(40, 3)}), Counted(200, {"EUR": Needed(80, 3), "USD": Needed(0, 1)})
    backend.budgets.note_counted(FIRST, None, first)
    assert backend.budgets.reserved() == [ReservedBy(FIRST, first)]
    with pytest.raises(Outdated):
        backend.budgets.note_counted(FIRST, None, second)
    backend.budgets.note_counted(FIRST, first, second)
    assert backend.budgets.reserved() == [ReservedBy(FIRST, second)]
    with pytest.raises(Outdated):  # a pass that began from the first, and was overtaken
        backend.budgets.note_counted(FIRST, first, Counted(150, {"EUR": Needed(60, 3)}))
    with pytest.raises(Outdated):
        backend.budgets.note_counted(replace(FIRST, seq=2), None, first)
    assert backend.budgets.reserved() == [ReservedBy(FIRST, second)]


# Stated by persons


def test_what_is_stated_settles_in_its_own_step_and_stands_for_good(backend: Backend) -> None:
    standing = started(backend)
    amounts = {"EUR": Needed(450, 300), "USD": Needed(0, 7)}
    first = Stated("s-1", amounts, BUDGET.actor, "as billing says", NOW)
    assert backend.budgets.stated(FIRST) is None
    backend.budgets.state(FIRST, None, first)
    assert backend.budgets.stated(FIRST) == first
    with pytest.raises(Outdated):
        backend.budgets.state(FIRST, None, replace(first, id="s-2"))
    other = replace(first, id="s-3", person="sso:ben", amounts={**amounts, "EUR": Needed(9, 0)})
    backend.budgets.state(FIRST, first, other)
    with pytest.raises(Outdated):
        backend.budgets.state(FIRST, first, replace(first, id="s-4"))
    step = step_of_end(read(backend, EUR, USD), standing, amounts, is_over=False)
    done = replace(first, second="sso:carl", second_id="s-5", is_settled=True)
    with pytest.raises(Outdated):
        backend.budgets.settle_as_stated(FIRST, step, first, done, is_done=False)
    assert (backend.campaigns.reservations(FIRST), backend.budgets.stated(FIRST)) == (standing, other)
    backend.budgets.settle_as_stated(FIRST, step, other, done, is_done=True)
    assert backend.budgets.stated(FIRST) == done
    assert read(backend, EUR)[EUR].spent == 450
    assert [one.is_settled for one in backend.campaigns.reservations(FIRST)] == [True, True]
    assert backend.budgets.reserved() == []
    with pytest.raises(Outdated):
        backend.budgets.state(FIRST, done, first)


def test_a_statement_over_reservations_that_moved_changes_nothing(backend: Backend) -> None:
    standing = started(backend)
    amounts = {"EUR": Needed(450, 300), "USD": Needed(0, 7)}
    late = step_of_end(read(backend, EUR, USD), standing, amounts, is_over=False)
    backend.offers.accept(*offer(backend), record_of(backend), "support", None, (Draw("EUR", MONTH, 1, str(FIRST)),))
    done = Stated("s-1", amounts, BUDGET.actor, "as billing says", NOW, is_settled=True)
    with pytest.raises(Outdated):
        backend.budgets.settle_as_stated(FIRST, late, None, done, is_done=False)
    assert backend.budgets.stated(FIRST) is None
