"""Answers a request: the route that the gateway matched, its values checked, its use case called, problems as answers.

The route is the one that the gateway authorised (`routeKey`), never one that is found again by the path: an HTTP API
hands on its path decoded, so that an encoded slash could lead to a route that the caller may not use.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import Any

from kulanz.application.door.actions import once
from kulanz.application.door.asked import Acting, Asked, Door
from kulanz.application.door.parameters import PARAMETERS
from kulanz.application.door.problems import CONTENT_TYPE, FieldProblem, Kind, Problem, unknown
from kulanz.application.door.routes import BY_KEY, Route
from kulanz.application.ports import TryAgain
from kulanz.domain.canonical import no_constant, object_once
from kulanz.domain.people.caller import PersonNeeded

JSON_TYPE = "application/json"
RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the gateway hands it on: the key of the matched route, the path as it was decoded, the query's
    values by name, the body's bytes and its stated type.
    """

    route_key: str
    raw_path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: JSON-able content, or a problem."""

    status: int
    content: Mapping[str, Any]
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


def serve(request: Request, caller: Acting, door: Door, now: datetime, seconds_left: Callable[[], float]) -> Reply:
    """Answer a request. Whatever is foreseen becomes a problem; what is not is raised, for the handler to log."""
    try:
        asked = _asked(request, caller, now, seconds_left)
        use_case = _use_case(asked.route)
        if asked.route.body:
            _must_be_as_described(asked)
        if not asked.route.has_action_id:
            return Reply(200, use_case(asked, door))
        _must_be_about_something(asked, door)
        return Reply(200, once(asked, door.actions, lambda: use_case(asked, door)))
    except Problem as problem:
        return refusal(problem)
    except PersonNeeded as problem:
        return refusal(Problem(Kind.PERSON_NEEDED, str(problem)))
    except TryAgain:
        text = "AWS did not answer as it will; send the same again"
        return refusal(Problem(Kind.TRY_AGAIN, text), {"Retry-After": str(RETRY_AFTER_SECONDS)})


def refusal(problem: Problem, headers: Mapping[str, str] | None = None) -> Reply:
    """A problem as a reply."""
    return Reply(problem.kind.status, problem.content(), CONTENT_TYPE, headers or {})


def _use_case(route: Route) -> Callable[[Asked, Door], Mapping[str, Any]]:
    """What answers a route. Its module is imported when it is asked for: a cold start pays for one question only."""
    found: Callable[[Asked, Door], Mapping[str, Any]] = getattr(_module(route), route.use.partition(".")[2])
    return found


def _module(route: Route) -> ModuleType:
    return import_module(f"{__package__}.{route.use.partition('.')[0]}")


def _must_be_as_described(asked: Asked) -> None:
    """Check a body before its id stands for it, so that it can be corrected under that id. Raises Problem."""
    bodies = import_module(f"{__package__}.bodies")
    bodies.read_body(getattr(_module(asked.route), asked.route.body), asked.body)


def _must_be_about_something(asked: Asked, door: Door) -> None:
    """Nothing is stored about an incident or a campaign that there is not. Raises Problem."""
    if "draft" in asked.of:
        import_module(f"{__package__}.drafts").found_draft(asked.of["draft"], door)
    if "seq" in asked.of and door.campaigns.campaign(asked.campaign_id) is None:
        raise unknown("there is no such campaign")
    if "incident" in asked.of and door.campaigns.incident(asked.of["incident"]) is None:
        raise unknown("no such incident is recorded")


def _asked(request: Request, caller: Acting, now: datetime, seconds_left: Callable[[], float]) -> Asked:
    route = BY_KEY.get(request.route_key)
    of = None if route is None else route.match(request.raw_path)
    if route is None or of is None:
        raise unknown()
    _must_be_valid(of, Kind.PATH)
    others = sorted(set(request.query) - set(route.query))
    if others:
        expected = f"one of: {', '.join(route.query)}" if route.query else "no query"
        raise Problem(Kind.QUERY, f"this question has other names in its query; expected {expected}")
    _must_be_valid(request.query, Kind.QUERY)
    return Asked(route, of, request.query, _body(request, route), caller, now, seconds_left)


def _must_be_valid(values: Mapping[str, str], kind: Kind) -> None:
    errors: list[FieldProblem] = [
        {"field": name, "expected": PARAMETERS[name].expected}
        for name, value in values.items()
        if not PARAMETERS[name].is_valid(value)
    ]
    if errors:
        raise Problem(kind, f"expected {errors[0]['expected']}", errors=errors)


def _body(request: Request, route: Route) -> Mapping[str, Any]:
    if not route.body_bytes:
        if request.body:
            raise Problem(Kind.BODY_UNREADABLE, "a question has no body; leave it out")
        return {}
    if request.content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        raise Problem(Kind.CONTENT_TYPE, f"send the body as {JSON_TYPE}")
    if len(request.body) > route.body_bytes:
        raise Problem(Kind.TOO_LARGE, f"a body has at most {route.body_bytes} bytes here")
    try:
        body = json.loads(request.body, object_pairs_hook=object_once, parse_constant=no_constant)
        body_text = json.dumps(body, ensure_ascii=False)
        body_text.encode()
    except (ValueError, RecursionError):
        raise Problem(Kind.BODY_UNREADABLE, "expected one JSON object in UTF-8, each name once") from None
    if not isinstance(body, dict):
        raise Problem(Kind.BODY_UNREADABLE, "expected one JSON object")
    return body
