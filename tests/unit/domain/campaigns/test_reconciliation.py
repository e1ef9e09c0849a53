"""The books: every line in one class, sums that do not depend on how a list was cut, and differences that are named."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.reconciliation import (
    DIGEST_MODULUS,
    IN_THE_LEDGER,
    CountKey,
    RowResult,
    Totals,
    WriteResult,
    differences,
    worth_of,
)
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.money import Money

BENEFITS = [
    (),
    (Benefit(money=Money(500, "USD")),),
    (Benefit(money=Money(1, "EUR")), Benefit(quantity="0.1", unit="GB")),
    (Benefit(quantity="20", unit="call_minute"), Benefit(quantity=UNLIMITED, unit="data")),
]
DECISIONS = [
    *(Decision(Outcome.GRANTED, "credit", benefits) for benefits in BENEFITS[1:]),
    Decision(Outcome.DECLINED, "prepaid"),
    Decision(Outcome.HELD, "fee_unknown"),
    Decision(Outcome.REFERRED, "business"),
    Decision(Outcome.OFFERED, "goodwill", BENEFITS[1]),
]
WRITTEN = [WriteResult.WRITTEN, WriteResult.ALREADY, WriteResult.DUPLICATE, WriteResult.CONFLICT]

# A counted line: what became of it, and its hash.
type Counted = tuple[str, Decision, WriteResult, int]

LINES = st.lists(
    st.tuples(
        st.sampled_from(["decided", "rejected", "blank", "unchanged"]),
        st.sampled_from(DECISIONS),
        st.sampled_from(WRITTEN),
        st.integers(0, DIGEST_MODULUS - 1),
    ),
    max_size=30,
)


def _count(lines: Sequence[Counted], *, plan: bool) -> Totals:
    totals = Totals()
    for kind, decision, write_result, row_hash in lines:
        match kind:
            case "rejected":
                totals.count_rejected("not_utf8")
            case "blank":
                totals.count_blank()
            case "unchanged":
                totals.count_nothing_owed(RowResult.UNCHANGED, decision.reason)
            case _:
                totals.count_decided(decision, WriteResult.NONE if plan else write_result)
                totals.digest_rows(row_hash)
    return totals


def _sum(parts: Sequence[Totals]) -> Totals:
    whole = Totals()
    for part in parts:
        whole.add(part)
    return whole


@given(lines=LINES, cuts=st.lists(st.integers(0, 30), max_size=5), plan=st.booleans())
def test_sums_do_not_depend_on_where_a_list_was_cut(lines: list[Counted], cuts: list[int], plan: bool) -> None:
    places = [0, *sorted(cuts), len(lines)]
    parts = [_count(lines[start:stop], plan=plan) for start, stop in itertools.pairwise(places) if start < stop]

    assert _sum(parts) == _count(lines, plan=plan)


@given(first=LINES, second=LINES, third=LINES)
def test_adding_is_associative_and_the_order_does_not_matter(
    first: list[Counted], second: list[Counted], third: list[Counted]
) -> None:
    one, two, three = (_count(lines, plan=False) for lines in (first, second, third))

    assert _sum([_sum([one, two]), three]) == _sum([one, _sum([two, three])]) == _sum([three, one, two])


@given(lines=LINES, orders=st.permutations(range(30)))
def test_lines_in_any_order_are_the_same_books(lines: list[Counted], orders: list[int]) -> None:
    shuffled = [lines[place] for place in orders if place < len(lines)]

    assert _count(shuffled, plan=False) == _count(lines, plan=False)


@given(lines=LINES)
def test_every_line_is_in_exactly_one_class(lines: list[Counted]) -> None:
    totals = _count(lines, plan=False)

    assert totals.lines == len(lines) == sum(totals.counts.values()) == sum(totals.results().values())
    assert totals.rows() == sum(kind != "blank" for kind, *_ in lines)
    assert totals.ledger_count() == sum(
        kind == "decided" and write_result in IN_THE_LEDGER for kind, _, write_result, _ in lines
    )


@given(lines=LINES)
def test_a_plan_balances_with_whatever_became_of_its_lines(lines: list[Counted]) -> None:
    assert list(differences(_count(lines, plan=True), _count(lines, plan=False))) == []


@given(lines=LINES.filter(bool), place=st.integers(0, 29))
def test_a_line_that_was_lost_is_found(lines: list[Counted], place: int) -> None:
    lost = [line for number, line in enumerate(lines) if number != place % len(lines)]

    assert list(differences(_count(lines, plan=True), _count(lost, plan=False)))


def test_a_line_that_was_decided_otherwise_is_found_and_named() -> None:
    plan = _count([("decided", DECISIONS[0], WriteResult.NONE, 5)], plan=True)
    apply = _count(
        [("decided", Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(499, "USD")),)), WriteResult.WRITTEN, 6)],
        plan=False,
    )

    found = {difference.what: (difference.planned, difference.applied) for difference in differences(plan, apply)}

    assert found == {"digest of the decisions": (5, 6), "USD granted": (500, 499)}


def test_a_decided_line_without_a_write_result_does_not_balance() -> None:
    plan = _count([("decided", DECISIONS[0], WriteResult.NONE, 5)], plan=True)

    assert [difference.what for difference in differences(plan, plan)] == ["decided lines without a write_result"]


@pytest.mark.parametrize("wrong", ["lines", "digest"])
def test_a_total_that_is_off_by_one_is_found(wrong: str) -> None:
    lines: list[Counted] = [("decided", DECISIONS[0], WriteResult.WRITTEN, 5)]
    apply = _count(lines, plan=False)
    changed = replace(apply, **{wrong: getattr(apply, wrong) + 1})

    assert [difference.what.split(" ")[0] for difference in differences(_count(lines, plan=True), changed)] == [wrong]


def test_benefits_are_measured_exactly_and_something_unlimited_is_counted() -> None:
    assert worth_of(Benefit(money=Money(10**9, "JPY"))) == ("JPY", 10**9)
    assert worth_of(Benefit(quantity="0.1", unit="GB")) == ("GB", Decimal("0.1"))
    assert worth_of(Benefit(quantity=UNLIMITED, unit="data")) == (f"data:{UNLIMITED}", 1)


def test_ten_tenths_are_one() -> None:
    totals = Totals()
    for _ in range(10):
        totals.count_decided(Decision(Outcome.GRANTED, "x", (Benefit(quantity="0.1", unit="GB"),)), WriteResult.WRITTEN)

    assert totals.worth() == {(RowResult.GRANTED, "GB"): 1}


def test_many_lines_at_once_are_counted_as_one_by_one() -> None:
    one_by_one, at_once = Totals(), Totals()
    for _ in range(7):
        one_by_one.count_decided(DECISIONS[1], WriteResult.WRITTEN)
    at_once.count_decided(DECISIONS[1], WriteResult.WRITTEN, 7)

    assert at_once == one_by_one


def test_what_stands_in_the_ledger_is_summed_apart_from_duplicates() -> None:
    lines: list[Counted] = [("decided", DECISIONS[0], write_result, 1) for write_result in WRITTEN]
    totals = _count(lines, plan=False)

    assert totals.worth(IN_THE_LEDGER) == {(RowResult.GRANTED, "USD"): 1000}
    assert totals.worth() == {(RowResult.GRANTED, "USD"): 2000}
    assert totals.counts[CountKey(RowResult.GRANTED, "credit", WriteResult.CONFLICT)] == 1
