"""Queues and streams deliver at least once, in any order: however they do it, the world comes to the same end."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from kulanz.application.campaigns.advance_campaign import ANNOUNCED
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.ledger.entries import read_decision
from tests.support.effort import seeds_tried
from tests.support.end_state import EndState, check_sound, end_state
from tests.support.faults import HALVABLE, Choose, Fault, Tap
from tests.support.small_campaign import (
    CAMPAIGN,
    INCIDENT_ID,
    LIST_KEY,
    POLICY,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import World
from tests.support.world_steps import CHANGES, Function, Message, Step

LINES = [
    row("granted-1"),
    row("declined-1", affected="no"),
    row("torn-1", fee="20.00"),
    row("torn-1", fee="30.00"),
    *[row(f"filler-{number:02d}", fee=f"{number}.00") for number in range(20)],
    row(""),
    b"",
    row("held-1", segment=""),
    row("granted-1"),
]
ROWS = len(LINES) - 1
CHUNK_BYTES = 8_000
"""Seven chunks; the account that is listed twice with the same facts stands in the first and in the last."""
SEEDS = seeds_tried(120)
SEEDS_OF_TWO = seeds_tried(60)
pytestmark = pytest.mark.storm
WAITS = (ANNOUNCED[State.AWAITING_APPROVAL], CAMPAIGN)
FAULT_RATE = 0.04
FAULTS_MOST = 12


def _world(tap: Tap | None = None) -> World:
    return small_world(list_of(LINES), chunk_bytes=CHUNK_BYTES, tap=tap or Tap())


def _end(world: World) -> EndState:
    check_sound(world)
    assert world.dead_letters == []
    return end_state(world, origins=False)


@pytest.fixture(scope="module")
def expected() -> EndState:
    world = _world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert len(world.campaign(CAMPAIGN).chunks) == 7
    return _end(world)


def _declared(revision: int = 1, **changes: Any) -> dict[str, Any]:
    return event(rows=ROWS, revision=revision, campaign=..., **changes)


def _requested(revision: int = 1) -> dict[str, Any]:
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    return event(rows=ROWS, revision=revision, detail_type="Campaign Requested", **facts)


def test_an_event_published_twice_is_one_campaign(expected: EndState) -> None:
    world = _world()
    for _ in range(2):
        world.publish(event(rows=ROWS))
    world.run_until_quiet()

    assert _end(world) == expected


def test_an_event_published_again_after_the_close_changes_nothing_at_all(expected: EndState) -> None:
    world = _world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    before = (list(world.ledger.inserted), len(world.topic.published), len(world.announcer.announced))

    world.publish(event(rows=ROWS))
    world.run_until_quiet()

    assert (world.ledger.inserted, len(world.topic.published), len(world.announcer.announced)) == before
    assert world.openings[-1] == "repeated"
    assert _end(world) == expected


@pytest.mark.parametrize("moment", range(0, 40, 3))
def test_an_event_published_again_at_any_moment_changes_nothing(moment: int, expected: EndState) -> None:
    world = _world()
    world.publish(event(rows=ROWS))
    for _ in range(moment):
        if steps := world.steps():
            world.run(steps[0])
    world.publish(event(rows=ROWS))
    world.run_until_quiet()

    assert _end(world) == expected


def test_the_same_campaign_requested_apart_from_its_incident_is_decided_alike(expected: EndState) -> None:
    world = _world()
    world.publish(_declared())
    world.publish(_requested())
    world.run_until_quiet()
    found = _end(world)

    assert (found.ledger, found.notices, found.statuses) == (expected.ledger, expected.notices, expected.statuses)
    assert world.campaign(CAMPAIGN).state is State.CLOSED


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_revisions_in_any_order_leave_the_highest_in_force(order: Sequence[int]) -> None:
    tellings = [_declared(number, title=f"Title {number}") for number in (1, 2, 3)]
    world = _world()
    for place in order:
        world.publish(tellings[place])
        world.publish(tellings[place])
    world.run_until_quiet()

    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert record.highest_revision == 3
    assert [revision.number for revision in world.campaigns.revisions(INCIDENT_ID)] == [1, 2, 3]
    assert world.rejected.sent == []
    check_sound(world)


def test_a_campaign_under_an_overtaken_revision_is_refused_and_its_facts_are_kept() -> None:
    world = _world()
    world.publish(_declared(2))
    world.publish(event(rows=ROWS, revision=1))
    world.run_until_quiet()

    (refusal,) = world.rejected.sent
    assert refusal.reason == "revision_stale"
    assert "revision 2 is known" in refusal.message
    assert [revision.number for revision in world.campaigns.revisions(INCIDENT_ID)] == [1, 2]
    assert world.campaigns.campaigns_of(INCIDENT_ID) == []


def test_the_same_revision_with_other_content_is_a_conflict_and_the_first_stays() -> None:
    world = _world()
    world.publish(_declared())
    world.publish(_declared(title="Another title"))
    world.run_until_quiet()

    (refusal,) = world.rejected.sent
    assert refusal.reason == "revision_conflict"
    assert "higher revision" in refusal.message
    (kept,) = world.campaigns.revisions(INCIDENT_ID)
    assert b"Network down" in kept.content


def test_two_requests_at_once_are_two_campaigns_one_after_the_other() -> None:
    world = _world()
    version = world.lists.upload(LIST_KEY, list_of(LINES[:3]))
    world.publish(event(rows=ROWS))
    world.publish(event(rows=3, version_id=version))
    world.run(Step(Function.OPEN, 0))
    world.run(Step(Function.OPEN, 0))

    (refusal,) = world.rejected.sent
    assert refusal.reason == "incident_occupied"
    assert [campaign.id.seq for campaign in world.campaigns.campaigns_of(INCIDENT_ID)] == [1]


@pytest.mark.parametrize("moment", range(0, 60, 6))
def test_streams_repeated_from_their_beginning_change_nothing(moment: int, expected: EndState) -> None:
    world = _world()
    world.publish(event(rows=ROWS))
    for _ in range(moment):
        if steps := world.steps():
            world.run(steps[0])
    world.repeat_streams()
    world.run_until_quiet()
    world.repeat_streams()
    world.run_until_quiet()

    assert _end(world) == expected


def test_chunk_messages_delivered_long_after_the_close_change_nothing(expected: EndState) -> None:
    world = _world()
    world.publish(event(rows=ROWS))
    seen: list[Message[Any]] = []
    while steps := world.steps():
        seen += [Message(message.id, message.body) for message in world.chunk_messages]
        world.run(steps[0])
    writes = len(world.campaigns.changes)

    world.chunk_messages += seen
    world.run_until_quiet()

    assert len(seen) > 12
    assert len(world.campaigns.changes) == writes
    assert _end(world) == expected


# Many schedules: one seed, one order of steps, faults and repetitions


def _faults(choose: random.Random) -> Choose:
    """Any call can go wrong, at a rate, until there were enough faults: then the world must become quiet."""
    struck = 0

    def fault(_: int, name: str) -> Fault | None:
        nonlocal struck
        if struck >= FAULTS_MOST or choose.random() > FAULT_RATE:
            return None
        struck += 1
        kinds = [kind for kind in Fault if kind is not Fault.HALF_DONE or name in HALVABLE]
        return choose.choice(kinds)

    return fault


def _scheduler(choose: random.Random, world: World) -> Callable[[Sequence[Step]], Step]:
    """Any step may be next; now and then a waiting message is delivered twice, or a stream from its beginning."""

    def step(steps: Sequence[Step]) -> Step:
        _check_who_waits_is_announced(world)
        if world.chunk_messages and choose.random() < 0.1:
            twin = choose.choice(world.chunk_messages)
            world.chunk_messages.append(Message(twin.id, twin.body))
        if choose.random() < 0.01:
            world.repeat_streams()
        return choose.choice(steps)

    return step


def _check_who_waits_is_announced(world: World) -> None:
    """Once the changes are read to their last, and no batch of them was given up, every plan that waits is told."""
    if world.streams[CHANGES].position < len(world.campaigns.changes):
        return
    if any(function is Function.ADVANCE for function, _ in world.dead_letters):
        return
    found = world.campaigns.campaigns_of(INCIDENT_ID)
    waiting = {(WAITS[0], str(one.id)) for one in found if one.state is State.AWAITING_APPROVAL}
    assert not waiting or waiting <= _announced(world)


def _announced(world: World) -> frozenset[tuple[str, str]]:
    return end_state(world).announced


def _chaos(seed: int, *, is_told_first: bool = False) -> World:
    """One schedule. People approve as soon as there is a plan; with `is_told_first`, once all is quiet."""
    choose = random.Random(seed)
    world = _world(Tap(_faults(choose)))
    world.redelivered_first = choose.random() < 0.5
    for _ in range(choose.randint(1, 3)):
        world.publish(event(rows=ROWS))
    if is_told_first:
        approvers, world.approvers = world.approvers, ()
        _run_on(world, choose)
        assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
        assert WAITS in _announced(world)
        world.approvers = approvers
    _run_on(world, choose)
    return world


def _run_on(world: World, choose: random.Random) -> None:
    """Until it is quiet and no letter is dead."""
    world.run_until_quiet(_scheduler(choose, world))
    while world.redrive():
        world.run_until_quiet(_scheduler(choose, world))
    _check_who_waits_is_announced(world)


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in range(0, SEEDS, 20)], ids=str)
def test_any_order_with_faults_and_repetitions_comes_to_the_same_end(seeds: range, expected: EndState) -> None:
    struck = 0
    for seed in seeds:
        world = _chaos(seed, is_told_first=True)
        struck += len(world.caught)
        assert _end(world) == expected, f"seed {seed}"
    assert struck > 5 * len(seeds)


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in range(0, SEEDS, 20)], ids=str)
def test_people_who_approve_before_they_could_be_told_change_nothing_else(seeds: range, expected: EndState) -> None:
    """A plan that nobody has to approve any more when the bus is up again is not announced as one that waits."""
    for seed in seeds:
        world = _chaos(seed)
        found = _end(world)
        assert replace(found, announced=found.announced | {WAITS}) == expected, f"seed {seed}"
        failed = any(step.function is Function.ADVANCE for step, _ in world.caught)
        assert WAITS in found.announced or failed, f"seed {seed}"


def test_the_same_seed_is_the_same_run() -> None:
    assert _chaos(7).tap.calls == _chaos(7).tap.calls


# Two campaigns of one incident, the second under a better policy, in any order and with faults

BETTER = sealed_policy(POLICY.replace("version: 1", "version: 2").replace("10% of fee", "25% of fee"))


def _chaos_of_two(seed: int) -> World:
    choose = random.Random(seed)
    world = _world(Tap(_faults(choose)))
    world.redelivered_first = choose.random() < 0.5
    world.policies.publish("net-credit", 2, BETTER)
    first, second = event(rows=ROWS), event(rows=ROWS, revision=2, policy_version=2)
    told = [first, second, *choose.choices([first, second], k=choose.randint(0, 2))]
    choose.shuffle(told)
    for message in told:
        world.publish(message)
    _run_on(world, choose)
    world.publish(second)  # it may have come while the first was at work, and been refused
    _run_on(world, choose)
    return world


@pytest.mark.parametrize("seeds", [range(start, start + 15) for start in range(0, SEEDS_OF_TWO, 15)], ids=str)
def test_what_an_account_is_granted_for_an_incident_never_exceeds_its_highest_entitlement(seeds: range) -> None:
    """Whichever comes first: the better policy alone, or the lesser one and then the difference."""
    campaigns = set()
    for seed in seeds:
        world = _chaos_of_two(seed)
        check_sound(world)
        found = world.campaigns.campaigns_of(INCIDENT_ID)
        campaigns.add(len(found))
        assert [campaign.state for campaign in found] == [State.CLOSED] * len(found), f"seed {seed}"
        assert found[-1].policy_version == 2, f"seed {seed}"
        assert _cents(world, "granted-1") == 748, f"seed {seed}"
        assert _cents(world, "filler-19") == 475, f"seed {seed}"
        assert _cents(world, "declined-1") == 0, f"seed {seed}"
    assert campaigns == {1, 2}


def _cents(world: World, account_id: str) -> int:
    return sum(
        benefit.money.minor
        for entry in world.ledger.of_account(account_id, INCIDENT_ID)
        for benefit in read_decision(entry.body).benefits
        if benefit.money is not None
    )
