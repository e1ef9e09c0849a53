"""The console's function: a login over the handler, what it keeps, and what it asks of the provider and of AWS."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from io import StringIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
from moto import mock_aws

from kulanz.application.door.routes import Role
from kulanz.application.ports import TryAgain
from kulanz.config.api import ApiConfig
from kulanz.config.environment import Environment, SettingError
from kulanz.config.serve_console import ConsoleConfig
from kulanz_console.app import Console
from kulanz_console.hosted.entry import LoginEntry
from kulanz_console.hosted.login import Login, NoAnswer, read_groups
from kulanz_console.hosted.sessions import KeptSession, LoginSessions
from serve_console import handler, kept
from serve_console.kept import DynamoSessions, HttpsProvider, ManagedSecret
from tests.support.console_browser import forms
from tests.support.fake_provider import ISSUER, FakeProvider, FakeSecret
from tests.support.hosted_browser import HOST, OF_PROVIDER, ORIGIN, PLACE, ROOT
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.unit.console.test_border import waiting
from tests.unit.functions.test_api import Context

__all__ = ["waiting"]
TABLE = "sessions"
PLAN = f"{ROOT}/plan/net-outage/1"
KEPT = KeptSession(
    "0" * 64, f"login:{ISSUER}#anna", ("approver", "support"), datetime(2026, 11, 30, 21, tzinfo=UTC), "de", "Said.",
    "Anna Berg",
)  # fmt: skip


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )  # fmt: skip
        yield client


class Visitor:
    """A browser that speaks with the gateway: what a cookie is, is as a browser has it."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def send(self, method: str, target: str, form: Mapping[str, str] | None = None, **headers: str) -> dict[str, Any]:
        at = urlsplit(target)
        body = None if form is None else b64encode(urlencode(form).encode()).decode()
        sent = {"host": HOST, **({} if form is None else {"content-type": "application/x-www-form-urlencoded"})}
        answer = handler.handle(
            {
                "version": "2.0", "rawPath": at.path, "rawQueryString": at.query, "body": body,
                "isBase64Encoded": body is not None, "headers": {**sent, **headers},
                "cookies": [f"{name}={text}" for name, text in self.cookies.items()],
                "requestContext": {"requestId": "a-gateway-request", "http": {"method": method, "path": at.path}},
            },
            Context(),  # type: ignore[arg-type] # what the handler reads of it
        )  # fmt: skip
        for text in answer["cookies"]:
            for name, one in SimpleCookie(text).items():
                self.cookies[name] = one.value
        self.cookies = {name: text for name, text in self.cookies.items() if text}
        json.dumps(answer)
        return answer


class Answered:
    """An answer of the handler as the reader of forms takes it."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.text = answer["body"]


@pytest.fixture
def provider(waiting: World, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The function over a world in memory, a table of moto's and a provider of logins."""
    world = waiting.copy()
    found = FakeProvider(lambda: world.now)
    sessions, door = LoginSessions(DynamoSessions(dynamodb, TABLE)), WorldDoor(world)
    entry = LoginEntry(
        PLACE, Login(OF_PROVIDER, found, FakeSecret()), sessions, lambda: door, lambda: world.now,
        handler._invocation.seconds_left,
    )  # fmt: skip
    console = Console(PLACE, entry, lambda: world.now, handler._reported)
    monkeypatch.setattr(handler, "_composed", lambda: console)
    return found


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    written = StringIO()
    for one in handler.logger._logger.handlers:
        monkeypatch.setattr(one, "stream", written)
    return written


def signed_in(provider: FakeProvider) -> Visitor:
    visitor = Visitor()
    begun = visitor.send("GET", f"{ROOT}/login?to=/plan/net-outage/1")
    back = provider.visited(begun["headers"]["location"])
    assert visitor.send("GET", f"{ROOT}/callback?{urlencode(back)}")["statusCode"] == 200
    return visitor


def test_a_person_logs_in_reads_a_plan_and_leaves(provider: FakeProvider, log: StringIO) -> None:
    assert Visitor().send("GET", PLAN)["statusCode"] == 401
    visitor = signed_in(provider)
    assert set(visitor.cookies) == {PLACE.cookie}
    shown = visitor.send("GET", PLAN)
    assert shown["statusCode"] == 200
    assert shown["headers"]["content-type"].startswith("text/html")
    assert "default-src 'none'" in shown["headers"]["content-security-policy"]
    style = visitor.send("GET", f"{ROOT}/static/console.css")
    assert (style["statusCode"], style["headers"]["content-type"]) == (200, "text/css; charset=utf-8")
    form = forms(Answered(shown))[f"{ROOT}/end"]  # type: ignore[arg-type] # it has a text, as a response has
    session = dict(visitor.cookies)
    assert visitor.send("POST", f"{ROOT}/end", form, origin=ORIGIN)["statusCode"] == 200
    assert visitor.cookies == {}
    visitor.cookies = session
    assert visitor.send("GET", PLAN)["statusCode"] == 401
    for told in ("net-outage", "anna", *session.values()):
        assert told not in log.getvalue()


def test_a_gateway_that_has_cookies_in_their_header_alone_is_understood(provider: FakeProvider) -> None:
    visitor = signed_in(provider)
    without: dict[str, Any] = {}
    for given, status in ((without, 200), ({"cookies": []}, 401)):
        request: dict[str, Any] = {
            "rawPath": PLAN, "headers": {"host": HOST, "cookie": f"{PLACE.cookie}={visitor.cookies[PLACE.cookie]}"},
            "requestContext": {"http": {"method": "GET"}}, **given,
        }  # fmt: skip
        assert handler.handle(request, Context())["statusCode"] == status  # type: ignore[arg-type] # what it reads


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", PLAN, {"host": "evil.example"}, 421),
        ("POST", f"{PLAN}/approve", {}, 403),
        ("POST", f"{PLAN}/approve", {"origin": "https://evil.example"}, 403),
        ("GET", f"{ROOT}/plan/net-outage/1\x00", {}, 422),
        ("GET", f"{ROOT}/plan/é/1", {}, 422),
        ("GET", f"{ROOT}/plan/../1", {}, 422),
        ("GET", "/v1/halt/current", {}, 404),
        ("BREW", PLAN, {}, 405),
    ],
)
def test_a_request_that_no_page_of_the_console_makes_is_answered_without_doing_anything(
    provider: FakeProvider, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    visitor = signed_in(provider)
    form = {"form_token": "x"} if method == "POST" else None
    answer = visitor.send(method, path, form, **headers)
    assert answer["statusCode"] == status
    assert answer["headers"]["cache-control"] == "no-store"


def test_a_fault_is_a_page_and_logged_without_content(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    visitor = signed_in(provider)

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("canary-4711")

    monkeypatch.setattr(LoginEntry, "kulanz", fails)
    answer = visitor.send("GET", PLAN)
    assert answer["statusCode"] == 500
    assert "canary" not in answer["body"] + log.getvalue()
    assert "RuntimeError" in log.getvalue()


# What is kept


def test_a_session_is_kept_changed_and_ended(dynamodb: Any) -> None:
    store = DynamoSessions(dynamodb, TABLE)
    store.put(KEPT)
    assert store.get(KEPT.key) == KEPT
    item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": KEPT.key}})["Item"]
    assert int(item["ttl"]["N"]) == int(KEPT.ends_at.timestamp())
    other = KeptSession(KEPT.key, "login:https://x#other", (), KEPT.ends_at + timedelta(days=1), "en", "")
    store.change(other)
    changed = store.get(KEPT.key)
    assert changed == KeptSession(KEPT.key, KEPT.person, KEPT.roles, KEPT.ends_at, "en", "", KEPT.name)
    store.delete(KEPT.key)
    store.change(other)
    assert store.get(KEPT.key) is None, "a change does not bring back what was ended"


def test_a_session_that_an_earlier_release_kept_has_no_name(dynamodb: Any) -> None:
    store = DynamoSessions(dynamodb, TABLE)
    store.put(KEPT)
    dynamodb.update_item(
        TableName=TABLE, Key={"pk": {"S": KEPT.key}}, UpdateExpression="REMOVE #name",
        ExpressionAttributeNames={"#name": "name"},
    )  # fmt: skip
    assert store.get(KEPT.key) == replace(KEPT, name="")


def test_a_session_is_never_put_over_another(dynamodb: Any) -> None:
    store = DynamoSessions(dynamodb, TABLE)
    store.put(KEPT)
    with pytest.raises(Exception, match="ConditionalCheckFailed"):
        store.put(KEPT)


def test_the_secret_is_read_once_in_five_minutes() -> None:
    now = [0.0]
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-central-1")
        client.create_secret(Name="console", SecretString="first")
        secret = ManagedSecret(lambda: client, "console", lambda: now[0])
        assert secret.current() == "first"
        client.put_secret_value(SecretId="console", SecretString="second")
        assert secret.current() == "first"
        now[0] = kept.SECRET_CACHED_SECONDS
        assert secret.current() == "second"


# The provider over the network


class Wire:
    """A connection that answers what a test says, and keeps what was sent."""

    sent: list[tuple[Any, ...]]

    def __init__(self, status: int, text: bytes | Exception) -> None:
        self.status, self._text, self.sent = status, text, []

    def __call__(self, host: str, port: int | None, **settings: Any) -> "Wire":
        assert settings["timeout"] == kept.SECONDS_MOST
        assert settings["context"].check_hostname
        self.sent.append((host, port))
        return self

    def request(self, *asked: Any) -> None:
        self.sent.append(asked)
        if isinstance(self._text, Exception):
            raise self._text

    def getresponse(self) -> "Wire":
        return self

    def read(self, most: int) -> bytes:
        assert isinstance(self._text, bytes)
        return self._text[:most]

    def close(self) -> None:
        """Nothing is open."""


def wired(monkeypatch: pytest.MonkeyPatch, status: int, text: bytes | Exception) -> Wire:
    wire = Wire(status, text)
    monkeypatch.setattr(kept, "HTTPSConnection", wire)
    return wire


def test_the_provider_is_asked_by_https_with_the_secret_as_basic_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = wired(monkeypatch, 200, b'{"id_token": "a"}')
    answer = HttpsProvider().send("https://login.example:8443/token?x=1", {"code": "a b"}, "id", "s:e/t")
    assert answer == {"id_token": "a"}
    assert wire.sent[0] == ("login.example", 8443)
    method, path, body, headers = wire.sent[1]
    assert (method, path, parse_qsl(body)) == ("POST", "/token?x=1", [("code", "a b")])
    assert headers["Authorization"] == "Basic " + b64encode(b"id:s%3Ae%2Ft").decode()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, b"{}"), (302, b"{}"), (404, b"{}"), (200, b"[]"), (200, b"no"),
        (200, b'{"a": "' + b"a" * 300_000 + b'"}'),
        (200, OSError("canary")), (200, TimeoutError("canary")),
    ],
)  # fmt: skip
def test_whatever_is_no_answer_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch, status: int, text: bytes | Exception
) -> None:
    wired(monkeypatch, status, text)
    with pytest.raises(NoAnswer) as problem:
        HttpsProvider().read("https://login.example/keys")
    assert "canary" not in str(problem.value)


def test_a_code_that_is_refused_is_no_fault_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, 400, b'{"error": "invalid_grant"}')
    assert HttpsProvider().send("https://login.example/token", {}, "id", "s") is None


@pytest.mark.parametrize("url", ["http://login.example/keys", "file:///etc/passwd", "https://"])
def test_nothing_but_https_is_opened(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    wire = wired(monkeypatch, 200, b"{}")
    with pytest.raises(NoAnswer):
        HttpsProvider().read(url)
    assert wire.sent == []


# Settings

SETTINGS = {
    "CONSOLE_HOST": "api.example", "CONSOLE_ISSUER": ISSUER, "CONSOLE_CLIENT_ID": "id", "CONSOLE_SECRET": "arn:secret",
    "CONSOLE_GROUPS_CLAIM": "groups", "CONSOLE_SCOPE": "openid", "SESSIONS_TABLE": "t", "STACK_NAME": "kulanz",
    "CONSOLE_GROUPS": '{"approver": ["leads", "all"], "support": ["care", "all"]}',
}  # fmt: skip


def own(values: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the API's function does not have."""
    others = {one.name for one in fields(ConsoleConfig)} - {one.name for one in fields(ApiConfig)}
    return {name: ConsoleConfig.settings[name](Environment(values)) for name in sorted(others)}


def test_groups_have_the_roles_that_name_them() -> None:
    found = read_groups(own(SETTINGS)["console_groups"])
    both = frozenset({Role.APPROVER, Role.SUPPORT})
    assert found == {
        "leads": frozenset({Role.APPROVER}), "care": frozenset({Role.SUPPORT}), "all": both
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CONSOLE_ISSUER", "http://login.example"), ("CONSOLE_ISSUER", "https://login.example/?a=b"),
        ("CONSOLE_ISSUER", ""), ("CONSOLE_HOST", "https://api.example"), ("CONSOLE_HOST", "api.example/console"),
        ("CONSOLE_GROUPS", "{}"), ("CONSOLE_GROUPS", '{"king": ["a"]}'), ("CONSOLE_GROUPS", '{"support": "a"}'),
        ("CONSOLE_GROUPS", '{"support": [""]}'), ("CONSOLE_GROUPS", "support=a"), ("CONSOLE_GROUPS", '{"support": []}'),
        ("CONSOLE_GROUPS", '{"support": ["a"], "support": ["b"]}'), ("CONSOLE_SCOPE", "profile"),
    ],
)  # fmt: skip
def test_a_setting_that_would_let_the_wrong_ones_in_is_refused(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=name):
        handler._groups(SimpleNamespace(**own({**SETTINGS, name: text})))  # type: ignore[arg-type] # it reads one


def test_a_table_that_does_not_answer_can_be_asked_again(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in(provider)

    def fails(*_: Any) -> Any:
        raise TryAgain("GetItem: canary")

    monkeypatch.setattr(DynamoSessions, "get", fails)
    answer = visitor.send("GET", PLAN)
    assert answer["statusCode"] == 503
