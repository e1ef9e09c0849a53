"""What cannot be written, or accepted later, is known when its row is decided, and waits for a person alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kulanz.domain.decision import Benefit, Decision, Outcome, Validity
from kulanz.domain.ledger.decider import WORTH_DECIMALS, WORTH_LARGEST, must_be_writable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = Benefit(quantity="1", unit="GB")
WRONG = {
    "more than sums hold": replace(GOOD, quantity=str(WORTH_LARGEST)),
    "finer than sums hold": replace(GOOD, quantity=f"1.{'0' * WORTH_DECIMALS}1"),
    "an end beyond the calendar": replace(GOOD, validity=Validity(100_000, "months")),
}


@pytest.mark.parametrize("what", WRONG)
def test_neither_what_is_granted_nor_what_may_be_claimed_is_beyond_what_can_be_written(what: str) -> None:
    wrong = WRONG[what]
    for decision in (
        Decision(Outcome.GRANTED, "credit", (GOOD, wrong)),
        Decision(Outcome.OFFERED, "credit", (wrong, GOOD)),
        Decision(Outcome.GRANTED, "credit", (GOOD,), claimable=(GOOD, wrong)),
    ):
        with pytest.raises((ValueError, ArithmeticError)):
            must_be_writable(decision, NOW)
    largest = replace(GOOD, quantity=f"{WORTH_LARGEST - 1}.{'9' * WORTH_DECIMALS}")
    must_be_writable(Decision(Outcome.GRANTED, "credit", (largest, GOOD), claimable=(largest,)), NOW)
