"""Two workers on one chunk at once: SQS may deliver a message twice, and a slow worker may outlive its visibility.

Schedules are enumerated: every one in which the workers take turns up to three times, at every pair of their calls.
"""

import random
from functools import cache
from itertools import product

import pytest

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.plan_chunk import LINES_PER_LOOK_AT_THE_CLOCK
from kulanz.application.ports import ChunkMessage, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from tests.support.effort import one_in, seeds_tried
from tests.support.end_state import EndState, check_sound, end_state
from tests.support.faults import Tap
from tests.support.interleaving import Interleaving, Schedule, Work, switching_after
from tests.support.left_alike import Ends
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_steps import Function

LINES = [
    row("granted-1"),
    row("torn-1", fee="20.00"),
    row("torn-1", fee="30.00"),
    row("declined-1", affected="no"),
    row(""),
    row("twice-1"),
    row("twice-1"),
]
CONTENT = list_of(LINES)
MOST_CALLS = 20
SEEDS = seeds_tried(60)
BEGINNERS = (0, 1)[:: one_in(2)]
"""Who of the two begins. They are alike but for their names, so one of them tries every order; `make prove` both."""
pytestmark = pytest.mark.storm


@cache
def _chunk_waiting(work: Pass) -> World:
    """The world up to the chunk's message: the same before every schedule, so that each goes on from a copy of it."""
    world = small_world(CONTENT, chunk_bytes=65_536)
    world.publish(event(rows=len(LINES)))
    target = {Pass.PLAN: State.PLANNING, Pass.APPLY: State.APPLYING}[work]
    while world.campaigns.campaign(CampaignId.parse(CAMPAIGN)) is None or world.campaign(CAMPAIGN).state is not target:
        world.run(world.steps()[0])
    return world


def _run_together(work: Pass, schedule: Schedule) -> tuple[World, list[tuple[int, str]]]:
    """Two workers get the same message at the same time."""
    world = _chunk_waiting(work).copy()
    message = ChunkMessage(CampaignId.parse(CAMPAIGN), work, 0)
    together = Interleaving()
    together.run([_worker(world, message, name) for name in ("one", "two")], schedule)
    return world, together.trace


def _sound_end(world: World) -> EndState:
    world.run_until_quiet()
    check_sound(world)
    return end_state(world)


@pytest.fixture(scope="module")
def clean() -> World:
    world = small_world(CONTENT, chunk_bytes=65_536)
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    return world


def _one_after_the_other(work: Pass) -> int:
    """How many calls a worker makes that is alone."""
    _, trace = _run_together(work, switching_after(0, MOST_CALLS))
    return sum(worker == 0 for worker, _ in trace)


@pytest.mark.parametrize("work", list(Pass))
def test_two_workers_on_one_chunk_end_as_one_does_in_every_order_of_their_calls(work: Pass, clean: World) -> None:
    expected = end_state(clean)
    calls = _one_after_the_other(work)
    assert 5 < calls <= MOST_CALLS

    ends, wrong = Ends(_sound_end), []
    for first, before, between in product(BEGINNERS, range(calls + 1), range(1, calls + 1)):
        world, trace = _run_together(work, switching_after(first, before, between))
        if ends(world) != expected:
            wrong.append(trace)
    assert wrong == []


@pytest.mark.parametrize("work", list(Pass))
def test_two_workers_that_alternate_at_random_end_as_one_does(work: Pass, clean: World) -> None:
    expected, ends = end_state(clean), Ends(_sound_end)
    for seed in range(SEEDS):
        choose = random.Random(seed)
        world, trace = _run_together(work, choose.choice)
        assert ends(world) == expected, f"seed {seed}: {trace}"


def _slow_worker(world: World, seconds_per_look: float) -> None:
    """From here on time runs so fast that a worker has to stop after a few looks at the clock."""
    world.seconds_per_look = seconds_per_look


def test_workers_whose_time_runs_out_in_different_places_count_every_line_once() -> None:
    rows = [
        f"many-{number:04d},consumer,yes,1.00,en,".encode() for number in range(2 * LINES_PER_LOOK_AT_THE_CLOCK + 20)
    ]

    def run(hurried: bool, seed: int) -> World:
        world = small_world(list_of(rows), chunk_bytes=65_536)
        world.publish(event(rows=len(rows)))
        if hurried:
            _slow_worker(world, 5.0)
            choose = random.Random(seed)
            _collide(world, choose.choice)
        world.run_until_quiet()
        return world

    expected = end_state(run(hurried=False, seed=0), whole_ranges=False)
    for seed in range(6):
        world = run(hurried=True, seed=seed)
        receipts = list(world.campaigns.receipts(CampaignId.parse(CAMPAIGN), Pass.APPLY))
        assert len(receipts) > 1
        check_sound(world)
        assert end_state(world, whole_ranges=False) == expected


def _collide(world: World, schedule: Schedule) -> None:
    """Until the campaign is closed, every chunk message is worked by two workers at once."""
    for _ in range(60):
        steps = world.steps()
        grants = [step for step in steps if step.function is Function.GRANT]
        if not grants:
            if not steps:
                return
            world.run(steps[0])
            continue
        message = world.chunk_messages.pop(grants[0].index)
        Interleaving().run([_worker(world, message.body, name) for name in ("one", "two")], schedule)


def _worker(world: World, message: ChunkMessage, name: str) -> Work:
    def work(tap: Tap) -> None:
        try:
            world.grant(message, tap, FrozenCache(), name)
        except TryAgain:  # the other one took all its time: the message comes again
            world.chunks.sent.append(message)

    return work
