"""The handler of the API: who asks is whom the gateway verified; whatever fails is an answer without content."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO, StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from api import handler
from kulanz.application.door.serve import Reply, Request
from kulanz.config.environment import SettingError
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.incident_record import decision_digest
from kulanz.domain.people.people import people_json
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.world_door import WorldDoor
from tests.support.world_steps import Function, Step

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


class PublishedPeople:
    """S3 as the API's function asks it for the people file: one version, in which two ids are one human's."""

    KEY = "policies/_people/00001.json"

    def list_objects_v2(self, **asked: str) -> dict[str, Any]:
        assert asked["Bucket"] == "the-bucket"
        return {"Contents": [{"Key": self.KEY}] if self.KEY.startswith(asked["Prefix"]) else []}

    def get_object(self, **asked: str) -> dict[str, Any]:
        assert asked == {"Bucket": "the-bucket", "Key": self.KEY}
        persons = {
            "anna": {"ids": [f"iam:arn:aws:iam::{ACCOUNT}:user/anna", "sso:anna"]},
            "bert": {"ids": ["sso:bert"]},
        }
        return {"Body": BytesIO(people_json({"kulanz_people": 1, "version": 1, "persons": persons}))}


ROLE = "AROA" + "A" * 17


def session(name: str) -> Mapping[str, Any]:
    """An identity of IAM Identity Center."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_admins_1/{name}"
    return {**ANNA, "userArn": arn, "userId": f"{ROLE}:{name}", "callerId": f"{ROLE}:{name}"}


HALT, APPROVE = "PUT /v1/halt/{id}", "PUT /v1/approvals/{incident}/{seq}/{id}"


@pytest.fixture
def deployed(door: OpenedDoor, monkeypatch: pytest.MonkeyPatch) -> OpenedDoor:
    """The door whose people are those that the deployed function reads, from S3."""
    config: Any = SimpleNamespace(
        account_id=ACCOUNT, person_roles=frozenset({ROLE}), list_bucket="the-bucket", policy_prefix="policies/"
    )
    monkeypatch.setattr(handler, "datetime", SimpleNamespace(now=lambda _: door.world.now))
    monkeypatch.setattr(handler, "client", lambda name: {"s3": PublishedPeople()}[name])
    door.config, door.people = config, handler.Deployed(config).people
    return door


@pytest.mark.usefixtures("deployed")
def test_a_halt_is_lifted_by_two_persons_of_the_published_people_file() -> None:
    def act(action: str, number: int, iam: Mapping[str, Any]) -> tuple[int, Any]:
        body = json.dumps({"action": action, "reason": "so"})
        return handled(gateway_event(HALT, f"/v1/halt/act-{number}", iam=iam, body=body))

    assert act("set", 1, ANNA)[0] == 200
    assert act("lift", 2, ANNA)[1]["halted"] is True
    assert act("lift", 3, session("anna"))[1]["reason"] == "second_person_needed"
    assert act("lift", 4, session("bert"))[1]["halted"] is False


def test_a_plan_is_approved_by_two_persons_of_the_published_people_file(deployed: OpenedDoor) -> None:
    world = deployed.world
    world.approvers = ()
    world.run_until_quiet()
    plan = world.campaigns.filed_plan(world.campaign(CAMPAIGN).id)
    assert plan is not None

    def approve(number: int, iam: Mapping[str, Any]) -> tuple[int, Any]:
        limits = [one.name for one in plan.exceeded]
        body = json.dumps({"action": "approve", "plan_hash": plan.hash, "limits": limits})
        return handled(gateway_event(APPROVE, f"/v1/approvals/{CAMPAIGN}/yes-{number}", iam=iam, body=body))

    assert approve(1, ANNA)[1]["state"] == "awaiting_approval"
    assert approve(2, session("anna"))[1]["reason"] == "approved_before"
    assert approve(3, session("bert"))[1]["state"] == "applying"


def amended_execution(door: OpenedDoor) -> Callable[[int, Mapping[str, Any]], tuple[int, Any]]:
    """An execution that Anna requested, paused by an amendment; what lets it go on, by number and identity."""
    world, campaign_id = door.world, CampaignId.parse(CAMPAIGN)
    while world.campaign(CAMPAIGN).state is not State.APPLYING:
        world.run(world.steps()[0])
    known = world.campaigns._campaigns[campaign_id]
    known.campaign = replace(known.campaign, opened_by=f"iam:arn:aws:iam::{ACCOUNT}:user/anna")
    world.publish(event(rows=1, detail_type="Incident Amended", revision=2, campaign=..., cause="storm"))
    world.run(Step(Function.OPEN, len(world.events) - 1))
    digest = decision_digest(world.campaigns.revisions(INCIDENT_ID)[-1].content)

    def resume(number: int, iam: Mapping[str, Any]) -> tuple[int, Any]:
        body = json.dumps({"action": "resume", "reason": "as it is", "decides_by": digest})
        return handled(gateway_event(STOP, f"/v1/stops/{CAMPAIGN}/go-{number}", iam=iam, body=body))

    return resume


def test_an_amended_execution_goes_on_by_another_person_of_the_published_people_file(deployed: OpenedDoor) -> None:
    resume = amended_execution(deployed)
    machine = {**ANNA, "userArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/bert"}
    status, problem = resume(1, machine)
    assert (status, problem["type"]) == (403, "urn:kulanz:problem:person-needed")
    status, problem = resume(2, session("anna"))
    assert (status, "another person" in problem["detail"]) == (409, True)
    assert resume(3, session("bert"))[1]["state"] == "applying"


def test_a_lone_operator_lets_an_amended_execution_go_on(deployed: OpenedDoor) -> None:
    resume = amended_execution(deployed)
    assert resume(1, ANNA)[0] == 409
    deployed.gate = replace(deployed.gate, lone_operator=True)
    assert resume(2, ANNA)[1]["state"] == "applying"


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


@pytest.mark.parametrize("letter", ["a", "\u00fc", "\u20ac"])
def test_an_answer_is_measured_in_the_bytes_that_lambda_hands_back(letter: str) -> None:
    around, width = len(json.dumps({"text": ""}, separators=(",", ":"))), len(letter.encode())
    fits = letter * ((handler.ANSWER_BYTES - around) // width)
    assert handler._answer(Reply(200, {"text": fits}))["statusCode"] == 200
    too_large = handler._answer(Reply(200, {"text": f"{fits}{letter}"}))
    assert (too_large["statusCode"], len(too_large["body"]) < 1_000) == (422, True)


@pytest.mark.parametrize("is_encoded", [False, True])
def test_a_request_is_handed_on_as_the_gateway_has_it_each_part_for_what_it_is(is_encoded: bool) -> None:
    body = '{"reason": "Störung"}'
    sent = {
        "rawPath": "/v1/a%20b", "queryStringParameters": {"cursor": "c"},
        "headers": {"content-type": "application/json"},
        "body": b64encode(body.encode()).decode() if is_encoded else body, "isBase64Encoded": is_encoded,
    }  # fmt: skip
    found = handler._request(sent, {"routeKey": "PUT /v1/{a}"})
    assert found == Request("PUT /v1/{a}", "/v1/a%20b", {"cursor": "c"}, body.encode(), "application/json")
    nothing = dict.fromkeys(sent)
    for empty in ({}, nothing | {"rawPath": ""}):
        assert handler._request(empty, {}) == Request("", "", {}, b"", "")


@pytest.mark.parametrize(("more", "is_whole"), [(0, True), (1, False)])
def test_an_answer_has_at_most_so_many_bytes_and_says_its_status_type_and_headers(more: int, is_whole: bool) -> None:
    content = {"a": "x" * (handler.ANSWER_BYTES - len('{"a":""}') + more)}
    found = handler._answer(Reply(201, content, "text/of-its-own", {"Retry-After": "2"}))
    assert found["statusCode"] == (201 if is_whole else 422)
    assert (len(found["body"]) == handler.ANSWER_BYTES) is is_whole
    if is_whole:
        assert found["headers"] == {
            "content-type": "text/of-its-own", "cache-control": "no-store", "Retry-After": "2",
        }  # fmt: skip
    assert found["headers"]["cache-control"] == "no-store"
    assert found["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("route_key", "named"), [(ONE, ONE), (f"GET /v1/{CANARY}", ""), ("$default", ""), (ONE.lower(), "")]
)
@pytest.mark.parametrize("iam", [ANNA, None])
@pytest.mark.usefixtures("door")
def test_the_log_names_the_routes_that_there_are_and_nothing_else_that_was_asked(
    route_key: str, named: str, iam: Mapping[str, Any] | None, log: StringIO
) -> None:
    handled(gateway_event(route_key, f"/v1/{CANARY}", iam=iam))
    (line,) = (json.loads(one) for one in log.getvalue().splitlines())
    assert (line["route"], line["gateway_request"]) == (named, "a-gateway-request")
    assert CANARY not in log.getvalue()
