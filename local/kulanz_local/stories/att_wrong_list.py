"""AT&T, February 2024: the list of a neighbouring region was sent. It is taken back, and the right one pays."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz_cli.outcomes import EXIT_UNUSABLE
from kulanz_local.embedded import PROJECT
from kulanz_local.stories.telling import Stage, counted

TITLE = "AT&T, February 2024: a wrong list, taken back before the right one pays"
INCIDENT = "att-2024-02-22-south"
ACCOUNTS_LEAST = 40
PAID_MINOR = 500
ANSWERS = "att-south-answers.csv"
CREDIT_COLUMNS = {"credit_id": 1, "account_id": 3, "subject": 5}
"""Where a delivered credit has what an answer names it by: docs/delivery.md."""

_FACTS = {
    "incident_id": INCIDENT,
    "revision": 1,
    "title": "Wireless outage after a network change, southern region",
    "service": "wireless, southern region",
    "functions": ["voice", "data", "text"],
    "windows": [{"start": "2024-02-22T09:45:00Z", "end": "2024-02-22T20:10:00Z"}],
    "cause": "failed_network_change",
}


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer by number: of ten, one has a prepaid card."""

    number: int

    @property
    def account_id(self) -> str:
        return f"south-{self.number:08d}"

    @property
    def verdict(self) -> tuple[str, str]:
        return ("declined", "prepaid") if self.number % 10 == 0 else ("granted", "credit")

    def row(self) -> str:
        return f"{self.account_id},{'prepaid' if self.number % 10 == 0 else 'consumer_postpaid'},true"


def tell(stage: Stage, accounts: int) -> None:
    """Tell the story with so many customers on each list; three of four are on both."""
    size = max(ACCOUNTS_LEAST, accounts)
    wrong = [Customer(number) for number in range(size)]
    right = [Customer(number) for number in range(size // 4, size + size // 4)]
    stage.tell(f"\n[bold]{TITLE}[/bold]")
    stage.publish_policy(PROJECT / "policies" / "att-2024-02" / "2.yaml")
    wrong_list, right_list = _upload(stage, "wrong", wrong), _upload(stage, "right", right)

    stage.tell("A list is sent, approved and paid, and then turns out to be of a neighbouring region.")
    campaign = {"policy": {"id": "att-2024-02", "version": 2}, "affected": wrong_list}
    stage.send("Incident Declared", {**_FACTS, "campaign": campaign})
    first = stage.closed(CampaignId(INCIDENT, 1))
    paid = _expect_paid(stage, first, wrong)
    _reject_what_was_delivered(stage, first)

    _take_back(stage, first, paid)
    stage.tell("Whoever got a notice of the credit gets one that it was taken back: two notices for each, and no more.")
    stage.expect_notices(first.id, 2 * paid // PAID_MINOR)
    stage.expect_entries(wrong[1].account_id, {f"{INCIDENT}/1": ("granted", {"USD": 0})})

    stage.tell("The right list pays in full: also those who were on the wrong one, too.")
    stage.request(INCIDENT, 1, "att-2024-02", 2, right_list)
    second = stage.closed(CampaignId(INCIDENT, 2))
    _expect_paid(stage, second, right, [customer for customer in wrong if customer.verdict[0] == "declined"])
    net = {f"{INCIDENT}/1": ("granted", {"USD": 0}), f"{INCIDENT}/2": ("granted", {"USD": PAID_MINOR})}
    on_both = next(one for one in right if one in wrong and one.verdict[0] == "granted")
    stage.expect_entries(on_both.account_id, net)
    for campaign_id in (first.id, second.id):
        stage.expect(f"the law of {campaign_id}", stage.kulanz("ledger", "check", str(campaign_id)), 0)
    stage.expect("ask", stage.kulanz("ask", on_both.account_id, "--incident", INCIDENT), 0)


def _upload(stage: Stage, name: str, customers: list[Customer]) -> dict[str, object]:
    header = "account_id,segment,potentially_impacted"
    return stage.upload(f"att-south-{name}.csv", [header, *(customer.row() for customer in customers)])


def _expect_paid(
    stage: Stage, campaign: Campaign, customers: list[Customer], declined_before: Sequence[Customer] = ()
) -> int:
    """Compare a campaign with its list; what it paid, in cents. Who was declined before is decided as before."""
    verdicts = [
        ("unchanged", customer.verdict[1]) if customer in declined_before else customer.verdict
        for customer in customers
    ]
    paid = PAID_MINOR * sum(1 for result, _ in verdicts if result == "granted")
    stage.compare(campaign, counted(verdicts), {("granted", "USD"): paid})
    return paid


def _take_back(stage: Stage, campaign: Campaign, paid: int) -> None:
    """Void all of a campaign: the sum is known before, and another person than the one who asks approves it."""
    name = str(campaign.id)
    stage.tell("It is taken back. First the plan: how much, and that nothing of it is used.")
    words = ("void", name, "--reason", "list of another region", "--id", "wrong-list")
    stage.expect("ask for a void", stage.kulanz_of_person(*words), 0)

    def state() -> str:
        (void,) = stage.asked("void", name)["voids"]
        return str(void["state"])

    stage.wait_until("the plan of the void", lambda: state() != "planning")
    stage.expect("show the plan", stage.kulanz_of_person("void", name), 0)
    (planned,) = stage.asked("void", name)["voids"]
    stage.expect("customers to tell", planned["plan"]["notices"], paid // PAID_MINOR)
    stage.expect("sum before", planned["plan"]["sums"], [{"share": "voidable", "measure": "USD", "sum": str(paid)}])
    agree = ("approve-void", name, "wrong-list", "--plan", planned["plan_hash"][:12])
    stage.expect("the asker's own yes", stage.kulanz_of_person(*agree), EXIT_UNUSABLE)
    stage.expect("another person's yes", stage.kulanz_of_second(*agree), 0)
    stage.wait_until("the end of the void", lambda: state() not in ("awaiting_approval", "voiding"))
    (done,) = stage.asked("void", name)["voids"]
    stage.expect("state of the void", done["state"], "voided")
    stage.expect("customers told", done["done"]["notices"], paid // PAID_MINOR)
    stage.expect("sum taken back", done["done"]["sums"], [{"share": "voided", "measure": "USD", "sum": str(paid)}])


def _reject_what_was_delivered(stage: Stage, campaign: Campaign) -> None:
    """Where the stack delivers: billing had the credits already, and refuses to book them, so that they are unused."""
    delivery = stage.asked("deliveries", "--campaign", str(campaign.id))["deliveries"]
    if not delivery:
        return
    named = ("deliveries", "--campaign", str(campaign.id))
    stage.wait_until("the delivery", lambda: stage.asked(*named)["deliveries"][0]["state"] == "sent")
    sent = delivery[0]
    stage.tell("Billing had its file already. It books nothing of it, and says so.")
    channel, _, serial = sent["delivery"].rpartition("/")
    credits_ = _credits_in(stage, sent["folder"])
    lines = [f"{int(serial)},{','.join(credit)},rejected,,,,,wrong_list" for credit in credits_]
    path = stage.folder / ANSWERS
    header = "serial,credit_id,account_id,subject,answer,amount,measure,bill,billed_on,code"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    stage.expect("acknowledge", stage.kulanz_of_person("acknowledge", str(path), "--channel", channel), 0)
    path.unlink()
    stage.wait_until("the answers", lambda: all(file["finished"] for file in _answer_files(stage, channel)))
    rejected = Counter(
        {one["result"]: one["lines"] for file in _answer_files(stage, channel) for one in file["results"]}
    )
    stage.expect("answers", rejected, Counter(rejected=len(lines)))
    # What stands since the very second of a void counts as later than the void.
    answered = datetime.now(UTC).replace(microsecond=0)
    stage.wait_until("the next second", lambda: datetime.now(UTC).replace(microsecond=0) > answered)


def _credits_in(stage: Stage, folder: str) -> list[list[str]]:
    bucket, client = stage.stack.outputs.list_bucket_name, stage.stack.client("s3")
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]]
    found: list[list[str]] = []
    for key in sorted(key for key in keys if Path(key).name.startswith("part-")):
        text = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        rows = [row for row in csv.reader(io.StringIO(text)) if row[0] == "C"]
        found += [[row[place] for place in CREDIT_COLUMNS.values()] for row in rows]
    return found


def _answer_files(stage: Stage, channel: str) -> list[dict[str, Any]]:
    """The answer files over this story's credits."""
    files = stage.asked("acknowledgements", "--channel", channel)["files"]
    return [file for file in files if file["key"].endswith(ANSWERS)]
