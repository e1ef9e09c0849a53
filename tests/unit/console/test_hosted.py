"""The hosted console: who gets a session, what a session may, and that nothing is lost when it ends."""

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from werkzeug.test import TestResponse

from kulanz.application.door.routes import BY_USE, Role
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_console.app import HEADERS
from kulanz_console.hosted.entry import LOGIN_COOKIE, own_path
from kulanz_console.hosted.login import LOGIN_LIFETIME, Login
from kulanz_console.routes import ACTIONS, DOWNLOADS, EVERYBODY, MENU, QUESTIONS
from kulanz_console.sessions import SESSION_LIFETIME
from tests.support.console_browser import Form, forms
from tests.support.console_waiting import ALL_THAT_WAITS, with_everything, with_plan
from tests.support.fake_provider import CLIENT_ID, ISSUER, FakeProvider, FakeSecret
from tests.support.hosted_browser import OF_PROVIDER, ORIGIN, PLACE, ROOT, HostedBrowser
from tests.support.world import World
from tests.unit.console.test_border import METHODS, POSTED, VALUES, waiting

__all__ = ["waiting"]
PLAN = "/plan/net-outage/1"
PERSON = f"login:{ISSUER}#anna"


def path_of(path: str) -> str:
    return re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], path)


EVERY_PATH = sorted({path_of(one.path) for one in (*QUESTIONS, *DOWNLOADS, *ACTIONS)} | {"/language", "/end"})


@pytest.fixture
def world(waiting: World) -> World:
    return waiting.copy()


def test_a_login_leads_to_the_page_that_was_asked_for_in_a_session_of_this_browser_alone(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.list_the_person()
    asked = browser.get(PLAN)
    assert asked.status_code == 401
    assert "net-outage" not in asked.text.replace(quote(PLAN, safe=""), "").replace(PLAN, "")
    links = Form()
    links.feed(asked.text)
    to = next(link for link in links.links if link.startswith(f"{ROOT}/login"))
    begun = browser.client.get(to, base_url=ORIGIN)
    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith(f"{LOGIN_COOKIE}=")
    alike = {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert attributes(cookie) == {f"Max-Age={LOGIN_LIFETIME.total_seconds():.0f}", *alike}
    back = browser.provider.visited(begun.headers["Location"])
    came = browser.get(f"/callback?code={back['code']}&state={back['state']}")
    assert came.status_code == 200
    assert f'content="0;url={ROOT}{PLAN}"' in came.text
    session, ended = sorted(came.headers.getlist("Set-Cookie"), reverse=True)
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= {part.strip() for part in session.split(";")}
    assert "Domain" not in session
    assert session.startswith("__Host-kulanz=")
    assert ended.startswith(f"{LOGIN_COOKIE}=;")
    assert attributes(ended) == {"Max-Age=0", *alike}, "another one would stay"
    shown = browser.get(PLAN)
    assert shown.status_code == 200
    assert f'action="{ROOT}{PLAN}/approve"' in shown.text
    for name, value in HEADERS.items():
        assert came.headers[name] == shown.headers[name] == asked.headers[name] == value


def attributes(cookie: str) -> set[str]:
    """What a browser is told of a cookie beside its value."""
    return {part.strip() for part in cookie.split(";")[1:] if not part.strip().startswith("Expires=")}


def test_what_is_kept_of_a_session_lets_nobody_in(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.sign_in()
    cookie = browser.client.get_cookie(PLACE.cookie, domain="api.example")
    assert cookie is not None
    (kept,) = browser.store.kept.values()
    assert kept.key == sha256(cookie.value.encode()).hexdigest()
    assert cookie.value not in repr(kept)
    assert (kept.person, kept.roles) == (PERSON, ("approver",))
    assert kept.ends_at - world.now == SESSION_LIFETIME
    for guessed in (kept.key, "", "x" * 43, "é" * 43):
        other = HostedBrowser(world, Role.APPROVER)
        other.store.kept = browser.store.kept
        answer = other.get("/", Cookie=f"{PLACE.cookie}={quote(guessed)}")
        assert answer.status_code == 401


def test_a_session_ends_after_twelve_hours_by_the_clock_or_at_once_by_its_person(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.sign_in()
    token = forms(browser.get("/"))[f"{ROOT}/end"]["form_token"]
    world.now += SESSION_LIFETIME - timedelta(seconds=1)
    assert browser.get("/").status_code == 200
    world.now += timedelta(seconds=1)
    assert browser.store.kept, "nobody has cleaned up"
    assert browser.get("/").status_code == 401
    browser.sign_in()
    value = browser.client.get_cookie(PLACE.cookie, domain="api.example")
    assert value is not None
    ended = browser.post("/end", {"form_token": forms(browser.get("/"))[f"{ROOT}/end"]["form_token"]})
    assert ended.status_code == 200
    assert f"{PLACE.cookie}=;" in ended.headers["Set-Cookie"]
    assert browser.get("/", Cookie=f"{PLACE.cookie}={value.value}").status_code == 401
    assert browser.post("/end", {"form_token": token}).status_code == 401


LOGOUT = f"{ISSUER}/logout?x=1"
BACK = f"{ORIGIN}{ROOT}/ended"


def _ended(browser: HostedBrowser, **metadata: object) -> TestResponse:
    """Sign in, and end the session; `metadata` is what the provider says of itself."""
    browser.provider.metadata = metadata
    browser.sign_in()
    token = browser.form("/", "/end")
    return browser.post("/end", token)


def test_a_session_ends_here_first_and_then_the_browser_is_led_to_the_providers_logout_and_back(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    ended = _ended(browser, end_session_endpoint=LOGOUT)
    assert (ended.status_code, browser.store.kept) == (200, {}), "by a page: no browser follows a form elsewhere"
    assert f"{PLACE.cookie}=;" in ended.headers["Set-Cookie"]
    leads = re.findall(r'content="0;url=([^"]*)"', ended.text)
    links = Form()
    links.feed(ended.text)
    assert [html.unescape(one) for one in leads] == links.links[:1]
    at = urlsplit(links.links[0])
    assert at.geturl().startswith(LOGOUT)
    assert dict(parse_qsl(at.query)) == {"x": "1", "client_id": CLIENT_ID, "post_logout_redirect_uri": BACK}
    back = browser.get("/ended")
    assert (back.status_code, "Your session has ended." in back.text, 'http-equiv="refresh"' in back.text) == (
        200, True, False
    )  # fmt: skip
    assert f'href="{ROOT}"' in back.text


NO_LOGOUT: Mapping[str, Mapping[str, object]] = {
    "it has none": {},
    "it is no text": {"end_session_endpoint": 7},
    "it is not by https": {"end_session_endpoint": "http://login.example/logout"},
    "it has become another issuer": {"issuer": "https://evil.example", "end_session_endpoint": LOGOUT},
    "it does not answer": {"end_session_endpoint": LOGOUT},
}
"""Why a provider's logout is not known, and what the provider says of itself then."""


@pytest.mark.parametrize("why", NO_LOGOUT)
def test_a_session_ends_whatever_the_provider_says_of_its_logout_and_the_page_says_that_its_login_stands(
    world: World, why: str
) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.sign_in()
    token = browser.form("/", "/end")
    world.now += timedelta(hours=2)
    browser.provider.metadata = dict(NO_LOGOUT[why])
    browser.provider.is_silent = why == "it does not answer"
    ended = browser.post("/end", token)
    assert (ended.status_code, browser.store.kept) == (200, {})
    assert "has not ended: whoever uses this browser may come in again" in ended.text
    assert 'http-equiv="refresh"' not in ended.text
    assert "http:" not in ended.text
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize("stated", [{}, {"end_session_endpoint": "https://pool.example/logout"}])
@pytest.mark.parametrize("place", ["eu-central-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"])
def test_cognitos_logout_has_a_form_of_its_own_and_needs_no_discovery(
    world: World, place: str, stated: dict[str, str]
) -> None:
    provider = FakeProvider(lambda: world.now, issuer=f"https://cognito-idp.{place}/{place[:-2]}_abc")
    provider.metadata = {"authorization_endpoint": "https://pool.example/oauth2/authorize?y=1", **stated}
    login = Login(replace(OF_PROVIDER, issuer=provider.issuer), provider, FakeSecret())
    at = urlsplit(login.logout(world.now))
    assert (at.scheme, at.netloc, at.path) == ("https", "pool.example", "/logout")
    assert dict(parse_qsl(at.query)) == {"client_id": CLIENT_ID, "logout_uri": BACK}


def test_a_session_is_ended_by_its_own_form_alone(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.sign_in()
    for fields in ({}, {"form_token": "x"}, {"again": "yes"}):
        assert browser.post("/end", fields).status_code == 403
    assert browser.post("/end", browser.form("/", "/end"), Origin="https://evil.example").status_code == 403
    assert len(browser.store.kept) == 1


def test_every_login_has_a_session_id_of_its_own(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.client.set_cookie(PLACE.cookie, "x" * 43, domain="api.example", secure=True)
    browser.sign_in()
    browser.sign_in()
    assert len(browser.store.kept) == 2
    assert sha256(b"x" * 43).hexdigest() not in browser.store.kept


@pytest.mark.parametrize("groups", [[], ["football"], None, ["approver"]])
def test_who_is_in_no_group_gets_no_session(world: World, groups: object) -> None:
    browser = HostedBrowser(world)
    browser.provider.groups = groups
    came = browser.sign_in()
    assert came.status_code == 403
    assert "none of the groups" in came.text
    assert browser.store.kept == {}
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize("role", sorted(Role))
def test_every_page_is_answered_to_its_roles_and_to_no_other(waiting: World, role: Role) -> None:
    browser = HostedBrowser(waiting, role)
    browser.sign_in()
    links = Form()
    links.feed(browser.get("/").text)
    for one in QUESTIONS:
        may = one.use == EVERYBODY or role in BY_USE[one.use].roles
        if one in MENU:
            assert (PLACE.outer(one.path) in links.links) == may, one.path
        assert browser.get(path_of(one.path)).status_code in ((200, 404) if may else (403,)), one.path


@pytest.mark.parametrize("role", sorted(Role))
def test_every_action_is_refused_to_whoever_lacks_its_role(waiting: World, role: Role) -> None:
    """Also where a form is sent that no page shows: nothing is stored, whatever stands in it."""
    browser = HostedBrowser(waiting.copy(), role)
    browser.sign_in()
    token = forms(browser.get("/"))[f"{ROOT}/end"]["form_token"]
    for one in ACTIONS:
        if role not in BY_USE[one.use].roles:
            path = path_of(one.path)
            for fields in ({"form_token": token, "id": "a-1"}, {"again": "yes", "id": "a-1"}):
                assert browser.post(path, fields).status_code == 403, (path, fields)
    assert browser.door.actions.entries == []


def test_without_a_session_no_path_answers_by_any_method(waiting: World) -> None:
    browser = HostedBrowser(waiting, Role.ADMINISTRATOR)
    for path in EVERY_PATH:
        for method in METHODS:
            answer = browser.client.open(ROOT + path, method=method, base_url=ORIGIN, headers={"Origin": ORIGIN})
            posted = path in POSTED
            assert answer.status_code in (({401} if posted else {405}) if method == "POST" else {401, 405}), path
            assert "Network down" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://api.example"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "api.example:444"}, 421),
        ({"X-Forwarded-Host": "evil.example", "Host": "evil.example"}, 421),
    ],
)
def test_the_host_and_the_origin_are_the_configured_ones(world: World, headers: dict[str, str], status: int) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.list_the_person()
    browser.sign_in()
    fields = browser.form(PLAN, f"{PLAN}/approve")
    for again in ({}, {"again": "yes", "form_token": ""}):
        sent = browser.client.post(
            f"{ROOT}{PLAN}/approve", base_url=ORIGIN, data={**fields, **again}, headers={"Origin": ORIGIN, **headers}
        )
        assert sent.status_code == status
    begun = browser.client.get(f"{ROOT}/login", base_url=ORIGIN, headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in begun.headers["Location"]


def test_a_path_outside_of_the_root_is_not_there(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.sign_in()
    for path in ("/", "/consoles", "/v1/halt/current", "//console/", "/plan/net-outage/1"):
        assert browser.client.get(path, base_url=ORIGIN).status_code == 404, path


def test_every_link_of_every_page_stays_under_the_root(waiting: World) -> None:
    browser = HostedBrowser(waiting, *Role)
    browser.sign_in()
    for one in QUESTIONS:
        text = browser.get(path_of(one.path)).text
        leads = re.findall(r'(?:href|action|src)="([^"]*)"', text)
        assert leads
        stays = [to for to in leads if to[:1] in ("#", "?") or to == ROOT or to.startswith(f"{ROOT}/")]
        assert stays == leads, one.path


def test_a_form_whose_session_ended_is_filled_in_again_after_the_login_and_nothing_was_done(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.list_the_person()
    browser.sign_in()
    reason = 'wrong list, see "T-1" <b>'
    filled = {**browser.form(PLAN, f"{PLAN}/reject"), "reason": reason}
    world.now += SESSION_LIFETIME
    ended = browser.post(f"{PLAN}/reject", filled)
    assert ended.status_code == 401
    kept = forms(ended)[f"{ROOT}{PLAN}/reject"]
    assert kept["reason"] == reason
    assert "form_token" not in kept
    assert browser.post(f"{PLAN}/reject", kept).status_code == 401, "not signed in yet: nothing is lost either"
    browser.sign_in()
    shown = browser.post(f"{PLAN}/reject", kept)
    assert shown.status_code == 200
    assert "Nothing was done yet" in shown.text
    assert world.campaigns.campaigns_of("net-outage")[0].state.value == "awaiting_approval"
    again = forms(shown)[f"{ROOT}{PLAN}/reject"]
    assert again["id"] == filled["id"]
    assert reason.replace('"', "&#34;").replace("<", "&lt;").replace(">", "&gt;") in shown.text
    done = browser.post(f"{PLAN}/reject", {**again, "reason": reason})
    assert done.status_code == 303
    assert done.headers["Location"].startswith(f"{ROOT}/")
    assert world.campaigns.campaigns_of("net-outage")[0].state.value == "rejected"


def test_a_token_of_another_session_does_nothing(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.list_the_person()
    browser.sign_in()
    filled = browser.form(PLAN, f"{PLAN}/reject")
    browser.sign_in()
    assert browser.post(f"{PLAN}/reject", {**filled, "reason": "wrong"}).status_code == 403
    assert browser.post("/end", {"again": "yes"}).status_code == 403
    assert world.campaigns.campaigns_of("net-outage")[0].state.value == "awaiting_approval"


def test_who_logs_in_is_the_actor_of_what_is_done(world: World) -> None:
    """While no people file says whose id it is, a login alone approves and rejects nothing."""
    browser = HostedBrowser(world, Role.APPROVER)
    browser.sign_in()
    page = browser.get(PLAN)
    assert {f"{ROOT}{PLAN}/approve", f"{ROOT}{PLAN}/reject"}.isdisjoint(forms(page))
    assert "the people file does not name you" in page.text
    token = browser.form("/", "/end")["form_token"]
    refused = browser.post(f"{PLAN}/approve", {"form_token": token, "plan_hash": _plan_hash(world)})
    assert refused.status_code == 409
    assert "people file" in refused.text
    browser.list_the_person()
    done = browser.post(f"{PLAN}/reject", {**browser.form(PLAN, f"{PLAN}/reject"), "reason": "wrong list"})
    assert done.status_code == 303
    assert any(PERSON in repr(entry) for entry in world.campaigns.log(_campaign(world)))


def _plan_hash(world: World) -> str:
    plan = world.campaigns.filed_plan(_campaign(world))
    assert plan is not None
    return plan.hash


def _campaign(world: World) -> CampaignId:
    return world.campaigns.campaigns_of("net-outage")[0].id


def test_what_a_page_says_next_is_said_once_also_over_two_functions(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    browser.list_the_person()
    browser.sign_in()
    assert browser.store.changes == 0
    browser.get("/")
    assert browser.store.changes == 0, "a page that is read writes nothing"
    done = browser.post(f"{PLAN}/reject", {**browser.form(PLAN, f"{PLAN}/reject"), "reason": "wrong list"})
    to = done.headers["Location"].removeprefix(ROOT)
    assert 'class="said"' in browser.get(to).text
    assert 'class="said"' not in browser.get(to).text
    browser.post("/language", {**browser.form("/", "/language"), "language": "de"})
    assert 'lang="de"' in browser.get("/").text


@pytest.mark.parametrize(
    "wrong",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil", "",
        "/é", "/a\nb", "/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_a_login_leads_to_no_other_place(world: World, wrong: str) -> None:
    assert own_path(wrong) == "/"
    browser = HostedBrowser(world, Role.APPROVER)
    assert f'content="0;url={ROOT}"' in browser.sign_in(quote(wrong)).text


def test_a_refused_login_says_so_and_a_silent_provider_asks_to_try_again(world: World) -> None:
    browser = HostedBrowser(world, Role.APPROVER)
    begun = browser.get("/login")
    back = browser.provider.visited(begun.headers["Location"])
    assert browser.get(f"/callback?code={back['code']}&state=x").status_code == 403
    assert browser.get("/callback").status_code == 403
    browser.provider.is_silent = True
    assert browser.get(f"/callback?code={back['code']}&state={back['state']}").status_code == 503
    assert browser.store.kept == {}


def test_a_login_leads_on_to_the_page_that_was_asked_for_and_to_no_form_that_was_sent(waiting: World) -> None:
    """A form is sent to a path that has no page: the browser is led to the first one, and the form is kept beside."""
    browser = HostedBrowser(waiting, Role.APPROVER)
    asked = [f"{path_of(one.path)}{query}" for one in QUESTIONS for query in ("", "?id=a%2F1&incident=in-7")]
    for path, shown in (
        *((path, browser.get(path)) for path in asked),
        *(("/", browser.post(path_of(one.path), {"reason": "x"})) for one in ACTIONS),
    ):
        page = Form()
        page.feed(shown.text)
        login = next(link for link in page.links if link.startswith(f"{ROOT}/login"))
        assert dict(parse_qsl(urlsplit(login).query)) == {"to": path}
        back = [link for link in page.links if link in (PLACE.outer(path), f"{ROOT}{path}")]
        assert shown.request.method == "POST" or back, path


MARK = "kept over the login"


def test_no_form_loses_anything_when_the_login_expires_in_the_middle_of_it() -> None:
    """Every form with a text to fill in, of every page where something of every kind waits; nothing is done by it."""
    stack = with_everything(with_plan())
    browser = HostedBrowser(stack.world, *Role, door=stack.served)
    browser.sign_in()
    pages = [
        *ALL_THAT_WAITS,
        "/plan/second/1",
        "/campaign/net-outage/1",
        "/account?id=granted-1",
        "/goodwill",
        "/money",
    ]
    lost, tried = list[tuple[object, ...]](), set[str]()
    for page in (*pages, "/money"):
        for action, fields in forms(browser.get(page)).items():
            target = action.removeprefix(ROOT)
            typed = sorted({"reason", "note"} & fields.keys())
            if target in ("/language", "/end") or not typed:
                continue
            filled = {**fields, **dict.fromkeys(typed, MARK)}
            before = list(stack.served.actions.entries)
            browser.store.kept.clear()
            ended = browser.post(target, filled)
            kept = forms(ended).get(action, {})
            browser.sign_in()
            shown = browser.post(target, kept)
            is_shown = shown.status_code == 200 and "Nothing was done yet" in shown.text
            if (ended.status_code, kept) != (401, {**_without_token(filled), "again": "yes"}) or not is_shown:
                lost.append((target, ended.status_code, shown.status_code))
            if MARK not in shown.text:
                lost.append((target, ended.status_code, "its text"))
            assert stack.served.actions.entries == before, target
            tried.add(target.split("/")[1] + "/" + target.rpartition("/")[2])
    assert lost == []
    assert len(tried) > 8, "the forms are no longer found"


def _without_token(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if name != "form_token"}
