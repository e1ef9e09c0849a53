"""An export of the ledger: from which line on nothing is counted, and each decision with its own instants and sums."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, Cursor, Pass, State
from kulanz.domain.exports.figures import Written
from tests.support.by_hand import decide, door_of
from tests.support.exporting import ask, executed, exported, planned, rows, work
from tests.support.fakes import FakeCampaigns
from tests.support.small_campaign import (
    CAMPAIGN,
    HEADER,
    INCIDENT_ID,
    LIST_KEY,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import World
from tests.unit.application.cases.test_conflicts_and_rejected import LINES
from tests.unit.application.cases.test_conflicts_and_rejected import closed as with_conflicts
from tests.unit.application.exports.test_exports import OFFER, accept, decided

ID = CampaignId.parse(CAMPAIGN)


@pytest.mark.parametrize("reached", [*range(10), None])
def test_every_line_from_the_one_on_that_the_execution_had_reached_is_counted_by_no_receipt(
    monkeypatch: pytest.MonkeyPatch, reached: int | None
) -> None:
    """A decision behind it stands uncounted, and of a line without a decision nothing is said; to the very line."""
    starts = [len(HEADER) + 1 + sum(len(one) + 1 for one in list(LINES.values())[:number]) for number in range(10)]
    world = with_conflicts()
    assert len(LINES) == 9
    assert decide(door_of(world), "b-d", row=starts[5]).status == 200, "a row that cannot be read"
    before = {one["line"]: one for one in rows(world, exported(world, CAMPAIGN, "whole"))}
    cursor = FakeCampaigns.cursor

    def stopped(self: FakeCampaigns, campaign_id: CampaignId, work: Pass, chunk: int) -> Cursor | None:
        found = cursor(self, campaign_id, work, chunk)
        if work is not Pass.APPLY or found is None:
            return found
        return None if reached is None else replace(found, position=starts[reached], finished=False)

    monkeypatch.setattr(FakeCampaigns, "cursor", stopped)
    found = {one["line"]: one for one in rows(world, exported(world, CAMPAIGN, "stopped"))}
    assert found.keys() == before.keys()
    for line, one in found.items():
        if line <= (reached or 0):
            assert one == before[line]
        elif before[line]["written"] == Written.YES and before[line]["result"] != "rejected":
            assert one == before[line] | {"written": "uncounted"}
        else:
            assert (one["result"], one["reason"], one["written"]) == ("not_written", "", "no")


def test_each_decision_by_hand_has_its_own_row_also_where_all_else_is_alike() -> None:
    world = small_world(list_of([row(f"held-{number}", fee="") for number in range(3)]))
    world.publish(event(rows=3))
    world.run_until_quiet()
    door, now = door_of(world), world.now
    for number, fee in enumerate(("20.00", "30.00", "40.00")):
        world.now = now
        reply = decide(door, f"held-{number}", name=f"d-{number}", facts={"fee": fee})
        assert reply.status == 200, reply.content
    found = [one for one in rows(world, exported(world, CAMPAIGN)) if one["currency"] == "EUR"]
    assert [(one["account"], one["amount"]) for one in found] == [
        ("held-0", "2.00"), ("held-1", "3.00"), ("held-2", "4.00"),
    ]  # fmt: skip
    assert [sum(float(one[name] or 0) for name in ("open", "used")) for one in found] == [2.0, 3.0, 4.0]


def test_each_accepted_offer_has_the_instant_of_its_own_acceptance() -> None:
    world = World()
    world.policies.publish("offer", 1, sealed_policy(OFFER))
    world.lists.upload("lists/two.csv", b"account_id,fee\na-1,10.00\na-2,10.00\n")
    world.publish(event(key="lists/two.csv", rows=2, policy="offer"))
    world.run_until_quiet()
    instants = []
    for account in ("a-1", "a-2"):
        world.now += timedelta(hours=1)
        instants.append(world.now)
        accept(world, account)
    found = list(rows(world, exported(world, CAMPAIGN)))
    assert [one["accepted_at"][:19] for one in found] == [at.isoformat()[:19] for at in instants]
    assert [one["valid_from"][:19] for one in found] == [at.isoformat()[:19] for at in instants]


def test_an_offer_that_a_later_campaign_ended_says_so_though_its_own_end_is_to_come() -> None:
    world = decided(OFFER, "offer")
    assert {one["status"] for one in rows(world, exported(world, CAMPAIGN, "before"))} == {"offered"}
    world.publish(event(key="lists/two.csv", rows=2, policy="offer", revision=2))
    world.run_until_quiet()
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    assert {one["status"] for one in rows(world, exported(world, CAMPAIGN, "after"))} == {"offer_ended"}
    assert {one["status"] for one in rows(world, exported(world, f"{INCIDENT_ID}/2"))} <= {"offered", ""}


def test_a_worker_logs_why_an_export_cannot_be_finished_by_its_code_alone() -> None:
    """The sentence names what was deleted; a log line has no value of anybody."""
    world = executed()
    export = ask(world, CAMPAIGN)
    world.lists.delete_version(LIST_KEY, world.campaign(CAMPAIGN).pinned.version_id)
    assert work(world, world.export_queue.sent[0]).failed == "list_version_gone"
    stored = world.exports.export(export.campaign, export.id)
    assert stored is not None
    assert stored.failed.startswith("list_version_gone: ")


def test_an_offer_that_was_accepted_before_acceptances_were_stored_began_with_its_decision() -> None:
    """Then the item's own instant is that of the acceptance. What waits, or was granted at once, has none."""
    world = decided(OFFER, "offer")
    world.now += timedelta(hours=1)
    accept(world, "a-1")
    (entry,) = world.ledger.of_account("a-1")
    world.ledger.replace_entry(replace(entry, accepted_at=None, effective_at=world.now))
    accepted, waits = rows(world, exported(world, CAMPAIGN))
    assert (accepted["accepted_at"][:19], accepted["status"]) == (world.now.isoformat()[:19], "granted")
    assert (waits["accepted_at"], waits["status"]) == ("", "offered")
    at_once = with_conflicts()
    assert {one["accepted_at"] for one in rows(at_once, exported(at_once, CAMPAIGN))} == {""}


def test_an_export_of_a_plan_names_the_first_and_the_last_byte_that_is_decided_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = planned()
    filed = world.campaigns.receipts
    bounds = list[tuple[int, int]]()

    def altered(*arguments: Any, **named: Any) -> Any:
        for receipt in filed(*arguments, **named):
            bounds.append((receipt.start, receipt.stretches[0].end))
            other = tuple(one._replace(digest=b"another decision") for one in receipt.stretches)
            object.__setattr__(receipt, "stretches", other)
            yield receipt

    monkeypatch.setattr(world.campaigns, "receipts", altered)
    says = exported(world, CAMPAIGN).failed
    assert says in {
        f"decided_otherwise: bytes {start} to {end - 1} of the list do not come to what the plan says; replan it"
        for start, end in bounds
    }
