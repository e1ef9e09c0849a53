"""What a page says once goodwill was asked for or decided is what became of it, in every state that it can have."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.domain.byhand.goodwill import GoodwillState
from kulanz_console.sessions import Session
from kulanz_console.views import goodwill
from kulanz_console.visit import Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
SAID = {
    GoodwillState.GIVEN: "5.00 EUR are given. The account's page says where they stand on their way to a bill.",
    GoodwillState.WAITING: "5.00 EUR wait for a second person. Nothing is given before.",
    GoodwillState.REJECTED: "The goodwill of 5.00 EUR is rejected. Nothing is given.",
}
OVER = "expired"
"""What the API says of goodwill that waited too long."""


class Answers:
    """Who does what is asked for, and says what state it came to."""

    def __init__(self, state: str) -> None:
        self._state = state

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        raise AssertionError(use)

    def act(self, use: str, content: Mapping[str, Any], **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        return {"state": self._state, "amount": "5.00 EUR"}

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(uses, True)


@pytest.mark.parametrize("state", [*GoodwillState, OVER])
def test_what_became_of_goodwill_is_said_and_only_what_is_given_is_said_to_be(state: str) -> None:
    form = {"amount": "5.00", "measure": "EUR", "reason": "sorry", "action": "approve"}
    of = {"account": "a-1", "goodwill": "T-1"}
    visit = Visit(Answers(str(state)), Session("s" * 43, "t", NOW), Words("en"), NOW, of=of, form=form)
    expected = SAID.get(GoodwillState(state)) if state in set(GoodwillState) else None
    for act in (goodwill.give, goodwill.decide):
        said = act(visit).says
        assert said == (expected or "5.00 EUR waited too long, and are not given. Ask again.")
        assert ("are given" in said) is (state == GoodwillState.GIVEN)
