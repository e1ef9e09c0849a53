"""What is decided when a plan is carried out is never more than the plan said."""

import pytest

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.ledger.earlier_decisions import within_plan
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.history import HISTORY_CHANGED


@pytest.mark.parametrize("planned", Outcome)
@pytest.mark.parametrize("decided", [*Outcome, None])
@pytest.mark.parametrize("minor", [499, 500, 501])
def test_nothing_is_given_that_was_not_planned(planned: Outcome, decided: Outcome | None, minor: int) -> None:
    gives = Outcome.GRANTED, Outcome.OFFERED

    def decision(outcome: Outcome, size: int) -> Decision:
        return Decision(outcome, "a_reason", (Benefit(Money(size, "EUR")),) if outcome in gives else ())

    plan, now = decision(planned, 500), None if decided is None else decision(decided, minor)
    written = within_plan(plan, now)
    if now is not None and (decided not in gives or (decided is planned and minor <= 500)):
        assert written == now
    else:
        assert written == Decision(Outcome.HELD, HISTORY_CHANGED)
