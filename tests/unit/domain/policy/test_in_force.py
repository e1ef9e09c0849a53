"""A rule holds for what lies in its period, to the second, in the rule's own days; outside it nobody gets anything."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import Outcome
from kulanz.domain.incident import Incident
from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import Window
from tests.unit.domain.policy.rulebook import compiled, incident, written

PERIOD = "in_force: {{from: {start}, until: {end}}}\nzone: {zone}\npay: 5 EUR"
DAYS = {
    "days": ("Europe/Brussels", "2024-11-01", "2026-03-31", "2024-10-31T23:00:00Z", "2026-03-31T22:00:00Z"),
    "a day of 23 hours": ("Europe/Berlin", "2025-03-30", "2025-03-30", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z"),
    "a day of 25 hours": ("Europe/Berlin", "2025-10-26", "2025-10-26", "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"),
    "both changes": ("America/New_York", "2025-03-09", "2025-11-02", "2025-03-09T05:00:00Z", "2025-11-03T05:00:00Z"),
    "instants": ("UTC", "2025-01-01T12:00:00Z", "2025-01-01T13:00:00Z", "2025-01-01T12:00:00Z", "2025-01-01T13:00:00Z"),
}
SECOND = timedelta(seconds=1)


def begins(at: datetime) -> Incident:
    return Incident("i", 1, "An outage", "service", (), (Window(at, at + timedelta(hours=1)),))


@pytest.mark.parametrize(("zone", "start", "end", "first", "after"), DAYS.values(), ids=DAYS.keys())
def test_a_period_begins_and_ends_to_the_second_in_the_days_of_the_rule(
    zone: str, start: str, end: str, first: str, after: str
) -> None:
    text = written(PERIOD.format(start=start, end=end, zone=zone))
    began, ended = datetime.fromisoformat(first), datetime.fromisoformat(after)
    inside = {began - SECOND: False, began: True, began + SECOND: True}
    inside |= {ended - SECOND: True, ended: False, ended + SECOND: False}
    for at, expected in inside.items():
        decision = compiled(text, begins(at)).decide(())
        found = (decision.outcome, decision.reason)
        assert found == ((Outcome.GRANTED, "credit") if expected else (Outcome.DECLINED, "not_in_force")), at


@given(st.integers(-48 * 3600, 48 * 3600))
def test_of_two_versions_one_after_the_other_exactly_one_is_in_force(seconds: int) -> None:
    """``until`` a day and ``from`` the next leave no instant out, and none twice."""
    at = datetime(2024, 10, 31, 23, tzinfo=UTC) + seconds * SECOND
    old = compiled(written("in_force: {until: 2024-10-31}\nzone: Europe/Brussels\npay: 5 EUR"), begins(at))
    new = compiled(written("in_force: {from: 2024-11-01}\nzone: Europe/Brussels\npay: 5 EUR"), begins(at))
    assert sorted(policy.decide(()).reason for policy in (old, new)) == ["credit", "not_in_force"]


BY_REPORT = written(
    "in_force: {from: 2019-04-01, by: day(reported_at)}\nzone: Europe/London\n"
    "facts: {reported_at: instant, gone: yes_no}\nwho: [{decline: gone, when: gone}]\npay: 5 GBP"
)


def reported(at: str | None, gone: bool | None = False) -> tuple[str, str]:
    policy = compiled(BY_REPORT, incident(("2019-03-31T12:00:00Z", "2019-04-02T12:00:00Z")))
    given = {"reported_at": None if at is None else datetime.fromisoformat(at), "gone": gone}
    decision = policy.decide([given[fact.name] for fact in policy.facts])
    return decision.outcome.value, decision.reason


def test_the_version_can_be_chosen_by_a_fact_of_the_account() -> None:
    assert reported("2019-03-31T22:59:59Z") == ("declined", "not_in_force")
    assert reported("2019-03-31T23:00:00Z") == ("granted", "credit")


def test_an_unknown_date_is_held_unless_the_account_is_declined_anyway() -> None:
    assert reported(None) == ("held", "reported_at_unknown")
    assert reported(None, gone=True) == ("declined", "gone")


def test_an_incident_without_windows_has_no_start_to_go_by() -> None:
    decision = compiled(written("in_force: {from: 2024-11-01}\npay: 5 EUR"), incident()).decide(())
    assert (decision.outcome, decision.reason) == (Outcome.HELD, "incident_start_unknown")


def test_one_rule_can_start_on_different_days_for_different_customers() -> None:
    text = written(
        'in_force: {from: "if(type = \\"postpaid\\", 2024-10-01, 2025-04-01)"}\nzone: Asia/Kolkata\n'
        "facts: {type: [postpaid, prepaid]}\npay: 5 INR"
    )
    policy = compiled(text, incident(("2024-12-01T00:00:00Z", "2024-12-02T00:00:00Z")))
    assert [policy.decide([kind]).reason for kind in ("postpaid", "prepaid", None)] == [
        "credit",
        "not_in_force",
        "type_unknown",
    ]


def test_the_explanation_tells_the_period_and_what_lay_in_it_or_not() -> None:
    text = written("in_force: {from: 2024-11-01, until: 2026-03-31}\nzone: Europe/Brussels\npay: 5 EUR")
    told = {
        at: explain(compiled(text, begins(datetime.fromisoformat(at))), ()).text()
        for at in ("2025-01-01T00:00:00Z", "2024-10-31T22:00:00Z")
    }
    period = "The rule is in force from 2024-11-01 on, up to and including 2026-03-31; the start of the incident"
    assert f"{period} (2025-01-01 01:00) lies in that time." in told["2025-01-01T00:00:00Z"]
    assert f"{period} (2024-10-31 23:00) does not lie in that time." in told["2024-10-31T22:00:00Z"]
    assert told["2024-10-31T22:00:00Z"].endswith("Declined. Reason: not in force.")


def test_a_period_the_incident_lies_in_costs_no_row_anything() -> None:
    """Only what depends on an account is looked at for each: here, nothing."""
    text = written("in_force: {from: 2024-11-01}\nfacts: {fee: {type: money, currency: EUR}}\npay: fee")
    assert [fact.name for fact in compiled(text).facts] == ["fee"]


@pytest.mark.parametrize(
    ("period", "line", "says"),
    [
        ("{}", 5, "say from, until or both"),
        ("{by: incident_end}", 5, "say from, until or both"),
        ("{from: 2024-11-01, until: 2024-10-31}", 5, "ends before it starts"),
        ("{from: 2024-11-01T00:00:00Z, until: 2024-11-01T00:00:00Z}", 5, "ends before it starts"),
        ("{from: soon}", 5, "'soon' is not known"),
        ("{from: 2024-02-30}", 5, "a day that exists"),
        ("{from: 12}", 5, "expected an instant or a day"),
        ("{until: 24 h}", 5, "expected an instant or a last day"),
        ("\n  from: 2024-11-01\n  by: cause", 7, "expected an instant or a day"),
        ("\n  from: 2024-11-01\n  after: 2024-11-01", 7, "unknown entry"),
        ("[2024-11-01]", 5, "name: value"),
    ],
)
def test_a_period_that_cannot_be_used_is_refused_with_its_line(period: str, line: int, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(written(f"in_force: {period}\npay: 5 EUR"))
    assert says in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize("good", ["FI", "GB", "GB-ENG", "US-NY", "EU", "worldwide"])
def test_a_jurisdiction_is_a_country_a_part_of_one_or_the_world(good: str) -> None:
    assert load_policy(written(f"jurisdiction: {good}\npay: 5 EUR")).policy.jurisdiction == good


@pytest.mark.parametrize("bad", ["UK", "XX-NY", "fi", "Finland", "USA", "US-", "[FI, SE]", "Worldwide"])
def test_a_jurisdiction_that_is_none_is_refused_with_its_line(bad: str) -> None:
    with pytest.raises(PolicyError, match=r"jurisdiction: (there is no such country|expected)") as caught:
        load_policy(written(f"jurisdiction: {bad}\npay: 5 EUR"))
    assert caught.value.line == 5
