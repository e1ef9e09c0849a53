"""Each function of the calendar at the edges of its days, hours and months: what it gives there and just beside it."""

import pytest

from tests.unit.domain.policy.rulebook import compiled, incident, written

WEEK = incident(
    ("2026-05-04T22:00:00Z", "2026-05-05T10:00:00Z"), ("2026-05-08T21:59:59Z", "2026-05-09T22:00:01Z")
)  # in Berlin: Tuesday 00:00 to 12:00; Friday's last second, all of Saturday, Sunday's first second
SAYS = {
    "days_with_more_than(outage, 12 h) = 1": True,
    "days_with_at_least(outage, 12 h) = 2": True,
    "days_with_at_least(outage, 24 h) = 1": True,
    "days_with_more_than(outage, 24 h) = 0": True,
    "days_with_more_than(outage, 0 h) = 4": True,
    "days(outage) = 4": True,
    "days(month(2026-02-01)) = 28": True,
    'days(weekdays(outage, ["sat"])) = 1': True,
    'total(weekdays(outage, ["sat", "sun"])) = 24 h + 1 s': True,
    'total(weekdays(outage, ["fri"])) = 1 s': True,
    "total(daily(outage, 00:00, 12:00)) = 24 h + 1 s": True,
    "total(daily(outage, 12:00, 00:00)) = 12 h + 1 s": True,
    "total(on_working_days(outage)) = 12 h + 1 s": True,
    "total(during(outage, month(2026-05-01))) = 36 h + 2 s": True,
    "total(during(outage, month(2026-06-01))) = 0 h": True,
    "count(during(dates, month(2026-05-17))) = 2": True,
    "count(during(dates, year(2026-05-17, 5))) = 3": True,
    "count(during(dates, year(2026-04-17, 5))) = 1": True,
    "count(during(dates, year(2026-05-17))) = 4": True,
    "count(during(dates, quarter(2026-05-17))) = 4": True,
    "count(during(dates, half_year(2026-07-01))) = 0": True,
    "count(during(dates, billing_period(2026-05-17, 2))) = 2": True,
    "day(start_of(2026-05-04)) = 2026-05-04": True,
    "day(end_of(2026-05-04)) = 2026-05-05": True,
    "end_of(2026-05-04) = start_of(2026-05-05)": True,
    "at(2026-05-04, 18:00) = 2026-05-04T16:00:00Z": True,
    "time_of_day(2026-05-04T16:00:00Z) = 18:00": True,
    "time_of_day(2026-05-04T16:00:01Z) > 18:00": True,
    'weekday(2026-05-04) = "mon"': True,
    'weekday(2026-05-10) = "sun"': True,
    "is_working_day(2026-05-01)": False,
    "is_working_day(2026-05-02)": False,
    "is_working_day(2026-05-04)": True,
    "working_days(2026-04-30, 2026-05-04) = 1": True,
    "working_days(2026-05-04, 2026-05-04) = 0": True,
    "2026-04-30 + 1 working day = 2026-05-04": True,
    "2026-05-04 + 0 working days = 2026-05-04": True,
    "2026-01-31 + 1 month = 2026-02-28": True,
    "2026-03-31 - 1 month = 2026-02-28": True,
    "2026-05-04 - 2026-05-01 = 3": True,
    "2026-05-04 - 3 days = 2026-05-01": True,
    "2026-05-04T16:00:00Z - 2026-05-04T15:00:00Z = 60 min": True,
    "2026-05-04T16:00:00Z + 90 min = 2026-05-04T17:30:00Z": True,
    "2026-03-28T01:30:00Z + 1 day = 2026-03-29T01:30:00Z": True,  # 02:30 is skipped, and 03:30 an hour later
    "most_in_a_year(windows, 1) = 2": True,
}


@pytest.mark.parametrize("says", SAYS)
def test_a_function_gives_at_its_edge_what_the_calendar_says(says: str) -> None:
    facts = "facts: {dates: dates}\n" if "dates" in says else ""
    text = f"zone: Europe/Berlin\nworking_days: DE\n{facts}when: '{says}'\npay: 1 USD"
    policy = compiled(written(text), WEEK)
    days = ("2026-04-30", "2026-05-01", "2026-05-31", "2026-06-01")
    values = [fact.parse_text("|".join(days)) for fact in policy.facts]
    assert policy.decide(values).outcome.value == ("granted" if SAYS[says] else "declined")


YEARS = incident(
    ("2025-03-31T21:59:59Z", "2025-03-31T22:30:00Z"), ("2025-04-01T08:00:00Z", "2025-04-01T09:00:00Z"),
    ("2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"), ("2026-03-31T22:00:01Z", "2026-03-31T22:30:00Z"),
    ("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"),
)  # fmt: skip
"""In Berlin one begins in the last second of the year from April 2024 on, two in the year after it, two in the next."""


@pytest.mark.parametrize(("first_month", "most"), [(4, 2), (1, 3), (5, 2), (3, 3)])
def test_the_most_outages_of_a_year_are_those_of_the_year_that_has_most(first_month: int, most: int) -> None:
    says = f"most_in_a_year(windows, {first_month}) = {most}"
    policy = compiled(written(f"zone: Europe/Berlin\nwhen: {says}\npay: 1 USD"), YEARS)
    assert policy.decide(()).outcome.value == "granted"
