"""Budgets: what a currency may cost in a month, set by administrators and read by everybody who reads campaigns."""

from typing import Annotated, TypedDict

from pydantic import Field

from kulanz.application.budgets.set_budget import (
    LIMIT_DIGITS_MOST,
    BudgetReserved,
    SetBudgetPorts,
    limit_of,
    set_budget,
)
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.application.ports import Refused
from kulanz.domain.budgets import Budget, LimitSet
from kulanz.domain.money import AmountError, format_minor, minor_units

BUDGET_VERSION = 1


class BudgetBody(Body):
    """What the month may cost, as an amount of its currency such as 250000.00, and why.

    One with more decimals than the currency has is refused. `null` removes the budget: then nothing is refused any
    more. While something is reserved that is refused with the reason `budget_reserved`.
    """

    limit: Annotated[str, Field(pattern=rf"^[0-9]{{1,{LIMIT_DIGITS_MOST}}}([.][0-9]{{1,3}})?$")] | None
    reason: Reason


class BudgetItem(TypedDict):
    """A month's budget in one currency; amounts such as 250000.00.

    `voided` is what voids of this month took back, and can be spent again. `limit` and `left` are null where none is
    set: then nothing is refused. `left` is below zero where customers took what they have a right to, or the limit was
    set lower than what was reserved.
    """

    currency: str
    month: str
    limit: str | None
    reserved: str
    spent: str
    voided: str
    left: str | None


class BudgetAnswer(BudgetItem):
    """One budget."""

    v: int


class BudgetsAnswer(TypedDict):
    """Some budgets, by month and currency; `next` is the cursor of the rest, null where these are all that are left.

    `month` is the present one, in the stack's zone for budgets.
    """

    v: int
    month: str
    budgets: list[BudgetItem]
    next: str | None


def since(asked: Asked, door: Door) -> BudgetsAnswer:
    """The budgets of a month and of those after it: with a limit, or drawn on without one."""
    page = door.budgets.budgets_since(asked.of["month"], read_cursor(asked.question, asked.query.get("cursor")))
    return {
        "v": BUDGET_VERSION,
        "month": door.gate.budget_month(asked.now),
        "budgets": [_item(one) for one in page.found],
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }


def act(asked: Asked, door: Door) -> BudgetAnswer:
    """Set what a currency may cost in a month, or remove that."""
    body = read_body(BudgetBody, asked.body)
    currency, month = asked.of["currency"], asked.of["month"]
    try:
        limit = None if body.limit is None else limit_of(body.limit, currency)
    except AmountError as error:
        wrong: FieldProblem = {"field": "limit", "expected": str(error)}
        raise Problem(Kind.REFUSED, str(error), reason="limit_decimals", errors=[wrong]) from None
    setting = LimitSet(asked.of["id"], currency, month, limit, asked.caller.id, body.reason, asked.now)
    try:
        found = set_budget(setting, SetBudgetPorts(door.campaigns, door.budgets))
    except BudgetReserved as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason="budget_reserved") from None
    except Refused as refusal:
        raise Problem(Kind.REFUSED, str(refusal)) from None
    return {"v": BUDGET_VERSION, **_item(found)}


def _item(budget: Budget) -> BudgetItem:
    decimals = minor_units(budget.currency)
    return {
        "currency": budget.currency,
        "month": budget.month,
        "limit": None if budget.limit is None else format_minor(budget.limit, decimals),
        "reserved": format_minor(budget.reserved, decimals),
        "spent": format_minor(budget.spent, decimals),
        "voided": format_minor(budget.voided, decimals),
        "left": None if budget.left is None else format_minor(budget.left, decimals),
    }
