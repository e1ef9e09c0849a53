"""Amount components, rounding, caps and quantities: what a decision owes, and when no amount can be owed."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.lists.facts import FactError
from kulanz.domain.money import Money, Rounding
from kulanz.domain.policy.explaining.explanation import explain
from tests.unit.domain.policy.rulebook import START, compiled, incident, lasting, minor, written

HOUR = 3600


def test_division_by_zero_is_unknown_and_never_money() -> None:
    policy = compiled(written("currency: EUR\nfacts: {fee: money, lines: number}\npay: fee / lines"))
    assert policy.decide((500, 0)).reason == "cannot_be_computed"


@pytest.mark.parametrize(
    "amount",
    [
        "nothing * 5 EUR",
        "5 EUR * nothing",
        "nothing / 2 * 5 EUR",
        "nothing / 24 h * 5 EUR",
        "round(nothing, 5 EUR)",
        "max(nothing, 0 EUR)",
        "total(nothing) * 5 EUR / 24 h",
        "count(at_least(n, nothing)) * 1 EUR - 2 EUR",
        "sum(below(a, nothing))",
        "if(yes, nothing, 3 EUR)",
        "begun(nothing, 1 h) * 5 EUR",
        "-nothing * 5 EUR",
    ],
)
def test_nothing_is_the_zero_of_what_is_needed(amount: str) -> None:
    policy = compiled(written(f"currency: EUR\nfacts: {{n: numbers, a: amounts}}\npay: '7 EUR + ({amount})'"))
    assert minor(policy.decide([{"n": (1, 2), "a": (100,)}[fact.name] for fact in policy.facts])) == 700
    given = compiled(written("give:\n  - {quantity: nothing, unit: GB}\n  - {quantity: 1, unit: h}"))
    assert [benefit.unit for benefit in given.decide(()).benefits] == ["h"]


def test_less_than_nothing_takes_nothing_from_what_else_is_owed() -> None:
    heads = "  - {name: a, pay: 10 EUR}\n  - {name: b, pay: 0 EUR - 3 EUR, give: {quantity: 1, unit: GB}}"
    policy = compiled(written(f"heads:\n{heads}\npayout:\n  - hold small: amount < 10.00 EUR"))
    assert minor(policy.decide(())) == 1000
    assert "Together: 10.00 EUR." in explain(policy, ()).text()


def test_an_amount_beyond_every_bound_is_held() -> None:
    policy = compiled(written("currency: EUR\nfacts: {fee: money, lines: number}\npay: fee * lines"))
    assert policy.decide((10**9, 1)).outcome is Outcome.GRANTED
    assert policy.decide((10**9, 2)).reason == "amount_too_large"
    small = compiled(
        written(
            "currency: EUR\nfacts: {fee: money, lines: number}\npay: fee * lines\n"
            "cap: {at: 10000000.00 EUR * 2}\npayout: {decline: small, unless: amount > 5 EUR}"
        )
    )
    explanation = explain(small, (10**9, 3))
    assert explanation.decision.reason == "amount_too_large"
    assert "Limited to 20000000.00 EUR by the upper bound:" in explanation.text()
    assert "small" not in explanation.text()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 90), st.sampled_from(["head", "total"]))
def test_the_heads_add_up_to_the_total_as_rounding_declares(first: int, second: int, days: int, stage: str) -> None:
    policy = compiled(
        written(
            "currency: EUR\nfacts: {a: money, b: money, n: number}\n"
            "heads:\n  - {name: x, pay: a * n / 31}\n  - {name: y, pay: b * n / 31}\n"
            f"rounding: {{stage: {stage}}}"
        )
    )
    paid = minor(policy.decide((first, second, days)))
    parts = [Fraction(amount * days, 31) for amount in (first, second)]
    rounded = [int(part + Fraction(1, 2)) for part in ([sum(parts, Fraction(0))] if stage == "total" else parts)]
    assert paid == sum(rounded)


def test_a_tie_is_rounded_where_the_exact_value_is_one() -> None:
    policy = compiled(written("currency: EUR\nfacts: {fee: money}\npay: fee / 30 * 3"))
    assert minor(policy.decide((4975,))) == 498  # 4.975, which decimals of any length would see as 4.97499...


def test_an_automatic_head_is_granted_and_the_other_stays_claimable() -> None:
    policy = compiled(written("heads:\n  - {name: a, pay: 1 USD}\n  - {name: b, pay: 2 USD, mode: claim}"))
    decision = policy.decide(())
    assert (decision.outcome, minor(decision)) == (Outcome.GRANTED, 100)
    assert [benefit.money for benefit in decision.claimable] == [Money(200, "USD")]
    assert Decision.from_body(decision.to_body()) == decision


@pytest.mark.parametrize(("compose", "paid"), [("sum", 600), ("max", 300), ("first", 100)])
def test_heads_are_composed(compose: str, paid: int) -> None:
    heads = "heads: [{name: a, pay: 1 USD}, {name: b, pay: 3 USD}, {name: c, pay: 2 USD}]"
    assert minor(compiled(written(f"compose: {compose}\n{heads}")).decide(())) == paid


def test_an_automatic_head_stays_automatic_where_the_policy_says_claim() -> None:
    policy = compiled(written("mode: claim\nheads: [{name: a, pay: 1 USD, mode: automatic}, {name: b, pay: 3 USD}]"))
    decision = policy.decide(())
    assert (decision.outcome, minor(decision)) == (Outcome.GRANTED, 100)
    assert [benefit.money for benefit in decision.claimable] == [Money(300, "USD")]


def test_tiers_with_a_line_for_each_choice_need_no_other() -> None:
    lines = '    tiers:\n      is "a": 1 USD\n      is "b": 2 USD\n'
    policy = compiled(written(f"facts: {{plan: [a, b]}}\nvalues:\n  x:\n    by: plan\n{lines}pay: x"))
    (plan,) = policy.facts
    assert [minor(policy.decide((plan.parse_text(text),))) for text in ("a", "b")] == [100, 200]
    assert policy.decide((plan.parse_text(""),)).reason == "plan_unknown"
    with pytest.raises(FactError, match="one of a, b"):
        plan.parse_text("c")


def test_what_is_paid_instead_of_the_rest_needs_nothing_of_the_rest() -> None:
    text = "facts: {a: yes_no, b: yes_no}\notherwise: neither\ncompose: first\nheads:\n"
    policy = compiled(written(text + "  - {name: x, when: a, pay: 1 USD}\n  - {name: y, when: b, pay: 2 USD}"))
    assert minor(policy.decide((True, None))) == 100
    assert policy.decide((False, None)).reason == "b_unknown"
    assert policy.decide((False, False)).reason == "neither"


@pytest.mark.parametrize(("cap", "paid"), [("10 USD", 600), ("6 USD", 600), ("4 USD", 400), ("0 USD", 0)])
def test_a_cap_limits_the_sum(cap: str, paid: int) -> None:
    heads = "heads: [{name: a, pay: 3 USD}, {name: b, pay: 3 USD}]"
    assert minor(compiled(written(f"cap: {{at: {cap}}}\n{heads}")).decide(())) == paid


def test_a_fee_for_lost_time_is_scaled_before_it_is_divided_by_its_period() -> None:
    policy = compiled(
        written(
            "currency: EUR\nfacts: {fee: money, share: number}\nvalues: {lost: fee * total(outage) * share / 4}\n"
            "pay: 2 * lost / 10 h + 0.1234 * 1.00 EUR"
        ),
        incident(lasting(5 * HOUR)),
    )
    assert minor(policy.decide((4000, 3))) == 3012
    told = explain(policy, (4000, 3)).text()
    assert "times the time of the outage (5 h) times share 3 divided by 4 = 150.00 EUR times 1 h." in told


def test_each_calendar_year_has_its_own_cap_and_history() -> None:
    policy = compiled(
        written(
            "currency: EUR\nzone: Europe/Helsinki\n"
            "facts:\n  fee: money\n  paid: {type: money, per: calendar year}\n"
            "pay: 25% of fee\ncap: {per: calendar year, at: 200% of fee - paid}"
        ),
        incident(("2026-12-31T08:00:00Z", "2027-01-02T08:00:00Z")),
    )
    assert [fact.name for fact in policy.facts] == ["fee", "paid_2026", "paid_2027"]
    assert minor(policy.decide((60000, 118000, 0))) == 12625
    assert minor(policy.decide((60000, 120000, 120000))) == 0
    assert policy.decide((60000, None, 0)).reason == "paid_2026_unknown"


def test_the_columns_of_a_period_have_the_limits_of_their_fact() -> None:
    paid = "{type: money, per: calendar year, maximum: 50, invalid: hold}"
    cap = "pay: 5 EUR\ncap: {per: calendar year, at: 60 EUR - paid}"
    policy = compiled(written(f"currency: EUR\nfacts: {{paid: {paid}}}\n{cap}"))
    (fact,) = policy.facts
    assert fact.name == "paid_2026"
    assert policy.decide((fact.parse_text("50.01"),)).reason == "paid_2026_unknown"
    assert minor(policy.decide((fact.parse_text("50.00"),))) == 500


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 10**4), min_size=1, max_size=4),
    st.integers(1, 10**4),
    st.sampled_from(list(Rounding)),
    st.sampled_from(["head", "total"]),
)
def test_a_cap_holds_after_rounding_too(amounts: list[int], cap: int, mode: Rounding, stage: str) -> None:
    heads = "\n".join(f"  - {{name: h{n}, pay: {amount}.00 USD / 700}}" for n, amount in enumerate(amounts))
    text = f"heads:\n{heads}\ncap: {{at: {cap} USD / 100}}\nrounding: {{mode: {mode}, stage: {stage}}}"
    decision = compiled(written(text)).decide(())
    assert minor(decision) <= cap
    if Fraction(sum(amounts), 7) >= cap:
        assert minor(decision) >= cap - len(amounts) * (mode is not Rounding.UP)


def test_an_amount_cannot_be_divided_over_periods_without_any_outage() -> None:
    text = "exposure: {ignore_under: 5 h}\npay: 5 USD\ncap: {per: calendar year, at: 9 USD}"
    assert compiled(written(text)).decide(()).reason == "cannot_be_computed"
    assert minor(compiled(written(text), incident(lasting(5 * HOUR))).decide(())) == 500


@pytest.mark.parametrize(("days", "quantity"), [(1, "0.333333"), (2, "0.666667"), (3, "1"), (30, "10"), (0, "")])
def test_a_quantity_is_a_plain_decimal(days: int, quantity: str) -> None:
    policy = compiled(written("facts: {days: number}\ngive: {quantity: days / 3, unit: GB}"))
    assert "".join(benefit.quantity for benefit in policy.decide((days,)).benefits) == quantity


def test_heads_in_several_currencies_are_paid_each_in_its_own() -> None:
    policy = compiled(
        written(
            "facts: {country: text}\nheads:\n"
            '  - {name: dollars, when: country = "US", pay: 5 USD}\n  - {name: yen, when: country = "JP", pay: 500 JPY}'
        )
    )
    assert [b.money for b in policy.decide(("JP",)).benefits] == [Money(500, "JPY")]
    assert [b.money for b in policy.decide(("US",)).benefits] == [Money(500, "USD")]
    assert "500 JPY" in explain(policy, ("JP",)).text()


def test_where_it_goes_may_depend_on_the_account() -> None:
    policy = compiled(written('facts: {ended: yes_no}\npay: 5 USD\nto: if(ended, "transfer", "bill")'))
    assert [policy.decide((ended,)).benefits[0].terms for ended in (True, False)] == [
        {"to": "transfer"},
        {"to": "bill"},
    ]


@pytest.mark.parametrize(("days", "outcome"), [(100, Outcome.GRANTED), (101, Outcome.HELD)])
def test_more_benefits_than_a_record_takes_are_held(days: int, outcome: Outcome) -> None:
    policy = compiled(
        written("for_each: day\ngive: {quantity: 1, unit: GB}"), incident(lasting((days - 1) * 24 * HOUR))
    )
    assert policy.decide(()).outcome is outcome
    assert ("more than 100 things" in explain(policy, ()).text()) is (outcome is Outcome.HELD)


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        (Fraction(1, 2 * 10**6), "nothing_due"),
        (Fraction(1, 10**6), "credit"),
        (10**9, "credit"),
        (10**9 + 1, "quantity_too_large"),
        (10**15, "quantity_too_large"),
    ],
)
def test_a_quantity_that_cannot_be_written_or_added_up_exactly_is_not_granted(quantity: Any, reason: str) -> None:
    policy = compiled(written("facts: {n: number}\ngive: {quantity: n, unit: GB}"))
    assert explain(policy, (quantity,)).decision.reason == reason


def test_an_amount_that_nobody_knows_where_to_send_is_held() -> None:
    policy = compiled(written("facts: {ended: yes_no}\npay: 5 USD\nto: if(ended, 'transfer', 'bill')"))
    assert explain(policy, (None,)).decision.reason == "ended_unknown"
    assert [benefit.terms for benefit in policy.decide((True,)).benefits] == [{"to": "transfer"}]


@pytest.mark.parametrize(
    ("owed", "reason"),
    [
        ("pay: 5 USD\nmode: {claim: {until: incident_end}}", "claim_too_late"),
        ("give: {quantity: 1, unit: GB}", "credit"),
        ("pay: 0.01 USD / 10\ngive: {quantity: 1, unit: GB}", "credit"),
    ],
)
def test_nobody_is_held_for_want_of_a_place_to_which_nothing_is_sent(owed: str, reason: str) -> None:
    policy = compiled(written(f"facts: {{ended: yes_no}}\n{owed}\nto: if(ended, 'transfer', 'bill')"))
    explained = explain(policy, (None,))
    assert explained.decision.reason == reason
    assert "paid to" not in explained.text()


@pytest.mark.parametrize("first", ["quantity: 1, unit: GB, when: 'n > 0'", "quantity: n, unit: GB"])
def test_what_another_head_is_given_instead_of_holds_nobody(first: str) -> None:
    """Of two heads only the higher is given: how much the other would have been does not count."""
    heads = (
        f"heads:\n  - {{name: a, for_each: day, give: {{{first}}}}}\n"
        "  - {name: b, pay: 1 USD, for_each: day, give: {quantity: 1, unit: GB}}"
    )
    text = written(f"facts: {{n: number}}\n{heads}\ncompose: max")
    many = compiled(text, incident(lasting(51 * 86_400)), decided_at=START + timedelta(days=60))
    assert many.decide((10**10,)).reason == "b"


@pytest.mark.parametrize(
    ("games", "lines", "reason"),
    [
        ("few", 2, "credit"),
        ("few", 3, "cannot_be_computed"),
        ("many", 3, "credit"),
        ("many", 0, "nothing_due"),
        ("many", Fraction(3, 2), "cannot_be_computed"),
        ("others", 1, "cannot_be_computed"),
    ],
)
def test_no_more_is_chosen_than_there_is(games: str, lines: Any, reason: str) -> None:
    lists = "restrictions: {few: [Chess, Go], many: {a: [Chess], b: [Go, Skat]}}"
    policy = compiled(
        written(f"facts: {{games: text, n: number}}\ngive: {{choose: n, of: games, unit: game}}\n{lists}")
    )
    values: dict[str, Any] = {"games": games, "n": lines}
    explained = explain(policy, tuple(values[fact.name] for fact in policy.facts))
    assert explained.decision.reason == reason
    assert ("there is no such choice" in explained.text().lower()) is (reason == "cannot_be_computed")
