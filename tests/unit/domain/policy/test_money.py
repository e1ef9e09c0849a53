from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.money import (
    CURRENCIES,
    MAX_MINOR_UNITS,
    AmountError,
    Money,
    Rounding,
    format_amount,
    is_currency,
    minor_units,
    parse_amount,
    round_exact,
    whole,
)

DECIMAL_MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.HALF_DOWN: ROUND_HALF_DOWN,
    Rounding.UP: ROUND_UP,
    Rounding.DOWN: ROUND_DOWN,
}


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CHF", 2)])
def test_every_currency_has_its_own_minor_unit(currency: str, decimals: int) -> None:
    assert minor_units(currency) == decimals


NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"


def test_the_currencies_without_decimals_and_with_three_are_those_of_iso_4217_and_all_others_have_two() -> None:
    found = {decimals: {one for one in CURRENCIES if minor_units(one) == decimals} for decimals in range(5)}
    assert (found[0], found[3]) == (set(NO_DECIMALS.split()), set(THREE_DECIMALS.split()))
    assert found[2] == CURRENCIES - found[0] - found[3]


def test_an_unknown_currency_is_an_error() -> None:
    assert not is_currency("XYZ")
    with pytest.raises(AmountError, match="ISO 4217"):
        minor_units("XYZ")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("5.00", "USD", 500),
        ("5", "USD", 500),
        ("5.5", "USD", 550),
        ("0.01", "EUR", 1),
        ("0", "EUR", 0),
        ("200", "JPY", 200),
        ("1.234", "KWD", 1234),
    ],
)
def test_an_amount_is_read_into_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 5.00",
        "5.00 ",
        "-5.00",
        "+5.00",
        "5,00",
        "1_000",
        "1e3",
        "NaN",
        "Infinity",
        "5.",
        ".5",
        "5.001",
        "\u0665.\u0660\u0660",
        "\uff15.\uff10\uff10",
        "0x10",
        "1e400",
        "99999999999",
    ],
)
def test_what_is_not_a_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError, match="expected"):
        parse_amount(text, "USD")


def test_yen_have_no_decimals() -> None:
    with pytest.raises(AmountError, match="at most 0 decimals"):
        parse_amount("200.0", "JPY")


def test_an_amount_is_bounded() -> None:
    assert parse_amount("10000000.00", "USD").minor == MAX_MINOR_UNITS
    with pytest.raises(AmountError, match=r"at most 10000000\.00"):
        parse_amount("10000000.01", "USD")
    with pytest.raises(AmountError, match=r"at most 1000000000$"):
        parse_amount("1000000001", "KRW")


@given(st.integers(0, MAX_MINOR_UNITS), st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_amount_survives_being_written(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse_amount(format_amount(money), currency) == money


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(500, "USD"), "5.00"),
        (Money(5, "USD"), "0.05"),
        (Money(50, "USD"), "0.50"),
        (Money(123456, "USD"), "1234.56"),
        (Money(200, "JPY"), "200"),
        (Money(5, "KWD"), "0.005"),
        (Money(-5, "USD"), "-0.05"),
    ],
)
def test_an_amount_is_written_with_its_decimals(money: Money, text: str) -> None:
    assert format_amount(money) == text


@pytest.mark.parametrize(
    ("value", "step", "rounded"),
    [(1050, 100, 1100), (1000, 100, 1000), (3, 2, 4), (4, 2, 4), (1, 1, 1), (0, 5, 0), (-1050, 100, -1100)],
)
def test_a_whole_amount_is_rounded_to_a_step_too(value: int, step: int, rounded: int) -> None:
    assert round_exact(value, Rounding.UP, step) == rounded


@pytest.mark.parametrize(
    ("value", "mode", "rounded"),
    [
        (Fraction(1001, 2), Rounding.HALF_UP, 501),
        (Fraction(1001, 2), Rounding.HALF_DOWN, 500),
        (Fraction(1001, 2), Rounding.HALF_EVEN, 500),
        (Fraction(1003, 2), Rounding.HALF_EVEN, 502),
        (Fraction(5001, 10), Rounding.UP, 501),
        (Fraction(5009, 10), Rounding.DOWN, 500),
        (Fraction(-1001, 2), Rounding.HALF_UP, -501),
        (Fraction(-5001, 10), Rounding.UP, -501),
        (Fraction(-5009, 10), Rounding.DOWN, -500),
        (500, Rounding.UP, 500),
    ],
)
def test_rounding_at_the_half(value: Fraction | int, mode: Rounding, rounded: int) -> None:
    assert round_exact(value, mode) == rounded


@given(st.fractions(-(10**6), 10**6, max_denominator=1000), st.sampled_from(list(Rounding)))
def test_rounding_agrees_with_decimal_wherever_decimal_is_exact(value: Fraction, mode: Rounding) -> None:
    exact = Fraction(round(value * 1000), 1000)
    decimal = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), rounding=DECIMAL_MODES[mode])
    assert round_exact(exact, mode) == int(decimal)


@given(
    st.fractions(0, 10**6, max_denominator=997), st.sampled_from(list(Rounding)), st.sampled_from([1, 5, 100, 10_000])
)
def test_rounding_to_a_step_gives_a_near_multiple_of_it(value: Fraction, mode: Rounding, step: int) -> None:
    rounded = round_exact(value, mode, step)
    assert rounded % step == 0
    assert abs(rounded - value) < step


@given(st.fractions(-(10**6), 10**6, max_denominator=3))
def test_equal_numbers_have_one_form(value: Fraction) -> None:
    assert whole(value) == value
    assert (type(whole(value)) is int) == (value % 1 == 0)
    assert whole(5) == 5


def test_a_third_of_a_tie_is_exact_where_decimals_would_lose_it() -> None:
    assert round_exact(Fraction(4975, 30) * 3, Rounding.HALF_UP) == 498
