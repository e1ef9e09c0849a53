"""Thresholds are amounts by currency or unit, read exactly or refused with what was expected."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from kulanz.domain.gate.settings import AmountsError, month_of, read_amounts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" ", {}),
        ("{}", {}),
        ('{"USD": "5000.00"}', {"USD": 500_000}),
        ('{"USD": "5000"}', {"USD": 500_000}),
        ('{"JPY": "5000"}', {"JPY": 5_000}),
        ('{"KWD": "0.005", "call_minute": "1.5"}', {"KWD": 5, "call_minute": Decimal("1.5")}),
        ('{"GB:3 x month": "100"}', {"GB:3 x month": 100}),
    ],
)
def test_amounts_are_read_in_minor_units_and_quantities(text: str, expected: dict[str, object]) -> None:
    assert read_amounts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "5000", "[]", "null", '"USD"', "{", '{"USD": 5000}', '{"USD": 5000.00}', '{"USD": null}', '{"USD": ""}',
        '{"USD": "-1"}', '{"USD": "1e3"}', '{"USD": "1,000"}', '{"USD": "NaN"}', '{"USD": "Infinity"}',
        '{"USD": "1.005"}', '{"JPY": "1.0"}', '{"USD": "."}', '{"USD": "1."}', '{"USD": " 1"}', '{"USD": "\u0661"}',
        '{"": "1"}', '{"USD": "1", "USD": "2"}', '{"USD": "' + "9" * 19 + '"}', "[" * 100_000,
        '{' + ",".join(f'"u{number}": "1"' for number in range(61)) + "}",
    ],
)  # fmt: skip
def test_a_threshold_that_is_no_amount_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(AmountsError) as refused:
        read_amounts(text)
    assert "expected" in str(refused.value)
    assert "1.005" not in str(refused.value)


def test_an_automatic_execution_counts_in_the_month_of_utc_whatever_the_clock_of_who_runs_it() -> None:
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    moment = timedelta(microseconds=1)
    for hours in (-12, 0, 14):
        clock = timezone(timedelta(hours=hours))
        assert month_of((new_year - moment).astimezone(clock)) == "2025-12"
        assert month_of(new_year.astimezone(clock)) == "2026-01"
