"""What a person does through the API: once under an id, refused by the names of fields, and in the audit log."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.trouble import TroubleKind
from tests.support.small_campaign import (
    CAMPAIGN,
    FACTS_MEANT,
    INCIDENT_ID,
    NO_LIMITS,
    ROWS,
    event,
    meant,
    small_world,
)
from tests.support.world import BUCKET, World
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor


def test_a_stop_is_in_the_log_with_the_person_the_reason_and_the_id() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    door = WorldDoor(world)
    reply = door.put(f"stops/{CAMPAIGN}/stop-1", {"action": "pause", "reason": "finance asks"})
    assert reply.content == {"v": 1, "campaign": CAMPAIGN, "state": "paused", "may_write_until": None, "void": None}
    last = door.get(f"campaigns/log/{CAMPAIGN}").content["log"][-1]
    assert (last["actor"], last["event_id"]) == (ANNA.id, "stop-1")
    assert last["reason"] == "paused_by_hand: finance asks"


def paused_world() -> tuple[World, WorldDoor]:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    door = WorldDoor(world)
    assert door.put(f"stops/{CAMPAIGN}/stop-1", {"action": "pause", "reason": "why"}).status == 200
    return world, door


def test_the_same_action_again_is_the_same_answer_and_changes_nothing() -> None:
    world, door = paused_world()
    assert door.put(f"stops/{CAMPAIGN}/go-on", {"action": "resume", "reason": "why"}).content["state"] == "planning"
    again = door.put(f"stops/{CAMPAIGN}/stop-1", {"action": "pause", "reason": "why"})
    assert again.content["state"] == "paused", "the answer that it had"
    assert world.campaign(CAMPAIGN).state is State.PLANNING


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"action": "cancel", "reason": "why"}, ["action"]),
        ({"action": "pause", "reason": "another"}, ["reason"]),
        ({"action": "cancel", "reason": "another"}, ["action", "reason"]),
    ],
)
def test_another_body_under_a_used_id_is_refused_by_the_names_of_its_fields(
    body: dict[str, str], fields: list[str]
) -> None:
    world, door = paused_world()
    reply = door.put(f"stops/{CAMPAIGN}/stop-1", body)
    assert (reply.status, reply.content["type"]) == (409, "urn:kulanz:problem:id-used")
    assert [one["field"] for one in reply.content["errors"]] == fields
    assert world.campaign(CAMPAIGN).state is State.PAUSED


def test_a_body_that_was_wrong_may_be_corrected_under_its_id() -> None:
    _, door = paused_world()
    assert door.put(f"stops/{CAMPAIGN}/go-on", {"action": "resume"}).status == 422
    assert door.put(f"stops/{CAMPAIGN}/go-on", {"action": "resume", "reason": "why"}).status == 200


def test_nothing_is_stored_about_what_there_is_not() -> None:
    _, door = paused_world()
    before = dict(door.actions.stored)
    assert door.put("stops/net-outage/7/stop-1", {"action": "pause", "reason": "why"}).status == 404
    assert door.put("acceptances/granted-1/other/accept-1", {}).status == 404
    assert door.put("repairs/statuses/other/again-1", {}).status == 404
    assert door.actions.stored == before


def test_an_id_that_somebody_else_used_is_refused() -> None:
    _, door = paused_world()
    reply = door.put(f"stops/{CAMPAIGN}/stop-1", {"action": "pause", "reason": "why"}, BERT)
    assert (reply.status, reply.content["errors"][0]["field"]) == (409, "id")


def test_an_action_that_was_cut_off_after_its_effect_is_not_done_again() -> None:
    """The function died before it stored the answer; meanwhile somebody else let the campaign go on."""
    world, door = paused_world()
    (place,) = door.actions.stored
    door.actions.stored[place] = replace(door.actions.stored[place], answer=None)
    assert door.put(f"stops/{CAMPAIGN}/go-on", {"action": "resume", "reason": "why"}, BERT).status == 200
    again = door.put(f"stops/{CAMPAIGN}/stop-1", {"action": "pause", "reason": "why"})
    assert (again.status, again.content["state"]) == (200, "paused")
    assert world.campaign(CAMPAIGN).state is State.PLANNING


def test_an_action_that_was_refused_may_be_sent_again_when_matters_stand_otherwise() -> None:
    world, door = paused_world()
    settle = {"action": "settle", "reason": "looked at"}
    assert door.put(f"stops/{CAMPAIGN}/settle-1", settle).status == 409
    door.put(f"stops/{CAMPAIGN}/cancel-1", {"action": "cancel", "reason": "over"})
    reply = door.put(f"stops/{CAMPAIGN}/settle-1", settle)
    assert reply.status == 409
    assert world.campaign(CAMPAIGN).state is State.CANCELLED


# Requests


def request_body(world: World) -> dict[str, Any]:
    version = world.lists.newest("lists/net-outage.csv")
    affected = {"s3": {"bucket": BUCKET, "key": "lists/net-outage.csv", "version_id": version}, "rows": ROWS}
    policy = {"id": "net-credit", "version": 1}
    return {
        "decision_digest": meant(),
        "campaign": {"policy": policy, "affected": affected, "limits": dict(NO_LIMITS)},
    }


INCIDENT = {"title": "Network down", **FACTS_MEANT}


def recorded() -> tuple[World, WorldDoor]:
    world = small_world()
    door = WorldDoor(world)
    body = {"detail_type": "Incident Declared", "incident": INCIDENT}
    reply = door.put(f"requests/incidents/{INCIDENT_ID}/1", body)
    assert reply.status == 200, reply.content
    assert reply.content["decision_digest"] == meant()
    return world, door


def test_a_person_records_an_incident_and_requests_its_campaign() -> None:
    world, door = recorded()
    reply = door.put(f"requests/campaigns/{INCIDENT_ID}/1/request-1", request_body(world))
    assert reply.content == {"v": 1, "campaign": CAMPAIGN, "state": "planning"}
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    first = door.get(f"campaigns/log/{CAMPAIGN}").content["log"][0]
    assert (first["actor"], first["event_id"], first["reason"]) == (ANNA.id, "request-1", "requested")
    assert world.campaign(CAMPAIGN).opened_by == ANNA.id


def test_the_same_request_under_another_id_is_the_same_campaign() -> None:
    world, door = recorded()
    for number in (1, 2):
        reply = door.put(f"requests/campaigns/{INCIDENT_ID}/1/request-{number}", request_body(world))
        assert reply.content["campaign"] == CAMPAIGN
    assert len(world.campaigns.campaigns_of(INCIDENT_ID)) == 1


def test_the_same_revision_with_other_facts_is_refused_and_stays_as_it_was() -> None:
    _, door = recorded()
    body = {"detail_type": "Incident Declared", "incident": {**INCIDENT, "cause": "another"}}
    reply = door.put(f"requests/incidents/{INCIDENT_ID}/1", body)
    assert (reply.status, reply.content["reason"]) == (409, "revision_conflict")
    content = door.get(f"incidents/revision/{INCIDENT_ID}/1").content["content"]
    assert content["cause"] == "power"


def test_what_the_bus_would_refuse_later_is_refused_at_once() -> None:
    world, door = recorded()
    body = request_body(world)
    body["campaign"]["policy"]["version"] = 9
    reply = door.put(f"requests/campaigns/{INCIDENT_ID}/1/request-1", body)
    assert (reply.status, reply.content["reason"]) == (422, "policy_unknown")
    assert world.rejected.sent == [], "nobody has to look into a queue"
    assert world.campaigns.campaigns_of(INCIDENT_ID) == []


def test_path_and_body_name_one_revision() -> None:
    _, door = recorded()
    body = {"detail_type": "Incident Declared", "incident": {**INCIDENT, "revision": 3}}
    reply = door.put(f"requests/incidents/{INCIDENT_ID}/2", body)
    assert (reply.status, reply.content["errors"][0]["field"]) == (422, "incident.revision")


# Repairs


def test_notices_are_published_again_in_stretches_that_are_together_the_whole(closed: World) -> None:
    world = closed.copy()
    door = WorldDoor(world)
    path, decisions, number, body = f"repairs/notices/{CAMPAIGN}", 0, 0, dict[str, Any]()
    while True:
        reply = door.put(f"{path}/again-{number}", body, seconds_left=1.0)
        assert reply.status == 200, reply.content
        decisions += reply.content["decisions"]
        if reply.content["next"] is None:
            break
        number, body = number + 1, {"cursor": reply.content["next"]}
    assert decisions == len(world.ledger.all_entries())


def test_refused_events_are_taken_out_by_their_ids_and_no_others() -> None:
    world = small_world()
    for number in range(3):
        world.publish(event(rows=ROWS, title="", revision=number + 1))
    world.run_until_quiet()
    door = WorldDoor(world)
    seen = [one["id"] for one in door.get("incidents/refused").content["events"]]
    assert len(seen) == 3
    reply = door.put("repairs/refused/done-1", {"events": [seen[1], "message-of-nobody"]})
    assert (reply.content["done"], reply.content["not_found"]) == ([seen[1]], ["message-of-nobody"])
    assert [one["id"] for one in door.get("incidents/refused").content["events"]] == [seen[0], seen[2]]


def test_advance_looks_at_the_campaign_again(closed: World) -> None:
    reply = WorldDoor(closed.copy()).put(f"repairs/advance/{CAMPAIGN}/look-1", {})
    assert reply.content == {"v": 1, "campaign": CAMPAIGN, "state": "closed"}


def test_a_repair_is_in_the_audit_log_with_its_reason(closed: World) -> None:
    door = WorldDoor(closed.copy())
    door.put(f"repairs/advance/{CAMPAIGN}/look-1", {"reason": "it stands still"})
    door.put("repairs/redrive/chunks/move-1", {})
    assert [(one.actor, one.action, one.on, one.reason, one.cause) for one in door.actions.entries] == [
        (ANNA.id, "repairs advance", CAMPAIGN, "it stands still", "look-1"),
        (ANNA.id, "repairs redrive", "chunks", "", "move-1"),
    ]


def test_what_a_repair_fixes_is_no_trouble_any_more(closed: World) -> None:
    world = closed.copy()
    door = WorldDoor(world)
    door.troubles.note(TroubleKind.NOTICES, CAMPAIGN, world.now - timedelta(minutes=1))
    door.troubles.note(TroubleKind.STATUS, INCIDENT_ID, world.now - timedelta(minutes=1))
    assert [one["kind"] for one in door.get("campaigns/troubles").content["troubles"]] == ["notices", "status"]
    door.put(f"repairs/notices/{CAMPAIGN}/again-1", {})
    door.put(f"repairs/statuses/{INCIDENT_ID}/again-1", {})
    assert door.get("campaigns/troubles").content["troubles"] == []


def test_the_tables_are_confirmed_by_a_person(closed: World) -> None:
    world = closed.copy()
    world.stores.replace_tables()
    door = WorldDoor(world)
    assert door.get("confirmations/current").content["holds"] is False
    refused = door.put("confirmations/first-1", {"occasion": "first", "reason": "new"})
    assert refused.status == 409, "the tables hold a campaign"
    given = door.put("confirmations/checked-1", {"occasion": "checked", "reason": "restored and compared"})
    assert (given.content["holds"], given.content["actor"]) == (True, ANNA.id)


def test_the_stack_is_halted_by_one_and_lifted_by_two_persons(closed: World) -> None:
    door = WorldDoor(closed.copy())
    assert door.get("halt/current").content["halted"] is False
    halted = door.put("halt/stop-1", {"action": "set", "reason": "the amounts are wrong"})
    assert (halted.content["halted"], halted.content["by"]) == (True, ANNA.id)
    assert door.put("halt/stop-1", {"action": "set", "reason": "the amounts are wrong"}).content == halted.content
    assert door.put("halt/stop-2", {"action": "set", "reason": "again"}).status == 409
    lifted = door.put("halt/go-1", {"action": "lift", "reason": "they are right"}, ANNA)
    assert (lifted.content["halted"], lifted.content["lifted_by"]) == (True, [ANNA.id])
    assert door.put("halt/go-2", {"action": "lift", "reason": "they are right"}, ANNA).status == 409
    by_machine = door.put("halt/go-m", {"action": "lift", "reason": "so"}, Somebody("machine:robot"))
    assert (by_machine.status, by_machine.content["type"]) == (403, "urn:kulanz:problem:person-needed")
    assert "act as an IAM user" in by_machine.content["detail"]
    lifted = door.put("halt/go-3", {"action": "lift", "reason": "they are right"}, BERT)
    assert lifted.content["halted"] is False


def test_a_lone_operator_halts_and_lifts_alone(closed: World) -> None:
    world = closed.copy()
    world.gate = replace(world.gate, lone_operator=True)
    door = WorldDoor(world)
    assert door.put("halt/stop-1", {"action": "set", "reason": "the amounts are wrong"}).content["needed"] == 1
    assert door.put("halt/go-m", {"action": "lift", "reason": "so"}, Somebody("machine:robot")).status == 403
    assert door.put("halt/go-1", {"action": "lift", "reason": "they are right"}).content["halted"] is False


def test_the_status_of_an_incident_is_published_again(closed: World) -> None:
    world = closed.copy()
    before = len(world.topic.published)
    reply = WorldDoor(world).put(f"repairs/statuses/{INCIDENT_ID}/again-1", {"reason": "a subscriber was down"})
    assert reply.content["revisions"] == 1
    assert len(world.topic.published) == before + 1
