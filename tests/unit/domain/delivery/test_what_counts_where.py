"""What deliveries, answers, additions and voids count, and where: no two of the values are equal."""

from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, DueAt, DueBy, Validity
from kulanz.domain.delivery.added import Added, Additions, added_by, added_whole, not_delivered
from kulanz.domain.delivery.answer_pass import AnswerTotals, code_of, regained_by
from kulanz.domain.delivery.answers import AnswerResult, Heard
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import (
    Booking,
    Credit,
    CreditSums,
    CreditType,
    SumOf,
    credit_id,
    credits_of,
    reversal_of,
)
from kulanz.domain.delivery.delivery import Delivery, DeliveryState, differing, gap_in, miscounted, state_of
from kulanz.domain.delivery.dues import DueOf, dues_of
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.moved import Moved, MovedOf, MovedSums, Moves, moved_between, with_codes
from kulanz.domain.delivery.standing import (
    CODES_MOST,
    OTHER_CODES,
    Counted,
    CreditState,
    OfWhich,
    RejectedWith,
    Standing,
)
from kulanz.domain.delivery.to_the_bill import to_the_bill
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.money import Size
from kulanz.domain.policy.document.owed import Bill
from tests.unit.domain.ledger.test_what_stands import ACCEPTED, BESIDE, CREDIT, FIVE, SEVEN, TWO_GB, entry

OUT, OTHER = CampaignId("out", 1), CampaignId("other", 7)
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
DUE, LATER = AT + timedelta(days=3), AT + timedelta(days=30)

# A credit's record


def test_a_credit_has_each_field_from_the_one_it_belongs_to() -> None:
    key = DecisionKey("A-1", "out", "line-7", 1)
    validity = Validity(7, "days", begins=AT + timedelta(days=1), start="day")
    terms = {"to": "bill", "on": "weekends", "each": "month", "times": "3"}
    benefit = Benefit(None, "2.50", "GB", "countries", validity, terms=terms, component="delay")
    stored = replace(entry(replace(CREDIT, benefits=(FIVE, benefit))), key=key, effective_at=AT)
    bills = {"delay": Bill("the text", "CODE", "compensation", "4000"), "": Bill("not this")}
    booking = Booking("K-77", bills, lambda one, at: DueAt(at + timedelta(days=9), DueBy.LIST) if one.unit else None)
    money, units = credits_of(stored, booking, {1: 3, 0: 1})
    assert units.content() == {
        "v": 1,
        "credit_id": credit_id(key, 1, 3),
        "type": "credit",
        "campaign": "out/1",
        "decision": "ACCOUNT#A-1/DECISION#out#line-7#001",
        "account_id": "A-1",
        "biller_account": "K-77",
        "subject": "line-7",
        "amount": "2.50",
        "measure": "GB:3 x month",
        "kind": "units",
        "due": "2026-12-10T09:00:00Z",
        "valid_from": "2026-12-02T09:00:00Z",
        "valid_until": "2026-12-09T09:00:00Z",
        "text": "the text",
        "reason_code": "CODE",
        "treatment": "compensation",
        "ledger_account": "4000",
        "corrects": credit_id(key, 1, 2),
        "to": "bill",
        "restriction": "countries",
        "terms": {"on": "weekends"},
        "due_by": "list",
    }
    assert (money.benefit, money.attempt, money.text, money.due, money.due_by) == (0, 1, "not this", None, None)
    assert (money.corrects, money.valid_until, money.amount, money.content()["kind"]) == ("", None, "5.00", "money")


def _credit(**stated: Any) -> Credit:
    stored = entry(CREDIT)
    (one,) = credits_of(stored, Booking("K-1", {}, lambda _, __: DueAt(DUE, DueBy.LIST)), {0: 2})
    return replace(one, **stated)


def test_a_reversal_is_its_credit_but_for_what_makes_it_one() -> None:
    credit = _credit()
    back = reversal_of(credit, 4, 30)
    own: dict[str, Any] = {
        "id": credit_id(credit.key, 0, 4, CreditType.REVERSAL),
        "type": CreditType.REVERSAL, "attempt": 4, "size": 30, "due": None, "due_by": None, "corrects": credit.id,
    }  # fmt: skip
    assert back == replace(credit, **own)
    assert all(getattr(credit, name) != value for name, value in own.items())
    assert credit.corrects == credit_id(credit.key, 0, 1)


def test_an_id_is_of_one_decision_place_attempt_and_type() -> None:
    key = DecisionKey("a", "out", "-", 1)
    keys = [
        replace(key, **one) for one in ({}, {"account_id": "b"}, {"incident_id": "x"}, {"subject": "l"}, {"seq": 2})
    ]
    ids = {credit_id(one, place, n, kind) for one in keys for place in (0, 1) for n in (1, 2) for kind in CreditType}
    assert len(ids) == 5 * 2 * 2 * 2


def test_what_was_void_when_a_credit_was_assigned_is_left_out_of_it() -> None:
    booking = Booking("K", {}, lambda _, __: None)
    found = list(credits_of(ACCEPTED, booking, {0: 1, 1: 1}, less={0: 30, 1: Decimal(0)}))
    assert [one.size for one in found] == [470, Decimal("2.5")]
    for place in (-1, 2):
        with pytest.raises(ValueError, match="grants"):
            list(credits_of(ACCEPTED, booking, {place: 1}))


def test_sums_are_kept_by_type_measure_and_kind_and_deadlines_by_campaign_instant_and_measure() -> None:
    some = [_credit(), _credit(size=30, due=LATER), _credit(size=4, type=CreditType.REVERSAL, due=None),
            _credit(size=7, measure="USD"), _credit(size=Decimal(2), measure="GB", is_money=False)]  # fmt: skip
    sums = CreditSums.over(some)
    credit, back = CreditType.CREDIT, CreditType.REVERSAL
    assert sums.found == {
        SumOf(credit, "EUR", is_money=True): (2, 530), SumOf(back, "EUR", is_money=True): (1, 4),
        SumOf(credit, "USD", is_money=True): (1, 7), SumOf(credit, "GB", is_money=False): (1, 2),
    }  # fmt: skip
    assert sums.number == 5
    assert (sums.by_measure(), sums.by_measure(back)) == ({"EUR": 530, "USD": 7, "GB": 2}, {"EUR": 4})
    more = CreditSums.over(some[:2])
    more.add(sums)
    assert more.found[SumOf(credit, "EUR", is_money=True)] == (4, 1_060)
    assert dues_of(OUT, [*some, _credit(size=11)]) == {
        DueOf(OUT, DUE, "EUR"): (2, 511), DueOf(OUT, LATER, "EUR"): (1, 30), DueOf(OUT, DUE, "USD"): (1, 7),
        DueOf(OUT, DUE, "GB"): (1, 2),
    }  # fmt: skip


# What an entry moves


@pytest.mark.parametrize(
    ("stood", "stands", "expected"),
    [
        (Standing(delivery="old/1"), Standing(CreditState.ASSIGNED, delivery="billing/2", due=DUE),
         Moved("EUR", "c", {CreditState.DUE: -500, CreditState.ASSIGNED: 500}, DUE, 0, 0, "")),
        (Standing(CreditState.ASSIGNED, delivery="billing/2", due=DUE),
         Standing(CreditState.PARTLY_APPLIED, delivery="billing/2", due=DUE, applied=120),
         Moved("EUR", "c", {CreditState.ASSIGNED: -500, CreditState.APPLIED: 120, CreditState.ACCEPTED: 380}, DUE,
               -120, 0, "billing")),
        (Standing(CreditState.PARTLY_APPLIED, delivery="billing/2", due=DUE, applied=120),
         Standing(CreditState.APPLIED, delivery="billing/2", due=DUE, applied=500),
         Moved("EUR", "c", {CreditState.APPLIED: 380, CreditState.ACCEPTED: -380}, DUE, -380, -1, "billing")),
        (Standing(CreditState.APPLIED, delivery="billing/2", applied=500),
         Standing(CreditState.TAKEN_BACK, delivery="billing/2"),
         Moved("EUR", "c", {CreditState.APPLIED: -500, CreditState.TAKEN_BACK: 500}, None, 500, 1, "billing")),
        (Standing(CreditState.REJECTED, delivery="billing/2", code="frozen"),
         Standing(CreditState.DUE, delivery="billing/2", channel="letters:csv"),
         Moved("EUR", "c", {CreditState.REJECTED: -500, CreditState.DUE: 500}, None, 0, 0, "billing", "frozen")),
        (Standing(CreditState.DUE), Standing(CreditState.DUE, voided=30),
         Moved("EUR", "c", {CreditState.DUE: -30, CreditState.VOIDED: 30}, None, -30, 0, "")),
    ],
)  # fmt: skip
def test_an_entry_moves_from_where_its_credit_stood_to_where_it_stands(
    stood: Standing, stands: Standing, expected: Moved
) -> None:
    assert moved_between(stood, stands, "EUR", "c", 500) == expected


def _moved(channel: str, code: str, by_state: Any, due: datetime | None = DUE, component: str = "c") -> Moved:
    return Moved("EUR", component, by_state, due, -7, -1, channel, code)


def test_moves_are_counted_by_campaign_measure_component_and_channel_and_rejections_by_code_too() -> None:
    """Of a code that is not counted by itself with all others, for all components together."""
    moves, rejected = Moves(), {CreditState.SENT: -9, CreditState.REJECTED: 9}
    moves.take(OUT, _moved("billing", "known", rejected), ("known", "frozen"))
    moves.take(OUT, _moved("billing", "new", rejected, LATER), ("known", "frozen"))
    moves.take(OUT, _moved("billing", "frozen", {CreditState.REJECTED: -4}, None, "d"), ("known", "frozen"))
    other = Moves()
    other.take(OTHER, _moved("letters", "", {OfWhich.ASKED_BACK: 5}))
    other.take(OUT, _moved("billing", "known", rejected), ("known",))
    moves.take_all(other)
    assert moves.moved == {
        MovedOf(OUT, "EUR", "c", "billing"): {CreditState.SENT: -27, CreditState.REJECTED: 27},
        MovedOf(OUT, "EUR", "d", "billing"): {CreditState.REJECTED: -4},
        MovedOf(OUT, "EUR", "", "billing"): {RejectedWith("known"): 18, OTHER_CODES: 9, RejectedWith("frozen"): -4},
        MovedOf(OTHER, "EUR", "c", "letters"): {OfWhich.ASKED_BACK: 5},
    }
    assert moves.dues == {
        DueOf(OUT, DUE, "EUR"): (-2, -14), DueOf(OUT, LATER, "EUR"): (-1, -7), DueOf(OTHER, DUE, "EUR"): (-1, -7),
    }  # fmt: skip
    assert moves.campaigns == {OUT, OTHER}


def test_codes_stay_in_the_order_in_which_they_came_and_beyond_the_most_none_is_added() -> None:
    assert with_codes(("z", "b"), ["c", "b", "a"]) == ("z", "b", "a", "c")
    full = tuple(f"code-{place:02d}" for place in range(CODES_MOST))
    assert with_codes(full[:-1], ["y", "x"]) == (*full[:-1], "x")
    assert with_codes(full, ["a"]) == full


# The way to the bill


def _delivery(name: str, sums: dict[str, int], state: DeliveryState = DeliveryState.SENT, **stated: Any) -> Delivery:
    made = Delivery(DeliveryId.parse(name), OUT, FileFormat.CSV, AT, "watch", state=state, **stated)
    return replace(made, sums=_sums(sums))


def _sums(sizes: dict[str, int]) -> CreditSums:
    return CreditSums({SumOf(CreditType.CREDIT, one, is_money=True): (1, size) for one, size in sizes.items()})


def test_the_way_to_the_bill_has_every_state_of_every_channel_from_its_own_counters() -> None:
    deliveries = [
        _delivery("billing/1", {"EUR": 1_000, "USD": 3}),
        _delivery("billing/2", {"EUR": 20}),
        _delivery("letters/1", {"EUR": 300}, DeliveryState.ASSIGNING),
    ]
    here, there = MovedOf(OUT, "EUR", "c", "billing"), MovedOf(OUT, "EUR", "d", "letters")
    first: dict[MovedOf, dict[Counted, Size]] = {
        here: {CreditState.ASSIGNED: -90, CreditState.REJECTED: 50, CreditState.APPLIED: 40, OfWhich.ASKED_BACK: 6},
        MovedOf(OUT, "EUR", "", "billing"): {RejectedWith("frozen"): 50},
        MovedOf(OUT, "USD", "c", "billing"): {CreditState.SENT: -3, CreditState.VOIDED: 3},
    }
    second: dict[MovedOf, dict[Counted, Size]] = {
        here: {CreditState.REJECTED: -11, CreditState.DUE: 11},
        there: {CreditState.VOIDED: 8, CreditState.ASSIGNED: 0, OfWhich.ASKED_BACK: 1, CreditState.SENT: -8},
        MovedOf(OUT, "EUR", "", "billing"): {RejectedWith("frozen"): -11, OTHER_CODES: 0},
        MovedOf(OUT, "EUR", "", "letters"): {RejectedWith("frozen"): 2, OTHER_CODES: 4},
    }
    euro, krona, dollar = to_the_bill({"EUR": 5_000, "SEK": 2, "USD": 3}, deliveries, first, second)
    assert [one.measure for one in (euro, krona, dollar)] == ["EUR", "SEK", "USD"]
    assert (euro.granted, euro.voided, euro.asked_back, euro.to_be_booked) == (5_000, 8, 7, 4_992)
    assert euro.by_state == {
        CreditState.DUE: 3_691, CreditState.SENT: 922, CreditState.ASSIGNED: 300, CreditState.REJECTED: 39,
        CreditState.APPLIED: 40,
    }  # fmt: skip
    assert euro.by_channel == {
        "": {CreditState.DUE: 3_691},
        "billing": {CreditState.SENT: 930, CreditState.REJECTED: 39, CreditState.APPLIED: 40},
        "letters": {CreditState.ASSIGNED: 300, CreditState.VOIDED: 8, CreditState.SENT: -8},
    }
    assert euro.rejected_with == {
        ("billing", RejectedWith("frozen")): 39, ("letters", RejectedWith("frozen")): 2, ("letters", OTHER_CODES): 4,
    }  # fmt: skip
    assert euro.not_on_bills == 4_952
    assert (krona.by_state, dollar.by_state, dollar.voided) == ({CreditState.DUE: 2}, {}, 3)


def test_a_file_sends_its_credits_by_its_trailer() -> None:
    assigned, accepted = Standing(CreditState.ASSIGNED), Standing(CreditState.ACCEPTED)
    sent, waits = _delivery("billing/1", {}), _delivery("billing/1", {}, DeliveryState.ASSIGNING)
    found = [state_of(one, of) for one in (assigned, accepted) for of in (sent, waits, None)]
    assert found == [CreditState.SENT, CreditState.ASSIGNED, CreditState.ASSIGNED, *[CreditState.ACCEPTED] * 3]


def test_a_delivery_comes_to_what_is_to_be_booked_in_every_measure_and_addition() -> None:
    made = _delivery(
        "billing/1", {"EUR": 100, "USD": 9}, again=_sums({"EUR": 30}), elsewhere=_sums({"SEK": 4}), lines=5
    )
    assert differing({"EUR": 70, "USD": 9, "SEK": 4}, made) == ""
    said = "sums_differ: SEK: to be booked 5, delivered 4 (in the smallest unit)"
    assert differing({"USD": 8, "SEK": 5, "EUR": 70}, made) == said
    additions = Additions(10, 90, 5)
    assert miscounted(additions, made) == ""
    six = replace(additions, number=6)
    assert miscounted(six, made) == "additions_differ: 6 were made, and 5 delivered"
    assert (made.progress, replace(made, bytes_done=70, published=3).progress) == (0, 73)


class Range(NamedTuple):
    start: int
    end: int


@pytest.mark.parametrize(
    ("receipts", "said"),
    [
        ([Range(10, 30), Range(30, 30), Range(30, 90)], ""),
        ([Range(10, 60), Range(40, 40), Range(60, 90)], ""),
        ([], "the receipts end at byte 10 of 90"),
        ([Range(10, 30)], "the receipts end at byte 30 of 90"),
        ([Range(10, 30), Range(31, 90)], "expected a receipt at byte 30, found one at 31"),
        ([Range(10, 30), Range(29, 90)], "expected a receipt at byte 30, found one at 29"),
        ([Range(9, 90)], "expected a receipt at byte 10, found one at 9"),
        ([Range(10, 91)], "the receipts end at byte 91 of 90"),
    ],
)
def test_receipts_tile_their_range_without_gap_and_overlap(receipts: list[Range], said: str) -> None:
    assert gap_in(receipts, 10, 90) == (said and f"receipts_incomplete: {said}")


# What is added


def test_what_an_acceptance_adds_is_what_was_not_granted_before_it() -> None:
    gb = {MovedOf(OUT, "GB", ""): {CreditState.DUE: Decimal("2.5")}}
    assert added_by(entry(CREDIT), ACCEPTED) == gb
    assert added_whole(ACCEPTED) == gb | {MovedOf(OUT, "EUR", ""): {CreditState.DUE: 500}}
    assert added_whole(BESIDE) == {MovedOf(OUT, "EUR", ""): {CreditState.DUE: 1_200}}
    named = replace(CREDIT, benefits=(FIVE, replace(SEVEN, component="delay")), claimable=(TWO_GB,))
    assert added_whole(entry(named)) == {
        MovedOf(OUT, "EUR", ""): {CreditState.DUE: 500}, MovedOf(OUT, "EUR", "delay"): {CreditState.DUE: 700},
    }  # fmt: skip


def test_what_is_not_delivered_is_what_was_added_less_what_earlier_deliveries_of_its_channel_have() -> None:
    moved: MovedSums = {
        MovedOf(OUT, "EUR", "c"): {CreditState.DUE: 100, CreditState.VOIDED: 7},
        MovedOf(OUT, "EUR", "d"): {CreditState.DUE: 20},
        MovedOf(OUT, "GB", ""): {CreditState.DUE: 3},
        MovedOf(OUT, "SEK", ""): {CreditState.VOIDED: 1},
    }
    added = Added(9, moved, until=55, channel="letters:csv")
    assert added.worth == {"EUR": 120, "GB": 3, "SEK": 0}
    earlier = [Additions(0, 11, 2, {"EUR": 50}, "letters:csv"), Additions(0, 22, 4, {"EUR": 9}, ""),
               Additions(11, 55, 3, {"EUR": 1, "GB": 3}, "letters:csv")]  # fmt: skip
    assert not_delivered(added, 77, earlier) == Additions(55, 77, 4, {"EUR": 69}, "letters:csv")


# What a file of answers came to


def test_answers_are_counted_by_result_and_code_and_what_they_moved_of_a_campaign() -> None:
    moved = _moved("billing", "", {CreditState.VOIDED: 6, CreditState.APPLIED: -6}, None)
    first, second = AnswerTotals(), AnswerTotals()
    first.count(OUT, Heard(AnswerResult.APPLIED, moved=moved))
    first.count(None, Heard(AnswerResult.APPLIED, moved=moved))
    first.count(OUT, Heard(AnswerResult.CONFLICT, "not_from_due: what is due"))
    second.count(OUT, Heard(AnswerResult.CONFLICT, "not_from_due: again"))
    second.count(OTHER, Heard(AnswerResult.UNKNOWN_ID, "no credit of this decision has the id"))
    first.add(second)
    conflict = AnswerResult.CONFLICT
    assert first.counts == {
        (AnswerResult.APPLIED, ""): 2,
        (conflict, "not_from_due"): 2,
        (AnswerResult.UNKNOWN_ID, ""): 1,
    }
    assert (first.lines, first.by_result()) == (
        5,
        Counter({AnswerResult.APPLIED: 2, conflict: 2, AnswerResult.UNKNOWN_ID: 1}),
    )
    assert first.moved == {MovedOf(OUT, "EUR", "c", "billing"): {CreditState.VOIDED: 6, CreditState.APPLIED: -6}}
    assert code_of(Heard(AnswerResult.REJECTED_LINE, "fact_invalid")) == "fact_invalid"


def test_what_the_biller_took_back_goes_back_to_the_budgets_of_its_currency() -> None:
    """And what it gives again is taken from them: of a currency in which that is more, less than nothing goes back."""
    totals = AnswerTotals()
    for place, size in ((MovedOf(OUT, "SEK", "c"), 5), (MovedOf(OTHER, "EUR", "c"), 70), (MovedOf(OUT, "EUR", ""), -20),
                        (MovedOf(OUT, "GB", ""), 4), (MovedOf(OUT, "USD", ""), 0),
                        (MovedOf(OUT, "KWD", ""), 3), (MovedOf(OTHER, "KWD", ""), -12)):  # fmt: skip
        totals.moved[place] = {CreditState.VOIDED: size, CreditState.APPLIED: 900}
    assert regained_by(totals, "2026-12") == (
        Regained("EUR", "2026-12", 50), Regained("KWD", "2026-12", -9), Regained("SEK", "2026-12", 5),
    )  # fmt: skip


def test_names_are_read_back_as_they_were_written() -> None:
    void = VoidId(OUT, "wrong-list")
    assert (str(void), VoidId.parse(str(void))) == ("out/1/wrong-list", void)
    for wrong in ("wrong-list", "out/1/", "/x", "out/x/y"):
        with pytest.raises(ValueError, match=r"written|campaign"):
            VoidId.parse(wrong)
    assert [one.name for one in fields(DeliveryId)] == ["channel", "serial"]
    assert DeliveryId("billing", 12).folder == "deliveries/billing/00000012"
