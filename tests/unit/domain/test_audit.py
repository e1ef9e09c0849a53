"""Who did what and when, as the audit log says it: each step by the person or function whose word it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.audit import (
    About,
    AuditEntry,
    acceptance_entry,
    budget_entry,
    case_agreed_entry,
    case_asked_entry,
    case_rejected_entry,
    change_entry,
    goodwill_entry,
    hand_decision_entry,
    opening_entry,
    published_entry,
    revision_entry,
    uploaded_entry,
)
from kulanz.domain.budgets import LimitSet
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import CampaignId, Cause, PinnedList, State, StateChange
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.incident_record import Revision
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from tests.support.values import campaign

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


# No two fields of these have the same value: whichever stands in another's place is another text.
OF_CAMPAIGN = CampaignId("net-outage", 2)
OPENED = replace(
    campaign(OF_CAMPAIGN), incident_revision=4, policy_id="the-policy", policy_version=6, opened_by="the-source",
    state_reason="the-state", log_count=9,
)  # fmt: skip
STEP = StateChange(
    8, LATER, None, State.PAUSED, "the-reason", Cause("the-actor", "the-event", "the-code"), decides_by="the-digest"
)
KEY = DecisionKey("the-account", "net-outage", "the-subject", 5)
DECIDED = Decision(Outcome.DECLINED, "the-reason-of-the-decision", mode="claim")
HAND = HandDecision(
    "the-action", LATER, Way.DECLINE, DECIDED, "the-reason", "the-title", "the-person", "the-second",
    "the-second-action", "the-note",
)  # fmt: skip
PINNED = PinnedList("the-bucket", "the-key", "the-version", "the-etag", 11)
BUDGET = LimitSet("the-action", "BHD", "2026-07", 1_234_567, "the-actor", "the-reason", LATER)
REVISION = Revision("net-outage", 3, "Incident Amended", b"content", "digest", LATER, "the-source")
CASE = "net-outage/5 the-account the-subject"
ENTRIES = {
    "requested": (
        opening_entry(OPENED, STEP),
        AuditEntry(
            LATER, "the-source", "requested", About.CAMPAIGN, "net-outage/2", "8",
            "policy the-policy 6, list lists/a.csv", "the-event",
        ),
    ),
    "a campaign moved": (
        change_entry(OF_CAMPAIGN, STEP),
        AuditEntry(
            LATER, "the-actor", "paused", About.CAMPAIGN, "net-outage/2", "8", "the-reason", "the-event",
        ),
    ),
    "an incident's revision": (
        revision_entry(REVISION),
        AuditEntry(LATER, "the-source", "Incident Amended", About.INCIDENT, "net-outage", "3"),
    ),
    "accepted": (
        acceptance_entry(KEY, LATER, "the-actor"),
        AuditEntry(LATER, "the-actor", "accepted", About.DECISION, CASE, "1"),
    ),
    "decided by hand": (
        hand_decision_entry(KEY, HAND),
        AuditEntry(
            LATER, "the-person", "declined by hand", About.DECISION, CASE, "the-action", "the-reason", "the-action",
        ),
    ),
    "asked to decide": (
        case_asked_entry(KEY, HAND),
        AuditEntry(
            LATER, "the-person", "asked to decide", About.DECISION, CASE, "the-action", "the-reason", "the-action",
        ),
    ),
    "agreed to": (
        case_agreed_entry(KEY, "the-second", LATER, "the-second-action"),
        AuditEntry(
            LATER, "the-second", "agreed to", About.DECISION, CASE, "the-second-action", "", "the-second-action",
        ),
    ),
    "rejected": (
        case_rejected_entry(KEY, "the-second", LATER, "the-reason", "the-second-action"),
        AuditEntry(
            LATER, "the-second", "rejected", About.DECISION, CASE, "the-second-action", "the-reason",
            "the-second-action",
        ),
    ),
    "a budget set": (
        budget_entry(BUDGET),
        AuditEntry(
            LATER, "the-actor", "set", About.BUDGET, "BHD 2026-07", "the-action", "1234.567 BHD: the-reason",
            "the-action",
        ),
    ),
    "a budget removed": (
        budget_entry(replace(BUDGET, limit=None)),
        AuditEntry(
            LATER, "the-actor", "removed", About.BUDGET, "BHD 2026-07", "the-action", "the-reason", "the-action",
        ),
    ),
    "published": (
        published_entry("the-policy", 7, LATER, "the-publisher"),
        AuditEntry(
            LATER, "the-publisher", "published", About.POLICY, "the-policy 7", "7", "as the object says",
        ),
    ),
    "published by nobody knows whom": (
        published_entry("the-policy", 7, LATER, ""),
        AuditEntry(LATER, "unknown", "published", About.POLICY, "the-policy 7", "7"),
    ),
    "uploaded": (
        uploaded_entry(PINNED, LATER, "the-uploader"),
        AuditEntry(
            LATER, "the-uploader", "uploaded", About.LIST, "the-key", "the-version", "as the object says",
        ),
    ),
    "uploaded by nobody knows whom": (
        uploaded_entry(PINNED, LATER, ""),
        AuditEntry(LATER, "unknown", "uploaded", About.LIST, "the-key", "the-version"),
    ),
}  # fmt: skip


def test_every_entry_says_by_whom_on_what_at_which_place_why_and_by_which_action() -> None:
    differing = {name: logged for name, (logged, expected) in ENTRIES.items() if logged != expected}
    assert not differing


def test_goodwill_names_its_note_only_where_it_has_one_and_stands_at_the_place_of_its_step() -> None:
    plain = replace(ASKED, note="")
    assert goodwill_entry(plain).reason == "5.00 EUR: sorry"
    rejected, _ = STEPS["rejected"]
    places = [goodwill_entry(one).place for one in (plain, plain.given(LATER), rejected)]
    assert places == ["0", "1", "1"], "what is asked and what is answered are two entries of one instant"
