"""*Waiting for you*: plans, troubles, what is late, and whether the stack is halted."""

from typing import Any

from kulanz.domain.campaigns.campaign import State
from kulanz_console.views.campaign_lines import line_of
from kulanz_console.visit import Answer, Shown, Visit

NOTHING_LATE: Answer = {"overdue": [], "due_soon": []}


def show(visit: Visit) -> Shown:
    """The first page. What a role may not read is left out."""
    reads, bills = visit.may("halts.current"), visit.may("acknowledgements.overdue")
    month = f"{visit.now:%Y-%m}"
    halt, waiting, troubles, drafts, refused, late, deliveries = visit.together(
        lambda: visit.ask("halts.current") if reads else None,
        lambda: _waiting(visit) if reads else ([], [], False),
        lambda: visit.ask("campaigns.troubles")["troubles"] if reads else [],
        lambda: visit.pages("drafts.of_month", "drafts", month=month)[0] if reads else [],
        lambda: visit.ask("incidents.refused") if reads else None,
        lambda: visit.ask("acknowledgements.overdue") if bills else NOTHING_LATE,
        lambda: visit.ask("deliveries.waiting")["deliveries"] if visit.may("deliveries.waiting") else [],
    )
    campaigns, kept, is_more = waiting
    open_drafts = [one for one in drafts if one["state"] != "confirmed"]
    plans = [one for one in campaigns if one.state == State.AWAITING_APPROVAL]
    content = {
        "halt": halt,
        "plans": plans,
        "stopped": [one for one in campaigns if one.state != State.AWAITING_APPROVAL],
        "kept": kept,
        "is_more": is_more,
        "troubles": troubles,
        "drafts": open_drafts,
        "refused": [] if refused is None else refused["events"],
        "late": late,
        "deliveries": deliveries,
        "is_calm": not any((campaigns, kept, troubles, open_drafts, late["overdue"], late["due_soon"], deliveries))
        and not (refused and refused["events"]),
    }
    return Shown("waiting.html", visit.words("Waiting for you"), content)


def _waiting(visit: Visit) -> tuple[list[Any], list[Any], bool]:
    first = visit.ask("campaigns.waiting")
    return [line_of(item) for item in first["campaigns"]], first["kept"], first["next"] is not None
