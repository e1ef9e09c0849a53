"""The people file up to each of its bounds, and what is said of an entry that is wrong, at its own place."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from kulanz.domain.money import Money
from kulanz.domain.people import people
from kulanz.domain.people.caller import PERSON_ID_CHARACTERS, canonical_id
from kulanz.domain.people.people import (
    IDS_PER_PERSON_MOST,
    PERSONS_MOST,
    VERSION_HIGHEST,
    Listed,
    PeopleError,
    must_follow,
    people_digest,
    people_from_json,
    people_json,
    read_people,
)
from tests.unit.domain.people.test_people import IAM_ANNA, IAM_BERTA, LOGIN_ANNA, SSO_ANNA, SSO_BERTA, file_of


def persons(number: int) -> dict[str, Any]:
    return {f"person-{place}": [f"sso:person-{place}@example.com"] for place in range(number)}


def one(number: int) -> dict[str, Any]:
    return {"anna": [f"sso:anna-{place}@example.com" for place in range(number)]}


@pytest.mark.parametrize(
    ("most", "beyond", "path"),
    [
        (
            file_of({"anna": [IAM_ANNA]}, VERSION_HIGHEST),
            file_of({"anna": [IAM_ANNA]}, VERSION_HIGHEST + 1),
            ("version",),
        ),
        (file_of({"anna": [IAM_ANNA]}, 1), file_of({"anna": [IAM_ANNA]}, 0), ("version",)),
        (file_of(persons(PERSONS_MOST)), file_of(persons(PERSONS_MOST + 1)), ("persons",)),
        (file_of(persons(1)), file_of({}), ("persons",)),
        (file_of(one(IDS_PER_PERSON_MOST)), file_of(one(IDS_PER_PERSON_MOST + 1)), ("persons", "anna", "ids")),
        (file_of(one(1)), file_of(one(0)), ("persons", "anna", "ids")),
    ],
)
def test_a_file_is_taken_up_to_each_of_its_bounds_and_not_one_beyond(most: Any, beyond: Any, path: Any) -> None:
    read_people(most)
    with pytest.raises(PeopleError) as refused:
        read_people(beyond)
    assert refused.value.path == path


def test_each_person_has_the_entries_of_their_own_name() -> None:
    anna = {"ids": [IAM_ANNA, SSO_ANNA], "left": "2026-10-31", "decide": "50.00 EUR", "goodwill": "7.00 EUR"}
    found = read_people(file_of({"anna": anna, "berta": [SSO_BERTA, IAM_BERTA]}, 4))
    left = datetime(2026, 11, 1, tzinfo=UTC)
    listed = Listed("anna", (IAM_ANNA, SSO_ANNA), left, (Money(5_000, "EUR"),), (Money(700, "EUR"),))
    assert (found.version, found.persons) == (4, (listed, Listed("berta", (SSO_BERTA, IAM_BERTA))))
    assert [found.listed(of) for of in (SSO_ANNA, IAM_BERTA, LOGIN_ANNA)] == [listed, found.persons[1], None]
    tick = timedelta(microseconds=1)
    assert [found.has_left(IAM_ANNA, at) for at in (left - tick, left)] == [False, True]
    assert not found.has_left(IAM_BERTA, left)


@pytest.mark.parametrize(
    ("listed", "path", "says"),
    [
        ({"anna": [IAM_ANNA, SSO_ANNA, IAM_ANNA]}, ("persons", "anna", "ids", 2), "written twice"),
        (
            {"anna": [SSO_ANNA, IAM_ANNA], "berta": [SSO_BERTA, IAM_ANNA]},
            ("persons", "berta", "ids", 1),
            "under anna, too",
        ),
        (
            {"anna": {"ids": [IAM_ANNA], "decide": ["5 EUR", "6 EUR"]}},
            ("persons", "anna", "decide"),
            "EUR is written twice",
        ),
        ({"anna": {"ids": [IAM_ANNA], "goodwill": "five EUR"}}, ("persons", "anna", "goodwill"), "50.00 EUR"),
        ({"anna": {"ids": [IAM_ANNA], "left": "31.10.2026"}}, ("persons", "anna", "left"), "the last day"),
        ({"anna": {"ids": [IAM_ANNA], "left": "9999-12-31"}}, ("persons", "anna", "left"), "the last day"),
        ({"anna": [SSO_ANNA, "anna"]}, ("persons", "anna", "ids", 1), "expected"),
        ({"Anna": [SSO_ANNA]}, ("persons", "Anna"), "lower-case"),
    ],
)
def test_what_is_wrong_is_named_at_its_own_place(listed: dict[str, Any], path: Any, says: str) -> None:
    with pytest.raises(PeopleError, match=says) as refused:
        read_people(file_of(listed))
    assert refused.value.path == path


def test_a_version_is_one_more_and_says_which_id_is_missing_or_whose_were_divided() -> None:
    before = read_people(file_of({"anna": [IAM_ANNA, SSO_ANNA], "berta": [IAM_BERTA]}, 3))
    must_follow(before, read_people(file_of({"a": [IAM_ANNA, SSO_ANNA, IAM_BERTA]}, 4)))
    wrong = [
        ({"anna": [IAM_ANNA, SSO_ANNA], "berta": [IAM_BERTA]}, 3, ("version",), "version 3 is published; expected 4"),
        ({"anna": [IAM_ANNA, SSO_ANNA], "berta": [IAM_BERTA]}, 5, ("version",), "version 3 is published; expected 4"),
        ({"anna": [IAM_ANNA], "berta": [IAM_BERTA]}, 4, ("persons", "anna", "ids", 1), "listed before"),
        ({"anna": [IAM_ANNA], "berta": [IAM_BERTA, SSO_ANNA]}, 4, ("persons", "anna", "ids"), "one person's before"),
    ]  # fmt: skip
    for listed, version, path, says in wrong:
        with pytest.raises(PeopleError, match=says) as refused:
            must_follow(before, read_people(file_of(listed, version)))
        assert refused.value.path == path


def test_a_file_is_known_by_the_hash_of_its_bytes_as_they_were_published() -> None:
    content = file_of({"anna": [IAM_ANNA]})
    published = people_json(content)
    assert people_from_json(published).digest == people_digest(content) == sha256(published).hexdigest()
    assert read_people(content, "stated").digest == "stated"


def test_an_id_is_taken_up_to_its_longest_form_whole_and_not_one_character_beyond() -> None:
    issuer, subject = "login:https://login.example.com/", "#" + "S" * 255
    longest = issuer + "p" * (PERSON_ID_CHARACTERS - len(issuer) - len(subject)) + subject
    assert (len(longest), canonical_id(longest)) == (512, longest)
    assert read_people(file_of({"anna": [longest]})).called(longest) == "anna"
    for beyond in (longest.replace("#", "p#"), longest + "S", "login:https://login.example.com#" + "S" * 256):
        with pytest.raises(PeopleError, match="expected an id as `kulanz log` prints it") as refused:
            read_people(file_of({"anna": [longest, beyond]}))
        assert refused.value.path == ("persons", "anna", "ids", 1)


def test_a_file_is_published_up_to_its_most_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(persons(3))
    size = len(people_json(content))
    monkeypatch.setattr(people, "PEOPLE_BYTES_MOST", size)
    assert len(people_json(content)) == size
    monkeypatch.setattr(people, "PEOPLE_BYTES_MOST", size - 1)
    with pytest.raises(PeopleError, match=f"at most {size - 1} bytes"):
        people_json(content)
