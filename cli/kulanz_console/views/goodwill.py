"""*Goodwill*: something that no policy owes, given on the page of an account; above a limit by two persons."""

from typing import Any

from kulanz.application.door.parameters import is_action_id
from kulanz.domain.byhand.goodwill import GOODWILL_ID_EXPECTED, is_goodwill_id
from kulanz_console.paths import url
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, filled
from kulanz_console.visit import Done, Shown, Visit

FURTHER = {"note": "note", "incident": "about", "ticket": "ticket", "repeat_of": "repeat_of"}
"""What may be left out, by its name in the API, and the form's field. The field `incident` of the page is a search."""


def show(visit: Visit) -> Shown:
    """What waits for a second person."""
    found = visit.ask("goodwill.waiting")["waiting"]
    again = visit.of.get("goodwill", "")
    content = {
        "waiting": [{**one, "form_id": action_id(visit, "goodwill", is_again=one["id"] == again)} for one in found],
        "again": again,
    }
    return Shown("goodwill.html", visit.words("Goodwill"), content)


def decide(visit: Visit) -> Done:
    """Approve, as the second person, what waits, or reject it."""
    action, reason = visit.form.get("action", ""), filled(visit, "reason")
    if action == "reject" and not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    body = {"action": action, **({"reason": reason} if action == "reject" else {})}
    done = visit.kulanz.act("goodwill.decide", body, goodwill=visit.of["goodwill"], id=action_id(visit, "goodwill"))
    return Done("/goodwill", _said(visit, done))


def give(visit: Visit) -> Done:
    """Give an account something anyway. The number of the ticket is its id, so that one ticket gives once."""
    content: dict[str, Any] = {name: filled(visit, name) for name in ("amount", "measure", "reason")}
    if not all(content.values()):
        raise NotAnswered("state the amount, its currency or unit, and a reason", Why.WRONG)
    content |= {name: text for name, field in FURTHER.items() if (text := filled(visit, field))}
    named = content.get("ticket") or action_id(visit, "goodwill")
    if not is_goodwill_id(named) or not is_action_id(named):
        raise NotAnswered(f"ticket: expected {GOODWILL_ID_EXPECTED}", Why.WRONG)
    account = visit.of["account"]
    done = visit.kulanz.act("goodwill.give", content, account=account, goodwill=named)
    return Done(url("/account", id=account), _said(visit, done))


def _said(visit: Visit, done: Any) -> str:
    match done["state"]:
        case "given":
            said = visit.words(
                "{amount} are given. The account's page says where they stand on their way to a bill.",
                amount=done["amount"],
            )
        case "waiting":
            said = visit.words("{amount} wait for a second person. Nothing is given before.", amount=done["amount"])
        case "rejected":
            said = visit.words("The goodwill of {amount} is rejected. Nothing is given.", amount=done["amount"])
        case _:
            said = visit.words("{amount} waited too long, and are not given. Ask again.", amount=done["amount"])
    return str(said)
