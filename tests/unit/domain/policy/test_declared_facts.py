"""Each fact that a policy declares is read by its own type, currency, choices, limits and separator."""

from fractions import Fraction
from typing import Any

import pytest

from kulanz.domain.lists.facts import INVALID, FactError
from kulanz.domain.policy import PolicyError
from tests.unit.domain.policy.rulebook import compiled, written

FACTS = """currency: EUR
facts:
  plan: {type: text, choices: [Basic, Gold]}
  fee: {type: money, minimum: 1.50 EUR, maximum: 9.25 EUR}
  other: {type: money, currency: JPY, maximum: 900 JPY, invalid: hold}
  lines: {type: number, minimum: 2, maximum: 7}
  tags: {type: list, separator: ";"}
  marks: list
  sums: amounts
  spare: {type: yes_no, default: no}
who:
  - decline never: plan = "Gold" and other > 1 JPY and lines > 1 and tags has "a" and spare
  - decline never: marks has "b" and sum(sums) > 1 EUR
pay: fee
"""
DECLARED: dict[str, dict[str, Any]] = {
    "plan": {"type": "text", "currency": "", "choices": ("Basic", "Gold")},
    "fee": {"type": "money", "currency": "EUR", "minimum": Fraction(3, 2), "maximum": Fraction(37, 4)},
    "other": {"type": "money", "currency": "JPY", "maximum": Fraction(900), "hold_invalid": True},
    "lines": {"type": "number", "currency": "", "minimum": Fraction(2), "maximum": Fraction(7)},
    "tags": {"type": "list", "separator": ";"},
    "marks": {"type": "list", "separator": ""},
    "sums": {"type": "amounts", "currency": "EUR"},
    "spare": {"type": "yes_no"},
}


def test_each_fact_is_declared_as_the_policy_says_and_else_as_every_fact_is() -> None:
    plain = {"choices": (), "minimum": None, "maximum": None, "hold_invalid": False, "separator": "", "currency": ""}
    facts = {fact.name: fact for fact in compiled(written(FACTS)).facts}
    assert list(facts) == list(DECLARED)
    for name, stated in DECLARED.items():
        expected = {**plain, **stated}
        found = {one: getattr(facts[name], one) for one in expected}
        assert found == expected, name


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("fee", "1.50", "1.49"),
        ("fee", "9.25", "9.26"),
        ("lines", "2", "1"),
        ("lines", "7", "8"),
        ("plan", "Gold", "gold"),
    ],
)
def test_a_value_is_taken_at_its_limit_and_not_beyond(name: str, good: str, bad: str) -> None:
    (fact,) = (fact for fact in compiled(written(FACTS)).facts if fact.name == name)
    assert fact.parse_text(good) is not None
    with pytest.raises(FactError) as refused:
        fact.parse_text(bad)
    assert refused.value.field == name


def test_a_value_that_is_to_be_held_is_no_error() -> None:
    (fact,) = (fact for fact in compiled(written(FACTS)).facts if fact.name == "other")
    assert (fact.parse_text("900"), fact.parse_text("901"), fact.parse_text("x")) == (900, INVALID, INVALID)


@pytest.mark.parametrize(
    ("fact", "entry", "says"),
    [
        ("{type: number, choices: [a, b]}", ("choices",), "only texts have choices"),
        ("{type: text, separator: ';'}", ("separator",), "only lists have a separator"),
        ("{type: number, early: 2 hours}", ("early",), "only instants, days and windows can be early"),
        ("{type: number, currency: EUR}", ("currency",), "only money and amounts have a currency"),
        ("money", (), "say which currency it is in"),
        ("amounts", (), "say which currency it is in"),
    ],
)
def test_what_a_type_cannot_have_is_refused_at_its_entry(fact: str, entry: tuple[str, ...], says: str) -> None:
    with pytest.raises(PolicyError, match=says) as refused:
        compiled(written(f"facts: {{x: {fact}}}\npay: 1 USD"))
    assert refused.value.path == ("facts", "x", *entry)
