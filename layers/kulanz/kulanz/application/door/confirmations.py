"""What administrators say of the stack's tables: that they are the right ones, so that campaigns may open."""

from typing import Literal, TypedDict

from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.ledger.confirm_tables import NotConfirmed, confirm_tables
from kulanz.application.ports import Outdated
from kulanz.domain.confirmation import Confirmation, Occasion, missing
from kulanz.domain.time import format_instant

CONFIRMATION_VERSION = 1


class ConfirmBody(Body):
    """`first`: no stack before this one granted anything. `checked`: ledger and receipts of every campaign were
    compared, which `kulanz ledger check` does.
    """

    occasion: Literal["first", "checked"]
    reason: Reason


class ConfirmationAnswer(TypedDict):
    """The last confirmation. `holds`: it is about the tables that the stack has now, so that campaigns may open."""

    v: int
    occasion: str
    actor: str
    reason: str
    at: str
    holds: bool


def current(asked: Asked, door: Door) -> ConfirmationAnswer:  # noqa: ARG001 (every use case has both)
    """Who confirmed the stack's tables, and when."""
    found = door.stores.confirmation()
    if found is None:
        raise unknown("nobody has confirmed the stack's tables")
    return _answer(found, door)


def confirm(asked: Asked, door: Door) -> ConfirmationAnswer:
    """Confirm the stack's tables as they are."""
    body = read_body(ConfirmBody, asked.body)
    try:
        given = confirm_tables(door.stores, Occasion(body.occasion), asked.caller.id, body.reason, asked.now)
    except NotConfirmed as problem:
        raise Problem(Kind.REFUSED, str(problem)) from None
    except Outdated:
        raise Problem(Kind.REFUSED, "somebody else confirmed the tables at the same time; look at it again") from None
    return _answer(given, door)


def _answer(found: Confirmation, door: Door) -> ConfirmationAnswer:
    return {
        "v": CONFIRMATION_VERSION,
        "occasion": found.occasion.value,
        "actor": found.actor,
        "reason": found.reason,
        "at": format_instant(found.at),
        "holds": not missing(found, door.stores.tables()),
    }
