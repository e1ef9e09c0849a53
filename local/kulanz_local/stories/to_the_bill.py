"""AT&T, February 2024: credits on their way to the bill, at a biller that rejects some and voids invoices.

One rejected credit is of a customer who has left that biller. It goes to another channel, whose biller applies it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_local import drive
from kulanz_local.billing_process import BillingProcess, billing_process
from kulanz_local.stories.telling import HERE, Stage, counted

TITLE = "AT&T, February 2024: five dollars on their way to the bill"
CAMPAIGN = CampaignId("att-2024-02-22-bills", 1)
CHANNEL, OTHER_CHANNEL = "bills", "letters"
"""The channel of the policy, and the one of the stack that has the credits of those who have left."""
OTHER_CHANNELS = f"{OTHER_CHANNEL}:csv"
"""The parameter `OtherChannels` of a stack on which the story is told."""
CUSTOMERS = 24
CREDIT = Decimal("5.00")
IN_PARTS = 60
"""Percent of a credit that the first bill applies; the next one applies the rest."""
CYCLES = ("2024-03-15", "2024-04-15", "2024-05-15")
OUTAGE = {"start": "2024-02-22T09:45:00Z", "end": "2024-02-22T20:10:00Z"}


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer by number: every eighth was not affected."""

    number: int

    @property
    def account_id(self) -> str:
        return f"mob-{self.number:04d}"

    @property
    def biller_account(self) -> str:
        return f"K-{self.number:04d}"

    @property
    def is_affected(self) -> bool:
        return self.number % 8 != 0

    def row(self) -> str:
        """Its row; one customer's key at the biller has a mistake."""
        key = f"K-9{self.number:03d}" if self == MISTAKEN else self.biller_account
        return f"{self.account_id},{key},{str(self.is_affected).lower()}"


MISTAKEN, WITHOUT_CHARGE, VOIDED, LEFT = Customer(3), Customer(5), Customer(7), Customer(9)
"""Whose key is wrong in the list; whose bills charge nothing, so that nothing can come off; whose invoice is voided;
who has no account at the biller any more."""


@dataclass(frozen=True, slots=True)
class Billed:
    """What the story came to: credits and deliveries, and sums in USD by where they stand."""

    credits: int
    deliveries: int
    by_state: Mapping[str, str]
    overdue: str
    on_bills: Decimal

    def lines(self) -> tuple[str, ...]:
        """The story in a few lines."""
        sums = ", ".join(f"{size} {state.replace('_', ' ')}" for state, size in sorted(self.by_state.items()))
        return (
            f"{self.credits} credits of 5.00 USD by file, {self.deliveries} deliveries: {sums}",
            f"2 rejected: 1 corrected, 1 to another channel; 1 voided and anew; {self.overdue} late",
            f"plan, ledger and the bills of both billers agree: {self.on_bills} USD on bills",
        )


def tell(stage: Stage) -> Billed:
    """Tell the story; what differs from what is expected is on the stage."""
    elsewhere = stage.folder / OTHER_CHANNEL
    elsewhere.mkdir()
    with billing_process(stage.folder) as biller, billing_process(elsewhere) as other:
        return _Telling(stage, _Lane(CHANNEL, biller), _Lane(OTHER_CHANNEL, other)).tell()


@dataclass(slots=True)
class _Lane:
    """A channel, the biller at its end, and how many of its deliveries that one has taken."""

    channel: str
    biller: BillingProcess
    taken: int = field(default=0)


class _Telling:
    """The story, between a stage and two billers."""

    def __init__(self, stage: Stage, bills: _Lane, letters: _Lane) -> None:
        self.stage = stage
        self.bills, self.letters = bills, letters
        self.customers = [Customer(number) for number in range(1, CUSTOMERS + 1)]
        self.affected = [customer for customer in self.customers if customer.is_affected]

    def tell(self) -> Billed:
        stage, biller, bills, letters = self.stage, self.bills.biller, self.bills, self.letters
        stage.tell(f"\n[bold]{TITLE}[/bold]")
        self._grant()
        charges = {WITHOUT_CHARGE: "0.00"}
        for lane, customers in ((bills, [one for one in self.customers if one != LEFT]), (letters, [LEFT])):
            accounts = ((one.biller_account, "USD", charges.get(one, "40.00")) for one in customers)
            lane.biller.open_accounts(accounts)

        stage.tell("The credits are delivered as a file. The biller books it, and bills for the first time.")
        self._deliver_next(bills)
        biller.set_faults(percent_applied=IN_PARTS)
        self._bill(bills, CYCLES[0])
        part = CREDIT * IN_PARTS / 100
        self._stands(
            {"applied": part * (len(self.affected) - 3), "rejected": CREDIT * 2},
            accepted=(CREDIT - part) * (len(self.affected) - 3) + CREDIT,
        )

        stage.tell("Two accounts are unknown there. Finance corrects the key of one, and sends its credit again.")
        self._send_again(MISTAKEN, bills, "--biller-account", MISTAKEN.biller_account)
        stage.tell("The other customer has left that biller. Finance sends the credit to another channel.")
        self._send_again(LEFT, letters, "--to", OTHER_CHANNEL)
        self._bill(letters, CYCLES[1])
        self._stands(
            {"applied": part * (len(self.affected) - 3) + CREDIT, "sent": CREDIT},
            accepted=(CREDIT - part) * (len(self.affected) - 3) + CREDIT,
        )
        biller.set_faults(percent_applied=100)
        self._bill(bills, CYCLES[1])
        self._stands({"applied": CREDIT * (len(self.affected) - 1)}, accepted=CREDIT)

        stage.tell("An invoice is voided. Its credit is booked anew, under a new id that names the old one.")
        bill = next(line.bill for line in biller.on_bills() if line.account_id == VOIDED.account_id)
        stage.expect("credits on the voided invoice", biller.void(bill, "2024-04-20"), 1)
        self._acknowledge(bills)
        self._stands({"applied": CREDIT * (len(self.affected) - 2), "taken_back": CREDIT}, accepted=CREDIT)
        self._send_again(VOIDED, bills)
        self._bill(bills, CYCLES[2])

        stage.tell("One account is never charged anything, so its credit is on no bill, and late.")
        self._alarmed()
        return self._compared()

    def _grant(self) -> None:
        stage = self.stage
        stage.publish_policy(HERE / "att-2024-bills-1.yaml")
        header = "account_id,biller_account,potentially_impacted"
        affected = stage.upload("att-2024-bills.csv", [header, *(one.row() for one in self.customers)])
        campaign = {"policy": {"id": "att-2024-bills", "version": 1}, "affected": affected}
        incident = {
            "incident_id": CAMPAIGN.incident_id,
            "revision": 1,
            "title": "Wireless outage, the accounts of one billing system",
            "service": "wireless",
            "functions": ["voice", "data", "text"],
            "windows": [OUTAGE],
            "cause": "failed_network_change",
        }
        stage.send("Incident Declared", {**incident, "campaign": campaign})
        closed = stage.closed(CAMPAIGN)
        left_out = counted(("declined", "not_impacted") for one in self.customers if not one.is_affected)
        results = {**left_out, ("granted", "credit"): len(self.affected)}
        stage.compare(closed, results, {("granted", "USD"): int(CREDIT * 100) * len(self.affected)})

    def _deliver_next(self, lane: _Lane) -> None:
        """Wait for the channel's next delivery of the campaign, and let the biller read its files."""
        lane.taken += 1
        name = f"delivery {lane.channel}/{lane.taken}"
        self.stage.wait_until(name, lambda: self._deliveries(lane) >= lane.taken)
        folder = self.stage.stack.door().ask("deliveries.one", channel=lane.channel, serial=lane.taken)["folder"]
        taken = lane.biller.take(lane.channel, lane.taken, drive.files_in(self.stage.stack, folder))
        self.stage.expect(f"{name} at the biller", taken, "taken")

    def _deliveries(self, lane: _Lane) -> int:
        """How many deliveries of a channel are sent."""
        pages = self.stage.stack.door().pages("deliveries.of_channel", channel=lane.channel)
        return sum(one["state"] == "sent" for page in pages for one in page["deliveries"])

    def _bill(self, lane: _Lane, day: str) -> None:
        lane.biller.run_cycle(day)
        self._acknowledge(lane)

    def _acknowledge(self, lane: _Lane) -> None:
        """Hand in the biller's next answer file, and wait until each of its lines has a result."""
        stage = self.stage
        path = stage.folder / "answers.csv"
        path.write_bytes(lane.biller.answers())
        stage.expect("acknowledge", stage.kulanz_of_person("acknowledge", str(path), "--channel", lane.channel), 0)
        path.unlink()
        stage.wait_until("the answers", lambda: all(one["finished"] for one in self._answered(lane)))
        results = Counter(line["result"] for one in self._answered(lane) for line in one["results"])
        stage.expect("answers that changed nothing", results.keys() - CHANGED, set())

    def _answered(self, lane: _Lane) -> list[Mapping[str, Any]]:
        pages = self.stage.stack.door().pages("acknowledgements.of_channel", channel=lane.channel)
        return [one for page in pages for one in page["files"]]

    def _send_again(self, customer: Customer, lane: _Lane, *corrected: str) -> None:
        """What finance does with a credit that is on no bill any more; the biller takes the delivery that has it."""
        stage, name = self.stage, str(CAMPAIGN)
        stage.expect("credits for a person", stage.kulanz_of_person("credits", name), 1)
        waiting = {one["account_id"]: one for one in self._asked("acknowledgements.rejected_credits")["credits"]}
        stage.expect(f"whether the credit of {customer.account_id} waits", customer.account_id in waiting, True)
        found = waiting[customer.account_id]
        words = ("--send-again", found["credit_id"], "--account", customer.account_id, *corrected)
        again = stage.kulanz_of_person("credits", name, *words, "--reason", "billing corrected it")
        stage.expect("send again", again, 0)
        stage.expect("deliver", stage.kulanz_of_person("deliver", name, "--reason", "not in a day, now"), 0)
        self._deliver_next(lane)

    def _stands(self, wanted: Mapping[str, Decimal], *, accepted: Decimal) -> None:
        """Every credit stands where it should."""
        (line,) = self._asked("acknowledgements.of_campaign")["lines"]
        found = {state: Decimal(size) for state, size in line["by_state"].items()}
        self.stage.expect("where the credits stand", found, {**wanted, "accepted": accepted})

    def _asked(self, question: str) -> Mapping[str, Any]:
        """What the API answers about the campaign."""
        return self.stage.stack.door().ask(question, incident=CAMPAIGN.incident_id, seq=CAMPAIGN.seq)

    def _alarmed(self) -> None:
        """What is late is listed, and counted by the tick for the alarm."""
        stage = self.stage
        stage.expect("overdue", stage.kulanz_of_person("overdue"), 1)
        found = stage.stack.door().ask("acknowledgements.overdue")["overdue"]
        late = sum(one["credits"] for one in found if one["campaign"] == str(CAMPAIGN))
        stage.expect("credits that are late", late, 1)
        stage.expect("CreditsOverdue of the tick", drive.tick(stage.stack).get("CreditsOverdue"), 1)

    def _compared(self) -> Billed:
        """Plan and ledger with the biller's own bills, credit by credit."""
        stage, found = self.stage, self._asked("acknowledgements.of_campaign")
        (line,) = found["lines"]
        on_bills: dict[str, Decimal] = {}
        for billed in (*self.bills.biller.on_bills(), *self.letters.biller.on_bills()):
            on_bills[billed.account_id] = on_bills.get(billed.account_id, Decimal(0)) + billed.amount
        wanted = {one.account_id: CREDIT for one in self.affected if one != WITHOUT_CHARGE}
        stage.expect("the billers' own bills", on_bills, wanted)
        elsewhere = {billed.account_id for billed in self.letters.biller.on_bills()}
        stage.expect("whose credit is on a bill of the other channel", elsewhere, {LEFT.account_id})
        total = sum(wanted.values(), start=Decimal(0))
        granted = f"{CREDIT * len(self.affected)}"
        stage.expect("planned and granted", (line["planned"], line["granted"]), (granted, granted))
        self._stands({"applied": total}, accepted=CREDIT)
        stage.expect("differences", found["differences"], [])
        stage.expect("the month", stage.kulanz_of_person("month"), 1)
        return Billed(
            len(self.affected), self.bills.taken + self.letters.taken, line["by_state"], line["overdue"], total
        )


CHANGED = frozenset({"accepted", "applied", "rejected", "taken_back"})
"""What an answer may come to here: no line comes twice, late or for another's credit."""
