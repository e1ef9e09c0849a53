"""The figures of a campaign's report: each under its own name, in order, and no more than it may hold."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

from kulanz.application.campaigns import report as module
from kulanz.application.campaigns.report import (
    AMOUNTS_SHOWN,
    CHUNKS_SHOWN,
    DIFFERENCES_SHOWN,
    campaign_report,
    delivery_estimate,
    differing_chunks,
    law_lines,
    reported_amounts,
    reported_limits,
)
from kulanz.domain.budgets import Reservation
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, Progress, Receipt, SameOutage, State
from kulanz.domain.campaigns.estimate import AS_DEPLOYED
from kulanz.domain.campaigns.reconciliation import CountKey, Difference, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.time import format_instant
from tests.support.values import CHUNK_BYTES, DATA_START, NOW, SIZE, campaign

GRANTED, OFFERED, DECLINED, HELD = RowResult.GRANTED, RowResult.OFFERED, RowResult.DECLINED, RowResult.HELD
REJECTED, UNCHANGED = RowResult.REJECTED, RowResult.UNCHANGED
NONE, WRITTEN, CONFLICT = WriteResult.NONE, WriteResult.WRITTEN, WriteResult.CONFLICT
PLAN = Totals(
    lines=97,
    digest=255,
    counts=Counter(
        {
            CountKey(OFFERED, "later", NONE): 5,
            CountKey(GRANTED, "credit", NONE): 41,
            CountKey(GRANTED, "bonus", NONE): 13,
            CountKey(DECLINED, "not_affected", NONE): 17,
            CountKey(HELD, "fee_unknown", NONE): 7,
            CountKey(UNCHANGED, "credit", NONE): 3,
            CountKey(REJECTED, "not_utf8", NONE): 11,
        }
    ),
    sums={SumKey(OFFERED, NONE, "USD"): 70, SumKey(GRANTED, NONE, "USD"): 900, SumKey(GRANTED, NONE, "EUR"): 80},
)
APPLY = Totals(
    lines=83,
    digest=4096,
    counts=Counter({CountKey(GRANTED, "credit", CONFLICT): 2, CountKey(GRANTED, "credit", WRITTEN): 39}),
    sums={
        SumKey(GRANTED, WRITTEN, "USD"): 860,
        SumKey(GRANTED, WRITTEN, "EUR"): 77,
        SumKey(GRANTED, CONFLICT, "USD"): 23,
        SumKey(OFFERED, WRITTEN, "USD"): 60,
    },
)


def finished(plan: Totals = PLAN, apply: Totals = APPLY) -> Campaign:
    """A campaign that has read its list twice."""
    done = Progress(SIZE - DATA_START, 3, plan), Progress(SIZE - DATA_START, 3, apply)
    found = replace(campaign(CampaignId("outage", 4)), state=State.FLAGGED, state_reason="plan_differs: USD")
    return replace(found, plan=done[0], apply=done[1])


def test_a_report_has_each_figure_of_its_campaign_under_its_name_and_in_order() -> None:
    reserved = [Reservation("outage/4", one, month, 1, 2, at_most) for one, month, at_most in (
        ("USD", "2026-03", 970), ("EUR", "2026-04", 88),
    )]  # fmt: skip
    others = SameOutage((CampaignId("a", 1), CampaignId("b", 2)), (CampaignId("c", 3),), is_whole=False)
    found = campaign_report(
        finished(), [Difference("USD", 900, 860), Difference("credit", 41, 39)], AS_DEPLOYED, others=others,
        reserved=reserved,
    )  # fmt: skip
    assert {name: found[name] for name in ("campaign", "state", "reason", "engine", "time_zones")} == {
        "campaign": "outage/4",
        "state": "flagged",
        "reason": "plan_differs: USD",
        "engine": campaign().engine,
        "time_zones": campaign().time_zones,
    }
    assert found["policy"] == {"id": "net-credit", "version": 3, "hash": "f" * 64}
    assert found["decided_at"] == format_instant(NOW)
    assert found["list"] == {"key": "lists/a.csv", "version_id": "version-1", "bytes": SIZE, "rows_announced": 17}
    assert (found["plan"]["lines"], found["plan"]["rows"], found["apply"]["lines"]) == (97, 97, 83)
    assert (found["plan"]["digest"], found["apply"]["digest"]) == (f"{255:032x}", f"{4096:032x}")
    results = [(one["result"], one["reason"], one["write_result"], one["lines"]) for one in found["plan"]["results"]]
    assert results == [
        (key.row_result.value, key.reason, key.write_result.value, lines) for key, lines in sorted(PLAN.counts.items())
    ]
    worth = [(one["result"], one["write_result"], one["measure"], one["sum"]) for one in found["apply"]["worth"]]
    assert worth == [
        (key.row_result.value, key.write_result.value, key.measure, str(size))
        for key, size in sorted(APPLY.sums.items())
    ]
    assert found["in_the_ledger"] == {
        "decisions": 39,
        "worth": [
            {"result": "granted", "measure": "EUR", "sum": "77"},
            {"result": "granted", "measure": "USD", "sum": "860"},
            {"result": "offered", "measure": "USD", "sum": "60"},
        ],
    }
    assert found["same_outage"] == {"same_list": ["a/1", "b/2"], "other_list": ["c/3"], "named_all": False}
    assert found["budgets"] == [
        {"currency": "USD", "month": "2026-03", "at_most": "970"},
        {"currency": "EUR", "month": "2026-04", "at_most": "88"},
    ]
    assert found["differences"] == [
        {"what": "USD", "planned": "900", "applied": "860"},
        {"what": "credit", "planned": "41", "applied": "39"},
    ]


def test_the_estimate_counts_rows_and_those_that_get_a_decision() -> None:
    found = campaign_report(finished(), [], AS_DEPLOYED)["estimate"]
    assert found is not None
    assert (found["rows"], found["decisions"]) == (97, 97 - 11 - 3)
    unfinished = replace(finished(), plan=Progress(1, 1, PLAN))
    assert campaign_report(unfinished, [], AS_DEPLOYED)["estimate"] is None


def test_each_call_of_the_estimate_stands_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "insert_calls", "write_units", "read_units", "queue_requests", "topic_messages", "function_requests",
        "bucket_reads",
    )  # fmt: skip
    numbers = {name: 100 + place for place, name in enumerate(names)}
    made = SimpleNamespace(
        planned=SimpleNamespace(rows=7, decisions=8), calls=SimpleNamespace(**numbers), usd=Decimal("1.25"), seconds=9,
        limited_by="writes",
    )  # fmt: skip
    monkeypatch.setattr(module, "campaign_estimate", lambda *_: made)
    found = module.reported_estimate(finished(), AS_DEPLOYED)
    assert found is not None
    told = {"rows": 7, "decisions": 8, "usd": "1.25", "least_seconds": 9, "limited_by": "writes", **numbers}
    assert {name: value for name, value in found.items() if name != "prices"} == told


def test_what_is_delivered_at_once_is_what_the_plan_grants_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def priced(granted: int, chunks: int, _: object) -> Decimal:
        asked.append((granted, chunks))
        return Decimal(3)

    monkeypatch.setattr(module, "delivery_usd", priced)
    assert delivery_estimate(finished()) == Decimal(3)
    assert asked == [(41 + 13, 3)]


def receipt(chunk: int, work: Pass, lines: int) -> Receipt:
    """A part of a chunk."""
    became = NONE if work is Pass.PLAN else WRITTEN
    totals = Totals(lines=lines, counts=Counter({CountKey(GRANTED, "credit", became): lines}))
    return Receipt(campaign().id, work, chunk, 0, 1, None, finishes_chunk=False, totals=totals)


def test_chunks_that_differ_are_named_in_the_lists_order_with_their_own_bytes_and_all_their_receipts() -> None:
    plan = [receipt(chunk, Pass.PLAN, lines) for chunk, lines in ((2, 5), (0, 3), (1, 4), (0, 2))]
    apply = [receipt(chunk, Pass.APPLY, lines) for chunk, lines in ((1, 4), (2, 1), (0, 1), (2, 2))]
    found = differing_chunks(campaign(), plan, apply)
    assert [(one["chunk"], one["start"], one["stop"]) for one in found] == [
        (0, DATA_START, DATA_START + CHUNK_BYTES), (2, DATA_START + 2 * CHUNK_BYTES, SIZE),
    ]  # fmt: skip
    counted = [
        {(one["planned"], one["applied"]) for one in chunk["differences"] if one["what"] == "lines"} for chunk in found
    ]
    assert counted == [{("5", "1")}, {("5", "3")}]


class Place(NamedTuple):
    """What amounts are counted by."""

    row_result: RowResult
    reason: str
    measure: str


def amounts(number: int) -> Any:
    """The amounts of some places, the last one first; the figures of the first."""
    one = SimpleNamespace(
        lines=31, sum=7_000, smallest=1, largest=999, median=lambda: (40, 50), histogram=list  # nothing in it
    )  # fmt: skip
    return SimpleNamespace(places={Place(GRANTED, f"r-{place:03d}", "USD"): one for place in reversed(range(number))})


def test_amounts_stand_in_order_with_smallest_median_and_largest_apart() -> None:
    found = reported_amounts(amounts(3))
    assert [one["reason"] for one in found] == ["r-000", "r-001", "r-002"]
    assert found[0] == {
        "result": "granted", "reason": "r-000", "measure": "USD", "lines": 31, "sum": "7000", "smallest": "1",
        "median_least": "40", "median_most": "50", "largest": "999", "histogram": [],
    }  # fmt: skip


def test_a_report_measures_repeats_each_by_its_name_and_shows_no_more_than_it_may() -> None:
    repeats = SimpleNamespace(rows=1, is_whole=False, repeated=2, contradicting=3, nearly_equal=4)
    measured = cast("Any", SimpleNamespace(amounts=amounts(AMOUNTS_SHOWN + 1), repeats=repeats, known=5))
    differences = [Difference(f"d-{number}", number, 0) for number in range(DIFFERENCES_SHOWN + 1)]
    chunks = cast("Any", [{"chunk": number} for number in range(CHUNKS_SHOWN + 1)])
    found = campaign_report(finished(), differences, AS_DEPLOYED, chunks, measured)
    told = found["measured"]
    assert told is not None
    assert told["repeats"] == {
        "rows_looked_at": 1, "whole_list": False, "repeated": 2, "contradicting": 3, "nearly_equal": 4,
    }  # fmt: skip
    assert told["known"] == 5
    assert [one["reason"] for one in told["amounts"]] == [f"r-{place:03d}" for place in range(AMOUNTS_SHOWN)]
    assert [one["what"] for one in found["differences"]] == [f"d-{number}" for number in range(DIFFERENCES_SHOWN)]
    assert found["chunks"] == chunks[:CHUNKS_SHOWN]


def test_the_law_has_a_line_for_each_measure_in_order_with_every_share_apart() -> None:
    names = ("granted", "used", "expired", "voided", "written_off", "open")

    def counted(first: int, *, is_exact: bool) -> Any:
        shares = {name: first + place for place, name in enumerate(names)}
        return SimpleNamespace(shares=SimpleNamespace(**shares), is_exact=is_exact)

    assert law_lines({"USD": counted(100, is_exact=True), "GB": counted(200, is_exact=False)}) == [
        {"measure": "GB", **{name: str(200 + place) for place, name in enumerate(names)}, "is_exact": False},
        {"measure": "USD", **{name: str(100 + place) for place, name in enumerate(names)}, "is_exact": True},
    ]


def test_limits_are_shares_in_percent_and_amounts_in_their_measure() -> None:
    limits = SimpleNamespace(
        shares={"held": Fraction(1, 4)}, largest={"USD": 1_234}, total={"EUR": 5_678}, stated={"held": "policy"}
    )
    found = reported_limits(cast("Any", limits))
    assert found["shares"].keys() == {"held"}
    assert "25" in found["shares"]["held"]
    assert "12.34" in found["largest"]["USD"]
    assert "56.78" in found["total"]["EUR"]
    assert found["stated"] == {"held": "policy"}
