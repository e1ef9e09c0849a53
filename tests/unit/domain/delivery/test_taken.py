"""What voids took back of a decision: each void has what it took itself, and what was left then."""

from dataclasses import replace

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import CreditState, add_entry
from kulanz.domain.delivery.taken import taken_of
from kulanz.domain.money import Money
from tests.unit.domain.delivery.test_difference import decided
from tests.unit.domain.delivery.test_reversals import (
    ACCEPTED,
    ASSIGNED,
    REJECTED,
    SENT_BACK,
    SIZE,
    SIZES,
    TAKEN_BACK,
    answer,
    asked,
    back,
)

ENTRY = decided(1, CreditState.DUE).entry
FIRST, SECOND, THIRD = 70, 110, 190
"""What three voids ask back, one after the other."""


def asked_and_sent(size: int, number: int) -> tuple[CreditEntry, ...]:
    delivery = f"billing/{number + 1}"
    sent = replace(SENT_BACK, id=f"reversal_assigned/{delivery}", delivery=delivery)
    return asked(size, f"v{number}"), sent


def told(kind: EntryKind, number: int) -> CreditEntry:
    delivery = f"billing/{number + 1}"
    return replace(back(kind, number=number), delivery=delivery, id=f"{kind}/{number}")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((ACCEPTED, ACCEPTED, ACCEPTED), [("v1", FIRST), ("v2", SECOND), ("v3", THIRD)]),
        ((REJECTED, ACCEPTED, ACCEPTED), [("v2", SECOND), ("v3", THIRD)]),
        ((ACCEPTED, REJECTED, ACCEPTED), [("v1", FIRST), ("v3", THIRD)]),
        ((ACCEPTED, ACCEPTED, REJECTED), [("v1", FIRST), ("v2", SECOND)]),
        ((ACCEPTED, ACCEPTED, None), [("v1", FIRST), ("v2", SECOND)]),
    ],
)
def test_what_the_biller_booked_is_of_the_void_that_asked_for_it(
    answers: tuple[EntryKind | None, ...], expected: list[tuple[str, int]]
) -> None:
    entries: CreditEntries = (ASSIGNED, answer(ACCEPTED))
    for number, (size, kind) in enumerate(zip((FIRST, SECOND, THIRD), answers, strict=True), 1):
        for one in (*asked_and_sent(size, number), *(() if kind is None else (told(kind, number),))):
            adding = add_entry(entries, one, SIZES)
            assert adding.moved, adding
            entries = adding.entries
    left, found = SIZE, []
    for name, size in expected:
        left -= size
        found.append((VoidId(CampaignId("out", 1), name), {"EUR": size}, {"EUR": left}))
    assert [(one.void, one.sizes, one.left) for one in taken_of(ENTRY, entries)] == found


def test_what_the_biller_undoes_is_of_the_void_that_had_asked_for_it() -> None:
    entries: CreditEntries = (ASSIGNED, answer(ACCEPTED))
    late = (told(TAKEN_BACK, 1),)
    for one in (*asked_and_sent(FIRST, 1), told(ACCEPTED, 1), *asked_and_sent(SECOND, 2), told(ACCEPTED, 2), *late):
        adding = add_entry(entries, one, SIZES)
        assert adding.moved, adding
        entries = adding.entries
    found = [(one.void.name, dict(one.sizes), one.is_taken) for one in taken_of(ENTRY, entries)]
    assert found == [("v1", {"EUR": FIRST}, True), ("v2", {"EUR": SECOND}, True), ("v1", {"EUR": -FIRST}, False)]


SIZES_OF_FOUR = (("EUR", 500), ("CHF", 70), ("EUR", 300), ("EUR", 110))


@pytest.mark.parametrize(
    "voids",
    [((0,),), ((0, 2),), ((1, 2, 3),), ((0, 1, 2, 3),), ((0,), (1, 3)), ((2, 3), (0,), (1,)), ((3,), (0, 1, 2))],
)
@pytest.mark.parametrize("kind", [EntryKind.VOIDED, EntryKind.REDUCED])
def test_each_void_took_the_sum_of_all_its_benefits_of_a_measure_and_left_the_rest_of_it(
    voids: tuple[tuple[int, ...], ...], kind: EntryKind
) -> None:
    """What a void left is told as it was after that void, and not as it is now."""
    benefits = tuple(Benefit(Money(size, currency)) for currency, size in SIZES_OF_FOUR)
    entry = decided(1, decision=Decision(Outcome.GRANTED, "credit", benefits)).entry
    left = {"EUR": 910, "CHF": 70}
    entries: CreditEntries = ()
    expected = []
    for number, places in enumerate(voids):
        sizes = tuple(SIZES_OF_FOUR[place][1] - (3 if kind is EntryKind.REDUCED else 0) for place in places)
        less = sizes if kind is EntryKind.REDUCED else ()
        entries = (*entries, CreditEntry(kind, ASSIGNED.at, "anna", f"void/1/v{number}", places, sizes=less))
        took: dict[str, int] = {}
        for place, size in zip(places, sizes, strict=True):
            currency = SIZES_OF_FOUR[place][0]
            took[currency] = took.get(currency, 0) + size
            left[currency] -= size
        expected.append((f"v{number}", places, took, dict(left)))
    assert [(one.void.name, one.benefits, one.sizes, one.left) for one in taken_of(entry, entries)] == expected


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("answered", [(0, 1), (1, 0)])
def test_what_is_asked_back_of_each_benefit_is_of_the_void_that_asked_for_that_one(
    order: tuple[int, ...], answered: tuple[int, ...]
) -> None:
    """Each benefit counts its own reversals."""
    entry = decided(1, decision=Decision(Outcome.GRANTED, "credit", (Benefit(Money(500, "EUR")),) * 2)).entry
    entries: CreditEntries = (replace(ASSIGNED, benefits=(0, 1)),)
    for place in order:
        back_to = f"billing/{place + 2}"
        one = CreditEntry(
            EntryKind.REVERSAL_ASKED, ASSIGNED.at, "b", f"void/1/v{place}", (place,), sizes=(100 + place,)
        )
        kind = EntryKind.REVERSAL_ASSIGNED
        sent = CreditEntry(kind, ASSIGNED.at, "d", f"{kind}/{back_to}", (place,), delivery=back_to)
        entries = (*entries, one, sent)
    for place in answered:
        kind, back_to = EntryKind.REVERSAL_ACCEPTED, f"billing/{place + 2}"
        entries = (*entries, CreditEntry(kind, ASSIGNED.at, "f", f"{kind}/1/{back_to}", (place,), delivery=back_to))
    found = [(one.void.name, one.benefits, one.sizes) for one in taken_of(entry, entries)]
    assert found == [(f"v{place}", (place,), {"EUR": 100 + place}) for place in answered]
