"""*Account*: one search for one exact id, and what is true of it now, before any history."""

from typing import TYPE_CHECKING, Any, cast

from kulanz.domain.identifiers import month_of_goodwill
from kulanz_console import answered
from kulanz_console.paths import url
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, reasons_of
from kulanz_console.visit import Done, Shown, Visit

if TYPE_CHECKING:
    from kulanz.application.door.accounts import AskAnswer

KINDS = {"granted": "closed", "offered": "waits", "held": "waits", "referred": "waits"}
"""The class of a state's label; the others are stopped."""


def show(visit: Visit) -> Shown:
    """The search, and the answer where an id was given."""
    account = visit.query.get("id", visit.of.get("account", "")).strip()
    incident = visit.query.get("incident", visit.form.get("incident", "")).strip() or None
    subject = visit.query.get("subject", "").strip() or None
    content: dict[str, Any] = {"account": account, "incident": incident, "subject": subject, "answer": None}
    if not account:
        return Shown("account.html", visit.words("Account"), content)
    query = {"incident": incident, "subject": subject}
    answer, reasons, given = visit.together(
        lambda: visit.ask("accounts.ask", query, account=account),
        lambda: reasons_of(visit) if visit.may("goodwill.give") else [],
        lambda: _given_before(visit, account) if visit.may("goodwill.give") else [],
    )
    found = cast("AskAnswer", answer)
    content |= {
        "reasons": reasons,
        "given": given,
        "void_id": action_id(visit, "void"),
        "goodwill_id": action_id(visit, "goodwill"),
        "answer": found,
        "standings": answered.standings(found),
        "said": answered,
        "kinds": KINDS,
        "looked_in": answered.looked_in(found["campaigns"]),
        "accept_id": action_id(visit, "accept"),
    }
    return Shown("account.html", visit.words("Account {account}", account=account), content)


def _given_before(visit: Visit, account: str) -> list[tuple[str, str, str]]:
    """What the account was given by hand, and what waits to be: the id, the amount and the state of each."""
    answer, waiting = visit.together(
        lambda: visit.ask("accounts.ask", None, account=account), lambda: visit.ask("goodwill.waiting")["waiting"]
    )
    standings = [
        one for one in answered.standings(cast("AskAnswer", answer)) if month_of_goodwill(one.content["incident_id"])
    ]
    given = [(one.content["subject"], answered.what_words(one), one.content["state"]) for one in standings]
    return given + [(one["id"], one["amount"], one["state"]) for one in waiting if one["account_id"] == account]


def accept(visit: Visit) -> Done:
    """Accept an offer for the customer, once."""
    account, incident = visit.of["account"], visit.of["incident"]
    campaign = visit.form.get("campaign", "")
    if not campaign.isdecimal():
        raise NotAnswered("the form names no campaign; load the page again", Why.WRONG)
    content = {"subject": visit.form.get("subject", ""), "campaign": int(campaign)}
    done = visit.kulanz.act(
        "acceptances.accept", content, account=account, incident=incident, id=action_id(visit, "accept")
    )
    said = visit.words("The offer is accepted: granted by campaign {campaign}.", campaign=done["campaign"])
    return Done(url("/account", id=account, incident=incident), str(said))
