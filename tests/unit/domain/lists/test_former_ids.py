"""The columns by which a row names the id that its account had before."""

import json
from datetime import UTC, datetime

import pytest

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.former_ids import FORMER_COLUMNS, FORMER_OTHERWISE, WITHOUT_FORMER, Former
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.lists.lines import Line, ListRefused
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem, Record
from kulanz.domain.lists.unread_columns import OWN_COLUMNS, WITHOUT_OWN, must_not_nearly_name

FACTS = (FactDeclaration("plan", "text"),)
COLUMNS = ("account_id", "plan", "account_was", "account_since")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SINCE = datetime(2026, 2, 1, tzinfo=UTC)


def both(account: object, was: object, since: object, columns: tuple[str, ...] = COLUMNS) -> list[Record | Problem]:
    """A row as CSV and as JSONL has it."""
    of_csv = line_reader(ListLayout(ListFormat.CSV, columns, 0), FACTS, None, (), OWN_COLUMNS, NOW)
    of_json = line_reader(ListLayout(ListFormat.JSONL, (), 0), FACTS, None, (), OWN_COLUMNS, NOW)
    row = f"{account},gold,{was},{since}".encode()
    record = json.dumps(
        {name: cell for name, cell in zip(COLUMNS, (account, "gold", was, since), strict=True) if name in columns}
    ).encode()
    return [reader.record(Line(0, raw, len(raw) + 1)) for reader, raw in ((of_csv, row), (of_json, record))]


READ = {
    ("A-9", "2026-02-01T00:00:00Z"): Former("A-9", SINCE),
    (" A-9 ", " 2026-02-01 01:00:00+01:00 "): Former("A-9", SINCE),
    ("A-9", "2026-03-01T09:00:00Z"): Former("A-9", NOW),
    ("", ""): None,
    ("NULL", "NULL"): None,
    ("", "2026-02-01T00:00:00Z"): None,
    ("", "2014"): None,
}
REJECTED = {
    ("A-1", "2026-02-01T00:00:00Z"): "account_was_itself",
    (" A-1 ", ""): "account_was_itself",
    ("a b", "2026-02-01T00:00:00Z"): "account_was_invalid",
    ("TRUE", "2026-02-01T00:00:00Z"): "account_was_invalid",
    ("2.05E+10", "2026-02-01T00:00:00Z"): "account_was_invalid",
    ("A-9", ""): "account_since_invalid",
    ("A-9", "NULL"): "account_since_invalid",
    ("A-9", "2026-02-01"): "account_since_invalid",
    ("A-9", "2026-02-01T00:00:00"): "account_since_invalid",
    ("A-9", "yesterday"): "account_since_invalid",
    ("A-9", "2026-03-01T09:00:01Z"): "account_since_future",
}


def test_a_former_id_is_read_with_the_instant_from_which_the_account_has_its_present_one() -> None:
    found = {cells: [one.former for one in both("A-1", *cells) if isinstance(one, Record)] for cells in READ}
    assert found == {cells: [former, former] for cells, former in READ.items()}


def test_a_row_that_says_something_else_is_rejected_under_a_reason_of_its_own() -> None:
    for cells, reason in REJECTED.items():
        for one in both("A-1", *cells):
            assert isinstance(one, Problem), cells
            assert one.reason == reason, cells
            assert one.field in FORMER_COLUMNS
            assert not any(cell.strip() and cell.strip() in one.expected for cell in cells if cell not in ("", "NULL"))


def test_all_that_is_wrong_with_a_row_is_named() -> None:
    for one in both("a b", "TRUE", ""):
        assert isinstance(one, Problem)
        assert [each.reason for each in one.each()] == ["account_id_invalid", "account_was_invalid"]


def test_where_the_list_has_no_former_ids_its_other_column_is_ignored() -> None:
    record = both("A-1", "A-9", "2014", ("account_id", "plan", "x", "account_since"))[0]
    assert isinstance(record, Record)
    assert record.former is None


def test_a_former_id_without_a_column_of_its_instant_is_rejected_and_not_passed_over() -> None:
    of_csv = line_reader(ListLayout(ListFormat.CSV, COLUMNS[:3], 0), FACTS, None, (), OWN_COLUMNS, NOW)
    raw = b"A-1,gold,A-9"
    found = [of_csv.record(Line(0, raw, len(raw) + 1)), both("A-1", "A-9", "", COLUMNS[:3])[1]]
    assert [one.reason for one in found if isinstance(one, Problem)] == ["account_since_invalid"] * 2


def test_the_stated_shape_is_not_asked_of_a_former_id() -> None:
    layout = ListLayout(ListFormat.CSV, COLUMNS, 0, account_ids=IdShape(r"[A-Z]-\d"))
    reader = line_reader(layout, FACTS, None, (), OWN_COLUMNS, NOW)
    raw = b"A-1,gold,100200300,2026-02-01T00:00:00Z"
    record = reader.record(Line(0, raw, len(raw) + 1))
    assert isinstance(record, Record)
    assert record.former == Former("100200300", SINCE)


def test_rows_that_differ_in_what_they_say_of_the_former_id_have_different_digests() -> None:
    cells = [
        ("", ""),
        ("A-9", "2026-02-01T00:00:00Z"),
        ("A-8", "2026-02-01T00:00:00Z"),
        ("A-9", "2026-02-02T00:00:00Z"),
    ]
    digests = {one.digest("") for each in cells for one in both("A-1", *each) if isinstance(one, Record)}
    assert len(digests) == len(cells)


@pytest.mark.parametrize("column", ["old_account_id", "Former-Account", "account_id_previous", "account_wass"])
def test_a_column_that_is_called_almost_so_stops_the_list_unless_it_is_meant(column: str) -> None:
    with pytest.raises(ListRefused, match=r"would be credited again"):
        must_not_nearly_name(["account_id", "plan", column], FACTS, None, (), OWN_COLUMNS)
    must_not_nearly_name(["account_id", "plan", column], FACTS, None, [column], OWN_COLUMNS)


def test_every_column_of_kulanz_says_what_follows_without_it() -> None:
    assert set(WITHOUT_FORMER) == set(FORMER_COLUMNS)
    assert set(FORMER_OTHERWISE) <= set(FORMER_COLUMNS)
    assert set(WITHOUT_OWN) == set(OWN_COLUMNS)
