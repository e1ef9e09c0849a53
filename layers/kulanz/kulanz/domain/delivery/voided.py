"""What was taken back of a decision, or given up: read from the entries of its credits, and how it stands then."""

from collections.abc import Sequence
from dataclasses import replace

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.ledger.entries import Entry, granted_benefits

_TAKING = frozenset({EntryKind.VOIDED, EntryKind.REDUCED, EntryKind.REVERSAL_ASKED, EntryKind.WRITTEN_OFF})
"""The entries without which nothing of a decision is void, asked back, or written off."""


def with_voided(entry: Entry, entries: Sequence[CreditEntry]) -> Entry:
    """A decision with what its entries say was voided of each benefit, or written off, and whether the biller is asked
    for some.
    """
    if not any(one.kind in _TAKING for one in entries):
        return entry
    found, written_off, is_asked_back = [], [], False
    for place, benefit in enumerate(granted_benefits(entry)):
        _, size = worth_of(benefit)
        stands = standing(entries, place, size)
        is_asked_back = is_asked_back or bool(stands.asked_back)
        shares = stands.shares(size)
        if voided := shares.get(CreditState.VOIDED):
            found.append((place, voided))
        if given_up := shares.get(CreditState.WRITTEN_OFF):
            written_off.append((place, given_up))
    return replace(entry, voided=tuple(found), written_off=tuple(written_off), is_asked_back=is_asked_back)
