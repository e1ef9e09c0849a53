"""Whether somebody's yes would count, as far as that depends on who it is.

Answers say it, so that nobody is offered what would be refused. Whoever records a yes decides it anew.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from kulanz.domain.people.caller import Caller, Door, Machine
from kulanz.domain.people.people import People, approver_problem


class Yes(StrEnum):
    """The yes of whoever asks: that it would count, or why it would not."""

    COUNTS = "counts"
    MACHINE = "machine"
    """A machine says yes to nothing."""
    UNLISTED = "unlisted"
    """The people file does not let this id approve."""
    ASKED = "asked"
    """The person asked for it."""
    AGREED = "agreed"
    """The person's yes is there already."""


def yes_of(
    caller: Caller, asked_by: str, agreed: Iterable[str], people: People, now: datetime, door: Door = Door.IAM
) -> Yes:
    """What the yes of `caller` is, of what was asked for by a person, or by nobody whose own yes is excluded.

    `agreed` are the ids whose yes is there. Two ids that are not known to be two persons' are taken for one.
    """
    if isinstance(caller, Machine):
        return Yes.MACHINE
    if approver_problem(caller, people, door, now):
        return Yes.UNLISTED
    if asked_by and not people.are_two(caller.id, asked_by):
        return Yes.ASKED
    return Yes.COUNTS if all(people.are_two(caller.id, other) for other in agreed) else Yes.AGREED
