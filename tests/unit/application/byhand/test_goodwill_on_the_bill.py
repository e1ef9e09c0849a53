"""Goodwill on its way to the bill: booked, delivered a day later once, and voided by the id of a gift."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.application.ledger.check_ledger import check_ledger
from kulanz.domain.delivery.added import ADDITIONS_EVERY
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from tests.support.billing_files import read_delivery
from tests.support.handed import MONTH, give, opened, worth
from tests.support.world import START
from tests.support.world_door import BERT, WorldDoor, check_ports
from tests.support.world_voids import run_voids


def with_channel() -> WorldDoor:
    """A world whose campaigns are delivered, with two gifts of euros and one of gigabytes."""
    door = opened(channel=Channel("billing"))
    give(door, "T-1")
    give(door, "T-2", "A-1002", amount="30.00")
    give(door, "T-3", "A-1002", amount="2.5", measure="GB")
    door.world.run_until_quiet()
    return door


def a_day_later(door: WorldDoor) -> None:
    door.world.now += ADDITIONS_EVERY + timedelta(minutes=5)
    for _ in range(4):
        door.world.watch()
        door.world.run_until_quiet()


def line(door: WorldDoor, measure: str = "EUR") -> dict[str, Any]:
    """What the month says of goodwill on its way to the bill; it must never contradict itself."""
    (campaign,) = door.get(f"acknowledgements/month/{START:%Y-%m}").content["campaigns"]
    assert campaign["differences"] == []
    return next(one for one in campaign["lines"] if one["measure"] == measure)


def test_it_is_to_be_booked_at_once_and_delivered_a_day_later_once() -> None:
    door = with_channel()
    assert (line(door)["granted"], line(door)["by_state"]) == ("50.00", {"due": "50.00"})
    a_day_later(door)
    a_day_later(door)
    (delivery,) = door.deliveries.of_channel("billing")
    assert delivery.state is DeliveryState.SENT
    credits_ = read_delivery(door.archive.documents, delivery.id.folder).credits.values()
    assert sorted((one["account_id"], one["subject"], one["amount"], one["measure"]) for one in credits_) == [
        ("A-1001", "T-1", "20.00", "EUR"),
        ("A-1002", "T-2", "30.00", "EUR"),
        ("A-1002", "T-3", "2.5", "GB"),
    ]
    assert line(door)["by_state"] == {"sent": "50.00"}
    assert line(door, "GB")["by_state"] == {"sent": "2.5"}


@pytest.mark.parametrize("days", [0, 1], ids=["to be booked", "delivered"])
def test_the_ledger_and_the_counters_say_the_same_of_it(days: int) -> None:
    door = with_channel()
    for _ in range(days):
        a_day_later(door)
    checked = check_ledger(MONTH, check_ports(door), door.world.now)
    assert (checked.broken, checked.differences, checked.beyond) == ((), (), ())
    assert {measure: shares.open for measure, shares in checked.law.items()} == {"EUR": 5000, "GB": Decimal("2.5")}


def test_a_void_of_a_whole_month_is_refused_because_no_list_names_its_gifts() -> None:
    door = with_channel()
    refused = door.put(f"voids/{MONTH.incident_id}/{MONTH.seq}/v-1", {"reason": "all of it"})
    assert (refused.status, refused.content["reason"]) == (409, "goodwill_by_account")
    assert door.world.voids.of_campaign(MONTH) == []


@pytest.mark.parametrize("is_delivered", [False, True], ids=["before the delivery", "after the delivery"])
def test_one_gift_is_voided_by_its_id_and_the_others_stand(is_delivered: bool) -> None:
    door = with_channel()
    if is_delivered:
        a_day_later(door)
    path = f"{MONTH.incident_id}/{MONTH.seq}"
    body = {"reason": "wrong account", "accounts": [{"account_id": "A-1002", "subject": "T-2"}]}
    assert door.put(f"voids/{path}/v-1", body).status == 200
    run_voids(door.world)
    planned = door.get(f"voids/one/{path}/v-1").content
    share = "at_biller" if is_delivered else "voidable"
    assert [(one["share"], one["measure"], one["sum"]) for one in planned["plan"]["sums"]] == [(share, "EUR", "3000")]
    if is_delivered:
        return
    approval = {"action": "approve", "plan_hash": planned["plan_hash"]}
    assert door.put(f"void-approvals/{path}/v-1/yes", approval, BERT).status == 200
    run_voids(door.world)
    assert (worth(door, "A-1002"), worth(door)) == ({"EUR": 0, "GB": Decimal("2.5")}, {"EUR": 2000})
    assert (line(door)["voided"], line(door)["by_state"]) == ("30.00", {"due": "20.00"})
    a_day_later(door)
    assert line(door)["by_state"] == {"sent": "20.00"}
