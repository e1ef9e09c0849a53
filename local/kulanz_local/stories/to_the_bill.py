"""AT&T, February 2024: credits on their way to the bill, at a biller that rejects some and voids invoices."""

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_local import drive
from kulanz_local.billing_process import BillingProcess, billing_process
from kulanz_local.stories.telling import HERE, Stage, counted

TITLE = "AT&T, February 2024: five dollars on their way to the bill"
CAMPAIGN = CampaignId("att-2024-02-22-bills", 1)
CHANNEL = "bills"
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


MISTAKEN, WITHOUT_CHARGE, VOIDED = Customer(3), Customer(5), Customer(7)
"""Whose key is wrong in the list; whose bills charge nothing, so that nothing can come off; whose invoice is voided."""


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
            f"1 rejected, corrected, sent again; 1 invoice voided, credited again; {self.overdue} late",
            f"plan, ledger and the biller's own bills agree: {self.on_bills} USD on bills",
        )


def tell(stage: Stage, biller_of: AbstractContextManager[BillingProcess] | None = None) -> Billed:
    """Tell the story; what differs from what is expected is on the stage."""
    with biller_of or billing_process(stage.folder) as biller:
        return _Telling(stage, biller).tell()


class _Telling:
    """The story, between a stage and a biller."""

    def __init__(self, stage: Stage, biller: BillingProcess) -> None:
        self.stage = stage
        self.biller = biller
        self.taken = 0
        self.customers = [Customer(number) for number in range(1, CUSTOMERS + 1)]
        self.affected = [customer for customer in self.customers if customer.is_affected]

    def tell(self) -> Billed:
        stage, biller = self.stage, self.biller
        stage.tell(f"\n[bold]{TITLE}[/bold]")
        self._grant()
        charges = {WITHOUT_CHARGE: "0.00"}
        biller.open_accounts((one.biller_account, "USD", charges.get(one, "40.00")) for one in self.customers)

        stage.tell("The credits are delivered as a file. The biller books it, and bills for the first time.")
        self._deliver_next()
        biller.set_faults(percent_applied=IN_PARTS)
        self._bill(CYCLES[0])
        part = CREDIT * IN_PARTS / 100
        self._stands(
            {"applied": part * (len(self.affected) - 2), "rejected": CREDIT},
            accepted=(CREDIT - part) * (len(self.affected) - 2) + CREDIT,
        )

        stage.tell("One account is unknown there. Finance corrects its key, and sends the credit again.")
        self._send_again(MISTAKEN, "--biller-account", MISTAKEN.biller_account)
        biller.set_faults(percent_applied=100)
        self._bill(CYCLES[1])
        self._stands({"applied": CREDIT * (len(self.affected) - 1)}, accepted=CREDIT)

        stage.tell("An invoice is voided. Its credit is booked anew, under a new id that names the old one.")
        bill = next(line.bill for line in biller.on_bills() if line.account_id == VOIDED.account_id)
        stage.expect("credits on the voided invoice", biller.void(bill, "2024-04-20"), 1)
        self._acknowledge()
        self._stands({"applied": CREDIT * (len(self.affected) - 2), "taken_back": CREDIT}, accepted=CREDIT)
        self._send_again(VOIDED)
        self._bill(CYCLES[2])

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

    def _deliver_next(self) -> None:
        """Wait for the next delivery of the campaign, and let the biller read its files."""
        self.taken += 1
        self.stage.wait_until(f"delivery {self.taken}", lambda: self._deliveries() >= self.taken)
        folder = self.stage.stack.door().ask("deliveries.one", channel=CHANNEL, serial=self.taken)["folder"]
        taken = self.biller.take(CHANNEL, self.taken, drive.files_in(self.stage.stack, folder))
        self.stage.expect(f"delivery {self.taken} at the biller", taken, "taken")

    def _deliveries(self) -> int:
        """How many deliveries are sent."""
        pages = self.stage.stack.door().pages("deliveries.of_channel", channel=CHANNEL)
        return sum(one["state"] == "sent" for page in pages for one in page["deliveries"])

    def _bill(self, day: str) -> None:
        self.biller.run_cycle(day)
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Hand in the biller's next answer file, and wait until each of its lines has a result."""
        stage = self.stage
        path = stage.folder / "answers.csv"
        path.write_bytes(self.biller.answers())
        stage.expect("acknowledge", stage.kulanz_of_person("acknowledge", str(path), "--channel", CHANNEL), 0)
        path.unlink()
        stage.wait_until("the answers", lambda: all(one["finished"] for one in self._answered()))
        results = Counter(line["result"] for one in self._answered() for line in one["results"])
        stage.expect("answers that changed nothing", results.keys() - CHANGED, set())

    def _answered(self) -> list[Mapping[str, Any]]:
        pages = self.stage.stack.door().pages("acknowledgements.of_channel", channel=CHANNEL)
        return [one for page in pages for one in page["files"]]

    def _send_again(self, customer: Customer, *corrected: str) -> None:
        """What finance does with a credit that is on no bill any more; the biller takes the delivery that has it."""
        stage, name = self.stage, str(CAMPAIGN)
        stage.expect("credits for a person", stage.kulanz_of_person("credits", name), 1)
        (found,) = self._asked("acknowledgements.rejected_credits")["credits"]
        stage.expect("whose credit waits", found["account_id"], customer.account_id)
        words = ("--send-again", found["credit_id"], "--account", customer.account_id, *corrected)
        again = stage.kulanz_of_person("credits", name, *words, "--reason", "billing corrected it")
        stage.expect("send again", again, 0)
        stage.expect("deliver", stage.kulanz_of_person("deliver", name, "--reason", "not in a day, now"), 0)
        self._deliver_next()

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
        for billed in self.biller.on_bills():
            on_bills[billed.account_id] = on_bills.get(billed.account_id, Decimal(0)) + billed.amount
        wanted = {one.account_id: CREDIT for one in self.affected if one != WITHOUT_CHARGE}
        stage.expect("the biller's own bills", on_bills, wanted)
        total = sum(wanted.values(), start=Decimal(0))
        granted = f"{CREDIT * len(self.affected)}"
        stage.expect("planned and granted", (line["planned"], line["granted"]), (granted, granted))
        self._stands({"applied": total}, accepted=CREDIT)
        stage.expect("differences", found["differences"], [])
        stage.expect("the month", stage.kulanz_of_person("month"), 1)
        return Billed(len(self.affected), self.taken, line["by_state"], line["overdue"], total)


CHANGED = frozenset({"accepted", "applied", "rejected", "taken_back"})
"""What an answer may come to here: no line comes twice, late or for another's credit."""
