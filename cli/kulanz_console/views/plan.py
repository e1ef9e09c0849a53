"""*Plan*: what it will do, counted, before it happens; and a person's yes or no to exactly that."""

from datetime import datetime
from typing import Any

from kulanz.domain.campaigns.campaign import CAN_BE_REPLANNED, State
from kulanz.domain.campaigns.limits import MAJOR_UNITS, TIMES_MEDIAN
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.decision import Decision
from kulanz.domain.time import parse_instant
from kulanz_console.answered import summary
from kulanz_console.drawing.figures import ORDER
from kulanz_console.drawing.pictures import thin_bar
from kulanz_console.drawing.sections import HISTOGRAMS_SHOWN, KINDS, histogram
from kulanz_console.drawing.words import state_kind
from kulanz_console.paths import campaign_path
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.campaign_lines import line_of
from kulanz_console.views.forms import action_id, filled, on_campaign
from kulanz_console.visit import Answer, Done, Shown, Visit

REPLAN = "replan"
FORM = "Plan the same list again"
BY_COMMAND = "plan it again with replan"
"""What a refusal tells whoever has a shell."""
LARGEST_SHOWN = 10
WINDOWS_SHOWN = 3
SAME_SHOWN = 2


def show(visit: Visit) -> Shown:
    """The plan. After a form that was not taken, with what was filled in; where the plan is another one by now, that
    is said, and every yes has to be given anew.
    """
    plan, campaign = visit.together(
        lambda: visit.if_known("approvals.plan", **on_campaign(visit)),
        lambda: visit.ask("campaigns.one", None, **on_campaign(visit)),
    )
    if plan is None:
        is_made = campaign["state"] == State.PLANNING
        unplanned = {"campaign": campaign, "line": line_of(campaign), "is_made": is_made}
        return Shown("unplanned.html", visit.words("Plan {campaign}", campaign=campaign["campaign"]), unplanned)
    revision = visit.if_known("incidents.revision", incident=visit.of["incident"], revision=campaign["revision"])
    seen = visit.form.get("plan_hash", "")
    is_another = bool(seen) and seen != plan["plan_hash"]
    if is_another:
        visit.form = {"reason": filled(visit, "reason")}
    most = max((one["lines"] for one in plan["results"]), default=0)
    amounts = sorted(plan["amounts"], key=lambda one: -one["lines"])
    state, repeats = State(plan["state"]), plan["repeats"]
    waits = state is State.AWAITING_APPROVAL
    expired = waits and is_over(plan, visit.now)
    content = {
        "plan": plan,
        "kind": state_kind(state),
        "waits": waits and not expired,
        "is_over": expired,
        "repeated": repeats["repeated"] + repeats["contradicting"],
        "is_warned": is_warned(plan),
        "can_be_replanned": state in CAN_BE_REPLANNED,
        "heading": _title(revision) or plan["campaign"],
        "results": [
            (one, thin_bar(one["lines"], most, KINDS.get(RowResult(one["result"]), "rest")))
            for one in sorted(plan["results"], key=lambda one: (ORDER[RowResult(one["result"])], one["reason"]))
        ],
        "pictures": [histogram(one) for one in amounts[:HISTOGRAMS_SHOWN]],
        "pictures_left": max(0, len(amounts) - HISTOGRAMS_SHOWN),
        "largest": plan["largest"][:LARGEST_SHOWN],
        "windows_shown": WINDOWS_SHOWN,
        "same_shown": SAME_SHOWN,
        "limits": {name: visit.words.number(share) for name, share in plan["limits"].items()},
        "times_median": TIMES_MEDIAN,
        "major_units": MAJOR_UNITS,
        "looked_at": _looked_at(visit, plan["repeats"]),
        "granted": _sums(plan, RowResult.GRANTED),
        "is_another": is_another,
        "chosen": set() if is_another else set(visit.chosen.get("limit", ())),
        "ids": {name: action_id(visit, name) for name in ("approve", "reject", "replan")},
        "missing": max(0, plan["persons_needed"] - len(plan["approvals"])),
        "others": _others(plan),
    }
    return Shown("plan.html", visit.words("Plan {campaign}", campaign=plan["campaign"]), content)


def _others(plan: Answer) -> list[str]:
    """Whose yes does not count any more: whoever asked, and whoever has said it."""
    asked = [] if plan["lone_operator"] or not plan["requester"] else [plan["requester"]]
    return [*asked, *(one["person"] for one in plan["approvals"])]


def is_over(plan: Answer, now: datetime) -> bool:
    """Whether the time to approve a plan is over."""
    return now >= parse_instant(plan["approvable_until"])


def is_warned(plan: Answer) -> bool:
    """Whether something about the list of a plan looks wrong."""
    listed, repeats = plan["list"], plan["repeats"]
    rows = repeats["repeated"] + repeats["contradicting"] + repeats["nearly_equal"]
    return bool(listed["is_older"] or listed["same_as"] or rows or any(one["times"] for one in plan["usual"]))


def show_sample(visit: Visit) -> Shown:
    """Rows of the plan that its hash draws, each with its steps: every approver reads the same ones."""
    found = visit.ask("exports.sample", None, **on_campaign(visit))
    rows = [
        {**one, "came_to": "" if (body := one["decision"]) is None else summary(Decision.from_body(dict(body)))}
        for one in found["rows"]
    ]
    content = {"sample": found, "rows": rows}
    return Shown("sample.html", visit.words("Rows of the plan {campaign}", campaign=found["campaign"]), content)


def _title(revision: Answer | None) -> str:
    return "" if revision is None else str(revision["content"].get("title", ""))


def _looked_at(visit: Visit, repeats: Answer) -> str:
    rows = visit.words.number(repeats["rows_looked_at"])
    if repeats["whole_list"]:
        return str(visit.words("of {rows}", rows=rows))
    return str(visit.words("of {rows} looked at, a sample", rows=rows))


def _sums(plan: Answer, row_result: RowResult) -> dict[str, str]:
    return {one["measure"]: one["sum"] for one in plan["sums"] if one["result"] == row_result}


def approve(visit: Visit) -> Done:
    """A person's yes to the plan that was shown, with the limits that the person accepts."""
    body = {
        "action": "approve", "plan_hash": _hash(visit), "limits": sorted(set(visit.chosen.get("limit", ()))),
        "break_glass": filled(visit, "break_glass"),
    }  # fmt: skip
    return _acted(visit, body)


def reject(visit: Visit) -> Done:
    """A person's no: the campaign ends, and nothing is granted."""
    return _acted(visit, {"action": "reject", "plan_hash": _hash(visit), "reason": filled(visit, "reason")})


def replan(visit: Visit) -> Done:
    """Plan the same list again, as the next campaign of the incident."""
    return _acted(visit, {"action": REPLAN, "reason": filled(visit, "reason")})


def _hash(visit: Visit) -> str:
    seen = visit.form.get("plan_hash", "")
    if not seen:
        raise NotAnswered("the form names no plan; load the page again", Why.WRONG)
    return seen


def _acted(visit: Visit, body: dict[str, Any]) -> Done:
    if body["action"] != "approve" and not body["reason"]:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    try:
        done = visit.kulanz.act("approvals.act", body, **on_campaign(visit), id=action_id(visit, body["action"]))
    except NotAnswered as problem:
        raise NotAnswered(_by_form(problem), problem.why, problem.reason) from None
    if body["action"] == REPLAN:
        said = visit.words(
            "{campaign} plans the same list again. Its plan then waits for another person's approval.",
            campaign=done["campaign"],
        )
        return Done(f"/campaign/{campaign_path(done['campaign'])}", str(said))
    state = visit.words.code(done["state"])
    where = "plan" if done["state"] == State.AWAITING_APPROVAL else "campaign"
    path = f"/{where}/{campaign_path(done['campaign'])}"
    if body["action"] == "approve" and done["state"] == State.AWAITING_APPROVAL:
        said = visit.words(
            "{campaign}: your approval counts. It needs another person's, too.", campaign=done["campaign"]
        )
        return Done(path, str(said))
    return Done(path, str(visit.words("{campaign} is now: {state}.", campaign=done["campaign"], state=state)))


def _by_form(problem: NotAnswered) -> str:
    """Why it was refused; what a command would do is done by a form of the page."""
    if problem.reason == "approval_over":
        return f"The time to approve this plan is over. Use the form: {FORM}."
    return str(problem).replace(BY_COMMAND, f"use the form: {FORM}")
