"""Calls that are never answered: so many of a batch are made again, one more gives the batch up for now.

They say nothing about how much the table can take: neither as throttled nor by sending fewer at once.
"""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.adapters import insert_calls
from kulanz.adapters.aws import client
from kulanz.adapters.insert_calls import LOST_CALLS_MOST, InsertCalls, ReadCalls, Statement
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.write_units import INSERTS_PER_CALL

TABLE, PAGES = "credits", LOST_CALLS_MOST + 2
LOST, STALE = insert_calls._LOST, insert_calls._STALE
THROTTLED = json.dumps({"__type": "x#ThrottlingException"})

type Answer = tuple[int, str] | None
type Begin = Callable[[Any, list[Answer]], tuple[Any, Callable[[], object], list[int]]]


def _inserts(dynamodb: Any) -> tuple[InsertCalls, Callable[[], object]]:
    made = InsertCalls(dynamodb, 2)
    return made, lambda: made.execute([Statement(n, json.dumps(n)) for n in range(PAGES * INSERTS_PER_CALL)])


def _reads(dynamodb: Any) -> tuple[ReadCalls, Callable[[], object]]:
    made = ReadCalls(dynamodb, TABLE, 2)
    return made, lambda: list(made.read([(str(n), "s") for n in range(PAGES * insert_calls._KEYS_PER_CALL)]))


@pytest.fixture
def begin(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Any, list[Answer]], tuple[Any, Callable[[], object], list[int]]]:
    """Calls of a kind whose first answers are given, and how many entries each had; whatever comes then is done."""
    monkeypatch.setattr(insert_calls, "backoff_seconds", lambda _: 0.0)
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)

    def made(kind: Any, answers: list[Answer]) -> tuple[Any, Callable[[], object], list[int]]:
        script, sizes = iter(answers), list[int]()

        def answered(request: Any, **_: Any) -> Any:
            body = json.loads(request.body)
            entries = body["Statements"] if "Statements" in body else body["RequestItems"][TABLE]["Keys"]
            sizes.append(len(entries))
            done = {"Responses": [{} for _ in entries] if "Statements" in body else {TABLE: entries}}
            status, content = next(script, None) or (200, json.dumps(done))
            return SimpleNamespace(status_code=status, content=content.encode())

        dynamodb = client("dynamodb")
        for operation in ("BatchExecuteStatement", "BatchGetItem"):
            dynamodb.meta.events.register(f"before-send.dynamodb.{operation}", answered)
        return *kind(dynamodb), sizes

    return made


@pytest.mark.parametrize("kind", [_inserts, _reads])
@pytest.mark.parametrize("lost", range(LOST_CALLS_MOST + 2))
def test_so_many_calls_of_a_batch_may_be_lost(begin: Any, kind: Any, lost: int) -> None:
    calls, work, sizes = begin(kind, [(LOST, "")] * lost)
    if lost > LOST_CALLS_MOST:
        with pytest.raises(TryAgain, match=f"{lost} calls got no answer"):
            work()
    else:
        work()
        assert len(sizes) == PAGES + lost
    assert calls.take_throttled() == 0
    assert calls._window == calls._most


@pytest.mark.parametrize("kind", [_inserts, _reads])
def test_what_closed_while_it_was_idle_is_not_counted_as_lost(begin: Any, kind: Any) -> None:
    calls, work, sizes = begin(kind, [(STALE, "")] * PAGES)
    work()
    assert (len(sizes), calls.take_throttled()) == (2 * PAGES, 0)


@pytest.mark.parametrize("kind", [_inserts, _reads])
def test_only_entries_of_throttled_calls_are_counted_as_throttled(begin: Any, kind: Any) -> None:
    calls, work, sizes = begin(kind, [(400, THROTTLED), (LOST, ""), (STALE, ""), (400, THROTTLED), (500, "")])
    work()
    assert calls.take_throttled() == 3 * max(sizes)
    assert calls.take_throttled() == 0
