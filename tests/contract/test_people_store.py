"""The contract of PeopleShelf: the highest published version holds, and none ever changes."""

from typing import Any

import pytest

from kulanz.application.ports import PeopleSealed, Refused
from kulanz.domain.people.people import NOBODY_LISTED, people_from_json, people_json
from tests.contract.backends import AwsBackend, Backend
from tests.contract.conftest import BACKENDS


def version(number: int, *names: str) -> bytes:
    content: dict[str, Any] = {name: {"ids": [f"sso:{name}"]} for name in names}
    return people_json({"kulanz_people": 1, "version": number, "persons": content})


def test_before_one_is_published_nobody_is_listed(backend: Backend) -> None:
    assert backend.people.current() == NOBODY_LISTED


def test_the_highest_version_holds(backend: Backend) -> None:
    people = backend.people
    for number in range(1, 12):
        assert people.publish(number, version(number, "anna", f"p{number}"))
        assert people.current() == people_from_json(version(number, "anna", f"p{number}"))

    assert people.current().version == 11


def test_a_version_is_published_once_and_stands(backend: Backend) -> None:
    people = backend.people
    assert people.publish(1, version(1, "anna"))
    assert not people.publish(1, version(1, "anna"))
    with pytest.raises(PeopleSealed):
        people.publish(1, version(1, "berta"))

    assert people.current() == people_from_json(version(1, "anna"))


@pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
@pytest.mark.parametrize("content", [b"", b"{}", version(2, "anna")], ids=["nothing", "no file", "another version"])
def test_where_the_file_cannot_be_read_nobody_is_taken_for_a_person(emulator: AwsBackend, content: bytes) -> None:
    emulator.upload("policies/_people/00001.json", content)
    with pytest.raises(Refused):
        emulator.people.current()


@pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
def test_what_else_lies_there_is_no_version(emulator: AwsBackend) -> None:
    emulator.people.publish(3, version(3, "anna"))
    for name in ("9.json", "000009.json", "00009", "x.json", "00009.json/x"):
        emulator.upload(f"policies/_people/{name}", version(9, "berta"))

    assert emulator.people.current().version == 3


@pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
def test_the_people_file_is_no_policy(emulator: AwsBackend) -> None:
    emulator.people.publish(1, version(1, "anna"))
    emulator.policies.publish("five", 1, b"{}")
    assert [(one.policy_id, one.version) for one in emulator.policies.published()] == [("five", 1)]
