"""The halt of the whole stack: one administrator sets it, two persons lift it, or a lone operator."""

from typing import Literal, TypedDict

from kulanz.application.campaigns.halt_stack import HaltPorts, change_halt
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.problems import Kind, Problem
from kulanz.domain.halt import Halt, HaltAction, HaltRefused, Verb, persons_to_lift
from kulanz.domain.time import format_instant

HALT_VERSION = 1


class HaltBody(Body):
    """`set` halts the stack at once; `lift` says that it may go on.

    Two persons have to say so; one is enough in a stack with a lone operator.
    """

    action: Literal["set", "lift"]
    reason: Reason


class HaltAnswer(TypedDict):
    """Whether the stack is halted, by whom, since when and why; who wants it lifted, of so many that must.

    `number` is how often the stack was halted so far: two answers with one number are about one halt.
    """

    v: int
    halted: bool
    number: int
    by: str | None
    since: str | None
    reason: str | None
    lifted_by: list[str]
    needed: int


def current(asked: Asked, door: Door) -> HaltAnswer:  # noqa: ARG001 (every use case has both)
    """Whether the stack is halted."""
    return _answer(door.campaigns.halt(), door)


def act(asked: Asked, door: Door) -> HaltAnswer:
    """Halt the stack, or say that it may go on."""
    body = read_body(HaltBody, asked.body)
    action = HaltAction(asked.of["id"], Verb(body.action), asked.caller.id, body.reason, asked.now)
    ports = HaltPorts(door.campaigns, door.index, door.people, door.gate.lone_operator)
    try:
        return _answer(change_halt(action, asked.acting, ports), door)
    except HaltRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None


def _answer(halt: Halt, door: Door) -> HaltAnswer:
    return {
        "v": HALT_VERSION,
        "halted": halt.is_on,
        "number": halt.number,
        "by": None if halt.set is None else halt.set.person,
        "since": None if halt.set is None else format_instant(halt.set.at),
        "reason": halt.reason or None,
        "lifted_by": [lift.person for lift in halt.lifts],
        "needed": persons_to_lift(lone_operator=door.gate.lone_operator),
    }
