"""Sessions of the hosted console: made by the server, kept under the hash of their id, and over after twelve hours."""

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from kulanz.application.door.routes import Role
from kulanz.domain.people.caller import Person
from kulanz_console.hosted.login import Identity
from kulanz_console.sessions import SESSION_LIFETIME, TOKEN_BYTES, Session

ID_CHARACTERS = 43
"""Of 32 random bytes in base64."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session as it is kept. `key` is the hash of its id: who reads the table can use none."""

    key: str
    person: str
    roles: tuple[str, ...]
    ends_at: datetime
    language: str = ""
    said: str = ""
    name: str = ""


class SessionStore(Protocol):
    """Where sessions are kept. A session that is not there has ended."""

    def put(self, session: KeptSession) -> None:
        """Keep a new session."""
        ...

    def change(self, session: KeptSession) -> None:
        """Keep what a session says and its language; nothing where it has ended meanwhile."""
        ...

    def get(self, key: str) -> KeptSession | None:
        """A session, consistently read: what was ended is ended for everybody."""
        ...

    def delete(self, key: str) -> None:
        """End a session."""
        ...


@dataclass(slots=True)
class LoginSession(Session):
    """A browser whose person logged in. The roles are those of the login; a change shows at the next one."""

    person: Person | None = None
    roles: frozenset[Role] = frozenset()
    name: str = ""


class LoginSessions:
    """The sessions of a hosted console."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def begin(self, identity: Identity, now: datetime, language: str = "") -> LoginSession:
        """A new session, with a new id: an id that a browser had before never becomes one."""
        made = LoginSession(
            secrets.token_urlsafe(TOKEN_BYTES), "", now + SESSION_LIFETIME, language, person=identity.person,
            roles=identity.roles, name=identity.name,
        )  # fmt: skip
        made.form_token = _form_token(made.id)
        self._store.put(_kept(made))
        return made

    def of(self, cookie: str, now: datetime) -> LoginSession | None:
        """The session of a cookie, as long as it lasts by the clock."""
        if len(cookie) != ID_CHARACTERS or not cookie.isascii():
            return None
        found = self._store.get(_key(cookie))
        if found is None or now >= found.ends_at:
            return None
        return LoginSession(
            cookie, _form_token(cookie), found.ends_at, found.language, found.said, person=Person(found.person),
            roles=_roles(found.roles), name=found.name,
        )  # fmt: skip

    def keep(self, session: Session) -> None:
        """Keep what a request changed."""
        if isinstance(session, LoginSession):
            self._store.change(_kept(session))

    def end(self, session: Session) -> None:
        """End it, for every function at once."""
        self._store.delete(_key(session.id))


def _roles(names: Iterable[str]) -> frozenset[Role]:
    known: Mapping[str, Role] = {role.value: role for role in Role}
    return frozenset(known[name] for name in names if name in known)


def _kept(session: LoginSession) -> KeptSession:
    assert session.person is not None, "a session belongs to a person"
    roles = tuple(sorted(role.value for role in session.roles))
    return KeptSession(
        _key(session.id), session.person.id, roles, session.ends_at, session.language, session.said, session.name
    )


def _key(session_id: str) -> str:
    return sha256(session_id.encode()).hexdigest()


def _form_token(session_id: str) -> str:
    """The token of a session's forms, from which nobody finds its id."""
    return hmac.new(session_id.encode(), b"form", sha256).hexdigest()
