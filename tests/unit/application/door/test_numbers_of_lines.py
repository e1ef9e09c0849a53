"""The numbers of the lines of rejected rows: counted up to a limit, and left out where the list is gone."""

import pytest

from kulanz.application.door import rejected_rows
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import WorldDoor

ROWS = [row("right-1"), row("bad-1", fee="29.901"), row("right-2"), row("bad-2", fee="x", affected="maybe")]


@pytest.fixture
def world() -> World:
    world = small_world(list_of(ROWS))
    world.publish(event(rows=len(ROWS)))
    world.run_until_quiet()
    return world


def rejected(world: World) -> list[tuple[int | None, int, str]]:
    rows = WorldDoor(world).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    return sorted((row["line"], row["offset"], row.get("field", "")) for row in rows if row["work"] == "plan")


def test_a_row_with_two_wrong_cells_is_shown_with_each_of_them(world: World) -> None:
    assert [(line, field) for line, _, field in rejected(world)] == [(3, "fee"), (5, "affected"), (5, "fee")]


def test_lines_are_numbered_up_to_the_limit_and_no_further(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, first, _), *_ = rejected(world)
    monkeypatch.setattr(rejected_rows, "LINES_COUNTED_BYTES_MOST", first)
    rows = WorldDoor(world).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    assert {(row["offset"] == first, row["line"]) for row in rows} == {(True, 3), (False, None)}


def test_rows_of_a_list_that_is_gone_are_shown_without_numbers(world: World) -> None:
    pinned = world.campaign(CAMPAIGN).pinned
    world.lists.delete_version(pinned.key, pinned.version_id)
    rows = WorldDoor(world).get(f"campaigns/rejected/{CAMPAIGN}").content["rows"]
    assert rows
    assert {row["line"] for row in rows} == {None}
