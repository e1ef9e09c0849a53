"""Delivers what is asked back: reversals are assigned like credits, then written from what is assigned."""

from dataclasses import replace

from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.application.ports import Refused
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.credit import Booking, Credit, credits_of, reversal_of
from kulanz.domain.delivery.entries import CreditEntry, EntryKind, channel_of
from kulanz.domain.delivery.reversal import ReversalState
from kulanz.domain.delivery.standing import AddResult, add_entry, standing
from kulanz.domain.ledger.entries import benefits_granted, granted_benefits, read_decision


def assign_reversals(booked: Booked, assigned: CreditEntry) -> EntriesChange | None:
    """What assigns all that is asked back of a decision at the delivery's channel and is in no delivery; None where
    nothing is, or some of it is in this one: then it was assigned before. `assigned` is how the delivery assigns.

    Raises Refused where the decision's entries cannot take it.
    """
    sizes = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(booked.entry))}
    stands = {place: standing(booked.entries, place, size) for place, size in sizes.items()}
    if any(one.delivery == assigned.delivery for found in stands.values() for one in found.reversals):
        return None
    places = tuple(
        place
        for place, found in stands.items()
        if found.belongs_to == channel_of(assigned.delivery)
        and any(one.state is ReversalState.ASKED for one in found.reversals)
    )
    if not places:
        return None
    kind = EntryKind.REVERSAL_ASSIGNED
    new = replace(assigned, kind=kind, id=f"{kind}/{assigned.delivery}", benefits=places, dues=())
    adding = add_entry(booked.entries, new, sizes)
    if adding.result is not AddResult.ADDED:
        raise Refused(f"what is asked back of a decision cannot be assigned: {adding.reason or adding.result}")
    return EntriesChange(booked.entry.key, booked.entries, adding.entries)


def reversals(booked: Booked, booking: Booking, delivery: str) -> list[Credit]:
    """The reversals of a decision that are assigned to a delivery, each for the credit that it corrects."""
    decision = read_decision(booked.entry.body)
    found: list[Credit] = []
    for place, benefit in enumerate(benefits_granted(booked.entry, decision)):
        stands = standing(booked.entries, place, worth_of(benefit)[1])
        of = replace(booking, biller_account=stands.account or booking.biller_account)
        for one in stands.reversals:
            if one.delivery == delivery:
                (credit,) = credits_of(booked.entry, of, {place: one.attempt}, decision)
                found.append(reversal_of(credit, one.number, one.size))
    return found
