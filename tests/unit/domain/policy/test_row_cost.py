"""What a row can cost at most is known before a policy is published, and is not less than what a row does cost."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.campaigns import chunk_run
from kulanz.application.campaigns.chunk_run import ROUND_SECONDS, WAVE_ROW_STEPS
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.incident import Incident
from kulanz.domain.ledger.entries import Entry, EntryWithHistory, HistoryMoved
from kulanz.domain.policy import CompiledPolicy, PolicyError, compile_policy, freeze
from kulanz.domain.policy.deciding import row_cost
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.deciding.program import Program
from kulanz.domain.policy.deciding.row_cost import MAX_ROW_STEPS
from kulanz.domain.policy.document.frozen import resolve_parameters
from kulanz.domain.policy.language import exposure
from kulanz.domain.time import Window, parse_instant, zone_of
from tests.support import yearly_cap
from tests.support.fakes import FakeLedger

PROJECT = Path(__file__).resolve().parents[4]
HEAD = """
kulanz: 1
id: costly
version: 1
title: A rule that looks at every day
zone: Europe/Berlin
currency: EUR
facts:
  times: windows
"""
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = exposure.MAX_DAYS - 10
LONG = Window(NOW - timedelta(days=DAYS + 1), NOW - timedelta(days=1))


def values(**named: str) -> str:
    return "values:\n" + "".join(f"  {name}: '{text}'\n" for name, text in named.items())


def masks(number: int) -> str:
    """Half an hour of each day, so many times, joined."""
    named = {f"m{hour}": f"daily(times, {hour:02d}:00, {hour:02d}:30)" for hour in range(number)}
    named |= {"a0": "m0"} | {f"a{hour}": f"together(a{hour - 1}, m{hour})" for hour in range(1, number)}
    return HEAD + values(**named) + f"pay: total(a{number - 1}) / 1 h * 0.01 EUR\n"


def measured(number: int) -> str:
    named = {f"d{hour}": f"days_with_more_than(m, {hour} h)" for hour in range(1, number + 1)}
    paid = " + ".join(named)
    return HEAD + values(m="daily(times, 08:00, 22:00)", **named) + f"pay: ({paid}) * 0.01 EUR\n"


CALLS_PER_STEP = 4
EACH_DAY = HEAD + "exposure: {only: times}\nfor_each: day\n"
CAPPED = EACH_DAY + "pay: total(outage) / 1 h * 0.01 EUR\ncap: {per: month, at: 5.00 EUR}\n"
MASKED_DAYS = EACH_DAY + "pay: total(daily(outage, 08:00, 22:00)) / 1 h * 0.01 EUR\n"
WHOLE_EACH_DAY = EACH_DAY + "pay: total(daily(times, 08:00, 22:00)) / 1 h * 0.01 EUR + total(outage) / 1 h * 0.01 EUR\n"
CAP_OF_EACH_MONTH = (
    HEAD + "pay: 5.00 EUR\ncap: {per: month, at: 'total(daily(times, 08:00, 22:00)) / 1 h * 1.00 EUR'}\n"
)
NOTHING_LONG = HEAD + "pay: total(times) / 1 h * 0.01 EUR\n"

LONG_FORMULA = EACH_DAY + "pay: (" + " + ".join(["total(outage) / 1 h"] * 15) + ") * 0.01 EUR\n"

ACCEPTED = {
    "each day under a long formula": LONG_FORMULA,
    "no mask": NOTHING_LONG,
    "one mask": masks(1),
    "four masks": masks(4),
    "days measured twice": measured(2),
    "each day, with a cap of each month": CAPPED,
    "each day under a mask": MASKED_DAYS,
}
REFUSED = {
    "eleven masks": (masks(11), "daily (11 times)"),
    "days measured nine times": (measured(9), "days_with_more_than (9 times)"),
    "a mask of the whole outage for each day": (WHOLE_EACH_DAY, "daily (1 times)"),
    "a mask of the whole outage for the cap of each month": (CAP_OF_EACH_MONTH, "daily (1 times)"),
}


def compiled(text: str) -> CompiledPolicy:
    incident = Incident("long", 1, "Down", "app", (), (LONG,))
    return compile_policy(freeze(load_policy(text)), incident, NOW)


def operations(policy: CompiledPolicy, windows: tuple[Window, ...]) -> int:
    """How many functions are called while a row with these windows is decided, by Python and by what it is made of."""
    count = 0

    def see(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    exposure.clock.cache_clear()
    exposure.day_start.cache_clear()
    sys.setprofile(see)
    try:
        policy.decide([windows])
    finally:
        sys.setprofile(None)
    return count


SOURCES = {
    "one window of years": (LONG,),
    "fifty windows over years": tuple(
        Window(LONG.start + timedelta(days=DAYS * n / 50), LONG.start + timedelta(days=DAYS * n / 50 + DAYS / 51))
        for n in range(50)
    ),
}


@pytest.mark.parametrize("windows", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_a_row_takes_no_more_than_was_known_before(text: str, windows: tuple[Window, ...]) -> None:
    policy = compiled(text)
    assert operations(policy, windows) <= CALLS_PER_STEP * policy.row_steps
    assert policy.row_steps <= MAX_ROW_STEPS


@pytest.mark.parametrize(("text", "named"), REFUSED.values(), ids=REFUSED)
def test_a_policy_of_which_a_row_could_hold_up_a_worker_is_refused_with_what_costs_most(text: str, named: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        load_policy(text)
    assert named in str(refusal.value)
    assert f"at most {MAX_ROW_STEPS:,}" in str(refusal.value)


@pytest.mark.parametrize(("room", "is_refused"), [(0, False), (1, False), (-1, True)])
def test_a_row_may_take_as_many_steps_as_the_bound_and_no_more(
    room: int, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = compiled(masks(2))
    monkeypatch.setattr(row_cost, "MAX_ROW_STEPS", policy.row_steps + room)
    if not is_refused:
        policy.must_be_affordable()
        return
    with pytest.raises(
        PolicyError, match=f"could take {policy.row_steps:,} steps, at most {policy.row_steps - 1:,} are"
    ):
        policy.must_be_affordable()


def test_every_mask_costs_more() -> None:
    steps = [compiled(masks(number)).row_steps for number in range(1, 6)]
    assert steps == sorted(set(steps))


RULES = sorted((PROJECT / "policies").glob("*/[0-9]*.yaml"))


@pytest.mark.parametrize("path", RULES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_every_rule_of_the_book_leaves_a_third_of_the_bound(path: Path) -> None:
    document = load_policy(path)
    policy = CompiledPolicy(Program(document, resolve_parameters(document, {}), None, None))
    assert policy.row_steps <= 2 * MAX_ROW_STEPS // 3


def test_the_costliest_rows_of_a_wave_are_decided_again_within_a_round() -> None:
    """A step is a microsecond or less."""
    assert MAX_ROW_STEPS <= WAVE_ROW_STEPS
    assert WAVE_ROW_STEPS <= ROUND_SECONDS * 1_000_000


ZONES = (
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Australia/Lord_Howe",
)


@given(st.sampled_from(ZONES), st.integers(700_000, 740_000), st.integers(0, 1440) | st.fractions(0, 1440))
def test_a_time_of_day_on_days_in_a_row_is_that_of_each_day(zone: str, first: int, minutes: int | Fraction) -> None:
    days = range(first, first + 400)
    where = zone_of(zone)
    assert exposure._clocks(days, minutes, where) == [exposure.clock(day, minutes, where) for day in days]


class _Waves(FakeLedger):
    """Counts the rows of each call that writes decisions with their histories."""

    def __init__(self) -> None:
        super().__init__()
        self.waves: list[int] = []

    def insert_with_history(self, entries: Sequence[EntryWithHistory]) -> list[Entry | HistoryMoved | None]:
        self.waves.append(len(entries))
        return super().insert_with_history(entries)


@pytest.mark.parametrize(("rows", "largest"), [(Fraction(1, 2), 1), (1, 1), (2, 2), (100, 3)])
def test_a_wave_of_costly_rows_has_fewer_of_them(
    monkeypatch: pytest.MonkeyPatch, rows: int | Fraction, largest: int
) -> None:
    made = yearly_cap.world()
    ledger = made.ledger = _Waves()
    windows = yearly_cap.outage(3)
    told = Incident("first", 1, "", "", (), tuple(Window(*map(parse_instant, one.values())) for one in windows))
    steps = compile_policy(freeze(load_policy(yearly_cap.POLICY)), told, made.now).row_steps
    monkeypatch.setattr(chunk_run, "WAVE_ROW_STEPS", int(rows * steps))
    made.publish(yearly_cap.incident("first", windows))
    made.run_until_quiet()
    assert made.campaign("first/1").state is State.CLOSED
    assert max(ledger.waves) == largest
    assert yearly_cap.paid(made, "half") == yearly_cap.FEES["half"] // 2
