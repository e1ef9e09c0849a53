"""The people file: one human is one person, whatever door was used and whenever the ids were found to be one's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.money import Money
from kulanz.domain.people.caller import Door, Machine, Person, PersonNeeded, must_be_person
from kulanz.domain.people.people import (
    NOBODY_LISTED,
    PERSONS_OF,
    PeopleError,
    approver_problem,
    must_follow,
    people_from_json,
    people_json,
    read_people,
)

IAM_ANNA = "iam:arn:aws:iam::123456789012:user/anna"
IAM_BERTA = "iam:arn:aws:iam::123456789012:user/berta"
SSO_ANNA, SSO_BERTA = "sso:anna@example.com", "sso:berta@example.com"
LOGIN_ANNA, LOGIN_BERTA = "login:https://login.example.com#0001", "login:https://login.example.com#0002"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def file_of(persons: dict[str, Any], version: int = 1) -> dict[str, Any]:
    """A file's plain data; a list stands for a person's ids alone."""
    entries = {name: {"ids": entry} if isinstance(entry, list) else entry for name, entry in persons.items()}
    return {"kulanz_people": 1, "version": version, "persons": entries}


BOTH = read_people(file_of({"anna": [IAM_ANNA, SSO_ANNA, LOGIN_ANNA], "berta": [SSO_BERTA, IAM_BERTA]}))
ANNA_ALONE = read_people(file_of({"anna": [IAM_ANNA, SSO_ANNA]}))


@pytest.mark.parametrize(
    ("one", "other", "without", "anna_listed", "both_listed"),
    [
        (IAM_ANNA, IAM_ANNA, False, False, False),
        (IAM_ANNA, IAM_ANNA.replace("anna", "Anna"), False, False, False),
        (SSO_ANNA, SSO_ANNA.upper().replace("SSO:", "sso:"), False, False, False),
        (IAM_ANNA, IAM_BERTA, True, True, True),
        (SSO_ANNA, SSO_BERTA, True, True, True),
        (LOGIN_ANNA, LOGIN_BERTA, True, True, True),
        (IAM_ANNA, SSO_ANNA, False, False, False),  # one human, whether the file says so or not
        (IAM_ANNA, LOGIN_ANNA, False, False, False),
        (IAM_ANNA, SSO_BERTA, False, True, True),  # without the file they could be one human
        (SSO_ANNA, IAM_BERTA, False, True, True),
        (IAM_ANNA, LOGIN_BERTA, False, False, True),
        (IAM_ANNA, "iam:arn:aws:iam::123456789012:root", False, False, False),
        (IAM_ANNA, "role:arn:aws:sts::123456789012:assumed-role/Deploy/berta", False, False, False),
        (IAM_ANNA, "", False, False, False),
        (IAM_ANNA, "billing", False, False, False),
    ],
)
def test_two_ids_are_two_persons_only_where_that_is_known(
    one: str, other: str, without: bool, anna_listed: bool, both_listed: bool
) -> None:
    """`both_listed` lists no login of Berta's: hers is one of her kind beside Anna's."""
    for people, expected in ((NOBODY_LISTED, without), (ANNA_ALONE, anna_listed), (BOTH, both_listed)):
        assert people.are_two(one, other) is expected
        assert people.are_two(other, one) is expected


def test_a_machine_is_never_another_person() -> None:
    machine = Machine("role:arn:aws:sts::123456789012:assumed-role/Deploy/anna", "because; do so")
    with pytest.raises(PersonNeeded, match="because; do so"):
        must_be_person(machine)
    assert not BOTH.are_two(machine.id, IAM_ANNA)


def test_while_nobody_is_listed_money_is_approved_through_one_door() -> None:
    for door, approver in ((Door.IAM, IAM_ANNA), (Door.IAM, SSO_ANNA), (Door.LOGIN, LOGIN_ANNA)):
        other = next(one for one in Door if one is not door)
        assert approver_problem(Person(approver), NOBODY_LISTED, door, NOW) == ""
        refused = approver_problem(Person(approver), NOBODY_LISTED, other, NOW)
        assert f"only {PERSONS_OF[other]} may" in refused
        assert "publish a people file" in refused
        assert approver_problem(Person(approver), BOTH, other, NOW) == ""


def test_who_has_left_does_nothing_under_any_id_and_whoever_has_the_name_now_neither() -> None:
    people = read_people(file_of({"anna": {"ids": [IAM_ANNA, SSO_ANNA], "left": "2026-10-31"}}))
    last, after = datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)

    for one in (IAM_ANNA, SSO_ANNA):
        assert approver_problem(Person(one), people, Door.IAM, last) == ""
        assert "has left" in approver_problem(Person(one), people, Door.IAM, after)
    assert approver_problem(Person(IAM_BERTA), people, Door.IAM, after) == ""
    assert people.called(IAM_ANNA) == "anna"
    assert people.called(IAM_BERTA) == IAM_BERTA


def test_a_person_may_be_given_limits() -> None:
    people = read_people(
        file_of({"anna": {"ids": [SSO_ANNA], "decide": "50.00 EUR", "goodwill": ["20 EUR", "15 CHF"]}})
    )
    listed = people.listed(SSO_ANNA)
    assert listed is not None
    assert listed.decide == (Money(5000, "EUR"),)
    assert listed.goodwill == (Money(2000, "EUR"), Money(1500, "CHF"))


def _changed(**entries: Any) -> dict[str, Any]:
    return {**file_of({"anna": [IAM_ANNA]}), **entries}


@pytest.mark.parametrize(
    ("content", "field", "expected"),
    [
        ([], "", "name: value"),
        (_changed(kulanz_people=2), "", "kulanz_people: 1"),
        (_changed(kulanz_people=True), "", "kulanz_people: 1"),
        ({"persons": {}}, "", "kulanz_people: 1"),
        (_changed(person={}), "person", "unknown entry"),
        (_changed(version=0), "version", "whole number"),
        (_changed(version=True), "version", "whole number"),
        (_changed(version="1"), "version", "whole number"),
        (_changed(persons={}), "persons", "1 to 2000 persons"),
        (_changed(persons=[IAM_ANNA]), "persons", "1 to 2000 persons"),
        (file_of({"Anna Berg": [IAM_ANNA]}), "persons.Anna Berg", "anna-berg"),
        (file_of({"anna": []}), "persons.anna.ids", "1 to 20 ids"),
        (file_of({"anna": {}}), "persons.anna.ids", "1 to 20 ids"),
        (file_of({"anna": {"ids": IAM_ANNA}}), "persons.anna.ids", "1 to 20 ids"),
        (file_of({"anna": ["anna@example.com"]}), "persons.anna.ids.0", "kulanz log"),
        (file_of({"anna": [7]}), "persons.anna.ids.0", "kulanz log"),
        (file_of({"anna": {"ids": [IAM_ANNA], "mail": "x"}}), "persons.anna.mail", "unknown entry"),
        (file_of({"anna": {"ids": [IAM_ANNA], "left": "31.10.2026"}}), "persons.anna.left", "2026-10-31"),
        (file_of({"anna": {"ids": [IAM_ANNA], "left": "9999-12-31"}}), "persons.anna.left", "2026-10-31"),
        (file_of({"anna": {"ids": [IAM_ANNA], "decide": "50"}}), "persons.anna.decide", "50.00 EUR"),
        (file_of({"anna": {"ids": [IAM_ANNA], "decide": 50}}), "persons.anna.decide", "50.00 EUR"),
        (file_of({"anna": {"ids": [IAM_ANNA], "decide": "-5 EUR"}}), "persons.anna.decide", "50.00 EUR"),
        (file_of({"anna": {"ids": [IAM_ANNA], "goodwill": ["5 EUR", "6 EUR"]}}), "persons.anna.goodwill", "twice"),
        (file_of({"anna": [IAM_ANNA, IAM_ANNA]}), "persons.anna.ids.1", "twice"),
        (file_of({"anna": [IAM_ANNA, IAM_ANNA.replace("anna", "ANNA")]}), "persons.anna.ids.1", "twice"),
        (file_of({"anna": [SSO_ANNA], "berta": [IAM_BERTA, SSO_ANNA]}), "persons.berta.ids.1", "under anna"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_its_entry(content: Any, field: str, expected: str) -> None:
    with pytest.raises(PeopleError) as refused:
        read_people(content)
    assert ".".join(map(str, refused.value.path)) == field
    assert expected in refused.value.problem


def test_a_published_file_reads_as_it_was_written_and_its_digest_is_of_what_it_says() -> None:
    content = file_of({"anna": [IAM_ANNA, SSO_ANNA], "berta": {"ids": [SSO_BERTA], "left": "2026-01-31"}})
    published = people_json(content)

    assert people_from_json(published) == read_people(content)
    assert people_from_json(published).digest != read_people(file_of({"anna": [IAM_ANNA, SSO_ANNA]})).digest
    for broken in (b"", b"{", published[:-1], b"[" * 100_000):
        with pytest.raises(PeopleError):
            people_from_json(broken)


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        (file_of({"anna": [IAM_ANNA, SSO_ANNA], "berta": [IAM_BERTA]}, 3), "expected 2"),
        (file_of({"anna": [IAM_ANNA, SSO_ANNA]}, 2), "write left"),
        (file_of({"anna": [IAM_ANNA], "berta": [IAM_BERTA]}, 2), "write left"),
        (file_of({"anna": [IAM_ANNA], "anna2": [SSO_ANNA], "berta": [IAM_BERTA]}, 2), "stay one person's"),
        (file_of({"anna": [IAM_ANNA], "berta": [IAM_BERTA, SSO_ANNA]}, 2), "stay one person's"),
        (file_of({"anna": [IAM_ANNA, SSO_ANNA], "berta": [IAM_BERTA]}, 2), ""),
        (file_of({"anna": [IAM_ANNA, SSO_ANNA, IAM_BERTA]}, 2), ""),
        (file_of({"anna-b": [LOGIN_ANNA, SSO_ANNA, IAM_ANNA], "berta": [IAM_BERTA]}, 2), ""),
        (file_of({"anna": {"ids": [IAM_ANNA, SSO_ANNA], "left": "2026-12-31"}, "berta": [IAM_BERTA]}, 2), ""),
    ],
    ids=["skipped", "dropped", "id dropped", "divided", "moved", "same", "joined", "renamed", "left"],
)
def test_a_version_joins_persons_and_never_divides_or_drops_one(after: dict[str, Any], problem: str) -> None:
    before = read_people(file_of({"anna": [IAM_ANNA, SSO_ANNA], "berta": [IAM_BERTA]}))
    if not problem:
        must_follow(before, read_people(after))
        return
    with pytest.raises(PeopleError, match=problem):
        must_follow(before, read_people(after))


def test_the_first_version_follows_nothing() -> None:
    must_follow(NOBODY_LISTED, BOTH)


IDS = st.sampled_from(
    [f"{kind}{name}" for kind in ("sso:", "iam:arn:aws:iam::123456789012:user/") for name in ("a", "b", "c", "d")]
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """A file in which each of some ids has an owner."""
    owners = draw(st.dictionaries(IDS, st.sampled_from(["p", "q", "r"]), min_size=1))
    persons: dict[str, list[str]] = {}
    for one, owner in owners.items():
        persons.setdefault(owner, []).append(one)
    return file_of(persons)


@given(files(), IDS, IDS, IDS)
def test_one_person_is_one_person_whichever_ids_are_compared(content: dict[str, Any], a: str, b: str, c: str) -> None:
    """Known to be two is symmetric, never of an id with itself, and the same for every id of a listed person."""
    people = read_people(content)
    assert people.are_two(a, b) == people.are_two(b, a)
    assert not people.are_two(a, a)
    listed, same = people.listed(a), people.listed(b)
    if listed is not None and same is not None and listed.name == same.name:
        assert people.are_two(a, c) == people.are_two(b, c)


@given(files(), IDS, IDS)
def test_to_list_more_ids_of_one_person_never_makes_another_of_them(content: dict[str, Any], a: str, b: str) -> None:
    """Joining two listed persons leaves no two of their ids two persons'."""
    before = read_people(content)
    first, second = before.listed(a), before.listed(b)
    if first is None or second is None or first.name == second.name:
        return
    others = {one.name: list(one.ids) for one in before.persons if one.name not in (first.name, second.name)}
    joined = read_people(file_of({**others, "joined": [*first.ids, *second.ids]}, 2))
    must_follow(before, joined)
    assert not joined.are_two(a, b)
