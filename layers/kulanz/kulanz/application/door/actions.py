"""An action is done once under the id that its caller chose: the same again is the same answer, another is refused.

What is to be done is stored under its id before it is done, and the answer after that. So of two callers with one id
one is refused before anything happens. Where a function dies in between, the same action sent again goes on: every use
case is safe to repeat.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from kulanz.application.door.action_store import Action, Actions
from kulanz.application.door.asked import Asked
from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.domain.audit import About, AuditEntry
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.canonical import canonical_json

FIELD_MARK_CHARACTERS = 16


def once(asked: Asked, actions: Actions, act: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Do an action, or give the answer that it had. Raises Problem where its id stands for another action.

    An action that is refused has no answer: it may be sent again when matters stand otherwise.
    """
    mine = Action(_place(asked), _key(asked), asked.caller.id, asked.now, _marks(asked.body))
    standing = actions.begin(mine)
    errors = _differences(standing, mine)
    if errors:
        raise Problem(Kind.ID_USED, "this id was used for something else; take another one", errors=errors)
    if standing.answer is not None:
        return standing.answer
    answer = act()
    actions.finish(standing, answer, _entry(standing, asked))
    return answer


WITHOUT_ENTRY = frozenset(
    {"repairs", "confirmations", "halt", "exports", "voids", "void-approvals", "deliveries", "settlements"}
)
"""The works whose use cases change no state that the audit log hears of by itself."""


ENDS_BY_VOID = frozenset({"void_unused", "void_unassigned"})
"""How an operator ends a flagged campaign by a void: its state changes, and is logged, when the void has ended."""


def _entry(action: Action, asked: Asked) -> AuditEntry | None:
    asks_for_void = asked.body.get("action") in ENDS_BY_VOID
    if asked.route.work not in WITHOUT_ENTRY and "draft" not in asked.of and not asks_for_void:
        return None
    if "seq" in asked.of:
        about, on = About.CAMPAIGN, str(asked.campaign_id)
    elif "incident" in asked.of:
        about, on = About.INCIDENT, asked.of["incident"]
    elif "draft" in asked.of:
        about, on = About.INCIDENT, asked.of["draft"]
    else:
        about, on = About.STACK, asked.of.get("queue", "")
    reason = asked.body.get("reason")
    return AuditEntry(action.at, action.actor, _words(asked), about, on, action.key, reason or "", asked.of["id"])


def _words(asked: Asked) -> str:
    """What was done, as the audit log has it: of a void which one, and what a person did with it."""
    match asked.route.work:
        case "voids" | "stops":
            return f"requested void {asked.of['id']} of"
        case "void-approvals":
            done = {"approve": "approved", "reject": "rejected", "settle": "settled"}[asked.body["action"]]
            return f"{done} void {asked.of['void']} of"
        case "settlements":
            granted = ", ".join(f"{amount} {currency}" for currency, amount in sorted(asked.body["granted"].items()))
            kept = ", ".join(f"{amount} {one}" for one, amount in sorted(asked.body.get("claimable", {}).items()))
            return f"stated {granted} granted{f' and {kept} claimable' if kept else ''} of"
        case "requests" if asked.body.get("action") == "dismiss":
            return "dismissed the draft of"
        case "deliveries" if "credit_id" in asked.body:
            done = {"send_again": "sent again", "write_off": "wrote off"}[asked.body["action"]]
            return f"{done} credit {asked.body['credit_id']} of"
        case _:
            return " ".join(asked.route.words)


def _place(asked: Asked) -> str:
    """The partition of what an action is about."""
    of = asked.of
    if "account" in of:
        return f"ACCOUNT#{of['account']}"
    if "seq" in of:
        campaign = CampaignId(of["incident"], int(of["seq"]))
        return f"CAMPAIGN#{campaign.incident_id}#{campaign.seq:03d}"
    incident = of.get("incident") or of.get("draft")
    return f"INCIDENT#{incident}" if incident else "STACK"


def _key(asked: Asked) -> str:
    """The words of the route and the values of its path: an id of one kind of action is none of another."""
    in_place = "account" if "account" in asked.of else "seq"
    return "#".join([*asked.route.words, *(value for name, value in asked.of.items() if name != in_place)])


def _marks(body: Mapping[str, Any]) -> dict[str, str]:
    """A digest of each field, so that a stored action says which ones differ and holds none of them."""
    return {
        name: sha256(canonical_json(value).encode()).hexdigest()[:FIELD_MARK_CHARACTERS]
        for name, value in sorted(body.items())
        if value is not None
    }


def _differences(standing: Action, mine: Action) -> list[FieldProblem]:
    if standing.actor != mine.actor:
        return [{"field": "id", "expected": "an id that nobody else has used"}]
    names = sorted(standing.fields.keys() | mine.fields.keys())
    return [
        {"field": name, "expected": "as it was the first time"}
        for name in names
        if standing.fields.get(name) != mine.fields.get(name)
    ]
