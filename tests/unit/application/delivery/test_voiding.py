"""A void takes back what is unused, once it was planned and approved, and exactly that; then the right list pays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, may_write_until
from kulanz.application.campaigns.open_campaign import Opening
from kulanz.application.campaigns.start_execution import CannotStart, start_of
from kulanz.application.delivery.advance_void import advance_void
from kulanz.application.delivery.ask_void import VoidRefused, approve_void, ask_void, inline_file
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import VoidMessage
from kulanz.domain.budgets import Budget
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass, PinnedList, State
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Share, VoidReceipt, VoidState, VoidTotals, parts_of
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.people.caller import Machine, Person, PersonNeeded
from tests.support import yearly_cap
from tests.support.faults import HALVABLE, Fault, Tap, fault_at
from tests.support.small_campaign import CAMPAIGN, ROWS, event, list_of, row, small_world
from tests.support.voiding import closed, file_of, net, planned, stands, voided, voided_in_spite_of
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import (
    CAUSE,
    advance_ports,
    approved,
    asked,
    run_voids,
    void_ports,
    watched_voids,
    worked,
)

CLEA = "iam:arn:aws:iam::123456789012:user/clea"
RIGHT_KEY = "lists/right.csv"


def ask_for_the_right_list(world: World, *rows: bytes) -> None:
    world.lists.upload(RIGHT_KEY, list_of(rows))
    left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    world.publish(event(detail_type="Campaign Requested", key=RIGHT_KEY, rows=len(rows), **left_out))  # type: ignore[arg-type]


def key(account: str) -> DecisionKey:
    return DecisionKey(account, "net-outage", WHOLE_ACCOUNT, 1)


def named(world: World, *accounts: str, campaign: str = CAMPAIGN) -> PinnedList:
    """Accounts as a request names them."""
    void_id = VoidId(CampaignId.parse(campaign), "a-name")
    return inline_file(void_id, [(account, WHOLE_ACCOUNT) for account in accounts], void_ports(world))


def test_a_plan_of_a_void_says_what_it_would_take_back_and_takes_nothing() -> None:
    world = closed()
    before = net(world)
    void = planned(world)
    assert void.state is VoidState.AWAITING_APPROVAL
    assert void.plan.totals.by_measure(Share.VOIDABLE) == before
    assert void.plan.totals.lines == world.campaign(CAMPAIGN).apply.totals.lines
    run_voids(world)
    assert net(world) == before


def budget(world: World) -> Budget:
    return world.campaigns.budget("EUR", world.gate.budget_month(world.now))


def test_what_a_void_takes_back_can_be_spent_again_in_the_month_in_which_it_ends() -> None:
    world = closed()
    for _ in range(2):
        world.watch()  # what was granted is spent
    before, granted = budget(world), int(net(world)["EUR"])
    assert (before.spent, before.voided) == (granted, 0)
    void = planned(world)
    assert budget(world).voided == 0, "a plan takes nothing back"
    world.now += timedelta(days=32)
    approved(world, void, BEN)
    run_voids(world)
    after = budget(world)
    assert after.month > before.month
    assert (after.voided, replace(after, limit=1_000).left) == (granted, 1_000 + granted)
    assert world.campaigns.budget("EUR", before.month) == before


def test_after_all_was_voided_the_right_list_pays_in_full() -> None:
    world = closed()
    before = net(world)
    void = voided(world)
    assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
    assert void.apply.totals.by_measure(Share.VOIDED) == before
    assert net(world) == {}
    ask_for_the_right_list(world, row("granted-1", fee="29.90"), row("new", fee="10.00"))
    world.run_until_quiet()
    assert world.campaign("net-outage/2").state is State.CLOSED
    assert net(world) == {"EUR": 299 + 100, "call_minute": 40}
    assert net(world, "granted-2") == {}


@pytest.mark.parametrize("of_a_file", [False, True])
def test_a_few_decisions_are_voided_and_all_others_stand(of_a_file: bool) -> None:
    world = closed()
    before = net(world)
    gone = net(world, "granted-1", "granted-3")
    if of_a_file:
        file = file_of(world, b"account_id\ngranted-1\nnobody\n\ngranted-3\ngranted-1\ndeclined-1\n")
    else:
        file = named(world, "granted-1", "nobody", "granted-3", "granted-1", "declined-1")
    void = voided(world, file)
    assert void.state is VoidState.VOIDED
    totals = void.apply.totals
    assert (totals.decisions, totals.unmatched) == (2, 3 if of_a_file else 2)
    assert totals.by_measure(Share.VOIDED) == gone
    assert net(world) == {measure: size - gone[measure] for measure, size in before.items()}


def test_what_is_used_delivered_or_void_already_is_left_and_counted() -> None:
    world = closed(list_of([row(f"a-{n}", fee="50.00") for n in range(4)]), rows=4)
    assigned = CreditEntry(EntryKind.ASSIGNED, world.now, "test", "billing/1", (0,), delivery="billing/1")
    used = CreditEntry(EntryKind.APPLIED, world.now, "test", "bill/1", (0,), delivery="billing/1", amount=200, bill="1")
    off = CreditEntry(EntryKind.VOIDED, world.now, "test", "void/0", (1,))
    world.credits.write_entries(
        [EntriesChange(key("a-0"), (), (assigned,)), EntriesChange(key("a-1"), (), (assigned, used, off))]
    )
    void = voided(world)
    assert void.state is VoidState.VOIDED
    for totals in (void.plan.totals, void.apply.totals):
        assert totals.by_measure(Share.USED) == {"EUR": 200}
        assert totals.by_measure(Share.AT_BILLER) == {"EUR": 500 + 300}
        assert totals.by_measure(Share.VOIDED_BEFORE) == {"call_minute": 20}
    assert void.apply.totals.by_measure(Share.VOIDED) == {"EUR": 1_000, "call_minute": 60}
    assert net(world) == {"EUR": 1_000}


def test_what_is_delivered_between_plan_and_approval_is_changed_and_balances() -> None:
    world = closed(list_of([row("a-0", fee="50.00"), row("a-1", fee="50.00")]), rows=2)
    void = planned(world)
    assigned = CreditEntry(EntryKind.ASSIGNED, world.now, "test", "billing/1", (0, 1), delivery="billing/1")
    world.credits.write_entries([EntriesChange(key("a-1"), (), (assigned,))])
    approved(world, void, BEN)
    run_voids(world)
    done = stands(world, void)
    assert (done.state, done.state_reason) == (VoidState.VOIDED, "balanced")
    assert done.apply.totals.by_measure(Share.CHANGED) == {"EUR": 500, "call_minute": 20}
    assert net(world) == {"EUR": 500, "call_minute": 20}


def test_what_has_ended_is_expired_and_not_voided() -> None:
    world = closed(list_of([row("a-0", fee="50.00")]), rows=1)
    world.now = world.now.replace(month=world.now.month + 1)
    void = voided(world)
    assert void.apply.totals.by_measure(Share.EXPIRED) == {"call_minute": 20}
    assert void.apply.totals.by_measure(Share.VOIDED) == {"EUR": 500}


def test_no_campaign_opens_or_starts_while_a_void_runs() -> None:
    world = closed()
    void = planned(world)
    approved(world, void, BEN)
    ask_for_the_right_list(world, row("granted-1"))
    world.run_until_quiet()
    assert (world.openings[-1], world.rejected.sent) == (Opening.KEPT, [])
    (kept,) = world.campaigns.kept_requests()
    assert (kept.void, kept.opens_at > world.now) == (str(void.id), True)
    world.now = kept.opens_at
    world.run_until_quiet()
    assert world.openings[-1] is Opening.KEPT, "the void runs on"
    assert world.campaigns.campaign(CampaignId("net-outage", 2)) is None
    run_voids(world)
    (kept,) = world.campaigns.kept_requests()
    world.now = max(world.now, kept.opens_at)
    world.run_until_quiet()
    assert world.campaign("net-outage/2").state is State.CLOSED
    assert list(world.campaigns.kept_requests()) == []


def test_a_plan_that_waits_does_not_start_while_a_void_runs_and_a_void_does_not_start_beside_it() -> None:
    world = closed()
    void = planned(world)
    world.approvers = ()
    ask_for_the_right_list(world, row("granted-1"))
    world.run_until_quiet()
    with pytest.raises(VoidRefused, match="is not finished") as refused:
        approved(world, void, BEN)
    assert refused.value.reason == "incident_occupied"
    second = CampaignId("net-outage", 2)
    record = world.campaigns.incident("net-outage")
    plan = world.campaigns.filed_plan(second)
    assert record is not None
    assert plan is not None
    world.campaigns.move_incident(record, replace(record, version=record.version + 1, voiding=str(void.id)))
    with pytest.raises(CannotStart) as cannot:
        start_of(world.campaign(str(second)), plan, world.campaigns, world.stores)
    assert cannot.value.reason == "void_runs"


def test_nothing_is_voided_while_the_campaign_is_at_work_or_delivered() -> None:
    world = small_world(approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    with pytest.raises(VoidRefused) as refused:
        asked(world, ANNA)
    assert refused.value.reason == "campaign_at_work"
    delivering = small_world(channel=Channel("billing"))
    delivering.publish(event(rows=ROWS))
    delivering.run_until_quiet(
        lambda steps: next((one for one in steps if "of a delivery" not in one.function), steps[0])
    )
    delivery = delivering.deliveries.over_list(CampaignId("net-outage", 1))
    assert delivery is not None
    assert delivery.state is DeliveryState.SENT
    delivering.deliveries._set(replace(delivery, state=DeliveryState.ASSIGNING))
    with pytest.raises(VoidRefused) as refused:
        asked(delivering, ANNA)
    assert refused.value.reason == "delivery_under_way"


def test_nothing_is_voided_before_the_workers_of_a_cancelled_campaign_must_be_dead() -> None:
    world = small_world(chunk_bytes=300)
    world.publish(event(rows=ROWS))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    control = ControlPorts(world.campaigns, world.chunks, world.stores)
    campaign = CampaignId.parse(CAMPAIGN)
    cancel(campaign, control, "wrong", Cause("an operator", "by hand", "test"), world.now)
    until = may_write_until(world.campaign(CAMPAIGN), world.campaigns)
    assert until is not None
    for now, reason in (
        (world.now, "workers_may_write"),
        (until - timedelta(microseconds=1) - timedelta(seconds=1), "workers_may_write"),
        (until - timedelta(seconds=1), ""),
    ):
        world.now = now  # a second passes before somebody asks
        try:
            asked(world, ANNA)
            got = ""
        except VoidRefused as refusal:
            got = refusal.reason
        assert got == reason, now


def test_a_void_with_nothing_to_take_back_asks_nobody() -> None:
    world = closed()
    voided(world)
    again = planned(world, name="again")
    assert (again.state, again.state_reason[:16]) == (VoidState.REJECTED, "nothing to void:")


def test_a_machine_asks_and_two_persons_approve_and_no_machine_does() -> None:
    world = closed()
    void_id = VoidId(CampaignId.parse(CAMPAIGN), "by-machine")
    machine = Machine("role:arn:aws:sts::123456789012:assumed-role/exporter/x", "a role's session")
    ask_void(void_id, None, "why", machine, void_ports(world), world.now)
    run_voids(world)
    void = world.voids.void(void_id)
    assert void is not None
    with pytest.raises(PersonNeeded):
        approve_void(void_id, void.plan_hash, "yes", machine, void_ports(world), world.now)
    first = approved(world, void, ANNA)
    assert (first.state, first.state_reason) == (VoidState.AWAITING_APPROVAL, "approved: 1 of 2 persons")
    with pytest.raises(VoidRefused, match="has approved"):
        approve_void(void_id, void.plan_hash, "yes-2", Person(ANNA), void_ports(world), world.now)
    assert approved(world, void, BEN).state is VoidState.VOIDING


def test_a_void_is_listed_until_it_has_ended_and_the_watch_sends_what_was_lost() -> None:
    world = closed()
    void = asked(world, ANNA)
    assert world.voids.open_voids() == [void.id]
    run_voids(world)
    approved(world, void, BEN)
    advance_void(void.id, advance_ports(world), CAUSE, world.now)
    world.chunks.voids.clear()  # the messages were lost
    for _ in range(3):
        watched_voids(world)
    run_voids(world)
    assert stands(world, void).state is VoidState.VOIDED
    assert world.voids.open_voids() == []


def test_a_message_that_comes_late_does_nothing() -> None:
    world = closed()
    void = voided(world)
    before = dict(world.credits.texts)
    worked(world, VoidMessage(void.id, 0))
    worked(world, VoidMessage(void.id, 10_000))
    worked(world, VoidMessage(VoidId(void.id.campaign, "none"), 0))
    assert world.credits.texts == before


@pytest.mark.parametrize("units_per_second", [0.0, 2.0])
def test_whom_a_void_names_twice_it_voids_and_counts_once(units_per_second: float) -> None:
    """Both where a wave of the worker has all lines, and where it has one or two."""
    world = closed()
    world.units_per_second = units_per_second
    account = next(one.key.account_id for one in world.ledger.all_entries() if one.status is Outcome.GRANTED)
    void = asked(world, ANNA, named(world, account, account, account, "nobody"))
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    done = world.voids.void(void.id)
    assert done is not None
    assert done.state is VoidState.VOIDED
    for totals in (done.plan.totals, done.apply.totals):
        assert (totals.lines, totals.decisions, totals.unmatched) == (4, 1, 3)


def test_a_halt_stops_a_void_and_lifting_it_lets_it_go_on() -> None:
    world = closed()
    void = asked(world, ANNA)
    run_voids(world)
    approved(world, void, BEN)
    before, action = world.campaigns.halt(), HaltAction("h-1", Verb.SET, "a person", "a wrong file", world.now)
    halted = Halt(version=1, number=1, set=action)
    world.campaigns.change_halt(before, halted, action)
    kept = dict(world.credits.texts)
    run_voids(world)
    watched_voids(world)
    run_voids(world)
    assert world.credits.texts == kept
    stands = world.voids.void(void.id)
    assert stands is not None
    assert stands.state is VoidState.VOIDING
    lifting = HaltAction("l-1", Verb.LIFT, "another", "the right file", world.now)
    world.campaigns.change_halt(halted, Halt(version=2, number=1), lifting)
    for _ in range(2):
        watched_voids(world)
        run_voids(world)
    ended = world.voids.void(void.id)
    assert ended is not None
    assert ended.state is VoidState.VOIDED


class Miscounting:
    """The void store, of whose receipts one says more lines than it counted."""

    def __init__(self, world: World) -> None:
        self._voids = world.voids

    def __getattr__(self, name: str) -> Any:
        return getattr(self._voids, name)

    def receipts(self, void_id: VoidId, work: Pass) -> list[VoidReceipt]:
        first, *others = self._voids.receipts(void_id, work)
        totals = VoidTotals(first.totals.lines + 1, first.totals.unmatched, first.totals.decisions, first.totals.sums)
        return [replace(first, totals=totals), *others]


@pytest.mark.parametrize("work", Pass)
def test_a_void_whose_receipts_do_not_come_to_its_sums_goes_no_further(work: Pass) -> None:
    world = closed()
    void = asked(world, ANNA)
    if work is Pass.APPLY:
        run_voids(world)
        approved(world, void, BEN)
    advance_void(void.id, advance_ports(world), CAUSE, world.now)  # sends the chunks
    while world.chunks.voids:
        worked(world, world.chunks.voids.pop(0))
    ports = replace(advance_ports(world), voids=cast("Any", Miscounting(world)))
    advance_void(void.id, ports, CAUSE, world.now)
    found = stands(world, void)
    assert found.state is (VoidState.REJECTED if work is Pass.PLAN else VoidState.FLAGGED)
    assert found.state_reason.startswith("sums_differ")


CALLS = 60


@pytest.mark.parametrize("number", range(0, CALLS, 4))
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HALF_DONE])
def test_wherever_a_function_dies_the_void_ends_the_same(number: int, fault: Fault) -> None:
    world = closed()
    before = net(world)
    void = asked(world, ANNA)
    run_voids(world)
    done = voided_in_spite_of(world, void, Tap(fault_at(number, fault)))
    assert done.apply.totals.by_measure(Share.VOIDED) == before
    assert net(world) == {}
    assert all(len(world.credits.of(key)) == 1 for key in world.credits.texts)
    assert budget(world).voided == before["EUR"]


def test_entries_that_were_written_by_half_are_finished() -> None:
    world = closed()
    before = net(world)
    void = planned(world)
    approved(world, void, BEN)
    halved = iter([Fault.HALF_DONE])
    run_voids(world, Tap(lambda _, name: next(halved, None) if name in HALVABLE else None))
    assert next(halved, None) is None
    assert stands(world, void).apply.totals.by_measure(Share.VOIDED) == before


def test_a_void_takes_what_it_voids_off_the_history_so_that_the_cap_has_room_again() -> None:
    world = yearly_cap.world()
    for name, day in (("first", 3), ("second", 5)):
        world.publish(yearly_cap.incident(name, yearly_cap.outage(day)))
        world.run_until_quiet()
    spent = yearly_cap.paid(world, "large")
    assert spent == yearly_cap.CAP
    assert yearly_cap.paid(world, "large", "second") == 0
    void = asked(world, ANNA, named(world, "large", campaign="first/1"), campaign="first/1")
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    assert stands(world, void).state is VoidState.VOIDED
    world.publish(yearly_cap.incident("third", yearly_cap.outage(7)))
    world.run_until_quiet()
    assert yearly_cap.paid(world, "large", "third") == yearly_cap.CAP
    third = yearly_cap.paid(world, "half", "third")
    assert yearly_cap.paid(world, "half") - third <= yearly_cap.CAP


def test_the_plan_is_by_receipts_that_tile_the_list() -> None:
    world = closed()
    void = planned(world)
    receipts = list(world.voids.receipts(void.id, Pass.PLAN))
    assert len(receipts) == len(world.campaign(CAMPAIGN).chunks) > 1


@pytest.mark.parametrize("call", range(1, 40, 3))
def test_a_void_that_is_opened_approved_and_repeated_within_one_second_is_balanced(call: int) -> None:
    world = closed()
    before = net(world)
    second = world.now.replace(microsecond=0) + timedelta(seconds=5)
    world.now = second + timedelta(milliseconds=500)
    void_id = VoidId(CampaignId.parse(CAMPAIGN), "wrong-list")
    void = ask_void(void_id, None, "it was the wrong list", Person(ANNA), void_ports(world), world.now)
    run_voids(world)
    world.now = second + timedelta(milliseconds=900)
    plan_hash = stands(world, void).plan_hash
    approve_void(void_id, plan_hash, "ben-yes", Person(BEN), void_ports(world), world.now)
    run_voids(world, Tap(fault_at(call, Fault.KILLED_AFTER)))
    for _ in range(3):
        watched_voids(world)
        run_voids(world)
    found = stands(world, void)
    assert (found.state, found.state_reason) == (VoidState.VOIDED, "balanced")
    assert found.apply.totals.by_measure(Share.VOIDED) == before
    assert net(world) == {}


@pytest.mark.parametrize("milliseconds", [-1, 0, 1, 1_000])
def test_what_a_void_judges_stays_the_same_when_an_answer_comes_in_the_second_in_which_it_was_opened(
    milliseconds: int,
) -> None:
    """A later pass must not see more of that second than the plan did: its entry may have come between the two."""
    world = closed()
    void = planned(world)
    opened = replace(void, opened_at=void.opened_at.replace(microsecond=500_000))
    at = opened.opened_at + timedelta(milliseconds=milliseconds)
    (booked,) = world.credits.booked([key("granted-1")]).values()
    assigned = CreditEntry(EntryKind.ASSIGNED, at, "delivery", "billing/1", (0,), delivery="billing/1")
    assert list(parts_of(booked.entry, (assigned,), opened)) == list(parts_of(booked.entry, (), opened))
    before = replace(assigned, at=opened.opened_at - timedelta(seconds=1))
    assert Share.AT_BILLER in {part.share for part in parts_of(booked.entry, (before,), opened)}


def test_another_void_of_the_campaign_is_not_planned_while_one_writes() -> None:
    world = closed()
    void = planned(world)
    approved(world, void, BEN)
    with pytest.raises(VoidRefused) as refused:
        asked(world, ANNA, name="again")
    assert refused.value.reason == "void_runs"
    run_voids(world)
    assert asked(world, ANNA, name="again").state is VoidState.PLANNING
