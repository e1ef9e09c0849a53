"""Edges from both sides, with values that are not whole and ends that are not round: each against a plain count."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import permutations

import pytest

from kulanz.domain.decision import Decision, Outcome, Validity
from kulanz.domain.money import Money
from kulanz.domain.time import (
    CLOCK_ALLOWANCE,
    HOUR_MICROSECONDS,
    MICROSECOND,
    SECOND_MICROSECONDS,
    WorkingDays,
    add_months,
    days_of_year,
    format_instant,
    instant_of,
    microseconds_of,
    parse_instant,
    zone_of,
)
from tests.unit.domain.policy.rulebook import compiled, incident, written

# Working days

HOLIDAYS = frozenset({date(2025, 4, 18), date(2025, 4, 21), date(2025, 5, 1)})
WORKING = WorkingDays(HOLIDAYS, 2025, 2025)
DAYS = [date(2025, 4, 12) + timedelta(days=n) for n in range(24)]
"""From a Saturday to a Monday, with Good Friday, Easter Monday and May Day."""
WORKED = {day for day in DAYS if day.isoweekday() <= 5 and day not in HOLIDAYS}


@pytest.mark.parametrize("first", DAYS)
def test_working_days_between_two_days_are_those_after_the_first_up_to_and_with_the_second(first: date) -> None:
    """The guide's definition, for every pair of days: also where one or both are a weekend or a holiday."""
    for last in DAYS:
        assert WORKING.between(first, last) == sum(first < day <= last for day in WORKED), last


@pytest.mark.parametrize("day", DAYS)
def test_so_many_working_days_later_is_that_working_day(day: date) -> None:
    later = sorted(other for other in WORKED if other > day)
    for count, expected in enumerate(later, 1):
        assert WORKING.after(day, count) == expected
        assert WORKING.between(day, expected) == count
    assert WORKING.after(day, 0) == day


def test_no_more_working_days_are_counted_ahead_than_a_rule_may_name() -> None:
    known = WorkingDays(frozenset(), 2025, 2040)
    monday = date(2025, 1, 6)
    assert known.after(monday, 999) == monday + timedelta(days=7 * 199 + 4)
    assert known.after(monday, 1000) == monday + timedelta(days=7 * 200)
    assert known.after(monday, 1001) is None
    assert known.after(monday, -1) is None


def test_a_day_that_is_not_known_leads_to_none_that_is() -> None:
    assert WORKING.after(date(2024, 12, 31), 1) is None
    assert WORKING.after(date(2024, 12, 31), 0) is None
    assert WORKING.after(date(2025, 12, 31), 0) == date(2025, 12, 31)
    assert WORKING.after(date(2025, 12, 30), 1) == date(2025, 12, 31)
    assert WORKING.after(date(2025, 12, 31), 1) is None


@pytest.mark.parametrize(("year", "days"), [(2024, 366), (2025, 365), (1900, 365), (2000, 366)])
def test_a_year_has_its_days_from_the_first_of_january_to_the_last_of_december(year: int, days: int) -> None:
    found = list(days_of_year(year))
    assert (found[0], found[-1], len(set(found))) == (date(year, 1, 1), date(year, 12, 31), days)


def test_the_units_of_measured_time_are_what_they_are_called() -> None:
    assert instant_of(0) == parse_instant("1970-01-01T00:00:00Z")
    assert microseconds_of(parse_instant("1970-01-01T00:00:01Z")) == SECOND_MICROSECONDS
    assert microseconds_of(parse_instant("1970-01-01T01:00:00Z")) == HOUR_MICROSECONDS
    assert timedelta(minutes=15) == CLOCK_ALLOWANCE


def test_a_rule_counts_the_working_days_after_a_report_on_a_weekend() -> None:
    """As au-csg does: 26 April 2025 is a Saturday, and 1 May a holiday in Germany."""
    body = "working_days: DE\ncurrency: EUR\nfacts: {from: day, to: day}\npay: working_days(from, to) * 1.00 EUR"
    policy = compiled(written(body), decided_at=datetime(2025, 6, 1, tzinfo=UTC))
    for start, end, minor in (
        (date(2025, 4, 26), date(2025, 4, 28), 100),
        (date(2025, 4, 25), date(2025, 4, 28), 100),
        (date(2025, 4, 26), date(2025, 4, 27), 0),
        (date(2025, 4, 28), date(2025, 5, 3), 300),
        (date(2025, 4, 27), date(2025, 5, 1), 300),
    ):
        decision = policy.decide((start, end))
        assert sum(one.money.minor for one in decision.benefits if one.money is not None) == minor, (start, end)


# Steps and tiers

STEPS = """
currency: EUR
facts: {n: number}
values:
  owed:
    count: n
    steps:
      1 to 2: 1.00 EUR
      3 to 4: 10.00 EUR
      from 5: 100.00 EUR
pay: owed
"""


@pytest.mark.parametrize(
    ("count", "minor"),
    [
        (Fraction(999, 1000), 0), (1, 100), (Fraction(3, 2), 100), (Fraction(1999, 1000), 100), (2, 200),
        (Fraction(5, 2), 200), (Fraction(299_999_999, 100_000_000), 200), (3, 1_200), (Fraction(7, 2), 1_200),
        (Fraction(999, 200), 2_200), (5, 12_200), (Fraction(13, 2), 22_200), (Fraction(15, 2), 32_200),
        (0, 0), (Fraction(-1, 2), 0), (-3, 0), (None, None),
    ],
)  # fmt: skip
def test_a_count_that_is_not_whole_counts_its_full_steps(count: Fraction | int | None, minor: int | None) -> None:
    decision = compiled(written(STEPS)).decide((count,))
    paid = sum(one.money.minor for one in decision.benefits if one.money is not None)
    assert paid == (minor or 0)
    assert (decision.outcome is Outcome.HELD) is (minor is None)


@pytest.mark.parametrize(("stage", "minor"), [("step", 99), ("head", 100), ("total", 100)])
def test_each_step_is_rounded_by_itself_only_where_the_policy_says_so(stage: str, minor: int) -> None:
    text = (
        f"currency: EUR\nfacts: {{n: number}}\nrounding: {{stage: {stage}}}\n"
        "values: {owed: {count: n, steps: {1 to 3: 1.00 EUR / 3, from 4: nothing}}}\npay: owed\n"
    )
    (benefit,) = compiled(written(text)).decide((3,)).benefits
    assert benefit.money == Money(minor, "EUR")


TIERS = """
currency: EUR
facts: {share: number}
values:
  rate:
    by: share
    tiers:
      %s 99.95%%: 1.00 EUR
      %s 33.3%%: 10.00 EUR
      otherwise: 100.00 EUR
pay: rate
"""
ATOM = Fraction(1, 10**12)


@pytest.mark.parametrize(("word", "takes_its_bound"), [("at least", True), ("more than", False)])
def test_a_tier_begins_at_its_bound_exactly(word: str, takes_its_bound: bool) -> None:
    policy = compiled(written(TIERS % (word, word)))
    for bound, above, below in ((Fraction(9995, 10000), 100, 1_000), (Fraction(333, 1000), 1_000, 10_000)):
        for share, minor in (
            (bound + ATOM, above), (bound, above if takes_its_bound else below), (bound - ATOM, below),
        ):  # fmt: skip
            money = policy.decide((share,)).benefits[0].money
            assert money is not None
            assert money.minor == minor, share


# How long something can be used

NEW_YORK = zone_of("America/New_York")


@pytest.mark.parametrize("months", [1, 2, 11, 13])
@pytest.mark.parametrize("text", [
    "2027-01-31T23:30:07.000001-05:00", "2027-01-30T00:00:00-05:00", "2028-01-29T19:59:59.999999-05:00",
    "2027-03-31T22:15:00-04:00", "2026-12-31T21:00:00-05:00", "2027-10-31T20:30:00-04:00",
])  # fmt: skip
def test_months_of_validity_are_months_of_the_zone_and_keep_the_time_of_day(text: str, months: int) -> None:
    granted = parse_instant(text)
    local = granted.astimezone(NEW_YORK)
    end = Validity(months, "months", "America/New_York").expires_at(granted)
    assert end is not None
    ends = end.astimezone(NEW_YORK)
    assert ends.date() == add_months(local.date(), months)
    assert ends.replace(tzinfo=None).time() == local.replace(tzinfo=None).time()


@pytest.mark.parametrize(
    ("validity", "granted", "ends"),
    [
        (Validity(1, "days", "Europe/Berlin"), "2026-03-28T22:59:59.9Z", "2026-03-29T21:59:59.9Z"),  # of 23 hours
        (Validity(1, "days", "Europe/Berlin"), "2026-10-24T22:30:00Z", "2026-10-25T23:30:00Z"),  # of 25 hours
        (Validity(24, "hours", "Europe/Berlin"), "2026-10-24T22:30:00Z", "2026-10-25T22:30:00Z"),
        (Validity(1, "months", "Europe/Berlin"), "2026-01-31T11:00:00Z", "2026-02-28T11:00:00Z"),
        (Validity(1, "months", "Europe/Berlin"), "2026-02-28T23:30:00Z", "2026-03-31T22:30:00Z"),  # 1 March there
        (Validity(1, "months", "UTC"), "2026-02-28T23:30:00Z", "2026-03-28T23:30:00Z"),
        (Validity(12, "months", "UTC"), "2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z"),
    ],
)
def test_a_validity_ends_by_the_calendar_of_its_zone(validity: Validity, granted: str, ends: str) -> None:
    assert validity.expires_at(parse_instant(granted)) == parse_instant(ends)


def test_a_validity_from_a_day_on_counts_from_that_day_or_from_a_later_grant_and_ends_no_later_than_its_last() -> None:
    begins, until = parse_instant("2026-06-01T00:00:00Z"), parse_instant("2026-06-03T12:00:00Z")
    three = timedelta(days=3)
    validity = Validity(3, "days", "UTC", start="day", begins=begins)
    for granted, expected in (
        (begins - MICROSECOND, begins + three), (begins, begins + three),
        (begins + MICROSECOND, begins + MICROSECOND + three),
    ):  # fmt: skip
        assert validity.expires_at(granted) == expected
    bounded = Validity(3, "days", "UTC", until=until, start="day", begins=begins)
    assert bounded.expires_at(begins) == until
    shorter = until - three
    assert Validity(3, "days", "UTC", until=until).expires_at(shorter - MICROSECOND) == until - MICROSECOND
    assert Validity(3, "days", "UTC", until=until).expires_at(shorter) == until


@pytest.mark.parametrize("unit", ["days", "months", "hours"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("until", [None, parse_instant("2026-06-03T12:00:00.000001Z")])
@pytest.mark.parametrize("start", ["grant", "redemption", "day"])
def test_a_validity_comes_back_from_a_body_as_it_was(unit: str, zone: str, until: datetime | None, start: str) -> None:
    begins = parse_instant("2026-06-01T00:00:00Z") if start == "day" else None
    validity = Validity(7, unit, "UTC" if unit == "hours" else zone, until, start, begins)
    assert Validity.from_body(validity.to_body()) == validity


# Offers and claims

ENDS = ("2026-06-05", "2026-06-09", "2026-07-03")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_several_offers_the_one_that_ends_first_ends_them_all(order: tuple[int, ...]) -> None:
    heads = "\n".join(f"  - {{name: h{n}, pay: {n + 1}.00 EUR, mode: {{offer: {{until: {ENDS[n]}}}}}}}" for n in order)
    decision = compiled(written(f"currency: EUR\nheads:\n{heads}")).decide(())
    assert (decision.outcome, len(decision.benefits)) == (Outcome.OFFERED, 3)
    assert decision.claim_until == parse_instant("2026-06-06T00:00:00Z")
    assert Decision.from_body(decision.to_body()) == decision


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_offer_without_an_end_leaves_the_end_of_the_other_one(order: tuple[int, ...]) -> None:
    offers = ["{name: a, pay: 1.00 EUR, mode: offer}", "{name: b, pay: 2.00 EUR, mode: {offer: {until: 2026-06-09}}}"]
    heads = "\n".join(f"  - {offers[n]}" for n in order)
    decision = compiled(written(f"currency: EUR\nheads:\n{heads}")).decide(())
    assert (decision.outcome, decision.claim_until) == (Outcome.OFFERED, parse_instant("2026-06-10T00:00:00Z"))


@pytest.mark.parametrize(
    ("now", "outcome"), [("2026-06-09T23:59:59.999999Z", Outcome.OFFERED), ("2026-06-10T00:00:00Z", Outcome.DECLINED)]
)
def test_an_offer_can_be_made_until_the_last_instant_of_its_last_day(now: str, outcome: Outcome) -> None:
    text = written("currency: EUR\npay: 1.00 EUR\nmode: {offer: {until: 2026-06-09}}")
    assert compiled(text, decided_at=parse_instant(now)).decide(()).outcome is outcome


@pytest.mark.parametrize(("seconds", "outcome"), [(-1, Outcome.HELD), (0, Outcome.HELD), (1, Outcome.GRANTED)])
def test_a_benefit_that_ends_at_the_instant_of_its_grant_is_held(seconds: int, outcome: Outcome) -> None:
    until = parse_instant("2026-06-01T12:00:00Z")
    text = written(f"give: {{quantity: 1, unit: GB, valid: {{until: {format_instant(until)}}}}}")
    assert compiled(text, decided_at=until - timedelta(seconds=seconds)).decide(()).outcome is outcome


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_incident_lasts_from_its_first_window_to_the_end_of_its_last(order: tuple[int, ...]) -> None:
    windows = [("08:00", "09:00"), ("09:30", "09:40"), ("10:00", "12:30")]
    happened = incident(*((f"2026-05-04T{windows[n][0]}:00Z", f"2026-05-04T{windows[n][1]}:00Z") for n in order))
    text = written("pay: (incident_end - incident_start) / 1 min * 0.01 USD")
    (benefit,) = compiled(text, happened).decide(()).benefits
    assert benefit.money == Money(270, "USD")


# What counts of an outage, in the order in which the guide has it


@pytest.mark.parametrize(
    ("exposure", "windows", "minutes"),
    [
        ("merge_gaps_under: 10 min, ignore_under: 30 min", [("10:00", "10:20"), ("10:25", "10:45")], 45),
        ("merge_gaps_under: 10 min, ignore_under: 30 min", [("10:00", "10:20"), ("10:30", "10:50")], 0),
        ("daily: 10:00-18:00, ignore_under: 30 min", [("09:00", "10:20")], 0),
        ("daily: 10:00-18:00, ignore_under: 20 min", [("09:00", "10:20")], 20),
        ("from: 2026-05-04T10:10:00Z, ignore_under: 20 min", [("10:00", "10:20")], 0),
        ("without: [{from: 2026-05-04T10:05:00Z, until: 2026-05-04T10:15:00Z}], merge_gaps_under: 20 min",
         [("10:00", "10:20")], 20),
        ("without: [{from: 2026-05-04T10:05:00Z, until: 2026-05-04T10:15:00Z}], ignore_under: 10 min",
         [("10:00", "10:20")], 0),
        ("daily: 10:10-18:00, merge_gaps_under: 20 min", [("10:00", "10:05"), ("10:15", "10:20")], 5),
    ],
)  # fmt: skip
def test_an_outage_is_cut_first_then_joined_and_what_is_short_then_does_not_count(
    exposure: str, windows: list[tuple[str, str]], minutes: int
) -> None:
    happened = incident(*((f"2026-05-04T{start}:00Z", f"2026-05-04T{end}:00Z") for start, end in windows))
    text = written(f"exposure: {{{exposure}}}\npay: total(outage) / 1 min * 0.01 USD")
    decision = compiled(text, happened).decide(())
    assert [benefit.money.minor for benefit in decision.benefits if benefit.money] == [minutes] * bool(minutes)
