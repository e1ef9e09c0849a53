"""Facts that Kulanz keeps itself, in words: how an explanation names them, and what a policy may not declare."""

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from tests.unit.domain.policy.rulebook import compiled, written


@pytest.mark.parametrize(("per", "named"), [("month", "May 2026"), ("quarter", "April to June 2026")])
def test_periods_are_told_by_the_names_that_people_give_them(per: str, named: str) -> None:
    facts = f"facts:\n  fee: money\n  paid: {{type: money, per: {per}, add: amount}}\n"
    policy = compiled(
        written(f"currency: EUR\n{facts}pay: fee\ncap: {{per: {per}, at: most - paid}}\nvalues: {{most: 2 * fee}}")
    )
    told = explain(policy, (700,)).text()
    assert f"Part of {named}, by time: 7.00 EUR, within its limit of most 14.00 EUR minus paid 0.00 EUR" in told
    assert told.index("Most: 2 times fee 7.00 EUR = 14.00 EUR.") < told.index(f"Part of {named}")
    assert f"Kept for later incidents: paid in {named}: 7.00 EUR." in told


def test_what_is_collected_is_told_as_waiting_until_it_is_paid_and_then_as_settled() -> None:
    facts = "facts:\n  fee: money\n  carried: {type: money, add: fee, until: paid}\n"
    payout = "payout: {hold: too_little, when: amount < 10.00 EUR}"
    policy = compiled(written(f"currency: EUR\n{facts}pay: carried + fee\n{payout}"))
    assert explain(policy, (700,)).steps[-2:] == (
        "Kept for later incidents: carried: 7.00 EUR.",
        "Held, and not paid for now. Reason: too little.",
    )
    assert "Kept for later incidents: carried: settled." in explain(policy, (700,), {"carried": 300}).steps
    assert explain(policy, (None,)).steps[-1].startswith("Held for manual review, because fee is not known.")


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ("  a: {type: text, add: cause}", "only money, number, windows can be kept"),
        ("  a: {type: money, until: paid}", "say what each incident adds"),
        ("  a: {type: money, add: amount, default: 0 EUR}", "has no default"),
        ("  a: {type: number, add: 1, minimum: 0}", "has no minimum"),
        ("  a: {type: money, add: amount, from: incident}", "nobody states it"),
        ("  a: {type: money, add: amount, invalid: hold}", "nobody states it"),
        ("  a: {type: windows, add: outage, per: month}", "count in a period with windows"),
        ("  a: {type: money, add: amount, per: month, until: paid}", "without `until`"),
        ("  a: {type: money, add: total(outage)}", "expected money in EUR"),
        ("  a: {type: money, currency: USD, add: amount}", "expected money in USD"),
        ("  a: {type: number, add: nowhere}", "nowhere"),
        ("  a: {type: number, add: '1', until: granted}", "paid"),
        ("  a_2026: {type: money, add: amount}\n  a: {type: money, add: amount, per: calendar year}", "choose another"),
        ("  a_2026_q2: money\n  a: {type: money, add: amount, per: quarter}", "choose another"),
        ("  a_2026_04: money\n  a: {type: money, per: month}", "choose another"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_line(facts: str, problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(written(f"currency: EUR\npay: 1 EUR\nfacts:\n{facts}\n"))
    assert problem in str(caught.value)
    assert caught.value.line == 8


def test_periods_need_one_zone() -> None:
    text = written(
        "currency: EUR\nzone: place\npay: 1 EUR\nfacts:\n  place: zone\n"
        "  a: {type: money, add: amount, per: month}\ncap: {at: 5 EUR - a, per: month}"
    )
    with pytest.raises(PolicyError, match="one zone for all accounts"):
        load_policy(text)
