"""What customers accept is in a delivery a day later, once, to the cent; and to be booked from the acceptance on."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from kulanz.application.delivery.advance_delivery import open_over_additions
from kulanz.application.delivery.ask_void import inline_file
from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.added import ADDITIONS_EVERY
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import granted_benefits
from tests.support.billing_files import read_delivery
from tests.support.faults import Fault, Killed, Tap, fault_at
from tests.support.small_campaign import CAMPAIGN, POLICY, event, list_of, row, sealed_policy, small_world
from tests.support.world import ANNA, BEN, WATCH_INTERVAL, World
from tests.support.world_deliveries import delivery_ports
from tests.support.world_door import BERT, WorldDoor
from tests.support.world_voids import approved, asked, run_voids, void_ports

ID = CampaignId.parse(CAMPAIGN)
OFFERS = POLICY.replace("version: 1", "version: 2").replace("valid: 7 days\n", "valid: 7 days\nmode:\n  offer: yes\n")
"""Money and minutes, both only when the customer says so."""
IN_TWO_PARTS = OFFERS.replace("pay: 10% of fee\n", "heads:\n  - name: auto\n    pay: 10% of fee\n").replace(
    "give:\n  quantity: 20\n  unit: call_minute\n  valid: 7 days\nmode:\n  offer: yes\n",
    "  - name: more\n    give: {quantity: 20, unit: call_minute, valid: 7 days}\n    mode: {offer: yes}\n",
)
IN_TWO_PARTS = IN_TWO_PARTS.replace("due: 2 billing cycles\n", "")
"""The money at once, and the minutes when the customer says so."""
ACCOUNTS = tuple(f"a-{number}" for number in range(8))
FEW = ACCOUNTS[:3]
HEADER = b"account_id,segment,affected,fee,language,note,biller_account"


@cache
def _offered(policy: str = OFFERS, *, keys: bool = False) -> World:
    lines = [row(account) + (b",K-" + account.encode() if keys else b"") for account in ACCOUNTS]
    world = small_world(list_of(lines, HEADER) if keys else list_of(lines), channel=Channel("billing"))
    world.policies.publish("net-credit", 2, sealed_policy(policy))
    world.publish(event(rows=len(ACCOUNTS), policy_version=2))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def offered(policy: str = OFFERS, *, keys: bool = False) -> World:
    """A closed campaign that offered, with a channel."""
    return _offered(policy, keys=keys).copy()


def accept(world: World, account: str, at: datetime | None = None) -> None:
    ports = AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers)
    accept_offer(account, ID.incident_id, ports, "support", world.now if at is None else at)


def a_day_later(world: World) -> None:
    world.now += ADDITIONS_EVERY + timedelta(minutes=5)
    for _ in range(4):
        world.watch()
        world.run_until_quiet()


def deliveries(world: World) -> list[Delivery]:
    return list(world.deliveries.of_channel("billing"))


def booked(world: World) -> list[tuple[str, str, Decimal, str]]:
    """Every credit of every released delivery: id, account, amount, measure."""
    found = []
    for one in deliveries(world):
        if one.state is DeliveryState.SENT:
            for id_, credit in read_delivery(world.archive.documents, one.id.folder).credits.items():
                found.append((id_, credit["account_id"], Decimal(credit["amount"]), credit["measure"]))
    return sorted(found)


def granted(world: World) -> list[tuple[str, str, Decimal, str]]:
    """Every credit that the ledger grants net of voids, worked out anew."""
    found = []
    for entry in world.ledger.all_entries():
        for place, benefit in enumerate(granted_benefits(entry)):
            if standing(world.credits.of(entry.key), place, worth_of(benefit)[1]).state is CreditState.VOIDED:
                continue
            money = benefit.money
            amount = Decimal(benefit.quantity) if money is None else Decimal(money.minor).scaleb(-2)
            measure = benefit.unit if money is None else money.currency
            found.append((credit_id(entry.key, place), entry.key.account_id, amount, measure))
    return sorted(found)


def line(world: World, measure: str = "EUR") -> Mapping[str, Any]:
    """What the door says of the campaign's money on its way to the bill; it must never contradict itself."""
    content = WorldDoor(world).get(f"acknowledgements/campaign/{CAMPAIGN}").content
    assert content["differences"] == []
    found: Mapping[str, Any] = next((one for one in content["lines"] if one["measure"] == measure), {})
    return found


def test_a_delivery_over_additions_names_who_opened_it() -> None:
    """The schedule a day later, or whoever asked for it before: never who requested the campaign."""
    asked, waited = offered(), offered()
    for world in (asked, waited):
        accept(world, "a-1")
    assert open_over_additions(ID, delivery_ports(asked), BERT.id, asked.now, is_asked=True) is not None
    a_day_later(waited)
    assert [one.opened_by for world in (asked, waited) for one in deliveries(world) if one.additions is not None] == [
        BERT.id, "schedule",
    ]  # fmt: skip


def test_the_day_ends_to_the_instant() -> None:
    world = offered()
    accept(world, "a-1")
    day_ends = world.now + ADDITIONS_EVERY
    world.now = day_ends - timedelta(microseconds=1) - WATCH_INTERVAL
    world.watch()
    assert [one for one in deliveries(world) if one.additions is not None] == []
    world.now = day_ends - WATCH_INTERVAL  # the schedule's next look is at the instant itself
    world.watch()
    assert len([one for one in deliveries(world) if one.additions is not None]) == 1


def test_an_accepted_offer_is_to_be_booked_at_once_and_delivered_once_a_day_later() -> None:
    world = offered()
    assert (deliveries(world), line(world)) == ([], {})
    accept(world, "a-1")
    assert line(world)["by_state"].keys() == {"due"}
    due = line(world)["to_be_booked"]
    world.now += ADDITIONS_EVERY - timedelta(hours=1)
    accept(world, "a-2")
    world.watch()
    assert deliveries(world) == [], "the first has not waited for a day"
    world.now += timedelta(hours=2)
    a_day_later(world)
    (one,) = deliveries(world)
    assert one.state is DeliveryState.SENT
    assert booked(world) == granted(world)
    assert {account for _, account, _, _ in booked(world)} == {"a-1", "a-2"}
    assert line(world)["by_state"] == {"sent": str(2 * Decimal(due))}
    a_day_later(world)
    assert deliveries(world) == [one], "nothing was added since"


def test_each_day_has_a_serial_of_its_own_and_no_credit_is_in_two() -> None:
    world = offered()
    for account in ACCOUNTS[:4]:
        accept(world, account)
        a_day_later(world)
    assert [one.id.serial for one in deliveries(world)] == [1, 2, 3, 4]
    assert booked(world) == granted(world)
    assert len({id_ for id_, *_ in booked(world)}) == len(booked(world))


def test_what_was_claimable_follows_what_was_granted_at_once() -> None:
    world = offered(IN_TWO_PARTS)
    (at_once,) = deliveries(world)
    accept(world, "a-3")
    assert line(world, "call_minute")["by_state"].keys() == {"due"}
    a_day_later(world)
    assert [one.id.serial for one in deliveries(world)] == [1, 2]
    assert booked(world) == granted(world)
    assert at_once == deliveries(world)[0]


def test_the_account_at_the_biller_is_that_of_the_decisions_own_row() -> None:
    world = offered(keys=True)
    accept(world, "a-5")
    a_day_later(world)
    found = read_delivery(world.archive.documents, deliveries(world)[0].id.folder).credits.values()
    assert {one["biller_account"] for one in found} == {"K-a-5"}
    assert {one["due"] for one in found if one["measure"] == "EUR"} != {""}


def test_nothing_is_delivered_to_the_account_of_another_row() -> None:
    """The decision says where its row is; a table that was put together from two would say where another's is."""
    world = offered(keys=True)
    accept(world, "a-1")
    mine, other = (one for name in ("a-1", "a-2") for one in world.ledger.of_account(name))
    world.ledger._entries[mine.key] = replace(mine, origin=other.origin)
    a_day_later(world)
    assert any("the row of a decision is not where" in str(error) for _, error in world.caught)
    assert [one.state for one in deliveries(world)] == [DeliveryState.ASSIGNING]
    assert booked(world) == []


def test_what_is_voided_before_it_is_assigned_is_not_delivered() -> None:
    world = offered()
    for account in ("a-1", "a-2"):
        accept(world, account)
    world.now += timedelta(minutes=1)
    name = VoidId(ID, "closed-account")
    void = asked(world, ANNA, inline_file(name, [("a-1", WHOLE_ACCOUNT)], void_ports(world)), name.name)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    line(world)
    a_day_later(world)
    assert {account for _, account, _, _ in booked(world)} == {"a-2"}
    assert booked(world) == granted(world)
    assert line(world)["by_state"].keys() == {"sent"}


def test_nothing_is_added_before_what_a_delivery_is_over() -> None:
    world = offered()
    earlier = world.now
    world.now += timedelta(minutes=1)
    accept(world, "a-1")
    assert open_over_additions(ID, delivery_ports(world), "test", world.now) is not None
    with pytest.raises(TryAgain):
        accept(world, "a-2", earlier)
    world.now += timedelta(minutes=1)
    accept(world, "a-2")
    a_day_later(world)
    assert booked(world) == granted(world)


def test_what_is_added_while_a_delivery_opens_is_in_it_or_in_the_next() -> None:
    for at in range(12):
        world = offered()
        accept(world, "a-1")
        world.now += ADDITIONS_EVERY
        raced: list[str] = []

        def race(number: int, name: str, at: int = at, world: World = world, raced: list[str] = raced) -> None:
            if number == at and not raced:
                raced.append(name)
                accept(world, "a-2")

        world.tap = Tap(race)
        world.watch()
        world.tap = Tap()
        a_day_later(world)
        a_day_later(world)
        assert booked(world) == granted(world), raced
        assert [one.state for one in deliveries(world)] == [DeliveryState.SENT] * len(deliveries(world))


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_delivery_that_met_another_number_of_additions_than_were_made_is_not_released(more: int) -> None:
    """Also where their amounts agree: an addition that grants nothing is one of them."""
    world = offered()
    for account in FEW:
        accept(world, account)
    opened = open_over_additions(ID, delivery_ports(world), "test", world.now)
    assert opened is not None
    assert opened.additions is not None
    counted = replace(opened.additions, number=opened.additions.number + more)
    world.deliveries._found[opened.id] = replace(opened, additions=counted)
    a_day_later(world)
    (found,) = deliveries(world)
    assert found.state is (DeliveryState.FLAGGED if more else DeliveryState.SENT)
    differs = f"additions_differ: {len(FEW) + more} were made, and {len(FEW)} delivered"
    assert found.reason == (differs if more else "balanced")


@cache
def _ready() -> World:
    world = offered(keys=True)
    for account in FEW:
        accept(world, account)
    world.now += ADDITIONS_EVERY
    return world


def _delivered(tap: Tap) -> World:
    world = _ready().copy()
    world.tap, world.worker_seconds = tap, 41.0
    with suppress(TryAgain, Killed):
        world.watch()
    world.run_until_quiet()
    world.tap = Tap()
    for _ in range(2):
        world.watch()
        world.run_until_quiet()
    return world


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HALF_DONE])
def test_a_fault_at_any_call_changes_nothing_in_the_end(fault: Fault) -> None:
    clean = Tap()
    expected = booked(_delivered(clean))
    assert len(expected) == 2 * len(FEW)
    assert len(clean.calls) > 15
    for number in range(len(clean.calls)):
        world = _delivered(Tap(fault_at(number, fault)))
        assert booked(world) == expected == granted(world), f"{fault} at call {number}, {clean.calls[number]}"


def test_what_was_added_to_a_campaign_that_a_person_settled_waits_for_that_persons_word() -> None:
    world = offered()
    accept(world, "a-1")
    for state, reason in ((State.FLAGGED, "incident_withdrawn"), (State.CLOSED, "settled_by_hand: keep")):
        campaign = world.campaign(CAMPAIGN)
        world.campaigns.change_state(campaign, campaign.change(state, reason, Cause("test", "x", "1"), world.now))
    a_day_later(world)
    assert (deliveries(world), line(world)["by_state"].keys()) == ([], {"due"})
