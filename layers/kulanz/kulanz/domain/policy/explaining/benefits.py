"""What is owed, in words: a benefit, when it is due, and how long it can be used."""

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import NEXT_BILL, Benefit, Due, Validity
from kulanz.domain.money import counted
from kulanz.domain.policy.explaining.wording import first_moment, last_moment, said, said_amount
from kulanz.domain.policy.language.kinds import NUMBER
from kulanz.domain.time import microseconds_of

if TYPE_CHECKING:
    from kulanz.domain.policy.deciding.components import CompiledGive


def worth_words(benefit: Benefit) -> str:
    """What a benefit is: `5.00 USD`, `20 call minutes`."""
    if benefit.money is not None:
        return said_amount(benefit.money.minor, benefit.money.currency)
    return counted(benefit.quantity, benefit.unit)


def due_words(due: Due) -> str:
    """When a benefit has to be there: `on the next bill`, `within 2 billing cycles`, `by 2026-03-31`."""
    if due == NEXT_BILL:
        return "on the next bill"
    return f"by {due.day}" if due.day else f"within {counted(str(due.count), due.unit)}"


def quantity_words(give: "CompiledGive", quantity: Any) -> str:
    """How much of what is given: `20 call minutes`, `unlimited data`."""
    amount = quantity if isinstance(quantity, str) else said(NUMBER, quantity, None)
    return counted(amount, give.unit)


def validity_words(validity: Validity, zone: ZoneInfo | None) -> str:
    """Say how long a benefit can be used."""
    told = ""
    if validity.begins is not None:
        told += f", from {first_moment(microseconds_of(validity.begins), zone)} on"
    if validity.unit:
        start = "" if validity.begins is not None else f" from the {validity.start}"
        told += f", for {counted(str(validity.count), validity.unit.removesuffix('s'))}{start}"
    if validity.until is not None:
        told += f", {last_moment(microseconds_of(validity.until), zone)}"
    return told
