"""What the console's function keeps, for how long, and what it takes as an answer: at each edge."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.wrappers import Response

from kulanz_console.hosted.login import NoAnswer
from serve_console import handler, kept
from serve_console.kept import ANSWER_BYTES, SECRET_CACHED_SECONDS, HttpsProvider, ManagedSecret


def test_a_secret_is_read_again_when_its_time_is_up_by_one_client() -> None:
    now = [7_000.0]
    made: list[Any] = []

    def make() -> Any:
        made.append(SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": f"{SecretId} at {now[0]}"}))  # noqa: N803
        return made[-1]

    secret = ManagedSecret(make, "console", lambda: now[0])
    assert made == []
    assert secret.current() == "console at 7000.0"
    now[0] += SECRET_CACHED_SECONDS - 0.5
    assert secret.current() == "console at 7000.0"
    now[0] += 0.5
    assert secret.current() == f"console at {now[0]}"
    assert len(made) == 1


class Wire:
    """A connection that answers what a test says."""

    def __init__(self, status: int, text: bytes) -> None:
        self.status, self._text = status, text
        self.asked: list[Any] = []
        self.is_closed = False

    def __call__(self, host: str, port: int | None, **settings: Any) -> "Wire":
        self.asked.append((host, port, settings["context"]))
        return self

    def request(self, *asked: Any) -> None:
        self.asked.append(asked)

    def getresponse(self) -> "Wire":
        return self

    def read(self, most: int) -> bytes:
        assert most == ANSWER_BYTES + 1
        return self._text[:most]

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_an_answer_of_the_provider_has_at_most_so_many_bytes_and_every_connection_is_closed(
    monkeypatch: pytest.MonkeyPatch, more: int, is_taken: bool
) -> None:
    wire = Wire(200, b'{"a": "' + b"x" * (ANSWER_BYTES - len('{"a": ""}') + more) + b'"}')
    monkeypatch.setattr(kept, "HTTPSConnection", wire)
    context: Any = object()
    if is_taken:
        assert "a" in HttpsProvider(context).read("https://login.example")
    else:
        with pytest.raises(NoAnswer):
            HttpsProvider(context).read("https://login.example")
    assert wire.asked[0] == ("login.example", None, context)
    assert wire.asked[1][:3] == ("GET", "/", None)
    assert wire.is_closed


@pytest.mark.parametrize(
    ("status", "came_to"), [(200, {}), (399, NoAnswer), (400, None), (499, None), (500, NoAnswer), (201, NoAnswer)]
)
def test_what_is_sent_is_taken_refused_or_to_be_tried_again_by_its_status(
    monkeypatch: pytest.MonkeyPatch, status: int, came_to: Any
) -> None:
    wire = Wire(status, b"{}")
    monkeypatch.setattr(kept, "HTTPSConnection", wire)
    if came_to is NoAnswer:
        with pytest.raises(NoAnswer, match=str(status)):
            HttpsProvider().send("https://login.example/token", {"a": "b"}, "", "secret")
    else:
        assert HttpsProvider().send("https://login.example/token", {"a": "b"}, "", "secret") == came_to
    headers = wire.asked[1][3]
    assert "Authorization" not in headers
    assert (headers["Accept"], headers["Content-Type"]) == ("application/json", "application/x-www-form-urlencoded")


def test_a_request_ends_when_its_invocation_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [500.0]
    monkeypatch.setattr(handler, "time", SimpleNamespace(monotonic=lambda: now[0]))
    left: list[float] = []

    class Answer:
        """An answer of a page."""

        status_code = 200

        def get_data(self, *, as_text: bool) -> str:
            assert as_text
            return "page"

    class Headers(list[tuple[str, str]]):
        """Headers as the library has them."""

        def getlist(self, name: str) -> list[str]:
            return [text for key, text in self if key == name]

    def answered(*_: object) -> Any:
        now[0] += 2.0
        left.append(handler._invocation.seconds_left())
        answer: Any = Answer()
        answer.headers = Headers([("Content-Type", "text/html"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return answer

    monkeypatch.setattr(handler, "_composed", lambda: None)
    monkeypatch.setattr(Response, "from_app", answered)
    logged: list[Any] = []
    monkeypatch.setattr(handler.logger, "info", lambda text, **fields: logged.append((text, fields)))
    context: Any = SimpleNamespace(
        function_name="serve_console", function_version="1", memory_limit_in_mb=512, invoked_function_arn="arn",
        aws_request_id="r", get_remaining_time_in_millis=lambda: 29_000,
    )  # fmt: skip
    for gateway in ({"requestContext": {"requestId": "g-1"}}, {"requestContext": None}):
        found = handler.handle(gateway, context)
        assert found == {
            "statusCode": 200, "headers": {"content-type": "text/html"}, "cookies": ["a=1", "b=2"], "body": "page",
            "isBase64Encoded": False,
        }  # fmt: skip
    assert left == [27.0, 27.0]
    assert [fields["gateway_request"] for _, fields in logged] == ["g-1", ""]
    assert [fields["status"] for _, fields in logged] == [200, 200]


def test_a_request_is_handed_on_each_part_for_what_it_is_and_nothing_where_it_has_none() -> None:
    body = "a=Störung"
    event = {
        "requestContext": {"http": {"method": "POST"}}, "rawPath": "/console/ä", "rawQueryString": "to=/x",
        "headers": {"Host": "console.example", "Content-Type": "text/x", "Content-Length": "999", "X-Of-Its-Own": "1"},
        "cookies": ["a=1", "b=2"], "body": b64encode(body.encode()).decode(), "isBase64Encoded": True,
    }  # fmt: skip
    found = handler._environ(event)
    expected = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/console/ä".encode().decode("latin-1"), "QUERY_STRING": "to=/x",
        "CONTENT_TYPE": "text/x", "CONTENT_LENGTH": str(len(body.encode())), "SERVER_NAME": "console.example",
        "HTTP_HOST": "console.example", "HTTP_X_OF_ITS_OWN": "1", "HTTP_COOKIE": "a=1; b=2", "wsgi.url_scheme": "https",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert found["wsgi.input"].read() == body.encode()
    assert "HTTP_CONTENT_LENGTH" not in found
    names = ("requestContext", "headers", "cookies", "body")
    for empty in ({}, dict.fromkeys(names), {"requestContext": {"http": None}}):
        bare = handler._environ(empty)
        assert (bare["REQUEST_METHOD"], bare["CONTENT_LENGTH"], bare["SERVER_NAME"]) == ("GET", "0", "")
    assert handler._environ({"headers": {"Cookie": "c=3"}})["HTTP_COOKIE"] == "c=3"
    assert handler._environ({"headers": {"Cookie": "c=3"}, "cookies": []})["HTTP_COOKIE"] == ""
