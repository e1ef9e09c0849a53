"""Whether somebody's yes would count is told for every reason why it would not, whichever id it is given by."""

from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.people.caller import Caller, Door, Machine, Person
from kulanz.domain.people.people import NOBODY_LISTED, People, read_people
from kulanz.domain.people.yes import Yes, yes_of
from tests.unit.domain.people.test_people import IAM_ANNA, IAM_BERTA, LOGIN_ANNA, SSO_ANNA, SSO_BERTA, file_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LISTED = read_people(
    file_of({
        "anna": [IAM_ANNA, SSO_ANNA, LOGIN_ANNA],
        "berta": [IAM_BERTA, SSO_BERTA],
        "carla": {"ids": ["sso:carla@example.com"], "left": "2026-11-30"},
    })
)  # fmt: skip
CARLA, DORA = "sso:carla@example.com", "sso:dora@example.com"
ROLE = Machine("role:arn:aws:sts::123456789012:assumed-role/Deploy/anna", "")


@pytest.mark.parametrize(
    ("caller", "asked_by", "agreed", "people", "expected"),
    [
        (ROLE, "", (), LISTED, Yes.MACHINE),
        (ROLE, ROLE.id, (), NOBODY_LISTED, Yes.MACHINE),
        (Person(IAM_BERTA), "", (), LISTED, Yes.COUNTS),
        (Person(IAM_BERTA), IAM_ANNA, (), LISTED, Yes.COUNTS),
        (Person(IAM_BERTA), IAM_BERTA, (), LISTED, Yes.ASKED),
        (Person(IAM_BERTA), SSO_BERTA, (), LISTED, Yes.ASKED),
        (Person(LOGIN_ANNA), IAM_ANNA, (), LISTED, Yes.ASKED),
        (Person(SSO_BERTA), IAM_ANNA, (SSO_ANNA,), LISTED, Yes.COUNTS),
        (Person(SSO_BERTA), IAM_ANNA, (IAM_BERTA,), LISTED, Yes.AGREED),
        (Person(SSO_BERTA), "", (SSO_ANNA, IAM_BERTA), LISTED, Yes.AGREED),
        (Person(SSO_BERTA), "", (IAM_BERTA, SSO_ANNA), LISTED, Yes.AGREED),
        (Person(SSO_BERTA), SSO_BERTA, (SSO_BERTA,), LISTED, Yes.ASKED),
        (Person(CARLA), "", (), LISTED, Yes.UNLISTED),
        (Person(CARLA), CARLA, (CARLA,), LISTED, Yes.UNLISTED),
        (Person(DORA), SSO_ANNA, (), LISTED, Yes.COUNTS),
        (Person(DORA), "", (IAM_ANNA,), LISTED, Yes.COUNTS),  # who is listed has an id of Identity Center, too
        (Person(IAM_BERTA), SSO_ANNA, (), NOBODY_LISTED, Yes.ASKED),  # might be one human
        (Person(IAM_BERTA), "", (SSO_ANNA,), NOBODY_LISTED, Yes.AGREED),
        (Person(IAM_BERTA), IAM_ANNA, (), NOBODY_LISTED, Yes.COUNTS),
        (Person(LOGIN_ANNA), "", (), NOBODY_LISTED, Yes.UNLISTED),
        (Person(LOGIN_ANNA), "", (), LISTED, Yes.COUNTS),
    ],
)
def test_a_yes_counts_of_a_person_known_to_be_another_than_who_asked_and_agreed(
    caller: Caller, asked_by: str, agreed: tuple[str, ...], people: People, expected: Yes
) -> None:
    assert yes_of(caller, asked_by, agreed, people, NOW) is expected
    assert yes_of(caller, asked_by, iter(agreed), people, NOW) is expected


def test_who_has_left_says_no_yes_from_the_end_of_the_last_day_on() -> None:
    left = datetime(2026, 12, 1, tzinfo=UTC)
    found = [yes_of(Person(CARLA), "", (), LISTED, at) for at in (left - timedelta(microseconds=1), left)]
    assert found == [Yes.COUNTS, Yes.UNLISTED]


@pytest.mark.parametrize(
    ("person", "door", "expected"),
    [
        (IAM_ANNA, Door.IAM, Yes.COUNTS), (SSO_ANNA, Door.IAM, Yes.COUNTS), (LOGIN_ANNA, Door.IAM, Yes.UNLISTED),
        (IAM_ANNA, Door.LOGIN, Yes.UNLISTED), (SSO_ANNA, Door.LOGIN, Yes.UNLISTED),
        (LOGIN_ANNA, Door.LOGIN, Yes.COUNTS),
    ],
)  # fmt: skip
def test_while_nobody_is_listed_one_door_counts_and_then_every_one(person: str, door: Door, expected: Yes) -> None:
    assert yes_of(Person(person), "", (), NOBODY_LISTED, NOW, door) is expected
    assert yes_of(Person(person), "", (), LISTED, NOW, door) is Yes.COUNTS
