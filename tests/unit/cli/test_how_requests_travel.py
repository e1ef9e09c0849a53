"""How requests to the API travel: what is carried, how long is waited, how often it is tried, and who signs."""

from types import SimpleNamespace
from typing import Any

import botocore.httpsession
import pytest
from botocore.exceptions import HTTPClientError

from kulanz_cli.signed import (
    ATTEMPTS,
    CONNECT_TIMEOUT_SECONDS,
    FIRST_WAIT_SECONDS,
    READ_TIMEOUT_SECONDS,
    REPEATED,
    Http,
    NoReply,
    Reply,
    SignedApi,
    SignedRequest,
    Signer,
)

URL = "https://x.execute-api.eu-west-1.amazonaws.com/v1/accounts/account-4711"


class Session:
    """What botocore carries requests with."""

    made: list[dict[str, Any]]

    def __init__(self, **settings: Any) -> None:
        self.made.append(settings)

    def send(self, request: Any) -> Any:
        if request.method == "DELETE":
            raise HTTPClientError(error=ValueError(URL), request=request)
        self.sent = (request.method, request.url, dict(request.headers.items()), request.body)
        return SimpleNamespace(status_code=207, content=repr(self.sent).encode())


@pytest.mark.parametrize("bundle", [None, "", "/etc/bundle.pem"])
def test_a_request_is_carried_as_it_was_signed_by_one_connection_with_bounded_waits(
    bundle: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Session.made = []
    monkeypatch.setattr(botocore.httpsession, "URLLib3Session", Session)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    if bundle is not None:
        monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
    carry = Http()
    for method, body in (("PUT", b'{"a":1}'), ("GET", b"")):
        reply = carry(SignedRequest(method, URL, {"Authorization": "signed"}, body))
        assert reply.status == 207
        for part in (method, URL, "'Authorization': 'signed'", repr(body) if body else method):
            assert part in reply.body.decode()
    ((made),) = Session.made
    assert (made["verify"], made["timeout"]) == (bundle or True, (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))
    assert made["proxies"]["https"] == "http://proxy.example"
    with pytest.raises(NoReply) as problem:
        carry(SignedRequest("DELETE", URL, {}, b""))
    assert str(problem.value) == "HTTPClientError", "an address holds an account's id"


def api(replies: list[Reply | NoReply], waits: list[float], sent: list[Any]) -> SignedApi:
    def transport(request: SignedRequest) -> Reply:
        sent.append((request.method, request.url, request.body))
        reply = replies.pop(0)
        if isinstance(reply, NoReply):
            raise reply
        return reply

    return SignedApi(
        "https://x/", lambda method, url, body: SignedRequest(method, url, {}, body), transport, waits.append
    )


GATEWAY_SECONDS = 30
"""After which the gateway answers by itself."""


def test_the_gateway_answers_before_nobody_waits_any_more_and_all_waits_are_three_seconds() -> None:
    assert CONNECT_TIMEOUT_SECONDS < GATEWAY_SECONDS < READ_TIMEOUT_SECONDS
    assert round(sum(WAITS), 6) == 3
    assert set(REPEATED) == {429, 500, 502, 503, 504}


WAITS = [FIRST_WAIT_SECONDS * 2**number for number in range(ATTEMPTS - 1)]


@pytest.mark.parametrize("bad", [*(Reply(status, b"bad") for status in sorted(REPEATED)), NoReply("cut")])
@pytest.mark.parametrize("times", range(ATTEMPTS + 1))
def test_what_may_go_better_is_tried_so_often_and_each_wait_is_twice_the_one_before(
    times: int, bad: Reply | NoReply
) -> None:
    waits: list[float] = []
    sent: list[Any] = []
    asked = api([bad] * times + [Reply(200, b"good")], waits, sent)
    if times < ATTEMPTS:
        assert asked.put("/a/b", {"c": "ä"}) == Reply(200, b"good")
    elif isinstance(bad, Reply):
        assert asked.put("/a/b", {"c": "ä"}) == bad
    else:
        with pytest.raises(NoReply):
            asked.put("/a/b", {"c": "ä"})
    assert waits == WAITS[:times]
    assert sent == [("PUT", "https://x/a/b", '{"c":"ä"}'.encode())] * min(times + 1, ATTEMPTS)


def test_what_will_be_answered_alike_is_sent_once() -> None:
    for status in {200, 201, 400, 401, 403, 404, 409, 413, 422} - REPEATED:
        waits: list[float] = []
        sent: list[Any] = []
        assert api([Reply(status, b"x")], waits, sent).get("/a", {"q": "1 2", "r": "ä/"}).status == status
        assert (waits, sent) == ([], [("GET", "https://x/a?q=1%202&r=%C3%A4%2F", b"")])
    sent = []
    api([Reply(415, b"")], [], sent).put_nothing("/a")
    api([Reply(200, b"")], [], sent).get("/a")
    assert sent == [("PUT", "https://x/a", b""), ("GET", "https://x/a", b"")]


@pytest.mark.parametrize(
    ("key", "secret", "token", "signs"),
    [
        ("K", "S", "T", "K"), ("K", "S", None, "K"), ("K", "S", "", "K"), ("K", None, None, "other"),
        (None, "S", None, "other"), ("", "S", None, "other"),
    ],
)  # fmt: skip
def test_the_environment_signs_where_it_states_a_key_with_its_secret_and_else_the_shells_session(
    key: str | None, secret: str | None, token: str | None, signs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ACCESS_KEY_ID", key), ("SECRET_ACCESS_KEY", secret), ("SESSION_TOKEN", token)):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
        if value is not None:
            monkeypatch.setenv(f"AWS_{name}", value)
    frozen = SimpleNamespace(access_key="other", secret_key="s", token="t")
    of_session: Any = SimpleNamespace(get_frozen_credentials=lambda: frozen)
    monkeypatch.setattr("kulanz_cli.signed._from_session", lambda _: of_session)
    headers = Signer("eu-west-1").sign("GET", URL, b"").headers
    assert f"Credential={signs}/" in headers["Authorization"]
    assert headers.get("X-Amz-Security-Token") == ("t" if signs == "other" else token or None)
    for signer in (Signer("eu-west-1", "a-profile"), Signer("eu-west-1", None, of_session)):
        assert "Credential=other/" in signer.sign("GET", URL, b"").headers["Authorization"]
