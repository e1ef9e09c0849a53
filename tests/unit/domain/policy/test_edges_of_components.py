"""Amount components and what is said of them, at their edges: the last span allowed, equal ends, equal limits, one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import Outcome, Validity
from kulanz.domain.policy import CompiledPolicy, PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.benefits import validity_words
from kulanz.domain.policy.explaining.explanation import LISTED_AT_MOST, explain
from kulanz.domain.time import MICROSECOND, zone_of
from tests.unit.domain.policy.rulebook import NOW, compiled, written


def text(policy: CompiledPolicy, *facts: object) -> str:
    return explain(policy, facts).text()  # type: ignore[arg-type] # values of several types


# What can be used how long


@pytest.mark.parametrize(("most", "unit"), [(36_525, "day"), (36_525 // 7, "week"), (1_200, "month")])
def test_a_benefit_can_be_used_for_a_hundred_years_and_no_longer(most: int, unit: str) -> None:
    give = "give: {{quantity: 1, unit: GB, valid: {} {}s}}"
    assert compiled(written(give.format(most, unit))).decide(()).outcome is Outcome.GRANTED
    with pytest.raises(PolicyError, match="at most 100 years"):
        compiled(written(give.format(most + 1, unit)))


@given(st.integers(-3, 3))
def test_what_could_be_used_for_no_moment_is_held(microseconds: int) -> None:
    facts = "facts: {begin: instant, until: instant}\n"
    policy = compiled(written(facts + "give: {quantity: 1, unit: GB, valid: {from: begin, until: until}}"))
    found = policy.decide((NOW, NOW + microseconds * MICROSECOND))
    if microseconds > 0:
        assert found.outcome is Outcome.GRANTED
    else:
        assert (found.outcome, found.reason) == (Outcome.HELD, "cannot_be_computed")


@pytest.mark.parametrize(
    ("validity", "words"),
    [
        (Validity(2, "days", "UTC", begins=NOW), ", from 2026-06-01 on, for 2 days"),
        (Validity(1, "days", "UTC"), ", for 1 day from the grant"),
        (Validity(1, "months", "UTC", start="redemption"), ", for 1 month from the redemption"),
        (
            Validity(0, "", "UTC", begins=NOW, until=NOW + timedelta(days=2)),
            ", from 2026-06-01 on, up to and including 2026-06-02",
        ),
        (Validity(), ""),
        (Validity(3, "hours"), ", for 3 hours from the grant"),
        (Validity(until=NOW + timedelta(hours=7)), ", until 2026-06-01 07:00"),
        (
            Validity(3, "months", "UTC", until=NOW + timedelta(hours=7)),
            ", for 3 months from the grant, until 2026-06-01 07:00",
        ),
        (
            Validity(2, "days", "UTC", start="redemption", until=NOW + timedelta(days=7)),
            ", for 2 days from the redemption, up to and including 2026-06-07",
        ),
        (
            Validity(1, "hours", begins=NOW + timedelta(hours=5), until=NOW + timedelta(days=7)),
            ", from 2026-06-01 05:00 on, for 1 hour, up to and including 2026-06-07",
        ),
    ],
)
def test_how_long_a_benefit_can_be_used_names_its_start_once(validity: Validity, words: str) -> None:
    assert validity_words(validity, zone_of("UTC")) == words


@pytest.mark.parametrize(("times", "words"), [(1, ", once."), (2, ", 2 times.")])
def test_a_benefit_of_one_time_is_given_once(times: int, words: str) -> None:
    assert f"Owed: 1 GB{words}" in text(compiled(written(f"give: {{quantity: 1, unit: GB, times: {times}}}")))


@pytest.mark.parametrize("entries", [1, LISTED_AT_MOST - 1, LISTED_AT_MOST, LISTED_AT_MOST + 1])
def test_a_list_is_said_entry_by_entry_up_to_the_most_that_are(entries: int) -> None:
    names = [f"Land{number}" for number in range(entries)]
    lists = f"restrictions: {{places: [{', '.join(names)}]}}\n"
    said = text(compiled(written(lists + "give: {quantity: 1, unit: GB, restriction: places}")))
    is_whole = entries <= LISTED_AT_MOST
    assert [name in said for name in names] == [is_whole] * entries
    assert (f"({entries} entries)" in said) is not is_whole


# Where it goes


@pytest.mark.parametrize(
    ("own", "policys", "found"),
    [
        ("to: '\"cheque\"'", "to: '\"transfer\"'", ["first cheque", "second transfer"]),
        ("due: 3 days", "due: 5 weeks", ["first 3 day", "second 5 week"]),
        ("due: 5 weeks", "due: 3 days", ["first 5 week", "second 3 day"]),
        ("mode: claim", "mode: automatic", ["second", "claimable first"]),
        ("mode: automatic", "mode: claim", ["first", "claimable second"]),
    ],
)
def test_a_component_has_what_it_says_itself_and_else_what_the_policy_says(
    own: str, policys: str, found: list[str]
) -> None:
    heads = f"heads:\n- {{name: first, pay: 1 USD, {own}}}\n- {{name: second, pay: 2 USD}}\n{policys}"
    decision = compiled(written(heads)).decide(())
    told = [" ".join([one.component, *one.terms.values(), str(one.due or "")]).strip() for one in decision.benefits]
    assert [*told, *(f"claimable {one.component}" for one in decision.claimable)] == found


@pytest.mark.parametrize(("pay", "is_said"), [("5 USD", True), ("0.01 USD", True), ("0.01 USD / 10", False)])
def test_where_an_amount_goes_is_said_only_where_something_is_paid(pay: str, is_said: bool) -> None:
    rule = f"facts: {{ended: yes_no}}\npay: {pay}\ngive: {{quantity: 1, unit: GB}}\nto: if(ended, 'transfer', 'bill')"
    assert ("paid to: transfer" in text(compiled(written(rule)), True)) is is_said


@pytest.mark.parametrize(
    ("mode", "is_said"),
    [
        ("automatic", True),
        ("claim", True),
        ("{claim: {until: 2026-06-01}}", True),
        ("{claim: {until: 2026-05-31}}", False),
        ("{offer: {until: 2026-05-31}}", False),
    ],
)
def test_what_came_too_late_goes_nowhere_and_the_other_parts_go_where_they_are_said_to_go(
    mode: str, is_said: bool
) -> None:
    heads = (
        f"- {{name: first, pay: 5 USD, to: '\"bill\"'}}\n- {{name: second, pay: 7 USD, to: '\"card\"', mode: {mode}}}"
    )
    told = text(compiled(written(f"heads:\n{heads}")))
    assert ("paid to: bill" in told, "paid to: card" in told) == (True, is_said)


# Caps and periods


@pytest.mark.parametrize(
    ("cap", "words"), [("4.99", "at most"), ("5.00", "within its limit of"), ("5.01", "within its limit of")]
)
def test_a_part_that_is_just_its_limit_is_within_it(cap: str, words: str) -> None:
    said = text(compiled(written(f"zone: UTC\npay: 5 USD\ncap: {{per: month, at: {cap} USD}}")))
    assert f"5.00 USD, {words} {cap} USD" in said


BY_MONTH = {
    "a cap of each month": "pay: 5 EUR\ncap: {per: month, at: 9 EUR}",
    "what is kept of each month": "facts: {paid: {type: money, per: month, currency: EUR, add: amount}}\npay: 5 EUR",
    "an amount for each month": "pay: 5 EUR\nfor_each: month",
}


@pytest.mark.parametrize("rule", BY_MONTH.values(), ids=BY_MONTH)
def test_a_rule_of_a_place_that_divides_its_amounts_over_months_names_its_clock(rule: str) -> None:
    """Else the months would begin at midnight UTC, and an amount would count for another month than the law's."""
    with pytest.raises(PolicyError, match="midnight UTC"):
        load_policy(written(f"jurisdiction: DE\n{rule}"))
    load_policy(written(f"jurisdiction: DE\nzone: Europe/Berlin\n{rule}"))
    load_policy(written(f"jurisdiction: worldwide\n{rule}"))


# What a row costs


@pytest.mark.parametrize("per", ["month", "quarter", "calendar year"])
def test_a_mask_of_each_piece_is_counted_over_the_whole_outage_once_more_than_without_pieces(per: str) -> None:
    """The pieces together are as long as the outage, and one of them may be."""
    head = "zone: Europe/Berlin\nfacts: {times: windows}\nexposure: {only: times}\n"

    def steps(each: str, pay: str) -> int:
        return compiled(written(f"{head}{each}pay: {pay} / 1 h * 0.01 EUR")).row_steps

    def of_mask(each: str) -> int:
        return steps(each, "total(daily(outage, 08:00, 22:00))") - steps(each, "total(outage)")

    assert of_mask(f"for_each: {per}\n") >= 2 * of_mask("") > 0
