"""Opening a campaign costs what its chunks cost, not what its list does; and what it once cut stays cut."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest

from kulanz.application.campaigns.dispatch_chunks import CHUNKS_PER_LOOK_AT_THE_CLOCK
from kulanz.application.campaigns.open_campaign import Opening
from kulanz.application.ports import ChunkMessage, TryAgain
from kulanz.domain.campaigns.campaign import CHUNKS_PER_LIST, CampaignId, Pass, PinnedList, State
from kulanz.domain.lists.header import HEADER_BYTES
from tests.support.end_state import check_sound, end_state
from tests.support.fake_bucket import FakeLists
from tests.support.fake_messages import FakeChunks
from tests.support.small_campaign import CAMPAIGN, LIST_KEY, ROWS, event, list_of, row, small_world
from tests.support.world import BUCKET, World
from tests.support.world_steps import Function

ID = CampaignId.parse(CAMPAIGN)
GIGABYTE = 10**9
MEMORY_GROWTH_MOST_BYTES = 256 * 1024
SENT_BEFORE_THE_TIMEOUT = 3


class LongLists(FakeLists):
    """A bucket whose lists begin as uploaded and are said to be `size` bytes long; what is read is counted."""

    def __init__(self, size: int) -> None:
        super().__init__(BUCKET)
        self.size, self.bytes_read = size, 0

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        return replace(super().pin(bucket, key, version_id), size=self.size)

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        for block in super().read(pinned, start, stop):
            self.bytes_read += len(block)
            yield block


class CountedChunks(FakeChunks):
    """A queue that keeps nothing but how many messages it was sent, and fails once after so many."""

    def __init__(self, fails_after: int | None = None) -> None:
        super().__init__()
        self.count, self._fails_after = 0, fails_after

    def send(self, messages: Iterable[ChunkMessage]) -> None:
        for _ in messages:
            self.count += 1
            if self.count == self._fails_after:
                self._fails_after = None
                raise TryAgain("out of time")


def opened(size: int, chunk_bytes: int) -> tuple[LongLists, CountedChunks, int, int]:
    """What opening a campaign over a list of that size reads, sends, calls, and needs in memory at most."""
    world, lists, chunks = small_world(chunk_bytes=chunk_bytes), LongLists(size), CountedChunks()
    world.lists, world.chunks = lists, chunks
    lists.upload(LIST_KEY, list_of([row(f"a-{number}") for number in range(100)]))
    world.publish(event(rows=ROWS))
    tracemalloc.start()
    world.run(world.steps()[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert world.openings == [Opening.OPENED]
    return lists, chunks, len(world.tap.calls), peak


def test_a_list_of_300_gigabytes_is_planned_from_its_size_and_its_header() -> None:
    opened(GIGABYTE, 16 * 1024 * 1024)  # what the first one imports and remembers is not measured
    short, long = opened(GIGABYTE, 16 * 1024 * 1024), opened(300 * GIGABYTE, 16 * 1024 * 1024)

    assert short[0].bytes_read == long[0].bytes_read <= HEADER_BYTES
    sends = [ceil(Fraction(found[1].count, CHUNKS_PER_LOOK_AT_THE_CLOCK)) for found in (short, long)]
    assert short[2] - sends[0] == long[2] - sends[1], "the same calls, but for those that send the chunks"
    assert (short[1].count, long[1].count) == (60, 17_882)
    assert long[1].count <= CHUNKS_PER_LIST
    assert long[3] - short[3] <= MEMORY_GROWTH_MOST_BYTES


def test_a_planner_that_ran_out_of_time_goes_on_when_its_event_comes_again() -> None:
    world = small_world()
    whole = world.chunks
    world.chunks = CountedChunks(SENT_BEFORE_THE_TIMEOUT)
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    assert len(world.caught) == 1
    world.chunks = whole

    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    check_sound(world)


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
@pytest.mark.parametrize("chunk_bytes", [4_096, 60_000])
def test_a_campaign_keeps_its_chunks_when_the_stack_is_deployed_with_others(state: State, chunk_bytes: int) -> None:
    def run(changes: bool) -> World:
        world = small_world()
        world.publish(event(rows=ROWS))
        while (found := world.campaigns.campaign(ID)) is None or found.state is not state:
            world.run(world.steps()[0])
        while not (chunks := [step for step in world.steps() if step.function is Function.GRANT]):
            world.run(world.steps()[0])
        world.run(chunks[0])
        if changes:
            world.chunk_bytes = chunk_bytes
            world.publish(event(rows=ROWS))  # again, over the new settings
        world.run_until_quiet()
        return world

    changed, steady = run(changes=True), run(changes=False)

    assert changed.campaign(CAMPAIGN).chunks == steady.campaign(CAMPAIGN).chunks
    assert changed.campaign(CAMPAIGN).state is State.CLOSED
    assert end_state(changed) == end_state(steady)
    assert [receipt.chunk for receipt in changed.campaigns.receipts(ID, Pass.APPLY)] == [
        receipt.chunk for receipt in steady.campaigns.receipts(ID, Pass.APPLY)
    ]
