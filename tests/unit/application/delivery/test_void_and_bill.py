"""Whatever is delivered, answered and voided in whatever order: the way to the bill says what the entries say."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest

from kulanz.application.delivery.ask_void import inline_file
from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.entries import CreditState, Standing, standing
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import granted_benefits
from kulanz_cli.month import csv_of
from kulanz_console.drawing.ways import differences_of, totals_of
from tests.fake_biller.biller import Biller
from tests.support.billed import Clock
from tests.support.billing_files import read_delivery
from tests.support.faults import Fault, Tap, fault_at
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import ANNA, BEN
from tests.support.world_door import ANNA as DOOR_ANNA
from tests.support.world_door import BERT, WorldDoor
from tests.support.world_voids import approved, asked, run_voids, void_ports, watched_voids

MONTH = "2026-03"
CORRECTED = "K-4711"
"""How the biller knows the account that it rejects."""
ACCOUNTS = ("booked", "rejected", "idle")
SETTLED = frozenset({CreditState.APPLIED, CreditState.VOIDED, CreditState.WRITTEN_OFF})


class Road:
    """A closed campaign that nothing was delivered of, with the biller and the door. The biller knows all but one."""

    def __init__(self, biller: Biller) -> None:
        self.world = small_world(list_of([row(account) for account in ACCOUNTS]), channel=Channel("billing"))
        self.world.delivers = False
        self.world.publish(event(rows=len(ACCOUNTS)))
        self.world.run_until_quiet()
        self.world.delivers = True
        self.door, self.biller, self.done, self.taken = WorldDoor(self.world), biller, 0, 0
        biller.open_accounts([(account, "EUR", "100.00") for account in ACCOUNTS if account != "rejected"])

    def step(self, what: str) -> None:
        """One step; where there is nothing to do, nothing."""
        self.done += 1
        match what.split():
            case ["deliver"]:
                self.deliver()
            case ["answer"]:
                self.hear()
            case ["take_back"]:
                self.biller.run_cycle(self.day())
                self.hear()
                for bill in sorted({line[0] for line in self.biller.on_bills() if line[0].endswith("booked")}):
                    self.biller.void(bill, self.day())
                self.hear()
            case ["again"]:
                self.biller.open_accounts([(CORRECTED, "EUR", "100.00")])
                self.act_on_all("send_again", biller_account=CORRECTED)
            case ["write_off"]:
                self.act_on_all("write_off")
            case ["send"]:
                self.deliver()
            case ["cycle"]:
                self.biller.run_cycle(self.day())
                self.hear()
            case ["void", *accounts]:
                self.void(accounts)
            case _:
                raise AssertionError(f"no such step: {what}")
        self.must_add_up()

    def day(self) -> str:
        """A day of bills, later than those before."""
        return (date(2026, 4, 1) + timedelta(days=self.done)).isoformat()

    def deliver(self) -> None:
        """Deliver all that is due, and hand it over."""
        self.done += 1
        self.world.now += timedelta(seconds=1)
        assert self.door.put(f"deliveries/settled/{CAMPAIGN}/d-{self.done}", {"reason": "now"}).status == 200
        self.world.run_until_quiet()
        for serial in range(self.taken + 1, self.world.deliveries.last_serial("billing") + 1):
            folder = f"deliveries/billing/{serial:08d}/"
            documents = self.world.archive.documents.items()
            found = {key.removeprefix(folder): text for key, text in documents if folder in key}
            assert self.biller.take("billing", serial, found) == "taken"
            self.taken = serial

    def act_on_all(self, action: str, **stated: str) -> None:
        """Do the same with every credit that waits for a person."""
        for one in self.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]:
            self.done += 1
            self.world.now += timedelta(seconds=1)
            body = {"action": action, "account_id": one["account_id"], "credit_id": one["credit_id"], "reason": "why"}
            more = stated if one["account_id"] == "rejected" else {}
            path = f"deliveries/credits/{CAMPAIGN}/c-{self.done}"
            reply = self.door.put(path, {**body, **more}, BERT)
            if reply.content.get("reason") == "entries_full":
                body, more, path = {**body, "action": "write_off"}, {}, f"{path}-off"
                reply = self.door.put(path, body, BERT)
            assert reply.status == 200, reply.content
            assert self.door.put(path, {**body, **more}, BERT).content == reply.content
        assert self.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"] == []

    def hear(self) -> None:
        """Read what the biller answers."""
        content, world = self.biller.write_answers(), self.world
        if content.count(b"\n") < 2:
            return
        self.done += 1
        key = f"acknowledgements/billing/{self.done}.csv"
        body = {"file": {"key": key, "version_id": world.lists.upload(key, content)}}
        reply = self.door.put(f"acknowledgements/channel/billing/{self.done}", body)
        assert reply.status == 200, reply.content
        ports = AnswerPorts(world.lists, world.archive, world.deliveries, world.credits, self.door.answers)
        for message in self.door.answer_queue.messages:
            assert hear_chunk(message.channel, message.file, message.chunk, ports, Clock(world.now))
        self.door.answer_queue.messages.clear()

    def void(self, accounts: list[str], tap: Tap | None = None) -> VoidState:
        """Void what can be voided: of some accounts, or of all. With `tap`, workers die."""
        named = VoidId(CampaignId.parse(CAMPAIGN), f"void-{self.done}")
        file = (
            inline_file(named, [(one, WHOLE_ACCOUNT) for one in accounts], void_ports(self.world)) if accounts else None
        )
        void = asked(self.world, ANNA, file, named.name)
        run_voids(self.world)
        found = self.world.voids.void(void.id)
        assert found is not None
        if found.state is VoidState.AWAITING_APPROVAL:
            approved(self.world, void, BEN)
            for _ in range(4):
                run_voids(self.world, tap)
                watched_voids(self.world)
        found = self.world.voids.void(void.id)
        assert found is not None
        return found.state

    # What the entries say

    def stands(self) -> list[tuple[str, Decimal, Standing, int | Decimal]]:
        """Every credit of the ledger: its measure, what a smallest unit of it is, where it stands, its size."""
        found = []
        for entry in self.world.ledger.all_entries():
            for place, benefit in enumerate(granted_benefits(entry)):
                measure, size = worth_of(benefit)
                unit = Decimal(1) if benefit.money is None else Decimal("0.01")
                found.append((measure, unit, standing(self.world.credits.of(entry.key), place, size), size))
        return found

    def by_entries(self) -> dict[str, dict[str, Decimal]]:
        """Sums by measure and state. What is assigned in its entry was sent by the trailer of its file."""
        found: dict[str, dict[str, Decimal]] = {}
        for measure, unit, stands, size in self.stands():
            for state, share in stands.shares(size).items():
                name = "sent" if state is CreditState.ASSIGNED else state.value
                sums = found.setdefault(measure, {})
                sums[name] = sums.get(name, Decimal(0)) + share * unit
        return found

    def must_add_up(self) -> None:
        """Campaign, month and deadlines are as the entries say."""
        expected, owed = self.by_entries(), dict[tuple[Any, str], tuple[int, Decimal]]()
        for measure, _, stands, size in self.stands():
            if stands.due is not None and stands.state not in SETTLED:
                number, left = owed.get((stands.due, measure), (0, Decimal(0)))
                owed[stands.due, measure] = number + 1, left + size - stands.applied
        counted = {(due.due, due.measure): sums for due, sums in self.world.deliveries.dues.items() if any(sums)}
        assert counted == owed
        campaign = self.door.get(f"acknowledgements/campaign/{CAMPAIGN}").content
        (of_month,) = self.door.get(f"acknowledgements/month/{MONTH}").content["campaigns"]
        assert of_month == {name: value for name, value in campaign.items() if name != "v"}
        assert campaign["differences"] == differences_of([of_month]) == []
        for line, total in zip(campaign["lines"], totals_of([of_month]), strict=True):
            must_be(line, expected[line["measure"]])
            assert (total["granted"], total["voided"]) == (line["granted"], line["voided"])
        shown = self.door.get(f"deliveries/campaign/{CAMPAIGN}").content["to_be_booked"]
        assert shown == [{"measure": one["measure"], "sum": one["to_be_booked"]} for one in campaign["lines"]]
        head, *rows = (text.split(",") for text in csv_of([of_month]).splitlines())
        for cells in rows:
            told = dict(zip(head, cells, strict=True))
            states = head[head.index("granted") + 1 : head.index("overdue")]
            assert sum(Decimal(told[state]) for state in states) == Decimal(told["granted"])
            assert Decimal(told["voided"]) == expected[told["measure"]].get("voided", 0)


def must_be(line: Mapping[str, Any], expected: Mapping[str, Decimal]) -> None:
    """A line of the way to the bill is as the entries of its measure say."""
    by_state = {name: Decimal(text) for name, text in line["by_state"].items()}
    granted, voided, to_be_booked = (Decimal(line[name]) for name in ("granted", "voided", "to_be_booked"))
    assert by_state == {name: size for name, size in expected.items() if name != "voided"}
    assert voided == expected.get("voided", 0)
    assert granted - voided == to_be_booked == sum(by_state.values())
    assert granted == sum(expected.values()) == Decimal(line["planned"])


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
