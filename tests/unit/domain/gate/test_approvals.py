"""No plan is executed without the persons it needs; each exception is one that is written here."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.limits import Exceeded
from kulanz.domain.gate.approval import (
    APPROVAL_LONGEST,
    SUBJECTS_FOR_ONE_PERSON,
    SUBJECTS_WITHOUT_THRESHOLD,
    Approval,
    ApprovalRefused,
    Reminder,
    approvable_until,
    check_approval,
    due_reminders,
    is_approved,
    not_automatic,
    persons_needed,
    wanted_by,
)
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import SAFE, GateSettings, Spent, SpentPlace
from kulanz.domain.people.people import NOBODY_LISTED, read_people

ROBOT = "role:arn:aws:sts::123456789012:assumed-role/job"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ANNA, BEN, CLEO = (f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "ben", "cleo"))
REJECTED = Exceeded("rejected", "2 of 10 rows (20 %) rejected, at most 1 %")
LARGEST = Exceeded("largest", "5000.00 EUR, at most 100.00 EUR", "EUR")
MONTH = SpentPlace(month="2026-03")
AUTOMATIC = GateSettings({"EUR": 10_000}, {"EUR": 50_000}, {"EUR": 100_000}, frozenset({"billing"}))


def plan(**changes: Any) -> FiledPlan:
    """A plan worth 50.00 EUR that Anna requested."""
    plain = FiledPlan(
        text="{}",
        campaign=CampaignId("net-outage", 1),
        planned_at=NOW,
        decidable_until=NOW + timedelta(days=400),
        decision_digest="d",
        source="billing",
        requester=ANNA,
        persons_asked=0,
        subjects=2,
        granted={"EUR": 5_000},
        offered={},
        claimable={},
        exceeded=(),
        first_due=None,
        first_end=None,
    )
    return replace(plain, **changes)


def approval(person: str = BEN, of: FiledPlan | None = None, **changes: Any) -> Approval:
    """A person's yes to a plan, an hour after it was filed."""
    known = of or plan()
    limits = tuple(one.name for one in known.exceeded)
    plain = Approval(f"{person}-yes", person, known.hash, limits, NOW + timedelta(hours=1))
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("changed", "settings", "persons"),
    [
        ({}, SAFE, 1),
        ({"requester": ""}, SAFE, 2),
        ({"requester": ""}, AUTOMATIC, 2),
        ({"subjects": SUBJECTS_WITHOUT_THRESHOLD}, SAFE, 1),
        ({"subjects": SUBJECTS_WITHOUT_THRESHOLD + 1}, SAFE, 2),
        ({"subjects": SUBJECTS_WITHOUT_THRESHOLD + 1}, AUTOMATIC, 1),
        ({"subjects": SUBJECTS_WITHOUT_THRESHOLD + 1, "offered": {"GB": 1}}, AUTOMATIC, 2),
        ({"subjects": SUBJECTS_FOR_ONE_PERSON}, AUTOMATIC, 1),
        ({"subjects": SUBJECTS_FOR_ONE_PERSON + 1}, AUTOMATIC, 2),
        ({"granted": {"EUR": 100_000}}, AUTOMATIC, 1),
        ({"granted": {"EUR": 100_001}}, AUTOMATIC, 2),
        ({"granted": {"EUR": 60_000}, "offered": {"EUR": 40_001}}, AUTOMATIC, 2),
        ({"granted": {"EUR": 60_000}, "claimable": {"EUR": 40_001}}, AUTOMATIC, 2),
        ({"persons_asked": 1}, SAFE, 1),
        ({"persons_asked": 2}, SAFE, 2),
        ({"requester": ""}, replace(SAFE, lone_operator=True), 1),
        ({"subjects": SUBJECTS_FOR_ONE_PERSON + 1}, replace(SAFE, lone_operator=True), 1),
        ({"persons_asked": 2}, replace(SAFE, lone_operator=True), 2),
    ],
)
def test_a_plan_needs_as_many_persons_as_its_size_its_source_and_its_policy_ask_for(
    changed: dict[str, Any], settings: GateSettings, persons: int
) -> None:
    needed = persons_needed(plan(**changed), settings)
    assert needed.persons == persons
    assert bool(needed.reasons) is (persons == 2)


@pytest.mark.parametrize(
    ("changed", "of", "given", "reason"),
    [
        ({"plan_hash": "0" * 64}, {}, (), "plan_differs"),
        ({"plan_hash": ""}, {}, (), "plan_differs"),
        ({"at": NOW + APPROVAL_LONGEST}, {}, (), "approval_over"),
        ({"at": NOW + timedelta(days=2)}, {"first_end": NOW + timedelta(days=2)}, (), "approval_over"),
        ({"at": NOW + timedelta(days=2)}, {"decidable_until": NOW + timedelta(days=3)}, (), "approval_over"),
        ({"person": ANNA}, {}, (), "approver_is_requester"),
        ({}, {}, (approval(),), "approved_before"),
        ({"limits": ()}, {"exceeded": (REJECTED,)}, (), "limits_not_named"),
        ({"limits": ("rejected",)}, {"exceeded": (REJECTED, LARGEST)}, (), "limits_not_named"),
        ({"limits": ("largest", "rejected")}, {"exceeded": (REJECTED, LARGEST)}, (), "limits_not_named"),
        ({"limits": ("held",)}, {}, (), "limits_not_exceeded"),
    ],
)
def test_an_approval_that_does_not_count_is_refused_for_its_reason(
    changed: dict[str, Any], of: dict[str, Any], given: tuple[Approval, ...], reason: str
) -> None:
    known = plan(**of)
    check_approval(known, approval(of=known), (), SAFE, NOBODY_LISTED)
    with pytest.raises(ApprovalRefused) as refused:
        check_approval(known, approval(of=known, **changed), given, SAFE, NOBODY_LISTED)
    assert refused.value.reason == reason


def _worlds() -> Iterator[tuple[FiledPlan, GateSettings, tuple[Approval, ...]]]:
    """Every plan of two requesters, three policies and one limit, under every setting, with every three approvals."""
    people = (ANNA, BEN, CLEO)
    for requester, asked, outside, lone in product((ANNA, ""), (0, 1, 2), ((), (REJECTED,)), (False, True)):
        known = plan(requester=requester, persons_asked=asked, exceeded=outside)
        for said in product(("no", "yes", "glass", "other plan"), repeat=len(people)):
            yes = tuple(
                approval(
                    person, known,
                    break_glass="nobody else is awake" if word == "glass" else "",
                    **({"plan_hash": "0" * 64} if word == "other plan" else {}),
                )
                for person, word in zip(people, said, strict=True)
                if word != "no"
            )  # fmt: skip
            yield known, replace(SAFE, lone_operator=lone), yes


def test_no_plan_starts_without_the_persons_it_needs() -> None:
    """The rule, written once more in another way: over every combination."""
    started = 0
    for known, settings, said in _worlds():
        mine = [one for one in said if one.plan_hash == known.hash]
        others = {one.person for one in mine if settings.lone_operator or one.person != known.requester}
        broken = any(one.break_glass for one in mine if one.person in others)
        wanted = 2 if known.persons_asked == 2 or (not known.requester and not settings.lone_operator) else 1
        expected = len(others) >= (1 if broken else wanted)
        assert is_approved(known, said, settings, NOBODY_LISTED, NOW + timedelta(hours=1)) is expected
        assert not is_approved(known, said, settings, NOBODY_LISTED, NOW + APPROVAL_LONGEST)
        started += expected
    assert started


def test_breaking_the_glass_stands_for_the_second_person_and_never_for_the_first() -> None:
    waits = plan(persons_asked=2)
    assert not is_approved(waits, [approval(BEN)], SAFE, NOBODY_LISTED, NOW)
    assert is_approved(waits, [approval(BEN, break_glass="flood")], SAFE, NOBODY_LISTED, NOW)
    with pytest.raises(ApprovalRefused):
        check_approval(waits, approval(ANNA, break_glass="flood"), (), SAFE, NOBODY_LISTED)
    outside = plan(exceeded=(REJECTED,))
    with pytest.raises(ApprovalRefused):
        check_approval(outside, approval(BEN, outside, limits=(), break_glass="flood"), (), SAFE, NOBODY_LISTED)


@pytest.mark.parametrize(
    ("changed", "settings", "why"),
    [
        ({}, SAFE, "not set up"),
        ({}, replace(AUTOMATIC, automatic_monthly={}), "not set up"),
        ({}, replace(AUTOMATIC, automatic_below={}), "not set up"),
        ({}, AUTOMATIC, ""),
        ({"source": f"{ROBOT}/7"}, AUTOMATIC, ""),  # a person requested it, wherever it came from
        ({"requester": ""}, AUTOMATIC, ""),
        ({"requester": "", "source": "incidents"}, AUTOMATIC, "AutomaticSources"),
        ({"requester": "", "source": f"{ROBOT}/billing"}, AUTOMATIC, "AutomaticSources"),
        ({"requester": "", "source": f"{ROBOT}/7"}, replace(AUTOMATIC, automatic_sources=frozenset({"role/job"})), ""),
        ({"persons_asked": 1}, AUTOMATIC, "policy asks"),
        ({"exceeded": (REJECTED,)}, AUTOMATIC, "outside its limits"),
        ({"granted": {"EUR": 10_000}}, AUTOMATIC, "not below"),
        ({"granted": {"EUR": 9_999}}, AUTOMATIC, ""),
        ({"granted": {"EUR": 5_000}, "offered": {"EUR": 5_000}}, AUTOMATIC, "not below"),
        ({"granted": {"EUR": 5_000}, "claimable": {"EUR": 5_000}}, AUTOMATIC, "not below"),
        ({"offered": {"call_minute": Decimal("0.5")}}, AUTOMATIC, "call_minute has no threshold"),
        ({"claimable": {"USD": 1}}, AUTOMATIC, "USD has no threshold"),
        ({"offered": {"data:unlimited": 1}}, AUTOMATIC, "without limit"),
        ({"claimable": {"GB:3 x month:unlimited": 1}}, AUTOMATIC, "without limit"),
    ],
)
def test_a_plan_is_executed_automatically_only_below_every_threshold(
    changed: dict[str, Any], settings: GateSettings, why: str
) -> None:
    found = not_automatic(plan(**changed), settings, [Spent(MONTH)])
    assert why in found
    assert bool(found) is bool(why)


@given(st.lists(st.integers(1, 9_999), max_size=40), st.integers(0, 60_000))
def test_automatic_executions_stay_below_their_monthly_amount(sizes: list[int], before: int) -> None:
    month = Spent(MONTH, 1, {"EUR": before})
    for size in sizes:
        waits = plan(granted={"EUR": size})
        if not not_automatic(waits, AUTOMATIC, [Spent(SpentPlace(incident_id="x")), month]):
            month = month.with_plan(waits.at_most)
            assert month.sums["EUR"] < AUTOMATIC.automatic_monthly["EUR"]
    assert month.sums["EUR"] == before or before < AUTOMATIC.automatic_monthly["EUR"]


@pytest.mark.parametrize(
    ("changed", "days"),
    [
        ({}, 14),
        ({"decidable_until": NOW + timedelta(days=5)}, 4),
        ({"first_end": NOW + timedelta(days=3)}, 3),
        ({"first_end": NOW + timedelta(days=30), "decidable_until": NOW + timedelta(days=300)}, 14),
        ({"first_end": NOW - timedelta(days=1)}, -1),
    ],
)
def test_a_plan_can_be_approved_until_the_earliest_of_three_ends(changed: dict[str, Any], days: int) -> None:
    assert approvable_until(plan(**changed)) == NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("changed", "hours", "expected"),
    [
        ({}, 7 * 24 - 1, ()),
        ({}, 7 * 24, (Reminder.HALF,)),
        ({}, 14 * 24 * 4 // 5, (Reminder.HALF,)),
        ({}, 14 * 24 * 4 // 5 + 1, (Reminder.HALF, Reminder.FOUR_FIFTHS)),
        ({}, 14 * 24, (Reminder.HALF, Reminder.FOUR_FIFTHS, Reminder.EXPIRED)),
        ({"first_due": date(2026, 3, 2)}, 7, ()),
        ({"first_due": date(2026, 3, 2)}, 8, (Reminder.HALF,)),
        ({"first_due": date(2026, 3, 2)}, 12, (Reminder.HALF, Reminder.FOUR_FIFTHS)),
        ({"first_due": date(2026, 1, 1)}, 0, (Reminder.HALF, Reminder.FOUR_FIFTHS)),
    ],
)
def test_a_waiting_plan_reminds_at_half_and_four_fifths_of_its_time_and_when_that_is_over(
    changed: dict[str, Any], hours: int, expected: tuple[Reminder, ...]
) -> None:
    assert due_reminders(plan(**changed), NOW + timedelta(hours=hours)) == expected


def test_a_plan_is_wanted_by_its_first_due_day_or_by_the_end_of_its_approval() -> None:
    assert wanted_by(plan(first_due=date(2026, 3, 5))) == datetime(2026, 3, 5, tzinfo=UTC)
    assert wanted_by(plan(first_due=date(2027, 3, 5))) == approvable_until(plan())


def test_two_ids_of_one_person_are_one_yes() -> None:
    centre = "sso:anna@example.com"
    joined = read_people(
        {"kulanz_people": 1, "version": 1, "persons": {"anna": {"ids": [ANNA, centre]}, "ben": {"ids": [BEN]}}}
    )
    waits = plan(requester="")
    both = [approval(ANNA), approval(centre)]
    for people in (NOBODY_LISTED, joined):
        assert not is_approved(waits, both, SAFE, people, NOW), "nobody says that they are two"
        with pytest.raises(ApprovalRefused) as refused:
            check_approval(waits, both[1], both[:1], SAFE, people)
        assert refused.value.reason == "approved_before"
        with pytest.raises(ApprovalRefused) as refused:
            check_approval(plan(), approval(centre), (), SAFE, people)
        assert refused.value.reason == "approver_is_requester"
    assert is_approved(waits, [*both, approval(BEN)], SAFE, joined, NOW)
