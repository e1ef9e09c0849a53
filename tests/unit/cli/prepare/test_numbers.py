"""Numbers that are read many at once are those that are read one by one: each cell, each sum, each count."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.columns import FactDeclaration
from kulanz_cli.prepare import run
from kulanz_cli.prepare.cells import Cell, cell_reader
from kulanz_cli.prepare.numbers import PlainNumbers
from kulanz_cli.prepare.parts import PartWriter
from tests.unit.cli.prepare.prepared import fields, prepared
from tests.unit.cli.prepare.test_cells import field

FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"decimalChar": "."},
    {"decimalChar": ",", "groupChar": "."},
    {"decimalChar": ",", "groupChar": ".", "symbols": ["€", "EUR"]},
    {"decimalChar": ",", "groupChar": " ", "symbols": "€"},
    {"decimalChar": ",", "groupChar": "\u00a0", "symbols": "€"},
    {"groupChar": ",", "symbols": ["$", "US$"]},
    {"groupChar": "'", "symbols": "CHF"},
    {"groupChar": ",", "symbols": "Rs."},
    {"decimalChar": ",", "symbols": "Â€"},  # in Windows-1252 it is a sign of UTF-8 by chance
    {"unit": "minor"},
    {"unit": "minor", "symbols": "ct"},
    {"decimalChar": ",", "missingValues": ["0,00", "9999", "-1"]},
    {"values": {"1": "2.00"}},
)
KINDS = (("money", "EUR"), ("money", "JPY"), ("money", "KWD"), ("number", ""))
MARKS = " .,'-+€$\u00a0\u202f\n\0"
LOOSE = st.text("0123456789" + MARKS, max_size=9)
DIGITS = st.integers(0, 10**12).map(str)


@st.composite
def written(draw: st.DrawFn) -> str:
    """An amount as some tool writes it, right or nearly right for a field."""
    number = draw(st.integers(0, 10**9))
    group, mark = draw(st.sampled_from([(".", ","), (",", "."), ("'", "."), (" ", ","), ("\u00a0", ",")]))
    text = f"{number:,}".replace(",", group if draw(st.booleans()) else "")
    decimals = draw(st.sampled_from(["", "0", "00", "50", "99", "234", "5000"]))
    text += f"{mark}{decimals}" if decimals else ""
    symbol = draw(st.sampled_from(["€", "EUR", "$", "US$", "CHF", "Rs.", "Â€", "ct"]))
    blank = draw(st.sampled_from(["", " ", "\u00a0", "\u202f"]))
    ways = [text, text, f"{symbol}{blank}{text}", f"{text}{blank}{symbol}", f"-{text}", f" {text}"]
    return draw(st.sampled_from(ways))


CELLS = st.lists(written() | DIGITS | LOOSE, min_size=1, max_size=12)


WRITTEN = (
    "0", "7", "007", "12", "1234", "1.234", "1,234", "12.345", "1.23", "1,23", "0,00", "1.5", "1,5", "0.234", "0,234",
    "9999", "1.234,50", "1,234.50", "1'234.50", "1 234,50", "1\u00a0234,50", "12,34,567.00", "1.2300", "39,9000",
    "1.234.567", "1,23456789012", "123456789012", "20000000,00", "1234567890123456", "\u0665", "1e3", "-1", "+5",
    "5\n6", "x",
)  # fmt: skip
BESIDE = (
    "{}", " {}", "-{}", "€{}", "{}€", "€ {}", "{} €", "{}\u00a0€", "€\u202f{}", "$ {}", "US${}", "{} CHF", "{}EUR",
    "Rs.{}", "Â€{}", "{}Â€", "{}ct", "€{}€", "\0n{}",
)  # fmt: skip
TABLE = tuple(edge.format(number) for number in WRITTEN for edge in BESIDE)
"""Numbers as tools write them, right and nearly right, with what may stand beside them."""
MISSING = ("unbekannt",)
ENCODINGS = ("utf-8", "windows-1252", "macintosh")


def _must_be_the_same(
    numbers: PlainNumbers, read: Callable[[str], Cell], raws: Sequence[Any], plain: Sequence[str]
) -> None:
    """What is read at once of `plain`, those of `raws` that are numbers beyond doubt, is what is read one by one."""
    if not plain:
        return
    found, one_by_one = numbers.read(plain), list(map(read, plain))
    if found is None:
        assert any(cell.wrong for cell in one_by_one), f"only what the policy refuses is not read: {raws}"
        return
    assert not any(cell.wrong for cell in one_by_one), raws
    assert found.texts == [cell.text for cell in one_by_one]
    assert found.before == sum(number for cell in one_by_one if (number := cell.number) is not None), raws
    assert found.after == sum(value for cell in one_by_one if isinstance(value := cell.value, int | Fraction)), raws
    assert {cell.change for cell in one_by_one if cell.change} <= {numbers.change}
    changed = [text != raw for text, raw in zip(found.texts, plain, strict=True)]
    assert changed == [bool(cell.change) for cell in one_by_one], raws


@pytest.mark.parametrize("kind", KINDS)
def test_each_form_of_a_number_is_read_at_once_as_by_itself(kind: tuple[str, str]) -> None:
    fact, taken = FactDeclaration("x", kind[0], currency=kind[1]), 0
    for stated, encoding in product(FIELDS, ENCODINGS):
        numbers = PlainNumbers.of(field(**stated), fact, MISSING, encoding)
        if numbers is None:
            continue
        read = cell_reader(field(**stated), fact, MISSING, encoding, is_id=False)
        places = set(range(len(TABLE))) - set(numbers.others(TABLE))
        for raw in (TABLE[place] for place in sorted(places)):
            assert numbers.others([raw]) == [], raw
            _must_be_the_same(numbers, read, [stated, encoding, raw], [raw])
        taken += len(places)
    assert taken > len(TABLE), "else nearly nothing was compared"


@pytest.mark.property
@given(st.sampled_from(FIELDS), st.sampled_from(KINDS), st.sampled_from(ENCODINGS), CELLS)
def test_what_is_read_at_once_is_what_is_read_cell_by_cell(
    stated: dict[str, Any], kind: tuple[str, str], encoding: str, raws: list[str]
) -> None:
    fact = FactDeclaration("x", kind[0], currency=kind[1])
    numbers = PlainNumbers.of(field(**stated), fact, MISSING, encoding)
    if numbers is None:
        return
    others = set(numbers.others(raws))
    plain = [raw for place, raw in enumerate(raws) if place not in others]
    _must_be_the_same(numbers, cell_reader(field(**stated), fact, MISSING, encoding, is_id=False), raws, plain)


@pytest.mark.parametrize(
    ("stated", "raw"),
    [
        ({"decimalChar": ",", "groupChar": ".", "symbols": "€"}, "1.234,50 €"),
        ({"groupChar": ",", "symbols": "$"}, "$1,234.50"),
        ({"groupChar": "'"}, "1'234.50"),
        ({"unit": "minor"}, "1999"),
        ({}, "39.90"),
    ],
)
def test_the_usual_forms_are_read_at_once(stated: dict[str, Any], raw: str) -> None:
    numbers = PlainNumbers.of(field(**stated), FactDeclaration("x", "money", currency="EUR"), (), "windows-1252")
    assert numbers is not None
    assert numbers.others([raw] * 3) == []
    assert numbers.others([raw, "5\n6", ""]) == [1, 2]
    assert numbers.others([raw, "5\n6"]) == [1], "one cell of two lines is not two numbers"


def _reported(report: run.Report) -> list[Any]:
    columns = [replace(told, fact=None) for told in report.columns]
    return [report.rows_out, report.wrong_rows, columns]


@pytest.mark.parametrize("wrong", ["", "viel", "1,2,3", "20.000.000,00", "-5,00"])
def test_counts_places_and_sums_are_the_same_for_a_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """300 amounts of which each is another; among them blank ones, some wrong ones, and some that are not changed."""
    amounts: list[str] = [f"{1000 + number},{number % 100:02d}" for number in range(300)]
    amounts[5], amounts[17], amounts[40], amounts[41], amounts[299] = "", wrong, "7", "  8,50", wrong
    content = "account_id;fee\n" + "".join(f"A-{number};{one}\n" for number, one in enumerate(amounts))
    profile = {
        "dialect": {"delimiter": ";"},
        "schema": fields({"fee": {"decimalChar": ",", "groupChar": "."}}, names=("account_id", "fee")),
    }
    policy = "kulanz: 1\nid: f\nversion: 1\ntitle: T\ncurrency: EUR\nfacts: {fee: money}\npay: fee\n"
    made = {}
    for different in (run.DIFFERENT_CELLS, 0):  # with 0 none is read at once
        monkeypatch.setattr(run, "DIFFERENT_CELLS", different)
        made[different] = prepared(tmp_path, {"in.csv": content.encode()}, profile, policy)
    (report, list_), (cell_by_cell, same) = made.values()
    assert list_ == same
    assert _reported(report) == _reported(cell_by_cell)
    [_, told] = report.columns
    assert told.before == sum(Decimal(one.strip().replace(",", ".")) for one in amounts if one and one != wrong)


CELL = st.text("a,\"\r\n;' 1é", max_size=4)


@pytest.mark.property
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1)))
def test_a_part_is_written_as_a_writer_of_csv_writes_it(
    tmp_path_factory: pytest.TempPathFactory, rows: Sequence[Sequence[str]]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    names = [f"c{number}" for number in range(len(rows[0]))]
    writer = PartWriter(folder, names, 10**9)
    writer.write([list(column) for column in zip(*rows, strict=True)], len(rows))
    writer.end_part()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    assert (folder / writer.parts[0].name).read_bytes() == text.getvalue().encode()
