"""*Voids*: what is unused is taken back: asked for, planned, approved by another to exactly that plan, then written."""

from collections.abc import Mapping
from typing import Any

from kulanz.domain.delivery.void import VoidState
from kulanz_console.paths import campaign_path, segment
from kulanz_console.port import NotAnswered, Why
from kulanz_console.still_open import OVERPAID
from kulanz_console.views.forms import action_id, filled, on_campaign
from kulanz_console.visit import Answer, Done, Shown, Visit

SHARES: Mapping[str, str] = {
    "voidable": "unused: would be taken back",
    "voided": "taken back",
    "changed": "used or delivered since the plan",
    "used": "on bills: stays",
    "expired": "expired: stays",
    "at_biller": "delivered to the biller: stays until the biller answers",
    "voided_before": "taken back before",
    "written_off": "written off",
    "assigned_once": "rejected or taken back by the biller: stays",
    "repeated": "named twice in the list: taken back once",
    "asked_before": "asked back of the biller before",
    "askable": "at the biller: would be asked back",
    "asked_back": "asked back of the biller: taken back once the biller has booked it",
    "not_asked": "moved at the biller since the plan: not asked back",
}
"""The shares of what was granted, in words."""
STATES: Mapping[VoidState, str] = {
    VoidState.VOIDED: "closed",
    VoidState.REJECTED: "stopped",
    VoidState.FLAGGED: "stopped",
    VoidState.SETTLED: "stopped",
}
"""The class of a state's label; the others wait."""


def path_of(one: Mapping[str, Any]) -> str:
    """The page of a void."""
    return f"/void/{campaign_path(one['campaign'])}/{segment(one['void'])}"


def listed(one: Answer) -> dict[str, Any]:
    """A void as a line of a list."""
    return {**one, "path": path_of(one), "kind": STATES.get(VoidState(one["state"]), "waits")}


def show(visit: Visit) -> Shown:
    """A void: what it would take back or took back, who agreed, and what can be done with its plan."""
    one = visit.ask("voids.one", None, **on_campaign(visit), void=visit.of["void"])
    seen = visit.form.get("plan_hash", "")
    content = {
        "void": listed(one),
        "is_overpaid": one["about"] == OVERPAID,
        "waits": one["state"] == VoidState.AWAITING_APPROVAL,
        "is_flagged": one["state"] == VoidState.FLAGGED,
        "is_planning": one["state"] == VoidState.PLANNING,
        "is_another": bool(seen) and seen != one["plan_hash"],
        "passes": [name for name in ("plan", "done") if one[name]["lines"]],
        "shares": SHARES,
        "missing": max(0, one["persons_needed"] - len(one["approvals"])),
        "others": [one["requested_by"], *(approval["person"] for approval in one["approvals"])],
        "ids": {name: action_id(visit, name) for name in ("approve", "reject", "settle")},
    }
    return Shown("void.html", visit.words("Void {void}", void=one["void"]), content)


def ask_campaign(visit: Visit) -> Done:
    """Ask to take back what is unused of a campaign, and perhaps what the biller has. Its plan is made first."""
    return _asked(visit, on_campaign(visit), _at_biller(visit))


def ask_overpaid(visit: Visit) -> Done:
    """Ask to take back what a campaign found that earlier ones gave more than is owed, perhaps of the biller, too."""
    return _asked(visit, on_campaign(visit), {"overpaid": True, **_at_biller(visit)})


def _at_biller(visit: Visit) -> dict[str, bool]:
    return {"at_biller": True} if visit.form.get("at_biller") == "yes" else {}


def ask_account(visit: Visit) -> Done:
    """Ask to take back what is unused of one decision."""
    campaign = visit.form.get("campaign", "")
    if not campaign.isdecimal():
        raise NotAnswered("the form names no campaign; load the page again", Why.WRONG)
    named = {"account_id": visit.of["account"], "subject": visit.form.get("subject", "")}
    return _asked(visit, {"incident": visit.of["incident"], "seq": int(campaign)}, {"accounts": [named]})


def _asked(visit: Visit, of: Mapping[str, str | int], about: Mapping[str, Any]) -> Done:
    reason = filled(visit, "reason")
    if not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    done = visit.kulanz.act("voids.ask", {"reason": reason, **about}, **of, id=action_id(visit, "void"))
    said = visit.words("The void is asked for. Nothing is taken back before its plan is made and approved.")
    return Done(path_of(done), str(said))


def decide(visit: Visit) -> Done:
    """Approve the plan that was shown, reject it, or end a flagged void as it stands."""
    action, reason = visit.form.get("action", ""), filled(visit, "reason")
    if action != "approve" and not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    body = {"action": action, "plan_hash": visit.form.get("plan_hash", "")}
    if action != "approve":
        body["reason"] = reason
    of = {**on_campaign(visit), "void": visit.of["void"]}
    done = visit.kulanz.act("voids.decide", body, **of, id=action_id(visit, action))
    said = visit.words("The void is now: {state}.", state=visit.words.code(done["state"]))
    return Done(path_of(done), str(said))
