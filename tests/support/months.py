"""Three months at a stack, of which everything that is shown is compared with approved texts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from tests.fake_biller.biller import Biller
from tests.support.console_waiting import with_everything, with_plan
from tests.support.dirty_campaign import dirty_world
from tests.support.worked_month import Worked
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.unit.application.door.test_acknowledgements import Bills

type Month = Callable[[], AbstractContextManager[tuple[World, WorldDoor]]]


@contextmanager
def waiting_for_persons() -> Iterator[tuple[World, WorldDoor]]:
    """A month in which something of everything waits."""
    stack = with_everything(with_plan())
    yield stack.world, stack.served


@contextmanager
def on_bills() -> Iterator[tuple[World, WorldDoor]]:
    """A campaign of which two accounts have their credit on a bill, and one was rejected."""
    with closing(Biller(":memory:")) as biller:
        bills = Bills(biller)
        biller.run_cycle("2026-04-01")
        bills.upload("first", biller.write_answers())
        yield bills.world, bills.door


@contextmanager
def dirty() -> Iterator[tuple[World, WorldDoor]]:
    """Two campaigns of an incident, in which nothing shown is equal to anything else."""
    world = dirty_world()
    yield world, WorldDoor(world)


@contextmanager
def worked() -> Iterator[tuple[World, WorldDoor]]:
    """A month in which persons did everything that a stack lets them do."""
    month = worked_month()
    yield month.world, month.stack.served


def worked_month() -> Worked:
    """That month, with what each command told whoever typed it."""
    with closing(Biller(":memory:")) as biller:
        month = Worked(biller)
        month.work()
        return month
