"""A list whose first line lacks a column is answered by what it has, what this probably is, and what to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.header import COLUMNS_PER_LIST, HEADER_BYTES, ListFormat, read_layout
from kulanz.domain.lists.header_advice import ACCOUNT_NAMES, LINES_LOOKED_AT, NAME_CHARACTERS, NAMES_SHOWN
from kulanz.domain.lists.lines import ListRefused

WANTED = ("account_id", "segment", "monthly_fee")
GOOD = "account_id,segment,monthly_fee\n2051,consumer,39.90\n"


def refusal(content: str) -> str:
    raw = content.encode()
    with pytest.raises(ListRefused) as refused:
        read_layout(ListFormat.CSV, raw, len(raw), WANTED)
    assert refused.value.reason == "column_missing"
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD.replace(",", ";"), ["semicolons", 'save the list with commas', '3 columns: "account_id", "segment"']),
        ("\ufeffaccount_id;Kunde\r\n0012345678;Mustermann\r\n", ["semicolons", '2 columns: "account_id", "Kunde"']),
        (GOOD.replace(",", "\t"), ["tabs between its columns"]),
        (GOOD.replace(",", "|"), ["bars between its columns"]),
        ("sep=,\n" + GOOD, ["Excel's `sep=`", "remove that line"]),
        ("sep=;\r\n" + GOOD.replace(",", ";"), ["remove that line and save the list with commas"]),
        ("Affected accounts\nExport of May\n" + GOOD, ["header seems to be line 3", "remove the 2 lines above it"]),
        ("Affected accounts\n" + GOOD.replace(",", ";"), ["line 2", "remove the line above it, and put commas"]),
        ("2051,consumer,39.90\n2052,consumer,39.90\n", ["looks like a row", "It has 3 columns"]),
        ('"ACCOUNT_ID","SEGMENT","MONTHLY_FEE"\n1,a,2\n', ['rename "ACCOUNT_ID" to "account_id"', "lower case"]),
        ("account_id, segment, monthly_fee\n1, a, 2\n", ['rename " segment" to "segment"', "no blanks after commas"]),
        ("Account ID,Segment,Monthly Fee\n1,a,2\n", ['rename "Account ID" to "account_id"']),
        ("id,segment,Email\ncus_9,a,\n", ['rename "id" to "account_id", if', "; add monthly_fee", '"Email"']),
        ("account_id,segmnet,monthly_fee\n1,a,2\n", ['rename "segmnet" to "segment", if that is what it holds']),
        ("account_id,segments,fee_monthly\n1,a,2\n", ['"segments" to "segment", "fee_monthly" to "monthly_fee", if']),
        ("account_id,t.segment,mthly_fee\n1,a,2\n", ['"t.segment" to "segment", "mthly_fee" to "monthly_fee", if']),
        ("account_id,plan\n1,a\n", ["add segment, monthly_fee, under exactly this name", '"plan"']),
    ],
)  # fmt: skip
def test_each_way_in_which_an_export_is_wrong_is_named_with_what_to_do(content: str, says: list[str]) -> None:
    told = refusal(content)
    assert told.startswith("the header lacks the column")
    assert [part for part in says if part not in told] == []


@given(
    cells=st.lists(
        st.from_regex(r"[A-Za-z]{4,9}[0-9]{5}|[0-9]{6}|[a-z]{3}@[a-z]{3}\.org", fullmatch=True), min_size=1, unique=True
    )
)
def test_what_looks_like_a_row_is_never_repeated(cells: list[str]) -> None:
    told = refusal(f"{','.join(cells)}\n{','.join(cells)}\n")
    assert not any(cell in told for cell in cells)


def test_names_of_people_without_a_header_are_not_repeated() -> None:
    assert "Mustermann" not in refusal("Mustermann,consumer\nMusterfrau,consumer\n")


@pytest.mark.parametrize("cell", ["anna@example.org", "2024-02-22 09:45", "cus_9f3a", "39.90", "true", "+49 30 123456"])
def test_no_cell_of_a_first_row_is_repeated_although_the_next_one_is_plainly_a_row(cell: str) -> None:
    assert cell not in refusal(f"{cell},Basic\nmax@example.org,39.90\n")


@pytest.mark.parametrize("second", ["20510,39.90", "max@example.org,true", "Musterfrau,Basic", ""])
@pytest.mark.parametrize("first", ["Mustermann,Basic", "Kunde,Betrag", "O'Neill,Dublin", "Müller,aktiv"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_of_a_first_line_without_any_known_name_only_the_number_of_columns_is_said(
    first: str, second: str, separator: str
) -> None:
    told = refusal(f"{first}\n{second}\n".replace(",", separator))
    assert [cell for cell in first.split(",") if cell in told] == []
    assert ("It has 2 columns" if separator == "," else "It has 1 column") in told
    assert f"put a header above it, with the names {', '.join(WANTED)}; if it is the header, give its columns" in told


@pytest.mark.parametrize("known", ["account_id", "ACCOUNT_ID", "acount_id", "Customer No", "segment", "segmnet"])
def test_a_header_is_shown_where_one_of_its_names_is_known_or_nearly_known(known: str) -> None:
    assert f'2 columns: "{known}", "Betrag"' in refusal(f"{known},Betrag\nMustermann,39.90\n")


@pytest.mark.parametrize(("above", "found"), [(1, True), (LINES_LOOKED_AT - 1, True), (LINES_LOOKED_AT, False)])
def test_a_header_is_looked_for_below_a_title_of_some_lines(above: int, found: bool) -> None:
    assert (f"line {above + 1}" in refusal("Affected accounts\n" * above + GOOD)) is found


def test_a_long_name_is_cut_and_what_cannot_be_printed_is_not() -> None:
    told = refusal(f"account_id,{'n' * NAME_CHARACTERS},{'m' * NAME_CHARACTERS}m,a\x07b\n1\n")
    assert f'"{"n" * NAME_CHARACTERS}", "{"m" * NAME_CHARACTERS}...", "a?b"' in told


@pytest.mark.parametrize("name", ACCOUNT_NAMES)
def test_every_usual_name_of_the_account_is_advised_to_be_renamed(name: str) -> None:
    for written in (name, name.title(), name.upper().replace(" ", "_"), name.replace(" ", "-")):
        assert f'rename "{written}" to "account_id"' in refusal(f"{written},segment,monthly_fee\n1,a,2\n")


@given(st.text(), st.booleans())
def test_any_first_lines_are_answered_in_bounds(content: str, after_title: bool) -> None:
    lines = ("x\n" * LINES_LOOKED_AT if after_title else "") + content.replace('"', "").replace("\0", "")
    raw = f"z{lines}\n1\n".encode()
    with pytest.raises(ListRefused) as refused:
        read_layout(ListFormat.CSV, raw, len(raw), WANTED)
    told = str(refused.value)
    assert len(told) < 2_000
    assert "\n" not in told
    assert told.isprintable()


def test_of_many_columns_the_first_are_shown() -> None:
    columns = [f"column_{chr(97 + place)}" for place in range(26)]
    assert f"and {27 - NAMES_SHOWN} more" in refusal(f"account_id,{','.join(columns)}\n1\n")


@pytest.mark.parametrize("more", [0, 1])
def test_a_header_has_as_many_columns_as_a_list_may_have_and_no_more(more: int) -> None:
    names = [*WANTED, *(f"c{number}" for number in range(COLUMNS_PER_LIST - len(WANTED) + more))]
    raw = f"{','.join(names)}\n1\n".encode()
    if not more:
        assert read_layout(ListFormat.CSV, raw, len(raw), WANTED).columns == tuple(names)
        return
    with pytest.raises(ListRefused, match=f"has {COLUMNS_PER_LIST + 1} columns; at most {COLUMNS_PER_LIST}") as refused:
        read_layout(ListFormat.CSV, raw, len(raw), WANTED)
    assert refused.value.reason == "too_many_columns"


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_header_ends_within_its_first_bytes(more: int, end: str) -> None:
    start = ",".join(WANTED)
    header = f"{start},{'x' * (HEADER_BYTES - len(start) - 1 - len(end) + more)}{end}"
    raw = f"{header}1,a,2\n".encode()
    if not more:
        assert read_layout(ListFormat.CSV, raw[:HEADER_BYTES], len(raw), WANTED).data_start == len(header)
        return
    with pytest.raises(ListRefused) as refused:
        read_layout(ListFormat.CSV, raw[:HEADER_BYTES], len(raw), WANTED)
    assert refused.value.reason == "header_too_long"


def test_lines_that_end_with_cr_alone_are_told() -> None:
    raw = GOOD.replace("\n", "\r").encode()
    with pytest.raises(ListRefused, match="CR alone"):
        read_layout(ListFormat.CSV, raw, len(raw), WANTED)
