"""What each step leaves of a budget and of a reservation, figure by figure: no two of them are equal before it."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.domain.budgets import (
    Budget,
    BudgetExceeded,
    BudgetPlace,
    BudgetStep,
    Draw,
    LimitSet,
    Needed,
    ReadApart,
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

UNTIL = datetime(2027, 2, 3, tzinfo=UTC)
BUDGET = Budget("EUR", "2026-11", limit=10_000, reserved=900, spent=2_000, version=7, voided=50)
MADE = Reservation("c/1", "EUR", "2026-11", 300, 120, at_most=461, drawn=41, claims_until=UNTIL, version=4)
SETTLED = replace(MADE, granting=0, is_settled=True)


def test_what_is_left_is_the_limit_less_what_is_reserved_and_spent_and_what_voids_took_back_beside_it() -> None:
    assert BUDGET.left == 10_000 - 900 - 2_000 + 50
    assert replace(BUDGET, limit=None).left is None
    assert BUDGET.place == BudgetPlace("2026-11", "EUR")
    left = {2_850: False, 2_849: True, None: False}
    assert {limit: replace(BUDGET, limit=limit).is_exceeded for limit in left} == left
    assert (MADE.amount, MADE.place, Needed(3, 40).amount) == (420, BUDGET.place, 43)
    open_ = {SETTLED: False, replace(MADE, claimable=0): False, replace(SETTLED, claimable=0): True}
    assert {made: made.is_done for made in open_} == open_


@pytest.mark.parametrize(
    ("step", "budget", "made"),
    [
        (settle(BUDGET, MADE, 260, 100), {"reserved": 539, "spent": 2_260}, {"granting": 0, "claimable": 59}),
        (settle(BUDGET, MADE, 310, 200), {"reserved": 639, "spent": 2_310}, {"granting": 0, "claimable": 159}),
        (settle(BUDGET, MADE, 260, 40), {"reserved": 480, "spent": 2_260}, {"granting": 0, "claimable": 0}),
        (
            settle(BUDGET, replace(MADE, is_over=True, claimable=0), 260, 100),
            {"reserved": 600, "spent": 2_260},
            {"granting": 0, "claimable": 0, "is_over": True},
        ),
        (accept(BUDGET, MADE, 120), {"reserved": 780, "spent": 2_120}, {"claimable": 0, "drawn": 161}),
        (accept(BUDGET, MADE, 17), {"reserved": 883, "spent": 2_017}, {"claimable": 103, "drawn": 58}),
        (release(BUDGET, MADE), {"reserved": 780}, {"claimable": 0, "is_over": True}),
        (release(BUDGET, SETTLED), {"reserved": 780}, {"granting": 0, "claimable": 0, "is_over": True}),
    ],
)  # fmt: skip
def test_each_step_moves_what_it_is_about_and_counts_itself_as_one_write(
    step: tuple[Budget, Reservation], budget: dict[str, Any], made: dict[str, Any]
) -> None:
    settled: dict[str, Any] = {"is_settled": True} if made.get("granting") == 0 else {}
    assert step == (replace(BUDGET, **budget, version=8), replace(MADE, **(settled | made), version=5))


def test_what_was_settled_or_is_over_stays_as_it_is() -> None:
    assert settle(BUDGET, SETTLED, 999, 999) == (BUDGET, SETTLED)
    over = replace(MADE, is_over=True)
    assert release(BUDGET, over) == (BUDGET, over)


def test_a_reservation_is_made_up_to_the_last_cent_of_what_is_left_and_names_what_it_is_for() -> None:
    budget, made = reserve(BUDGET, "c/2", 2_000, 5_150, UNTIL)
    assert budget == replace(BUDGET, reserved=8_050, version=8)
    assert made == Reservation("c/2", "EUR", "2026-11", 2_000, 5_150, at_most=7_150, claims_until=UNTIL)
    with pytest.raises(BudgetExceeded) as refused:
        reserve(BUDGET, "c/2", 2_000, 5_151)
    told = refused.value
    assert (told.currency, told.month, told.needed, told.left) == ("EUR", "2026-11", 7_151, 7_150)
    assert str(told) == "the budget of 2026-11 in EUR is used up"


def test_no_budget_has_less_than_nothing_reserved_or_spent() -> None:
    assert BUDGET.moved(reserved=-900, spent=-2_000) == replace(BUDGET, reserved=0, spent=0, version=8)
    for moved in ({"reserved": -901}, {"spent": -2_001}):
        with pytest.raises(ReadApart):
            BUDGET.moved(**moved)
    assert charge(BUDGET, 33) == replace(BUDGET, spent=2_033, version=8)


def test_an_acceptance_draws_on_its_campaign_while_that_has_as_much_and_else_on_its_own_month() -> None:
    assert draw_on(MADE, "EUR", 120, "2027-01") == Draw("EUR", "2026-11", 120, "c/1")
    assert draw_on(MADE, "EUR", 121, "2027-01") == Draw("EUR", "2027-01", 121)
    assert draw_on(None, "EUR", 1, "2027-01") == Draw("EUR", "2027-01", 1)


# All currencies of a campaign

OCTOBER = Budget("EUR", "2026-10", limit=500, reserved=130, spent=3, version=2)
KRONA = Budget("SEK", "2026-11", limit=700, reserved=20, spent=5, version=9)
READ = {one.place: one for one in (OCTOBER, BUDGET, KRONA)}
EARLIER = replace(MADE, campaign="c/0", month="2026-10")


def test_a_start_sets_free_in_each_month_what_is_over_and_reserves_each_currency_in_its_own() -> None:
    """Nothing is taken from a budget that it does not touch."""
    step = step_of_start(READ, "c/2", "2026-11", {"SEK": Needed(11, 22), "EUR": Needed(33, 44)}, UNTIL, [EARLIER])
    freed = replace(EARLIER, claimable=0, is_over=True, version=5)
    euro = Reservation("c/2", "EUR", "2026-11", 33, 44, 77, claims_until=UNTIL)
    krona = Reservation("c/2", "SEK", "2026-11", 11, 22, 33, claims_until=UNTIL)
    assert step.reservations == ((EARLIER, freed), (None, euro), (None, krona))
    assert step.made() == [euro, krona]
    assert step.budgets == (
        (OCTOBER, replace(OCTOBER, reserved=10, version=3)),
        (BUDGET, replace(BUDGET, reserved=977, version=8)),
        (KRONA, replace(KRONA, reserved=53, version=10)),
    )
    assert step_of_start(READ, "c/2", "2026-11", {}, UNTIL) == BudgetStep()


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("is_counted", [False, True])
def test_an_end_settles_what_is_counted_and_releases_what_is_over(*, is_counted: bool, is_over: bool) -> None:
    """Of a currency that the ledger does not have, nothing was granted."""
    krona = Reservation("c/1", "SEK", "2026-11", 9, 0, 9)
    counted = {"EUR": Needed(260, 100)} if is_counted else None
    step = step_of_end(READ, [MADE, krona], counted, is_over=is_over)
    expected, moves = dict(READ), []
    for before, granted, claimable in ((MADE, 260, 100), (krona, 0, 0)):
        budget, after = expected[before.place], before
        if is_counted:
            budget, after = settle(budget, after, granted, claimable)
        if is_over:
            budget, after = release(budget, after)
        if after != before:
            moves.append((before, after))
            expected[before.place] = budget
    changed = tuple((READ[place], expected[place]) for place in sorted(READ) if READ[place] != expected[place])
    assert step == BudgetStep(changed, tuple(moves))
    assert len(step.reservations) == (2 if is_counted or is_over else 0)


@pytest.mark.parametrize(
    ("reserved", "spent", "is_beyond"),
    [(-10, 10, False), (-10, 11, True), (5, -5, False), (5, -4, True), (0, 1, True), (-1, 0, False)],
)
def test_a_step_is_beyond_where_any_of_its_budgets_has_more_reserved_and_spent_than_before(
    reserved: int, spent: int, *, is_beyond: bool
) -> None:
    less = OCTOBER, OCTOBER.moved(reserved=-50)
    step = BudgetStep((less, (BUDGET, BUDGET.moved(reserved=reserved, spent=spent))))
    assert step.is_beyond() is is_beyond
    assert not replace(step, reservations=((None, MADE),)).is_beyond()


def test_the_same_request_states_the_same_in_everything_but_its_instant() -> None:
    one = LimitSet("set-1", "EUR", "2026-11", 500, "anna", "more customers", UNTIL)
    others: dict[str, Any] = {
        "at": datetime(2027, 2, 4, tzinfo=UTC),
        "id": "set-2",
        "currency": "SEK",
        "month": "2026-12",
        "limit": None,
        "actor": "ben",
        "reason": "fewer",
    }
    assert others.keys() == {field.name for field in fields(one)}
    same = {name for name, value in others.items() if one.is_same_request(replace(one, **{name: value}))}
    assert same == {"at"}
