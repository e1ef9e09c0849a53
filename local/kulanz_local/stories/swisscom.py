"""Swisscom, January 2018: goodwill on request, and two weeks later one monthly fee for everybody."""

from dataclasses import dataclass
from pathlib import Path

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.outcomes import EXIT_UNUSABLE
from kulanz_local.embedded import PROJECT
from kulanz_local.stories.telling import Stage, counted

TITLE = "Swisscom, January 2018: goodwill for those who ask, then one monthly fee for all"
INCIDENT = "swisscom-2018-01"
HERE = Path(__file__).parent
ACCOUNTS_LEAST = 60
ACCEPTING = 6
"""So many customers of each product take the offer up."""
TICKET = "T-2018-4711"
SMART, MANAGED, OTHER = "Smart Business Connect", "Managed Business Communications", "inOne home"

_FACTS = {
    "incident_id": INCIDENT,
    "revision": 1,
    "title": "Business telephony fails again and again",
    "service": "business telephony",
    "functions": ["calls in", "calls out"],
    "cause": "a fault in a supplier's software",
    "windows": [
        {"start": "2018-01-08T10:00:00Z", "end": "2018-01-08T14:00:00Z"},
        {"start": "2018-01-09T08:30:00Z", "end": "2018-01-09T11:00:00Z"},
        {"start": "2018-01-10T07:00:00Z", "end": "2018-01-10T15:00:00Z"},
        {"start": "2018-01-15T08:00:00Z", "end": "2018-01-15T10:00:00Z"},
        {"start": "2018-01-16T07:00:00Z", "end": "2018-01-16T13:00:00Z"},
    ],
}


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer by number: of ten, one has another product and two have a contract with its own clause."""

    number: int

    @property
    def account_id(self) -> str:
        return f"ch-{self.number:08d}"

    @property
    def product(self) -> str:
        return OTHER if self.number % 10 == 0 else (SMART if self.number % 2 else MANAGED)

    @property
    def has_clause(self) -> bool:
        return self.number % 10 in (3, 4)

    @property
    def fee_minor(self) -> int:
        return 4_000 + 200 * (self.number % 37)

    @property
    def offered_minor(self) -> int:
        """The first policy offers the whole fee for one product, and half of it for the other."""
        return self.fee_minor if self.product == SMART else self.fee_minor // 2

    @property
    def is_eligible(self) -> bool:
        return self.product != OTHER and not self.has_clause

    def left_out(self) -> tuple[str, str]:
        """Why it is not eligible."""
        return ("declined", "product_not_affected") if self.product == OTHER else (
            "referred", "contract_has_its_own_clause",
        )  # fmt: skip

    def row(self) -> str:
        fee = f"{self.fee_minor // 100}.{self.fee_minor % 100:02d}"
        return f"{self.account_id},{self.product},{str(self.has_clause).lower()},{fee}"


def tell(stage: Stage, accounts: int) -> None:
    """Tell the story with so many customers."""
    customers = [Customer(number) for number in range(max(ACCOUNTS_LEAST, accounts))]
    eligible = [customer for customer in customers if customer.is_eligible]
    left_out = [customer.left_out() for customer in customers if not customer.is_eligible]
    smart = [customer for customer in eligible if customer.product == SMART][:ACCEPTING]
    managed = [customer for customer in eligible if customer.product == MANAGED][:ACCEPTING]
    stage.tell(f"\n[bold]{TITLE}[/bold]")
    stage.publish_policy(HERE / "swisscom-2018-request-1.yaml")
    stage.publish_policy(PROJECT / "policies" / "swisscom-2018" / "2.yaml")
    header = "account_id,product,contract_has_outage_compensation,monthly_fee"
    affected = stage.upload("swisscom-2018.csv", [header, *(customer.row() for customer in customers)])
    accepting = (*smart, *managed)
    late, left = [customer for customer in eligible if customer not in accepting][:2]
    staying = [customer.row() for customer in customers if customer is not left]
    affected_still = stage.upload("swisscom-2018-02.csv", [header, *staying])

    stage.tell("Five outages in nine days. Who asks is offered goodwill, unless the contract has a clause of its own.")
    campaign = {"policy": {"id": "swisscom-2018-request", "version": 1}, "affected": affected}
    stage.send("Incident Declared", {**_FACTS, "campaign": campaign})
    first = stage.closed(CampaignId(INCIDENT, 1))
    offers = counted(("offered", "credit") for _ in eligible)
    offered = sum(customer.offered_minor for customer in eligible)
    stage.compare(first, {**offers, **counted(left_out)}, {("offered", "CHF"): offered})

    stage.tell(f"{len(accepting)} customers accept.")
    for customer in accepting:
        stage.expect(
            "accept", stage.kulanz("accept", customer.account_id, "--incident", INCIDENT), 0
        )  # fmt: skip

    stage.tell("Two weeks later: one monthly fee, automatically, once for all five outages. What was accepted counts.")
    stage.request(INCIDENT, 1, "swisscom-2018", 2, affected_still)
    second = stage.closed(CampaignId(INCIDENT, 2))
    accepted = sum(customer.offered_minor for customer in accepting)
    owed = sum(customer.fee_minor for customer in eligible if customer is not left)
    granted = len(eligible) - len(smart) - 1
    results = {
        ("granted", "credit"): granted,
        ("unchanged", "credit"): len(smart),
        **{("unchanged", reason): lines for (_, reason), lines in counted(left_out).items()},
    }
    stage.compare(second, results, {("granted", "CHF"): owed - accepted})
    stage.expect_notices(second.id, granted)
    stage.expect_status(INCIDENT, ["incident_declared"])

    stage.tell("An offer that was still open cannot be accepted any more.")
    stage.expect("accept too late", stage.kulanz("accept", late.account_id, "--incident", INCIDENT), 1)
    stage.expect("ask", stage.kulanz("ask", managed[0].account_id, "--incident", INCIDENT), 0)
    _give_anyway(stage, left)


def _give_anyway(stage: Stage, left: Customer) -> None:
    """Who left before the second list missed the offer, and gets it anyway: as goodwill, once, under the ticket."""
    stage.tell(
        "One customer has left, is on no second list, and accepts the offer after its end. Support gives it anyway."
    )
    stage.publish_discretion()
    stage.expect("accept after its end", stage.kulanz("accept", left.account_id, "--incident", INCIDENT), 1)
    amount = f"{left.offered_minor // 100}.{left.offered_minor % 100:02d}"
    give = ("goodwill", left.account_id, amount, "CHF", "--reason", "offer_missed", "--incident", INCIDENT)
    stage.expect("goodwill", stage.kulanz_of_person(*give, "--ticket", TICKET), 0)
    stage.expect("the same ticket again", stage.kulanz_of_person(*give, "--ticket", TICKET), 0)
    stage.expect("the same amount on another", stage.kulanz_of_person(*give, "--ticket", f"{TICKET}-2"), EXIT_UNUSABLE)
    campaign = stage.asked(*give, "--ticket", TICKET)["campaign"]
    given = {f"{INCIDENT}/1": ("offered", {}), campaign: ("granted", {"CHF": left.offered_minor})}
    stage.expect_entries(left.account_id, given)
    stage.expect("ask", stage.kulanz("ask", left.account_id), 0)
    stage.expect("what was granted adds up", stage.kulanz("ledger", "check", campaign), 0)
