"""The console's questions and actions answered by the use cases, in the function that serves the pages.

A question goes through the same code as one that the gateway hands to the API's function: the same table of routes,
the same checks of its values, the same problems. Only who may ask is decided here and not by IAM, by the same table.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kulanz.application.door.asked import Door
from kulanz.application.door.problems import said_of
from kulanz.application.door.routes import BY_USE, Role
from kulanz.application.door.serve import JSON_TYPE, Request, serve
from kulanz.domain.people.caller import Person
from kulanz_console.port import NotAnswered, Why
from kulanz_console.problems import must_be_valid, why_of

OK = 200


class ByUseCases:
    """What one person asks and does, in the roles that the person has. Raises NotAnswered."""

    def __init__(
        self, door: Door, person: Person, roles: frozenset[Role], clock: Callable[[], datetime],
        seconds_left: Callable[[], float],
    ) -> None:  # fmt: skip
        self._door, self._person, self._roles = door, person, roles
        self._clock, self._seconds_left = clock, seconds_left

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        stated = {name: value for name, value in (query or {}).items() if value is not None}
        return self._served(use, values, stated, b"")

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> Mapping[str, Any]:
        return self._served(use, values, {}, json.dumps(content).encode())

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return {use: bool(BY_USE[use].roles & self._roles) for use in uses}

    def _served(
        self, use: str, values: Mapping[str, str | int], query: Mapping[str, str], body: bytes
    ) -> Mapping[str, Any]:
        route = BY_USE[use]
        if not route.roles & self._roles:
            raise NotAnswered(
                f"this needs the role {' or '.join(sorted(route.roles))} (docs/roles.md)", Why.NOT_PERMITTED
            )
        must_be_valid({**values, **query})
        path = "/".join(str(values[part[1:-1]]) if part.startswith("{") else part for part in route.path.split("/"))
        request = Request(route.key, path, query, body, JSON_TYPE if body else "")
        reply = serve(request, self._person, self._door, self._clock(), self._seconds_left)
        if reply.status == OK:
            # As JSON has it: a page is the same whether an answer travelled or not.
            content: Mapping[str, Any] = json.loads(json.dumps(reply.content))
            return content
        kind, text, reason = said_of(reply.content)
        raise NotAnswered(text, why_of(kind), reason)
