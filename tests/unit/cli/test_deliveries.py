"""`kulanz deliveries`: what was delivered to billing, and what of a campaign is not."""

import json
from typing import Any

import pytest

from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_stack import WorldStack, run
from tests.unit.application.door.test_deliveries import settled


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
    assert "160 call minutes" in text
    found: dict[str, Any] = json.loads(run(stack, "deliveries", *words, "--json").stdout)
    assert [one["delivery"] for one in found["deliveries"]] == ["billing/1"]
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


def test_without_an_option_it_shows_what_is_not_sent(stack: WorldStack) -> None:
    shown = run(stack, "deliveries")
    assert (shown.exit_code, read(shown.stdout)) == (
        0,
        "no delivery waits to be sent; to see those of a channel: kulanz deliveries --channel CHANNEL",
    )


def test_what_is_not_delivered_says_why_and_exits_with_1() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    shown = run(WorldStack(world), "deliveries", "--campaign", CAMPAIGN)
    assert shown.exit_code == 1
    text = read(shown.stdout)
    assert "to be booked: " in text
    assert "not delivered: no channel to billing was set up" in text


@pytest.mark.parametrize("words", [("--one", "billing"), ("--channel", "Billing"), ("--one", "a/1", "--channel", "a")])
def test_what_names_no_delivery_is_said(stack: WorldStack, words: tuple[str, ...]) -> None:
    shown = run(stack, "deliveries", *words)
    assert shown.exit_code == 2


def test_credits_are_published_again_by_one_command() -> None:
    world = small_world(channel=Channel.from_text("billing:topic"))
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    stack, once = WorldStack(world), len(world.credits_topic.published)
    assert run(stack, "deliveries").exit_code == 0
    shown = run(stack, "resend", CAMPAIGN, "--reason", "the queue of billing was lost")
    assert shown.exit_code == 0
    assert "credits are published again, under the same ids" in read(shown.stdout)
    assert "billing/1: 0 of " in read(run(stack, "deliveries", "--one", "billing/1").stdout)
    world.run_until_quiet()
    assert len(world.credits_topic.published) == 2 * once > 0
    assert "published" not in read(run(stack, "deliveries", "--one", "billing/1").stdout)


def test_what_went_into_files_is_not_published_again(stack: WorldStack) -> None:
    shown = run(stack, "resend", CAMPAIGN, "--reason", "a try")
    assert shown.exit_code == 3
    assert "a channel that is a topic" in read(shown.output)


def test_what_is_kept_back_is_listed_with_what_to_type_next_and_ends_with_1() -> None:
    world = settled()
    stack = WorldStack(world)
    stack.served.troubles = world.troubles
    shown = run(stack, "deliveries")
    assert shown.exit_code == 1
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert f"of {CAMPAIGN}, closed since " in read(shown.stdout)
    assert f"kulanz deliver {CAMPAIGN} --reason TEXT, or kulanz void {CAMPAIGN}" in read(shown.stdout)
    assert json.loads(run(stack, "deliveries", "--json").stdout)["kept_back"][0]["campaign"] == CAMPAIGN
    assert run(stack, "deliver", CAMPAIGN, "--reason", "looked at").exit_code == 0
    assert "kept back" not in run(stack, "deliveries").stdout


def test_while_a_part_is_not_published_a_delivery_says_how_many_are_and_exits_with_1() -> None:
    world = small_world(channel=Channel.from_text("billing:topic"))
    world.publish(event(rows=ROWS))
    while not (found := list(world.deliveries.of_channel("billing"))) or found[0].state is not DeliveryState.PUBLISHING:
        world.run(world.steps()[0])
    stack = WorldStack(world)
    for words in ((), ("--channel", "billing"), ("--one", "billing/1")):
        shown = run(stack, "deliveries", *words)
        assert shown.exit_code == 1, words
        assert f"billing/1: 0 of {found[0].parts} parts published" in read(shown.stdout)
    world.run_until_quiet()
    for words in ((), ("--channel", "billing"), ("--one", "billing/1")):
        shown = run(stack, "deliveries", *words)
        assert (shown.exit_code, "published" in shown.stdout) == (0, False), words
