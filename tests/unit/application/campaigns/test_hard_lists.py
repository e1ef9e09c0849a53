"""Lists that a nationwide campaign meets sooner or later: nothing wrong is granted, nothing right is lost."""

from collections.abc import Callable

import pytest

from kulanz.application.campaigns.open_campaign import Opening
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.lists.lines import LINE_SCAN_BYTES
from tests.support.small_campaign import CAMPAIGN, HEADER, LIST_KEY, event, list_of, row, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_steps import Function, Step

GOOD_ROWS = [row(f"a-{number}") for number in range(20)]


def run(content: bytes, rows: int, **settings: int) -> World:
    world = small_world(content, **settings)
    world.publish(event(rows=rows))
    world.run_until_quiet()
    return world


def granted(world: World) -> set[str]:
    return {entry.key.account_id for entry in world.ledger.inserted}


def test_a_header_repeated_in_the_middle_is_a_rejected_row() -> None:
    world = run(list_of([*GOOD_ROWS[:10], HEADER, *GOOD_ROWS[10:]]), 21)

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED
    assert granted(world) == {f"a-{number}" for number in range(20)}
    assert campaign.apply.totals.results()[RowResult.REJECTED, "header_repeated"] == 1


@pytest.mark.parametrize(
    "again", [b"account_id,name", b"\xef\xbb\xbfaccount_id,name", b'"account_id","name"', b"name,account_id"]
)
def test_two_lists_in_one_file_credit_no_account_of_the_name_of_its_column(again: bytes) -> None:
    """Where a policy asks for no facts, only its first cell tells a header from a row."""
    world = World()
    world.policies.publish("flat", 1, sealed_policy("kulanz: 1\nid: flat\nversion: 1\ntitle: Flat\npay: 5.00 EUR\n"))
    world.lists.upload("lists/two.csv", b"\n".join([b"account_id,name", b"a-1,x", again, b"a-2,y"]))
    world.publish(event(key="lists/two.csv", rows=3, policy="flat"))
    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED
    assert granted(world) == {"a-1", "a-2"}
    assert (
        sum(n for (row_result, _), n in campaign.plan.totals.results().items() if row_result is RowResult.REJECTED) == 1
    )


def test_ten_thousand_columns_are_refused_before_anything_is_read() -> None:
    header = HEADER + b"".join(b",c%d" % number for number in range(9_994))
    world = run(list_of([b"a-1,consumer,yes,1.00,de,x" + b"," * 9_994], header=header), 1)

    assert world.openings == [Opening.REJECTED]
    assert world.rejected.sent[0].reason == "too_many_columns"
    assert "10000" in world.rejected.sent[0].message


def test_a_list_that_is_one_enormous_line_is_refused_with_where_it_begins() -> None:
    world = run(list_of([b"x" * (LINE_SCAN_BYTES + 300_000)]), 1, chunk_bytes=2 * LINE_SCAN_BYTES)

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.REFUSED
    assert campaign.state_reason.startswith(f"line_endless: the line at byte {len(HEADER) + 1} ")
    assert granted(world) == set()


@pytest.mark.parametrize("shift", range(4))
def test_a_range_that_starts_inside_a_character_loses_and_repeats_no_row(shift: int) -> None:
    rows = [row(f"a-{number}").replace(b"x" * 1_800, "😀".encode() * 450) for number in range(20)]
    world = run(list_of(rows), 20, chunk_bytes=1_001 + shift)

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert sorted(entry.key.account_id for entry in world.ledger.inserted) == sorted(f"a-{n}" for n in range(20))


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_list_overwritten_under_way_is_read_as_it_was_pinned(state: State) -> None:
    world = small_world(list_of(GOOD_ROWS))
    world.publish(event(rows=20))
    while (found := world.campaigns.campaign(CampaignId.parse(CAMPAIGN))) is None or found.state is not state:
        world.run(world.steps()[0])

    world.lists.upload(LIST_KEY, list_of([row("somebody-else"), *GOOD_ROWS]))
    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert granted(world) == {f"a-{number}" for number in range(20)}


@pytest.mark.parametrize("moment", ["campaigns.record_revision", "lists.pin", "policies.fetch", "campaigns.open"])
def test_two_events_at_once_open_one_campaign(moment: str) -> None:
    """The second event is acted on whole while the first stands at `moment`; both name other lists."""
    world = small_world(list_of(GOOD_ROWS))
    world.lists.upload("lists/other.csv", list_of(GOOD_ROWS[:5]))
    world.publish(event(rows=20))
    world.publish(event(rows=5, key="lists/other.csv"))
    happen_at(world, moment, lambda: world.run(open_step(world)))

    world.run(open_step(world))
    world.run_until_quiet()

    assert sorted(world.openings) == sorted([Opening.OPENED, Opening.REJECTED])
    assert world.rejected.sent[0].reason in ("incident_occupied", "revision_conflict")
    assert len(world.campaigns.campaigns_of("net-outage")) == 1
    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED
    assert len(granted(world)) == campaign.rows_announced


def test_one_event_delivered_twice_at_once_opens_one_campaign() -> None:
    world = small_world(list_of(GOOD_ROWS))
    for _ in range(2):
        world.publish(event(rows=20))
    happen_at(world, "campaigns.open", lambda: world.run(open_step(world)))

    world.run(open_step(world))
    world.run_until_quiet()

    assert sorted(world.openings) == sorted([Opening.OPENED, Opening.REPEATED])
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert len(world.ledger.inserted) == 20


def open_step(world: World) -> Step:
    return next(step for step in world.steps() if step.function is Function.OPEN)


def happen_at(world: World, moment: str, act: Callable[[], object]) -> None:
    """Let something happen once, right before the first call of that name."""
    is_done = False

    def choose(_: int, name: str) -> None:
        nonlocal is_done
        if name == moment and not is_done:
            is_done = True
            act()

    world.tap.choose = choose


def test_a_row_that_a_spreadsheet_left_empty_is_no_row() -> None:
    """Excel writes the emptied rows at the end of a sheet as commas."""
    world = run(list_of([row("a-1"), b",,,,,\r", b" , ,,,, ", row("a-2"), b",,,,,"]), 2)

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED
    assert granted(world) == {"a-1", "a-2"}
    assert campaign.plan.totals.results()[RowResult.BLANK, "blank"] == 3
