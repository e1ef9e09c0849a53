"""The handler of deliveries: what its sender is answered, and that no secret, path or body gets into its log."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.drafts.receive_delivery import Delivered, Received
from kulanz.application.ports import TryAgain
from kulanz_local.invoke import EVENTS, filled
from receive_incidents import handler
from tests.support.fake_drafts import FakeBodies
from tests.unit.application.drafts.test_receiving import IN_PATH, Receiver

CANARY = "canary-4711"


CONTEXT: Any = SimpleNamespace(
    function_name="receive_incidents",
    function_version="$LATEST",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:receive",
    aws_request_id="a-request",
)
"""What Lambda tells a handler."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    made = Receiver()
    monkeypatch.setattr(handler, "_composed", lambda: made.ports)
    return made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    written = StringIO()
    for one in handler.logger._logger.handlers:
        monkeypatch.setattr(one, "stream", written)
    return written


def request(secret: str = IN_PATH, source: str = "page", **changes: Any) -> dict[str, Any]:
    known = {"secret": secret, "account of the stack": "123456789012", "delivery body": f'{{"note": "{CANARY}"}}'}
    made: dict[str, Any] = filled(json.loads((EVENTS / "receive_incidents-statuspage.json").read_text()), known)
    made["pathParameters"]["source"] = source
    return made | changes


def answered(event: dict[str, Any]) -> tuple[int, str]:
    answer = handler.handle(event, CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])["message"]


def test_a_delivery_is_answered_202_and_its_bytes_are_kept(receiver: Receiver) -> None:
    raw = b"\xff\xfe not text"
    assert answered(request()) == (202, "received")
    assert answered(request(body=b64encode(raw).decode(), isBase64Encoded=True)) == (202, "received")
    assert list(receiver.bodies.kept.values()) == [f'{{"note": "{CANARY}"}}'.encode(), raw]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (request("wrong"), 401),
        (request(source="nobody"), 401),
        (request(pathParameters=None), 401),
        (request(headers=None), 202),
        (request(body=None), 202),
        (request(body="x" * (1024 * 1024 + 1)), 413),
    ],
)
def test_what_is_refused_says_why_and_what_is_authentic_is_taken(
    receiver: Receiver, event: dict[str, Any], status: int
) -> None:
    assert answered(event)[0] == status
    assert len(receiver.queue.sent) == (status == 202)


def failing(error: Exception) -> Callable[..., str]:
    def put(*_: Any) -> str:
        raise error

    return put


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize("error", [TryAgain("PutObject: SlowDown"), ValueError(CANARY), MemoryError()])
def test_what_could_not_be_kept_is_sent_again(monkeypatch: pytest.MonkeyPatch, log: StringIO, error: Exception) -> None:
    monkeypatch.setattr(FakeBodies, "put", failing(error))
    assert answered(request()) == (503, "not kept; send it again")
    assert CANARY not in log.getvalue()
    assert "test_receive_incidents.py" in log.getvalue()


@pytest.mark.usefixtures("receiver")
def test_the_log_holds_no_secret_path_or_body(log: StringIO) -> None:
    for event in (request(), request("wrong-secret-in-path"), request(source="nobody")):
        handler.handle(event, CONTEXT)
    for word in (IN_PATH, "wrong-secret-in-path", CANARY, "/v1/sources", "nobody"):
        assert word not in log.getvalue()
    assert "NOT_AUTHENTIC" in log.getvalue()


def test_each_part_of_a_request_is_taken_for_what_it_is_and_headers_by_their_names_in_lower_case(
    monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    taken: list[Any] = []

    def receive(*said: Any) -> Received:
        taken.append(said)
        return Received.NOT_AUTHENTIC

    monkeypatch.setattr(handler, "_composed", lambda: "ports")
    monkeypatch.setattr(handler, "receive_delivery", receive)
    event = {
        "pathParameters": {"source": "page", "secret": "in-path"},
        "headers": {"X-PagerDuty-Signature": "v1=Ab", "content-type": "application/JSON"},
        "body": "h\u00e9 \ud800",
    }
    assert handler.handle(event, CONTEXT) == {
        "statusCode": 401,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps({"message": "the signature or the secret is not one of this source's"}),
        "isBase64Encoded": False,
    }
    ((delivered, ports, now),) = taken
    headers = {"x-pagerduty-signature": "v1=Ab", "content-type": "application/JSON"}
    assert delivered == Delivered("page", "in-path", headers, "h\u00e9 \ud800".encode("utf-8", "surrogatepass"))
    assert (ports, now.utcoffset()) == ("ports", timedelta(0))
    (line,) = (json.loads(one) for one in log.getvalue().splitlines())
    assert (line["message"], line["became"]) == ("delivery", "NOT_AUTHENTIC")
