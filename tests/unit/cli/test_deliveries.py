"""`kulanz deliveries`: what was delivered to billing, and what of a campaign is not."""

import json
from typing import Any

import pytest

from kulanz.domain.delivery.channel import Channel
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_stack import WorldStack, run


@pytest.fixture(scope="module")
def stack() -> WorldStack:
    world = small_world(channel=Channel("billing"))
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return WorldStack(world)


@pytest.mark.parametrize("words", [("--channel", "billing"), ("--one", "billing/1"), ("--campaign", CAMPAIGN)])
def test_a_delivery_is_shown_with_its_sums(stack: WorldStack, words: tuple[str, ...]) -> None:
    shown = run(stack, "deliveries", *words)
    assert shown.exit_code == 0
    text = read(shown.stdout)
    assert "billing/1" in text
    assert "sent" in text
    assert "call_minute" in text
    found: dict[str, Any] = json.loads(run(stack, "deliveries", *words, "--json").stdout)
    assert [one["delivery"] for one in found["deliveries"]] == ["billing/1"]
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


def test_without_an_option_it_shows_what_is_not_sent(stack: WorldStack) -> None:
    shown = run(stack, "deliveries")
    assert (shown.exit_code, read(shown.stdout)) == (0, "no delivery")


def test_what_is_not_delivered_says_why_and_exits_with_1() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    shown = run(WorldStack(world), "deliveries", "--campaign", CAMPAIGN)
    assert shown.exit_code == 1
    text = read(shown.stdout)
    assert "to be booked: " in text
    assert "not delivered: its plan names no channel" in text


@pytest.mark.parametrize("words", [("--one", "billing"), ("--channel", "Billing"), ("--one", "a/1", "--channel", "a")])
def test_what_names_no_delivery_is_said(stack: WorldStack, words: tuple[str, ...]) -> None:
    shown = run(stack, "deliveries", *words)
    assert shown.exit_code == 2
