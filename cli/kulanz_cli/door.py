"""The stack's API as commands use it: questions and actions by their name in the route table, problems as sentences."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kulanz.application.door.problems import Kind, said_of
from kulanz.application.door.routes import BY_USE, Route
from kulanz_cli.outcomes import Unusable
from kulanz_cli.signed import NoReply, Reply, SignedApi, path_of

FORBIDDEN = 403
OF_A_SIGNATURE = ("signature", "security token", "credential", "access key")
"""Words of the gateway where it knows no signature. Where IAM does not permit a route, it says Forbidden."""
NOT_FOUND = 404
TOO_MANY = 429
OK = 200
PAGES_MOST = 10_000
"""Of one answer: a cursor that leads in a circle ends with an error."""
SAMPLES: Mapping[str, str] = {
    "seq": "1", "month": "2000-01", "day": "2000-01-01", "currency": "EUR", "channel": "billing", "serial": "1",
    "policy": "a", "version": "1", "revision": "1", "draft": "a-0", "queue": "chunks", "file": "000000000000",
}  # fmt: skip
"""A value of the right form, which names nothing, for each parameter of a path that is no id."""
SAMPLE_ID = "0"


class DoorProblem(Unusable):
    """The API did not do what was asked. `reason` is the code of a refusal; `kind` is None where the gateway answered
    in place of the function. `is_forbidden`: the gateway did not let the caller in.
    """

    def __init__(self, text: str, kind: Kind | None = None, reason: str = "", *, is_forbidden: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.reason = reason
        self.is_forbidden = is_forbidden


class Door:
    """One stack's API."""

    def __init__(self, api: SignedApi) -> None:
        self._api = api

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> dict[str, Any]:
        """The answer to a question. Raises DoorProblem."""
        route = BY_USE[use]
        stated = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            reply = self._api.get(_path(route, values), stated)
        except NoReply as error:
            raise DoorProblem(f"the stack's API did not answer ({error}); try again") from None
        return _content(route, reply)

    def pages(
        self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int
    ) -> Iterator[dict[str, Any]]:
        """Every part of an answer that may be long. Raises DoorProblem."""
        cursor: str | None = None
        for _ in range(PAGES_MOST):
            page = self.ask(use, {**(query or {}), "cursor": cursor}, **values)
            yield page
            cursor = page.get("next")
            if not cursor:
                return
        raise DoorProblem(f"the stack's API gave more than {PAGES_MOST} parts of an answer; ask whoever runs the stack")

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> dict[str, Any]:
        """What an action came to. The same action under the same id is done once. Raises DoorProblem."""
        route = BY_USE[use]
        try:
            reply = self._api.put(_path(route, values), content)
        except NoReply as error:
            raise DoorProblem(
                f"the stack's API did not answer ({error}), and it may have been done; try again: it is done once"
            ) from None
        return _content(route, reply)

    def permits(self, use: str) -> bool:
        """Whether the caller has a role for it; nothing is read or done. Raises DoorProblem.

        A question with a query that no question has, or an action without a body, is refused by the function before it
        looks at anything. Where the gateway refuses it first, the role is missing.
        """
        route = BY_USE[use]
        path = _path(
            route,
            {part[1:-1]: SAMPLES.get(part[1:-1], SAMPLE_ID) for part in route.path.split("/") if part.startswith("{")},
        )
        try:
            reply = self._api.put_nothing(path) if route.body_bytes else self._api.get(path, {"permitted": "yes"})
        except NoReply as error:
            raise DoorProblem(f"the stack's API did not answer ({error}); try again") from None
        try:
            _content(route, reply)
        except DoorProblem as problem:
            if problem.kind in (Kind.QUERY, Kind.CONTENT_TYPE):
                return True
            if problem.is_forbidden:
                return False
            raise
        raise AssertionError(f"{use} answered what is no question")


def _path(route: Route, values: Mapping[str, str | int]) -> str:
    """The path of a route with its parameters, each of which must be stated."""
    return path_of(*(values[part[1:-1]] if part.startswith("{") else part for part in route.path.split("/")[1:]))


def _content(route: Route, reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except ValueError:
        found = None
    content = found if isinstance(found, dict) else {}
    if reply.status == OK and content:
        return content
    if "type" in content and "detail" in content:
        raise _problem(content)
    message = str(content.get("message", ""))
    raise DoorProblem(_gateway_words(route, reply.status, message), is_forbidden=_lacks_role(reply.status, message))


def _problem(content: Mapping[str, Any]) -> DoorProblem:
    """A problem of the function, whose text says what was expected and what to do."""
    kind, text, reason = said_of(content)
    return DoorProblem(text, kind, reason)


def _lacks_role(status: int, message: str) -> bool:
    """Whether IAM permits the route to nobody with this signature, which is valid."""
    text = message.lower()
    of_signature = "expired" in text or any(word in text for word in OF_A_SIGNATURE)
    return status == FORBIDDEN and ("not authorized" in text or not of_signature)


def _gateway_words(route: Route, status: int, message: str) -> str:
    """What to do where the gateway answered in place of the function. Its message may repeat the request: it is not
    shown.
    """
    if status == FORBIDDEN and (text := message.lower()) and "not authorized" not in text:
        if "expired" in text:
            return "AWS refused it: your credentials have expired, or this machine's clock is wrong; sign in again"
        if any(word in text for word in OF_A_SIGNATURE):
            return "AWS refused it: your credentials or their signature are not valid; sign in again"
    if status == FORBIDDEN:
        roles = " or ".join(sorted(route.roles))
        return (
            f"AWS refused it: your credentials lack the role {roles} of this stack; an administrator attaches it"
            " (docs/roles.md)"
        )
    if status == NOT_FOUND:
        return "the API has no such route: is this the command of the stack's release, and the API of the stack?"
    if status == TOO_MANY:
        return "the stack's API has too many requests at the moment; try again"
    return f"the stack's API answered {status} and nothing that this command can read; try again"
