"""An incident that is amended or withdrawn while its campaign writes stops it, whichever of its messages fails."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import Accepted, ControlPorts, ControlRefused, resume
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.people.caller import PersonNeeded, caller_with
from kulanz.domain.people.people import NOBODY_LISTED, People, read_people
from tests.support.faults import Fault, no_faults
from tests.support.small_campaign import INCIDENT_ID, event, meant, sealed_policy
from tests.support.world import World
from tests.support.world_steps import AMENDMENTS, CHANGES, Function, Step

ID = CampaignId(INCIDENT_ID, 1)
ANNA, BERT = (f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "bert"))
ROBOT = "role:arn:aws:sts::123456789012:assumed-role/deploy/bert"
PER_HOUR = "kulanz: 1\nid: p\nversion: 1\ntitle: T\ncurrency: EUR\npay: total(outage) / 1 h * 1.00 EUR\n"
ROWS = 60


def hours(number: int) -> list[dict[str, str]]:
    return [{"start": "2026-02-27T08:00:00Z", "end": f"2026-02-27T{8 + number:02d}:00:00Z"}]


def told(kind: str, revision: int, number: int = 8, **changes: Any) -> dict[str, Any]:
    return event(
        rows=1, detail_type=f"Incident {kind}", revision=revision, campaign=..., windows=hours(number), **changes
    )


def world_that_applies() -> World:
    """A world whose campaign of an eight-hour outage has written a part, and is at work."""
    world = World(chunk_bytes=256)
    world.policies.publish("p", 1, sealed_policy(PER_HOUR))
    world.lists.upload("lists/1.csv", b"account_id\n" + b"".join(b"account-%03d\n" % number for number in range(ROWS)))
    world.publish(event(key="lists/1.csv", rows=ROWS, policy="p", windows=hours(8)))
    while (found := world.campaigns.campaign(ID)) is None or found.state is not State.APPLYING:
        world.run(world.steps()[0])
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    return world


def happens_next(world: World, one: dict[str, Any]) -> None:
    world.publish(one)
    world.run(Step(Function.OPEN, len(world.events) - 1))


def is_paused(world: World) -> bool:
    campaign = world.campaign(str(ID))
    return campaign.state is State.PAUSED and campaign.state_reason.startswith("incident_amended: revision")


def accepted(decides_by: str, actor: str = BERT, people: People = NOBODY_LISTED, **settings: Any) -> Accepted | None:
    return Accepted(decides_by, caller_with(actor), people, **settings) if decides_by else None


def go_on(world: World, actor: str, decides_by: str = "", **accepts: Any) -> State:
    ports, cause = ControlPorts(world.campaigns, world.chunks, world.stores), Cause(actor, "an action", "1")
    return resume(ID, ports, "looked at", cause, world.now, accepted(decides_by, actor, **accepts)).state


def test_an_amendment_pauses_the_execution_at_once() -> None:
    world = world_that_applies()
    written = len(world.ledger.inserted)
    happens_next(world, told("Amended", 2, 2))
    assert is_paused(world)
    world.run_until_quiet()
    assert len(world.ledger.inserted) == written


@pytest.mark.parametrize("change", [{"title": "Other words"}, {}])
def test_words_alone_pause_nothing(change: dict[str, Any]) -> None:
    world = world_that_applies()
    happens_next(world, told("Amended", 2, 8, **change))
    world.run_until_quiet()
    assert world.campaign(str(ID)).state is State.CLOSED


@pytest.mark.parametrize(
    "changed", [{"cause": "storm"}, {"functions": ["voice"]}, {"service": "tv"}, {"facts": {"a": 1}}]
)
def test_each_thing_that_decides_pauses_it(changed: dict[str, Any]) -> None:
    world = world_that_applies()
    happens_next(world, told("Updated", 2, 8, **changed))
    assert is_paused(world)


@pytest.mark.parametrize("reader", [AMENDMENTS, CHANGES])
@pytest.mark.parametrize("kind", ["Amended", "Withdrawn"])
def test_it_is_stopped_although_the_message_failed_and_is_hidden(kind: str, reader: Step) -> None:
    """The message's own stop fails after the revision was recorded, and SQS hides it for minutes."""
    world = world_that_applies()
    reads = [0]

    def lost(_: int, name: str) -> Fault | None:
        reads[0] += name == "campaigns.revision"
        return Fault.REQUEST_LOST if name == "campaigns.revision" and reads[0] else None

    world.tap.choose = lost
    happens_next(world, told(kind, 2, 2))
    world.tap.choose = no_faults
    assert world.campaign(str(ID)).state is State.APPLYING, "the stop failed"
    hidden, world.events = world.events, []
    assert hidden
    written = len(world.ledger.inserted)
    if reader == CHANGES and world.streams[CHANGES].position == len(world.campaigns.changes):
        world.run(next(step for step in world.steps() if step.function is Function.GRANT))
        written = len(world.ledger.inserted)
    world.run(reader)
    world.run_until_quiet()
    expected = State.PAUSED if kind == "Amended" else State.FLAGGED
    assert world.campaign(str(ID)).state is expected
    assert len(world.ledger.inserted) == written
    world.events += hidden
    world.run_until_quiet()
    assert world.campaign(str(ID)).state is expected


def test_going_on_is_for_somebody_else_who_names_what_the_incident_is_now() -> None:
    world = world_that_applies()
    happens_next(world, told("Amended", 2, 2))
    requester = requested_by(world, ANNA)
    now, before = meant(windows=hours(2)), meant(windows=hours(8))
    for actor, digest in [(BERT, ""), (BERT, before), (BERT, "0" * 64), (requester, now)]:
        with pytest.raises(ControlRefused):
            go_on(world, actor, digest)
        assert is_paused(world)
    assert go_on(world, BERT, now) is State.APPLYING
    world.run_until_quiet()
    assert world.campaign(str(ID)).state is State.CLOSED
    assert [change.decides_by for change in world.campaigns.log(ID) if change.decides_by] == [now]


def requested_by(world: World, actor: str) -> str:
    """As if `actor` had requested the campaign through the API."""
    known = world.campaigns._campaigns[ID]
    known.campaign = replace(known.campaign, opened_by=actor)
    return actor


def listing(**persons: dict[str, Any]) -> People:
    return read_people({"kulanz_people": 1, "version": 1, "persons": persons})


ONE_HUMAN = listing(anna={"ids": [ANNA, "sso:anna"]}, bert={"ids": [BERT]})
HAS_LEFT = listing(anna={"ids": [ANNA]}, bert={"ids": [BERT], "left": "2020-01-01"})


@pytest.mark.parametrize(
    ("requester", "actor", "people", "alone", "goes_on"),
    [
        (ANNA, BERT, NOBODY_LISTED, False, True),
        (ANNA, ANNA, NOBODY_LISTED, False, False),
        (ANNA, ANNA, NOBODY_LISTED, True, True),
        (ANNA, "sso:anna", ONE_HUMAN, False, False),  # the requester under another id
        (ANNA, "sso:anna", ONE_HUMAN, True, True),
        (ANNA, "sso:bert", NOBODY_LISTED, False, False),  # nothing says that these are two
        (ANNA, BERT, ONE_HUMAN, False, True),
        (ANNA, BERT, HAS_LEFT, False, False),
        (ANNA, BERT, HAS_LEFT, True, False),
        ("billing", BERT, NOBODY_LISTED, False, True),  # no person requested it
        ("billing", ROBOT, NOBODY_LISTED, False, False),
        (ROBOT, ROBOT, NOBODY_LISTED, True, False),
        (ANNA, ROBOT, NOBODY_LISTED, True, False),
    ],
)
def test_going_on_takes_another_person_by_the_people_file(
    requester: str, actor: str, people: People, alone: bool, goes_on: bool
) -> None:
    world = world_that_applies()
    requested_by(world, requester)
    happens_next(world, told("Amended", 2, 2))
    with suppress(ControlRefused, PersonNeeded):
        go_on(world, actor, meant(windows=hours(2)), people=people, lone_operator=alone)
    assert is_paused(world) is not goes_on


def test_a_machine_that_would_let_it_go_on_hears_that_a_person_is_needed() -> None:
    world = world_that_applies()
    happens_next(world, told("Amended", 2, 2))
    with pytest.raises(PersonNeeded, match="act as an IAM user"):
        go_on(world, ROBOT, meant(windows=hours(2)))


def test_another_amendment_pauses_it_again_and_the_first_digest_is_worth_nothing_any_more() -> None:
    world = world_that_applies()
    happens_next(world, told("Amended", 2, 2))
    go_on(world, BERT, meant(windows=hours(2)))
    happens_next(world, told("Amended", 3, 3))
    assert is_paused(world)
    with pytest.raises(ControlRefused, match="revision 3"):
        go_on(world, BERT, meant(windows=hours(2)))


def test_an_amendment_back_to_what_the_campaign_decides_by_needs_nobody() -> None:
    world = world_that_applies()
    happens_next(world, told("Amended", 2, 2))
    happens_next(world, told("Amended", 3, 8))
    assert go_on(world, world.campaigns.log(ID)[0].cause.actor) is State.APPLYING
    world.run_until_quiet()
    assert world.campaign(str(ID)).state is State.CLOSED


def test_a_withdrawn_incident_does_not_go_on() -> None:
    world = world_that_applies()
    ports = ControlPorts(world.campaigns, world.chunks, world.stores)
    happens_next(world, told("Amended", 2, 2))
    happens_next(world, told("Withdrawn", 3, 2))
    with pytest.raises(ControlRefused):
        resume(ID, ports, "so", Cause(BERT, "x", "1"), world.now, accepted(meant(windows=hours(2))))


def test_an_amendment_that_comes_while_a_person_lets_it_go_on_keeps_it_paused() -> None:
    world = world_that_applies()
    happens_next(world, told("Amended", 2, 2))
    written = len(world.ledger.inserted)

    def amended_first(_: int, name: str) -> None:
        if name == "campaigns.change_state":
            world.tap.choose = no_faults
            happens_next(world, told("Amended", 3, 3))

    world.tap.choose = amended_first
    campaigns: Any = world._port(world.campaigns, "campaigns")
    cause = Cause(BERT, "an action", "1")
    with pytest.raises(ControlRefused, match="revision 3"):
        resume(
            ID,
            ControlPorts(campaigns, world.chunks, world.stores),
            "so",
            cause,
            world.now,
            accepted(meant(windows=hours(2))),
        )
    assert is_paused(world)
    assert len(world.ledger.inserted) == written
