"""What a refused approval says, in which order reasons are named, and what a broken glass counts beside others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.domain.gate.approval import (
    APPROVAL_LONGEST,
    SUBJECTS_FOR_ONE_PERSON,
    SUBJECTS_WITHOUT_THRESHOLD,
    ApprovalRefused,
    Needed,
    check_approval,
    is_approved,
    not_automatic,
    persons_needed,
)
from kulanz.domain.gate.settings import SAFE, GateSettings, Spent, SpentPlace
from kulanz.domain.people.people import NOBODY_LISTED
from tests.unit.domain.gate.test_approvals import ANNA, BEN, LARGEST, NOW, REJECTED, approval, plan

SSO = "sso:cleo@example.com"
TICK = timedelta(microseconds=1)


def refused(given: Any, of: Any, before: Any = (), settings: GateSettings = SAFE) -> tuple[str, str, str]:
    with pytest.raises(ApprovalRefused) as caught:
        check_approval(of, given, before, settings, NOBODY_LISTED)
    return caught.value.reason, caught.value.field, str(caught.value)


def test_a_refusal_names_its_field_and_every_limit_in_order() -> None:
    outside = plan(exceeded=(REJECTED, LARGEST))
    assert refused(approval(BEN, outside, limits=()), outside) == (
        "limits_not_named", "limits",
        "the plan is outside its limits; an approval must name each: largest EUR, rejected",
    )  # fmt: skip
    assert refused(approval(BEN, outside, limits=("rejected",)), outside)[2].endswith("name each: largest EUR")
    known = "expected only limits that the plan exceeds: largest EUR, rejected"
    beyond = approval(BEN, outside, limits=("held", "rejected", "largest EUR"))
    assert refused(beyond, outside) == ("limits_not_exceeded", "limits", known)
    none = refused(approval(BEN, limits=("held",)), plan())
    assert none == ("limits_not_exceeded", "limits", "expected only limits that the plan exceeds: none")


def test_of_several_reasons_the_first_is_said() -> None:
    outside = plan(exceeded=(REJECTED,), requester=ANNA)
    late = NOW + APPROVAL_LONGEST
    wrong = approval(ANNA, outside, limits=(), at=late, plan_hash="0" * 64)
    given = [approval(ANNA, outside)]
    reasons = []
    for change in ({}, {"plan_hash": outside.hash}, {"at": late - TICK}, {"person": BEN}):
        wrong = replace(wrong, **change)
        reasons.append(refused(wrong, outside, given if wrong.person == ANNA else [replace(given[0], person=BEN)])[:2])
    assert reasons == [("plan_differs", "plan_hash"), ("approval_over", ""), ("approver_is_requester", ""),
                       ("approved_before", "")]  # fmt: skip
    assert refused(wrong, outside)[0] == "limits_not_named"


def test_a_broken_glass_counts_beside_a_yes_of_whom_nobody_knows_whether_they_are_another_person() -> None:
    asks = plan(persons_asked=2, requester="")
    plain, glass = approval(BEN, asks), approval(SSO, asks, break_glass="flood")
    assert not is_approved(asks, [plain, replace(glass, break_glass="")], SAFE, NOBODY_LISTED, NOW)
    for given in ([plain, glass], [glass, plain], [glass]):
        assert is_approved(asks, given, SAFE, NOBODY_LISTED, NOW)
    other = replace(glass, plan_hash="0" * 64)
    assert not is_approved(asks, [plain, other], SAFE, NOBODY_LISTED, NOW)
    end = NOW + APPROVAL_LONGEST
    assert [is_approved(asks, [glass], SAFE, NOBODY_LISTED, at) for at in (end - TICK, end)] == [True, False]


MANY = plan(
    requester="", subjects=SUBJECTS_FOR_ONE_PERSON + 1, granted={"minute": 9, "EUR": 501, "SEK": 700, "JPY": 3},
    persons_asked=2,
)  # fmt: skip


def test_each_reason_for_a_second_person_is_named_in_the_order_of_measures() -> None:
    settings = GateSettings(second_person_above={"EUR": 500, "SEK": 700, "minute": 8})
    assert persons_needed(MANY, settings) == Needed(
        2,
        (
            "no person requested it",
            "it gives something to more than 100,000 subjects",
            "it can cost more than 5.00 EUR",
            "it has more than 10,000 subjects, and JPY has no threshold",
            "it can cost more than 8 minutes",
            "the policy asks for two persons",
        ),
    )
    lone = replace(settings, lone_operator=True)
    assert persons_needed(MANY, lone) == Needed(2, ("the policy asks for two persons",))
    assert persons_needed(replace(MANY, persons_asked=1), lone) == Needed(1)


@pytest.mark.parametrize(
    ("subjects", "persons"), [(SUBJECTS_WITHOUT_THRESHOLD, 1), (SUBJECTS_WITHOUT_THRESHOLD + 1, 2)]
)
def test_without_a_threshold_the_number_of_subjects_counts(subjects: int, persons: int) -> None:
    assert persons_needed(plan(subjects=subjects), SAFE).persons == persons
    threshold = GateSettings(second_person_above={"EUR": 5_000})
    assert persons_needed(plan(subjects=SUBJECTS_FOR_ONE_PERSON), threshold).persons == 1


@pytest.mark.parametrize(
    ("spent", "why"),
    [
        ({"EUR": 4_999}, ""),
        ({"EUR": 5_000}, "automatic executions would not stay below 100.00 EUR a month"),
        ({"SEK": 99_999}, ""),
    ],
)
def test_automatic_executions_of_the_month_and_of_the_incident_stay_below_the_same_amount(
    spent: dict[str, Any], why: str
) -> None:
    settings = GateSettings({"EUR": 5_001}, {"EUR": 10_000})
    places = SpentPlace(month="2026-03"), SpentPlace(incident_id="net-outage")
    for first, second in ((spent, {}), ({}, spent)):
        kept = [Spent(place, 1, sums) for place, sums in zip(places, (first, second), strict=True)]
        assert not_automatic(plan(), settings, kept) == why
    below = replace(settings, automatic_below={"EUR": 5_000})
    assert not_automatic(plan(), below, []) == "50.00 EUR is not below 50.00 EUR"
