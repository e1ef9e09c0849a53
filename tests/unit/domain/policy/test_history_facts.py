"""Facts that Kulanz keeps itself: what each incident adds, what starts anew, and how periods share an amount."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kulanz.domain.decision import Outcome
from kulanz.domain.money import Rounding
from kulanz.domain.policy import CompiledPolicy, PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.deciding.history import (
    HISTORY_PARTS,
    KIND_MARK,
    LOOK_BACK_LONGEST,
    NO_HISTORY,
    Addition,
    HistoryValues,
    SubjectHistory,
)
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import Window, format_instant, parse_instant
from tests.unit.domain.policy.rulebook import compiled, incident, minor, written

ADDITION_BYTES = 12 * 1024
START, END = "2026-05-04T08:00:00Z", "2026-05-04T14:00:00Z"
SIX_HOURS = ((1_777_881_600_000_000, 1_777_903_200_000_000),)


def keeps(facts: str, rest: str, *windows: tuple[str, str | None], **changes: Any) -> CompiledPolicy:
    text = written(f"currency: EUR\nzone: Europe/Berlin\nfacts:\n  fee: money\n{facts}{rest}")
    return compiled(text, incident(*(windows or ((START, END),))), **changes)


def decide(policy: CompiledPolicy, *facts: Any, kept: HistoryValues = NO_HISTORY) -> tuple[int, HistoryValues]:
    decision, addition = policy.decide_with_history(facts, kept)
    return minor(decision), plain(addition)


def stored(money: HistoryValues) -> HistoryValues:
    """Amounts as a history holds them."""
    return {f"{name}{KIND_MARK}EUR": value for name, value in money.items()}


def plain(addition: Addition) -> HistoryValues:
    """What is added, by the names that a policy reads it under."""
    return {name.partition(KIND_MARK)[0]: value for name, value in addition.added.items()}


CAP = "  paid: {type: money, add: amount}\n", "pay: fee\ncap: {at: 100.00 EUR - paid}\n"


def test_what_was_granted_is_kept_and_counts_the_next_time() -> None:
    policy = keeps(*CAP)
    assert decide(policy, 7_000) == (7_000, {"paid": 7_000})
    assert decide(policy, 7_000, kept={"paid": 7_000}) == (3_000, {"paid": 3_000})
    assert decide(policy, 7_000, kept={"paid": 10_000}) == (0, {})
    assert [fact.name for fact in policy.facts] == ["fee"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 15_000), max_size=8))
def test_a_cap_over_incidents_is_never_overdrawn_and_always_used_up(fees: list[int]) -> None:
    policy, history = keeps(*CAP), SubjectHistory()
    paid = 0
    for number, fee in enumerate(fees):
        kept = policy.before(history, f"in-{number}", datetime(2026, 6, 1, tzinfo=UTC))
        decision, addition = policy.decide_with_history((fee,), kept)
        history = history.with_addition(f"in-{number}", addition, datetime(2026, 6, 1, tzinfo=UTC))
        paid += minor(decision)
    assert paid == min(10_000, sum(fees))


@pytest.mark.parametrize(
    ("rest", "facts", "outcome", "in_history"),
    [
        ("who: [{decline: x, when: excluded}]\npay: fee\n", (7_000, True), Outcome.DECLINED, False),
        ("who: [{hold: x, when: excluded}]\npay: fee\n", (7_000, True), Outcome.HELD, False),
        ("who: [{refer: x, when: excluded}]\npay: fee\n", (7_000, True), Outcome.REFERRED, False),
        ("who: [{decline: x, when: excluded}]\npay: fee\n", (7_000, None), Outcome.HELD, False),
        ("who: [{decline: x, when: excluded}]\npay: fee\n", (None, False), Outcome.HELD, False),
        ("when: total(outage) > 7 h\npay: fee\n", (7_000,), Outcome.DECLINED, True),
        ("pay: fee\npayout: [{decline: x, when: amount < 100 EUR}]\n", (7_000,), Outcome.DECLINED, True),
        ("pay: fee\npayout: [{hold: x, when: amount < 100 EUR}]\n", (7_000,), Outcome.HELD, True),
        ("pay: fee\nmode: {claim: {until: 2026-05-05}}\n", (7_000,), Outcome.DECLINED, True),
        ("pay: fee\nmode: claim\n", (7_000,), Outcome.OFFERED, True),
        ("pay: fee\n", (7_000,), Outcome.GRANTED, True),
        ("give: {quantity: 2, unit: GB, when: fee > 0 EUR}\n", (7_000,), Outcome.GRANTED, True),
        ("give: {quantity: 2, unit: GB, when: fee > 0 EUR}\nmode: claim\n", (7_000,), Outcome.OFFERED, True),
        ("pay: fee - fee\n", (7_000,), Outcome.DECLINED, True),
        ("pay: 1000000000 * fee\n", (7_000,), Outcome.HELD, False),
    ],
)
def test_an_incident_is_kept_where_it_counts_for_the_unit(
    rest: str, facts: tuple[Any, ...], outcome: Outcome, in_history: bool
) -> None:
    excluded = "  excluded: yes_no\n" if "excluded" in rest else ""
    policy = keeps(f"{excluded}  before: {{type: windows, add: outage}}\n", rest)
    decision, addition = policy.decide_with_history(facts, NO_HISTORY)
    assert decision.outcome is outcome
    assert addition.added == ({"before:windows": SIX_HOURS} if in_history else {})


def test_an_offer_is_kept_with_the_end_of_its_time() -> None:
    policy = keeps("  paid: {type: money, add: amount}\n", "pay: fee\nmode: {offer: {until: 2026-06-30}}\n")
    _, addition = policy.decide_with_history((7_000,), NO_HISTORY)
    assert addition == Addition(
        datetime(2026, 5, 4, 14, tzinfo=UTC),
        {"paid:EUR": 7_000},
        {},
        datetime(2026, 6, 30, 22, tzinfo=UTC),
        began_at=datetime(2026, 5, 4, 8, tzinfo=UTC),
    )


def test_only_what_is_delivered_is_kept_as_an_amount() -> None:
    late = "heads:\n  - {name: a, pay: fee}\n  - {name: b, pay: 2 * fee, mode: {claim: {until: 2026-05-05}}}\n"
    assert decide(keeps("  paid: {type: money, add: amount}\n", late), 1_000) == (1_000, {"paid": 1_000})


CARRY = (
    "  carried: {type: money, add: fee, until: paid}\n",
    "pay: carried + fee\npayout: [{hold: carried, when: amount < 4.00 EUR}]\n",
)


def test_what_is_too_little_is_carried_until_it_is_paid() -> None:
    policy = keeps(*CARRY)
    assert decide(policy, 150) == (0, {"carried": 150})
    assert decide(policy, 150, kept={"carried": 150}) == (0, {"carried": 150})
    assert decide(policy, 150, kept={"carried": 300}) == (450, {"carried": -300})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=10))
def test_carrying_loses_nothing_and_pays_nothing_twice(fees: list[int]) -> None:
    policy, history, now = keeps(*CARRY), SubjectHistory(), datetime(2026, 6, 1, tzinfo=UTC)
    paid, carried = 0, 0
    for number, fee in enumerate(fees):
        kept = policy.before(history, f"in-{number}", now)
        assert kept.get("carried", 0) == carried
        decision, addition = policy.decide_with_history((fee,), kept)
        history = history.with_addition(f"in-{number}", addition, now)
        paid += minor(decision)
        carried = 0 if minor(decision) else carried + fee
    assert paid + carried == sum(fees)


def test_time_that_a_payment_settled_is_not_counted_again() -> None:
    policy = keeps(
        "  unpaid: {type: windows, add: outage, until: paid}\n",
        "when: total(together(unpaid, outage)) > 10 h\npay: full(total(together(unpaid, outage)), 1 h) * 1.00 EUR\n",
    )
    earlier = ((SIX_HOURS[0][0] - 86_400_000_000, SIX_HOURS[0][1] - 86_400_000_000),)
    decision, addition = policy.decide_with_history((), NO_HISTORY)
    assert (minor(decision), addition.added, addition.cleared) == (0, {"unpaid:windows": SIX_HOURS}, {})
    decision, addition = policy.decide_with_history((), {"unpaid": earlier})
    assert (minor(decision), addition.added, addition.cleared) == (1_200, {}, {"unpaid:windows": earlier})


def test_a_count_is_kept_as_a_number() -> None:
    policy = keeps(
        "  late_before: {type: number, add: 'if(total(outage) >= 1 h, 1, nothing)'}\n",
        "when: late_before >= 2\notherwise: fewer_than_three\npay: fee\n",
    )
    assert decide(policy, 500) == (0, {"late_before": 1})
    assert decide(policy, 500, kept={"late_before": 2}) == (500, {"late_before": 1})


def test_an_addition_that_is_not_known_holds_the_row() -> None:
    policy = keeps("  delay: number\n  late: {type: number, add: delay}\n", "pay: fee\n")
    decision, addition = policy.decide_with_history((500, None), NO_HISTORY)
    assert (decision.outcome, decision.reason, addition.is_empty()) == (Outcome.HELD, "delay_unknown", True)


YEARLY = "  paid: {type: money, per: calendar year, add: amount}\n"
NEW_YEAR = ("2026-12-31T11:00:00Z", "2027-01-01T11:00:00Z")  # half in each year, in Berlin


def test_an_amount_is_divided_over_its_periods_by_time() -> None:
    policy = keeps(YEARLY, "pay: fee\n", NEW_YEAR)
    assert decide(policy, 1_001) == (1_001, {"paid_2026": 501, "paid_2027": 500})


SHORT_AND_LONG = (("2026-12-30T00:00:00Z", "2026-12-30T12:00:00Z"), ("2027-01-03T00:00:00Z", "2027-01-04T00:00:00Z"))
EACH_OUTAGE = "for_each: outage\npay: if(total(outage) >= 24 h, 5 * fee, 2 * fee)\n"


def test_what_is_worked_out_for_a_part_of_an_outage_counts_in_the_period_of_that_part() -> None:
    assert decide(keeps(YEARLY, EACH_OUTAGE, *SHORT_AND_LONG), 100) == (700, {"paid_2026": 200, "paid_2027": 500})
    capped = keeps(YEARLY, f"{EACH_OUTAGE}cap: {{per: calendar year, at: 10.00 EUR - paid}}\n", *SHORT_AND_LONG)
    assert decide(capped, 100, kept={"paid_2026": 1_000}) == (500, {"paid_2027": 500})
    assert decide(capped, 100, kept={"paid_2027": 900}) == (300, {"paid_2026": 200, "paid_2027": 100})
    assert "Part of 2027: 5.00 EUR, within its limit of" in explain(capped, (100,)).text()


def test_a_part_over_two_periods_is_divided_by_its_own_time_and_other_amounts_by_that_of_the_whole_outage() -> None:
    straddling = (("2026-12-31T11:00:00Z", "2027-01-01T11:00:00Z"), ("2027-02-01T00:00:00Z", "2027-02-03T00:00:00Z"))
    policy = keeps(YEARLY, EACH_OUTAGE, *straddling)
    assert decide(policy, 100) == (1_000, {"paid_2026": 250, "paid_2027": 750})
    heads = "heads:\n  - {name: flat, pay: 6 * fee}\n  - name: each\n    for_each: outage\n    pay: 5 * fee\n"
    assert decide(keeps(YEARLY, heads, *straddling), 100) == (1_600, {"paid_2026": 350, "paid_2027": 1_250})
    at_most = f"{heads}cap:\n  - 7.00 EUR\n  - {{per: calendar year, at: 10.00 EUR - paid}}\n"
    capped = keeps(YEARLY, at_most, *straddling)
    assert decide(capped, 100) == (700, {"paid_2026": 125, "paid_2027": 575})
    assert decide(capped, 200) == (700, {"paid_2026": 117, "paid_2027": 583})


def test_a_period_without_any_of_the_amount_needs_no_limit() -> None:
    facts = "  paid: {type: money, per: calendar year}\n"
    long_only = "for_each: outage\nwhen: total(outage) >= 24 h\npay: fee\n"
    policy = keeps(facts, f"{long_only}cap: {{per: calendar year, at: 10.00 EUR - paid}}\n", *SHORT_AND_LONG)
    assert [fact.name for fact in policy.facts] == ["fee", "paid_2026", "paid_2027"]
    assert minor(policy.decide((500, None, 0))) == 500
    assert policy.decide((500, 0, None)).reason == "paid_2027_unknown"


def test_a_period_whose_cap_is_used_up_gets_nothing_of_an_amount() -> None:
    policy = keeps(YEARLY, "pay: fee\ncap: {per: calendar year, at: 10.00 EUR - paid}\n", NEW_YEAR)
    assert decide(policy, 1_600) == (1_600, {"paid_2026": 800, "paid_2027": 800})
    assert decide(policy, 1_600, kept={"paid_2026": 1_000}) == (800, {"paid_2027": 800})
    assert decide(policy, 1_600, kept={"paid_2026": 900, "paid_2027": 700}) == (
        400,
        {"paid_2026": 100, "paid_2027": 300},
    )
    assert policy.read_of({"paid_2026:EUR": 1, "paid_2025:EUR": 5, "other:EUR": 7}) == {"paid_2026": 1}


def test_a_year_may_begin_in_any_month_and_is_never_taken_for_another() -> None:
    yearly = "  paid: {type: money, per: year from April, add: amount}\n"
    window = ("2027-03-30T22:00:00Z", "2027-04-01T10:00:00Z")  # a day in the one year, half a day in the next
    policy = keeps(yearly, "pay: fee\ncap: {per: year from April, at: 10.00 EUR - paid}\n", window)
    assert decide(policy, 900) == (900, {"paid_2026_from_april": 600, "paid_2027_from_april": 300})
    kept = {"paid_2026_from_april": 950, "paid_2026": 1_000, "paid_2026_from_july": 1_000, "paid_2026_04": 1_000}
    assert policy.read_of(stored(kept)) == {"paid_2026_from_april": 950}
    assert decide(policy, 900, kept=policy.read_of(stored(kept))) == (
        350,
        {"paid_2026_from_april": 50, "paid_2027_from_april": 300},
    )
    told = explain(policy, (900,), {"paid_2026_from_april": 950}).text()
    assert "paid in the year from April 2026: 9.50 EUR" in told
    assert "Part of the year from April 2027, by time: 3.00 EUR" in told


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 5_000),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.integers(1, 47),
    st.sampled_from(list(Rounding)),
    st.sampled_from(["head", "total"]),
)
@example(1_203, 300, 0, 1, Rounding.UP, "head")
def test_the_parts_of_periods_add_up_and_keep_their_caps(
    fee: int, before: int, after: int, hours: int, mode: Rounding, stage: str
) -> None:
    end = datetime(2026, 12, 30, 23, tzinfo=UTC).timestamp() + (24 + hours) * 3_600
    window = ("2026-12-31T05:00:00Z", datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    rounding = f"rounding: {{mode: {mode}, stage: {stage}}}\n"
    policy = keeps(YEARLY, f"pay: fee\ncap: {{per: calendar year, at: 10.00 EUR - paid}}\n{rounding}", window)
    kept = {name: value for name, value in (("paid_2026", before), ("paid_2027", after)) if value}
    paid, added = decide(policy, fee, kept=kept)
    assert paid == sum(added.values())  # type: ignore[arg-type] # amounts, by their names
    assert added.get("paid_2026", 0) <= 1_000 - before  # type: ignore[operator]
    assert added.get("paid_2027", 0) <= 1_000 - after  # type: ignore[operator]


@pytest.mark.parametrize("per", ["", "per: incident, ", "per: month, ", "per: quarter, ", "per: year from April, "])
@pytest.mark.parametrize("add", ["", "add: amount, "])
def test_a_cap_reads_only_what_has_a_value_for_each_of_its_own_periods(per: str, add: str) -> None:
    text = written(
        f"currency: EUR\npay: 1 EUR\nfacts:\n  paid: {{type: money, {add}per: calendar year}}\n"
        f"cap: {{{per}at: 5 EUR - paid}}\n"
    )
    with pytest.raises(PolicyError, match="a value for each calendar year; only `cap` with `per: calendar year`"):
        load_policy(text)


def own_windows(*windows: tuple[str, str]) -> tuple[Window, ...]:
    return tuple(Window(parse_instant(start), parse_instant(end)) for start, end in windows)


def test_a_cap_counts_what_was_kept_of_every_period_that_an_accounts_own_outage_touches() -> None:
    policy = keeps(
        f"  windows: windows\n{YEARLY}",
        "pay: fee\ncap: {per: calendar year, at: 10.00 EUR - paid}\n",
        ("2026-12-31T08:00:00Z", "2026-12-31T12:00:00Z"),
        decided_at=parse_instant("2027-01-02T09:00:00Z"),
    )
    later = own_windows(("2026-12-31T11:00:00Z", "2027-01-01T11:00:00Z"))
    kept = {"paid_2026": 900, "paid_2027": 1_000}
    assert policy.read_of(stored(kept)) == kept
    assert decide(policy, 800, later, kept=kept) == (100, {"paid_2026": 100})
    assert policy.history_as_stated({"paid_2027": "10.00"}) == {"paid_2027": 1_000}
    assert "paid in 2027: 10.00 EUR" in explain(policy, (800, later), kept).text()


def test_a_cap_counts_what_was_kept_of_a_period_that_only_a_joined_pause_touches() -> None:
    policy = keeps(
        "  paid: {type: money, per: month, add: amount}\n",
        "exposure: {merge_gaps_under: 1000 h}\npay: fee\ncap: {per: month, at: 10.00 EUR - paid}\n",
        ("2026-01-31T08:00:00Z", "2026-01-31T23:00:00Z"),
        ("2026-02-28T23:00:00Z", "2026-03-01T23:00:00Z"),
    )
    kept = policy.read_of({"paid_2026_02:EUR": 1_000, "paid_2025_12:EUR": 5})
    paid, added = decide(policy, 300, kept=kept)
    assert 0 < paid < 50
    assert set(added) == {"paid_2026_01", "paid_2026_03"}


def test_the_explanation_tells_each_fact_once_whatever_its_name() -> None:
    policy = keeps(f"{YEARLY}  paid_extra: {{type: money, add: 1.00 EUR}}\n", "pay: fee\n")
    assert explain(policy, (700,), NO_HISTORY).text().count("paid extra: 1.00 EUR") == 1


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3_000), *[st.integers(0, 1_000)] * 4)
def test_two_caps_of_the_same_periods_both_hold(fee: int, a: int, b: int, c: int, d: int) -> None:
    policy = keeps(
        f"{YEARLY}  once: {{type: money, per: calendar year, add: amount}}\n",
        "pay: fee\ncap:\n  - {per: calendar year, at: 10.00 EUR - paid}\n"
        "  - {per: calendar year, at: 10.00 EUR - once}\n",
        NEW_YEAR,
    )
    kept = {"paid_2026": a, "paid_2027": b, "once_2026": c, "once_2027": d}
    paid, added = decide(policy, fee, kept=kept)
    for name, before in kept.items():
        assert added.get(name, 0) <= 1_000 - before, name  # type: ignore[operator]
    assert paid == sum(value for name, value in added.items() if name.startswith("paid"))  # type: ignore[misc]


@pytest.mark.parametrize("caps", [(3, 1), (1, 3)])
@pytest.mark.parametrize("before", range(1_000, 1_009))
def test_of_two_caps_of_a_period_the_lower_one_limits_what_rounding_adds(before: int, caps: tuple[int, int]) -> None:
    """2026 is at its cap, which may end within a cent, and 2027 has room: what rounding adds is of 2027."""
    policy = keeps(
        YEARLY,
        "pay: fee\ncap:\n" + "".join(f"  - {{per: calendar year, at: (20.00 EUR - paid) / {one}}}\n" for one in caps),
        NEW_YEAR,
    )
    paid, added = decide(policy, 667, kept={"paid_2026": before})
    assert paid == sum(added.values())  # type: ignore[arg-type] # amounts, by their names
    assert added["paid_2026"] == (2_000 - before) // max(caps)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.fractions(0, 1, max_denominator=7), min_size=1, max_size=4),
    st.integers(0, 250),
    *[st.integers(-1, 2)] * 3,
)
@pytest.mark.parametrize("windows", [NEW_YEAR, (START, END)])
def test_heads_that_are_rounded_one_by_one_do_not_pass_a_cap(
    windows: tuple[str, str], shares: list[Fraction], fee: int, a: int, b: int, c: int
) -> None:
    """What is left under each cap is about what is owed, so that a cent more or less matters."""
    heads = "".join(
        f"  - {{name: h{number}, pay: fee * {share.numerator} / {share.denominator}}}\n"
        for number, share in enumerate(shares)
    )
    policy = keeps(
        f"{YEARLY}  ever: {{type: money, add: amount}}\n",
        f"heads:\n{heads}cap:\n  - {{per: calendar year, at: 10.00 EUR - paid}}\n  - {{at: 10.00 EUR - ever}}\n",
        windows,
    )
    owed = sum(shares) * fee
    part = owed / 2 if windows == NEW_YEAR else owed
    kept = {"paid_2026": 1_000 - int(part) - a, "paid_2027": 1_000 - int(part) - b, "ever": 1_000 - int(owed) - c}
    paid, added = decide(policy, fee, kept=policy.read_of(stored(kept)))
    for name, known in kept.items():
        left = max(1_000 - known, 0)
        assert added.get(name, 0) <= left, name  # type: ignore[operator]
    assert paid == added.get("ever", 0)


OUTAGES = "  before: {type: windows, add: outage}\n"


@pytest.mark.parametrize("rest", ["pay: fee\n", "when: fee > 10.00 EUR\npay: fee\n"])
def test_an_outage_that_an_accounts_own_windows_end_in_the_future_is_held_and_counts_for_nothing(rest: str) -> None:
    policy = keeps(f"  windows: windows\n{OUTAGES}", rest)
    endless = own_windows((START, "9999-12-31T00:00:00Z"))
    decision, addition = policy.decide_with_history((700, endless), NO_HISTORY)
    assert (decision.outcome, decision.reason) == (Outcome.HELD, "outage_in_the_future")
    assert addition.is_empty()


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_an_incident_of_so_long_ago_that_others_of_its_year_are_forgotten_is_held(seconds: int) -> None:
    began = parse_instant("2022-01-02T00:00:00Z")
    decided_at = began + LOOK_BACK_LONGEST + timedelta(seconds=seconds)
    policy = keeps(
        YEARLY,
        "when: fee > 1.00 EUR\npay: fee\ncap: {per: calendar year, at: 10.00 EUR - paid}\n",
        ("2022-01-02T00:00:00Z", "2022-01-03T00:00:00Z"),
        decided_at=decided_at,
    )
    earliest = SubjectHistory(1, {"other": Addition(parse_instant("2022-01-01T00:00:00Z"), {"paid_2022:EUR": 1_000})})
    kept = policy.before(earliest, "in-1", decided_at)
    assert kept == {"paid_2022": 1_000}  # what the other incident was paid still counts
    decision, addition = policy.decide_with_history((700,), NO_HISTORY)
    if seconds > 0:
        assert (decision.outcome, decision.reason, addition.added) == (Outcome.HELD, "too_long_ago", {})
        assert "more than 1461 days before the decision" in explain(policy, (700,)).text()
    else:
        assert minor(decision) == 700
    assert policy.decide_with_history((50,), NO_HISTORY)[0].outcome is Outcome.DECLINED


@pytest.mark.parametrize("too_many", [False, True])
def test_an_outage_in_more_parts_than_can_be_kept_is_held(too_many: bool) -> None:
    always = ("2025-01-01T00:00:00Z", None)
    policy = keeps(f"  windows: windows\n{OUTAGES}", "exposure: {daily: 08:00-20:00}\npay: fee\n", always)
    end = parse_instant("2025-01-01T00:00:00Z") + timedelta(days=HISTORY_PARTS + too_many)
    values = 700, own_windows(("2025-01-01T00:00:00Z", format_instant(end)))
    decision, addition = policy.decide_with_history(values, NO_HISTORY)
    assert decision.outcome is (Outcome.HELD if too_many else Outcome.GRANTED)
    assert len(SubjectHistory(1, {"in-1": addition}).to_text()) < ADDITION_BYTES
    if too_many:
        assert decision.reason == "outage_in_too_many_parts"
        assert "more than 200 stretches of time" in explain(policy, values).text()


@pytest.mark.parametrize(
    "fact",
    [
        "paid: {type: money, currency: USD, add: 1.00 USD}",
        "paid: {type: number, add: '1'}",
        "paid: {type: windows, add: outage}",
        "paid: {type: money, per: calendar year, add: amount}",
    ],
)
def test_a_version_that_keeps_another_type_or_currency_under_a_name_starts_anew_with_it(fact: str) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    first, second = keeps("  paid: {type: money, add: amount}\n", "pay: fee\n"), keeps(f"  {fact}\n", "pay: fee\n")
    history = SubjectHistory()
    for number, policy in enumerate((first, second, first, second)):
        kept = policy.before(history, f"in-{number}", now)
        assert bool(kept) is (number > 1)
        _, addition = policy.decide_with_history((700,), kept)
        history = history.with_addition(f"in-{number}", addition, now)
    assert first.before(history, "another", now) == {"paid": 1_400}


def test_without_an_outage_the_period_is_that_of_the_decision() -> None:
    policy = compiled(written(f"currency: EUR\nfacts:\n  fee: money\n{YEARLY}pay: fee\n"), incident())
    _, addition = policy.decide_with_history((500,), NO_HISTORY)
    assert addition.added == {"paid_2026:EUR": 500}


def test_the_explanation_tells_what_was_kept_and_what_will_be() -> None:
    policy = keeps(YEARLY, "pay: fee\ncap: {per: calendar year, at: 10.00 EUR - paid}\n")
    told = explain(policy, (700,), {"paid_2026": 400}).text()
    assert "Kept of earlier incidents: paid in 2026: 4.00 EUR." in told
    assert "Part of 2026, by time: 7.00 EUR, at most 10.00 EUR minus paid 4.00 EUR = 6.00 EUR." in told
    assert "Kept for later incidents: paid in 2026: 6.00 EUR." in told
    assert (
        "at most 10.00 EUR minus paid 11.00 EUR = -1.00 EUR, which leaves nothing."
        in explain(policy, (700,), {"paid_2026": 1100}).text()
    )
    assert "Kept of earlier incidents: nothing." in explain(policy, (700,)).text()


@pytest.mark.parametrize(
    ("fact", "counts_later"),
    [
        ("type: number, add: '1'", False),
        ("type: number, add: '1', counts: all", True),
        ("type: windows, add: outage", False),
        ("type: money, add: amount", True),
        ("type: money, add: amount, counts: before", False),
        ("type: money, add: 1.00 EUR", False),
        ("type: windows, add: 'if(amount > 0 EUR, outage, nothing)'", True),
    ],
)
def test_what_was_granted_counts_in_any_order_and_what_happened_where_it_began_before(
    fact: str, counts_later: bool
) -> None:
    policy = keeps(f"  other: {{{fact}}}\n", "pay: fee\npayout: [{decline: never, when: total(outage) > 99 h}]\n")
    _, addition = policy.decide_with_history((700,), NO_HISTORY)
    assert addition.added
    for days, counts in ((1, counts_later), (-1, True)):
        began_at = addition.ended_at + timedelta(days=days)
        history = SubjectHistory(1, {"another": replace(addition, began_at=began_at)})
        assert bool(policy.before(history, "in-1", datetime(2026, 6, 1, tzinfo=UTC))) is (
            counts and bool(addition.added)
        )


def test_counts_belongs_to_a_fact_of_the_history() -> None:
    with pytest.raises(PolicyError, match="`counts` belongs to a fact of the history"):
        keeps("  other: {type: number, counts: all}\n", "pay: fee\n")
