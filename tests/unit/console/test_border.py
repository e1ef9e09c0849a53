"""Who is let in: every route by every method, with and without what a request must have."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from kulanz_console.app import FORM_BYTES, HEADERS, STATIC_FILES
from kulanz_console.routes import ACTIONS, DOWNLOADS, QUESTIONS
from kulanz_console.sessions import SESSION_LIFETIME
from tests.support.console_browser import HOST, ORIGIN, Browser, settled
from tests.support.small_campaign import ROWS, event, small_world
from tests.support.world import World
from tests.support.world_people import to_approve

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
VALUES = {
    "incident": "net-outage", "seq": "1", "account": "granted-1", "policy": "net-credit", "version": "1",
    "draft": "it-planned00001-voice", "goodwill": "T-1", "void": "wrong-list",
}  # fmt: skip
OWN = ("/language", "/end")
"""What the console does without asking anybody."""
EVERY = (*QUESTIONS, *DOWNLOADS, *ACTIONS)
PATHS = sorted({re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], one.path) for one in EVERY})
POSTED = {re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], one.path) for one in ACTIONS} | set(OWN)


@pytest.fixture(scope="module")
def waiting() -> World:
    """A campaign whose plan waits."""
    world = small_world()
    world.publish(event(rows=ROWS))
    return settled(world, lambda one: bool(to_approve(one)))


@pytest.fixture
def browser(waiting: World) -> Browser:
    return Browser(waiting)


def send(browser: Browser, method: str, path: str, host: str, headers: dict[str, str], fields: Any) -> TestResponse:
    """A request with these headers and no others: a client with cookies of its own would take the stated one out."""
    client = Client(browser.client.application, use_cookies=False)
    return client.open(path, method=method, base_url=f"http://{host}", headers=headers, data=fields)


WRONG: dict[str, Callable[[Browser, str, str], TestResponse]] = {
    "no session": lambda one, method, path: send(one, method, path, HOST, {"Origin": ORIGIN}, None),
    "another session": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": ORIGIN, "Cookie": "kulanz_console_49152=" + "x" * 43}, None
    ),
    "another console's cookie": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": ORIGIN, "Cookie": f"kulanz_console_1={_session_of(one)}"}, None
    ),
    "another host": lambda one, method, path: send(
        one, method, path, "evil.example:49152", {"Origin": ORIGIN, **_cookie(one)}, _fields(one)
    ),
    "localhost": lambda one, method, path: send(
        one, method, path, "localhost:49152", {"Origin": ORIGIN, **_cookie(one)}, _fields(one)
    ),
    "another port": lambda one, method, path: send(
        one, method, path, "127.0.0.1:80", {"Origin": ORIGIN, **_cookie(one)}, _fields(one)
    ),
    "another origin": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": "http://evil.example", **_cookie(one)}, _fields(one)
    ),
    "an origin that is null": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": "null", **_cookie(one)}, _fields(one)
    ),
    "the origin by https": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": f"https://{HOST}", **_cookie(one)}, _fields(one)
    ),
}
WRONG_FORM: dict[str, Callable[[Browser, str, str], TestResponse]] = {
    "no origin": lambda one, method, path: send(one, method, path, HOST, _cookie(one), _fields(one)),
    "no form token": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": ORIGIN, **_cookie(one)}, {"id": "x"}
    ),
    "another form token": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": ORIGIN, **_cookie(one)}, {"form_token": "x" * 43}
    ),
    "a form token that is no ASCII": lambda one, method, path: send(
        one, method, path, HOST, {"Origin": ORIGIN, **_cookie(one)}, {"form_token": "é"}
    ),
    "the token in the address": lambda one, method, path: send(
        one, method, f"{path}?form_token={_token_of(one)}", HOST, {"Origin": ORIGIN, **_cookie(one)}, {}
    ),
}


def _session_of(browser: Browser) -> str:
    if not browser.sessions._found:
        Browser.enter(browser)
        browser.client.delete_cookie("kulanz_console_49152", domain="127.0.0.1")
    return next(iter(browser.sessions._found))


def _token_of(browser: Browser) -> str:
    return browser.sessions._found[_session_of(browser)].form_token


def _cookie(browser: Browser) -> dict[str, str]:
    return {"Cookie": f"kulanz_console_49152={_session_of(browser)}"}


def _fields(browser: Browser) -> dict[str, str]:
    return {"form_token": _token_of(browser)}


@pytest.mark.parametrize("wrong", WRONG)
def test_no_route_answers_or_acts_for_a_request_that_is_not_the_consoles_own(wrong: str, browser: Browser) -> None:
    for path in (*PATHS, *OWN):
        for method in METHODS:
            response = WRONG[wrong](browser, method, path)
            assert response.status_code in (403, 404, 405, 421), (method, path)
            assert "Network down" not in response.text, (method, path)
    assert (browser.kulanz.asked, browser.kulanz.acted) == ([], [])


@pytest.mark.parametrize("wrong", WRONG_FORM)
def test_nothing_is_done_for_a_form_that_is_not_the_sessions_own(wrong: str, browser: Browser) -> None:
    for path in POSTED:
        assert WRONG_FORM[wrong](browser, "POST", path).status_code == 403, path
    assert (browser.kulanz.asked, browser.kulanz.acted) == ([], [])


def test_a_page_is_asked_by_get_and_an_action_by_post_alone(browser: Browser) -> None:
    browser.enter()
    for path in (*PATHS, *OWN):
        for method in METHODS:
            response = browser.client.open(
                path, method=method, base_url=ORIGIN, headers={"Origin": ORIGIN}, data={"form_token": "x"}
            )
            expected = {"POST"} if path in POSTED else {"GET", "HEAD"}
            assert (response.status_code == 405) == (method not in expected), (method, path, response.status_code)
    assert browser.kulanz.acted == []


def test_the_first_address_lets_one_browser_in_once(browser: Browser) -> None:
    assert browser.get("/").status_code == 403
    assert browser.get("/enter/" + "x" * 43).status_code == 403
    token = browser.sessions.first_token
    entered = browser.get(f"/enter/{token}")
    assert entered.status_code == 200
    cookie = entered.headers["Set-Cookie"]
    assert {part.strip().partition("=")[0] for part in cookie.split(";")} >= {"HttpOnly", "SameSite", "Path"}
    assert "SameSite=Strict" in cookie
    assert "Domain" not in cookie
    assert browser.get("/").status_code == 200
    assert browser.get(f"/enter/{token}").status_code == 403
    assert token not in browser.get("/").text


def test_a_session_ends_after_its_time_and_at_logout(waiting: World) -> None:
    world = waiting.copy()
    browser = Browser(world).enter()
    token = next(iter(browser.sessions._found.values())).form_token
    world.now += SESSION_LIFETIME - timedelta(seconds=1)
    assert browser.get("/campaigns").status_code == 200
    world.now += timedelta(seconds=1)
    assert browser.get("/campaigns").status_code == 403
    world.now -= timedelta(hours=1)
    assert browser.post("/end", {"form_token": token}).status_code == 200
    assert browser.get("/campaigns").status_code == 403


def test_every_answer_forbids_the_browser_what_the_page_does_not_need(browser: Browser) -> None:
    before = browser.get("/")
    browser.enter()
    for response in (
        before,
        browser.get("/"),
        browser.get("/none"),
        *(browser.get(f"/static/{n}") for n in STATIC_FILES),
    ):
        assert {name: response.headers[name] for name in HEADERS} == dict(HEADERS)
    policy = dict(part.strip().partition(" ")[::2] for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) <= {"'none'", "'self'"}, "nothing comes from elsewhere, nothing stands in the page"


def test_a_static_file_is_one_of_a_list(browser: Browser) -> None:
    assert [browser.get(f"/static/{name}").status_code for name in STATIC_FILES] == [200] * len(STATIC_FILES)
    for name in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "none.css", ""):
        assert browser.get(f"/static/{name}").status_code == 404


def test_a_form_that_is_too_large_is_not_read(browser: Browser) -> None:
    browser.enter()
    response = browser.post("/money/halt", {"form_token": "x", "reason": "y" * (FORM_BYTES + 1)})
    assert response.status_code == 413
