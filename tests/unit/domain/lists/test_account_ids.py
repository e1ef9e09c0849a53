"""Ids of accounts: what spreadsheets and reports make of them is refused, each kind by its name, and nothing else."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.identifiers import is_account_id
from kulanz.domain.lists.account_ids import (
    DIGITS_KEPT,
    DIGITS_ROUNDED,
    DIGITS_SIGNIFICANT_LEAST,
    JSON_WHOLE_MOST,
    IdProblem,
    read_id,
    read_part_id,
)
from kulanz.domain.lists.cells import EDGES
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.words import BOOLEAN_WORDS, NULL_WORDS, TOTAL_WORDS

REFUSED = {
    "missing": ["", " ", "\u00a0", "\ufeff"],
    "null": [
        "NULL", "null", "\\N", "None", "none", "nan", "NaN", "N/A", "#N/A", "NA", "(null)", "-", "unknown", "k.A.",
        "(vide)", "undefined", "Infinity", "0", "0000000000", "00000000-0000-0000-0000-000000000000", "\ufeff0 ",
    ],
    "boolean": ["TRUE", "False", "WAHR", "FALSCH", "VRAI"],
    "total": [
        "Total", "TOTAL:", "Totals", "Summe", "Gesamt", "Gesamtergebnis", "Grand Total", "Grand-Total", "grand_total",
        "Subtotal", "Sub-Total", "Somme", "Total général", "Totale complessivo", "Suma", "Razem", "Итого", "合計",
        "(12 rows)", "3 rows selected.", "(1 row)", "1,204 Zeilen", "EOF", "*** END OF REPORT ***",
        "Account ID", "account_id", "Customer-No", "Kundennummer", "id",
    ],
    "decimal": ["20510000005.0", "1001.00", "1001,0", "0.0", "20510000005.", "20.510.000.005", "1.234.567"],
    "exponent": ["2.0510000006E10", "2.05E10", "2.05E+10", "2,05E+10", "2e+21", "1e15", "8.9e-05"],
    "date": [
        "12-Oct", "12-oct-24", "Oct-12", "Okt-2024", "12. Okt", "12OCT2024", "1-Mrz", "2024-10-12", "2024/10/12",
        "12.10.2024", "10/12/2024", "2024-02-22T00:00:00", "2024-02-22 00:00:00", "12:30", "08:15:00", "März 24",
    ],
    "rounded": ["8944123412341230000", "89441234123412300000", "9007199254740990000"],
    "invalid": ["a#b", "a/b", "ä", "someone@example.com", "=1+1", "+4711", "-4711", "a" * 65, "A\u0661", "#REF!"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts])
def test_what_names_no_account_is_refused_by_its_kind_without_being_repeated(kind: str, text: str) -> None:
    found = read_id(text)
    assert isinstance(found, IdProblem)
    assert found.kind == kind
    assert found.expected
    assert len(text) < 6 or text not in found.expected


@pytest.mark.parametrize(
    "text",
    [
        "1001", "0012345678", "acct-0000000001", "W-1001", "A1", "v1.2.3", "live:d9e384.00000006", "cus_JeGmWqYRVUNu44",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "12e45a", "0e9f", "2051e", "8944123412341234567", "8944123412341230001",
        "8944120000000000000", "1000000000000000000", "4929123412341230", "12.345", "2024-13-12", "2024-10", "12-34-56",
        "99-10-12", "Octavia-12x", "mary-12x", "total-wine", "summer", "nancy", "12-10-24", "1.0.0.1", "1.0a",
        "Null-Island-1", "N-A", "25:61x", "0-1", "0000000001", "00000000-0000-0000-0000-000000000001", "4711.12",
        "10.100.200.100", "0.510.000", "1.2345.678", "20.510",
    ],
)  # fmt: skip
def test_ids_as_companies_have_them_are_taken_as_they_are_written(text: str) -> None:
    assert read_id(text) == text


@given(st.sampled_from(sorted(NULL_WORDS | BOOLEAN_WORDS | TOTAL_WORDS)), st.sampled_from([str.upper, str.title, str]))
def test_no_word_of_a_report_is_an_account_in_any_case(word: str, case: type[str]) -> None:
    assert isinstance(read_id(case(word)), IdProblem)


@given(st.integers(10**15, 10**30), st.integers(1, 15))
def test_a_long_number_that_went_through_a_spreadsheet_is_refused_where_it_can_be_known(number: int, kept: int) -> None:
    digits = str(number)
    in_excel = digits[:DIGITS_KEPT] + "0" * (len(digits) - DIGITS_KEPT)
    assert isinstance(read_id(f"{number:.{kept}E}"), IdProblem)
    assert isinstance(read_id(f"{digits}.0"), IdProblem)
    if len(digits) >= 19 and len(in_excel.rstrip("0")) >= 12:
        found = read_id(in_excel)
        assert isinstance(found, IdProblem)
        assert found.kind == "rounded"
    elif len(digits) < 19:
        assert read_id(in_excel) == in_excel
    if digits[DIGITS_KEPT:].strip("0"):
        assert read_id(digits) == digits


@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d-%b", "%b-%y", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%y", "%d%b%Y"]),
)
def test_no_day_that_a_spreadsheet_writes_is_an_account(day: date, form: str) -> None:
    assert isinstance(read_id(f"{day:{form}}"), IdProblem)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y.%m.%d"])
def test_days_of_1900_to_2100_are_dates_and_others_may_be_ids(form: str) -> None:
    for day in (date(1900, 1, 1), date(2100, 12, 31)):
        found = read_id(day.strftime(form))
        assert isinstance(found, IdProblem)
        assert found.kind == "date"
    for day in (date(1899, 12, 31), date(2101, 1, 1)):
        found = read_id(day.strftime(form))
        assert found == day.strftime(form) or (isinstance(found, IdProblem) and found.kind == "invalid")


@given(st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,63}", re.ASCII), fullmatch=True), st.data())
def test_the_fast_path_takes_nothing_that_the_whole_reading_refuses(text: str, data: st.DataObject) -> None:
    edge = data.draw(st.sampled_from(EDGES))
    assert read_id(f"{edge}{text}") == read_id(text), "with an edge it goes the whole way"


@given(st.text(max_size=70))
def test_an_id_that_is_read_can_be_a_key_and_a_problem_is_one_of_the_codes(text: str) -> None:
    found = read_id(text)
    if isinstance(found, str):
        assert is_account_id(found)
    else:
        assert RowReason(f"account_id_{found.kind}")
        assert RowReason(f"subject_id_{found.kind}")


@given(st.integers(1, JSON_WHOLE_MOST))
def test_a_whole_number_of_json_is_the_id_as_it_is_written(number: int) -> None:
    assert read_id(number) == str(number)


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        (None, "missing"),
        (True, "boolean"),
        (JSON_WHOLE_MOST + 1, "rounded"),
        (-1, "invalid"),
        (0, "null"),
        (Decimal("20510000005.0"), "decimal"),
        (Decimal("2.05E10"), "exponent"),
        ([1], "invalid"),
        ({"S": "A1"}, "invalid"),
    ],
)
def test_other_values_of_json_are_no_ids(given_: object, kind: str) -> None:
    found = read_id(given_)
    assert isinstance(found, IdProblem)
    assert found.kind == kind


@pytest.mark.parametrize("zero", ["0", " 0", 0])
def test_the_first_part_of_an_account_may_be_called_zero_and_nothing_else_of_zeros(zero: str | int) -> None:
    assert read_part_id(zero) == "0"
    for other in ("00", "0000000000", False, None, "-0", "0.0", "Total"):
        assert read_part_id(other) == read_id(other)
        assert isinstance(read_part_id(other), IdProblem)


@pytest.mark.parametrize("significant", range(10, 18))
@pytest.mark.parametrize("digits", [18, 19, 20])
def test_an_id_is_taken_for_rounded_by_its_digits_and_where_they_end(significant: int, digits: int) -> None:
    read = read_id("1" * significant + "0" * (digits - significant))
    is_rounded = digits >= DIGITS_ROUNDED and DIGITS_SIGNIFICANT_LEAST <= significant <= DIGITS_KEPT
    assert (isinstance(read, IdProblem) and read.kind == "rounded") is is_rounded
    assert (DIGITS_SIGNIFICANT_LEAST, DIGITS_KEPT, DIGITS_ROUNDED) == (12, 15, 19)


def test_a_number_of_json_is_an_id_up_to_the_largest_that_every_program_keeps() -> None:
    assert read_id(2**53) == "9007199254740992"
    assert read_id(2**53 + 1) == IdProblem("rounded", "an id in quotes: a number beyond 2^53 may have been rounded")
