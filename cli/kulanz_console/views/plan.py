"""*Plan*: what it will do, counted, before it happens; and a person's yes or no to exactly that."""

from typing import Any

from kulanz.domain.campaigns.campaign import CAN_BE_REPLANNED, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.decision import Decision
from kulanz_console.answered import summary
from kulanz_console.drawing.figures import ORDER
from kulanz_console.drawing.pictures import thin_bar
from kulanz_console.drawing.sections import HISTOGRAMS_SHOWN, KINDS, histogram
from kulanz_console.drawing.words import state_kind
from kulanz_console.paths import campaign_path
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, filled, on_campaign
from kulanz_console.visit import Answer, Done, Shown, Visit

LARGEST_SHOWN = 10
WINDOWS_SHOWN = 3
SAME_SHOWN = 2


def show(visit: Visit) -> Shown:
    """The plan. After a form that was not taken, with what was filled in; where the plan is another one by now, that
    is said, and every yes has to be given anew.
    """
    plan, campaign = visit.together(
        lambda: visit.ask("approvals.plan", None, **on_campaign(visit)),
        lambda: visit.ask("campaigns.one", None, **on_campaign(visit)),
    )
    revision = visit.if_known("incidents.revision", incident=visit.of["incident"], revision=campaign["revision"])
    seen = visit.form.get("plan_hash", "")
    is_another = bool(seen) and seen != plan["plan_hash"]
    if is_another:
        visit.form = {"reason": filled(visit, "reason")}
    most = max((one["lines"] for one in plan["results"]), default=0)
    amounts = sorted(plan["amounts"], key=lambda one: -one["lines"])
    state = State(plan["state"])
    content = {
        "plan": plan,
        "kind": state_kind(state),
        "waits": state is State.AWAITING_APPROVAL,
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
        "looked_at": _looked_at(visit, plan["repeats"]),
        "granted": _sums(plan, RowResult.GRANTED),
        "is_another": is_another,
        "chosen": set() if is_another else set(visit.chosen.get("limit", ())),
        "ids": {name: action_id(visit, name) for name in ("approve", "reject", "replan")},
        "missing": max(0, plan["persons_needed"] - len(plan["approvals"])),
    }
    return Shown("plan.html", visit.words("Plan {campaign}", campaign=plan["campaign"]), content)


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
    return _acted(visit, {"action": "replan", "reason": filled(visit, "reason")})


def _hash(visit: Visit) -> str:
    seen = visit.form.get("plan_hash", "")
    if not seen:
        raise NotAnswered("the form names no plan; load the page again", Why.WRONG)
    return seen


def _acted(visit: Visit, body: dict[str, Any]) -> Done:
    if body["action"] != "approve" and not body["reason"]:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    done = visit.kulanz.act("approvals.act", body, **on_campaign(visit), id=action_id(visit, body["action"]))
    state = visit.words.code(done["state"])
    where = "plan" if done["state"] == State.AWAITING_APPROVAL else "campaign"
    path = f"/{where}/{campaign_path(done['campaign'])}"
    return Done(path, str(visit.words("{campaign} is now: {state}.", campaign=done["campaign"], state=state)))
