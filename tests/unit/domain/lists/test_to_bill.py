"""The columns that no policy reads and that a credit needs on its way to a bill."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.lines import Line, ListRefused
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import Problem, Record
from kulanz.domain.lists.to_bill import (
    NEXT_BILLS_MOST,
    NOTHING_TO_BILL,
    TO_BILL_COLUMNS,
    TO_BILL_OTHERWISE,
    WITHOUT_TO_BILL,
    ToBill,
)
from kulanz.domain.lists.unread_columns import must_not_nearly_name

FACTS = (FactDeclaration("plan", "text"),)
COLUMNS = ("account_id", "plan", "biller_account", "next_bill_on")
DECEMBER, JANUARY = date(2026, 12, 5), date(2027, 1, 5)


def of_csv(row: str, columns: tuple[str, ...] = COLUMNS) -> Record | Problem:
    reader = line_reader(ListLayout(ListFormat.CSV, columns, 0), FACTS, None, ())
    raw = row.encode()
    return reader.record(Line(0, raw, len(raw) + 1))


def of_json(record: object) -> Record | Problem:
    reader = line_reader(ListLayout(ListFormat.JSONL, (), 0), FACTS, None, ())
    raw = json.dumps(record).encode()
    return reader.record(Line(0, raw, len(raw) + 1))


def stated(found: Record | Problem) -> ToBill:
    assert isinstance(found, Record), found
    return found.to_bill


READ = {
    "": ToBill("B-7"),
    "NULL": ToBill("B-7"),
    "2026-12-05": ToBill("B-7", (DECEMBER,)),
    " 2026-12-05 | 2027-01-05 ": ToBill("B-7", (DECEMBER, JANUARY)),
    "2026-12-05 00:00:00": ToBill("B-7", (DECEMBER,)),
}


@pytest.mark.parametrize("cell", READ)
def test_bill_dates_are_read_as_other_days_are(cell: str) -> None:
    assert stated(of_csv(f"A-1,gold,B-7,{cell}")) == READ[cell]
    assert (
        stated(of_json({"account_id": "A-1", "plan": "gold", "biller_account": "B-7", "next_bill_on": cell}))
        == (READ[cell])
    )


def test_a_list_of_json_states_dates_as_a_list() -> None:
    record = {"account_id": "A-1", "plan": "gold", "next_bill_on": ["2026-12-05", "2027-01-05"]}
    assert stated(of_json(record)) == ToBill("", (DECEMBER, JANUARY))


def test_a_list_without_these_columns_says_nothing_of_bills() -> None:
    assert stated(of_csv("A-1,gold", ("account_id", "plan"))) is NOTHING_TO_BILL
    assert stated(of_json({"account_id": "A-1", "plan": "gold"})) is NOTHING_TO_BILL


WRONG = {
    "no account at the biller": ("A-1,gold,,2026-12-05", "biller_account"),
    "a word for no account": ("A-1,gold,NULL,2026-12-05", "biller_account"),
    "what a spreadsheet made of an account": ("A-1,gold,2.05E+10,2026-12-05", "biller_account"),
    "another form of a day": ("A-1,gold,B-7,05.12.2026", "next_bill_on"),
    "no such day": ("A-1,gold,B-7,2026-02-30", "next_bill_on"),
    "the same day twice": ("A-1,gold,B-7,2026-12-05|2026-12-05", "next_bill_on"),
    "days that go back": ("A-1,gold,B-7,2027-01-05|2026-12-05", "next_bill_on"),
    "too many days": (
        "A-1,gold,B-7," + "|".join(f"2027-01-{day:02d}" for day in range(1, NEXT_BILLS_MOST + 2)),
        "next_bill_on",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_cell_rejects_its_row_and_names_the_column(what: str) -> None:
    row, column = WRONG[what]
    found = of_csv(row)
    assert isinstance(found, Problem)
    assert (found.reason, found.field) == ("fact_invalid", column)
    values = dict(zip(COLUMNS, row.split(","), strict=True))
    same = of_json(values)
    assert isinstance(same, Problem)
    assert (same.reason, same.field, same.expected) == (found.reason, found.field, found.expected)
    assert not any(value in found.expected for value in values.values() if len(value) > 4 and value not in "2026-12-05")


def test_everything_that_is_wrong_with_a_row_is_named() -> None:
    found = of_csv(",gold,,05.12.2026")
    assert isinstance(found, Problem)
    assert [one.field for one in found.each()] == ["account_id", "biller_account"]


def test_two_rows_of_an_account_that_differ_in_the_bill_alone_are_a_contradiction() -> None:
    digests = {
        found.digest("4:gold")
        for row in ("A-1,gold,B-7,", "A-1,gold,B-8,", "A-1,gold,B-7,2026-12-05", "A-1,gold,B-7,2026-12-06")
        if isinstance(found := of_csv(row), Record)
    }
    assert len(digests) == 4


@given(st.lists(st.dates(date(2020, 1, 1), date(2050, 1, 1)), min_size=1, max_size=NEXT_BILLS_MOST, unique=True))
def test_days_in_order_are_read_back(days: list[date]) -> None:
    days.sort()
    cell = "|".join(day.isoformat() for day in days)
    assert stated(of_csv(f"A-1,gold,B-7,{cell}")).next_bills == tuple(days)


SLIPPED = {
    "Biller_Account": "biller_account",
    "biller_acount": "biller_account",
    "biller account": "biller_account",
    "billing_account": "biller_account",
    "BillingAccountID": "biller_account",
    "billing_acount": "biller_account",
    "next_bill": "next_bill_on",
    "nextbillon": "next_bill_on",
    "Next Billing Date": "next_bill_on",
    "next_bils_on": "next_bill_on",
}


@pytest.mark.parametrize("column", SLIPPED)
def test_a_column_that_nearly_is_one_of_these_is_not_ignored(column: str) -> None:
    name = SLIPPED[column]
    with pytest.raises(ListRefused, match=f"'{column}'.*'{name}'"):
        must_not_nearly_name(["account_id", column], FACTS, None, (), TO_BILL_COLUMNS)
    declared = [FactDeclaration(column, "text")]
    must_not_nearly_name(["account_id", column], FACTS, None, [column], TO_BILL_COLUMNS)
    must_not_nearly_name(["account_id", column, name], FACTS, None, (), TO_BILL_COLUMNS)
    must_not_nearly_name(["account_id", column], declared, None, (), TO_BILL_COLUMNS)
    must_not_nearly_name(["account_id", column], FACTS, column, (), TO_BILL_COLUMNS)


@pytest.mark.parametrize("column", SLIPPED)
def test_a_record_of_json_that_nearly_has_one_of_these_is_no_credit(column: str) -> None:
    raw = json.dumps({"account_id": "A-1", "plan": "gold", column: "2026-12-05"}).encode()
    line, layout = Line(0, raw, len(raw) + 1), ListLayout(ListFormat.JSONL, (), 0)
    found = line_reader(layout, FACTS, None, (), TO_BILL_COLUMNS).record(line)
    assert isinstance(found, Problem)
    assert (found.reason, found.field) == (RowReason.FACT_NEARLY_NAMED, SLIPPED[column])
    assert stated(line_reader(layout, FACTS, None, [column], TO_BILL_COLUMNS).record(line)) == NOTHING_TO_BILL
    assert stated(line_reader(layout, FACTS, None, ()).record(line)) == NOTHING_TO_BILL, "it decides nothing"


@pytest.mark.parametrize("column", ["bill", "billed_on", "account", "billing_amount", "bill_total", "next", "iban"])
def test_a_column_about_something_else_is_ignored_as_before(column: str) -> None:
    must_not_nearly_name(["account_id", column], FACTS, None, (), TO_BILL_COLUMNS)


def test_every_column_of_these_says_what_follows_without_it() -> None:
    assert set(WITHOUT_TO_BILL) == set(TO_BILL_OTHERWISE) == set(TO_BILL_COLUMNS)
