"""*Budgets and halt*: what a month may cost and what is left of it; and stopping everything at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from kulanz_console.drawing.pictures import Bar, Segment, picture
from kulanz_console.drawing.said import Said, joined
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, filled
from kulanz_console.visit import Done, Shown, Visit

DAY_BEFORE = timedelta(days=1)
"""In a zone behind UTC it may still be the month of yesterday: the stack says which month it is."""


def show(visit: Visit) -> Shown:
    """Both of them, with their forms for whoever may."""
    halt, (budgets, is_more) = visit.together(
        lambda: visit.ask("halts.current"),
        lambda: visit.pages("budgets.since", "budgets", month=f"{visit.now - DAY_BEFORE:%Y-%m}"),
    )
    content = {
        "halt": halt,
        "budgets": budgets,
        "is_more": is_more,
        "picture_of": picture("Spent, reserved and left", [_bar(one) for one in budgets if one["limit"] is not None]),
        "ids": {name: action_id(visit, name) for name in ("halt", "budget")},
        "month": f"{visit.now:%Y-%m}",
    }
    return Shown("money.html", visit.words("Budgets and halt"), content)


def _bar(one: dict[str, Any]) -> Bar:
    limit, reserved = Decimal(one["limit"]), Decimal(one["reserved"])
    spent = max(Decimal(0), Decimal(one["spent"]) - Decimal(one["voided"]))
    left = limit - spent - reserved
    parts = [(spent, "granted", "spent"), (reserved, "waiting", "reserved"), (left, "rest", "left")]
    said = [Said("{sum} {where}", sum=f"{size:,} {one['currency']}", where=name) for size, _, name in parts if size > 0]
    beyond = Said("{sum} beyond the budget", sum=f"{-left:,} {one['currency']}") if left < 0 else ""
    words = joined("; ", (joined(", ", said), beyond))
    segments = [Segment(size, kind) for size, kind, _ in parts if size > 0]
    return Bar(f"{one['month']} {one['currency']}", f"{limit:,}", segments, words)


def halt(visit: Visit) -> Done:
    """Halt the stack, or say that it may go on."""
    action, reason = visit.form.get("action", ""), filled(visit, "reason")
    if not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    done = visit.kulanz.act("halts.act", {"action": action, "reason": reason}, id=action_id(visit, "halt"))
    if not done["halted"]:
        return Done("/money", str(visit.words("The stack goes on.")))
    missing = done["needed"] - len(done["lifted_by"])
    said = visit.words("The stack is halted. Persons who must still say that it may go on: {number}.", number=missing)
    return Done("/money", str(said))


def set_budget(visit: Visit) -> Done:
    """Set what a currency may cost in a month."""
    reason, currency, month = filled(visit, "reason"), filled(visit, "currency").upper(), filled(visit, "month")
    if not (reason and currency and month):
        raise NotAnswered("state month, currency, amount and reason", Why.WRONG)
    body = {"limit": filled(visit, "limit"), "reason": reason}
    done = visit.kulanz.act("budgets.act", body, currency=currency, month=month, id=action_id(visit, "budget"))
    said = visit.words("The budget of {month} in {currency} is set.", month=done["month"], currency=done["currency"])
    return Done("/money", str(said))
