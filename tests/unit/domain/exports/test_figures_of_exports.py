"""What an export must come to, and how it is told where it does not: no two figures are equal."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.delivery.law import Counted, Shares
from kulanz.domain.exports.export import Export
from kulanz.domain.exports.figures import (
    DECIDED,
    GOODWILL,
    NOT_WRITTEN,
    Difference,
    Figures,
    LineKey,
    Of,
    Written,
    _of_ledger,
    _of_plan,
    differences,
    law_differences,
    law_of_figures,
    sums_of,
)
from kulanz.domain.exports.figures import SumKey as Amount
from kulanz.domain.money import Size

GRANTED, HELD, REJECTED = RowResult.GRANTED, RowResult.HELD, RowResult.REJECTED
TOTALS = Totals(
    lines=1_000,
    counts=Counter(
        {
            CountKey(GRANTED, "credit", WriteResult.WRITTEN): 1,
            CountKey(GRANTED, "credit", WriteResult.ALREADY): 2,
            CountKey(GRANTED, "credit", WriteResult.DUPLICATE): 4,
            CountKey(GRANTED, "credit", WriteResult.CONFLICT): 8,
            CountKey(GRANTED, "credit", WriteResult.CAPPED): 16,
            CountKey(HELD, "x", WriteResult.HELD_SINCE): 32,
            CountKey(REJECTED, "not_utf8", WriteResult.NONE): 64,
            CountKey(RowResult.UNCHANGED, "same", WriteResult.NONE): 128,
            CountKey(RowResult.OVERPAID, "more", WriteResult.NONE): 256,
            CountKey(RowResult.BLANK, "blank", WriteResult.NONE): 512,
        }
    ),
    sums={
        SumKey(GRANTED, WriteResult.WRITTEN, "EUR"): 100,
        SumKey(GRANTED, WriteResult.ALREADY, "EUR"): 20,
        SumKey(GRANTED, WriteResult.CAPPED, "EUR"): 3,
        SumKey(RowResult.OVERPAID, WriteResult.NONE, "EUR"): 7,
    },
)


def line(result: str, reason: str = "", written: Written = Written.YES) -> LineKey:
    return LineKey(result, reason, written)


def test_a_plans_export_has_all_rows_by_result_and_reason_and_the_ledgers_what_became_of_them() -> None:
    planned = Written.PLANNED
    assert _of_plan(TOTALS) == Figures(
        Counter({
            line("granted", "credit", planned): 31, line("held", "x", planned): 32,
            line("rejected", "not_utf8", planned): 64, line("unchanged", "same", planned): 128,
            line("overpaid", "more", planned): 256,
        }),
        {Amount("granted", "EUR"): 123, Amount("overpaid", "EUR"): 7},
    )  # fmt: skip
    no = Written.NO
    assert _of_ledger(TOTALS) == Figures(
        Counter({
            line("granted", "credit"): 3, line("duplicate", "", no): 4, line("conflict", "", no): 8, line(DECIDED): 48,
            line("rejected", "not_utf8", no): 64, line("unchanged", "", no): 384,
        }),
        {Amount("granted", "EUR"): 120},
    )  # fmt: skip


def test_figures_of_two_ranges_add_up() -> None:
    one = Figures(Counter({line("granted", "a"): 1}), {Amount("granted", "EUR"): 10, Amount("open", "GB"): 5})
    one.add(Figures(Counter({line("granted", "a"): 2, line("held"): 4}), {Amount("granted", "EUR"): 200}))
    sums: dict[Amount, Size] = {Amount("granted", "EUR"): 210, Amount("open", "GB"): 5}
    assert one == Figures(Counter({line("granted", "a"): 3, line("held"): 4}), sums)
    assert sums_of(one, "granted") == {"EUR": 210}
    assert law_of_figures(one) == {"GB": Shares(open=5)}


LEFT_OUT = {
    line(NOT_WRITTEN): 1, line(GOODWILL): 2, line("granted", "credit", Written.UNCOUNTED): 4,
}  # fmt: skip


def test_each_row_and_sum_that_is_not_as_counted_is_told_with_both_figures() -> None:
    """What no receipt counts is left out: rows without a receipt, goodwill, and what customers did since."""
    there = Figures(
        Counter({line("granted", "credit"): 10, line("rejected", "not_utf8", Written.NO): 3, line("held"): 5}),
        {Amount("granted", "EUR"): 100, Amount("granted", "GB"): 7, Amount("accepted", "EUR"): 9},
    )
    same = Figures(
        Counter({line("granted", "credit"): 10, line("rejected", "not_utf8"): 3, line("held"): 5, **LEFT_OUT}),
        {Amount("granted", "EUR"): 100, Amount("granted", "GB"): 7, Amount("open", "EUR"): 4},
    )
    assert list(differences(there, same)) == []
    other = Figures(
        Counter({line("granted", "credit"): 11, line("rejected", "nul"): 3, line("held"): 5}),
        {Amount("granted", "EUR"): 101, Amount("offered", "EUR"): 1},
    )
    assert list(differences(there, other)) == [
        Difference("lines granted (credit)", 10, 11),
        Difference("lines rejected (not_utf8)", 3, 0),
        Difference("lines rejected (nul)", 0, 3),
        Difference("EUR granted", 100, 101),
        Difference("GB granted", 7, 0),
        Difference("EUR offered", 0, 1),
    ]
    assert list(differences(Figures(Counter({line("held"): 1})), Figures())) == [Difference("lines held", 1, 0)]


def test_where_some_were_capped_or_held_since_the_plan_all_decisions_are_compared_together() -> None:
    there = Figures(Counter({line("granted", "credit"): 10, line(DECIDED): 3, line("duplicate", "", Written.NO): 2}))
    shown = {line("granted", "less"): 6, line("held", "since"): 7, line("duplicate", "", Written.NO): 2}
    assert list(differences(there, Figures(Counter(shown)))) == []
    more = {**shown, line("held", "since"): 8}
    assert list(differences(there, Figures(Counter(more)))) == [Difference("lines decided", 13, 14)]
    apart = {**shown, line("duplicate", "", Written.NO): 3}
    assert list(differences(there, Figures(Counter(apart)))) == [Difference("lines duplicate", 2, 3)]


@pytest.mark.parametrize("capped", [0, 3])
def test_a_row_that_cannot_be_read_is_counted_apart_also_where_a_person_granted_it_later(capped: int) -> None:
    """Whatever else was capped since the plan."""
    decided = {line(DECIDED): capped} if capped else {}
    there = Figures(Counter({line("granted", "credit"): 10, **decided, line("rejected", "x", Written.NO): 5}))
    shown = {line("granted", "credit"): 10, line("rejected", "x", Written.NO): 2, line("rejected", "x"): 3}
    shown |= {line("held", "since"): capped} if capped else {}
    assert list(differences(there, Figures(Counter(shown)))) == []
    assert list(differences(there, Figures(Counter({**shown, line("rejected", "x"): 4})))) == [
        Difference("lines rejected (x)", 5, 6)
    ]


LAW = {"used": 1, "expired": 10, "voided": 100, "written_off": 1_000, "open": 10_000, "asked_back": 5}


def exported(granted: int, accepted: int = 0) -> Figures:
    sums: dict[Amount, Size] = {Amount(of, "EUR"): size for of, size in LAW.items()}
    sums |= {Amount("granted", "EUR"): granted, Amount("accepted", "EUR"): accepted, Amount("offered", "EUR"): 77}
    return Figures(Counter(), {key: size for key, size in sums.items() if size})


@pytest.mark.parametrize(("granted", "accepted", "holds"), [(11_111, 0, True), (11_000, 111, True), (11_112, 0, False)])
def test_what_was_granted_and_accepted_is_in_the_shares_of_the_law(granted: int, accepted: int, *, holds: bool) -> None:
    found = list(law_differences(exported(granted, accepted), None))
    said = "EUR used, expired, voided, written off and open"
    assert found == ([] if holds else [Difference(said, 11_112, 11_111)])


def test_the_law_of_an_export_is_compared_with_counters_where_all_rows_are_counted() -> None:
    counted = {"EUR": Counted(Shares(**{**LAW, "used": 2, "open": 9_999}), is_exact=True)}
    expected = [Difference("EUR used", 2, 1), Difference("EUR expired or open", 10_009, 10_010)]
    assert list(law_differences(exported(11_111), counted)) == expected
    uncounted = exported(11_112)
    uncounted.lines[line("granted", "credit", Written.UNCOUNTED)] = 1
    assert list(law_differences(uncounted, counted)) == []


def test_an_export_is_there_for_a_week_in_a_folder_of_its_own() -> None:
    at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    export = Export(CampaignId("out", 7), "e-1", Of.LEDGER, "anna", at, span=90)
    campaign: Any = None
    assert (export.folder, export.available_until) == ("exports/out/007/e-1", at + timedelta(days=7))
    assert (export.size(campaign), export.chunks(campaign)) == (90, 1)
