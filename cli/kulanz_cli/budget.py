"""``kulanz budget show`` and ``set``: what a currency may cost in a month, what is reserved, spent and left of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import click

from kulanz_cli.command import action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ACTION_CODES, ANSWER_CODES
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, print_json, say, table

if TYPE_CHECKING:
    from kulanz.application.door.budgets import BudgetItem

BUDGETS_VERSION = 1
BAR_CELLS = 10
DAY_BEFORE = timedelta(days=1)
"""In a zone behind UTC it may still be the month of yesterday: the stack says which month it is."""
SPENT, RESERVED, LEFT, BEYOND = "#=.!"
TITLES = {"limit": "budget"}


def present_month() -> str:
    """The first month that may be the present one, wherever the stack's budgets are."""
    return f"{datetime.now(UTC) - DAY_BEFORE:%Y-%m}"


@click.command("show", epilog=ANSWER_CODES)
@click.option(
    "--since", metavar="MONTH", type=RouteParameter("month"), help="The first month that is shown, such as 2026-12."
)
@as_json
@pass_stack
def show(stack: Stack, since: str | None, is_json: bool) -> None:
    """Show the budgets of this month and of those after it.

    Where no budget is set, no campaign is refused, and what it costs is counted all the same.
    """
    pages = list(stack.door().pages("budgets.since", month=since or present_month()))
    present = pages[0]["month"]
    found = [one for page in pages for one in page["budgets"] if one["month"] >= (since or present)]
    if is_json:
        print_json({"v": BUDGETS_VERSION, "month": present, "budgets": found})
        return
    if not found:
        say(console(), "no budget is set, and nothing was reserved or spent")
        return
    _table(cast("list[BudgetItem]", found))


def _table(found: "list[BudgetItem]") -> None:
    names = ["limit", "spent", "voided", "reserved", "left"]
    if not any(Decimal(one["voided"]) for one in found):
        names.remove("voided")
    columns = [Column("month", is_label=True), *(Column(TITLES.get(name, name), is_number=True) for name in names)]
    rows = []
    for one in found:
        net = max(Decimal(0), Decimal(one["spent"]) - Decimal(one["voided"]))
        figures = [_amount(one[name]) for name in names]  # type: ignore[literal-required] # names of a BudgetItem
        rows.append([f"{one['month']} {one['currency']}", *figures, bar(one["limit"], str(net), one["reserved"])])
    columns.append(Column("", spare=1))
    table(console(), columns, rows)
    say(console(), f"{SPENT} spent   {RESERVED} reserved   {LEFT} left   {BEYOND} beyond the budget")


def _amount(text: str | None) -> str:
    return "none" if text is None else f"{Decimal(text):,}"


def bar(limit: str | None, spent: str, reserved: str) -> str:
    """How much of a budget is spent, reserved and left, in cells; whatever is not nothing has a cell.

    Where more is drawn than the limit, the last cell says so, and the others show what was drawn.
    """
    if limit is None:
        return ""
    parts = {SPENT: Decimal(spent), RESERVED: Decimal(reserved)}
    left = Decimal(limit) - sum(parts.values())
    if left < 0:
        return _drawn(parts, BAR_CELLS - 1) + BEYOND
    return _drawn({**parts, LEFT: left}, BAR_CELLS) or LEFT * BAR_CELLS


def _drawn(parts: Mapping[str, Decimal], cells: int) -> str:
    """The parts in some cells. The largest gives the small ones the cells that they are short of."""
    whole = sum(parts.values())
    if not whole:
        return ""
    drawn = {letter: max(1, int(cells * size / whole)) if size else 0 for letter, size in parts.items()}
    largest = max(parts, key=lambda letter: parts[letter])
    drawn[largest] += cells - sum(drawn.values())
    return "".join(letter * number for letter, number in drawn.items())


@click.command("set", epilog=ACTION_CODES)
@click.argument("currency", metavar="CURRENCY", type=RouteParameter("currency"))
@click.argument("month", metavar="MONTH", type=RouteParameter("month"))
@click.argument("limit", metavar="AMOUNT")
@click.option("--reason", required=True, help="Why, for the log.")
@under_id
@as_json
@pass_stack
def set_limit(
    stack: Stack, currency: str, month: str, limit: str, reason: str, given_id: str | None, is_json: bool
) -> None:
    """Set what CURRENCY may cost in MONTH.

    AMOUNT is one of the currency, such as 250000.00. It may be less than what is reserved: then nothing further starts
    in that month, and what is under way goes on. For administrators.
    """
    _change(stack, currency, month, limit, reason, given_id, is_json=is_json)


@click.command("remove", epilog=ACTION_CODES)
@click.argument("currency", metavar="CURRENCY", type=RouteParameter("currency"))
@click.argument("month", metavar="MONTH", type=RouteParameter("month"))
@click.option("--reason", required=True, help="Why, for the log.")
@under_id
@as_json
@pass_stack
def remove(stack: Stack, currency: str, month: str, reason: str, given_id: str | None, is_json: bool) -> None:
    """Remove the budget of CURRENCY in MONTH.

    Then nothing is refused any more; what was spent stays counted. It is refused while something is reserved: settle or
    wait first, or set a budget that is high enough. For administrators.
    """
    _change(stack, currency, month, None, reason, given_id, is_json=is_json)


def _change(
    stack: Stack, currency: str, month: str, limit: str | None, reason: str, given_id: str | None, *, is_json: bool
) -> None:
    must_be_a_reason(reason)
    done: dict[str, Any] = stack.door().act(
        "budgets.act",
        {"limit": limit, "reason": reason},
        currency=currency,
        month=month,
        id=given_id or action_id("budget", currency, month, limit or "none"),
    )
    if is_json:
        print_json(done)
        return
    _table([cast("BudgetItem", done)])
