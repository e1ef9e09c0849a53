"""Rows that an approver reads are drawn by the plan's hash alone, and decided as the campaign will write them."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.cases.case import CasePorts
from kulanz.application.cases.sample_plan import SAMPLE_ROWS, places, sample_of
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.ledger.former_accounts import DECIDED_UNDER_FORMER_ID
from tests.support.console_browser import settled
from tests.support.small_campaign import CAMPAIGN, HEADER, INCIDENT_ID, ROWS, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.support.world_people import to_approve

SEGMENTS = ("consumer", "consumer", "prepaid", "business", "")


def planned(rows: int) -> World:
    lines = [row(f"a-{number}", SEGMENTS[number % 5], fee=f"{number}.90") for number in range(rows)]
    world = small_world(list_of(lines))
    world.publish(event(rows=rows))
    return settled(world, lambda one: bool(to_approve(one)))


def sample(world: World, plan_hash: str) -> list[tuple[str, object]]:
    ports = CasePorts(world.campaigns, WorldDoor(world).lists, world.ledger, world.cases)
    return [(one.account_id, one.decision) for one in sample_of(world.campaign(CAMPAIGN), plan_hash, ports)]


def test_twenty_rows_of_the_plan_are_decided_as_the_ledger_will_have_them() -> None:
    world = planned(60)
    drawn = sample(world, "a" * 64)
    assert len({account for account, _ in drawn}) == len(drawn) == SAMPLE_ROWS
    assert sample(world, "a" * 64) == drawn, "every approver of a plan reads the same rows"
    assert sample(world, "b" * 64) != drawn
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    written = {entry.key.account_id: read_decision(entry.body) for entry in world.ledger.all_entries()}
    assert {account: written[account] for account, _ in drawn} == dict(drawn)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_of_a_short_list_each_row_comes_once(rows: int) -> None:
    drawn = [account for account, _ in sample(planned(rows), "c" * 64)]
    assert drawn == [f"a-{number}" for number in range(rows)]


def test_a_line_that_is_no_row_is_no_sample() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    settled(world, lambda one: bool(to_approve(one)))
    accounts = {account for number in range(5) for account, _ in sample(world, f"{number}" * 64)}
    assert "granted-1" in accounts
    assert not {account for account in accounts if account.startswith("bad-")}


@given(plan_hash=st.text(min_size=1), start=st.integers(0, 10**9), size=st.integers(1, 10**12))
def test_a_place_lies_in_the_list(plan_hash: str, start: int, size: int) -> None:
    drawn = list(islice(places(plan_hash, start, start + size), 5))
    assert all(start <= one < start + size for one in drawn)
    assert drawn == list(islice(places(plan_hash, start, start + size), 5))


def test_every_row_of_a_list_is_drawn_about_as_often() -> None:
    drawn = list(islice(places("d" * 64, 100, 200), 10_000))
    counts = [sum(100 + 10 * tenth <= one < 110 + 10 * tenth for one in drawn) for tenth in range(10)]
    assert all(850 < count < 1_150 for count in counts), counts


WAS = HEADER + b",account_was,account_since"


def further(*lines: bytes) -> World:
    """A further plan of an incident that a campaign has decided, waiting for its approver."""
    first = small_world(
        list_of([row("same"), row("more", fee="10.00"), row("old-1"), row("old-2", fee=""), row("old-3")])
    )
    first.publish(event(rows=5))
    first.run_until_quiet()
    first.lists.upload("lists/further.csv", list_of(list(lines), WAS))
    first.publish(event(key="lists/further.csv", rows=len(lines), detail_type="Incident Amended", revision=2))
    return settled(first, lambda one: bool(to_approve(one)))


def test_rows_of_a_further_plan_are_shown_less_what_stands_also_under_a_former_id() -> None:
    since = b",2026-02-28T00:00:00Z"
    world = further(
        row("same") + b",,", row("more", fee="30.00") + b",,", row("new-1") + b",old-1" + since,
        row("new-2", fee="") + b",old-2" + since, row("new-3", fee="40.00") + b",old-3" + since,
        row("open-1", fee="") + b",,",
        row("fresh", fee="1.00") + b",never" + since,
    )  # fmt: skip
    ports = CasePorts(world.campaigns, WorldDoor(world).lists, world.ledger, world.cases)
    found = {one.account_id: one for one in sample_of(world.campaign(f"{INCIDENT_ID}/2"), "a" * 64, ports)}
    came = {
        name: None if one.decision is None else (one.decision.outcome.value, one.decision.reason, [
            (benefit.money.minor, benefit.money.currency) if benefit.money else (benefit.quantity, benefit.unit)
            for benefit in one.decision.benefits])
        for name, one in found.items()
    }  # fmt: skip
    assert came == {
        "same": None,
        "more": ("granted", "credit", [(200, "EUR")]),
        "new-1": ("declined", DECIDED_UNDER_FORMER_ID, []),
        "new-2": ("held", "fee_unknown", []),
        "new-3": ("granted", "credit", [(101, "EUR")]),
        "open-1": ("held", "fee_unknown", []),
        "fresh": ("granted", "credit", [(10, "EUR"), ("20", "call_minute")]),
    }
    before = {"same": "2.99", "more": "1.00", "new-1": "2.99", "new-3": "2.99"}
    for name, one in found.items():
        says = f"Granted before for this incident: {before.get(name)} EUR, 20 call minutes. It is set off"
        assert one.steps[-1].startswith(says) is (name in before), (name, one.steps[-1])
    assert [one.offset for one in found.values()] == sorted(one.offset for one in found.values())
