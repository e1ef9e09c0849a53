"""What operators do to a campaign that shall not go on as it does: pause, resume, cancel, settle; and how a flagged one
ends, such as after its incident was withdrawn: all of it is kept, or a void of what is unused or not assigned ends it.
"""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from kulanz.application.campaigns.control_campaign import (
    Accepted,
    ControlPorts,
    ControlRefused,
    cancel,
    keep,
    may_write_until,
    pause,
    resume,
    settle,
)
from kulanz.application.delivery.ask_void import VoidRefused, ask_void
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.application.door.voids import void_ports
from kulanz.domain.campaigns.campaign import Campaign, Cause, State, StateChange
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Ends
from kulanz.domain.time import format_instant

STOP_VERSION = 1
ACTIONS = {"pause": pause, "cancel": cancel, "settle": settle, "keep": keep}
ENDS = {"void_unused": Ends.UNUSED, "void_unassigned": Ends.UNASSIGNED}


class StopBody(Body):
    """What is done, and why. `decides_by` is the decision digest of an amended incident whose campaign shall go on.

    `keep`, `void_unused` and `void_unassigned` end a flagged campaign. The latter two ask for a void under the act's
    id; the campaign ends when the void was approved, and has ended. `at_biller`, with `void_unused`: the biller is
    asked for what was delivered, too.
    """

    action: Literal["pause", "resume", "cancel", "settle", "keep", "void_unused", "void_unassigned"]
    reason: Reason
    decides_by: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    at_biller: bool = False


class StopAnswer(TypedDict):
    """The campaign's state after the action; until when workers that are under way may still write.

    `void` is the void that was asked for, and waits for its approval.
    """

    v: int
    campaign: str
    state: str
    may_write_until: str | None
    void: str | None


def act(asked: Asked, door: Door) -> StopAnswer:
    """Pause, resume, cancel or settle a campaign, or end a flagged one."""
    body = read_body(StopBody, asked.body)
    if body.at_biller and body.action not in ENDS:
        errors: list[FieldProblem] = [{"field": "at_biller", "expected": "nothing, or the action void_unused"}]
        raise Problem(Kind.BODY, "state at_biller with the action void_unused", errors=errors)
    campaign = existing(asked, door)
    done = next((one for one in door.campaigns.log(campaign.id) if _is_by(asked, one)), None)
    if done is not None:  # the function died before it could say so
        return _answer(campaign, done.target, door)
    control = ControlPorts(door.campaigns, door.chunks, door.stores)
    cause = Cause(asked.caller.id, asked.of["id"], door.code_version)
    try:
        if body.action in ENDS:
            void_id = VoidId(campaign.id, asked.of["id"])
            ports, ends = void_ports(door), ENDS[body.action]
            ask_void(void_id, None, body.reason, asked.acting, ports, asked.now, ends, asks_biller=body.at_biller)
            return {**_answer(campaign, campaign.state, door), "void": void_id.name}
        if body.action == "resume":
            found = resume(asked.campaign_id, control, body.reason, cause, asked.now, _accepted(body, asked, door))
        else:
            found = ACTIONS[body.action](asked.campaign_id, control, body.reason, cause, asked.now)
    except ControlRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal)) from None
    except VoidRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return _answer(found, found.state, door)


def _accepted(body: StopBody, asked: Asked, door: Door) -> Accepted | None:
    """The people file is read where it counts, so that nothing else waits for it."""
    if not body.decides_by:
        return None
    return Accepted(body.decides_by, asked.acting, door.people.current(), door.gate.lone_operator)


def _is_by(asked: Asked, change: StateChange) -> bool:
    """Whether a change of state is this very action: its actor and its id stand in the log with it."""
    return (change.cause.actor, change.cause.event_id) == (asked.caller.id, asked.of["id"])


def _answer(campaign: Campaign, state: State, door: Door) -> StopAnswer:
    until = may_write_until(campaign, door.campaigns)
    return {
        "v": STOP_VERSION,
        "campaign": str(campaign.id),
        "state": state.value,
        "may_write_until": None if until is None else format_instant(until),
        "void": None,
    }
