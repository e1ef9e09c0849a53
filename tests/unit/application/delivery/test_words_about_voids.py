"""What a person says about a void stands in its record under that person, and what it writes is of its approval."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.delivery.ask_void import VoidRefused, reject_void, settle_void
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Void, VoidApproval, VoidState, void_entry
from kulanz.domain.people.caller import Person
from tests.support.values import NOW
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import void_ports

ASKED = Void(VoidId(CampaignId("net-outage", 1), "wrong-list"), "it was the wrong list", ANNA, ANNA, NOW)
WAITS = ASKED.moved(VoidState.AWAITING_APPROVAL, "planned")
FLAGGED = replace(WAITS, approvals=(VoidApproval("yes", BEN, NOW),)).moved(VoidState.FLAGGED, "lines differ")
CLEA = "iam:arn:aws:iam::123456789012:user/clea"


@pytest.mark.parametrize("person", [ANNA, BEN, CLEA])
def test_who_rejects_or_settles_a_void_is_named_by_it_and_nobody_else(person: str) -> None:
    for void, act, became, said in (
        (WAITS, reject_void, VoidState.REJECTED, f"rejected by {person}: I looked"),
        (FLAGGED, settle_void, VoidState.SETTLED, f"settled by {person}: I looked; lines differ"),
    ):
        world = World()
        world.voids.open(void)
        ports = void_ports(world)
        done = act(void.id, void.plan_hash, "I looked", Person(person), ports)
        assert (done.state, done.state_reason) == (became, said)
        assert world.voids.void(void.id) == done
        assert act(void.id, void.plan_hash, "I looked", Person(person), ports) == done, "the same again"
        another = next(one for one in (ANNA, BEN, CLEA) if one != person)
        for why, by in (("I looked", another), ("I looked again", person), ("I", person)):
            with pytest.raises(VoidRefused):
                act(void.id, void.plan_hash, why, Person(by), ports)
        assert world.voids.void(void.id) == done


def test_what_a_void_writes_is_of_the_instant_at_which_it_was_approved() -> None:
    approved_at = NOW + timedelta(days=2)
    entry = void_entry(replace(FLAGGED, started_at=approved_at), (0, 1))
    at = approved_at.replace(microsecond=0)  # entries have whole seconds
    assert (entry.at, entry.by, entry.id, entry.benefits) == (at, ANNA, "void/1/wrong-list", (0, 1))
    with pytest.raises(ValueError, match="after it was approved"):
        void_entry(WAITS, (0,))
