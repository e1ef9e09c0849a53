"""Three storms of one year under the Finnish act: each is worth an annual fee, and the cap of the year is two of them.

Each lasts 130 hours; from 120 hours on a whole annual fee is owed.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.campaigns.reconciliation import RowResult, WriteResult
from kulanz.domain.ledger.entries import read_decision
from kulanz_cli.direct import DirectStack
from kulanz_cli.send import with_list
from kulanz_local import drive
from kulanz_local.embedded import PROJECT

POLICY = PROJECT / "policies" / "fi-eml" / "1.yaml"
STORMS = ("storm-1", "storm-2", "storm-3")
CUSTOMERS = 240


def fee(customer: int) -> int:
    """A customer's annual network fee in euros; from 1,000 on the cap of 2,000 euros is the narrower one."""
    return 100 + 7 * customer


def cap(customer: int) -> int:
    """What a customer can get in the year, in cents."""
    return min(2 * fee(customer), 2_000) * 100


def storms_of_a_year(stack: DirectStack, folder: Path) -> list[dict[str, Any]]:
    """The events of the storms, all over the same customers; the policy is published and the list uploaded."""
    path = folder / "network.csv"
    assert drive.run_kulanz(stack, "policy", "publish", str(POLICY)) == 0
    events = []
    for place, incident_id in enumerate(STORMS):
        declared = _declared(incident_id, 1 + 9 * place)
        known = declared["detail"]["windows"][0]["start"]
        rows = [f"fi-{number:05d},{fee(number)}.00,{known}," for number in range(CUSTOMERS)]
        path.write_text("\n".join(["account_id,annual_network_fee,known_to_operator,work_safe_from", *rows, ""]))
        events.append(with_list(declared, stack, path, CUSTOMERS))
    return events


def _declared(incident_id: str, first_day: int) -> dict[str, Any]:
    start, end = (f"2026-01-{day:02}T{hour:02}:00:00Z" for day, hour in ((first_day, 0), (first_day + 5, 10)))
    return {
        "source": "billing",
        "detail-type": "Incident Declared",
        "detail": {
            "incident_id": incident_id,
            "revision": 1,
            "title": "Storm",
            "service": "electricity",
            "functions": ["supply"],
            "windows": [{"start": start, "end": end}],
            "cause": "storm",
            "campaign": {"policy": {"id": "fi-eml", "version": 1}, "affected": {"s3": {"key": "lists/network.csv"}}},
        },
    }


def granted(stack: DirectStack) -> dict[str, Counter[str]]:
    """Cents by storm and account, from every item of the ledger."""
    found: dict[str, Counter[str]] = {name: Counter() for name in STORMS}
    client = stack.client("dynamodb")
    start: dict[str, Any] = {}
    while True:
        page: Any = client.scan(TableName=stack.outputs.credits_table_name, ConsistentRead=True, **start)
        for item in page["Items"]:
            kind, *place = item["sk"]["S"].split("#")
            if kind == "DECISION" and place[0] in found:
                benefits = read_decision(item["body"]["S"]).benefits
                account = item["pk"]["S"].removeprefix("ACCOUNT#")
                found[place[0]][account] += sum(one.money.minor for one in benefits if one.money is not None)
        if not page.get("LastEvaluatedKey"):
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def assert_every_cap_is_kept(paid: dict[str, Counter[str]], campaigns: Sequence[Campaign]) -> None:
    """Each account has its cap of the year and no more than one fee a storm, and the receipts say the same."""
    assert all(len(campaign.chunks) > 1 for campaign in campaigns)
    for number in range(CUSTOMERS):
        account = f"fi-{number:05d}"
        in_all = [paid[storm][account] for storm in STORMS]
        assert sum(in_all) == cap(number), account
        assert max(in_all) <= fee(number) * 100, account
    for campaign in campaigns:
        sums = {key.write_result: value for key, value in campaign.apply.totals.sums.items() if key.measure == "EUR"}
        assert sums.get(WriteResult.WRITTEN, 0) == paid[campaign.id.incident_id].total()
        assert campaign.plan.totals.worth()[RowResult.GRANTED, "EUR"] == sum(sums.values())
