"""A subject's history by itself: how long each part counts, what takes its place, and what voids leave of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from kulanz.domain.policy.deciding.history import (
    HISTORY_BYTES,
    HISTORY_LIFE,
    LAPSE_ALLOWANCE,
    Addition,
    HistoryKey,
    Order,
    Reversed,
    SubjectHistory,
    Taken,
    history_content,
    values_of_history,
)

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = 3_600_000_000
EARLY, LATE = ((10 * HOUR, 12 * HOUR),), ((20 * HOUR, 23 * HOUR),)
PAID, TIME, COUNT = "paid:EUR", "time:windows", "count:number"


def addition(ended_at: datetime = AT, **changes: Any) -> Addition:
    return replace(Addition(ended_at, {PAID: 700, COUNT: 1, TIME: EARLY}), **changes)


LAPSED = addition(AT, added={PAID: 50})
LASTING = replace(LAPSED, ended_at=AT + TICK)
OFFERED = addition(AT, lapses_at=AT, lapsed=LAPSED)


@pytest.mark.parametrize(
    ("late", "one", "expected"),
    [
        (HISTORY_LIFE - TICK, addition(), addition()),
        (HISTORY_LIFE, addition(), None),
        (LAPSE_ALLOWANCE - TICK, OFFERED, OFFERED),
        (LAPSE_ALLOWANCE, OFFERED, LAPSED),
        (LAPSE_ALLOWANCE, replace(OFFERED, lapsed=None), None),
        (LAPSE_ALLOWANCE, replace(OFFERED, lapsed=replace(LAPSED, ended_at=AT - HISTORY_LIFE)), None),
        (
            HISTORY_LIFE,
            replace(OFFERED, lapsed=replace(LAPSED, ended_at=AT + TICK)),
            replace(LAPSED, ended_at=AT + TICK),
        ),
    ],
)
def test_an_addition_counts_until_its_age_or_its_offer_is_over(
    late: timedelta, one: Addition, expected: Addition | None
) -> None:
    assert one.at(AT + late) == expected


def test_what_is_for_good_does_not_lapse_and_nothing_is_empty_that_stands_for_something() -> None:
    assert (addition().for_good(), OFFERED.for_good()) == (addition(), LAPSED)
    empty = Addition(AT, {})
    assert empty.is_empty()
    full: list[dict[str, Any]] = [
        {"added": {PAID: 1}},
        {"cleared": {TIME: EARLY}},
        {"lapsed": LAPSED},
        {"taken": {1: Taken()}},
    ]
    assert not any(replace(empty, **one).is_empty() for one in full)


@pytest.mark.parametrize(
    ("incident", "began_at", "is_before"),
    [("b", AT - TICK, True), ("b", AT + TICK, False), ("a", AT, True), ("m", AT, False), ("z", AT, False)],
)
def test_of_two_incidents_the_first_is_the_one_that_began_first_then_the_lower_id(
    incident: str, began_at: datetime, *, is_before: bool
) -> None:
    order = Order("m", AT, lambda _: False)
    assert order.is_before(incident, addition(AT + timedelta(days=9), began_at=began_at)) is is_before
    assert order.is_before(incident, addition(began_at)) is is_before, "else its end stands for it"


def test_what_others_add_up_to_is_by_name_with_what_began_before_or_counts_in_any_order() -> None:
    history = SubjectHistory(
        3,
        {
            "a": addition(AT, began_at=AT - timedelta(days=3)),
            "b": addition(AT, began_at=AT - timedelta(days=2), added={PAID: 30, COUNT: 5, TIME: LATE, "x:EUR": 0}),
            "me": addition(AT, began_at=AT - timedelta(days=1), added={PAID: 9_000}),
            "z": addition(AT, began_at=AT, added={PAID: 4, COUNT: 7}, cleared={TIME: ((11 * HOUR, 12 * HOUR),)}),
            "old": addition(AT - HISTORY_LIFE, added={PAID: 10_000}),
        },
    )
    order = Order("me", AT - timedelta(days=1), lambda name: name == PAID)
    left = ((10 * HOUR, 11 * HOUR), *LATE)
    assert history.before(order, AT) == {COUNT: 6, PAID: 734, TIME: left}
    assert list(history.before(order, AT)) == sorted([COUNT, PAID, TIME])
    assert history.settled("a", AT) == {TIME: ((11 * HOUR, 12 * HOUR),)}
    assert (history.settled("b", AT), history.settled("none", AT)) == ({}, {})


def test_an_addition_takes_the_place_of_its_incidents_own_and_what_counts_no_more_is_dropped() -> None:
    stands = addition(added={PAID: 5})
    history = SubjectHistory(3, {"a": addition(AT - HISTORY_LIFE), "b": stands, "c": addition()})
    new = addition(added={PAID: 8})
    assert history.with_addition("c", new, AT) == SubjectHistory(4, {"b": stands, "c": new})
    offer = addition(added={PAID: 8}, lapses_at=AT + timedelta(days=9))
    beside = history.with_addition("b", offer, AT)
    assert beside.incidents["b"] == replace(offer, lapsed=stands)
    again = beside.with_addition("b", replace(offer, added={PAID: 9}), AT)
    assert again.incidents["b"] == replace(offer, added={PAID: 9}, lapsed=stands), "an offer stands for nothing"
    assert history.with_addition("b", Addition(AT, {}), AT) == SubjectHistory(4, {"c": addition()})
    taken = replace(stands, taken={1: Taken(money={"EUR": 3})}, dropped=LAPSED)
    kept = SubjectHistory(3, {"b": taken}).with_addition("b", new, AT).incidents["b"]
    assert kept == replace(new, taken=taken.taken, dropped=LAPSED)


def test_an_accepted_offer_lapses_no_more_and_what_was_no_offer_changes_nothing() -> None:
    history = SubjectHistory(3, {"a": OFFERED, "b": addition()})
    kept = replace(OFFERED, lapses_at=None, lapsed=None)
    assert history.accepted("a") == SubjectHistory(4, {"a": kept, "b": addition()})
    assert (history.accepted("b"), history.accepted("c")) == (None, None)


def test_a_history_ends_with_the_last_of_its_parts_what_lapses_too() -> None:
    later = replace(LAPSED, ended_at=AT + timedelta(days=5))
    history = SubjectHistory(1, {"a": replace(OFFERED, lapsed=later), "b": addition(AT - timedelta(days=5))})
    assert history.ends_at() == AT + timedelta(days=5) + HISTORY_LIFE
    assert SubjectHistory().ends_at() is None


@pytest.mark.parametrize("more", [0, 1])
def test_a_history_is_full_above_its_bytes(more: int) -> None:
    plain = SubjectHistory(1, {"": Addition(AT, {})})
    name = "x" * (HISTORY_BYTES - len(plain.to_text().encode()) + more)
    history = SubjectHistory(1, {name: Addition(AT, {})})
    assert len(history.to_text().encode()) == HISTORY_BYTES + more
    assert history.is_full() is bool(more)


def test_a_history_is_read_back_in_every_part() -> None:
    whole = addition(
        added={PAID: 700, COUNT: Fraction(7, 3), TIME: EARLY},
        cleared={TIME: LATE},
        lapses_at=AT + timedelta(days=1),
        lapsed=replace(LAPSED, began_at=AT - timedelta(days=4)),
        began_at=AT - timedelta(days=2),
        taken={2: Taken({PAID: 30}, {"EUR": 31}, {PAID: 32})},
        dropped=Addition(AT - timedelta(days=7), {COUNT: -1}, {TIME: EARLY}),
    )
    history = SubjectHistory(4, {"b": whole, "a": addition()})
    assert SubjectHistory.from_text(4, history.to_text()) == history
    assert values_of_history(history_content(whole.added)) == whole.added
    key = HistoryKey("A-1", "credit", "line-7")
    assert (key.partition, key.place) == ("ACCOUNT#A-1", "STATE#credit#line-7")


# What voids and reversals leave

ALL = {PAID: 1_000, "other:SEK": 9, COUNT: 2, "carried:EUR": -50, TIME: EARLY}
BEFORE: dict[str, int | Decimal] = {"EUR": 700, "SEK": 90, "GB": Decimal(3)}


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (
            {"EUR": 700, "SEK": 90, "GB": Decimal(3)},
            {PAID: 1_000, "other:SEK": 9, COUNT: 2, "carried:EUR": -50, TIME: EARLY},
        ),
        ({"EUR": 350, "SEK": 90}, {PAID: 500, "other:SEK": 9, COUNT: 2, "carried:EUR": -25, TIME: EARLY}),
        ({"EUR": 1, "SEK": 90}, {PAID: 2, "other:SEK": 9, COUNT: 2, TIME: EARLY}),
        ({"SEK": 10}, {"other:SEK": 1, COUNT: 2, TIME: EARLY}),
        ({}, {COUNT: 2, TIME: EARLY}),
    ],
)
def test_what_is_left_of_money_is_its_share_rounded_up_and_what_happened_stays(after: Any, left: Any) -> None:
    found = addition(added=ALL, cleared={TIME: LATE}).less(BEFORE, after)
    is_all = not any(after.values())
    assert found.added == left
    assert found.cleared == ({} if is_all else {TIME: LATE})
    assert found.dropped == (Addition(AT, {}, {TIME: LATE}) if is_all else None)


def test_what_was_carried_counts_again_where_nothing_is_left_of_what_had_paid_it() -> None:
    paid = addition(added={PAID: 700, "count:number": -4}, cleared={TIME: LATE})
    some = paid.less({"EUR": 700}, {"EUR": 1})
    assert (some.added, some.cleared, some.dropped) == ({PAID: 1, "count:number": -4}, {TIME: LATE}, None)
    gone = paid.less({"EUR": 700}, {"EUR": 0})
    assert (gone.added, gone.cleared) == ({}, {})
    assert gone.dropped == Addition(AT, {"count:number": -4}, {TIME: LATE})


@pytest.mark.parametrize("size", [Fraction(1, 1_000_000), Fraction(1, 2), 1, Fraction(3, 2), 40])
def test_where_nothing_is_left_of_a_grant_each_number_that_happened_stays_and_each_that_was_carried_counts_again(
    size: int | Fraction,
) -> None:
    happened, carried = {"halves:number": size}, {"owed:number": -size, "other:number": -2 * size}
    granted = addition(added={PAID: 700, **happened, **carried, TIME: EARLY})
    gone = granted.less({"EUR": 700}, {"EUR": 0})
    assert gone.added == {**happened, TIME: EARLY}
    assert gone.dropped == Addition(AT, carried)
    assert granted.less({"EUR": 700}, {"EUR": 700}) == granted


def test_a_void_takes_off_what_is_for_good_and_leaves_an_offer_beside_it() -> None:
    offer = replace(OFFERED, added={PAID: 700, TIME: EARLY}, lapsed=addition(added={PAID: 500, TIME: EARLY}))
    history = SubjectHistory(3, {"a": offer, "b": addition()})
    found = history.voided("a", {"EUR": 500}, {"EUR": 200})
    left = replace(offer, added={PAID: 400, TIME: EARLY}, lapsed=addition(added={PAID: 200, TIME: EARLY}))
    assert found == SubjectHistory(4, {"a": left, "b": addition()})
    plain = history.voided("b", {"EUR": 700}, {"EUR": 300})
    assert plain == SubjectHistory(4, {"a": offer, "b": addition(added={PAID: 300, COUNT: 1, TIME: EARLY})})
    assert history.voided("c", {"EUR": 1}, {}) is None
    nothing = SubjectHistory(3, {"a": replace(OFFERED, lapsed=None)})
    assert nothing.voided("a", {"EUR": 1}, {}) == replace(nothing, version=4)


def test_what_a_biller_took_off_counts_again_to_the_last_unit_once_it_is_undone() -> None:
    before = addition(added={PAID: 701, COUNT: 1})
    history = SubjectHistory(3, {"a": before, "b": addition(added={PAID: 60})})
    booked = history.reversed("a", 2, {"EUR": 700}, {"EUR": 200}, AT)
    assert booked is not None
    taken = {2: Taken({PAID: 500}, {"EUR": 500}, {PAID: 60})}
    expected = replace(before, added={PAID: 201, COUNT: 1}, taken=taken)
    assert booked == Reversed(SubjectHistory(4, {"a": expected, "b": addition(added={PAID: 60})}), False)
    undone = booked.history.reversed("a", 2, {"EUR": 200}, {"EUR": 700}, AT)
    assert undone is not None
    assert (undone.history.incidents["a"], undone.is_room_used, undone.history.version) == (before, False, 5)
    assert history.reversed("c", 2, {}, {}, AT) is None


def test_whoever_has_added_since_has_used_the_room_that_an_undone_reversal_takes_again() -> None:
    history = SubjectHistory(3, {"a": addition(added={PAID: 700})})
    booked = history.reversed("a", 2, {"EUR": 700}, {"EUR": 0}, AT)
    assert booked is not None
    since = booked.history.with_addition("b", addition(added={PAID: 10}), AT)
    undone = since.reversed("a", 2, {"EUR": 0}, {"EUR": 700}, AT)
    assert undone is not None
    assert (undone.history.incidents["a"].added, undone.is_room_used) == ({PAID: 700}, True)
