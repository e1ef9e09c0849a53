"""What receipts cost by the estimate, against the bytes of the items that campaigns really write."""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

import pytest

from kulanz.adapters.campaign_items import meta_additions, meta_item
from kulanz.adapters.receipt_items import receipt_item
from kulanz.application.campaigns.report import campaign_estimate
from kulanz.domain.campaigns.campaign import Campaign, Pass, State
from kulanz.domain.campaigns.estimate import AS_DEPLOYED, Planned, receipt_write_units
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from tests.support.small_campaign import EVERY_KIND_OF_ROW, ROWS, event, small_world
from tests.support.world import World

UNIT_BYTES = 1024
"""What one write unit of DynamoDB pays for."""
CURSOR_UNITS, TRANSACTION = 1, 2
FEE = """
kulanz: 1
id: flat
version: 1
title: A monthly fee
currency: EUR
facts:
  monthly_fee: money
  plan: [a, b, c, d, e, f]
who:
  - {decline: plan_f, when: plan = "f"}
pay: monthly_fee
"""


def value_bytes(value: Mapping[str, Any]) -> int:
    """The size of an attribute's value as DynamoDB counts it (developer guide, item sizes and formats)."""
    ((kind, plain),) = value.items()
    if kind == "S":
        return len(plain.encode())
    if kind == "B":
        return len(plain)
    if kind == "N":
        return (len(plain.strip("-0.").replace(".", "")) + 1) // 2 + 1
    return 3 + sum(1 + value_bytes(one) for one in plain) if kind == "L" else 1


def units(item: Mapping[str, Any]) -> int:
    """The write units of an item."""
    return ceil(sum(len(name.encode()) + value_bytes(value) for name, value in item.items()) / UNIT_BYTES)


def written(world: World, campaign: Campaign) -> int:
    """The write units of all receipts of a finished campaign, each with its cursor and with META as it is then."""
    found, meta = 0, dict(meta_item(campaign))
    sums: dict[str, Any] = {}
    for work in Pass:
        for receipt in world.campaigns.receipts(campaign.id, work):
            for name, value in meta_additions(receipt).items():
                sums[name] = sums.get(name, 0) + value
            meta |= {name: {"N": str(value)} for name, value in sums.items()}
            found += TRANSACTION * (units(receipt_item(receipt)) + CURSOR_UNITS + units(meta))
    return found


def fees(rows: int, amounts: int) -> Iterable[str]:
    yield "account_id,monthly_fee,plan\n"
    for number in range(rows):
        yield f"a{number:07d},{10 + number % amounts}.50,{'abcdef'[number % 6]}\n"


@pytest.mark.parametrize(
    ("rows", "amounts", "chunk_bytes"),
    [
        (260, 1, 10**6),
        (4_000, 1, 10**6),
        (4_000, 40, 10**6),
        (9_000, 90, 9_000),
        pytest.param(9_000, 1, 10**6, marks=pytest.mark.long),  # between the sizes that are tried above
        pytest.param(9_000, 12, 20_000, marks=pytest.mark.long),
        pytest.param(20_000, 3, 40_000, marks=pytest.mark.long),
    ],
)
def test_the_estimate_of_receipts_is_true_within_a_tenth(rows: int, amounts: int, chunk_bytes: int) -> None:
    world = World(chunk_bytes=chunk_bytes)
    world.policies.publish("flat", 1, document_json(load_policy(FEE)))
    world.lists.upload("lists/fees.csv", "".join(fees(rows, amounts)).encode())
    world.publish(event(rows=rows, policy="flat", key="lists/fees.csv"))
    _is_estimated_within_a_tenth(world)


def test_so_it_is_where_a_list_has_every_kind_of_row() -> None:
    world = small_world()
    world.lists.upload("lists/net-outage.csv", EVERY_KIND_OF_ROW)
    world.publish(event(rows=ROWS))
    _is_estimated_within_a_tenth(world)


def _is_estimated_within_a_tenth(world: World) -> None:
    world.run_until_quiet()
    (campaign,) = world.campaigns.campaigns_of("net-outage")
    assert campaign.state is State.CLOSED, campaign.state_reason
    made = campaign_estimate(campaign, AS_DEPLOYED)
    assert made is not None
    estimated = made.calls.write_units - made.planned.decision_write_units
    real = written(world, campaign)
    assert estimated == receipt_write_units(made.planned)
    assert estimated == pytest.approx(real, rel=0.1), f"{len(campaign.chunks)} chunks"


def test_a_sample_is_counted_however_many_chunks_it_lies_in() -> None:
    one = receipt_write_units(Planned(rows=5_000, decisions=5_000, chunks=1))
    assert one > 200, "5,000 subjects are 100 KB, and a transaction is billed double"
    assert receipt_write_units(Planned(rows=10**6, decisions=10**6, chunks=1)) == one, "the sample is no larger"
    many = receipt_write_units(Planned(rows=10**6, decisions=10**6, chunks=100))
    assert one < many < 100 * one
