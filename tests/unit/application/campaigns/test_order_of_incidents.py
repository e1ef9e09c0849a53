"""Incidents of one policy with a history, decided in any order and again: caps hold, and nothing is counted twice."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import yearly_cap as yc
from tests.support.world import World

DAYS: dict[str, int] = {"inc-a": 10, "inc-b": 11, "inc-c": 12, "inc-d": 13}
"""February's day of each outage: the third outage of the year brings the fee on top."""


def decide(made: World, name: str, day: int | None = None, **changes: Any) -> None:
    """Decide an incident with the same rows, once more where it has been decided."""
    version = made.lists.upload("lists/all.csv", yc.rows())
    made.publish(yc.incident(name, yc.outage(DAYS[name] if day is None else day), version_id=version, **changes))
    made.run_until_quiet()
    assert made.rejected.sent == []


def test_the_same_rows_again_pay_nothing_more() -> None:
    made = yc.world()
    for name in ("inc-a", "inc-b", "inc-c"):
        decide(made, name)
    assert yc.paid(made, "small") == 5_000
    for name in ("inc-a", "inc-b", "inc-c", "inc-a"):
        decide(made, name)
        assert yc.paid(made, "small") == 5_000, name


@pytest.mark.parametrize("order", list(permutations(("inc-a", "inc-b", "inc-c"))), ids=" ".join)
def test_in_every_order_the_third_outage_is_the_last_one_that_began(order: tuple[str, ...]) -> None:
    """Whoever is decided before an earlier outage is known catches up when it is decided again."""
    made = yc.world()
    for name in order:
        decide(made, name)
    assert yc.paid(made, "small") <= 5_000
    for name in order:
        decide(made, name)
    assert yc.paid(made, "small") == 5_000
    assert yc.paid(made, "small", "inc-c") == 3_000
    for name in order:
        decide(made, name)
    assert yc.paid(made, "small") == 5_000


@pytest.mark.parametrize("day", [9, 14])
def test_an_amended_outage_moves_in_the_order(day: int) -> None:
    made = yc.world()
    for name in ("inc-a", "inc-b", "inc-c"):
        decide(made, name)
    decide(made, "inc-b", day, detail_type="Incident Amended", revision=2)
    decide(made, "inc-c")
    decide(made, "inc-b", day, detail_type="Incident Amended", revision=2)
    paid = {name: yc.paid(made, "small", name) for name in ("inc-a", "inc-b", "inc-c")}
    third = 3_000 if day > DAYS["inc-c"] else 1_000
    assert paid == {"inc-a": 1_000, "inc-b": third, "inc-c": 3_000}, "what was granted is not taken back"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(DAYS)), min_size=1, max_size=10))
def test_the_yearly_cap_holds_in_every_order(order: list[str]) -> None:
    made = yc.world()
    for name in order:
        decide(made, name)
        for account, fee in yc.FEES.items():
            assert yc.paid(made, account) <= yc.CAP
            bonus = fee if len(set(order)) >= 3 and account != "excluded" else 0
            most = 0 if account == "excluded" else len(set(order)) * fee // 2 + 2 * bonus
            assert yc.paid(made, account) <= most
