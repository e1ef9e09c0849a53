"""How long a worker waits for its pace, and which of the lines with the same amount is named: the first."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.campaigns.advance_campaign import add_up
from kulanz.application.campaigns.apply_chunk import ApplyRun
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from tests.support import yearly_cap
from tests.support.small_campaign import CAMPAIGN, HEADER, event, list_of, row, small_world


@pytest.mark.parametrize(
    ("units", "pace", "spent", "waits"),
    [
        (10, 4.0, 0.0, [2.5]),
        (10, 4.0, 0.5, [2.0]),
        (10, 4.0, 2.5, [0.0]),
        (10, 4.0, 9.0, [0.0]),
        (10, 0.0, 0.0, []),
    ],
)
def test_a_worker_waits_for_its_pace_less_what_its_writes_took_themselves(
    units: int, pace: float, spent: float, waits: list[float]
) -> None:
    waited: list[float] = []
    run: Any = SimpleNamespace(
        settings=SimpleNamespace(units_per_second=pace), clock=SimpleNamespace(wait=waited.append)
    )  # fmt: skip
    ApplyRun._pace(run, units, spent)
    assert waited == waits


def test_of_the_lines_with_one_amount_the_first_is_named() -> None:
    world = small_world(list_of([row("a-3", fee="20.00"), row("a-1", fee="20.00"), row("a-2", fee="20.00")]))
    world.publish(event(rows=3))
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    _, measured, _ = add_up(campaign, world.campaigns.receipts(CampaignId.parse(CAMPAIGN), Pass.PLAN))
    found = {(one.offset, one.lines) for amounts in measured.commitment.in_order().values() for one in amounts}
    assert found == {(len(HEADER) + 1, 3)}


def test_so_it_is_where_the_plan_reads_what_earlier_incidents_gave() -> None:
    made = yearly_cap.world(chunk_bytes=4_096)
    content = b"account_id,fee,excluded\na-3,20.00,no\na-1,20.00,no\na-2,20.00,no\n"
    made.lists.upload("lists/same.csv", content)
    made.publish(yearly_cap.incident("in-1", yearly_cap.outage(2), key="lists/same.csv", rows=3))
    made.run_until_quiet()
    campaign = made.campaign("in-1/1")
    _, measured, _ = add_up(campaign, made.campaigns.receipts(CampaignId("in-1", 1), Pass.PLAN))
    found = {(one.offset, one.lines) for amounts in measured.commitment.in_order().values() for one in amounts}
    assert found == {(content.index(b"a-3"), 3)}
