"""What a preparation refuses, and what it says. Nothing is written then, and no value of a cell is repeated."""

import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare import parquet, text, workbook
from tests.unit.cli.prepare.prepared import cells_of, prepared
from tests.unit.cli.prepare.small_workbook import Cell, sheet
from tests.unit.cli.prepare.small_workbook import workbook as packed_workbook

POLICY = """
kulanz: 1
id: fee-alone
version: 1
title: Ten percent of a fee
currency: EUR
facts:
  fee: {type: money}
pay: 10% of fee
"""
SCHEMA: dict[str, Any] = {"fields": [{"name": "account_id"}, {"name": "fee"}]}
PLAIN: dict[str, Any] = {"schema": SCHEMA}
GERMAN: dict[str, Any] = {
    "encoding": "windows-1252",
    "dialect": {"delimiter": ";"},
    "schema": {"fields": [{"name": "account_id"}, {"name": "fee", "decimalChar": ",", "groupChar": "."}]},
}


def refused(folder: Path, files: Mapping[str, bytes], profile: Mapping[str, Any] = PLAIN) -> str:
    """The sentence of a refusal. Nothing may be left of what was begun."""
    with pytest.raises(Unusable) as error:
        prepared(folder, files, profile, policy_text=POLICY)
    assert not [one for one in folder.iterdir() if one.name.startswith((".out", "out"))], "something is left"
    assert "SECRET" not in error.value.message
    return error.value.message


def rows(count: int, cell: str = "1.00") -> bytes:
    return b"account_id,fee\n" + b"".join(f"A-{number},{cell}\n".encode() for number in range(count))


TEXTS: dict[str, tuple[bytes, Mapping[str, Any], str]] = {
    "another delimiter": (b"account_id;fee\nA-1;SECRET\n", PLAIN, "delimiter ';', not ','"),
    "titles above": (b"Report\nOf today\naccount_id,fee\nA-1,1.00\n", PLAIN, "headerRows [3], not [1]"),
    "another column": (b"account_id,amount\nA-1,1.00\n", PLAIN, "the profile reads 'fee', and the file has 2 columns"),
    "column twice": (b"account_id,fee,fee\nA-1,1.00,2.00\n", PLAIN, "two columns are called 'fee'"),
    "another decimal mark": (rows(50, "39.90"), GERMAN | {"dialect": {}}, "50 of 50 rows have a cell"),
    "UTF-8 under another name": ("account_id;fee;n\nA-1;1,00;Müller\n".encode(), GERMAN, "the file is UTF-8"),
    "UTF-16 under another name": ("account_id,fee\nA-1,1.00\n".encode("utf-16"), PLAIN, "the file has UTF-16"),
    "UTF-8 called UTF-16": (rows(1), PLAIN | {"encoding": "utf-16"}, "no byte order mark of UTF-16"),
    "header in another encoding": ("account_id,fee,Straße\nA-1,1.00,x\n".encode("cp1252"), PLAIN, "the header is not"),
    "empty file": (b"", PLAIN, "the file is empty"),
    "header alone": (b"account_id,fee\n", PLAIN, "no row"),
    "blank header": (b"\naccount_id,fee\nA-1,1.00\n", PLAIN, "line 1 is no header"),
    "gzip cut off": (gzip.compress(rows(9000))[:-200], PLAIN, "gzip data is cut off or damaged"),
    "gzip cut off at once": (gzip.compress(rows(9))[:12], PLAIN, "gzip data is cut off or damaged"),
    "bzip2": (b"BZh91AY&SY", PLAIN, "compressed with bzip2"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", PLAIN, "save it as .xlsx"),
    "quote that never closes": (b'account_id,fee\nA-1,1.00\n"A-2,2.00\nA-3,3.00\n', PLAIN, "opens in line 3"),
    "quote over rows": (b'account_id,fee\nA-1,1.00\n"A-2,2.00\nA-3,3.00\nA-4",4.00\n', PLAIN, "opens in line 3"),
    "currency that nobody reads": (b"account_id,fee,currency\nA-1,1.00,USD\n", PLAIN, "'currency' says a currency"),
    "biller's account left out": (b"account_id,fee,biller_account\nA-1,1.00,B-1\n", PLAIN, "under the account_id"),
    "biller's account, nearly": (b"account_id,fee,Billing_Account\nA-1,1.00,B-1\n", PLAIN, "from: 'Billing_Account'"),
    "next bills left out": (b"account_id,fee,next_bill\nA-1,1.00,2026-12-05\n", PLAIN, "'next_bill_on' is no field"),
    "footer that is a row": (rows(5), PLAIN | {"footer": {"rows": 1}}, "calls it a footer"),
    "footer in the middle": (rows(1) + rows(300), PLAIN | {"footer": {"startsWith": "A-0"}}, "begins like the footer"),
    "JSON in another encoding": (b'{"account_id": "A-1"}\n', GERMAN, "JSON is UTF-8"),
    "JSON without the column": (b'{"account_id": "A-1"}\n', PLAIN, "the profile reads 'fee'"),
    "damaged Parquet": (b"PAR1" + b"x" * 100, PLAIN, "damaged or cut off"),
    "a zip that is no workbook": (b"PK\x03\x04" + b"x" * 100, PLAIN, "no workbook"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_not_as_its_profile_says_is_refused(tmp_path: Path, name: str) -> None:
    content, profile, expected = TEXTS[name]
    assert expected in refused(tmp_path, {"in.csv": content}, profile)


def test_the_billers_account_may_be_left_out_on_purpose_or_is_carried_on(tmp_path: Path) -> None:
    source = {"in.csv": b"account_id,fee,Billing_Account\nA-1,1.00,0007\n"}
    _, content = prepared(tmp_path, source, PLAIN | {"ignore": ["Billing_Account"]}, policy_text=POLICY)
    assert cells_of(content) == [["A-1", "1.00"]]
    fields = [*SCHEMA["fields"], {"name": "biller_account", "from": "Billing_Account"}]
    folder = tmp_path / "carried"
    folder.mkdir()
    _, content = prepared(folder, source, {"schema": {"fields": fields}}, policy_text=POLICY)
    assert cells_of(content) == [["A-1", "1.00", "0007"]]


def test_mixed_encodings_are_named_by_their_lines(tmp_path: Path) -> None:
    good = rows(300).decode()
    mixed = good.encode() + "Ä-1,1.00\n".encode("cp1252")
    report, content = prepared(tmp_path, {"in.csv": mixed}, PLAIN, policy_text=POLICY)
    assert (report.rows_out, report.wrong_rows) == (301, 1)
    (found,) = report.columns[0].wrong.items()
    assert (found[0], found[1].first) == ("text in utf-8; it has bytes that are none", [(0, 302)])
    assert cells_of(content)[-1] == ["#VALUE!", "1.00"]
    reverse = ("account_id;fee\n" + "".join(f"A-{n};1,00\n" for n in range(300))).encode("cp1252") + "Ä;1,00\n".encode()
    with pytest.raises(Unusable, match="the file is UTF-8"):
        prepared(tmp_path, {"small.csv": reverse}, GERMAN, policy_text=POLICY)


def test_a_wrong_cell_becomes_one_that_every_campaign_rejects(tmp_path: Path) -> None:
    report, content = prepared(tmp_path, {"in.csv": rows(200) + b"A-x,1.234\nA-y,SECRET\n"}, PLAIN, policy_text=POLICY)
    assert cells_of(content)[-2:] == [["A-x", "#VALUE!"], ["A-y", "#VALUE!"]]
    assert report.wrong_rows == 2
    assert all("SECRET" not in expected for told in report.columns for expected in told.wrong)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'A-1,"1.00"x\n', "quotes around a whole cell"),
        (b"A-1,1.00,x\n", "2 cells"),
        (b"A-1,1\x00.00\n", "no NUL"),
        (b"A-1", "cut off"),
    ],
)
def test_a_broken_row_is_counted_and_named_and_the_others_go_on(tmp_path: Path, line: bytes, expected: str) -> None:
    report, content = prepared(tmp_path, {"in.csv": rows(200) + line}, PLAIN, policy_text=POLICY)
    assert (report.rows_in, report.rows_out, report.wrong_rows) == (201, 201, 1)
    (wrong,) = report.columns[0].wrong.items()
    assert expected in wrong[0]
    assert wrong[1].first == [(0, 202)]
    assert cells_of(content)[-1] == ["#VALUE!", "#VALUE!"]


def test_a_quote_behind_a_blank_is_wrong_unless_the_profile_states_it(tmp_path: Path) -> None:
    content = rows(200) + b'A-x, "1.00"\n'
    report, _ = prepared(tmp_path, {"in.csv": content}, PLAIN, policy_text=POLICY)
    assert ["skipInitialSpace" in one for one in report.columns[1].wrong] == [True]
    profile = PLAIN | {"dialect": {"skipInitialSpace": True}}
    _, written = prepared(tmp_path, {"other.csv": content}, profile, policy_text=POLICY)
    assert cells_of(written)[-1] == ["A-x", "1.00"]


def test_a_file_without_a_header_has_as_many_columns_as_the_widest_of_its_first_rows(tmp_path: Path) -> None:
    """A first row that ends early, as some tools write it, is the row at fault, and not every row after it."""
    numbered = {"fields": [{"name": "account_id", "from": 1}, {"name": "fee", "from": 2}]}
    profile = {"dialect": {"header": False}, "schema": numbered}
    content = b"A-x\n" + rows(3).partition(b"\n")[2]
    report, written = prepared(tmp_path, {"in.csv": content}, profile, policy_text=POLICY)
    assert (report.rows_in, report.rows_out) == (4, 4)
    assert cells_of(written)[1:] == [[f"A-{number}", "1.00"] for number in range(3)]


def test_rows_after_a_broken_one_keep_their_lines(tmp_path: Path) -> None:
    content = b'account_id,fee\nA-1,"1.00"x\nA-2,2.00\n\n"A\n-3",3.00\nA-4,x\n' + rows(400).partition(b"\n")[2]
    report, _ = prepared(tmp_path, {"in.csv": content}, PLAIN, policy_text=POLICY)
    assert [found.first for found in report.columns[0].wrong.values()] == [[(0, 2)], [(0, 5)]]
    assert [found.first for found in report.columns[1].wrong.values()] == [[(0, 2)], [(0, 7)]]


def test_a_header_that_comes_again_is_dropped_and_reported(tmp_path: Path) -> None:
    report, content = prepared(tmp_path, {"in.csv": rows(3) + rows(2).replace(b"A-", b"B-")}, PLAIN, policy_text=POLICY)
    assert (report.rows_in, report.rows_out) == (6, 5)
    assert {why: found.first for why, found in report.dropped.items()} == {"header again": [(0, 5)]}
    assert [row[0] for row in cells_of(content)] == ["A-0", "A-1", "A-2", "B-0", "B-1"]


def test_total_rows_and_footers_are_dropped_and_reported(tmp_path: Path) -> None:
    content = rows(3) + b"Total,3.00\n\nGenerated by,\n"
    profile = PLAIN | {"drop": [{"column": "account_id", "is": "Total"}], "footer": {"startsWith": "Generated"}}
    report, prepared_rows = prepared(tmp_path, {"in.csv": content}, profile, policy_text=POLICY)
    assert (report.rows_in, report.rows_out) == (5, 3)
    assert sorted(found.first[0] for found in report.dropped.values()) == [(0, 5), (0, 7)]
    assert len(cells_of(prepared_rows)) == 3


def test_a_file_that_is_given_twice_is_refused_and_empty_parts_are_not(tmp_path: Path) -> None:
    assert "same content as" in refused(tmp_path, {"a.csv": rows(3), "b.csv": rows(3)})
    report, _ = prepared(tmp_path, {"c.csv": rows(0), "d.csv": rows(0), "e.csv": rows(3)}, PLAIN, policy_text=POLICY)
    assert report.rows_out == 3


def test_a_part_with_other_columns_is_refused_by_name(tmp_path: Path) -> None:
    other = rows(2).replace(b"fee", b"price")
    assert "b.csv: the profile reads 'fee'" in refused(tmp_path, {"a.csv": rows(3), "b.csv": other})
    reordered = b"fee,account_id\n9.00,B-1\n"
    _, content = prepared(tmp_path, {"a.csv": rows(1), "c.csv": reordered}, PLAIN, policy_text=POLICY)
    assert cells_of(content) == [["A-0", "1.00"], ["B-1", "9.00"]]


def test_the_same_input_gives_the_same_bytes_and_a_folder_is_never_written_over(tmp_path: Path) -> None:
    files = {"a.csv": rows(30_000), "b.csv.gz": gzip.compress(rows(20_000).replace(b"A-", b"B-"))}
    report, first = prepared(tmp_path, files, PLAIN, policy_text=POLICY, part_bytes=100_000)
    again, second = prepared(tmp_path, files, PLAIN, policy_text=POLICY, part_bytes=100_000)
    assert first == second
    assert report.parts == again.parts
    assert len(report.parts) > 2
    assert sum(part.rows for part in report.parts) == report.rows_out == 50_000
    from kulanz_cli.prepare.parts import whole_folder  # noqa: PLC0415 (this test alone)

    with pytest.raises(Unusable, match="is there already"), whole_folder(tmp_path):
        raise AssertionError("it was entered")


def test_a_line_without_end_and_a_large_json_line_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LINE_CHARACTERS", 100)
    assert "over 100 characters" in refused(tmp_path, {"in.csv": rows(1) + b"x" * 1000})
    one_line = json.dumps([{"account_id": f"A-{n}", "fee": "1.00"} for n in range(10)]).encode()
    assert b"\n" not in one_line
    pytest.importorskip("ijson", reason="make lists")
    _, content = prepared(tmp_path, {"rows.json": one_line}, PLAIN, policy_text=POLICY)
    assert len(cells_of(content)) == 10


@pytest.mark.parametrize("as_array", [False, True])
def test_an_object_that_names_an_entry_twice_is_unreadable_and_the_others_are_not(
    tmp_path: Path, as_array: bool
) -> None:
    pytest.importorskip("ijson", reason="make lists")
    objects = [f'{{"account_id": "A-{n}", "fee": "1.00"}}' for n in range(200)]
    objects[7] = '{"account_id": "A-7", "fee": "1.00", "fee": "9000.00"}'
    text = f"[{','.join(objects)}]" if as_array else "\n".join(objects)
    _, content = prepared(
        tmp_path, {"rows.json" if as_array else "rows.jsonl": text.encode()}, PLAIN, policy_text=POLICY
    )
    found = cells_of(content)
    assert "9000.00" not in str(found)
    assert len(found) == 200
    assert sum("#" in str(row) for row in found) == 1


def test_an_array_of_json_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("ijson", reason="make lists")
    array = json.dumps([{"account_id": f"A-{n}", "fee": "1.00"} for n in range(10)]).encode()
    assert "behind object 9" in refused(tmp_path, {"in.json": array[:-20]})
    assert "dialect.property" in refused(tmp_path, {"in.json": b'{"data": [], "x": 1}'},
                                         PLAIN | {"dialect": {"property": "rows"}})  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_number_of_json_that_may_have_lost_digits_is_no_id(tmp_path: Path, form: str) -> None:
    records: list[dict[str, Any]] = [{"account_id": f"A-{n}", "fee": "1.00"} for n in range(200)]
    records += [{"account_id": 2**53, "fee": "1.00"}, {"account_id": 2**53 + 1, "fee": "1.00"}]
    if form == "array":
        pytest.importorskip("ijson", reason="make lists")
    written = json.dumps(records) if form == "array" else "".join(f"{json.dumps(one)}\n" for one in records)
    report, content = prepared(tmp_path, {"in.json": written.encode()}, PLAIN, policy_text=POLICY)
    assert [row[0] for row in cells_of(content)[-2:]] == [str(2**53), "#VALUE!"]
    assert report.wrong_rows == 1


def test_column_names_are_compared_in_one_form_of_their_letters(tmp_path: Path) -> None:
    profile = {"schema": {"fields": [{"name": "account_id"}, {"name": "fee", "from": "Gebu\u0308hr"}]}}
    content = "account_id,Geb\u00fchr\nA-1,1.00\n".encode()
    _, written = prepared(tmp_path, {"in.csv": content}, profile, policy_text=POLICY)
    assert cells_of(written) == [["A-1", "1.00"]]


def test_json_with_a_number_of_json_is_exact(tmp_path: Path) -> None:
    lines = b'{"account_id": 17, "fee": 39.90}\n{"account_id": "A-2", "fee": "1.10"}\n'
    _, content = prepared(tmp_path, {"in.jsonl": lines}, PLAIN, policy_text=POLICY)
    assert cells_of(content) == [["17", "39.9"], ["A-2", "1.10"]]


GOOD: list[list[Cell]] = [["account_id", "fee"], ["A-1", 39.9], ["A-2", 0.1 + 0.2], [17, 5]]
FORMULA = '<c r="B2"><f>1+1</f>{}</c>'
BOOKS: dict[str, tuple[dict[str, str], str]] = {
    "two sheets": ({"May": sheet(GOOD), "June": sheet(GOOD)}, "the sheets May, June"),
    "hidden rows": ({"S": sheet(GOOD, hidden=[3])}, "1 rows are hidden, 3 among them"),
    "merged cells": ({"S": sheet(GOOD, merged="A2:A3")}, "cells are merged, A2:A3"),
    "formula without a result": ({"S": sheet(GOOD, formula=FORMULA.format(""))}, "never computed, B2"),
    "formula with an empty result": ({"S": sheet(GOOD, formula=FORMULA.format("<v></v>"))}, "never computed, B2"),
    "formula with no result": ({"S": sheet(GOOD, formula=FORMULA.format("<v/>"))}, "never computed, B2"),
}


@pytest.mark.parametrize("name", BOOKS)
def test_a_workbook_that_shows_something_else_than_it_holds_is_refused(tmp_path: Path, name: str) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    sheets, expected = BOOKS[name]
    assert expected in refused(tmp_path, {"in.xlsx": packed_workbook(sheets)})


def test_a_workbook_is_read_with_the_digits_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    computed = sheet(GOOD, formula=FORMULA.format("<v>39.900000000000006</v>"))
    _, content = prepared(tmp_path, {"in.xlsx": packed_workbook({"S": computed})}, PLAIN, policy_text=POLICY)
    assert cells_of(content) == [["A-1", "39.9"], ["A-2", "0.3"], ["17", "5"]]
    titled = sheet([["Report"], *GOOD], merged="A1:B1")
    _, content = prepared(
        tmp_path, {"t.xlsx": packed_workbook({"S": titled, "Notes": sheet([])})},
        PLAIN | {"dialect": {"headerRows": [2], "sheetName": "S"}}, policy_text=POLICY,
    )  # fmt: skip
    assert cells_of(content)[0] == ["A-1", "39.9"]


def test_a_full_sheet_and_a_workbook_beyond_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    assert workbook.EXCEL_ROWS == 2**20
    book = {"in.xlsx": packed_workbook({"S": sheet(GOOD)})}
    monkeypatch.setattr(workbook, "EXCEL_ROWS", 4)
    assert "Excel's limit" in refused(tmp_path, book)
    monkeypatch.setattr(workbook, "WORKBOOK_BYTES", 100)
    assert "export CSV" in refused(tmp_path, book)


def test_hazards_are_found_across_the_blocks_in_which_a_sheet_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    many: list[list[Cell]] = [["account_id", "fee"]]
    many += [[f"A-{number}", 1.0] for number in range(60)]
    monkeypatch.setattr(workbook, "_OVERLAP_BYTES", 200)
    for block in range(220, 420, 7):
        monkeypatch.setattr(workbook, "READ_BYTES", block)
        hidden = list(range(2, 60, 3))
        message = refused(tmp_path, {"in.xlsx": packed_workbook({"S": sheet(many, hidden=hidden)})})
        assert f"{len(hidden)} rows are hidden" in message, block


def test_parquet_without_a_form_in_a_list_is_refused_by_column(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="make lists")
    write = pytest.importorskip("pyarrow.parquet", reason="make lists").write_table

    def told(fee: Any) -> str:
        buffer = io.BytesIO()
        write(pa.table({"account_id": [f"A-{n}" for n in range(len(fee))], "fee": fee}), buffer)
        return refused(tmp_path, {"in.parquet": buffer.getvalue()})

    assert "'fee' has values of the type struct" in told(pa.array([{"a": 1}]))
    assert "seven digits" in told(pa.array([1.5], pa.float32()))
    assert "'fee' has values of the type binary" in told(pa.array([b"1"]))
    assert "1 of 1 rows" in told(pa.array([39.905]))


def test_a_row_group_beyond_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow", reason="make lists")
    write = pytest.importorskip("pyarrow.parquet", reason="make lists").write_table
    buffer = io.BytesIO()
    write(pa.table({"account_id": ["A-1"] * 1000, "fee": ["1.00"] * 1000}), buffer)
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 10)
    assert "smaller row groups" in refused(tmp_path, {"in.parquet": buffer.getvalue()})


def test_an_engine_that_is_not_installed_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("kulanz_cli.prepare.engines.import_module", missing)
    assert "make lists" in refused(tmp_path, {"in.parquet": b"PAR1xxxx"})
    assert "make lists" in refused(tmp_path, {"in.xlsx": packed_workbook({"S": sheet(GOOD)})})
    assert "make lists" in refused(tmp_path, {"in.json": b"[]"})
