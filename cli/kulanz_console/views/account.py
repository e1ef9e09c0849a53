"""*Account*: one search for one exact id, and what is true of it now, before any history."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Outcome
from kulanz.domain.identifiers import month_of_goodwill
from kulanz_console import answered
from kulanz_console.paths import url
from kulanz_console.port import NotAnswered, Why
from kulanz_console.still_open import may_reduce
from kulanz_console.views.cases import CONFLICT, case_path
from kulanz_console.views.forms import action_id, reasons_of
from kulanz_console.views.voids import listed
from kulanz_console.visit import Answer, Done, Shown, Visit

if TYPE_CHECKING:
    from kulanz.application.door.accounts import AskAnswer

KINDS = {"granted": "closed", "offered": "waits", "held": "waits", "referred": "waits"}
"""The class of a state's label; the others are stopped."""
CAMPAIGNS_LOOKED_AT = 3
"""Campaigns whose lists are searched for rows that contradict what was decided: one question each, at once."""


def show(visit: Visit) -> Shown:
    """The search, and the answer where an id was given."""
    account = visit.query.get("id", visit.of.get("account", "")).strip()
    incident = visit.query.get("incident", visit.form.get("incident", "")).strip() or None
    subject = visit.query.get("subject", "").strip() or None
    content: dict[str, Any] = {"account": account, "incident": incident, "subject": subject, "answer": None}
    if not account:
        return Shown("account.html", visit.words("Account"), content)
    query = {"incident": incident, "subject": subject}
    gives, is_whole = visit.may("goodwill.give"), incident is None and subject is None
    answer, reasons, goodwill, voids, whole = visit.together(
        lambda: visit.ask("accounts.ask", query, account=account),
        lambda: reasons_of(visit) if gives else [],
        lambda: visit.ask("goodwill.waiting")["waiting"] if visit.may("goodwill.waiting") else [],
        lambda: visit.ask("voids.waiting")["voids"] if visit.may("halts.current") else [],
        lambda: visit.ask("accounts.ask", None, account=account) if gives and not is_whole else None,
    )
    found = cast("AskAnswer", answer)
    its_goodwill = [one for one in goodwill if one["account_id"] == account]
    content |= {
        "reasons": reasons,
        "given": _given_before(cast("AskAnswer", whole or answer), its_goodwill) if gives else [],
        "conflicts": _conflicts(visit, found) if visit.may("cases.of_month") else [],
        "waiting_goodwill": [one for one in its_goodwill if one["state"] == "waiting"],
        "open_voids": _voids_of(found, voids),
        "void_id": action_id(visit, "void"),
        "goodwill_id": action_id(visit, "goodwill"),
        "answer": found,
        "standings": answered.standings(found),
        "said": answered,
        "kinds": KINDS,
        "looked_in": answered.looked_in(found["campaigns"]),
        "at_work": answered.at_work(found),
        "accept_id": action_id(visit, "accept"),
    }
    return Shown("account.html", visit.words("Account {account}", account=account), content)


def show_past(visit: Visit) -> Shown:
    """All that was ever decided under an id, also about whoever had it before, for an auditor: read, and not acted on.
    What the id's present account is not shown is marked.
    """
    account, incident = visit.query.get("id", "").strip(), visit.query.get("incident", "").strip() or None
    content: dict[str, Any] = {"account": account, "incident": incident, "answer": None}
    if not account:
        return Shown("past.html", visit.words("Decisions from before an id changed hands"), content)
    present, whole = visit.together(
        lambda: visit.ask("accounts.ask", {"incident": incident}, account=account),
        lambda: visit.ask("accounts.ask_past", {"incident": incident}, account=account),
    )
    found, shown = cast("AskAnswer", whole), {_decided(one) for one in present["decisions"]}
    content |= {
        "answer": found,
        "withheld": present["withheld"],
        "standings": answered.standings(found),
        "older": {_decided(one) for one in found["decisions"]} - shown,
        "key_of": _decided,
        "said": answered,
    }
    return Shown("past.html", visit.words("Account {account}", account=account), content)


def _decided(decision: Any) -> tuple[str, str]:
    """What tells the decisions of an answer apart."""
    return decision["campaign"], decision["subject"]


def _given_before(answer: "AskAnswer", waiting: Sequence[Answer]) -> list[tuple[str, str, str]]:
    """What the account was given by hand, and what waits to be: the id, the amount and the state of each."""
    standings = [one for one in answered.standings(answer) if month_of_goodwill(one.content["incident_id"])]
    given = [(one.content["subject"], answered.what_words(one), one.content["state"]) for one in standings]
    return given + [(one["id"], one["amount"], one["state"]) for one in waiting]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Rows of a campaign's list that contradict what was decided of the account: the path of each as a case.

    `is_more`: the list is longer than what was looked at. `closed` is why nobody can decide them now, and `failed` why
    they could not be looked up.
    """

    campaign: str
    paths: Sequence[str] = ()
    until: str = ""
    closed: str = ""
    is_more: bool = False
    failed: str = ""


def _conflicts(visit: Visit, answer: "AskAnswer") -> list[Conflicts]:
    """Those campaigns that stand last with an incident, where a row contradicts the account's, or may do so."""
    last = [one.decisions[-1].content["campaign"] for one in answered.standings(answer)]
    campaigns = list(dict.fromkeys(one for one in last if not month_of_goodwill(one.rpartition("/")[0])))
    looked_at = campaigns[:CAMPAIGNS_LOOKED_AT]
    found = visit.together(*(partial(_conflicts_in, visit, one, answer["account_id"]) for one in looked_at))
    found += [Conflicts(one, is_more=True) for one in campaigns[CAMPAIGNS_LOOKED_AT:]]
    return [one for one in found if one.paths or one.is_more or one.failed]


def _conflicts_in(visit: Visit, campaign: str, account: str) -> Conflicts:
    named = CampaignId.parse(campaign)
    try:
        found = visit.ask("cases.of_campaign", {"kind": CONFLICT}, incident=named.incident_id, seq=named.seq)
    except NotAnswered as problem:
        return Conflicts(campaign, failed=str(problem))
    paths = [case_path({**one, "campaign": campaign}) for one in found["cases"] if one["account_id"] == account]
    closed = "" if found["closed"] is None else found["closed"]["says"]
    return Conflicts(campaign, paths, found["decidable_until"], closed, found["next"] is not None)


def _voids_of(answer: "AskAnswer", voids: Sequence[Answer]) -> list[dict[str, Any]]:
    """Voids that are not over and may take back what a campaign granted the account: it may be among what they void."""
    granted = {one["campaign"] for one in answer["decisions"] if one["status"] == Outcome.GRANTED}
    return [listed(one) for one in voids if any(may_reduce(one, campaign) for campaign in granted)]


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
