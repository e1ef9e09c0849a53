"""What each function makes of an empty list or of no outage, and which columns a list needs for what can matter."""

from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from tests.unit.domain.policy.rulebook import MORNING, NOW, compiled, minor, written

FACTS = "currency: EUR\nfacts: {n: numbers, s: amounts, d: dates, w: list, t: windows, day: day, k: number}\n"
EMPTY: Mapping[str, Any] = {"n": (), "s": (), "d": (), "w": (), "t": (), "day": NOW.date(), "k": 3}
OF_NOTHING = {
    "sum(n) * 1 EUR": 0,
    "sum(s)": 0,
    "count(n) * 1 EUR": 0,
    "count(s) * 1 EUR": 0,
    "count(d) * 1 EUR": 0,
    "count(w) * 1 EUR": 0,
    "count(t) * 1 EUR": 0,
    "count(during(d, year(day))) * 1 EUR": 0,
    "count(at_least(n, -5)) * 1 EUR": 0,
    "count(below(s, 5 EUR)) * 1 EUR": 0,
    "total(t) / 1 h * 1 EUR": 0,
    "longest(t) / 1 h * 1 EUR": 0,
    "days(t) * 1 EUR": 0,
    "days_with_at_least(t, 0 h) * 1 EUR": 0,
    "days_with_more_than(t, 0 h) * 1 EUR": 0,
    "most_in_a_year(t, 4) * 1 EUR": 0,
    "total(daily(t, 22:00, 06:00)) / 1 h * 1 EUR": 0,
    "total(weekdays(t, [\"mon\"])) / 1 h * 1 EUR": 0,
    "total(merge(t, 9 h)) / 1 h * 1 EUR": 0,
    "total(without(t, outage)) / 1 h * 1 EUR": 0,
    "total(overlap(t, outage)) / 1 h * 1 EUR": 0,
    "total(together(t, outage)) / 1 h * 1 EUR": 400,
    "total(without(outage, t)) / 1 h * 1 EUR": 400,
    "mean(n) * 1 EUR": None,
    "mean(s)": None,
    "max(n) * 1 EUR": None,
    "min(s)": None,
    "if(max(d) = day, 1 EUR, 2 EUR)": None,
    "if(start(t) < decided_at, 1 EUR, 2 EUR)": None,
    "if(end(t) < decided_at, 1 EUR, 2 EUR)": None,
    "first_known(mean(n), 7) * 1 EUR": 700,
    "first_known(max(s), 7 EUR)": 700,
    "if(mean(n) is known, 1 EUR, 2 EUR)": 200,
    "if(start(t) is known, 1 EUR, 2 EUR)": 200,
    'if(w has "x", 1 EUR, 2 EUR)': 200,
    "k / count(n) * 1 EUR": None,
}  # fmt: skip
"""In cents; None cannot be computed, and what needs it is held."""


def _known(policy: Any, facts: Mapping[str, Any]) -> list[Any]:
    return [facts[fact.name] for fact in policy.facts]


@pytest.mark.parametrize("pay", OF_NOTHING)
def test_nothing_is_measured_as_nothing_and_what_only_something_has_is_not_known(pay: str) -> None:
    policy = compiled(written(f"{FACTS}pay: 5 EUR + {pay}"))
    decision, expected = policy.decide(_known(policy, EMPTY)), OF_NOTHING[pay]
    if expected is None:
        assert (decision.outcome.value, decision.reason) == ("held", "cannot_be_computed")
        assert "cannot be computed" in explain(policy, _known(policy, EMPTY)).text()
    else:
        assert minor(decision) == 500 + expected


CHOICES = "parameters: {as_read: {plain: Plainly., kindly: Kindly.}}\n"
COLUMNS = {
    'pay: if(as_read = "plain", a * 1 EUR, b * 1 EUR)': ({"a"}, {"b"}),
    'pay: if(as_read = "kindly", a * 1 EUR, b * 1 EUR)': ({"b"}, {"a"}),
    'when: as_read = "plain" or a > 1\npay: b * 1 EUR': ({"b"}, {"a", "b"}),
    'when: as_read = "plain" and a > 1\npay: b * 1 EUR': ({"a", "b"}, {"b"}),
    'who: {decline: no, when: as_read = "plain" and a > 1}\npay: b * 1 EUR': ({"a", "b"}, {"b"}),
    'who: {decline: no, unless: as_read = "plain" or a > 1}\npay: b * 1 EUR': ({"b"}, {"a", "b"}),
    'pay: if(as_read = "plain", if(a > 1, 1 EUR, 2 EUR), 3 EUR)': ({"a"}, set()),
    'values: {chosen: \'if(as_read = "plain", a, b)\'}\npay: chosen * 1 EUR': ({"a"}, {"b"}),
    'values:\n  chosen: {by: as_read, tiers: {is "plain": a, is "kindly": b}}\npay: chosen * 1 EUR': (
        {"a", "b"}, {"a", "b"},
    ),
}  # fmt: skip
"""Of each, what it reads where the reading is `plain`, and where it is `kindly`."""


@pytest.mark.parametrize("body", COLUMNS)
def test_a_list_needs_the_columns_that_matter_under_the_reading_that_was_chosen_and_no_others(body: str) -> None:
    document = load_policy(written(f"{CHOICES}facts: {{a: number, b: number}}\n{body}"))
    found = [
        {fact.name for fact in compile_policy(freeze(document, {"as_read": choice}), MORNING, NOW).facts}
        for choice in ("plain", "kindly")
    ]
    assert found == list(COLUMNS[body])
    by_default = compile_policy(freeze(document, {}), MORNING, NOW)
    assert {fact.name for fact in by_default.facts} == COLUMNS[body][0], "the first reading holds where none is chosen"
