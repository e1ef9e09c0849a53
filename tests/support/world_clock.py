"""Time in a `World`: the clock of a worker, and a ledger whose writes take as long as they would."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kulanz.domain.ledger.entries import Entry

if TYPE_CHECKING:
    from tests.support.world import World

INSERTS_PER_SECOND = 2_500
"""What one worker writes: time passes while a world writes."""


class WorldClock:
    """The clock of one worker: the world's instants, and a life that ends when its time is used up."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._ends_at = world.now + timedelta(seconds=world.worker_seconds)

    def now(self) -> datetime:
        return self._world.now

    def seconds_left(self) -> float:
        self._world.now += timedelta(seconds=self._world.seconds_per_look)
        return (self._ends_at - self._world.now).total_seconds()

    def wait(self, seconds: float) -> None:
        self._world.now += timedelta(seconds=seconds)


class TakingTime:
    """A world's ledger whose writes take the time that a worker needs for them."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.ledger, name)

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        self._world.now += timedelta(seconds=len(entries) / INSERTS_PER_SECOND)
        return self._world.ledger.insert(entries)
