"""The rules of the book that look back, over several incidents of one unit, each decided with what the others added."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy.deciding.history import SubjectHistory
from kulanz.domain.time import format_instant, parse_instant
from tests.unit.domain.policy.rulebook import POLICIES, compiled, incident, minor


@dataclass
class Unit:
    """A unit of an account under one rule; `decide` is one incident after the other."""

    policy_id: str
    facts: dict[str, Any]
    parameters: dict[str, str] | None = None
    history: SubjectHistory = field(default_factory=SubjectHistory)

    def decide(self, name: str, start: str = "", hours: float = 0, **facts: Any) -> tuple[int, str]:
        """The minor units that an incident is worth to the unit, granted or offered, and the reason."""
        begin = parse_instant(f"{start or '2026-01-01'}T00:00:00Z")
        windows = [(format_instant(begin), format_instant(begin + timedelta(hours=hours)))] if hours else []
        decided_at = begin + timedelta(hours=hours)
        stated = {**self.facts, **facts}
        path = POLICIES / self.policy_id / "1.yaml"
        policy = compiled(path, incident(*windows, cause="storm"), self.parameters, decided_at)
        values = tuple(stated.get(fact.name) for fact in policy.facts)
        kept = policy.before(self.history, name, decided_at)
        decision, addition = policy.decide_with_history(values, kept)
        self.history = self.history.with_addition(name, addition, decided_at)
        return minor(decision), decision.reason


def test_finland_pays_two_annual_fees_in_a_calendar_year_whatever_the_number_of_storms() -> None:
    home = Unit("fi-eml", {"annual_network_fee": 60_000})

    def storm(name: str, start: str) -> int:
        return home.decide(name, start, hours=130, known_to_operator=parse_instant(f"{start}T00:00:00Z"))[0]

    assert [storm("a", "2026-01-05"), storm("b", "2026-02-05"), storm("c", "2026-03-05")] == [60_000, 60_000, 0]
    assert storm("b", "2026-02-05") == 60_000  # decided again it is not counted twice
    assert storm("d", "2027-01-05") == 60_000


def test_finland_divides_an_interruption_over_new_year_between_the_caps_of_both_years() -> None:
    home = Unit("fi-eml", {"annual_network_fee": 60_000})
    home.decide("a", "2026-03-05", hours=300, known_to_operator=parse_instant("2026-03-05T00:00:00Z"))
    # 130 h from 30 December 22:00 UTC, midnight in Helsinki: 48 h lie in 2026, whose cap is used up
    start = parse_instant("2026-12-29T22:00:00Z")
    policy = compiled(
        POLICIES / "fi-eml" / "1.yaml",
        incident((format_instant(start), format_instant(start + timedelta(hours=130))), cause="storm"),
        decided_at=start + timedelta(hours=200),
    )
    kept = policy.before(home.history, "b", start)
    stated: dict[str, Any] = {"annual_network_fee": 60_000, "known_to_operator": start}
    values = tuple(stated.get(fact.name) for fact in policy.facts)
    decision, addition = policy.decide_with_history(values, kept)
    assert kept == {"already_paid_2026": 120_000}
    assert minor(decision) == round(60_000 * 82 / 130)
    assert addition.added == {"already_paid_2027:EUR": minor(decision)}


@pytest.mark.parametrize(
    ("edge", "hours", "paid_at"),
    [
        ("at_least_three_hours", 3, 4),
        ("more_than_three_hours", 3, None),
        ("more_than_three_hours", 4, 4),
        ("more_than_four", 3, 5),
    ],
)
def test_great_britain_pays_once_for_many_interruptions_of_a_year_from_april(
    edge: str, hours: int, paid_at: int | None
) -> None:
    home = Unit("ofgem-multi", {}, {"edge": edge})
    days = ["2026-04-02", "2026-06-01", "2026-09-01", "2026-12-01", "2027-01-01", "2027-03-31"]
    paid = [home.decide(day, day, hours)[0] for day in days]
    assert paid == [7_500 if number == paid_at else 0 for number in range(1, 7)]
    assert home.decide("again", "2027-04-01", hours)[0] == 0
    assert [home.decide(day, day, hours)[0] for day in ("2027-05-01", "2027-06-01")] == [0, 0]


def test_deutsche_bahn_collects_delays_until_four_euros_and_pays_a_quarter_of_the_ticket_at_most() -> None:
    ticket = Unit("db-fahrgastrechte", {"ticket": "regional season 2nd class", "value": 9_000})
    paid = [ticket.decide(f"delay-{number}", delay_minutes=61)[0] for number in range(1, 8)]
    assert paid == [0, 0, 450, 0, 0, 450, 0]
    # Decided again, the third delay takes with it what was carried since: of 6.00 in all, 1.50 is new.
    assert ticket.decide("delay-3", delay_minutes=61) == (600, "season_ticket")
    assert ticket.decide("short", delay_minutes=59)[1] == "nothing_due"
    assert ticket.decide("many", late_60_count=20) == (2_250 - 600 - 450, "season_ticket")
    assert ticket.decide("after", delay_minutes=90)[1] == "nothing_due"


def test_deutsche_bahn_keeps_nothing_of_single_tickets() -> None:
    journey = Unit("db-fahrgastrechte", {"fare_one_way": 3_990})
    assert journey.decide("a", delay_minutes=61) == (998, "single_ticket")
    assert journey.history.incidents == {}


def test_portugal_pays_for_all_the_time_once_it_is_more_than_a_day_in_a_billing_period() -> None:
    service = Unit("pt-lce-129", {"monthly_price": 72_000, "billing_day": 1})  # 1.00 EUR an hour in a month of 30 days
    paid = [service.decide(f"a-{day}", f"2026-04-{day:02}", 10)[0] for day in (2, 10, 20, 28)]
    assert paid == [0, 0, 3_000, 1_000]
    assert service.decide("next", "2026-05-03", 10)[1] == "not_longer_than_24_hours"
    assert service.decide("long", "2026-06-03", 30)[0] == 3_000


def test_an_amended_incident_is_counted_as_it_is_now() -> None:
    home = Unit("ofgem-multi", {})
    for day in ("2026-04-02", "2026-06-01", "2026-09-01"):
        home.decide(day, day, 3)
    home.decide("2026-09-01", "2026-09-01", 2)  # it turned out to have been shorter
    assert home.decide("fourth", "2026-12-01", 3) == (0, "fewer_than_four_interruptions")
    assert home.decide("2026-09-01", "2026-09-01", 3)[0] == 0  # after all: it is the third of the year, not the fourth
    assert home.decide("fourth", "2026-12-01", 3)[0] == 7_500  # decided again, it counts the three that were before it
    assert home.decide("fifth", "2026-12-20", 3) == (0, "paid_in_this_year")


def uptime_credit(hours_down: float) -> int:
    """What 1,000.00 USD a month are credited for so much downtime in October's 744 hours, written out by hand."""
    for most, credit in ((0.744, 0), (7.44, 10_000), (37.2, 25_000)):
        if hours_down <= most:
            return credit
    return 50_000


@given(st.dictionaries(st.integers(1, 31), st.sampled_from([0.5, 0.7, 1, 2, 3.5, 5, 7, 12, 20]), min_size=1))
def test_a_month_of_a_software_service_is_credited_once_whatever_its_incidents(outages: dict[int, float]) -> None:
    account = Unit("saas-uptime", {"subscription": "active", "monthly_fee": 100_000})
    down = 0.0
    paid = 0
    for day, hours in sorted(outages.items()):
        paid += account.decide(f"outage-{day}", f"2025-10-{day:02}", hours)[0]
        down += hours
        assert paid == uptime_credit(down)


def test_an_outage_that_turns_out_longer_is_credited_what_the_month_still_owes() -> None:
    account = Unit("saas-uptime", {"subscription": "active", "monthly_fee": 100_000})
    assert account.decide("first", "2025-10-02", 3.5)[0] == 10_000
    assert account.decide("second", "2025-10-20", 5)[0] == 15_000
    assert account.decide("first", "2025-10-02", 20)[0] == 10_000  # 25 hours are 25 % still: what it was granted
    assert account.decide("second", "2025-10-20", 20)[0] == 40_000  # 40 hours are 50 %, less the first one's 10 %
