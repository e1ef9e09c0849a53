"""`kulanz halt` and `lift`: what a person is told, and what comes of it."""

import json

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.trouble import TroubleKind
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, list_of, row, small_world
from tests.support.world import ANNA, World
from tests.support.world_door import BERT
from tests.support.world_stack import WorldStack, run


def applying() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    return world


def test_a_halt_is_set_shown_and_lifted_by_two_persons() -> None:
    world = applying()
    stack = WorldStack(world)
    assert "not halted" in run(stack, "halt").stdout
    told = run(stack, "halt", "--reason", "amounts ten times too large").stdout
    assert "the stack is halted (halt 1) since" in told
    assert "amounts ten times too large" in read(told)
    assert "kulanz lift by 2 more persons" in read(told)
    written = len(world.ledger.inserted)
    world.run_until_quiet()
    assert len(world.ledger.inserted) == written

    assert "the stack is halted since" in read(run(stack, "campaigns").stdout)
    again = run(stack, "halt", "--reason", "again")
    assert again.exit_code == 3
    assert "kulanz lift by 1 more person" in read(run(stack, "lift", "--reason", "corrected").stdout)
    assert run(stack, "lift", "--reason", "corrected").exit_code == 3, "one person is not two"
    stack.desk = BERT
    assert "not halted" in run(stack, "lift", "--reason", "corrected").stdout
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert "the stack is halted (halt 2) since" in run(stack, "halt", "--reason", "again").stdout


def test_that_one_person_alone_approved_is_the_first_line_also_while_the_stack_is_halted() -> None:
    world = small_world(list_of([row("a-1")]), approvers=())
    world.publish(event(rows=1))
    world.run_until_quiet()
    world.approve(CampaignId.parse(CAMPAIGN), ANNA, break_glass="nobody else is awake")
    world.run_until_quiet()
    stack = WorldStack(world)
    listed = run(stack, "campaigns")
    assert listed.exit_code == 1, "no campaign waits for a person"
    assert read(listed.stdout).startswith(f"glass_broken {CAMPAIGN} since ")
    run(stack, "halt", "--reason", "amounts ten times too large")
    world.troubles.note(TroubleKind.STATUS, "another-incident", world.now)
    lines = [line for line in run(stack, "campaigns").stdout.splitlines() if line.strip() and not line.startswith(" ")]
    first, second, third = lines[:3]
    assert first.startswith("glass_broken")
    assert second.startswith("the stack is halted")
    assert third.startswith("status another-incident")


def test_what_stands_above_the_campaigns_is_in_the_json_too() -> None:
    world = applying()
    stack = WorldStack(world)
    run(stack, "halt", "--reason", "amounts ten times too large")
    world.troubles.note(TroubleKind.STATUS, "another-incident", world.now)
    answer = json.loads(run(stack, "campaigns", "--json").stdout)
    assert answer.keys() == {"v", "halt", "troubles", "kept", "campaigns"}
    assert answer["halt"]["reason"] == "amounts ten times too large"
    assert [(one["kind"], one["on"]) for one in answer["troubles"]] == [("status", "another-incident")]
    of_one = json.loads(run(stack, "campaigns", "net-outage", "--json").stdout)
    assert [report["campaign"] for report in of_one["campaigns"]] == [CAMPAIGN]
    assert (of_one["halt"], of_one["troubles"]) == (None, [])
