"""The halt: one switch by which the whole stack gives nothing more, set by anybody who may, lifted by two persons.

While it is on, no plan is approved, no execution begins or goes on, no offer is accepted and no notice is published.
Reading, planning, stopping and rejecting go on.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from kulanz.domain.people.caller import APART
from kulanz.domain.people.reason import REASON_CHARACTERS, is_reason
from kulanz.domain.refusal import WithReason

if TYPE_CHECKING:  # workers look at the halt, and need no people file
    from kulanz.domain.people.people import People

LIFTED_BY, LIFTED_BY_LONE_OPERATOR = 2, 1
"""So many persons lift a halt; a stack with a lone operator has only one."""


class HaltRefused(WithReason):
    """The halt cannot be set or lifted so. `reason` is a code; the text says why and what to do."""


class Verb(StrEnum):
    """What a person does with the halt."""

    SET = "set"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class HaltAction:
    """What a person did: `id` is chosen by whoever asks, so that the same request again is the same action."""

    id: str
    verb: Verb
    person: str
    reason: str
    at: datetime

    def is_same_request(self, other: "HaltAction") -> bool:
        """Whether both ask for the same, whenever they do."""
        return replace(self, at=other.at) == other


@dataclass(frozen=True, slots=True)
class Halt:
    """The halt's record. `version` counts its writes, and every write is conditional on it.

    `number` counts how often it was set. `set` is the action that set it, None while it is off. `lifts` are those of
    the persons who want it lifted, fewer than are needed.
    """

    version: int = 0
    number: int = 0
    set: HaltAction | None = None
    lifts: tuple[HaltAction, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether the stack is halted."""
        return self.set is not None

    @property
    def reason(self) -> str:
        """Why it is on; empty while it is off."""
        return "" if self.set is None else self.set.reason


NEVER_SET = Halt()


def persons_to_lift(*, lone_operator: bool) -> int:
    """How many different persons lift a halt."""
    return LIFTED_BY_LONE_OPERATOR if lone_operator else LIFTED_BY


def after(halt: Halt, action: HaltAction, people: "People", lifted_by: int = LIFTED_BY) -> Halt:
    """The halt after an action. Raises HaltRefused where it changes nothing.

    `lifted_by` is how many different persons lift it. Whoever lifts is known to be a person. `people` says whose ids
    are one human's; where it does not say that two ids are two persons', they are taken for one.
    """
    if not is_reason(action.reason):
        raise HaltRefused("reason_invalid", f"a reason is one line of 1 to {REASON_CHARACTERS} characters")
    if action.verb is Verb.SET:
        if halt.set is not None:
            raise HaltRefused("already_halted", f"{halt.set.person} has halted the stack; there is nothing to do")
        return Halt(halt.version + 1, halt.number + 1, action)
    if halt.set is None:
        raise HaltRefused("not_halted", "the stack is not halted; there is nothing to lift")
    if lifted_by == LIFTED_BY_LONE_OPERATOR:
        return Halt(halt.version + 1, halt.number)
    if not all(people.are_two(lift.person, action.person) for lift in halt.lifts):
        raise HaltRefused(
            "second_person_needed",
            f"this person wants it lifted already; ask another person ({APART})",
        )
    lifts = (*halt.lifts, action)
    if len(lifts) < lifted_by:
        return replace(halt, version=halt.version + 1, lifts=lifts)
    return Halt(halt.version + 1, halt.number)
