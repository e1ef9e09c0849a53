"""What a void moves of a campaign's sums: what its own entry says, of acceptances too, and nothing of another's."""

from datetime import timedelta

import pytest

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntries, CreditState, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Void, moved_of, void_entry
from kulanz.domain.ledger.entries import Entry
from tests.unit.domain.delivery.test_credits import AT, FIVE, KEY, MINUTES, stored

LATER = AT + timedelta(days=3)
BOTH = stored(Decision(Outcome.GRANTED, "credit", (FIVE,), claimable=(MINUTES,)), LATER)
OFFER = stored(Decision(Outcome.OFFERED, "credit", (MINUTES,)), LATER, Outcome.GRANTED)
PLAIN = stored(Decision(Outcome.GRANTED, "credit", (FIVE, MINUTES)))
MONEY = {CreditState.DUE: -500, CreditState.VOIDED: 500}
UNIT = {CreditState.DUE: -20, CreditState.VOIDED: 20}


def void(name: str) -> Void:
    return Void(VoidId(KEY.campaign, name), "why", "anna", "anna", LATER, started_at=LATER)


def moved(entry: Entry, name: str, *entries: tuple[str, tuple[int, ...]]) -> list[tuple[str, object]]:
    """What the void `name` moved of a decision whose entries are those of some voids."""
    stands: CreditEntries = tuple(void_entry(void(of), places) for of, places in entries)
    assert all(one.kind is EntryKind.VOIDED for one in stands)
    return [(one.measure, one.by_state) for one in moved_of(void(name), entry, stands)]


@pytest.mark.parametrize("name", ["first", "second"])
def test_each_void_moves_what_its_own_entry_says(name: str) -> None:
    entries = (("first", (0,)), ("second", (1,)))
    expected = {"first": [("USD", MONEY)], "second": [("call_minute", UNIT)]}
    assert moved(PLAIN, name, *entries) == expected[name]
    assert moved(PLAIN, name) == []


def test_what_a_customer_accepted_later_counts_as_the_rest_does() -> None:
    assert moved(BOTH, "first", ("first", (0, 1))) == [("USD", MONEY), ("call_minute", UNIT)]
    assert moved(OFFER, "first", ("first", (0,))) == [("call_minute", UNIT)]
