"""What of an amount counts in which period: what its cap allowed, else what was worked out for it, else by time."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.history import NO_HISTORY, HistoryValues
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import Window, parse_instant
from tests.unit.domain.policy.rulebook import compiled, incident, minor, written

KEPT = "currency: EUR\nfacts:\n  fee: money\n  paid: {type: money, add: amount, per: month}\n"
MONTHS = ("2026_02", "2026_03", "2026_04")
DAYS = [(f"2026-{month}-10T00:00:00Z", f"2026-{month}-11T00:00:00Z") for month in ("02", "03", "04")]
"""A day of each month, so that time divides into thirds."""
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def decide(policy: CompiledPolicy, fee: int, kept: HistoryValues = NO_HISTORY) -> tuple[int, list[int]]:
    """What is granted, and what of it counts in each month."""
    decision, addition = policy.decide_with_history([fee for _ in policy.facts], kept)
    known = {name.removeprefix("paid_").removesuffix(":EUR"): size for name, size in addition.added.items()}
    assert set(known) <= set(MONTHS)
    return minor(decision), [int(known.get(month, 0)) for month in MONTHS]  # type: ignore[arg-type] # amounts


@given(st.integers(0, 3_000).map(lambda third: 3 * third), st.tuples(*[st.integers(0, 1_200)] * 3))
def test_each_month_keeps_its_part_as_far_as_its_own_cap_allows(fee: int, before: tuple[int, int, int]) -> None:
    policy = compiled(
        written(f"{KEPT}pay: fee\ncap: {{per: month, at: 10.00 EUR - paid}}"), incident(*DAYS), decided_at=NOW
    )
    kept = {f"paid_{month}": size for month, size in zip(MONTHS, before, strict=True) if size}
    expected = [min(fee // 3, max(0, 1_000 - size)) for size in before]
    assert decide(policy, fee, kept) == (sum(expected), expected)


IN_APRIL = "day(start(outage)) > 2026-04-01"
BY_PIECES = {
    "each month alike": ("for_each: month\npay: fee", (300, [100, 100, 100])),
    "nothing for one": (
        "for_each: month\nwhen: day(start(outage)) > 2026-03-01\npay: fee", (200, [0, 100, 100]),
    ),
    "less than nothing for one": (
        "for_each: month\npay: if(day(start(outage)) < 2026-03-01, 0 EUR - fee / 2, fee)", (150, [0, 75, 75]),
    ),
    "more for the last": (
        "for_each: outage\npay: if(day(start(outage)) > 2026-04-01, 4 * fee, fee)", (600, [100, 100, 400]),
    ),
    "units beside it": (
        "heads:\n- {name: a, for_each: month, pay: fee}\n- {name: b, give: {quantity: 1, unit: GB}}",
        (300, [100, 100, 100]),
    ),
    "money by time beside it": (
        f"heads:\n- {{name: b, pay: 3 * fee}}\n- {{name: a, for_each: month, when: {IN_APRIL}, pay: fee}}",
        (400, [100, 100, 200]),
    ),
    "what is worked out at once": ("pay: 3 * fee", (300, [100, 100, 100])),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_PIECES)
def test_what_is_worked_out_for_a_month_counts_in_that_month(case: str) -> None:
    body, expected = BY_PIECES[case]
    policy = compiled(written(f"zone: UTC\n{KEPT}{body}"), incident(*DAYS), decided_at=NOW)
    assert decide(policy, 100) == expected
    under_a_cap = f"zone: UTC\n{KEPT}{body}\ncap: {{per: month, at: 1000 EUR - paid}}"
    assert decide(compiled(written(under_a_cap), incident(*DAYS), decided_at=NOW), 100) == expected


@pytest.mark.parametrize(("fee", "reason"), [(0, "credit"), (1, "cannot_be_computed"), (500, "cannot_be_computed")])
def test_without_any_time_only_money_cannot_be_divided_over_the_months_of_a_cap(fee: int, reason: str) -> None:
    body = "facts: {windows: windows, fee: money}\ncurrency: EUR\nexposure: {until: incident_start}\n"
    policy = compiled(
        written(f"{body}pay: fee\ngive: {{quantity: 2, unit: GB}}\ncap: {{per: month, at: 5 EUR}}"), incident(*DAYS)
    )
    known = {"fee": fee, "windows": (Window(parse_instant(DAYS[0][0]), parse_instant(DAYS[0][1])),)}
    decision = policy.decide([known[fact.name] for fact in policy.facts])  # type: ignore[misc] # several types
    assert decision.reason == reason
    assert [benefit.unit for benefit in decision.benefits] == (["GB"] if reason == "credit" else [])


@pytest.mark.parametrize("order", [1, -1])
def test_an_incident_began_with_its_first_window_and_is_kept_with_the_end_of_its_last(order: int) -> None:
    policy = compiled(written(f"{KEPT}pay: fee"), incident(*DAYS[::order]), decided_at=NOW)
    _, addition = policy.decide_with_history((100,), NO_HISTORY)
    assert (addition.began_at, policy.began_at()) == (parse_instant(DAYS[0][0]),) * 2
    assert addition.ended_at == parse_instant(DAYS[-1][1])
    lasting = compiled(written(f"{KEPT}pay: fee"), incident(*[*DAYS[:2], (DAYS[2][0], None)][::order]), decided_at=NOW)
    assert lasting.decide_with_history((100,), NO_HISTORY)[1].ended_at == NOW


OWN = "currency: EUR\nfacts:\n  windows: windows\n  times: {type: windows, add: outage}\n"


@pytest.mark.parametrize(("minutes", "ended"), [(-1, -1), (0, 0), (10, 0), (15, 0)])
def test_what_lasts_a_little_longer_than_the_decision_ended_with_it(minutes: int, ended: int) -> None:
    """Two clocks may differ by a quarter of an hour."""
    policy = compiled(written(f"{OWN}when: count(times) < 9\npay: 1 EUR"), incident((DAYS[0][0], None)), decided_at=NOW)
    own = (Window(parse_instant(DAYS[1][0]), NOW + timedelta(minutes=minutes)),)
    decision, addition = policy.decide_with_history([own], NO_HISTORY)
    assert (decision.outcome.value, addition.ended_at) == ("granted", NOW + timedelta(minutes=ended))


@pytest.mark.parametrize(("parts", "reason"), [(100, "credit"), (101, "outage_in_too_many_parts")])
def test_all_that_an_incident_adds_has_no_more_parts_than_can_be_kept(parts: int, reason: str) -> None:
    kept = f"{OWN}  again: {{type: windows, add: outage}}\n"
    policy = compiled(
        written(f"{kept}when: count(times) < 9 and count(again) < 9\npay: 1 EUR"), incident(DAYS[0]), decided_at=NOW
    )
    start = parse_instant(DAYS[0][0])
    own = tuple(Window(start + timedelta(minutes=2 * n), start + timedelta(minutes=2 * n + 1)) for n in range(parts))
    assert policy.decide_with_history([own], NO_HISTORY)[0].reason == reason


def test_only_what_is_kept_in_the_same_type_and_currency_is_read_and_nothing_of_another_name() -> None:
    policy = compiled(written(f"{KEPT}  times: {{type: number, add: 1}}\nwhen: times < 9\npay: fee"), incident(*DAYS))
    stored: HistoryValues = {
        "paid_2026_03:EUR": 1, "paid_2026_03": 2, "paid_2026_03:USD": 3, "paid:EUR": 4, "paid_2025_03:EUR": 5,
        "times:number": Fraction(6), "times": 7, "times:windows": ((8, 9),), "stranger:EUR": 10, "stranger": 11,
        "times_2026_03:number": 12, "fee:EUR": 13,
    }  # fmt: skip
    assert policy.read_of(stored) == {"paid_2026_03": 1, "times": 6}


@pytest.mark.parametrize(
    ("cap", "unknown", "reason", "told"),
    [
        ("most", "most", "most_unknown", "because most is not known"),
        ("limit", "limit_2026_03", "limit_2026_03_unknown", "because limit 2026 03 is not known"),
        ("limit - paid", "limit_2026_04", "limit_2026_04_unknown", "because limit 2026 04 is not known"),
        ("most + limit", "most", "most_unknown", "because most is not known"),
        (
            "most / (most - most) * 1 EUR",
            "",
            "cannot_be_computed",
            "this cannot be computed: most 50.00 EUR divided by",
        ),
        ("limit / (paid / 1 EUR)", "", "cannot_be_computed", "this cannot be computed: limit 50.00 EUR divided by"),
    ],
)
def test_what_a_cap_of_a_month_does_not_know_is_named_with_its_month_where_each_month_has_its_own(
    cap: str, unknown: str, reason: str, told: str
) -> None:
    each = "  limit: {type: money, per: month}\n  most: money\n"
    body = f"zone: UTC\n{KEPT}{each}pay: fee\ncap: {{per: month, at: {cap}}}"
    policy = compiled(written(body), incident(*DAYS), decided_at=NOW)
    values = [None if fact.name == unknown else 5_000 for fact in policy.facts]
    decision = policy.decide(values)
    assert (decision.outcome.value, decision.reason) == ("held", reason)
    assert told in explain(policy, values).text().replace("This", "this")
