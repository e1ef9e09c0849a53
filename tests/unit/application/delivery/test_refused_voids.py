"""A request for a void, or an answer to its plan, that cannot be: its reason, and that it takes nothing."""

import pytest

from kulanz.application.delivery.ask_void import VoidRefused, approve_void, inline_file, reject_void
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Void
from kulanz.domain.people.caller import Person
from tests.support.voiding import closed, file_of, net, planned, stands
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import (
    approved,
    asked,
    void_ports,
)

CLEA = "iam:arn:aws:iam::123456789012:user/clea"


def bad_person(world: World, void: Void) -> None:
    approved(world, void, ANNA)


def bad_void(world: World, void: Void) -> None:
    another = VoidId(void.id.campaign, "another")
    approve_void(another, void.plan_hash, "yes", Person(BEN), void_ports(world), world.now)


def bad_hash(world: World, void: Void) -> None:
    approve_void(void.id, "0" * 64, "yes", Person(BEN), void_ports(world), world.now)


def short_hash(world: World, void: Void) -> None:
    approve_void(void.id, stands(world, void).plan_hash[:11], "yes", Person(BEN), void_ports(world), world.now)


def short_hash_of_a_rejection(world: World, void: Void) -> None:
    reject_void(void.id, stands(world, void).plan_hash[:11], "no", Person(BEN), void_ports(world))


def bad_approval_id(world: World, void: Void) -> None:
    approved(world, void, BEN)
    approve_void(void.id, void.plan_hash, "ben-yes", Person(CLEA), void_ports(world), world.now)


def bad_size(world: World, void: Void) -> None:
    asked(world, ANNA, file_of(world, b""), f"{void.id.name}-2")


def bad_state(world: World, void: Void) -> None:
    approved(world, void, BEN)
    approved(world, void, CLEA)


def bad_rejection(world: World, void: Void) -> None:
    reject_void(void.id, "0" * 64, "no", Person(BEN), void_ports(world))


def bad_id(world: World, void: Void) -> None:
    asked(world, BEN, name=void.id.name)


def bad_campaign(world: World, void: Void) -> None:
    asked(world, ANNA, name=void.id.name, campaign="net-outage/7")


def bad_file(world: World, void: Void) -> None:
    asked(world, ANNA, file_of(world, b"account\na-1\n"), f"{void.id.name}-2")


def bad_subject(world: World, void: Void) -> None:
    inline_file(void.id, [("granted-1", "a-line")], void_ports(world))


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (bad_person, "approver_is_requester"),
        (bad_void, "void_unknown"),
        (bad_state, "not_waiting"),
        (bad_rejection, "plan_differs"),
        (bad_hash, "plan_differs"),
        (short_hash, "plan_differs"),
        (short_hash_of_a_rejection, "plan_differs"),
        (bad_approval_id, "id_taken"),
        (bad_size, "file_size"),
        (bad_id, "id_taken"),
        (bad_campaign, "campaign_unknown"),
        (bad_file, "column_missing"),
        (bad_subject, "subjects_differ"),
    ],
)
def test_each_bad_request_is_a_problem_with_a_reason_and_takes_nothing(act: object, reason: str) -> None:
    world = closed()
    before = net(world)
    void = planned(world)
    assert callable(act)
    with pytest.raises(VoidRefused) as refused:
        act(world, void)
    assert refused.value.reason == reason
    assert net(world) == before
