"""How a value of each kind is written for people: exactly, or marked where it is shortened, and in whose zone."""

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.language import kinds
from kulanz.domain.policy.language.kinds import Kind, amounts, filled_in, money, show
from kulanz.domain.time import microseconds_of, zone_of
from tests.unit.domain.policy.rulebook import compiled, written

BERLIN = zone_of("Europe/Berlin")
FIRST = microseconds_of(datetime(2026, 5, 2, 6, 20, tzinfo=UTC))
LATER = microseconds_of(datetime(2026, 12, 4, 23, 0, 7, tzinfo=UTC))
LATEST = microseconds_of(datetime(2026, 12, 5, 1, 0, 0, 250_000, tzinfo=UTC))
SECOND = 1_000_000
MAY, DECEMBER = date(2026, 5, 2).toordinal(), date(2026, 12, 5).toordinal()
IN_BERLIN = "2026-05-02 08:20 to 2026-12-05 00:00:07"
SHOWN: list[tuple[Kind, Any, str]] = [
    (kinds.YES_NO, True, "yes"), (kinds.YES_NO, False, "no"), (kinds.TEXT, "gold", '"gold"'),
    (kinds.NUMBER, 12, "12"), (kinds.NUMBER, Fraction(5, 4), "1.25"), (kinds.NUMBER, Fraction(2, 3), "~0.666667"),
    (kinds.NUMBER, Fraction(-1, 8), "-0.125"), (kinds.NUMBER, Fraction(1_234_567, 1_000_000), "1.234567"),
    (kinds.NUMBER, Fraction(12_345_678, 10_000_000), "~1.234568"),
    (money("EUR"), 799, "7.99 EUR"), (money("JPY"), 799, "799 JPY"), (money("KWD"), 799, "0.799 KWD"),
    (money("EUR"), Fraction(799, 2), "3.995 EUR"), (money("EUR"), Fraction(799, 3), "~2.663333 EUR"),
    (amounts("EUR"), (799, 1_000), "[7.99 EUR, 10.00 EUR]"),
    (Kind(kinds.MONEY_BY_TIME, "EUR"), 250 * kinds.HOUR, "2.50 EUR times 1 h"),
    (kinds.DURATION, 0, "0 h"), (kinds.DURATION, 15 * kinds.HOUR + 30 * 60 * SECOND, "15 h 30 min"),
    (kinds.DURATION, 61 * SECOND, "1 min 1 s"), (kinds.DURATION, 1_500_000, "1.5 s"),
    (kinds.DURATION, -2 * kinds.HOUR, "minus 2 h"), (kinds.DURATION, 500_000, "0.5 s"),
    (kinds.DURATION, 1, "0.000001 s"),
    (kinds.DURATION, Fraction(1, 3), "~0 s"), (kinds.DURATION, Fraction(SECOND, 3), "~0.333333 s"),
    (kinds.DURATION, 60 * SECOND - 1, "59.999999 s"), (kinds.DURATION, kinds.HOUR + 1, "1 h 0.000001 s"),
    (kinds.DURATION, -(kinds.HOUR + 90 * SECOND), "minus 1 h 1 min 30 s"),
    (kinds.INSTANT, FIRST, "2026-05-02 08:20"), (kinds.INSTANT, LATER, "2026-12-05 00:00:07"),
    (kinds.INSTANT, LATEST, "2026-12-05 02:00:00.25"),
    (kinds.DAY, MAY, "2026-05-02"), (kinds.DATES, (MAY, DECEMBER), "[2026-05-02, 2026-12-05]"),
    (kinds.TIME_OF_DAY, 18 * 60 + 5, "18:05"), (kinds.TIME_OF_DAY, 5 + Fraction(7, 60), "00:05:07"),
    (kinds.TIME_OF_DAY, 5 + Fraction(15, 120), "00:05:07.5"),
    (kinds.SPAN_DAYS, 3, "3 days"), (kinds.SPAN_WORKING_DAYS, Fraction(1, 2), "0.5 working days"),
    (kinds.SPAN_MONTHS, 12, "12 months"), (kinds.LIST, ("voice", "data"), "[voice, data]"),
    (kinds.NUMBERS, (90, Fraction(1, 4)), "[90, 0.25]"),
    (kinds.OUTAGE, (), "none"), (kinds.OUTAGE, ((FIRST, LATER),), IN_BERLIN),
    (kinds.OUTAGE, ((FIRST, LATER), (LATEST, LATEST + SECOND)),
     f"{IN_BERLIN}; 2026-12-05 02:00:00.25 to 2026-12-05 02:00:01.25"),
    (kinds.PERIOD, (FIRST, LATER), IN_BERLIN),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "text"), SHOWN)
def test_a_value_is_written_as_people_write_it(kind: Kind, value: Any, text: str) -> None:
    assert show(kind, value, BERLIN) == text
    assert show(kind, None, BERLIN) == "unknown"
    as_it_is = {kinds.TEXT: "gold", kinds.LIST: "voice, data"}
    assert filled_in(kind, value, BERLIN) == as_it_is.get(kind, text)


def test_every_kind_that_is_written_in_its_own_way_is_shown_here() -> None:
    assert {kind.name for kind, *_ in SHOWN} == {*kinds._WRITERS, kinds.TEXT.name}


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (kinds.INSTANT, FIRST, "2026-05-02 06:20Z"),
        (kinds.INSTANT, LATEST, "2026-12-05 01:00:00.25Z"),
        (kinds.PERIOD, (FIRST, LATER), "2026-05-02 06:20Z to 2026-12-04 23:00:07Z"),
    ],
)
def test_without_a_zone_an_instant_says_that_it_is_of_utc(kind: Kind, value: Any, text: str) -> None:
    assert show(kind, value) == text


STEPS = "currency: EUR\nfacts: {{n: number}}\nvalues:\n  x:\n    count: n\n    steps: {{{steps}}}\npay: x\n"


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ("1: 1 EUR, 2 to 4: 2 EUR, 4: 3 EUR", "never be reached: an earlier line holds these steps"),
        ("1: 1 EUR, from 2: 2 EUR, 3: 3 EUR", "never be reached: an earlier line holds these steps"),
        ("1: 1 EUR, 4: 2 EUR, from 5: 3 EUR", "`2 to 3: nothing`"),
        ("1 to 3: 1 EUR, 5: 2 EUR, from 6: 3 EUR", "`4: nothing`"),
        ("2: 1 EUR, from 3: 2 EUR", "`1: nothing`"),
    ],
)
def test_steps_that_overlap_or_leave_one_out_are_refused_with_what_is_missing(steps: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        compiled(written(STEPS.format(steps=steps)))


def test_a_line_of_tiers_that_is_no_choice_is_named_as_it_is_written() -> None:
    body = (
        "currency: EUR\nfacts: {plan: [gold, silver]}\nvalues:\n  x:\n    by: plan\n"
        '    tiers: {is "brass": 1 EUR, otherwise: 2 EUR}\npay: x\n'
    )
    with pytest.raises(PolicyError, match='"brass" is not one of the choices gold, silver'):
        compiled(written(body))
