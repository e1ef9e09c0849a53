"""What an incident adds beside what its earlier campaigns granted, in which no amount of money becomes less."""

from fractions import Fraction

import pytest

from kulanz.domain.policy.deciding.history import NO_HISTORY
from tests.unit.domain.policy.rulebook import compiled, incident, written

PERIOD = ("2026-04-30T18:00:00Z", "2026-05-01T06:00:00Z")
"""Six hours in April, six in May."""
CLAIM, OVER = "{claim: {until: 2026-07-31}}", "{claim: {until: 2026-05-31}}"
POLICY = written(
    "currency: EUR\nfacts:\n  fee: money\n  gone: yes_no\n"
    "  paid: {type: money, add: amount}\n"
    "  exact: {type: money, add: exact_amount}\n"
    "  monthly: {type: money, add: amount, per: month}\n"
    "  times: {type: number, add: 1}\n"
    "{}pay: fee / 3\ncap: {{per: month, at: 50.00 EUR - monthly + 0 EUR * times}}\n"
    "payout: {{decline: small, when: amount < 1.00 EUR and paid >= 0 EUR and exact >= 0 EUR}}\n".replace("{{", "{")
    .replace("}}", "}")
    .replace("{}", "who: {refer: gone, when: gone}\n")
)


@pytest.mark.parametrize(
    ("fee", "earlier", "paid", "exact"),
    [
        (1_000, 0, 333, Fraction(1_000, 3)),
        (1_000, 332, 333, Fraction(1_000, 3)),
        (1_000, 333, 333, Fraction(1_000, 3)),
        (1_000, 334, 334, 334),
        (1_000, 900, 900, 900),
        (200, 900, 900, 900),  # too small to be paid now: what was granted stays granted
        (200, 0, 0, 0),
        (0, 901, 901, 901),
    ],
)
def test_what_is_added_is_never_less_than_what_earlier_campaigns_of_the_incident_granted(
    fee: int, earlier: int, paid: int, exact: int | Fraction
) -> None:
    policy = compiled(POLICY, incident(PERIOD))
    granted = {"EUR": earlier, "USD": 70_000} if earlier else {"USD": 70_000}
    known = {"fee": fee, "gone": False}
    decision, addition = policy.decide_with_history([known[one.name] for one in policy.facts], NO_HISTORY, granted)
    assert decision.outcome.value == ("granted" if fee >= 300 else "declined")
    half, rest = divmod(paid, 2)
    monthly = {"monthly_2026_04:EUR": half + rest, "monthly_2026_05:EUR": half}
    expected = {"paid:EUR": paid, "exact:EUR": exact, **monthly, "times:number": 1}
    assert addition.added == {name: value for name, value in expected.items() if value}


def test_what_is_not_counted_by_the_policy_adds_nothing_beside_what_was_granted() -> None:
    policy = compiled(POLICY, incident(PERIOD))
    known = {"fee": 1_000, "gone": True}
    decision, addition = policy.decide_with_history([known[one.name] for one in policy.facts], NO_HISTORY, {"EUR": 5})
    assert (decision.reason, addition.is_empty()) == ("gone", True)


@pytest.mark.parametrize(
    ("first", "second", "added", "lapses"),
    [
        ("automatic", "automatic", 1_200, False),
        ("automatic", CLAIM, 1_200, False),
        (CLAIM, "automatic", 1_200, False),
        (CLAIM, CLAIM, 1_200, True),
        (CLAIM, OVER, 500, True),
        (OVER, "automatic", 700, False),
        (OVER, OVER, 0, False),
    ],
)
def test_what_can_still_be_claimed_counts_whole_and_lapses_only_where_nothing_was_granted_beside_it(
    first: str, second: str, added: int, lapses: bool
) -> None:
    heads = f"- {{name: a, pay: 5 EUR, mode: {first}}}\n- {{name: b, pay: 7 EUR, mode: {second}}}\n"
    kept = "currency: EUR\nfacts: {paid: {type: money, add: amount}}\n"
    policy = compiled(written(f"{kept}heads:\n{heads}cap: 100 EUR - paid"))
    decision, addition = policy.decide_with_history((), NO_HISTORY)
    assert addition.added == ({"paid:EUR": added} if added else {})
    assert addition.lapses_at == (decision.claim_until if lapses else None)
    assert (decision.claim_until is not None) is (CLAIM in (first, second))
    assert addition.lapsed is None
