"""A policy with a history on the deployed stack: three incidents at once, and each account's cap of the year."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.campaigns.reconciliation import RowResult, WriteResult
from kulanz.domain.ledger.entries import read_decision
from kulanz_cli.direct import DirectStack
from kulanz_cli.send import send
from kulanz_cli.watch import CampaignBars
from kulanz_local import drive
from tests.pipeline.conftest import Deployed
from tests.pipeline.storms import CUSTOMERS, STORMS, cap, fee, storms_of_a_year

pytestmark = pytest.mark.ministack

LONGEST_SECONDS = 120


def at_rest(stack: DirectStack) -> list[Campaign]:
    with CampaignBars(Console(quiet=True)) as bars:
        return drive.follow(stack, [CampaignId(name, 1) for name in STORMS], bars, LONGEST_SECONDS, lambda: None)


def granted(stack: DirectStack) -> dict[str, Counter[str]]:
    """Cents by incident and account, from every item of the ledger."""
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


def test_three_incidents_at_once_keep_every_accounts_yearly_cap(deployed: Deployed, tmp_path: Path) -> None:
    stack = drive.stack_of(deployed.aws)
    events = storms_of_a_year(stack, tmp_path)
    for event in events:
        send(event, stack)
    campaigns = at_rest(stack)
    assert [(campaign.state, campaign.state_reason) for campaign in campaigns] == [(State.CLOSED, "balanced")] * 3
    assert all(len(campaign.chunks) > 1 for campaign in campaigns)

    paid = granted(stack)
    for number in range(CUSTOMERS):
        account = f"fi-{number:05d}"
        in_all = [paid[storm][account] for storm in STORMS]
        assert sum(in_all) == cap(number), account
        assert max(in_all) <= fee(number) * 100, account
    for campaign in campaigns:
        sums = {key.write_result: value for key, value in campaign.apply.totals.sums.items() if key.measure == "EUR"}
        assert sums.get(WriteResult.WRITTEN, 0) == paid[campaign.id.incident_id].total()
        assert campaign.plan.totals.worth()[RowResult.GRANTED, "EUR"] == sum(sums.values())

    for event in events:
        send(event, stack)
    drive.wait_until_quiet(stack, [deployed.outputs.chunks_queue_url], LONGEST_SECONDS)
    assert granted(stack) == paid
    assert drive.run_kulanz(stack, "ask", "fi-00000", "--incident", STORMS[0]) == 0
