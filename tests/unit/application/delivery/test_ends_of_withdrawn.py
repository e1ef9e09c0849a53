"""A withdrawn incident leaves its campaign flagged until a person chooses one of three ends; then it has ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.void import Ends, Share, Void, VoidState
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey, net_worth
from kulanz.domain.time import MICROSECOND
from tests.support.faults import Fault, Tap
from tests.support.small_campaign import CAMPAIGN, ROWS, event, list_of, row, small_world
from tests.support.world import BEN, World
from tests.support.world_deliveries import watched
from tests.support.world_door import BERT, WorldDoor
from tests.support.world_steps import Function
from tests.support.world_voids import approved, run_voids, watched_voids

ACCOUNTS = 60
"""Enough for several chunks, so that a delivery can be stopped midway."""
ID = CampaignId.parse(CAMPAIGN)
DELIVERY = DeliveryId("billing", 1)
OVER_LIST = {"EUR": ACCOUNTS * 500, "call_minute": ACCOUNTS * 20}


def withdrawn(*, midway: bool = False) -> WorldDoor:
    """A campaign that has closed, and whose incident was withdrawn: before its delivery, or in the midst of it."""
    content = list_of([row(f"a-{number}", fee="50.00") for number in range(ACCOUNTS)])
    world = small_world(content, channel=Channel("billing"))
    world.delivers = midway
    world.publish(event(rows=ACCOUNTS))
    if midway:
        while not any(step.function is Function.DELIVER for step in world.steps()):
            world.run(world.steps()[0])
        world.run(next(step for step in world.steps() if step.function is Function.DELIVER))
    else:
        world.run_until_quiet()
    world.publish(event(rows=ACCOUNTS, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run(next(step for step in world.steps() if step.function is Function.OPEN))
    world.delivers = True
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.FLAGGED
    assert world.campaign(CAMPAIGN).state_reason.startswith("incident_withdrawn")
    return WorldDoor(world)


def end(door: WorldDoor, action: str, name: str = "an-end", **more: bool) -> dict[str, object]:
    reply = door.put(f"stops/{CAMPAIGN}/{name}", {"action": action, "reason": "it was no outage", **more}, BERT)
    assert reply.status == 200, reply.content
    go_on(door.world)
    return dict(reply.content)


def go_on(world: World) -> None:
    """What happens next; the watch sends again what a delivery had to leave while its campaign was flagged."""
    for _ in range(3):
        world.run_until_quiet()
        watched(world)
    world.run_until_quiet()


def void_of(world: World, name: str = "an-end") -> Void:
    run_voids(world)
    found = world.voids.void(VoidId(ID, name))
    assert found is not None
    return found


def voided(door: WorldDoor, name: str = "an-end", person: str = BEN) -> Void:
    """The void that an end asked for, approved and done."""
    approved(door.world, void_of(door.world, name), person)
    done = void_of(door.world, name)
    go_on(door.world)
    return done


def net(world: World) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in world.ledger.all_entries():
        for measure, size in net_worth(entry).items():
            found[measure] = found.get(measure, 0) + int(size)
    return {measure: size for measure, size in found.items() if size}


def sent(world: World) -> dict[str, int]:
    """What the delivery sent; empty where none is sent."""
    delivery = world.deliveries.delivery(DELIVERY)
    if delivery is None:
        return {}
    assert delivery.state is DeliveryState.SENT
    return {measure: int(size) for measure, size in delivery.sums.by_measure().items() if size}


def must_have_ended(world: World, state: State, reason: str) -> None:
    campaign = world.campaign(CAMPAIGN)
    assert (campaign.state, campaign.state_reason.partition(":")[0]) == (state, reason)
    assert campaign.id not in world.campaigns.waiting()
    assert campaign.id not in {one.id for one in world.index.open_campaigns()}
    record = world.campaigns.incident(ID.incident_id)
    assert record is not None
    assert (record.open_seq, record.voiding) == (None, "")


@pytest.mark.parametrize("midway", [False, True])
def test_keep_leaves_all_with_the_customers_and_delivers_it(midway: bool) -> None:
    door = withdrawn(midway=midway)
    assert end(door, "keep")["state"] == "closed"
    must_have_ended(door.world, State.CLOSED, "kept_by_hand")
    assert net(door.world) == OVER_LIST == sent(door.world)


@pytest.mark.parametrize(("early", "status"), [(MICROSECOND, 409), (timedelta(0), 200)])
def test_a_campaign_is_kept_from_the_instant_on_at_which_no_worker_can_write(early: timedelta, status: int) -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    while not world.campaigns.finished_chunks(ID, Pass.APPLY):
        world.run(world.steps()[0])
    world.publish(event(rows=ROWS, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run(next(step for step in world.steps() if step.function is Function.OPEN))
    until = may_write_until(world.campaign(CAMPAIGN), world.campaigns)
    assert until is not None
    world.now = until - early
    body = {"action": "keep", "reason": "it was no outage"}
    assert WorldDoor(world).put(f"stops/{CAMPAIGN}/an-end", body, BERT).status == status


@pytest.mark.parametrize("action", ["void_unused", "void_unassigned"])
def test_a_void_ends_the_campaign_and_nothing_of_it_is_delivered(action: str) -> None:
    door = withdrawn()
    assert end(door, action) == {
        "v": 1, "campaign": CAMPAIGN, "state": "flagged", "may_write_until": None, "void": "an-end",
    }  # fmt: skip
    assert door.world.campaign(CAMPAIGN).state is State.FLAGGED, "nobody has approved the void"
    assert voided(door).state is VoidState.VOIDED
    must_have_ended(door.world, State.CANCELLED, "voided_by_hand")
    assert (net(door.world), sent(door.world)) == ({}, {})
    assert door.world.campaigns.log(ID)[-1].cause.actor == BERT.id
    logged = [(entry.actor, entry.action, entry.on, entry.reason) for entry in door.actions.entries]
    assert logged == [(BERT.id, "requested void an-end of", CAMPAIGN, "it was no outage")]


@pytest.mark.parametrize("action", ["void_unused", "void_unassigned"])
def test_a_delivery_that_was_stopped_midway_is_sent_with_what_it_had_assigned_and_the_rest_is_void(action: str) -> None:
    door = withdrawn(midway=True)
    end(door, action)
    done = voided(door)
    must_have_ended(door.world, State.CANCELLED, "voided_by_hand")
    taken = done.apply.totals.by_measure(Share.VOIDED)
    left = done.apply.totals.by_measure(Share.AT_BILLER)
    assert taken
    assert left
    assert net(door.world) == left == sent(door.world)
    assert {measure: taken[measure] + left[measure] for measure in taken} == OVER_LIST


@pytest.mark.parametrize(("ends", "is_voided"), [(Ends.UNUSED, True), (Ends.UNASSIGNED, False)])
def test_what_the_biller_rejected_is_unused_and_was_assigned(ends: Ends, is_voided: bool) -> None:
    door = withdrawn()
    key = DecisionKey("a-0", ID.incident_id, WHOLE_ACCOUNT, 1)
    assigned = CreditEntry(EntryKind.ASSIGNED, door.world.now, "x", "billing/1", (0, 1), delivery="billing/1")
    rejected = [
        CreditEntry(EntryKind.REJECTED, door.world.now, "x", f"r-{place}", (place,), delivery="billing/1", code="c")
        for place in (0, 1)
    ]
    door.world.credits.write_entries([EntriesChange(key, (), (assigned, *rejected))])
    door.world.now += timedelta(seconds=1)
    end(door, f"void_{ends}")
    done = voided(door)
    assert done.state is VoidState.VOIDED
    left = {} if is_voided else {"EUR": 500, "call_minute": 20}
    assert done.apply.totals.by_measure(Share.ASSIGNED_ONCE) == left == net(door.world)


def delivered_and_withdrawn() -> WorldDoor:
    """A campaign that was delivered whole before its incident was withdrawn."""
    content = list_of([row(f"a-{number}", fee="50.00") for number in range(ACCOUNTS)])
    world = small_world(content, channel=Channel("billing"))
    world.publish(event(rows=ACCOUNTS))
    go_on(world)
    world.publish(event(rows=ACCOUNTS, detail_type="Incident Withdrawn", revision=2, campaign=...))
    go_on(world)
    assert (world.campaign(CAMPAIGN).state, sent(world)) == (State.FLAGGED, OVER_LIST)
    world.now += timedelta(seconds=1)
    return WorldDoor(world)


def test_an_end_can_ask_the_biller_for_what_was_delivered() -> None:
    door = delivered_and_withdrawn()
    end(door, "void_unused", at_biller=True)
    done = voided(door)
    assert done.state is VoidState.VOIDED
    assert done.apply.totals.by_measure(Share.ASKED) == OVER_LIST
    must_have_ended(door.world, State.CANCELLED, "voided_by_hand")
    assert net(door.world) == OVER_LIST, "nothing is void before the answer"
    door.world.now += timedelta(days=2)
    go_on(door.world)
    (back,) = door.world.deliveries.over_additions(ID)
    assert back.state is DeliveryState.SENT, "a cancelled campaign's reversals are delivered"


def test_an_end_asks_the_biller_for_nothing_that_it_leaves_to_it_or_before_all_was_sent() -> None:
    door, body = delivered_and_withdrawn(), {"reason": "why", "at_biller": True}
    apart = door.put(f"stops/{CAMPAIGN}/apart", {**body, "action": "void_unassigned"}, BERT)
    assert (apart.status, apart.content["reason"]) == (409, "asked_apart")
    wrong = door.put(f"stops/{CAMPAIGN}/wrong", {**body, "action": "keep"}, BERT)
    assert (wrong.status, [one["field"] for one in wrong.content["errors"]]) == (422, ["at_biller"])
    stopped = withdrawn(midway=True).put(f"stops/{CAMPAIGN}/early", {**body, "action": "void_unused"}, BERT)
    assert (stopped.status, stopped.content["reason"]) == (409, "delivery_under_way")


def test_a_rejected_void_ends_nothing_and_another_end_can_be_chosen() -> None:
    door = withdrawn()
    end(door, "void_unused")
    no = {"action": "reject", "plan_hash": void_of(door.world).plan_hash, "reason": "they shall keep it"}
    assert door.put(f"void-approvals/{CAMPAIGN}/an-end/no", no).status == 200
    run_voids(door.world)
    assert door.world.campaign(CAMPAIGN).state is State.FLAGGED
    end(door, "keep", "another")
    must_have_ended(door.world, State.CLOSED, "kept_by_hand")
    assert net(door.world) == OVER_LIST


def test_a_void_that_finds_nothing_ends_the_campaign_all_the_same() -> None:
    door = withdrawn()
    for entry in door.world.ledger.all_entries():
        off = CreditEntry(EntryKind.VOIDED, door.world.now, "x", "void/0", (0, 1))
        door.world.credits.write_entries([EntriesChange(entry.key, (), (off,))])
    door.world.now += timedelta(seconds=1)
    end(door, "void_unused")
    assert void_of(door.world).state is VoidState.VOIDED
    go_on(door.world)
    # What was planted is in no counter, so that it seems to be kept back
    door.world.troubles.repaired(TroubleKind.KEPT_BACK, CAMPAIGN, door.world.now + timedelta(days=1))
    must_have_ended(door.world, State.CANCELLED, "voided_by_hand")


@pytest.mark.parametrize("action", ["keep", "void_unused", "void_unassigned"])
def test_only_a_flagged_campaign_is_ended_so(action: str) -> None:
    door = withdrawn()
    end(door, "void_unused", "first")
    voided(door, "first")
    reply = door.put(f"stops/{CAMPAIGN}/second", {"action": action, "reason": "again"}, BERT)
    assert reply.status == 409
    assert "flagged" in reply.content["detail"]


def test_the_same_end_again_is_the_same_end() -> None:
    door = withdrawn()
    first = end(door, "void_unused")
    assert end(door, "void_unused") == first
    other = door.put(f"stops/{CAMPAIGN}/an-end", {"action": "void_unassigned", "reason": "it was no outage"}, BERT)
    assert other.status == 409


def test_a_flagged_void_is_a_trouble_until_a_person_has_settled_it() -> None:
    door = withdrawn()
    end(door, "void_unused")
    world, void = door.world, void_of(door.world)
    approved(world, void, BEN)
    # Somebody changes what the workers find: a decision is gone before the second pass.
    key = DecisionKey("a-7", ID.incident_id, WHOLE_ACCOUNT, 1)
    world.ledger.forget(key)
    run_voids(world)
    flagged = void_of(world)
    assert (flagged.state, flagged.state_reason.partition(":")[0]) == (VoidState.FLAGGED, "void differs")
    assert any(flagged.apply.totals.by_measure(Share.VOIDED).values()), "it took something back"
    assert not any(one.voided for one in world.campaigns.budget_items.budgets.values()), "and gives nothing back"
    for _ in range(2):
        assert watched_voids(world).waiting == 1
        (trouble,) = world.troubles.troubles()
        assert (trouble.kind, trouble.on, trouble.is_urgent) == (TroubleKind.VOID_FLAGGED, str(void.id), True)
    assert world.campaign(CAMPAIGN).state is State.FLAGGED
    body = {"action": "settle", "plan_hash": flagged.plan_hash, "reason": "a restore, looked at"}
    assert door.put(f"void-approvals/{CAMPAIGN}/an-end/s-1", {**body, "reason": " "}).status == 422
    assert door.put(f"void-approvals/{CAMPAIGN}/an-end/s-2", {**body, "plan_hash": "0" * 64}).status == 409
    for _ in range(2):
        reply = door.put(f"void-approvals/{CAMPAIGN}/an-end/s", body)
        assert (reply.status, reply.content.get("state")) == (200, "settled"), reply.content
    assert [entry.action for entry in door.actions.entries][-1] == "settled void an-end of"
    world.now += timedelta(minutes=5)
    assert watched_voids(world).waiting == 0
    assert watched_voids(world).waiting == 0
    assert (world.troubles.troubles(), world.voids.open_voids()) == ([], [])
    assert world.campaign(CAMPAIGN).state is State.FLAGGED, "another end is to be chosen"
    assert replace(flagged, state=VoidState.SETTLED).apply == void_of(world).apply


def test_a_void_that_ended_its_campaign_is_over_also_where_that_was_cut_off_in_between() -> None:
    """The campaign was moved, and the function died before the void was listed no more."""
    door = withdrawn()
    end(door, "void_unused")
    approved(door.world, void_of(door.world), BEN)
    lost = iter(range(100))
    tap = Tap(lambda _, name: Fault.KILLED_BEFORE if name == "voids.close" and next(lost) == 0 else None)
    while door.world.campaign(CAMPAIGN).state is State.FLAGGED:
        run_voids(door.world, tap)
        watched_voids(door.world)
    for _ in range(2):
        watched_voids(door.world)
        run_voids(door.world)
    assert door.world.campaign(CAMPAIGN).state is State.CANCELLED
    assert door.world.voids.open_voids() == []
