"""The amount of an answer: in the decimals of its own currency, never rounded, and that of the delivery it answers."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.answers import AnswerResult, BillerAnswer, Heard, Hearing
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.entries import REVERSAL_ANSWERS, CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.standing import AddResult, CreditState, add_entry
from kulanz.domain.ledger.entries import Entry, decision_body, remaining_of
from kulanz.domain.money import Money, Size
from tests.unit.domain.delivery.test_answers import AT, KEY

DAY = AT.date()


def deciding(*benefits: Benefit) -> Entry:
    decision = Decision(Outcome.GRANTED, "credit", benefits)
    body = decision_body(KEY.campaign, "2", "0" * 64, "0" * 32, decision)
    return Entry(KEY, body, Outcome.GRANTED, remaining_of(benefits), AT, None, 0, 0)


def assigned(serial: int, *places: int) -> CreditEntry:
    delivery = f"billing/{serial}"
    return CreditEntry(EntryKind.ASSIGNED, AT, "delivery", delivery, places, delivery=delivery)


def told(kind: EntryKind, amount: Fraction | str, measure: str, place: int = 0, **stated: str) -> BillerAnswer:
    """An answer about a credit with an amount."""
    is_applied = kind is EntryKind.APPLIED
    return BillerAnswer(
        serial=1,
        credit_id=credit_id(KEY, place),
        account_id=KEY.account_id,
        subject=KEY.subject,
        kind=kind,
        amount=Fraction(amount),
        measure=measure,
        bill=stated.get("bill", "B-1") if is_applied else "",
        day=DAY if is_applied else None,
        code="closed" if kind is EntryKind.REJECTED else "",
    )


def heard(one: Hearing, answer: BillerAnswer, serial: int = 1, line: int = 0, by: str = "f1") -> Heard:
    return one.hear(answer, f"billing/{serial}", AT, by, f"answers.csv:{line}")


THREE_DECIMALS_TO_NONE = [("KWD", "1.234", 1_234), ("TND", "0.005", 5), ("EUR", "1.23", 123), ("JPY", "123", 123)]


@pytest.mark.parametrize(("currency", "amount", "minor"), THREE_DECIMALS_TO_NONE)
@pytest.mark.parametrize("kind", [EntryKind.ACCEPTED, EntryKind.APPLIED, EntryKind.REJECTED])
def test_an_amount_is_read_in_the_decimals_of_its_currency(
    kind: EntryKind, currency: str, amount: str, minor: int
) -> None:
    entry = deciding(Benefit(Money(minor, currency)))
    for wrong in (Fraction(amount) * 10, Fraction(amount) / 10, Fraction(minor) * 100 + 1):
        found = heard(Hearing(entry, (assigned(1, 0),)), told(kind, wrong, currency))
        assert found.result in (AnswerResult.AMOUNT_DIFFERS, AnswerResult.APPLIED), found
        assert found.result is AnswerResult.AMOUNT_DIFFERS or wrong < Fraction(amount)
    one = Hearing(entry, (assigned(1, 0),))
    assert heard(one, told(kind, amount, currency)).result.value == kind.value
    assert one.entries[-1].amount == (minor if kind is EntryKind.APPLIED else None)


@pytest.mark.parametrize(
    ("benefit", "measure"),
    [
        (Benefit(Money(9_999, "EUR")), "EUR"),
        (Benefit(Money(99, "JPY")), "JPY"),
        (Benefit(quantity="99", unit="m"), "m"),
    ],
)
@pytest.mark.parametrize("amount", [Fraction(1, 3), Fraction(20, 7), 1 + Fraction(1, 10**40)])
def test_an_amount_that_has_no_decimals_of_its_measure_is_another_one_and_never_rounded(
    benefit: Benefit, measure: str, amount: Fraction
) -> None:
    one = Hearing(deciding(benefit), (assigned(1, 0),))
    assert heard(one, told(EntryKind.APPLIED, amount, measure)).result is AnswerResult.AMOUNT_DIFFERS
    assert not one.is_changed


def taken(size: Size, *entries: CreditEntry) -> CreditEntries:
    """Entries that are all taken, one after the other."""
    found: CreditEntries = ()
    for one in entries:
        adding = add_entry(found, one, {0: size})
        assert adding.result is AddResult.ADDED, adding
        found = adding.entries
    return found


WHOLE, LESS, LESS_AGAIN = 1_000, 230, 110


def test_each_delivery_has_the_amount_that_was_left_of_the_credit_when_it_was_assigned_there() -> None:
    """A credit that was reduced between its deliveries went out with another amount in each."""
    rejected = [
        CreditEntry(
            EntryKind.REJECTED, AT, "f", f"rejected/billing/{serial}", (0,), delivery=f"billing/{serial}", code="x"
        )
        for serial in (1, 2)
    ]
    reduced = [
        CreditEntry(EntryKind.REDUCED, AT, "anna", f"void/1/v{number}", (0,), sizes=(size,))
        for number, size in enumerate((LESS, LESS_AGAIN))
    ]
    again = [CreditEntry(EntryKind.SEND_AGAIN, AT, "anna", f"again/{number}", (0,)) for number in (1, 2)]
    entries = taken(
        WHOLE,
        *(assigned(1, 0), rejected[0], reduced[0], again[0]),
        *(assigned(2, 0), rejected[1], reduced[1], again[1]),
        assigned(3, 0),
    )
    entry = deciding(Benefit(Money(WHOLE, "EUR")))
    sent = {1: WHOLE, 2: WHOLE - LESS, 3: WHOLE - LESS - LESS_AGAIN}
    for serial, own in sent.items():
        for size in sent.values():
            answer = told(EntryKind.ACCEPTED, Fraction(size, 100), "EUR")
            found = heard(Hearing(entry, entries), answer, serial)
            assert (found.result is AnswerResult.AMOUNT_DIFFERS) is (size != own), (serial, size, found)


FIRST, SECOND = 300, 200


def asked_back(size: Size, number: int) -> tuple[CreditEntry, CreditEntry]:
    """What a void asks back, and its delivery."""
    delivery = f"billing/{number + 1}"
    return (
        CreditEntry(EntryKind.REVERSAL_ASKED, AT, "anna", f"void/1/v{number}", (0,), sizes=(size,)),
        CreditEntry(
            EntryKind.REVERSAL_ASSIGNED, AT, "delivery", f"reversal_assigned/{delivery}", (0,), delivery=delivery
        ),
    )


def booked(number: int) -> CreditEntry:
    """The biller's word that it takes so much off."""
    kind, delivery = REVERSAL_ANSWERS[EntryKind.ACCEPTED], f"billing/{number + 1}"
    return CreditEntry(kind, AT, "f", f"{kind}/{number}/{delivery}", (0,), delivery=delivery, attempt=number)


@pytest.mark.parametrize("kind", [EntryKind.ACCEPTED, EntryKind.REJECTED])
def test_the_amount_of_a_reversal_is_its_own_and_not_the_credits(kind: EntryKind) -> None:
    asked = [*asked_back(FIRST, 1), booked(1), *asked_back(SECOND, 2)]
    entry = deciding(Benefit(Money(WHOLE, "EUR")))
    for number, own in enumerate((FIRST, SECOND), 1):
        entries = taken(WHOLE, assigned(1, 0), *asked[: number * 3 - 1])
        for size in (FIRST, SECOND, WHOLE, WHOLE - own):
            answer = replace(
                told(kind, Fraction(size, 100), "EUR"), credit_id=credit_id(KEY, 0, number, CreditType.REVERSAL)
            )
            found = heard(Hearing(entry, entries), answer, number + 1)
            assert (found.result is AnswerResult.AMOUNT_DIFFERS) is (size != own), (number, size, found)


def test_two_reversals_on_one_bill_are_two_and_each_counts() -> None:
    one = Hearing(deciding(Benefit(Money(WHOLE, "EUR"))), taken(WHOLE, assigned(1, 0)))
    for number, size in enumerate((FIRST, SECOND), 1):
        one.entries = taken(WHOLE, *one.entries, *asked_back(size, number))
        answer = told(EntryKind.APPLIED, Fraction(size, 100), "EUR", bill="B-7")
        answer = replace(answer, credit_id=credit_id(KEY, 0, number, CreditType.REVERSAL))
        found = heard(one, answer, number + 1, number)
        assert found.result is AnswerResult.APPLIED
        assert found.moved is not None
        assert found.moved.by_state[CreditState.VOIDED] == size
    assert len({entry.id for entry in one.entries}) == len(one.entries)


@pytest.mark.parametrize("kind", [EntryKind.REJECTED, EntryKind.TAKEN_BACK])
def test_whoever_says_again_what_contradicts_hears_again_why(kind: EntryKind) -> None:
    """The same line again, after its worker died before it counted: as it was first, a conflict with its reason."""
    entries = taken(WHOLE, assigned(1, 0), *asked_back(FIRST, 1), booked(1))
    one = Hearing(deciding(Benefit(Money(WHOLE, "EUR"))), entries)
    answer = replace(told(kind, "10", "EUR"), amount=None, measure="")
    first = heard(one, answer, line=3)
    assert first.result is AnswerResult.CONFLICT
    assert first.reason
    assert first.moved is not None
    again = Hearing(one.decision, one.entries)
    assert heard(again, answer, line=3) == first
    for line, by in ((4, "f1"), (3, "f2")):
        assert heard(again, answer, line=line, by=by) == Heard(AnswerResult.DUPLICATE)


def test_each_benefit_of_a_decision_is_answered_by_its_own_size() -> None:
    sizes = (110, 230, 370)
    entry = deciding(*(Benefit(Money(size, "EUR")) for size in sizes), Benefit(quantity="7", unit="m"))
    for place, size in enumerate(sizes):
        for amount in sizes:
            answer = told(EntryKind.ACCEPTED, Fraction(amount, 100), "EUR", place)
            found = heard(Hearing(entry, (assigned(1, 0, 1, 2, 3),)), answer)
            assert (found.result is AnswerResult.ACCEPTED) is (amount == size)
    assert all(one < other for one, other in pairwise(sizes))
    units = Hearing(entry, (assigned(1, 0, 1, 2, 3),))
    assert heard(units, told(EntryKind.APPLIED, "6.5", "m", 3)).result is AnswerResult.APPLIED
    assert units.entries[-1].amount == Decimal("6.5")


def test_an_answer_for_which_a_decision_has_no_room_left_is_a_conflict_with_its_reason() -> None:
    one = Hearing(deciding(Benefit(Money(WHOLE, "EUR"))), (assigned(1, 0),))
    before, number, found = one.entries, 0, Heard(AnswerResult.APPLIED)
    while found.result is AnswerResult.APPLIED:
        before, number = one.entries, number + 1
        found = heard(one, told(EntryKind.APPLIED, "0.01", "EUR", bill=f"B-{number}"), line=number)
    assert (found.result, found.reason.partition(":")[0]) == (AnswerResult.CONFLICT, "entries_full")
    assert (one.entries, found.moved) == (before, None)
    assert len(one.entries) > 5
