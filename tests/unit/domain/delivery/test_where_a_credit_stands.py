"""Each fact of where a credit stands comes from its own entry, and each refusal says its own reason."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from kulanz.domain.decision import DueAt, DueBy
from kulanz.domain.delivery.entries import (
    ANSWERS,
    ENTRIES_BYTES,
    OF_REVERSALS,
    CreditEntries,
    CreditEntry,
    EntryKind,
    entries_text,
)
from kulanz.domain.delivery.standing import (
    BYTES_OF_REVERSAL,
    MOVES,
    OVERTAKEN,
    AddResult,
    CreditState,
    Standing,
    add_entry,
    standing,
)
from kulanz.domain.money import Size
from tests.unit.domain.delivery import test_reversals as of_reversals
from tests.unit.domain.delivery.test_credit_entries import KINDS, SIZE, SIZES, WAYS, entry

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
FIRST, SECOND = (DueAt(AT + timedelta(days=1), DueBy.LIST), DueAt(AT + timedelta(days=2), DueBy.POLICY))


def said(kind: EntryKind, delivery: str = "", **stated: Any) -> CreditEntry:
    told: dict[str, Any] = {"id": f"{kind}/{delivery}/{len(stated)}", **stated}
    return replace(CreditEntry(EntryKind.VOIDED, AT, "x", "x", (0,)), kind=kind, delivery=delivery, **told)


def test_each_entry_changes_what_it_states_and_leaves_everything_else() -> None:
    """No two values of the story are equal, so that none can stand where another belongs."""
    story = (
        said(EntryKind.REDUCED, sizes=(70,)),
        said(EntryKind.ASSIGNED, "billing/1", dues=(FIRST,)),
        said(EntryKind.APPLIED, "billing/1", amount=110, bill="B-1", day=date(2026, 12, 2)),
        said(EntryKind.TAKEN_BACK, "billing/1"),
        said(EntryKind.REDUCED, sizes=(30,), id="more"),
        said(EntryKind.SEND_AGAIN, account="AT-THE-BILLER", channel="letters:csv"),
        said(EntryKind.ASSIGNED, "letters/7", dues=(SECOND,)),
        said(EntryKind.REJECTED, "letters/7", attempt=2, code="frozen"),
        said(EntryKind.SEND_AGAIN, id="as before"),
        said(EntryKind.ASSIGNED, "letters/8"),
        said(EntryKind.APPLIED, "letters/8", attempt=2, amount=130, bill="B-2", day=date(2026, 12, 3)),
    )
    due: dict[str, Any] = {"due": FIRST.at, "due_by": FIRST.by}
    again: dict[str, Any] = {"attempt": 2, "account": "AT-THE-BILLER", "channel": "letters:csv", "voided": 100}
    late: dict[str, Any] = {"delivery": "letters/7", "left_out": 100, "due": SECOND.at, "due_by": SECOND.by, **again}
    expected = [
        Standing(voided=70),
        Standing(CreditState.ASSIGNED, delivery="billing/1", voided=70, left_out=70, **due),
        Standing(CreditState.PARTLY_APPLIED, 1, "billing/1", 110, voided=70, left_out=70, **due),
        Standing(CreditState.TAKEN_BACK, 1, "billing/1", voided=70, left_out=70, **due),
        Standing(CreditState.TAKEN_BACK, 1, "billing/1", voided=100, left_out=70, **due),
        Standing(CreditState.DUE, delivery="billing/1", left_out=70, **again, **due),
        Standing(CreditState.ASSIGNED, **late),
        Standing(CreditState.REJECTED, code="frozen", **late),
        Standing(CreditState.DUE, **late),
        Standing(CreditState.ASSIGNED, delivery="letters/8", left_out=100, **again),
        Standing(CreditState.PARTLY_APPLIED, delivery="letters/8", applied=130, left_out=100, **again),
    ]
    assert [standing(story[: number + 1], 0, SIZE) for number in range(len(story))] == expected
    assert [one.belongs_to for one in expected] == ["", *["billing"] * 4, *["letters"] * 6]


@pytest.mark.parametrize(
    ("state", "applied", "voided", "expected"),
    [
        (CreditState.PARTLY_APPLIED, 400, 0, {CreditState.APPLIED: 400, CreditState.ACCEPTED: 100}),
        (CreditState.PARTLY_APPLIED, 400, 30, {CreditState.APPLIED: 400, CreditState.ACCEPTED: 70}),
        (CreditState.PARTLY_APPLIED, 400, 100, {CreditState.APPLIED: 400}),
        (CreditState.PARTLY_APPLIED, 400, 101, {CreditState.APPLIED: 399}),
        (CreditState.WRITTEN_OFF, 400, 30, {CreditState.APPLIED: 400, CreditState.WRITTEN_OFF: 70}),
        (CreditState.WRITTEN_OFF, 0, 30, {CreditState.WRITTEN_OFF: 470}),
        (CreditState.APPLIED, 500, 30, {CreditState.APPLIED: 470}),
        (CreditState.REJECTED, 0, 30, {CreditState.REJECTED: 470}),
    ],
)
def test_what_is_void_is_taken_off_what_is_on_no_bill_first(
    state: CreditState, applied: Size, voided: Size, expected: dict[CreditState, Size]
) -> None:
    void = {CreditState.VOIDED: voided} if voided else {}
    assert Standing(state, applied=applied, voided=voided).shares(SIZE) == expected | void


def _follows(state: CreditState, kind: EntryKind) -> tuple[CreditEntries, CreditEntry]:
    amount = {"amount": 300} if kind is EntryKind.APPLIED else {}
    return WAYS[state], entry(kind, id="new", **amount)


@pytest.mark.parametrize(("state", "kind"), list(product(CreditState, KINDS)))
def test_a_refusal_says_that_a_state_has_no_such_move_or_that_the_amount_is_too_much(
    state: CreditState, kind: EntryKind
) -> None:
    """And no list has what was refused: read as one, it is an error, and never another standing."""
    before, new = _follows(state, kind)
    adding = add_entry(before, new, SIZES)
    if adding.result is AddResult.ADDED:
        return
    if adding.result is AddResult.CONFLICT:
        reason = "amount_exceeds" if kind in MOVES[state] else f"not_from_{state}"
        assert adding.reason.partition(":")[0] == reason
    else:
        assert (adding.result, kind in OVERTAKEN[state]) == (AddResult.OVERTAKEN, True)
    with pytest.raises(ValueError, match="cannot stand"):
        standing((*before, new), 0, SIZE)


@pytest.mark.parametrize("kind", sorted(ANSWERS))
@pytest.mark.parametrize("attempt", [1, 3])
def test_no_list_has_an_answer_to_another_attempt_than_the_one_that_was_delivered(
    kind: EntryKind, attempt: int
) -> None:
    before = (*WAYS[CreditState.TAKEN_BACK], entry(EntryKind.SEND_AGAIN), entry(EntryKind.ASSIGNED, id="second"))
    with pytest.raises(ValueError, match="cannot stand"):
        standing((*before, entry(kind, attempt=attempt, id="other")), 0, SIZE)
    assert standing((*before, entry(kind, attempt=2, id="this")), 0, SIZE).state is not CreditState.ASSIGNED


def _asked_with(number_of_bytes: int) -> CreditEntries:
    """A list of so many bytes by which all of a credit is asked back."""
    asked = replace(of_reversals.asked(), cause="")
    plain = len(entries_text((of_reversals.ASSIGNED, replace(asked, cause="x"))).encode())
    found = of_reversals.ASSIGNED, replace(asked, cause="x" * (number_of_bytes - plain + 1))
    assert len(entries_text(found).encode()) == number_of_bytes
    return found


def test_the_room_that_is_kept_for_a_reversal_is_kept_to_the_byte_and_its_answers_may_use_it() -> None:
    most = ENTRIES_BYTES - BYTES_OF_REVERSAL
    accepted = of_reversals.answer(EntryKind.ACCEPTED)
    some = _asked_with(1_000)
    more = len(entries_text((*some, accepted)).encode()) - 1_000
    for over in (0, 1):
        fits = AddResult.FULL if over else AddResult.ADDED
        assert add_entry(_asked_with(most - more + over), accepted, SIZES).result is fits
        last = _asked_with(most + over)
        assert add_entry(last[:1], last[1], SIZES).result is fits
    full = _asked_with(most)
    for one in (of_reversals.SENT_BACK, of_reversals.back(EntryKind.ACCEPTED), of_reversals.back(EntryKind.APPLIED)):
        assert one.kind in OF_REVERSALS
        adding = add_entry(full, one, SIZES)
        assert adding.result is AddResult.ADDED, one
        full = adding.entries
