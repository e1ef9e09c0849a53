"""Clients that answer from a script in place of AWS: no stand-in can make single entries of a batch fail."""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
)

from kulanz.adapters import insert_calls, ledger_table, messaging, s3, transactions

SECRET = "account-4711"


def waits_kept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits from here on; how long they would have is kept."""
    waited: list[float] = []
    clock = SimpleNamespace(sleep=waited.append, monotonic=time.monotonic)
    for module in (insert_calls, ledger_table, messaging, s3, transactions):
        monkeypatch.setattr(module, "time", clock)
    return waited


def error(code: str, status: int = 400, **more: Any) -> ClientError:
    """An error as boto3 raises it."""
    answer: Any = {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, "Operation")


class Scripted:
    """A client whose operations answer from a script; an exception in it is raised. `asked` holds the arguments,
    `called` the names.
    """

    def __init__(self, **scripts: Sequence[Any] | Callable[..., Any]) -> None:
        self._scripts = {name: script if callable(script) else iter(script) for name, script in scripts.items()}
        self.asked: list[dict[str, Any]] = []
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        script = self._scripts[name]

        def operation(**arguments: Any) -> Any:
            self.asked.append(arguments)
            self.called.append(name)
            answer = script(**arguments) if callable(script) else next(script)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return operation
