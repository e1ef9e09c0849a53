"""What waits for a second person is announced, reminded of at half and four fifths of its time, and then over."""

import json
from datetime import timedelta

import pytest

from kulanz.application.cases import second_persons
from kulanz.application.cases.second_persons import (
    SECOND_PERSON_WAITED_FOR,
    WAITS,
    Asked,
    SecondPersonPorts,
    watch_second_persons,
)
from kulanz.domain.time import MICROSECOND, format_instant
from tests.support.by_hand import CARLA, DISCRETION, decide, door_of, second
from tests.support.fake_messages import FakeAnnouncer
from tests.support.fake_second_persons import FakeSecondPersons
from tests.support.world_door import ANNA, WorldDoor
from tests.unit.application.cases.test_waiting import closed

TWO = {"decision": "50.00", "person_month": "60.00", "account_month": "55.00"}


def waiting() -> tuple[WorldDoor, SecondPersonPorts, FakeAnnouncer]:
    """A case and a piece of goodwill that wait."""
    door = door_of(closed(), {**DISCRETION, "goodwill": {"EUR": {"two": TWO}}})
    assert decide(door, "referred-1", way="amount", amount="20.00", measure="EUR").content["state"] == "waits"
    body = {"amount": "20.00", "measure": "EUR", "reason": "known_fact"}
    assert door.put("goodwill/granted-1/T-1", body, ANNA).content["state"] == "waiting"
    announcer = FakeAnnouncer()
    return door, SecondPersonPorts(FakeSecondPersons(door.cases, door.goodwill), announcer), announcer


def said(announcer: FakeAnnouncer) -> list[tuple[str, str]]:
    """What was announced since, in order: of what, and which reminder."""
    found = [json.loads(one.detail) for one in announcer.announced]
    assert {one.detail_type for one in announcer.announced} <= {SECOND_PERSON_WAITED_FOR}
    announcer.announced.clear()
    return sorted((one["asked"], one["reminder"]) for one in found)


def both(reminder: str) -> list[tuple[str, str]]:
    return [("case", reminder), ("goodwill", reminder)]


def test_each_reminder_comes_once_at_its_instant_and_what_is_over_waits_no_more() -> None:
    door, ports, announcer = waiting()
    began, whole = door.world.now, WAITS[Asked.CASE]
    assert WAITS[Asked.GOODWILL] == whole == timedelta(days=14)
    steps = [
        (timedelta(), both("")), (whole / 2 - MICROSECOND, []), (whole / 2, both("half")), (whole / 2, []),
        (whole * 4 / 5 - MICROSECOND, []), (whole * 4 / 5, both("four_fifths")), (whole - MICROSECOND, []),
    ]  # fmt: skip
    for passed, expected in steps:
        assert watch_second_persons(ports, began + passed) == 0
        assert said(announcer) == expected, passed
    assert watch_second_persons(ports, began + whole) == 2, "the alarm rings once for each"
    assert said(announcer) == both("expired")
    assert watch_second_persons(ports, began + whole) == 0
    assert said(announcer) == []
    assert ports.waiting.waiting() == []


def test_an_event_has_what_the_second_person_names_and_no_account() -> None:
    door, ports, announcer = waiting()
    watch_second_persons(ports, door.world.now)
    (case, goodwill) = sorted((json.loads(one.detail) for one in announcer.announced), key=lambda one: one["asked"])
    for one in (case, goodwill):
        assert (one["v"], set(one)) == (1, {"v", "asked", "id", "since", "until", "reminder"})
    (proposed,) = door.get("cases/proposed").content["proposed"]
    assert (case["id"], case["until"]) == (proposed["hash"], proposed["waits_until"])
    assert goodwill["id"] == "T-1"
    for account in ("referred-1", "granted-1"):
        assert not any(account in one.detail for one in announcer.announced)


@pytest.mark.parametrize(("days_of_case", "days_of_goodwill"), [(10, 20), (20, 10)])
def test_each_waits_for_its_own_time(days_of_case: int, days_of_goodwill: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are two weeks. Were one of them another time, its event would say so, and it would be over then."""
    waits = {Asked.CASE: timedelta(days=days_of_case), Asked.GOODWILL: timedelta(days=days_of_goodwill)}
    monkeypatch.setattr(second_persons, "WAITS", waits)
    door, ports, announcer = waiting()
    began = door.world.now
    watch_second_persons(ports, began)
    until = {one["asked"]: one["until"] for one in (json.loads(each.detail) for each in announcer.announced)}
    assert until == {name.value: format_instant(began + wait) for name, wait in waits.items()}
    announcer.announced.clear()
    assert watch_second_persons(ports, began + timedelta(days=10)) == 1
    assert ("case" if days_of_case == 10 else "goodwill", "expired") in said(announcer)


def test_what_was_decided_meanwhile_is_not_reminded_of() -> None:
    door, ports, announcer = waiting()
    began = door.world.now
    watch_second_persons(ports, began)
    (proposed,) = door.get("cases/proposed").content["proposed"]
    assert second(door, "referred-1", CARLA, proposed["hash"]).status == 200
    said(announcer)
    watch_second_persons(ports, began + timedelta(days=7))
    assert said(announcer) == [("goodwill", "half")]


def test_a_long_pause_sends_the_latest_reminder_alone() -> None:
    door, ports, announcer = waiting()
    watch_second_persons(ports, door.world.now + timedelta(days=13))
    assert said(announcer) == both("four_fifths")
