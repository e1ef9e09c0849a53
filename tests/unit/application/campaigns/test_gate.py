"""Money waits for a yes: a plan is executed by the persons it needs, and by nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, may_write_until
from kulanz.application.campaigns.replan import ReplanPorts, ReplanRefused, replan
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.gate.approval import APPROVAL_LONGEST, Approval, ApprovalRefused, Rejection
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.gate.settings import GateSettings, SpentPlace, month_of
from kulanz.domain.people.caller import Machine, Person, PersonNeeded
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.time import MICROSECOND
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, LIST_KEY, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, World

ID = CampaignId.parse(CAMPAIGN)
NEXT = CampaignId(INCIDENT_ID, 2)
LINES = [row("a-1"), row("a-2", fee="10.00"), row("a-3", affected="no")]
HAND = Cause("an operator", "by hand", "test")


def waiting(lines: list[bytes] | None = None, **settings: Any) -> World:
    """A world in which a plan waits, and nobody approves it by themselves."""
    content = LINES if lines is None else lines
    world = small_world(list_of(content), approvers=(), **settings)
    world.publish(event(rows=len(content)))
    world.run_until_quiet()
    return world


def reject(world: World, person: str = BEN, reason: str = "wrong list", **changes: Any) -> Campaign:
    plan = world.campaigns.filed_plan(ID)
    assert plan is not None
    said = replace(Rejection("no", person, plan.hash, reason, world.now), **changes)
    return decide_plan(
        ID, said, Person(said.person), GatePorts(world.campaigns, world.stores, world.gate, NOBODY_LISTED), "test"
    )


def again(world: World, campaign_id: CampaignId = ID, reason: str = "once more") -> Campaign:
    return replan(campaign_id, ReplanPorts(world.campaigns, world.chunks), reason, HAND, world.now)


def targets(world: World, campaign_id: CampaignId = ID) -> list[State]:
    return [change.target for change in world.campaigns.log(campaign_id)]


def test_nothing_is_granted_before_the_second_person_said_yes() -> None:
    world = waiting()
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    world.approve(ID, ANNA)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state_reason == "approved: 1 of 2 persons"
    assert world.ledger.inserted == []
    world.approve(ID, BEN)
    world.run_until_quiet()
    closed = world.campaign(CAMPAIGN)
    assert (closed.state, closed.state_reason) == (State.CLOSED, "balanced")
    assert len(world.ledger.inserted) == len(LINES)
    log = world.campaigns.log(ID)
    assert [change.target for change in log] == [
        State.PLANNING, State.AWAITING_APPROVAL, State.AWAITING_APPROVAL, State.APPLYING, State.CLOSED
    ]  # fmt: skip
    assert [change.cause.actor for change in log[2:4]] == [ANNA, BEN]


def test_a_waiting_plan_is_an_event_on_the_bus_with_its_report() -> None:
    world = waiting()
    assert [one.detail_type for one in world.announcer.announced] == ["Campaign Awaiting Approval"]


def test_a_person_who_requested_it_needs_one_other() -> None:
    world = small_world(list_of(LINES), approvers=(), requester=ANNA)
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    with pytest.raises(ApprovalRefused, match="requested"):
        world.approve(ID, ANNA)
    world.approve(ID, BEN)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_a_lone_operator_requests_and_approves_and_the_log_says_so() -> None:
    world = small_world(list_of(LINES), approvers=(), requester=ANNA, gate=GateSettings(lone_operator=True))
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    world.approve(ID, ANNA)
    assert world.campaign(CAMPAIGN).state_reason == (
        "approved: by 1 person; this stack lets one person request and approve"
    )


def test_breaking_the_glass_needs_one_person_and_is_in_the_log() -> None:
    world = waiting()
    world.approve(ID, ANNA, break_glass="flood, nobody else is there")
    assert world.campaign(CAMPAIGN).state is State.APPLYING
    assert world.campaigns.log(ID)[-1].reason == "glass_broken: flood, nobody else is there"
    (seen,) = world.troubles.troubles()
    assert (seen.kind, seen.on, seen.since) == (TroubleKind.GLASS_BROKEN, CAMPAIGN, world.campaigns.log(ID)[-1].at)
    assert seen.says == f"one person alone approved its plan; kulanz log {CAMPAIGN} shows who it was and why"


def test_approvals_without_breaking_the_glass_leave_nothing_to_be_seen() -> None:
    world = waiting()
    world.approve(ID, ANNA)
    world.approve(ID, BEN)
    world.run_until_quiet()
    assert world.troubles.troubles() == []


# What does not count


def _expire(world: World) -> None:
    world.now += APPROVAL_LONGEST


def _amend(world: World) -> None:
    later = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T21:00:00Z"}]
    world.publish(event(rows=3, detail_type="Incident Amended", revision=2, windows=later, campaign=...))
    world.run_until_quiet()


def _cancel(world: World) -> None:
    cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong", HAND, world.now)


def _withdraw(world: World) -> None:
    world.publish(event(rows=3, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()


def _other_engine(world: World) -> None:
    kept = world.campaigns._campaigns[ID]
    kept.campaign = replace(kept.campaign, engine="1")


@pytest.mark.parametrize(
    ("before", "changes", "reason"),
    [
        (lambda _: None, {"plan_hash": "0" * 64}, "plan_differs"),
        (lambda _: None, {"plan_hash": "0" * 12}, "plan_differs"),
        (lambda _: None, {"plan_hash": ""}, "plan_differs"),
        (lambda _: None, {"limits": ("held",)}, "limits_not_exceeded"),
        (lambda world: world.approve(ID, BEN), {"id": "another"}, "approved_before"),
        (lambda world: world.approve(ID, BEN), {"break_glass": "flood"}, "id_taken"),
        (_expire, {}, "approval_over"),
        (_amend, {}, "incident_changed"),
        (_other_engine, {}, "plan_outdated"),
        (_cancel, {}, "not_waiting"),
        (_withdraw, {}, "not_waiting"),
        (reject, {}, "not_waiting"),
    ],
)
def test_an_approval_that_does_not_count_changes_nothing(
    before: Callable[[World], object], changes: dict[str, Any], reason: str
) -> None:
    world = waiting()
    before(world)
    world.run_until_quiet()
    stood, log, actions = world.campaign(CAMPAIGN), world.campaigns.log(ID), world.campaigns.actions(ID)
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(ID, BEN, **changes)
    assert refused.value.reason == reason
    world.run_until_quiet()
    assert (world.campaign(CAMPAIGN), world.campaigns.log(ID), world.campaigns.actions(ID)) == (stood, log, actions)
    assert world.ledger.inserted == []


def test_a_machine_approves_and_rejects_nothing() -> None:
    world = waiting()
    plan = world.campaigns.filed_plan(ID)
    assert plan is not None
    robot = Machine("role:arn:aws:sts::123456789012:assumed-role/deploy/ben", "whoever opens it chooses its name")
    ports = GatePorts(world.campaigns, world.stores, world.gate, NOBODY_LISTED)
    for said in (
        Approval("yes", robot.id, plan.hash, (), world.now),
        Rejection("no", robot.id, plan.hash, "no", world.now),
    ):
        with pytest.raises(PersonNeeded, match="whoever opens it chooses its name"):
            decide_plan(ID, said, robot, ports, "test")
    assert targets(world) == [State.PLANNING, State.AWAITING_APPROVAL]


@pytest.mark.parametrize("digits", [0, 1, HASH_DIGITS_SHOWN - 1, None])
def test_whoever_rejects_a_plan_names_it_as_it_is_shown_at_least(digits: int | None) -> None:
    world = waiting()
    plan = world.campaigns.filed_plan(ID)
    assert plan is not None
    with pytest.raises(ApprovalRefused) as refused:
        reject(world, plan_hash="0" * 64 if digits is None else plan.hash[:digits])
    assert (refused.value.reason, refused.value.field) == ("plan_differs", "plan_hash")
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    assert reject(world, plan_hash=plan.hash[:HASH_DIGITS_SHOWN]).state is State.REJECTED


def test_an_unknown_campaign_is_said_to_be_unknown() -> None:
    world = waiting()
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(CampaignId("net-outage", 7), ANNA)
    assert refused.value.reason == "campaign_unknown"


def test_the_same_approval_again_is_the_same_answer() -> None:
    world = waiting()
    first = world.approve(ID, ANNA)
    assert world.approve(ID, ANNA) == first
    plan = world.campaigns.filed_plan(ID)
    assert plan is not None
    assert world.approve(ID, ANNA, plan_hash=plan.hash[:HASH_DIGITS_SHOWN]) == first
    world.approve(ID, BEN)
    world.run_until_quiet()
    assert world.approve(ID, ANNA).state is State.CLOSED, "also when the campaign went on"


def test_words_of_the_incident_alone_stop_no_approval() -> None:
    world = waiting()
    world.publish(event(rows=3, detail_type="Incident Updated", revision=2, title="Network was down", campaign=...))
    world.run_until_quiet()
    world.approve(ID, ANNA)
    world.approve(ID, BEN)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


# Limits


def test_a_plan_outside_its_limits_waits_for_approvals_that_name_each_of_them() -> None:
    lines = [row(f"a-{number}") for number in range(20)] + [row("bad", affected="perhaps")] * 3
    content = event(rows=len(lines))
    content["detail"]["campaign"]["limits"] = {"total": ["1.00 EUR"]}
    world = small_world(list_of(lines), approvers=(), chunk_bytes=100_000)
    world.publish(content)
    world.run_until_quiet()
    waits = world.campaign(CAMPAIGN)
    assert waits.state is State.AWAITING_APPROVAL
    assert waits.state_reason.startswith("limits_exceeded: rejected: 3 of 23 rows")
    for named in ((), ("rejected",), ("total EUR",), ("rejected", "total")):
        with pytest.raises(ApprovalRefused) as refused:
            world.approve(ID, ANNA, named)
        assert refused.value.reason == "limits_not_named"
    world.approve(ID, ANNA, ("total EUR", "rejected", "total EUR"))
    world.approve(ID, BEN, ("rejected", "total EUR"))
    given = [one.limits for one in world.campaigns.actions(ID) if isinstance(one, Approval)]
    assert given == [("rejected", "total EUR")] * 2, "each once and in order, so that the same yes again is the same"
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


# Automatic execution

SMALL = {"EUR": 100_00, "call_minute": 1_000}
AUTOMATIC = GateSettings(SMALL, {"EUR": 10_00, "call_minute": 10_000}, {}, frozenset({"billing"}))


def test_a_plan_below_every_threshold_is_executed_without_a_person_and_counts_for_its_month() -> None:
    world = waiting(gate=AUTOMATIC)
    closed = world.campaign(CAMPAIGN)
    assert closed.state is State.CLOSED
    assert targets(world) == [State.PLANNING, State.AWAITING_APPROVAL, State.APPLYING, State.CLOSED]
    assert world.campaigns.log(ID)[2].reason == "executed_automatically: below every threshold"
    for place in (SpentPlace(month=month_of(world.now)), SpentPlace(incident_id=INCIDENT_ID)):
        spent = world.campaigns.spent(place)
        assert (spent.version, dict(spent.sums)) == (1, {"EUR": 399, "call_minute": 40})


@pytest.mark.parametrize(
    "gate",
    [
        replace(AUTOMATIC, automatic_sources=frozenset()),
        replace(AUTOMATIC, automatic_below={"EUR": 399, "call_minute": 1_000}),
        replace(AUTOMATIC, automatic_monthly={"EUR": 399, "call_minute": 1_000}),
        replace(AUTOMATIC, automatic_below={"EUR": 100_00}),
    ],
)
def test_a_plan_that_does_not_qualify_waits(gate: GateSettings) -> None:
    world = waiting(gate=gate)
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    assert world.ledger.inserted == []


def test_the_sums_of_a_month_stop_automatic_execution() -> None:
    world = small_world(list_of(LINES), approvers=(), gate=AUTOMATIC)
    for number in range(1, 4):
        key, name = f"lists/{number}.csv", f"net-outage-{number}"
        world.lists.upload(key, list_of([*LINES, row(f"own-{number}", affected="no")]))
        hours = [{"start": f"2026-02-2{number}T08:00:00Z", "end": f"2026-02-2{number}T20:00:00Z"}]
        world.publish(event(rows=4, key=key, incident_id=name, windows=hours))
        world.run_until_quiet()
    states = [world.campaign(f"net-outage-{number}/1").state for number in range(1, 4)]
    assert states == [State.CLOSED, State.CLOSED, State.AWAITING_APPROVAL]  # 3.99 + 3.99 < 10.00 < 3 x 3.99


# Rejected, over, changed: planned again


@pytest.mark.parametrize("before", [reject, _expire, _amend, _cancel, _other_engine])
def test_a_plan_is_made_again_over_the_same_list_whatever_ended_it(before: Callable[[World], object]) -> None:
    world = waiting()
    first = world.campaign(CAMPAIGN)
    before(world)
    second = again(world)
    assert (second.id, second.pinned, second.policy_hash) == (NEXT, first.pinned, first.policy_hash)
    assert again(world).id == NEXT, "and once only"
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state in (State.REJECTED, State.CANCELLED)
    for person in (ANNA, BEN):
        world.approve(NEXT, person)
    world.run_until_quiet()
    assert world.campaign(str(NEXT)).state is State.CLOSED
    assert len(world.ledger.inserted) == len(LINES)


def _reject_and_withdraw(world: World) -> None:
    reject(world)
    _withdraw(world)


def _begin_and_cancel(world: World) -> None:
    world.approve(ID, ANNA)
    world.approve(ID, BEN)
    _cancel(world)


def test_whoever_requested_the_first_plan_has_requested_the_next() -> None:
    world = small_world(list_of(LINES), approvers=(), requester=ANNA)
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    reject(world, BEN)
    again(world)
    world.run_until_quiet()
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(NEXT, ANNA)
    assert refused.value.reason == "approver_is_requester"


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (_reject_and_withdraw, "incident_withdrawn"),
        (lambda world: (world.approve(ID, ANNA), world.approve(ID, BEN)), "not_replannable"),
        (_begin_and_cancel, "execution_began"),
        (lambda world: setattr(world, "now", world.now + timedelta(days=400)), "incident_over"),
    ],
)
def test_what_cannot_be_planned_again_is_refused(before: Callable[[World], object], reason: str) -> None:
    world = waiting()
    before(world)
    with pytest.raises(ReplanRefused) as refused:
        again(world)
    assert refused.value.reason == reason


def test_no_list_is_planned_again_while_workers_of_another_campaign_may_write() -> None:
    world = waiting()
    reject(world)
    other = [*LINES, row("a-4")]
    world.lists.upload("lists/other.csv", list_of(other))
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    world.publish(event(detail_type="Campaign Requested", key="lists/other.csv", rows=len(other), **facts))
    world.run_until_quiet()
    for person in (ANNA, BEN):
        world.approve(NEXT, person)
    cancel(NEXT, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong", HAND, world.now)
    until = may_write_until(world.campaign(str(NEXT)), world.campaigns)
    assert until is not None
    world.now = until - MICROSECOND
    with pytest.raises(ReplanRefused) as refused:
        again(world)
    assert refused.value.reason == "incident_occupied"
    world.now = until
    assert again(world).id.seq == NEXT.seq + 1


def test_a_refused_list_is_not_planned_again() -> None:
    world = small_world(list_of(LINES), approvers=())
    world.publish(event(rows=len(LINES) + 1))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.REFUSED
    with pytest.raises(ReplanRefused) as refused:
        again(world)
    assert refused.value.reason == "list_refused"


# While it waits


def test_the_list_is_read_as_it_was_pinned_however_it_changed_while_the_plan_waited() -> None:
    world = waiting()
    world.lists.upload(LIST_KEY, list_of([row("other")]))
    world.approve(ID, ANNA)
    world.approve(ID, BEN)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert {entry.key.account_id for entry in world.ledger.inserted} == {"a-1", "a-2", "a-3"}


def test_a_waiting_plan_reminds_twice_and_says_when_its_time_is_over() -> None:
    world = waiting()
    first = len(world.announcer.announced)
    for _ in range(15):
        world.now += timedelta(days=1)
        for _ in range(2):
            world.repeat_streams()
            world.run_until_quiet()
    reasons = [json.loads(one.detail)["reason"] for one in world.announcer.announced[first:]]
    assert reasons == [f"plan_balanced; reminder: {which}" for which in ("half", "four_fifths", "expired")]
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
