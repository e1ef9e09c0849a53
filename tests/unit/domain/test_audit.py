"""Who did what and when, as the audit log says it: each step by the person or function whose word it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.audit import About, change_entry, goodwill_entry
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State, StateChange

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


@pytest.mark.parametrize(
    ("target", "reason", "action"),
    [
        (State.APPLYING, "approved: by 2 persons", "approved"),
        (State.AWAITING_APPROVAL, "approved: 1 of 2 persons", "approved"),  # it leaves the state as it is
        (State.APPLYING, "glass_broken: the hotline is down", "approved"),
        (State.APPLYING, "automatic: below every threshold", "applying"),
        (State.REJECTED, "rejected_by_hand: approved before", "rejected"),
        (State.AWAITING_APPROVAL, "planned", "awaiting_approval"),
    ],
)
def test_a_persons_yes_is_logged_as_an_approval_also_over_broken_glass(target: State, reason: str, action: str) -> None:
    change = StateChange(7, LATER, State.AWAITING_APPROVAL, target, reason, Cause(CARLA, "yes-1", "code"))
    logged = change_entry(CampaignId("net-outage", 1), change)
    assert (logged.at, logged.actor, logged.action, logged.on) == (LATER, CARLA, action, "net-outage/1")
    assert (logged.place, logged.reason, logged.cause) == ("7", reason, "yes-1")
