"""Where a console is and whose session a cookie is: to the very instant, and of nobody else."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from kulanz.application.door.routes import Role
from kulanz.domain.people.caller import Person
from kulanz_console.hosted.login import NAME_CHARACTERS_MOST, Client, Identity, Login, _name, read_groups
from kulanz_console.hosted.sessions import ID_CHARACTERS, KeptSession, LoginSessions
from kulanz_console.place import Place
from kulanz_console.port import Kulanz
from kulanz_console.sessions import RIGHTS_LIFETIME, SESSION_LIFETIME, Session, Sessions, Who, is_form_of
from kulanz_console.visit import RIGHTS, Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)


# Places


@pytest.mark.parametrize(
    ("root", "path", "outer"),
    [
        ("", "/", "/"), ("", "/plan/a/1", "/plan/a/1"), ("/console", "/", "/console"),
        ("/console", "/plan/a/1", "/console/plan/a/1"),
    ],
)  # fmt: skip
def test_a_path_is_led_out_under_the_root_and_back_in(root: str, path: str, outer: str) -> None:
    place = Place("h", "s", root=root)
    assert (place.outer(path), place.inner(outer)) == (outer, path)


@pytest.mark.parametrize("path", ["/", "/consoles", "/other/console", "console", "", "/Console"])
def test_a_path_outside_of_the_root_is_not_there(path: str) -> None:
    with pytest.raises(NotFound):
        Place("h", "s", root="/console").inner(path)
    assert Place("h", "s", root="/console").inner("/console/") == "/"


@pytest.mark.parametrize(
    ("place", "origin", "cookie"),
    [
        (Place("127.0.0.1:8001", "s"), "http://127.0.0.1:8001", "kulanz_console_8001"),
        (Place("127.0.0.1:8002", "s"), "http://127.0.0.1:8002", "kulanz_console_8002"),
        (Place("api.example", "s", is_hosted=True, root="/console"), "https://api.example", "__Host-kulanz"),
    ],
)
def test_a_session_has_a_cookie_of_its_place_and_its_end_takes_that_very_one_away(
    place: Place, origin: str, cookie: str
) -> None:
    assert place.origin == origin
    given, taken = Response(), Response()
    place.set_session(given, "an-id")
    place.end_session(taken)
    secure = {"Secure"} if place.is_hosted else set()
    alike = {"HttpOnly", "SameSite=Strict", "Path=/", *secure}
    parts = [
        {text for part in one.headers["set-cookie"].split(";") if not (text := part.strip()).startswith("Expires=")}
        for one in (given, taken)
    ]
    assert parts[0] == {f"{cookie}=an-id", f"Max-Age={SESSION_LIFETIME.total_seconds():.0f}", *alike}
    assert parts[1] == {f"{cookie}=", "Max-Age=0", *alike}


# Sessions


def test_the_first_address_lets_one_in_once_and_a_session_lasts_to_its_very_end() -> None:
    sessions = Sessions()
    assert sessions.enter("guessed", NOW) is None
    session = sessions.enter(sessions.first_token, NOW)
    assert session is not None
    assert sessions.enter(sessions.first_token, NOW) is None
    assert session.ends_at == NOW + SESSION_LIFETIME
    assert sessions.of(session.id, session.ends_at - TICK) is session
    assert sessions.of(session.id, session.ends_at) is None
    for other in ("", session.form_token, sessions.first_token, session.id[:-1]):
        assert sessions.of(other, NOW) is None
    assert (is_form_of(session, session.form_token), is_form_of(session, session.id), is_form_of(session, "")) == (
        True, False, False,
    )  # fmt: skip
    sessions.end(session)
    assert sessions.of(session.id, NOW) is None


class Store:
    """Kept sessions by their key."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptSession] = {}
        self.changed: list[KeptSession] = []

    def put(self, session: KeptSession) -> None:
        self.kept[session.key] = session

    def change(self, session: KeptSession) -> None:
        self.changed.append(session)
        self.kept[session.key] = session

    def get(self, key: str) -> KeptSession | None:
        return self.kept.get(key)

    def delete(self, key: str) -> None:
        del self.kept[key]


ANNA = Identity(Person("login:https://i#anna"), frozenset({Role.SUPPORT, Role.APPROVER}), "Anna Berg")


def test_a_hosted_session_is_found_as_it_was_kept_until_its_very_end_or_until_it_is_ended() -> None:
    store = Store()
    sessions = LoginSessions(store)
    made = sessions.begin(ANNA, NOW, "de")
    others = [sessions.begin(Identity(Person("login:https://i#ben"), frozenset({Role.FINANCE})), NOW) for _ in range(2)]
    assert len({one.id for one in (made, *others)} | {one.form_token for one in (made, *others)}) == 6
    found = sessions.of(made.id, NOW + SESSION_LIFETIME - TICK)
    assert found == made
    assert found is not None
    assert (found.person, found.roles, found.name, found.language) == (ANNA.person, ANNA.roles, "Anna Berg", "de")
    assert sessions.of(made.id, NOW + SESSION_LIFETIME) is None
    found.said, found.language = "done", "en"
    sessions.keep(found)
    (changed,) = store.changed
    assert (changed.person, changed.ends_at, changed.said, changed.language, changed.name) == (
        "login:https://i#anna", NOW + SESSION_LIFETIME, "done", "en", "Anna Berg",
    )  # fmt: skip
    again = sessions.of(made.id, NOW)
    assert again is not None
    assert (again.said, again.language, again.form_token) == ("done", "en", made.form_token)
    sessions.end(made)
    assert sessions.of(made.id, NOW) is None
    assert all(sessions.of(one.id, NOW) is not None for one in others)
    assert not any(made.id in str(one) or made.form_token in str(one) for one in (*store.kept.values(), changed))


def test_a_role_that_this_release_does_not_know_is_none_and_an_id_of_another_length_is_not_looked_for() -> None:
    store = Store()
    sessions = LoginSessions(store)
    made = sessions.begin(ANNA, NOW)
    (key,) = store.kept
    store.kept[key] = KeptSession(key, "login:https://i#anna", ("support", "emperor"), NOW + SESSION_LIFETIME)
    found = sessions.of(made.id, NOW)
    assert found is not None
    assert found.roles == {Role.SUPPORT}
    store.get = lambda _: pytest.fail("looked for")  # type: ignore[method-assign,assignment]
    for other in ("", "a" * (ID_CHARACTERS - 1), "a" * (ID_CHARACTERS + 1), "é" * ID_CHARACTERS):
        assert sessions.of(other, NOW) is None


class Rights:
    """Who permits everything, and counts how often that is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def rights(self, uses: Any) -> Mapping[str, bool]:
        self.asked += 1
        return dict.fromkeys(uses, True)


def test_what_a_person_may_do_is_asked_anew_at_the_very_end_of_its_time() -> None:
    kulanz: Any = Rights()
    of: Kulanz = kulanz
    session = Session("s", "t", NOW + SESSION_LIFETIME)
    for now, asked in ((NOW, 1), (NOW + RIGHTS_LIFETIME - TICK, 1), (NOW + RIGHTS_LIFETIME, 2)):
        Visit(of, session, Words("en"), now).learn_rights()
        assert kulanz.asked == asked
    assert session.rights == dict.fromkeys(RIGHTS, True)
    assert session.rights_end_at == NOW + 2 * RIGHTS_LIFETIME


# Logins


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, ""), ({"name": "Anna", "preferred_username": "anna.b", "cognito:username": "a@b"}, "Anna"),
        ({"name": " ", "preferred_username": "anna.b", "cognito:username": "a@b"}, "anna.b"),
        ({"name": 7, "cognito:username": "a@b"}, "a@b"),
        ({"name": "a\nb", "cognito:username": "a@b"}, "a@b"),
        ({"name": "a" * NAME_CHARACTERS_MOST + "b"}, "a" * NAME_CHARACTERS_MOST),
    ],
)  # fmt: skip
def test_somebody_is_called_by_the_first_name_that_is_one(claims: Mapping[str, Any], name: str) -> None:
    assert _name(claims) == name


def test_a_group_has_every_role_that_names_it() -> None:
    assert read_groups('{"support": ["care", "all"], "approver": ["leads", "all"], "auditor": ["all"]}') == {
        "care": {Role.SUPPORT}, "leads": {Role.APPROVER}, "all": {Role.SUPPORT, Role.APPROVER, Role.AUDITOR},
    }  # fmt: skip


class Described:
    """A provider that states its endpoints."""

    def __init__(self, **metadata: str) -> None:
        self._metadata = metadata

    def read(self, _: str) -> Mapping[str, Any]:
        return self._metadata

    def send(self, *_: Any) -> None:
        raise AssertionError("nothing is sent")


@pytest.mark.parametrize(
    ("issuer", "ends_at", "ended", "leads_to"),
    [
        ("https://i", "https://i/out", "https://me/ended",
         "https://i/out?client_id=the-client&post_logout_redirect_uri=https%3A%2F%2Fme%2Fended"),
        ("https://i", "https://i/out?a=b", "", "https://i/out?a=b&client_id=the-client"),
        ("https://i", None, "https://me/ended", ""),
        ("https://cognito-idp.eu-west-1.amazonaws.com/pool", None, "https://me/ended",
         "https://login.example/logout?client_id=the-client&logout_uri=https%3A%2F%2Fme%2Fended"),
    ],
)  # fmt: skip
def test_a_logout_names_the_client_and_where_to_come_back_to(
    issuer: str, ends_at: str | None, ended: str, leads_to: str
) -> None:
    stated = {"issuer": issuer, "authorization_endpoint": "https://login.example/oauth2/authorize?x=1"}
    provider: Any = Described(**stated, **({} if ends_at is None else {"end_session_endpoint": ends_at}))
    secret: Any = None
    login = Login(Client(issuer, "the-client", "https://me/back", "groups", {}, ended=ended), provider, secret)
    assert login.logout(NOW) == leads_to


def test_whoever_is_named_is_shown_so_and_else_by_the_readable_part_of_the_id() -> None:
    assert (Who("sso:anna@example.com", "Anna").shown, Who("sso:anna@example.com").shown, Who().shown) == (
        "Anna", "anna@example.com", "",
    )  # fmt: skip
