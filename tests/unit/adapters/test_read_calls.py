"""Items that are read without the SDK's client: what DynamoDB leaves, throttles or cuts off is asked for again."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.adapters import insert_calls
from kulanz.adapters.aws import ENTRY_ATTEMPTS, client
from kulanz.adapters.insert_calls import ReadCalls
from kulanz.application.ports import Refused, TryAgain

TABLE = "credits"
KEYS = [(f"ACCOUNT#{number}", 'DECISION#"ö"') for number in range(230)]

type Answer = Callable[[int, list[dict[str, Any]]], tuple[int, str]]


def whole(_: int, keys: list[dict[str, Any]]) -> tuple[int, str]:
    return 200, json.dumps({"Responses": {TABLE: keys}, "UnprocessedKeys": {}})


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], tuple[ReadCalls, list[int]]]:
    """Reads whose answers a test gives, and the number of keys of each call."""
    monkeypatch.setattr(insert_calls, "backoff_seconds", lambda _: 0.0)
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)

    def begin(answer: Answer) -> tuple[ReadCalls, list[int]]:
        dynamodb, calls = client("dynamodb"), list[int]()

        def answered(request: Any, **_: Any) -> Any:
            asked = json.loads(request.body)["RequestItems"][TABLE]
            assert asked["ConsistentRead"] is True
            calls.append(len(asked["Keys"]))
            status, content = answer(len(calls), asked["Keys"])
            return SimpleNamespace(status_code=status, content=content.encode())

        dynamodb.meta.events.register("before-send.dynamodb.BatchGetItem", answered)
        return ReadCalls(dynamodb, TABLE, calls_in_flight=2), calls

    return begin


def read(calls: ReadCalls) -> list[tuple[str, str]]:
    return [(item["pk"]["S"], item["sk"]["S"]) for item in calls.read(KEYS)]


def leaving_one(number: int, keys: list[dict[str, Any]]) -> tuple[int, str]:
    left = {TABLE: {"Keys": keys[:1]}} if number == 1 else {}
    return 200, json.dumps({"Responses": {TABLE: keys[1:] if left else keys}, "UnprocessedKeys": left})


def first(status: int, content: str) -> Answer:
    """That once, then everything."""
    return lambda number, keys: (status, content) if number == 1 else whole(number, keys)


THROTTLED = json.dumps({"__type": "com.amazonaws#ProvisionedThroughputExceededException"})


@pytest.mark.parametrize(
    ("answer", "calls_made"),
    [
        (whole, [100, 100, 30]),
        (leaving_one, [100, 100, 30, 1]),
        (first(400, THROTTLED), [100, 100, 30, 100]),
        (first(500, ""), [100, 100, 30, 100]),
        (first(200, '{"Responses": {"cre'), [100, 100, 30, 100]),
    ],
    ids=["whole", "keys left", "throttled", "server error", "cut off"],
)
def test_every_item_is_read_once(reading: Any, answer: Answer, calls_made: list[int]) -> None:
    calls, made = reading(answer)
    assert sorted(read(calls)) == sorted(KEYS)
    assert made == calls_made


def test_what_is_refused_for_good_is_not_tried_again(reading: Any) -> None:
    calls, made = reading(lambda *_: (400, json.dumps({"__type": "x#AccessDeniedException"})))
    with pytest.raises(Refused, match="AccessDeniedException"):
        read(calls)
    assert len(made) <= 3


def test_throttles_without_end_are_given_up(reading: Any) -> None:
    calls, made = reading(lambda *_: (400, THROTTLED))
    with pytest.raises(TryAgain, match="keys left"):
        read(calls)
    assert len(made) == 3 * ENTRY_ATTEMPTS
    assert calls.take_throttled() == len(KEYS) * ENTRY_ATTEMPTS


def test_answers_that_never_come_whole_are_given_up(reading: Any) -> None:
    calls, _ = reading(lambda *_: (200, "{"))
    with pytest.raises(TryAgain, match="no answer"):
        read(calls)


def test_nothing_asked_is_nothing_read(reading: Any) -> None:
    calls, made = reading(whole)
    assert (list(calls.read([])), made) == ([], [])
