"""An explanation can be sent to a customer and checked by a regulator: its words, and that it tells what decided."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.explaining.explanation import Explanation, explain
from kulanz.domain.policy.explaining.wording import last_moment, said, spoken
from kulanz.domain.policy.language.calendars import calendar_functions
from kulanz.domain.policy.language.functions import operators
from kulanz.domain.policy.language.kinds import DURATION, INSTANT, OUTAGE, PERIOD, SPAN_DAYS
from kulanz.domain.time import Window, microseconds_of, parse_instant, zone_of
from kulanz_cli.policy_examples import left_out, prepare
from kulanz_cli.rulebook import BOOK, Rule, latest_rules
from tests.support.gallery import COMMAND, GALLERY, gallery
from tests.support.words import BODIES, CONDITIONS, WORDS, words
from tests.support.words import COMMAND as WORDS_COMMAND
from tests.unit.domain.policy.rulebook import compiled, incident, written

BERLIN = zone_of("Europe/Berlin")
RULES = latest_rules(BOOK)
BY_NAME = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.document.policy.id)


SAID_WITH_THEIR_OPERANDS = {"max", "min", "if", "first_known", "full", "begun", "round"}
"""Functions whose words depend on what they are given."""


def at(text: str) -> int:
    return microseconds_of(parse_instant(text))


def explained(rule: Rule, example: Mapping[str, Any]) -> Explanation:
    return prepare(rule.document, example, left_out(rule.document)).explain()


def told(policy: CompiledPolicy, *facts: object) -> tuple[str, ...]:
    return explain(policy, facts).steps  # type: ignore[arg-type] # values of several types


def test_the_gallery_shows_what_every_rule_says() -> None:
    assert GALLERY.read_text(encoding="utf-8") == gallery(), f"read the difference as a customer, then run: {COMMAND}"


def test_the_gallery_of_words_shows_what_no_rule_says() -> None:
    assert WORDS.read_text(encoding="utf-8") == words(), f"read the difference as a customer, then run: {WORDS_COMMAND}"


def test_the_gallery_of_words_has_every_function_of_the_language() -> None:
    text = " ".join([*CONDITIONS, *(body for _, body in BODIES)])
    signs = {"negative": "-lines", "known": " is known"}
    missing = [
        name
        for name in (*operators(), *calendar_functions(None))
        if not re.search(rf"\b{name}\(|\b{name}\b " if name.isidentifier() else re.escape(f" {name} "), text)
        and signs.get(name, name) not in text
    ]
    assert missing == []


@BY_NAME
def test_no_explanation_uses_a_name_that_is_only_the_policys(rule: Rule) -> None:
    policy = rule.document.policy
    names = {*policy.facts, *policy.values, *policy.parameters, *policy.restrictions}
    for example in rule.examples:
        explanation = explained(rule, example)
        codes = {name for name in (*names, explanation.decision.reason) if "_" in name}
        assert not [code for code in codes if code in explanation.text()]
        assert all(step[0].isupper() or step[0].isdigit() for step in explanation.steps)
        assert "~" not in explanation.text()
        assert not re.search(r"\b1 (?:minutes|days|working days|months|hours)\b", explanation.text())


@BY_NAME
def test_an_explanation_is_the_same_every_time(rule: Rule) -> None:
    for example in rule.examples:
        assert explained(rule, example) == explained(rule, example)


@BY_NAME
def test_whoever_gets_nothing_is_told_what_decided_that(rule: Rule) -> None:
    """Before the last step is the clause, the condition or the amount that ended the matter; or it names the unknown.

    What is kept for later incidents, and conditions of the payout that do not apply, may stand between.
    """
    for example in rule.examples:
        explanation = explained(rule, example)
        if explanation.decision.benefits:
            continue
        told = [step for step in explanation.steps if not step.startswith("Kept for later incidents")]
        decisive = next(step for step in reversed(told[:-1]) if " does not apply" not in step)
        if "is not known. Reason: " in told[-1]:
            continue
        assert re.search(r" applies|is not met|(?:=|Limited to) 0(?:\.00)? [A-Z]{3}\.|is over", decisive), decisive


def test_a_rule_that_comes_to_nothing_tells_the_arithmetic_all_the_same() -> None:
    policy = compiled(written("currency: EUR\nfacts: {fee: money, paid: money}\npay: fee - paid"))
    assert told(policy, 1000, 1200)[-2:] == (
        "Owed: fee 10.00 EUR minus paid 12.00 EUR = -2.00 EUR, which leaves nothing.",
        "Declined. Reason: nothing due.",
    )


def test_amounts_that_are_rounded_each_by_itself_are_told_so() -> None:
    heads = "heads:\n  - {name: a, pay: 10.01 EUR / 2}\n  - {name: b, pay: 10.01 EUR / 2}"
    assert "Each rounded half up: 5.01 EUR and 5.01 EUR, together 10.02 EUR." in told(compiled(written(heads)))
    once = compiled(
        written(heads.replace("10.01", "10.02") + "\n  - {name: c, pay: 0.01 EUR / 4}\nrounding: {stage: total}")
    )
    assert told(once)[-5:-3] == ("Together: 10.0225 EUR.", "Rounded half up: 10.02 EUR.")
    apart = compiled(written("heads:\n  - {name: a, pay: 10.01 EUR / 2}\n  - {name: b, pay: 0.99 USD / 2}"))
    assert "B: rounded half up: 0.50 USD." in told(apart)


@pytest.mark.parametrize(("mode", "told_as"), [("up", "rounded up"), ("half_even", "rounded half even")])
def test_a_rounding_other_than_half_up_is_told_with_its_mode(mode: str, told_as: str) -> None:
    policy = compiled(written(f"facts: {{n: number}}\nvalues: {{v: 'round(n, 2, \"{mode}\")'}}\npay: v * 1 EUR"))
    assert f"V: n 3 {told_as} to a multiple of 2 = 4." in told(policy, 3)


def test_a_head_that_is_rounded_to_nothing_is_told_among_what_it_is_added_to() -> None:
    heads = "heads:\n  - {name: a, pay: 10.01 EUR / 2}\n  - {name: b, pay: 0.01 EUR / 4}"
    assert told(compiled(written(heads)))[-5:] == (
        "B: 0.01 EUR divided by 4 = 0.0025 EUR.",
        "Together: 5.0075 EUR.",
        "Each rounded half up: 5.01 EUR and 0.00 EUR, together 5.01 EUR.",
        "A: credited automatically.",
        "Granted: 5.01 EUR. Reason: a.",
    )


@pytest.mark.parametrize(
    ("second", "shown"), [("00", "18:00"), ("00.4", "18:00:00.4"), ("09", "18:00:09"), ("59.999999", "18:00:59.999999")]
)
def test_a_time_of_day_is_told_as_exactly_as_it_is_compared(second: str, shown: str) -> None:
    policy = compiled(written("facts: {i: instant}\nwhen: time_of_day(i) >= 18:00\npay: 5 EUR"))
    assert f" ({shown}) is not before 18:00" in explain(policy, (parse_instant(f"2026-05-04T18:00:{second}Z"),)).text()


def test_of_several_things_the_highest_alone_is_owed_and_the_others_are_told() -> None:
    policy = compiled(
        written("compose: max\nheads:\n  - {name: flat_rate, pay: 5.00 EUR}\n  - {name: daily_rate, pay: 7.00 EUR}")
    )
    steps = told(policy)
    assert "Flat rate: 5.00 EUR." in steps
    assert "Daily rate: 7.00 EUR." in steps
    assert steps[-1] == "Granted: 7.00 EUR. Reason: daily rate."


def test_what_comes_after_the_first_that_pays_was_not_looked_at_and_is_not_told() -> None:
    heads = "heads:\n  - {name: a, when: x, pay: 1 USD}\n  - {name: b, when: y, pay: 2 USD}\ncompose: first"
    policy = compiled(written(f"facts: {{x: yes_no, y: yes_no}}\n{heads}"))
    assert not any('"b"' in step for step in told(policy, True, None))
    assert any('"b"' in step for step in told(policy, False, True))


def test_of_a_condition_only_what_decided_it_is_told() -> None:
    body = 'currency: EUR\nfacts: {plan: text, lines: number}\nwhen: plan = "gold" and lines > 2\npay: 1.00 EUR'
    policy = compiled(written(body))
    assert 'The condition is not met: plan "basic" is not "gold".' in told(policy, "basic", None)
    assert "The condition is not met: lines 1 is not more than 2." in told(policy, "gold", 1)
    assert 'The condition is met: plan is "gold" and lines 3 is more than 2.' in told(policy, "gold", 3)
    assert "Held for manual review, because lines is not known. Reason: lines unknown." in told(policy, "gold", None)


def test_a_fact_that_the_policy_explains_is_told_with_its_meaning() -> None:
    body = "facts: {at_home: {type: yes_no, says: Whether somebody was at home.}}\nwhen: at_home\npay: 1.00 EUR"
    assert "Facts used: at home: yes (whether somebody was at home)." in told(compiled(written(body)), True)


def test_a_reading_is_told_by_its_sentence_wherever_it_decides() -> None:
    body = (
        "parameters:\n  edge: {strict: Four full hours are too short., lenient: Four do.}\n"
        'when: edge = "lenient" and total(outage) >= 4 h\npay: 1.00 EUR'
    )
    steps = told(compiled(written(body)))
    assert "As chosen for this campaign: Four full hours are too short." in steps
    assert "The condition is not met: as chosen, Four full hours are too short." in steps


def test_shares_are_percentages_and_amounts_have_their_decimals() -> None:
    body = (
        "currency: EUR\nfacts: {fee: money}\nvalues:\n  lost: total(outage) / 24 h\n"
        "  share: {by: lost, tiers: {at least 12.5%: 10%, otherwise: 0%}}\npay: max(1 EUR, share * fee)"
    )
    steps = told(compiled(written(body)), 5000)
    assert "Lost: the time of the outage (4 h) divided by 24 h = about 16.666667%." in steps
    assert "Share: 10%, because lost about 16.666667% is at least 12.5%." in steps
    assert "Owed: the higher of 1.00 EUR and (share 10% of fee 50.00 EUR = 5.00 EUR) = 5.00 EUR." in steps


def test_units_other_than_money_are_told_in_full() -> None:
    body = (
        "zone: Europe/Berlin\ngive:\n"
        "  - {quantity: 1, unit: call_minute, restriction: places, valid: 1 day}\n"
        "  - {quantity: unlimited, unit: data, valid: {from: 2026-06-06, until: 2026-06-07}, each: week, times: 2}\n"
        "  - {choose: 2, of: games, unit: games}\n"
        "restrictions: {places: [Austria, Chile], games: [Chess, Go, Skat]}"
    )
    steps = told(compiled(written(body)))
    assert (
        "Owed: 1 call minute, to be used as listed under places (Austria and Chile), for 1 day from the grant." in steps
    )
    assert "Owed: unlimited data, from 2026-06-06 on, up to and including 2026-06-07, each week, 2 times." in steps
    assert "Owed: 2 games of the customer's choice from Chess, Go and Skat." in steps


def test_instants_are_told_in_the_rules_zone_and_the_hour_that_comes_twice_with_its_offset() -> None:
    assert said(INSTANT, at("2026-10-25T00:30:00Z"), BERLIN) == "2026-10-25 02:30+02:00"
    assert said(INSTANT, at("2026-10-25T01:30:00Z"), BERLIN) == "2026-10-25 02:30+01:00"
    assert said(INSTANT, at("2026-10-25T02:30:00Z"), BERLIN) == "2026-10-25 03:30"
    assert said(INSTANT, at("2026-10-25T02:30:00Z"), None) == "2026-10-25 02:30Z"
    assert said(INSTANT, at("2026-10-25T02:30:00.000001Z"), BERLIN) == "2026-10-25 03:30:00.000001"


def test_each_stretch_of_an_outage_is_told() -> None:
    hours = [(at(f"2026-05-{day:02}T08:00:00Z"), at(f"2026-05-{day:02}T12:00:00Z")) for day in (4, 6, 9)]
    told_apart = [said(OUTAGE, (one,), None) for one in hours]
    assert len(set(told_apart)) == 3
    assert said(OUTAGE, tuple(hours), None) == f"{told_apart[0]}, {told_apart[1]} and {told_apart[2]}"
    assert said(OUTAGE, (), None) == "none"


def test_values_that_rest_on_one_another_are_told_each_once() -> None:
    values = "".join(f"  v{n}: if(b, v{n - 1} + 1, 0)\n" for n in range(1, 33))
    policy = compiled(written(f"facts: {{b: yes_no, n: number}}\nvalues:\n  v0: n\n{values}pay: v32 * 1 USD"))
    steps = told(policy, True, 1)  # telling each branch twice at every level would take years
    assert "V32: v31 (32) plus 1 = 33, because b: yes." in steps
    assert len(steps) == 39


def test_a_stretch_within_a_day_names_the_day_once_and_whole_months_are_named() -> None:
    within = ((at("2026-05-04T08:00:00Z"), at("2026-05-04T12:00:00Z")),)
    over = ((at("2026-05-04T20:00:00Z"), at("2026-05-04T22:00:00Z")),)
    assert said(OUTAGE, within, BERLIN) == "2026-05-04 10:00 to 14:00"
    assert said(OUTAGE, over, BERLIN) == "2026-05-04 22:00 to 2026-05-05 00:00"
    assert said(OUTAGE, (), BERLIN) == "none"
    midnights = {month: at(f"2026-{month:02}-01T00:00:00Z") for month in (1, 3, 4)}
    utc = zone_of("UTC")
    assert said(PERIOD, (midnights[3], midnights[4]), utc) == "March 2026"
    assert said(PERIOD, (midnights[1], midnights[4]), utc) == "January to March 2026"
    assert said(PERIOD, (at("2025-01-01T00:00:00Z"), midnights[1]), utc) == "2025"
    assert said(PERIOD, (at("2025-04-01T00:00:00Z"), midnights[4]), utc) == "April 2025 to March 2026"
    assert said(PERIOD, (midnights[1], midnights[3] + 1), utc) == "2026-01-01 00:00 to 2026-03-01 00:00:00.000001"


def test_what_lies_at_the_edges_of_the_calendar_can_be_told() -> None:
    first, last = at("0001-01-01T00:00:00Z"), at("9999-12-31T23:59:59Z")
    assert said(PERIOD, (first, first), zone_of("UTC")) == "0001-01-01 00:00 to 00:00"
    assert last_moment(first, None) == "until 0001-01-01 00:00"
    assert said(INSTANT, last + 10**15, BERLIN) == "9999-12-31 23:59:59.999999"
    assert said(INSTANT, first, zone_of("America/New_York")) == "0001-01-01 00:00"


def test_lists_of_numbers_and_days_are_told_like_lists_of_words() -> None:
    body = "facts: {lines: number}\nwhen: lines in [1, 2, 3]\npay: 1.00 EUR"
    assert "The condition is met: lines 2 is one of 1, 2 and 3." in told(compiled(written(body)), 2)
    assert "The condition is not met: lines 4 is none of 1, 2 and 3." in told(compiled(written(body)), 4)


def test_a_length_below_nothing_and_one_of_a_unit_read_as_people_say_them() -> None:
    half_an_hour = 30 * 60 * 1_000_000
    assert said(DURATION, -half_an_hour, None) == "minus 30 min"
    assert (said(SPAN_DAYS, 1, None), said(SPAN_DAYS, 2, None)) == ("1 day", "2 days")
    assert spoken("split.line_fee") == "split line fee"


def test_an_incident_that_is_not_over_is_not_told_as_if_it_had_ended() -> None:
    policy = compiled(written("pay: 1.00 EUR"), incident(("2026-05-04T08:00:00Z", None)))
    (step,) = [step for step in told(policy) if step.startswith("The incident")]
    assert step == "The incident: 2026-05-04 08:00 to 2026-06-01 00:00 (UTC), not over when this was decided."


def test_an_upper_bound_is_told_with_the_values_that_it_rests_on() -> None:
    body = "facts: {fee: {type: money, currency: EUR}}\nvalues: {most: 2 * fee}\npay: 9 * fee\ncap: {at: most}"
    steps = told(compiled(written(body)), 100)
    assert steps.index("Most: 2 times fee 1.00 EUR = 2.00 EUR.") < steps.index(
        "Limited to 2.00 EUR by the upper bound: most 2.00 EUR."
    )


def test_a_billing_period_is_told_by_the_day_on_which_it_starts() -> None:
    body = "facts: {billing_day: number}\nvalues: {period: 'billing_period(incident_start, billing_day)'}\n"
    policy = compiled(written(body + "pay: 1.00 EUR * days(period)"))
    assert told(policy, 3)[3] == (
        "Period: the billing period of the start of the incident, with periods from day 3 of a month on"
        " = 2026-05-03 00:00 to 2026-06-03 00:00."
    )


def test_who_claims_too_late_is_told_so() -> None:
    mode = "mode: {claim: {at: claimed_at, until: day(incident_end) + 9 days}}"
    morning = incident(("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"))
    body = written(f"facts: {{claimed_at: instant}}\npay: 1.00 EUR\n{mode}")
    policy = compiled(body, morning, decided_at=datetime(2026, 5, 5, tzinfo=UTC))
    later = compiled(body, morning, decided_at=datetime(2026, 5, 20, tzinfo=UTC))
    assert "Owed on the customer's claim, not made yet; possible up to and including 2026-05-13." in told(policy, None)
    late = told(later, datetime(2026, 5, 14, tzinfo=UTC))
    assert late[-2:] == (
        "Owed on the customer's claim only, and the time for it is over.",
        "Declined. Reason: claim too late.",
    )


def test_whoever_is_held_because_something_cannot_be_computed_is_told_what() -> None:
    text = "currency: EUR\nfacts: {fee: money, lines: number}\nvalues: {each: fee / lines}\npay: max(each, 1.00 EUR)"
    for body in (text, f"{text}\nfor_each: outage"):
        held = told(compiled(written(body)), 500, 0)
        assert held[-2:] == (
            "This cannot be computed: fee 5.00 EUR divided by lines 0.",
            "Held for manual review. Reason: cannot be computed.",
        )


def test_an_amount_that_cannot_be_divided_over_periods_is_told_with_the_reason() -> None:
    capped = written("exposure: {ignore_under: 5 h}\npay: 5 USD\ncap: {per: calendar year, at: 9 USD}")
    assert told(compiled(capped))[-2] == (
        "The outage has no length, by which the amount could be divided over the periods of the cap."
    )


@pytest.mark.parametrize(
    ("per", "names"),
    [
        ("year from April", ("The year from April 2025", "The year from April 2026")),
        ("month", ("March 2026", "April 2026")),
        ("quarter", ("January to March 2026", "April to June 2026")),
        ("day", ("Day 1", "Day 2")),
    ],
)
def test_what_is_worked_out_for_each_period_is_told_by_the_periods_name(per: str, names: tuple[str, str]) -> None:
    night = incident(("2026-03-31T22:00:00Z", "2026-04-01T03:00:00Z"))
    policy = compiled(written(f"for_each: {per}\npay: full(total(outage), 1 h) * 1 USD"), night)
    owed = [step.partition(": ") for step in told(policy) if "owed" in step]
    assert [(name, rest[-9:]) for name, _, rest in owed] == [(names[0], "2.00 USD."), (names[1], "3.00 USD.")]


@pytest.mark.parametrize("others", ["", "- {name: a, when: total(outage) > 1 h, pay: 2 USD}\n"])
@pytest.mark.parametrize(("per", "names"), [("outage", ["Outage 1"]), ("month", ["March 2026", "April 2026"])])
def test_the_condition_of_what_is_worked_out_for_each_period_is_told_once_for_each_and_never_of_the_whole(
    per: str, names: list[str], others: str
) -> None:
    night = incident(("2026-03-31T22:00:00Z", "2026-04-01T03:00:00Z"))
    each = f"- {{name: b, for_each: {per}, when: total(outage) > 2 h, pay: 1 USD}}\n"
    steps = told(compiled(written(f"heads:\n{others}{each}"), night))
    found = [step.partition(": ")[0] for step in steps if "he condition" in step]
    assert found == ['The condition of "a" is met'] * bool(others) + names


def test_whoever_could_never_use_it_or_was_out_for_eons_is_told_that() -> None:
    give = "give: {quantity: 1, unit: GB, valid: {from: start, until: 2026-06-30}}"
    never = told(compiled(written(f"facts: {{start: day}}\n{give}")), date(2026, 7, 1))
    assert never[-2] == "The time in which it could be used ends before it starts."
    eons = (Window(datetime(1000, 1, 1, tzinfo=UTC), datetime(2026, 5, 5, tzinfo=UTC)),)
    held = told(compiled(written("facts: {windows: windows}\nfor_each: day\npay: 1 USD")), eons)
    assert held[-2] == "An outage has more days or parts than are looked at, or a date lies beyond the calendar."


def test_every_function_of_the_language_says_how_explanations_say_it() -> None:
    table = operators() | calendar_functions(None)
    called = {name: one for name, one in table.items() if one.signature.startswith(f"{name}(")}
    assert {name for name, one in called.items() if not one.says} == SAID_WITH_THEIR_OPERANDS
    for name, one in called.items():
        arguments = one.signature.removeprefix(f"{name}(").partition(")")[0].count(",") + 1
        for says in filter(None, (one.says, one.says_not)):
            assert {f"{{{place}}}" for place in range(arguments)} >= set(re.findall(r"{[0-9]}", says)) >= {"{0}"}, name


def test_a_list_of_small_values_is_put_into_words() -> None:
    policy = compiled(written("facts: {speeds: numbers}\npay: 5 USD * count(below(speeds, 30))"))
    assert "the number of the items of speeds [40, 20] below 30 (1)" in explain(policy, ((40, 20),)).text()
