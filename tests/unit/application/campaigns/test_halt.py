"""While the stack is halted nothing is given; when two persons have lifted that, everything goes on from there."""

import random
from contextlib import suppress
from itertools import product
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, ControlRefused, cancel, pause, resume
from kulanz.application.campaigns.halt_stack import HaltPorts, change_halt
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ports import AtTheGate, ChunkMessage, Outdated, Refused, Start, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, Pass, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.gate.approval import ApprovalRefused
from kulanz.domain.halt import HaltAction, HaltRefused, Verb
from kulanz.domain.people.caller import Person, PersonNeeded, caller_with
from kulanz.domain.people.people import people_json
from tests.support.effort import seeds_tried
from tests.support.end_state import check_sound
from tests.support.fake_people import FakePeople
from tests.support.faults import Fault, Killed, fault_at, no_faults, tapped
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_steps import REVISIONS, Function

ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "an action", "1")


def act(world: World, verb: Verb, person: str, number: int = 1, *, people: Any = None, alone: bool = False) -> None:
    """`person` is a name of a user of Identity Center, or an id."""
    caller = caller_with(person if ":" in person else f"sso:{person}")
    ports = HaltPorts(world.campaigns, world.index, people or FakePeople(), alone)
    change_halt(
        HaltAction(f"{verb}-{person}-{number}", verb, caller.id, "something is wrong", world.now), caller, ports
    )


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


def test_a_halt_changes_nothing_in_how_a_plan_is_worked() -> None:
    def receipts(*, halted: bool) -> list[tuple[int, int]]:
        world = small_world(seconds_per_look=1.5)
        world.publish(event(rows=ROWS))
        if halted:
            act(world, Verb.SET, "anna")
        until(world, State.AWAITING_APPROVAL)
        return [(one.start, one.end) for one in world.campaigns.receipts(ID, Pass.PLAN)]

    assert receipts(halted=True) == receipts(halted=False)


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


@pytest.mark.parametrize("sent", [0, 2])
def test_workers_note_once_that_the_chunks_are_to_be_sent_again_after_a_halt(sent: int) -> None:
    """Each note changes the campaign's record and wakes a function: with one for each chunk, 20,000 of them."""
    world = world_that_applies()
    campaign = world.campaign(CAMPAIGN)
    world.campaigns.mark_dispatched(campaign, Pass.APPLY, sent)
    act(world, Verb.SET, "anna")
    noted = list[int]()
    mark = world.campaigns.mark_dispatched

    def count(of: Campaign, work: Pass, number: int) -> None:
        noted.append(number)
        mark(of, work, number)

    world.campaigns.mark_dispatched = count  # type: ignore[assignment]
    for _ in range(3):
        world.chunks.sent.append(ChunkMessage(campaign.id, Pass.APPLY, 0))
        world.run(next(step for step in world.steps() if step.function is Function.GRANT))
    assert noted == [0] * (sent > 0)


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
    verb(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "so", CAUSE, world.now)
    assert world.campaign(CAMPAIGN).state in (State.PAUSED, State.CANCELLED)


def test_no_execution_goes_on_by_hand_while_the_stack_is_halted() -> None:
    world, ports = world_that_applies(), None
    ports = ControlPorts(world.campaigns, world.chunks, world.stores)
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
    ports = AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers)
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
    bert = Person("sso:bert")
    action = HaltAction("lift-2", Verb.LIFT, bert.id, "it is right", world.now)
    with suppress(Killed, TryAgain):
        change_halt(action, bert, HaltPorts(campaigns, world.index, FakePeople()))
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


IAM_ANNA, IAM_BERT = (f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "bert"))
LISTED = {"anna": {"ids": [IAM_ANNA, "sso:anna"]}, "bert": {"ids": [IAM_BERT]}}
ANNA_HAS_LEFT = {**LISTED, "anna": {**LISTED["anna"], "left": "2020-01-01"}}


def listing(persons: dict[str, Any]) -> FakePeople:
    people = FakePeople()
    people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))
    return people


@pytest.mark.parametrize(
    ("persons", "lifts", "is_on"),
    [
        (LISTED, [IAM_ANNA, "sso:anna"], True),  # one human under two ids
        (LISTED, [IAM_ANNA, IAM_BERT], False),
        (LISTED, ["sso:anna", IAM_BERT], False),
        (LISTED, [IAM_BERT, "sso:carla"], True),  # nothing says that these are two
        (None, [IAM_ANNA, "sso:bert"], True),  # and here neither
        (None, [IAM_ANNA, IAM_BERT], False),
        (ANNA_HAS_LEFT, [IAM_ANNA, IAM_BERT], True),
        (ANNA_HAS_LEFT, [IAM_BERT, "sso:anna"], True),
    ],
)
def test_two_persons_by_the_people_file_lift_it(persons: dict[str, Any] | None, lifts: list[str], is_on: bool) -> None:
    world, people = small_world(), FakePeople() if persons is None else listing(persons)
    act(world, Verb.SET, "role:arn:aws:sts::123456789012:assumed-role/watch/one")
    for person in lifts:
        with suppress(HaltRefused, PersonNeeded):
            act(world, Verb.LIFT, person, people=people)
    assert world.campaigns.halt().is_on is is_on


@pytest.mark.parametrize("alone", [False, True])
def test_who_has_left_and_a_machine_lift_nothing(alone: bool) -> None:
    world = small_world()
    act(world, Verb.SET, "anna")
    with pytest.raises(HaltRefused, match="has left"):
        act(world, Verb.LIFT, IAM_ANNA, people=listing(ANNA_HAS_LEFT), alone=alone)
    with pytest.raises(PersonNeeded, match="act as an IAM user"):
        act(world, Verb.LIFT, "role:arn:aws:sts::123456789012:assumed-role/deploy/bert", alone=alone)
    assert world.campaigns.halt().lifts == ()


def test_a_lone_operator_lifts_it_alone_also_one_who_wanted_to_before() -> None:
    world = small_world()
    for number, lifts_before in enumerate([(), ("anna",)]):
        act(world, Verb.SET, "anna", number)
        for person in lifts_before:
            act(world, Verb.LIFT, person, 10 + number)
        assert world.campaigns.halt().is_on
        act(world, Verb.LIFT, "anna", 20 + number, alone=True)
        assert not world.campaigns.halt().is_on


class Unreadable(FakePeople):
    """A people file that is none."""

    def current(self) -> Any:
        raise Refused("people file, version 1: expected JSON")


def test_a_people_file_that_cannot_be_read_prevents_a_lift_and_no_halt() -> None:
    world = small_world()
    act(world, Verb.SET, "anna", people=Unreadable())
    with pytest.raises(Refused):
        act(world, Verb.LIFT, "anna", people=Unreadable(), alone=True)
    assert world.campaigns.halt().is_on
