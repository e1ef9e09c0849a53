"""What counts in days counts in those of the rule's zone, whichever row was decided before, and only then needs one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy, unread_facts
from kulanz.domain.time import add_days, start_of_day, zone_of
from tests.unit.domain.policy.rulebook import MORNING, compiled, incident, written

HOUR = timedelta(hours=1)
LATE = datetime(2026, 6, 30, 21, 30, tzinfo=UTC)
"""Still June in Berlin, July in Auckland; two hours later it is July in Berlin, too."""
ZONES = ("UTC", "Europe/Berlin", "Pacific/Auckland", "America/New_York")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("due", ["3 days", "2 weeks", "1 month", "next bill", "2 billing cycles"])
def test_a_deadline_is_counted_from_the_local_day_of_its_own_grant(zone: str, due: str) -> None:
    text = written(f"zone: {zone}\npay: 1 EUR\ndue: {due}")
    grants = [LATE + shift * HOUR for shift in (0, 2, -20, 4, 2, 0, 26)]
    place, policy = zone_of(zone), compiled(text, decided_at=LATE)
    (benefit,) = policy.decide(()).benefits
    assert benefit.due is not None
    for at in grants:
        found = policy.due_at(benefit, at)
        fresh = compiled(text, decided_at=at)  # remembers nothing of another grant
        assert found == fresh.due_at(benefit, at)
        last = policy.due_by(benefit.due, at)
        assert found is not None
        assert found.at == start_of_day(last + timedelta(days=1), place)
        assert last == benefit.due.last_day(at.astimezone(place).date(), None)
        assert fresh.due_day(fresh.decide(())) == last
    assert policy.due_at(benefit, LATE, [date(2026, 7, 5)]) == compiled(text).due_at(benefit, LATE, [date(2026, 7, 5)])
    assert policy.due_at(benefit, LATE) == compiled(text).due_at(benefit, LATE), "bills of another account"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("length", "unit"), [("24 hours", "hours"), ("2 days", "days"), ("1 month", "months")])
def test_a_benefit_is_valid_for_days_and_months_of_the_zone_and_for_hours_of_any(
    zone: str, length: str, unit: str
) -> None:
    give = f"give: {{quantity: 1, unit: GB, valid: {length}}}"
    per_account = compiled(written(f"zone: there\nfacts: {{there: zone}}\n{give}"), decided_at=LATE)
    for policy, row in ((compiled(written(f"zone: {zone}\n{give}"), decided_at=LATE), ()), (per_account, (zone,))):
        (benefit,) = policy.decide(row).benefits
        assert benefit.validity.zone == ("UTC" if unit == "hours" else zone)
        day = LATE.astimezone(zone_of(zone)).date()
        ahead = {"hours": None, "days": 2, "months": 30 if day.month == 6 else 31}[unit]
        end = LATE + 24 * HOUR if ahead is None else add_days(LATE, ahead, zone_of(zone))
        assert benefit.validity.expires_at(LATE) == end


MONTHLY = "currency: EUR\nfacts: {paid: {type: money, add: amount, per: month}}\n"
ASKS = {
    "pay: 1 EUR": False,
    "pay: total(outage) / 1 h * 1 EUR": False,
    "for_each: outage\npay: 1 EUR": False,
    "heads: [{name: a, for_each: outage, pay: 1 EUR}]": False,
    "for_each: day\npay: 1 EUR": True,
    "for_each: month\npay: 1 EUR": True,
    "heads: [{name: a, for_each: outage, pay: 1 EUR}, {name: b, for_each: quarter, pay: 1 EUR}]": True,
    "pay: 1 EUR\ncap: 9 EUR": False,
    "pay: 1 EUR\ncap: [{at: 9 EUR}, {per: month, at: 9 EUR}]": True,
    "currency: EUR\nfacts: {paid: {type: money, add: amount}}\npay: 1 EUR\ncap: 9 EUR - paid": False,
    f"{MONTHLY}pay: 1 EUR\ncap: {{per: month, at: 9 EUR - paid}}": True,
    "pay: days(outage) * 1 EUR": True,
    "exposure: {daily: 08:00-20:00}\nwhen: total(outage) > 0 h\npay: 1 EUR": True,
    "pay: 1 EUR\nin_force: {from: 2026-01-01}": True,
    "pay: 1 EUR\nin_force: {from: 2026-01-01T00:00:00Z}": False,
}  # fmt: skip


@pytest.mark.parametrize("body", ASKS)
def test_a_rule_of_a_place_names_its_clock_where_anything_of_it_is_counted_in_days(body: str) -> None:
    load_policy(written(f"zone: UTC\njurisdiction: DE\n{body}"))
    load_policy(written(f"jurisdiction: worldwide\n{body}"))
    load_policy(written(body))
    if not ASKS[body]:
        load_policy(written(f"jurisdiction: DE\n{body}"))
        return
    with pytest.raises(PolicyError, match="its days would begin at midnight UTC") as refused:
        load_policy(written(f"jurisdiction: DE\n{body}"))
    assert refused.value.path == ("jurisdiction",)


def test_a_fact_is_read_as_a_zone_a_subject_or_by_an_expression_and_else_told_as_unread() -> None:
    facts = "facts: {there: zone, line: text, fee: number, idle: text, day: day, spare: yes_no}\nzone: there\n"
    text = written(f"{facts}subject: line\npay: 1 EUR * if(day > 2026-01-01, fee, 0)")
    assert unread_facts(load_policy(text)) == ("idle", "spare")
    assert unread_facts(load_policy(text.replace("subject: line\n", ""))) == ("line", "idle", "spare")
    assert unread_facts(load_policy(text.replace("zone: there\n", ""))) == ("there", "idle", "spare")


# What the incident says


def test_what_the_incident_does_not_say_is_not_known_and_no_column_is_asked_for_it() -> None:
    known = "facts: {{towers: {{type: number, from: incident{}}}}}\npay: towers * 1 EUR"
    for default, reason in (
        ("", "towers_unknown"),
        (", default: unknown", "towers_unknown"),
        (", default: 3", "credit"),
    ):
        policy = compiled(written(known.format(default)))
        assert policy.facts == ()
        assert policy.decide(()).reason == reason
    told = compiled(written(known.format("")), incident(("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"), towers=5))
    assert (told.facts, told.decide(()).reason) == ((), "credit")


@pytest.mark.parametrize(
    ("fact", "field"), [("functions: list", "count(functions) > 0"), ("service: text", 'service != "x"'),
                        ("cause: text", 'cause != "x"'), ("windows: windows", "count(windows) > 0")],
)  # fmt: skip
def test_a_fact_called_like_a_field_of_the_incident_is_the_accounts_own_else_the_field_and_else_not_known(
    fact: str, field: str
) -> None:
    name, _, _ = fact.partition(":")
    rich = replace(MORNING, cause="power")
    poor = replace(MORNING, service="", cause=None, functions=(), windows=())
    text = written(f"facts: {{{fact}}}\nwhen: {field}\npay: 1 EUR")
    found = compiled(text, rich)
    assert [(one.name, one.required) for one in found.facts] == [(name, False)]
    assert found.decide([None]).reason == "credit", "the incident's"
    assert [(one.name, one.required) for one in compiled(text, poor).facts] == [(name, True)]
    assert compiled(text, poor).decide([None]).reason == f"{name}_unknown"


@pytest.mark.parametrize(
    ("stated", "reason"), [(5, "credit"), ("five", "towers_unknown"), (-1, "towers_unknown"), (None, "credit")]
)
def test_what_an_incident_states_wrongly_is_not_known_and_no_default_stands_in_for_it(
    stated: object, reason: str
) -> None:
    fact = "{type: number, minimum: 0, from: incident, invalid: hold, default: 3}"
    happened = incident(("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"), towers=stated)
    policy = compiled(written(f"facts: {{towers: {fact}}}\npay: towers * 1 EUR"), happened)
    assert policy.decide(()).reason == reason
    wrong = fact.replace("invalid: hold, ", "")
    if reason == "credit":
        compiled(written(f"facts: {{towers: {wrong}}}\npay: towers * 1 EUR"), happened)
    else:
        with pytest.raises(PolicyError, match="the incident's fact 'towers': expected"):
            compiled(written(f"facts: {{towers: {wrong}}}\npay: towers * 1 EUR"), happened)


@pytest.mark.parametrize("name", ["service", "cause"])
def test_a_fact_that_only_the_account_states_is_not_the_incidents(name: str) -> None:
    rich = replace(MORNING, cause="power", facts={name: "other"})
    text = f'facts: {{{name}: {{type: text, from: account}}}}\nwhen: {name} != "x"\npay: 1 EUR'
    policy = compiled(written(text), rich)
    assert [(fact.name, fact.required) for fact in policy.facts] == [(name, True)]
    assert [policy.decide([value]).reason for value in (None, "y", "x")] == [f"{name}_unknown", "credit", "nothing_due"]
