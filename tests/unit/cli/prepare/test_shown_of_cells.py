"""What becomes of a cell, whole: its text, what is said to have changed, what was expected, and what it adds to a sum.

Each type of a fact with each way to state a field, and the cells that tools write. A cell that is read otherwise than
it was meant moves money, and a count or a sum beside it would hide that.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any

import pytest

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, canonical
from kulanz_cli.prepare.cells import UNREADABLE, Cell, cell_reader, exact, of_float
from tests.support.approved import must_be_as_approved
from tests.unit.cli.prepare.test_cells import field

TYPED: dict[str, str] = {
    "exact 39.9000": exact(Decimal("39.9000")), "exact 39.905": exact(Decimal("39.905")), "exact 1999": exact(1999),
    "exact -5": exact(-5), "exact true": exact(True), "exact false": exact(False), "exact None": exact(None),
    "exact NaN": exact(Decimal("NaN")), "exact NUL": exact("a\0b"), "exact object": exact({"a": 1}),
    "exact day": exact(date(2026, 2, 27)), "exact midnight": exact(datetime(2026, 2, 27)),  # noqa: DTZ001
    "exact local": exact(datetime(2026, 2, 27, 9, 5)),  # noqa: DTZ001 (a spreadsheet's)
    "exact twice": exact(datetime(2026, 10, 25, 2, 30)),  # noqa: DTZ001 (as above)
    "exact instant": exact(datetime(2026, 2, 27, 23, 30, 1, 500, UTC)),
    "exact offset": exact(datetime(2026, 2, 28, 0, 30, tzinfo=timezone(timedelta(hours=2)))),
    "exact texts": exact(["a", "b|c"]), "exact numbers": exact([1, Decimal("2.50")]), "exact mixed": exact([1, "a"]),
    "exact one text": exact(["north"]), "exact days": exact(["2026-02-01", "2026-01-01"]),
    "double 0.3": of_float(0.1 + 0.2), "double nan": of_float(float("nan")), "double inf": of_float(float("inf")),
    "double 15 digits": of_float(-999_999_999_999_999.0), "double 16 digits": of_float(1e15),
    "double 2.05e10": of_float(20510000005.0), "double -0": of_float(-0.0), "double 1e-7": of_float(1e-7),
    "unreadable": f"{UNREADABLE}what the source says",
}  # fmt: skip
EVERYWHERE = ("", "  ", " x\u00a0", "NULL", "#VALUE!", "n/a", "k.A.", ' "x', "a\u0001b", "two\nlines", "M\udcfcller")
NUMBERS = (
    "7", "007", "+7", "-7", "39.9", "39.90", "39.9000", "39.905", "1.234", "0.234", "12.345", "1234.567", "1,234",
    "1.234,50", "1,234.50", "12,34,567.00", "1'234.50", "1 234,50", "39,90 €", "€ 39,90", "39,90€", "EUR 5", "5 EUR",
    "$5", "1e3", "1.", ".5", "20000000", "1234567890123456", "unknown", "1,2345", "\u0665",
)  # fmt: skip
MOMENTS = (
    "2026-02-27", "2026-02-27 09:05", "2026-02-27T09:05:00Z", "2026-10-25 02:30:00", "27.02.2026", "12.02.2026",
    "13.02.2026", "02/27/2026", "31.02.2026", "27.02.2026 09:05", "27.02.2026 23:30", "12.07.2026 09:05",
    "25.10.2026 02:30",
    "29.03.2026 02:30", "27.02.2026 09:05 +0200", "1772179200", "1772179200123", "-1", "1772179200.5", "9" * 16,
    "9" * 17,
)  # fmt: skip
LISTS = (
    "north", "north|south", "north, south", "north;south", "b|a|b", "a|b, c", '["b", "a"]', "[1]", "{}", "1,5; 2,25",
    "1.5|2.25", "39.90|5", "01.02.2026; 02.02.2026", "2026-02-01|2026-01-01",
    "2026-05-04T08:00:00Z/2026-05-04T12:00:00Z", "2026-05-04T08:00:00Z",
)  # fmt: skip
GERMAN = {"decimalChar": ",", "groupChar": ".", "symbols": ["€", "EUR"]}
FORMATS: tuple[dict[str, Any], ...] = (
    {}, {"format": "%d.%m.%Y"}, {"format": "%m/%d/%Y"}, {"format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"},
    {"format": "%d.%m.%Y %H:%M %z", "timezone": "America/New_York"}, {"timezone": "Europe/Berlin"},
    {"type": "datetime"}, {"format": "epoch"}, {"format": "epoch_ms"}, {"format": "epoch", "timezone": "Asia/Tokyo"},
)  # fmt: skip
WAYS: dict[tuple[str, str], tuple[tuple[dict[str, Any], ...], tuple[str, ...]]] = {
    ("money", "EUR"): (({}, {"decimalChar": "."}, GERMAN, {"groupChar": ",", "symbols": "$"}, {"groupChar": "'"},
                        {"decimalChar": ",", "groupChar": " "}, {"unit": "minor"}, {"missingValues": "unknown"},
                        {"values": {"7": "0.07", "unknown": "1.00"}}), NUMBERS),
    ("money", "KWD"): (({}, {"decimalChar": "."}, {"unit": "minor"}), NUMBERS),
    ("money", "JPY"): (({}, GERMAN, {"unit": "minor"}), NUMBERS),
    ("number", ""): (({}, {"decimalChar": "."}, GERMAN), NUMBERS),
    ("yes_no", ""): (({}, {"trueValues": ["ja", "true"], "falseValues": ["nein ", "0"]}, {"values": {"1": "true"}}),
                     ("true", "Yes", "no", "t", "T", "1", "0", "ja", "nein", "Ja")),
    ("day", ""): (FORMATS, MOMENTS),
    ("instant", ""): (FORMATS, MOMENTS),
    ("text", ""): (({}, {"values": {"P1": "basic", "basic": "basic"}}), ("P1", "basic", "plus", "a" * 200, "b" * 201)),
    ("list", ""): (({}, {"delimiter": ","}, {"delimiter": ";"}), LISTS),
    ("numbers", ""): (({}, {"delimiter": ";", "decimalChar": ","}), LISTS),
    ("amounts", "EUR"): (({}, {"delimiter": ";", "decimalChar": ","}, {"unit": "minor"}), LISTS),
    ("dates", ""): (({}, {"delimiter": ";", "format": "%d.%m.%Y"}), LISTS),
    ("windows", ""): (({},), LISTS),
}  # fmt: skip


def shown(cell: Cell, raw: str) -> str:
    """All of a cell that is not as in most."""
    value = "wrong and held" if cell.value is INVALID else None if cell.value is None else canonical(cell.value)
    parts = ["as it is" if cell.text == raw else repr(cell.text), f"({cell.change})" if cell.change else ""]
    parts += [f"expected {cell.wrong}" if cell.wrong else "", "" if cell.number is None else f"number {cell.number}"]
    parts += ["" if value is None else f"reads {value!r}"]
    parts += ["" if cell.is_order_sure is None else "order sure" if cell.is_order_sure else "order unsure"]
    return " ".join(filter(None, parts))


def table(type_: str, currency: str) -> Iterator[str]:
    """Every cell where nothing is stated; of each other way, the cells that it reads otherwise."""
    ways, cells = WAYS[type_, currency]
    given = {repr(raw): raw for raw in (*EVERYWHERE, *cells)} | TYPED
    first: dict[str, str] = {}
    for stated, held in [*((stated, False) for stated in ways), ({}, True)]:
        fact = FactDeclaration("x", type_, currency=currency, hold_invalid=held)
        read = cell_reader(field(**stated), fact, ("k.A.",), "utf-8", is_id=False)
        found = {name: shown(read(raw), raw) for name, raw in given.items()}
        yield f"{type_} {currency} {stated or 'nothing stated'}{', wrong ones held' if held else ''}:"
        yield from grouped({name: text for name, text in found.items() if text != first.get(name)})
        first = first or found


def grouped(found: dict[str, str]) -> Iterator[str]:
    """What becomes of some cells, each outcome once."""
    cells: dict[str, list[str]] = {}
    for name, text in found.items():
        cells.setdefault(text, []).append(name)
    for text, names in cells.items():
        yield f"  {text}"
        yield from wrap(" | ".join(names), 110, initial_indent="    ", subsequent_indent="    ")


def ids() -> Iterator[str]:
    for stated in ({}, {"constraints": {"pattern": r"\d{4,11}", "minLength": 4}}):
        read = cell_reader(field(**stated), None, ("k.A.",), "utf-8", is_id=True)
        yield f"id {stated or 'nothing stated'}:"
        given = {repr(raw): raw for raw in (*EVERYWHERE, "0042", " A-1 ", "Total", "12-Oct")} | TYPED
        yield from grouped({name: shown(read(raw), raw) for name, raw in given.items()})


def test_what_becomes_of_each_cell_is_as_it_was_approved() -> None:
    tables = [line for type_, currency in WAYS for line in table(type_, currency)]
    must_be_as_approved("\n".join([*tables, *ids()]) + "\n", Path(__file__))


@pytest.mark.parametrize(
    ("encoding", "raw", "expected"),
    [
        ("windows-1252", "Müller", ""), ("windows-1252", "MÃ¼ller", "text in windows-1252; it is UTF-8"),
        ("utf-8", "MÃ¼ller", ""), ("utf-8", "M\udcfcller", "text in utf-8; it has bytes that are none"),
        ("utf-16", "MÃ¼ller", ""), ("iso-8859-15", "5 €", ""),
    ],
)  # fmt: skip
def test_a_cell_of_another_encoding_than_its_file_is_told(encoding: str, raw: str, expected: str) -> None:
    cell = cell_reader(field(), FactDeclaration("x", "text"), (), encoding, is_id=False)(raw)
    assert (cell.wrong, cell.text == raw) == (expected, not expected)
