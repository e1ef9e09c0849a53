"""A unit's history: what others added is counted once each, own additions never, and nothing that is too old."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.policy.deciding import history as history_module
from kulanz.domain.policy.deciding.history import (
    HISTORY_LIFE,
    LAPSE_ALLOWANCE,
    NO_HISTORY,
    Addition,
    HistoryValues,
    Order,
    SubjectHistory,
    history_content,
    values_of_history,
)
from kulanz.domain.policy.language import exposure

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = 3_600_000_000

outages = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=4).map(
    lambda parts: exposure.union((start * HOUR, (start + length) * HOUR) for start, length in parts)
)
kept_values = st.fixed_dictionaries(
    {},
    optional={
        "paid_2026": st.integers(1, 10**9),
        "late": st.integers(-5, 5).filter(bool) | st.fractions(1, 9, max_denominator=7),
        "time": outages.filter(bool),
    },
)
additions = st.builds(
    Addition,
    st.integers(-2000, 10).map(lambda days: NOW + timedelta(days=days)),
    kept_values,
    outages.map(lambda time: {"time": time} if time else {}),
    st.none() | st.integers(-60, 60).map(lambda days: NOW + timedelta(days=days)),
    st.none(),
    st.none() | st.integers(-2000, 10).map(lambda days: NOW + timedelta(days=days)),
)
additions_for_good = additions.map(lambda addition: replace(addition, lapses_at=None))
offers_after_grants = st.builds(
    replace, additions.filter(lambda one: one.lapses_at is not None), lapsed=additions_for_good
)
histories = st.dictionaries(st.sampled_from("abcdef"), additions | offers_after_grants, max_size=6).map(
    lambda all_: SubjectHistory(3, all_)
)


def others(history: SubjectHistory, mine: str, now: datetime) -> HistoryValues:
    """What all other incidents add up to, whenever they began."""
    return history.before(Order(mine, NOW, lambda _: True), now)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_a_history_reads_back_as_it_was_written(history: SubjectHistory) -> None:
    assert SubjectHistory.from_text(history.version, history.to_text()) == history
    for addition in history.incidents.values():
        assert values_of_history(history_content(addition.added)) == addition.added


@settings(max_examples=200, deadline=None)
@given(histories, st.sampled_from("abcdefg"))
def test_what_counts_is_the_sum_over_the_other_incidents(history: SubjectHistory, mine: str) -> None:
    counted = [one for name, stored in history.incidents.items() if name != mine and (one := stored.at(NOW))]
    expected: dict[str, Any] = {
        "paid_2026": sum(one.added.get("paid_2026", 0) for one in counted),
        "late": sum((Fraction(one.added.get("late", 0)) for one in counted), Fraction(0)),  # type: ignore[arg-type]
    }
    added = exposure.union(part for one in counted for part in one.added.get("time", ()))  # type: ignore[union-attr]
    expected["time"] = exposure.without(
        added, exposure.union(p for one in counted for p in one.cleared.get("time", ()))
    )
    assert others(history, mine, NOW) == {name: value for name, value in expected.items() if value}


@settings(max_examples=200, deadline=None)
@given(histories, additions, st.sampled_from("abcdefg"))
def test_deciding_an_incident_again_never_counts_it_twice(
    history: SubjectHistory, addition: Addition, mine: str
) -> None:
    before = others(history, mine, NOW)
    once = history.with_addition(mine, addition, NOW)
    twice = once.with_addition(mine, addition, NOW)
    assert others(once, mine, NOW) == others(twice, mine, NOW) == before
    assert once.incidents == twice.incidents
    assert once.version == history.version + 1
    assert mine not in once.with_addition(mine, Addition(NOW, NO_HISTORY), NOW).incidents


@given(st.integers(-3, 3))
def test_an_incident_counts_for_five_years_to_the_second(seconds: int) -> None:
    history = SubjectHistory(1, {"a": Addition(NOW, {"paid": 5})})
    at = NOW + HISTORY_LIFE + timedelta(seconds=seconds)
    assert others(history, "b", at) == ({"paid": 5} if seconds < 0 else {})
    assert history.ends_at() == NOW + HISTORY_LIFE


@given(st.integers(-3, 3))
def test_an_offer_counts_until_it_has_lapsed_for_certain(seconds: int) -> None:
    lapses = NOW + timedelta(days=30)
    history = SubjectHistory(1, {"a": Addition(NOW, {"paid": 5}, lapses_at=lapses)})
    at = lapses + LAPSE_ALLOWANCE + timedelta(seconds=seconds)
    assert others(history, "b", at) == ({"paid": 5} if seconds < 0 else {})
    accepted = history.accepted("a")
    assert accepted is not None
    assert others(accepted, "b", at) == {"paid": 5}
    assert accepted.accepted("a") is None
    assert history.accepted("b") is None


def test_what_counts_no_more_is_dropped_when_something_is_added() -> None:
    old = Addition(NOW - HISTORY_LIFE, {"paid": 5})
    history = SubjectHistory(7, {"old": old, "new": Addition(NOW, {"paid": 6})})
    added = history.with_addition("mine", Addition(NOW, {"paid": 1}), NOW)
    assert set(added.incidents) == {"new", "mine"}


recent = additions.filter(lambda one: bool(one.added) and one.ended_at > NOW - timedelta(days=1_000))


@settings(max_examples=200, deadline=None)
@given(st.lists(recent, min_size=1, max_size=4))
def test_an_offer_that_lapses_gives_way_to_what_was_added_for_good_before(campaigns: list[Addition]) -> None:
    history = SubjectHistory()
    for addition in campaigns:
        history = history.with_addition("mine", addition, NOW)
    for_good = [replace(one, cleared={}) for one in campaigns if one.lapses_at is None]
    expected = SubjectHistory(1, {"mine": for_good[-1]} if for_good else {})
    long_after = NOW + timedelta(days=90)
    counted = others(SubjectHistory.from_text(1, history.to_text()), "other", long_after)
    assert counted.get("paid_2026") == others(expected, "other", long_after).get("paid_2026")


def test_equal_numbers_are_told_alike() -> None:
    halves = {name: Addition(NOW, {"late": Fraction(1, 2)}) for name in "ab"}
    told = json.dumps(history_content(others(SubjectHistory(1, halves), "c", NOW)))
    assert told == json.dumps(history_content(others(SubjectHistory(1, {"a": Addition(NOW, {"late": 1})}), "c", NOW)))


def test_an_offer_that_adds_nothing_leaves_what_was_added_for_good_before() -> None:
    history = SubjectHistory().with_addition("mine", Addition(NOW, {"paid": 5}), NOW)
    offered = history.with_addition("mine", Addition(NOW, {}, lapses_at=NOW + timedelta(days=30)), NOW)
    assert others(offered, "other", NOW + timedelta(days=60)) == {"paid": 5}


def test_an_offer_until_the_calendars_last_day_counts_until_then() -> None:
    history = SubjectHistory(1, {"a": Addition(NOW, {"paid": 5}, lapses_at=datetime.max.replace(tzinfo=UTC))})
    assert others(history, "b", NOW) == {"paid": 5}


@settings(max_examples=200, deadline=None)
@given(histories, st.sampled_from("abcdefg"), st.integers(-2000, 10).map(lambda days: NOW + timedelta(days=days)))
def test_what_happened_counts_where_it_began_before_and_what_was_granted_in_any_order(
    history: SubjectHistory, mine: str, began_at: datetime
) -> None:
    found = history.before(Order(mine, began_at, lambda name: name == "paid_2026"), NOW)
    earlier = {
        name: one
        for name, stored in history.incidents.items()
        if (one := stored.at(NOW)) is not None and (one.began_at or one.ended_at, name) < (began_at, mine)
    }
    before = others(SubjectHistory(1, earlier), mine, NOW)
    assert found.get("late", 0) == before.get("late", 0)
    assert found.get("paid_2026", 0) == others(history, mine, NOW).get("paid_2026", 0)


def test_of_two_incidents_that_began_together_one_is_the_first() -> None:
    both = SubjectHistory(1, {name: Addition(NOW, {"late": 1}, began_at=NOW) for name in "ab"})
    assert [dict(both.before(Order(name, NOW, lambda _: False), NOW)) for name in "ab"] == [{}, {"late": 1}]


@settings(max_examples=60, deadline=None)
@given(histories, st.sampled_from("abcdefg"))
def test_time_that_others_settled_is_that_of_the_incident_itself_as_far_as_theirs_still_counts(
    history: SubjectHistory, mine: str
) -> None:
    own = history.incidents.get(mine)
    time = () if own is None else own.added.get("time", ())
    counted = [one for name, stored in history.incidents.items() if name != mine and (one := stored.at(NOW))]
    cleared = exposure.union(part for one in counted for part in one.cleared.get("time", ()))
    expected = exposure.both(time, cleared)  # type: ignore[arg-type] # it is an outage
    assert history.settled(mine, NOW) == ({"time": expected} if expected else {})


@pytest.mark.parametrize(("room", "is_full"), [(0, False), (1, False), (-1, True)])
def test_a_history_is_full_beyond_its_last_byte(room: int, is_full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    history = SubjectHistory(1, {"größe": Addition(NOW, {"paid": 5})})
    monkeypatch.setattr(history_module, "HISTORY_BYTES", len(history.to_text().encode()) + room)
    assert history.is_full() is is_full
