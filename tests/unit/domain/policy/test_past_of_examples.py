"""Examples that list the incidents before theirs: each is decided with what those above it have added."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy import PolicyDocument
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import format_instant
from kulanz_cli.example_format import PAST_AT_MOST
from kulanz_cli.policy_examples import Result, run
from tests.unit.domain.policy.rulebook import written

CARRIED = load_policy(
    written("""currency: EUR
facts:
  refund: money
  tariff: {type: text, default: plus}
  collected: {type: money, add: refund, until: paid}
who: {decline: basic, when: tariff = "basic"}
pay: collected + refund
payout: {hold: too_little, when: amount < 10.00 EUR}
""")
)
CAPPED = load_policy(
    written("""currency: EUR
zone: Europe/Berlin
facts:
  plan: {type: text, default: plus}
  paid: {type: money, per: month, add: amount}
pay: 4.00 EUR
cap: {per: month, at: 10.00 EUR - paid}
""")
)
SEEN = load_policy(
    written("facts: {before: {type: windows, add: outage}}\nwhen: count(together(before, outage)) >= 3\npay: 1.00 EUR")
)
FORGETFUL = load_policy(written("facts: {fee: {type: money, currency: EUR}}\npay: fee"))
START = datetime(2026, 5, 4, 8, tzinfo=UTC)


def euros(amount: str) -> dict[str, Any]:
    return {"money": [{"amount": amount, "currency": "EUR"}]}


def on(day: int, hours: int = 1) -> dict[str, Any]:
    """An incident of some hours, so many days after the first."""
    start = START + timedelta(days=day)
    return {"windows": [{"start": format_instant(start), "end": format_instant(start + timedelta(hours=hours))}]}


def example(*past: dict[str, Any], expected: dict[str, Any], **entries: Any) -> dict[str, Any]:
    return {"id": "E", "account": {}, "past": list(past), "incident": on(90), "expected": expected, **entries}


def refused(result: Result) -> str:
    (difference,) = result.differences
    assert difference.what == "example", result.differences
    return difference.decided


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=12))
def test_what_is_collected_is_paid_as_soon_as_it_is_enough_and_never_lost(cents: list[int]) -> None:
    """Every step is stated as a sum by hand says, so the past itself is compared."""
    collected, steps = 0, []
    for day, refund in enumerate(cents):
        collected += refund
        enough = collected >= 1000
        expected = euros(f"{collected / 100:.2f}") if enough else {"outcome": "held"}
        collected = 0 if enough else collected
        steps.append({"incident": on(day), "account": {"refund": f"{refund / 100:.2f}"}, "expected": expected})
    last = steps.pop()
    result = run(CARRIED, example(*steps, **last))
    assert result.holds, result.differences


def test_a_month_pays_no_more_than_its_cap_and_the_next_month_begins_anew() -> None:
    in_may = [{"incident": on(day)} for day in range(3)]
    assert run(CAPPED, example(*in_may[:2], incident=on(3), expected=euros("2.00"))).holds
    assert run(CAPPED, example(*in_may, incident=on(3), expected={"outcome": "none"})).holds
    assert run(CAPPED, example(*in_may, incident=on(30), expected=euros("4.00"))).holds


def test_outages_of_the_past_count_and_an_overlap_is_one() -> None:
    apart, touching = [{"incident": on(0)}, {"incident": on(1)}], [{"incident": on(0)}, {"incident": on(0, hours=2)}]
    assert run(SEEN, example(*apart, expected=euros("1.00"))).holds
    assert run(SEEN, example(*touching, expected={"outcome": "none"})).holds


def test_the_account_was_in_the_past_what_it_is_now_unless_it_is_said_to_have_been_different() -> None:
    declined = {"incident": on(0), "account": {"tariff": "basic"}, "expected": {"outcome": "none"}}
    held = {"incident": on(1), "expected": {"outcome": "held"}}
    result = run(CARRIED, example(declined, held, account={"refund": "6.00"}, expected=euros("12.00")))
    assert result.holds, result.differences


def test_what_differs_in_the_past_is_told_with_its_place_and_so_is_how_every_step_ended() -> None:
    past = ({"incident": on(0)}, {"incident": on(1), "expected": euros("11.00")})
    result = run(CARRIED, example(*past, account={"refund": "6.00"}, expected={"outcome": "held"}))
    assert [(one.what, one.expected, one.decided) for one in result.differences] == [
        ("past[1] money", "11.00 EUR", "12.00 EUR")
    ]
    assert result.explanation.splitlines()[:2] == [
        "Before, 1: Held, and not paid for now. Reason: too little.",
        "Before, 2: Granted: 12.00 EUR. Reason: credit.",
    ]


def test_every_step_of_the_past_that_says_what_is_expected_is_compared() -> None:
    right = ({"outcome": "held"}, euros("12.00"), {"outcome": "held"})
    wrong = (euros("1.00"), euros("2.00"), euros("3.00"))
    decided = ("none", "12.00 EUR", "none")
    for wrongly in range(2**3):
        is_wrong = [bool(wrongly >> place & 1) for place in range(3)]
        past = [{"incident": on(place), "expected": (wrong if is_wrong[place] else right)[place]} for place in range(3)]
        result = run(CARRIED, example(*past, account={"refund": "6.00"}, expected=euros("12.00")))
        assert [(one.what, one.expected, one.decided) for one in result.differences] == [
            (f"past[{place}] money", f"{place + 1}.00 EUR", decided[place]) for place in range(3) if is_wrong[place]
        ]


@pytest.mark.parametrize(
    ("policy", "entries", "says"),
    [
        (FORGETFUL, {"past": [{"incident": on(0)}]}, "past: the policy keeps nothing"),
        (CARRIED, {"past": {"incident": {}}}, "past: expected a list"),
        (CARRIED, {"past": [on(0)]}, "past[0].windows: this cannot be compared"),
        (CARRIED, {"past": [{"account": {}}]}, "past[0].incident: say what happened"),
        (CARRIED, {"past": [{"incident": {"windows": [{"start": "x"}]}}]}, "past[0].incident.windows[0]"),
        (CARRIED, {"past": [{"incident": on(0), "expected": {"due_now": []}}]}, "past[0].expected.due_now"),
        (CARRIED, {"past": [{"incident": on(0), "expected": {"outcome": "paid"}}]}, "past[0].expected.outcome"),
        (CARRIED, {"past": [{"incident": on(0), "account": {"refnd": "1.00"}}]}, "past[0].account.refnd"),
        (CARRIED, {"past": [{"incident": on(0), "account": {"refund": True}}]}, "past[0]: refund"),
        (CARRIED, {"past": [{"incident": on(2)}, {"incident": on(1)}]}, "past[1].incident: it is decided before"),
        (CARRIED, {"past": [{"incident": on(91)}]}, "incident: it is decided before"),
        (CARRIED, {"past": [{"incident": on(0)}], "account": {"collected": "1.00"}}, "account.collected: it is worked"),
        (CAPPED, {"past": [{"incident": on(0)}], "account": {"paid_2026_05": "1"}}, "account.paid_2026_05: it is work"),
        (CARRIED, {"past": [{"incident": on(0)}] * (PAST_AT_MOST + 1)}, f"past: at most {PAST_AT_MOST}"),
        (SEEN, {"past": [{"incident": {"windows": [*hours]}} for hours in [
            [window for hour in range(20) for window in on(day * 20 + hour)["windows"]] for day in range(20)
        ]], "incident": on(900)}, "fill the subject's history"),
    ],
)  # fmt: skip
def test_a_past_that_cannot_be_worked_out_is_refused(
    policy: PolicyDocument, entries: dict[str, Any], says: str
) -> None:
    stated = {"account": {"refund": "6.00"} if policy is CARRIED else {}, **entries}
    assert says in refused(run(policy, example(expected={"outcome": "none"}, **stated)))
