"""What became of a credit: every move, repetitions in any order, and the bounds of the list."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import DueAt, DueBy
from kulanz.domain.delivery.entries import (
    ENTRIES_BYTES,
    ENTRIES_MOST,
    OF_REVERSALS,
    CreditEntries,
    CreditEntry,
    EntryKind,
    entries_text,
    read_entries,
)
from kulanz.domain.delivery.standing import (
    MOVES,
    OVERTAKEN,
    Adding,
    AddResult,
    CreditState,
    Standing,
    add_entry,
    standing,
)
from kulanz.domain.money import Size

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SIZE = 500
SIZES: dict[int, Size] = {0: SIZE}
LESS = 200


ON_A_BILL = (EntryKind.APPLIED, EntryKind.REVERSAL_APPLIED)
SIZED = (EntryKind.REDUCED, EntryKind.REVERSAL_ASKED)
KINDS = [kind for kind in EntryKind if kind not in OF_REVERSALS]
"""What is said of credits themselves."""


def entry(kind: EntryKind, **stated: Any) -> CreditEntry:
    applied = {"amount": SIZE, "bill": "B-1", "day": date(2026, 12, 1)} if kind in ON_A_BILL else {}
    less = {"sizes": (LESS,)} if kind in SIZED else {}
    delivery = "" if kind in (EntryKind.WRITTEN_OFF, EntryKind.VOIDED, *SIZED) else "billing/1"
    told = {"delivery": delivery, "id": f"{kind}-1", **applied, **less, **stated}
    return CreditEntry(kind=kind, at=AT, by="test", benefits=told.pop("benefits", (0,)), **told)


ASSIGNED, SENT, UNKNOWN, ACCEPTED, APPLIED, REJECTED, TAKEN_BACK, WRITTEN_OFF, VOIDED, AGAIN, *_ = map(entry, KINDS)
REDUCED = entry(EntryKind.REDUCED)
PART = entry(EntryKind.APPLIED, amount=200, id="part-1")
REST = entry(EntryKind.APPLIED, amount=300, id="part-2", bill="B-2")

WAYS: dict[CreditState, tuple[CreditEntry, ...]] = {
    CreditState.DUE: (),
    CreditState.ASSIGNED: (ASSIGNED,),
    CreditState.SENT: (ASSIGNED, SENT),
    CreditState.UNKNOWN: (ASSIGNED, UNKNOWN),
    CreditState.ACCEPTED: (ASSIGNED, ACCEPTED),
    CreditState.PARTLY_APPLIED: (ASSIGNED, PART),
    CreditState.APPLIED: (ASSIGNED, APPLIED),
    CreditState.REJECTED: (ASSIGNED, REJECTED),
    CreditState.TAKEN_BACK: (ASSIGNED, APPLIED, TAKEN_BACK),
    CreditState.WRITTEN_OFF: (WRITTEN_OFF,),
    CreditState.VOIDED: (VOIDED,),
}
"""A way to each state."""


def says_how_it_moved(before: CreditEntries, new: CreditEntry, adding: Adding) -> None:
    """What an added entry says that it moved is what the lists before and after say."""
    is_added = adding.result is AddResult.ADDED
    assert adding.moved == {
        place: (standing(before, place, SIZES[place]), standing(adding.entries, place, SIZES[place]))
        for place in new.benefits
        if is_added
    }


def added(entries: CreditEntries, *new: CreditEntry) -> CreditEntries:
    """Add entries that must all be taken, or be repetitions."""
    for one in new:
        adding = add_entry(entries, one, SIZES)
        assert adding.result in (AddResult.ADDED, AddResult.ALREADY, AddResult.OVERTAKEN), adding
        says_how_it_moved(entries, one, adding)
        entries = adding.entries
    return entries


def test_there_is_a_way_to_every_state() -> None:
    assert {state: standing(added((), *way), 0, SIZE).state for state, way in WAYS.items()} == {
        state: state for state in CreditState
    }


@pytest.mark.parametrize(("state", "kind"), list(product(CreditState, KINDS)))
def test_an_entry_moves_a_credit_or_is_overtaken_or_contradicts_it(state: CreditState, kind: EntryKind) -> None:
    """Every state and every kind of entry: what the two tables say, and nothing else, happens."""
    stands = added((), *WAYS[state])
    amount = {"amount": 300} if kind is EntryKind.APPLIED else {}
    new = entry(kind, id="new", **amount)
    adding = add_entry(stands, new, SIZES)
    says_how_it_moved(stands, new, adding)
    is_over = state is CreditState.APPLIED and kind is EntryKind.APPLIED
    if kind in OVERTAKEN[state]:
        assert (adding.result, adding.entries) == (AddResult.OVERTAKEN, stands)
    elif kind in MOVES[state] and not is_over:
        assert adding.result is AddResult.ADDED
        came_to = standing(adding.entries, 0, SIZE).state
        is_whole = state is CreditState.PARTLY_APPLIED and kind is EntryKind.APPLIED
        assert came_to is (CreditState.APPLIED if is_whole else MOVES[state][kind])
    else:
        assert (adding.result, adding.entries) == (AddResult.CONFLICT, stands)
        assert adding.reason.partition(":")[0] in (f"not_from_{state}", "amount_exceeds")


def test_no_kind_both_moves_and_is_overtaken() -> None:
    assert all(not MOVES[state].keys() & OVERTAKEN[state] for state in CreditState)
    assert MOVES.keys() == OVERTAKEN.keys() == set(CreditState)


def test_the_same_entry_again_changes_nothing_and_another_under_its_id_is_a_conflict() -> None:
    stands = added((), ASSIGNED, PART)
    again = replace(PART, at=datetime(2027, 1, 1, tzinfo=UTC), by="somebody else", cause="another file")
    assert add_entry(stands, again, SIZES).result is AddResult.ALREADY
    other = add_entry(stands, replace(PART, amount=100), SIZES)
    assert (other.result, other.entries) == (AddResult.CONFLICT, stands)
    assert other.reason.startswith("id_used")


TRUE_TOGETHER = [
    (SENT, ACCEPTED, PART, REST),
    (SENT, UNKNOWN, ACCEPTED, REJECTED),
    (UNKNOWN, ACCEPTED, PART, REST),
    (SENT, ACCEPTED, PART, REST, TAKEN_BACK),
    (ACCEPTED, APPLIED, TAKEN_BACK),
]
"""Answers that do not contradict each other."""


@pytest.mark.parametrize("answers", TRUE_TOGETHER)
def test_answers_end_the_same_in_every_order(answers: tuple[CreditEntry, ...]) -> None:
    ends = {standing(added((ASSIGNED,), *order), 0, SIZE) for order in permutations(answers)}
    assert len(ends) == 1


@pytest.mark.property
@given(
    st.sampled_from(TRUE_TOGETHER).flatmap(
        lambda answers: st.lists(st.sampled_from(answers)).map(lambda extra: (answers, extra))
    ),
    st.randoms(use_true_random=False),
)
def test_answers_that_repeat_end_the_same(
    drawn: tuple[tuple[CreditEntry, ...], list[CreditEntry]], random: Any
) -> None:
    answers, extra = drawn
    order = [*answers, *extra]
    random.shuffle(order)
    assert standing(added((ASSIGNED,), *order), 0, SIZE) == standing(added((ASSIGNED,), *answers), 0, SIZE)


def test_what_was_rejected_is_sent_again_under_the_same_attempt_and_old_answers_mean_nothing() -> None:
    again = entry(EntryKind.ASSIGNED, id="billing/2", delivery="billing/2")
    stands = added((), ASSIGNED, REJECTED, AGAIN, again)
    assert standing(stands, 0, SIZE) == Standing(CreditState.ASSIGNED, 1, "billing/2")
    late = add_entry(stands, entry(EntryKind.REJECTED, id="late", code="no_account"), SIZES)
    assert late.result is AddResult.OVERTAKEN
    booked = add_entry(stands, replace(APPLIED, id="booked after all"), SIZES)
    assert standing(booked.entries, 0, SIZE).state is CreditState.APPLIED


def test_what_was_taken_back_is_sent_again_as_another_attempt() -> None:
    again = entry(EntryKind.ASSIGNED, id="billing/2", delivery="billing/2")
    stands = added((), ASSIGNED, APPLIED, TAKEN_BACK, AGAIN, again)
    assert standing(stands, 0, SIZE) == Standing(CreditState.ASSIGNED, 2, "billing/2")
    assert add_entry(stands, replace(APPLIED, id="of the first"), SIZES).result is AddResult.OVERTAKEN
    second = replace(APPLIED, id="of the second", attempt=2, delivery="billing/2")
    assert standing(added(stands, second), 0, SIZE) == Standing(CreditState.APPLIED, 2, "billing/2", SIZE)
    unknown = add_entry(stands, replace(APPLIED, id="of a third", attempt=3), SIZES)
    assert unknown.reason.startswith("attempt_unknown")


def test_an_assignment_is_one_entry_for_all_benefits_of_a_decision() -> None:
    sizes: dict[int, Size] = {0: 500, 1: 20}
    stands = add_entry((), entry(EntryKind.ASSIGNED, benefits=(0, 1)), sizes).entries
    stands = add_entry(stands, entry(EntryKind.REJECTED, benefits=(1,)), sizes).entries
    assert [standing(stands, place, size).state for place, size in sizes.items()] == [
        CreditState.ASSIGNED,
        CreditState.REJECTED,
    ]
    assert add_entry(stands, entry(EntryKind.ASSIGNED, id="2", benefits=(0, 1)), sizes).result is AddResult.CONFLICT
    assert add_entry(stands, entry(EntryKind.ACCEPTED, benefits=(2,)), sizes).reason.startswith("not_granted")


@pytest.mark.parametrize("state", CreditState)
def test_each_part_of_a_credit_counts_once(state: CreditState) -> None:
    found = standing(added((), *WAYS[state]), 0, SIZE)
    assert sum(found.shares(SIZE).values()) == SIZE


def test_a_list_has_bounds_and_says_so() -> None:
    stands, number = added((), ASSIGNED), 0
    while True:
        adding = add_entry(stands, entry(EntryKind.APPLIED, amount=1, id=f"bill-{number}", bill=f"B-{number}"), SIZES)
        if adding.result is AddResult.FULL:
            break
        stands, number = adding.entries, number + 1
    assert adding.reason.startswith("entries_full")
    assert len(stands) <= ENTRIES_MOST
    assert len(entries_text(stands).encode()) <= ENTRIES_BYTES
    assert standing(stands, 0, SIZE).applied == number > 5


LATE = {by: DueAt(AT, by) for by in DueBy}
LATEST = tuple(
    entry(EntryKind.ASSIGNED, benefits=tuple(range(len(dues))), dues=dues)
    for dues in (
        *((one,) for one in LATE.values()), (None, LATE[DueBy.LIST]), tuple(LATE.values()), (LATE[DueBy.LIST],) * 3,
        (replace(LATE[DueBy.LIST], at=datetime(2027, 1, 1, tzinfo=UTC)), *LATE.values()),
    )
)  # fmt: skip
"""Assignments with every kind of deadline, alone and together."""


@pytest.mark.parametrize(
    "one", [*map(entry, EntryKind), *LATEST, PART, replace(REJECTED, code="no_account", attempt=2)]
)
def test_a_list_is_read_back_as_it_was_written(one: CreditEntry) -> None:
    for other in (ASSIGNED, VOIDED, replace(SENT, delivery="billing/2"), replace(APPLIED, delivery="other/1")):
        for both in ((one, other), (other, one), (other, one, other)):
            assert read_entries(entries_text(both)) == both
    assert read_entries("") == ()


@pytest.mark.parametrize("kind", EntryKind)
def test_an_entry_has_whole_seconds_before_it_was_stored_as_after(kind: EntryKind) -> None:
    """Whoever writes next names the list as it was read: an instant with a fraction would never be found."""
    for micro in (1, 499_999, 500_000, 999_999):
        one = replace(entry(kind), at=AT.replace(microsecond=micro))
        assert one.at == AT
        assert read_entries(entries_text((one,))) == (one,)


SAID_BESIDE: dict[str, Any] = {
    "kind": EntryKind.REVERSAL_APPLIED, "id": "another", "benefits": (1,), "delivery": "billing/9", "attempt": 9,
    "amount": 9, "bill": "B-9", "day": date(2026, 12, 9), "code": "nine", "dues": (DueAt(AT, DueBy.LIST),),
    "account": "A-9", "channel": "letters:csv",
}  # fmt: skip
WHO_BROUGHT_IT: dict[str, Any] = {"at": AT.replace(year=2027), "by": "another", "cause": "f9:9"}


@pytest.mark.parametrize("name", [field.name for field in fields(CreditEntry)])
def test_an_entry_says_the_same_whoever_brought_it_and_not_where_anything_else_differs(name: str) -> None:
    if name == "sizes":
        one, other = REDUCED, replace(REDUCED, sizes=(LESS - 1,))
    else:
        one, other = APPLIED, replace(APPLIED, **{name: {**SAID_BESIDE, **WHO_BROUGHT_IT}[name]})
    assert one != other
    for this, that in ((one, other), (other, one)):
        assert this.says_the_same(that) is (name in WHO_BROUGHT_IT)


@pytest.mark.property
@given(
    quantity=st.decimals("0.000001", "999999", places=6) | st.decimals("0.5", "1000", places=1),
    kind=st.sampled_from((EntryKind.REDUCED, EntryKind.APPLIED)),
)
def test_an_amount_has_one_text_also_once_it_was_read(quantity: Decimal, kind: EntryKind) -> None:
    """Whoever writes next names the list as it was read: under another text of the amount it would never be found."""
    written = [
        entry(kind, **({"sizes": (size,)} if kind is EntryKind.REDUCED else {"amount": size})).content()
        for size in (quantity, quantity.normalize())
    ]
    assert written[0] == written[1] == CreditEntry.from_content(written[0]).content()


@pytest.mark.parametrize(
    "wrong",
    [
        {"benefits": ()},
        {"benefits": (0, 0)},
        {"benefits": (-1,)},
        {"benefits": (0, 1)},
        {"amount": None},
        {"amount": 0},
        {"sizes": (1,)},
        {"kind": EntryKind.REDUCED},
        {"kind": EntryKind.REDUCED, "amount": None, "sizes": (0,)},
        {"kind": EntryKind.REDUCED, "amount": None, "sizes": (1, 1)},
    ],
)
def test_an_entry_that_means_nothing_cannot_be_made(wrong: dict[str, Any]) -> None:
    stated = {"kind": EntryKind.APPLIED, **wrong}
    with pytest.raises(ValueError, match=r"entry|answer|applied|reduced"):
        replace(APPLIED, **stated)


# A part of it was voided


@pytest.mark.parametrize("state", [CreditState.DUE, CreditState.REJECTED, CreditState.TAKEN_BACK])
def test_what_is_reduced_stands_where_it_stood_and_by_all_of_it_is_void(state: CreditState) -> None:
    stands = added((), *WAYS[state], REDUCED)
    found = standing(stands, 0, SIZE)
    assert (found.state, found.shares(SIZE)) == (state, {state: SIZE - LESS, CreditState.VOIDED: LESS})
    rest = entry(EntryKind.REDUCED, id="rest", sizes=(SIZE - LESS,))
    assert standing(added(stands, rest), 0, SIZE).shares(SIZE) == {CreditState.VOIDED: SIZE}
    assert standing(added(stands, VOIDED), 0, SIZE).shares(SIZE) == {CreditState.VOIDED: SIZE}
    off = standing(added(stands, WRITTEN_OFF), 0, SIZE)
    assert off.shares(SIZE) == {CreditState.WRITTEN_OFF: SIZE - LESS, CreditState.VOIDED: LESS}
    more = add_entry(stands, entry(EntryKind.REDUCED, id="more", sizes=(SIZE - LESS + 1,)), SIZES)
    assert (more.result, more.entries) == (AddResult.CONFLICT, stands)


def test_a_reduced_credit_is_delivered_and_billed_for_the_rest() -> None:
    stands = added((), REDUCED, ASSIGNED)
    assert standing(stands, 0, SIZE).left_out == LESS
    too_much = add_entry(stands, replace(APPLIED, amount=SIZE - LESS + 1), SIZES)
    assert (too_much.result, too_much.reason.partition(":")[0]) == (AddResult.CONFLICT, "amount_exceeds")
    part = standing(added(stands, replace(APPLIED, amount=100)), 0, SIZE)
    assert part.shares(SIZE) == {CreditState.APPLIED: 100, CreditState.ACCEPTED: 200, CreditState.VOIDED: LESS}
    whole = standing(added(stands, replace(APPLIED, amount=SIZE - LESS)), 0, SIZE)
    assert whole.state is CreditState.APPLIED
    assert whole.shares(SIZE) == {CreditState.APPLIED: SIZE - LESS, CreditState.VOIDED: LESS}


def test_what_was_reduced_since_it_was_delivered_was_delivered_whole() -> None:
    stands = added((), ASSIGNED, REJECTED, REDUCED)
    assert (standing(stands, 0, SIZE).left_out, standing(stands, 0, SIZE).voided) == (0, LESS)
    again = added(stands, AGAIN, entry(EntryKind.ASSIGNED, id="billing/2", delivery="billing/2"))
    assert standing(again, 0, SIZE).left_out == LESS


@pytest.mark.property
@given(
    kinds=st.lists(st.sampled_from(list(EntryKind)), max_size=12),
    sizes=st.lists(st.integers(1, SIZE), min_size=12, max_size=12),
)
def test_whatever_happens_to_a_credit_each_part_of_it_counts_once(kinds: list[EntryKind], sizes: list[int]) -> None:
    stands: CreditEntries = ()
    for number, (kind, size) in enumerate(zip(kinds, sizes, strict=False)):
        stated: dict[str, Any] = {"id": f"{number}"}
        if kind is EntryKind.APPLIED:
            stated["amount"] = size
        if kind is EntryKind.REDUCED:
            stated["sizes"] = (size,)
        stands = add_entry(stands, entry(kind, **stated), SIZES).entries
        shares = standing(stands, 0, SIZE).shares(SIZE)
        assert sum(shares.values()) == SIZE
        assert all(share > 0 for share in shares.values())
