"""What the API answers: everything that the command shows, in the fields of its contract, and never a silent cut."""

import json
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
from pydantic import TypeAdapter

from kulanz.application.campaigns.report import campaign_report
from kulanz.application.door import campaigns as campaign_answers
from kulanz.application.door import rejected_rows
from kulanz.application.door.parameters import PARAMETERS
from kulanz.application.door.routes import ROUTES, Route
from kulanz.domain.campaigns.campaign import Chunks, PinnedList
from kulanz.domain.delivery.answer_pass import AnswerFile
from kulanz.domain.lists.header import ListFormat, ListLayout
from tests.pipeline.test_enforced_permissions import HARMLESS
from tests.support import sources
from tests.support.exporting import EXPORT
from tests.support.handed import give, publish_discretion
from tests.support.received import configure, receive
from tests.support.small_campaign import (
    CAMPAIGN,
    EVERY_KIND_OF_LINE,
    INCIDENT_ID,
    ROWS,
    event,
    small_world,
)
from tests.support.values import NOW
from tests.support.world import World
from tests.support.world_door import ANNA, OPERATION, WorldDoor

REJECTED = sum(name.startswith("rejected") for name in EVERY_KIND_OF_LINE)


def with_a_draft(door: WorldDoor) -> WorldDoor:
    configure(door, "statuspage")
    receive(door, *sources.recorded("statuspage"))
    return door


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
    "accounts.ask_past": "account-pasts/granted-1",
    "settlements.one": "budgets/reserved/net-outage/1",
    "goodwill.waiting": "goodwill/waiting",
    "goodwill.reasons": "goodwill/reasons",
    "goodwill.one": "goodwill/one/T-1",
    "campaigns.waiting": "campaigns/open",
    "cases.of_month": "cases/month/2026-03",
    "cases.of_campaign": "cases/campaign/net-outage/1",
    "cases.proposed": "cases/proposed",
    "cases.one": "cases/one/held-1/net-outage/1",
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
    "exports.sample": f"exports/{CAMPAIGN}",
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
    "acknowledgements.rejected_credits": f"overdue/rejected/{CAMPAIGN}",
    "acknowledgements.of_month": "acknowledgements/month/2026-03",
    "voids.waiting": "voids/open",
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
    door = with_a_draft(WorldDoor(closed))
    door.answers.open(answer_file())
    publish_discretion(door)
    assert give(door, amount="60.00").status == 200
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
    reply = WorldDoor(world).get("policies/one/net-credit/1", ANNA)
    assert (reply.status, reply.content["examples"]) == (200, expected)


def test_the_answer_about_a_campaign_has_all_its_figures(closed: World) -> None:
    reply = WorldDoor(closed).get(f"campaigns/one/{CAMPAIGN}")
    campaign = closed.campaign(CAMPAIGN)
    report = campaign_report(campaign, (), OPERATION, reserved=closed.campaigns.reservations(campaign.id))
    assert {**reply.content["report"], "same_outage": None} == report
    assert reply.content["plan"]["finished"] is reply.content["apply"]["finished"] is True
    assert reply.content["plan"]["bytes_done"] == reply.content["bytes_in_all"]


def test_the_reconciliation_is_the_report_that_was_announced(closed: World) -> None:
    reply = WorldDoor(closed).get(f"campaigns/reconciliation/{CAMPAIGN}")
    of_campaign = [one for one in closed.announcer.announced if one.detail_type.startswith("Campaign")]
    announced = json.loads(of_campaign[-1].detail)
    announced.pop("law")  # of the instant at which it was sent; the answer has the present one beside the report
    assert reply.content["report"] == announced
    assert reply.content["whole"] is True


def test_before_the_report_is_there_it_is_added_up_from_the_receipts() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    announced = WorldDoor(world).get(f"campaigns/reconciliation/{CAMPAIGN}").content
    world.archive.documents.clear()
    added_up = WorldDoor(world).get(f"campaigns/reconciliation/{CAMPAIGN}").content
    of_another_stack = {"estimate": None}
    assert added_up["report"] | of_another_stack == announced["report"] | of_another_stack


def test_a_list_too_long_to_be_added_up_says_so(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_answers, "CHUNKS_ADDED_UP_MOST", 1)
    monkeypatch.setattr(campaign_answers, "report_key", lambda _: "nowhere")
    reply = WorldDoor(closed).get(f"campaigns/reconciliation/{CAMPAIGN}")
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
    whole = WorldDoor(closed).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    assert sum(row["work"] == "plan" for row in whole) >= REJECTED
    monkeypatch.setattr(rejected_rows, "ROWS_PER_ANSWER", 1)
    parts = list(pages(WorldDoor(closed), f"campaigns/rejected/{CAMPAIGN}", "rows"))
    assert len(parts) > 2
    assert [row for part in parts for row in part] == whole


def test_a_rejected_row_is_named_by_its_line(closed: World) -> None:
    """Its number is that of the line in the file, where the header is the first."""
    lines = list(EVERY_KIND_OF_LINE)
    expected = {place + 2 for place, name in enumerate(lines) if name.startswith("rejected")}
    rows = WorldDoor(closed).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    assert {row["line"] for row in rows if row["work"] == "plan"} == expected


def test_files_come_in_pages_that_are_together_the_whole(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = WorldDoor(closed).get(f"campaigns/files/{CAMPAIGN}").content["files"]
    assert any("/report-" in one["key"] for one in whole)
    assert any("/problems/" in one["key"] for one in whole)
    monkeypatch.setattr(campaign_answers, "FILES_PER_ANSWER", 1)
    parts = list(pages(WorldDoor(closed), f"campaigns/files/{CAMPAIGN}", "files"))
    assert [one for part in parts for one in part] == whole


def test_campaigns_of_an_incident_come_in_pages(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_answers, "CAMPAIGNS_PER_ANSWER", 1)
    (only,) = pages(WorldDoor(closed), f"campaigns/incident/{INCIDENT_ID}", "campaigns")
    assert [one["campaign"] for one in only] == [CAMPAIGN]


def test_an_incident_without_a_campaign_is_told_from_one_that_nobody_recorded() -> None:
    world = small_world()
    world.publish(event(rows=ROWS, campaign=...))
    world.run_until_quiet()
    known = WorldDoor(world).get(f"campaigns/incident/{INCIDENT_ID}").content
    unknown = WorldDoor(world).get("campaigns/incident/other").content
    assert (known["incident_known"], known["campaigns"]) == (True, [])
    assert (unknown["incident_known"], unknown["campaigns"]) == (False, [])


# Stops


def test_a_months_campaigns_and_incidents_are_found_and_no_other_months(closed: World) -> None:
    door = WorldDoor(closed)
    month = f"{closed.now:%Y-%m}"
    assert [one["campaign"] for one in door.get(f"campaigns/month/{month}").content["campaigns"]] == [CAMPAIGN]
    assert [one["incident_id"] for one in door.get(f"incidents/month/{month}").content["incidents"]] == [INCIDENT_ID]
    assert door.get("campaigns/month/2020-01").content["campaigns"] == []


def test_the_tests_of_permissions_have_a_value_for_every_path() -> None:
    names = {name for route in ROUTES for name in route.names}
    assert names == set(HARMLESS)
    assert all(PARAMETERS[name].is_valid(value) for name, value in HARMLESS.items())
