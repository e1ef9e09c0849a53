"""Answers at their edges: pages behind what is gone, the latest of many, and actions that leave a field out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.door.action_store import Action
from kulanz.application.door.actions import _differences
from kulanz.application.door.asked import Door, page_after
from kulanz.application.door.bodies import read_body
from kulanz.application.door.campaigns import report_key
from kulanz.application.door.incidents import REVISIONS_PER_ANSWER, _latest
from kulanz.application.door.problems import Problem
from kulanz.application.door.repairs import RepairBody
from kulanz.application.door.routes import ROUTES, Route
from kulanz.application.door.serve import JSON_TYPE, Request, _body
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.time import format_instant
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.values import NOW, declared
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.unit.application.campaigns.test_later_campaigns import OFFER_HALF
from tests.unit.application.campaigns.test_later_campaigns import campaign as offering
from tests.unit.application.door.test_acting import INCIDENT, recorded, request_body
from tests.unit.application.ledger.test_claimable_parts import world as offer_of_two_parts

ID = CampaignId.parse(CAMPAIGN)


@pytest.mark.parametrize(("after", "found"), [("", ["a", "b"]), ("a", ["b", "c"]), ("c", []), ("gone", [])])
def test_a_page_goes_on_behind_what_was_named_and_ends_where_that_is_gone(after: str, found: list[str]) -> None:
    assert list(page_after(["a", "b", "c"], str, after, 2)) == found


@pytest.mark.parametrize("separator", ["\n", "\r", "\x85", "\u2028", "\u2029", "\ud800", "\x1b"])
def test_a_reason_is_one_line(separator: str) -> None:
    assert read_body(RepairBody, {"reason": "one line"}).reason == "one line"
    with pytest.raises(Problem):
        read_body(RepairBody, {"reason": f"one{separator}line"})


def test_an_action_that_says_less_under_its_id_differs_as_one_that_says_more_does() -> None:
    def action(**fields: str) -> Action:
        return Action("STACK", "halt#1", "sso:anna", NOW, fields)

    less, more = action(reason="a"), action(reason="a", decides_by="b")
    assert [one["field"] for one in _differences(more, less)] == ["decides_by"]
    assert [one["field"] for one in _differences(less, more)] == ["decides_by"]
    assert _differences(more, more) == []


def test_of_more_revisions_than_an_answer_has_it_is_the_latest_lowest_first() -> None:
    numbers = range(1, REVISIONS_PER_ANSWER + 6)
    record: Any = SimpleNamespace(incident_id=declared().incident_id, revision_digests=dict.fromkeys(numbers, "d"))
    campaigns = SimpleNamespace(revision=lambda _, number: number)
    door = cast("Door", SimpleNamespace(campaigns=campaigns))
    assert cast("list[Any]", _latest(record, door)) == list(numbers)[-REVISIONS_PER_ANSWER:]


@pytest.fixture(scope="module")
def closed() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_nobody_is_told_that_they_were_listed_nowhere_while_a_campaign_is_at_work(closed: World) -> None:
    world = closed.copy()
    door = WorldDoor(world)
    assert door.get("accounts/nobody", incident=INCIDENT_ID).content["listed_nowhere"] is True
    kept = world.campaigns._campaigns[ID]
    kept.campaign = replace(kept.campaign, state=State.APPLYING)
    answer = door.get("accounts/nobody", incident=INCIDENT_ID).content
    assert (answer["final"], answer["listed_nowhere"]) == (False, False)


def test_a_filed_report_answers_only_for_the_figures_that_it_was_announced_with(closed: World) -> None:
    """A report that was written but not announced may be half of another state; the receipts have the figures."""
    world = closed.copy()
    door = WorldDoor(world)
    announced = door.get(f"campaigns/reconciliation/{CAMPAIGN}").content["report"]
    kept = world.campaigns._campaigns[ID]
    world.archive.documents[report_key(kept.campaign)] = b'{"filed": "for other figures"}'
    assert door.get(f"campaigns/reconciliation/{CAMPAIGN}").content["report"] == {"filed": "for other figures"}
    kept.campaign = replace(kept.campaign, announced="000001-000000000000001")
    report = door.get(f"campaigns/reconciliation/{CAMPAIGN}").content["report"]
    assert report["plan"] == announced["plan"]
    assert report["apply"] == announced["apply"]


def test_notices_that_fail_while_they_are_published_again_stay_a_trouble(closed: World) -> None:
    """Those that were published before the failure do not show that it is repaired."""
    world = closed.copy()
    door = WorldDoor(world)
    path = f"repairs/notices/{CAMPAIGN}"
    begun = door.put(f"{path}/again-1", {}, seconds_left=0.0).content["next"]
    assert begun
    world.now += timedelta(minutes=1)
    door.troubles.note(TroubleKind.NOTICES, CAMPAIGN, world.now)
    world.now += timedelta(minutes=1)
    assert door.put(f"{path}/again-2", {"cursor": begun}).content["next"] is None
    assert [one["kind"] for one in door.get("campaigns/troubles").content["troubles"]] == ["notices"]
    assert door.put(f"{path}/again-3", {}).content["next"] is None
    assert door.get("campaigns/troubles").content["troubles"] == []


@pytest.mark.parametrize("route", [one for one in ROUTES if one.body_bytes], ids=lambda one: one.key)
def test_a_body_may_have_the_bytes_that_its_route_says_and_not_one_more(route: Route) -> None:
    def sent(size: int) -> Request:
        return Request(route.key, route.path, {}, b"{" + b" " * (size - 2) + b"}", JSON_TYPE)

    assert _body(sent(route.body_bytes), route) == {}
    with pytest.raises(Problem, match=f"at most {route.body_bytes} bytes"):
        _body(sent(route.body_bytes + 1), route)


def offer_of_the_whole() -> World:
    world = World()
    offering(world, 1, OFFER_HALF)
    return world


@pytest.mark.parametrize("offered", [offer_of_the_whole, offer_of_two_parts])
def test_an_acceptance_that_is_sent_again_answers_the_instant_of_the_first(offered: Callable[[], World]) -> None:
    """Also where a part was granted at once, long before the rest was accepted."""
    world = offered()
    door, path = WorldDoor(world), f"acceptances/a-1/{INCIDENT_ID}"
    world.now += timedelta(hours=1)
    accepted_at = format_instant(world.now)
    assert door.put(f"{path}/first", {}).content["effective_at"] == accepted_at
    world.now += timedelta(hours=1)
    assert door.put(f"{path}/second", {}).content["effective_at"] == accepted_at


def test_a_request_under_a_revision_that_is_not_the_latest_is_a_conflict_and_opens_nothing() -> None:
    world, door = recorded()
    later = {**INCIDENT, "title": "The network was down"}
    updated = {"detail_type": "Incident Updated", "incident": later}
    assert door.put(f"requests/incidents/{INCIDENT_ID}/2", updated).status == 200
    reply = door.put(f"requests/campaigns/{INCIDENT_ID}/1/request-1", request_body(world))
    assert (reply.status, reply.content["reason"]) == (409, "revision_stale")
    assert world.campaigns.all_campaigns() == []
