"""The handler of the API: who asks is whom the gateway verified; whatever fails is an answer without content."""

import json
from base64 import b64encode
from collections.abc import Mapping
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from api import handler
from kulanz.config import SettingError
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_door import WorldDoor

ACCOUNT = "123456789012"
ANNA = {
    "accessKey": "AKIAEXAMPLE", "accountId": ACCOUNT, "callerId": "AIDAEXAMPLE", "userId": "AIDAEXAMPLE",
    "userArn": f"arn:aws:iam::{ACCOUNT}:user/anna", "principalOrgId": None, "cognitoIdentity": None,
}  # fmt: skip
CANARY = "canary-4711"


class Context:
    """What Lambda tells a handler."""

    function_name, function_version, memory_limit_in_mb = "api", "$LATEST", 1769
    invoked_function_arn, aws_request_id = "arn:api", "a-request"

    def get_remaining_time_in_millis(self) -> int:
        return 25_000


class OpenedDoor(WorldDoor):
    """The world's door with the settings of a function."""

    config: Any = SimpleNamespace(account_id=ACCOUNT, person_roles=frozenset())


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> OpenedDoor:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    opened = OpenedDoor(world)
    monkeypatch.setattr(handler, "_composed", lambda: opened)
    return opened


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the handler logs."""
    written = StringIO()
    for one in handler.logger._logger.handlers:
        monkeypatch.setattr(one, "stream", written)
    return written


def gateway_event(
    route_key: str, path: str, *, iam: Mapping[str, Any] | None = ANNA, body: str | None = None, **changes: Any
) -> dict[str, Any]:
    """A request as an HTTP API hands it on, payload 2.0."""
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example"},
        "requestContext": {
            "accountId": ACCOUNT,
            "routeKey": route_key,
            "requestId": "a-gateway-request",
            "http": {"method": route_key.partition(" ")[0], "path": path},
            **({} if iam is None else {"authorizer": {"iam": dict(iam)}}),
        },
        "isBase64Encoded": False,
        **({} if body is None else {"body": body}),
    }
    return made | changes


STOP = "PUT /v1/stops/{incident}/{seq}/{id}"
ONE = "GET /v1/campaigns/one/{incident}/{seq}"


def handled(made: dict[str, Any]) -> tuple[int, Any]:
    reply = handler.handle(made, Context())  # type: ignore[arg-type]
    assert reply["headers"]["cache-control"] == "no-store"
    return reply["statusCode"], json.loads(reply["body"])


@pytest.mark.usefixtures("door")
def test_a_question_is_answered() -> None:
    status, content = handled(gateway_event(ONE, f"/v1/campaigns/one/{CAMPAIGN}"))
    assert (status, content["campaign"]) == (200, CAMPAIGN)


def test_a_stop_is_done_by_the_person_whom_the_gateway_verified(door: OpenedDoor) -> None:
    body = json.dumps({"action": "pause", "reason": "why"})
    forged = {"headers": {"content-type": "application/json", "x-amzn-iam-user-arn": "arn:aws:iam::1:user/eve"}}
    status, _ = handled(gateway_event(STOP, f"/v1/stops/{CAMPAIGN}/stop-1", body=body, **forged))
    assert status == 200
    last = door.campaigns.log(door.world.campaign(CAMPAIGN).id)[-1]
    assert last.cause.actor == f"iam:arn:aws:iam::{ACCOUNT}:user/anna"


@pytest.mark.usefixtures("door")
def test_a_body_in_base64_is_the_same_body() -> None:
    body = b64encode(json.dumps({"action": "pause", "reason": "why"}).encode()).decode()
    made = gateway_event(STOP, f"/v1/stops/{CAMPAIGN}/stop-1", body=body, isBase64Encoded=True)
    assert handled(made)[1]["state"] == "paused"


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    "iam",
    [
        None,
        {},
        {**ANNA, "accountId": "999999999999"},
        {**ANNA, "userArn": "arn:aws:iam::999999999999:user/anna"},
        {**ANNA, "userArn": CANARY},
        {**ANNA, "userArn": None},
    ],
)
def test_an_identity_that_iam_does_not_give_gets_nothing(iam: Mapping[str, Any] | None, log: StringIO) -> None:
    made = gateway_event(ONE, f"/v1/campaigns/one/{CAMPAIGN}", iam=iam)
    status, content = handled(made)
    assert (status, content["type"]) == (404, "urn:kulanz:problem:unknown")
    assert CANARY not in log.getvalue()


def test_what_fails_is_a_problem_and_a_log_line_without_content(
    door: OpenedDoor, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(door.campaigns, "campaign", fail)
    status, content = handled(gateway_event(ONE, f"/v1/campaigns/one/{CAMPAIGN}"))
    assert (status, content["type"]) == (500, "urn:kulanz:problem:failed")
    logged = log.getvalue()
    assert "ValueError" in logged
    assert "a-gateway-request" in logged, "by which the access log and this one are joined"
    assert CANARY not in logged + json.dumps(content)


def test_a_stack_that_is_set_up_wrongly_says_so_in_its_log(monkeypatch: pytest.MonkeyPatch, log: StringIO) -> None:
    def unset() -> None:
        raise SettingError("LIST_BUCKET is not set; deploy the stack's template unchanged")

    monkeypatch.setattr(handler, "_composed", unset)
    assert handled(gateway_event(ONE, f"/v1/campaigns/one/{CAMPAIGN}"))[0] == 500
    assert "LIST_BUCKET" in log.getvalue()


@pytest.mark.usefixtures("door")
def test_an_answer_that_would_not_fit_is_a_problem_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "ANSWER_BYTES", 500)
    status, content = handled(gateway_event(ONE, f"/v1/campaigns/one/{CAMPAIGN}"))
    assert (status, content["type"]) == (422, "urn:kulanz:problem:answer-too-large")


@pytest.mark.usefixtures("door")
def test_the_log_names_no_person_and_no_account(log: StringIO) -> None:
    handled(gateway_event("GET /v1/accounts/{account}", "/v1/accounts/granted-1"))
    logged = log.getvalue()
    assert "GET /v1/accounts/{account}" in logged
    assert "anna" not in logged
    assert "granted-1" not in logged
