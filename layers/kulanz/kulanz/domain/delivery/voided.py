"""What was taken back of a decision: read from the entries of its credits, and how it stands then."""

from collections.abc import Sequence
from dataclasses import replace

from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.ledger.entries import Entry, granted_benefits

_VOIDING = frozenset({EntryKind.VOIDED, EntryKind.REDUCED, EntryKind.REVERSAL_ASKED})
"""The entries without which nothing of a decision is void, or asked back."""


def with_voided(entry: Entry, entries: Sequence[CreditEntry]) -> Entry:
    """A decision with what its entries say was voided of each benefit, and whether the biller is asked for some."""
    if not any(one.kind in _VOIDING for one in entries):
        return entry
    found, is_asked_back = [], False
    for place, benefit in enumerate(granted_benefits(entry)):
        _, size = worth_of(benefit)
        stands = standing(entries, place, size)
        is_asked_back = is_asked_back or bool(stands.asked_back)
        if voided := stands.shares(size).get(CreditState.VOIDED):
            found.append((place, voided))
    return replace(entry, voided=tuple(found), is_asked_back=is_asked_back)
