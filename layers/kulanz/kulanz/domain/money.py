"""Money: exact amounts in a currency's minor units, their text form, and rounding; and quantities in words.

An amount is a whole number of minor units (cents, pence, yen) when it is owed, and an exact rational of minor units
(``int`` or ``Fraction``) while it is computed. Floating point appears nowhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

MAX_MINOR_UNITS = 10**9
"""The largest amount a single benefit or fact may have, in minor units."""

type Exact = int | Fraction
"""An exact number: amounts are in minor units of their currency."""
type Size = int | Decimal
"""Minor units of a currency, or a quantity of a unit."""

_NO_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DECIMALS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWL"
)
# ISO 4217, the exponent column of list one.
_DECIMALS = {
    **dict.fromkeys(_NO_MINOR_UNIT.split(), 0),
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}

CURRENCIES = frozenset(_DECIMALS)
"""The ISO 4217 currencies that amounts can be written in."""

CURRENCY_SIGNS: Mapping[str, frozenset[str]] = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "€": "EUR", "£": "GBP EGP SYP LBP GIP FKP SHP SDG SSP", "¥": "JPY CNY", "₹": "INR", "₩": "KRW", "₽": "RUB",
        "₺": "TRY", "₪": "ILS", "₫": "VND", "฿": "THB", "₱": "PHP CUP", "₴": "UAH", "₦": "NGN", "₸": "KZT", "zł": "PLN",
        "Kč": "CZK", "Ft": "HUF", "lei": "RON MDL", "R$": "BRL", "kr": "SEK NOK DKK ISK", "kr.": "DKK ISK",
        "Fr.": "CHF XAF XOF XPF BIF DJF GNF KMF RWF", "US$": "USD", "A$": "AUD", "C$": "CAD NIO",
        "$": (
            "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU DOP CUP BRL BSD BBD BZD BMD BND FJD GYD JMD KYD LRD NAD"
            " SBD SRD TTD XCD ZWL CVE NIO MOP TOP WST BOB"
        ),
    }.items()
}  # fmt: skip
"""Signs, and the currencies that are written with them."""

_AMOUNT = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,3}))?", re.ASCII)


class AmountError(ValueError):
    """A text that is not an amount of its currency; the message says what was expected and repeats no value."""


class Rounding(StrEnum):
    """How an exact amount becomes a whole number of minor units."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount owed: whole minor units of one currency (500 USD is five dollars)."""

    minor: int
    currency: str


def is_currency(code: str) -> bool:
    """Say whether the code is an ISO 4217 currency that amounts can be written in."""
    return code in _DECIMALS


def may_mean(sign: str, currency: str) -> bool:
    """Whether a sign beside a number may be that of a currency; what is no sign of any says nothing."""
    return sign == currency if is_currency(sign) else currency in CURRENCY_SIGNS.get(sign, (currency,))


def minor_units(currency: str) -> int:
    """Give the number of decimals of a currency: 2 for USD, 0 for JPY and KRW. ISO 4217."""
    try:
        return _DECIMALS[currency]
    except KeyError:
        raise AmountError(f"{currency!r} is not an ISO 4217 currency code") from None


def parse_minor(text: str, decimals: int) -> int:
    """Read a plain decimal ("5", "5.00") with at most ``decimals`` decimals into minor units."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise AmountError("expected digits with a decimal point, such as 5.00")
    whole, fraction = match.group(1), match.group(2) or ""
    if len(fraction) > decimals:
        raise AmountError(f"expected at most {decimals} decimals")
    minor = int(whole + fraction.ljust(decimals, "0"))
    if minor > MAX_MINOR_UNITS:
        raise AmountError(f"expected at most {format_minor(MAX_MINOR_UNITS, decimals)}")
    return minor


def parse_amount(text: str, currency: str) -> Money:
    """Read "5.00" as money of a currency. No sign, no exponent, no separators, no more decimals than the currency."""
    return Money(parse_minor(text, minor_units(currency)), currency)


def format_minor(minor: int, decimals: int) -> str:
    """Write minor units as a plain decimal: (500, 2) is "5.00"."""
    if decimals == 0:
        return str(minor)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def format_amount(money: Money) -> str:
    """Write money without its currency: "5.00", and "200" for yen."""
    return format_minor(money.minor, minor_units(money.currency))


def whole(value: Exact) -> Exact:
    """Give a whole number as an int, and any other as it is: equal numbers then have one form."""
    return value.numerator if value.denominator == 1 else value


def round_exact(value: Exact, mode: Rounding, step: int = 1) -> int:
    """Round an exact amount to a multiple of ``step`` minor units; ``up`` moves away from zero, ``down`` toward it."""
    if type(value) is int and step == 1:
        return value
    numerator, denominator = value.numerator, value.denominator
    denominator *= step
    quotient, remainder = divmod(abs(numerator), denominator)
    if remainder:
        twice = 2 * remainder
        match mode:
            case Rounding.UP:
                quotient += 1
            case Rounding.DOWN:
                pass
            case Rounding.HALF_UP:
                quotient += twice >= denominator
            case Rounding.HALF_DOWN:
                quotient += twice > denominator
            case Rounding.HALF_EVEN:
                quotient += twice > denominator or (twice == denominator and quotient % 2 == 1)
    return (quotient if numerator >= 0 else -quotient) * step


def counted(quantity: str, unit: str) -> str:
    """A quantity with its unit, in the plural where it is a number but one: `20 call minutes`, `100 GB`."""
    words = unit.replace("_", " ")
    plural = "" if quantity == "1" or not quantity[-1:].isdigit() or not words.islower() or words.endswith("s") else "s"
    return f"{quantity} {words}{plural}"


def measure_words(measure: str) -> str:
    """What sums are measured in, in words: a currency, or a unit in the plural."""
    if is_currency(measure):
        return measure
    unit, _, quantity = measure.partition(":")
    return f"times {unit.replace('_', ' ')}, {quantity}" if quantity else counted("0", unit).removeprefix("0 ")


def amount_words(size: str, measure: str) -> str:
    """A sum, as it is written, with what it is measured in: `5.00 USD`, `20 call minutes`."""
    return f"{size} {measure_words(measure)}" if is_currency(measure) or ":" in measure else counted(size, measure)
