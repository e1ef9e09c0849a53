"""The tables of a reconciliation: each count and sum in its own row and column, also those that few campaigns have."""

import io
from collections import Counter

import pytest
from rich.console import Console

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz_cli.reconciliation import show_reconciliation, sum_text
from kulanz_cli.shown_campaign import ShownCampaign, ShownPass
from tests.support.answering import cells

OK, LATE = (RowResult.GRANTED, "ok"), (RowResult.GRANTED, "late")
HELD, TORN = (RowResult.HELD, "unknown"), (RowResult.REJECTED, "torn")
PLAN = {(*OK, WriteResult.NONE): 1_111, (*LATE, WriteResult.NONE): 222, (*HELD, WriteResult.NONE): 33}
PLAN |= {(*TORN, WriteResult.NONE): 4, (RowResult.REJECTED, "other", WriteResult.NONE): 5}
APPLY = {
    (*OK, WriteResult.WRITTEN): 1_000, (*OK, WriteResult.DUPLICATE): 61, (*OK, WriteResult.CONFLICT): 7,
    (*OK, WriteResult.CAPPED): 43, (*LATE, WriteResult.WRITTEN): 210, (*LATE, WriteResult.CONFLICT): 12,
    (*HELD, WriteResult.WRITTEN): 31,
}  # fmt: skip
SINCE = (*HELD, WriteResult.HELD_SINCE)
GRANTED = RowResult.GRANTED
PLANNED_SUMS = {
    SumKey(GRANTED, WriteResult.NONE, "EUR"): 900_00, SumKey(GRANTED, WriteResult.NONE, "call_minute"): 80,
}  # fmt: skip
APPLIED_SUMS = {
    SumKey(GRANTED, WriteResult.WRITTEN, "EUR"): 700_00, SumKey(GRANTED, WriteResult.DUPLICATE, "EUR"): 60_00,
    SumKey(GRANTED, WriteResult.CONFLICT, "EUR"): 50_00, SumKey(GRANTED, WriteResult.CAPPED, "EUR"): 40_00,
    SumKey(GRANTED, WriteResult.WRITTEN, "call_minute"): 3,
}  # fmt: skip


def totals(counts: dict[tuple[RowResult, str, WriteResult], int], sums: dict[SumKey, int]) -> ShownPass:
    found = Counter({CountKey(*key): number for key, number in counts.items()})
    return ShownPass(Totals(lines=found.total(), counts=found, sums=dict(sums)), 1, 1, is_finished=True)


@pytest.mark.parametrize("held_since", [0, 2])
@pytest.mark.parametrize("keeps_history", [True, False])
def test_each_count_and_sum_stands_in_its_row_and_column(*, keeps_history: bool, held_since: int) -> None:
    apply = {**APPLY, **({SINCE: held_since} if held_since else {})}
    if not keeps_history:
        apply = {key: number for key, number in apply.items() if key[2] is not WriteResult.CAPPED}
    campaign = ShownCampaign(
        CampaignId.parse("in-7/3"), State.CLOSED, "balanced", keeps_history=keeps_history, rows_announced=1,
        bytes_in_all=1, plan=totals(PLAN, PLANNED_SUMS), apply=totals(apply, APPLIED_SUMS),
    )  # fmt: skip
    printed = io.StringIO()
    show_reconciliation(campaign, Console(file=printed, width=160))
    heads = [*(["capped"] if keeps_history else []), *(["held since"] if held_since else [])]

    def more(capped: str, since: str) -> list[str]:
        return [*([capped] if keeps_history else []), *([since] if held_since else [])]

    capped = 43 if keeps_history else 0  # what is capped is a decision, too
    found = [line for line in cells(printed.getvalue()) if line != [""]]
    assert found == [
        ["in-7/3 is closed: balanced"],
        ["result", "reason", "lines", "ledger", "duplicate", "conflict", *heads],
        ["granted", "late", "222", "210", "0", "12", *more("0", "0")],
        ["granted", "ok", "1,111", f"{1_000 + capped:,}", "61", "7", *more("43", "0")],
        ["held", "unknown", "33", str(31 + held_since), "0", "0", *more("0", str(held_since))],
        ["rejected", "other", "5", "-", "-", "-", *more("-", "-")],
        ["rejected", "torn", "4", "-", "-", "-", *more("-", "-")],
        ["all", "1,375", f"{1_241 + capped + held_since:,}", "61", "19", *more("43", str(held_since))],
        ["result", "sum of", "planned", "ledger", "duplicate", "conflict", *heads],
        ["granted", "EUR", "900.00", "700.00", "60.00", "50.00", *more("40.00", "0.00")],
        ["granted", "call minutes", "80", "3", "0", "0", *more("0", "0")],
        ["9 rows were rejected and 19 rows contradict others; which and why:"], ["kulanz rejected in-7/3"],
    ]  # fmt: skip


def test_all_sums_of_one_result_are_said_together_by_measure() -> None:
    sums = {(GRANTED, "call_minute"): 80, (GRANTED, "EUR"): 900_00, (RowResult.OFFERED, "EUR"): 1_00}
    assert [sum_text(sums, one) for one in (GRANTED, RowResult.OFFERED, RowResult.HELD)] == [
        "900.00 EUR + 80 call minutes", "1.00 EUR", "-",
    ]  # fmt: skip
