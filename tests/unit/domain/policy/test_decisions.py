"""What the language promises: unknowns, boundaries, order of work, delivery, rounding, and sameness everywhere."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.lists.facts import INVALID, FactError
from kulanz.domain.money import Money, Rounding
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import CLOCK_ALLOWANCE, Window, format_instant, parse_instant
from tests.unit.domain.policy.rulebook import POLICIES, compiled, incident, written

START = datetime(2026, 5, 4, 8, tzinfo=UTC)


def lasting(seconds: int) -> tuple[str, str]:
    return format_instant(START), format_instant(START + timedelta(seconds=seconds))


def minor(decision: Decision) -> int:
    return sum(benefit.money.minor for benefit in decision.benefits if benefit.money is not None)


@pytest.mark.parametrize(("a", "b"), list(product((True, False, None), repeat=2)))
def test_and_or_not_follow_kleene(a: bool | None, b: bool | None) -> None:
    policy = compiled(written("facts: {a: yes_no, b: yes_no}\nheads:\n  - {name: and, when: a and b, pay: 1 USD}\n"))
    either = compiled(written("facts: {a: yes_no, b: yes_no}\nwhen: a or b\npay: 1 USD"))
    neither = compiled(written("facts: {a: yes_no, b: yes_no}\nwhen: not (a or b)\npay: 1 USD"))
    outcome = {True: Outcome.GRANTED, False: Outcome.DECLINED, None: Outcome.HELD}
    both = False if False in (a, b) else None if None in (a, b) else True
    one = True if True in (a, b) else None if None in (a, b) else False
    assert policy.decide((a, b)).outcome is outcome[both]
    assert either.decide((a, b)).outcome is outcome[one]
    assert neither.decide((a, b)).outcome is outcome[None if one is None else not one]


def test_an_unknown_amount_holds_and_names_its_fact() -> None:
    policy = compiled(
        written("currency: EUR\nfacts: {fee: money, lines: number}\nvalues: {x: 2 * fee}\npay: x * lines")
    )
    assert policy.decide((None, 3)).reason == "fee_unknown"
    assert policy.decide((500, None)).reason == "lines_unknown"
    assert "because fee is not known" in explain(policy, (None, 3)).text()


def test_a_fact_that_cannot_change_the_decision_is_not_missed() -> None:
    policy = compiled(
        written("facts: {a: yes_no, b: yes_no}\nwho:\n  - {decline: x, when: a}\n  - {decline: y, when: b}\npay: 1 USD")
    )
    assert policy.decide((None, True)).reason == "y"
    assert policy.decide((None, False)).outcome is Outcome.HELD


def test_an_unknown_clause_before_another_outcome_holds() -> None:
    policy = compiled(
        written("facts: {a: yes_no, b: yes_no}\nwho:\n  - {refer: x, when: a}\n  - {decline: y, when: b}\npay: 1 USD")
    )
    assert policy.decide((None, True)).reason == "a_unknown"
    assert policy.decide((False, True)).reason == "y"


@pytest.mark.parametrize("outcomes", list(product(("decline", "refer", "hold"), repeat=3)))
def test_clauses_decide_only_what_every_answer_to_the_unknown_would_decide(outcomes: tuple[str, ...]) -> None:
    lines = [f"  - {word} r{place}: f{place}" for place, word in enumerate(outcomes)]
    policy = compiled(written("\n".join(["facts: {f0: yes_no, f1: yes_no, f2: yes_no}", "who:", *lines, "pay: 1 USD"])))
    ends = {"decline": Outcome.DECLINED, "refer": Outcome.REFERRED, "hold": Outcome.HELD}
    for known in product((True, False, None), repeat=3):
        answers = product(*((True, False) if fact is None else (fact,) for fact in known))
        possible = {
            next((ends[word] for word, holds in zip(outcomes, facts, strict=True) if holds), Outcome.GRANTED)
            for facts in answers
        }
        expected = possible.pop() if len(possible) == 1 else Outcome.HELD
        assert policy.decide(known).outcome is expected, known


def test_division_by_zero_is_unknown_and_never_money() -> None:
    policy = compiled(written("currency: EUR\nfacts: {fee: money, lines: number}\npay: fee / lines"))
    assert policy.decide((500, 0)).reason == "cannot_be_computed"


@pytest.mark.parametrize("each", ["", "\nfor_each: outage"])
@pytest.mark.parametrize(
    ("hours", "fee", "reason"), [(4, 500, "credit"), (4, 0, "nothing_due"), (3, 500, "too_short"), (3, 0, "too_short")]
)
def test_the_reason_of_a_condition_is_for_those_who_do_not_meet_it(
    each: str, hours: int, fee: int, reason: str
) -> None:
    text = f"currency: EUR\nfacts: {{fee: money}}{each}\nwhen: total(outage) >= 4 h\notherwise: too_short\npay: fee"
    assert compiled(written(text), incident(lasting(hours * 3600))).decide((fee,)).reason == reason


@pytest.mark.parametrize(("hours", "reason"), [(4, "credit"), (3, "too_short")])
def test_where_no_outage_is_left_to_work_an_amount_out_for_the_stated_reason_is_given(hours: int, reason: str) -> None:
    text = "exposure: {ignore_under: 4 h}\nfor_each: outage\notherwise: too_short\npay: 5 USD"
    assert compiled(written(text), incident(lasting(hours * 3600))).decide(()).reason == reason


def test_the_reason_of_an_unknown_fact_is_a_code_also_where_its_name_has_dots() -> None:
    policy = compiled(written("facts: {contract.plan.fee: {type: money, currency: USD}}\npay: contract.plan.fee"))
    assert policy.decide((None,)).reason == "contract_plan_fee_unknown"


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


@pytest.mark.parametrize(("seconds", "outcome"), [(14_399, "declined"), (14_400, "granted"), (14_401, "granted")])
def test_at_least_includes_its_boundary(seconds: int, outcome: str) -> None:
    policy = compiled(written("when: longest(outage) >= 4 h\npay: 1 USD"), incident(lasting(seconds)))
    assert policy.decide(()).outcome.value == outcome


@pytest.mark.parametrize(("seconds", "outcome"), [(14_399, "declined"), (14_400, "declined"), (14_401, "granted")])
def test_more_than_excludes_its_boundary(seconds: int, outcome: str) -> None:
    policy = compiled(written("when: longest(outage) > 4 h\npay: 1 USD"), incident(lasting(seconds)))
    assert policy.decide(()).outcome.value == outcome


HOUR = 3600


BELOW_AT_ABOVE = {
    "at least": (False, True, True), "from": (False, True, True), ">=": (False, True, True),
    "more than": (False, False, True), ">": (False, False, True),
    "at most": (True, True, False), "up to": (True, True, False), "<=": (True, True, False),
    "less than": (True, False, False), "below": (True, False, False), "before": (True, False, False),
    "<": (True, False, False), "is": (False, True, False), "=": (False, True, False), "!=": (True, False, True),
}  # fmt: skip
"""Whether each comparison holds a second below a threshold, at it, and a second above."""


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        ("2026-05-04T22:00:00Z", 24),
        ("2026-03-28T23:00:00Z", 23),  # a day of Berlin on which the clocks go forward
        ("2026-10-24T22:00:00Z", 25),  # and back
        ("2024-02-28T23:00:00Z", 24),  # a leap day
    ],
)
@pytest.mark.parametrize("words", BELOW_AT_ABOVE)
def test_every_comparison_changes_at_its_second(words: str, start: str, hours: int) -> None:
    begin = parse_instant(start)
    for seconds, expected in zip((-1, 0, 1), BELOW_AT_ABOVE[words], strict=True):
        end = format_instant(begin + timedelta(hours=hours, seconds=seconds))
        for measured, limit in (("total(outage)", f"{hours} h"), ("incident_end", "end_of(day(incident_start))")):
            table = f"values: {{x: {{by: {measured}, tiers: {{'{words} {limit}': 1 EUR, otherwise: 0 EUR}}}}}}\npay: x"
            body = table if words[0].isalpha() else f"when: {measured} {words} {limit}\npay: 1 EUR"
            policy = compiled(written(f"zone: Europe/Berlin\n{body}"), incident((start, end)))
            assert minor(policy.decide(())) == (100 if expected else 0), (body, seconds)


@pytest.mark.parametrize(
    ("seconds", "begun", "full", "days"),
    [
        (86_399, 1, 0, 1),
        (86_400, 1, 1, 1),
        (86_401, 2, 1, 2),
        (172_799, 2, 1, 2),
        (172_800, 2, 2, 2),
        (172_801, 3, 2, 3),
    ],
)
def test_blocks_and_days_change_at_their_second(seconds: int, begun: int, full: int, days: int) -> None:
    pay = "begun(total(outage), 24 h) * 100 EUR + full(total(outage), 24 h) * 10 EUR + days(outage) * 1 EUR"
    midnight = parse_instant("2024-02-28T00:00:00Z")
    happened = incident((format_instant(midnight), format_instant(midnight + timedelta(seconds=seconds))))
    assert minor(compiled(written(f"pay: {pay}"), happened).decide(())) == 10_000 * begun + 1_000 * full + 100 * days


@pytest.mark.parametrize(
    ("policy_id", "facts", "boundary_seconds", "below", "at", "above"),
    [
        ("nl-elec", ("household",), 4 * HOUR, 0, 3500, 3500),
        ("nl-elec", ("household",), 8 * HOUR, 3500, 3500, 5500),
        ("nl-elec", ("household",), 12 * HOUR, 5500, 5500, 7500),
        ("be-113-2", ("residential", 1500, None, True), 8 * HOUR, 0, 0, 100),
        ("be-113-2", ("residential", 1500, None, True), 24 * HOUR, 100, 100, 200),
        ("uk-water-gss", ("household", None), 24 * HOUR, 5000, 10000, 10000),
        ("fi-eml", (60000, START, None), 12 * HOUR, 0, 6000, 6000),
        ("fi-eml", (60000, START, None), 24 * HOUR, 6000, 15000, 15000),
        ("fi-eml", (60000, START, None), 72 * HOUR, 15000, 30000, 30000),
        ("fi-eml", (60000, START, None), 288 * HOUR, 90000, 120000, 120000),
        ("se-ellag", (1200000, 5250000), 12 * HOUR, 0, 150000, 150000),
        ("se-ellag", (1200000, 5250000), 24 * HOUR, 150000, 150000, 450000),
        ("se-ellag", (1200000, 5250000), 48 * HOUR, 450000, 450000, 750000),
        ("att-guarantee-wireless", ("consumer_postpaid", True, 6200), HOUR, 0, 200, 200),
        ("att-guarantee-wireless", ("consumer_postpaid", True, 6200), 48 * HOUR, 200, 400, 400),
    ],
)
def test_amounts_change_at_the_second_the_rule_names(
    policy_id: str, facts: tuple[object, ...], boundary_seconds: int, below: int, at: int, above: int
) -> None:
    for seconds, expected in ((boundary_seconds - 1, below), (boundary_seconds, at), (boundary_seconds + 1, above)):
        happened = incident(lasting(seconds), cause="storm", towers=12)
        policy = compiled(POLICIES / policy_id / "1.yaml", happened)
        assert minor(policy.decide(facts)) == expected, seconds  # type: ignore[arg-type] # facts of several policies


@pytest.mark.parametrize(
    ("end", "days"),
    [
        ("2026-03-30T21:59:59Z", 1),  # a second before midnight, the day after the clocks went forward
        ("2026-03-30T22:00:00Z", 1),
        ("2026-03-30T22:00:01Z", 2),
        ("2026-03-29T22:00:00Z", 0),
        ("2026-03-29T22:00:01Z", 1),
    ],
)
def test_paid_days_end_at_local_midnight_when_the_clocks_change(end: str, days: int) -> None:
    happened = incident(("2026-03-27T17:00:00Z", end), cause="technical_fault")
    policy = compiled(POLICIES / "tkg-58-3" / "1.yaml", happened)
    facts = {**FACTS_OF["tkg-58-3"], "monthly_fee": 3999, "reported_at": parse_instant("2026-03-27T17:00:00Z")}
    assert minor(policy.decide([facts.get(fact.name) for fact in policy.facts])) == days * 500


@pytest.mark.parametrize(
    ("end", "paid_days"),
    [
        ("2025-10-08T22:59:59Z", 0),  # 23:59:59 on the second working day, in summer time
        ("2025-10-08T23:00:00Z", 1),
        ("2025-10-09T22:59:59Z", 1),
        ("2025-10-09T23:00:00Z", 2),
    ],
)
def test_a_repair_counts_by_the_day_it_falls_on(end: str, paid_days: int) -> None:
    happened = incident(("2025-10-06T09:00:00Z", end), cause="network_fault")
    policy = compiled(POLICIES / "ofcom-ac-repair" / "1.yaml", happened)
    facts: dict[str, Any] = {
        "segment": "residential",
        "total_loss": True,
        "reported_at": parse_instant("2025-10-06T09:00:00Z"),
    }
    assert minor(policy.decide([facts.get(fact.name) for fact in policy.facts])) == paid_days * 998


@pytest.mark.parametrize(
    ("start", "hours_of_month"),
    [
        ("2024-02-29T10:00:00Z", 696),  # a leap year
        ("2023-02-28T10:00:00Z", 672),
        ("2025-03-31T10:00:00Z", 743),  # clocks go forward
        ("2025-10-31T10:00:00Z", 745),  # clocks go back
    ],
)
def test_a_month_has_the_hours_it_has(start: str, hours_of_month: int) -> None:
    begin = parse_instant(start)
    happened = incident((start, format_instant(begin + timedelta(hours=1))), cause="network_fault")
    decision = compiled(POLICIES / "es-rd899-net" / "1.yaml", happened).decide((hours_of_month * 100,))
    assert minor(decision) == 100


MONOTONE = ("nl-elec", "fi-eml", "se-ellag", "br-anatel", "uk-water-gss", "be-113-2", "aws-ec2-region", "tkg-58-3")
FACTS_OF: dict[str, dict[str, Any]] = {
    "nl-elec": {"connection": "household"},
    "fi-eml": {"annual_network_fee": 60000, "known_to_operator": START},
    "se-ellag": {"annual_network_cost": 1200000, "price_base_amount": 5250000},
    "br-anatel": {"plan": 8990},
    "uk-water-gss": {"segment": "household"},
    "be-113-2": {"segment": "residential", "subscription_price": 4500},
    "aws-ec2-region": {"period_charges": 100000, "availability_zones_hit": 2},
    "tkg-58-3": {
        "segment": "consumer",
        "monthly_fee": 7990,
        "reported_at": START,
        "services": ("i",),
        "services_out": ("i",),
    },
}


def amount_for(policy_id: str, seconds: int) -> int:
    happened = incident(lasting(seconds), cause="fixed_hardware")
    policy = compiled(POLICIES / policy_id / "1.yaml", happened)
    facts = FACTS_OF[policy_id]
    return minor(policy.decide([facts.get(fact.name) for fact in policy.facts]))


@pytest.mark.parametrize("policy_id", MONOTONE)
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 14 * 24 * HOUR), st.integers(1, 5 * 24 * HOUR))
def test_a_longer_outage_never_lowers_the_amount(policy_id: str, seconds: int, more: int) -> None:
    assert amount_for(policy_id, seconds + more) >= amount_for(policy_id, seconds)


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


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/St_Johns"])
def test_the_process_time_zone_changes_nothing(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/conformance tries it with a process of its own, so with what is imported in that zone, too."""
    expected = [amount_for(policy, 500_000) for policy in MONOTONE]
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        found = [amount_for(policy, 500_000) for policy in MONOTONE]
    time.tzset()
    assert found == expected


@settings(max_examples=30, deadline=None)
@given(
    st.permutations(
        [
            lasting(3600),
            ("2026-05-05T08:00:00Z", "2026-05-05T21:00:00Z"),
            ("2026-05-04T08:30:00Z", "2026-05-04T22:00:00Z"),
        ]
    )
)
def test_the_order_of_windows_changes_no_decision(windows: list[tuple[str, str]]) -> None:
    policy = compiled(POLICIES / "fi-eml" / "1.yaml", incident(*windows, cause="storm"))
    assert minor(policy.decide((60000, START, None))) == 12000


CLAIM = """facts: {claimed: yes_no, claimed_at: instant}
pay: 5 USD
mode:
  claim: {made: claimed, at: claimed_at, until: day(incident_end) + 30 days}
"""
LAST_DAY = "2026-06-03"


@pytest.mark.parametrize(
    ("claimed", "at", "now", "outcome"),
    [
        (None, None, "2026-05-10T00:00:00Z", "offered"),
        (False, None, "2026-06-03T23:59:59Z", "offered"),
        (None, None, "2026-06-04T00:00:00Z", "declined"),
        (True, None, "2026-06-03T23:59:59Z", "granted"),
        (True, None, "2026-06-04T00:00:00Z", "held"),
        (None, f"{LAST_DAY}T23:59:59Z", "2026-07-01T00:00:00Z", "granted"),
        (None, "2026-06-04T00:00:00Z", "2026-07-01T00:00:00Z", "declined"),
        (True, "2026-06-04T00:00:00Z", "2026-07-01T00:00:00Z", "declined"),
        (False, "2026-05-09T00:00:00Z", "2026-05-10T00:00:00Z", "offered"),
        (False, "2026-05-09T00:00:00Z", "2026-07-01T00:00:00Z", "declined"),
    ],
)
def test_a_claim_counts_until_the_end_of_its_last_day(
    claimed: bool | None, at: str | None, now: str, outcome: str
) -> None:
    policy = compiled(written(CLAIM), decided_at=parse_instant(now))
    decision = policy.decide((claimed, None if at is None else parse_instant(at)))
    assert decision.outcome.value == outcome
    assert minor(decision) == (0 if outcome in ("declined", "held") else 500)
    assert outcome != "held" or decision.reason == "claimed_at_unknown"


def test_a_claim_whose_last_day_is_unknown_is_held_unless_it_does_not_matter() -> None:
    text = (
        "facts: {made: yes_no, at: instant, until: day}\npay: 5 USD\nmode: {claim: {made: made, at: at, until: until}}"
    )
    policy = compiled(written(text))
    assert [fact.name for fact in policy.facts] == ["made", "at", "until"]
    assert policy.decide((None, None, None)).reason == "until_unknown"
    assert policy.decide((None, START, None)).reason == "until_unknown"
    assert "claim, whose last day is not known" in explain(policy, (None, START, None)).text()
    assert policy.decide((True, None, None)).reason == "until_unknown"
    undated = explain(
        compiled(written(text), decided_at=parse_instant("2027-01-01T00:00:00Z")), (True, None, date(2026, 5, 4))
    )
    assert "claim, which has been made, nobody knows whether in time" in undated.text()
    without_a_moment = compiled(written(text.replace(", at: at", "")))
    assert without_a_moment.decide((True, None)).outcome is Outcome.GRANTED
    assert policy.decide((None, START, date(2026, 5, 4))).outcome is Outcome.GRANTED


def test_a_benefit_that_would_end_before_it_starts_is_held() -> None:
    policy = compiled(
        written("facts: {from: day, until: day}\ngive: {quantity: 1, unit: GB, valid: {from: from, until: until}}"),
        decided_at=parse_instant("2026-05-04T12:00:00Z"),
    )
    good, bad = date(2026, 5, 4), date(2026, 5, 3)
    assert policy.decide((good, good)).outcome is Outcome.GRANTED
    assert policy.decide((good, bad)).reason == "cannot_be_computed"


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


def test_an_open_outage_lasts_until_the_decision() -> None:
    text = written("pay: full(total(outage), 1 h) * 1 USD")
    policy = compiled(text, incident(("2026-05-04T08:00:00Z", None)), decided_at=datetime(2026, 5, 4, 11, tzinfo=UTC))
    assert minor(policy.decide(())) == 300


FACTS_STATED_BY_AN_INCIDENT: Mapping[str, object] = {
    "text": "many", "yes_no": True, "number": 99_999, "money": "99999.00", "instant": "2026-05-04T09:00:00Z",
    "day": "2026-05-04", "zone": "Europe/Berlin", "list": ["a"], "numbers": [1], "amounts": ["1.00"],
    "dates": ["2026-05-04"], "windows": [{"start": "2026-05-04T08:00:00Z", "end": "2026-05-04T09:00:00Z"}],
}  # fmt: skip


@pytest.mark.parametrize("who", ["", ", from: account"])
@pytest.mark.parametrize(("type_", "stated"), FACTS_STATED_BY_AN_INCIDENT.items())
def test_what_an_incident_states_never_stands_in_for_a_fact_of_the_account(
    type_: str, stated: object, who: str
) -> None:
    text = written(f"currency: EUR\nfacts: {{own: {{type: {type_}{who}}}}}\nwhen: own is known\npay: 5 EUR")
    policy = compiled(text, incident(lasting(1), own=stated))
    (own,) = policy.facts
    assert own.required
    assert policy.decide((None,)).outcome is Outcome.DECLINED
    assert policy.decide((own.parse_json(stated),)).outcome is Outcome.GRANTED


def test_what_an_incident_states_does_not_replace_a_default() -> None:
    policy = compiled(written("facts: {n: {type: number, default: 2}}\npay: n * 1 USD"), incident(lasting(1), n=3))
    assert minor(policy.decide((None,))) == 200


@pytest.mark.parametrize("wrong", ["many", {"nested": 1}, [1]])
def test_a_fact_of_another_type_that_the_policy_does_not_ask_the_incident_for_stops_nothing(wrong: object) -> None:
    policy = compiled(written("facts: {n: number}\npay: n * 1 USD"), incident(lasting(1), n=wrong))
    assert minor(policy.decide((7,))) == 700


def test_a_fact_of_the_incident_alone_is_no_column() -> None:
    policy = compiled(
        written("facts: {towers: {type: number, from: incident}}\nwhen: towers > 9\npay: 1 USD"),
        incident(lasting(1), towers=12),
    )
    assert policy.facts == ()
    assert policy.decide(()).outcome is Outcome.GRANTED


def test_windows_as_facts_are_excluded_or_alone_counted() -> None:
    facts = "facts: {planned: windows}\n"
    planned = (Window(START, START + timedelta(hours=1)),)
    happened = incident(lasting(3 * HOUR))
    without = compiled(written(facts + "exposure: {without: planned}\npay: full(total(outage), 1 h) * 1 USD"), happened)
    only = compiled(written(facts + "exposure: {only: planned}\npay: full(total(outage), 1 h) * 1 USD"), happened)
    assert (minor(without.decide((planned,))), minor(only.decide((planned,)))) == (200, 100)


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


def test_a_rule_of_a_country_may_name_utc_or_have_no_days() -> None:
    assert minor(compiled(written("jurisdiction: GH\nzone: UTC\npay: 5 USD * days(outage)")).decide(())) == 500
    assert minor(compiled(written("jurisdiction: GH\nwhen: total(outage) > 0 h\npay: 5 USD")).decide(())) == 500


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


@pytest.mark.parametrize("maximum", ["50", "50 EUR", "50.00 EUR"])
def test_a_wrong_value_that_is_held_takes_no_default_and_no_word_of_the_incident(maximum: str) -> None:
    limited = f"{{type: money, default: 0 EUR, maximum: {maximum}, invalid: hold}}"
    credited = f"currency: EUR\nfacts: {{credited: {limited}}}\n"
    policy = compiled(written(credited + "pay: 100 EUR - credited"))
    (fact,) = policy.facts
    assert minor(policy.decide((fact.parse_text("20.00"),))) == 8000
    assert minor(policy.decide((fact.parse_text(""),))) == 10000
    for wrong in ("abc", "50.01", "1e3"):
        assert policy.decide((fact.parse_text(wrong),)).reason == "credited_unknown"
    stated = compiled(written("facts: {n: {type: number, invalid: hold}}\npay: n * 1 USD"), incident(lasting(1), n=3))
    assert (stated.decide((None,)).reason, stated.decide((INVALID,)).reason) == ("n_unknown", "n_unknown")


def test_an_empty_list_may_be_the_default_of_a_history() -> None:
    history = "facts: {before: {type: windows, default: nothing}, seen: list}\n"
    policy = compiled(written(history + "pay: (count(together(before, outage)) + 1) * 1 USD"))
    assert minor(policy.decide((None,))) == 200
    assert minor(policy.decide(((Window(START - timedelta(days=1), START - timedelta(hours=1)),),))) == 300


@pytest.mark.parametrize(("limit", "below", "at_least"), [(14, 0, 3), (15, 1, 2), (30, 2, 1), (31, 3, 0)])
def test_items_of_a_list_are_below_a_limit_or_at_least_it(limit: int, below: int, at_least: int) -> None:
    text = f"count(below(n, {limit})) * 10 USD + count(at_least(n, {limit})) * 1 USD"
    policy = compiled(written(f"facts: {{n: numbers}}\npay: {text}"))
    assert minor(policy.decide(((14, Fraction(59, 2), 30),))) == 1000 * below + 100 * at_least


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


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ("day(seen + count * 24 h) > since", (10**9, date(2026, 1, 1), START)),
        ("seen + count * 24 h > seen", (10**9, None, START)),
        ("end_of(since) > seen", (1, date.max, START)),
        ("since + count * 1 day > since", (Fraction(3, 2), date(2026, 1, 1), START)),
        ("since + count * 1 month > since", (Fraction(3, 2), date(2026, 1, 1), START)),
        ("since + count * 1 working day > since", (Fraction(3, 2), date(2026, 1, 1), START)),
        ("is_working_day(since + 1 day)", (1, date.max, START)),
        ("month(since + count * 1 month) is known", (11, date.max, START)),
        ("length(billing_period(since, count)) > 0 h", (Fraction(3, 2), date(2026, 1, 1), START)),
        ("fee / length(period(seen, seen - 1 h)) * 1 h > fee", (1, None, START)),
    ],
)
def test_what_the_calendar_does_not_have_is_held(condition: str, facts: tuple[Any, ...]) -> None:
    declared = "currency: USD\nworking_days: DE\nfacts: {count: number, since: day, seen: instant, fee: money}\n"
    condition = condition.replace("* 1 h > fee", "> 0 USD").replace("fee / length", "fee * 1 h / length")
    policy = compiled(written(declared + f"when: {condition}\npay: 5 USD"))
    known = dict(zip(("count", "since", "seen", "fee"), (*facts, 500), strict=True))
    row = [known[fact.name] for fact in policy.facts]
    decision = policy.decide(row)
    unknown = condition.endswith("is known")
    assert decision.reason == ("nothing_due" if unknown else "cannot_be_computed")
    assert explain(policy, row).decision == decision


@pytest.mark.parametrize(
    "condition",
    [
        "is_working_day(day(start(outage)))",
        "total(on_working_days(outage)) >= 0 h",
        "working_days(day(start(outage)), day(end(outage))) >= 0",
        "day(start(outage)) + 1 working day >= day(start(outage))",
    ],
)
@pytest.mark.parametrize(
    "window",
    [
        ("1999-12-31T10:00:00Z", "1999-12-31T11:00:00Z"),
        ("2041-01-02T10:00:00Z", "2041-01-02T11:00:00Z"),
        ("1999-12-31T10:00:00Z", "2000-01-03T11:00:00Z"),
        ("2040-12-31T10:00:00Z", "2041-01-01T11:00:00Z"),
    ],
)
def test_no_working_day_is_guessed_outside_the_known_calendar(condition: str, window: tuple[str, str]) -> None:
    policy = compiled(written(f"working_days: US\nwhen: {condition}\npay: 1 USD"), incident(window))
    known = condition.startswith("is_") and window[0].startswith("2040")
    assert policy.decide(()).reason == ("credit" if known else "cannot_be_computed")


@pytest.mark.parametrize(("end", "reason"), [("00:00:00", "credit"), ("00:00:01", "cannot_be_computed")])
def test_an_outage_until_the_last_midnight_of_the_known_calendar_lies_in_it(end: str, reason: str) -> None:
    text = "working_days: US\nwhen: total(on_working_days(outage)) = 38 h\npay: 1 USD"
    happened = incident(("2040-12-28T10:00:00Z", f"2041-01-01T{end}Z"))  # a Friday and a Monday
    assert compiled(written(text), happened).decide(()).reason == reason


def test_years_whose_holidays_are_not_all_known_are_outside_the_calendar() -> None:
    policy = compiled(written("working_days: IN\nfacts: {d: day}\nwhen: is_working_day(d)\npay: 1 USD"))
    assert policy.decide((date(2035, 12, 27),)).reason == "credit"
    assert policy.decide((date(2036, 1, 2),)).reason == "cannot_be_computed"


def test_half_an_hour_divided_by_seven_is_an_instant_to_the_microsecond() -> None:
    policy = compiled(written("when: day(incident_start + 30 min / 7) = day(incident_start)\npay: 5 USD"))
    assert minor(policy.decide(())) == 500


@pytest.mark.parametrize(
    ("at", "later"),
    [
        ("17:59:59", False), ("17:59:59.999999", False), ("18:00:00", False), ("18:00:00.000001", True),
        ("18:00:01", True),
    ],
)  # fmt: skip
def test_a_time_of_day_has_its_seconds(at: str, later: bool) -> None:
    policy = compiled(written("facts: {seen: instant}\nwhen: time_of_day(seen) > 18:00\npay: 5 USD"))
    seen = parse_instant(f"2026-05-04T{at}Z")
    assert minor(policy.decide((seen,))) == (500 if later else 0)
    assert ("is after 18:00" in explain(policy, (seen,)).text()) is later


def test_an_amount_cannot_be_divided_over_periods_without_any_outage() -> None:
    text = "exposure: {ignore_under: 5 h}\npay: 5 USD\ncap: {per: calendar year, at: 9 USD}"
    assert compiled(written(text)).decide(()).reason == "cannot_be_computed"
    assert minor(compiled(written(text), incident(lasting(5 * HOUR))).decide(())) == 500


def test_a_weekend_is_one_stretch_of_two_days() -> None:
    happened = incident(("2026-05-08T08:00:00Z", "2026-05-12T08:00:00Z"))
    for days, hours, count in (('["sat", "sun"]', 48, 1), ('["fri", "sun"]', 24, 2), ('["mon", "tue"]', 32, 1)):
        counted = f"longest(weekdays(windows, {days})) / 1 h * 10 + count(weekdays(windows, {days}))"
        policy = compiled(written(f"give: {{quantity: '{counted}', unit: x}}"), happened)
        assert policy.decide(()).benefits[0].quantity == str(hours * 10 + count)
    working = written("working_days: GB-ENG\nwhen: longest(on_working_days(windows)) = 32 h\npay: 5 USD")
    assert minor(compiled(working, happened).decide(())) == 500


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


@pytest.mark.parametrize(("cause", "outcome"), [("theirs", "declined"), (None, "declined"), ("ours", "granted")])
def test_an_account_may_have_a_cause_of_its_own(cause: str | None, outcome: str) -> None:
    policy = compiled(
        written('facts: {cause: text}\nwhen: cause = "ours"\npay: 5 USD'), incident(lasting(1), cause="general")
    )
    assert policy.decide((cause,)).outcome.value == outcome


def test_an_account_may_have_windows_of_its_own() -> None:
    policy = compiled(
        written("facts: {windows: windows}\npay: full(total(outage), 1 h) * 1 USD"), incident(lasting(3 * HOUR))
    )
    assert minor(policy.decide((None,))) == 300
    assert minor(policy.decide(((Window(START, START + timedelta(hours=1)),),))) == 100


EONS = (Window(parse_instant("1800-01-02T00:00:00Z"), parse_instant("9999-12-29T00:00:00Z")),)


@pytest.mark.parametrize(
    "pay",
    [
        "days_with_more_than(windows, 1 h) * 1 USD",
        "full(total(daily(windows, 08:00, 22:00)), 1 h) * 1 USD",
        'full(total(weekdays(windows, ["sat"])), 1 h) * 1 USD',
        "most_in_a_year(windows, 4) * 1 USD",
    ],
)
def test_a_row_that_spans_eons_is_held_and_not_slow(pay: str) -> None:
    policy = compiled(written(f"facts: {{windows: windows}}\npay: {pay}"))
    assert policy.decide((EONS,)).outcome in (Outcome.HELD, Outcome.GRANTED)
    assert explain(policy, (EONS,)).decision == policy.decide((EONS,))
    each = compiled(written("facts: {windows: windows}\nfor_each: day\npay: full(total(outage), 1 h) * 1 USD"))
    assert each.decide((EONS,)).reason == "cannot_be_computed"


TEN_YEARS = (Window(datetime(2015, 7, 1, tzinfo=UTC), datetime(2026, 5, 30, tzinfo=UTC)),)


@pytest.mark.parametrize(
    "measure",
    [
        "total(overlap(daily(w, 00:00, 12:00), daily(w, 06:00, 18:00)))",
        "total(without(daily(w, 00:00, 12:00), daily(w, 06:00, 18:00)))",
        "total(weekdays(daily(w, 00:00, 12:00), ['sat']))",
        "days_with_at_least(daily(w, 00:00, 12:00), 1 h) * 1 h",
    ],
)
def test_a_row_of_ten_years_by_the_day_takes_no_seconds(measure: str) -> None:
    policy = compiled(written(f'zone: Europe/Berlin\nfacts: {{w: windows}}\npay: "{measure} / 1 h * 0.01 USD"'))
    began = process_time()
    assert policy.decide((TEN_YEARS,)).outcome is Outcome.GRANTED
    assert process_time() - began < 1


@pytest.mark.parametrize(("operands", "held"), [(1, False), (40, True)])
def test_a_row_of_very_many_parts_under_a_long_formula_is_held(operands: int, held: bool) -> None:
    formula = " + ".join(["total(outage) / 1 h"] * operands)
    policy = compiled(
        written(f"facts: {{windows: windows}}\nfor_each: day\npay: ({formula}) * 0.01 USD"),
        incident(("2015-07-01T00:00:00Z", None)),
        decided_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    assert (policy.decide((TEN_YEARS,)).reason == "cannot_be_computed") is held
    assert policy.decide(((Window(datetime(2025, 7, 1, tzinfo=UTC), None),),)).outcome is Outcome.GRANTED


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


def test_an_account_in_an_unknown_zone_is_held_for_that_also_under_a_cap_of_periods() -> None:
    policy = compiled(written("zone: place\nfacts: {place: zone}\npay: 5 USD\ncap: {per: month, at: 3 USD}"))
    assert explain(policy, (None,)).decision.reason == "place_unknown"


def test_days_over_eons_are_counted_at_once() -> None:
    text = written("facts: {windows: windows}\ngive: {quantity: days(windows), unit: day}")
    policy = compiled(text, incident(("1800-01-02T00:00:00Z", None)), decided_at=parse_instant("9999-12-30T00:00:00Z"))
    assert policy.decide((EONS,)).benefits[0].quantity == "2994984"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize(
    ("exposure", "paid"),
    [
        ("", "outage"),
        ("exposure: {until: repaired_at}\n", "outage"),
        ("exposure: {until: incident_end}\nwhen: total(outage) > 0 h\n", "windows"),
        ("exposure: {until: incident_end}\nvalues: {raw: {by: count(outage), tiers: {otherwise: windows}}}\n", "raw"),
    ],
)
def test_an_account_is_not_paid_for_a_time_that_has_not_come(seconds: int, exposure: str, paid: str) -> None:
    """The event's windows are refused so; of a mistyped year in one row, 36 years would be paid."""
    facts = "facts: {windows: windows, repaired_at: instant}\n"
    text = written(f"{facts}{exposure}pay: full(total({paid}), 1 h) * 1 USD")
    now = START + timedelta(hours=5)
    policy = compiled(text, incident(lasting(1)), decided_at=now)
    end = now + CLOCK_ALLOWANCE + timedelta(seconds=seconds)
    values: dict[str, Any] = {"windows": (Window(START, end),), "repaired_at": end}
    explained = explain(policy, tuple(values[fact.name] for fact in policy.facts))
    if seconds > 0:
        assert (explained.decision.outcome, explained.decision.reason) == (Outcome.HELD, "outage_in_the_future")
        assert "a time that has not come is not paid for" in explained.text()
    else:
        assert minor(explained.decision) == 500


def test_what_an_exposure_cuts_away_may_lie_ahead() -> None:
    text = written("facts: {windows: windows}\nexposure: {until: incident_end}\npay: full(total(outage), 1 h) * 1 USD")
    policy = compiled(text, incident(lasting(7200)), decided_at=START + timedelta(hours=5))
    assert minor(policy.decide(((Window(START, START + timedelta(days=13_000)),),))) == 200


def test_an_open_window_of_an_account_lasts_until_the_decision() -> None:
    text = written("facts: {windows: windows}\npay: full(total(outage), 1 h) * 1 USD")
    policy = compiled(text, incident((format_instant(START), None)), decided_at=START + timedelta(hours=5))
    assert minor(policy.decide(((Window(START, None),),))) == 500


def test_a_zone_of_the_account_makes_its_days() -> None:
    text = written("zone: place\nfacts: {place: zone}\npay: days(outage) * 1 USD")
    policy: CompiledPolicy = compiled(text, incident(("2026-05-04T20:00:00Z", "2026-05-04T23:00:00Z")))
    assert minor(policy.decide(("UTC",))) == 100
    assert minor(policy.decide(("Europe/Berlin",))) == 200
    assert policy.decide((None,)).reason == "place_unknown"


def test_an_explanation_tells_the_arithmetic() -> None:
    policy = compiled(
        POLICIES / "tkg-58-3" / "1.yaml",
        incident(("2026-05-04T08:00:00Z", "2026-05-10T22:00:00Z"), cause="technical_fault"),
    )
    facts = ("consumer", 7990, parse_instant("2026-05-04T08:00:00Z"), ("internet",), ("internet",), None, None)
    explanation = explain(policy, facts)
    assert explanation.decision == policy.decide(facts)
    told = explanation.text()
    third = "the higher of 5.00 EUR and (10% of monthly fee 79.90 EUR = 7.99 EUR) = 7.99 EUR"
    fifth = "the higher of 10.00 EUR and (20% of monthly fee 79.90 EUR = 15.98 EUR) = 15.98 EUR"
    assert f"days 3 and 4: 15.98 EUR, for each {third}; days 5 and 6: 31.96 EUR, for each {fifth}" in told
    assert "Policy tkg-58-3, version 1" in told


@pytest.mark.parametrize(
    "path", sorted(POLICIES.glob("*/[0-9]*.yaml")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_policy_decides_and_explains_a_row_of_which_nothing_is_known(path: object) -> None:
    happened = incident(("2010-02-01T10:00:00Z", "2010-02-02T11:00:00Z"))
    policy = compiled(path, happened)  # type: ignore[arg-type] # a path
    nothing = [None] * len(policy.facts)
    assert explain(policy, nothing).decision == policy.decide(nothing)


def test_a_notice_is_filled_in_with_words_as_a_customer_reads_them() -> None:
    """Texts have no quotation marks of the language, instants stand on the clock of the rule's zone."""
    policy = compiled(
        written(
            "zone: Europe/Berlin\n"
            "facts: {plan: text, lines: list, back_at: instant, fee: {type: money, currency: EUR}, unsaid: text}\n"
            "pay: 1.00 EUR\n"
            "notice:\n  texts: {granted: {en: {subject: s, text: t}}}\n"
            "  values: {plan: plan, lines: lines, back_at: back_at, fee: fee, late: -90 min, unsaid: unsaid}\n"
        )
    )
    stated: dict[str, Any] = {
        "plan": 'The "big" plan',
        "lines": ("phone", "tv"),
        "back_at": parse_instant("2026-05-04T12:00:00Z"),
        "fee": 1990,
    }
    notice = policy.decide([stated.get(fact.name) for fact in policy.facts]).notice
    assert notice is not None
    assert notice.values == {
        "plan": 'The "big" plan',
        "lines": "phone, tv",
        "back_at": "2026-05-04 14:00",
        "fee": "19.90 EUR",
        "late": "minus 1 h 30 min",
    }


@pytest.mark.parametrize(
    ("short", "written_out"),
    [
        ("cap: 8.00 EUR", "cap: [{at: 8.00 EUR}]"),
        ("cap: [8.00 EUR, {at: 5.00 EUR}]", "cap: [{at: 8.00 EUR}, {at: 5.00 EUR}]"),
        ("in_force: 2024-01-01", "in_force: {from: 2024-01-01}"),
    ],
)
def test_a_value_that_stands_alone_is_the_entry_that_is_meant(short: str, written_out: str) -> None:
    texts = (written(f"currency: EUR\nfacts: {{fee: money}}\npay: fee\n{line}") for line in (short, written_out))
    first, second = (load_policy(text).policy for text in texts)
    assert first == second
