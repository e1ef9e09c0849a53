"""The audit log, asked through the API: every action stands in it with who did it, from publishing to accepting."""

from typing import Any

import pytest

from kulanz.application.audit import read_log
from kulanz.application.door.serve import Reply, Request
from kulanz.domain.campaigns.campaign import State
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import BEN, World
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor, routed

POLICY = """
kulanz: 1
id: minutes
version: 1
title: Minutes for a line that was out
facts: {out: yes_no}
who:
  - decline: not_out
    unless: out
give: {quantity: 20, unit: call_minute, valid: 30 days}
mode: {offer: {until: day(decided_at) + 20 days}}
"""
ROWS = 7
CAMPAIGN = f"{INCIDENT_ID}/1"


@pytest.fixture
def door() -> WorldDoor:
    """A campaign that closed with offers, of which some were accepted; a policy and a list with a word about whose."""
    world = World()
    world.policies.publish("minutes", 1, sealed_policy(POLICY), "sso:paula")
    world.lists.upload("lists/1.csv", b"account_id,out\n" + b"".join(b"a-%d,yes\n" % number for number in range(ROWS)))
    world.publish(event(key="lists/1.csv", rows=ROWS, policy="minutes"))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    found = WorldDoor(world)
    for number in range(5):
        accept(found, f"a-{number}", ANNA if number % 2 else BERT)
    return found


def accept(door: WorldDoor, account: str, by: Somebody) -> None:
    assert door.put(f"acceptances/{account}/{INCIDENT_ID}/accept-{account}", {}, by).status == 200


def ask(door: WorldDoor, path: str, query: dict[str, str]) -> Reply:
    return door.send(Request(routed("GET", f"/v1/{path}").key, f"/v1/{path}", query))


def all_of(door: WorldDoor, path: str, **query: str) -> list[dict[str, Any]]:
    """Every line of a log, over as many answers as it takes; none comes twice."""
    found: list[dict[str, Any]] = []
    while True:
        answer = ask(door, path, query)
        assert answer.status == 200, answer.content
        found += answer.content["entries"]
        if answer.content["next"] is None:
            lines = [tuple(line.items()) for line in found]
            assert len(set(lines)) == len(lines)
            return found
        query = {**query, "cursor": answer.content["next"]}


def told(lines: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(line["actor"], line["action"], line["on"]) for line in lines]


EVERYTHING = [
    ("sso:paula", "published", "minutes 1"),
    ("unknown", "uploaded", "lists/1.csv"),
    ("billing", "Incident Declared", INCIDENT_ID),
    ("billing", "requested", CAMPAIGN),
    ("advance_campaign", "awaiting_approval", CAMPAIGN),
    (ANNA.id, "approved", CAMPAIGN),
    (BEN, "approved", CAMPAIGN),
    ("advance_campaign", "closed", CAMPAIGN),
    *((ANNA.id if number % 2 else BERT.id, "accepted", f"{CAMPAIGN} a-{number} -") for number in range(5)),
]


@pytest.mark.parametrize("most", [1, 2, 100])
def test_a_campaigns_log_goes_from_its_policy_to_what_was_accepted(
    door: WorldDoor, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_log, "ENTRIES_PER_PAGE", most)
    assert sorted(told(all_of(door, f"audit/campaign/{CAMPAIGN}"))[:8]) == sorted(EVERYTHING[:8])
    assert told(all_of(door, f"audit/campaign/{CAMPAIGN}"))[8:] == EVERYTHING[8:]


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_an_incidents_log_has_all_its_campaigns(door: WorldDoor, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = door.world
    world.lists.upload("lists/2.csv", b"account_id,out\n" + b"".join(b"b-%d,yes\n" % number for number in range(ROWS)))
    world.publish(event(key="lists/2.csv", rows=ROWS, policy="minutes"))
    world.run_until_quiet()
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    for account in ("b-0", "b-1", "b-2"):
        accept(door, account, ANNA)
    monkeypatch.setattr(read_log, "ENTRIES_PER_PAGE", most)

    lines = told(all_of(door, f"audit/incident/{INCIDENT_ID}"))

    others = [(ANNA.id, "accepted", f"{INCIDENT_ID}/2 b-2 -"), ("billing", "requested", f"{INCIDENT_ID}/2")]
    for line in (*EVERYTHING, *others):
        assert lines.count(line) == 1, line
    assert len([line for line in lines if line[1] == "accepted"]) == 8


def test_a_policys_log_says_who_published_it_and_who_used_it(door: WorldDoor) -> None:
    assert told(all_of(door, "audit/policy/minutes")) == [EVERYTHING[0], ("billing", "requested", CAMPAIGN)]


def test_a_persons_log_has_what_was_done_under_that_id_and_a_days_log_everything(door: WorldDoor) -> None:
    assert told(all_of(door, "audit/actor", actor=ANNA.id)) == [line for line in EVERYTHING if line[0] == ANNA.id]
    day = f"{door.world.now:%Y-%m-%d}"
    assert sorted(told(all_of(door, f"audit/day/{day}"))) == sorted(EVERYTHING[2:])
    assert all_of(door, "audit/day/2025-12-31") == []


def test_what_operators_do_again_is_logged_once_with_its_reason(door: WorldDoor) -> None:
    for path, body in (
        (f"repairs/advance/{CAMPAIGN}/again", {"reason": "its record was lost"}),
        (f"repairs/statuses/{INCIDENT_ID}/again", {}),
        ("repairs/redrive/chunks/again", {}),
    ):
        for _ in range(2):
            assert door.put(path, body, BERT).status == 200

    mine = [line for line in all_of(door, "audit/actor", actor=BERT.id) if line["action"] != "accepted"]
    assert [(line["action"], line["about"], line["on"], line["reason"], line["cause"]) for line in mine] == [
        ("repairs advance", "campaign", CAMPAIGN, "its record was lost", "again"),
        ("repairs statuses", "incident", INCIDENT_ID, "", "again"),
        ("repairs redrive", "stack", "chunks", "", "again"),
    ]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("audit/campaign/unknown/1", {}, 404),
        ("audit/incident/unknown", {}, 404),
        ("audit/policy/unknown", {}, 404),
        ("audit/day/2026-02-30", {}, 400),
        ("audit/day/yesterday", {}, 400),
        ("audit/actor", {}, 400),
        ("audit/actor", {"actor": ""}, 400),
        ("audit/actor", {"actor": "sso:nobody"}, 200),
        ("audit/policy/minutes", {"cursor": "eA"}, 400),
        (f"campaigns/month/{2026}", {}, 400),
    ],
)
def test_what_is_asked_wrongly_is_answered_with_what_was_expected(
    door: WorldDoor, path: str, query: dict[str, str], status: int
) -> None:
    assert ask(door, path, query).status == status


def test_campaigns_and_incidents_are_found_by_their_month(door: WorldDoor) -> None:
    month = f"{door.world.now:%Y-%m}"
    campaigns = door.get(f"campaigns/month/{month}").content
    assert [one["campaign"] for one in campaigns["campaigns"]] == [CAMPAIGN]
    assert [one["incident_id"] for one in door.get(f"incidents/month/{month}").content["incidents"]] == [INCIDENT_ID]
    assert door.get("campaigns/month/2025-12").content["campaigns"] == []
    assert door.get("incidents/month/2025-12").content["incidents"] == []
