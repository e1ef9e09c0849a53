"""A proposed profile reads its file rightly, or there is no profile: what cannot be known is asked, never guessed."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from kulanz_cli.main import main
from kulanz_cli.prepare.proposal import propose
from tests.unit.cli.prepare.prepared import COLUMNS, POLICY, canonical, policy, prepared, rows_of
from tests.unit.cli.prepare.small_workbook import Cell, sheet, workbook
from tests.unit.cli.prepare.test_round_trip import TABLE, Account


def accounts(count: int = 60, seed: int = 5) -> list[Account]:
    """Accounts whose days and amounts leave no doubt about their form."""
    chance = random.Random(seed)
    return [
        Account(
            account_id=f"K-{number:06d}",
            fee=Decimal(chance.randrange(100, 5_000_000)).scaleb(-2),
            usage=Decimal(chance.randrange(1, 9_999_999)).scaleb(-4),
            active=chance.random() < 0.5,
            since=date(2020, 1, 1) + timedelta(days=chance.randrange(2000)),
            seen=datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(90_000)),
            plan=chance.choice(["basic", "plus", None]),
            note=chance.choice(["a note", None]),
            areas=tuple(chance.sample(["north", "south", "east"], 2)),
        )
        for number in range(count)
    ]


ANSWERS: Mapping[str, Mapping[str, str]] = {
    "canonical": {"account_id.from": "Konto"},
    "Excel, German": {"encoding": "windows-1252", "account_id.from": "Konto", "seen.timezone": "Europe/Berlin",
                      "areas.delimiter": ","},
    "Excel, US": {"account_id.from": "Konto", "areas.delimiter": ";"},
    "Excel, Unicode text": {"account_id.from": "Konto"},
    "CRM with titles and a footer": {"account_id.from": "Konto"},
    "Hive and Spark": {"account_id.from": "Konto", "areas.delimiter": ";"},
    "unload with bars": {"account_id.from": "Konto", "areas.delimiter": ",", "seen.format": "epoch"},
    "payments in cents": {"account_id.from": "Konto", "fee.unit": "minor", "seen.format": "epoch",
                          "plan.values.price_1": "basic", "plan.values.price_2": "plus"},
    "SQL Server, single quotes": {"account_id.from": "Konto"},
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_proposed_profile_reads_the_file_as_it_was_meant(tmp_path: Path, name: str) -> None:
    written = TABLE[name]
    path = tmp_path / "export.csv"
    path.write_bytes(written.file(accounts()))
    compiled = policy(tmp_path)
    proposal = propose(path, "export", compiled, ANSWERS[name])
    assert [one.key for one in proposal.questions] == []
    asked = {one.key for one in _all_questions(path, compiled)}
    assert asked == set(ANSWERS[name]), "neither more nor less is asked"
    report, content = prepared(tmp_path, {"export.csv": path.read_bytes()}, _without_names(proposal.content))
    names = [one["name"] for one in proposal.content["schema"]["fields"]]
    assert set(names) == set(COLUMNS)
    expected = canonical(
        [[dict(zip(COLUMNS, one.cells(), strict=True))[name] for name in names] for one in accounts()], names
    )
    assert rows_of(content, compiled) == rows_of(expected, compiled)
    assert report.wrong_rows == 0


def _without_names(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in ("kulanz", "profile", "title")}


def _all_questions(path: Path, compiled: Any) -> list[Any]:
    """Every question, answered one after the other by the answers of the dialect."""
    asked: dict[str, Any] = {}
    given: dict[str, str] = {}
    answers = {key: value for one in ANSWERS.values() for key, value in one.items()}
    while questions := propose(path, "export", compiled, given).questions:
        new = {one.key: one for one in questions if one.key not in given}
        assert new, "a question is asked again"
        asked |= new
        for one in new.values():
            answer = answers.get(one.key, "")
            given[one.key] = one.choices[0] if one.choices and answer not in one.choices else answer or "UTC"
    return list(asked.values())


def asked(folder: Path, content: bytes, answers: Mapping[str, str] | None = None) -> list[str]:
    path = folder / "export.csv"
    path.write_bytes(content)
    return [one.key for one in propose(path, "export", policy(folder), answers or {}).questions]


HEADER = b"account_id,fee,usage,active,since,seen,plan,note,areas\n"
SEEN = b"2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (b"A-1,1.00,1.5,yes,01/02/2026," + SEEN + b",basic,n,a\n", "since.format"),
        (b"A-1,1.00,1.234,yes,2026-01-02," + SEEN + b",basic,n,a\n", "usage.decimalChar"),
        ("A-1,19.99 zł,1.5,yes,2026-01-02,2026-01-01T00:00:00Z,basic,n,a\n".encode(), "fee.from"),
        (b"A-1,1999,1.5,yes,2026-01-02," + SEEN + b",basic,n,a\n", "fee.unit"),
        (b"A-1,1.00,1.5,yes,2026-01-02,2026-01-01 00:00:00,basic,n,a\n", "seen.timezone"),
        (b"A-1,1.00,1.5,yes,2026-01-02,1767225600,basic,n,a\n", "seen.format"),
        (b"A-1,1.00,1.5,x,2026-01-02," + SEEN + b",basic,n,a\n", "active.trueValues"),
        (b"A-1,1.00,1.5,yes,2026-01-02," + SEEN + b",P1,n,a\n", "plan.values.P1"),
        (b"A-1,1.00,1.5,yes,2026-01-02," + SEEN + b',basic,n,"a,b"\n', "areas.delimiter"),
        (b"A-1,1.00,1.5,yes,Tuesday," + SEEN + b",basic,n,a\n", "since.format"),
        (b"A-1,1.00,1.5,yes,2026-01-02," + SEEN + b",basic,M\xfcller,a\n", "encoding"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(tmp_path: Path, row: bytes, key: str) -> None:
    assert key in asked(tmp_path, HEADER + row)


@pytest.mark.parametrize(
    ("currency", "is_asked"),
    [("EUR", True), ("USD", True), ("KWD", True), ("BHD", True), ("JPY", False), ("ISK", False)],
)
def test_whole_numbers_are_asked_for_in_each_currency_that_has_minor_units(
    tmp_path: Path, currency: str, is_asked: bool
) -> None:
    """1234 may be 1.234 KWD or 1,234 KWD; of a yen there is no smaller part."""
    path = tmp_path / "export.csv"
    path.write_bytes(b"account_id,fee\nA-1,1234\nA-2,70\n")
    compiled = policy(tmp_path, POLICY.replace("currency: EUR", f"currency: {currency}"))
    asked_for = [one for one in propose(path, "export", compiled, {}).questions if one.key == "fee.unit"]
    assert [one.choices for one in asked_for] == [("major", "minor")] * is_asked
    for unit in ("major", "minor") if is_asked else ():
        found = propose(path, "export", compiled, {"fee.unit": unit})
        assert "fee.unit" not in [one.key for one in found.questions]


def test_a_column_under_another_name_is_asked_for_and_one_that_is_missing_too(tmp_path: Path) -> None:
    content = HEADER.replace(b"account_id", b"Customer No").replace(b",note", b",nota").replace(b"since,", b"begun,")
    assert asked(tmp_path, content + b"A-1,1.00,1.5,yes,2026-01-02," + SEEN + b",basic,n,a\n") == [
        "account_id.from", "since.from", "note.from",
    ]  # fmt: skip


def test_a_file_without_header_is_asked_for_its_columns_by_number(tmp_path: Path) -> None:
    row = b"A-1,1.00,1.5,yes,2026-01-02," + SEEN + b",basic,n,a\n"
    assert asked(tmp_path, row) == ["dialect.header"]
    assert "fee.from" in asked(tmp_path, row, {"dialect.header": "false"})
    places = {f"{name}.from": str(place) for place, name in enumerate(COLUMNS, 1)}
    assert asked(tmp_path, row, {"dialect.header": "false", **places}) == []


def run(*words: str) -> Any:
    return CliRunner().invoke(main, ["list", *words])


def test_without_a_terminal_questions_are_options_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    file, into = tmp_path / "export.csv", tmp_path / "crm.profile.yaml"
    file.write_bytes(HEADER + b"A-1,1.00,1.5,yes,01/02/2026," + SEEN + b",basic,n,a\n")
    words = ["profile", str(file), "--policy", str(tmp_path / "policy.yaml"), "--into", str(into)]
    result = run(*words)
    assert result.exit_code == 1
    assert "--answer since.format=..." in result.output
    assert "%m/%d/%Y, %d/%m/%Y" in result.output
    assert not into.exists()
    result = run(*words, "--answer", "since.format=%d/%m/%Y")
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(into.read_text())["schema"]["fields"][4] == {"name": "since", "format": "%d/%m/%Y"}
    assert run(*words).exit_code == 3, "a profile is never written over"
    prepared_into = tmp_path / "out"
    result = run("prepare", str(file), "--profile", str(into), "--policy", words[3], "--into", str(prepared_into))
    assert result.exit_code == 0, result.output
    assert "no day above the 12th among 1" in " ".join(result.output.split())
    assert (prepared_into / "part-00001.csv").read_bytes().splitlines()[1].startswith(b"A-1,1.00,1.5,yes,2026-02-01,")


def test_a_proposed_profile_carries_on_what_a_credit_needs_on_its_way_to_the_bill(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("account_id,biller_account,next_bill_on,note\nA-1,0007,2026-12-05,x\n")
    text = "kulanz: 1\nid: flat\nversion: 1\ntitle: Flat\ncurrency: EUR\npay: 5 EUR\n"
    proposal = propose(path, "export", policy(tmp_path, text), {})
    assert [one["name"] for one in proposal.content["schema"]["fields"]] == [
        "account_id", "biller_account", "next_bill_on",
    ]  # fmt: skip
    _, written = prepared(tmp_path, {"in.csv": path.read_bytes()}, proposal.content, policy_text=text)
    assert written.decode().splitlines() == ["account_id,biller_account,next_bill_on", "A-1,0007,2026-12-05"]


STATES = {"Past Due": "past_due", "ACTIVE": "active", "pastdue": "past_due", "On Hold": None}
CHOICES = """kulanz: 1
id: states
version: 1
title: States of a subscription
jurisdiction: worldwide
sources: [none]
zone: UTC
currency: USD
facts:
  state: {choices: [active, past_due], says: The state.}
who:
  - decline arrears: state = "past_due"
pay: 5.00 USD
due: next bill
"""


def test_a_word_that_is_a_choice_but_for_case_and_blanks_is_proposed_and_any_other_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("account_id,state\n" + "".join(f"A-{n},{word}\n" for n, word in enumerate(STATES)))
    compiled = policy(tmp_path, CHOICES)
    proposal = propose(path, "export", compiled, {})
    assert [one.key for one in proposal.questions] == ["state.values.On Hold"]
    proposal = propose(path, "export", compiled, {"state.values.On Hold": "active"})
    assert proposal.content["schema"]["fields"][1]["values"] == STATES | {"On Hold": "active"}
    assert "Past Due: past_due" in proposal.columns[1][2]


def test_what_was_found_of_the_file_is_shown_and_can_be_answered_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("A report;of states\n\nKonto;Zustand\nA-1;active\nA-2;active\nTotal\n")
    compiled, answers = policy(tmp_path, CHOICES), {"account_id.from": "Konto", "state.from": "Zustand"}
    wrong = propose(path, "export", compiled, answers | {"dialect.header": "true"})
    assert wrong.file == "columns separated by ';', 1 row of footer"
    assert [one.key for one in wrong.questions] == ["account_id.from", "state.from"]
    right = propose(path, "export", compiled, answers | {"dialect.header": "true", "dialect.headerRows": "3"})
    assert right.file == "columns separated by ';', header in line 3, 1 row of footer"
    assert not right.questions
    assert right.content["dialect"]["headerRows"] == [3]


def test_the_header_of_a_workbook_is_found_below_its_title(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="make lists")
    path = tmp_path / "export.xlsx"
    rows: list[list[Cell]] = [["Accounts of October"], [None], ["Konto", "Zustand"], ["A-1", "active"], ["A-2", None]]
    path.write_bytes(workbook({"one": sheet([*rows, *([f"B-{n}", "active"] for n in range(5))])}))
    answers = {"account_id.from": "Konto", "state.from": "Zustand"}
    proposal = propose(path, "export", policy(tmp_path, CHOICES), answers)
    assert (proposal.file, proposal.questions) == ("header in line 3", [])


def test_typed_numbers_are_shown_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text('{"account_id": "A-1", "fee": 19.99}\n{"account_id": "A-2", "fee": 5}\n')
    text = CHOICES.replace("facts:", "facts:\n  fee: {type: money, says: The fee.}").replace(
        "pay: 5.00 USD", "pay: fee"
    )
    proposal = propose(path, "export", policy(tmp_path, text), {"state.from": ""})
    assert next(becomes for name, _, becomes in proposal.columns if name == "fee") == "numbers, as they are"


@pytest.mark.parametrize(
    ("amount", "keys"),
    [
        ("5.00", []),
        ("5.00 EUR", []),
        ("€ 5.00", []),
        ("5.00-", ["fee.from"]),
        ("\u22125.00", ["fee.from"]),
        ("\u20135.00", ["fee.from"]),
        ("(5.00)", ["fee.from"]),
        ("5.00 CR", ["fee.from"]),
        ("5.00 S", ["fee.from"]),
        ("$5.00", ["fee.from"]),
        ("5.00k", ["fee.symbols"]),
        ("5.00 Mio", ["fee.symbols"]),
    ],
)
def test_what_stands_beside_an_amount_is_taken_off_only_where_it_changes_none(
    tmp_path: Path, amount: str, keys: list[str]
) -> None:
    content = f"account_id,fee\nA-1,{amount}\nA-2,7.50\n".encode()
    assert [key for key in asked(tmp_path, content) if key.startswith("fee.")] == keys
    assert keys != ["fee.symbols"] or "fee.symbols" not in asked(tmp_path, content, {"fee.symbols": "signs"})


@pytest.mark.parametrize(
    ("cells", "is_asked"),
    [(("5.5 GB", "2.5 GB"), False), (("5.5 GB", "500 MB"), True), (("5.5k", "2.5"), True), (("5.5 h", "2.5 h"), False)],
)
def test_several_units_in_one_column_are_asked_for(tmp_path: Path, cells: tuple[str, str], is_asked: bool) -> None:
    content = f"account_id,usage\nA-1,{cells[0]}\nA-2,{cells[1]}\n".encode()
    assert ("usage.symbols" in asked(tmp_path, content)) is is_asked
