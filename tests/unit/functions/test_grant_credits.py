"""The passes beside the granting one: throttles are counted although a chunk is given up, and answers go on."""

import io
import json
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import pytest

from grant_credits import handler
from kulanz.application.ports import AnswerMessage, TryAgain
from kulanz.failures import FunctionFailed
from tests.support.fake_answers import FakeAnswerQueue

CONTEXT: Any = SimpleNamespace(
    function_name="grant_credits",
    function_version="1",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:grant_credits",
    aws_request_id="00000000-0000-0000-0000-000000000000",
    get_remaining_time_in_millis=lambda: 120_000,
)
THROTTLED = 14
ANSWERS = '{"v":1,"channel":"billing","answers":"a","chunk":3}'


@pytest.fixture(autouse=True)
def composed(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SimpleNamespace(take_throttled=lambda: THROTTLED)
    for name in ("_delivering", "_voiding"):
        monkeypatch.setattr(handler, name, lambda: (None, None, ledger))
    monkeypatch.setattr(handler, "_hearing", lambda: None)


def handle(body: str) -> None:
    handler.handle({"Records": [{"messageId": "m", "body": body}]}, CONTEXT)


@pytest.mark.parametrize(
    ("body", "work"),
    [
        ('{"v":1,"delivery":"billing/1","chunk":0}', "deliver_chunk.deliver_chunk"),
        (ANSWERS, "hear_answers.hear_chunk"),
        ('{"v":1,"void":"incident/1/wrong-list","chunk":0}', "void_chunk.void_chunk"),
    ],
)
def test_throttles_of_a_chunk_that_is_given_up_are_counted(
    body: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given_up(*_: object) -> None:
        raise TryAgain("BatchExecuteStatement: throttled")

    monkeypatch.setattr(f"kulanz.application.delivery.{work}", given_up)
    with redirect_stdout(io.StringIO()) as printed, pytest.raises(FunctionFailed):
        handle(body)

    [metric] = [json.loads(line) for line in printed.getvalue().splitlines() if "_aws" in line]
    assert metric["ThrottledInserts"] == [THROTTLED]


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_chunk_of_answers_that_is_not_finished_is_sent_again(
    is_finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = FakeAnswerQueue()
    monkeypatch.setattr(handler, "_queue", lambda: queue)
    monkeypatch.setattr("kulanz.application.delivery.hear_answers.hear_chunk", lambda *_: is_finished)
    with redirect_stdout(io.StringIO()):
        handle(ANSWERS)

    assert queue.messages == ([] if is_finished else [AnswerMessage("billing", "a", 3)])
