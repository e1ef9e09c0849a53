"""A closed campaign on its way to the bill, step by step, with the fake biller and the door."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from kulanz.application.delivery.ask_void import inline_file
from kulanz.application.delivery.campaign_law import counted_lines
from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.channel import Channel, FileFormat
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import CreditState, Standing, standing
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import Entry, granted_benefits
from kulanz_console.drawing.ways import differences_of, totals_of
from kulanz_console.month_table import csv_of
from tests.fake_biller.biller import Biller
from tests.support.billed import Clock
from tests.support.faults import Tap
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, telling_world
from tests.support.world import ANNA, BEN
from tests.support.world_door import BERT, WorldDoor
from tests.support.world_voids import approved, asked, run_voids, void_ports, watched_voids

MONTH = "2026-03"
CORRECTED = "K-4711"
"""How the biller knows the account that it rejects."""
ACCOUNTS = ("booked", "rejected", "idle")
SETTLED = frozenset({CreditState.APPLIED, CreditState.VOIDED, CreditState.WRITTEN_OFF})


class Road:
    """A closed campaign that nothing was delivered of, with the biller and the door. The biller knows all but one."""

    def __init__(self, biller: Biller, letters: Biller | None = None, version: int = 1) -> None:
        """`letters` is the biller of another channel; where there is none, the stack has none. `version` is the
        policy's: 2 tells customers what is taken back.
        """
        self.world = telling_world(list_of([row(account) for account in ACCOUNTS]), channel=Channel("billing"))
        self.billers = {"billing": biller}
        if letters is not None:
            self.billers["letters"] = letters
            self.world.other_channels = (Channel("letters", format=FileFormat.JSONL),)
        self.world.delivers = False
        self.world.publish(event(rows=len(ACCOUNTS), policy_version=version))
        self.world.run_until_quiet()
        self.world.delivers = True
        self.door, self.biller, self.done = WorldDoor(self.world), biller, 0
        self.taken = dict.fromkeys(self.billers, 0)
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
            case ["redirect", channel]:
                self.act_on_all("send_again", channel=channel)
            case ["write_off"]:
                self.act_on_all("write_off")
            case ["send"]:
                self.deliver()
            case ["cycle"]:
                for biller in self.billers.values():
                    biller.run_cycle(self.day())
                self.hear()
            case ["void" | "ask" as verb, *accounts]:
                self.void(accounts, asks_biller=verb == "ask")
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
        for channel, biller in self.billers.items():
            for serial in range(self.taken[channel] + 1, self.world.deliveries.last_serial(channel) + 1):
                folder = f"deliveries/{channel}/{serial:08d}/"
                documents = self.world.archive.documents.items()
                found = {key.removeprefix(folder): text for key, text in documents if folder in key}
                assert biller.take(channel, serial, found) == "taken"
                self.taken[channel] = serial

    def act_on_all(self, action: str, **stated: str) -> None:
        """Do the same with every credit that waits for a person."""
        for one in self.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"]:
            self.done += 1
            self.world.now += timedelta(seconds=1)
            body = {"action": action, "account_id": one["account_id"], "credit_id": one["credit_id"], "reason": "why"}
            more = stated if one["account_id"] == "rejected" or "channel" in stated else {}
            path = f"deliveries/credits/{CAMPAIGN}/c-{self.done}"
            reply = self.door.put(path, {**body, **more}, BERT)
            if reply.content.get("reason") == "entries_full":
                body, more, path = {**body, "action": "write_off"}, {}, f"{path}-off"
                reply = self.door.put(path, body, BERT)
            assert reply.status == 200, reply.content
            assert self.door.put(path, {**body, **more}, BERT).content == reply.content
        assert self.door.get(f"overdue/rejected/{CAMPAIGN}").content["credits"] == []

    def hear(self) -> None:
        """Read what each biller answers."""
        for channel, biller in self.billers.items():
            self.answer(channel, biller.write_answers())

    def answer(self, channel: str, content: bytes) -> None:
        """Read an answer file of a channel."""
        world = self.world
        if content.count(b"\n") < 2:
            return
        self.done += 1
        key = f"acknowledgements/{channel}/{self.done}.csv"
        body = {"file": {"key": key, "version_id": world.lists.upload(key, content)}}
        reply = self.door.put(f"acknowledgements/channel/{channel}/{self.done}", body)
        assert reply.status == 200, reply.content
        told = world.campaigns, world.troubles, world.ledger
        ports = AnswerPorts(world.lists, world.archive, world.deliveries, world.credits, self.door.answers, *told)
        for message in self.door.answer_queue.messages:
            assert hear_chunk(message.channel, message.file, message.chunk, ports, Clock(world.now))
        self.door.answer_queue.messages.clear()

    def void(self, accounts: list[str], tap: Tap | None = None, *, asks_biller: bool = False) -> VoidState:
        """Void what can be voided: of some accounts, or of all. With `tap`, workers die."""
        named = VoidId(CampaignId.parse(CAMPAIGN), f"void-{self.done}")
        file = (
            inline_file(named, [(one, WHOLE_ACCOUNT) for one in accounts], void_ports(self.world)) if accounts else None
        )
        void = asked(self.world, ANNA, file, named.name, asks_biller=asks_biller)
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
        return [one for entry in self.world.ledger.all_entries() for one in self.stands_of(entry)]

    def stands_of(self, entry: Entry) -> list[tuple[str, Decimal, Standing, int | Decimal]]:
        """The same of one decision."""
        found = []
        for place, benefit in enumerate(granted_benefits(entry)):
            measure, size = worth_of(benefit)
            unit = Decimal(1) if benefit.money is None else Decimal("0.01")
            found.append((measure, unit, standing(self.world.credits.of(entry.key), place, size), size))
        return found

    @property
    def campaign(self) -> Campaign:
        """The campaign."""
        return self.world.campaign(CAMPAIGN)

    def asked_back(self) -> dict[str, int | Decimal]:
        """What is asked back and not answered, by measure, by the entries and by the counters."""
        found: dict[str, int | Decimal] = {}
        for measure, _, stands, _ in self.stands():
            if stands.asked_back:
                found[measure] = found.get(measure, 0) + stands.asked_back
        lines = counted_lines(self.campaign, self.door)
        assert {line.measure: line.asked_back for line in lines if line.asked_back} == found
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
                left_now = size - stands.voided
                owed[stands.due, measure] = number + 1, left + left_now - min(stands.applied, left_now)
        counted = {(due.due, due.measure): sums for due, sums in self.world.deliveries.dues.items() if any(sums)}
        assert counted == owed
        campaign = self.door.get(f"acknowledgements/campaign/{CAMPAIGN}").content
        campaigns = self.door.get(f"acknowledgements/month/{MONTH}").content["campaigns"]
        (of_month,) = (one for one in campaigns if one["campaign"] == CAMPAIGN)
        assert of_month == {name: value for name, value in campaign.items() if name != "v"}
        assert campaign["differences"] == differences_of([of_month]) == []
        for line, total in zip(campaign["lines"], totals_of([of_month]), strict=True):
            must_be(line, expected[line["measure"]])
            self.must_be_at_channels(line)
            assert (total["granted"], total["voided"]) == (line["granted"], line["voided"])
        shown = self.door.get(f"deliveries/campaign/{CAMPAIGN}").content["to_be_booked"]
        assert shown == [{"measure": one["measure"], "sum": one["to_be_booked"]} for one in campaign["lines"]]
        head, *rows = (text.split(",") for text in csv_of([of_month]).splitlines())
        for cells in rows:
            told = dict(zip(head, cells, strict=True))
            states = head[head.index("granted") + 1 : head.index("overdue")]
            assert sum(Decimal(told[state]) for state in states) == Decimal(told["granted"])
            assert Decimal(told["voided"]) == expected[told["measure"]].get("voided", 0)

    def must_be_at_channels(self, line: Mapping[str, Any]) -> None:
        """A line of the way to the bill says of each channel and code of its biller what the entries say."""
        at: dict[tuple[str, str], Decimal] = {}
        rejected: dict[tuple[str, str], Decimal] = {}
        for measure, unit, stands, size in self.stands():
            for state, share in stands.shares(size).items() if measure == line["measure"] else ():
                channel = "" if state is CreditState.DUE else stands.delivery.rpartition("/")[0]
                if state is not CreditState.VOIDED:
                    place = channel, "sent" if state is CreditState.ASSIGNED else state.value
                    at[place] = at.get(place, Decimal(0)) + share * unit
                if state is CreditState.REJECTED:
                    rejected[channel, stands.code] = rejected.get((channel, stands.code), Decimal(0)) + share * unit
        told = {
            (one["channel"], state): Decimal(text)
            for one in line["by_channel"]
            for state, text in one["by_state"].items()
        }
        assert told == at
        assert sum(Decimal(one["voided"]) for one in line["by_channel"]) == Decimal(line["voided"])
        assert {(one["channel"], one["code"]): Decimal(one["sum"]) for one in line["rejected_with"]} == rejected


def must_be(line: Mapping[str, Any], expected: Mapping[str, Decimal]) -> None:
    """A line of the way to the bill is as the entries of its measure say."""
    by_state = {name: Decimal(text) for name, text in line["by_state"].items()}
    granted, voided, to_be_booked = (Decimal(line[name]) for name in ("granted", "voided", "to_be_booked"))
    assert by_state == {name: size for name, size in expected.items() if name != "voided"}
    assert voided == expected.get("voided", 0)
    assert granted - voided == to_be_booked == sum(by_state.values())
    assert granted == sum(expected.values()) == Decimal(line["planned"])
