"""What explanations promise: the steps in the order in which they are needed, in words, each as it was computed."""

from typing import Any

import pytest

from kulanz.domain.time import parse_instant
from tests.unit.policy.rulebook import MORNING, compiled, incident, written

FACTS = "currency: EUR\nfacts: {fee: money, n: number, a: yes_no, b: yes_no, d: day, speeds: numbers}\n"
TWO_DAYS = incident(("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"), ("2026-05-06T08:00:00Z", "2026-05-06T09:00:00Z"))


def told(body: str, happened: Any = MORNING, **known: Any) -> list[str]:
    """Explain a row and give the steps between the facts and the delivery."""
    policy = compiled(written(FACTS + body), happened)
    row = [known.get(fact.name) for fact in policy.facts]
    explanation = policy.explain(row)
    assert explanation.decision == policy.decide(row)
    return list(explanation.steps)


def the(start: str, steps: list[str]) -> str:
    (found,) = (step for step in steps if step.startswith(start))
    return found


def test_of_a_condition_only_what_decided_it_is_told() -> None:
    both = "who: [{decline: x, when: a and n > 3}]\npay: 1 EUR"
    assert the("x ", told(both, a=False, n=5)) == "x does not apply: a is no."
    assert the("x ", told(both, a=True, n=3)) == "x does not apply: n 3 is not more than 3."
    assert the("x ", told(both, a=True, n=4)) == "x applies: a is yes and n 4 is more than 3."
    assert the("x ", told(both, a=True)) == "x unknown: n unknown is more than 3: unknown."
    either = "who: [{decline: x, when: a or b}]\npay: 1 EUR"
    assert the("x ", told(either, a=False, b=True)) == "x applies: b is yes."
    assert the("x ", told(either, a=False, b=False)) == "x does not apply: a is no and b is no."


def test_a_named_condition_says_why_it_holds() -> None:
    steps = told("values: {long: total(outage) > 3 h and not a}\npay: if(long, 2 EUR, 1 EUR)", a=False)
    assert the("long", steps) == "long: yes, because the time of the outage (4 h) is more than 3 h and a is no."
    assert the("credit: 2", steps) == "credit: 2.00 EUR (as long is yes) = 2.00 EUR."


def test_a_choice_that_the_campaign_made_is_told_once() -> None:
    parameter = "parameters: {p: {choices: {low: the low one, high: the high one}, default: low}}\n"
    steps = told(parameter + 'pay: if(p = "low", 10%, 20%) * fee', fee=500)
    assert the("As chosen", steps) == "As chosen for this campaign: p: the low one."
    assert the("credit: 10", steps) == "credit: 10% of fee 5.00 EUR = 0.50 EUR."


@pytest.mark.parametrize(
    ("operator", "on", "says"),
    [
        (">=", "2026-05-04", "is not before"), (">=", "2026-05-03", "is before"),
        (">", "2026-05-05", "is after"), (">", "2026-05-04", "is not after"),
        ("<=", "2026-05-04", "is not after"), ("<=", "2026-05-05", "is after"),
        ("<", "2026-05-03", "is before"), ("<", "2026-05-04", "is not before"),
    ],
)  # fmt: skip
def test_days_are_before_and_after_one_another(operator: str, on: str, says: str) -> None:
    steps = told(f"when: d {operator} 2026-05-04\npay: 1 EUR", d=parse_instant(f"{on}T00:00:00Z").date())
    assert the("The condition", steps).endswith(f": d {on} {says} 2026-05-04.")


def test_shares_are_told_as_percentages() -> None:
    steps = told(
        "values:\n  uptime: 1 - total(outage) / 100 h\n"
        "  rate: {by: uptime, tiers: {at least 99%: 0%, at least 95%: 10%, otherwise: 25%}}\n"
        "  halved: rate / 2\npay: max(rate, 5%) * fee",
        fee=10000,
    )
    assert the("uptime", steps).endswith("= 96%.")
    assert the("rate", steps) == "rate: uptime 96%, at least 95%: 10%."
    assert the("credit: the", steps) == "credit: the higher of rate 10% and 5% (10%) of fee 100.00 EUR = 10.00 EUR."


def test_what_a_table_needs_is_told_before_it() -> None:
    steps = told(
        "values:\n  least: fee / 3\n  most: fee * 2\n"
        "  stepped: {count: n, say: day, steps: {1: least, from 2: fee}}\n"
        "  banded: {by: n, tiers: {at least 9: most, otherwise: stepped}}\npay: banded",
        fee=300, n=3,
    )  # fmt: skip
    names = [
        step.partition(":")[0] for step in steps if step.partition(":")[0] in ("least", "most", "stepped", "banded")
    ]
    assert names == ["least", "stepped", "banded"], "and nothing that was not needed"
    assert the("stepped", steps) == (
        "stepped: day 1: least 1.00 EUR; day 2 and 3: fee 3.00 EUR, twice 6.00 EUR; in all 7.00 EUR."
    )


def test_every_separate_outage_is_told_also_where_none_pays() -> None:
    each = "for_each: outage\nwhen: total(outage) > %s h\npay: 1 EUR"
    declined = told(each % 4, TWO_DAYS)
    first, second = (
        "Outage from 2026-05-04 08:00 to 2026-05-04 12:00",
        "Outage from 2026-05-06 08:00 to 2026-05-06 09:00",
    )
    assert (
        f"{first}: The condition of credit is not met: the time of the outage (4 h) is not more than 4 h." in declined
    )
    assert (
        f"{second}: The condition of credit is not met: the time of the outage (1 h) is not more than 4 h." in declined
    )
    granted = told(each % 3, TWO_DAYS)
    assert f"{first}: credit: 1.00 EUR." in granted
    assert f"{second}: credit: 1.00 EUR." not in granted
    alone = told(each % 4)
    assert "The condition of credit is not met: the time of the outage (4 h) is not more than 4 h." in alone


@pytest.mark.parametrize(
    ("unit", "name"),
    [("day", "Day 2026-05-06"), ("month", "Month 2026-07"), ("quarter", "Quarter from 2026-07"),
     ("calendar year", "Calendar year 2027")],
)  # fmt: skip
def test_every_period_is_told_by_its_name(unit: str, name: str) -> None:
    later = {"day": "2026-05-06", "month": "2026-07-01", "quarter": "2026-07-01", "calendar year": "2027-01-01"}[unit]
    happened = incident(("2026-05-04T08:00:00Z", "2026-05-04T09:00:00Z"), (f"{later}T00:00:00Z", f"{later}T01:00:00Z"))
    steps = told(f"for_each: {unit}\npay: 1 EUR", happened)
    assert f"{name}: credit: 1.00 EUR." in steps
    assert "Together: 2.00 EUR." in steps


def test_of_very_many_days_not_every_one_is_told() -> None:
    steps = told("for_each: day\npay: 1 EUR", incident(("2024-05-04T08:00:00Z", "2026-05-04T12:00:00Z")))
    assert "And so on, 731 in all." in steps
    assert len(steps) < 60


def test_the_heads_that_did_not_count_are_told_too() -> None:
    steps = told("compose: max\nheads: [{name: small, pay: 1 EUR}, {name: large, pay: fee}]", fee=300)
    assert "small: 1.00 EUR." in steps
    assert "The highest of them counts: large." in steps
    first = told("compose: first\nheads: [{name: one, when: a, pay: 1 EUR}, {name: two, when: b, pay: fee}]", a=True)
    assert not any("two" in step for step in first)


def test_what_was_rounded_is_told_with_several_currencies_and_where_roundings_cancel_out() -> None:
    two = "heads: [{name: here, pay: fee / 3}, {name: there, pay: 1 USD / 3}]"
    steps = told(two, fee=100)
    assert "here, rounded (half up): 0.33 EUR." in steps
    assert "there, rounded (half up): 0.33 USD." in steps
    cancelling = told(
        "heads: [{name: one, pay: fee * 2 / 3}, {name: two, pay: fee / 3}]\nrounding: {to: 0.05 EUR}", fee=100
    )
    assert "Rounded (half up, to 0.05 EUR): 1.00 EUR." in cancelling


def test_until_when_a_benefit_can_be_used_is_told() -> None:
    steps = told("zone: Europe/Berlin\ngive: {quantity: 1, unit: GB, valid: {from: 2026-06-01, until: 2026-06-30}}")
    assert "credit: 1 GB, from 2026-06-01 00:00 on, until 2026-07-01 00:00." in steps


def test_items_of_a_list_are_told_as_they_are_chosen() -> None:
    steps = told("give: {quantity: 'count(below(at_least(speeds, 15), 30))', unit: x}", speeds=(14, 15, 30))
    assert steps[-1] == "Granted: 1 x. Reason: credit."
    chosen = told("values:\n  slow: count(below(speeds, 20))\npay: slow * 1 EUR", speeds=(14, 15, 30))
    assert the("slow", chosen) == "slow: the number of those of speeds [14, 15, 30] below 20 ([14, 15]) = 2."


def test_an_instant_is_told_to_its_last_digit() -> None:
    steps = told("pay: 1 EUR", incident(("2026-05-04T08:00:00.25Z", "2026-05-04T12:00:01Z")))
    assert the("The incident", steps) == "The incident: 2026-05-04 08:00:00.25 to 2026-05-04 12:00:01 (UTC)."
