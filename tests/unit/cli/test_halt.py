"""`kulanz halt` and `lift`: what a person is told, and what comes of it."""

from kulanz.domain.campaigns.campaign import State
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
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
    assert "the stack is halted since" in told
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
