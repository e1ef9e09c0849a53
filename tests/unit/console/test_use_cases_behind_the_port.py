"""The hosted console's port: each question and action of the API for its roles, whatever page asks for it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.door.problems import Kind, Problem
from kulanz.application.door.routes import BY_KEY, ROUTES, Role
from kulanz.application.door.serve import Reply, Request, refusal
from kulanz.domain.people.caller import Person
from kulanz_cli.door import SAMPLE_ID, SAMPLES
from kulanz_console.hosted import by_use_cases
from kulanz_console.hosted.by_use_cases import ByUseCases
from kulanz_console.port import NotAnswered, Why
from kulanz_console.problems import why_of

PERSON = Person("login:https://login.example#anna")


class Served:
    """Takes what would be served, and answers what a test says."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests: list[Request] = []

    def __call__(self, request: Request, caller: Person, *_: Any) -> Reply:
        assert caller is PERSON
        self.requests.append(request)
        return self.reply


def port(*roles: Role) -> ByUseCases:
    world: Any = None
    return ByUseCases(world, PERSON, frozenset(roles), lambda: datetime(2026, 11, 30, tzinfo=UTC), lambda: 25.0)


def sent(to: ByUseCases, use: str) -> Mapping[str, Any]:
    (route,) = (one for one in ROUTES if one.use == use)
    values: dict[str, str | int] = {name: SAMPLES.get(name, SAMPLE_ID) for name in route.names}
    return to.act(use, {"a": "b"}, **values) if route.body_bytes else to.ask(use, None, **values)


def test_every_use_is_served_to_its_roles_and_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(Reply(200, {"done": True}))
    monkeypatch.setattr(by_use_cases, "serve", served)
    wrong = []
    for route in ROUTES:
        for role in Role:
            served.requests.clear()
            try:
                answered = sent(port(role), route.use) == {"done": True}
            except NotAnswered as problem:
                answered = problem.why is not Why.NOT_PERMITTED
            may = role in route.roles
            if (answered, bool(served.requests), port(role).rights([route.use])[route.use]) != (may, may, may):
                wrong.append((route.use, role))
            for request in served.requests:
                assert request.route_key == route.key
                assert BY_KEY[request.route_key].match(request.raw_path) is not None
        served.requests.clear()
        with pytest.raises(NotAnswered):
            sent(port(), route.use)
        assert served.requests == []
    assert wrong == []


@pytest.mark.parametrize("kind", Kind)
def test_a_problem_is_what_it_is_through_the_api(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    reply = refusal(Problem(kind, "expected another", reason="code"))
    monkeypatch.setattr(by_use_cases, "serve", Served(reply))
    with pytest.raises(NotAnswered) as problem:
        sent(port(*Role), "halts.current")
    assert problem.value.why is why_of(kind)
    assert str(problem.value)


def test_a_value_of_another_form_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(Reply(200, {}))
    monkeypatch.setattr(by_use_cases, "serve", served)
    for value in ("a/b", "..", "a?b", "", "é", "a b"):
        with pytest.raises(NotAnswered) as problem:
            port(*Role).ask("accounts.ask", None, account=value)
        assert problem.value.why is Why.WRONG
    assert served.requests == []
