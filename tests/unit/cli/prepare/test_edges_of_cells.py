"""What a preparation takes and refuses at its edges: currencies of three decimals, symbols, digits, parts, blanks."""

from datetime import datetime
from pathlib import Path

import pytest

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.cells import NUMBER, UNREADABLE, WRONG, exact, of_float
from kulanz_cli.prepare.parts import PartWriter
from tests.unit.cli.prepare.prepared import fields, prepared
from tests.unit.cli.prepare.small_workbook import sheet, workbook
from tests.unit.cli.prepare.test_cells import read

FEES = "kulanz: 1\nid: f\nversion: 1\ntitle: T\ncurrency: EUR\nfacts: {fee: money}\npay: fee\n"
PLAIN = {"schema": fields({"fee": {"decimalChar": "."}}, names=("account_id", "fee"))}


@pytest.mark.parametrize(
    ("currency", "stated", "text"),
    [
        ("KWD", {"decimalChar": "."}, "1.234"),
        ("KWD", {}, WRONG),
        ("EUR", {"decimalChar": "."}, WRONG),
        ("EUR", {}, WRONG),
        ("JPY", {"decimalChar": "."}, WRONG),
    ],
)
def test_three_decimals_are_no_thousands_where_the_currency_has_three(
    currency: str, stated: dict[str, str], text: str
) -> None:
    assert read("1.234", "money", currency, **stated) == text


@pytest.mark.parametrize("symbol", ["€", "EUR", "Euro", "zł"])
@pytest.mark.parametrize("written", ["{symbol}5.50", "5.50{symbol}", "{symbol} 5.50", "5.50 {symbol}"])
def test_a_symbol_of_any_length_stands_before_or_behind_an_amount(symbol: str, written: str) -> None:
    assert read(written.format(symbol=symbol), "money", "EUR", symbols=symbol) == "5.50"


@pytest.mark.parametrize(
    ("hour", "stated", "text"),
    [
        (0, {}, "2026-02-27"),
        (0, {"type": "date"}, "2026-02-27"),
        (9, {"type": "datetime"}, "2026-02-27"),
        (9, {"type": "date"}, WRONG),
        (9, {}, WRONG),
    ],
)
def test_a_time_of_day_is_cut_off_a_day_only_where_the_field_is_said_to_have_one(
    hour: int, stated: dict[str, str], text: str
) -> None:
    assert read(exact(datetime(2026, 2, 27, hour)), "day", **stated) == text  # noqa: DTZ001 (a spreadsheet's)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_double_has_fifteen_digits_and_of_more_some_were_lost(sign: int) -> None:
    assert of_float(sign * 999_999_999_999_999.0) == f"{NUMBER}{sign * 999_999_999_999_999}"
    assert of_float(sign * 1_000_000_000_000_000.0).startswith(UNREADABLE)


@pytest.mark.parametrize(("room", "parts"), [(1, 1), (0, 2), (-1, 2)])
def test_a_part_ends_when_it_has_the_bytes_of_a_part(tmp_path: Path, room: int, parts: int) -> None:
    first = b"account_id,fee\nA-1,1.00\n"
    writer = PartWriter(tmp_path, ("account_id", "fee"), len(first) + room)
    for account in ("A-1", "A-2"):
        writer.write([[account], ["1.00"]], 1)
    writer.end_part()
    assert len(writer.parts) == parts
    assert (tmp_path / writer.parts[0].name).read_bytes().startswith(first)


@pytest.mark.parametrize("word", ["Total", " Total", "Total  ", "\u00a0Total"])
def test_a_word_that_ends_a_list_is_dropped_whatever_blanks_stand_around_it(tmp_path: Path, word: str) -> None:
    content = f"account_id,fee\nA-1,1.00\n{word},1.00\n".encode()
    profile = PLAIN | {"drop": [{"column": "account_id", "is": "Total"}]}
    report, _ = prepared(tmp_path, {"in.csv": content}, profile, policy_text=FEES)
    assert (report.rows_in, report.rows_out) == (2, 1)


@pytest.mark.parametrize("merged", ["A1:B1", "A1:A2", "A2:B2"])
def test_cells_that_are_merged_in_the_header_or_below_are_refused(tmp_path: Path, merged: str) -> None:
    """Only the first of them has a value: a column would have no name, or a row no amount."""
    pytest.importorskip("python_calamine", reason="make lists")
    book = workbook({"S": sheet([["account_id", "fee"], ["A-1", 1]], merged=merged)})
    with pytest.raises(Unusable, match=f"cells are merged, {merged}"):
        prepared(tmp_path, {"in.xlsx": book}, PLAIN, policy_text=FEES)


@pytest.mark.parametrize("twice", ['"fee": "1.00", "fee": "2.00"', '"fee": "1.00", "of": {"a": 1, "a": 2}'])
@pytest.mark.parametrize("form", ["{}\n{}\n", "[{}, {}]"])
def test_an_object_in_which_a_name_stands_twice_is_unreadable_however_deep(
    tmp_path: Path, form: str, twice: str
) -> None:
    pytest.importorskip("ijson", reason="make lists")
    rows = form.replace("{}", "%s") % ('{"account_id": "A-1", "fee": "1.00"}', f'{{"account_id": "A-2", {twice}}}')
    with pytest.raises(Unusable, match="each name once"):
        prepared(tmp_path, {"in.json": rows.encode()}, PLAIN, policy_text=FEES)


@pytest.mark.parametrize("blank", [0, 1, 3])
def test_a_row_of_json_is_named_by_the_line_that_an_editor_shows(tmp_path: Path, blank: int) -> None:
    rows = '{"account_id": "A-1", "fee": "1.00"}\n' + "\n" * blank + '{"account_id": "A-2", "fee": "much"}\n'
    with pytest.raises(Unusable, match=f"in.jsonl line {2 + blank} first"):
        prepared(tmp_path, {"in.jsonl": rows.encode()}, PLAIN, policy_text=FEES)
