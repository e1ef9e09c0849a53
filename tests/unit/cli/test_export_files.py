"""What a file of an export has: every row of every part once, by the number of its line, and every cell as it was."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.domain.exports.figures import Figures, LineKey, SumKey, Written
from kulanz.domain.exports.rows import COLUMNS, NUMBERS
from kulanz_cli.door import Door
from kulanz_cli.exported import command, files
from kulanz_cli.exported.fetch import PART_ATTEMPTS, Parts, PartsUnusable
from kulanz_cli.signed import Reply
from kulanz_cli.terminal import console

PLACE: Mapping[str, str | int] = {"incident": "in-7", "seq": 3, "id": "e-1"}
FIRST_LINE = 2
"""The first line of a list is its header."""


def row(line: int | None, account: str, **changes: Any) -> dict[str, Any]:
    """A row of a part; a part counts its lines from 1."""
    of = {"line": line, "account": account, "result": "granted", "written": "yes", "decision": f"of-{account}"}
    return (
        dict.fromkeys(COLUMNS, "")
        | {"benefit": 0, "currency": "EUR", "part": "decided", "amount": "1.00"}
        | of
        | changes
    )


class Kept:
    """An export whose pages have these parts; each page is asked for by its cursor, each link is good once."""

    def __init__(self, *pages: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self.asked: list[tuple[str, object, Mapping[str, object]]] = []
        self.bad: dict[str, int] = {}
        self._pages, self._content, self._links = pages, dict[str, bytes](), 0
        self.parts_in_all = sum(map(len, pages))
        self.gap = 0

    def page(self, cursor: str | None) -> dict[str, Any]:
        number = int(cursor or 0)
        before = sum(len(page) for page in self._pages[:number])
        parts = [self._part(before + place, rows) for place, rows in enumerate(self._pages[number])]
        is_last = number + 1 == len(self._pages)
        return {
            "first_line": FIRST_LINE, "parts": parts, "parts_in_all": self.parts_in_all,
            "next": None if is_last else str(number + 1),
        }  # fmt: skip

    def _part(self, number: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        content = "".join(f"{json.dumps(one)}\n" for one in rows).encode()
        self._links += 1
        url = f"part-{number}/{self._links}"
        self._content[url] = gzip.compress(content, mtime=0)
        lines = max((one["line"] or 0 for one in rows), default=0)
        start = 100 * number + (self.gap if number else 0)
        digest = sha256(self._content[url]).hexdigest()
        return {"url": url, "start": start, "end": 100 * (number + 1), "lines": lines, "sha256": digest}

    def ask(self, use: str, query: Mapping[str, str], **values: object) -> dict[str, Any]:
        self.asked.append((use, query, values))
        return self.page(query["cursor"])

    def fetch(self, url: str) -> Reply:
        part, _, _ = url.partition("/")
        if self.bad.get(part, 0):
            self.bad[part] -= 1
            return Reply(403, b"")
        return Reply(200, self._content.pop(url))


def parts_of(kept: Kept) -> Parts:
    return Parts(cast("Door", kept), kept.fetch, PLACE)


def each(kept: Kept) -> Iterator[Mapping[str, Any]]:
    return parts_of(kept).each(cast("Any", kept.page(None)))


PAGES = (
    [[row(1, "a"), row(1, "a", benefit=1), row(3, "b", decision="of-b")], [row(2, "c"), row(None, "by-hand")]],
    [[row(1, "d")]],
    [[row(2, "e"), row(2, "f"), row(3, "g", decision=""), row(4, "h", decision="")], []],
)
LINES = [("a", 2), ("a", 2), ("b", 4), ("c", 6), ("by-hand", None), ("d", 7), ("e", 9), ("f", 9), ("g", 10), ("h", 11)]


def test_every_row_of_every_page_has_the_number_of_its_line_in_the_list() -> None:
    kept = Kept(*PAGES)
    parts = parts_of(kept)
    found = list(parts.each(cast("Any", kept.page(None))))
    assert [(one["account"], one["line"]) for one in found] == LINES
    assert kept.asked == [("exports.one", {"cursor": cursor}, PLACE) for cursor in ("1", "2")]
    assert parts.rows == len(LINES)
    assert parts.figures.lines.total() == len({account for account, _ in LINES}), "a line counts once"


def test_a_part_that_does_not_come_is_asked_for_on_its_own_page_with_a_new_link() -> None:
    for number, cursor in enumerate((None, None, "1", "2", "2")):
        kept = Kept(*PAGES)
        kept.bad = {f"part-{number}": PART_ATTEMPTS - 1}
        assert [(one["account"], one["line"]) for one in each(kept)] == LINES
        again = [query for _, query, _ in kept.asked]
        assert sum(query == {"cursor": cursor} for query in again) == PART_ATTEMPTS - 1 + (cursor is not None)
        kept.bad = {f"part-{number}": PART_ATTEMPTS}
        with pytest.raises(PartsUnusable, match=rf"\(answer 403\), {PART_ATTEMPTS} times"):
            list(each(kept))


def test_parts_that_are_missing_leave_a_gap_or_have_other_columns_are_no_export() -> None:
    fewer, more, torn = Kept(*PAGES), Kept(*PAGES), Kept(*PAGES)
    fewer.parts_in_all += 1
    more.parts_in_all -= 1
    torn.gap = 1
    for kept, says in ((fewer, "are missing"), (more, "are missing"), (torn, "leave a gap")):
        with pytest.raises(PartsUnusable, match=says):
            list(each(kept))
    for wrong in (
        {name: text for name, text in row(1, "a").items() if name != "due"}, {**row(1, "a"), "other": ""},
        dict(reversed(row(1, "a").items())),
    ):  # fmt: skip
        with pytest.raises(PartsUnusable, match="other columns"):
            list(each(Kept([[row(1, "a"), wrong]])))


# Files

CELLS: Mapping[str, Any] = {name: f"{name}-é\u20ac" for name in COLUMNS} | {
    "line": 7, "benefit": 1, **{name: f"{number}.5" for number, name in enumerate(files.AMOUNTS, 1)},
}  # fmt: skip
NOTHING: Mapping[str, Any] = {**CELLS, **dict.fromkeys(files.AMOUNTS, "0.00")}
"""A row of which nothing is used, taken back or left: that is an amount, and not none."""
EMPTY: Mapping[str, Any] = {name: None if name in NUMBERS else "" for name in COLUMNS}


def written(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with files.beside(path) as place, files.sink(place, files.ENDINGS[path.suffix]) as to:
        for one in rows:
            to.write(one)


def test_every_cell_of_a_table_or_of_lines_is_under_its_name_and_as_it_was(tmp_path: Path) -> None:
    for rows in ([], [CELLS], [CELLS, EMPTY, CELLS]):
        written(tmp_path / "rows.csv", rows)
        head, *lines = csv.reader((tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines())
        assert tuple(head) == COLUMNS
        as_texts = [{name: "" if value is None else str(value) for name, value in one.items()} for one in rows]
        assert [dict(zip(head, line, strict=True)) for line in lines] == as_texts
        written(tmp_path / "rows.jsonl", rows)
        text = (tmp_path / "rows.jsonl").read_text(encoding="utf-8")
        assert [json.loads(line) for line in text.splitlines()] == rows
        assert "\\u" not in text, "as people read it"


def test_parquet_has_amounts_as_exact_numbers_and_every_row_however_many_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(files, "ROWS_PER_GROUP", 2)
    for number in range(6):
        rows = [{**CELLS, "line": line} for line in range(number)] + [NOTHING, EMPTY]
        written(tmp_path / "rows.parquet", rows)
        found = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
        assert found == [
            {
                name: (Decimal(one[name]) if one[name] else None) if name in files.AMOUNTS else one[name]
                for name in COLUMNS
            }
            for one in rows
        ]
        assert parquet.ParquetFile(tmp_path / "rows.parquet").num_row_groups == -(-len(rows) // 2)


def test_no_cell_of_any_column_of_texts_is_a_formula() -> None:
    names = [name for name in COLUMNS if name not in NUMBERS]
    for first in "=+-@\t\r\n":
        assert [name for name in names if files._cell(name, f"{first}1") != f"'{first}1"] == []
        assert [name for name in names if files._cell(name, f"1{first}") != f"1{first}"] == []


# What is said of it


@pytest.mark.parametrize("is_compared", [True, False])
@pytest.mark.parametrize("of", ["ledger", "plan"])
def test_an_export_says_where_each_measure_is_and_whether_that_was_compared(
    of: str, is_compared: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    figures = Figures()
    figures.lines[LineKey("granted", "credit", Written.YES)] = 7
    law = {"used": 1_00, "expired": 2_00, "voided": 4_00, "written_off": 8_00, "open": 16_00}
    figures.sums.update({SumKey(name, "EUR"): size for name, size in law.items()})
    figures.sums.update({SumKey("granted", "EUR"): 31_00, SumKey("used", "call_minute"): 5})
    finished: Any = {
        "campaign": "in-7/1", "of": of, "asked_at": "2026-03-02", "id": "e-1", "law_compared": is_compared,
        "expected": {"lines": [], "sums": [{"of": "granted", "measure": "EUR", "sum": "3200"}]},
    }  # fmt: skip
    parts: Any = SimpleNamespace(figures=figures, rows=9)
    command._show(finished, parts, Path("rows.csv"), console())
    text = " ".join(capsys.readouterr().out.split())
    assert text == (
        "in-7/1: 9 rows of 7 lines in rows.csv"
        f" what the {of} says, as of 2026-03-02; export e-1"
        f" result sum of export {'plan' if of == 'plan' else 'reconciliation'} granted EUR 31.00 32.00"
        " EUR: granted 31.00 = 1.00 used + 2.00 expired + 4.00 voided + 8.00 written off + 16.00 open"
        " call minutes: granted 5 = 5 used"
        f" {command.LAW_COMPARED if is_compared else command.LAW_NOT_COMPARED}"
    )


def test_each_difference_of_an_export_is_said_and_no_file_is_left(tmp_path: Path) -> None:
    kept = Kept(*PAGES)
    first: Any = kept.page(None)
    parts = parts_of(kept)
    list(parts.each(first))
    right: dict[str, Any] = {
        "lines": [
            {"result": key.result, "reason": key.reason, "written": key.written.value, "lines": number}
            for key, number in parts.figures.lines.items()
        ],
        "sums": [{"of": key.of, "measure": key.measure, "sum": str(size)} for key, size in parts.figures.sums.items()],
    }
    differs = [{"what": f"what-{number}", "expected": 10 + number, "exported": 20 + number} for number in (1, 2)]
    fewer = {**right, "lines": [{**right["lines"][0], "lines": 0}]}
    own = "the rows that were fetched do not come to the figures of their parts"
    for figures, differences, said in (
        (right, None, []), (right, [], []), (fewer, None, [own]),
        (right, differs, ["what-1: expected 11, exported 21", "what-2: expected 12, exported 22"]),
        (fewer, differs[:1], ["what-1: expected 11, exported 21", own]),
    ):  # fmt: skip
        kept, path = Kept(*PAGES), tmp_path / "rows.jsonl"
        finished: Any = {**kept.page(None), "figures": figures, "differences": differences}
        if not said:
            command._write(parts_of(kept), finished, path, "jsonl")
            assert len(path.read_text(encoding="utf-8").splitlines()) == len(LINES)
            path.unlink()
            continue
        with pytest.raises(command.Differs) as problem:
            command._write(parts_of(kept), finished, path, "jsonl")
        assert list(problem.value.lines) == said
        assert list(tmp_path.iterdir()) == []
