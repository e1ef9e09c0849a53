"""What the API says of budgets: the stack's own month, exact amounts of each currency, and every one of a long list."""

from datetime import UTC, datetime

import pytest

from kulanz.application.ports import INDEXED_PER_PAGE
from kulanz.domain.budgets import Budget
from kulanz.domain.gate.settings import GateSettings
from tests.support.world import World
from tests.support.world_door import ANNA, WorldDoor


def door_of(*budgets: Budget) -> WorldDoor:
    world = World()
    world.campaigns.budget_items.budgets.update({one.place: one for one in budgets})
    return WorldDoor(world)


@pytest.mark.parametrize(("zone", "month"), [("UTC", "2026-03"), ("Europe/Berlin", "2026-04")])
def test_the_present_month_is_that_of_the_stacks_zone(zone: str, month: str) -> None:
    door = door_of()
    door.gate = GateSettings(budget_zone=zone)
    door.world.now = datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert door.get("budgets/since/2026-01").content["month"] == month


@pytest.mark.parametrize(
    ("budget", "amounts"),
    [
        (Budget("EUR", "2026-03", 10_000, 2_000, 3_000), ("100.00", "20.00", "30.00", "50.00")),
        (Budget("EUR", "2026-03", 5_000, 2_000, 3_000), ("50.00", "20.00", "30.00", "0.00")),
        (Budget("EUR", "2026-03", 0, 0, 1), ("0.00", "0.00", "0.01", "-0.01")),
        (Budget("JPY", "2026-03", 10_000, 2_000, 3_000), ("10000", "2000", "3000", "5000")),
        (Budget("BHD", "2026-03", 10_000, 2_000, 3_000), ("10.000", "2.000", "3.000", "5.000")),
        (Budget("EUR", "2026-03", None, 2_000, 3_000), (None, "20.00", "30.00", None)),
    ],
)
def test_amounts_are_exact_and_what_has_no_limit_has_nothing_left_of_it(
    budget: Budget, amounts: tuple[str | None, ...]
) -> None:
    (found,) = door_of(budget).get("budgets/since/2026-03").content["budgets"]
    assert tuple(found[name] for name in ("limit", "reserved", "spent", "left")) == amounts


def test_a_long_list_comes_in_parts_that_leave_none_out() -> None:
    months = [f"{year}-{month:02}" for year in range(2000, 2021) for month in range(1, 13)]
    assert len(months) > 2 * INDEXED_PER_PAGE
    door, found, query = door_of(*(Budget("EUR", month, 1) for month in months)), list[str](), dict[str, str]()
    for _ in range(len(months)):
        page = door.get("budgets/since/2000-02", ANNA, **query).content
        found += [one["month"] for one in page["budgets"]]
        if page["next"] is None:
            break
        query = {"cursor": page["next"]}
    assert found == months[1:]
