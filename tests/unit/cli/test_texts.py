"""How amounts, quantities and dates are written for people."""

from decimal import Decimal

import pytest

from kulanz.domain.byhand.sizes import size_text as shown_by_hand
from kulanz.domain.campaigns.limits import size_text as shown_as_limit
from kulanz.domain.decision import Benefit, Due
from kulanz.domain.money import Money
from kulanz.domain.policy.explaining.benefits import due_words, worth_words
from kulanz_cli.reconciliation import value_text


@pytest.mark.parametrize(
    ("benefit", "text"),
    [
        (Benefit(Money(500, "USD")), "5.00 USD"),
        (Benefit(Money(500, "JPY")), "500 JPY"),
        (Benefit(None, "20", "call_minute"), "20 call minutes"),
        (Benefit(None, "1", "subscription_day"), "1 subscription day"),
        (Benefit(None, "100", "GB"), "100 GB"),
        (Benefit(None, "2", "days"), "2 days"),
        (Benefit(None, "unlimited", "data"), "unlimited data"),
    ],
)
def test_what_a_benefit_is_worth(benefit: Benefit, text: str) -> None:
    assert worth_words(benefit) == text


def test_when_a_benefit_is_due() -> None:
    assert due_words(Due(2, "billing_cycles")) == "within 2 billing cycles"
    assert due_words(Due(1, "billing_cycle")) == "on the next bill"
    assert due_words(Due(day="2026-03-31")) == "by 2026-03-31"


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("USD", 3_684_000, "36,840.00 USD"),
        ("KWD", 1_234, "1.234 KWD"),
        ("minute", 145_340, "145,340 minutes"),
        ("GB", Decimal("12.5"), "12.5 GB"),
        ("call:unlimited", 3, "3 times call, unlimited"),
        ("call_minute", 1, "1 call minute"),
        ("call_minute:3 x billing_cycle", 20, "20 times call minute, 3 x billing_cycle"),
    ],
)
def test_what_the_books_add_up_to(measure: str, value: int | Decimal, text: str) -> None:
    assert value_text(measure, value) == text

    assert shown_by_hand(value, measure) == text.replace(",", "") or ":" in measure
    assert shown_as_limit(measure, value).replace(",", "") == text.replace(",", "")
