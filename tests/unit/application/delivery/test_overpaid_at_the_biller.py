"""What was overpaid and is at the biller is asked back there: exactly the difference, of the latest decision first."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from kulanz.application.delivery.ask_void import VoidRefused
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.void import Share, Void, VoidState
from tests.fake_biller.biller import Biller, Faults
from tests.support.billing_files import read_delivery
from tests.support.faults import HALVABLE, Fault, Tap, fault_at
from tests.support.road import Road
from tests.support.small_campaign import event, list_of, row
from tests.support.voiding import stands
from tests.support.world import ANNA, BEN
from tests.support.world_voids import approved, asked, run_voids, watched_voids

SECOND = "net-outage/2"
OWED, TOO_MUCH = 100, 199
"""Cents: by the right fee, and what the first list gave more."""


@pytest.fixture
def road() -> Iterator[Road]:
    """The biller has a credit of 2.99 and 20 minutes of two accounts; by the right list each is owed 1.00."""
    with closing(Biller(":memory:")) as biller:
        found = Road(biller)
        for step in ("deliver", "answer"):
            found.step(step)
        corrected(found)
        yield found


def corrected(road: Road) -> None:
    """The next campaign of the incident, by the right fees."""
    accounts = ("booked", "idle")
    road.world.lists.upload("lists/right.csv", list_of([row(account, fee="10.00") for account in accounts]))
    left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    road.world.publish(
        event(detail_type="Campaign Requested", key="lists/right.csv", rows=len(accounts), **left_out)  # type: ignore[arg-type]
    )
    road.world.run_until_quiet()
    road.world.now = road.world.now.replace(microsecond=0)


def difference(road: Road, name: str = "difference", tap: Tap | None = None, campaign: str = SECOND) -> Void:
    """Ask for the void of what was overpaid, approve it, and let it end."""
    void = asked(road.world, ANNA, name=name, campaign=campaign, is_of_overpaid=True, asks_biller=True)
    run_voids(road.world)
    planned = stands(road.world, void)
    if planned.state is VoidState.AWAITING_APPROVAL:
        approved(road.world, void, BEN)
        for _ in range(4):
            run_voids(road.world, tap)
            watched_voids(road.world)
    return stands(road.world, void)


def euros_on_bills(road: Road) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for _, _, account, amount, measure in road.biller.on_bills():
        if measure == "EUR":
            found[account] = found.get(account, Decimal(0)) + Decimal(amount)
    return found


def test_the_biller_is_asked_for_the_difference_and_the_bills_hold_what_is_owed(road: Road) -> None:
    void = difference(road)
    assert void.state is VoidState.VOIDED
    assert void.plan.totals.by_measure(Share.VOIDABLE) == {}
    assert void.plan.totals.by_measure(Share.ASKABLE) == {"EUR": 2 * TOO_MUCH}
    assert void.apply.totals.by_measure(Share.ASKED) == {"EUR": 2 * TOO_MUCH}
    assert void.plan.totals.asked == void.apply.totals.asked == {("billing", "EUR"): (2, 2 * TOO_MUCH)}
    assert road.asked_back() == {"EUR": 2 * TOO_MUCH}
    road.must_add_up()
    road.step("deliver")
    back = read_delivery(road.world.archive.documents, "deliveries/billing/00000002").credits.values()
    assert [(one["type"], one["amount"]) for one in back] == [("reversal", "1.99")] * 2
    for step in ("answer", "cycle"):
        road.step(step)
    assert euros_on_bills(road) == {"booked": Decimal("1.00"), "idle": Decimal("1.00")}
    assert road.asked_back() == {}
    again = difference(road, "again")
    assert (again.state, again.plan.totals.decisions) == (VoidState.REJECTED, 0), "nothing is too much any more"


def test_what_is_on_bills_is_asked_back_too_and_what_the_biller_rejects_stays(road: Road) -> None:
    road.step("cycle")
    road.biller.set_faults(Faults(rejects_reversals=1_000))
    difference(road)
    for step in ("deliver", "answer", "cycle"):
        road.step(step)
    assert set(euros_on_bills(road).values()) == {Decimal("2.99")}
    assert {stands.voided for measure, _, stands, _ in road.stands() if measure == "EUR"} == {0}
    road.biller.set_faults(Faults())
    second = difference(road, "again")
    assert second.apply.totals.by_measure(Share.ASKED) == {"EUR": 2 * TOO_MUCH}
    for step in ("deliver", "answer", "cycle"):
        road.step(step)
    assert set(euros_on_bills(road).values()) == {Decimal("1.00")}


def test_until_the_biller_has_answered_nothing_more_is_asked_of_a_credit(road: Road) -> None:
    difference(road)
    again = difference(road, "again")
    assert again.state is VoidState.REJECTED
    assert again.plan.totals.by_measure(Share.ASKED_BEFORE) == {"EUR": 2 * TOO_MUCH}
    road.done += 1
    assert road.void(["booked"], asks_biller=True) is VoidState.VOIDED, "the minutes are asked back"
    whole = next(one for one in road.world.voids.of_campaign(road.campaign.id) if one.asks_biller)
    assert whole.plan.totals.by_measure(Share.ASKABLE) == {"call_minute": 20}
    assert whole.plan.totals.by_measure(Share.AT_BILLER) == {"EUR": OWED}
    road.must_add_up()


@pytest.mark.parametrize("number", range(0, 60, 4))
@pytest.mark.parametrize("fault", list(Fault))
def test_wherever_a_worker_dies_the_difference_is_asked_once(road: Road, number: int, fault: Fault) -> None:
    tap = Tap(fault_at(number, fault))
    if fault is Fault.HALF_DONE:
        tap = Tap(lambda at, name: fault if at == number and name in HALVABLE else None)
    void = difference(road, tap=tap)
    assert void.state is VoidState.VOIDED, void.state_reason
    assert void.apply.totals.by_measure(Share.ASKED) == {"EUR": 2 * TOO_MUCH} == road.asked_back()
    road.must_add_up()


def test_it_waits_until_every_delivery_of_the_campaigns_that_gave_too_much_is_sent() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        corrected(road)
        path = f"deliveries/settled/{road.campaign.id}/d-1"
        assert road.door.put(path, {"reason": "now"}).status == 200  # opened, and not worked yet
        with pytest.raises(VoidRefused) as refused:
            asked(road.world, ANNA, name="early", campaign=SECOND, is_of_overpaid=True, asks_biller=True)
        assert refused.value.reason == "delivery_under_way"


def test_what_is_not_delivered_is_reduced_at_once_and_only_the_rest_is_asked_back() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        road.world.delivers = False
        road.world.lists.upload("lists/more.csv", list_of([row("booked", fee="40.00")]))
        left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
        request = event(detail_type="Campaign Requested", key="lists/more.csv", rows=1, **left_out)  # type: ignore[arg-type]
        road.world.publish(request)
        road.world.run_until_quiet()  # 4.00 owed: 1.01 more, which no biller has
        road.world.lists.upload("lists/less.csv", list_of([row("booked", fee="10.00")]))
        request = event(detail_type="Campaign Requested", key="lists/less.csv", rows=1, **left_out)  # type: ignore[arg-type]
        road.world.publish(request)
        road.world.run_until_quiet()
        third = "net-outage/3"
        void = asked(road.world, ANNA, name="both", campaign=third, is_of_overpaid=True, asks_biller=True)
        run_voids(road.world)
        planned = stands(road.world, void).plan.totals
        assert (planned.by_measure(Share.VOIDABLE), planned.by_measure(Share.ASKABLE)) == ({"EUR": 101}, {"EUR": 199})
        approved(road.world, void, BEN)
        run_voids(road.world)
        done = stands(road.world, void)
        assert done.state is VoidState.VOIDED
        assert (done.apply.totals.by_measure(Share.VOIDED), done.apply.totals.by_measure(Share.ASKED)) == (
            {"EUR": 101},
            {"EUR": 199},
        )
        states = {stands.state for measure, _, stands, _ in road.stands() if measure == "EUR"}
        assert CreditState.VOIDED in states


def test_what_several_campaigns_gave_too_much_is_asked_back_of_each() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
        for name, fee in (("more", "40.00"), ("less", "10.00")):  # two campaigns have delivered 4.00; 1.00 is owed
            road.world.lists.upload(f"lists/{name}.csv", list_of([row("booked", fee=fee)]))
            request = event(detail_type="Campaign Requested", key=f"lists/{name}.csv", rows=1, **left_out)  # type: ignore[arg-type]
            road.world.publish(request)
            road.world.run_until_quiet()
        void = difference(road, campaign="net-outage/3")
        assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
        assert void.apply.totals.asked == {("billing", "EUR"): (2, 300)}
        euros = {
            entry.key.seq: stands.asked_back
            for entry in road.world.ledger.all_entries()
            for measure, _, stands, _ in road.stands_of(entry)
            if measure == "EUR" and entry.key.account_id == "booked"
        }
        assert euros == {1: TOO_MUCH, 2: 101}
