"""What a preparation takes of files at its limits, from both sides, and what it leaves behind."""

import io
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare import bucket, json_rows, parquet, parts, run, text, workbook
from kulanz_cli.prepare.profile import COLUMNS_MOST, FOOTER_ROWS_MOST, Footer
from kulanz_cli.prepare.sources import OTHER_COMPRESSION, above_footer
from kulanz_cli.prepare.workbook import _column_name, _first
from tests.unit.cli.prepare.prepared import cells_of, prepared
from tests.unit.cli.prepare.small_workbook import Cell, sheet
from tests.unit.cli.prepare.small_workbook import workbook as packed_workbook
from tests.unit.cli.prepare.test_bad_input import PLAIN, POLICY, refused, rows

FITS = pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])


def is_read(folder: Path, content: bytes, profile: Any = PLAIN, name: str = "in.csv") -> bool:
    try:
        prepared(folder, {name: content}, profile, policy_text=POLICY)
    except Unusable:
        return False
    return True


@pytest.mark.parametrize(("mark", "name"), OTHER_COMPRESSION.items())
def test_each_other_compression_is_called_by_its_name(tmp_path: Path, mark: bytes, name: str) -> None:
    marks = {"bzip2": b"BZh9", "xz": b"\xfd7zXZ\0", "zstandard": b"\x28\xb5\x2f\xfd", "lz4": b"\x04\x22\x4d\x18"}
    assert marks[name].startswith(mark)
    says = f"it is compressed with {name}; unpack it, or compress it with gzip"
    assert says in refused(tmp_path, {"in.csv": marks[name] + b"data"})


def test_the_folder_of_a_list_may_be_read_by_whoever_sends_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    with parts.whole_folder(tmp_path / "above" / "out") as folder:
        assert folder.name.startswith(".out.")
        (folder / "a").write_text("x")
    assert (tmp_path / "above" / "out").stat().st_mode & 0o777 == 0o755
    assert [one.name for one in (tmp_path / "above").iterdir()] == ["out"]


@FITS
def test_a_header_has_as_many_columns_as_a_list(tmp_path: Path, more: int, *, fits: bool) -> None:
    names = ",".join(f"c{number}" for number in range(COLUMNS_MOST - 2 + more))
    assert is_read(tmp_path, f"account_id,fee,{names}\nA-1,5.00\n".encode()) is fits


@FITS
def test_a_line_is_as_long_as_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, *, fits: bool
) -> None:
    line = b"A-1,5.00,xxxx\n"
    monkeypatch.setattr(text, "LINE_CHARACTERS", len(b"account_id,fee,nothing\n") + 1)
    long = b"A-1,5.00," + b"x" * (22 - 9 + more) + b"\n"
    assert is_read(tmp_path, b"account_id,fee,nothing\n" + line + long) is fits


@FITS
def test_a_line_of_json_is_as_long_as_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, *, fits: bool
) -> None:
    monkeypatch.setattr(json_rows, "OBJECT_BYTES", 60)
    record = b'{"account_id": "A-1", "fee": "5.00"'
    line = record + b" " * (59 - len(record) - 2 + more) + b"}\n"
    assert len(line) == 59 + more
    assert is_read(tmp_path, line, name="in.jsonl") is fits


@FITS
def test_a_footer_has_as_many_rows_as_are_held_back(tmp_path: Path, more: int, *, fits: bool) -> None:
    below = b"Total,\n" + b"x,\n" * (FOOTER_ROWS_MOST - 1 + more)
    assert is_read(tmp_path, rows(3) + below, PLAIN | {"footer": {"startsWith": "Total"}}) is fits


def test_a_footer_of_so_many_rows_is_those_at_the_end_whatever_comes_before(tmp_path: Path) -> None:
    for count in (1, 2, 5):
        dropped: list[tuple[int, str]] = []
        footer = Footer(rows=count)
        given = [(line, [f"A-{line}", ""]) for line in range(1, 9)]
        kept = list(above_footer(iter(given), footer, dropped, tmp_path))
        assert [line for line, _ in kept] == list(range(1, 9 - count))
        assert dropped == [(line, "footer") for line in range(9 - count, 9)]


def test_a_file_of_which_most_rows_are_wrong_is_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to its limit of wrong rows, or as long as half of them are right, it is read to its end."""
    monkeypatch.setattr(run, "WRONG_ROWS_FIRST", 4)
    monkeypatch.setattr(text, "BATCH_ROWS", 2)
    header = b"account_id,fee\n"
    for wrong, right, read in ((3, 5, 8), (4, 6, 10), (6, 14, 5), (5, 15, 5)):
        content = header + b"A-1,x\n" * wrong + b"A-2,5.00\n" * right
        said = refused(tmp_path, {"in.csv": content})
        rows_read = int(said.split(" of ")[1].split(" ")[0])
        assert rows_read == read, (wrong, right, said)
    good_first = header + b"A-2,5.00\n" * 14 + b"A-1,x\n" * 6
    assert "6 of 20 rows" in refused(tmp_path, {"in.csv": good_first})


@pytest.mark.parametrize(("first", "again"), [("a", "b"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")])
def test_a_file_with_the_content_of_any_file_before_it_is_refused(tmp_path: Path, first: str, again: str) -> None:
    """All of them are as long as each other, so that their length does not tell them apart."""
    content = {name: b"account_id,fee\nX-1,5.00\n".replace(b"X", name.upper().encode()) for name in "abcd"}
    files = {f"{name}.csv": content[first if name == again else name] for name in content}
    said = refused(tmp_path, files)
    assert f"{again}.csv has the same content as" in said
    assert f"{first}.csv; give each file once" in said


@pytest.mark.parametrize(
    ("wrong", "whole", "fits"),
    [(0, 99, True), (1, 99, False), (1, 100, True), (2, 100, False), (2, 199, False), (2, 200, True), (3, 200, False)],
)
def test_one_row_in_a_hundred_may_have_a_cell_that_cannot_be_read_and_not_more(
    tmp_path: Path, wrong: int, whole: int, *, fits: bool
) -> None:
    assert is_read(tmp_path, b"account_id,fee\n" + b"A-1,x\n" * wrong + b"A-2,5.00\n" * (whole - wrong)) is fits


def test_where_rows_of_several_batches_are_dropped_each_is_named_by_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BATCH_ROWS", 3)
    header = b"account_id,fee\n"
    content = header + (b"A-1,1.00\nTotal,1.00\n" + header + b"\n") * 4 + b"end,\n"
    profile = PLAIN | {"drop": [{"column": "account_id", "is": "Total"}], "footer": {"rows": 1}}
    report, list_ = prepared(tmp_path, {"in.csv": content}, profile, policy_text=POLICY)
    assert {why: (found.times, found.first) for why, found in report.dropped.items()} == {
        "header again": (4, [(0, 4), (0, 8), (0, 12)]), "footer": (1, [(0, 18)]),
        "account_id is a word of drop": (4, [(0, 3), (0, 7), (0, 11)]),
    }  # fmt: skip
    assert (report.rows_in, report.rows_out, cells_of(list_)) == (13, 4, [["A-1", "1.00"]] * 4)


GOOD: list[list[Cell]] = [["account_id", "fee"], ["A-1", 39.9], ["A-2", 5]]


def test_many_hidden_rows_sheets_and_a_header_that_is_not_there_are_told(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    accounts: list[list[Cell]] = [[f"A-{number}", 1] for number in range(9)]
    many: list[list[Cell]] = [["account_id", "fee"], *accounts]
    for hidden, says in (([2, 3, 4, 5, 6], "5 rows are hidden, 2, 3, 4, 5, 6 among them"),
                         ([2, 3, 4, 5, 6, 7], "6 rows are hidden, 2, 3, 4, 5, 6 and more among them")):  # fmt: skip
        book = packed_workbook({"S": sheet(many, hidden=hidden)})
        assert says in refused(tmp_path, {"in.xlsx": book})
    six = {name: sheet(GOOD) for name in "abcdef"}
    assert "has the sheets a, b, c, d, e; name the one" in refused(tmp_path, {"in.xlsx": packed_workbook(six)})
    one = {"in.xlsx": packed_workbook({"S": sheet(GOOD)})}
    assert "the sheet has no row 4 for a header" in refused(tmp_path, one, PLAIN | {"dialect": {"headerRows": [4]}})
    assert "has the sheets S; name the one" in refused(tmp_path, one, PLAIN | {"dialect": {"sheetName": "T"}})
    assert _first(range(5)) == "0, 1, 2, 3, 4"
    assert _first(range(6)) == "0, 1, 2, 3, 4 and more"


def test_columns_are_called_as_a_spreadsheet_calls_them() -> None:
    assert [_column_name(place) for place in (0, 1, 25, 26, 51, 52, 701, 702)] == [
        "A", "B", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


@FITS
def test_a_sheet_with_as_many_rows_as_excel_has_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, *, fits: bool
) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    monkeypatch.setattr(workbook, "EXCEL_ROWS", len(GOOD) + 1 - more)
    assert is_read(tmp_path, packed_workbook({"S": sheet(GOOD)}), name="in.xlsx") is fits


def test_rows_of_a_workbook_come_in_batches_with_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    monkeypatch.setattr(workbook, "BATCH_ROWS", 2)
    amounts: list[list[Cell]] = [[f"A-{number}", number + 0.5] for number in range(200)]
    many: list[list[Cell]] = [["account_id", "fee"], *amounts, [None], ["A-x", "much"]]
    report, list_ = prepared(tmp_path, {"in.xlsx": packed_workbook({"S": sheet(many)})}, PLAIN, policy_text=POLICY)
    assert (report.rows_in, report.rows_out, report.wrong_rows) == (201, 201, 1)
    (found,) = report.columns[1].wrong.values()
    assert found.first == [(0, 203)], "a blank row is a line, too"
    assert cells_of(list_)[:200] == [[f"A-{n}", f"{n}.5"] for n in range(200)]


@FITS
def test_a_row_group_of_parquet_has_as_many_bytes_as_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, *, fits: bool
) -> None:
    """Of the columns that are read alone."""
    pa = pytest.importorskip("pyarrow", reason="make lists")
    pq = pytest.importorskip("pyarrow.parquet", reason="make lists")
    buffer = io.BytesIO()
    pq.write_table(pa.table({"account_id": ["A-1"] * 9, "fee": ["1.00"] * 9, "more": ["x" * 900] * 9}), buffer)
    group = pq.ParquetFile(io.BytesIO(buffer.getvalue())).metadata.row_group(0)
    size = sum(group.column(number).total_uncompressed_size for number in (0, 1))
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", size - more)
    assert is_read(tmp_path, buffer.getvalue(), name="in.parquet") is fits


class Bucket:
    """A bucket of some objects, two on a page."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes

    def get_paginator(self, name: str) -> Any:
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Any:  # noqa: N803 (the SDK's own names)
        assert (Bucket, Prefix) == ("b", "p/")
        items = [{"Key": key, "Size": size} for key, size in self._sizes.items()]
        return [*({"Contents": items[at : at + 2]} for at in range(0, len(items), 2)), {}]

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803 (as above)
        assert Bucket == "b"
        body = io.BytesIO(Key.encode() * self._sizes[Key])
        body.iter_chunks = lambda size: iter([body.read(size)])  # type: ignore[attr-defined]
        return {"Body": body}


@FITS
def test_a_prefix_has_as_many_objects_as_a_list_has_parts(
    monkeypatch: pytest.MonkeyPatch, more: int, *, fits: bool
) -> None:
    monkeypatch.setattr(bucket, "PARTS_MOST", 3)
    some = {f"p/{number}": 1 for number in reversed(range(3 + more))}
    if not fits:
        with pytest.raises(Unusable, match="4 objects are under s3://b/p/; at most 3 are read"), \
                bucket.with_fetched(["s3://b/p/"], lambda: Bucket(some)):  # fmt: skip
            raise AssertionError("it was entered")
        return
    with bucket.with_fetched(["s3://b/p/"], lambda: Bucket(some | {"p/_SUCCESS": 0})) as found:
        assert [Path(one).name for one in found] == ["00000-0", "00001-1", "00002-2"]
        assert [Path(one).read_bytes() for one in found] == [b"p/0", b"p/1", b"p/2"]
