"""What is proposed of a file, whole: what was found, what each column would become, what is asked, and the profile.

A proposal that is wrong is signed by whoever reads only what is shown. Each file here is one that some tool writes, or
one of which something cannot be known.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.profile import COLUMNS_MOST, HEADER_ROWS_MOST
from kulanz_cli.prepare.proposal import WORDS_ASKED, answered, propose
from kulanz_cli.prepare.sniffing import FOOTER_LINES, HEADER_LINES
from tests.support.approved import must_be_as_approved
from tests.unit.cli.prepare.prepared import COLUMNS, POLICY, policy
from tests.unit.cli.prepare.test_proposal import CHOICES

HEADER = ",".join(COLUMNS)
SEEN = "2026-01-01T00:00:00Z"
ROW = {"account_id": "A-1", "fee": "1.50", "usage": "1.5", "active": "yes", "since": "2026-01-02", "seen": SEEN,
       "plan": "basic", "note": "n", "areas": "a"}  # fmt: skip
LINES = "kulanz: 1\nid: l\nversion: 1\ntitle: T\ncurrency: EUR\nsubject: line\nfacts: {fee: money}\npay: fee\n"
OWN = b"""account_id,line,fee,ccy,biller_account,next_bill_on,account_was,account_since,more
A-1,L-1,1.5,EUR,B-1,,A-0,,
"""
FLAT = "kulanz: 1\nid: f\nversion: 1\ntitle: F\ncurrency: EUR\npay: 5 EUR\n"
USUAL = ("an id", "decimals behind '.'", "yes or no, as it is", "days, as they are", "instants, as they are",
         "one of basic, plus", "as it is", "a list of one")  # fmt: skip
OPTIONAL = POLICY.replace("usage: {type: number}", "usage: {type: number, default: 3}")


def rows(*changes: Mapping[str, str], mark: str = ",", header: str = HEADER) -> bytes:
    """Rows with all that is known, changed where something is stated."""
    lines = [mark.join(f'"{cell}"' if mark in cell else cell for cell in {**ROW, **one}.values()) for one in changes]
    return ("\n".join([header.replace(",", mark), *lines]) + "\n").encode()


def columns(**cells: tuple[str, ...]) -> bytes:
    """Rows in which some columns have these cells, one after the other."""
    count = max(map(len, cells.values()))
    return rows(*({name: some[place % len(some)] for name, some in cells.items()} for place in range(count)))


TYPED = [
    {"account_id": 7, "fee": 19.99, "usage": 5, "active": True, "seen": "2026-01-01T00:00:00Z", "areas": ["a", "b"]},
    {"account_id": 2**60, "fee": 5, "usage": None, "active": False, "line": {"id": "x"}, "currency": "EUR"},
]
FILES: dict[str, tuple[bytes, dict[str, str], str]] = {
    "all as they are": (rows({}, {"fee": "", "note": "NULL"}), {}, POLICY),
    "another order and case": (rows({}, header=HEADER.replace("fee", "FEE").replace("plan", "Pl an")), {}, POLICY),
    "amounts of Germany": (columns(fee=("1.234,50 €", "7,00 €"), usage=("1.234.567,5", "2")), {}, POLICY),
    "amounts of the US": (columns(fee=("EUR 1,234.50", "7"), usage=("-1,234", "1,234,567")), {}, POLICY),
    "amounts of Switzerland": (columns(fee=("1'234.50",), usage=("0.125",)), {}, POLICY),
    "a thousand or not": (columns(usage=("1.234", "12.345")), {}, POLICY),
    "a thousand, answered": (columns(usage=("1.234", "12.345")), {"usage.decimalChar": ","}, POLICY),
    "marks that contradict": (columns(fee=("1.5", "1,5")), {}, POLICY),
    "marks that contradict, answered": (columns(fee=("1.5", "1,5")), {"fee.decimalChar": ","}, POLICY),
    "an answer that is none": (columns(usage=("1.234",)), {"usage.decimalChar": ";"}, POLICY),
    "cents or euros": (columns(fee=("1999", "5")), {}, POLICY),
    "cents": (columns(fee=("1999", "5")), {"fee.unit": "minor"}, POLICY),
    "euros": (columns(fee=("1999", "5")), {"fee.unit": "major"}, POLICY),
    "yen": (columns(fee=("1999", "5")), {}, POLICY.replace("currency: EUR", "currency: JPY")),
    "a sign of another currency": (columns(fee=("$ 5.00",)), {}, POLICY),
    "another code": (columns(fee=("5.00 USD",)), {}, POLICY),
    "words for yes": (columns(active=("Ja", "NEIN", "ja")), {}, POLICY),
    "one and zero": (columns(active=("1", "0")), {}, POLICY),
    "yes alone": (columns(active=("wahr",)), {}, POLICY),
    "words that nobody knows": (columns(active=("an", "aus", "weg")), {}, POLICY),
    "words that nobody knows, answered": (
        columns(active=("an", "aus", "weg")), {"active.trueValues": "an", "active.falseValues": "aus,weg"}, POLICY,
    ),
    "days and times of Germany": (columns(since=("27.02.2026",), seen=("27.02.2026 09:05",)), {}, POLICY),
    "days and times, answered": (
        columns(since=("02/03/2026",), seen=("02/03/2026 09:05 PM",)),
        {"since.format": "%d/%m/%Y", "seen.format": "%m/%d/%Y %I:%M %p", "seen.timezone": "America/New_York"}, POLICY,
    ),
    "days that nobody knows": (columns(since=("Tuesday",), seen=("noon",)), {}, POLICY),
    "times without an offset": (columns(seen=("2026-01-01 00:00:00",)), {"seen.timezone": "Asia/Tokyo"}, POLICY),
    "seconds since 1970": (columns(seen=("1767225600",)), {"seen.format": "epoch"}, POLICY),
    "milliseconds since 1970": (columns(seen=("1767225600123",)), {}, POLICY),
    "seconds and milliseconds": (columns(seen=("1767225600", "1767225600123")), {}, POLICY),
    "words for choices": (columns(plan=("Basic", "PLUS", "P3")), {}, POLICY),
    "words for choices, answered": (columns(plan=("Basic", "PLUS", "P3")), {"plan.values.P3": "plus"}, POLICY),
    "as many words as are asked": (columns(plan=tuple(f"P{n:02d}" for n in range(WORDS_ASKED))), {}, POLICY),
    "more words than are asked": (columns(plan=tuple(f"P{n:02d}" for n in range(WORDS_ASKED + 1))), {}, POLICY),
    "lists with commas": (columns(areas=("a, b", "c;d")), {}, POLICY),
    "lists with commas, answered": (columns(areas=("a, b", "c")), {"areas.delimiter": ","}, POLICY),
    "lists with bars": (columns(areas=("a|b", "c,d")), {}, POLICY),
    "lists of JSON": (columns(areas=('["a"]', "c")), {}, POLICY),
    "ids that would be rejected": (columns(account_id=("A-1", "Total", "NULL", "", "Total")), {}, POLICY),
    "a column that is missing": (rows({}, header=HEADER.replace("usage", "data_used")), {}, POLICY),
    "one that may be missing": (rows({}, header=HEADER.replace("usage", "data_used")), {}, OPTIONAL),
    "one that may be missing, and nearly is there": (rows({}, header=HEADER.replace("usage", "usages")), {}, OPTIONAL),
    "one that may be missing, answered": (
        rows({}, header=HEADER.replace("usage", "usages")), {"usage.from": ""}, OPTIONAL,
    ),
    "one that must not be missing, answered so": (
        rows({}, header=HEADER.replace("usage", "usages")), {"usage.from": ""}, POLICY,
    ),
    "an answer that names no column": (rows({}), {"fee.from": "price"}, POLICY),
    "a name of accounts": (rows({}, header=HEADER.replace("account_id", "Customer No")), {}, POLICY),
    "two columns of one name but for case": (b"account_id,line,fee,Fee\nA-1,L-1,1.5,2.5\n", {}, LINES),
    "lines": (b"line,account_id,fee\nL-1,A-1,1.5\nL-2,,2.5\nTotal,A-2,1\n", {}, LINES),
    "columns of its own": (OWN, {}, LINES),
    "no header": (rows({}).partition(b"\n")[2], {}, POLICY),
    "no header, answered": (
        rows({}).partition(b"\n")[2],
        {"dialect.header": "false", **{f"{name}.from": str(place) for place, name in enumerate(COLUMNS, 1)}}, POLICY,
    ),
    "two marks that fit as well": (b"p;q,r\nA;1,2\nB;2,3\n", {}, CHOICES),
    "two marks, answered": (b"p;q,r\nA;1,2\nB;2,3\n", {"dialect.delimiter": ";"}, CHOICES),
    "one column": (b"account_id\nA-1\nA-2\n", {}, FLAT),
    "another encoding": (columns(note=("Müller",)).decode().encode("cp1252"), {}, POLICY),
    "another encoding, answered": (
        columns(note=("Müller",)).decode().encode("cp1252"), {"encoding": "windows-1252"}, POLICY,
    ),
    "UTF-16": (rows({}).decode().encode("utf-16"), {}, POLICY),
    "a byte order mark": (b"\xef\xbb\xbf" + rows({}), {}, POLICY),
    "titles and a footer": (b"A title\n\nof today\n" + rows({}, {}) + b"Total,\nmade by me\n", {}, POLICY),
    "titles without number": (b"A title\n" * (HEADER_LINES - 1) + rows({}), {}, POLICY),
    "a title too many": (b"A title\n" * HEADER_LINES + rows({}), {}, POLICY),
    "as long a footer as is looked for": (rows({}, {}) + (b"x" * 300 + b",\n") * FOOTER_LINES, {}, POLICY),
    "tabs": (rows({}, mark="\t"), {}, POLICY), "bars": (rows({}, mark="|"), {}, POLICY),
    "objects": ("\n".join(map(json.dumps, TYPED)).encode(), {}, OPTIONAL),
    "an empty file": (b"", {}, POLICY), "blank lines": (b"\n \n", {}, POLICY),
    "gzip cut off": (b"\x1f\x8b\x08", {}, POLICY),
    "no workbook": (b"PK\x03\x04x", {}, POLICY),
}  # fmt: skip


def shown(folder: Path, content: bytes, answers: Mapping[str, str], text: str) -> Iterator[str]:
    """What is found, column by column; what is open; the profile as it would be written."""
    folder.mkdir()
    path = folder / "export.csv"
    path.write_bytes(content)
    try:
        found = propose(path, "export", policy(folder, text), answers)
    except Unusable as refused:
        yield f"refused: {refused.message.replace(str(folder), 'FOLDER')}"
        return
    usual = [name for name, has, becomes in found.columns if has.startswith("1 ") and becomes in USUAL]
    yield f"file: {found.file}; left out: {', '.join(found.left_out)}; as usual: {', '.join(usual)}"
    yield from (" | ".join(one) for one in found.columns if one[0] not in usual)
    for one in found.questions:
        yield f"{one.key}? {one.text} {list(one.choices)}"
    stated = found.content | {
        "schema": [one for one in found.content.get("schema", {}).get("fields", ()) if len(one) > 1]
    }
    yield json.dumps(stated, ensure_ascii=False)


def test_what_is_proposed_is_as_it_was_approved(tmp_path: Path) -> None:
    found: list[str] = []
    for place, (name, (content, answers, text)) in enumerate(FILES.items()):
        if name != "no workbook":
            found += [f"# {name}", *shown(tmp_path / str(place), content, answers, text)]
    must_be_as_approved("\n".join(found) + "\n", Path(__file__))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (("a.b=c",), [("a.b", "c")]), (("a=", "b=c=d"), [("a", ""), ("b", "c=d")]), (("a",), None), (("=b",), None),
        (("a=1", "a=2"), [("a", "1"), ("a", "2")]),
    ],
)  # fmt: skip
def test_an_answer_is_a_key_and_a_value(pairs: tuple[str, ...], expected: Any) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="an answer is written KEY=VALUE"):
            list(answered(pairs))
        return
    assert list(answered(pairs)) == expected


def test_what_a_profile_takes_at_most_is_as_it_was_approved() -> None:
    assert (COLUMNS_MOST, HEADER_ROWS_MOST, HEADER_LINES, FOOTER_LINES, WORDS_ASKED) == (256, 100, 30, 20, 20)
