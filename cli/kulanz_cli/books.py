"""Prints the books of a campaign: every line in its class, what became of it, and what it is worth."""

from decimal import Decimal

from rich.console import Console
from rich.table import Table

from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, NEVER_WRITTEN, WITH_A_DECISION, RowResult, WriteResult
from kulanz.domain.money import format_minor, is_currency, minor_units
from kulanz.domain.policy.explaining.wording import counted


def show_books(campaign: Campaign, console: Console) -> None:
    """Print a campaign's state, its classes with their write_results, and the total value in the ledger."""
    plan, apply = campaign.plan.totals, campaign.apply.totals
    console.print(f"{campaign.id} is [bold]{campaign.state}[/bold]: {campaign.state_reason}", soft_wrap=True)
    table = Table("result", "reason", box=None, pad_edge=False, header_style="dim")
    write_results_shown = [
        WriteResult.DUPLICATE,
        WriteResult.CONFLICT,
        *([WriteResult.CAPPED] if campaign.keeps_history else []),
    ]
    for name in ("lines", "in the ledger", *write_results_shown):
        table.add_column(str(name), justify="right")
    for row_result, reason in sorted(plan.results(), key=lambda place: (list(RowResult).index(place[0]), place[1])):
        write_results = {
            key.write_result: n
            for key, n in apply.counts.items()
            if (key.row_result, key.reason) == (row_result, reason)
        }
        ledger = sum(n for write_result, n in write_results.items() if write_result in WITH_A_DECISION)
        written = [ledger, *(write_results.get(write_result, 0) for write_result in write_results_shown)]
        shown = ["-"] * len(written) if row_result in NEVER_WRITTEN else [f"{number:,}" for number in written]
        table.add_row(row_result.value, reason, f"{plan.results()[row_result, reason]:,}", *shown)
    in_all = [
        sum(n for key, n in apply.counts.items() if key.write_result is write_result)
        for write_result in write_results_shown
    ]
    figures = (plan.lines, apply.ledger_count(), *in_all)
    table.add_row("all", "", *(f"{number:,}" for number in figures), style="bold")
    console.print(table)
    for (row_result, measure), value in sorted(apply.worth(IN_THE_LEDGER).items()):
        console.print(f"{row_result}, in all: [bold]{value_text(measure, value)}[/bold]")
    for (row_result, measure), value in sorted(apply.worth(frozenset({WriteResult.CAPPED})).items()):
        console.print(f"{row_result} by the plan, but capped by what is kept: {value_text(measure, value)}")


def value_text(measure: str, value: int | Decimal) -> str:
    """A sum of books for people: minor units of a currency as an amount, anything else with its unit."""
    if is_currency(measure):
        return f"{format_minor(int(value), minor_units(measure))} {measure}"
    unit, _, quantity = measure.partition(":")
    return f"{value:,} times {unit}, {quantity}" if quantity else counted(f"{value:,}", unit)
