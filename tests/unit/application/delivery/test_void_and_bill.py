"""Whatever is delivered, answered and voided in whatever order: the way to the bill says what the entries say."""

from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from kulanz.application.delivery.advance_delivery import open_settled
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
from tests.support.faults import Fault, Tap, fault_at
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import ANNA, BEN
from tests.support.world_door import WorldDoor
from tests.support.world_voids import approved, asked, run_voids, void_ports, watched_voids

MONTH = "2026-03"
ACCOUNTS = ("booked", "rejected", "idle")
SETTLED = frozenset({CreditState.APPLIED, CreditState.VOIDED})


class Road:
    """A closed campaign that nothing was delivered of, with the biller and the door. The biller knows all but one."""

    def __init__(self, biller: Biller) -> None:
        self.world = small_world(list_of([row(account) for account in ACCOUNTS]), channel=Channel("billing"))
        self.world.delivers = False
        self.world.publish(event(rows=len(ACCOUNTS)))
        self.world.run_until_quiet()
        self.world.delivers = True
        self.door, self.biller, self.done = WorldDoor(self.world), biller, 0
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
                self.biller.run_cycle(f"2026-04-{self.done:02d}")
                self.hear()
                for bill in sorted({line[0] for line in self.biller.on_bills() if line[0].endswith("booked")}):
                    self.biller.void(bill, f"2026-04-{self.done:02d}")
                self.hear()
            case ["void", *accounts]:
                self.void(accounts)
            case _:
                raise AssertionError(f"no such step: {what}")
        self.must_add_up()

    def deliver(self) -> None:
        """Deliver all that is due, and hand it over."""
        world, campaign = self.world, self.world.campaign(CAMPAIGN)
        open_settled(campaign, world.campaigns, world.deliveries, ANNA, world.now)
        world.run_until_quiet()
        folder = "deliveries/billing/00000001/"
        found = {key.removeprefix(folder): text for key, text in world.archive.documents.items() if folder in key}
        assert self.biller.take("billing", 1, found) == "taken"

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
