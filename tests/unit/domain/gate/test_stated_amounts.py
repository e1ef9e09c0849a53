"""What a person states of a campaign that cannot be counted: between which figures it lies, and who has to agree."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kulanz.domain.budgets import Needed, Reservation
from kulanz.domain.campaigns.reconciliation import RowResult, SumKey, Totals, WriteResult
from kulanz.domain.gate.settings import GateSettings, Spent, SpentPlace, read_amounts
from kulanz.domain.gate.stated import Between, Stated, is_agreed, known_of, persons_to_state
from kulanz.domain.people.people import NOBODY_LISTED
from tests.unit.domain.gate.test_approvals import ANNA, BEN, plan

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
GRANTED, OFFERED = RowResult.GRANTED, RowResult.OFFERED


def test_what_is_known_lies_between_what_receipts_have_and_what_the_plan_leaves_for_other_lines() -> None:
    """A line whose receipt says that it was not written is not written: a conflict, a duplicate, what was capped."""
    written = Totals(
        sums={
            SumKey(GRANTED, WriteResult.WRITTEN, "EUR"): 100,
            SumKey(GRANTED, WriteResult.ALREADY, "EUR"): 20,
            SumKey(GRANTED, WriteResult.CONFLICT, "EUR"): 3,
            SumKey(OFFERED, WriteResult.WRITTEN, "EUR"): 40,
            SumKey(OFFERED, WriteResult.CAPPED, "EUR"): 5,
            SumKey(GRANTED, WriteResult.WRITTEN, "SEK"): 7,
        }
    )
    of = plan(granted={"EUR": 1_000, "SEK": 9, "GB": Decimal(8)}, offered={"EUR": 600}, claimable={"EUR": 70})
    standing = [Reservation("c/1", currency, "2026-12", 1, 1, 2) for currency in ("EUR", "SEK", "USD")]
    assert known_of(of, written, standing) == {
        "EUR": Between(Needed(120, 40), Needed(120 + 1_000 - 123, 40 + 600 - 45 + 70)),
        "SEK": Between(Needed(7, 0), Needed(9, 0)),
        "USD": Between(Needed(0, 0), Needed(0, 0)),
    }


@pytest.mark.parametrize(
    ("granting", "claimable", "has"),
    [(10, 30, True), (20, 40, True), (9, 30, False), (21, 30, False), (10, 29, False), (10, 41, False)],
)
def test_what_is_stated_is_possible_between_both_ends_and_at_them(granting: int, claimable: int, *, has: bool) -> None:
    assert Between(Needed(10, 30), Needed(20, 40)).has(Needed(granting, claimable)) is has


KNOWN = {"EUR": Between(Needed(0, 0), Needed(900, 100)), "SEK": Between(Needed(0, 0), Needed(50, 0))}


@pytest.mark.parametrize(
    ("stated", "lone", "persons"),
    [
        ({"EUR": Needed(400, 100)}, False, 1),  # sets 500 free
        ({"EUR": Needed(400, 99)}, False, 2),
        ({"SEK": Needed(50, 0)}, False, 1),  # sets nothing free, and has no threshold
        ({"SEK": Needed(49, 0)}, False, 2),
        ({"EUR": Needed(900, 100), "SEK": Needed(0, 0)}, False, 2),
        ({"EUR": Needed(0, 0), "SEK": Needed(0, 0)}, True, 1),
    ],
)
def test_two_persons_state_what_sets_more_free_than_one_may(
    stated: dict[str, Needed], persons: int, *, lone: bool
) -> None:
    settings = GateSettings(second_person_above={"EUR": 500}, lone_operator=lone)
    assert persons_to_state(stated, KNOWN, settings) == persons


STATED = Stated("s-1", {"EUR": Needed(1, 2)}, ANNA, "counted by hand", AT)
AGREED = STATED.agreed(replace(STATED, id="s-2", person=BEN, reason="me too"))


def test_a_second_person_agrees_by_the_same_amounts_once() -> None:
    assert replace(STATED, second=BEN, second_id="s-2", is_settled=True) == AGREED
    by_ben = replace(STATED, id="s-2", person=BEN)
    assert is_agreed(STATED, by_ben, NOBODY_LISTED)
    others = [None, AGREED, replace(STATED, amounts={"EUR": Needed(2, 1)}), replace(STATED, person=BEN)]
    assert not any(is_agreed(before, by_ben, NOBODY_LISTED) for before in others)


@pytest.mark.parametrize(
    ("name", "person", "amount", "is_same"),
    [("s-1", ANNA, 1, True), ("s-2", BEN, 1, True), ("s-1", BEN, 1, False), ("s-2", ANNA, 1, False),
     ("s-3", ANNA, 1, False), ("s-1", ANNA, 2, False)],
)  # fmt: skip
def test_the_same_request_is_of_the_person_who_made_it_under_its_id(
    name: str, person: str, amount: int, *, is_same: bool
) -> None:
    other = Stated(name, {"EUR": Needed(amount, 2)}, person, "another", AT)
    assert AGREED.is_same_request(other) is is_same


def test_what_automatic_executions_come_to_is_added_measure_by_measure() -> None:
    spent = Spent(SpentPlace("2026-12"), 4, {"EUR": 5, "GB": Decimal("0.5")})
    added = spent.with_plan({"EUR": 70, "GB": Decimal("0.50"), "SEK": 3})
    assert added == Spent(SpentPlace("2026-12"), 5, {"EUR": 75, "GB": 1, "SEK": 3})
    assert spent.sums == {"EUR": 5, "GB": Decimal("0.5")}


@pytest.mark.parametrize(
    ("zone", "month"), [("UTC", "2026-12"), ("Pacific/Auckland", "2027-01"), ("America/New_York", "2026-12")]
)
def test_a_budgets_month_is_that_of_its_zone(zone: str, month: str) -> None:
    assert GateSettings(budget_zone=zone).budget_month(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == month


@pytest.mark.parametrize(("whole", "fits"), [("9" * 18, True), ("9" * 19, False)])
def test_an_amount_of_a_setting_has_at_most_eighteen_digits_before_its_point(whole: str, *, fits: bool) -> None:
    if fits:
        assert read_amounts(f'{{"EUR": "{whole}.99"}}') == {"EUR": int(f"{whole}99")}
        return
    with pytest.raises(ValueError, match="amount 1: expected digits"):
        read_amounts(f'{{"EUR": "{whole}.99"}}')


@pytest.mark.parametrize(("number", "fits"), [(60, True), (61, False)])
def test_a_setting_names_at_most_sixty_measures(number: int, *, fits: bool) -> None:
    text = "{" + ",".join(f'"unit_{place}": "{place}.5"' for place in range(number)) + "}"
    if fits:
        assert read_amounts(text)["unit_7"] == Decimal("7.5")
        return
    with pytest.raises(ValueError, match="at most 60 measures"):
        read_amounts(text)
