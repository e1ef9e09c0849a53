"""Who may talk to a console on this machine: whoever has the first address, and the browser that used it.

Everything is kept in memory and ends with the process. A token is compared in constant time.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from threading import Lock

from kulanz.application.door.routes import BY_USE, Role
from kulanz.domain.people.caller import short_id

TOKEN_BYTES = 32
SESSION_LIFETIME = timedelta(hours=12)
RIGHTS_LIFETIME = timedelta(minutes=5)
"""How long a page goes on showing what a role once permitted. What is done is decided anew each time."""


@dataclass(frozen=True, slots=True)
class Who:
    """Whose identity a console acts with. `name` is what others call the person, where that is known.

    `roles` are None where nobody but AWS knows them: they are then told from what is permitted.
    """

    id: str = ""
    name: str = ""
    roles: frozenset[Role] | None = None

    @property
    def shown(self) -> str:
        """The name, else the readable part of the id; empty where neither is known."""
        return self.name or short_id(self.id)

    def in_roles(self, rights: Mapping[str, bool]) -> list[Role]:
        """The roles, in their order. Of what is permitted those that it has all of, without those that another has all
        of, too.
        """
        if self.roles is not None:
            return [role for role in Role if role in self.roles]
        uses = {role: {use for use in rights if role in BY_USE[use].roles} for role in Role}
        whole = [role for role in Role if uses[role] and all(rights[use] for use in uses[role])]
        return [role for role in whole if not any(uses[role] < uses[other] for other in whole)]


NOBODY = Who()


@dataclass(slots=True)
class Session:
    """A browser that was let in. `form_token` is in each of its forms; `said` is what the next page begins with."""

    id: str
    form_token: str
    ends_at: datetime
    language: str = ""
    said: str = ""
    rights: Mapping[str, bool] = field(default_factory=dict)
    rights_end_at: datetime | None = None


class Sessions:
    """The sessions of one console."""

    def __init__(self) -> None:
        self._first = secrets.token_urlsafe(TOKEN_BYTES)
        self._is_used = False
        self._found: dict[str, Session] = {}
        self._lock = Lock()

    @property
    def first_token(self) -> str:
        """What the first address holds. It lets one browser in."""
        return self._first

    def enter(self, token: str, now: datetime) -> Session | None:
        """A session for the first who has the token; None for anybody else, and from then on."""
        with self._lock:
            if self._is_used or not _same(token, self._first):
                return None
            self._is_used = True
            session = Session(
                secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES), now + SESSION_LIFETIME
            )
            self._found[session.id] = session
            return session

    def of(self, cookie: str, now: datetime) -> Session | None:
        """The session of a cookie, as long as it lasts."""
        for session in tuple(self._found.values()):
            if _same(cookie, session.id):
                return session if now < session.ends_at else None
        return None

    def end(self, session: Session) -> None:
        """End a session."""
        self._found.pop(session.id, None)


def is_form_of(session: Session, token: str) -> bool:
    """Whether a form was made for this session."""
    return _same(token, session.form_token)


def _same(given: str, kept: str) -> bool:
    return compare_digest(given.encode(), kept.encode())
