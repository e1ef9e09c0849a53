"""A credit for each thing that is granted, with an id that never changes and nothing that nobody said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from kulanz.domain.decision import Benefit, Decision, Due, DueAt, Notice, Outcome, Validity, due_at
from kulanz.domain.delivery.credit import Booking, Credit, CreditSums, CreditType, SumOf, credit_id, credits_of
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, remaining_of
from kulanz.domain.money import Money
from kulanz.domain.policy.document.owed import Bill

KEY = DecisionKey("A-1001", "att-2024-02-22", "-", 1)
AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FIVE = Benefit(Money(500, "USD"), due=Due(1, "billing_cycle"), terms={"to": "bill"})
MINUTES = Benefit(None, "20", "call_minute", "countries", Validity(7, "days"), terms={"on": "weekends"})
BILLED = Bill("Outage credit", "SVC", "price_reduction", "4000")


def stored(decision: Decision, accepted_at: datetime | None = None, status: Outcome | None = None) -> Entry:
    body = decision_body(KEY.campaign, "2", "0" * 64, "row", decision)
    status = status or decision.outcome
    return Entry(KEY, body, status, remaining_of(decision.benefits), AT, None, 0, 17, accepted_at)


def booked(entry: Entry, attempts: dict[int, int], **bills: Bill) -> list[Credit]:
    def due_of(benefit: Benefit, at: datetime) -> DueAt | None:
        return None if benefit.due is None else due_at(benefit.due, at, ZoneInfo("UTC"), None)

    return list(credits_of(entry, Booking("K-77", {"": BILLED, **bills}, due_of), attempts))


def test_every_benefit_is_a_credit() -> None:
    money, minutes = booked(stored(Decision(Outcome.GRANTED, "credit", (FIVE, MINUTES))), {0: 1, 1: 1})
    assert (money.amount, money.measure, money.is_money, money.to) == ("5.00", "USD", True, "bill")
    assert (minutes.amount, minutes.measure, minutes.is_money) == ("20", "call_minute", False)
    assert (minutes.restriction, minutes.terms) == ("countries", {"on": "weekends"})
    assert (minutes.valid_from, minutes.valid_until) == (AT, AT + timedelta(days=7))
    assert money.due == datetime(2026, 4, 2, tzinfo=UTC)
    assert minutes.due is None
    assert money.id != minutes.id
    assert (money.text, money.reason_code, money.treatment, money.ledger_account) == (
        "Outage credit", "SVC", "price_reduction", "4000",
    )  # fmt: skip
    assert money.biller_account == "K-77"


def test_what_a_policy_does_not_say_is_empty() -> None:
    component = replace(FIVE, component="delay", terms={})
    (credit,) = booked(stored(Decision(Outcome.GRANTED, "credit", (component,))), {0: 1}, other=BILLED)
    content = credit.content()
    said = {"text", "reason_code", "treatment", "ledger_account", "corrects", "to", "restriction", "subject"}
    assert {name for name in said if content[name]} == set()  # type: ignore[literal-required]


def test_an_accepted_offer_and_an_accepted_part_count_from_their_acceptance() -> None:
    later = AT + timedelta(days=3)
    offer = stored(Decision(Outcome.OFFERED, "credit", (MINUTES,)), later, Outcome.GRANTED)
    assert [one.valid_from for one in booked(offer, {0: 1})] == [later]
    both = stored(Decision(Outcome.GRANTED, "credit", (FIVE,), claimable=(MINUTES,)), later)
    assert [one.valid_from for one in booked(both, {0: 1, 1: 1})] == [AT, later]


def test_nothing_is_booked_that_is_not_granted() -> None:
    offer = stored(Decision(Outcome.OFFERED, "credit", (MINUTES,)))
    with pytest.raises(ValueError, match="grants"):
        booked(offer, {0: 1})


def test_the_line_on_the_bill_is_in_the_customers_language() -> None:
    bill = Bill({"en": "Credit", "de": "Gutschrift"})
    texts = {locale: bill.text_in(locale) for locale in ("de", "de-at", "DE", "fr", "")}
    assert texts == {"de": "Gutschrift", "de-at": "Gutschrift", "DE": "Gutschrift", "fr": "Credit", "": "Credit"}
    decision = Decision(Outcome.GRANTED, "credit", (FIVE,), Notice("granted", "de", "email"))
    (credit,) = booked(stored(decision), {0: 1}, **{"": bill})
    assert credit.text == "Gutschrift"


def test_ids_are_permanent_and_tell_everything_apart() -> None:
    assert credit_id(KEY, 0) == "8da11cfcfb99638e53c9993ff06e44a7"  # as billers have it: never to change
    others = {
        credit_id(key, benefit, attempt, kind)
        for key in (KEY, replace(KEY, seq=2), replace(KEY, subject="line-1"))
        for benefit in (0, 1)
        for attempt in (1, 2)
        for kind in CreditType
    }
    assert len(others) == 24
    assert all(len(one) == 32 and one.isascii() for one in others)
    for attempt in (1, 2, 3, 4):
        (again,) = booked(stored(Decision(Outcome.GRANTED, "credit", (FIVE,))), {0: attempt})
        before = credit_id(KEY, 0, attempt - 1) if attempt > 1 else ""
        assert (again.id, again.corrects) == (credit_id(KEY, 0, attempt), before), "it corrects the one before it"


def test_what_comes_again_or_has_no_end_is_counted_as_it_is_in_the_reconciliation() -> None:
    monthly = Benefit(None, "100", "GB", terms={"each": "month", "times": "3"})
    endless = Benefit(None, "unlimited", "data")
    found = booked(stored(Decision(Outcome.GRANTED, "credit", (monthly, endless))), {0: 1, 1: 1})
    assert [(one.amount, one.measure, one.terms) for one in found] == [
        ("100", "GB:3 x month", {}),
        ("1", "data:unlimited", {}),
    ]


def test_sums_of_two_sets_are_those_of_both() -> None:
    entry = stored(Decision(Outcome.GRANTED, "credit", (FIVE, MINUTES)))
    both = CreditSums.over(booked(entry, {0: 1, 1: 1}))
    one, other = (CreditSums.over(booked(entry, {place: 1})) for place in (0, 1))
    one.add(other)
    assert one.found == both.found
    assert both.found[SumOf(CreditType.CREDIT, "USD", is_money=True)] == (1, 500)
    assert both.by_measure() == {"USD": 500, "call_minute": Decimal(20)}
    assert both.number == 2


def test_a_credit_is_late_when_its_last_day_is_over_where_the_policy_counts_days() -> None:
    due = due_at(Due(day="2026-03-31"), AT, ZoneInfo("Europe/Berlin"), None).at
    assert due == datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
