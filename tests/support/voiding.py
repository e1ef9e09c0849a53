"""A small campaign that has closed, and voids of it, in a world."""

from collections.abc import Mapping
from decimal import Decimal

from kulanz.domain.campaigns.campaign import PinnedList, State
from kulanz.domain.delivery.void import Void, VoidState
from kulanz.domain.ledger.entries import net_worth
from tests.support.faults import Tap
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import (
    approved,
    asked,
    run_voids,
    watched_voids,
)


def closed(content: bytes | None = None, rows: int = ROWS) -> World:
    """A world whose campaign has closed."""
    world = small_world(**({} if content is None else {"content": content}))
    world.publish(event(rows=rows))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def planned(world: World, file: PinnedList | None = None, name: str = "wrong-list") -> Void:
    """A void whose plan is made."""
    void = asked(world, ANNA, file, name)
    run_voids(world)
    return stands(world, void)


def stands(world: World, void: Void) -> Void:
    """A void as it is stored now."""
    found = world.voids.void(void.id)
    assert found is not None
    return found


def voided(world: World, file: PinnedList | None = None, name: str = "wrong-list") -> Void:
    """A void that was planned, approved and executed."""
    void = planned(world, file, name)
    approved(world, void, BEN)
    run_voids(world)
    return stands(world, void)


def voided_in_spite_of(world: World, void: Void, tap: Tap) -> Void:
    """A void that waited, approved and executed while a function dies; the schedule takes it to its end."""
    approved(world, void, BEN)
    run_voids(world, tap)
    for _ in range(3):
        watched_voids(world)
        run_voids(world)
    done = stands(world, void)
    assert (done.state, done.state_reason) == (VoidState.VOIDED, "balanced")
    return done


def net(world: World, *accounts: str) -> Mapping[str, int | Decimal]:
    """What the ledger grants net of voids, by measure; of some accounts, or of all."""
    found: dict[str, int | Decimal] = {}
    for entry in world.ledger.all_entries():
        if not accounts or entry.key.account_id in accounts:
            for measure, size in net_worth(entry).items():
                found[measure] = found.get(measure, 0) + size
    return {measure: size for measure, size in found.items() if size}


def file_of(world: World, content: bytes) -> PinnedList:
    """A file of accounts, uploaded."""
    world.lists.upload("lists/void.csv", content)
    return world.lists.pin(world.lists.bucket, "lists/void.csv", world.lists.newest("lists/void.csv"))
