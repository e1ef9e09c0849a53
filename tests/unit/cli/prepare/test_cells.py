"""One cell of an export becomes one cell of a list, or is unreadable: a table of both, by field and fact."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.lists.columns import FactDeclaration
from kulanz_cli.prepare import run
from kulanz_cli.prepare.cells import UNREADABLE, WRONG, Cell, cell_reader, exact, of_float
from kulanz_cli.prepare.numbers import Numbers, PlainNumbers
from kulanz_cli.prepare.profile import Field, profile_from
from tests.unit.cli.prepare.prepared import COLUMNS, fields, prepared


def field(**stated: Any) -> Field:
    content = {"kulanz": 1, "profile": "a", "title": "b", "schema": {"fields": [{"name": "x", **stated}]}}
    return profile_from(content).schema.fields[0]


def read(raw: str, type_: str, currency: str = "", **stated: Any) -> str:
    """The text of a cell in the list."""
    fact = FactDeclaration("x", type_, currency=currency)
    return cell_reader(field(**stated), fact, (), "utf-8", is_id=False)(raw).text


BERLIN = {"format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("raw", "stated", "text"),
    [
        ("1.234,50", {"decimalChar": ",", "groupChar": "."}, "1234.50"),
        ("1.234.567,50 €", {"decimalChar": ",", "groupChar": ".", "symbols": "€"}, "1234567.50"),
        ("$1,234.50", {"groupChar": ",", "symbols": "$"}, "1234.50"),
        ("12,34,567.00", {"groupChar": ","}, "1234567.00"),
        ("1'234.50", {"groupChar": "'"}, "1234.50"),
        ("+5", {}, "5"),
        ("1999", {"unit": "minor"}, "19.99"),
        ("5", {"unit": "minor"}, "0.05"),
        ("1.234", {}, WRONG),
        ("1.234", {"decimalChar": "."}, WRONG),
        ("1,234", {"decimalChar": ","}, WRONG),
        ("12,34", {"groupChar": ","}, WRONG),
        ("1,2345", {"groupChar": ","}, WRONG),
        ("1.50", {"decimalChar": ","}, WRONG),
        ("1,50", {}, WRONG),
        ("19.99", {"unit": "minor"}, WRONG),
        ("5 EUR", {"symbols": "€"}, WRONG),
        ("٥", {}, WRONG),  # noqa: RUF001 (five, in other digits)
        ("1e3", {}, WRONG),
        (exact(Decimal("39.9000")), {}, "39.9"),
        (exact(Decimal("39.900")), {}, "39.9"),
        (exact(1999), {"unit": "minor"}, "19.99"),
        (of_float(0.1 + 0.2), {}, "0.3"),
        (of_float(1e15), {}, WRONG),
        (of_float(float("nan")), {}, ""),
        (of_float(float("inf")), {}, WRONG),
        (exact(True), {}, WRONG),
        (exact({"a": 1}), {}, WRONG),
        (f"{UNREADABLE}why", {}, WRONG),
        ("NULL", {}, ""),
        ("k.A.", {"missingValues": "k.A."}, ""),
        ("#REF!", {}, WRONG),
    ],
)
def test_an_amount(raw: str, stated: dict[str, Any], text: str) -> None:
    assert read(raw, "money", "EUR", **stated) == text


def test_an_amount_that_is_exact_and_too_fine_is_told_as_unreadable() -> None:
    fact = FactDeclaration("x", "money", currency="EUR")
    assert cell_reader(field(), fact, (), "utf-8", is_id=False)(exact(Decimal("39.905"))).wrong


@pytest.mark.parametrize(
    ("raw", "stated", "text"),
    [
        ("1.234", {}, WRONG),
        ("1.234", {"decimalChar": "."}, "1.234"),
        ("1,234", {"decimalChar": ","}, "1.234"),
        ("1234.5", {}, "1234.5"),
        ("0.125", {}, "0.125"),
        (exact(Decimal("1.234")), {}, "1.234"),
    ],
)
def test_a_number_that_may_be_thousands_needs_its_mark_stated(raw: str, stated: dict[str, Any], text: str) -> None:
    assert read(raw, "number", **stated) == text


@pytest.mark.parametrize(
    ("raw", "stated", "text"),
    [
        ("27.02.2026 09:00", BERLIN, "2026-02-27T08:00:00Z"),
        ("27.07.2026 09:00", BERLIN, "2026-07-27T07:00:00Z"),
        ("25.10.2026 02:30", BERLIN, WRONG),  # shown twice
        ("29.03.2026 02:30", BERLIN, WRONG),  # shown never
        ("25.10.2026 03:30", BERLIN, "2026-10-25T02:30:00Z"),
        ("31.02.2026 09:00", BERLIN, WRONG),
        ("02/27/2026 09:00", BERLIN, WRONG),
        ("1772179200", {"format": "epoch"}, "2026-02-27T08:00:00Z"),
        ("1772179200123", {"format": "epoch_ms"}, "2026-02-27T08:00:00.123000Z"),
        ("1772179200.5", {"format": "epoch"}, WRONG),
        ("9" * 16, {"format": "epoch"}, WRONG),
        ("2026-02-27 09:00:00", {"timezone": "Europe/Berlin"}, "2026-02-27T08:00:00Z"),
        ("2026-02-27", {"timezone": "Europe/Berlin"}, "2026-02-27"),
        ("2026-02-27T08:00:00Z", {}, "2026-02-27T08:00:00Z"),
    ],
)
def test_an_instant(raw: str, stated: dict[str, Any], text: str) -> None:
    assert read(raw, "instant", **stated) == text


@pytest.mark.parametrize(
    ("type_", "raw", "stated", "text"),
    [
        ("day", "27.02.2026", {"format": "%d.%m.%Y"}, "2026-02-27"),
        ("day", "02/27/2026", {"format": "%d/%m/%Y"}, WRONG),
        ("day", "3/1/26", {"format": "%m/%d/%y"}, "2026-03-01"),
        ("yes_no", "WAHR", {"trueValues": "WAHR", "falseValues": "FALSCH"}, "true"),
        ("yes_no", "vielleicht", {"trueValues": "WAHR", "falseValues": "FALSCH"}, WRONG),
        ("yes_no", "1", {}, WRONG),
        ("list", "a, b", {"delimiter": ","}, "a|b"),
        ("list", "a|b, c", {"delimiter": ","}, WRONG),
        ("numbers", "1,5; 2,25", {"delimiter": ";", "decimalChar": ","}, "1.5|2.25"),
        ("dates", "01.02.2026; 02.02.2026", {"delimiter": ";", "format": "%d.%m.%Y"}, "2026-02-01|2026-02-02"),
        ("text", "P1", {"values": {"P1": "basic"}}, "basic"),
        ("text", "P2", {"values": {"P1": "basic"}}, WRONG),
        ("text", "two\nlines", {}, WRONG),
        ("text", "  povo2.0 ", {}, "povo2.0"),
    ],
)
def test_every_other_type(type_: str, raw: str, stated: dict[str, Any], text: str) -> None:
    assert read(raw, type_, **stated) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" A-1 ", "A-1"),
        (exact(20510000005), "20510000005"),
        (of_float(20510000005.0), "20510000005"),
        (of_float(8944120000000000123.0), WRONG),
        (of_float(17.5), WRONG),
        ("0042", "0042"),
    ],
)
def test_an_id(raw: str, text: str) -> None:
    assert cell_reader(field(), None, (), "utf-8", is_id=True)(raw).text == text


def test_an_id_of_another_shape_than_was_stated_never_reaches_a_campaign() -> None:
    shaped = cell_reader(field(constraints={"pattern": r"\d{8}"}), None, (), "utf-8", is_id=True)
    assert [shaped(raw).text for raw in ("00012345", "12345", "nan")] == ["00012345", WRONG, WRONG]


PAYABLE = [
    ("10.1234", "USD", {}, False), ("10.12340", "USD", {}, False), ("\0n10.1234", "USD", {}, False),
    ("10,1234", "USD", {"decimalChar": ","}, False), ("10.5", "JPY", {}, False), ("1.2345", "KWD", {}, False),
    ("10.1200", "USD", {}, True), ("\0n10.1200", "USD", {}, True), ("10.1", "USD", {}, True), ("10", "USD", {}, True),
    ("1.5", "KWD", {}, True), ("1", "KWD", {}, True),
    ("10.0000", "JPY", {}, True), ("10", "JPY", {}, True), ("1234.500", "KWD", {"decimalChar": "."}, True),
]  # fmt: skip


def test_an_amount_with_more_decimals_than_its_currency_has_says_so() -> None:
    wrong = []
    for raw, currency, stated, is_right in PAYABLE:
        cell = cell_reader(field(**stated), FactDeclaration("x", "money", currency=currency), (), "utf-8", is_id=False)(
            raw
        )
        says_so = "decimals, as" in cell.wrong
        if bool(cell.wrong) is is_right or says_so is is_right or (cell.text == WRONG) is is_right:
            wrong.append((raw, currency, cell))
    assert not wrong


def test_sums_that_move_stop_the_preparation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["account_id", "fee", "usage", "active", "since", "seen", "plan", "note", "areas"]
    content = (",".join(names) + "\nA-1,1.00,,,,,,,\n").encode()

    def another(*of: Any, **stated: Any) -> Callable[[str], Cell]:
        reads = cell_reader(*of, **stated)
        return lambda raw: reads(raw)._replace(value=101)

    monkeypatch.setattr(run, "cell_reader", another)
    monkeypatch.setattr(run, "DIFFERENT_CELLS", 0)  # each cell is read by itself
    with pytest.raises(AssertionError, match="adds up to something else"):
        prepared(tmp_path, {"in.csv": content}, {"schema": fields()})
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_sums_of_numbers_read_at_once_stop_the_preparation_when_they_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = PlainNumbers.read

    def another(numbers: PlainNumbers, raws: list[str]) -> Numbers | None:
        found = reads(numbers, raws)
        return None if found is None else found._replace(after=found.after + 1)

    monkeypatch.setattr(PlainNumbers, "read", another)
    content = (",".join(COLUMNS) + "\nA-1,1.00,,,,,,,\n").encode()
    with pytest.raises(AssertionError, match="adds up to something else"):
        prepared(tmp_path, {"in.csv": content}, {"schema": fields()})
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
