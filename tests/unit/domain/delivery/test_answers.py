"""What a biller answers: how a line is read, and what it changes of a decision's credits."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import combinations, permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import BILLS_AHEAD_MONTHS, Benefit, Decision, DueAt, DueBy, Outcome
from kulanz.domain.delivery.answer_pass import CAMPAIGNS_PER_RECEIPT, AnswerTotals
from kulanz.domain.delivery.answers import (
    ANSWER_FACTS,
    BILL_CHARACTERS,
    CODE_CHARACTERS,
    REQUIRED_COLUMNS,
    TAKEN,
    AnswerReader,
    AnswerResult,
    BillerAnswer,
    Heard,
    Hearing,
)
from kulanz.domain.delivery.credit import CREDIT_ID_CHARACTERS, credit_id
from kulanz.domain.delivery.entries import ENTRIES_BYTES, CreditEntries, CreditEntry, EntryKind, entries_text
from kulanz.domain.delivery.standing import AddResult, Counted, CreditState, RejectedWith, add_entry, standing
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, remaining_of
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.lines import Line
from kulanz.domain.lists.rows import Problem
from kulanz.domain.money import Money, Size

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
DUE = datetime(2027, 1, 6, tzinfo=UTC)
KEY = DecisionKey("A-1", "outage", "-", 1)
SIZE = 500
CREDIT = credit_id(KEY, 0)
COLUMNS = ("account_id", *(fact.name for fact in ANSWER_FACTS))
LAYOUT = ListLayout(ListFormat.CSV, COLUMNS, 0)

LATE = DueAt(DUE, DueBy.POLICY)
ASSIGNED = CreditEntry(EntryKind.ASSIGNED, AT, "delivery", "billing/1", (0, 1), delivery="billing/1", dues=(LATE, None))


def hearing(*entries: CreditEntry) -> Hearing:
    """The hearing of a decision that grants 5.00 USD and 20 call minutes."""
    decision = Decision(
        Outcome.GRANTED,
        "credit",
        (Benefit(Money(SIZE, "USD"), component="outage"), Benefit(quantity="20", unit="call_minute")),
    )
    body = decision_body(KEY.campaign, "2", "0" * 64, "0" * 32, decision)
    entry = Entry(KEY, body, Outcome.GRANTED, remaining_of(decision.benefits), AT, None, 0, 0)
    return Hearing(entry, entries or (ASSIGNED,))


def answer(**stated: Any) -> BillerAnswer | Problem:
    """What a line with these cells says."""
    return AnswerReader(LAYOUT).answer(line_of(ListFormat.CSV, stated))


def line_of(format_: ListFormat, stated: Mapping[str, Any]) -> Line:
    """A line with these cells, and what every answer has."""
    told = {"account_id": "A-1", "serial": "1", "credit_id": CREDIT, "answer": "accepted", **stated}
    text = ",".join(told.get(name, "") for name in COLUMNS) if format_ is ListFormat.CSV else json.dumps(told)
    return Line(0, text.encode(), len(text) + 1, text.count('"'))


def good(**stated: Any) -> BillerAnswer:
    found = answer(**stated)
    assert isinstance(found, BillerAnswer), found
    return found


APPLIED = {"answer": "applied", "amount": "5.00", "measure": "USD", "bill": "B-1", "billed_on": "2026-12-05"}
REJECTED = {"answer": "rejected", "code": "unknown_account"}


def heard(hearing: Hearing, told: BillerAnswer, line: int = 0) -> Heard:
    return hearing.hear(told, f"billing/{told.serial}", AT, "f1", f"f1:{line}")


WRONG = {
    "serial": {"serial": "1.5"},
    "serial of nothing": {"serial": "0"},
    "credit_id": {"credit_id": "abc"},
    "answer": {"answer": "booked"},
    "no amount": {**APPLIED, "amount": "", "measure": ""},
    "an amount of nothing": {**APPLIED, "amount": "0.00"},
    "a signed amount": {**APPLIED, "amount": "-5.00"},
    "an amount with a comma": {**APPLIED, "amount": '"5,00"'},
    "an amount of nothing known": {**APPLIED, "measure": ""},
    "no bill": {**APPLIED, "bill": ""},
    "a bill without a day": {**APPLIED, "billed_on": ""},
    "another form of a day": {**APPLIED, "billed_on": "05.12.2026"},
    "a bill that is too long": {**APPLIED, "bill": "B" * (BILL_CHARACTERS + 1)},
    "no code": {"answer": "rejected"},
    "a code that is too long": {"answer": "rejected", "code": "c" * (CODE_CHARACTERS + 1)},
    "no account": {"account_id": ""},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_line_that_is_no_answer_is_refused_and_repeats_nothing(what: str) -> None:
    found = answer(**WRONG[what])
    assert isinstance(found, Problem), what
    for one in found.each():
        assert one.field in (*COLUMNS, "")
        assert not {"abc", "booked", "05.12.2026", "B" * 41} & set(one.expected.split())


def test_json_says_the_same_as_csv() -> None:
    reader = AnswerReader(ListLayout(ListFormat.JSONL, (), 0))
    assert reader.answer(line_of(ListFormat.JSONL, {"serial": 1, **APPLIED})) == good(**APPLIED)
    assert set(REQUIRED_COLUMNS) == {"account_id", "serial", "credit_id", "answer"}


CELLS = {
    "account_id": ("A-1", "A-2", ""),
    "serial": ("1", "2", "1.0", "0", ""),
    "credit_id": (CREDIT, "f" * CREDIT_ID_CHARACTERS, "abc", ""),
    "subject": ("", "line 1", "NULL"),
    "answer": ("accepted", "applied", "rejected", "booked"),
    "amount": ("", "5.00", "5", "20", "-5", "0", "five"),
    "measure": ("", "USD", "call_minute"),
    "bill": ("", "B-1", "B-2", "n/a", "B" * (BILL_CHARACTERS + 1)),
    "billed_on": ("", "2026-12-05", "05.12.2026"),
    "code": ("", "closed", "c" * (CODE_CHARACTERS + 1)),
}
"""What may stand in each column, right and wrong."""
GOOD_CELLS = {
    "accepted": {"answer": "accepted"},
    "applied": {**APPLIED, "serial": "1"},
    "in units": {**APPLIED, "amount": "20", "measure": "call_minute"},
    "rejected": REJECTED,
}


@pytest.mark.parametrize("format_", ListFormat)
def test_a_line_says_the_same_whatever_lines_were_read_before_it(format_: ListFormat) -> None:
    """What like lines say is remembered, and what is remembered must change nothing of the next one."""
    layout = LAYOUT if format_ is ListFormat.CSV else ListLayout(format_, (), 0)
    one_for_all, wrong = AnswerReader(layout), []
    for good_cells in GOOD_CELLS.values():
        assert isinstance(one_for_all.answer(line_of(format_, good_cells)), BillerAnswer)
        for (one, ones), (other, others) in combinations(CELLS.items(), 2):
            for cells in product(ones, others):
                stated = {**good_cells, **dict(zip((one, other), cells, strict=True))}
                line = line_of(format_, stated)
                if one_for_all.answer(line) != AnswerReader(layout).answer(line):
                    wrong.append(stated)
    assert not wrong


RESULTS: dict[str, tuple[dict[str, str], AnswerResult]] = {
    "accepted": ({}, AnswerResult.ACCEPTED),
    "accepted with its amount": ({"amount": "5.00", "measure": "USD"}, AnswerResult.ACCEPTED),
    "accepted with another amount": ({"amount": "5.01", "measure": "USD"}, AnswerResult.AMOUNT_DIFFERS),
    "accepted with less than it is": ({"amount": "4.99", "measure": "USD"}, AnswerResult.AMOUNT_DIFFERS),
    "rejected with less than it is": ({**REJECTED, "amount": "0.01", "measure": "USD"}, AnswerResult.AMOUNT_DIFFERS),
    "a bill of the longest": ({**APPLIED, "bill": "B" * BILL_CHARACTERS}, AnswerResult.APPLIED),
    "a code of the longest": ({**REJECTED, "code": "c" * CODE_CHARACTERS}, AnswerResult.REJECTED),
    "accepted in another currency": ({"amount": "5.00", "measure": "EUR"}, AnswerResult.AMOUNT_DIFFERS),
    "applied": (APPLIED, AnswerResult.APPLIED),
    "applied in part": ({**APPLIED, "amount": "2.5"}, AnswerResult.APPLIED),
    "applied in parts of a cent": ({**APPLIED, "amount": "2.505"}, AnswerResult.AMOUNT_DIFFERS),
    "more is applied than was credited": ({**APPLIED, "amount": "5.01"}, AnswerResult.AMOUNT_DIFFERS),
    "rejected": (REJECTED, AnswerResult.REJECTED),
    "taken back before it was booked": ({"answer": "taken_back"}, AnswerResult.TAKEN_BACK),
    "another id": ({"credit_id": credit_id(KEY, 7)}, AnswerResult.UNKNOWN_ID),
    "an attempt that there was not": ({"credit_id": credit_id(KEY, 0, 2)}, AnswerResult.UNKNOWN_ID),
    "another serial": ({"serial": "2"}, AnswerResult.OTHER_SERIAL),
    "minutes": (
        {**APPLIED, "credit_id": credit_id(KEY, 1), "amount": "20", "measure": "call_minute"},
        AnswerResult.APPLIED,
    ),
    "minutes as money": ({**APPLIED, "credit_id": credit_id(KEY, 1)}, AnswerResult.AMOUNT_DIFFERS),
}


@pytest.mark.parametrize("what", RESULTS)
def test_each_answer_has_its_result_and_changes_something_only_where_it_is_taken(what: str) -> None:
    cells, expected = RESULTS[what]
    one = hearing()
    found = heard(one, good(**cells))
    assert found.result is expected
    assert one.is_changed is (expected in TAKEN)
    assert (found.moved is not None) is one.is_changed
    assert bool(found.reason) is not one.is_changed


def test_what_was_not_delivered_has_no_answer() -> None:
    decision = hearing().decision
    assert heard(Hearing(decision, ()), good()).result is AnswerResult.BEFORE_DELIVERY


LESS = CreditEntry(EntryKind.REDUCED, AT, "anna", "void/2/v/7", (0,), sizes=(200,))
REJECTED_FIRST = CreditEntry(EntryKind.REJECTED, AT, "billing", "rejected/1", (0,), delivery="billing/1", code="closed")


@pytest.mark.parametrize(
    ("entries", "amount"),
    [
        pytest.param((LESS, ASSIGNED), "3.00", id="it was delivered for the rest"),
        pytest.param((ASSIGNED, REJECTED_FIRST, LESS), "5.00", id="it was reduced after its delivery"),
    ],
)
def test_an_answer_names_the_amount_that_was_delivered(entries: CreditEntries, amount: str) -> None:
    """Of a credit that a void has reduced: what was void when it was assigned was never delivered."""
    other = {"3.00": "5.00", "5.00": "3.00"}[amount]
    told = {"answer": "rejected", "code": "closed", "measure": "USD"}
    right = heard(hearing(*entries), good(**told, amount=amount))
    assert right.result is not AnswerResult.AMOUNT_DIFFERS, right
    assert heard(hearing(*entries), good(**told, amount=other)).result is AnswerResult.AMOUNT_DIFFERS


def test_of_a_reduced_credit_no_more_is_applied_than_the_rest() -> None:
    found = hearing(LESS, ASSIGNED)
    assert heard(found, good(**{**APPLIED, "amount": "5.00"})).result is AnswerResult.AMOUNT_DIFFERS
    assert heard(found, good(**{**APPLIED, "amount": "3.00"})).result is AnswerResult.APPLIED
    assert standing(found.entries, 0, SIZE).shares(SIZE) == {CreditState.APPLIED: 300, CreditState.VOIDED: 200}


def test_the_same_line_again_counts_as_it_counted_first_and_another_line_is_a_duplicate() -> None:
    one = hearing()
    first = heard(one, good(**APPLIED), 7)
    again = Hearing(one.decision, one.entries)
    assert heard(again, good(**APPLIED), 7) == first
    assert heard(again, good(**APPLIED), 8) == Heard(AnswerResult.DUPLICATE)
    assert not again.is_changed


def test_one_bill_cannot_say_two_things() -> None:
    one = hearing()
    assert heard(one, good(**{**APPLIED, "amount": "2.00"})).result is AnswerResult.APPLIED
    found = heard(one, good(**{**APPLIED, "amount": "3.00"}), 1)
    assert (found.result, found.reason.partition(":")[0]) == (AnswerResult.CONFLICT, "id_used")


def test_an_amount_on_a_bill_leaves_what_is_owed_by_its_deadline() -> None:
    one = hearing()
    part = heard(one, good(**{**APPLIED, "amount": "2.00"})).moved
    rest = heard(one, good(**{**APPLIED, "amount": "3.00", "bill": "B-2"}), 1).moved
    back = heard(one, good(answer="taken_back"), 2).moved
    assert part is not None
    assert rest is not None
    assert back is not None
    assert [(one.due, one.off_bills, one.number) for one in (part, rest, back)] == [
        (DUE, -200, 0),
        (DUE, -300, -1),
        (DUE, 500, 1),
    ]
    assert part.by_state == {CreditState.ASSIGNED: -500, CreditState.APPLIED: 200, CreditState.ACCEPTED: 300}
    assert (part.measure, part.component) == ("USD", "outage")


WITHOUT_CONTRADICTION = [
    good(),
    good(**{**APPLIED, "amount": "2.00"}),
    good(**{**APPLIED, "amount": "3.00", "bill": "B-2"}),
    good(credit_id=credit_id(KEY, 1)),
    good(credit_id=credit_id(KEY, 9)),
]


def test_answers_in_any_order_end_the_same_and_their_sums_are_where_the_credits_stand() -> None:
    for told in permutations(WITHOUT_CONTRADICTION):
        one, totals = hearing(), AnswerTotals()
        for line, each in enumerate(told):
            totals.count(KEY.campaign, heard(one, each, line))
        assert standing(one.entries, 0, SIZE).state is CreditState.APPLIED
        assert standing(one.entries, 1, 20).state is CreditState.ACCEPTED
        assert sums(totals) == stand(one.entries)
        assert totals.lines == len(told)
        assert {due.due: found for due, found in totals.dues.items()} == {DUE: (-1, -500)}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*WITHOUT_CONTRADICTION, good(**REJECTED), good(answer="taken_back"), good(serial="2")]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_whatever_is_answered_and_however_often_a_worker_dies_the_sums_say_where_the_credits_stand(
    told: list[tuple[BillerAnswer, bool]],
) -> None:
    stands: CreditEntries = (ASSIGNED,)
    totals = AnswerTotals()
    for line, (each, dies) in enumerate(told):
        one = Hearing(hearing().decision, stands)
        found = heard(one, each, line)
        stands = one.entries
        if dies:  # after it wrote, and before it counted
            found = heard(Hearing(one.decision, stands), each, line)
        totals.count(KEY.campaign, found, {REJECTED["code"]})
    assert sums(totals) == stand(stands)
    assert totals.lines == sum(totals.by_result().values()) == len(told)


def sums(totals: AnswerTotals) -> dict[tuple[str, Counted], Size]:
    """The sums of states that answers lead to, from what was assigned."""
    found: Counter[tuple[str, Counted]] = Counter()
    found["USD", CreditState.ASSIGNED] = SIZE
    found["call_minute", CreditState.ASSIGNED] = 20
    for place, moved in totals.moved.items():
        for state, size in moved.items():
            found[place.measure, state] += int(size)
    return {place: size for place, size in found.items() if size}


def stand(entries: CreditEntries) -> dict[tuple[str, Counted], Size]:
    """Where the credits stand by their entries, and with which code they are rejected."""
    found: dict[tuple[str, Counted], Size] = {}
    for place, (measure, size) in enumerate((("USD", SIZE), ("call_minute", 20))):
        stands = standing(entries, place, size)
        for state, share in stands.shares(size).items():
            found[measure, state] = share
            if state is CreditState.REJECTED:
                found[measure, RejectedWith(stands.code)] = share
    return found


def test_totals_of_two_stretches_are_those_of_both() -> None:
    one, whole, parts = hearing(), AnswerTotals(), [AnswerTotals(), AnswerTotals()]
    for line, each in enumerate(WITHOUT_CONTRADICTION):
        found = heard(one, each, line)
        whole.count(KEY.campaign, found)
        parts[line % 2].count(KEY.campaign, found)
    parts[0].add(parts[1])
    assert parts[0] == whole


def test_a_day_is_a_day() -> None:
    assert good(**APPLIED).day == date(2026, 12, 5)


def test_a_credit_that_was_taken_back_twice_and_booked_again_has_room_on_its_decision() -> None:
    one = hearing(
        CreditEntry(EntryKind.ASSIGNED, AT, "delivery", "billing/1", (0,), delivery="billing/1", dues=(LATE,))
    )
    for attempt in (1, 2, 3):
        if attempt > 1:
            delivery = f"billing/{attempt}"
            again = CreditEntry(EntryKind.ASSIGNED, AT, "delivery", delivery, (0,), delivery=delivery, dues=(LATE,))
            asked = CreditEntry(EntryKind.SEND_AGAIN, AT, "person", f"by/012345678{attempt}", (0,))
            due = add_entry(one.entries, asked, {0: SIZE, 1: 20}).entries
            added = add_entry(due, again, {0: SIZE, 1: 20})
            assert added.result is AddResult.ADDED
            one = Hearing(one.decision, added.entries)
        told = {"credit_id": credit_id(KEY, 0, attempt), "serial": str(attempt)}
        answers = [told, {**told, **APPLIED, "bill": f"2026-12-{attempt:02d}-0001"}, {**told, "answer": "taken_back"}]
        for line, cells in enumerate(answers[: 2 if attempt == 3 else 3]):
            found = one.hear(good(**cells), f"billing/{attempt}", AT, "0123456789ab", str(line * 100))
            assert found.result in TAKEN, (attempt, cells)
    assert len(entries_text(one.entries).encode()) <= ENTRIES_BYTES


def test_what_a_receipt_changes_is_one_transaction() -> None:
    months = BILLS_AHEAD_MONTHS + 2  # those at both ends, and that of the policy's own day
    assert 3 + CAMPAIGNS_PER_RECEIPT * (1 + months) <= 100  # DynamoDB: the receipt, its cursor and its file are three
