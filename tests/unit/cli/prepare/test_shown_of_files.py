"""What is shown of files: the whole report of what was prepared, whole sentences of what was refused.

A report stands between an export and the money of a campaign. Each figure of these files is another, so that none can
stand in the place of another unnoticed.
"""

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.report import report_content, show_report
from tests.support.approved import must_be_as_approved
from tests.unit.cli.prepare.prepared import COLUMNS, POLICY, fields, prepared
from tests.unit.cli.prepare.small_workbook import workbook
from tests.unit.cli.prepare.test_bad_input import BOOKS, PLAIN, TEXTS
from tests.unit.cli.prepare.test_bad_input import POLICY as FEE_ALONE

GERMAN: dict[str, Any] = {
    "encoding": "windows-1252",
    "dialect": {"delimiter": ";", "headerRows": [3]},
    "footer": {"startsWith": ["Summe", "Stand"]},
    "drop": [{"column": "Konto", "is": ["Gesamt", "-"]}, {"column": "Art", "is": "Test"}],
    "ignore": ["currency"],
    "schema": fields({
        "account_id": {"from": "Konto"},
        "fee": {"from": "Betrag", "decimalChar": ",", "groupChar": ".", "symbols": "€"},
        "usage": {"decimalChar": ","}, "active": {"trueValues": "ja", "falseValues": "nein"},
        "since": {"format": "%d.%m.%Y"}, "seen": {"format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"},
        "plan": {"values": {"B": "basic", "P": "plus"}}, "note": {"constant": "from Excel"},
        "areas": {"delimiter": ",", "missingValues": "k.A."},
    }),
}  # fmt: skip
HEADER = "Konto;Betrag;usage;active;since;seen;plan;areas;Art;currency;Filiale"
EVERY_FACT = {"schema": fields()}
IGNORED = {"ignore": ["charge", "charges"]}
IDS = {"schema": {"fields": [{"name": "account_id"}]}}
DEFAULT = FEE_ALONE.replace("type: money", "type: money, default: 5.00 EUR").replace("fee", "charge")
WHOLE = ",".join(COLUMNS) + "\n"


def german(first: int, rows: int, *more: str) -> bytes:
    """A report as Excel saves it, with titles above."""
    lines = ["Bericht", "", HEADER]
    for number in range(first, first + rows):
        day, month = number % 12 + 1, number % 11 + 1
        moment = f"{day:02d}.{month:02d}.2026 1{number % 10}:30"
        lines.append(
            f" K-{number:04d};{1000 + number:,d},{number % 100:02d} €;{number},5;{'ja' if number % 3 else 'nein'};"
            f"{day:02d}.{month:02d}.2025;{moment};{'BP'[number % 2]};{'nord, süd' if number % 5 else 'k.A.'};A;EUR;7"
            .replace(f"{1000 + number:,d}", f"{1000 + number:,d}".replace(",", "."))
        )  # fmt: skip
    return ("\r\n".join([*lines, *more]) + "\r\n").encode("cp1252")


FIRST = german(
    1, 400, "Gesamt;1,00;;;;;;;A;;", " - ;2,00;;;;;;;A;;", "K-9998;3,00;1;ja;01.01.2025;01.01.2026 10:00;B;west;Test;;",
    HEADER, "K-7001;viel;1;ja;01.01.2025;01.01.2026 10:00;B;west;A;;", "K-7002;5;1,5;weiß nicht;;;;;A;;",
    "K-7003;1.234;x;;31.02.2025;25.10.2026 02:30;Q;a|b;A;;", "K-7004;7;8;;;;;;A;;;;",
    " K-7010;20.000.000,00 €;1234567890123456; vielleicht ;;;;;A;;", "K-7011; -5,00 ; 7;;;;;;A;;",
    "K-7005;7;8;;;;;;A;;;;x",
    "Summe;4,00;;;;;;;;;", "Stand: heute;;;;;;;;;;",
)  # fmt: skip
SECOND = german(501, 300, "K-7006;viel;1;;;;;;A;;", "Gesamt;9,00;;;;;;;A;;")
CASES: dict[str, tuple[Mapping[str, bytes], Mapping[str, Any], str]] = {
    "two reports of Excel": ({"mai.csv": FIRST, "juni.csv": SECOND}, GERMAN, POLICY),
    "days beyond doubt": ({"a.csv": german(1, 3, "K-1;5;1;ja;13.01.2025;;;;A;;")}, GERMAN, POLICY),
    "cents, gzip, one file": (
        {"cents.csv.gz": gzip.compress(b"account_id,fee\n" + b"".join(b"A-%d,%d\n" % (n, n * 101) for n in range(9)))},
        {"schema": fields({"fee": {"unit": "minor"}}, names=("account_id", "fee"))}, FEE_ALONE,
    ),
    "yen": ({"y.csv": b"account_id,fee\nA-1,5\nA-2,70\n"}, PLAIN, FEE_ALONE.replace("EUR", "JPY")),
    "dinar": ({"d.csv": b"account_id,fee\nA-1,5.5\nA-2,70\n"}, PLAIN, FEE_ALONE.replace("EUR", "KWD")),
    "a footer of two": (
        {"f.csv": b"account_id,fee\nA-1,5\nA-2,70\n\nTotal,\n,by me\n"}, PLAIN | {"footer": {"rows": 2}}, FEE_ALONE,
    ),
    "no header, comments, quotes of their own": (
        {"n.csv": b"# made today\n'A-1';'5'\n'A-2';'it''s';'x'\n" + b"'A-3';'7'\n" * 150},
        {"dialect": {"header": False, "delimiter": ";", "quoteChar": "'", "commentChar": "#"},
         "schema": {"fields": [{"name": "account_id", "from": 1}, {"name": "fee", "from": 2}]}}, FEE_ALONE,
    ),
    "objects": (
        {"o.jsonl": b'{"account_id": 7, "of": {"fee": 1.50, "at": 2}, "x": [1]}\n\n{"account_id": "A-2", "of": 1}\n'
                    b'{"account_id": "A-3", "of.fee": "2.00"}\n[]\n' + b'{"account_id": "A-9"}\n' * 120},
        {"schema": {"fields": [{"name": "account_id"}, {"name": "fee", "from": "of.fee"}]}}, FEE_ALONE,
    ),
    "thirteen columns left out": (
        {"l.csv": b"account_id,fee," + b",".join(b"c%d" % n for n in range(13)) + b"\nA-1,5" + b",x" * 13 + b"\n"},
        PLAIN, FEE_ALONE,
    ),
    "no column of the profile, of thirteen": (
        {"l.csv": b",".join(b"c%d" % n for n in range(13)) + b"\n" + b"x," * 12 + b"x\n"}, PLAIN, FEE_ALONE,
    ),
    "no column of the profile, of twelve": (
        {"l.csv": b",".join(b"c%d" % n for n in range(12)) + b"\n" + b"x," * 11 + b"x\n"}, PLAIN, FEE_ALONE,
    ),
    "another mark and line": ({"l.csv": b"a title\naccount_id|fee\nA-1|5\n"}, PLAIN, FEE_ALONE),
    "a misspelt fact left out": ({"l.csv": b"account_id,charges\nA-1,5\n"}, IDS, DEFAULT),
    "a fact left out": ({"l.csv": b"account_id,charge\nA-1,5\n"}, IDS, DEFAULT),
    "facts left out on purpose": ({"l.csv": b"account_id,charge,charges\nA-1,5,6\n"}, IDS | IGNORED,
                                  DEFAULT),
    "columns of old ids left out": ({"l.csv": b"account_id,fee,old_account\nA-1,5,A-0\n"}, PLAIN, FEE_ALONE),
    "the account that was, left out": ({"l.csv": b"account_id,fee,account_was\nA-1,5,A-0\n"}, PLAIN, FEE_ALONE),
    "two files that leave out others": (
        {"a.csv": b"account_id,fee,one,two\nA-1,5,,\n", "b.csv": b"three,account_id,fee,two\n,A-2,6,\n"},
        PLAIN, FEE_ALONE,
    ),
    "a header of commas": ({"h.csv": b",\naccount_id,fee\nA-1,5\n"}, PLAIN, FEE_ALONE),
    "three of one content": ({f"{n}.csv": b"account_id,fee\nA-1,5\n" for n in "abc"}, PLAIN, FEE_ALONE),
    "just one in a hundred": (
        {"h.csv": b"account_id,fee\n" + b"A-1,5\n" * 198 + b"A-2,x\nA-3,y\n"}, PLAIN, FEE_ALONE,
    ),
    "more than one in a hundred, worst first": (
        {"h.csv": WHOLE.encode() + b"A-1,5,1,true,,,,,\n" * 90 + b"A-2,,x,,,,,,\n" + b"A-3,,,1,,,,,\n" * 3
                  + b"A-4,,,,x,,,,\n" * 4 + b"A-5,,,,,x,,,\n" * 2}, EVERY_FACT, POLICY,
    ),
}  # fmt: skip


def shown(folder: Path, files: Mapping[str, bytes], profile: Mapping[str, Any], policy: str) -> Iterator[str]:
    """The refusal, or the report for programs, for people at 80 columns, and the list."""
    folder.mkdir()
    try:
        report, content = prepared(folder, files, profile, policy_text=policy)
    except Unusable as refused:
        yield f"refused: {refused.message.replace(str(folder), 'FOLDER')}"
        return
    for name, value in report_content(report).items():
        yield f"{name}: {json.dumps(value, ensure_ascii=False)}"
    out = Console(width=80, file=io.StringIO())
    show_report(out, report, Path("out"))
    assert isinstance(out.file, io.StringIO)
    yield from (line.rstrip() for line in out.file.getvalue().splitlines())
    lines = content.decode().splitlines()
    yield from (lines if len(lines) < 20 else [*lines[:6], "...", *lines[-8:]])


def test_what_is_shown_of_files_is_as_it_was_approved(tmp_path: Path) -> None:
    found: list[str] = []
    for place, (name, (files, profile, policy)) in enumerate(CASES.items()):
        found += [f"# {name}", *shown(tmp_path / str(place), files, profile, policy)]
    for place, (name, (content, profile, _)) in enumerate(TEXTS.items()):
        found += [f"# {name}", *shown(tmp_path / f"t{place}", {"in.csv": content}, profile, FEE_ALONE)]
    must_be_as_approved("\n".join(found) + "\n", Path(__file__))


@pytest.mark.parametrize("name", BOOKS)
def test_what_is_said_of_a_workbook_is_said_whole(tmp_path: Path, name: str) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    sheets, part = BOOKS[name]
    advice = {
        "two sheets": "name the one that is meant as dialect.sheetName of the profile",
        "hidden rows": "whoever saved the workbook does not see them; show them all, or copy the rows that are meant"
        " to a new sheet",
        "merged cells": "only the first of them has a value; unmerge them and fill each cell",
    }.get(name, "open the workbook in a spreadsheet and save it")
    (said,) = shown(tmp_path / "f", {"in.xlsx": workbook(sheets)}, PLAIN, FEE_ALONE)
    assert said.startswith("refused: FOLDER/in.xlsx: ")
    assert part in said
    assert said.endswith(advice)
