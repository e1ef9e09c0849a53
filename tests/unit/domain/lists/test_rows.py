"""Lists of accounts: every line is read exactly once however the file is cut, and every row is typed or told."""

import csv
from collections.abc import Iterable, Iterator
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, ListLayout, format_of, read_layout
from kulanz.domain.lists.lines import LINE_BYTES, LINE_SCAN_BYTES, Line, ListRefused, is_blank, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import QUOTES_UNBALANCED, Problem, Row, row_digest

# Reading lines


def _blocks(content: bytes, start: int, block_bytes: int) -> Iterator[bytes]:
    for position in range(start, len(content), block_bytes):
        yield content[position : position + block_bytes]


def _lines_of_span(content: bytes, data_start: int, start: int, stop: int, block_bytes: int) -> list[Line]:
    read_from = start if start == data_start else start - 1
    return list(lines_starting_in(_blocks(content, read_from, block_bytes), read_from, start, stop, data_start))


def _lines_of_chunks(content: bytes, data_start: int, chunk_bytes: int, block_bytes: int) -> list[Line]:
    found = []
    for start in range(data_start, len(content), chunk_bytes):
        stop = min(start + chunk_bytes, len(content))
        found += _lines_of_span(content, data_start, start, stop, block_bytes)
    return found


def _plain_lines(content: bytes, data_start: int) -> list[Line]:
    """The lines of a file, read in the plainest way: the reference."""
    found, offset = [], data_start
    pieces = content[data_start:].split(b"\n")
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        if last and piece == b"":
            break
        end = offset + len(piece) + (not last)
        raw = piece.removesuffix(b"\r")
        is_long = len(raw) > LINE_BYTES
        found.append(Line(offset, None if is_long else raw, end, raw.count(b'"') if is_long else 0))
        offset = end
    return found


LISTLIKE = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b'"', b"account-1,consumer\n", b"x" * 40, b"\xef\xbb\xbf"]),
    ),
    max_size=40,
).map(b"".join)


@settings(max_examples=400)
@given(content=LISTLIKE, data_start=st.integers(0, 20), chunk_bytes=st.integers(1, 300), block_bytes=st.integers(1, 99))
@example(content=b"a\nb\n", data_start=0, chunk_bytes=2, block_bytes=1)
@example(content=b"a\r\nb", data_start=0, chunk_bytes=1, block_bytes=3)
def test_the_lines_of_all_chunks_are_the_lines_of_the_file_exactly_once(
    content: bytes, data_start: int, chunk_bytes: int, block_bytes: int
) -> None:
    data_start = min(data_start, len(content))

    assert _lines_of_chunks(content, data_start, chunk_bytes, block_bytes) == _plain_lines(content, data_start)


@settings(max_examples=300)
@given(content=LISTLIKE, start=st.integers(0, 200), length=st.integers(1, 400), block_bytes=st.integers(1, 99))
def test_a_span_holds_exactly_the_lines_that_start_in_it(
    content: bytes, start: int, length: int, block_bytes: int
) -> None:
    start = min(start, len(content))
    expected = [line for line in _plain_lines(content, 0) if start <= line.offset < start + length]

    assert _lines_of_span(content, 0, start, start + length, block_bytes) == expected


@given(content=LISTLIKE)
def test_lines_tile_the_file(content: bytes) -> None:
    lines = _plain_lines(content, 0)

    assert [line.offset for line in lines[1:]] == [line.end for line in lines[:-1]]
    assert (lines[0].offset, lines[-1].end) == (0, len(content)) if lines else content == b""


@pytest.mark.parametrize("length", [LINE_BYTES - 1, LINE_BYTES, LINE_BYTES + 1, LINE_BYTES + 2, 3 * LINE_BYTES])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("chunk_bytes", [1_000, LINE_BYTES, 10 * LINE_BYTES])
def test_a_line_of_64_kilobytes_is_read_and_a_longer_one_is_known_by_its_place(
    length: int, ending: bytes, chunk_bytes: int
) -> None:
    content = b"first\n" + b'"x' * (length // 2) + b'"' * (length % 2) + ending + (b"last\n" if ending else b"")

    found = _lines_of_chunks(content, 0, chunk_bytes, 30_000)

    assert found == _plain_lines(content, 0)
    assert (found[1].raw is None) is (length > LINE_BYTES)
    assert (found[1].offset, found[1].end) == (6, 6 + length + len(ending))


def test_no_bytes_are_asked_for_behind_the_last_wanted_line() -> None:
    asked = []

    def blocks() -> Iterator[bytes]:
        for block in (b"one\ntw", b"o\nthree\n", b"four\n"):
            asked.append(block)
            yield block

    found = list(lines_starting_in(blocks(), 0, 0, 5, 0))

    assert [line.raw for line in found] == [b"one", b"two"]
    assert asked == [b"one\ntw", b"o\nthree\n"]


def test_reading_from_elsewhere_than_the_byte_before_a_span_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="byte before"):
        list(lines_starting_in([b"abc"], 5, 5, 9, 0))


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 1_000_000

    with pytest.raises(ListRefused, match="no end within") as refused:
        list(lines_starting_in(endless(), 0, 0, 10**9, 0))

    assert refused.value.reason == "line_endless"
    assert asked <= LINE_SCAN_BYTES // 1_000_000 + 2


# Headers


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("lists/a.csv", ListFormat.CSV),
        ("lists/A.CSV", ListFormat.CSV),
        ("a.jsonl", ListFormat.JSONL),
        ("a.ndjson", "jsonl"),
    ],
)
def test_a_lists_format_is_told_by_its_name(key: str, expected: ListFormat) -> None:
    assert format_of(key) is ListFormat(expected)


@pytest.mark.parametrize(
    ("key", "reason"), [("a.csv.gz", "list_compressed"), ("a.zip", "list_compressed"), ("a.txt", "list_format_unknown")]
)
def test_another_name_is_refused_with_what_to_do(key: str, reason: str) -> None:
    with pytest.raises(ListRefused, match=r"upload|name it") as refused:
        format_of(key)
    assert refused.value.reason == reason


def _layout(content: bytes, *required: str, list_format: ListFormat = ListFormat.CSV) -> ListLayout:
    return read_layout(list_format, content[:HEADER_BYTES], len(content), required or ("account_id",))


@pytest.mark.parametrize(
    ("content", "columns", "data_start"),
    [
        (b"account_id,fee\na,1\n", ("account_id", "fee"), 15),
        (b"\xef\xbb\xbfaccount_id,fee\r\na,1", ("account_id", "fee"), 19),
        (b'"account_id","a ""fee"", net"\na,1\n', ("account_id", 'a "fee", net'), 30),
        ("account_id,größe\na,1\n".encode(), ("account_id", "größe"), 19),
    ],
)
def test_a_header_names_the_columns_and_where_rows_begin(
    content: bytes, columns: tuple[str, ...], data_start: int
) -> None:
    assert _layout(content) == ListLayout(ListFormat.CSV, columns, data_start)


def test_jsonl_begins_at_once_or_behind_a_byte_order_mark() -> None:
    assert _layout(b"{}\n", list_format=ListFormat.JSONL).data_start == 0
    assert _layout(b"\xef\xbb\xbf{}\n", list_format=ListFormat.JSONL).data_start == 3


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"", "list_empty", "no bytes"),
        (b"\x1f\x8b\x08", "list_compressed", "gzip"),
        (b"\xff\xfea\0", "list_not_utf8", "UTF-16"),
        (b"account_id,\xff\na,b\n", "list_not_utf8", "UTF-8"),
        (b"account_id", "list_without_rows", "no row"),
        (b"account_id\n", "list_without_rows", "no row"),
        (b"\xef\xbb\xbfaccount_id\r\n", "list_without_rows", "no row"),
        (b"id,fee\na,1\n", "column_missing", "account_id"),
        (b"\naccount_id\na\n", "header_malformed", "blank"),
        (b'account_id,"fee\na,1\n', "header_malformed", "quote"),
        (b'account_id,"fee"x\na,1\n', "header_malformed", "CSV"),
        (b"account_id,f\0e\na,1\n", "header_malformed", "NUL"),
        (b"account_id,fee,fee\na,1,2\n", "column_twice", "columns 2, 3"),
        (b"account_id" + b",c" * 256 + b"\n1\n", "too_many_columns", "257"),
        (b"account_id," + b"x" * HEADER_BYTES + b"\na,b\n", "header_too_long", str(HEADER_BYTES)),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_what_to_do(content: bytes, reason: str, says: str) -> None:
    with pytest.raises(ListRefused, match=says) as refused:
        _layout(content)
    assert refused.value.reason == reason


def test_a_header_lacking_several_columns_names_all_of_them() -> None:
    with pytest.raises(ListRefused, match="segment, fee"):
        _layout(b"account_id\na\n", "account_id", "segment", "fee")


def test_an_empty_jsonl_list_is_refused() -> None:
    with pytest.raises(ListRefused, match="no row"):
        _layout(b"\xef\xbb\xbf", list_format=ListFormat.JSONL)


# Rows

FACTS = (
    FactDeclaration("segment", "text", choices=("consumer", "business")),
    FactDeclaration("affected", "yes_no"),
    FactDeclaration("fee", "money", currency="EUR"),
    FactDeclaration("hours", "number", required=False),
)
CSV = ListLayout(ListFormat.CSV, ("note", "account_id", "segment", "affected", "fee"), 0)
JSONL = ListLayout(ListFormat.JSONL, (), 0)


def _row(raw: bytes, layout: ListLayout = CSV, unit: str | None = None) -> Row | Problem:
    return line_reader(layout, FACTS, unit, ()).row(raw)


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"n,a-1,consumer,yes,29.90", ("consumer", True, 2990, None)),
        (b'"n, ""quoted""",a-1,"consumer",no,29', ("consumer", False, 2900, None)),
        (b",a-1,,,", (None, None, None, None)),
    ],
)
def test_a_csv_row_is_typed_by_what_the_policy_declares(raw: bytes, values: tuple[object, ...]) -> None:
    assert _row(raw) == Row("a-1", "-", values)  # type: ignore[arg-type] # facts of several types


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b'{"account_id":"a-1","segment":"consumer","affected":true,"fee":29.90}', ("consumer", True, 2990, None)),
        (b'{"account_id":"a-1","fee":"29.90","hours":12.50,"x":[{}]}', (None, None, 2990, Fraction(25, 2))),
        (b'{"account_id":"a-1","fee":29,"hours":null}', (None, None, 2900, None)),
    ],
)
def test_a_jsonl_row_is_typed_by_what_the_policy_declares(raw: bytes, values: tuple[object, ...]) -> None:
    assert _row(raw, JSONL) == Row("a-1", "-", values)  # type: ignore[arg-type] # facts of several types


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ('"split.phone":1', 100),
        ('"split":{"phone":"1.00"}', 100),
        ('"split.phone":1,"split":{"phone":2}', 100),
        ('"split.phone":null,"split":{"phone":2}', None),
        ('"split":{"internet":1}', None),
        ('"split":7', None),
        ('"split":null', None),
        ('"phone":1', None),
    ],
)
def test_a_fact_with_a_dot_in_its_name_may_be_nested_in_jsonl(entries: str, value: int | None) -> None:
    reader = line_reader(JSONL, (FactDeclaration("split.phone", "money", currency="EUR"),), None, ())
    assert reader.row(f'{{"account_id":"a-1",{entries}}}'.encode()) == Row("a-1", "-", (value,))


@pytest.mark.parametrize("entries", ['"line.id":"l-1"', '"line":{"id":"l-1"}'])
def test_so_may_the_unit(entries: str) -> None:
    reader = line_reader(JSONL, (), "line.id", ())
    assert reader.row(f'{{"account_id":"a-1",{entries}}}'.encode()) == Row("a-1", "l-1", ())


@given(
    st.lists(
        st.lists(
            st.sampled_from(["a", "a-1", ",", ",", '"', '"', ' "', "\r", "yes", "\N{NO-BREAK SPACE}"]), max_size=12
        ).map("".join),
        max_size=8,
    )
)
@example(['n,"a-1,consumer,yes,"', 'n,"a-1",consumer,yes,1', '"', 'n,a-1,"consumer",yes,1'])
def test_no_csv_row_depends_on_the_rows_before_it(texts: list[str]) -> None:
    """One reader reads all lines of a list; each is a row of its own, as `csv` reads it alone."""
    reader = line_reader(CSV, FACTS, None, ())
    for text in texts:
        came = reader.split(text.encode())
        assert came == line_reader(CSV, FACTS, None, ()).split(text.encode())
        if '"' in text:
            try:
                next(csv.reader([text], strict=True))
            except csv.Error:
                assert isinstance(came, Problem)
                assert came.reason == "csv_malformed"
            else:
                assert not isinstance(came, Problem) or came.reason != "csv_malformed" or "blank" in came.expected


@pytest.mark.parametrize(
    ("raw", "reason", "field"),
    [
        (b"n,,consumer,yes,1", "account_id_missing", "account_id"),
        (b"n,a#b,consumer,yes,1", "account_id_invalid", "account_id"),
        (b"n,a/b,consumer,yes,1", "account_id_invalid", "account_id"),
        ("n,ä,consumer,yes,1".encode(), "account_id_invalid", "account_id"),
        (b"n," + b"a" * 65 + b",consumer,yes,1", "account_id_invalid", "account_id"),
        (b"n,a b,consumer,yes,1", "account_id_invalid", "account_id"),
        (b"n,a@example.com,consumer,yes,1", "account_id_invalid", "account_id"),
        (b"n,a,gold,yes,1", "fact_invalid", "segment"),
        (b"n,a,consumer,1,1", "fact_invalid", "affected"),
        (b"n,a,consumer,yes,Infinity", "fact_invalid", "fee"),
        (b"n,a,consumer,yes,1e3", "fact_invalid", "fee"),
        (b"n,a,consumer,yes,-1", "fact_invalid", "fee"),
        (b"n,a,consumer,yes,1_000", "fact_invalid", "fee"),
        (b"n,a,consumer,yes,1.234", "fact_invalid", "fee"),
        (b"n,a,consumer,yes,1 2", "fact_invalid", "fee"),
        (b"n,a,consumer,yes,10000000.01", "fact_invalid", "fee"),
        ("n,a,consumer,yes,٢٩".encode(), "fact_invalid", "fee"),
        ("n,a,consumer,yes,\N{FULLWIDTH DIGIT ONE}".encode(), "fact_invalid", "fee"),
        (b"n;a;consumer;yes;1", "field_count", ""),
        (b"n,a,consumer,yes,1,1", "field_count", ""),
        (b'n,"a"b,consumer,yes,""', "csv_malformed", ""),
        (b"n\xff,a,consumer,yes,1", "not_utf8", ""),
        (b"n\xed\xa0\x80,a,consumer,yes,1", "not_utf8", ""),
        (b"n\0,a,consumer,yes,1", "nul_character", ""),
    ],
)
def test_a_csv_row_with_a_problem_is_told_without_its_values(raw: bytes, reason: str, field: str) -> None:
    found = _row(raw)

    assert isinstance(found, Problem)
    assert (found.reason, found.field) == (reason, field)
    assert found.expected
    for cell in raw.decode("utf-8", "replace").split(","):
        assert len(cell) < 4 or cell == "consumer" or cell not in found.expected


@pytest.mark.parametrize(
    ("raw", "reason", "field"),
    [
        (b'{"account_id":"a"', "json_malformed", ""),
        (b'["a"]', "json_malformed", ""),
        (b'{"account_id":"a","fee":1,"fee":2}', "json_malformed", ""),
        (b'{"account_id":"a","fee":NaN}', "json_malformed", ""),
        (b'{"account_id":"a","fee":Infinity}', "json_malformed", ""),
        (b"[" * 30_000, "json_malformed", ""),
        (b'{"account_id":"a","fee":' + b"9" * 5_000 + b"}", "json_malformed", ""),
        (b'{"fee":1}', "account_id_missing", "account_id"),
        (b'{"account_id":[7]}', "account_id_invalid", "account_id"),
        (b'{"account_id":"a\\u0000"}', "account_id_invalid", "account_id"),
        (b'{"account_id":"a","affected":"yes"}', "fact_invalid", "affected"),
        (b'{"account_id":"a","affected":1}', "fact_invalid", "affected"),
        (b'{"account_id":"a","fee":true}', "fact_invalid", "fee"),
        (b'{"account_id":"a","fee":1e3}', "", ""),
        (b'{"account_id":"a","fee":1e400}', "fact_invalid", "fee"),
        (b'{"account_id":"a","fee":1e999999999}', "fact_invalid", "fee"),
        (b'{"account_id":"a","hours":1e-999999999}', "fact_invalid", "hours"),
        (b'{"account_id":"a","hours":0e999999999}', "fact_invalid", "hours"),
        (b'{"account_id":"a","segment":["consumer"]}', "fact_invalid", "segment"),
    ],
)
def test_a_jsonl_row_with_a_problem_is_told(raw: bytes, reason: str, field: str) -> None:
    found = _row(raw, JSONL)

    if reason:
        assert isinstance(found, Problem)
        assert (found.reason, found.field) == (reason, field)
    else:
        assert isinstance(found, Row)


def test_a_unit_is_read_from_its_column_and_must_be_a_name() -> None:
    layout = ListLayout(ListFormat.CSV, ("account_id", "line"), 0)
    reader = line_reader(layout, (), "line", ())

    assert reader.row(b"a,line-1") == Row("a", "line-1", ())
    for raw, why in (
        (b"a,", "missing"),
        (b"a", "field_count"),
        (b"a,x#y", "invalid"),
        (b"a,-", "null"),
        (b"a,Sum", "total"),
    ):
        found = reader.row(raw)
        assert isinstance(found, Problem)
        assert (found.reason, found.field) in ((f"subject_id_{why}", "line"), (why, ""))


@given(raw=st.binary(max_size=80), as_json=st.booleans())
def test_whatever_a_line_holds_it_is_a_row_or_a_problem(raw: bytes, as_json: bool) -> None:
    assert isinstance(_row(raw, JSONL if as_json else CSV), (Row, Problem))


@given(parts=st.lists(st.tuples(*[st.text("ab:1#", max_size=3)] * 3), max_size=6, unique=True))
def test_different_rows_have_different_digests(parts: Iterable[tuple[str, str, str]]) -> None:
    digests = [row_digest(*part) for part in parts]

    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(("raw", "unbalanced"), [(b'a,"b"', False), (b'a,"b', True), (b'a,""",', True), (b"a", False)])
def test_an_odd_number_of_quotes_may_hide_a_line_break(raw: bytes, unbalanced: bool) -> None:
    for line in (Line(0, raw, len(raw)), Line(0, None, 10**6, raw.count(b'"'))):
        for layout in (CSV, JSONL):
            found = line_reader(layout, FACTS, None, ()).record(line)
            says_so = isinstance(found, Problem) and found.reason == QUOTES_UNBALANCED
            assert says_so is (unbalanced and layout is CSV)


@pytest.mark.parametrize("raw", [b", ,", b"\t", b" ", b",,\r"])
def test_what_is_an_empty_row_of_a_spreadsheet_is_a_broken_record_of_json_lines(raw: bytes) -> None:
    assert is_blank(raw, is_csv=True)
    assert not is_blank(raw, is_csv=False)
    assert is_blank(b"", is_csv=False)
    assert is_blank(b"\r", is_csv=False)
    assert not is_blank(None, is_csv=True), "a line that is too long is none of these"


@pytest.mark.parametrize(
    ("raw", "is_right"),
    [(b"a-1,,9,", True), (b"a-1", True), (b"a-1,x,9,", False), (b"a-1,,9,x", False), (b"a-1,x,9,x", False)],
)
def test_each_cell_under_a_column_without_a_name_is_empty(raw: bytes, is_right: bool) -> None:
    layout = ListLayout(ListFormat.CSV, ("account_id", "", "fee", " "), 0)
    found = line_reader(layout, (), None, ()).row(raw)
    if is_right:
        assert isinstance(found, Row)
        assert found.account_id == "a-1"
    else:
        assert isinstance(found, Problem)
        assert found.reason is RowReason.FIELD_WITHOUT_COLUMN
