"""What operators do to a campaign that shall not go on as it does: pause, resume, cancel, settle."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from kulanz.application.campaigns.control_campaign import (
    Accepted,
    ControlPorts,
    ControlRefused,
    cancel,
    may_write_until,
    pause,
    resume,
    settle,
)
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.problems import Kind, Problem
from kulanz.domain.campaigns.campaign import Campaign, Cause, State, StateChange
from kulanz.domain.time import format_instant

STOP_VERSION = 1
ACTIONS = {"pause": pause, "cancel": cancel, "settle": settle}


class StopBody(Body):
    """What is done, and why. `decides_by` is the decision digest of an amended incident whose campaign shall go on."""

    action: Literal["pause", "resume", "cancel", "settle"]
    reason: Reason
    decides_by: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class StopAnswer(TypedDict):
    """The campaign's state after the action; until when workers that are under way may still write."""

    v: int
    campaign: str
    state: str
    may_write_until: str | None


def act(asked: Asked, door: Door) -> StopAnswer:
    """Pause, resume, cancel or settle a campaign."""
    body = read_body(StopBody, asked.body)
    campaign = existing(asked, door)
    done = next((one for one in door.campaigns.log(campaign.id) if _is_by(asked, one)), None)
    if done is not None:  # the function died before it could say so
        return _answer(campaign, done.target, door)
    ports = ControlPorts(door.campaigns, door.chunks, door.stores)
    cause = Cause(asked.caller.id, asked.of["id"], door.code_version)
    try:
        if body.action == "resume":
            found = resume(asked.campaign_id, ports, body.reason, cause, asked.now, _accepted(body, asked, door))
        else:
            found = ACTIONS[body.action](asked.campaign_id, ports, body.reason, cause, asked.now)
    except ControlRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal)) from None
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
    }
