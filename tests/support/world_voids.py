"""What a world does with voids: the steps of its functions, composed as their handlers compose them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.advance_void import AdvanceVoidPorts, advance_void, watch_voids
from kulanz.application.delivery.ask_void import VoidPorts, approve_void, ask_void
from kulanz.application.delivery.void_chunk import VoidChunkPorts, void_chunk
from kulanz.application.delivery.watching import Looked
from kulanz.application.ports import Refused, TryAgain, VoidMessage
from kulanz.domain.campaigns.campaign import CampaignId, Cause, PinnedList
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Ends, Void
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.fake_credit_actions import FakeReversals
from tests.support.faults import Killed, Tap, tapped
from tests.support.world_clock import WorldClock

if TYPE_CHECKING:
    from tests.support.world import World

CAMPAIGN = "net-outage/1"
CAUSE = Cause("advance_campaign", "an-event", "test")
STEPS_MOST = 2_000


def void_ports(world: "World") -> VoidPorts:
    """The world as asking for a void and approving it touches it."""
    lists = PartedLists(world.lists)
    return VoidPorts(world.campaigns, world.deliveries, world.voids, lists, world.gate, NOBODY_LISTED)


def asked(
    world: "World",
    person: str,
    file: PinnedList | None = None,
    name: str = "wrong-list",
    campaign: str = "net-outage/1",
    ends: Ends | None = None,
    *,
    is_of_overpaid: bool = False,
    asks_biller: bool = False,
) -> Void:
    """A person asks for a void."""
    void_id = VoidId(CampaignId.parse(campaign), name)
    world.now += timedelta(seconds=1)
    why, ports = "it was the wrong list", void_ports(world)
    asks = {"is_of_overpaid": is_of_overpaid, "asks_biller": asks_biller}
    return ask_void(void_id, file, why, Person(person), ports, world.now, ends, **asks)


def approved(world: "World", void: Void, person: str) -> Void:
    """A person approves the plan as it stands."""
    stands = world.voids.void(void.id)
    assert stands is not None
    world.now += timedelta(seconds=1)
    name = f"{person.rpartition('/')[2]}-yes"
    return approve_void(void.id, stands.plan_hash, name, Person(person), void_ports(world), world.now)


def advance_ports(world: "World", tap: Tap | None = None) -> AdvanceVoidPorts:
    """The world as moving voids on touches it."""
    tap = tap or Tap()
    return AdvanceVoidPorts(
        tapped(world.campaigns, "campaigns", tap),
        tapped(world.voids, "voids", tap),
        tapped(world.chunks, "chunks", tap),
        tapped(world.troubles, "troubles", tap),
        world.gate,
    )


def worked(world: "World", message: VoidMessage, tap: Tap | None = None) -> None:
    """A worker gets a message of a void."""
    tap = tap or Tap()
    ports = VoidChunkPorts(
        work=GrantPorts(
            campaigns=tapped(world.campaigns, "campaigns", tap),
            lists=PartedLists(tapped(world.lists, "lists", tap)),
            ledger=tapped(world.ledger, "ledger", tap),
            chunks=tapped(world.chunks, "chunks", tap),
            archive=tapped(world.archive, "archive", tap),
        ),
        campaigns=tapped(world.campaigns, "campaigns", tap),
        credits=tapped(world.credits, "credits", tap),
        voids=tapped(world.voids, "voids", tap),
        queue=tapped(world.chunks, "chunks", tap),
        rows=tapped(world.cases, "cases", tap),
        asks=tapped(FakeReversals(world.credits, world.campaigns), "asks", tap),
        codes=tapped(world.codes, "codes", tap),
    )
    settings = GrantSettings(world.calls_in_flight, world.units_per_second, world.retention_days)
    void_chunk(message, ports, settings, WorldClock(world), FrozenCache())


def run_voids(world: "World", tap: Tap | None = None) -> None:
    """Let what voids have to do happen until nothing is left: records that changed, and messages; errors come again."""
    position = 0
    for _ in range(STEPS_MOST):
        world.now += timedelta(seconds=1)
        try:
            if world.chunks.voids:
                worked(world, world.chunks.voids[0], tap)
                world.chunks.voids.pop(0)
            elif position < len(world.voids.changes):
                advance_void(world.voids.changes[position], advance_ports(world, tap), CAUSE, world.now)
                position += 1
            else:
                return
        except (TryAgain, Refused, Killed):
            continue
    raise AssertionError("voids do not become quiet")


def watched_voids(world: "World") -> Looked:
    """What the schedule does with voids that have not ended."""
    return watch_voids(advance_ports(world), CAUSE, world.now)
