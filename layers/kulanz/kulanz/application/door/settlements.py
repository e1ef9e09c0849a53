"""Settlements: what a campaign granted that cannot be counted, stated by administrators, and what is known of it."""

from collections.abc import Mapping
from typing import Annotated, TypedDict

from pydantic import Field

from kulanz.application.budgets.set_budget import LIMIT_DIGITS_MOST, limit_of
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.application.ledger.state_amounts import (
    StatePorts,
    StateRefused,
    Uncounted,
    look_at,
    state_amounts,
    stated_amounts,
)
from kulanz.domain.budgets import CURRENCIES_MOST
from kulanz.domain.gate.stated import PERSONS_FOR_MUCH, Stated, persons_to_state
from kulanz.domain.money import AmountError, format_minor, minor_units
from kulanz.domain.time import format_instant

SETTLEMENT_VERSION = 1

Amount = Annotated[str, Field(pattern=rf"^[0-9]{{1,{LIMIT_DIGITS_MOST}}}([.][0-9]{{1,3}})?$")]


class SettlementBody(Body):
    """What the campaign granted at once, by currency, as amounts such as 1250.00: each currency that it reserved.

    `claimable` is what its customers could accept or claim in all; where it is not stated, all that the plan leaves
    stays reserved for them. Both lie between the least and the most that `GET budgets/reserved` answers.
    """

    granted: Annotated[dict[str, Amount], Field(min_length=1, max_length=CURRENCIES_MOST)]
    claimable: Annotated[dict[str, Amount], Field(default_factory=dict, max_length=CURRENCIES_MOST)]
    reason: Reason


class ReservedItem(TypedDict):
    """What is reserved in one currency, of which month, and what the campaign granted and lets claim of it.

    `granted_least` is what its receipts have, `granted_most` what its plan leaves for the lines without a receipt. The
    four are null where no plan is filed. `accepted` is what its customers accepted.
    """

    currency: str
    month: str
    reserved: str
    accepted: str
    is_settled: bool
    granted_least: str | None
    granted_most: str | None
    claimable_least: str | None
    claimable_most: str | None


class StatedItem(TypedDict):
    """What was stated last, by whom; `second` is who stated the same, null while nobody did."""

    granted: Mapping[str, str]
    claimable: Mapping[str, str]
    by: str
    at: str
    reason: str
    second: str | None
    is_settled: bool
    persons_needed: int


class SettlementAnswer(TypedDict):
    """What a campaign reserved of budgets. `must_be_stated`: it cannot be counted, so a person states what it granted.

    `stated` is null where nobody stated anything.
    """

    v: int
    campaign: str
    state: str
    must_be_stated: bool
    reserved: list[ReservedItem]
    stated: StatedItem | None


def one(asked: Asked, door: Door) -> SettlementAnswer:
    """What a campaign reserved of budgets, and what is known of what it granted."""
    return _answer(look_at(existing(asked, door), door.campaigns, door.budgets, door.troubles), door)


def act(asked: Asked, door: Door) -> SettlementAnswer:
    """State what a campaign granted that cannot be counted."""
    body = read_body(SettlementBody, asked.body)
    campaign = existing(asked, door)
    if body.claimable.keys() - body.granted.keys():
        raise _wrong("claimable", "what is claimable only in currencies of which it is stated what was granted")
    known = look_at(campaign, door.campaigns, door.budgets, door.troubles).known
    if body.granted.keys() != known.keys():
        currencies = ", ".join(sorted(known)) or "none"
        raise _wrong("granted", f"an amount of each currency that it reserved, and of no other: {currencies}")
    amounts = stated_amounts(_minor("granted", body.granted), _minor("claimable", body.claimable), known)
    stated = Stated(asked.of["id"], amounts, asked.caller.id, body.reason, asked.now)
    ports = StatePorts(door.campaigns, door.budgets, door.troubles, door.gate, door.people.current())
    try:
        return _answer(state_amounts(campaign.id, stated, asked.acting, ports), door)
    except StateRefused as refusal:
        errors: list[FieldProblem] = [{"field": refusal.field, "expected": str(refusal)}] if refusal.field else []
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason, errors=errors) from None


def _minor(field: str, amounts: Mapping[str, str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for number, (currency, amount) in enumerate(sorted(amounts.items()), 1):
        try:
            found[currency] = limit_of(amount, currency)
        except AmountError as error:
            raise _wrong(field, f"amount {number}: {error}") from None
    return found


def _wrong(field: str, expected: str) -> Problem:
    errors: list[FieldProblem] = [{"field": field, "expected": expected}]
    return Problem(Kind.REFUSED, f"{field}: {expected}", reason="amount_invalid", errors=errors)


def _answer(found: Uncounted, door: Door) -> SettlementAnswer:
    items: list[ReservedItem] = []
    for made in found.standing:
        known, decimals = found.known.get(made.currency), minor_units(made.currency)
        items.append(
            {
                "currency": made.currency,
                "month": made.month,
                "reserved": format_minor(made.amount, decimals),
                "accepted": format_minor(made.drawn, decimals),
                "is_settled": made.is_settled,
                "granted_least": None if known is None else format_minor(known.least.granting, decimals),
                "granted_most": None if known is None else format_minor(known.most.granting, decimals),
                "claimable_least": None if known is None else format_minor(known.least.claimable, decimals),
                "claimable_most": None if known is None else format_minor(known.most.claimable, decimals),
            }
        )
    return {
        "v": SETTLEMENT_VERSION,
        "campaign": str(found.campaign.id),
        "state": found.campaign.state.value,
        "must_be_stated": found.is_open,
        "reserved": items,
        "stated": None if found.stated is None else _stated(found.stated, found, door),
    }


def _stated(stated: Stated, found: Uncounted, door: Door) -> StatedItem:
    amounts = {currency: (one, minor_units(currency)) for currency, one in sorted(stated.amounts.items())}
    is_alone = stated.is_settled and not stated.second
    needed = 1 if is_alone else PERSONS_FOR_MUCH
    if not stated.is_settled:
        needed = persons_to_state(stated.amounts, found.known, door.gate)
    return {
        "granted": {currency: format_minor(one.granting, decimals) for currency, (one, decimals) in amounts.items()},
        "claimable": {currency: format_minor(one.claimable, decimals) for currency, (one, decimals) in amounts.items()},
        "by": stated.person,
        "at": format_instant(stated.at),
        "reason": stated.reason,
        "second": stated.second or None,
        "is_settled": stated.is_settled,
        "persons_needed": needed,
    }
