"""Decisions are read back in every field; deadlines, ends and outages are counted to the day and to the instant."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from kulanz.domain.decision import Benefit, Decision, Due, Notice, Outcome, Validity, format_quantity
from kulanz.domain.incident import Incident, outage_digest
from kulanz.domain.money import Money
from kulanz.domain.people.caller import caller_with, read_person_roles, short_id, stated_id
from kulanz.domain.time import MAX_WORKING_DAYS, Window, WorkingDays, add_months, days_of_year

AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
BENEFIT = Benefit(
    None, "2.5", "GB", "countries", Validity(3, "days", "Europe/Berlin", AT, "day", AT + timedelta(1)),
    Due(2, "week"), {"on": "weekends"}, "extra",
)  # fmt: skip
WHOLE = Decision(
    Outcome.OFFERED, "late", (BENEFIT,), Notice("offered", "de", "sms", {"name": "x"}), "claim",
    (Benefit(Money(7, "EUR"), validity=Validity(5, "hours", start="redemption"), due=Due(day="2026-02-03")),), AT,
)  # fmt: skip


def test_a_decision_is_read_back_in_every_field() -> None:
    assert Decision.from_body(WHOLE.to_body()) == WHOLE
    for one in (WHOLE, BENEFIT, BENEFIT.validity, WHOLE.notice):
        plain: dict[str, Any] = {each.name: each.default for each in fields(one)}  # type: ignore[arg-type]
        same = {name for name, value in plain.items() if getattr(one, name) == value}
        assert same <= {"money"}, "a field that is as it is by itself says nothing"
    for outcome, mode in ((Outcome.GRANTED, "automatic"), (Outcome.HELD, "")):
        plainest = Decision(outcome, "x", mode=mode)
        assert plainest.to_body() == {"outcome": outcome.value, "reason": "x"}
        assert Decision.from_body(plainest.to_body()) == plainest


@pytest.mark.parametrize(
    ("due", "last"),
    [
        (Due(1, "billing_cycle"), date(2026, 2, 28)), (Due(2, "month"), date(2026, 3, 31)),
        (Due(2, "week"), date(2026, 2, 14)), (Due(3, "day"), date(2026, 2, 3)),
        (Due(day="2026-05-06"), date(2026, 5, 6)),
        (Due(3, "working_day"), date(2026, 2, 4)),
    ],
)  # fmt: skip
def test_a_deadline_is_counted_in_its_own_unit(due: Due, last: date) -> None:
    working = WorkingDays(frozenset(), 2026, 2026)
    assert due.last_day(AT.date(), working) == last
    assert Due.from_text(str(due)) == due
    if due.unit == "working_day":
        for unknown in (None, replace(working, first_year=2027, last_year=2027)):
            assert due.last_day(AT.date(), unknown) == date(2026, 2, 3), "a day too early, and never one too late"


def test_working_days_are_counted_up_to_a_bound_and_within_the_known_years() -> None:
    working = WorkingDays(frozenset({date(2026, 12, 24)}), 2026, 2027, frozenset({date(2026, 12, 26)}))
    friday = date(2026, 12, 25)
    assert [working.after(friday, count) for count in (0, 1, 2)] == [friday, date(2026, 12, 26), date(2026, 12, 28)]
    assert working.after(date(2026, 12, 23), 1) == friday
    far = WorkingDays(frozenset(), 1990, 2100)
    assert far.after(friday, MAX_WORKING_DAYS) is not None
    assert (far.after(friday, MAX_WORKING_DAYS + 1), far.after(friday, -1)) == (None, None)
    assert [working.knows(date(year, 7, 1)) for year in (2025, 2026, 2027, 2028)] == [False, True, True, False]
    assert working.between(date(2026, 12, 23), date(2026, 12, 26)) == 2
    assert working.between(friday, friday) == 0
    assert working.between(date(2025, 12, 31), friday) is None


def test_months_and_years_are_those_of_the_calendar() -> None:
    assert [add_months(date(2026, 1, 31), months) for months in (-2, 0, 11, 12, 13)] == [
        date(2025, 11, 30), date(2026, 1, 31), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28),
    ]  # fmt: skip
    days = list(days_of_year(2024))
    assert (len(days), days[0], days[-1]) == (366, date(2024, 1, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    ("quantity", "text"),
    [(Fraction(1, 3), "0.333333"), (Fraction(2, 3), "0.666667"), (Fraction(1, 2_000_000), "0.000001"),
     (Fraction(1, 2_000_001), "0"), (100, "100"), (Fraction(5, 2), "2.5")],
)  # fmt: skip
def test_a_quantity_has_six_decimals_of_which_the_half_is_rounded_up(quantity: Fraction | int, text: str) -> None:
    assert format_quantity(quantity) == text


# What one outage is


def digest(*windows: tuple[int, int | None], service: str = "Fixed Net") -> str:
    made = [Window(AT + timedelta(hours=a), None if b is None else AT + timedelta(hours=b)) for a, b in windows]
    return outage_digest(Incident("x", 1, "t", service, (), tuple(made)))


def test_an_outage_is_the_time_that_its_windows_cover_of_one_service() -> None:
    plain = digest((1, 3), (5, 9))
    same = [((5, 9), (1, 3)), ((1, 2), (2, 3), (5, 9)), ((1, 3), (5, 9), (6, 7)), ((1, 3), (1, 2), (5, 8), (6, 9))]
    assert {digest(*one) for one in same} == {plain}
    assert digest((1, 3), (5, 9), service="  fixed   NET ") == plain
    others = [((1, 3), (5, 8)), ((1, 4), (5, 9)), ((1, 3), (5, None)), ((1, 9),), ((2, 3), (5, 9)), ((1, None),)]
    found = {digest(*one) for one in others} | {digest((1, 3), (5, 9), service="mobile net")}
    assert len(found) == 7
    assert plain not in found
    assert digest((1, 3), (2, None), (5, 9)) == digest((1, None))


# Who somebody is


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ("iam:arn:aws:iam::123456789012:user/anna", "anna"), ("sso:anna@example.com", "anna@example.com"),
        ("login:https://issuer.example#subject-7", "subject-7"), ("login:https://issuer.example", "login:https://issuer.example"),
        ("role:arn:aws:sts::123456789012:assumed-role/job/run-1", "run-1"), ("watch", "watch"),
    ],
)  # fmt: skip
def test_colleagues_know_somebody_by_the_name_in_an_id(actor: str, name: str) -> None:
    assert short_id(actor) == name


ARN = "arn:aws:sts::123456789012"


@pytest.mark.parametrize(
    ("arn", "actor"),
    [
        ("arn:aws:iam::123456789012:user/team/Anna", "iam:arn:aws:iam::123456789012:user/anna"),
        ("arn:aws:iam::123456789012:root", "iam:arn:aws:iam::123456789012:root"),
        (f"{ARN}:federated-user/anna", f"federated:{ARN}:federated-user/anna"),
        (f"{ARN}:assumed-role/job/run-1", f"role:{ARN}:assumed-role/job/run-1"),
        (f"{ARN}:assumed-role/AWSReservedSSO_Support_0123456789abcdef/Anna", "sso:anna"),
        ("nobody", ""),
    ],
)
def test_who_somebody_is_by_their_own_word_is_read_from_the_arn(arn: str, actor: str) -> None:
    assert stated_id(arn) == actor


def test_an_actor_is_a_person_by_an_id_in_its_one_form_alone() -> None:
    person = caller_with("sso:anna@example.com")
    assert (type(person).__name__, person.id) == ("Person", "sso:anna@example.com")
    for actor in ("sso:Anna@example.com", "watch", ""):
        machine = caller_with(actor)
        assert (type(machine).__name__, machine.id) == ("Machine", actor)


def test_roles_of_persons_are_read_one_by_one() -> None:
    one, other = "AROA" + "A" * 17, "AROA" + "7" * 17
    assert read_person_roles(f" {one} ,,{other}") == {one, other}
    assert read_person_roles("") == frozenset()
    with pytest.raises(ValueError, match="expected"):
        read_person_roles(f"{one},{one}0")
