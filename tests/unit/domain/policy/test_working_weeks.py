"""Working days are those of the region's own week: its weekend as it was that year, and the weekend days it worked."""

import json
from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.policy import document_from_json, document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.frozen import MAX_PUBLISHED_BYTES
from tests.unit.domain.policy.rulebook import compiled, written

WEEKS: dict[str, dict[str, bool]] = {
    "IL": {"2026-05-07": True, "2026-05-08": False, "2026-05-09": False, "2026-05-10": True},
    "SA": {"2010-03-04": False, "2010-03-05": False, "2010-03-06": True, "2026-05-07": True, "2026-05-08": False,
           "2026-05-10": True},
    "EG": {"2026-05-08": False, "2026-05-09": False, "2026-05-10": True},
    "BD": {"2026-05-08": False, "2026-05-09": False, "2026-05-10": True},
    "HU": {"2024-08-03": True, "2024-08-10": False, "2024-08-19": False},
    "CN": {"2024-02-04": True, "2024-02-18": True, "2024-02-11": False, "2024-02-12": False},
    "DE": {"2026-05-08": True, "2026-05-09": False, "2026-05-10": False, "2026-05-14": False},
    "GB-ENG": {"2026-05-04": False, "2026-05-05": True, "2026-05-09": False},
}  # fmt: skip
"""Thursday 7 to Sunday 10 May 2026, Saudi Arabia's week until 2013, a worked Saturday in Hungary, and others."""
DAYS = [(region, day, works) for region, week in WEEKS.items() for day, works in week.items()]


def policy_of(region: str) -> str:
    """A dollar for a day on which the region works."""
    return written(f"working_days: {region}\nfacts: {{on: day}}\nwhen: is_working_day(on)\npay: 1 USD")


@pytest.mark.parametrize(("region", "day", "works"), DAYS)
def test_a_day_is_worked_where_the_region_works(region: str, day: str, works: bool) -> None:
    outcome = compiled(policy_of(region)).decide((date.fromisoformat(day),)).outcome
    assert outcome is (Outcome.GRANTED if works else Outcome.DECLINED)


@given(st.sampled_from(sorted(WEEKS)), st.dates(date(2001, 1, 1), date(2039, 12, 31)))
def test_every_day_is_as_the_calendar_says(region: str, day: date) -> None:
    country, _, part = region.partition("-")
    known = holidays.country_holidays(country, subdiv=part or None, years=day.year)
    decided: Decision = compiled(policy_of(region)).decide((day,))
    assert (decided.outcome is Outcome.GRANTED) is known.is_working_day(day)


@pytest.mark.parametrize("region", WEEKS)
def test_a_published_policy_carries_its_working_days(region: str) -> None:
    document = load_policy(policy_of(region))
    published = document_json(document)
    assert len(published) < MAX_PUBLISHED_BYTES
    assert [day for day in document.worked if date.fromisoformat(day).weekday() < 5] == [], "only of weekends"
    assert len(set(document.holidays) | set(document.worked)) == len(document.holidays) + len(document.worked)
    for days in (document.holidays, document.worked):
        assert list(days) == sorted(days)
        assert all(2000 <= int(day[:4]) <= 2040 for day in days)
    again = document_from_json(published)
    assert (again.holidays, again.worked) == (document.holidays, document.worked)
    assert document_json(again) == published


def test_what_was_published_with_holidays_alone_keeps_its_monday_to_friday() -> None:
    content = json.loads(document_json(load_policy(policy_of("IL"))))
    del content["worked"]
    content["holidays"] = ["2000-01-01", "2026-05-07", "2040-12-31"]
    old = document_from_json(json.dumps(content).encode())
    working = {day for day in range(4, 11) if _works(old, date(2026, 5, day))}
    assert working == {4, 5, 6, 8}


def _works(document: object, day: date) -> bool:
    from kulanz.domain.policy import compile_policy, freeze  # noqa: PLC0415
    from tests.unit.domain.policy.rulebook import MORNING, NOW  # noqa: PLC0415

    return compile_policy(freeze(document), MORNING, NOW).decide((day,)).outcome is Outcome.GRANTED  # type: ignore[arg-type]


def test_so_many_working_days_after_a_thursday_in_israel_skip_friday_and_saturday() -> None:
    policy = compiled(
        written("working_days: IL\nfacts: {on: day, until: day}\nwhen: until >= on + 1 working day\npay: 1 USD")
    )
    thursday = date(2026, 5, 7)
    reached = [policy.decide((thursday, thursday + timedelta(days=n))).outcome is Outcome.GRANTED for n in range(5)]
    assert reached == [False, False, False, True, True]
