"""``kulanz console``: questions and actions as pages in a browser of this machine, with the identity of the shell."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from kulanz.domain.people.caller import stated_id
from kulanz_cli.door import Door, DoorProblem
from kulanz_cli.outcomes import ACTION_CODES, Unusable
from kulanz_cli.settings import pass_stack
from kulanz_cli.stack import Stack, StackUnusable
from kulanz_cli.terminal import console, say
from kulanz_console.app import Console, FirstAddress
from kulanz_console.place import Place
from kulanz_console.port import Kulanz, NotAnswered, Why
from kulanz_console.problems import must_be_valid, why_of
from kulanz_console.sessions import NOBODY, Sessions, Who
from kulanz_console.visit import at_once

HOST = "127.0.0.1"
PORT_MOST = 65_535


class ByDoor:
    """The console's questions and actions through the stack's API, with the shell's signature. Raises NotAnswered."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        must_be_valid({**values, **(query or {})})
        try:
            return self._door.ask(use, query, **values)
        except DoorProblem as problem:
            raise _not_answered(problem) from None

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> Mapping[str, Any]:
        must_be_valid(values)
        try:
            return self._door.act(use, content, **values)
        except DoorProblem as problem:
            raise _not_answered(problem) from None

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict(zip(uses, at_once(self._may, uses), strict=True))

    def _may(self, use: str) -> bool:
        try:
            return self._door.permits(use)
        except DoorProblem as problem:
            raise _not_answered(problem) from None


def _not_answered(problem: DoorProblem) -> NotAnswered:
    why = Why.NOT_PERMITTED if problem.is_forbidden else why_of(problem.kind)
    return NotAnswered(problem.message, why, problem.reason)


class _Quiet(WSGIRequestHandler):
    """No line for each request: an address may hold an account's id. No name of the server's software either."""

    server_version, sys_version = "kulanz", ""

    def version_string(self) -> str:
        return self.server_version

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def listen(
    name: str,
    kulanz: Kulanz,
    clock: Callable[[], datetime],
    port: int = 0,
    who: Who = NOBODY,
) -> tuple[BaseWSGIServer, str]:
    """A console of a stack that listens on this machine, and its first address. Raises Unusable for a port in use."""
    sessions, made = Sessions(), list[Console]()

    def answer(environ: Any, start_response: Any) -> Any:
        """Which port is free is known when it listens; the console is made with it, before the first request."""
        return made[0](environ, start_response)

    try:
        server = make_server(HOST, port, answer, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit):
        raise Unusable(f"port {port} of this machine is taken; leave --port out, or name another") from None
    place = Place(f"{HOST}:{server.server_port}", name)
    made.append(Console(place, FirstAddress(place, kulanz, sessions, who), clock))
    return server, f"{place.origin}/enter/{sessions.first_token}"


def _shell(stack: Stack) -> Who:
    """Whose credentials the shell has; nobody where AWS does not say: the API decides who acts."""
    try:
        return Who(stated_id(stack.caller()))
    except StackUnusable:
        return NOBODY


@click.command("console", epilog=ACTION_CODES)
@click.option("--port", type=click.IntRange(0, PORT_MOST), default=0, help="A port of this machine; else a free one.")
@pass_stack
def serve_console(stack: Stack, port: int) -> None:
    """Serve pages for approvers, support and finance on this machine.

    The pages ask and act with this shell's identity, through the API. Open the address that is printed: it lets one
    browser in, once. Ctrl-C ends it.
    """
    server, address = listen(stack.name, ByDoor(stack.door()), lambda: datetime.now(UTC), port, _shell(stack))
    say(console(), address)
    say(console(), "Open this address in a browser of this machine. It lets one browser in. Ctrl-C ends it.")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say(console(stderr=True), "ended")
    finally:
        server.server_close()
