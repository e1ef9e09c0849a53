"""The watch over open campaigns: what a stream or a queue forgot goes on by itself, or waits for a person."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, pause, resume
from kulanz.application.campaigns.watch_open import SECONDS_FOR_ONE, WatchPorts, note_rung, watch_open
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass, State
from kulanz.domain.campaigns.trouble import GLASS_SHOWN_FOR, STALLED_AFTER, TroubleKind
from tests.support.faults import Fault, no_faults
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import ANNA, WATCH_INTERVAL, World

POLICY = """
kulanz: 1
id: p
version: 1
title: The fee
currency: EUR
facts: {fee: money}
pay: fee
notice:
  texts:
    granted:
      en: {subject: Your credit, text: "{{ amount }}"}
"""
FIRST = CampaignId(INCIDENT_ID, 1)
ROWS = 40


@pytest.fixture
def world() -> World:
    """A campaign that was requested, before anything happened."""
    found = World()
    found.policies.publish("p", 1, sealed_policy(POLICY))
    found.lists.upload("lists/1.csv", ("account_id,fee\n" + "".join(f"a-{n},10.00\n" for n in range(ROWS))).encode())
    found.publish(event(key="lists/1.csv", rows=ROWS, policy="p"))
    return found


def failing(world: World, *calls: str) -> None:
    """From now on these calls of ports fail, until `fixed`."""
    world.tap.choose = lambda _, name: Fault.REQUEST_LOST if name in calls else None


def fixed(world: World) -> None:
    world.tap.choose = no_faults


def troubles(world: World) -> list[tuple[TroubleKind, str]]:
    return [(one.kind, one.on) for one in world.troubles.troubles()]


def state(world: World) -> State:
    return world.campaign(str(FIRST)).state


def until(world: World, is_so: Callable[[], bool]) -> None:
    while not is_so():
        world.run(world.steps()[0])


def test_where_nothing_is_wrong_the_watch_finds_nothing(world: World) -> None:
    world.run_until_quiet()
    assert state(world) is State.CLOSED

    found = world.watch()

    assert (found.looked_at, found.waiting, found.failed, found.is_whole) == (0, 0, (), True)
    assert world.steps() == []


@pytest.mark.parametrize(
    "lost", ["campaigns.receipts", "campaigns.change_state", "chunks.send", "archive.put", "announcer.announce"]
)
def test_a_campaign_whose_stream_records_were_given_up_goes_on(world: World, lost: str) -> None:
    """Whatever it was that failed while they came: its plan, its execution, its report or the event of its end."""
    until(world, lambda: bool(world.campaigns.all_campaigns()))
    failing(world, lost)
    world.run_until_quiet()
    fixed(world)
    world.run_until_quiet()
    assert world.given_up.batches, "nothing was given up"
    assert [one.detail_type for one in world.announcer.after_the_gate] == []

    for _ in range(6):
        world.watch()
        world.run_until_quiet()

    assert state(world) is State.CLOSED
    assert [one.detail_type for one in world.announcer.after_the_gate] == ["Campaign Closed"]
    assert world.campaigns.waiting() == []
    assert world.index.open_campaigns() == []


def test_a_campaign_that_cannot_be_moved_on_waits_for_a_person_while_that_lasts(world: World) -> None:
    failing(world, "campaigns.receipts")
    world.run_until_quiet()

    once = world.watch()
    assert [campaign_id for campaign_id, _ in once.failed] == [FIRST]
    assert once.waiting == 0, "a throttle of a moment is over when it is looked for again"
    again = world.watch()
    assert again.waiting == 1
    assert world.campaigns.waiting() == [FIRST]

    fixed(world)
    assert world.watch().waiting == 0
    world.run_until_quiet()
    world.watch()
    assert troubles(world) == []


def test_notices_that_were_given_up_wait_for_a_person_until_they_are_published(world: World) -> None:
    failing(world, "topic.publish")
    world.run_until_quiet()
    fixed(world)

    for _ in range(3):
        assert world.watch().waiting == 2
        assert troubles(world) == [(TroubleKind.NOTICES, str(FIRST)), (TroubleKind.STATUS, INCIDENT_ID)]
        assert world.campaigns.waiting() == [FIRST]

    world.now += timedelta(seconds=1)
    world.troubles.repaired(TroubleKind.NOTICES, str(FIRST), world.now)
    world.troubles.repaired(TroubleKind.STATUS, INCIDENT_ID, world.now)
    assert world.watch().waiting == 0
    assert world.campaigns.waiting() == []


def test_a_campaign_whose_chunks_were_lost_is_stalled_after_an_hour_and_goes_on_when_they_are_sent(
    world: World,
) -> None:
    until(world, lambda: bool(world.chunk_messages))
    world.chunk_messages.clear()
    world.run_until_quiet()
    for number in range(STALLED_AFTER // WATCH_INTERVAL):
        assert world.watch().waiting == 0, number
    assert world.watch().waiting == 1
    assert troubles(world) == [(TroubleKind.STALLED, str(FIRST))]

    resume(
        FIRST,
        ControlPorts(world.campaigns, world.chunks, world.stores),
        "sent again",
        Cause("anna", "1", "0"),
        world.now,
    )
    world.run_until_quiet()
    assert state(world) is State.CLOSED
    assert world.watch().waiting == 0
    assert troubles(world) == []


def test_a_campaign_that_a_person_paused_waits_and_is_no_trouble(world: World) -> None:
    until(world, lambda: world.campaigns.campaign(FIRST) is not None)
    pause(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "look", Cause("anna", "1", "0"), world.now)
    world.run_until_quiet()

    for _ in range(20):
        assert world.watch().waiting == 1
    assert troubles(world) == []


def test_an_object_that_is_no_batch_waits_until_it_is_deleted(world: World) -> None:
    world.given_up.batches["aws/lambda/x"] = None
    for _ in range(2):
        assert world.watch().waiting == 1
    assert troubles(world) == [(TroubleKind.UNREADABLE, "aws/lambda/x")]
    del world.given_up.batches["aws/lambda/x"]
    assert world.watch().waiting == 0


def two_campaigns(world: World) -> None:
    """Another incident, with hours of its own."""
    hours = [{"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T11:00:00Z"}]
    world.publish(event(key="lists/1.csv", rows=ROWS, policy="p", incident_id="another", windows=hours))


def test_one_campaign_in_trouble_keeps_no_other_from_going_on(world: World) -> None:
    two_campaigns(world)
    failing(world, "campaigns.receipts")
    world.run_until_quiet()
    world.given_up.batches.clear()
    counted = iter(range(1_000))
    world.tap.choose = lambda _, name: (
        Fault.REQUEST_LOST if name == "campaigns.receipts" and next(counted) == 0 else None
    )

    found = world.watch()

    assert found.looked_at == 2
    (stuck,) = (campaign_id for campaign_id, _ in found.failed)
    (other,) = (one for one in world.campaigns.all_campaigns() if one != stuck)
    assert world.campaign(str(stuck)).state is State.PLANNING
    assert world.campaign(str(other)).is_finished(Pass.PLAN)
    assert world.campaign(str(other)).state is not State.PLANNING


def test_what_there_was_no_time_for_is_looked_at_first_the_next_time(world: World) -> None:
    two_campaigns(world)
    until(world, lambda: len(world.campaigns.all_campaigns()) == 2)

    def watched() -> list[str]:
        left = iter([SECONDS_FOR_ONE])
        world.now += WATCH_INTERVAL
        ports = WatchPorts(world._advance_ports(), world.index, world.troubles, world.given_up, world.table_policies)
        found = watch_open(ports, Cause("watch", "1", "0"), world.now, lambda: next(left, 0.0))
        assert not found.is_whole
        return [str(one.id) for one in world.index.open_campaigns() if one.seen_at == world.now]

    first, second = watched(), watched()
    assert (len(first), len(second)) == (1, 1)
    assert first != second


def test_a_campaign_that_has_stopped_waits_for_a_person_also_where_no_watch_came_to_it_yet(world: World) -> None:
    """The alarm counts it at once, however much else there is to look at."""
    until(world, lambda: len(world.campaigns.all_campaigns()) == 1)
    pause(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong", Cause("a", "b", "c"), world.now)
    ports = WatchPorts(world._advance_ports(), world.index, world.troubles, world.given_up, world.table_policies)
    found = watch_open(ports, Cause("watch", "1", "0"), world.now, lambda: SECONDS_FOR_ONE - 0.001)
    assert (found.looked_at, found.is_whole, found.waiting) == (0, False, 1)
    assert [one.seen_at for one in world.index.open_campaigns()] == [None]


def test_a_table_that_somebody_opened_waits_for_a_person_until_it_is_closed(world: World) -> None:
    world.table_policies.opened.append("CreditsTable")
    for _ in range(2):
        assert world.watch().waiting == 1
    assert troubles(world) == [(TroubleKind.OPEN_TABLE, "CreditsTable")]
    assert world.campaigns.waiting() == [], "it is no campaign"
    world.table_policies.opened.clear()
    assert world.watch().waiting == 0


def test_that_one_person_alone_approved_is_seen_for_thirty_days_and_its_alarm_rings_once(world: World) -> None:
    world.approvers = ()
    world.run_until_quiet()
    world.approve(FIRST, ANNA, break_glass="nobody else is awake")
    approved_at = world.now
    world.run_until_quiet()
    assert world.watch().to_ring == world.watch().to_ring == (str(FIRST),), "until somebody says that it rang"
    note_rung((str(FIRST),), world.troubles, world.now)
    seen = world.watch()
    assert (seen.to_ring, seen.waiting) == ((), 0)
    world.now = approved_at + GLASS_SHOWN_FOR - WATCH_INTERVAL - timedelta(microseconds=1)
    world.watch()
    assert troubles(world) == [(TroubleKind.GLASS_BROKEN, str(FIRST))]
    world.now += timedelta(microseconds=1) - WATCH_INTERVAL
    world.watch()
    assert troubles(world) == []


def test_a_broken_glass_is_not_forgotten_before_its_alarm_rang(world: World) -> None:
    world.approvers = ()
    world.run_until_quiet()
    world.approve(FIRST, ANNA, break_glass="nobody else is awake")
    world.run_until_quiet()
    world.now += 2 * GLASS_SHOWN_FOR
    for _ in range(2):
        assert world.watch().to_ring == (str(FIRST),)
    note_rung((str(FIRST),), world.troubles, world.now)
    world.watch()
    assert troubles(world) == []


@pytest.mark.parametrize("sends", [True, False])
def test_a_campaign_whose_chunks_are_still_being_sent_is_not_stalled(world: World, sends: bool) -> None:
    until(world, lambda: bool(world.chunk_messages))
    world.chunk_messages.clear()
    world.run_until_quiet()
    kept = world.campaigns._campaigns[FIRST]
    for _ in range(2 * (STALLED_AFTER // WATCH_INTERVAL)):
        if sends:
            plan = kept.campaign.plan
            kept.campaign = replace(kept.campaign, plan=replace(plan, sent=plan.sent + 1))
        world.watch()
    assert troubles(world) == ([] if sends else [(TroubleKind.STALLED, str(FIRST))])
