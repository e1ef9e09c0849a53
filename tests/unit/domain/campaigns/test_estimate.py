"""What a campaign is said to cost, from its plan alone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from kulanz.domain.campaigns.campaign import Progress, State, StateChange
from kulanz.domain.campaigns.estimate import (
    Operation,
    Planned,
    delivery_calls,
    delivery_usd,
    estimate,
    expected_calls,
    least_seconds,
    time_left,
)
from kulanz.domain.campaigns.prices import PRICES
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.values import CAUSE, NOW, campaign

COUNTRY = Planned(rows=125_000_000, decisions=125_000_000, chunks=6_000)


def test_a_country_costs_close_to_what_its_writes_cost() -> None:
    made = estimate(COUNTRY, Operation("us-east-1", 100, 40_000), PRICES)

    assert made.usd < Decimal(82)
    assert made.calls.write_units * PRICES.prices["write_units"].usd_per_million / 1_000_000 > made.usd * 9 / 10


@pytest.mark.parametrize(
    ("operation", "limit"),
    [
        (Operation("us-east-1", 100, 0), "write units of one table"),
        (Operation("us-east-1", 100, 4_000), "TargetWriteRate"),
        (Operation("eu-central-1", 1, 0), "messages of one topic in eu-central-1"),
        (Operation("eu-south-2", 10, 0), "messages of one topic in eu-south-2"),
    ],
)
def test_the_narrowest_quota_is_named(operation: Operation, limit: str) -> None:
    calls = expected_calls(COUNTRY, operation.recipients_per_message)

    assert least_seconds(COUNTRY, calls, operation)[1] == limit


def test_a_prewarmed_table_takes_fifty_three_minutes() -> None:
    calls = expected_calls(COUNTRY, 100)

    assert least_seconds(COUNTRY, calls, Operation("us-east-1", 100, 0))[0] == 3_125


def test_lines_that_are_never_written_cost_no_write() -> None:
    rejected = expected_calls(Planned(rows=1_000, decisions=0, chunks=1), 100)

    assert rejected.insert_calls == 0
    assert rejected.topic_messages == 0


def test_every_price_has_its_source() -> None:
    for name, price in PRICES.prices.items():
        assert price.usd_per_million > 0, name
        assert price.source, name


def test_the_time_left_follows_from_the_receipts_so_far() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    while not (world.campaigns.changes and world.campaign(CAMPAIGN).plan.bytes_done):
        world.run(world.steps()[0])
    campaign = world.campaign(CAMPAIGN)
    log = world.campaigns.log(campaign.id)
    done, whole = campaign.plan.bytes_done, campaign.chunks.total_bytes

    left = time_left(campaign, log, log[0].at + timedelta(seconds=done))
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)

    assert left == timedelta(seconds=whole - done)
    assert campaign.state is State.CLOSED
    assert time_left(campaign, world.campaigns.log(campaign.id), world.now) is None


def test_of_an_execution_that_was_paused_the_rate_is_that_since_it_began() -> None:
    """All that is done was done since then: counted from the resume, it would be said to end far too soon."""
    log = [
        StateChange(number, NOW + timedelta(hours=hour), source, target, "a reason", CAUSE)
        for number, (hour, source, target) in enumerate(
            [
                (0, None, State.PLANNING),
                (10, State.PLANNING, State.AWAITING_APPROVAL),
                (30, State.AWAITING_APPROVAL, State.APPLYING),
                (35, State.APPLYING, State.PAUSED),
                (37, State.PAUSED, State.APPLYING),
            ],
            1,
        )
    ]
    whole = campaign().chunks.total_bytes
    running = replace(campaign(), state=State.APPLYING, plan=Progress(whole), apply=Progress(whole // 4))
    assert time_left(running, log, NOW + timedelta(hours=39)) == timedelta(hours=27)
    planning = replace(campaign(), plan=Progress(whole // 5), apply=Progress(whole))
    assert time_left(planning, log[:1], NOW + timedelta(hours=2)) == timedelta(hours=8)
    assert time_left(replace(running, apply=Progress()), log, NOW + timedelta(hours=39)) is None


def test_delivering_costs_at_most_two_write_units_a_credit_and_state_and_nearly_nothing_else() -> None:
    granted = 1_000_000
    calls = delivery_calls(granted, chunks=50)
    states = 2  # assigned, applied
    assert 2 * states * granted <= calls["write_units"] < 2 * states * granted + 50 * 100
    writes = PRICES.prices["write_units"].usd_per_million * calls["write_units"] / 1_000_000
    usd = delivery_usd(granted, 50, PRICES)
    assert writes < usd < Decimal(30)
    assert delivery_calls(0, chunks=1)["function_gb_seconds"] == 0
    assert delivery_usd(2 * granted, 100, PRICES) == pytest.approx(2 * usd, rel=Decimal("0.001"))
