"""Who calls: a person or a machine, from the identity that the gateway verified and from nothing else of a request.

A person is somebody whom nobody else can act as without that person's own credentials. Of an IAM user that is so. Of a
role session it is so in one case only: IAM Identity Center chooses the session's name itself, for the roles that it
makes (`AWSReservedSSO_*`). Whoever assumes any other role chooses that name, and could choose another for a second yes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

ROLE_ID_EXPECTED = "the unique id of an IAM role, AROA and 17 more capital letters or digits, separated by commas"
"""What the parameter PersonRoles holds. `aws iam get-role` shows it as RoleId."""
IDENTITY_CENTER_ROLE = "AWSReservedSSO_"
"""What the names of Identity Center's roles begin with. Nobody else makes such a role: their path is reserved."""

_NAME = r"[A-Za-z0-9_+=,.@-]{1,64}"
"""What IAM lets users and sessions be called, so that no character looks like another."""
_USER = re.compile(rf"arn:([a-z-]+):iam::([0-9]{{12}}):user/(?:[!-~]+/)?({_NAME})", re.ASCII)
_SESSION = re.compile(rf"arn:([a-z-]+):sts::([0-9]{{12}}):assumed-role/({_NAME})/({_NAME})", re.ASCII)
_OTHER = re.compile(rf"arn:([a-z-]+):(?:iam::([0-9]{{12}}):root|sts::([0-9]{{12}}):federated-user/{_NAME})", re.ASCII)
_ROLE_ID = re.compile(r"AROA[A-Z0-9]{17}", re.ASCII)

_IAM_ID = re.compile(rf"iam:arn:[a-z-]+:iam::[0-9]{{12}}:user/{_NAME}", re.ASCII)
_SSO_ID = re.compile(rf"sso:{_NAME}", re.ASCII)
_LOGIN_ID = re.compile(r"login:https://[a-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?#[!-~]{1,255}", re.ASCII)
PERSON_ID_CHARACTERS = 512
"""The longest id: an issuer of 250 characters and a subject of 255, as OpenID Connect bounds it."""
PERSON_ID_EXPECTED = (
    "an id as `kulanz log` prints it: iam:arn:aws:iam::123456789012:user/anna, sso:anna@example.com, or"
    " login:https://issuer#subject"
)


APART = "two ids count as two persons where both are of one kind, or the people file lists them apart"
"""What is said where another person is needed, of `People.are_two`."""


class Door(StrEnum):
    """Where a person comes in: with AWS credentials that sign the request, or through a login page."""

    IAM = "iam"
    LOGIN = "login"


class Kind(StrEnum):
    """What an id is an id of. One human has one of each kind, unless the people file says otherwise."""

    IAM_USER = "iam"
    IDENTITY_CENTER = "sso"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Person:
    """A person, by the id of the door that was used; the people file says which ids are one human's."""

    id: str

    def __post_init__(self) -> None:
        if self.id != canonical_id(self.id):
            raise ValueError("a person's id has its one form")

    @property
    def door(self) -> Door:
        """The door that this id belongs to."""
        return Door.LOGIN if kind_of(self.id) is Kind.LOGIN else Door.IAM


@dataclass(frozen=True, slots=True)
class Machine:
    """Whoever is no person: it may request, never approve, decide or lift. `why` says why, and what to do."""

    id: str
    why: str


type Caller = Person | Machine


class PersonNeeded(Exception):
    """A machine asked for what only a person may do. The text says why it is a machine, and what to do."""


def must_be_person(caller: Caller) -> Person:
    """The person who calls. Raises PersonNeeded for a machine."""
    if isinstance(caller, Machine):
        raise PersonNeeded(f"only a person may do this, and this caller is a machine: {caller.why}")
    return caller


def caller_with(actor: str) -> Caller:
    """Whoever has an id: a person where it is a person's id in its one form, else a machine."""
    try:
        return Person(actor)
    except ValueError:
        return Machine(actor, "its id is no person's; act as an IAM user or through IAM Identity Center")


class IdentityRefused(Exception):
    """The identity is none that IAM gives: nobody acts. The text says what was expected, and repeats nothing."""


def kind_of(person_id: str) -> Kind:
    """The kind of a person's id. Raises ValueError for an id that is no person's."""
    return Kind(person_id.partition(":")[0])


def canonical_id(text: str) -> str:
    """The one form of a person's id, so that two spellings of it are one. Raises ValueError.

    Names of IAM users differ in more than their letters' case within an account, whatever their paths, and those of
    Identity Center do so too; subjects of a login are told apart by case (OpenID Connect Core, 2).
    """
    if len(text) <= PERSON_ID_CHARACTERS:
        if _IAM_ID.fullmatch(text) or _SSO_ID.fullmatch(text):
            return text.lower()
        if _LOGIN_ID.fullmatch(text):
            return text
    raise ValueError(f"expected {PERSON_ID_EXPECTED}")


def short_id(actor: str) -> str:
    """The part of an id by which colleagues know somebody: the name of a user or a session, the subject of a login."""
    kind, _, rest = actor.partition(":")
    if kind == Kind.LOGIN:
        return rest.partition("#")[2] or actor
    return rest if kind == Kind.IDENTITY_CENTER else actor.rpartition("/")[2] or actor


def stated_id(arn: str) -> str:
    """Who somebody is by their own word, from an ARN that STS gave them; for the log alone. Empty where unknown."""
    if user := _USER.fullmatch(arn):
        return canonical_id(f"iam:arn:{user[1]}:iam::{user[2]}:user/{user[3]}")
    if other := _OTHER.fullmatch(arn):
        return f"iam:{arn}" if other[2] else f"federated:{arn}"
    session = _SESSION.fullmatch(arn)
    if session is None:
        return ""
    return canonical_id(f"sso:{session[4]}") if session[3].startswith(IDENTITY_CENTER_ROLE) else f"role:{arn}"


def read_person_roles(text: str) -> frozenset[str]:
    """Read the parameter PersonRoles; empty is no role. Raises ValueError."""
    roles = frozenset(part.strip() for part in text.split(",") if part.strip())
    if any(_ROLE_ID.fullmatch(role) is None for role in roles):
        raise ValueError(f"expected {ROLE_ID_EXPECTED}")
    return roles


def caller_of(iam: Any, account: str, person_roles: frozenset[str]) -> Caller:
    """Who signed a request: `iam` is `requestContext.authorizer.iam` of an HTTP API's event (payload 2.0).

    `account` is the stack's own. Raises IdentityRefused for what IAM would never say: then the event came another way.
    """
    if not isinstance(iam, Mapping):
        raise IdentityRefused("expected the identity that the gateway verified; call the API, with a signed request")
    arn, stated = iam.get("userArn"), iam.get("accountId")
    if not isinstance(arn, str) or stated != account:
        raise IdentityRefused("expected an identity of this account")
    if user := _USER.fullmatch(arn):
        _must_be_of(account, user[2])
        return Person(canonical_id(f"iam:arn:{user[1]}:iam::{user[2]}:user/{user[3]}"))
    if session := _SESSION.fullmatch(arn):
        _must_be_of(account, session[2])
        return _session(session[3], session[4], f"role:{arn}", iam, person_roles)
    if other := _OTHER.fullmatch(arn):
        _must_be_of(account, other[2] or other[3])
        return Machine(f"iam:{arn}" if other[2] else f"federated:{arn}", _SHARED if other[2] else _CHOSEN)
    raise IdentityRefused("expected the ARN of a user, a role's session or the account")


_SHARED = "the root user belongs to the account, not to one person; act as an IAM user or through IAM Identity Center"
_CHOSEN = "whoever opens such a session chooses its name; act as an IAM user or through IAM Identity Center"


def _must_be_of(account: str, stated: str) -> None:
    if stated != account:
        raise IdentityRefused("expected an identity of this account")


def _session(role: str, name: str, machine_id: str, iam: Mapping[str, Any], person_roles: frozenset[str]) -> Caller:
    """A role's session. Which role it is, its unique id says; a role of the same name may have been made later."""
    if not role.startswith(IDENTITY_CENTER_ROLE):
        return Machine(machine_id, _CHOSEN)
    role_id, _, session_name = _unique_id(iam).partition(":")
    if _ROLE_ID.fullmatch(role_id) is None or session_name != name:
        raise IdentityRefused("expected a unique id of the role's session that agrees with its ARN")
    if role_id not in person_roles:
        return Machine(
            machine_id,
            f"the role {role_id} is not in the parameter PersonRoles; whoever deploys the stack adds it (Identity"
            " Center gives a role another id when its last assignment was removed)",
        )
    return Person(canonical_id(f"sso:{name}"))


def _unique_id(iam: Mapping[str, Any]) -> str:
    """The unique id of who signed, `AROA…:<session>` of a session. AWS does not say which of two fields has it."""
    found = (iam.get(name) for name in ("userId", "callerId"))
    return next((one for one in found if isinstance(one, str) and one.startswith("AROA")), "")
