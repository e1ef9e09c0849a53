"""Times of a policy and of its accounts at the very instant, from both sides."""

from datetime import timedelta
from typing import Any

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.plausible import BEFORE_INCIDENT, EMPTY_DATE
from kulanz.domain.time import Window, parse_instant
from tests.unit.domain.policy.rulebook import compiled, written
from tests.unit.domain.policy.test_plausible_times import BEGAN, OVER, OWN, found

GIVE = "give: {{quantity: 1, unit: GB, valid: {valid}}}"


def fits(text: str) -> bool:
    try:
        compiled(written(text))
    except PolicyError:
        return False
    return True


@pytest.mark.parametrize(
    ("valid", "is_right"),
    [
        ("{from: 2026-07-01, until: 2026-07-01}", True),  # a day is included
        ("{from: 2026-07-02, until: 2026-07-01}", False),
        ("{from: 2026-07-02T00:00:00Z, until: 2026-07-01}", False),
        ("{from: 2026-07-01T23:59:59Z, until: 2026-07-01}", True),
        ("{until: 2026-05-04T08:00:00Z}", False),  # when the incident began
        ("{until: 2026-05-04T08:00:01Z}", True),
        ("{until: 2026-05-03}", False),
        ("{until: 2026-05-04}", True),
        ("1200 months", True),
        ("1201 months", False),
    ],
)
def test_a_validity_ends_after_it_begins_and_after_the_incident_began(valid: str, *, is_right: bool) -> None:
    assert fits(GIVE.format(valid=valid)) is is_right


@pytest.mark.parametrize(
    ("start", "until", "is_right"), [("2026-05-04", "2026-05-04", True), ("2026-05-05", "2026-05-04", False)]
)
def test_a_rule_is_in_force_for_a_day_at_least(start: str, until: str, *, is_right: bool) -> None:
    assert fits(f"pay: 1 USD\nin_force: {{from: {start}, until: {until}, by: day(incident_start)}}") is is_right


@pytest.mark.parametrize(
    ("start", "until", "outcome"),
    [
        ("2026-05-04T08:00:00Z", "2026-05-04T08:00:01Z", "granted"),
        ("2026-05-04T08:00:01Z", "2026-05-05T00:00:00Z", "declined"),
        ("2026-05-01T00:00:00Z", "2026-05-04T08:00:00Z", "declined"),
        ("2026-05-01T00:00:00Z", "2026-05-04T08:00:01Z", "granted"),
    ],
)
def test_a_rule_is_in_force_from_its_first_instant_on_and_at_its_end_no_more(
    start: str, until: str, outcome: str
) -> None:
    policy = compiled(written(f"pay: 1 USD\nin_force: {{from: {start}, until: {until}, by: incident_start}}"))
    assert policy.decide(()).outcome.value == outcome


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (Window(parse_instant("1965-01-02T00:00:00Z"), parse_instant("1970-01-01T05:00:00Z")), EMPTY_DATE),
        (Window(parse_instant("1970-01-01T05:00:00Z"), parse_instant("1971-01-02T00:00:00Z")), EMPTY_DATE),
        (Window(parse_instant("1965-01-02T00:00:00Z"), parse_instant("1970-01-02T05:00:00Z")), BEFORE_INCIDENT),
        (Window(BEGAN - timedelta(microseconds=1), OVER), BEFORE_INCIDENT),
    ],
)
def test_an_own_outage_with_an_empty_date_at_either_end_is_told_so(window: Window, reason: str) -> None:
    assert found(OWN, (window,)) == ("held", reason)


CLAUSES: dict[str, tuple[Any, str]] = {
    "hours >= 4 h": ("2026-05-04T12:00:00Z", "granted"),
    "hours > 4 h": ("2026-05-04T12:00:00Z", "declined"),
    "hours <= 4 h": ("2026-05-04T12:00:00Z", "granted"),
    "hours < 4 h": ("2026-05-04T12:00:00Z", "declined"),
}


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_condition_holds_at_its_edge_as_it_is_written(clause: str) -> None:
    _, outcome = CLAUSES[clause]
    policy = compiled(written(f"values: {{hours: total(outage)}}\nwhen: {clause}\npay: 1 USD"))
    assert policy.decide(()).outcome.value == outcome
