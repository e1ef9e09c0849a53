"""What the policy would grant and a full history holds is shown as held, with the reason last, wherever one looks."""

import pytest

from kulanz.application.cases.case import CasePorts, find_case
from kulanz.application.cases.sample_plan import sample_of
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.policy.deciding import history as history_module
from kulanz.domain.policy.deciding.history import HISTORY_FULL
from tests.support.console_browser import settled
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.support.world_people import to_approve
from tests.support.yearly_cap import incident, outage
from tests.support.yearly_cap import world as yearly_world

HELD = Decision(Outcome.HELD, HISTORY_FULL)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> World:
    """The fourth outage of accounts whose histories are full by then; its plan waits."""
    monkeypatch.setattr(history_module, "HISTORY_BYTES", 400)
    world = yearly_world()
    for number, day in enumerate((2, 3, 4), 1):
        world.publish(incident(f"in-{number}", outage(day)))
        world.run_until_quiet()
    world.publish(incident("in-4", outage(5)))
    return settled(world, lambda one: bool(to_approve(one)))


def test_a_full_history_holds_a_row_of_the_sample_and_the_case_that_it_becomes(waits: World) -> None:
    ports = CasePorts(waits.campaigns, WorldDoor(waits).lists, waits.ledger, waits.cases)
    sampled = {one.account_id: one for one in sample_of(waits.campaign("in-4/1"), "a" * 64, ports)}["small"]
    assert sampled.decision == HELD
    assert "manual review" in sampled.steps[-1]
    assert any("manual" not in step and "Granted" in step for step in sampled.steps[:-1]), sampled.steps

    waits.run_until_quiet()
    assert waits.campaign("in-4/1").state is State.CLOSED
    case = find_case(DecisionKey("small", "in-4", "-", 1), ports, waits.now)
    owed = case.owed({})
    assert owed.decision == HELD
    assert (owed.steps, case.steps[-1]) == (sampled.steps, sampled.steps[-1])
    assert owed.history is None
