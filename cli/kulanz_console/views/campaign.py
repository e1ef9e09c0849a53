"""*Campaign*: its reconciliation as a picture and as figures, its rows with a problem, its log, and how to stop it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from kulanz.domain.campaigns.campaign import ENDED, State
from kulanz_console.drawing.figures import figures_of
from kulanz_console.drawing.sections import amounts_section, law_section, reconciliation_section, results_section
from kulanz_console.drawing.sources import Sources
from kulanz_console.drawing.ways import is_compared, is_for_a_person, is_late, rest_of
from kulanz_console.drawing.words import sentence, state_kind
from kulanz_console.paths import campaign_path
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views import voids as voided
from kulanz_console.views.campaign_lines import line_of
from kulanz_console.views.forms import action_id, filled, on_campaign
from kulanz_console.visit import Answer, Done, Shown, Visit
from kulanz_console.words import Words

LINES_SHOWN = 20
"""Line numbers that are named for each reason."""
STOPS: Mapping[State, Sequence[str]] = {
    State.PLANNING: ("pause", "cancel"),
    State.AWAITING_APPROVAL: ("cancel",),
    State.APPLYING: ("pause", "cancel"),
    State.PAUSED: ("resume", "cancel"),
    State.FLAGGED: ("settle", "cancel"),
}
"""What an operator is offered in a state; the API decides whether it can be done."""


def show(visit: Visit) -> Shown:
    """The campaign as it stands."""
    of = on_campaign(visit)
    campaign = visit.ask("campaigns.one", None, **of)
    reconciled, log, plan, revision, published, rejected, bill, voids = visit.together(
        lambda: visit.ask("campaigns.reconciliation", None, **of),
        lambda: visit.ask("campaigns.log", None, **of)["log"],
        lambda: visit.if_known("approvals.plan", **of),
        lambda: visit.if_known("incidents.revision", incident=of["incident"], revision=campaign["revision"]),
        lambda: _policy(visit, campaign),
        lambda: visit.ask("campaigns.rejected", None, **of),
        lambda: visit.if_known("acknowledgements.of_campaign", **of) if visit.may("deliveries.waiting") else None,
        lambda: visit.ask("voids.of_campaign", None, **of)["voids"],
    )
    sources = Sources(
        campaign=cast("Any", campaign), report=reconciled["report"], is_whole=reconciled["whole"],
        law=reconciled["law"], log=log, plan=plan,
        title="" if revision is None else str(revision["content"].get("title", "")),
        policy=None if published is None else published["document"], made_at=visit.now,
    )  # fmt: skip
    figures = figures_of(sources.report)
    state = State(campaign["state"])
    content = {
        "campaign": campaign,
        "line": line_of(campaign),
        "heading": sources.title or campaign["campaign"],
        "kind": state_kind(state),
        "sentence": sentence(sources, figures),
        "has_ended": state in ENDED,
        "totals": figures.totals,
        "results": results_section(figures),
        "amounts": amounts_section(sources),
        "reconciliation": reconciliation_section(sources, figures),
        "law": law_section(sources),
        "log": log,
        "plan": plan,
        "problems": _by_reason(rejected["rows"], visit.words),
        "problems_more": rejected["next"] is not None,
        "byte": next((one["offset"] for one in rejected["rows"]), None),
        "refused": rejected["refused"],
        "repeats": None if plan is None else plan["repeats"],
        "bill": bill,
        "is_compared": bill is not None and is_compared([bill]),
        "rest": [] if bill is None else rest_of([bill]),
        "voids": [voided.listed(one) for one in voids],
        "is_granted": any(one.granted for one in figures.totals),
        "void_id": action_id(visit, "void"),
        "is_overpaid": state is State.CLOSED and bool(figures.overpaid),
        "is_late": bill is not None and is_late(bill),
        "has_rejects": bill is not None
        and any(map(is_for_a_person, bill["lines"])),
        "stops": STOPS.get(state, ()),
        "id": action_id(visit, "stop"),
        "digest": visit.form.get("decides_by", ""),
    }  # fmt: skip
    return Shown("campaign.html", visit.words("Campaign {campaign}", campaign=campaign["campaign"]), content)


def _policy(visit: Visit, campaign: Answer) -> Answer | None:
    policy = campaign["report"]["policy"]
    return visit.if_known("policies.one", policy=policy["id"], version=policy["version"])


def _by_reason(rows: Sequence[Mapping[str, Any]], words: Words) -> list[tuple[str, int, list[str]]]:
    """Rows with a problem by reason, the most frequent first; each with its first places."""
    counts = Counter(one["reason"] for one in rows)
    places: dict[str, list[str]] = {}
    for one in rows:
        places.setdefault(one["reason"], []).append(_place(one, words))
    return [(reason, number, places[reason][:LINES_SHOWN]) for reason, number in counts.most_common()]


def _place(one: Mapping[str, Any], words: Words) -> str:
    """Where a row starts: by its byte, as cases name it, and by its line where that is known."""
    byte = words.number(one["offset"])
    if one["line"] is None:
        return str(words("byte {byte}", byte=byte))
    return str(words("line {line} (byte {byte})", line=words.number(one["line"]), byte=byte))


def stop(visit: Visit) -> Done:
    """Pause, resume, cancel or settle, with a reason."""
    action, reason = visit.form.get("action", ""), filled(visit, "reason")
    if not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    body = {"action": action, "reason": reason}
    if digest := filled(visit, "decides_by"):
        body["decides_by"] = digest
    of = on_campaign(visit)
    done = visit.kulanz.act("stops.act", body, **of, id=action_id(visit, "stop"))
    state = visit.words.code(done["state"])
    said = visit.words("{campaign} is now: {state}.", campaign=done["campaign"], state=state)
    return Done(f"/campaign/{campaign_path(done['campaign'])}", str(said))
