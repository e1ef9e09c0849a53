"""Another campaign of an incident opens only when no worker of an ended one can write, from whatever state it ended."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import (
    WORKER_LONGEST,
    ControlPorts,
    ControlRefused,
    cancel,
    keep,
    may_write_until,
    pause,
    resume,
    settle,
)
from kulanz.application.campaigns.open_campaign import Opening
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.time import CLOCK_ALLOWANCE, MICROSECOND, format_instant
from tests.support.faults import Fault, fault_at, no_faults
from tests.support.reading import read
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import SECONDS_PER_STEP, World
from tests.support.world_stack import WorldStack, run
from tests.support.world_steps import Function, Step

FIRST, SECOND = CampaignId(INCIDENT_ID, 1), CampaignId(INCIDENT_ID, 2)
CAUSE = Cause("a person", "a command", "1")
FEE = "kulanz: 1\nid: {id}\nversion: 1\ntitle: T\ncurrency: EUR\nfacts:\n  fee: money\npay: fee\n"
ROWS = 60

type Act = Callable[[World], None]


def world_that_applies() -> World:
    """A world whose first campaign has begun to write, with most of its chunks left."""
    world = World(chunk_bytes=256)
    for policy in ("p", "q"):
        world.policies.publish(policy, 1, sealed_policy(FEE.format(id=policy)))
    world.lists.upload(
        "lists/1.csv", b"account_id,fee\n" + b"".join(b"a-%d,10.00\n" % number for number in range(ROWS))
    )
    world.publish(event(key="lists/1.csv", rows=ROWS, policy="p"))
    while (found := world.campaigns.campaign(FIRST)) is None or found.state is not State.APPLYING:
        world.run(world.steps()[0])
    return world


def next_event(world: World, told: dict[str, Any]) -> Opening:
    """An event that is the next thing to happen."""
    world.publish(told)
    world.run(Step(Function.OPEN, len(world.events) - 1))
    return world.openings[-1]


def tells(world: World, kind: str) -> None:
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    revision = record.highest_revision + 1
    next_event(
        world, event(rows=1, detail_type=f"Incident {kind}", revision=revision, campaign=..., source="incidents")
    )


def by_hand(act: Callable[..., object]) -> Act:
    return lambda world: void(
        act(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "so", CAUSE, world.now)
    )


def void(_: object) -> None:
    """What an action answers is not of interest here."""


def withdraw(world: World) -> None:
    tells(world, "Withdrawn")


ENDS: dict[str, list[Act]] = {
    "cancelled": [by_hand(cancel)],
    "paused, then cancelled": [by_hand(pause), by_hand(cancel)],
    "paused, resumed and cancelled": [by_hand(pause), by_hand(resume), by_hand(cancel)],
    "withdrawn and settled": [withdraw, by_hand(settle)],
    "withdrawn and cancelled": [withdraw, by_hand(cancel)],
    "withdrawn, settled and withdrawn again": [withdraw, by_hand(settle), withdraw],
    "paused, withdrawn, settled, withdrawn and cancelled": [
        by_hand(pause), withdraw, by_hand(settle), withdraw, by_hand(cancel),
    ],
}  # fmt: skip


def request_again(world: World) -> Opening:
    """The incident is declared again, and another policy is to pay for it."""
    tells(world, "Declared")
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    return next_event(
        world,
        event(
            key="lists/1.csv", rows=ROWS, policy="q", detail_type="Campaign Requested",
            revision=record.highest_revision, **facts,
        ),
    )  # fmt: skip


def paid(world: World) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in world.ledger.all_entries():
        found[entry.key.account_id] = found.get(entry.key.account_id, 0) + int(entry.remaining[0] or 0)
    return found


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("mid_wave", range(1, 4))
def test_nobody_is_paid_twice_however_the_campaign_ended_while_a_worker_was_writing(end: str, mid_wave: int) -> None:
    world, waves, opened = world_that_applies(), [0], list[Opening]()

    def in_the_wave(_: int, name: str) -> None:
        waves[0] += name == "ledger.insert"
        if waves[0] == mid_wave and not opened:
            world.tap.choose = no_faults
            for act in ENDS[end]:
                act(world)
            opened.append(request_again(world))
            world.run_until_quiet()

    world.tap.choose = in_the_wave
    world.run_until_quiet()

    assert opened == [Opening.KEPT]
    assert world.campaigns.campaign(SECOND) is None
    assert world.rejected.sent == []
    (kept,) = world.campaigns.kept_requests()
    world.now = kept.opens_at
    world.run_until_quiet()
    assert world.campaign(str(SECOND)).state is State.CLOSED
    assert list(world.campaigns.kept_requests()) == []
    assert paid(world) == {f"a-{number}": 1_000 for number in range(ROWS)}


@pytest.mark.parametrize("end", ENDS)
def test_a_worker_has_its_whole_life_from_the_last_time_the_execution_was_left(end: str) -> None:
    world, left = world_that_applies(), list[Any]()
    for act in ENDS[end]:
        world.now += timedelta(minutes=7)
        applying = world.campaign(str(FIRST)).state is State.APPLYING
        act(world)
        if applying and world.campaign(str(FIRST)).state is not State.APPLYING:
            left.append(world.campaigns.log(FIRST)[-1].at)
    until = may_write_until(world.campaign(str(FIRST)), world.campaigns)
    assert until == left[-1] + WORKER_LONGEST + CLOCK_ALLOWANCE


def test_a_flagged_campaign_is_kept_from_the_instant_on_at_which_no_worker_can_write() -> None:
    world = world_that_applies()
    withdraw(world)
    until = may_write_until(world.campaign(str(FIRST)), world.campaigns)
    assert until is not None
    world.now = until - MICROSECOND
    with pytest.raises(ControlRefused, match="may write until"):
        by_hand(keep)(world)
    world.now = until
    by_hand(keep)(world)
    assert world.campaign(str(FIRST)).state is State.CLOSED


def kept_world() -> World:
    """A world in which a request waits, and has waited long enough."""
    world = world_that_applies()
    by_hand(cancel)(world)
    assert request_again(world) is Opening.KEPT
    world.run_until_quiet()
    (kept,) = world.campaigns.kept_requests()
    world.now = kept.opens_at
    return world


def test_a_kept_request_is_not_touched_before_it_is_due() -> None:
    """Whatever it would come to by then: an amendment that makes it stale is said when it is due, and not before."""
    world = kept_world()
    tells(world, "Amended")
    (kept,) = world.campaigns.kept_requests()
    openings = list(world.openings)
    for before, touched in ((MICROSECOND, False), (timedelta(0), True)):
        world.now = kept.opens_at - before - timedelta(seconds=SECONDS_PER_STEP)
        world.run(Step(Function.TICK))
        assert world.now == kept.opens_at - before
        assert (world.openings != openings) is touched
        assert (list(world.campaigns.kept_requests()) == []) is touched
        assert (world.rejected.sent != []) is touched


def test_a_person_sees_that_a_request_waits_and_until_when() -> None:
    world = kept_world()
    (kept,) = world.campaigns.kept_requests()
    told = read(run(WorldStack(world), "campaigns", INCIDENT_ID).stdout)
    until = format_instant(kept.opens_at)
    assert f"a request for {INCIDENT_ID} waits for the workers of {FIRST}; it opens after {until}" in told
    assert "waits for the workers" in read(run(WorldStack(world), "campaigns").stdout)
    world.run_until_quiet()
    assert "waits for the workers" not in run(WorldStack(world), "campaigns", INCIDENT_ID).stdout


def test_a_kept_request_survives_every_crash_of_the_tick_and_opens_one_campaign() -> None:
    calls = kept_world()
    before = len(calls.tap.calls)
    calls.run(Step(Function.TICK))
    number = len(calls.tap.calls) - before
    assert number > 5
    faults = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.REQUEST_LOST)
    for at, fault in product(range(number), faults):
        world = kept_world()
        world.tap.choose = fault_at(len(world.tap.calls) + at, fault)
        world.run(Step(Function.TICK))
        world.tap.choose = no_faults
        world.run_until_quiet()
        assert [str(one) for one in world.campaigns.all_campaigns()] == [str(FIRST), str(SECOND)]
        assert world.campaign(str(SECOND)).state is State.CLOSED
        assert list(world.campaigns.kept_requests()) == []
        assert paid(world) == {f"a-{account}": 1_000 for account in range(ROWS)}


def test_a_kept_request_that_may_not_open_any_more_is_refused_with_its_reason() -> None:
    world = kept_world()
    tells(world, "Amended")
    world.run_until_quiet()
    assert [one.reason for one in world.rejected.sent] == ["revision_stale"]
    assert list(world.campaigns.kept_requests()) == []


def test_the_same_request_waits_once_and_is_answered_like_a_repetition_when_it_has_opened() -> None:
    world = world_that_applies()
    by_hand(cancel)(world)
    assert request_again(world) is Opening.KEPT
    told = world.campaigns.revisions(INCIDENT_ID)[-1].number
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    again = event(key="lists/1.csv", rows=ROWS, policy="q", detail_type="Campaign Requested", revision=told, **facts)
    assert next_event(world, again) is Opening.KEPT
    assert len(list(world.campaigns.kept_requests())) == 1
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    world.run_until_quiet()
    assert next_event(world, again) is Opening.REPEATED
