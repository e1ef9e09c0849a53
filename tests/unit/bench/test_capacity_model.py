"""The capacity model against arithmetic that needs no model."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bench.capacity import BYTES_PER_ROW, COUNTRY_ROWS, Account, Rates, cold, fleet, one_worker, warm
from bench.contention import ACCEPTANCE_UNITS, CHUNK_CALLS_SECONDS, TRANSACTION_SECONDS, Beside, receipts, waves
from kulanz.adapters.offers import DynamoOffers
from kulanz.domain.campaigns.prices import COLD_TABLE_WRITES
from kulanz.domain.decision import Outcome
from tests.support.values import declared, entry
from tests.template.resolved import Stack

RATES = Rates(plan_row=0.000_008, apply_row=0.000_025, call_latency=0.010)


def test_an_unthrottled_worker_takes_its_own_time_and_the_answers() -> None:
    assert one_worker(100_000, RATES) == pytest.approx(100_000 * RATES.apply_row + 1_000 * RATES.call_latency)


def test_a_throttled_worker_is_never_faster_than_the_quota_and_not_much_slower() -> None:
    seconds = one_worker(60_000, RATES, writes_per_second=2_000)

    assert 58_000 / 2_000 <= seconds <= 1.3 * 60_000 / 2_000


@pytest.mark.parametrize(
    ("account", "apply_seconds", "limit"),
    [
        (Account("warm", warm, 30_000, 10), 3_125, "write units of the table"),
        (Account("few workers", warm, 30_000, 2), 7_813, "2 workers"),
        (Account("few messages", warm, 100, 10), 3_125, "messages of the topic"),
    ],
)
def test_the_narrowest_place_binds(account: Account, apply_seconds: int, limit: str) -> None:
    forecast = fleet(COUNTRY_ROWS, RATES, account)

    assert forecast.apply_seconds == pytest.approx(apply_seconds, abs=1)
    assert forecast.limit == limit


def test_a_cold_table_doubles_until_its_quota() -> None:
    assert [cold(minutes * 60) for minutes in (0, 29, 30, 60, 90, 120, 600)] == [
        4_000, 4_000, 8_000, 16_000, 32_000, 40_000, 40_000
    ]  # fmt: skip


def chunk_seconds() -> float:
    """How long a worker of the template plans one chunk."""
    chunk_bytes = int(Stack().template["Parameters"]["ChunkBytes"]["Default"])
    return CHUNK_CALLS_SECONDS + RATES.plan_row * chunk_bytes / BYTES_PER_ROW


def test_a_worker_alone_meets_nobody() -> None:
    found = receipts(1, chunk_seconds())

    assert found.given_up == 0
    assert found.per_second == pytest.approx(1 / (chunk_seconds() + TRANSACTION_SECONDS), rel=0.03)


def test_receipts_never_come_faster_than_one_record_takes_them() -> None:
    assert receipts(100, chunk_seconds()).per_second <= 1 / TRANSACTION_SECONDS


def test_as_many_workers_as_the_template_deploys_give_no_receipt_up() -> None:
    """With eight attempts they would: a chunk that comes again after twelve minutes, with an alarm."""
    workers = int(Stack().template["Parameters"]["MaximumConcurrency"]["Default"])

    assert receipts(workers, chunk_seconds()).given_up == 0
    assert receipts(2 * workers, chunk_seconds()).given_up == 0
    assert receipts(workers, chunk_seconds(), attempts=8).given_up > 0


def test_as_many_workers_as_the_template_deploys_give_no_insert_up_at_a_new_table_without_a_write_rate() -> None:
    workers = int(Stack().template["Parameters"]["MaximumConcurrency"]["Default"])
    throttled = (workers, RATES.apply_row, RATES.call_latency, 4, COLD_TABLE_WRITES.per_second)

    found = waves(*throttled)

    assert found.given_up == 0
    assert 100 * found.per_second == pytest.approx(COLD_TABLE_WRITES.per_second, rel=0.02)
    assert waves(*throttled, attempts=8).given_up > 0


@pytest.mark.parametrize("workers", [2, 10])
def test_a_campaign_beside_a_thousand_acceptances_a_minute_is_hardly_slower_and_none_is_lost(workers: int) -> None:
    """All of offers of one incident, whose record each of them looks at; at a new table, which takes 4,000 writes."""
    alone = waves(workers, RATES.apply_row, RATES.call_latency, 4, COLD_TABLE_WRITES.per_second)
    beside = Beside(per_minute=1_000)
    together = waves(workers, RATES.apply_row, RATES.call_latency, 4, COLD_TABLE_WRITES.per_second, beside=beside)

    assert together.per_second >= 0.95 * alone.per_second
    assert beside.given_up == 0
    assert beside.arrived >= 4_990  # in five minutes
    assert beside.arrived - beside.done <= 2, "what is still under way at the end"


def test_an_acceptance_costs_what_the_model_says() -> None:
    """Counted at the adapter: every item of at most 1 KB in a transaction is two units."""
    asked: list[dict[str, Any]] = []
    client = SimpleNamespace(transact_write_items=lambda **call: asked.append(call))
    offer = entry("a", status=Outcome.OFFERED)
    granted = replace(offer, status=Outcome.GRANTED)
    DynamoOffers(client, "credits", "campaigns").accept(offer, granted, declared(), "sso:anna")

    written = [one for action in asked[0]["TransactItems"] for one in action.values() if one["TableName"] == "credits"]
    assert 2 * len(written) + 2 == ACCEPTANCE_UNITS
