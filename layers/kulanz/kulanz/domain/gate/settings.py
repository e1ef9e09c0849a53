"""What a stack's parameters say of the gate: which plans execute automatically, and which need a second person."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from kulanz.domain.campaigns.amounts import plain_size
from kulanz.domain.canonical import object_once
from kulanz.domain.money import AmountError, Size, is_currency, minor_units
from kulanz.domain.time import zone_of

MEASURES_MOST = 60
"""Currencies and units that one setting names: as many as a plan looks at."""
DIGITS_MOST = 18
"""Digits of one amount before its point."""
UNIT_DECIMALS = 6
"""As quantities of decisions have."""
AMOUNTS_EXPECTED = 'a JSON object of amounts by currency or unit, such as {"USD": "5000.00", "call_minute": "100000"}'


class AmountsError(ValueError):
    """A setting that states no amounts. The message says what was expected, and repeats no value."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The amounts are by measure: minor units of a currency, or a quantity of a unit.

    A plan below `automatic_below` in each measure may execute automatically, as long as all automatic executions of its
    incident, and of the month, stay below `automatic_monthly`. A plan above `second_person_above` in any measure needs
    two persons. A request that no person made executes automatically only from `automatic_sources`.

    `lone_operator` lets one person request and approve, lift a halt, and let an amended campaign go on. The months of
    budgets are those of a calendar in `budget_zone`. The defaults execute nothing automatically.
    """

    automatic_below: Mapping[str, Size] = field(default_factory=dict)
    automatic_monthly: Mapping[str, Size] = field(default_factory=dict)
    second_person_above: Mapping[str, Size] = field(default_factory=dict)
    automatic_sources: frozenset[str] = frozenset()
    lone_operator: bool = False
    budget_zone: str = "UTC"

    def budget_month(self, now: datetime) -> str:
        """The month whose budget pays for what starts at `now`, such as 2026-12."""
        return f"{now.astimezone(zone_of(self.budget_zone)):%Y-%m}"


@dataclass(frozen=True, slots=True)
class SpentPlace:
    """Of which automatic executions a sum is kept: those of a month (UTC, `2026-11`), or those of an incident."""

    month: str = ""
    incident_id: str = ""


def month_of(now: datetime) -> str:
    """The month in which an automatic execution counts."""
    return f"{now.astimezone(UTC):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Spent:
    """What automatic executions add up to. `version` counts the writes of this record; each is conditional on it."""

    place: SpentPlace
    version: int = 0
    sums: Mapping[str, Size] = field(default_factory=dict)

    def with_plan(self, at_most: Mapping[str, Size]) -> "Spent":
        """The record after one more execution."""
        sums = dict(self.sums)
        for measure, size in at_most.items():
            sums[measure] = plain_size(sums.get(measure, 0) + size)
        return Spent(self.place, self.version + 1, sums)


SAFE = GateSettings()
"""What holds where nothing is set: every plan waits for a person."""


def read_amounts(text: str) -> Mapping[str, Size]:
    """Read amounts by measure from JSON; empty text states none. Raises AmountsError.

    An amount is a text in major units, because a JSON number may be read as floating point.
    """
    if not text.strip():
        return {}
    try:
        content = json.loads(text, object_pairs_hook=object_once)
    except (ValueError, RecursionError):
        raise AmountsError(f"expected {AMOUNTS_EXPECTED}, each measure once") from None
    if not isinstance(content, dict) or len(content) > MEASURES_MOST:
        raise AmountsError(f"expected {AMOUNTS_EXPECTED}, with at most {MEASURES_MOST} measures")
    return {measure: _size(number, measure, amount) for number, (measure, amount) in enumerate(content.items(), 1)}


def _size(number: int, measure: str, amount: object) -> Size:
    """The `number`-th amount of a setting."""
    where = f"amount {number}"
    if not measure or not isinstance(amount, str):
        raise AmountsError(f"{where}: expected {AMOUNTS_EXPECTED}; an amount is a text in quotes")
    whole, point, decimals = amount.partition(".")
    if not _is_digits(whole) or (point and not _is_digits(decimals)) or len(whole) > DIGITS_MOST:
        raise AmountsError(f"{where}: expected digits with a decimal point, such as 5000.00")
    places = _places(measure)
    if len(decimals) > places:
        raise AmountsError(f"{where}: expected at most {places} decimals")
    try:
        return plain_size(Decimal(amount).scaleb(minor_units(measure) if is_currency(measure) else 0))
    except (InvalidOperation, AmountError):
        raise AmountsError(f"{where}: expected digits with a decimal point, such as 5000.00") from None


def _places(measure: str) -> int:
    return minor_units(measure) if is_currency(measure) else UNIT_DECIMALS


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
