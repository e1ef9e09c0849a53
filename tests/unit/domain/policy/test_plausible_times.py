"""A time that nobody can have meant decides nothing: it is held with a reason of its own, which explanations tell."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import Outcome
from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.plausible import (
    AFTER_DECISION,
    BEFORE_INCIDENT,
    EMPTY_DATE,
    EMPTY_DATES,
    OWN_WINDOW_ELSEWHERE,
    OWN_WINDOW_OPEN,
)
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import CLOCK_ALLOWANCE, Window, parse_instant
from tests.unit.domain.policy.rulebook import compiled, incident, written

BEGAN = datetime(2026, 5, 4, 8, tzinfo=UTC)
OVER = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = datetime(2026, 5, 20, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HAPPENED = incident(("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"))
ACCEPTED = "facts: {done: instant}\npay: 1 USD\nmode: {offer: {at: done}}"
USES = {
    "accepted": ACCEPTED,
    "claimed": "facts: {done: instant}\npay: 1 USD\nmode: {claim: {at: done, until: day(incident_end) + 90 days}}",
    "one of several": "facts: {done: instant}\npay: 1 USD\n"
    "mode: [{claim: {at: done}, when: incident_end > incident_start}, automatic]",
    "cuts the outage": "facts: {done: instant}\nexposure: {from: done}\nwhen: total(outage) > 0 h\npay: 1 USD",
    "cuts the outage, worked out": "facts: {done: instant}\nexposure: {from: start_of(day(done))}\n"
    "when: total(outage) > 0 h\npay: 1 USD",
    "chooses the version": "facts: {done: instant}\nin_force: {from: 1990-01-01, by: day(done)}\npay: 1 USD",
    "says so itself": "facts: {done: {type: instant, early: 0 days}}\nwhen: day(done) > 0001-01-02\npay: 1 USD",
}


def found(text: str, *values: Any, happened: Any = HAPPENED) -> tuple[str, str]:
    policy = compiled(written(text), happened, decided_at=NOW)
    decision = policy.decide(values)
    return decision.outcome.value, decision.reason


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (BEGAN, ""),
        (BEGAN - SECOND, BEFORE_INCIDENT),
        (BEGAN - timedelta(days=3650), BEFORE_INCIDENT),
        (NOW + CLOCK_ALLOWANCE, ""),
        (NOW + CLOCK_ALLOWANCE + SECOND, AFTER_DECISION),
        *((datetime(day.year, day.month, day.day, tzinfo=UTC), EMPTY_DATE) for day in sorted(EMPTY_DATES)),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), EMPTY_DATE),
        (datetime(1969, 12, 31, 23, tzinfo=UTC), EMPTY_DATE),
        (datetime(1900, 1, 1, 5, tzinfo=UTC), EMPTY_DATE),
        (parse_instant("2999-12-31T23:59:59-08:00"), EMPTY_DATE),
        (parse_instant("1970-01-01T00:00:00+14:00"), EMPTY_DATE),
        (parse_instant("1969-12-31T10:00:00Z") - SECOND, BEFORE_INCIDENT),
        (parse_instant("1970-01-01T23:59:59-12:00"), EMPTY_DATE),
        (parse_instant("1970-01-02T12:00:00Z"), BEFORE_INCIDENT),
    ],
)  # fmt: skip
def test_a_moment_of_the_incident_lies_between_its_beginning_and_the_decision(
    use: str, at: datetime, reason: str
) -> None:
    outcome, why = found(USES[use], at)
    if reason:
        assert (outcome, why) == ("held", reason)
    else:
        assert outcome != "held" or why not in {BEFORE_INCIDENT, AFTER_DECISION, EMPTY_DATE}


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 5, 4), ""),
        (date(2026, 5, 3), BEFORE_INCIDENT),
        (date(2026, 5, 20), ""),
        (date(2026, 5, 21), AFTER_DECISION),
        *((day, EMPTY_DATE) for day in sorted(EMPTY_DATES)),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_day_of_the_incident_too(day: date, reason: str, zone: str) -> None:
    text = f"zone: {zone}\nfacts: {{done: day}}\npay: 1 USD\nmode: {{claim: {{at: done}}}}"
    assert found(text, day)[1] == (reason or "credit")


def test_the_days_are_those_of_the_rules_zone() -> None:
    late = incident(("2026-05-04T23:00:00Z", "2026-05-05T02:00:00Z"))  # 5 May in Berlin
    text = "zone: Europe/Berlin\nfacts: {done: day}\npay: 1 USD\nmode: {claim: {at: done}}"
    assert found(text, date(2026, 5, 5), happened=late) == ("granted", "credit")
    assert found(text, date(2026, 5, 4), happened=late) == ("held", BEFORE_INCIDENT)


@pytest.mark.parametrize(
    ("day", "here", "anywhere"),
    [
        (date(2026, 5, 2), BEFORE_INCIDENT, BEFORE_INCIDENT),
        (date(2026, 5, 3), BEFORE_INCIDENT, ""),
        (date(2026, 5, 4), "", ""),
        (date(2026, 5, 20), "", ""),
        (date(2026, 5, 21), AFTER_DECISION, ""),
        (date(2026, 5, 22), AFTER_DECISION, AFTER_DECISION),
    ],
)
def test_where_nobody_knows_an_accounts_zone_the_day_may_be_that_of_any_zone(
    day: date, here: str, anywhere: str
) -> None:
    text = "zone: there\nfacts: {there: zone, made: yes_no, done: day}\npay: 1 USD\n"
    policy = compiled(written(f"{text}mode: {{claim: {{made: made, at: done}}}}"), HAPPENED, decided_at=NOW)

    def decided(zone: str | None) -> str:
        known: dict[str, Any] = {"there": zone, "made": True, "done": day}
        return policy.decide([known[fact.name] for fact in policy.facts]).reason

    assert decided("Europe/Berlin") == (here or "credit")
    assert decided(None) == (anywhere or "credit")


@given(st.integers(-(10**10), 10**10))
def test_nothing_is_given_for_a_moment_outside(seconds: int) -> None:
    at = BEGAN + timedelta(seconds=seconds)
    outcome, _ = found(ACCEPTED, at)
    assert (outcome == "granted") is (BEGAN <= at <= NOW + CLOCK_ALLOWANCE)


def test_a_contract_may_be_of_any_age() -> None:
    text = "facts: {contract_since: day}\nwho: [{decline: new, when: contract_since > 2020-01-01}]\npay: 1 USD"
    assert found(text, date(2009, 6, 1)) == ("granted", "credit")
    by = "facts: {promised_on: day}\nin_force: {from: 2001-01-01, by: promised_on}\npay: 1 USD"
    assert found(by, date(2009, 6, 1)) == ("granted", "credit")
    assert found(by, date(1900, 1, 1)) == ("held", EMPTY_DATE)
    assert found(by, date(2026, 6, 1)) == ("held", AFTER_DECISION)


def test_a_policy_may_widen_the_span_before_the_incident() -> None:
    text = "facts: {done: {type: instant, early: 2 hours}}\npay: 1 USD\nmode: {offer: {at: done}}"
    assert found(text, BEGAN - timedelta(hours=2)) == ("granted", "credit")
    assert found(text, BEGAN - timedelta(hours=2) - SECOND) == ("held", BEFORE_INCIDENT)
    own = OWN.replace("windows: windows", "windows: {type: windows, early: 1 day}")
    assert found(own, (Window(BEGAN - timedelta(days=1), OVER),)) == ("granted", "credit")
    assert found(own, (Window(BEGAN - timedelta(days=1) - SECOND, OVER),)) == ("held", BEFORE_INCIDENT)
    with pytest.raises(PolicyError, match="only instants, days and windows can be early"):
        compiled(written("facts: {fee: {type: number, early: 2 hours}}\npay: fee * 1 USD"))


OWN = "facts: {windows: windows}\npay: 1 USD * begun(total(outage), 1 h)"


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (Window(BEGAN, OVER), ""),
        (Window(BEGAN + SECOND, OVER + timedelta(hours=9)), ""),
        (Window(BEGAN, None), OWN_WINDOW_OPEN),
        (Window(BEGAN - SECOND, OVER), BEFORE_INCIDENT),
        (Window(parse_instant("2015-05-04T08:00:00Z"), OVER), BEFORE_INCIDENT),
        (Window(parse_instant("1970-01-01T00:00:00Z"), OVER), EMPTY_DATE),
        (Window(BEGAN, parse_instant("9999-12-31T00:00:00Z")), "amount_too_large"),
        (Window(OVER, OVER + timedelta(hours=1)), OWN_WINDOW_ELSEWHERE),
        (Window(OVER - SECOND, OVER + timedelta(hours=1)), ""),
    ],
)
def test_an_own_outage_is_one_of_the_incidents(window: Window, reason: str) -> None:
    outcome, why = found(OWN, (Window(BEGAN, OVER), window))
    assert (outcome, why) == (("held", reason) if reason else ("granted", "credit"))


def test_an_own_outage_may_be_open_while_the_incident_is() -> None:
    lasting = incident(("2026-05-19T08:00:00Z", None))
    assert found(OWN, (Window(parse_instant("2026-05-20T08:00:00Z"), None),), happened=lasting)[0] == "granted"


def test_windows_of_an_incident_come_in_any_order() -> None:
    first, second = ("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"), ("2026-05-06T08:00:00Z", "2026-05-06T09:00:00Z")
    several = incident(second, first)
    assert found(OWN, (Window(BEGAN, OVER),), happened=several)[0] == "granted"
    between = Window(parse_instant("2026-05-05T08:00:00Z"), parse_instant("2026-05-05T09:00:00Z"))
    assert found(OWN, (between,), happened=several) == ("held", OWN_WINDOW_ELSEWHERE)


def test_who_is_excluded_anyway_stays_excluded() -> None:
    who = "facts: {gone: yes_no, done: instant}\nwho: [{decline: gone, when: gone}]"
    text = f"{who}\npay: 1 USD\nmode: {{offer: {{at: done}}}}"
    empty = parse_instant("1900-01-01T00:00:00Z")
    policy = compiled(written(text), HAPPENED, decided_at=NOW)
    values: dict[str, Any] = {"gone": True, "done": empty}
    assert policy.decide([values[fact.name] for fact in policy.facts]).reason == "gone"
    values["gone"] = False
    assert policy.decide([values[fact.name] for fact in policy.facts]).reason == EMPTY_DATE
    values["done"] = None
    assert policy.decide([values[fact.name] for fact in policy.facts]).outcome is Outcome.OFFERED


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("who: {decline: gone, when: gone}", "gone"),
        ("who: {refer: gone, when: gone}", "gone"),
        ("who: {hold: gone, when: gone}", "gone"),
        ("who: {decline: gone, when: gone and done > incident_start}", "gone"),
        ("who: {decline: gone, when: gone and done < decided_at}", EMPTY_DATE),
        ("who: {refer: gone, when: gone and done < decided_at}", "gone"),
        ("who: {hold: gone, when: gone and done < decided_at}", "gone"),
        ("who: {decline: everybody}", EMPTY_DATE),
        ("payout: {decline: gone, when: gone}", EMPTY_DATE),
        ("payout: {refer: gone, when: gone}", "gone"),
        ("payout: {hold: gone, when: gone}", "gone"),
        ("when: not gone", EMPTY_DATE),
        ("cap: 0 EUR", EMPTY_DATE),
        ("", EMPTY_DATE),
    ],
)
def test_what_is_decided_without_the_time_or_by_a_person_anyway_stands_and_all_else_is_held(
    rest: str, reason: str
) -> None:
    text = f"facts: {{gone: yes_no, done: instant}}\npay: 1 EUR\nmode: {{offer: {{at: done}}}}\n{rest}"
    policy = compiled(written(text), HAPPENED, decided_at=NOW)
    known: dict[str, Any] = {"gone": True, "done": parse_instant("1900-01-01T00:00:00Z")}
    if "done > incident_start" in rest:
        known["done"] = BEGAN + SECOND
    assert policy.decide([known[fact.name] for fact in policy.facts]).reason == reason


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        (ACCEPTED, BEGAN - SECOND, "Done lies before the incident began"),
        (ACCEPTED, NOW + timedelta(days=1), "Done lies after the decision"),
        (ACCEPTED, parse_instant("1900-01-01T00:00:00Z"), "Done is a date that programs write where there is none"),
        (OWN, (Window(BEGAN, None),), "Windows: the account's own outage has no end, although the incident is over."),
        (OWN, (Window(OVER, OVER + SECOND),), "no instant in common with the incident."),
    ],
)
def test_an_explanation_says_which_time_it_is(text: str, value: Any, told: str) -> None:
    policy = compiled(written(text), HAPPENED, decided_at=NOW)
    explanation = explain(policy, (value,))
    assert explanation.decision == policy.decide((value,))
    assert told in explanation.text()


@pytest.mark.parametrize(("until", "outcome"), [("2026-05-19", "held"), ("2026-05-20", "granted")])
def test_a_benefit_that_would_be_over_before_it_begins_is_held(until: str, outcome: str) -> None:
    text = f"give: {{quantity: 5, unit: GB, valid: {{for: 7 days, until: {until}}}}}"
    assert found(text)[0] == outcome


LATER = [("2026-05-19T08:00:00Z", "2026-05-19T12:00:00Z"), ("2026-05-21T08:00:00Z", "2026-05-21T12:00:00Z")]
"""Of the second the decision does not know how it ends; whoever asks beforehand may state it."""


@pytest.mark.parametrize("uses", ["begun(total(outage), 1 h)", "count(windows)"])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("happened", "latest"),
    [
        ([("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z")], NOW + CLOCK_ALLOWANCE),
        ([("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"), ("2026-05-19T08:00:00Z", None)], NOW + CLOCK_ALLOWANCE),
        (LATER, parse_instant("2026-05-21T12:00:00Z")),
    ],
)
def test_no_own_outage_whichever_of_several_ends_later_than_the_decision_or_what_is_known_of_the_incident(
    uses: str, order: int, happened: list[tuple[str, str | None]], latest: datetime
) -> None:
    first = Window(parse_instant(str(happened[0][0])), parse_instant(str(happened[0][1])))
    text = f"facts: {{windows: windows}}\npay: 1 USD * {uses}"
    for end, expected in ((latest, ("granted", "credit")), (latest + SECOND, ("held", "outage_in_the_future"))):
        last = Window(parse_instant(str(happened[-1][0])) + SECOND, end)
        own = (first, last) if len(happened) > 1 else (Window(first.start, first.start + SECOND), last)
        assert found(text, own[::order], happened=incident(*happened)) == expected


@pytest.mark.parametrize(
    ("rest", "asked"),
    [
        ("when: day(other) > day and total(stretch) > 0 h", ()),
        ("mode: {claim: {at: other}}", ("other",)),
        ("mode: {claim: {at: day, until: day(other)}}", ("day",)),
        ("mode: {claim: {made: plan is known, until: day}}", ()),
        ("mode: {offer: {at: 'first_known(other, decided_at)'}}", ("other",)),
        ("exposure: {from: other, until: start_of(day)}\nwhen: total(outage) > 0 h", ("other", "day")),
        ("exposure: {without: stretch}\nwhen: total(outage) > 0 h", ()),
        ("in_force: {from: 2001-01-01, by: day}", ("day",)),
        ("in_force: {from: 2001-01-01, by: 'if(plan = \"gold\", day, 2020-01-01)'}", ("day",)),
        ("in_force: {from: 2001-01-01T00:00:00Z, by: other}", ("other",)),
        ("in_force: {from: 2001-01-01T00:00:00Z, by: start(stretch)}", ()),
        ("when: total(windows) > 0 h", ("windows",)),
        ("when: day(early) = day", ("early",)),
    ],
)
def test_the_times_that_are_asked_are_those_by_which_something_was_done(rest: str, asked: tuple[str, ...]) -> None:
    early = ", early: {type: instant, early: 1 day}" if "early" in rest else ""
    windows = ", windows: windows" if "windows" in rest else ""
    facts = f"facts: {{plan: text, day: day, other: instant, stretch: windows{early}{windows}}}\n"
    policy = compiled(written(f"{facts}{rest}\npay: 1 EUR"))
    assert sorted(policy.done_facts) == sorted(asked)


FUTURE = "outage_in_the_future"
AS_CUT = "exposure: {until: incident_end}\n"
KEPT = "currency: USD\nfacts: {gone: yes_no, windows: windows, before: {type: windows, add: outage}}\n"


@pytest.mark.parametrize(
    ("rest", "plain", "kept"),
    [
        ("pay: 1 USD * begun(total(outage), 1 h)", FUTURE, FUTURE),
        (f"{AS_CUT}pay: 1 USD * begun(total(outage), 1 h)", "credit", "credit"),
        (f"{AS_CUT}pay: 1 USD * begun(total(together(outage, windows)), 1 h)", FUTURE, FUTURE),
        (
            f"{AS_CUT}values: {{raw: total(windows)}}\nwhen: total(outage) > 0 h\npay: 1 USD * begun(raw, 1 h)",
            FUTURE,
            FUTURE,
        ),
        (
            f"{AS_CUT}values: {{raw: count(windows)}}\nwhen: raw > 9 and total(outage) > 0 h\npay: 1 USD",
            "nothing_due",
            FUTURE,
        ),
        ("when: total(outage) < 0 h\npay: 1 USD", "nothing_due", FUTURE),
        ("who: {decline: gone, when: gone}\npay: 1 USD * begun(total(outage), 1 h)", "gone", "gone"),
        ("who: {refer: gone, when: gone}\npay: 1 USD * begun(total(outage), 1 h)", "gone", "gone"),
        ("payout: {hold: gone, when: gone}\npay: 1 USD * begun(total(outage), 1 h)", "gone", FUTURE),
        (
            "payout: {hold: gone, when: not gone}\npay: total(outage) / (1 h - 1 h) * 1 USD",
            "cannot_be_computed",
            "cannot_be_computed",
        ),
    ],
)
def test_an_outage_that_ends_in_the_future_is_held_where_it_becomes_money_or_is_kept(
    rest: str, plain: str, kept: str
) -> None:
    own = (Window(BEGAN, OVER), Window(OVER - SECOND, NOW + CLOCK_ALLOWANCE + SECOND))
    known: dict[str, Any] = {"gone": True, "windows": own}
    without = KEPT.replace(", before: {type: windows, add: outage}", "")
    for facts, reason in ((without, plain), (KEPT, kept)):
        policy = compiled(written(f"{facts}{rest}"), HAPPENED, decided_at=NOW)
        assert policy.decide([known[fact.name] for fact in policy.facts]).reason == reason
