"""Faults at the calls that a use case makes: every port is wrapped, every call is numbered, any of them can go wrong.

A `Tap` stands between a use case and its ports. It asks its `choose` function about each call, by number and name, and
lets that call die before it takes effect, die after, take effect and lose its reply, or take effect in part.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from typing import Any, cast

from kulanz.application.ports import TryAgain


class Killed(BaseException):
    """The process ended here; no handler can catch it, as none can catch the end of a Lambda sandbox."""


class Fault(StrEnum):
    """What can happen to a call."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    REPLY_LOST = "reply lost"
    REQUEST_LOST = "request lost"
    HALF_DONE = "half done"


HALVABLE = frozenset(
    {
        "chunks.send",
        "chunks.send_deliveries",
        "credits.write_entries",
        "ledger.insert",
        "ledger.insert_with_former",
        "ledger.insert_with_history",
        "topic.publish",
    }
)
"""Calls whose entries AWS takes one by one, so that some can stand while others were refused."""

type Choose = Callable[[int, str], Fault | None]


def no_faults(_: int, __: str) -> None:
    """Let every call through."""


def fault_at(number: int, fault: Fault) -> Choose:
    """One fault, at one call."""
    return lambda at, _: fault if at == number else None


class Tap:
    """Numbers calls from 0 and keeps their names in `calls`."""

    def __init__(self, choose: Choose = no_faults) -> None:
        self.choose = choose
        self.calls: list[str] = []

    def __call__(self, name: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Make a call, or what a fault makes of it."""
        number = len(self.calls)
        self.calls.append(name)
        match self.choose(number, name):
            case Fault.KILLED_BEFORE:
                raise Killed(name)
            case Fault.REQUEST_LOST:
                raise TryAgain(name)
            case Fault.KILLED_AFTER:
                with suppress(Exception):  # an error is a reply too
                    function(*arguments, **named)
                raise Killed(name)
            case Fault.REPLY_LOST:
                with suppress(Exception):
                    function(*arguments, **named)
                raise TryAgain(name)
            case Fault.HALF_DONE if name in HALVABLE:
                whole = list(arguments[0])
                function(whole[: len(whole) // 2], **named)
                raise TryAgain(name)
            case Fault.HALF_DONE:
                raise ValueError(f"{name} is done whole or not at all")
            case None:
                return function(*arguments, **named)


class _Tapped:
    def __init__(self, port: object, name: str, tap: Tap) -> None:
        self._port = port
        self._name = name
        self._tap = tap

    def __getattr__(self, method: str) -> Callable[..., Any]:
        function, name = getattr(self._port, method), f"{self._name}.{method}"

        def call(*arguments: Any, **named: Any) -> Any:
            answer = self._tap(name, function, *arguments, **named)
            return self._each(f"{name}/next", answer) if isinstance(answer, Iterator) else answer

        return call

    def _each(self, name: str, answer: Iterator[Any]) -> Iterator[Any]:
        """What comes lazily can go wrong at each piece."""
        end = object()
        while (piece := self._tap(name, next, answer, end)) is not end:
            yield piece


def tapped[P](port: P, name: str, tap: Tap) -> P:
    """The port, with every call going through the tap."""
    return cast("P", _Tapped(port, name, tap))
