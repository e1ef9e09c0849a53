"""The command's way to the API: every request is signed, bounded and safe to repeat; every refusal is a sentence."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.door.parameters import PARAMETERS
from kulanz.application.door.problems import Kind, Problem
from kulanz.application.door.routes import BY_USE, ROUTES, Route
from kulanz_cli import signed
from kulanz_cli.command import action_id
from kulanz_cli.door import PAGES_MOST, Door, DoorProblem
from kulanz_cli.outcomes import Unusable
from kulanz_cli.signed import ATTEMPTS, REPEATED, NoReply, Reply, SignedApi, SignedRequest, Signer, path_of
from kulanz_cli.stack import Stack, StackOutputs
from tests.support.small_campaign import small_world
from tests.support.world_stack import WorldStack

KEYS = Credentials("AKIDEXAMPLE", "a secret")
LONGEST_WAIT_SECONDS = 5
OK = Reply(200, b'{"v": 1}')
VALUES: dict[str, str | int] = {
    "account": "A-1:2~3", "incident": "net-outage", "seq": 1, "id": "an.id", "queue": "chunks", "policy": "p",
    "version": 2, "revision": 3, "draft": "it-a1-voice",
}  # fmt: skip
"""A value for each parameter of a path."""


class Scripted:
    """A transport that answers from a script; what is no reply is raised."""

    def __init__(self, *replies: Reply | NoReply) -> None:
        self.replies = list(replies)
        self.requests: list[SignedRequest] = []

    def __call__(self, request: SignedRequest) -> Reply:
        self.requests.append(request)
        found = self.replies.pop(0)
        if isinstance(found, NoReply):
            raise found
        return found


def unsigned(method: str, url: str, body: bytes) -> SignedRequest:
    return SignedRequest(method, url, {}, body)


def door(transport: Scripted, waits: list[float] | None = None) -> Door:
    waited = [] if waits is None else waits
    return Door(SignedApi("https://api.example", unsigned, transport, wait=waited.append))


def of(route: Route) -> dict[str, str | int]:
    return {name: VALUES.get(name, "a-value") for name in route.names}


def call(at: Door, route: Route) -> dict[str, Any]:
    """Ask or act, whichever the route is for."""
    return at.ask(route.use, None, **of(route)) if route.method == "GET" else at.act(route.use, {"a": 1}, **of(route))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_every_route_is_reached_by_its_name_and_matches_what_was_sent(route: Route) -> None:
    transport = Scripted(OK)
    assert call(door(transport), route) == {"v": 1}
    (request,) = transport.requests
    found = route.match(unquote(request.url.removeprefix("https://api.example")))
    assert found == {name: str(value) for name, value in of(route).items()}
    assert (request.method, bool(request.body)) == (route.method, route.method == "PUT")


@given(segment=st.text(min_size=1), other=st.text(min_size=1))
def test_no_value_reaches_into_another_segment(segment: str, other: str) -> None:
    parts = path_of("v1", segment, other).split("/")
    assert [unquote(part) for part in parts] == ["", "v1", segment, other]
    assert not set("?#%25 \\") & set(path_of(segment).replace("%", "")) - set("25")


@pytest.mark.parametrize("use", ["campaigns.one", "stops.act"])
@pytest.mark.parametrize(
    "failure", [NoReply("ConnectTimeoutError"), *(Reply(status, b"") for status in sorted(REPEATED))]
)
def test_what_may_be_answered_otherwise_is_sent_again_word_for_word_and_no_further_than_its_bound(
    use: str, failure: Reply | NoReply
) -> None:
    route, waits = BY_USE[use], list[float]()
    transport = Scripted(*[failure] * (ATTEMPTS - 1), OK)
    assert call(door(transport, waits), route) == {"v": 1}
    assert len({(request.url, request.body) for request in transport.requests}) == 1
    assert len(waits) == ATTEMPTS - 1
    assert sum(waits) <= LONGEST_WAIT_SECONDS
    with pytest.raises(DoorProblem, match=r"try again"):
        call(door(Scripted(*[failure] * (ATTEMPTS + 1))), route)


def test_an_action_without_an_answer_may_have_been_done_and_says_so() -> None:
    with pytest.raises(DoorProblem, match="it may have been done; try again: it is done once"):
        call(door(Scripted(*[NoReply("ReadTimeoutError")] * ATTEMPTS)), BY_USE["stops.act"])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_whether_a_role_permits_a_route_is_found_out_without_asking_or_doing_anything(route: Route) -> None:
    world = small_world()
    stack = WorldStack(world)
    assert stack.door().permits(route.use)
    assert stack.served.actions.entries == [], "nothing was kept as an action"
    assert not world.steps(), "nothing is to be done"
    assert not door(Scripted(Reply(403, b'{"message": "Forbidden"}'))).permits(route.use)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, b'{"message": "The security token included in the request is expired"}'),
        Reply(404, b'{"message": "Not Found"}'),
        *(Reply(status, b"") for status in sorted(REPEATED)),
    ],
)
def test_an_answer_that_says_nothing_about_a_role_is_not_taken_for_one(reply: Reply) -> None:
    with pytest.raises(DoorProblem):
        door(Scripted(*[reply] * ATTEMPTS)).permits("approvals.act")


@pytest.mark.parametrize(
    "message", ["Forbidden", "", "User: arn:credential-bot is not authorized to perform: execute-api:Invoke"]
)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_who_lacks_a_role_is_said_which(route: Route, message: str) -> None:
    refused = Reply(403, json.dumps({"message": message}).encode())
    with pytest.raises(DoorProblem) as caught:
        call(door(Scripted(refused)), route)
    assert " or ".join(sorted(route.roles)) in caught.value.message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("The security token included in the request is expired", "have expired"),
        ("Signature expired: 20261129T000000Z is now earlier than 20261129T000500Z", "have expired"),
        ("The security token included in the request is invalid.", "not valid; sign in again"),
        (
            "The request signature we calculated does not match. The Canonical String should have been: a-secret",
            "not valid",
        ),
    ],
)
def test_who_is_not_signed_in_any_more_is_not_said_to_lack_a_role(message: str, says: str) -> None:
    refused = Reply(403, json.dumps({"message": message}).encode())
    with pytest.raises(DoorProblem, match=says) as caught:
        call(door(Scripted(refused)), BY_USE["campaigns.one"])
    assert "role" not in caught.value.message
    assert "a-secret" not in caught.value.message


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.status not in REPEATED])
def test_a_problem_is_its_own_sentence_with_its_reason_and_its_fields(kind: Kind) -> None:
    problem = Problem(kind, "expected this", reason="a_code", errors=[{"field": "reason", "expected": "one line"}])
    with pytest.raises(DoorProblem) as caught:
        call(door(Scripted(Reply(kind.status, json.dumps(problem.content()).encode()))), BY_USE["stops.act"])
    assert (caught.value.kind, caught.value.reason) == (kind, "a_code")
    assert caught.value.message == "expected this; reason: one line"


def test_a_refusal_that_names_its_field_says_its_text_once() -> None:
    problem = Problem(Kind.REQUEST_REFUSED, "no such list", errors=[{"field": "affected", "expected": "no such list"}])
    with pytest.raises(DoorProblem) as caught:
        call(door(Scripted(Reply(422, json.dumps(problem.content()).encode()))), BY_USE["requests.campaign"])
    assert caught.value.message == "affected: no such list"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [(404, b'{"message":"Not Found"}', "no such route"), (429, b"{}", "too many"), (200, b"", "200"),
     (200, b"[]", "200"), (413, b'{"message":"Request Too Long"}', "413"), (301, b"<html>", "301"), (500, b"", "500")],
)  # fmt: skip
def test_what_the_gateway_answers_by_itself_is_one_sentence(status: int, body: bytes, says: str) -> None:
    with pytest.raises(DoorProblem, match=says) as caught:
        call(door(Scripted(*[Reply(status, body)] * ATTEMPTS)), BY_USE["campaigns.one"])
    assert "html" not in caught.value.message
    assert caught.value.kind is None


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("Forbidden", ""),
        ("User: ann is not authorized to perform: execute-api:Invoke", ""),
        ("User is not authorized: the session token expired is no reason here", ""),
        ("Signature expired: 20260301T000000Z is now earlier", "have expired"),
        ("The request has expired", "have expired"),
        ("The security token included in the request is invalid.", "are not valid"),
        ("Credential should be scoped to a valid region", "are not valid"),
    ],
)
def test_only_where_iam_permits_a_route_to_nobody_so_signed_is_its_role_lacking(message: str, says: str) -> None:
    of_gateway = Scripted(Reply(403, json.dumps({"message": message}).encode()))
    if says:
        with pytest.raises(DoorProblem, match=says) as caught:
            door(of_gateway).permits("campaigns.waiting")
        assert not caught.value.is_forbidden
    else:
        assert not door(of_gateway).permits("campaigns.waiting")


def test_every_part_of_a_long_answer_is_asked_for_with_the_cursor_of_the_one_before() -> None:
    parts = [Reply(200, json.dumps({"n": n, "next": f"c{n}" if n < 3 else None}).encode()) for n in (1, 2, 3)]
    transport = Scripted(*parts)
    assert [page["n"] for page in door(transport).pages("campaigns.waiting")] == [1, 2, 3]
    assert [request.url.partition("?")[2] for request in transport.requests] == ["", "cursor=c1", "cursor=c2"]


def test_cursors_that_lead_in_a_circle_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kulanz_cli.door.PAGES_MOST", 5)
    assert PAGES_MOST > 5
    with pytest.raises(DoorProblem, match="more than 5 parts"):
        list(door(Scripted(*[Reply(200, b'{"next": "again"}')] * 6)).pages("campaigns.waiting"))


# The signature

URL = "https://x1.execute-api.eu-central-1.amazonaws.com"


@pytest.mark.parametrize("body", [b"", b'{"a":1}'])
@pytest.mark.parametrize("path", ["/v1/campaigns/open?cursor=a%20b", "/v1/accounts/A-1%3A2~3"])
def test_a_request_is_signed_for_its_region_and_names_no_secret(body: bytes, path: str) -> None:
    found = Signer("eu-central-1", credentials=KEYS).sign("PUT" if body else "GET", URL + path, body)
    signature = found.headers["Authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/execute-api/aws4_request" in signature
    assert "a secret" not in str(found)
    assert (found.url, found.body) == (URL + path, body)


def test_the_credentials_of_the_environment_sign_unless_a_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token")
    headers = Signer("eu-central-1").sign("GET", URL, b"").headers
    assert "AKIDENVIRONMENT" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "a-token"
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(Unusable, match="--profile"):
        Signer("eu-central-1", "no-such-profile").sign("GET", URL, b"")


# Where the API is


def outputs(**changes: str) -> StackOutputs:
    return StackOutputs(**{**{name: name for name in StackOutputs.__dataclass_fields__}, **changes})


def no_client(*_: object, **__: object) -> Any:
    raise AssertionError("the stack is asked")


def base_of(stack: Stack) -> str:
    return stack.door()._api._base


def test_who_is_given_the_apis_address_needs_nothing_else_of_the_stack() -> None:
    stack = Stack("kulanz", api=URL, make_client=no_client)
    assert base_of(stack) == URL
    assert stack._region_of(URL) == "eu-central-1"


def test_the_address_is_an_output_of_the_stack_and_on_an_embedded_aws_a_path_of_it() -> None:
    stack = Stack("kulanz", region="eu-west-1", make_client=no_client)
    stack._outputs = outputs(api_url=URL)
    assert base_of(stack) == URL
    embedded = Stack("kulanz", region="eu-west-1", endpoint_url="http://localhost:4566/", make_client=no_client)
    embedded._outputs = outputs(api_id="x1")
    assert base_of(embedded) == "http://localhost:4566/_aws/execute-api/x1/$default"


@given(st.lists(st.text(max_size=100), min_size=1, max_size=4))
def test_an_actions_id_is_one_that_the_api_takes_and_each_run_has_its_own(words: Sequence[str]) -> None:
    first, second = action_id("pause", *words), action_id("pause", *words)
    assert PARAMETERS["id"].is_valid(first)
    assert first.startswith("pause-")
    assert first != second or signed.ATTEMPTS == 0
