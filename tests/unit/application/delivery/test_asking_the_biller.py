"""What the biller has is asked back: nothing is void before the answer, and no bill holds anything twice."""

from collections import Counter
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from random import Random

import pytest

from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.void import Share, VoidState
from tests.fake_biller.biller import Biller, Faults
from tests.support.billing_files import read_delivery
from tests.support.faults import Fault, Tap, fault_at
from tests.support.road import ACCOUNTS, Road

STEPS = ("answer", "cycle", "ask booked", "deliver")


def net_on_bills(road: Road) -> dict[tuple[str, str], Decimal]:
    """What the biller's issued bills hold of each account, less reversals."""
    found: Counter[tuple[str, str]] = Counter()
    for _, _, account, amount, measure in road.biller.on_bills():
        found[account, measure] += amount  # type: ignore[assignment]
    return {place: Decimal(amount) for place, amount in found.items() if amount}


def by_accounts(road: Road) -> dict[tuple[str, str], Decimal]:
    """What is on bills by what is known here."""
    found: dict[tuple[str, str], Decimal] = {}
    for entry in road.world.ledger.all_entries():
        for measure, unit, stands, size in road.stands_of(entry):
            on = stands.shares(size).get(CreditState.APPLIED, 0) * unit
            if on:
                place = entry.key.account_id, measure
                found[place] = found.get(place, Decimal(0)) + on
    return found


def until_quiet(road: Road) -> None:
    """Deliver, bill and answer until nothing is on its way."""
    for step in ("deliver", "cycle", "answer", "cycle"):
        road.step(step)


@pytest.mark.parametrize("steps", list(permutations(STEPS)), ids=" > ".join)
def test_in_every_order_the_bills_hold_what_is_known_here(steps: tuple[str, ...]) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", *steps):
            road.step(step)
        until_quiet(road)
        assert net_on_bills(road) == by_accounts(road)
        assert {account for account, _ in by_accounts(road)} == {"idle"}
        assert all(not stands.asked_back for _, _, stands, _ in road.stands())


def test_until_the_answer_nothing_is_void_and_it_is_said_how_much_is_asked_back() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        before = road.by_entries()
        assert road.void(["booked"], asks_biller=True) is VoidState.VOIDED
        (void,) = road.world.voids.of_campaign(road.campaign.id)
        assert void.plan.totals.by_measure(Share.ASKABLE) == void.apply.totals.by_measure(Share.ASKED) != {}
        assert {channel for channel, _ in void.plan.totals.asked} == {"billing"}
        assert void.plan.totals.asked == void.apply.totals.asked
        assert road.by_entries() == before
        assert road.asked_back() == void.apply.totals.by_measure(Share.ASKED)
        for step in ("ask booked", "ask", "deliver"):  # a second void of the same asks nothing twice
            road.step(step)
        asked = [one for entry in road.world.ledger.all_entries() for one in road.world.credits.of(entry.key)]
        assert Counter(one.kind for one in asked)[EntryKind.REVERSAL_ASKED] == 2
        road.step("answer")
        assert road.asked_back() == {}
        assert {sums.get("voided") is not None for sums in road.by_entries().values()} == {True}


def test_what_the_biller_rejects_stays_as_it_stood_and_can_be_asked_again() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer", "cycle"):
            road.step(step)
        before = road.by_entries()
        biller.set_faults(Faults(rejects_reversals=1_000))
        for step in ("ask booked", "deliver", "answer"):
            road.step(step)
        assert (road.by_entries(), road.asked_back()) == (before, {})
        biller.set_faults(Faults())
        for step in ("ask booked", "deliver", "answer", "cycle"):
            road.step(step)
        assert net_on_bills(road) == by_accounts(road)
        assert {account for account, _ in by_accounts(road)} == {"idle"}


def test_the_record_of_a_reversal_names_its_credit_and_the_trailer_has_its_sum() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "ask booked", "deliver"):
            road.step(step)
        documents = road.world.archive.documents
        credits_, back = (read_delivery(documents, f"deliveries/billing/{serial:08d}").credits for serial in (1, 2))
        assert len(back) == 2
        for one in back.values():
            corrected = credits_[one["corrects"]]
            same = {"account_id", "biller_account", "subject", "amount", "measure", "kind", "reason_code"}
            assert (one["type"], corrected["type"]) == ("reversal", "credit")
            assert {name: one[name] for name in same} == {name: corrected[name] for name in same}
            assert one["credit_id"] not in credits_


@pytest.mark.parametrize("number", range(0, 40, 6))
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HALF_DONE])
def test_wherever_a_worker_dies_it_is_asked_once(number: int, fault: Fault) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer"):
            road.step(step)
        road.done += 1
        assert road.void([], Tap(fault_at(number, fault)), asks_biller=True) is VoidState.VOIDED
        road.must_add_up()
        until_quiet(road)
        assert net_on_bills(road) == by_accounts(road) == {}


WAYS = (
    *("deliver", "answer", "cycle", "take_back", "ask", "void", "ask booked", "again", "write_off"),
    *(f"void {account}" for account in ACCOUNTS),
)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_nothing_is_on_bills_that_is_not_known(seed: int) -> None:
    random = Random(seed)
    with closing(Biller(":memory:")) as biller:
        biller.set_faults(replace(Faults(), seed=seed, rejects_reversals=300, lines_twice=200, other_order=True))
        road = Road(biller)
        for _ in range(12):
            road.step(random.choice(WAYS))
        until_quiet(road)
        assert net_on_bills(road) == by_accounts(road)
