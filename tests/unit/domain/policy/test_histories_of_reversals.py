"""What voids and reversals take off a history, and what counts again once a biller has undone them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.policy.deciding.history import NO_HISTORY, Addition, HistoryValues, SubjectHistory

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
PAID = "paid_2026:EUR"
CARRIED = "carried:EUR"
COUNT = "outages:number"
OWED = "owed:number"
TIME = "time:windows"
DAY = ((0, 24), (48, 72))
GRANTED = 10_000


def history(added: HistoryValues, **more: object) -> SubjectHistory:
    """The history of a subject with one incident, `mine`, in the list's currency."""
    return SubjectHistory(3, {"mine": Addition(NOW, added, **more)})  # type: ignore[arg-type]


def changed(of: SubjectHistory, seq: int, before: int, after: int) -> tuple[SubjectHistory, bool]:
    """After the biller's answer: it was granted so much before it, and so much is left. As it is read back."""
    found = of.reversed("mine", seq, {"EUR": before}, {"EUR": after}, NOW)
    assert found is not None
    assert found.history.version == of.version + 1
    return SubjectHistory.from_text(found.history.version, found.history.to_text()), found.is_room_used


def values(of: SubjectHistory) -> Mapping[str, object]:
    """What the incident adds now."""
    return of.incidents["mine"].added


amounts = st.lists(st.tuples(st.integers(1, 3), st.integers(1, GRANTED)), min_size=1, max_size=6).filter(
    lambda some: sum(size for _, size in some) <= GRANTED
)


@given(
    amounts,
    st.integers(1, 3 * GRANTED) | st.fractions(1, 3 * GRANTED, max_denominator=7),
    st.randoms(use_true_random=False),
)
def test_what_is_reversed_and_undone_in_any_order_counts_to_the_last_unit(
    some: list[tuple[int, int]], value: int | Fraction, order: object
) -> None:
    whole = history({PAID: value, CARRIED: -7, COUNT: 1, OWED: Fraction(-1, 2), TIME: DAY}, cleared={TIME: DAY})
    now, net = whole, GRANTED
    for seq, size in some:
        now, is_used = changed(now, seq, net, net - size)
        net -= size
        assert not is_used
        counted = values(now).get(PAID, 0)
        assert counted >= Fraction(value * net, GRANTED), "a cap never gives more again than was taken back"  # type: ignore[operator]
        assert counted <= ceil(Fraction(value * net, GRANTED)) + len(some)  # type: ignore[operator]
    undone = list(some)
    order.shuffle(undone)  # type: ignore[attr-defined]
    for seq, size in undone:
        now, is_used = changed(now, seq, net, net + size)
        net += size
        assert not is_used
        assert values(now).get(PAID, 0) > Fraction(value * net, GRANTED) - len(some)  # type: ignore[operator]
    assert now.incidents == whole.incidents


@given(amounts, st.data())
def test_where_a_grant_is_counted_as_it_is_the_history_counts_what_stands_whatever_voids_and_campaigns_come_between(
    some: list[tuple[int, int]], data: st.DataObject
) -> None:
    now, net = history({PAID: GRANTED}), GRANTED
    reversed_by = dict.fromkeys((1, 2, 3), 0)
    for seq, size in some:
        match data.draw(st.sampled_from(["reverse", "undo", "void", "grant"])):
            case "reverse":
                step = -min(size, net)
                now, reversed_by[seq] = changed(now, seq, net, net + step)[0], reversed_by[seq] - step
            case "undo":
                step = min(size, reversed_by[seq])
                now, reversed_by[seq] = changed(now, seq, net, net + step)[0], reversed_by[seq] - step
            case "void":
                step = -min(size, net)
                now = now.voided("mine", {"EUR": net}, {"EUR": net + step}) or now
            case _:
                step = size
                now = now.with_addition("mine", Addition(NOW, {PAID: net + step}), NOW)
        net += step
        mine = now.incidents.get("mine", Addition(NOW, NO_HISTORY))
        assert mine.added.get(PAID, 0) == net
        taken = sum(one.money.get("EUR", 0) for one in mine.taken.values())
        assert taken == sum(reversed_by.values())


def test_of_a_part_that_is_undone_the_share_is_rounded_up_and_the_rest_comes_with_the_rest() -> None:
    counted: list[tuple[int, object]] = []
    now, _ = changed(history({PAID: 3}), 1, GRANTED, 0)
    for undone in (1, 2_000, 7_999):
        net = sum(step for step, _ in counted)
        now, _ = changed(now, 1, net, net + undone)
        counted.append((undone, values(now)[PAID]))
    assert counted == [(1, 1), (2_000, 2), (7_999, 3)]


def test_a_later_campaign_that_grants_nothing_leaves_what_the_biller_may_give_again() -> None:
    now, _ = changed(history({PAID: 500}, cleared={TIME: DAY}), 1, 500, 0)
    now = now.with_addition("mine", Addition(NOW, NO_HISTORY), NOW)
    again, _ = changed(now, 1, 0, 500)
    assert again.incidents == history({PAID: 500}, cleared={TIME: DAY}).incidents


@pytest.mark.parametrize("is_offer_beside", [False, True])
def test_what_went_with_a_void_of_the_rest_counts_again_once_a_reversal_before_it_is_undone(
    is_offer_beside: bool,
) -> None:
    whole = history({PAID: 500, OWED: Fraction(-1, 2)}, cleared={TIME: DAY})
    some, _ = changed(whole, 1, 500, 300)
    if is_offer_beside:
        some = some.with_addition("mine", Addition(NOW, {PAID: 800}, {}, LATER), NOW)
    gone = some.voided("mine", {"EUR": 300}, {"EUR": 0})
    assert gone is not None
    read = SubjectHistory.from_text(gone.version, gone.to_text())
    assert read == gone
    again, _ = changed(gone, 1, 0, 200)
    mine = again.incidents["mine"].for_good()
    assert mine is not None
    assert (mine.added, mine.cleared) == ({PAID: 200, OWED: Fraction(-1, 2)}, {TIME: DAY})
    for_ever = whole.voided("mine", {"EUR": 500}, {"EUR": 0})
    assert for_ever is not None
    assert for_ever.incidents["mine"] == Addition(NOW, {}), "no biller gives anything again"


@pytest.mark.parametrize("measure", ["SEK", "GB"])
def test_whoever_added_before_any_of_an_amount_was_taken_off_has_used_none_of_its_room(measure: str) -> None:
    both, less, none = {"EUR": 500, measure: 3}, {"EUR": 500, measure: 0}, {"EUR": 0, measure: 0}
    other = Addition(NOW, {PAID: 40})
    mine = Addition(NOW, {PAID: 500, "other:SEK": 3} if measure == "SEK" else {PAID: 500})
    first = SubjectHistory(3, {"mine": mine, "other": other}).reversed("mine", 1, both, less, NOW)
    assert first is not None
    assert values(first.history) == {PAID: 500}
    added = {**first.history.incidents, "other": replace(other, added={PAID: 90})}
    gone = SubjectHistory(4, added).reversed("mine", 1, less, none, NOW)
    assert gone is not None
    again = gone.history.reversed("mine", 1, none, less, NOW)
    assert again is not None
    assert (values(again.history), again.is_room_used) == ({PAID: 500}, False)


def test_what_was_reversed_before_this_was_kept_counts_as_little_as_it_did_and_leaves_nothing_below_zero() -> None:
    now, _ = changed(history({PAID: 500}), 1, 500, 200)
    assert values(now) == {PAID: 200}
    again, _ = changed(now, 1, 200, 700)  # 200 more than were taken off
    assert again.incidents == history({PAID: 500}).incidents
    nothing, _ = changed(history({PAID: 500}), 1, 500, 900)
    assert nothing.incidents == history({PAID: 500}).incidents


@pytest.mark.parametrize(
    ("since", "own", "is_used"),
    [
        ({}, {PAID: 500}, False),
        ({PAID: 1}, {PAID: 500}, True),
        ({PAID: -1}, {PAID: 500}, False),
        ({"other:EUR": 9}, {PAID: 500}, False),
        ({CARRIED: 9}, {PAID: 500, CARRIED: -7}, False),
        ({CARRIED: 9, PAID: 9}, {PAID: 500, CARRIED: -7}, True),
        ({COUNT: 3}, {PAID: 500, COUNT: 1}, False),
    ],
)
@pytest.mark.parametrize("cleared", [{}, {TIME: DAY}])
@pytest.mark.parametrize("undone", [500, 1])
def test_the_room_is_used_where_others_have_more_of_what_counts_again_than_when_it_was_taken_off(
    since: HistoryValues, own: HistoryValues, is_used: bool, cleared: Mapping[str, Any], undone: int
) -> None:
    before = {PAID: 40, "other:EUR": 4, CARRIED: 4, COUNT: 4}
    other = Addition(NOW, before)
    start = SubjectHistory(3, {"mine": Addition(NOW, own, cleared), "other": other})
    gone, _ = changed(start, 1, 500, 0)
    more = {name: value + since.get(name, 0) for name, value in before.items()}  # type: ignore[operator]
    later = SubjectHistory(gone.version, {**gone.incidents, "other": replace(other, added=more)})
    again, found = changed(later, 1, 0, undone)
    assert found is is_used
    asked_again, _ = changed(again, 1, undone, 0)
    _, still = changed(asked_again, 1, 0, undone)
    assert still is is_used, "who has used the room is seen however often it is taken and given"


@pytest.mark.parametrize(
    ("undone", "is_again"),
    [({}, False), ({"EUR": 1}, True), ({"SEK": 1}, True), ({"GB": 1}, True), ({"EUR": 500, "SEK": 70, "GB": 3}, True)],
)
def test_what_went_when_nothing_was_left_counts_again_with_the_first_of_whatever_was_granted(
    undone: Mapping[str, int], is_again: bool
) -> None:
    granted: Mapping[str, int] = {"EUR": 500, "SEK": 70, "GB": 3}
    nothing = dict.fromkeys(granted, 0)
    whole = history({PAID: 500, "paid:SEK": 70, OWED: Fraction(-1, 2)}, cleared={TIME: DAY})
    gone = whole.reversed("mine", 1, granted, nothing, NOW)
    assert gone is not None
    assert values(gone.history) == {}
    assert gone.history.incidents["mine"].cleared == {}
    found = gone.history.reversed("mine", 1, nothing, {**nothing, **undone}, NOW)
    assert found is not None
    mine = found.history.incidents["mine"]
    carried = {OWED: Fraction(-1, 2)} if is_again else {}
    paid = {PAID: undone.get("EUR", 0), "paid:SEK": undone.get("SEK", 0)}
    assert mine.added == {**{name: size for name, size in paid.items() if size}, **carried}
    assert (mine.cleared, mine.dropped is None) == (({TIME: DAY}, True) if is_again else ({}, False))


@pytest.mark.parametrize("is_offer", [True, False])
def test_whatever_a_later_campaign_adds_what_the_biller_gives_again_counts_beside_it(is_offer: bool) -> None:
    now, _ = changed(history({PAID: 500, COUNT: 1}), 1, 500, 0)
    assert values(now) == {COUNT: 1}
    later = Addition(NOW, {PAID: 300, COUNT: 1}, {}, LATER if is_offer else None)
    now = now.with_addition("mine", later, NOW)
    assert values(now) == {PAID: 300, COUNT: 1}
    again, _ = changed(now, 1, 0 if is_offer else 300, 500 if is_offer else 800)
    assert values(again) == {PAID: 800, COUNT: 1}
    assert again.incidents["mine"].lapsed == (Addition(NOW, {PAID: 500, COUNT: 1}) if is_offer else None)
    assert now.incidents["mine"].lapsed == (Addition(NOW, {COUNT: 1}) if is_offer else None)
    assert now.incidents["mine"].taken
    assert not again.incidents["mine"].taken


def test_an_offer_beside_what_is_taken_back_stays_as_large_as_it_is() -> None:
    granted = history({PAID: 500, COUNT: 1}).with_addition("mine", Addition(NOW, {PAID: 700, COUNT: 1}, {}, LATER), NOW)
    for now in (changed(granted, 1, 500, 0)[0], granted.voided("mine", {"EUR": 500}, {"EUR": 0})):
        assert now is not None
        assert values(now) == {PAID: 200, COUNT: 1}
        lapsed = now.incidents["mine"].for_good()
        assert lapsed is not None
        assert lapsed.added == {COUNT: 1}
        accepted = now.accepted("mine")
        assert accepted is not None
        assert values(accepted) == {PAID: 200, COUNT: 1}
    again, _ = changed(changed(granted, 1, 500, 0)[0], 1, 0, 500)
    assert again.incidents == granted.incidents
    alone = history({PAID: 200}, lapses_at=LATER)
    assert alone.reversed("mine", 1, {"EUR": 0}, {"EUR": 0}, NOW) is None
    assert replace(alone.voided("mine", {}, {}) or alone, version=3) == alone, "of an offer nothing was granted"


def test_of_what_is_granted_in_units_alone_time_stays_settled_until_all_of_it_is_void() -> None:
    mine = history({TIME: DAY}, cleared={TIME: DAY})
    one = mine.voided("mine", {"day": 3, "GB": 5}, {"day": 3, "GB": 0})
    assert one is not None
    assert one.incidents["mine"].cleared == {TIME: DAY}
    both = one.voided("mine", {"day": 3, "GB": 0}, {"day": 0, "GB": 0})
    assert both is not None
    assert (both.incidents["mine"].cleared, values(both)) == ({}, {TIME: DAY})


def with_other(of: SubjectHistory, added: HistoryValues, **more: object) -> SubjectHistory:
    """Another incident of the subject, decided now."""
    return of.with_addition("other", Addition(NOW, added, **more), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "between", "is_used"),
    [({}, {}, False), ({PAID: 50}, {PAID: 50}, False), ({}, {PAID: 1}, True), ({PAID: 50}, {PAID: 51}, True),
     ({}, {"paid_2027:EUR": 1}, False), ({}, {COUNT: 1}, False)],
)  # fmt: skip
def test_room_is_used_where_others_have_added_since_it_was_given_back(
    before: HistoryValues, between: HistoryValues, *, is_used: bool
) -> None:
    now, _ = changed(with_other(history({PAID: 500, COUNT: 1}), before), 1, 500, 100)
    now = with_other(now, between)
    now, of_a_part = changed(now, 1, 100, 300)
    now, found = changed(now, 1, 300, 500)
    assert (of_a_part, found) == (is_used, is_used)
    assert values(now)[PAID] == 500


def test_room_that_was_used_is_told_again_where_it_is_taken_back_and_given_once_more() -> None:
    now, _ = changed(history({PAID: 500}), 1, 500, 0)
    now = with_other(now, {PAID: 500})
    for _ in range(2):
        now, is_used = changed(now, 1, 0, 500)
        assert is_used
        now, is_used = changed(now, 1, 500, 0)
        assert not is_used


def test_two_incidents_that_are_both_reversed_and_undone_have_used_no_room_of_each_other() -> None:
    now = with_other(history({PAID: 500}), {PAID: 300})
    now, _ = changed(now, 1, 500, 0)
    step = now.reversed("other", 1, {"EUR": 300}, {"EUR": 0}, NOW)
    assert step is not None
    now, is_used = changed(step.history, 1, 0, 500)
    assert not is_used
    step = now.reversed("other", 1, {"EUR": 0}, {"EUR": 300}, NOW)
    assert step is not None
    assert (step.is_room_used, values(step.history)) == (False, {PAID: 500})


def test_room_that_was_read_under_another_id_of_the_account_counts_as_used() -> None:
    now, _ = changed(history({PAID: 500}), 1, 500, 100)
    now = now.read_under_another_id()
    assert now.version == 5
    now, is_used = changed(now, 1, 100, 0)
    assert not is_used
    now, of_a_part = changed(now, 1, 0, 200)
    assert (of_a_part, changed(now, 1, 200, 500)[1]) == (True, True)
    untouched = history({PAID: 500})
    assert untouched.read_under_another_id().incidents == untouched.incidents


def test_an_offer_that_has_lapsed_is_room_that_its_own_incident_may_use_again() -> None:
    now = with_other(history({PAID: 100}), {PAID: 100})
    now = now.with_addition("other", Addition(NOW, {PAID: 400}, {}, NOW), NOW)
    after_it = NOW + timedelta(days=2)
    step = now.reversed("mine", 1, {"EUR": 100}, {"EUR": 0}, after_it)
    assert step is not None
    for granted, is_used in ((100, False), (400, True)):
        later = step.history.with_addition("other", Addition(NOW, {PAID: granted}), after_it)
        again = later.reversed("mine", 1, {"EUR": 0}, {"EUR": 100}, after_it)
        assert again is not None
        assert again.is_room_used is is_used


def test_time_that_another_payment_settled_meanwhile_is_used_room_too() -> None:
    now, _ = changed(history({PAID: 500}, cleared={TIME: DAY}), 1, 500, 0)
    for settled, is_used in (((24, 48),), False), (((0, 1),), True):
        other = with_other(now, {}, cleared={TIME: settled})
        assert changed(other, 1, 0, 500)[1] is is_used


def test_an_incident_that_the_history_does_not_know_is_left_alone() -> None:
    assert history({PAID: 1}).reversed("another", 1, {"EUR": 1}, {"EUR": 0}, NOW) is None
    assert history({PAID: 1}).voided("another", {"EUR": 1}, {"EUR": 0}) is None
