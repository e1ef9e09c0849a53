"""*Waiting for you*: plans, troubles, what is late, and whether the stack is halted."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.people.yes import Yes
from kulanz.domain.time import parse_instant
from kulanz_console.port import NotAnswered
from kulanz_console.views import cases, rejects, voids
from kulanz_console.views.campaign_lines import CampaignLine, line_of
from kulanz_console.views.months import last_months
from kulanz_console.views.plan import is_warned
from kulanz_console.visit import Answer, Shown, Visit

MONTHS_OF_CASES = 2
PLANS_LOOKED_AT = 5
"""Plans of which the first page says whether their list has a warning, those with the nearest end first: one question
each, at once. It counts the others, and leads to the page that looks at them, too.
"""
PLANS_LOOKED_AT_MOST = 40
"""Plans of which that page says it; it reads so many campaigns that wait, and says where there are more."""
EVERY_LIST = "all"
COUNTS = Yes.COUNTS.value
NOTHING_LATE: Answer = {"overdue": [], "due_soon": []}


def show(visit: Visit) -> Shown:
    """The first page. What a role may not read is left out."""
    reads, bills = visit.may("halts.current"), visit.may("acknowledgements.overdue")
    month, is_every = f"{visit.now:%Y-%m}", visit.query.get("lists", "") == EVERY_LIST
    halt, waiting, troubles, drafts, refused, late, deliveries, queue, proposals, goodwill, open_voids, rejected = (
        visit.together(
            lambda: visit.ask("halts.current") if reads else None,
            lambda: _waiting(visit, is_every=is_every) if reads else ([], [], False),
            lambda: visit.ask("campaigns.troubles")["troubles"] if reads else [],
            lambda: visit.pages("drafts.of_month", "drafts", month=month)[0] if reads else [],
            lambda: visit.ask("incidents.refused") if reads else None,
            lambda: visit.ask("acknowledgements.overdue") if bills else NOTHING_LATE,
            lambda: visit.ask("deliveries.waiting")["deliveries"] if visit.may("deliveries.waiting") else [],
            lambda: _cases(visit) if visit.may("cases.of_month") else [],
            lambda: cases.proposed(visit)[0] if visit.may("cases.of_month") else [],
            lambda: _goodwill(visit) if visit.may("goodwill.waiting") else [],
            lambda: visit.ask("voids.waiting")["voids"] if reads else [],
            lambda: rejects.waiting_in(visit) if bills else [],
        )
    )
    campaigns, kept, is_more = waiting
    open_drafts = [one for one in drafts if one["state"] not in ("confirmed", "dismissed")]
    plans = [one for one in campaigns if one.state == State.AWAITING_APPROVAL]
    over = {one.id for one in plans if one.approvable_until and visit.now >= parse_instant(one.approvable_until)}
    plans.sort(key=lambda one: (one.id in over, one.approvable_until, one.id))
    looked_at = _looked_at(visit, plans[: PLANS_LOOKED_AT_MOST if is_every else PLANS_LOOKED_AT])
    warned = {name: is_warned(plan) for name, plan in looked_at.items()}
    content = {
        "halt": halt,
        "plans": plans,
        "over": over,
        "warned": warned,
        "of_others": {name for name, plan in looked_at.items() if plan["your_yes"] != COUNTS},
        "with_warning": sum(warned.values()),
        "every_list": "" if is_every else f"/?lists={EVERY_LIST}",
        "stopped": [one for one in campaigns if one.state != State.AWAITING_APPROVAL],
        "kept": kept,
        "is_more": is_more,
        "troubles": troubles,
        "drafts": open_drafts,
        "refused": [] if refused is None else refused["events"],
        "late": late,
        "deliveries": deliveries,
        "cases": queue,
        "kinds": cases.KINDS,
        "proposed": proposals,
        "goodwill": goodwill,
        "voids": [voids.listed(one) for one in open_voids],
        "rejects": rejected,
        "is_calm": not any((campaigns, kept, troubles, open_drafts, late["overdue"], late["due_soon"], deliveries))
        and not any((queue, proposals, goodwill, open_voids, rejected))
        and not (refused and refused["events"]),
    }
    return Shown("waiting.html", visit.words("Waiting for you"), content)


def _looked_at(visit: Visit, plans: Sequence[CampaignLine]) -> dict[str, Answer]:
    """The plans themselves. Those that have gone or cannot be read now are missing."""
    found = visit.together(*(partial(_plan, visit, one.id) for one in plans))
    return {one.id: plan for one, plan in zip(plans, found, strict=True) if plan is not None}


def _plan(visit: Visit, campaign: str) -> Answer | None:
    named = CampaignId.parse(campaign)
    try:
        return visit.ask("approvals.plan", None, incident=named.incident_id, seq=named.seq)
    except NotAnswered:  # its line says that it is to be opened, and its page says why; the others are shown
        return None


def _cases(visit: Visit) -> list[Any]:
    """Campaigns of the last months with cases that somebody can decide; the page of cases has those of earlier ones."""
    found = cases.waiting_in(visit, last_months(visit.now, MONTHS_OF_CASES))
    return [cases.line_of_queue(one, visit) for one in found if one["closed"] is None]


def _goodwill(visit: Visit) -> list[Any]:
    return [one for one in visit.ask("goodwill.waiting")["waiting"] if one["state"] == "waiting"]


def _waiting(visit: Visit, *, is_every: bool) -> tuple[list[Any], list[Any], bool]:
    """What waits, the requests that are kept, and whether there is more: the first answer, or as many as looked at."""
    answer = visit.ask("campaigns.waiting")
    found, kept = list(answer["campaigns"]), answer["kept"]
    while is_every and answer["next"] is not None and len(found) < PLANS_LOOKED_AT_MOST:
        answer = visit.ask("campaigns.waiting", {"cursor": answer["next"]})
        found += answer["campaigns"]
    return [line_of(item) for item in found], kept, answer["next"] is not None
