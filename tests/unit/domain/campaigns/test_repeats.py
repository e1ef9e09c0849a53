"""Subjects that a list names again are found wherever their rows stand, and in bounded room."""

from collections import defaultdict
from collections.abc import Sequence
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kulanz.domain.campaigns import repeats
from kulanz.domain.campaigns.repeats import (
    HASHES,
    SAMPLE_MOST,
    SUBJECTS_SAMPLED,
    Repeats,
    account_hash,
    bound_for,
)
from kulanz.domain.lists.rows import row_digest

ITEM_BYTES = 400 * 1024
ROWS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=60)


def seen(rows: Sequence[tuple[int, int]], bound: int = HASHES) -> Repeats:
    found = Repeats(bound)
    for account, facts in rows:
        hashed = account_hash(f"a{account}")
        if hashed < found.bound:
            found.see(hashed, f"a{account}", "-", row_digest(f"a{account}", "-", str(facts)))
    return found


@given(ROWS, st.integers(0, 60))
def test_of_a_short_list_they_are_counted_exactly_however_it_is_cut(rows: list[tuple[int, int]], cut: int) -> None:
    stated: dict[int, list[int]] = defaultdict(list)
    for account, facts in rows:
        stated[account].append(facts)
    whole, first = seen(rows), seen(rows[:cut])
    first.add(seen(rows[cut:]))
    assert first == whole
    assert Repeats.from_bytes(whole.to_bytes()) == whole
    assert whole.rows == len(rows)
    assert whole.repeated == sum(len(facts) - 1 for facts in stated.values() if len(set(facts)) == 1)
    assert whole.contradicting == sum(len(facts) - 1 for facts in stated.values() if len(set(facts)) > 1)


WRITTEN = ("{}", "00{}", "{}.0", "0{}.00")
NEARLY = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(WRITTEN), st.sampled_from(["-", "b", "B"])), max_size=40)


@given(NEARLY, st.integers(0, 40))
def test_ids_that_are_written_otherwise_are_counted_however_the_list_is_cut(
    rows: list[tuple[int, str, str]], cut: int
) -> None:
    """An account in capitals and small letters, with zeros, or as a decimal; each subject of it by itself."""

    def of(some: list[tuple[int, str, str]]) -> Repeats:
        found = Repeats()
        for number, form, subject in some:
            account = form.format(f"a{number}") if form == "{}.0" else form.format(number)
            found.see(account_hash(account), account, subject, row_digest(account, subject, ""))
        return found

    ways: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for number, form, subject in rows:
        account = form.format(f"a{number}") if form == "{}.0" else form.format(number)
        plain = account.partition(".")[0].lstrip("0") or "0"
        ways[plain, subject.lower()].add((account, subject))
    whole, first = of(rows), of(rows[:cut])
    first.add(of(rows[cut:]))
    assert first.nearly_equal == whole.nearly_equal == sum(len(one) - 1 for one in ways.values())
    assert whole.repeated == len(rows) - sum(map(len, ways.values()))
    assert Repeats.from_bytes(whole.to_bytes()) == whole


WITH_FORMER = st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), max_size=30)


@given(WITH_FORMER, st.integers(0, 30))
def test_a_former_id_is_no_row_and_stands_in_contradiction_to_one(rows: list[tuple[int, int | None]], cut: int) -> None:
    """Of a subject that rows name as theirs and others as their former one, one row alone is granted."""

    def of(some: list[tuple[int, int | None]]) -> Repeats:
        found = Repeats()
        for account, former in some:
            found.see(account_hash(f"a{account}"), f"a{account}", "-", row_digest(f"a{account}", "-", str(former)))
            if former is not None:
                digest = row_digest(f"a{former}", "-", f"a{account}")
                found.see(account_hash(f"a{former}"), f"a{former}", "-", digest, is_former=True)
        return found

    repeated = contradicting = 0
    for subject in range(7):
        own = [("row", former) for account, former in rows if account == subject]
        others = [("former", account) for account, former in rows if former == subject]
        if len({*own, *others}) > 1:
            contradicting += len(own) + len(others) - 1
        else:
            repeated += max(len(own) - 1, 0)
    whole, first = of(rows), of(rows[:cut])
    first.add(of(rows[cut:]))
    assert first == whole == Repeats.from_bytes(whole.to_bytes())
    assert (whole.rows, whole.repeated, whole.contradicting) == (len(rows), repeated, contradicting)


def test_of_a_long_list_all_rows_of_some_subjects_are_seen() -> None:
    accounts = 40_000
    rows = [(number, 0) for number in range(accounts)] + [(number, 1) for number in range(0, accounts, 10)]
    bound = bound_for(len(rows))
    found = seen(rows, bound)
    assert not found.is_whole
    assert found.rows == pytest.approx(SUBJECTS_SAMPLED, rel=0.1)
    assert found.contradicting / found.rows == pytest.approx(4_000 / len(rows), rel=0.2)
    parts = seen(rows[:30_000], bound)
    parts.add(seen(rows[30_000:], bound))
    assert parts == found


def test_a_list_with_more_rows_than_announced_needs_no_more_room() -> None:
    rows = [(number, 0) for number in range(5 * SAMPLE_MOST)]
    found = seen(rows)
    assert len(found.subjects) <= SAMPLE_MOST
    assert not found.is_whole
    assert len(found.to_bytes()) < 210_000 < ITEM_BYTES
    halves = seen(rows[: len(rows) // 2])
    halves.add(seen(rows[len(rows) // 2 :]))
    assert halves == found


@example([(number, 0) for number in range(20)], 17)
@example([(number, 0) for number in range(20)], 3)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1)), max_size=80), st.integers(0, 80))
def test_parts_that_were_sampled_differently_come_to_what_the_whole_does(rows: list[tuple[int, int]], cut: int) -> None:
    """One part had to forget subjects and the other had not: of both, what lies below the lower bound is kept."""
    with patch.object(repeats, "SAMPLE_MOST", 8):
        whole = seen(rows)
        for first, second in ((rows[:cut], rows[cut:]), (rows[cut:], rows[:cut])):
            found = seen(first)
            found.add(seen(second))
            assert found == whole
            assert Repeats.from_bytes(found.to_bytes()) == found
    assert all(hashed < whole.bound for hashed, _ in whole.subjects)
    assert whole.is_whole is (len({account for account, _ in rows}) <= 8)
    assert whole.rows <= len(rows)


@pytest.mark.parametrize(("rows", "subjects"), [(5_001, 5_000), (10_000, 5_000), (10**6, 5_000), (125_000_000, 5_000)])
def test_the_bound_is_the_share_of_all_hashes_that_the_sample_is_of_the_list(rows: int, subjects: int) -> None:
    assert bound_for(rows) == HASHES * subjects // rows
    assert bound_for(rows) * rows // HASHES in (subjects - 1, subjects)


def test_the_bound_falls_as_the_list_grows() -> None:
    bounds = [bound_for(rows) for rows in (1, SUBJECTS_SAMPLED, SUBJECTS_SAMPLED + 1, 10**6, 125_000_000)]
    assert bounds[:2] == [HASHES, HASHES]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] > 0
