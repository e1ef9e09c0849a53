"""Two who decide at once, and one beside a later campaign, come to one of the two orders, whatever their calls meet."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import pytest

from kulanz.application.cases.case import CasePorts, CaseRefused, find_case
from kulanz.application.cases.decide import DecidePorts, HandRequest, decide_case
from kulanz.application.ports import TryAgain
from kulanz.domain.byhand.discretion import read_discretion
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.ledger.earlier_decisions import CHANGED_SINCE_PLAN
from kulanz.domain.ledger.entries import DecisionKey, net_worth, read_decision
from kulanz.domain.ledger.hand_decision import Way
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.by_hand import DISCRETION
from tests.support.faults import Fault, Killed, Tap, tapped
from tests.support.interleaving import Interleaving, switching_after
from tests.support.small_campaign import INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, World

KEY = DecisionKey("h", INCIDENT_ID, "-", 1)
DISCRETION_FILE = read_discretion(DISCRETION)
PAID = {"EUR": 300, "call_minute": 20}


@cache
def _waiting() -> World:
    world = small_world(list_of([row("h", fee=""), row("other", fee="10.00")]))
    world.publish(event(rows=2))
    world.run_until_quiet()
    assert world.campaign(str(KEY.campaign)).state is State.CLOSED
    return world


def held() -> World:
    """A closed campaign that holds one account."""
    return _waiting().copy()


def requested() -> World:
    """The same, and a later campaign that knows the fact is on its way."""
    world = held()
    world.lists.upload("lists/later.csv", list_of([row("h", fee="30.00")]))
    world.publish(event(key="lists/later.csv", rows=1, detail_type="Incident Amended", revision=2))
    return world


def decide(world: World, person: str = ANNA, tap: Tap | None = None, fee: str = "30.00") -> str:
    """Look at the case, then decide it by the policy; what came of it."""
    used = tap or Tap()
    look = CasePorts(
        tapped(world.campaigns, "campaigns", used), tapped(world.lists, "lists", used),
        tapped(world.ledger, "ledger", used), tapped(world.cases, "cases", used),
    )  # fmt: skip
    ports = DecidePorts(look, tapped(world.cases, "cases", used), DISCRETION_FILE, NOBODY_LISTED, world.gate)
    try:
        seen = find_case(KEY, look, world.now).seen
        request = HandRequest(f"d-{person[-4:]}", Way.POLICY, seen, "known_fact", facts={"fee": fee})
        decide_case(KEY, request, Person(person), ports, world.now)
    except CaseRefused as refusal:
        return refusal.reason
    return "decided"


def had(world: World) -> dict[str, object]:
    """What the account has over all campaigns."""
    sums: dict[str, object] = {}
    for one in world.ledger.of_account("h"):
        for measure, size in net_worth(one).items():
            sums[measure] = sums.get(measure, 0) + size  # type: ignore[operator]
    return sums


def calls_of_a_decision() -> int:
    tap = Tap()
    assert decide(held(), tap=tap) == "decided"
    return len(tap.calls)


@pytest.mark.parametrize("before", range(calls_of_a_decision()))
def test_of_two_who_decide_at_once_one_decides(before: int) -> None:
    world = held()
    came: dict[str, str] = {}
    works = [
        lambda tap: came.update(anna=decide(world, ANNA, tap)),
        lambda tap: came.update(ben=decide(world, BEN, tap, fee="20.00")),
    ]
    Interleaving().run(works, switching_after(0, before, 3))
    assert "decided" in came.values()
    assert set(came.values()) <= {"decided", "case_changed"}
    assert len(world.cases.steps) == 1
    assert had(world) in (PAID, {"EUR": 200, "call_minute": 20})


def _moments() -> Iterator[World]:
    """The world before each step of the later campaign."""
    world = requested()
    while steps := world.steps():
        yield world.copy()
        world.run(steps[0])
    yield world


def test_whenever_it_is_decided_beside_a_later_campaign_it_is_paid_once() -> None:
    """Before each step: the request, the plan, its approvals, the execution, and after the end."""
    came: dict[str, int] = {}
    for world in _moments():
        outcome = decide(world)
        world.run_until_quiet()
        assert had(world) == PAID, outcome
        second = [one for one in world.ledger.of_account("h") if one.key.seq == 2]
        reason = read_decision(second[0].body).reason if second else "unchanged"
        came[f"{outcome} {reason}"] = came.get(f"{outcome} {reason}", 0) + 1
    assert came.keys() >= {"decided unchanged", f"decided {CHANGED_SINCE_PLAN}", "later_campaign credit"}, came
    assert came.keys() <= {
        "decided unchanged", f"decided {CHANGED_SINCE_PLAN}", "later_campaign credit", "superseded credit",
    }, came  # fmt: skip


@pytest.mark.parametrize("before", range(calls_of_a_decision()))
def test_a_decision_that_began_before_the_start_is_not_made_after_the_execution_wrote(before: int) -> None:
    """It read the case while the plan waited, and comes to its write when the whole later campaign is over."""
    world = requested()
    world.approvers = ()
    world.run_until_quiet()
    came: list[str] = []

    def everything_else(tap: Tap) -> None:
        world.approvers = (ANNA, BEN)
        world.tap = tap
        world.run_until_quiet()

    works = [lambda tap: came.append(decide(world, tap=tap)), everything_else]
    Interleaving().run(works, switching_after(0, before))
    assert had(world) == PAID, came
    assert len([one for one in world.ledger.of_account("h") if net_worth(one)]) == 1


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.REQUEST_LOST, Fault.KILLED_AFTER, Fault.KILLED_BEFORE])
def test_whatever_call_fails_the_same_request_again_decides_once(fault: Fault) -> None:
    for at in range(calls_of_a_decision()):
        world = held()

        def failing(number: int, _: str, at: int = at) -> Fault | None:
            return fault if number == at else None

        with suppress(TryAgain, Killed):
            decide(world, tap=Tap(failing))
        assert decide(world) == "decided"
        assert len(world.cases.steps) == 1
        assert had(world) == PAID
