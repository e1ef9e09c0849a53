"""The halt of the whole stack: one administrator sets it, two persons lift it, or a lone operator."""

from typing import Literal, TypedDict

from kulanz.application.campaigns.halt_stack import HaltPorts, change_halt
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.problems import Kind, Problem
from kulanz.domain.halt import Halt, HaltAction, HaltRefused, Verb, persons_to_lift
from kulanz.domain.people.yes import Yes, yes_of
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

    `number` is how often the stack was halted so far: two answers with one number are about one halt. `your_yes` is
    `counts`, or why the word of whoever asks would not lift a halt: `machine`, `unlisted` (in the people file) or
    `agreed` (it is said already).
    """

    v: int
    halted: bool
    number: int
    by: str | None
    since: str | None
    reason: str | None
    lifted_by: list[str]
    needed: int
    your_yes: str


def current(asked: Asked, door: Door) -> HaltAnswer:
    """Whether the stack is halted."""
    return _answer(door.campaigns.halt(), asked, door)


def act(asked: Asked, door: Door) -> HaltAnswer:
    """Halt the stack, or say that it may go on."""
    body = read_body(HaltBody, asked.body)
    action = HaltAction(asked.of["id"], Verb(body.action), asked.caller.id, body.reason, asked.now)
    ports = HaltPorts(door.campaigns, door.index, door.people, door.gate.lone_operator)
    try:
        return _answer(change_halt(action, asked.acting, ports), asked, door)
    except HaltRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None


def _answer(halt: Halt, asked: Asked, door: Door) -> HaltAnswer:
    return {
        "v": HALT_VERSION,
        "halted": halt.is_on,
        "number": halt.number,
        "by": None if halt.set is None else halt.set.person,
        "since": None if halt.set is None else format_instant(halt.set.at),
        "reason": halt.reason or None,
        "lifted_by": [lift.person for lift in halt.lifts],
        "needed": persons_to_lift(lone_operator=door.gate.lone_operator),
        "your_yes": _yes(halt, asked, door).value,
    }


def _yes(halt: Halt, asked: Asked, door: Door) -> Yes:
    """The people file is read for a halt alone: every first page asks whether there is one."""
    if not halt.is_on:
        return Yes.COUNTS
    lifts = () if door.gate.lone_operator else halt.lifts  # one alone lifts it, also one who wanted to before
    return yes_of(asked.acting, "", [lift.person for lift in lifts], door.people.current(), asked.now)
