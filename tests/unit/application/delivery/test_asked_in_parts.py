"""Benefits of one decision that are asked back at different times: each reversal is in a delivery once."""

from datetime import timedelta

from kulanz.application.delivery.ask_void import inline_file
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import standing
from kulanz.domain.delivery.void import Void
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import granted_benefits
from tests.support.billing_files import read_delivery
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import approved, asked, run_voids, void_ports
from tests.unit.application.delivery.test_additions import (
    ID,
    IN_TWO_PARTS,
    a_day_later,
    accept,
    deliveries,
    line,
    offered,
)


def planned(world: World, name: str) -> Void:
    """The plan of a void that asks the biller for what it has of one account."""
    world.now += timedelta(minutes=1)
    file = inline_file(VoidId(ID, name), [("a-3", WHOLE_ACCOUNT)], void_ports(world))
    void = asked(world, ANNA, file, name, asks_biller=True)
    run_voids(world)
    return void


def test_what_two_voids_ask_back_of_one_decision_before_a_delivery_is_in_it_once() -> None:
    """The second credit is delivered between the plan of the first void and its workers."""
    world = offered(IN_TWO_PARTS)
    first = planned(world, "first")
    accept(world, "a-3")
    approved(world, first, BEN)
    a_day_later(world)
    run_voids(world)
    second = planned(world, "second")
    approved(world, second, BEN)
    run_voids(world)
    (entry,) = [one for one in world.ledger.all_entries() if one.key.account_id == "a-3"]
    wanted = [one.benefits for one in world.credits.of(entry.key) if one.kind is EntryKind.REVERSAL_ASKED]
    assert wanted == [(0,), (1,)], "each by its own addition"
    a_day_later(world)
    last = deliveries(world)[-1]
    assert last.sums.number == len(wanted)
    back = read_delivery(world.archive.documents, last.id.folder).credits
    assert set(back) == {credit_id(entry.key, place, 1, CreditType.REVERSAL) for place in (0, 1)}
    stands = [
        standing(world.credits.of(entry.key), place, worth_of(one)[1])
        for place, one in enumerate(granted_benefits(entry))
    ]
    assert [[one.delivery for one in found.reversals] for found in stands] == [[str(last.id)]] * len(wanted)
    a_day_later(world)
    assert deliveries(world)[-1] == last
    assert line(world)["asked_back"] != "0.00"
