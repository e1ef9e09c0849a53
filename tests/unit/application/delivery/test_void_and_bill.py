"""Whatever is delivered, answered and voided in whatever order: the way to the bill says what the entries say."""

from collections import Counter
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from random import Random

import pytest

from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.void import VoidState
from tests.fake_biller.biller import Biller
from tests.support.billing_files import read_delivery
from tests.support.faults import Fault, Tap, fault_at
from tests.support.road import ACCOUNTS, CORRECTED, MONTH, Road
from tests.support.small_campaign import CAMPAIGN
from tests.support.world_door import ANNA as DOOR_ANNA
from tests.support.world_door import BERT

STEPS = ("deliver", "answer", "take_back", "void rejected booked")


@pytest.mark.parametrize("steps", list(permutations(STEPS)), ids=" > ".join)
def test_in_every_order_the_way_to_the_bill_says_what_the_entries_say(steps: tuple[str, ...]) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        road.must_add_up()
        for what in (*steps, "answer", "void", "answer"):
            road.step(what)
        assert all("voided" in sums for sums in road.by_entries().values())


REACHED = {
    "due": (("void",), {"voided": 3}),
    "delivered": (("deliver", "void"), {"sent": 3}),
    "rejected": (("deliver", "answer", "void"), {"voided": 1, "accepted": 2}),
    "taken back": (("deliver", "take_back", "void"), {"voided": 2, "applied": 1}),
    "void before": (("void idle", "deliver", "take_back"), {"voided": 1, "rejected": 1, "taken_back": 1}),
}
"""Steps, and how many of the three credits of a measure stand where then."""


@pytest.mark.parametrize("what", REACHED)
def test_a_void_takes_what_no_bill_has_and_nothing_else(what: str) -> None:
    steps, expected = REACHED[what]
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in steps:
            road.step(step)
        (line, *_) = road.door.get(f"acknowledgements/campaign/{CAMPAIGN}").content["lines"]
        each = Decimal(line["granted"]) / len(ACCOUNTS)
        found = {**line["by_state"], **({"voided": line["voided"]} if Decimal(line["voided"]) else {})}
        assert {name: Decimal(text) / each for name, text in found.items()} == expected


def test_what_was_voided_is_not_late() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "take_back", "void"):
            road.step(step)
        road.world.now = max(due.due for due in road.world.deliveries.dues)
        assert road.door.get("acknowledgements/overdue").content["overdue"] == []
        assert {
            line["overdue"]
            for one in road.door.get(f"acknowledgements/month/{MONTH}").content["campaigns"]
            for line in one["lines"]
        } == {"0.00", "0"}


@pytest.mark.parametrize("number", range(0, 40, 6))
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HALF_DONE])
def test_wherever_a_worker_dies_a_void_counts_once(number: int, fault: Fault) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("void idle", "deliver", "answer"):
            road.step(step)
        road.done += 1
        assert road.void([], Tap(fault_at(number, fault))) is VoidState.VOIDED
        road.must_add_up()


ACTS = ("deliver", "answer", "take_back", "again", "write_off", "send", "cycle", "void idle", "send", "again", "answer")


@pytest.mark.parametrize("seed", range(12))
def test_whatever_persons_do_with_rejected_credits_no_bill_has_one_twice(seed: int) -> None:
    steps = Random(seed).choices(ACTS, k=9)
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for what in ("deliver", "answer", *steps, *("again", "send", "cycle") * 3):
            road.step(what)
            assert all(number == 1 for number in on_bills(biller).values()), what
        states = {stands.state for _, _, stands, _ in road.stands()}
        assert states <= {CreditState.APPLIED, CreditState.VOIDED, CreditState.WRITTEN_OFF}
        applied = sum(stands.state is CreditState.APPLIED for _, _, stands, _ in road.stands())
        assert len(on_bills(biller)) == applied


def on_bills(biller: Biller) -> Counter[tuple[str, str]]:
    """How often the bills that stand have each account's credit of a measure; each is billed whole here."""
    return Counter((account, measure) for _, _, account, _, measure in biller.on_bills())


def test_what_is_sent_again_has_the_corrected_account_and_the_same_id_and_what_was_taken_back_a_new_one() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for what in ("deliver", "answer", "take_back", "again", "send"):
            road.step(what)
        first, second = (read_delivery(road.world.archive.documents, f"deliveries/billing/{n:08d}") for n in (1, 2))
        again = {one["account_id"]: one for one in second.credits.values() if one["measure"] == "EUR"}
        before = {one["account_id"]: one for one in first.credits.values() if one["measure"] == "EUR"}
        assert again.keys() == {"rejected", "booked"}
        assert again["rejected"]["biller_account"] == CORRECTED
        assert again["rejected"]["credit_id"] == before["rejected"]["credit_id"]
        assert again["rejected"]["corrects"] == ""
        assert again["booked"]["corrects"] == before["booked"]["credit_id"] != again["booked"]["credit_id"]
        assert {name: again["booked"][name] for name in ("due", "amount")} == {
            name: before["booked"][name] for name in ("due", "amount")
        }


def test_above_the_amount_for_a_second_person_a_write_off_needs_two() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for what in ("deliver", "answer"):
            road.step(what)
        road.door.gate = replace(road.door.gate, second_person_above={"EUR": 1})
        (one,) = (
            credit
            for credit in road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
            if credit["measure"] == "EUR"
        )
        body = {"action": "write_off", "account_id": "rejected", "credit_id": one["credit_id"], "reason": "closed"}
        path = f"deliveries/credits/{CAMPAIGN}"
        asked = road.door.put(f"{path}/w-1", body, BERT)
        assert (asked.content["second_person_needed"], asked.content["state"]) == (True, "rejected")
        road.must_add_up()
        same = road.door.put(f"{path}/w-2", body, BERT)
        assert (same.status, same.content["reason"]) == (409, "asked_before")
        done = road.door.put(f"{path}/w-3", body, DOOR_ANNA)
        assert (done.content["second_person_needed"], done.content["state"]) == (False, "written_off")
        road.must_add_up()
        late = road.door.put(f"{path}/w-4", {**body, "action": "send_again"}, BERT)
        assert (late.status, late.content["reason"]) == (409, "not_rejected")


@pytest.mark.parametrize(("less", "waits"), [(0, False), (1, True)])
def test_the_amount_for_a_second_person_may_be_reached_by_one(less: int, waits: bool) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for what in ("deliver", "answer"):
            road.step(what)
        (one,) = (
            credit
            for credit in road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
            if credit["measure"] == "EUR"
        )
        size = int(Decimal(one["amount"]) * 100)
        road.door.gate = replace(road.door.gate, second_person_above={"EUR": size - less})
        body = {"action": "write_off", "account_id": "rejected", "credit_id": one["credit_id"], "reason": "closed"}
        assert road.door.put(f"deliveries/credits/{CAMPAIGN}/w-1", body, BERT).content["second_person_needed"] is waits


def test_a_credit_that_was_booked_anew_is_named_by_its_new_id_alone() -> None:
    """Who has an old file before them does not act on what is booked by now."""
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for what in ("deliver", "answer", "take_back"):
            road.step(what)
        waiting = road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
        old = next(one for one in waiting if one["account_id"] == "booked")
        for what in ("again", "send", "answer", "take_back"):
            road.step(what)
        now = road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
        new = next(one for one in now if one["account_id"] == "booked" and one["measure"] == old["measure"])
        assert new["credit_id"] != old["credit_id"]
        body = {"action": "write_off", "account_id": "booked", "reason": "closed"}
        path = f"deliveries/credits/{CAMPAIGN}"
        refused = road.door.put(f"{path}/w-1", {**body, "credit_id": old["credit_id"]}, BERT)
        assert (refused.status, refused.content["reason"]) == (409, "not_rejected")
        assert road.door.put(f"{path}/w-2", {**body, "credit_id": new["credit_id"]}, BERT).status == 200


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"credit_id": "0" * 32}, 409, "unknown_credit"),
        ({"account_id": "nobody"}, 409, "unknown_credit"),
        ({"account_id": "idle"}, 409, "unknown_credit"),
        ({"biller_account": "K 4711"}, 422, None),
        ({"action": "write_off", "biller_account": "K-1"}, 422, None),
        ({"credit_id": "A1"}, 422, None),
        ({"reason": ""}, 422, None),
    ],
)
def test_what_names_no_rejected_credit_changes_nothing(changes: dict[str, str], status: int, reason: str) -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for what in ("deliver", "answer"):
            road.step(what)
        before = road.by_entries()
        (one, *_) = road.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]
        body = {"action": "send_again", "account_id": "rejected", "credit_id": one["credit_id"], "reason": "why"}
        reply = road.door.put(f"deliveries/credits/{CAMPAIGN}/c-1", {**body, **changes}, BERT)
        assert (reply.status, reply.content.get("reason")) == (status, reason), reply.content
        assert road.by_entries() == before
