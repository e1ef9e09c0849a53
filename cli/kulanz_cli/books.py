"""Prints the books of a campaign: every line in its class, what became of it, and what it is worth."""

from decimal import Decimal

from rich.console import Console
from rich.table import Table

from kulanz.domain.books import IN_THE_LEDGER, NEVER_WRITTEN, WITH_A_DECISION, Fate, RowClass
from kulanz.domain.campaign import Campaign
from kulanz.domain.money import format_minor, is_currency, minor_units
from kulanz.domain.policy.wording import counted


def show_books(campaign: Campaign, console: Console) -> None:
    """Print a campaign's state, its classes with their fates, and the total value in the ledger."""
    plan, apply = campaign.plan.totals, campaign.apply.totals
    console.print(f"{campaign.id} is [bold]{campaign.state}[/bold]: {campaign.state_reason}", soft_wrap=True)
    table = Table("class", "reason", box=None, pad_edge=False, header_style="dim")
    fates_shown = [Fate.DUPLICATE, Fate.CONFLICT, *([Fate.CAPPED] if campaign.keeps_history else [])]
    for name in ("lines", "in the ledger", *fates_shown):
        table.add_column(str(name), justify="right")
    for row_class, reason in sorted(plan.classes(), key=lambda place: (list(RowClass).index(place[0]), place[1])):
        fates = {key.fate: n for key, n in apply.counts.items() if (key.row_class, key.reason) == (row_class, reason)}
        ledger = sum(n for fate, n in fates.items() if fate in WITH_A_DECISION)
        written = [ledger, *(fates.get(fate, 0) for fate in fates_shown)]
        shown = ["-"] * len(written) if row_class in NEVER_WRITTEN else [f"{number:,}" for number in written]
        table.add_row(row_class.value, reason, f"{plan.classes()[row_class, reason]:,}", *shown)
    in_all = [sum(n for key, n in apply.counts.items() if key.fate is fate) for fate in fates_shown]
    figures = (plan.lines, apply.ledger_count(), *in_all)
    table.add_row("all", "", *(f"{number:,}" for number in figures), style="bold")
    console.print(table)
    for (row_class, measure), value in sorted(apply.worth(IN_THE_LEDGER).items()):
        console.print(f"{row_class}, in all: [bold]{value_text(measure, value)}[/bold]")
    for (row_class, measure), value in sorted(apply.worth(frozenset({Fate.CAPPED})).items()):
        console.print(f"{row_class} by the plan, but capped by what is kept: {value_text(measure, value)}")


def value_text(measure: str, value: int | Decimal) -> str:
    """A sum of books for people: minor units of a currency as an amount, anything else with its unit."""
    if is_currency(measure):
        return f"{format_minor(int(value), minor_units(measure))} {measure}"
    unit, _, quantity = measure.partition(":")
    return f"{value:,} times {unit}, {quantity}" if quantity else counted(f"{value:,}", unit)
