"""Boundaries, calendars, zones: when a decision changes, and what nobody can know of a time."""

import time
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.decision import Outcome
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import CLOCK_ALLOWANCE, Window, format_instant, parse_instant
from tests.unit.domain.policy.rulebook import POLICIES, START, compiled, incident, lasting, minor, written


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


def test_an_open_outage_lasts_until_the_decision() -> None:
    text = written("pay: full(total(outage), 1 h) * 1 USD")
    policy = compiled(text, incident(("2026-05-04T08:00:00Z", None)), decided_at=datetime(2026, 5, 4, 11, tzinfo=UTC))
    assert minor(policy.decide(())) == 300


def test_windows_as_facts_are_excluded_or_alone_counted() -> None:
    facts = "facts: {planned: windows}\n"
    planned = (Window(START, START + timedelta(hours=1)),)
    happened = incident(lasting(3 * HOUR))
    without = compiled(written(facts + "exposure: {without: planned}\npay: full(total(outage), 1 h) * 1 USD"), happened)
    only = compiled(written(facts + "exposure: {only: planned}\npay: full(total(outage), 1 h) * 1 USD"), happened)
    assert (minor(without.decide((planned,))), minor(only.decide((planned,)))) == (200, 100)


def test_a_rule_of_a_country_may_name_utc_or_have_no_days() -> None:
    assert minor(compiled(written("jurisdiction: GH\nzone: UTC\npay: 5 USD * days(outage)")).decide(())) == 500
    assert minor(compiled(written("jurisdiction: GH\nwhen: total(outage) > 0 h\npay: 5 USD")).decide(())) == 500


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


def test_a_weekend_is_one_stretch_of_two_days() -> None:
    happened = incident(("2026-05-08T08:00:00Z", "2026-05-12T08:00:00Z"))
    for days, hours, count in (('["sat", "sun"]', 48, 1), ('["fri", "sun"]', 24, 2), ('["mon", "tue"]', 32, 1)):
        counted = f"longest(weekdays(windows, {days})) / 1 h * 10 + count(weekdays(windows, {days}))"
        policy = compiled(written(f"give: {{quantity: '{counted}', unit: x}}"), happened)
        assert policy.decide(()).benefits[0].quantity == str(hours * 10 + count)
    working = written("working_days: GB-ENG\nwhen: longest(on_working_days(windows)) = 32 h\npay: 5 USD")
    assert minor(compiled(working, happened).decide(())) == 500


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
