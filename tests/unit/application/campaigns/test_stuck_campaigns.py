"""A campaign never stands still for ever: not for its pace, not for a stream record that was given up."""

import pytest

from kulanz.application.campaigns.chunk_run import STOP_LOOK_SECONDS, WAVE_SECONDS, GrantSettings
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, resume
from kulanz.config.environment import WORKERS_MOST, WRITE_RATE_LEAST, WRITE_RATE_MOST
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass, State
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS
from tests.support import yearly_cap
from tests.support.small_campaign import CAMPAIGN, ROWS, event, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_clock import WorldClock
from tests.support.world_steps import CHANGES, Function

CAMPAIGN_ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "a ticket", "7")
FLAT = "kulanz: 1\nid: flat\nversion: 1\ntitle: Flat\npay: 5.00 EUR\n"


def control(world: World) -> ControlPorts:
    return ControlPorts(world.campaigns, world.chunks, world.stores)


@pytest.mark.parametrize("units_per_second", [0.2, 1.0, 4.0, 12.0, 400.0])
@pytest.mark.parametrize("calls_in_flight", [1, 4, 32])
def test_a_worker_keeps_its_pace_and_still_has_time_for_its_receipt(
    units_per_second: float, calls_in_flight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    wait = WorldClock.wait

    def wait_within_life(clock: WorldClock, seconds: float) -> None:
        wait(clock, seconds)
        waited.append(seconds)
        assert clock.seconds_left() > 0, "Lambda would have ended the worker before its receipt"

    monkeypatch.setattr(WorldClock, "wait", wait_within_life)
    world = World(chunk_bytes=1024 * 1024, units_per_second=units_per_second, calls_in_flight=calls_in_flight)
    world.policies.publish("flat", 1, sealed_policy(FLAT))
    rows = 600
    content = b"account_id\n" + b"".join(b"a-%06d\n" % number for number in range(rows))
    version = world.lists.upload("lists/flat.csv", content)
    world.publish(event(key="lists/flat.csv", rows=rows, version_id=version, policy="flat"))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert world.dead_letters == []
    assert sum(waited) >= rows / units_per_second - 1


@pytest.mark.parametrize("write_units", [1, HISTORY_WRITE_UNITS])
@pytest.mark.parametrize("write_rate", [WRITE_RATE_LEAST, 81, 159, 4_000, WRITE_RATE_MOST])
def test_no_worker_that_can_be_deployed_waits_too_long_between_two_looks_at_its_clock(
    write_rate: int, write_units: int
) -> None:
    slowest = GrantSettings(32, write_rate / WORKERS_MOST, 400)

    entries = slowest.entries_per_wave(write_units)
    assert 1 <= entries * write_units <= slowest.units_per_second * WAVE_SECONDS
    assert entries == 1 or entries * write_units <= slowest.units_per_second * STOP_LOOK_SECONDS


@pytest.mark.parametrize("units_per_second", [WRITE_RATE_LEAST / WORKERS_MOST, 3.0, 12.0])
def test_a_worker_that_keeps_histories_keeps_its_pace_and_never_waits_longer_than_a_wave_may_take(
    units_per_second: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(WorldClock, "wait", lambda _, seconds: waited.append(seconds))
    world = yearly_cap.world(chunk_bytes=65_536, units_per_second=units_per_second)
    rows = 40
    content = b"account_id,fee,excluded\n" + b"".join(b"a-%02d,20.00,no\n" % number for number in range(rows))
    world.lists.upload("lists/all.csv", content)
    event_of_many = yearly_cap.incident("in-1", yearly_cap.outage(2))
    event_of_many["detail"]["campaign"]["affected"]["rows"] = rows
    world.publish(event_of_many)
    world.run_until_quiet()

    assert world.campaign("in-1/1").apply.totals.ledger_count() == rows
    assert sum(waited) == pytest.approx(rows * HISTORY_WRITE_UNITS / units_per_second)
    assert max(waited) <= WAVE_SECONDS


def world_whose_last_record_was_given_up() -> World:
    """The plan is complete, and the stream record that would have started apply is gone."""
    world = small_world()
    world.publish(event(rows=ROWS))
    while True:
        found = world.campaigns.campaign(CAMPAIGN_ID)
        if found is not None and found.is_finished(Pass.PLAN) and not world.chunk_messages:
            break
        world.run(next((step for step in world.steps() if step.function is not Function.ADVANCE), world.steps()[0]))
    world.streams[CHANGES].position = len(world.campaigns.changes)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.PLANNING
    return world


def test_resuming_wakes_a_campaign_whose_last_record_was_given_up() -> None:
    world = world_whose_last_record_was_given_up()
    resume(CAMPAIGN_ID, control(world), "its record is in the failure destination", CAUSE, world.now)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_the_same_event_again_wakes_a_campaign_whose_last_record_was_given_up() -> None:
    world = world_whose_last_record_was_given_up()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_a_campaign_flagged_after_it_was_closed_can_be_ended() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    world.publish(event(rows=1, detail_type="Incident Withdrawn", revision=2, campaign=..., source="incidents"))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.FLAGGED
    assert cancel(CAMPAIGN_ID, control(world), "looked at", CAUSE, world.now).state is State.CANCELLED


def test_what_is_written_with_a_history_is_paced_by_all_that_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(WorldClock, "wait", lambda _, seconds: waited.append(seconds))
    world = yearly_cap.world(units_per_second=10.0)
    world.publish(yearly_cap.incident("in-1", yearly_cap.outage(2)))
    world.run_until_quiet()
    rows = len(yearly_cap.FEES) + 1  # one account stands in the list twice, and trying to write it costs as much
    plain = len(world.ledger.all_entries()) - len(world.ledger._histories)
    assert plain < rows
    assert sum(waited) == pytest.approx((plain + HISTORY_WRITE_UNITS * (rows - plain)) / 10, abs=0.1)
