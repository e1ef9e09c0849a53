"""Whether a claim is in, open or over; where money goes that nobody knows a place for; and what names the outcome."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from kulanz.domain.decision import Decision
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import MICROSECOND
from tests.unit.domain.policy.rulebook import NOW, compiled, incident, written

PAST, FUTURE = NOW - timedelta(days=2), NOW + timedelta(days=2)
BOTH_WAYS = pytest.mark.parametrize("way", ["claim", "offer"])


def decided(body: str, known: Mapping[str, object]) -> Decision:
    policy = compiled(written(body))
    return policy.decide([known.get(fact.name) for fact in policy.facts])  # type: ignore[misc] # several types


def outcome(decision: Decision) -> str:
    return f"{decision.outcome.value} {decision.reason}"


# A claim or an acceptance


@BOTH_WAYS
@pytest.mark.parametrize(
    ("reads", "made", "at", "until", "expected"),
    [
        ("made at until", None, None, FUTURE, "offered credit"),
        ("made at until", None, None, NOW + MICROSECOND, "offered credit"),
        ("made at until", None, None, NOW, "declined {}_too_late"),
        ("made at until", None, None, None, "held until_unknown"),
        ("made at until", False, None, FUTURE, "offered credit"),
        ("made at until", False, PAST, FUTURE, "offered credit"),
        ("made at until", False, PAST, NOW, "declined {}_too_late"),
        ("made at until", False, PAST, None, "held until_unknown"),
        ("made at until", True, None, FUTURE, "granted credit"),
        ("made at until", True, None, NOW, "held at_unknown"),
        ("made at until", True, None, None, "held until_unknown"),
        ("made at until", True, PAST, PAST + MICROSECOND, "granted credit"),
        ("made at until", True, PAST, PAST, "declined {}_too_late"),
        ("made at until", None, PAST, PAST + MICROSECOND, "granted credit"),
        ("made at until", None, PAST, PAST, "declined {}_too_late"),
        ("made at until", None, PAST, None, "held until_unknown"),
        ("at until", None, PAST, FUTURE, "granted credit"),
        ("at until", None, None, FUTURE, "offered credit"),
        ("at until", None, None, NOW, "declined {}_too_late"),
        ("made until", True, None, PAST, "granted credit"),
        ("made until", True, None, None, "granted credit"),
        ("made until", False, None, PAST, "declined {}_too_late"),
        ("made until", False, None, FUTURE, "offered credit"),
        ("made until", None, None, PAST, "declined {}_too_late"),
        ("made until", None, None, FUTURE, "offered credit"),
        ("made at", True, None, None, "granted credit"),
        ("made at", None, PAST, None, "granted credit"),
        ("made at", False, PAST, None, "offered credit"),
        ("made at", None, None, None, "offered credit"),
        ("made", None, None, None, "offered credit"),
    ],
)
def test_a_claim_is_in_open_or_over_by_what_is_known_of_it_and_by_its_own_instant(
    way: str, reads: str, made: bool | None, at: datetime | None, until: datetime | None, expected: str
) -> None:
    facts = "facts: {made: yes_no, at: instant, until: instant}\n"
    mode = ", ".join(f"{word}: {word}" for word in reads.split())
    found = decided(f"{facts}pay: 5 EUR\nmode: {{{way}: {{{mode}}}}}", {"made": made, "at": at, "until": until})
    assert outcome(found) == expected.format(way)
    is_open = expected.startswith("offered") and "until" in reads
    assert found.claim_until == (until if is_open else None)


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [
        ("[{automatic: plan = 1}, claim]", ["granted credit", "offered credit", "offered credit", "held plan_unknown"]),
        ("[{offer: plan = 1}, {claim: plan = 2}, automatic]", ["offered", "offered", "granted", "held plan_unknown"]),
        (
            "[{claim: {made: plan = 2}, when: plan > 1}, automatic]",
            ["granted", "granted", "offered", "held plan_unknown"],
        ),
        (
            "[{automatic: plan > 1}, {offer: {until: incident_end}}]",
            ["declined offer_too_late", "granted", "granted", "held"],
        ),
        ("[{automatic: other > 1}, {offer: plan = 1}, claim]", ["offered", "offered", "offered", "held plan_unknown"]),
    ],
)
def test_the_first_way_whose_condition_holds_is_taken_and_what_nobody_knows_is_held(
    mode: str, outcomes: list[str]
) -> None:
    ways = {1: "offer", 2: "claim"} if "{offer: plan = 1}" in mode and "other" not in mode else {}
    for plan, expected in zip((1, 2, 3, None), outcomes, strict=True):
        found = decided(f"facts: {{plan: number, other: number}}\npay: 5 EUR\nmode: {mode}", {"plan": plan, "other": 1})
        assert outcome(found).startswith(expected), plan
        if ways and plan is not None:
            assert found.mode == ways.get(plan, "automatic")
    both = f"heads:\n- {{name: a, pay: 5 EUR}}\n- {{name: b, pay: 7 EUR, mode: {mode}}}\n"
    found = decided(f"facts: {{plan: number, other: number}}\n{both}", {"other": 1})
    assert outcome(found) == "held plan_unknown", "also beside what is known"


# Where money goes


@pytest.mark.parametrize(
    ("owed", "mode", "expected"),
    [
        ("pay: 5 EUR", "automatic", "held place_unknown"),
        ("pay: 5 EUR", "{claim: {}}", "held place_unknown"),
        ("pay: 5 EUR", "{claim: {until: incident_end}}", "declined claim_too_late"),
        ("give: {quantity: 2, unit: GB}", "automatic", "granted one"),
        ("pay: 0.004 * 1.00 EUR, give: {quantity: 2, unit: GB}", "automatic", "granted one"),
        ("pay: 0.005 * 1.00 EUR, give: {quantity: 2, unit: GB}", "automatic", "held place_unknown"),
    ],
)
def test_only_money_that_can_be_had_waits_for_the_place_that_nobody_knows(owed: str, mode: str, expected: str) -> None:
    heads = f"facts: {{place: text}}\nheads:\n- {{name: one, {owed}, mode: {mode}, to: place}}\n"
    assert outcome(decided(heads, {})) == expected
    known = decided(heads, {"place": "bill"})
    given = "offered" if "{}" in mode else "granted"
    assert known.outcome.value == expected.partition(" ")[0].replace("held", given)
    for benefit in known.benefits:
        assert benefit.terms == ({"to": "bill"} if benefit.money else {}), "units go to no place"


# What names the outcome


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        (("automatic", "automatic"), "granted first"),
        (("claim", "automatic"), "granted second"),
        (("offer", "claim"), "offered first"),
        (("{claim: {until: incident_end}}", "offer"), "offered second"),
        (("{claim: {until: incident_end}}", "automatic"), "granted second"),
        (("{claim: {until: incident_end}}", "{offer: {until: incident_end}}"), "declined offer_too_late"),
        (("{offer: {until: incident_end}}", "{claim: {until: incident_end}}"), "declined claim_too_late"),
    ],
)
def test_the_reason_is_the_first_component_that_is_given_so_else_the_last_that_came_too_late(
    modes: tuple[str, str], expected: str
) -> None:
    heads = [
        f"- {{name: {name}, pay: 5 EUR, mode: {mode}}}\n" for name, mode in zip(("first", "second"), modes, strict=True)
    ]
    assert outcome(decided("heads:\n" + "".join(heads), {})) == expected


# What is told of it


CAPPED = "facts: {place: text, until: instant}\npay: 90 EUR\ncap: [{per: month, at: 50 EUR}, {at: 121 EUR / 3}]\n"


@pytest.mark.parametrize(
    "more",
    [
        "payout: {decline: small, when: amount < 41 EUR}",
        "payout: {refer: by_hand, when: amount < 41 EUR}",
        'payout: {hold: unclear, when: place = "bill"}',
        "to: place",
        "mode: {claim: {until: until}}",
    ],
)
def test_whatever_ends_the_matter_after_the_amount_its_shares_and_bounds_are_told_as_of_a_grant(more: str) -> None:
    def steps(body: str) -> tuple[str, ...]:
        policy = compiled(written(CAPPED + body))
        told = explain(policy, [None] * len(policy.facts))
        return tuple(step for step in told.steps if step.startswith(("Owed: ", "Part of", "Limited", "Rounded")))

    granted = steps("")
    assert granted == (
        "Owed: 90.00 EUR.",
        "Part of May 2026, by time: 90.00 EUR, at most 50.00 EUR.",
        "Limited to about 40.333333 EUR by the upper bound: 121.00 EUR divided by 3 = about 40.333333 EUR.",
        "Rounded half up: 40.33 EUR.",
    )
    assert steps(more) == granted


@pytest.mark.parametrize("amounts", [(0, 0, 0), (7, 7, 3), (3, 7, 7), (7, 3, 7), (0, 4, 4), (5, 0, 5), (6, 6, 6)])
def test_of_components_that_are_not_added_the_first_of_the_highest_or_the_first_that_gives_is_paid(
    amounts: tuple[int, int, int],
) -> None:
    names = ("one", "two", "three")
    heads = "".join(f"- {{name: {name}, pay: {amount}.00 EUR}}\n" for name, amount in zip(names, amounts, strict=True))
    paying = [(name, amount) for name, amount in zip(names, amounts, strict=True) if amount]
    given = {
        "sum": paying,
        "max": [pair for pair in paying if pair[1] == max(amounts)][:1],
        "first": paying[:1],
    }
    for compose, expected in given.items():
        found = decided(f"compose: {compose}\nheads:\n{heads}", {})
        told = [(one.component, one.money.minor // 100) for one in found.benefits if one.money is not None]
        assert (compose, told) == (compose, expected)
        assert outcome(found) == (f"granted {expected[0][0]}" if expected else "declined nothing_due")


@pytest.mark.parametrize(
    ("more", "place", "end"),
    [
        ('payout: {hold: unclear, when: place = "bill"}', "bill", "Held, and not paid for now. Reason: unclear."),
        (
            'payout: {hold: unclear, when: place = "bill"}',
            None,
            "Held for manual review, because place is not known. Reason: place unknown.",
        ),
        (
            "payout: {hold: unclear, when: amount / (amount - 5 EUR) > 0}",
            "bill",
            "Held for manual review. Reason: cannot be computed.",
        ),
        ("to: place", None, "Held for manual review, because place is not known. Reason: place unknown."),
        ('who: {hold: unclear, when: place = "bill"}', "bill", "Held for manual review. Reason: unclear."),
        ('payout: {decline: unclear, when: place = "bill"}', "bill", "Declined. Reason: unclear."),
        ('payout: {refer: unclear, when: place = "bill"}', "bill", "Referred to a person. Reason: unclear."),
        ("to: place", "bill", "Granted: 5.00 EUR. Reason: credit."),
    ],
)
def test_who_is_held_is_told_that_nothing_is_paid_for_now_only_where_the_payout_says_so(
    more: str, place: str | None, end: str
) -> None:
    policy = compiled(written(f"facts: {{place: text}}\npay: 5 EUR\n{more}"))
    told = explain(policy, [place for _ in policy.facts])
    assert told.steps[-1] == end
    assert told.decision == policy.decide([place for _ in policy.facts])


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (("12", "13"), ""),
        (("12", None), ", not over when this was decided"),
        ((None, "13"), ", not over when this was decided"),
        ((None, None), ", not over when this was decided"),
    ],
)
def test_an_incident_of_which_any_window_has_no_end_was_not_over(
    ends: tuple[str | None, str | None], told: str
) -> None:
    windows = [
        (f"2026-05-04T0{start}:00:00Z", None if end is None else f"2026-05-04T{end}:00:00Z")
        for start, end in zip((8, 9), ends, strict=True)
    ]
    (step,) = (
        step
        for step in explain(compiled(written("pay: 5 EUR"), incident(*windows)), ()).steps
        if "The incident" in step
    )
    last = "2026-05-04 13:00" if told == "" else "2026-06-01 00:00"
    assert step.startswith("The incident: 2026-05-04 08:00 to ")
    assert step.endswith(f"{last.removeprefix('2026-05-04 ')} (UTC){told}.")


@pytest.mark.parametrize(
    ("first", "second", "policys", "reason"),
    [
        ("one", "two", "all", "one"),
        ("", "two", "all", "all"),
        ("one", "", "all", "one"),
        ("", "", "all", "all"),
        ("", "two", "", "two"),
        ("", "", "", "nothing_due"),
    ],
)
def test_where_nothing_applies_the_reason_is_that_of_the_first_component_that_has_one_its_own_or_the_policys(
    first: str, second: str, policys: str, reason: str
) -> None:
    def entry(word: str) -> str:
        return f", otherwise: {word}" if word else ""

    heads = (
        f"- {{name: a, pay: 5 EUR, when: total(outage) > 9 h{entry(first)}}}\n"
        f"- {{name: b, pay: 5 EUR, when: total(outage) > 8 h{entry(second)}}}\n"
    )
    whole = f"otherwise: {policys}\n" if policys else ""
    found = decided(f"{whole}heads:\n{heads}", {})
    assert outcome(found) == f"declined {reason}"


@pytest.mark.parametrize(
    ("rest", "place", "reason", "because"),
    [
        ('who: {hold: place_unknown, when: place = "x", because: We look.}', None, "place_unknown", ""),
        ('who: {hold: place_unknown, when: place = "x", because: We look.}', "x", "place_unknown", "We look."),
        ('who: {hold: place_unknown, when: place = "x", because: We look.}', "y", "credit", ""),
        ('who: {decline: gone, unless: place = "x", because: You left.}', "y", "gone", "You left."),
        ('payout: {refer: gone, when: place = "y", because: We ask.}', "y", "gone", "We ask."),
        ("who: {decline: gone, because: You left.}", None, "gone", "You left."),
        (
            'in_force: {from: 2027-01-01}\nwho: {decline: gone, when: place = "y", because: No.}',
            "y",
            "not_in_force",
            "",
        ),
    ],
)
def test_support_may_say_what_a_policy_says_of_the_clause_that_applies_and_of_no_other(
    rest: str, place: str | None, reason: str, because: str
) -> None:
    policy = compiled(written(f"facts: {{place: text}}\npay: 5 EUR\n{rest}"))
    told = explain(policy, [place for _ in policy.facts])
    assert (told.decision.reason, told.because) == (reason, because)
    said = [step for step in told.steps if because and because in step]
    assert len(said) == bool(because)
