"""Whatever is sent to the API has a documented answer, changes nothing, and is never repeated in that answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.door.cursors import make_cursor
from kulanz.application.door.parameters import PARAMETERS
from kulanz.application.door.problems import CONTENT_TYPE, Kind
from kulanz.application.door.routes import BODY_BYTES, EVENT_BODY_BYTES, ROUTES, Route
from kulanz.application.door.serve import JSON_TYPE, Request
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_door import WorldDoor

CANARY = "canary-4711"


@pytest.fixture(scope="module")
def world() -> World:
    """A world with a closed campaign, which no test of this module changes."""
    made = small_world()
    made.publish(event(rows=ROWS))
    made.run_until_quiet()
    return made


def stop(body: bytes = b'{"action": "pause", "reason": "why"}', **changes: Any) -> Request:
    """A stop as it should be, with changes."""
    made = {
        "route_key": "PUT /v1/stops/{incident}/{seq}/{id}",
        "raw_path": f"/v1/stops/{CAMPAIGN}/stop-1",
        "query": {},
        "body": body,
        "content_type": JSON_TYPE,
        **changes,
    }
    return Request(**made)


def ask(path: str, key: str, **query: str) -> Request:
    return Request(f"GET {key}", path, query)


ONE = "/v1/campaigns/one/{incident}/{seq}"
ASK = "/v1/accounts/{account}"
OPEN = "/v1/campaigns/open"
BAD: dict[str, tuple[Request, Kind]] = {
    "a route that the gateway does not have": (ask("/v1/nothing", "/v1/nothing"), Kind.UNKNOWN),
    "another version": (ask(f"/v2/campaigns/one/{CAMPAIGN}", "/v2/campaigns/one/{incident}/{seq}"), Kind.UNKNOWN),
    "another method": (Request("POST " + ONE, f"/v1/campaigns/one/{CAMPAIGN}"), Kind.UNKNOWN),
    "no route key": (Request("", f"/v1/campaigns/one/{CAMPAIGN}"), Kind.UNKNOWN),
    "the default route": (Request("$default", f"/v1/campaigns/one/{CAMPAIGN}"), Kind.UNKNOWN),
    "a path of another route": (ask(f"/v1/stops/{CAMPAIGN}/x", ONE), Kind.UNKNOWN),
    "an id with a slash": (ask("/v1/campaigns/one/a/b/1", ONE), Kind.UNKNOWN),
    "a path with two slashes": (ask(f"/v1//campaigns/one/{CAMPAIGN}", ONE), Kind.UNKNOWN),
    "a path that ends in a slash": (ask(f"/v1/campaigns/one/{CAMPAIGN}/", ONE), Kind.UNKNOWN),
    "a path in another case": (ask(f"/V1/campaigns/one/{CAMPAIGN}", ONE), Kind.UNKNOWN),
    "an id with a dot-dot": (ask("/v1/accounts/a..b", ASK), Kind.PATH),
    "an id that is a dot-dot": (ask("/v1/accounts/..", ASK), Kind.PATH),
    "an id with an encoded percent": (ask("/v1/accounts/a%252Fb", ASK), Kind.PATH),
    "an id with a space": (ask("/v1/accounts/a b", ASK), Kind.PATH),
    "an id with a letter of another script": (ask("/v1/accounts/\u0430-1", ASK), Kind.PATH),
    "an id with other digits": (ask(f"/v1/campaigns/one/{CAMPAIGN.partition('/')[0]}/٣", ONE), Kind.PATH),
    "an incident in another case": (ask("/v1/campaigns/one/Net-Outage/1", ONE), Kind.PATH),
    "a campaign of number 0": (ask("/v1/campaigns/one/net-outage/0", ONE), Kind.PATH),
    "a campaign of number 1000": (ask("/v1/campaigns/one/net-outage/1000", ONE), Kind.PATH),
    "a campaign that is not there": (ask("/v1/campaigns/one/net-outage/2", ONE), Kind.UNKNOWN),
    "an incident that is not there": (ask("/v1/incidents/one/other", "/v1/incidents/one/{incident}"), Kind.UNKNOWN),
    "a policy that is not there": (ask("/v1/policies/one/x/1", "/v1/policies/one/{policy}/{version}"), Kind.UNKNOWN),
    "a name in the query that the question has not": (ask(OPEN, OPEN, month="2026-11"), Kind.QUERY),
    "a query where there is none": (ask(f"/v1/campaigns/one/{CAMPAIGN}", ONE, cursor="abc"), Kind.QUERY),
    "an incident in the query that is none": (ask("/v1/accounts/a-1", ASK, incident="A B"), Kind.QUERY),
    "an empty query value": (ask("/v1/accounts/a-1", ASK, incident=""), Kind.QUERY),
    "a cursor that is no cursor": (ask(OPEN, OPEN, cursor="abc"), Kind.CURSOR),
    "a cursor with a space": (ask(OPEN, OPEN, cursor="a c"), Kind.QUERY),
    "a question with a body": (Request("GET " + ONE, f"/v1/campaigns/one/{CAMPAIGN}", {}, b"{}"), Kind.BODY_UNREADABLE),
    "no body": (stop(b""), Kind.BODY_UNREADABLE),
    "no content type": (stop(content_type=""), Kind.CONTENT_TYPE),
    "another content type": (stop(content_type="text/plain"), Kind.CONTENT_TYPE),
    "a body over its limit": (stop(b'{"reason": "' + b"x" * BODY_BYTES + b'"}'), Kind.TOO_LARGE),
    "a body that is not JSON": (stop(b"{"), Kind.BODY_UNREADABLE),
    "a body that is not UTF-8": (stop(b'{"reason": "\xff"}'), Kind.BODY_UNREADABLE),
    "a body that is a list": (stop(b"[]"), Kind.BODY_UNREADABLE),
    "a body that is a number": (stop(b"1"), Kind.BODY_UNREADABLE),
    "a body with a name twice": (stop(b'{"action": "pause", "action": "cancel"}'), Kind.BODY_UNREADABLE),
    "a body that is no number": (stop(b'{"action": NaN}'), Kind.BODY_UNREADABLE),
    "a body with half a character": (stop(rb'{"action": "\ud800"}'), Kind.BODY_UNREADABLE),
    "a body nested without end": (stop(b"[" * 8_000 + b"]" * 8_000), Kind.BODY_UNREADABLE),
    "an unknown field": (stop(b'{"action": "pause", "reason": "why", "canary-4711": 1}'), Kind.BODY),
    "a field missing": (stop(b'{"action": "pause"}'), Kind.BODY),
    "a field of another kind": (stop(b'{"action": "pause", "reason": 7}'), Kind.BODY),
    "an unknown action": (stop(b'{"action": "canary-4711", "reason": "why"}'), Kind.BODY),
    "a reason of two lines": (stop(b'{"action": "pause", "reason": "canary-4711\\nb"}'), Kind.BODY),
    "a reason without a letter": (stop(b'{"action": "pause", "reason": "  "}'), Kind.BODY),
    "a reason that is too long": (stop(json.dumps({"action": "pause", "reason": "x" * 201}).encode()), Kind.BODY),
    "an action on a campaign that has ended": (stop(), Kind.REFUSED),
    "an action under an id with dot-dot": (stop(raw_path=f"/v1/stops/{CAMPAIGN}/a..b"), Kind.PATH),
    "an action under an id of 129 characters": (stop(raw_path=f"/v1/stops/{CAMPAIGN}/{'a' * 129}"), Kind.PATH),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_its_answer_and_changes_nothing(world: World, name: str) -> None:
    request, kind = BAD[name]
    before = (world.campaign(CAMPAIGN), len(world.campaigns.log(world.campaign(CAMPAIGN).id)), len(world.chunks.sent))
    reply = WorldDoor(world).send(request)
    assert (reply.status, reply.content["type"]) == (kind.status, kind.type), reply.content
    assert reply.content_type == CONTENT_TYPE
    assert CANARY not in json.dumps(reply.content)
    assert (
        world.campaign(CAMPAIGN), len(world.campaigns.log(world.campaign(CAMPAIGN).id)), len(world.chunks.sent)
    ) == before  # fmt: skip


def test_unknown_and_not_meant_look_alike(world: World) -> None:
    """A route that is not there, and a path that the caller's route does not have, are one answer."""
    door = WorldDoor(world)
    nowhere = door.send(BAD["a route that the gateway does not have"][0])
    elsewhere = door.send(BAD["a path of another route"][0])
    assert nowhere == elsewhere


def test_a_cursor_of_another_question_is_refused(world: World) -> None:
    door = WorldDoor(world)
    mine = {"": f"GET {OPEN}"}
    assert door.get("campaigns/open", cursor=make_cursor(mine, "x/1")).status == 200
    reply = door.get("policies/published", cursor=make_cursor(mine, "x/1"))
    assert reply.content["type"] == Kind.CURSOR.type
    of_one = make_cursor({"": "GET /v1/campaigns/incident/{incident}", "/incident": "a"}, "a/1")
    assert door.get("campaigns/incident/b", cursor=of_one).content["type"] == Kind.CURSOR.type


EVERY_TEXT = st.text(max_size=40) | st.sampled_from(
    ["..", ".", "%2e%2e", "pause", "approvals", "open", "\x00", "\u200b"]
)


@given(route=st.sampled_from(ROUTES), values=st.lists(EVERY_TEXT, min_size=3, max_size=3), body=st.binary(max_size=200))
def test_whatever_stands_in_a_path_or_a_body_nothing_is_raised(
    world: World, route: Route, values: list[str], body: bytes
) -> None:
    path = route.path
    for name, value in zip(route.names, values, strict=False):
        path = path.replace(f"{{{name}}}", value)
    request = Request(route.key, path, {}, body if route.body_bytes else b"", JSON_TYPE)
    reply = WorldDoor(world.copy() if route.method == "PUT" else world).send(request)
    assert 200 <= reply.status < 500
    json.dumps(reply.content)


def test_limits_stand_in_their_order() -> None:
    assert BODY_BYTES < EVENT_BODY_BYTES
    assert EVENT_BODY_BYTES < 6 * 1024 * 1024, "Lambda takes 6 MB as one event"
    in_paths = {name for route in ROUTES for name in route.names}
    for name, parameter in PARAMETERS.items():
        if name not in in_paths:
            continue
        assert not parameter.is_valid(""), name
        assert not parameter.is_valid("a/b"), name
        assert not parameter.is_valid("a..b"), name
