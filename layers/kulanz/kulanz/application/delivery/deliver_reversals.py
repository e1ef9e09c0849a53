"""Delivers what is asked back: reversals are assigned like credits, then written from what is assigned."""

from collections import Counter
from dataclasses import replace

from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.application.ports import Refused
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.credit import Booking, Credit, credits_of, reversal_of
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind, channel_of
from kulanz.domain.delivery.reversal import ReversalState
from kulanz.domain.delivery.standing import AddResult, add_entry, standing
from kulanz.domain.ledger.entries import benefits_granted, granted_benefits, read_decision


def assign_reversals(booked: Booked, assigned: CreditEntry, first: int | None) -> EntriesChange | None:
    """What assigns what was asked back of a decision together with its benefit `first`, is at the delivery's channel
    and in no delivery; None where nothing is, or some of it is in this one: then it was assigned before. `assigned` is
    how the delivery assigns.

    Raises Refused where the decision's entries cannot take it.
    """
    sizes = {place: worth_of(one)[1] for place, one in enumerate(granted_benefits(booked.entry))}
    stands = {place: standing(booked.entries, place, size) for place, size in sizes.items()}
    own = _asked_with(first, booked.entries)
    mine = {place: [one for one in found.reversals if (place, one.number) in own] for place, found in stands.items()}
    if any(one.delivery == assigned.delivery for some in mine.values() for one in some):
        return None
    places = tuple(
        place
        for place, some in mine.items()
        if stands[place].belongs_to == channel_of(assigned.delivery)
        and any(one.state is ReversalState.ASKED for one in some)
    )
    if not places:
        return None
    kind = EntryKind.REVERSAL_ASSIGNED
    new = replace(assigned, kind=kind, id=f"{kind}/{assigned.delivery}", benefits=places, dues=())
    adding = add_entry(booked.entries, new, sizes)
    if adding.result is not AddResult.ADDED:
        raise Refused(f"what is asked back of a decision cannot be assigned: {adding.reason or adding.result}")
    return EntriesChange(booked.entry.key, booked.entries, adding.entries)


def _asked_with(first: int | None, entries: CreditEntries) -> set[tuple[int, int]]:
    """The reversals of the entries that ask for a benefit first: the place of each, and which one of that it is.

    Each entry has an addition, which names that benefit. So each reversal is delivered by its own addition alone.
    """
    found: set[tuple[int, int]] = set()
    number: Counter[int] = Counter()
    for one in entries:
        if one.kind is EntryKind.REVERSAL_ASKED:
            number.update(one.benefits)
            found |= {(place, number[place]) for place in one.benefits if one.benefits[0] == first}
    return found


def reversals(booked: Booked, booking: Booking, delivery: str, first: int | None) -> list[Credit]:
    """The reversals of a decision that were asked with its benefit `first`, and are assigned to a delivery: each for
    the credit that it corrects.
    """
    decision = read_decision(booked.entry.body)
    own = _asked_with(first, booked.entries)
    found: list[Credit] = []
    for place, benefit in enumerate(benefits_granted(booked.entry, decision)):
        stands = standing(booked.entries, place, worth_of(benefit)[1])
        of = replace(booking, biller_account=stands.account or booking.biller_account)
        for one in stands.reversals:
            if one.delivery == delivery and (place, one.number) in own:
                (credit,) = credits_of(booked.entry, of, {place: one.attempt}, decision)
                found.append(reversal_of(credit, one.number, one.size))
    return found
