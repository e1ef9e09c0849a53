"""What the API answers: everything that the command shows, in the fields of its contract, and never a silent cut."""

import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from pydantic import TypeAdapter

from kulanz.application.campaigns.report import campaign_report
from kulanz.application.door import campaigns as campaign_answers
from kulanz.application.door.routes import PARAMETERS, ROUTES, Route
from kulanz.domain.campaigns.campaign import Chunks, PinnedList, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.answer_pass import AnswerFile
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.lists.header import ListFormat, ListLayout
from tests.pipeline.test_enforced_permissions import HARMLESS
from tests.support import sources
from tests.support.exporting import EXPORT, exported
from tests.support.received import configure, receive
from tests.support.small_campaign import (
    CAMPAIGN,
    EVERY_KIND_OF_LINE,
    FACTS_MEANT,
    INCIDENT_ID,
    NO_LIMITS,
    ROWS,
    event,
    meant,
    small_world,
)
from tests.support.values import NOW
from tests.support.world import BUCKET, World
from tests.support.world_door import ANNA, BERT, OPERATION, Somebody, WorldDoor
from tests.support.world_voids import asked, run_voids

REJECTED = sum(name.startswith("rejected") for name in EVERY_KIND_OF_LINE)


def door_of(world: World) -> WorldDoor:
    return WorldDoor(world)


def with_a_draft(door: WorldDoor) -> WorldDoor:
    configure(door, "statuspage")
    receive(door, *sources.recorded("statuspage"))
    return door


@pytest.fixture(scope="module")
def closed() -> World:
    """A world whose campaign has closed, and was exported."""
    world = small_world(channel=Channel("billing"))
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    exported(world, CAMPAIGN)
    asked(world, ANNA.id)
    run_voids(world)
    return world


def answer_of(route: Route) -> Any:
    module, _, name = route.use.partition(".")
    function = getattr(import_module(f"kulanz.application.door.{module}"), name)
    return typing.get_type_hints(function)["return"]


def answer_file() -> AnswerFile:
    """An answer file of which nothing is read yet."""
    pinned = PinnedList("bucket", "acknowledgements/a.csv", "v1", "etag", 5_000)
    layout = ListLayout(ListFormat.CSV, ("account_id",), 40)
    return AnswerFile("0123456789ab", "billing", pinned, layout, Chunks(40, 5_000, 4_096), NOW, "sso:finance")


QUESTIONS: Mapping[str, str] = {
    "accounts.ask": "accounts/granted-1",
    "campaigns.waiting": "campaigns/open",
    "campaigns.of_month": "campaigns/month/2026-03",
    "campaigns.troubles": "campaigns/troubles",
    "audit.of_campaign": f"audit/campaign/{CAMPAIGN}",
    "audit.of_incident": f"audit/incident/{INCIDENT_ID}",
    "audit.of_policy": "audit/policy/net-credit",
    "audit.of_day": "audit/day/2026-03-01",
    "audit.of_actor": "audit/actor",
    "confirmations.current": "confirmations/current",
    "halts.current": "halt/current",
    "budgets.since": "budgets/since/2026-01",
    "incidents.of_month": "incidents/month/2026-03",
    "campaigns.of_incident": f"campaigns/incident/{INCIDENT_ID}",
    "campaigns.one": f"campaigns/one/{CAMPAIGN}",
    "campaigns.reconciliation": f"campaigns/reconciliation/{CAMPAIGN}",
    "campaigns.log": f"campaigns/log/{CAMPAIGN}",
    "approvals.plan": f"campaigns/plan/{CAMPAIGN}",
    "campaigns.rejected": f"campaigns/rejected/{CAMPAIGN}",
    "campaigns.files": f"campaigns/files/{CAMPAIGN}",
    "exports.one": f"exports/{CAMPAIGN}/{EXPORT}",
    "deliveries.waiting": "deliveries/waiting",
    "deliveries.of_channel": "deliveries/channel/billing",
    "deliveries.one": "deliveries/one/billing/1",
    "deliveries.of_campaign": f"deliveries/campaign/{CAMPAIGN}",
    "acknowledgements.of_channel": "acknowledgements/channel/billing",
    "acknowledgements.one": f"acknowledgements/one/billing/{answer_file().id}",
    "acknowledgements.overdue": "acknowledgements/overdue",
    "acknowledgements.of_campaign": f"acknowledgements/campaign/{CAMPAIGN}",
    "acknowledgements.late_credits": f"overdue/{CAMPAIGN}",
    "acknowledgements.of_month": "acknowledgements/month/2026-03",
    "voids.of_campaign": f"voids/campaign/{CAMPAIGN}",
    "voids.one": f"voids/one/{CAMPAIGN}/wrong-list",
    "incidents.one": f"incidents/one/{INCIDENT_ID}",
    "incidents.revision": f"incidents/revision/{INCIDENT_ID}/1",
    "incidents.refused": "incidents/refused",
    "drafts.of_month": "incidents/drafts/month/2026-03",
    "drafts.one": "incidents/drafts/one/it-0a1b2c3d4e5f-voice",
    "policies.published": "policies/published",
    "policies.one": "policies/one/net-credit/1",
}
ASKING = [route for route in ROUTES if route.method == "GET"]


@pytest.mark.parametrize("route", ASKING, ids=lambda route: route.use)
def test_every_answer_is_what_its_contract_says(closed: World, route: Route) -> None:
    named = {"actor": ANNA.id} if "actor" in route.query else {}
    door = with_a_draft(door_of(closed))
    door.answers.open(answer_file())
    reply = door.get(QUESTIONS[route.use], ANNA, **named)
    assert reply.status == 200, reply.content
    TypeAdapter(answer_of(route)).validate_python(reply.content, strict=True, extra="forbid")
    assert reply.content["v"] == 1


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, None),
        (b'[{"id":"#1","expected":{"money":"5.00 EUR"}}]', [{"id": "#1", "expected": {"money": "5.00 EUR"}}]),
        (b"[]", []),
        (b"[1]", None),
        (b"{}", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b'[{"id":NaN}]', None),
        (b'[{"id":"\\ud800"}]', None),
    ],
)
def test_a_policy_comes_with_its_examples_and_never_fails_by_them(stored: bytes | None, expected: Any) -> None:
    world = small_world()
    if stored is not None:
        world.policies.publish_examples("net-credit", 1, stored)
    reply = door_of(world).get("policies/one/net-credit/1", ANNA)
    assert (reply.status, reply.content["examples"]) == (200, expected)


def test_the_answer_about_a_campaign_has_all_its_figures(closed: World) -> None:
    reply = door_of(closed).get(f"campaigns/one/{CAMPAIGN}")
    campaign = closed.campaign(CAMPAIGN)
    report = campaign_report(campaign, (), OPERATION, reserved=closed.campaigns.reservations(campaign.id))
    assert {**reply.content["report"], "same_outage": None} == report
    assert reply.content["plan"]["finished"] is reply.content["apply"]["finished"] is True
    assert reply.content["plan"]["bytes_done"] == reply.content["bytes_in_all"]


def test_the_reconciliation_is_the_report_that_was_announced(closed: World) -> None:
    reply = door_of(closed).get(f"campaigns/reconciliation/{CAMPAIGN}")
    of_campaign = [one for one in closed.announcer.announced if one.detail_type.startswith("Campaign")]
    assert reply.content["report"] == json.loads(of_campaign[-1].detail)
    assert reply.content["whole"] is True


def test_before_the_report_is_there_it_is_added_up_from_the_receipts() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    announced = door_of(world).get(f"campaigns/reconciliation/{CAMPAIGN}").content
    world.archive.documents.clear()
    added_up = door_of(world).get(f"campaigns/reconciliation/{CAMPAIGN}").content
    of_another_stack = {"estimate": None}
    assert added_up["report"] | of_another_stack == announced["report"] | of_another_stack


def test_a_list_too_long_to_be_added_up_says_so(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_answers, "CHUNKS_ADDED_UP_MOST", 1)
    monkeypatch.setattr(campaign_answers, "report_key", lambda _: "nowhere")
    reply = door_of(closed).get(f"campaigns/reconciliation/{CAMPAIGN}")
    assert reply.content["whole"] is False
    assert reply.content["report"]["measured"] is None


def pages(door: WorldDoor, path: str, items: str) -> Iterator[list[Any]]:
    """Every page of a question, by its cursors."""
    query: dict[str, str] = {}
    while True:
        reply = door.get(path, ANNA, **query)
        assert reply.status == 200, reply.content
        yield reply.content[items]
        if reply.content["next"] is None:
            return
        query = {"cursor": reply.content["next"]}


def test_rejected_rows_come_in_pages_that_are_together_the_whole(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = door_of(closed).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    assert sum(row["work"] == "plan" for row in whole) >= REJECTED
    monkeypatch.setattr(campaign_answers, "ROWS_PER_ANSWER", 1)
    parts = list(pages(door_of(closed), f"campaigns/rejected/{CAMPAIGN}", "rows"))
    assert len(parts) > 2
    assert [row for part in parts for row in part] == whole


def test_a_rejected_row_is_named_by_its_line(closed: World) -> None:
    """Its number is that of the line in the file, where the header is the first."""
    lines = list(EVERY_KIND_OF_LINE)
    expected = {place + 2 for place, name in enumerate(lines) if name.startswith("rejected")}
    rows = door_of(closed).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    assert {row["line"] for row in rows if row["work"] == "plan"} == expected


def test_files_come_in_pages_that_are_together_the_whole(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = door_of(closed).get(f"campaigns/files/{CAMPAIGN}").content["files"]
    assert any("/report-" in one["key"] for one in whole)
    assert any("/problems/" in one["key"] for one in whole)
    monkeypatch.setattr(campaign_answers, "FILES_PER_ANSWER", 1)
    parts = list(pages(door_of(closed), f"campaigns/files/{CAMPAIGN}", "files"))
    assert [one for part in parts for one in part] == whole


def test_campaigns_of_an_incident_come_in_pages(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_answers, "CAMPAIGNS_PER_ANSWER", 1)
    (only,) = pages(door_of(closed), f"campaigns/incident/{INCIDENT_ID}", "campaigns")
    assert [one["campaign"] for one in only] == [CAMPAIGN]


def test_an_incident_without_a_campaign_is_told_from_one_that_nobody_recorded() -> None:
    world = small_world()
    world.publish(event(rows=ROWS, campaign=...))
    world.run_until_quiet()
    known = door_of(world).get(f"campaigns/incident/{INCIDENT_ID}").content
    unknown = door_of(world).get("campaigns/incident/other").content
    assert (known["incident_known"], known["campaigns"]) == (True, [])
    assert (unknown["incident_known"], unknown["campaigns"]) == (False, [])


# Stops


def test_a_stop_is_in_the_log_with_the_person_the_reason_and_the_id() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    door = door_of(world)
    reply = door.put(f"stops/{CAMPAIGN}/stop-1", {"action": "pause", "reason": "finance asks"})
    assert reply.content == {"v": 1, "campaign": CAMPAIGN, "state": "paused", "may_write_until": None}
    last = door.get(f"campaigns/log/{CAMPAIGN}").content["log"][-1]
    assert (last["actor"], last["event_id"]) == (ANNA.id, "stop-1")
    assert last["reason"] == "paused_by_hand: finance asks"


def paused_world() -> tuple[World, WorldDoor]:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    door = door_of(world)
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
    door = door_of(world)
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
    door = door_of(world)
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
    door = door_of(world)
    seen = [one["id"] for one in door.get("incidents/refused").content["events"]]
    assert len(seen) == 3
    reply = door.put("repairs/refused/done-1", {"events": [seen[1], "message-of-nobody"]})
    assert (reply.content["done"], reply.content["not_found"]) == ([seen[1]], ["message-of-nobody"])
    assert [one["id"] for one in door.get("incidents/refused").content["events"]] == [seen[0], seen[2]]


def test_advance_looks_at_the_campaign_again(closed: World) -> None:
    reply = door_of(closed.copy()).put(f"repairs/advance/{CAMPAIGN}/look-1", {})
    assert reply.content == {"v": 1, "campaign": CAMPAIGN, "state": "closed"}


def test_a_repair_is_in_the_audit_log_with_its_reason(closed: World) -> None:
    door = door_of(closed.copy())
    door.put(f"repairs/advance/{CAMPAIGN}/look-1", {"reason": "it stands still"})
    door.put("repairs/redrive/chunks/move-1", {})
    assert [(one.actor, one.action, one.on, one.reason, one.cause) for one in door.actions.entries] == [
        (ANNA.id, "repairs advance", CAMPAIGN, "it stands still", "look-1"),
        (ANNA.id, "repairs redrive", "chunks", "", "move-1"),
    ]


def test_what_a_repair_fixes_is_no_trouble_any_more(closed: World) -> None:
    world = closed.copy()
    door = door_of(world)
    door.troubles.note(TroubleKind.NOTICES, CAMPAIGN, world.now - timedelta(minutes=1))
    door.troubles.note(TroubleKind.STATUS, INCIDENT_ID, world.now - timedelta(minutes=1))
    assert [one["kind"] for one in door.get("campaigns/troubles").content["troubles"]] == ["notices", "status"]
    door.put(f"repairs/notices/{CAMPAIGN}/again-1", {})
    door.put(f"repairs/statuses/{INCIDENT_ID}/again-1", {})
    assert door.get("campaigns/troubles").content["troubles"] == []


def test_a_months_campaigns_and_incidents_are_found_and_no_other_months(closed: World) -> None:
    door = door_of(closed)
    month = f"{closed.now:%Y-%m}"
    assert [one["campaign"] for one in door.get(f"campaigns/month/{month}").content["campaigns"]] == [CAMPAIGN]
    assert [one["incident_id"] for one in door.get(f"incidents/month/{month}").content["incidents"]] == [INCIDENT_ID]
    assert door.get("campaigns/month/2020-01").content["campaigns"] == []


def test_the_tables_are_confirmed_by_a_person(closed: World) -> None:
    world = closed.copy()
    world.stores.replace_tables()
    door = door_of(world)
    assert door.get("confirmations/current").content["holds"] is False
    refused = door.put("confirmations/first-1", {"occasion": "first", "reason": "new"})
    assert refused.status == 409, "the tables hold a campaign"
    given = door.put("confirmations/checked-1", {"occasion": "checked", "reason": "restored and compared"})
    assert (given.content["holds"], given.content["actor"]) == (True, ANNA.id)


def test_the_stack_is_halted_by_one_and_lifted_by_two_persons(closed: World) -> None:
    door = door_of(closed.copy())
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
    door = door_of(world)
    assert door.put("halt/stop-1", {"action": "set", "reason": "the amounts are wrong"}).content["needed"] == 1
    assert door.put("halt/go-m", {"action": "lift", "reason": "so"}, Somebody("machine:robot")).status == 403
    assert door.put("halt/go-1", {"action": "lift", "reason": "they are right"}).content["halted"] is False


def test_the_status_of_an_incident_is_published_again(closed: World) -> None:
    world = closed.copy()
    before = len(world.topic.published)
    reply = door_of(world).put(f"repairs/statuses/{INCIDENT_ID}/again-1", {"reason": "a subscriber was down"})
    assert reply.content["revisions"] == 1
    assert len(world.topic.published) == before + 1


def test_the_tests_of_permissions_have_a_value_for_every_path() -> None:
    names = {name for route in ROUTES for name in route.names}
    assert names == set(HARMLESS)
    assert all(PARAMETERS[name].is_valid(value) for name, value in HARMLESS.items())
