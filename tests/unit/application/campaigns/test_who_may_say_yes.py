"""A person who has left, or who comes through a door that does not count, moves nothing by a yes: in every use case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.byhand.give_goodwill import approve_goodwill
from kulanz.application.campaigns.approve_plan import decide_plan
from kulanz.application.campaigns.halt_stack import change_halt
from kulanz.application.cases.decide import agree_to_case, decide_case, reject_case
from kulanz.application.delivery.act_on_credit import act_on_credit
from kulanz.application.delivery.ask_void import approve_void
from kulanz.application.ledger.state_amounts import state_amounts
from kulanz.domain.byhand.goodwill import Goodwill
from kulanz.domain.halt import Verb
from kulanz.domain.people.caller import Caller, Door, Machine, Person, PersonNeeded
from kulanz.domain.people.people import NOBODY_LISTED, People, read_people
from tests.support.values import NOW

ANNA, BERT = (f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "bert"))
BY_LOGIN = "login:https://login.example.com/pool#clea"
LISTED = read_people(
    {
        "kulanz_people": 1,
        "version": 1,
        "persons": {"anna": {"ids": [ANNA], "left": "2026-02-27"}, "bert": {"ids": [BERT]}},
    }
)
"""Anna has left, Bert is there."""


class WentOn(Exception):
    """The use case read its records: the person may do this."""


@dataclass
class Anything:
    """The world of a use case, which says so as soon as it is read. `people` and `door` are what is compared."""

    people: Any
    door: Door

    def __getattr__(self, name: str) -> Any:
        raise WentOn(name)


type UseCase = Callable[[Caller, Any], object]
_ANY = cast("Any", None)
_ASKED = SimpleNamespace(at=NOW, person="p", id="a")
_WAITS = Goodwill("T-1", "A-1", "EUR", 1, "r", "R", "iam:arn:aws:iam::123456789012:user/clea", NOW)


def _goodwill(caller: Caller, ports: Any) -> object:
    """Something waits, and then the halt is read."""
    store = SimpleNamespace(goodwill=lambda _: _WAITS)
    world = SimpleNamespace(
        store=store, people=ports.people, door=ports.door, gate=SimpleNamespace(lone_operator=True), campaigns=ports
    )
    return approve_goodwill("T-1", "a", caller, cast("Any", world), NOW)


def _halt(caller: Caller, ports: Any) -> object:
    """The people file is read anew."""
    people = SimpleNamespace(current=lambda: ports.people)
    world = SimpleNamespace(people=people, door=ports.door, campaigns=ports, lone_operator=False)
    action = SimpleNamespace(verb=Verb.LIFT, at=NOW)
    return change_halt(cast("Any", action), caller, cast("Any", world))


USE_CASES: Mapping[str, UseCase] = {
    "approves a plan": lambda caller, ports: decide_plan(_ANY, cast("Any", _ASKED), caller, ports, ""),
    "approves a void": lambda caller, ports: approve_void(_ANY, "h", "a", caller, ports, NOW),
    "acts on a credit": lambda caller, ports: act_on_credit(_ANY, caller, ports, NOW),
    "states amounts": lambda caller, ports: state_amounts(_ANY, cast("Any", _ASKED), caller, ports),
    "decides a case": lambda caller, ports: decide_case(_ANY, _ANY, caller, ports, NOW),
    "agrees to a case": lambda caller, ports: agree_to_case(_ANY, "h", "a", caller, ports, NOW),
    "rejects a case": lambda caller, ports: reject_case(_ANY, "h", "r", "a", caller, ports, NOW),
    "approves goodwill": _goodwill,
    "lifts a halt": _halt,
}


@pytest.mark.parametrize("use_case", USE_CASES.values(), ids=list(USE_CASES))
@pytest.mark.parametrize(
    ("person", "people", "door", "may"),
    [
        (Person(BERT), LISTED, Door.IAM, True),
        (Person(ANNA), LISTED, Door.IAM, False),
        (Person(BY_LOGIN), LISTED, Door.IAM, True),
        (Person(ANNA), NOBODY_LISTED, Door.IAM, True),
        (Person(BY_LOGIN), NOBODY_LISTED, Door.IAM, False),
        (Person(ANNA), NOBODY_LISTED, Door.LOGIN, False),
        (Person(BY_LOGIN), NOBODY_LISTED, Door.LOGIN, True),
    ],
)
def test_a_yes_counts_of_whoever_is_there_and_comes_through_the_door_that_counts(
    use_case: UseCase, person: Person, people: People, door: Door, *, may: bool
) -> None:
    with pytest.raises(Exception) as stopped:  # noqa: PT011 - which one it is, is what is told apart below
        use_case(person, Anything(people, door))
    if may:
        assert isinstance(stopped.value, WentOn)
    else:
        assert str(getattr(stopped.value, "reason", "")).startswith("may_not_")


@pytest.mark.parametrize("use_case", USE_CASES.values(), ids=list(USE_CASES))
def test_a_machine_never_says_yes(use_case: UseCase) -> None:
    machine = Machine("role:arn:aws:sts::123456789012:assumed-role/exporter/x", "a role's session")
    with pytest.raises(PersonNeeded):
        use_case(machine, Anything(LISTED, Door.IAM))
