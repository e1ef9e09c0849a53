"""Who did what and when, as the audit log says it of goodwill: each step by the person whose word it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.audit import About, goodwill_entry
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState

ASKED_AT = datetime(2026, 3, 31, 9, tzinfo=UTC)
LATER = ASKED_AT + timedelta(days=1)
ANNA, CARLA = "sso:anna", "sso:carla"
ASKED = Goodwill("T-1", "a-1", "EUR", 500, "sorry", "We are sorry", ANNA, ASKED_AT, note="a long call")
WHY = f"{ASKED.amount}: sorry (a long call)"
STEPS = {
    "asked": (ASKED, (ASKED_AT, ANNA, "asked to give", "T-1", WHY)),
    "given alone": (ASKED.given(ASKED_AT), (ASKED_AT, ANNA, "gave", "T-1", WHY)),
    "given by two": (ASKED.given(LATER, CARLA, "s-1"), (LATER, CARLA, "gave", "s-1", WHY)),
    "rejected": (
        replace(
            ASKED, state=GoodwillState.REJECTED, decided_by=CARLA, decided_as="s-2", decided_at=LATER, why="too much"
        ),
        (LATER, CARLA, "rejected to give", "s-2", f"{WHY}: too much"),
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_goodwill_is_of_the_person_who_took_it(step: str) -> None:
    one, expected = STEPS[step]
    logged = goodwill_entry(one)
    assert (logged.at, logged.actor, logged.action, logged.cause, logged.reason) == expected
    month = "2026-04" if logged.action == "gave" and logged.at == LATER else "2026-03"
    assert (logged.about, logged.on) == (About.DECISION, f"goodwill-{month}/1 a-1 T-1")
