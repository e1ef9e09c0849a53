"""What a list says of accounts that changed must not contradict itself, wherever its rows stand."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.campaigns.changed_accounts import (
    CHANGED_MOST,
    CHANGED_PER_RECEIPT,
    ENTRY_BYTES,
    ChangedAccounts,
)
from kulanz.domain.campaigns.repeats import SAMPLE_MOST, SUBJECT_BYTES
from tests.support.effort import examples

ITEM_BYTES = 400 * 1024
ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda row: row[0] != row[1]), max_size=9)


def seen(rows: Sequence[tuple[int, int]], subject: str = "-") -> ChangedAccounts:
    changed = ChangedAccounts()
    for offset, (account, former) in enumerate(rows):
        changed.see(f"a-{account}", f"a-{former}", subject, offset)
    return changed


def in_circles(rows: Sequence[tuple[int, int]]) -> set[int]:
    """The accounts that come back to themselves, from former id to former id."""

    def reached(account: int) -> set[int]:
        found: set[int] = set()
        waiting = [account]
        while waiting:
            one = waiting.pop()
            new = {former for who, former in rows if who == one} - found
            found |= new
            waiting.extend(new)
        return found

    return {account for account, _ in rows if account in reached(account)}


@settings(max_examples=examples(200))
@given(ROWS)
def test_exactly_the_accounts_of_a_circle_are_found(rows: list[tuple[int, int]]) -> None:
    found = {rows[offset][0] for offset in seen(rows).in_circles()}
    circles = in_circles(rows)
    assert circles <= found
    assert bool(found) is bool(circles)


@settings(max_examples=examples(200))
@given(ROWS)
def test_exactly_the_former_ids_with_two_owners_are_found(rows: list[tuple[int, int]]) -> None:
    found = {rows[offset][1] for offset in seen(rows).owned_twice()}
    assert found == {former for _, former in rows if len({who for who, was in rows if was == former}) > 1}


@settings(max_examples=examples(100))
@given(ROWS)
def test_parts_of_a_list_come_together_to_the_whole_and_through_a_receipt(rows: list[tuple[int, int]]) -> None:
    whole, parts = seen(rows), ChangedAccounts()
    for offset, (account, former) in enumerate(rows):
        part = ChangedAccounts()
        part.see(f"a-{account}", f"a-{former}", "-", offset)
        parts.add(ChangedAccounts.from_bytes(part.to_bytes()))
    assert parts == whole
    assert list(parts.refusals()) == list(whole.refusals())


def test_lines_of_one_account_may_have_gone_to_different_accounts() -> None:
    changed = ChangedAccounts()
    changed.see("a", "old", "line-1", 0)
    changed.see("b", "old", "line-2", 9)
    assert list(changed.refusals()) == []


def test_a_long_chain_is_no_circle_and_is_looked_at_in_one_go() -> None:
    chain = [(number, number + 1) for number in range(20_000)]
    assert seen(chain).in_circles() == []
    assert len(seen([*chain, (20_000, 0)]).in_circles()) == 20_001


def test_more_accounts_than_are_looked_at_refuse_the_list() -> None:
    changed = ChangedAccounts({(number, number + CHANGED_MOST * 2): number for number in range(CHANGED_MOST)})
    assert list(changed.refusals()) == []
    changed.add(ChangedAccounts({(1, 0): 7, (2, 0): 8}))
    (refusal,) = changed.refusals()
    assert refusal.startswith("too_many_changed_accounts")


def test_of_more_accounts_than_are_looked_at_nothing_else_is_said() -> None:
    pairs = {(number, CHANGED_MOST * 2 + number // 2): number for number in range(CHANGED_MOST + 1)}
    contradicting = ChangedAccounts(pairs | {(number, CHANGED_MOST - number): number for number in (0, CHANGED_MOST)})
    assert contradicting.owned_twice()
    assert contradicting.in_circles()
    assert [refusal.partition(":")[0] for refusal in contradicting.refusals()] == ["too_many_changed_accounts"]


def test_what_a_receipt_keeps_of_them_fits_beside_what_it_keeps_of_repeated_subjects() -> None:
    assert CHANGED_PER_RECEIPT * ENTRY_BYTES + SAMPLE_MOST * SUBJECT_BYTES < ITEM_BYTES * 9 // 10


def test_a_refusal_names_three_rows_and_how_many_more_there_are() -> None:
    def refusal(length: int) -> str:
        (found,) = seen([(number, (number + 1) % length) for number in range(length)]).refusals()
        return found

    assert "that start at bytes 0, 1, 2: correct" in refusal(3)
    assert "that start at bytes 0, 1, 2 and 2 more: correct" in refusal(5)


def test_the_first_row_that_says_so_is_named_in_whatever_order_rows_are_seen() -> None:
    rows = [("a", "b", 9), ("b", "a", 5), ("a", "b", 2), ("b", "a", 7)]
    for some in (rows, rows[::-1]):
        changed = ChangedAccounts()
        for account, former, offset in some:
            changed.see(account, former, "-", offset)
        assert changed.in_circles() == [2, 5]


def test_a_row_that_leads_out_of_a_circle_is_not_named() -> None:
    assert seen([(0, 1), (0, 2), (2, 0)]).in_circles() == [1, 2]
