"""How browsers get into the hosted console: a page that asks to sign in, the way to the provider and back."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from werkzeug.wrappers import Response

from kulanz.application.door.asked import Door
from kulanz_console.app import NotLetIn, Outside, Plain
from kulanz_console.hosted.by_use_cases import ByUseCases
from kulanz_console.hosted.login import LOGIN_LIFETIME, Login, LoginRefused, NoAnswer, new_secret
from kulanz_console.hosted.sessions import LoginSession, LoginSessions
from kulanz_console.place import Place
from kulanz_console.port import Kulanz
from kulanz_console.routes import Action
from kulanz_console.sessions import Session, Who

_LOG = logging.getLogger(__name__)
LOGIN_COOKIE = "__Host-kulanz-login"
"""Holds the text of a login that was begun, and the page to go on to. Lax: it is sent on the way back."""
PATH_CHARACTERS_MOST = 1_024
CALLBACK = "/callback"
ENDED = "/ended"
"""Where a browser comes back to from the provider's logout."""
WITHHELD = frozenset({"form_token"})
"""Fields of a form that are not handed on to the next session."""


class LoginEntry:
    """The entry of the hosted console."""

    rules: Sequence[tuple[str, str]] = (("/login", "login"), (CALLBACK, "callback"), (ENDED, "ended"))

    def __init__(
        self, place: Place, login: Login, sessions: LoginSessions, door: Callable[[], Door],
        clock: Callable[[], datetime], seconds_left: Callable[[], float],
    ) -> None:  # fmt: skip
        self._place, self._login, self._sessions = place, login, sessions
        self._door, self._clock, self._seconds_left = door, clock, seconds_left

    def enter(self, name: str, outside: Outside) -> Response:
        if name == "ended":
            return outside.written(_parting(outside))
        try:
            return self._begin(outside) if name == "login" else self._finish(outside)
        except LoginRefused as problem:
            _LOG.warning("login refused: %s", problem.why.name)
            raise NotLetIn("You were not signed in. Go back to the first page of the console, and sign in.") from None
        except NoAnswer as problem:
            _LOG.error("the provider of logins does not answer: %s", problem)
            raise NotLetIn(
                "The provider of logins did not answer. Load the first page of the console again, and sign in.",
                HTTPStatus.SERVICE_UNAVAILABLE,
            ) from None

    def _begin(self, outside: Outside) -> Response:
        """Send the browser to the provider, with a cookie by which it is known when it comes back."""
        secret, to = new_secret(), own_path(outside.request.args.get("to", ""))
        page = self._login.begin(secret, outside.now)
        response = Response(status=HTTPStatus.SEE_OTHER, headers={"Location": page})
        response.set_cookie(
            LOGIN_COOKIE, f"{secret}.{to.encode().hex()}", max_age=LOGIN_LIFETIME, secure=True, httponly=True,
            samesite="Lax", path="/",
        )  # fmt: skip
        return response

    def _finish(self, outside: Outside) -> Response:
        """Exchange the code for a session. A page and no redirection: the browser came from the provider, and sends no
        strict cookie before a page of the console itself leads on.
        """
        secret, _, to = outside.request.cookies.get(LOGIN_COOKIE, "").partition(".")
        identity = self._login.finish(secret, outside.request.args.to_dict(), outside.now)
        if not identity.roles:
            _LOG.warning("a login without a role")
            raise NotLetIn(
                "Your login is in none of the groups that have a role here. Ask whoever runs the stack, then sign in"
                " again."
            )
        listed = self._door().people.current().listed(identity.person.id)
        called = identity if listed is None else replace(identity, name=listed.name)
        session = self._sessions.begin(called, outside.now)
        content = {"to": own_path(_unhexed(to))}
        response = outside.written(Plain("entered.html", outside.words("Welcome"), content))
        self._place.set_session(response, session.id)
        response.delete_cookie(LOGIN_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    def session(self, cookie: str, now: datetime) -> Session | None:
        return self._sessions.of(cookie, now)

    def kulanz(self, session: Session) -> Kulanz:
        if not isinstance(session, LoginSession) or session.person is None:
            raise TypeError("a session of the hosted console is a person's")
        return ByUseCases(self._door(), session.person, session.roles, self._clock, self._seconds_left)

    def who(self, session: Session) -> Who:
        if not isinstance(session, LoginSession) or session.person is None:
            raise TypeError("a session of the hosted console is a person's")
        return Who(session.person.id, session.name, session.roles)

    def without(self, outside: Outside, action: Action | None) -> Response:
        """Ask to sign in. What a form had in it stays in the page that is answered, and comes back from there: the
        server keeps nothing of it.
        """
        request, filled = outside.request, []
        if request.method == "POST":
            filled = [(name, text) for name, text in request.form.items(multi=True) if name not in WITHHELD]
        path = self._place.inner(request.path)
        asked = path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
        here = "/" if request.method == "POST" else own_path(asked)
        content = {
            "path": path,
            "filled": filled if action is not None else [],
            "login": f"/login?{urlencode({'to': here})}",
            "back": here,
        }
        title = outside.words("Sign in")
        return outside.written(Plain("sign_in.html", title, content, HTTPStatus.UNAUTHORIZED))

    def keep(self, session: Session) -> None:
        self._sessions.keep(session)

    def end(self, session: Session, outside: Outside) -> Plain:
        """End the session here, then lead on to the provider's logout. A page and no redirection: a browser follows
        none to another place from a form (CSP's form-action).
        """
        self._sessions.end(session)
        try:
            return _parting(outside, self._login.logout(outside.now))
        except (LoginRefused, NoAnswer) as problem:
            _LOG.error("the provider's logout is not known: %s", problem)
            return _parting(outside, "")

    def shows_again(self, session: Session, form: Mapping[str, str]) -> bool:  # noqa: ARG002 (of any session)
        """A form of the sign-in page says so itself, and has no token: it is shown, and sent anew by the person."""
        return form.get("again") == "yes" and not form.get("form_token")


def _parting(outside: Outside, provider: str | None = None) -> Plain:
    """The page after a session. `provider` is its logout, empty where it has none; None where the browser was there."""
    return Plain("ended.html", outside.words("Ended"), {"elsewhere": provider})


def own_path(text: str) -> str:
    """A path of the console itself, else its first page: nobody is led elsewhere by a link to the login."""
    found = urlsplit(text)
    is_own = not found.scheme and not found.netloc and text.startswith("/") and not text.startswith("//")
    is_plain = text.isascii() and text.isprintable() and "\\" not in text and len(text) <= PATH_CHARACTERS_MOST
    return text if is_own and is_plain else "/"


def _unhexed(text: str) -> str:
    try:
        return bytes.fromhex(text).decode()
    except ValueError:
        return ""
