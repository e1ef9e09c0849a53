"""Prints the reconciliation of a campaign: the result of every line, what was written, and what it is worth."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import (
    IN_THE_LEDGER,
    NEVER_WRITTEN,
    WITH_A_DECISION,
    RowResult,
    Totals,
    WriteResult,
    differences,
)
from kulanz.domain.delivery.law import LAW, Shares
from kulanz.domain.money import measure_words
from kulanz_cli.shown_campaign import ShownCampaign
from kulanz_cli.terminal import Column, command, counted_as, say, table
from kulanz_console.drawing.worth import figure, value_text

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import ReportedSameOutage

__all__ = ["figure", "value_text"]
"""What a terminal and a page show alike, under the name that the commands know."""
DIFFERENCES_SHOWN = 20
_ORDER = {row_result: place for place, row_result in enumerate(RowResult)}


def show_reconciliation(campaign: ShownCampaign, console: Console, *, says_where: bool = True) -> None:
    """Print a campaign's state, its lines by result and reason, and its sums: planned, in the ledger, and between.

    With `says_where`, also the command that shows the rows with a problem.
    """
    plan, apply = campaign.plan.totals, campaign.apply.totals
    reason = f": {campaign.reason}" if campaign.reason else ""
    say(console, f"{campaign.id} is {campaign.state}{reason}", "bold", further=2)
    beside = [WriteResult.DUPLICATE, WriteResult.CONFLICT, *([WriteResult.CAPPED] if campaign.keeps_history else [])]
    if any(key.write_result is WriteResult.HELD_SINCE for key in apply.counts):
        beside.append(WriteResult.HELD_SINCE)
    if plan.counts:
        _show_lines(plan, apply, beside, console)
    if plan.sums or apply.sums:
        say(console, "")
        _show_sums(plan, apply, beside, console)
    if campaign.state is State.FLAGGED:
        for found in list(differences(plan, apply))[:DIFFERENCES_SHOWN]:
            say(console, f"differs: {found.what}: planned {found.planned}, applied {found.applied}", further=2)
    if says_where:
        show_where_rejected(campaign, console)


def show_others(others: "ReportedSameOutage", console: Console) -> None:
    """Name the campaigns of other incidents over the same windows and service, where the plan found any."""
    for of, found in (("the same list", others["same_list"]), ("another list", others["other_list"])):
        if found:
            more = "" if others["named_all"] else ", and perhaps more"
            say(console, f"same windows and service, {of}: {', '.join(found)}{more}", further=2)


def show_where_rejected(campaign: ShownCampaign, console: Console) -> None:
    """Name the command that shows the rows that were rejected or contradict others, where a campaign has any."""
    counts = [*campaign.plan.totals.counts.items(), *campaign.apply.totals.counts.items()]
    rejected = campaign.plan.totals.counts
    rows = sum(n for key, n in rejected.items() if key.row_result is RowResult.REJECTED)
    conflicts = sum(n for key, n in counts if key.write_result is WriteResult.CONFLICT)
    parts = [counted_as(rows, "row was rejected", "rows were rejected")] * bool(rows)
    parts += [counted_as(conflicts, "row contradicts another", "rows contradict others")] * bool(conflicts)
    if parts:
        say(console, f"{' and '.join(parts)}; which and why:")
        command(console, ["kulanz", "rejected", str(campaign.id)])


def _columns(names: Sequence[str], write_results: Sequence[WriteResult], rows: Sequence[Sequence[str]]) -> list[Column]:
    """The columns of figures; one without any figure but zero is the first to be given up."""
    columns = [
        Column(name, is_number=place > 1, is_label=place <= 1, is_text=place == 1) for place, name in enumerate(names)
    ]
    for place, write_result in enumerate(write_results, len(names)):
        is_empty = all(row[place].strip("0.") in ("", "-") for row in rows)
        columns.append(Column(write_result.value.replace("_", " "), is_number=True, spare=1 if is_empty else 0))
    return columns


def _show_lines(plan: Totals, apply: Totals, beside: Sequence[WriteResult], console: Console) -> None:
    rows = []
    results = plan.results()
    for row_result, reason in sorted(results, key=lambda place: (_ORDER[place[0]], place[1])):
        of_row = {
            key.write_result: n
            for key, n in apply.counts.items()
            if (key.row_result, key.reason) == (row_result, reason)
        }
        ledger = sum(n for write_result, n in of_row.items() if write_result in WITH_A_DECISION)
        written = [ledger, *(of_row.get(write_result, 0) for write_result in beside)]
        shown = ["-"] * len(written) if row_result in NEVER_WRITTEN else [f"{number:,}" for number in written]
        rows.append([row_result.value, reason, f"{results[row_result, reason]:,}", *shown])
    in_all = [sum(n for key, n in apply.counts.items() if key.write_result is one) for one in beside]
    rows.append(["all", "", *(f"{number:,}" for number in (plan.lines, apply.ledger_count(), *in_all))])
    table(console, _columns(("result", "reason", "lines", "ledger"), beside, rows), rows, last="bold")


def _show_sums(plan: Totals, apply: Totals, beside: Sequence[WriteResult], console: Console) -> None:
    """What the plan comes to, what of it is in the ledger, and the sums of the lines that are not."""
    planned, ledger = plan.worth(), apply.worth(IN_THE_LEDGER)
    others = [apply.worth(frozenset({write_result})) for write_result in beside]
    rows = []
    for place in sorted(planned.keys() | apply.worth().keys(), key=lambda place: (_ORDER[place[0]], place[1])):
        row_result, measure = place
        written = [figure(measure, sums.get(place, 0)) for sums in (ledger, *others)]
        shown = ["-"] * len(written) if row_result in NEVER_WRITTEN else written
        rows.append([row_result.value, measure_words(measure), figure(measure, planned.get(place, 0)), *shown])
    table(console, _columns(("result", "sum of", "planned", "ledger"), beside, rows), rows)


def sum_text(sums: Mapping[tuple[RowResult, str], int | Decimal], row_result: RowResult) -> str:
    """All sums of one result: `36,840.00 USD + 20 call minutes`; a dash for none."""
    texts = [value_text(measure, value) for (found, measure), value in sorted(sums.items()) if found is row_result]
    return " + ".join(texts) or "-"


def law_text(measure: str, shares: Shares) -> str:
    """The law of one measure, as an equation; what is nothing is left out."""
    named = [(name.replace("_", " "), getattr(shares, name)) for name in LAW]
    parts = [f"{figure(measure, size)} {name}" for name, size in named if size]
    return f"{measure_words(measure)}: granted {figure(measure, shares.granted)} = {' + '.join(parts) or '0'}"
