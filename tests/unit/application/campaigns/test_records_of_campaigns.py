"""Opening and controlling a campaign: each field of what is recorded comes from its own source, by its own instant."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.campaigns import open_campaign as module
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
from kulanz.application.campaigns.open_campaign import MustWait, Opening, await_stopped, open_kept_requests
from kulanz.application.ports import KeptRequest, Refused, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, State, StateChange
from kulanz.domain.time import CLOCK_ALLOWANCE
from tests.support.small_campaign import CAMPAIGN, LIST_KEY, NO_LIMITS, ROWS, event, small_world
from tests.support.values import NOW, campaign
from tests.support.world import BUCKET, World

ID = CampaignId.parse(CAMPAIGN)
HAND = Cause("arn:aws:iam::123456789012:user/ops", "by-hand-7", "9")
MOMENT = timedelta(microseconds=1)


def controls(world: World) -> ControlPorts:
    """The world that control touches."""
    return ControlPorts(world.campaigns, world.chunks, world.stores)


def waiting() -> World:
    """A plan that waits."""
    world = small_world(approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def planning() -> World:
    """A plan under way."""
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    return world


def flagged() -> World:
    """A campaign that has granted and was flagged since."""
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    found = world.campaign(CAMPAIGN)
    moved = found.change(State.FLAGGED, "incident_withdrawn: by its source", Cause("x", "y", "z"), world.now)
    world.campaigns.change_state(found, moved)
    return world


MOVES: Mapping[str, tuple[Callable[[], World], Callable[..., Campaign], State, str]] = {
    "pause": (planning, pause, State.PAUSED, "paused_by_hand: why"),
    "cancel": (waiting, cancel, State.CANCELLED, "cancelled_by_hand: why"),
    "cancel of a flagged one": (flagged, cancel, State.CANCELLED, "cancelled_by_hand: why"),
    "settle": (flagged, settle, State.CLOSED, "settled_by_hand: why"),
    "keep": (flagged, keep, State.CLOSED, "kept_by_hand: why"),
}


@pytest.mark.parametrize(("begun", "move", "target", "reason"), MOVES.values(), ids=list(MOVES))
def test_every_word_of_a_person_is_one_change_with_that_persons_reason_cause_and_instant(
    begun: Callable[[], World], move: Callable[..., Campaign], target: State, reason: str
) -> None:
    world = begun()
    before, world.now = list(world.campaigns.log(ID)), world.now + timedelta(hours=3)
    for _ in range(2):
        found = move(ID, controls(world), "why", HAND, world.now)
        assert (found.state, found.state_reason) == (target, reason)
    (change,) = list(world.campaigns.log(ID))[len(before) :]
    assert change == StateChange(len(before) + 1, world.now, before[-1].target, target, reason, HAND)


def test_a_resumed_plan_and_a_resumed_execution_go_back_to_where_each_was() -> None:
    for stopped, back in ((State.PLANNING, State.PLANNING), (State.APPLYING, State.APPLYING)):
        world = small_world()
        world.publish(event(rows=ROWS))
        while (found := world.campaigns.campaign(ID)) is None or found.state is not stopped:
            world.run(world.steps()[0])
        pause(ID, controls(world), "wait", HAND, world.now)
        assert resume(ID, controls(world), "go on", HAND, world.now).state is back
        assert list(world.campaigns.log(ID))[-1].reason == "resumed_by_hand: go on"


@pytest.mark.parametrize(("before", "is_over"), [(MOMENT, False), (timedelta(0), True)])
def test_a_paused_campaign_is_resumed_until_its_incident_may_not_be_decided_any_more(
    before: timedelta, *, is_over: bool
) -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    pause(ID, controls(world), "wait", HAND, world.now)
    now = world.campaign(CAMPAIGN).decidable_until - before
    if is_over:
        with pytest.raises(ControlRefused, match="older than it may be decided"):
            resume(ID, controls(world), "go on", HAND, now)
    else:
        assert resume(ID, controls(world), "go on", HAND, now).state is State.APPLYING


def test_nothing_goes_on_while_a_void_takes_back() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    pause(ID, controls(world), "wait", HAND, world.now)
    record = world.campaigns.incident(ID.incident_id)
    assert record is not None
    world.campaigns.move_incident(record, replace(record, version=record.version + 1, voiding=f"{CAMPAIGN}/wrong"))
    with pytest.raises(ControlRefused, match=f"the void {CAMPAIGN}/wrong is under way"):
        resume(ID, controls(world), "go on", HAND, world.now)
    assert world.campaign(CAMPAIGN).state is State.PAUSED


class Stopped:
    """Campaigns of one incident that left their executions at some instants."""

    def __init__(self, left: Mapping[int, list[timedelta]]) -> None:
        self.left = left

    def campaign(self, of: CampaignId) -> Campaign:
        return replace(campaign(of), state=State.CANCELLED)

    def log(self, of: CampaignId) -> list[StateChange]:
        apart = [(State.PLANNING, NOW + timedelta(days=9)), *((State.APPLYING, NOW + at) for at in self.left[of.seq])]
        return [StateChange(2, at, source, State.PAUSED, "x", HAND) for source, at in [*apart, apart[0]]]


@pytest.mark.parametrize("minutes", [[1, 7, 3], [7, 1], [3, 7], [7]])
def test_workers_may_write_until_the_last_way_out_of_the_execution_whatever_stands_behind_it(
    minutes: list[int],
) -> None:
    stopped = Stopped({1: [timedelta(minutes=one) for one in minutes]})
    until = NOW + timedelta(minutes=7) + WORKER_LONGEST + CLOCK_ALLOWANCE
    assert may_write_until(stopped.campaign(CampaignId("i", 1)), cast("Any", stopped)) == until
    assert may_write_until(campaign(), cast("Any", Stopped({1: []}))) is None


def test_the_next_campaign_waits_for_the_workers_of_all_earlier_ones_and_names_the_last() -> None:
    stopped = Stopped({1: [timedelta(minutes=2)], 2: [timedelta(minutes=9)], 3: [timedelta(minutes=4)], 4: []})
    record = cast("Any", SimpleNamespace(incident_id="i", applied=(1, 2, 3, 4)))
    until = NOW + timedelta(minutes=9) + WORKER_LONGEST + CLOCK_ALLOWANCE
    for now in (NOW, until - MOMENT):
        with pytest.raises(MustWait) as wait:
            await_stopped(record, cast("Any", stopped), now)
        assert (wait.value.until, wait.value.stopped, wait.value.void) == (until, CampaignId("i", 2), "")
    await_stopped(record, cast("Any", stopped), until)


def test_a_campaign_has_each_part_of_its_request_where_it_belongs() -> None:
    world = small_world(approvers=(), decidable_days=123)
    limits = {**NO_LIMITS, "held": "77 %", "rejected": "88 %"}
    request = {
        "policy": {"id": "net-credit", "version": 1},
        "affected": {"s3": {"bucket": BUCKET, "key": LIST_KEY}, "rows": ROWS},
        "limits": limits,
        "ignored_columns": ["note"],
        "same_outage_as": ["net-outage-as-told"],
    }
    told = event(rows=ROWS, revision=1, campaign={**request, "affected": {**cast("Any", request["affected"])}})
    told["detail"]["campaign"]["affected"]["s3"]["version_id"] = world.lists.newest(LIST_KEY)
    world.publish(told)
    world.run(world.steps()[0])
    found, record = world.campaign(CAMPAIGN), world.campaigns.incident(ID.incident_id)
    assert record is not None
    assert (found.rows_announced, found.ignored_columns, found.same_outage_as) == (
        ROWS, ("note",), ("net-outage-as-told",),
    )  # fmt: skip
    assert (found.opened_by, found.incident_revision, found.policy_id, found.policy_version) == (
        "billing", 1, "net-credit", 1,
    )  # fmt: skip
    assert (found.decided_at, found.decidable_until) == (world.now, record.decidable_until)
    assert found.decidable_until - found.decided_at == timedelta(days=123)
    assert {name: found.limits.stated[name] for name in limits} == dict.fromkeys(limits, "request")
    (opened,) = world.campaigns.log(ID)
    assert (opened.at, opened.source, opened.target, opened.reason) == (world.now, None, State.PLANNING, "requested")


def test_a_refused_event_says_of_itself_what_it_may_and_each_under_its_name() -> None:
    world = small_world()
    long = "s" * 250
    world.publish({**event(rows=ROWS), "source": long, "detail-type": "Incident Declared"})
    world.run(world.steps()[0])
    (told,) = world.rejected.sent
    assert (told.reason, told.field) == ("source_unknown", "source")
    assert (told.source, told.detail_type) == (long[:200], "Incident Declared")
    assert (told.incident_id, told.received_at) == (ID.incident_id, world.now)
    filed = json.loads(world.archive.documents[told.event_key])
    assert (filed["source"], filed["detail"]["incident_id"]) == (long, ID.incident_id)


@pytest.mark.parametrize("stopping", [TryAgain("busy"), Refused("busy")], ids=["to try again", "refused"])
def test_each_kept_request_is_tried_from_its_instant_on_and_none_keeps_another_from_it(
    monkeypatch: pytest.MonkeyPatch, stopping: Exception
) -> None:
    outcomes: Mapping[str, Opening | Exception] = {
        "opened": Opening.OPENED,
        "busy": stopping,
        "kept": Opening.KEPT,
        "rejected": Opening.REJECTED,
        "late": Opening.OPENED,
    }
    opens = dict.fromkeys(outcomes, NOW) | {"late": NOW + MOMENT}
    kept = [KeptRequest(name, name, at, ID, json.dumps({"id": name})) for name, at in opens.items()]
    forgotten: list[str] = []
    campaigns = SimpleNamespace(
        kept_requests=lambda: iter(kept), forget_request=lambda one: forgotten.append(one.incident_id)
    )

    def opened(told: Mapping[str, Any], *_: object) -> Opening:
        found = outcomes[told["id"]]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(module, "open_campaign", opened)
    ports = cast("Any", SimpleNamespace(campaigns=campaigns))
    with pytest.raises(type(stopping), match="busy"):
        open_kept_requests(ports, cast("Any", None), HAND, NOW)
    assert forgotten == ["opened", "rejected"]
    kept = [one for one in kept if one.incident_id != "busy"]
    assert open_kept_requests(ports, cast("Any", None), HAND, NOW) == [Opening.OPENED, Opening.KEPT, Opening.REJECTED]
