"""The halt: one switch by which the whole stack gives nothing more, set by one person and lifted by two.

While it is on, no plan is approved, no execution begins or goes on, no offer is accepted and no notice is published.
Reading, planning, stopping and rejecting go on.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

REASON_CHARACTERS = 500
"""Of the reason for setting or lifting it."""
LIFTED_BY = 2
"""So many persons lift a halt; a stack with a lone operator has only one."""


class HaltRefused(Exception):
    """The halt cannot be set or lifted so. `reason` is a code; the text says why and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


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


def after(halt: Halt, action: HaltAction, lifted_by: int = LIFTED_BY) -> Halt:
    """The halt after an action. Raises HaltRefused where it changes nothing.

    `lifted_by` is how many different persons lift it. Person ids are compared as they are: whoever makes them has
    joined the ids of one person.
    """
    if not action.reason.isprintable() or not 0 < len(action.reason) <= REASON_CHARACTERS:
        raise HaltRefused("reason_invalid", f"a reason is one line of 1 to {REASON_CHARACTERS} characters")
    if action.verb is Verb.SET:
        if halt.set is not None:
            raise HaltRefused("already_halted", f"{halt.set.person} has halted the stack; there is nothing to do")
        return Halt(halt.version + 1, halt.number + 1, action)
    if halt.set is None:
        raise HaltRefused("not_halted", "the stack is not halted; there is nothing to lift")
    if any(lift.person == action.person for lift in halt.lifts):
        raise HaltRefused("second_person_needed", "this person wants it lifted already; another one has to say so")
    lifts = (*halt.lifts, action)
    if len(lifts) < lifted_by:
        return replace(halt, version=halt.version + 1, lifts=lifts)
    return Halt(halt.version + 1, halt.number)
