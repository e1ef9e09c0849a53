"""Who is a person: nobody whose name somebody else could choose, and nobody by a request's own word."""

from typing import Any

import pytest

from kulanz.domain.people.caller import (
    Caller,
    Door,
    IdentityRefused,
    Machine,
    Person,
    caller_of,
    canonical_id,
    read_person_roles,
    stated_id,
)

ACCOUNT = "123456789012"
ROLE_ID = "AROAABCDEFGHIJKLMNOPQ"
ROLES = frozenset({ROLE_ID})
SSO_ROLE = "AWSReservedSSO_Approver_0123456789abcdef"
SSO = f"arn:aws:sts::{ACCOUNT}:assumed-role/{SSO_ROLE}"
ANNA = f"arn:aws:iam::{ACCOUNT}:user/anna"


def signed(arn: str, unique: str = "AIDAABCDEFGHIJKLMNOPQ", **others: Any) -> dict[str, Any]:
    """What the gateway says about whoever signed a request."""
    told = {"accessKey": "ASIA0", "accountId": ACCOUNT, "callerId": unique, "userArn": arn, "userId": unique}
    return {**told, "cognitoIdentity": None, "principalOrgId": "o-1", **others}


def called(iam: Any) -> Caller:
    return caller_of(iam, ACCOUNT, ROLES)


@pytest.mark.parametrize(
    ("iam", "expected"),
    [
        (signed(ANNA), f"iam:{ANNA}"),
        (signed(f"arn:aws:iam::{ACCOUNT}:user/Anna"), f"iam:{ANNA}"),
        (signed(f"arn:aws:iam::{ACCOUNT}:user/finance/eu/anna"), f"iam:{ANNA}"),
        (signed(f"arn:aws-cn:iam::{ACCOUNT}:user/anna"), f"iam:arn:aws-cn:iam::{ACCOUNT}:user/anna"),
        (signed(f"{SSO}/anna@example.com", f"{ROLE_ID}:anna@example.com"), "sso:anna@example.com"),
        (signed(f"{SSO}/Anna@Example.com", f"{ROLE_ID}:Anna@Example.com"), "sso:anna@example.com"),
        (signed(f"{SSO}/anna", "AIDA0", callerId=f"{ROLE_ID}:anna"), "sso:anna"),
        (signed(f"{SSO}/anna", f"{ROLE_ID}:anna", callerId=None), "sso:anna"),
    ],
)
def test_a_person_is_an_iam_user_or_a_user_of_identity_center(iam: dict[str, Any], expected: str) -> None:
    assert called(iam) == Person(expected)
    assert Person(expected).door is Door.IAM


CHOSEN, SHARED = "whoever opens such a session chooses its name; ", "the root user belongs to the account"
MACHINES: dict[str, tuple[dict[str, Any], str]] = {
    "a role": (signed(f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/anna", f"{ROLE_ID}:anna"), ""),
    "a role named nearly so": (
        signed(f"arn:aws:sts::{ACCOUNT}:assumed-role/MyAWSReservedSSO_X_1/anna", f"{ROLE_ID}:anna"), ""),
    "in other letters": (
        signed(f"arn:aws:sts::{ACCOUNT}:assumed-role/awsreservedsso_x_1/anna", f"{ROLE_ID}:anna"), ""),
    "a role not listed": (signed(f"{SSO}/anna", "AROAZZZZZZZZZZZZZZZZZ:anna"), ""),
    "root": (signed(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT), SHARED),
    "federated": (signed(f"arn:aws:sts::{ACCOUNT}:federated-user/anna", f"{ACCOUNT}:anna"), CHOSEN),
}  # fmt: skip


@pytest.mark.parametrize("name", MACHINES)
def test_whoever_could_choose_a_name_is_a_machine(name: str) -> None:
    iam, why = MACHINES[name]
    found = called(iam)

    assert isinstance(found, Machine)
    assert found.why.startswith(why)
    assert ";" in found.why  # what is the matter; what to do


def test_without_person_roles_nobody_of_identity_center_is_a_person() -> None:
    iam = signed(f"{SSO}/anna", f"{ROLE_ID}:anna")
    assert isinstance(caller_of(iam, ACCOUNT, frozenset()), Machine)


@pytest.mark.parametrize(
    "iam",
    [
        None,
        {},
        [],
        signed(""),
        signed("anna"),
        {**signed(ANNA), "accountId": "999999999999"},
        {**signed(ANNA), "accountId": None},
        signed("arn:aws:iam::999999999999:user/anna"),
        signed("arn:aws:iam::999999999999:root"),
        signed("arn:aws:sts::999999999999:federated-user/anna"),
        signed(f"arn:aws:sts::999999999999:assumed-role/{SSO_ROLE}/anna", f"{ROLE_ID}:anna"),
        signed(f"{ANNA}\n"),
        signed(f"arn:aws:iam::{ACCOUNT}:user/ann\u0430"),
        signed(f"arn:aws:iam::{ACCOUNT}:user/"),
        signed(f"arn:aws:iam::{ACCOUNT}:group/anna"),
        signed(f"arn:aws:iam::{ACCOUNT}:role/{SSO_ROLE}", f"{ROLE_ID}:anna"),
        signed(f"{SSO}/anna", f"{ROLE_ID}:berta"),
        signed(f"{SSO}/anna", ROLE_ID),
        signed(f"{SSO}/anna", "anna"),
        signed(f"{SSO}/anna/berta", f"{ROLE_ID}:anna/berta"),
        signed(f"{SSO}/anna", f"{ROLE_ID}:anna:berta"),
    ],
)
def test_an_identity_that_iam_never_gives_is_nobodys(iam: Any) -> None:
    with pytest.raises(IdentityRefused):
        called(iam)


def test_nothing_but_what_the_gateway_verified_says_who_calls() -> None:
    """The rest of an event is the caller's own: headers, query, body, and what other authorisers would fill in."""
    berta = f"arn:aws:iam::{ACCOUNT}:user/berta"
    forged = {"user": berta, "caller": berta, "x-amzn-iam-user-arn": berta, "Arn": berta}
    assert called(signed(ANNA, **forged)) == Person(f"iam:{ANNA}")
    for authorizer in ({"jwt": {"claims": {"sub": "berta"}}}, {"lambda": forged}, {"iam": None, **forged}):
        with pytest.raises(IdentityRefused):
            called(authorizer.get("iam"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "sso:",
        "sso:anna berg",
        "sso:ann\u0430",
        "sso:anna\n",
        f"iam:{ANNA}/",
        f"iam:arn:aws:iam::{ACCOUNT}:user/finance/anna",
        f"iam:arn:aws:iam::{ACCOUNT}:root",
        f"role:{SSO}/anna",
        "login:anna",
        "login:http://login.example.com#1",
        "login:https://login.example.com",
        "login:https://login.example.com#",
        "login:https://login.example.com#" + "1" * 256,
    ],
)
def test_what_is_no_persons_id_makes_no_person(text: str) -> None:
    with pytest.raises(ValueError, match="expected an id"):
        canonical_id(text)
    with pytest.raises(ValueError, match="expected an id"):
        Person(text)


def test_a_person_is_never_made_with_a_second_spelling() -> None:
    with pytest.raises(ValueError, match="one form"):
        Person("sso:Anna")


def test_subjects_of_a_login_are_told_apart_by_case() -> None:
    one, other = (f"login:https://login.example.com#{subject}" for subject in ("a1B", "a1b"))
    assert canonical_id(one) != canonical_id(other)
    assert Person(one).door is Door.LOGIN


def test_the_roles_of_persons_are_listed_by_their_unique_ids() -> None:
    assert read_person_roles(f" {ROLE_ID}, AROAZZZZZZZZZZZZZZZZZ") == {ROLE_ID, "AROAZZZZZZZZZZZZZZZZZ"}
    assert read_person_roles("") == frozenset()
    for text in ("Approver", f"arn:aws:iam::{ACCOUNT}:role/{SSO_ROLE}", ROLE_ID.lower(), "AIDAABCDEFGHIJKLMNOPQ"):
        with pytest.raises(ValueError, match="AROA"):
            read_person_roles(text)


@pytest.mark.parametrize(
    ("arn", "unique"),
    [
        (ANNA, "AIDA0"),
        (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/anna", "AIDA0"),
        (f"{SSO}/Anna@Example.com", f"{ROLE_ID}:Anna@Example.com"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/anna", f"{ROLE_ID}:anna"),
    ],
)
def test_whoever_uploads_is_in_the_log_by_the_id_that_their_requests_have(arn: str, unique: str) -> None:
    assert stated_id(arn) == called(signed(arn, unique)).id


def test_nobody_is_made_up_for_what_is_no_identity() -> None:
    assert stated_id("arn:aws:s3:::bucket") == ""
