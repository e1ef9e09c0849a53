"""Throttles are seen from outside: the worker's metric counts them, also those that made it give a chunk up."""

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import pytest

from grant_credits import handler
from kulanz.adapters.messaging import chunk_message_text
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.ports import ChunkMessage, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.ledger.entries import Entry
from kulanz.failures import FunctionFailed
from tests.support.fakes import FakeLedger
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world

ROWS = 60
CONTEXT: Any = SimpleNamespace(
    function_name="grant_credits",
    function_version="1",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:grant_credits",
    aws_request_id="00000000-0000-0000-0000-000000000000",
    get_remaining_time_in_millis=lambda: 120_000,
)


class ThrottledLedger(FakeLedger):
    """A ledger over a table that throttled seven inserts of each call, and gives up in the call `fails_at`."""

    def __init__(self, fails_at: int = 0) -> None:
        super().__init__()
        self._calls, self._fails_at, self._throttled = 0, fails_at, 0

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        self._calls += 1
        self._throttled += 7
        if self._calls == self._fails_at:
            raise TryAgain("BatchExecuteStatement: throttled")
        return super().insert(entries)

    def take_throttled(self) -> int:
        throttled, self._throttled = self._throttled, 0
        return throttled


def metrics_of(ledger: ThrottledLedger, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the handler prints for CloudWatch while it applies one chunk with that ledger."""
    world = small_world(list_of([row(f"a-{number}")[:40] for number in range(ROWS)]), chunk_bytes=65_536)
    world.publish(event(rows=ROWS))
    while world.campaigns.campaign(CampaignId.parse(CAMPAIGN)) is None or (
        world.campaign(CAMPAIGN).state is not State.APPLYING
    ):
        world.run(world.steps()[0])
    ports = GrantPorts(world.campaigns, world.lists, ledger, world.chunks, world.archive)
    monkeypatch.setattr(handler, "_composed", lambda: (ports, GrantSettings(1, 0, 800), ledger))
    body = chunk_message_text(ChunkMessage(CampaignId.parse(CAMPAIGN), Pass.APPLY, 0))
    with redirect_stdout(io.StringIO()) as printed:
        try:
            handler.handle({"Records": [{"messageId": "m", "body": body}]}, CONTEXT)
        except FunctionFailed:
            assert ledger._fails_at
    found: list[dict[str, Any]] = [json.loads(line) for line in printed.getvalue().splitlines() if "_aws" in line]
    return {name: value for entry in found for name, value in entry.items() if isinstance(value, list)}


def test_throttled_inserts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = metrics_of(ThrottledLedger(), monkeypatch)

    assert found["ThrottledInserts"] == [21.0]
    assert found["DecisionsInLedger"] == [float(ROWS)]


def test_throttles_that_made_a_worker_give_up_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = metrics_of(ThrottledLedger(fails_at=2), monkeypatch)

    assert found["ThrottledInserts"] == [14.0]
