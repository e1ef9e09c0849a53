"""The entry that each answer leaves has every field from the line, and a reason says what the answer was about."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.domain.delivery.answers import AnswerResult, BillerAnswer, Heard, Hearing
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.entries import REVERSAL_ANSWERS, CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.standing import CreditState, OfWhich
from tests.unit.domain.delivery.test_answers import APPLIED, AT, KEY, REJECTED, good, hearing

LATER = AT + timedelta(days=9)
ASSIGNED = CreditEntry(EntryKind.ASSIGNED, AT, "delivery", "billing/4", (0, 1), delivery="billing/4")
ASKED = CreditEntry(EntryKind.REVERSAL_ASKED, AT, "anna", "void/1/v", (0, 1), sizes=(200, Decimal(7)))
SENT_BACK = CreditEntry(
    EntryKind.REVERSAL_ASSIGNED, AT, "delivery", "reversal_assigned/billing/6", (0, 1), delivery="billing/6"
)
ON_ITS_WAY = (ASSIGNED, ASKED, SENT_BACK)
MINUTES = {"measure": "call_minute"}
ANSWERS: dict[EntryKind, dict[str, Any]] = {
    EntryKind.ACCEPTED: {"answer": "accepted"}, EntryKind.APPLIED: APPLIED, EntryKind.REJECTED: REJECTED,
    EntryKind.TAKEN_BACK: {"answer": "taken_back"},
}  # fmt: skip


def reversal(place: int, number: int = 1) -> str:
    return credit_id(KEY, place, number, CreditType.REVERSAL)


def hear(one: Hearing, told: BillerAnswer) -> Heard:
    return one.hear(told, f"billing/{told.serial}", LATER, "answers.csv", "answers.csv:77")


def names(kind: EntryKind, delivery: str, number: int = 0) -> str:
    """What an answer's entry is recognised by."""
    if kind in (EntryKind.APPLIED, EntryKind.REVERSAL_APPLIED):
        return f"reversal/{number}/bill/billing/B-1" if number else "bill/billing/B-1"
    return f"{kind}/{number}/{delivery}" if number else f"{kind}/{delivery}"


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("is_reversal", [False, True])
@pytest.mark.parametrize("place", [0, 1])
def test_an_answer_leaves_what_its_line_says_of_the_credit_or_reversal_that_it_is_about(
    kind: EntryKind, place: int, *, is_reversal: bool
) -> None:
    delivery = "billing/6" if is_reversal else "billing/4"
    size: Any = (200, 500)[not is_reversal] if place == 0 else (Decimal(7), Decimal(20))[not is_reversal]
    amount = (
        {"amount": "7" if is_reversal else "20", **MINUTES} if place else {"amount": "2.00" if is_reversal else "5.00"}
    )
    cells = ANSWERS[kind] | ({"credit_id": reversal(place)} if is_reversal else {"credit_id": credit_id(KEY, place)})
    cells |= {"serial": delivery.partition("/")[2]}
    one = hearing(*(ON_ITS_WAY if is_reversal else (ASSIGNED,)))
    found = hear(one, good(**(cells | amount if kind is EntryKind.APPLIED else cells)))
    written = REVERSAL_ANSWERS[kind] if is_reversal else kind
    on_a_bill = {"amount": size, "bill": "B-1", "day": date(2026, 12, 5)} if kind is EntryKind.APPLIED else {}
    assert one.entries[-1] == CreditEntry(
        written,
        LATER,
        "answers.csv",
        names(written, delivery, int(is_reversal)),
        (place,),
        cause="answers.csv:77",
        delivery=delivery,
        attempt=1,
        code="unknown_account" if kind is EntryKind.REJECTED else "",
        **on_a_bill,
    )
    assert found.result is AnswerResult(kind.value)
    assert found.moved is not None
    assert (found.moved.measure, found.moved.component, found.moved.channel) == (
        "call_minute" if place else "USD", "" if place else "outage", "billing",
    )  # fmt: skip
    assert one.is_changed


def test_of_several_reversals_and_attempts_each_is_heard_by_its_own_id() -> None:
    """The second reversal of a credit, and the second attempt of another."""
    taken_back = CreditEntry(EntryKind.TAKEN_BACK, AT, "x", "taken_back/billing/4", (1,), delivery="billing/4")
    story: CreditEntries = (
        replace(ASSIGNED, benefits=(0,)),
        replace(ASSIGNED, benefits=(1,), id="billing/5", delivery="billing/5"),
        replace(ASKED, benefits=(0,), sizes=(200,)),
        replace(SENT_BACK, benefits=(0,)),
        CreditEntry(EntryKind.REVERSAL_REJECTED, AT, "x", "no", (0,), delivery="billing/6", code="frozen"),
        replace(ASKED, benefits=(0,), sizes=(130,), id="void/1/w"),
        replace(SENT_BACK, benefits=(0,), id="reversal_assigned/billing/8", delivery="billing/8"),
        replace(taken_back, delivery="billing/5", id="taken_back/billing/5"),
        CreditEntry(EntryKind.SEND_AGAIN, AT, "anna", "by/1", (1,)),
        replace(ASSIGNED, benefits=(1,), id="billing/9", delivery="billing/9"),
    )
    one = hearing(*story)
    found = hear(one, good(credit_id=reversal(0, 2), serial="8"))
    assert (found.result, one.entries[-1].attempt, one.entries[-1].id) == (
        AnswerResult.ACCEPTED, 2, "reversal_accepted/2/billing/8",
    )  # fmt: skip
    assert found.moved is not None
    assert found.moved.by_state == {
        CreditState.ASSIGNED: -130, CreditState.VOIDED: 130, OfWhich.ASKED_BACK: -130,
    }  # fmt: skip
    found = hear(one, good(credit_id=credit_id(KEY, 1, 2), serial="9"))
    assert (found.result, one.entries[-1].attempt, one.entries[-1].delivery) == (AnswerResult.ACCEPTED, 2, "billing/9")
    assert hear(one, good(credit_id=reversal(0, 3), serial="8")).result is AnswerResult.UNKNOWN_ID
    assert hear(one, good(credit_id=credit_id(KEY, 1, 3), serial="9")).result is AnswerResult.UNKNOWN_ID


@pytest.mark.parametrize(
    ("entries", "cells", "result", "reason"),
    [
        ((), {}, AnswerResult.BEFORE_DELIVERY, "the credit was not delivered yet"),
        ((ASSIGNED, ASKED), {"credit_id": reversal(0)}, AnswerResult.BEFORE_DELIVERY,
         "the reversal was not delivered yet"),
        ((ASSIGNED,), {"serial": "5"}, AnswerResult.OTHER_SERIAL, "the credit was delivered under another serial"),
        (ON_ITS_WAY, {"serial": "6"}, AnswerResult.OTHER_SERIAL, "the credit was delivered under another serial"),
        (ON_ITS_WAY, {"credit_id": reversal(0), "serial": "4"}, AnswerResult.OTHER_SERIAL,
         "the reversal was delivered under another serial"),
        ((ASSIGNED,), {"serial": "4", "amount": "4.00", "measure": "USD"}, AnswerResult.AMOUNT_DIFFERS,
         "the amount or its currency is not the credit's"),
        (ON_ITS_WAY, {"credit_id": reversal(0), "serial": "6", "amount": "5.00", "measure": "USD"},
         AnswerResult.AMOUNT_DIFFERS, "the amount or its currency is not the reversal's"),
        ((ASSIGNED,), {"credit_id": reversal(0), "serial": "6"}, AnswerResult.UNKNOWN_ID,
         "no credit of this decision has the id"),
    ],
)  # fmt: skip
def test_what_contradicts_the_delivery_is_told_of_what_it_is_about(
    entries: CreditEntries, cells: dict[str, str], result: AnswerResult, reason: str
) -> None:
    one = Hearing(hearing().decision, entries)
    assert hear(one, good(**cells)) == Heard(result, reason)
    assert not one.is_changed


@pytest.mark.parametrize("amount", ["2.00", "5.00"])
def test_an_answer_with_an_amount_names_the_whole_of_a_reversal(amount: str) -> None:
    cells = {"credit_id": reversal(0), "serial": "6", "amount": amount, "measure": "USD"}
    expected = AnswerResult.ACCEPTED if amount == "2.00" else AnswerResult.AMOUNT_DIFFERS
    assert hear(hearing(*ON_ITS_WAY), good(**cells)).result is expected


def test_an_answer_says_which_decision_it_is_about() -> None:
    told = good(account_id="A-9", subject="line-7", serial="12")
    assert told.key("out", 3) == replace(KEY, account_id="A-9", incident_id="out", subject="line-7", seq=3)
    assert good().key("out", 3).subject == "-"
    assert datetime(2026, 12, 1, 9, tzinfo=UTC) == AT
