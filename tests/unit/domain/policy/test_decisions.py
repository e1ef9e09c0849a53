"""What the language promises: unknowns, order of work, claims, facts of an incident, and sameness everywhere."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from kulanz.domain.decision import Outcome
from kulanz.domain.lists.facts import INVALID
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import Window, parse_instant
from tests.unit.domain.policy.rulebook import POLICIES, START, compiled, incident, lasting, minor, written


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


"""Whether each comparison holds a second below a threshold, at it, and a second above."""


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


@pytest.mark.parametrize(("cause", "outcome"), [("theirs", "declined"), (None, "declined"), ("ours", "granted")])
def test_an_account_may_have_a_cause_of_its_own(cause: str | None, outcome: str) -> None:
    policy = compiled(
        written('facts: {cause: text}\nwhen: cause = "ours"\npay: 5 USD'), incident(lasting(1), cause="general")
    )
    assert policy.decide((cause,)).outcome.value == outcome


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
    ("texts", "language", "expected"),
    [
        ({"granted": ["en", "de"], "voided": ["en", "de"]}, "de", "de"),
        ({"granted": ["en", "de"], "voided": ["en"]}, "de", "en"),
        ({"granted": ["en", "de-AT"], "voided": ["en", "de"]}, "de-AT", "de"),
        ({"granted": ["en"], "voided": ["en", "fr"]}, "fr", "en"),
        ({"offered": ["en"], "voided": ["en"]}, "en", ""),
        ({"granted": ["en"]}, "en", ""),
    ],
)
def test_what_is_taken_back_is_said_in_the_language_of_the_notice_and_where_there_is_none_it_is_not(
    texts: Mapping[str, Sequence[str]], language: str, expected: str
) -> None:
    written_texts = {kind: {one: {"subject": "s", "text": one} for one in all_of} for kind, all_of in texts.items()}
    notice = f"notice: {{locale: language, texts: {json.dumps(written_texts)}}}"
    policy = compiled(written(f"facts: {{language: text}}\npay: 1.00 EUR\n{notice}\n"))
    locale = policy.voided_in(policy.decide([language]).notice)
    assert locale == expected
    assert not locale or policy.templates("voided", locale) is not None


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
