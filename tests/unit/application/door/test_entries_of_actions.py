"""What an action is stored under, and what the audit log says of it: one line for each route and each kind of body."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kulanz.application.door.action_store import Action
from kulanz.application.door.actions import once
from kulanz.application.door.asked import Asked
from kulanz.application.door.routes import BY_KEY, ROUTES, Route
from kulanz.domain.audit import About, AuditEntry
from kulanz.domain.people.caller import caller_with
from tests.support.fake_door import FakeActions

AT = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
CALLER = "sso:the-caller"
# No two values are the same: whichever stands in another's place is another text.
OF = {
    "account": "the-account", "incident": "the-incident", "seq": "7", "id": "the-id", "goodwill": "the-goodwill",
    "channel": "the-channel", "draft": "the-draft", "void": "the-void", "queue": "the-queue", "currency": "EUR",
    "month": "2026-07", "revision": "5",
}  # fmt: skip
ACCOUNT, CAMPAIGN, INCIDENT = "ACCOUNT#the-account", "CAMPAIGN#the-incident#007", "INCIDENT#the-incident"
OF_CAMPAIGN, OF_STACK = (About.CAMPAIGN, "the-incident/7"), (About.STACK, "")
TWO_SUMS = {"granted": {"USD": "2.00", "EUR": "1.00"}}
TWO_CLAIMABLE = {"granted": {"EUR": "1.00"}, "claimable": {"CHF": "4.00", "BHD": "3.000"}}
# The path, and what a body says beside its reason; the partition and the key; what was done and on what, if anything.
STORED: list[tuple[str, dict[str, Any], str, str, tuple[str, tuple[About, str]] | None]] = [
    ("acceptances/{account}/{incident}/{id}", {}, ACCOUNT, "acceptances#the-incident#the-id", None),
    ("goodwill-approvals/{goodwill}/{id}", {}, "STACK", "goodwill-approvals#the-goodwill#the-id", None),
    (
        "case-decisions/{account}/{incident}/{seq}/{id}", {},
        ACCOUNT, "case-decisions#the-incident#7#the-id", None,
    ),
    (
        "case-approvals/{account}/{incident}/{seq}/{id}", {},
        ACCOUNT, "case-approvals#the-incident#7#the-id", None,
    ),
    ("exports/{incident}/{seq}/{id}", {}, CAMPAIGN, "exports#the-incident#the-id", ("exports", OF_CAMPAIGN)),
    (
        "deliveries/settled/{incident}/{seq}/{id}", {},
        CAMPAIGN, "deliveries#settled#the-incident#the-id", ("deliveries settled", OF_CAMPAIGN),
    ),
    (
        "deliveries/again/{incident}/{seq}/{id}", {},
        CAMPAIGN, "deliveries#again#the-incident#the-id", ("deliveries again", OF_CAMPAIGN),
    ),
    (
        "deliveries/credits/{incident}/{seq}/{id}", {"action": "send_again", "credit_id": "the-credit"},
        CAMPAIGN, "deliveries#credits#the-incident#the-id", ("sent again credit the-credit of", OF_CAMPAIGN),
    ),
    (
        "deliveries/credits/{incident}/{seq}/{id}", {"action": "write_off", "credit_id": "the-credit"},
        CAMPAIGN, "deliveries#credits#the-incident#the-id", ("wrote off credit the-credit of", OF_CAMPAIGN),
    ),
    (
        "acknowledgements/channel/{channel}/{id}", {},
        "STACK", "acknowledgements#channel#the-channel#the-id", None,
    ),
    (
        "requests/campaigns/{incident}/{revision}/{id}", {},
        INCIDENT, "requests#campaigns#the-incident#5#the-id", None,
    ),
    (
        "requests/drafts/{draft}/{id}", {"action": "confirm"},
        "INCIDENT#the-draft", "requests#drafts#the-draft#the-id",
        ("requests drafts", (About.INCIDENT, "the-draft")),
    ),
    (
        "requests/drafts/{draft}/{id}", {"action": "dismiss"},
        "INCIDENT#the-draft", "requests#drafts#the-draft#the-id",
        ("dismissed the draft of", (About.INCIDENT, "the-draft")),
    ),
    ("approvals/{incident}/{seq}/{id}", {}, CAMPAIGN, "approvals#the-incident#the-id", None),
    (
        "voids/{incident}/{seq}/{id}", {},
        CAMPAIGN, "voids#the-incident#the-id", ("requested void the-id of", OF_CAMPAIGN),
    ),
    (
        "void-approvals/{incident}/{seq}/{void}/{id}", {"action": "approve"},
        CAMPAIGN, "void-approvals#the-incident#the-void#the-id", ("approved void the-void of", OF_CAMPAIGN),
    ),
    (
        "void-approvals/{incident}/{seq}/{void}/{id}", {"action": "reject"},
        CAMPAIGN, "void-approvals#the-incident#the-void#the-id", ("rejected void the-void of", OF_CAMPAIGN),
    ),
    (
        "void-approvals/{incident}/{seq}/{void}/{id}", {"action": "settle"},
        CAMPAIGN, "void-approvals#the-incident#the-void#the-id", ("settled void the-void of", OF_CAMPAIGN),
    ),
    ("stops/{incident}/{seq}/{id}", {"action": "pause"}, CAMPAIGN, "stops#the-incident#the-id", None),
    (
        "stops/{incident}/{seq}/{id}", {"action": "void_unused"},
        CAMPAIGN, "stops#the-incident#the-id", ("requested void the-id of", OF_CAMPAIGN),
    ),
    (
        "stops/{incident}/{seq}/{id}", {"action": "void_unassigned"},
        CAMPAIGN, "stops#the-incident#the-id", ("requested void the-id of", OF_CAMPAIGN),
    ),
    (
        "repairs/advance/{incident}/{seq}/{id}", {},
        CAMPAIGN, "repairs#advance#the-incident#the-id", ("repairs advance", OF_CAMPAIGN),
    ),
    (
        "repairs/notices/{incident}/{seq}/{id}", {},
        CAMPAIGN, "repairs#notices#the-incident#the-id", ("repairs notices", OF_CAMPAIGN),
    ),
    (
        "repairs/statuses/{incident}/{id}", {},
        INCIDENT, "repairs#statuses#the-incident#the-id",
        ("repairs statuses", (About.INCIDENT, "the-incident")),
    ),
    (
        "repairs/redrive/{queue}/{id}", {},
        "STACK", "repairs#redrive#the-queue#the-id", ("repairs redrive", (About.STACK, "the-queue")),
    ),
    ("repairs/refused/{id}", {}, "STACK", "repairs#refused#the-id", ("repairs refused", OF_STACK)),
    ("halt/{id}", {}, "STACK", "halt#the-id", ("halt", OF_STACK)),
    (
        "settlements/{incident}/{seq}/{id}", TWO_SUMS,
        CAMPAIGN, "settlements#the-incident#the-id", ("stated 1.00 EUR, 2.00 USD granted of", OF_CAMPAIGN),
    ),
    (
        "settlements/{incident}/{seq}/{id}", TWO_CLAIMABLE,
        CAMPAIGN, "settlements#the-incident#the-id",
        ("stated 1.00 EUR granted and 3.000 BHD, 4.00 CHF claimable of", OF_CAMPAIGN),
    ),
    ("budgets/{currency}/{month}/{id}", {}, "STACK", "budgets#EUR#2026-07#the-id", None),
    ("confirmations/{id}", {}, "STACK", "confirmations#the-id", ("confirmations", OF_STACK)),
]  # fmt: skip


def done(route: Route, of: Mapping[str, str], body: Mapping[str, Any]) -> tuple[Action, list[AuditEntry]]:
    actions = FakeActions()
    once(Asked(route, of, {}, body, caller_with(CALLER), AT, lambda: 1.0), actions, dict)
    (stored,) = actions.stored.values()
    return stored, actions.entries


def values_of(route: Route) -> dict[str, str]:
    return {name: OF[name] for name in route.names}


def test_each_action_stands_at_its_place_and_in_the_log_with_who_did_what_to_what_and_why() -> None:
    for path, said, place, key, logged in STORED:
        route = BY_KEY[f"PUT /v1/{path}"]
        stored, entries = done(route, values_of(route), said | {"reason": "the-reason"})
        assert (stored.place, stored.key, stored.actor, stored.at) == (place, key, CALLER, AT), path
        expected = []
        if logged is not None:
            action, (about, on) = logged
            expected = [AuditEntry(AT, CALLER, action, about, on, key, "the-reason", "the-id")]
        assert entries == expected, (path, said)


def test_the_table_has_every_action_under_an_id() -> None:
    assert {f"/v1/{path}" for path, *_ in STORED} == {route.path for route in ROUTES if route.has_action_id}


def test_an_id_of_one_thing_is_none_of_another() -> None:
    """Else the second action would be answered as the first was, and never be done."""
    for route in ROUTES:
        if not route.has_action_id:
            continue
        bodies = [said for path, said, *_ in STORED if f"/v1/{path}" == route.path]
        first, _ = done(route, values_of(route), bodies[0])
        for name in route.names:
            other, _ = done(route, values_of(route) | {name: "8"}, bodies[0])
            assert (other.place, other.key) != (first.place, first.key), f"{route.path}: another {name}"
