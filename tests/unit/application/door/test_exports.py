"""What the API says of exports: who may have one, when, how far it is, and where its parts are."""

import json
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.door import exports as door_exports
from kulanz.application.door.routes import ROUTES, Role
from kulanz.domain.audit import About
from kulanz.domain.campaigns import stretches as stretches_module
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.exports.export import EXPORT_DAYS
from kulanz.domain.time import format_instant
from tests.support.exporting import work_all
from tests.support.handed import MONTH, give, opened
from tests.support.small_campaign import CAMPAIGN, ROWS, event, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT, WorldDoor

EXPORT = f"exports/{CAMPAIGN}/e-1"


def closed(monkeypatch: pytest.MonkeyPatch, most: int = 5) -> WorldDoor:
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS", most)
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return WorldDoor(world)


def test_who_may_see_the_accounts_of_a_campaign_may_export_them_and_nobody_else() -> None:
    ours = [route for route in ROUTES if route.work == "exports"]
    assert {route.method for route in ours} == {"GET", "PUT"}
    for route in ours:
        assert route.roles == {Role.APPROVER, Role.FINANCE, Role.AUDITOR}


def test_an_export_is_begun_once_under_its_id_and_the_log_has_who(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    begun = door.put(EXPORT, {"reason": "the books of March"})
    assert (begun.status, begun.content["of"]) == (200, "ledger")
    assert door.put(EXPORT, {"reason": "the books of March"}).content == begun.content
    assert door.put(EXPORT, {}, BERT).content["type"].endswith("id-used")
    (entry,) = door.actions.entries
    assert (entry.actor, entry.about, entry.on, entry.reason) == (
        ANNA.id,
        About.CAMPAIGN,
        CAMPAIGN,
        "the books of March",
    )
    assert entry.action == "exports"


def test_progress_is_told_and_no_part_before_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    door.put(EXPORT, {})
    early = door.get(EXPORT).content
    assert (early["finished"], early["bytes_done"], early["parts"], early["differences"]) == (False, 0, (), None)
    work_all(door.world)
    late = door.get(EXPORT).content
    assert (late["finished"], late["bytes_done"]) == (True, late["bytes_in_all"])
    assert (late["differences"], len(late["parts"])) == ([], late["parts_in_all"])
    assert sum(part["lines"] for part in late["parts"]) == sum(one["lines"] for one in late["figures"]["lines"]) + 2


def test_parts_come_in_pages_that_leave_none_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_exports, "PARTS_PER_ANSWER", 2)
    door = closed(monkeypatch)
    door.put(EXPORT, {})
    work_all(door.world)
    found: list[Any] = []
    query: dict[str, Any] = {}
    while True:
        answer = door.get(EXPORT, **query).content
        assert len(answer["parts"]) <= 2
        found += answer["parts"]
        if answer["next"] is None:
            break
        query = {"cursor": answer["next"]}
    assert len(found) == answer["parts_in_all"] > 4
    assert [one["end"] for one in found[:-1]] == [one["start"] for one in found[1:]]
    assert sum(one["end"] - one["start"] for one in found) == answer["bytes_in_all"]


def test_a_link_is_good_for_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    door.put(EXPORT, {})
    work_all(door.world)
    answer = door.get(EXPORT).content
    assert door_exports.PART_LINK_SECONDS == 15 * 60
    assert {one["url"].rpartition("?")[2] for one in answer["parts"]} == {"seconds=900"}
    assert answer["links_good_until"] == format_instant(door.world.now + timedelta(minutes=15))


def test_an_export_says_from_the_start_until_when_its_parts_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    asked_at, until = format_instant(door.world.now), format_instant(door.world.now + timedelta(days=EXPORT_DAYS))
    assert door.put(EXPORT, {}).content["available_until"] == until
    work_all(door.world)
    door.world.now += timedelta(days=EXPORT_DAYS) - timedelta(microseconds=1)
    answer = door.get(EXPORT).content
    assert (answer["asked_at"], answer["asked_by"], answer["available_until"]) == (asked_at, ANNA.id, until)


def test_an_export_is_gone_when_its_parts_are(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    door.put(EXPORT, {})
    work_all(door.world)
    door.world.now += timedelta(days=EXPORT_DAYS)
    assert door.get(EXPORT).status == 404
    assert door.get(f"exports/{CAMPAIGN}/e-2").status == 404


def test_what_cannot_be_exported_yet_is_refused_with_a_reason_and_may_be_asked_for_again() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    door = WorldDoor(world)
    reply = door.put(EXPORT, {})
    assert (reply.status, reply.content["reason"]) == (409, "not_planned")
    world.run_until_quiet()
    assert door.put(EXPORT, {}).status == 200


def test_an_export_that_does_not_come_to_its_campaign_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    world: World = door.world
    lost = next(one for one in world.ledger.all_entries() if one.key.account_id == "granted-3")
    world.ledger.forget(lost.key)
    door.put(EXPORT, {})
    work_all(world)
    answer = door.get(EXPORT).content
    assert {"what": "lines missing", "expected": "0", "exported": "1"} in answer["differences"]
    assert {"what": "EUR granted", "expected": "2696", "exported": "1696"} in answer["differences"]


def test_no_answer_has_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed(monkeypatch)
    door.put(EXPORT, {})
    work_all(door.world)
    assert "granted-1" not in json.dumps(door.get(EXPORT).content)


@pytest.mark.parametrize(
    ("key", "content", "first"),
    [
        ("lists/lines.csv", b"account_id,affected\na-1,yes\n", 2),
        ("lists/lines.jsonl", b'{"account_id": "a-1", "affected": "yes"}\n', 1),
    ],
)
def test_the_number_of_the_first_line_is_that_of_the_file(key: str, content: bytes, first: int) -> None:
    """A list of lines has a header in its first one, and JSON lines have none."""
    world = World()
    policy = "kulanz: 1\nid: p\nversion: 1\ntitle: T\ncurrency: EUR\nfacts: {affected: yes_no}\npay: 5.00 EUR\n"
    world.policies.publish("p", 1, sealed_policy(policy))
    world.lists.upload(key, content)
    world.publish(event(key=key, rows=1, policy="p"))
    world.run_until_quiet()
    door = WorldDoor(world)
    assert door.put(EXPORT, {}).status == 200
    assert door.get(EXPORT).content["first_line"] == first


def test_a_month_of_goodwill_has_its_first_line_behind_a_header_though_it_has_no_rows() -> None:
    door = opened()
    assert give(door).status == 200
    export = f"exports/{MONTH}/e-1"
    assert door.put(export, {}).status == 200
    assert (door.world.campaign(str(MONTH)).rows_announced, door.get(export).content["first_line"]) == (0, 2)
