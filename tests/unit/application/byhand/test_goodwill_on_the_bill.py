"""Goodwill on its way to the bill: booked, delivered a day later once, and voided by the id of a gift."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.application.ledger.check_ledger import check_ledger
from kulanz.domain.byhand.discretion import DiscretionError, discretion_json, must_follow, read_discretion
from kulanz.domain.byhand.goodwill import goodwill_bills
from kulanz.domain.delivery.added import ADDITIONS_EVERY
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.exports.rows import BOOKED_BY
from tests.support.billing_files import read_delivery
from tests.support.exporting import exported, rows
from tests.support.handed import MONTH, discretion_content, give, opened, worth
from tests.support.world import START, World
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


BILL = {"text": "Kulanz", "reason_code": "GW-1", "ledger_account": "4000-130"}
BOOKED = ("text", "reason_code", "treatment", "ledger_account")


def with_bills(version: int = 1, **bill: Any) -> dict[str, Any]:
    """A discretion file in which one of two reasons says how it is booked."""
    reasons = {"long_wait": {"title": "Waited", "bill": BILL | bill}, "other": {"title": "Other"}}
    return discretion_content(version, reasons=reasons)


def test_billing_the_month_and_an_export_have_what_the_reason_says_of_the_bill_and_nothing_else() -> None:
    door = WorldDoor(World(channel=Channel("billing")))
    door.discretion.publish(1, discretion_json(with_bills()))
    give(door, "T-1")
    give(door, "T-2", "A-1002", reason="other")
    door.world.run_until_quiet()
    a_day_later(door)
    (delivery,) = door.deliveries.of_channel("billing")
    credits_ = read_delivery(door.archive.documents, delivery.id.folder).credits.values()
    said = ("Kulanz", "GW-1", "", "4000-130")
    assert {one["subject"]: tuple(one[name] for name in BOOKED) for one in credits_} == {
        "T-1": said, "T-2": ("", "", "", ""),
    }  # fmt: skip
    (campaign,) = door.get(f"acknowledgements/month/{START:%Y-%m}").content["campaigns"]
    assert {(one["reason_code"], one["ledger_account"]) for one in campaign["bookings"]} == {
        ("GW-1", "4000-130"), ("", ""),
    }  # fmt: skip
    found = {one["subject"]: one for one in rows(door.world, exported(door.world, str(MONTH)))}
    assert {name: tuple(one[column] for column in BOOKED_BY) for name, one in found.items()} == {
        "T-1": said, "T-2": ("", "", "", ""),
    }  # fmt: skip
    assert (found["T-1"]["component"], found["T-2"]["component"]) == ("long_wait", "")


def test_what_is_asked_back_of_a_gift_is_booked_as_the_gift_was() -> None:
    door = WorldDoor(World(channel=Channel("billing")))
    door.discretion.publish(1, discretion_json(with_bills()))
    give(door, "T-1")
    door.world.run_until_quiet()
    a_day_later(door)
    path = f"{MONTH.incident_id}/{MONTH.seq}"
    named = [{"account_id": "A-1001", "subject": "T-1"}]
    body = {"reason": "wrong account", "accounts": named, "at_biller": True}
    assert door.put(f"voids/{path}/v-1", body).status == 200
    run_voids(door.world)
    approval = {"action": "approve", "plan_hash": door.get(f"voids/one/{path}/v-1").content["plan_hash"]}
    assert door.put(f"void-approvals/{path}/v-1/yes", approval, BERT).status == 200
    run_voids(door.world)
    a_day_later(door)
    gift, back = (
        read_delivery(door.archive.documents, one.id.folder).credits for one in door.deliveries.of_channel("billing")
    )
    (credit,), (reversal,) = gift.values(), back.values()
    assert (reversal["type"], reversal["corrects"]) == ("reversal", credit["credit_id"])
    assert [tuple(one[name] for name in BOOKED) for one in (credit, reversal)] == [
        ("Kulanz", "GW-1", "", "4000-130")
    ] * 2


def test_how_it_is_booked_is_of_the_file_that_holds_when_it_is_given() -> None:
    door = WorldDoor(World(channel=Channel("billing")))
    door.discretion.publish(1, discretion_json(discretion_content(reasons={"long_wait": {"title": "Waited"}})))
    give(door, "T-1")
    door.discretion.publish(2, discretion_json(with_bills(2)))
    give(door, "T-2", amount="30.00")
    bills = {one.key.subject: goodwill_bills(one.body) for one in door.ledger.of_account("A-1001")}
    assert bills["T-1"] == {}
    assert bills["T-2"]["long_wait"].ledger_account == "4000-130"
    (campaign,) = door.get(f"acknowledgements/month/{START:%Y-%m}").content["campaigns"]
    assert [one["ledger_account"] for one in campaign["bookings"]] == ["", "4000-130"]


def test_a_later_file_may_say_how_a_reason_is_booked_and_never_say_otherwise() -> None:
    without = read_discretion(discretion_content(reasons={"long_wait": {"title": "Waited"}}))
    said = read_discretion(with_bills(2))
    must_follow(without, said)
    must_follow(said, read_discretion(with_bills(3)))
    for other in (
        with_bills(3, ledger_account="4000-140"),
        discretion_content(3, reasons={"long_wait": {"title": "Waited"}, "other": {"title": "Other"}}),
    ):
        with pytest.raises(DiscretionError, match=r"reasons\.long_wait\.bill: .*keep it"):
            must_follow(said, read_discretion(other))


@pytest.mark.parametrize(
    ("bill", "said"),
    [({}, "say text, reason_code"), ({"treatment": "gift"}, "price_reduction"), ({"account": "1"}, "unknown"),
     ({"ledger_account": 4000}, "code"), ("4000", "expected"), ({"text": {"de": "Kulanz"}}, "one text")],
)  # fmt: skip
def test_a_bill_that_says_nothing_or_what_no_policy_may_say_is_refused(bill: Any, said: str) -> None:
    content = discretion_content(reasons={"long_wait": {"title": "Waited", "bill": bill}})
    with pytest.raises(DiscretionError, match=said) as refused:
        read_discretion(content)
    assert refused.value.path[:3] == ("reasons", "long_wait", "bill")
