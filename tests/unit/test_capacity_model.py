"""The capacity model against arithmetic that needs no model."""

import pytest

from bench.capacity import COUNTRY_ROWS, Account, Rates, cold, fleet, one_worker, warm

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
