"""An incident lives: it is declared, updated, resolved, amended or withdrawn, each time as a revision that stays."""

import json
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import WORKER_LONGEST, ControlPorts, settle
from kulanz.application.campaigns.open_campaign import Opening
from kulanz.application.incidents.incident_event import (
    FUNCTION_CHARACTERS,
    FUNCTIONS_PER_INCIDENT,
    TEXT_CHARACTERS,
    WINDOWS_PER_INCIDENT,
    read_incident_event,
)
from kulanz.domain.campaigns.campaign import Cause, Pass, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.gate.approval import ApprovalRefused
from kulanz.domain.incident_record import REVISIONS_REMEMBERED, Revision
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.notices import NOTICE_MESSAGE_BYTES, status_notice
from kulanz.domain.time import CLOCK_ALLOWANCE
from tests.support.faults import no_faults
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, meant, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_steps import CHANGES, Function, Step

OPEN_WINDOW = [{"start": "2026-02-27T08:00:00Z"}]
CLOSED_WINDOW = [{"start": "2026-02-27T08:00:00Z", "end": "2026-03-01T06:00:00Z"}]


def told(revision: int, kind: str, **changes: Any) -> dict[str, Any]:
    """An event that tells facts only."""
    changes.setdefault("windows", CLOSED_WINDOW)
    return event(rows=ROWS, detail_type=f"Incident {kind}", revision=revision, campaign=..., **changes)


def requested(revision: int = 1) -> dict[str, Any]:
    """An event that requests a campaign under a revision that was recorded as `told` tells it."""
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    digest = meant(windows=CLOSED_WINDOW)
    return event(rows=ROWS, detail_type="Campaign Requested", revision=revision, decision_digest=digest, **facts)


def world_after(*events: dict[str, Any]) -> World:
    world = small_world()
    for happened in events:
        world.publish(happened)
        world.run_until_quiet()
    return world


def run_until(world: World, campaign_id: str, state: State) -> None:
    """Let things happen until the campaign has reached a state."""
    while world.campaigns.all_campaigns() == [] or world.campaign(campaign_id).state is not state:
        world.run(world.steps()[0])


def withdraw_now(world: World, revision: int = 2) -> None:
    """The withdrawal is the next thing that happens."""
    world.publish(told(revision, "Withdrawn"))
    world.run(Step(Function.OPEN, len(world.events) - 1))


def test_every_revision_stays_with_what_it_told() -> None:
    world = world_after(
        told(1, "Declared", windows=OPEN_WINDOW, cause=None),
        told(2, "Updated", windows=OPEN_WINDOW, cause="partner"),
        told(3, "Resolved", cause="partner"),
    )
    revisions = world.campaigns.revisions(INCIDENT_ID)
    assert [revision.detail_type for revision in revisions] == [
        "Incident Declared", "Incident Updated", "Incident Resolved",
    ]  # fmt: skip
    assert [json.loads(revision.content)["cause"] for revision in revisions] == [None, "partner", "partner"]
    assert json.loads(revisions[0].content)["windows"][-1]["end"] is None
    assert world.rejected.sent == []


def test_customers_are_told_of_every_revision_once_under_a_stable_id() -> None:
    world = world_after(told(1, "Declared", windows=OPEN_WINDOW), told(2, "Resolved"))
    world.repeat_streams()
    world.run_until_quiet()
    contents = [json.loads(message.text) for message in world.topic.published]
    assert [content["kind"] for content in contents[:2]] == ["incident_declared", "incident_resolved"]
    assert contents[:2] == contents[2:]
    assert len({content["notice_id"] for content in contents}) == 2
    assert all(content["recipients"] == [] for content in contents)
    assert {message.audience.kind for message in world.topic.published} == {"incident_declared", "incident_resolved"}


def test_the_largest_incident_that_an_event_can_tell_fits_one_status_notice() -> None:
    text = "\U0001f4de"
    windows = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T09:00:00Z"}] * WINDOWS_PER_INCIDENT
    detail = told(
        1,
        "Declared",
        incident_id="i" * 64,
        title=text * TEXT_CHARACTERS,
        service=text * TEXT_CHARACTERS,
        cause=text * TEXT_CHARACTERS,
        functions=[text * FUNCTION_CHARACTERS] * FUNCTIONS_PER_INCIDENT,
        windows=windows,
    )["detail"]
    known = read_incident_event("billing", "Incident Declared", detail)
    assert known.content is not None
    revision = Revision("i" * 64, 1, "Incident Declared", known.content, "", small_world().now, "billing")
    assert len(status_notice(revision).text.encode()) <= NOTICE_MESSAGE_BYTES


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_whatever_order_revisions_come_in_the_record_is_the_same(order: tuple[int, ...]) -> None:
    events = [told(1, "Declared", windows=OPEN_WINDOW), told(2, "Updated", windows=OPEN_WINDOW), told(3, "Resolved")]
    world = world_after(*(events[place] for place in order))
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert record.highest_revision == 3
    assert [revision.number for revision in world.campaigns.revisions(INCIDENT_ID)] == [1, 2, 3]
    assert world.rejected.sent == []


def test_a_late_older_revision_is_recorded_and_its_campaign_is_refused_as_stale() -> None:
    world = world_after(told(2, "Updated"), event(rows=ROWS))
    assert [revision.number for revision in world.campaigns.revisions(INCIDENT_ID)] == [1, 2]
    assert [rejection.reason for rejection in world.rejected.sent] == ["revision_stale"]
    assert world.campaigns.all_campaigns() == []


def test_the_same_revision_with_other_content_is_a_conflict_and_changes_nothing() -> None:
    world = world_after(told(1, "Declared"), told(1, "Declared", cause="another"))
    assert [rejection.reason for rejection in world.rejected.sent] == ["revision_conflict"]
    (revision,) = world.campaigns.revisions(INCIDENT_ID)
    assert json.loads(revision.content)["cause"] == "power"


def test_a_repeated_revision_is_recorded_once() -> None:
    world = world_after(told(1, "Declared"), told(1, "Declared"))
    assert len(world.campaigns.revisions(INCIDENT_ID)) == 1
    assert world.rejected.sent == []


def test_a_resolved_incident_says_when_it_ended() -> None:
    world = world_after(told(1, "Resolved", windows=OPEN_WINDOW))
    assert [(rejection.reason, rejection.field) for rejection in world.rejected.sent] == [
        ("resolved_without_end", "detail.windows.0.end")
    ]
    assert world.campaigns.incident(INCIDENT_ID) is None


def test_withdrawn_before_any_credit_the_open_campaign_is_cancelled() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    run_until(world, CAMPAIGN, State.PLANNING)
    withdraw_now(world)
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CANCELLED
    assert campaign.state_reason.startswith("incident_withdrawn: revision 2")
    assert world.ledger.all_entries() == []
    assert [announced.detail_type for announced in world.announcer.after_the_gate] == ["Campaign Cancelled"]
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert record.open_seq is None


def test_withdrawn_while_credits_are_written_the_campaign_stops_and_waits_for_a_person() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    run_until(world, CAMPAIGN, State.APPLYING)
    while not world.ledger.all_entries():
        world.run(world.steps()[0])
    withdraw_now(world)
    written = world.ledger.all_entries()
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.FLAGGED
    assert world.ledger.all_entries() == written
    assert [announced.detail_type for announced in world.announcer.after_the_gate] == ["Campaign Flagged"]


def test_no_approval_starts_an_execution_while_a_withdrawal_looks_for_what_to_stop() -> None:
    """The withdrawal is recorded before anything is stopped, and the start looks at what is recorded."""
    world = small_world()
    world.publish(event(rows=ROWS))
    run_until(world, CAMPAIGN, State.PLANNING)
    while not world.campaign(CAMPAIGN).is_finished(Pass.PLAN):
        world.run(next(step for step in world.steps() if step.function is not Function.ADVANCE))

    def begin_first(_: int, name: str) -> None:
        if name == "campaigns.log":
            world.tap.choose = no_faults
            world.run(CHANGES)
            with pytest.raises(ApprovalRefused, match="withdrawn"):
                world.approve(world.campaign(CAMPAIGN).id, world.approvers[0])

    world.tap.choose = begin_first
    withdraw_now(world)

    assert world.caught == []
    assert world.campaign(CAMPAIGN).state is State.CANCELLED
    assert world.ledger.all_entries() == []


def test_settled_half_way_no_further_campaign_opens_while_its_workers_may_still_write() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    run_until(world, CAMPAIGN, State.APPLYING)
    while not world.ledger.all_entries():
        world.run(world.steps()[0])
    withdraw_now(world)
    ports = ControlPorts(world.campaigns, world.chunks, world.stores)
    settle(world.campaign(CAMPAIGN).id, ports, "looked at", Cause("a person", "a ticket", "7"), world.now)
    for _ in range(2):
        world.publish(told(3, "Declared"))
        world.publish(requested(3))
        world.run_until_quiet()
        world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    assert world.openings[-4:] == [Opening.KEPT, Opening.RECORDED, Opening.OPENED, Opening.REPEATED]
    assert world.rejected.sent == []
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED


def test_withdrawn_after_the_close_the_campaign_is_flagged_and_nothing_is_taken_back() -> None:
    world = world_after(event(rows=ROWS))
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    written = world.ledger.all_entries()
    withdraw_now(world)
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.FLAGGED
    assert "none is taken back" in campaign.state_reason
    assert world.ledger.all_entries() == written
    assert [announced.detail_type for announced in world.announcer.after_the_gate] == [
        "Campaign Closed",
        "Campaign Flagged",
    ]


def test_a_withdrawal_that_comes_twice_changes_nothing_the_second_time() -> None:
    world = world_after(event(rows=ROWS), told(2, "Withdrawn"))
    log = world.campaigns.log(world.campaign(CAMPAIGN).id)
    world.publish(told(2, "Withdrawn"))
    world.run_until_quiet()
    assert world.campaigns.log(world.campaign(CAMPAIGN).id) == log
    assert world.rejected.sent == []


def test_a_withdrawal_that_comes_again_after_a_person_has_settled_it_stops_nothing() -> None:
    world = world_after(event(rows=ROWS), told(2, "Withdrawn"))
    campaign_id = world.campaign(CAMPAIGN).id
    ports = ControlPorts(world.campaigns, world.chunks, world.stores)
    settle(campaign_id, ports, "customers keep it", Cause("a person", "a ticket", "7"), world.now)
    log = world.campaigns.log(campaign_id)
    world.publish(told(2, "Withdrawn"))
    world.run_until_quiet()
    assert world.campaigns.log(campaign_id) == log

    world.publish(told(3, "Declared"))
    world.publish(told(4, "Withdrawn"))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.FLAGGED, "another withdrawal is another matter"


def test_a_withdrawal_that_a_later_revision_has_overtaken_stops_nothing() -> None:
    world = world_after(told(1, "Declared"), told(3, "Amended"), requested(3), told(2, "Withdrawn"))
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert [revision.number for revision in world.campaigns.revisions(INCIDENT_ID)] == [1, 2, 3]


def test_a_withdrawn_incident_credits_nobody_until_it_is_declared_again() -> None:
    world = world_after(told(1, "Declared"), told(2, "Withdrawn"), requested(2))
    assert [rejection.reason for rejection in world.rejected.sent] == ["incident_withdrawn"]
    world.publish(told(3, "Declared"))
    world.publish(requested(3))
    world.run_until_quiet()
    assert world.openings[-1] is Opening.OPENED
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_a_withdrawal_requests_no_campaign() -> None:
    world = world_after(told(1, "Declared"), event(rows=ROWS, detail_type="Incident Withdrawn", revision=2))
    assert [rejection.reason for rejection in world.rejected.sent] == ["withdrawal_with_campaign"]
    assert len(world.campaigns.revisions(INCIDENT_ID)) == 1


PER_HOUR = """
kulanz: 1
id: per-hour
version: 1
title: One euro for each hour
zone: Europe/Berlin
currency: EUR
facts:
  hit: yes_no
who:
  - decline: not_hit
    unless: hit
pay: total(outage) / 1 h * 1.00 EUR
"""
HIT = b"account_id,hit\na-1,yes\na-2,yes\na-3,no\n"


def amended(world: World, revision: int, hours: int) -> str:
    """A revision with so many hours of outage, its campaign decided."""
    window = {"start": "2026-02-27T08:00:00Z", "end": f"2026-02-27T{8 + hours:02d}:00:00Z"}
    kind = "Incident Declared" if revision == 1 else "Incident Amended"
    key = "lists/hit.csv"
    told_with_campaign = event(
        key=key, rows=3, policy="per-hour", detail_type=kind, revision=revision, windows=[window]
    )  # fmt: skip
    world.publish(told_with_campaign)
    world.run_until_quiet()
    campaign = world.campaign(f"{INCIDENT_ID}/{revision}")
    assert campaign.state is State.CLOSED, campaign.state_reason
    return str(campaign.id)


def granted_by(world: World, campaign_id: str) -> dict[str, int]:
    """What a campaign granted, in cents, by account."""
    entries = [entry for entry in world.ledger.all_entries() if str(entry.key.campaign) == campaign_id]
    benefits = {entry.key.account_id: read_decision(entry.body).benefits for entry in entries}
    return {
        account: money.minor
        for account, found in benefits.items()
        for money in [benefit.money for benefit in found]
        if money is not None
    }


def test_an_amended_incident_is_decided_again_and_grants_the_difference_only() -> None:
    world = small_world()
    world.policies.publish("per-hour", 1, sealed_policy(PER_HOUR))
    world.lists.upload("lists/hit.csv", HIT)
    assert granted_by(world, amended(world, 1, hours=4)) == {"a-1": 400, "a-2": 400}
    assert granted_by(world, amended(world, 2, hours=6)) == {"a-1": 200, "a-2": 200}
    before = world.ledger.all_entries()
    assert granted_by(world, amended(world, 3, hours=2)) == {}, "what was granted is never taken back"
    assert world.ledger.all_entries() == before
    found = world.campaign(f"{INCIDENT_ID}/3").plan.totals
    assert {row_result.value: lines for (row_result, _), lines in found.results().items()} == {
        "overpaid": 2, "unchanged": 1,
    }  # fmt: skip
    assert found.worth() == {(RowResult.OVERPAID, "EUR"): 2 * (600 - 200)}, "and it is said how much that is"


# Many revisions


def test_a_thousand_leaps_do_not_freeze_an_incident() -> None:
    """Whoever may record incidents took the revision to its highest number; then nothing could withdraw it."""
    world = world_after(told(1, "Declared"))
    for number in range(1_000, 1_000_001, 1_000):
        world.publish(told(number, "Updated", source="incidents"))
    world.run_until_quiet(steps_most=100_000)
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert record.highest_revision == 1_000_000
    assert len(record.revision_digests) <= REVISIONS_REMEMBERED
    world.publish(requested(1_000_000))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    world.publish(told(1_000_001, "Amended", cause="storm"))
    world.publish(told(1_000_002, "Withdrawn"))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.FLAGGED
    assert world.rejected.sent == []


def test_an_old_event_that_the_record_has_forgotten_stays_without_effect() -> None:
    events = [told(number, "Updated") for number in range(1, REVISIONS_REMEMBERED + 30)]
    world = world_after(*events)
    before = world.campaigns.incident(INCIDENT_ID)
    for event_again in events:
        world.publish(event_again)
    world.run_until_quiet()
    assert world.campaigns.incident(INCIDENT_ID) == before
    assert (world.rejected.sent, world.dead_letters) == ([], [])
    world.publish(told(3, "Updated", cause="another"))
    world.run_until_quiet()
    assert [rejection.reason for rejection in world.rejected.sent] == ["revision_conflict"]
    assert world.campaigns.incident(INCIDENT_ID) == before
