"""Keys that are read back, and receipts that an older release wrote."""

import json
from datetime import timedelta

import pytest

from kulanz.adapters.receipt_items import read_receipt, receipt_item
from kulanz.adapters.void_table import void_of_partition, void_partition
from kulanz.domain.campaigns.campaign import CampaignId, Pass, Receipt
from kulanz.domain.campaigns.measured import Commitment, Measured
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.delivery.ids import VoidId
from tests.support.values import NOW

ID = CampaignId("outage", 1)


@pytest.mark.parametrize(
    "partition", ["VOID#a#001", "VOID#a#001#x#y", "VOIDS#a#001#x", "CAMPAIGN#a#001#x", "VOID#a#one#x", "VOID#", ""]
)
def test_only_the_partition_of_a_void_names_one(partition: str) -> None:
    assert void_of_partition(partition) is None
    void_id = VoidId(CampaignId("a", 1), "x")
    assert void_of_partition(void_partition(void_id)) == void_id


@pytest.mark.parametrize("is_older", [False, True])
@pytest.mark.parametrize("without_end", [False, True])
def test_where_a_receipt_does_not_say_when_claims_end_nobody_knows(is_older: bool, without_end: bool) -> None:
    """An older release did not look: what it reserved for claims is kept, and not set free at some instant."""
    until = NOW + timedelta(days=3)
    measured = Measured(commitment=Commitment(last_claim=until, is_claimable_without_end=without_end))
    item = receipt_item(
        Receipt(ID, Pass.PLAN, 0, 0, 100, None, finishes_chunk=True, totals=Totals(), measured=measured)
    )
    if is_older:
        content = json.loads(item["measured"]["S"])
        del content["commitment"]["claimable_without_end"]
        item["measured"] = {"S": json.dumps(content)}
    found = read_receipt(ID, item).measured
    assert found is not None
    assert found.commitment.claims_until == (None if is_older or without_end else until)
