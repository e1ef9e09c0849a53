"""What `kulanz doctor` asks a function: it says what it runs and touches nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from advance_campaign import handler
from kulanz.domain.time import parse_instant
from kulanz.versions import VERSIONS_ASKED, versions

CONTEXT: Any = SimpleNamespace(
    function_name="advance",
    function_version="1",
    memory_limit_in_mb=1,
    invoked_function_arn="arn:advance",
    aws_request_id="1",
)


def untouched(*_: object) -> Any:
    raise AssertionError("the function began to act")


def test_a_function_says_what_it_runs_and_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_composed", untouched)
    answer = handler.handle(VERSIONS_ASKED, CONTEXT)
    assert answer is not None
    assert answer.keys() == {"release", "engine", "time_zones", "python", "machine", "now"}
    assert versions(parse_instant(answer["now"])) == answer


def test_whatever_else_has_no_records_is_the_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    for act in ("_watch_campaigns", "_delivering", "_voiding", "_watch_answers", "_settle_budgets"):
        monkeypatch.setattr(handler, act, untouched)
    with pytest.raises(Exception, match="AssertionError"):
        handler.handle({**VERSIONS_ASKED, "source": "aws.events"}, CONTEXT)
