"""What executions reserved is settled from the ledger, and set free when nobody can accept it any more."""

from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.budgets.set_budget import SetBudgetPorts, set_budget
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, may_write_until, pause, settle
from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.application.ledger.settle_budgets import settle_budgets
from kulanz.domain.budgets import Budget, LimitSet, Reservation
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.reconciliation import RowResult, SumKey, WriteResult
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.ledger.entries import granted_benefits
from kulanz.domain.time import MICROSECOND, parse_instant
from tests.support.faults import Fault, Killed, Tap, fault_at
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import ANNA, World
from tests.support.world_people import to_approve
from tests.support.world_steps import Function, Step

MONTH = "2026-03"
DEAD = timedelta(hours=2)
"""After so long no worker of a stopped campaign can write any more."""
UNTIL = "2026-03-20T00:00:00Z"
POLICY = f"""
kulanz: 1
id: parts
version: {{version}}
title: A part at once and a part on request
currency: EUR
facts:
  fee: money
  extra: money
heads:
  - name: auto
    pay: fee
  - name: more
    pay: extra
    mode:
      offer: {{{{until: {UNTIL}}}}}
"""
ENDLESS = POLICY.replace(f"offer: {{{{until: {UNTIL}}}}}", "offer: {{}}")
HAND = Cause("an operator", "by hand", "test")
FIRST, SECOND = CampaignId(INCIDENT_ID, 1), CampaignId(INCIDENT_ID, 2)
MIXED = [("a-1", "10.00", "30.00"), ("a-2", "5.00", "0.00"), ("a-3", "0.00", "7.00")]


def rows_of(rows: list[tuple[str, str, str]]) -> bytes:
    return ("account_id,fee,extra\n" + "".join(f"{','.join(row)}\n" for row in rows)).encode()


def send(world: World, rows: list[tuple[str, str, str]] | None = None, version: int = 1, policy: str = POLICY) -> None:
    """Request the incident's next campaign, whose plan waits then where nobody approves by themselves."""
    chosen = MIXED if rows is None else rows
    world.policies.publish("parts", version, sealed_policy(policy.format(version=version)))
    key = f"lists/{version}.csv"
    world.lists.upload(key, rows_of(chosen))
    world.publish(event(key=key, rows=len(chosen), policy="parts", policy_version=version, revision=version))


def played(rows: list[tuple[str, str, str]] | None = None, policy: str = POLICY, **settings: Any) -> World:
    world = World(**settings)
    send(world, rows, policy=policy)
    world.run_until_quiet()
    return world


def budget(world: World, month: str = MONTH) -> Budget:
    return world.campaigns.budget("EUR", month)


def used(world: World, month: str = MONTH) -> tuple[int, int]:
    found = budget(world, month)
    return found.reserved, found.spent


def accept(world: World, account_id: str) -> None:
    ports = AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers, world.gate)
    accept_offer(account_id, INCIDENT_ID, ports, "support", world.now)


def in_the_ledger(world: World) -> int:
    """What is granted by all decisions as they stand."""
    entries = world.ledger.all_entries()
    return sum(one.money.minor for entry in entries for one in granted_benefits(entry) if one.money is not None)


def limit(world: World, minor: int) -> None:
    ports = SetBudgetPorts(world.campaigns, world.budgets)
    set_budget(LimitSet(f"to-{minor}", "EUR", MONTH, minor, ANNA, "as agreed", world.now), ports)


def test_what_was_granted_is_spent_and_what_may_be_accepted_stays_reserved() -> None:
    world = played()
    assert used(world) == (5_200, 0)
    world.settle()
    assert used(world) == (3_700, 1_500) == (3_700, in_the_ledger(world))
    accept(world, "a-1")
    assert used(world) == (700, 4_500) == (700, in_the_ledger(world))
    assert len(world.budgets.reserved()) == 1
    accept(world, "a-3")
    assert used(world) == (0, 5_200)
    world.settle()
    assert world.budgets.reserved() == []


def test_an_acceptance_before_the_settlement_is_counted_once() -> None:
    world = played()
    accept(world, "a-1")
    assert used(world) == (2_200, 3_000)
    world.settle()
    assert used(world) == (700, 4_500) == (700, in_the_ledger(world))
    world.settle()
    assert used(world) == (700, 4_500)


@pytest.mark.parametrize("accepted_before", [False, True])
def test_rows_that_are_listed_twice_are_spent_once_also_what_they_may_claim(accepted_before: bool) -> None:
    """The receipts do not have what is claimable beside a grant: such a list is counted by a pass."""
    world = played([*MIXED, MIXED[0], ("a-1", "11.00", "31.00")])
    assert world.campaign(str(FIRST)).state is State.CLOSED
    if accepted_before:
        accept(world, "a-1")
    world.settle()
    assert used(world) == ((700, 4_500) if accepted_before else (3_700, 1_500))
    assert used(world)[1] == in_the_ledger(world)


def test_what_nobody_can_accept_any_more_is_set_free() -> None:
    world = played()
    accept(world, "a-1")
    world.settle()
    world.now = parse_instant(UNTIL) - timedelta(microseconds=1)
    world.settle()
    assert used(world) == (700, 4_500)
    world.now = parse_instant(UNTIL)
    world.settle()
    assert used(world) == (0, 4_500) == (0, in_the_ledger(world))
    assert world.budgets.reserved() == []


def test_an_offer_without_an_end_keeps_its_reservation() -> None:
    world = played(policy=ENDLESS)
    world.settle()
    world.now += timedelta(days=300)
    world.settle()
    assert used(world) == (3_700, 1_500)


def test_a_later_campaign_that_sets_offers_off_takes_over_what_they_kept() -> None:
    world = played(approvers=(), gate=played().gate)
    world.approve(FIRST, ANNA)
    world.approve(FIRST, ANNA.replace("anna", "ben"))
    world.run_until_quiet()
    world.settle()
    accept(world, "a-1")
    assert used(world) == (700, 4_500)
    limit(world, 5_600)
    send(world, [("a-1", "10.00", "30.00"), ("a-2", "5.00", "0.00"), ("a-3", "0.00", "10.00")], 2)
    world.run_until_quiet()
    world.approve(SECOND, ANNA)
    world.approve(SECOND, ANNA.replace("anna", "ben"))
    assert used(world) == (1_000, 4_500), "the offer of 7.00 ended as that of 10.00 began"
    world.run_until_quiet()
    world.settle()
    accept(world, "a-3")
    assert used(world) == (0, 5_500) == (0, in_the_ledger(world))
    assert world.campaigns.reservations(FIRST)[0].is_over
    world.settle()
    assert world.budgets.reserved() == []


def test_an_acceptance_of_what_is_not_reserved_is_charged_to_its_own_month_and_alarms() -> None:
    """As that of a campaign that an older release started."""
    world = played()
    items = world.campaigns.budget_items
    items.reservations.clear()
    items.open.clear()
    items.budgets.clear()
    limit(world, 2_999)
    accept(world, "a-1")
    assert budget(world).left == -1
    assert world.settle().exceeded == ("EUR 2026-03",)
    (trouble,) = world.troubles.troubles()
    assert (trouble.kind, trouble.on, trouble.is_urgent) == (TroubleKind.OVER_BUDGET, "EUR 2026-03", True)
    assert world.watch().waiting == 1
    limit(world, 3_000)
    world.now += timedelta(minutes=5)
    world.settle()
    assert world.troubles.troubles() == []


# Campaigns that ended midway


def midway(rows: int = 40, **settings: Any) -> World:
    """A campaign of several chunks of which some are written."""
    world = World(chunk_bytes=300, **settings)
    send(world, [(f"a-{number:04}", "10.00", "1.00") for number in range(rows)])
    while len(world.ledger.inserted) < rows // 3:
        world.run(world.steps()[-1] if world.chunk_messages and not to_approve(world) else world.steps()[0])
    return world


def control(world: World) -> ControlPorts:
    return ControlPorts(world.campaigns, world.chunks, world.stores)


def test_a_cancelled_campaign_is_counted_when_its_workers_are_dead_and_nothing_of_it_stays_reserved() -> None:
    world = midway()
    cancel(FIRST, control(world), "wrong", HAND, world.now)
    world.run_until_quiet()
    world.settle()
    assert used(world) == (40_000, 0), "a worker may still write, and nobody accepts what it offers"
    until = may_write_until(world.campaign(str(FIRST)), world.campaigns)
    assert until is not None
    world.now = until - MICROSECOND
    world.settle()
    assert used(world) == (40_000, 0)
    world.now = until
    world.settle()
    assert 0 < in_the_ledger(world) < 40_000
    assert used(world) == (0, in_the_ledger(world))
    assert world.budgets.reserved() == []


def test_what_a_worker_wrote_before_it_died_without_a_receipt_is_spent() -> None:
    world = World()
    send(world)
    while world.campaigns.state_of(FIRST) is not State.APPLYING or not world.chunk_messages:
        world.run(world.steps()[0])
    world.tap = Tap(lambda _, name: Fault.KILLED_AFTER if name == "ledger.insert" else None)
    world.run(Step(Function.GRANT))
    cancel(FIRST, control(world), "wrong", HAND, world.now)
    world.tap = Tap()
    world.run_until_quiet()
    assert world.campaign(str(FIRST)).apply.totals.lines == 0
    world.now += DEAD
    world.settle()
    assert used(world) == (0, 1_500) == (0, in_the_ledger(world))


def test_a_paused_campaign_keeps_its_reservation() -> None:
    world = midway()
    pause(FIRST, control(world), "look", HAND, world.now)
    world.run_until_quiet()
    world.now += timedelta(days=2)
    world.settle()
    assert used(world) == (44_000, 0)


def test_a_flagged_campaign_is_counted_and_of_a_withdrawn_incident_nobody_accepts_anything() -> None:
    world = midway()
    world.publish(event(rows=3, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    assert world.campaign(str(FIRST)).state is State.FLAGGED
    world.now += DEAD
    world.settle()
    assert used(world) == (0, in_the_ledger(world)), "a withdrawn incident has no offers"
    settle(FIRST, control(world), "as it is", HAND, world.now)
    world.settle()
    assert world.budgets.reserved() == []


def test_the_receipts_of_a_campaign_that_balanced_are_enough_also_once_it_was_flagged() -> None:
    world = played()
    pinned = world.campaign(str(FIRST)).pinned
    world.lists.delete_version(pinned.key, pinned.version_id)
    world.publish(event(rows=3, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    assert world.campaign(str(FIRST)).state is State.FLAGGED
    world.now += DEAD
    assert world.settle().failed == ()
    assert used(world) == (0, 1_500) == (0, in_the_ledger(world))


def test_the_receipts_of_a_campaign_that_did_not_balance_are_not_believed_once_a_person_closed_it() -> None:
    world = played()
    kept = world.campaigns._campaigns[FIRST]
    totals = deepcopy(kept.campaign.apply.totals)
    totals.sums[SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "EUR")] -= 1
    kept.campaign = replace(kept.campaign, apply=replace(kept.campaign.apply, totals=totals))
    assert (kept.log[-1].source, kept.log[-1].target) == (State.APPLYING, State.CLOSED)
    flagged = replace(kept.log[-1], target=State.FLAGGED)
    kept.log[-1:] = [flagged, replace(flagged, number=flagged.number + 1, source=State.FLAGGED, target=State.CLOSED)]
    world.now += DEAD
    world.settle()
    assert used(world) == (3_700, 1_500) == (3_700, in_the_ledger(world))


def test_a_pass_that_has_no_time_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kulanz.application.ledger.committed.KEYS_PER_READ", 7)
    world = midway()
    cancel(FIRST, control(world), "wrong", HAND, world.now)
    world.now += DEAD
    looks = 0
    while not all(one.is_settled for one in world.campaigns.reservations(FIRST)):
        looks += 1
        left = iter([100.0, 5.0])
        settle_budgets(world.settle_ports(), world.now, lambda left=left: next(left, 5.0))  # type: ignore[misc]
        assert looks < 20
    assert looks > 3
    assert used(world) == (0, in_the_ledger(world))


def test_a_list_that_is_gone_leaves_the_reservation_and_waits_for_a_person() -> None:
    world = midway()
    cancel(FIRST, control(world), "wrong", HAND, world.now)
    pinned = world.campaign(str(FIRST)).pinned
    world.lists.delete_version(pinned.key, pinned.version_id)
    world.now += DEAD
    for _ in range(2):
        assert [one for one, _ in world.settle().failed] == [FIRST]
        world.now += timedelta(minutes=5)
    (trouble,) = world.troubles.troubles()
    assert (trouble.kind, trouble.is_urgent) == (TroubleKind.UNCOUNTED, True)
    assert FIRST in world.campaigns.waiting()
    assert used(world)[0] > 0


# Faults


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.REQUEST_LOST])
@pytest.mark.parametrize("ended", ["closed", "cancelled"])
def test_wherever_it_dies_the_next_look_settles_once(fault: Fault, ended: str) -> None:
    def prepared() -> World:
        if ended == "closed":
            return played()
        made = midway(12)
        cancel(FIRST, control(made), "wrong", HAND, made.now)
        made.run_until_quiet()
        made.now += DEAD
        return made

    start = prepared()
    whole = start.copy()
    whole.tap = Tap()
    whole.settle()
    calls = len(whole.tap.calls)
    assert calls > 8
    for number in range(calls):
        world = start.copy()
        world.tap = Tap(fault_at(number, fault))
        with suppress(Killed, Exception):  # whatever it died of
            world.settle()
        world.tap = Tap()
        world.now += timedelta(minutes=5)
        world.settle()
        assert used(world) == used(whole) == (0 if ended == "cancelled" else 3_700, in_the_ledger(world))
        assert world.campaigns.reservations(FIRST) == whole.campaigns.reservations(FIRST)
        assert world.budgets.reserved() == whole.budgets.reserved()


def test_a_campaign_that_has_no_money_reserves_nothing() -> None:
    world = played([("a-1", "0.00", "0.00")])
    assert world.campaigns.reservations(FIRST) == list[Reservation]()
    assert world.settle().looked_at == 0
