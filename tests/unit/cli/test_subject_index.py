"""What a whole list names more than once is found exactly, whatever the order of its rows."""

from collections import defaultdict

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kulanz.application.lists.check_list import FIRST_LINES, Subjects
from kulanz.domain.lists.near_ids import normal_id
from kulanz.domain.lists.rows import row_digest
from kulanz_cli.subject_index import SubjectFiles

IDS = st.sampled_from(["7", "07", "7.0", "8", "AB", "ab", "b"])
ROWS = st.lists(st.tuples(IDS, st.sampled_from(["-", "l-1", "L-1"]), st.sampled_from("xyz")), max_size=25)
Pairs = list[tuple[int, int]]


def expected(rows: list[tuple[str, str, str]]) -> tuple[Pairs, Pairs, Pairs]:
    """Repeated, contradicting and nearly equal rows, each with the row before it, from the definitions."""
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, (account, subject, _) in enumerate(rows, 2):
        lines[account, subject].append(number)
    facts = {number: row[2] for number, row in enumerate(rows, 2)}
    again = {key: [(number, found[0]) for number in found[1:]] for key, found in lines.items() if len(found) > 1}
    torn = {key for key in again if len({facts[number] for number in lines[key]}) > 1}
    named: dict[tuple[str, str], tuple[tuple[str, str], int]] = {}
    nearly: Pairs = []
    for key, found in sorted(lines.items(), key=lambda one: one[1][0]):
        plain = normal_id(key[0]), normal_id(key[1])
        other, line = named.setdefault(plain, (key, found[0]))
        if other != key:
            nearly.append((found[0], line))
    repeated = [pair for key, pairs in again.items() if key not in torn for pair in pairs]
    return sorted(repeated), sorted(pair for key in torn for pair in again[key]), sorted(nearly)


@settings(max_examples=12, deadline=None)
@given(ROWS)
@example([("7", "-", "x"), ("7", "-", "y"), ("7", "-", "x")])
@example([("7", "-", "x"), ("07", "-", "x"), ("7.0", "-", "x"), ("7", "-", "x")])
@example([("7", "-", "x")] * 9 + [("8", "-", "x")] * 2)
def test_rows_are_counted_by_what_they_are_to_the_rows_before(rows: list[tuple[str, str, str]]) -> None:
    with SubjectFiles() as files:
        for number, (account, subject, facts) in enumerate(rows, 2):
            files.see(account, subject, row_digest(account, subject, facts), number)
        found = files.found()
    repeated, contradicting, nearly = expected(rows)
    assert found == Subjects(
        len(repeated), len(contradicting), len(nearly),
        repeated[:FIRST_LINES], contradicting[:FIRST_LINES], nearly[:FIRST_LINES],
    )  # fmt: skip


def test_a_row_that_repeats_its_former_id_too_is_counted_once_and_two_rows_of_one_former_id_contradict() -> None:
    with SubjectFiles() as files:
        for number in (2, 3):
            files.see("new", "-", row_digest("new", "-", "x"), number)
            files.see("old", "-", row_digest("old", "-", "new"), number, is_former=True)
        alike = files.found()
        files.see("old", "-", row_digest("old", "-", "other"), 4, is_former=True)
        torn = files.found()
        files.see("old", "-", row_digest("old", "-", "x"), 5)
        listed = files.found()
    assert (alike.repeated, alike.first_repeated, alike.contradicting) == (1, [(3, 2)], 0)
    assert (torn.repeated, torn.contradicting, torn.first_contradicting) == (1, 1, [(4, 2)])
    assert (listed.repeated, listed.contradicting) == (1, 2), "and the id is a row's own beside"
