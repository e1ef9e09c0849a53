"""What was taken back of a decision: read from the entries of its credits, and how it stands then."""

from collections.abc import Sequence
from dataclasses import replace

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.ledger.entries import Entry, granted_benefits

_VOIDING = frozenset({EntryKind.VOIDED, EntryKind.REDUCED, EntryKind.REVERSAL_ACCEPTED, EntryKind.REVERSAL_APPLIED})
"""The entries without which nothing of a decision is void."""


def with_voided(entry: Entry, entries: Sequence[CreditEntry]) -> Entry:
    """A decision with what its entries say was voided of each benefit."""
    if not any(one.kind in _VOIDING for one in entries):
        return entry
    found = []
    for place, benefit in enumerate(granted_benefits(entry)):
        _, size = worth_of(benefit)
        if voided := standing(entries, place, size).shares(size).get(CreditState.VOIDED):
            found.append((place, voided))
    return replace(entry, voided=tuple(found))
