"""While the stack is halted nothing is given; when two persons have lifted that, everything goes on from there."""

import random
from contextlib import suppress
from itertools import product
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, ControlRefused, cancel, pause, resume
from kulanz.application.campaigns.halt_stack import HaltPorts, change_halt
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ports import AtTheGate, Outdated, Start, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.gate.approval import ApprovalRefused
from kulanz.domain.halt import HaltAction, Verb
from tests.support.effort import seeds_tried
from tests.support.end_state import check_sound
from tests.support.faults import Fault, Killed, fault_at, no_faults, tapped
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.world import REVISIONS, Function, World

ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "an action", "1")


def act(world: World, verb: Verb, person: str, number: int = 1) -> None:
    ports = HaltPorts(world.campaigns, world.index)
    change_halt(HaltAction(f"{verb}-{person}-{number}", verb, person, "something is wrong", world.now), ports)


def lift(world: World, number: int = 1) -> None:
    for person in ("anna", "bert"):
        act(world, Verb.LIFT, person, number)


def until(world: World, state: State) -> World:
    while (found := world.campaigns.campaign(ID)) is None or found.state is not state:
        world.run(world.steps()[0])
    return world


def world_that_applies() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    return until(world, State.APPLYING)


def published_again(world: World) -> None:
    """Every notice once more, as `kulanz notices rebuild` publishes those that the halt kept."""
    world.repeat_streams()
    world.run_until_quiet()


def test_a_halt_before_the_execution_lets_the_plan_end_and_nothing_begin() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    act(world, Verb.SET, "anna")
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    assert (campaign.state, campaign.is_finished(Pass.PLAN)) == (State.AWAITING_APPROVAL, True)
    with pytest.raises(ApprovalRefused, match="halted"):
        world.approve(campaign.id, world.approvers[0])
    lift(world)
    world.watch()
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_a_halt_in_the_midst_stops_every_worker_and_its_lifting_sends_the_rest() -> None:
    world = world_that_applies()
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    act(world, Verb.SET, "anna")
    written = len(world.ledger.inserted)
    world.run_until_quiet()
    assert len(world.ledger.inserted) == written
    assert world.campaign(CAMPAIGN).state is State.APPLYING
    assert world.watch().failed == ()
    world.run_until_quiet()
    assert len(world.ledger.inserted) == written, "the watch sends nothing either"
    act(world, Verb.LIFT, "anna")
    world.run_until_quiet()
    assert len(world.ledger.inserted) == written, "one person does not lift it"
    act(world, Verb.LIFT, "bert")
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    published_again(world)
    check_sound(world)


def test_a_worker_in_the_midst_of_a_chunk_stops_within_two_seconds_of_a_halt() -> None:
    world = small_world(b"account_id,segment,affected,fee,language,note\n" + b"".join(
        b"many-%05d,consumer,yes,1.00,en,\n" % number for number in range(20_000)
    ), chunk_bytes=1024 * 1024, calls_in_flight=4)  # fmt: skip
    world.publish(event(rows=20_000))
    until(world, State.APPLYING)
    before: list[int] = []

    def halt(_: int, name: str) -> None:
        if name == "ledger.insert" and world.ledger.inserted and not before:
            before.append(len(world.ledger.inserted))
            act(world, Verb.SET, "anna")

    world.tap.choose = halt
    world.run_until_quiet()
    assert 0 < len(world.ledger.inserted) - before[0] <= 5_000
    lift(world)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert len(world.ledger.inserted) == 20_000


@pytest.mark.parametrize("verb", [pause, cancel])
def test_stopping_goes_on_while_the_stack_is_halted(verb: Any) -> None:
    world = world_that_applies()
    act(world, Verb.SET, "anna")
    verb(ID, ControlPorts(world.campaigns, world.chunks), "so", CAUSE, world.now)
    assert world.campaign(CAMPAIGN).state in (State.PAUSED, State.CANCELLED)


def test_no_execution_goes_on_by_hand_while_the_stack_is_halted() -> None:
    world, ports = world_that_applies(), None
    ports = ControlPorts(world.campaigns, world.chunks)
    pause(ID, ports, "so", CAUSE, world.now)
    act(world, Verb.SET, "anna")
    with pytest.raises(ControlRefused, match="halted"):
        resume(ID, ports, "so", CAUSE, world.now)
    paused = world.campaign(CAMPAIGN)
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    change, gate = paused.change(State.APPLYING, "past the check", CAUSE, world.now), AtTheGate(start=Start(record))
    with pytest.raises(Outdated):
        world.campaigns.change_state(paused, change, gate)
    lift(world)
    resume(ID, ports, "so", CAUSE, world.now)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_no_offer_is_accepted_while_the_stack_is_halted() -> None:
    world = world_that_applies()
    world.run_until_quiet()
    act(world, Verb.SET, "anna")
    ports = AcceptPorts(world.ledger, world.campaigns, world.offers)
    with pytest.raises(OfferRefused) as refused:
        accept_offer("granted-1", INCIDENT_ID, ports, "support", world.now)
    assert refused.value.reason == "halted"


def test_notices_are_kept_and_wait_for_a_person_until_they_are_published() -> None:
    world = world_that_applies()
    while world.campaign(CAMPAIGN).state is State.APPLYING:
        world.run(next(step for step in world.steps() if step.function is not Function.PUBLISH))
    published = len(world.topic.published)
    act(world, Verb.SET, "anna")
    world.run_until_quiet()
    assert len(world.topic.published) == published
    world.streams[REVISIONS].position = 0
    world.run_until_quiet()
    assert [(one.kind, one.on) for one in world.troubles.troubles()] == [
        (TroubleKind.NOTICES, CAMPAIGN),
        (TroubleKind.STATUS, INCIDENT_ID),
    ]
    lift(world)
    published_again(world)
    check_sound(world)
    assert len(world.topic.published) > published


def test_halts_at_random_moments_change_nothing_in_the_end() -> None:
    calm = world_that_applies()
    calm.run_until_quiet()
    decisions = len(calm.ledger.inserted)
    for seed in range(seeds_tried(40)):
        choose = random.Random(seed)
        world = small_world()
        world.publish(event(rows=ROWS))
        for number in range(4):
            for _ in range(choose.randrange(1, 12)):
                if steps := world.steps():
                    world.run(choose.choice(steps))
            act(world, Verb.SET, choose.choice(["anna", "bert"]), number)
            before = len(world.ledger.inserted)
            for _ in range(choose.randrange(12)):
                if steps := world.steps():
                    world.run(choose.choice(steps))
            assert len(world.ledger.inserted) == before, f"seed {seed}"
            lift(world, number)
        world.watch()
        world.run_until_quiet(choose.choice)
        published_again(world)
        assert world.campaign(CAMPAIGN).state is State.CLOSED, f"seed {seed}"
        assert len(world.ledger.inserted) == decisions, f"seed {seed}"
        check_sound(world)


def halted_world() -> World:
    """A halted world whose campaign has written a part; its chunks were given up, and one person wants it lifted."""
    world = world_that_applies()
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    act(world, Verb.SET, "anna")
    world.run_until_quiet()
    act(world, Verb.LIFT, "anna")
    return world


def lift_with(world: World, choose: Any) -> list[str]:
    """The second person lifts the halt, and one of the calls goes wrong; the calls that were made."""
    world.tap.choose = choose
    world.tap.calls.clear()
    campaigns: Any = tapped(world.campaigns, "campaigns", world.tap)
    action = HaltAction("lift-2", Verb.LIFT, "bert", "it is right", world.now)
    with suppress(Killed, TryAgain):
        change_halt(action, HaltPorts(campaigns, world.index))
    calls = list(world.tap.calls)
    world.tap.choose = no_faults
    return calls


def test_whenever_the_lifting_dies_the_watch_sends_what_it_did_not() -> None:
    calls = lift_with(halted_world(), no_faults)
    assert "campaigns.mark_dispatched" in calls
    faults = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.REQUEST_LOST)
    for number, fault in product(range(len(calls)), faults):
        world = halted_world()
        lift_with(world, fault_at(number, fault))
        if world.campaigns.halt().is_on:
            lift_with(world, no_faults)
        world.watch()
        world.run_until_quiet()
        assert world.campaign(CAMPAIGN).state is State.CLOSED, f"{calls[number]} {fault}"
        published_again(world)
        check_sound(world)
