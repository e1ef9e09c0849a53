"""Two things done with one campaign at the same moment come to what one of them after the other comes to.

Between any two calls of one, the other goes on. Each write is conditional on what was read, so that one of the two is
first, and the other one either fits behind it or is refused.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import cache
from itertools import combinations

import pytest

from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.control_campaign import ControlPorts, ControlRefused, cancel, pause
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.halt_stack import HaltPorts, change_halt
from kulanz.application.campaigns.open_campaign import RequestPorts, record
from kulanz.application.campaigns.replan import ReplanPorts, ReplanRefused, replan
from kulanz.application.incidents.incident_event import EventRefused, read_incident_event
from kulanz.application.ledger.accept_offer import OfferRefused
from kulanz.application.ports import CampaignStore, ChunkMessage
from kulanz.domain.campaigns.campaign import Cause, Pass, State
from kulanz.domain.campaigns.reconciliation import differences
from kulanz.domain.gate.approval import ApprovalRefused, Rejection
from kulanz.domain.halt import HaltAction, HaltRefused, Verb
from kulanz.domain.ledger.entries import granted_benefits
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support import accepted_offer
from tests.support.accepted_offer import ENTITLED, FEES, SECOND
from tests.support.end_state import EndState, check_sound, end_state
from tests.support.faults import Tap, tapped
from tests.support.interleaving import Interleaving, Work, switching_after
from tests.support.left_alike import Ends
from tests.support.small_campaign import INCIDENT_ID, event
from tests.support.world import ANNA, BEN, World

CARLA = ANNA.replace("anna", "carla")
REFUSED = (ApprovalRefused, ControlRefused, EventRefused, HaltRefused, OfferRefused, ReplanRefused)
CALLS_MOST = 40
"""More than any of them makes."""
TOO_FEW = "an act makes more calls than are tried"
type Act = Callable[[World, Tap], object]


def campaigns(world: World, tap: Tap) -> CampaignStore:
    return tapped(world.campaigns, "campaigns", tap)


def cause(who: str) -> Cause:
    return Cause(who, f"an action of {who}", "test")


def control(world: World, tap: Tap) -> ControlPorts:
    return ControlPorts(campaigns(world, tap), world.chunks, world.stores)


def approve(person: str) -> Act:
    return lambda world, tap: world.approve(SECOND, person, tap=tap)


def reject(world: World, tap: Tap) -> object:
    plan = world.campaigns.filed_plan(SECOND)
    assert plan is not None
    said = Rejection("carla-no", CARLA, plan.hash, "another list", world.now)
    ports = GatePorts(campaigns(world, tap), world.stores, world.gate, NOBODY_LISTED)
    return decide_plan(SECOND, said, Person(CARLA), ports, "test")


def told(kind: str, end: str) -> Act:
    """A revision of the incident that decides otherwise, or withdraws it."""

    def act(world: World, tap: Tap) -> None:
        windows = [{"start": "2026-02-27T08:00:00Z", "end": end}]
        detail = event(rows=1, detail_type=kind, revision=3, windows=windows, campaign=...)["detail"]
        known = read_incident_event("incidents", kind, detail)
        ports = RequestPorts(
            campaigns=campaigns(world, tap), lists=world.lists, policies=world.policies, chunks=world.chunks,
            stores=world.stores,
        )  # fmt: skip
        record(known, ports, world.settings(), cause(kind), world.now)

    return act


def halt(world: World, tap: Tap) -> object:
    return change_halt(action(Verb.SET, ANNA, world.now), Person(ANNA), halt_ports(world, tap))


def halt_ports(world: World, tap: Tap) -> HaltPorts:
    return HaltPorts(campaigns(world, tap), world.index, world.people)


def action(verb: Verb, person: str, now: datetime) -> HaltAction:
    return HaltAction(f"{verb}-{person}", verb, person, "a storm", now)


def work(world: World, tap: Tap) -> object:
    return world.grant(ChunkMessage(SECOND, Pass.APPLY, 0), tap, FrozenCache(), "a worker")


ON_A_WAITING_PLAN: dict[str, Act] = {
    "approve": approve(BEN),
    "approve as another": approve(CARLA),
    "reject": reject,
    "cancel": lambda world, tap: cancel(SECOND, control(world, tap), "wrong", cause("cancel"), world.now),
    "replan": lambda world, tap: replan(
        SECOND, ReplanPorts(campaigns(world, tap), world.chunks), "again", cause("replan"), world.now
    ),
    "amend": told("Incident Amended", "2026-02-27T21:00:00Z"),
    "withdraw": told("Incident Withdrawn", "2026-02-27T20:00:00Z"),
    "halt": halt,
    "accept": lambda world, tap: accepted_offer.accept(world, tap=tap),
}
ON_AN_EXECUTION: dict[str, Act] = {
    "work": work,
    "work twice": work,
    "cancel": ON_A_WAITING_PLAN["cancel"],
    "pause": lambda world, tap: pause(SECOND, control(world, tap), "wait", cause("pause"), world.now),
    "amend": ON_A_WAITING_PLAN["amend"],
    "withdraw": ON_A_WAITING_PLAN["withdraw"],
    "halt": halt,
    "accept": ON_A_WAITING_PLAN["accept"],
}


@cache
def _waiting() -> World:
    """The later campaign's plan waits for one more person."""
    world = accepted_offer.waiting()
    world.approve(SECOND, ANNA)
    return world


@cache
def _executing() -> World:
    """The later campaign's execution has begun; no worker has written yet."""
    world = _waiting().copy()
    world.approve(SECOND, BEN)
    return world


def _work(world: World, act: Act) -> Work:
    def run(tap: Tap) -> None:
        with suppress(*REFUSED):
            act(world, tap)

    return run


def _end(world: World) -> EndState:
    """What the world comes to when nothing is left to do, and a halt is lifted."""
    if world.campaigns.halt().is_on:
        for person in (ANNA, BEN):
            change_halt(action(Verb.LIFT, person, world.now), Person(person), halt_ports(world, Tap()))
    world.run_until_quiet()
    check_sound(world)
    for account, fee in FEES.items():
        found = [granted_benefits(entry) for entry in world.ledger.of_account(account, INCIDENT_ID)]
        granted = sum(one.money.minor for benefits in found for one in benefits if one.money is not None)
        assert granted <= fee * ENTITLED // 100, account
    campaign = world.campaign(str(SECOND))
    if campaign.state is State.CLOSED:
        assert list(differences(campaign.plan.totals, campaign.apply.totals)) == []
    return end_state(world)


def _one_after_the_other(begin: World, acts: tuple[Act, Act]) -> list[EndState]:
    found = []
    for order in (acts, acts[::-1]):
        world = begin.copy()
        for act in order:
            _work(world, act)(Tap())
        found.append(_end(world))
    return found


@cache
def _ends_on_a_waiting_plan(first: str, second: str) -> set[int]:
    """The ends of two acts on a plan that waits, in every order of their calls."""
    return _check(_waiting(), (ON_A_WAITING_PLAN[first], ON_A_WAITING_PLAN[second]))


def _check(begin: World, acts: tuple[Act, Act]) -> set[int]:
    """Every order of the calls of two acts in which one goes on in the midst of the other; the ends it came to."""
    expected, came_to, ends = _one_after_the_other(begin, acts), set[int](), Ends(_end)
    for first in (0, 1):
        for before in range(CALLS_MOST):
            world, together = begin.copy(), Interleaving()
            together.run([_work(world, act) for act in acts], switching_after(first, before))
            end = ends(world)
            assert end in expected, (first, together.trace, _differing(end, expected))
            came_to.add(expected.index(end))
            if [worker for worker, _ in together.trace].count(first) < before:
                break
        else:
            raise AssertionError(TOO_FEW)
    return came_to


def _differing(end: EndState, expected: list[EndState]) -> list[dict[str, object]]:
    return [
        {name: value for name, value in vars(end).items() if getattr(one, name) != value} for one in expected
    ]  # fmt: skip


TWO_STEPS = ("replan", "withdraw")
"""Planning again cancels the campaign, and then opens the next one: a withdrawal in between lets it open none."""
OF_ONE_STEP = [names for names in combinations(ON_A_WAITING_PLAN, 2) if names != TWO_STEPS]


@pytest.mark.parametrize("names", OF_ONE_STEP, ids=" and ".join)
def test_two_things_done_with_a_waiting_plan_have_one_order(names: tuple[str, str]) -> None:
    assert _ends_on_a_waiting_plan(*names)


@pytest.mark.parametrize("names", list(combinations(ON_AN_EXECUTION, 2)), ids=" and ".join)
def test_two_things_done_with_an_execution_have_one_order(names: tuple[str, str]) -> None:
    first, second = names
    _check(_executing(), (ON_AN_EXECUTION[first], ON_AN_EXECUTION[second]))


@pytest.mark.parametrize("first", [0, 1])
def test_a_withdrawal_in_the_midst_of_planning_again_leaves_nothing_at_work(first: int) -> None:
    granted_before = _end(_waiting().copy()).ledger
    for before in range(CALLS_MOST):
        world, together = _waiting().copy(), Interleaving()
        together.run([_work(world, ON_A_WAITING_PLAN[name]) for name in TWO_STEPS], switching_after(first, before))
        assert _end(world).ledger == granted_before, f"nothing was granted, after {before} calls"
        states = {world.campaign(str(one)).state for one in world.campaigns.all_campaigns() if one.seq >= SECOND.seq}
        assert states == {State.CANCELLED}, before
        if [worker for worker, _ in together.trace].count(first) < before:
            break
    else:
        raise AssertionError(TOO_FEW)


@pytest.mark.parametrize("other", ["reject", "cancel", "amend", "halt", "accept"])
def test_either_of_the_two_can_be_first(other: str) -> None:
    """Else the orders would not be those of one moment."""
    assert _ends_on_a_waiting_plan("approve", other) == {0, 1}
