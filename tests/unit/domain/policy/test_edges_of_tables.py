"""Each line of a table, and each comparison and function of numbers, at its edge and just beside it."""

import operator
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.language.expression import Node, Scope, constant_node
from kulanz.domain.policy.language.functions import operators
from kulanz.domain.policy.language.kinds import NUMBER, TEXT
from kulanz.domain.policy.language.tables import compile_tiers
from tests.unit.domain.policy.rulebook import compiled, minor, written


def paid(values: str, *facts: Any, declared: str = "n: number") -> int:
    policy = compiled(written(f"currency: EUR\nfacts: {{{declared}}}\n{values}"))
    return minor(policy.decide(facts[: len(policy.facts)]))


@pytest.mark.parametrize(
    ("line", "at", "below", "above"),
    [
        ("at least 5", True, False, True), ("from 5", True, False, True), ("more than 5", False, False, True),
        ("at most 5", True, True, False), ("up to 5", True, True, False), ("less than 5", False, True, False),
        ("below 5", False, True, False), ("is 5", True, False, False),
    ],
)  # fmt: skip
def test_a_line_of_tiers_holds_at_its_bound_as_it_is_written(line: str, *, at: bool, below: bool, above: bool) -> None:
    table = f"values:\n  x:\n    by: n\n    tiers:\n      {line}: 1 EUR\n      otherwise: 2 EUR\npay: x"
    found = [paid(table, number) for number in (5, Fraction(49, 10), Fraction(51, 10))]
    assert found == [100 if holds else 200 for holds in (at, below, above)]


TIERS = """values:
  x:
    by: n
    tiers:
      at least 10: 7 EUR
      at least 5: 3 EUR
      more than 0: 1 EUR
      otherwise: 0 EUR
pay: x
"""


@pytest.mark.parametrize(
    ("number", "cents"),
    [(0, 0), (1, 100), (Fraction(49, 10), 100), (5, 300), (Fraction(99, 10), 300), (10, 700), (99, 700)],
)
def test_the_first_line_that_holds_decides(number: Any, cents: int) -> None:
    assert paid(TIERS, number) == cents


STEPS = """values:
  x:
    count: n
    steps:
      1: 5 EUR
      2 to 4: 1 EUR
      5: nothing
      from 6: 0.25 EUR
pay: x
"""


@pytest.mark.parametrize(
    ("number", "cents"),
    [
        (0, 0),
        (Fraction(99, 100), 0),
        (1, 500),
        (Fraction(199, 100), 500),
        (2, 600),
        (4, 800),
        (5, 800),
        (6, 825),
        (9, 900),
    ],
)
def test_full_steps_count_each_by_its_own_line(number: Any, cents: int) -> None:
    assert paid(STEPS, number) == cents


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        ("count(below(n, 3)) * 1 EUR", 200), ("count(at_least(n, 3)) * 1 EUR", 300), ("sum(below(n, 3)) * 1 EUR", 300),
        ("sum(at_least(n, 3)) * 1 EUR", 1_500), ("count(below(n, 1)) * 1 EUR", 0), ("sum(n) * 1 EUR", 1_800),
        ("max(3 EUR, 4 EUR, 2 EUR)", 400), ("min(3 EUR, 4 EUR, 2 EUR)", 200), ("round(3.26 EUR, 0.05 EUR)", 325),
        ("round(3.275 * 1 EUR, 0.05 EUR)", 330), ("12.5% of 8 EUR", 100), ("if(sum(n) > 17, 1 EUR, 2 EUR)", 100),
        ("if(sum(n) > 18, 1 EUR, 2 EUR)", 200), ("if(sum(n) >= 18, 1 EUR, 2 EUR)", 100),
        ("if(sum(n) != 18, 1 EUR, 2 EUR)", 200),
        ("if(sum(n) = 18 and count(n) = 4, 1 EUR, 2 EUR)", 200), ("if(sum(n) = 18 or count(n) = 4, 1 EUR, 2 EUR)", 100),
        ("if(not count(n) = 5, 1 EUR, 2 EUR)", 200),
        ("begun(total(outage), 1 h) * 1 EUR", 400), ("begun(total(outage) + 1 s, 1 h) * 1 EUR", 500),
        ("begun(total(outage) - 1 s, 1 h) * 1 EUR", 400), ("full(total(outage), 1 h) * 1 EUR", 400),
        ("full(total(outage) - 1 s, 1 h) * 1 EUR", 300), ("total(outage) / 1 h * 1 EUR", 400),
        ("longest(outage) / 30 min * 1 EUR", 800),
    ],
)  # fmt: skip
def test_an_amount_is_worked_out_as_the_guide_says(amount: str, cents: int) -> None:
    assert paid(f"pay: '{amount}'", (1, 2, 3, 5, 7), declared="n: numbers") == cents


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("round(fee, 0 EUR)", "cannot_be_computed"),
        ("round(fee, 0.05 EUR)", "credit"),
        ("if(working_days(2026-05-04, 2026-05-05) = 1, fee, fee)", "credit"),
    ],
)
def test_what_has_no_value_is_held_and_never_guessed(amount: str, reason: str) -> None:
    policy = compiled(written(f"zone: UTC\nworking_days: DE\ncurrency: EUR\nfacts: {{fee: money}}\npay: '{amount}'"))
    assert policy.decide((500,)).reason == reason


@pytest.mark.parametrize(
    ("day", "reason"), [(0, "cannot_be_computed"), (1, "credit"), (31, "credit"), (32, "cannot_be_computed")]
)
def test_a_billing_day_is_one_of_a_month(day: int, reason: str) -> None:
    amount = "if(start(billing_period(2026-05-04, n)) < decided_at, 1 EUR, 2 EUR)"
    policy = compiled(written(f"zone: UTC\nfacts: {{n: number}}\npay: '{amount}'"))
    assert policy.decide((day,)).reason == reason


# Lines that can never be reached

FITS: dict[str, Callable[[Fraction, int], bool]] = {
    "at least": operator.ge, "from": operator.ge, "more than": operator.gt, "at most": operator.le,
    "up to": operator.le, "less than": operator.lt, "below": operator.lt, "before": operator.lt, "is": operator.eq,
}  # fmt: skip
HALVES = [Fraction(number, 2) for number in range(9)]
"""Beside and between all bounds."""
NUMBER_N = Node(NUMBER, lambda row: row[0], "name", "n", reads=frozenset({"n"}))


def is_taken(*lines: tuple[str, int]) -> bool:
    scope = Scope(lambda _name, _path: NUMBER_N, operators(), constant_node(TEXT, None, "UTC"))
    table = {f"{words} {bound}": "1" for words, bound in lines} | {"otherwise": "2"}
    try:
        compile_tiers("n", table, scope, ("values", "x"))
    except PolicyError as error:
        return "this line can never be reached" not in str(error)
    return True


@pytest.mark.parametrize("first", FITS)
@pytest.mark.parametrize("second", FITS)
def test_a_line_is_refused_where_each_number_that_it_fits_fits_a_line_before_it(first: str, second: str) -> None:
    for one, two in product((1, 2), repeat=2):
        if (first, one) == (second, two):
            continue  # the same line twice is no YAML
        reached = any(FITS[second](n, two) and not FITS[first](n, one) for n in HALVES)
        assert is_taken((first, one), (second, two)) is reached, (one, two)


@given(st.lists(st.tuples(st.sampled_from([*FITS]), st.integers(1, 3)), min_size=3, max_size=5, unique=True))
def test_a_line_is_refused_where_several_before_it_have_all_of_its_numbers(lines: list[tuple[str, int]]) -> None:
    reached = [
        any(FITS[words](n, bound) and not any(FITS[w](n, b) for w, b in lines[:place]) for n in HALVES)
        for place, (words, bound) in enumerate(lines)
    ]
    assert is_taken(*lines) is all(reached)
