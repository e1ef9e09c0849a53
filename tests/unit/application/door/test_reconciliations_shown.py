"""What a reconciliation shows of a campaign in each of its states: where it is from, and which figures it compares."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door import campaigns as module
from kulanz.application.ports import Refused
from kulanz.domain.campaigns.campaign import Chunks, Pass, Progress, State
from kulanz.domain.campaigns.reconciliation import Totals
from tests.support.values import FIRST, campaign

FILED = {"filed": "report"}


class Archive:
    """A bucket in which a report may lie."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content

    def get(self, key: str) -> bytes:
        assert key.startswith(f"{FIRST.folder}/report-")
        if self.content is None:
            raise Refused("it is not there")
        return self.content


def told_of(
    monkeypatch: pytest.MonkeyPatch,
    state: State,
    *,
    chunks: int = 3,
    announced: bool = False,
    filed: bytes | None = None,
) -> tuple[Any, bool]:
    """What is told of a campaign whose passes came to different figures: the report, and whether it is whole."""
    of = replace(
        campaign(),
        state=state,
        chunks=Chunks(0, 512 * chunks, 512),
        plan=Progress(totals=Totals(lines=5)),
        apply=Progress(totals=Totals(lines=4)),
    )
    of = replace(of, announced=of.report_name if announced else f"{of.report_name}-half")
    monkeypatch.setattr(module, "found_by_plan", lambda log: ("others", *log))
    monkeypatch.setattr(module, "differing_chunks", lambda _, plan, apply: [plan, apply])
    monkeypatch.setattr(module, "add_up", lambda _, receipts: (Totals(), ("measured", receipts), ""))

    def report(
        one: Any, found: Any, operation: Any, chunks: Any = (), measured: Any = None, *more: Any, **named: Any
    ) -> Any:
        others, reserved = more or (named["others"], named["reserved"])
        assert (one, operation, others, reserved) == (of, "operation", ("others", "log"), ("reserved",))
        return {"differences": [difference.what for difference in found], "chunks": chunks, "measured": measured}

    monkeypatch.setattr(module, "campaign_report", report)
    store = SimpleNamespace(
        log=lambda _: ["log"], reservations=lambda _: ("reserved",), receipts=lambda _, work: f"receipts of {work}"
    )
    door: Any = SimpleNamespace(campaigns=store, archive=Archive(filed), operation="operation")
    return module._report(of, door)


@pytest.mark.parametrize("state", list(State))
def test_only_what_has_ended_with_its_execution_is_compared_with_its_plan(
    monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    """Of what was stopped midway every line that is missing would be a difference. A list in which plan and ledger
    differ is compared down to the chunk.
    """
    report, is_whole = told_of(monkeypatch, state)
    assert is_whole
    assert report["measured"] == ("measured", f"receipts of {Pass.PLAN}")
    assert report["differences"] == (["lines"] if state in (State.CLOSED, State.FLAGGED) else [])
    both = [f"receipts of {Pass.PLAN}", f"receipts of {Pass.APPLY}"]
    assert report["chunks"] == (both if state is State.FLAGGED else [])


@pytest.mark.parametrize("state", list(State))
def test_of_a_list_that_is_too_long_the_sums_alone_are_compared(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    report, is_whole = told_of(monkeypatch, state, chunks=module.CHUNKS_ADDED_UP_MOST + 1)
    assert not is_whole
    differing = ["lines"] if state in (State.CLOSED, State.FLAGGED) else []
    assert report == {"differences": differing, "chunks": (), "measured": None}


@pytest.mark.parametrize("chunks", [1, module.CHUNKS_ADDED_UP_MOST + 1])
@pytest.mark.parametrize(
    ("announced", "filed", "is_filed"),
    [(True, json.dumps(FILED).encode(), True), (True, b"{", False), (True, None, False), (False, b"{}", False)],
)
def test_a_report_that_was_announced_with_these_figures_is_shown_as_it_was(
    monkeypatch: pytest.MonkeyPatch, chunks: int, announced: bool, filed: bytes | None, is_filed: bool
) -> None:
    """Whatever length its list has. One that was removed, or has older figures, is not."""
    report, is_whole = told_of(monkeypatch, State.CLOSED, chunks=chunks, announced=announced, filed=filed)
    assert (report == FILED) is is_filed
    assert is_whole is (is_filed or chunks == 1)
