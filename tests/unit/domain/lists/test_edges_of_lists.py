"""The edges of what a list may hold, from both sides, and what a row's problem says was expected."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kulanz.domain.lists.account_ids import DIGITS_KEPT, IdProblem, read_id
from kulanz.domain.lists.check_digits import CHECK_DIGITS
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, ListLayout, read_layout
from kulanz.domain.lists.header_advice import advice
from kulanz.domain.lists.id_shape import IdShape, IdShapeError
from kulanz.domain.lists.lines import LINE_BYTES, Line, ListRefused, lines_starting_in
from kulanz.domain.lists.manifest import Manifest, Part, must_be_one_list, read_manifest
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import Problem, Row
from kulanz.domain.lists.to_bill import NEXT_BILLS_MOST, next_bills_of
from tests.unit.domain.lists.test_manifest import HEADER, KEY, parts_of

# Ids


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (2**53, ""), (2**53 + 1, "rounded"), (0, "null"), (1, ""), (-1, "invalid"), (True, "boolean"),
        (Decimal("20510000005.0"), "decimal"), (Decimal("1E+3"), "exponent"), (Decimal("2.05E+10"), "exponent"),
        (1.5, "invalid"), ([], "invalid"), (None, "missing"),
        ("1" * DIGITS_KEPT + "0000", "rounded"), ("1" * DIGITS_KEPT + "000", ""), ("1" * (DIGITS_KEPT + 1) + "000", ""),
        ("1" * 12 + "0" * 7, "rounded"), ("1" * 11 + "0" * 8, ""),
        ("1899-12-31", ""), ("1900-01-01", "date"), ("2100-12-31", "date"), ("2101-01-01", ""), ("2024-02-30", ""),
        ("31.12.2024", "date"), ("12.31.2024", "date"), ("32.13.2024", ""), ("2024-10.12", ""),
        ("12-Oct", "date"), ("12-Foo", ""), ("12Oct", ""), ("12Oct24", "date"), ("12Foo24", ""), ("12:30", "date"),
        ("Oct-12", "date"), ("Foo-12", ""),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_or_a_float_made_of_an_id_is_told_from_an_id(given: object, kind: str) -> None:
    found = read_id(given)
    assert (found.kind if isinstance(found, IdProblem) else "") == kind
    assert kind or found == str(given)


ACCOUNTS, LINES = IdShape(pattern=r"\d{4}"), IdShape(pattern=r"L\d{2}")


@pytest.mark.parametrize("raw", [b"1234,L07", b'{"account_id":"1234","line":"L07"}'])
@pytest.mark.parametrize(("accounts", "lines"), [(ACCOUNTS, LINES), (ACCOUNTS, None), (None, LINES), (None, None)])
def test_accounts_and_subjects_have_each_their_own_shape(
    raw: bytes, accounts: IdShape | None, lines: IdShape | None
) -> None:
    is_csv = not raw.startswith(b"{")
    layout = ListLayout(
        ListFormat.CSV if is_csv else ListFormat.JSONL, ("account_id", "line") if is_csv else (), 0, accounts, lines
    )
    reader = line_reader(layout, (), "line", ())
    assert reader.row(raw) == Row("1234", "L07", ())
    for wrong, shape, column in ((b"12345", accounts, "account_id"), (b"L7", lines, "line")):
        found = reader.row(raw.replace(b"1234" if column == "account_id" else b"L07", wrong))
        assert isinstance(found, Row) is (shape is None)
        assert shape is None or (isinstance(found, Problem) and found.field == column)


def test_of_an_account_and_a_subject_that_are_both_wrong_both_are_told() -> None:
    reader = line_reader(ListLayout(ListFormat.CSV, ("account_id", "line"), 0), (), "line", ())
    expected = {
        b"NULL,line-1": [("account_id_null", "account_id")],
        b"a-1,Total": [("subject_id_total", "line")],
        b"NULL,Total": [("account_id_null", "account_id"), ("subject_id_total", "line")],
    }
    for raw, problems in expected.items():
        found = reader.row(raw)
        assert isinstance(found, Problem)
        assert [(one.reason.value, one.field) for one in found.each()] == problems


def test_where_a_shape_is_stated_nothing_else_is_an_id_however_sure_it_looks() -> None:
    for accounts, is_row in ((None, True), (ACCOUNTS, False)):
        reader = line_reader(ListLayout(ListFormat.CSV, ("account_id",), 0, accounts), (), None, ())
        assert isinstance(reader.row(b"W-1001"), Row) is is_row


@pytest.mark.parametrize(
    ("pattern", "fits"), [(r"a{64}", True), (r"a{65}", False), (r"a{3,64}", True), (r"a{3,2}", False)]
)
def test_a_shape_counts_up_to_the_longest_id(pattern: str, *, fits: bool) -> None:
    if fits:
        assert isinstance(IdShape(pattern=pattern).reader()("b"), IdProblem)
        return
    with pytest.raises(IdShapeError, match="up to 64"):
        IdShape(pattern=pattern)


# What was expected

DECLARED = {
    "text": "a text", "yes_no": "true or false", "number": "a plain decimal number", "money": "an amount",
    "instant": "an instant", "day": "a day", "zone": "an IANA time zone", "list": "a text",
    "numbers": "a plain decimal", "amounts": "an amount", "dates": "a day", "windows": "windows",
}  # fmt: skip


def facts(*types: str, **stated: Any) -> tuple[FactDeclaration, ...]:
    return tuple(FactDeclaration(type_, type_, currency="EUR", **stated) for type_ in types)


def test_each_wrong_cell_of_a_row_is_told_by_its_column_with_what_was_expected_of_its_type() -> None:
    """And not with the word `expected` twice: whoever shows it writes that before."""
    declared = facts(*DECLARED)
    wrong = ",".join(["\x01" if type_ == "text" else "a|#REF!" if type_ == "list" else "x y" for type_ in DECLARED])
    layout = ListLayout(ListFormat.CSV, ("account_id", *DECLARED), 0)
    found = line_reader(layout, declared, None, ()).row(f"a-1,{wrong}".encode())
    assert isinstance(found, Problem)
    problems = list(found.each())
    assert [(one.reason, one.field) for one in problems] == [(RowReason.FACT_INVALID, type_) for type_ in DECLARED]
    for one in problems:
        assert one.expected.startswith(DECLARED[one.field]), one
        assert "expected" not in one.expected


def test_a_separator_that_the_policy_names_is_the_only_one_and_else_another_mark_is_asked_about() -> None:
    (named,), (unnamed,) = facts("list", separator=";"), facts("list")
    assert named.parse_text("a,b;c|".rstrip("|")) == ("a,b", "c")
    assert named.parse_text("a,b") == ("a,b",)
    for text in ("a,b", "a;b"):
        with pytest.raises(FactError, match="name the separator") as refused:
            unnamed.parse_text(text)
        assert refused.value.reason == RowReason.LIST_SEPARATOR_UNKNOWN
    assert unnamed.parse_text("a,b|c") == ("a,b", "c")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("numbers", [1, True]), ("amounts", [True]), ("number", True), ("money", [1]), ("text", ["a"]),
        ("day", 20260101), ("windows", [{"start": "2026-05-04T08:00:00Z", "end": None, "zone": "UTC"}]),
        ("windows", [{"start": "2026-05-04T08:00:00Z", "end": 5}]), ("windows", ["x"]), ("list", [5]), ("yes_no", 1),
        ("number", Decimal("1E+99")), ("list", {"a": 1}),
    ],
)  # fmt: skip
def test_a_value_of_json_that_is_not_of_the_type_is_refused(type_: str, value: object) -> None:
    (fact,) = facts(type_)
    with pytest.raises(FactError) as refused:
        fact.parse_json(value)
    assert refused.value.field == type_
    assert "expected" not in refused.value.expected


# The bill


@pytest.mark.parametrize(("months", "fits"), [((1, 2), True), ((), False), ((1, 1), False), ((2, 1), False)])
def test_bill_dates_are_at_least_one_and_each_after_the_one_before(months: tuple[int, ...], *, fits: bool) -> None:
    days = tuple(date(2027, month, 5) for month in months)
    if fits:
        assert next_bills_of(days) == days
        return
    with pytest.raises(FactError, match="next bills"):
        next_bills_of(days)


@pytest.mark.parametrize(("number", "fits"), [(NEXT_BILLS_MOST, True), (NEXT_BILLS_MOST + 1, False)])
def test_bill_dates_are_at_most_so_many(number: int, *, fits: bool) -> None:
    days = tuple(date(2027 + place // 12, place % 12 + 1, 5) for place in range(number))
    if fits:
        assert next_bills_of(days) == days
        return
    with pytest.raises(FactError):
        next_bills_of(days)


# Headers, lines and parts


def test_several_columns_may_have_no_name() -> None:
    content = b"account_id,,fee, ,\na-1,,5,,\n"
    layout = read_layout(ListFormat.CSV, content, len(content), ["account_id", "fee"])
    assert (layout.columns, layout.unnamed) == (("account_id", "", "fee", " ", ""), (1, 3, 4))


@pytest.mark.parametrize("more", [0, 1])
def test_a_line_that_is_cut_just_before_its_end_is_read_as_if_it_were_not(more: int) -> None:
    """A line of the longest kind with both characters of its end, of which a block has the first alone."""
    line = b"x" * (LINE_BYTES + more)
    content = line + b"\r\na-2\n"
    for cut in range(LINE_BYTES - 1, LINE_BYTES + more + 3):

        def blocks(at: int = cut) -> Iterator[bytes]:
            yield content[:at]
            yield content[at:]

        found = list(lines_starting_in(blocks(), 0, 0, len(content), 0))
        end = LINE_BYTES + more + 2
        assert found == [Line(0, None if more else line, end), Line(end, b"a-2", len(content))], cut


@pytest.mark.parametrize("name", Part._fields)
def test_a_part_of_a_manifest_has_a_key_a_version_a_checksum_and_a_size(name: str) -> None:
    told = json.loads(Manifest(HEADER, parts_of([b"A-1,1\n"])).text())
    assert read_manifest(KEY, json.dumps(told).encode()).parts[0].size == len(HEADER) + 6
    for wrong in ("", None, 1.5):
        told["parts"][0] = {**told["parts"][0], name: wrong}
        with pytest.raises(ListRefused, match="cannot be read"):
            read_manifest(KEY, json.dumps(told).encode())


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_a_manifests_header_is_as_long_as_a_lists_may_be(more: int, *, fits: bool) -> None:
    header = b"account_id," + b"x" * (HEADER_BYTES - 12 + more) + b"\n"
    manifest = Manifest(header, parts_of([b"A-1,1\n"], header))
    assert len(header) == HEADER_BYTES + more
    if fits:
        must_be_one_list(KEY, manifest)
        return
    with pytest.raises(ListRefused, match="header is not the one line"):
        must_be_one_list(KEY, manifest)


def test_a_byte_of_the_header_is_that_of_the_first_part_and_equal_keys_are_named() -> None:
    parts = parts_of([b"A-1,1\n", b"A-2,2\n"])
    found = Manifest(HEADER, parts).place(3)
    assert (found.part, found.start, found.stop) == (parts[0], 3, 4)
    with pytest.raises(ListRefused, match=r"part-00000\.csv and lists/acme/part-00001\.csv have the same"):
        must_be_one_list(KEY, Manifest(HEADER, (parts[0], parts[1]._replace(etag=parts[0].etag))))


# Check digits and advice

DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABETS = {
    "luhn": DIGITS, "verhoeff": DIGITS, "damm": DIGITS, "iso7064.mod_11_2": f"{DIGITS}X", "iso7064.mod_11_10": DIGITS,
    "iso7064.mod_37_2": f"{DIGITS}{LETTERS}*", "iso7064.mod_37_36": f"{DIGITS}{LETTERS}",
}  # fmt: skip


@pytest.mark.parametrize("name", ALPHABETS)
def test_each_payload_has_one_check_character_and_each_character_is_the_one_of_some(name: str) -> None:
    payloads = [f"{number:03d}" for number in range(500)]
    fitting = [[last for last in ALPHABETS[name] if CHECK_DIGITS[name](payload + last)] for payload in payloads]
    assert {len(found) for found in fitting} == {1}
    assert {found[0] for found in fitting} == set(ALPHABETS[name])


@pytest.mark.parametrize(("mark", "says"), [(",", ""), (";", " and save the list with commas between its columns")])
def test_a_line_of_a_spreadsheets_separator_is_to_be_removed(mark: str, says: str) -> None:
    found = advice(f"sep={mark}\naccount_id{mark}fee\n", ["account_id", "fee"])
    assert found == f"the first line is Excel's `sep=`, not the header: remove that line{says}"
