"""What is asked back of a credit at the biller: nothing is void before the answer, and nothing is booked twice."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.delivery.entries import (
    ENTRIES_BYTES,
    ENTRIES_MOST,
    OF_REVERSALS,
    REVERSAL_ANSWERS,
    CreditEntries,
    CreditEntry,
    EntryKind,
    answer_id,
    bill_id,
    entries_text,
    read_entries,
)
from kulanz.domain.delivery.reversal import REVERSAL_MOVES, REVERSAL_OVERTAKEN, VOID, ReversalState
from kulanz.domain.delivery.standing import (
    AT_BILLER,
    BYTES_OF_REVERSAL,
    Adding,
    AddResult,
    CreditState,
    Standing,
    add_entry,
    contradiction,
    standing,
)
from kulanz.domain.money import Size

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SIZE, PART = 500, 200
SIZES: dict[int, Size] = {0: SIZE}
CREDIT, BACK = "billing/1", "billing/2"
ASSIGNED = CreditEntry(EntryKind.ASSIGNED, AT, "delivery", CREDIT, (0,), delivery=CREDIT)
SENT_BACK = CreditEntry(EntryKind.REVERSAL_ASSIGNED, AT, "delivery", f"reversal_assigned/{BACK}", (0,), delivery=BACK)


def asked(size: Size = SIZE, name: str = "one") -> CreditEntry:
    return CreditEntry(EntryKind.REVERSAL_ASKED, AT, "anna", f"void/1/{name}", (0,), sizes=(size,))


def answer(kind: EntryKind, bill: str = "B-1", amount: Size = SIZE) -> CreditEntry:
    """What the biller says of the credit."""
    told: dict[str, Any] = {"amount": amount, "bill": bill, "day": date(2026, 12, 1)} if _is_billed(kind) else {}
    identity = bill_id(bill, CREDIT) if _is_billed(kind) else answer_id(kind, CREDIT)
    return CreditEntry(kind, AT, "file", identity, (0,), delivery=CREDIT, **told)


def back(kind: EntryKind, bill: str = "B-2", amount: Size = SIZE, number: int = 1) -> CreditEntry:
    """What the biller says of a reversal, by what it would be of a credit."""
    kind = REVERSAL_ANSWERS.get(kind, kind)
    is_billed = _is_billed(kind)
    told: dict[str, Any] = {"amount": amount, "bill": bill, "day": date(2026, 12, 1)} if is_billed else {}
    identity = bill_id(bill, BACK, number) if is_billed else answer_id(kind, BACK, number)
    return CreditEntry(kind, AT, "file", identity, (0,), delivery=BACK, attempt=number, **told)


def _is_billed(kind: EntryKind) -> bool:
    return kind in (EntryKind.APPLIED, EntryKind.REVERSAL_APPLIED)


def adding(*entries: CreditEntry) -> Adding:
    """What becomes of the last of some entries, of which the others are all taken."""
    stands: CreditEntries = ()
    for one in entries[:-1]:
        taken = add_entry(stands, one, SIZES)
        assert taken.result is AddResult.ADDED, taken
        stands = taken.entries
    return add_entry(stands, entries[-1], SIZES)


def stands(*entries: CreditEntry) -> Standing:
    """Where the credit stands after entries that are all taken."""
    taken = adding(*entries)
    assert taken.result is AddResult.ADDED, taken
    return standing(taken.entries, 0, SIZE)


ACCEPTED, APPLIED, REJECTED, TAKEN_BACK = (
    EntryKind.ACCEPTED,
    EntryKind.APPLIED,
    EntryKind.REJECTED,
    EntryKind.TAKEN_BACK,
)
AT_THE_BILLER = {
    CreditState.ASSIGNED: (ASSIGNED,),
    CreditState.SENT: (ASSIGNED, CreditEntry(EntryKind.SENT, AT, "x", "sent", (0,), delivery=CREDIT)),
    CreditState.ACCEPTED: (ASSIGNED, answer(ACCEPTED)),
    CreditState.PARTLY_APPLIED: (ASSIGNED, answer(APPLIED, amount=PART)),
    CreditState.APPLIED: (ASSIGNED, answer(APPLIED)),
}
WAYS: dict[ReversalState, tuple[CreditEntry, ...]] = {
    ReversalState.ASKED: (),
    ReversalState.ASSIGNED: (SENT_BACK,),
    ReversalState.BOOKED: (SENT_BACK, back(ACCEPTED)),
    ReversalState.APPLIED: (SENT_BACK, back(APPLIED)),
    ReversalState.REJECTED: (SENT_BACK, back(REJECTED)),
    ReversalState.UNDONE: (SENT_BACK, back(APPLIED), back(TAKEN_BACK)),
}


def test_nothing_is_void_before_the_answer_and_then_as_much_as_was_asked_back() -> None:
    """Wherever the credit stood at the biller, for all of it and for a part of it."""
    assert AT_THE_BILLER.keys() == AT_BILLER
    for state, way in AT_THE_BILLER.items():
        before = stands(*way).shares(SIZE)
        for size in (SIZE, PART, 1):
            on_its_way = stands(*way, asked(size), SENT_BACK)
            assert on_its_way.shares(SIZE) == before, state
            assert (on_its_way.state, on_its_way.asked_back) == (state, size)
            for kind in (ACCEPTED, APPLIED):
                done = stands(*way, asked(size), SENT_BACK, back(kind, amount=size))
                assert (done.asked_back, done.shares(SIZE)[CreditState.VOIDED]) == (0, size)
                assert sum(done.shares(SIZE).values()) == SIZE
                assert (done.state is CreditState.VOIDED) is (size == SIZE)
                undone = stands(*way, asked(size), SENT_BACK, back(kind, amount=size), back(TAKEN_BACK))
                assert undone.shares(SIZE) == before, (state, size, kind)
            left = stands(*way, asked(size), SENT_BACK, back(REJECTED))
            assert (left.shares(SIZE), left.asked_back) == (before, 0)


def test_a_reversal_moves_or_is_overtaken_or_contradicts_what_stands() -> None:
    """Every state of a reversal and every entry about it: what the two tables say, and nothing else."""
    wrong = []
    for state, way in WAYS.items():
        for kind in sorted(OF_REVERSALS - {EntryKind.REVERSAL_ASKED}):
            new = SENT_BACK if kind is EntryKind.REVERSAL_ASSIGNED else back(kind, bill="B-9", amount=1)
            if new in way:
                continue
            found = adding(*AT_THE_BILLER[CreditState.ACCEPTED], asked(), *way, new)
            expected = AddResult.CONFLICT
            if kind in REVERSAL_OVERTAKEN.get(state, ()):
                expected = AddResult.OVERTAKEN
            elif kind in REVERSAL_MOVES[state] and (state, kind) != (
                ReversalState.APPLIED,
                EntryKind.REVERSAL_APPLIED,  # all of it is on bills: any more is too much
            ):
                expected = AddResult.ADDED
            if found.result is not expected:
                wrong.append((state, kind, found))
    assert wrong == []


def test_never_more_is_asked_back_than_is_left() -> None:
    accepted = AT_THE_BILLER[CreditState.ACCEPTED]
    for before in (PART, SIZE):
        for way in ((), (SENT_BACK,), (SENT_BACK, back(ACCEPTED))):
            for more in (SIZE - before, SIZE - before + 1):
                if more:
                    found = adding(*accepted, asked(before), *way, asked(more, "two"))
                    fits = more <= SIZE - before and back(ACCEPTED) in way
                    assert found.result is (AddResult.ADDED if fits else AddResult.CONFLICT), (before, way, more)
    assert adding(*accepted, asked(), SENT_BACK, back(REJECTED), asked(SIZE, "two")).result is AddResult.ADDED


def test_what_was_sent_again_for_the_rest_is_on_bills_with_that_and_its_reversal_stands() -> None:
    """The biller rejects a credit and books a reversal of a part of it: the rest is sent again."""
    again = CreditEntry(EntryKind.SEND_AGAIN, AT, "person", "by/1", (0,))
    sent = replace(ASSIGNED, delivery="billing/3", id="billing/3")
    rejected = (ASSIGNED, asked(PART), SENT_BACK, answer(REJECTED), back(ACCEPTED))
    assert stands(*rejected).shares(SIZE) == {CreditState.REJECTED: SIZE - PART, CreditState.VOIDED: PART}
    way = (*rejected, again, sent)
    assert stands(*way).left_out == PART
    billed = replace(answer(APPLIED, amount=SIZE - PART), delivery="billing/3")
    on_bills = stands(*way, billed)
    assert on_bills.state is CreditState.APPLIED
    assert on_bills.shares(SIZE) == {CreditState.APPLIED: SIZE - PART, CreditState.VOIDED: PART}
    more = adding(*way, replace(billed, amount=SIZE - PART + 1))
    assert (more.result, more.reason.partition(":")[0]) == (AddResult.CONFLICT, "amount_exceeds")
    for kind in (REJECTED, TAKEN_BACK):
        undone = adding(*way, back(kind))
        assert (undone.result, undone.reason.partition(":")[0]) == (AddResult.CONFLICT, "sent_again")


def test_only_what_the_biller_has_can_be_asked_back() -> None:
    elsewhere = {
        CreditState.DUE: (),
        CreditState.REJECTED: (ASSIGNED, answer(REJECTED)),
        CreditState.TAKEN_BACK: (ASSIGNED, answer(APPLIED), answer(TAKEN_BACK)),
        CreditState.VOIDED: (CreditEntry(EntryKind.VOIDED, AT, "x", "void/1/x", (0,)),),
        CreditState.WRITTEN_OFF: (CreditEntry(EntryKind.WRITTEN_OFF, AT, "x", "by/1", (0,)),),
    }
    assert elsewhere.keys() | AT_BILLER | {CreditState.UNKNOWN} == set(CreditState)
    for state, way in elsewhere.items():
        found = adding(*way, asked())
        assert (found.result, found.reason.partition(":")[0]) == (AddResult.CONFLICT, f"not_from_{state}")


def test_a_credit_goes_onto_bills_while_it_is_asked_back() -> None:
    """In whatever order the answers come, the sums end the same."""
    said = (answer(ACCEPTED), answer(APPLIED, amount=PART), answer(APPLIED, bill="B-3", amount=SIZE - PART))
    for size in (SIZE, PART):
        taken = (back(ACCEPTED), back(APPLIED, amount=size))
        ends = set()
        for order in permutations((*said, *taken)):
            entries: CreditEntries = adding(ASSIGNED, asked(size), SENT_BACK).entries
            for one in order:
                found = add_entry(entries, one, SIZES)
                assert found.result in (AddResult.ADDED, AddResult.OVERTAKEN), found
                entries = found.entries
            end = standing(entries, 0, SIZE)
            ends.add((end.state, end.applied, tuple(sorted(end.shares(SIZE).items()))))
        state = CreditState.VOIDED if size == SIZE else CreditState.APPLIED
        assert {end[:2] for end in ends} == {(state, SIZE)}
        assert len(ends) == 1


def test_what_cannot_both_be_true_leaves_the_credit_void_in_either_order_and_is_said() -> None:
    """The biller has nothing of the credit any more, and has taken it off by the reversal: perhaps twice."""
    accepted = AT_THE_BILLER[CreditState.ACCEPTED]
    for kind in (REJECTED, TAKEN_BACK):
        for booked in (ACCEPTED, APPLIED):
            stood = stands(*accepted, asked(), SENT_BACK, answer(kind))
            assert contradiction(stood, back(booked)).partition(":")[0] == f"credit_{kind}"
            first = adding(*accepted, asked(), SENT_BACK, answer(kind), back(booked))
            assert first.result is AddResult.ADDED
            stood = stands(*accepted, asked(), SENT_BACK, back(booked))
            assert contradiction(stood, answer(kind)).partition(":")[0] == f"credit_{kind}"
            then = adding(*accepted, asked(), SENT_BACK, back(booked), answer(kind))
            assert then.result is AddResult.ADDED
            for entries in (first.entries, then.entries):
                end = standing(entries, 0, SIZE)
                assert (end.shares(SIZE), end.asked_back) == ({CreditState.VOIDED: SIZE}, 0)
                after = stands(*entries, back(TAKEN_BACK))
                assert (after.shares(SIZE), after.asked_back) == ({CreditState(kind.value): SIZE}, 0)
        undone = stands(*accepted, asked(), SENT_BACK, back(ACCEPTED), back(TAKEN_BACK), answer(kind))
        assert undone.shares(SIZE) == {CreditState(kind.value): SIZE}
        for harmless in (REJECTED, TAKEN_BACK):
            assert not contradiction(stands(*accepted, asked(), SENT_BACK, answer(kind)), back(harmless))
    assert not contradiction(stands(*accepted, asked(), SENT_BACK), back(ACCEPTED))
    billed = adding(*accepted, asked(), SENT_BACK, back(APPLIED, amount=1), back(REJECTED))
    assert billed.result is AddResult.CONFLICT


def test_what_was_not_delivered_yet_lapses_when_the_biller_has_nothing_any_more() -> None:
    for kind in (REJECTED, TAKEN_BACK):
        lapsed = stands(*AT_THE_BILLER[CreditState.ACCEPTED], asked(), answer(kind))
        assert [one.state for one in lapsed.reversals] == [ReversalState.LAPSED]
        assert lapsed.asked_back == 0
        late = adding(*AT_THE_BILLER[CreditState.ACCEPTED], asked(), answer(kind), SENT_BACK)
        assert late.result is AddResult.CONFLICT


def test_a_person_does_nothing_with_a_credit_whose_reversal_the_biller_may_book() -> None:
    on_its_way = (*AT_THE_BILLER[CreditState.ACCEPTED], asked(), SENT_BACK, answer(REJECTED))
    for kind in (EntryKind.SEND_AGAIN, EntryKind.WRITTEN_OFF, EntryKind.VOIDED, EntryKind.WRITE_OFF_ASKED):
        new = CreditEntry(kind, AT, "person", f"by/{kind}", (0,))
        found = adding(*on_its_way, new)
        assert (found.result, found.reason.partition(":")[0]) == (AddResult.CONFLICT, "reversal_under_way"), kind
        assert adding(*on_its_way, back(REJECTED), new).result is AddResult.ADDED


def test_there_is_room_for_every_answer_to_what_was_asked_back() -> None:
    """Answers about the credit that would take it are refused, and the reversal's are not."""
    entries: CreditEntries = (ASSIGNED, asked(SIZE))
    results = set()
    for number in range(ENTRIES_MOST):
        taken = add_entry(entries, answer(APPLIED, bill=f"{number:040d}", amount=1), SIZES)
        results.add(taken.result)
        entries = taken.entries
    assert results == {AddResult.ADDED, AddResult.FULL}
    assert len(entries_text(entries).encode()) <= ENTRIES_BYTES - BYTES_OF_REVERSAL
    longest = "billing-of-the-whole-company/1234"
    for one in (
        CreditEntry(
            EntryKind.REVERSAL_ASSIGNED, AT, "delivery", f"reversal_assigned/{longest}", (0,), delivery=longest
        ),
        CreditEntry(EntryKind.REVERSAL_ACCEPTED, AT, "f" * 32, "a", (0,), cause="123456", delivery=longest),
        CreditEntry(
            EntryKind.REVERSAL_APPLIED, AT, "f" * 32, "b", (0,), "123456", longest, 1, SIZE, "9" * 40, date(2026, 12, 1)
        ),
    ):
        found = add_entry(entries, one, SIZES)
        assert found.result is AddResult.ADDED, found
        entries = found.entries


@pytest.mark.parametrize("said", [(), (SENT_BACK,), (SENT_BACK, back(REJECTED)), (SENT_BACK, back(ACCEPTED))])
def test_room_is_kept_for_a_reversal_until_the_biller_has_answered(said: CreditEntries) -> None:
    stands = adding(ASSIGNED, asked(PART), *said).entries
    (reversal,) = standing(stands, 0, SIZE).reversals
    number = 0
    while (taken := add_entry(stands, answer(APPLIED, f"{number:040d}", 1), SIZES)).result is AddResult.ADDED:
        stands, number = taken.entries, number + 1
    kept = BYTES_OF_REVERSAL if reversal.is_open else 0
    assert taken.result is AddResult.FULL
    one_more = (*stands, answer(APPLIED, f"{number:040d}", 1))
    assert len(entries_text(stands).encode()) <= ENTRIES_BYTES - kept < len(entries_text(one_more).encode())


_ANY = st.one_of(
    st.sampled_from([ASSIGNED, SENT_BACK, CreditEntry(EntryKind.SEND_AGAIN, AT, "x", "by/1", (0,))]),
    st.builds(asked, st.integers(1, SIZE), st.sampled_from(["one", "two", "three"])),
    st.builds(answer, st.sampled_from([ACCEPTED, APPLIED, REJECTED, TAKEN_BACK]), st.just("B-1"), st.integers(1, SIZE)),
    st.builds(
        back,
        st.sampled_from([ACCEPTED, APPLIED, REJECTED, TAKEN_BACK]),
        st.sampled_from(["B-2", "B-3"]),
        st.integers(1, SIZE),
        st.integers(1, 3),
    ),
)


@given(st.lists(_ANY, max_size=20))
def test_whatever_is_said_every_cent_is_in_one_state_and_none_is_asked_back_twice(said: list[CreditEntry]) -> None:
    entries: CreditEntries = (ASSIGNED,)
    for one in said:
        found = add_entry(entries, one, SIZES)
        before = entries
        entries = found.entries
        assert (found.result is AddResult.ADDED) is (entries != before)
        stood = standing(entries, 0, SIZE)
        assert sum(stood.shares(SIZE).values()) == SIZE
        assert all(share > 0 for share in stood.shares(SIZE).values())
        assert stood.asked_back + stood.voided <= SIZE
        assert stood.reversed == sum(one.size for one in stood.reversals if one.state in VOID) <= stood.voided
        assert stood.shares(SIZE).get(CreditState.VOIDED, 0) == stood.voided
        assert read_entries(entries_text(entries)) == entries
        assert add_entry(entries, one, SIZES).result is not AddResult.ADDED
