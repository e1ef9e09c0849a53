"""The capacity model against arithmetic that needs no model."""

import pytest

from bench.capacity import BYTES_PER_ROW, COUNTRY_ROWS, Account, Rates, cold, fleet, one_worker, warm
from bench.contention import CHUNK_CALLS_SECONDS, TRANSACTION_SECONDS, receipts, waves
from kulanz.domain.campaigns.prices import COLD_TABLE_WRITES
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
