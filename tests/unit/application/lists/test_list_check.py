"""`kulanz list check` tells what a campaign would make of a list, line by line, and never a line's content."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kulanz.application.lists import check_list as check_list_module
from kulanz.application.lists.check_list import (
    LINES_PER_PROGRESS,
    NAMES_REMEMBERED,
    PROBLEMS_SHOWN,
    check_list,
)
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.incident import Incident
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat
from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window
from kulanz_cli.checked_list import KINDS_PRINTED, NAMES_PRINTED
from kulanz_cli.main import main
from kulanz_local.cases import CASES, Case
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_ROW, POLICY, ROWS, event, small_world

HEADER = b"account_id,segment,affected,fee,language\n"
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    told = {name: part for name, part in event(rows=ROWS).items() if name != "id"}
    (tmp_path / "event.json").write_text(json.dumps(told))
    return tmp_path


def checked(folder: Path, content: bytes, *options: str, name: str = "list.csv") -> Result:
    (folder / name).write_bytes(content)
    arguments = ["list", "check", str(folder / name), "--policy", str(folder / "policy.yaml"), *options]
    return CliRunner().invoke(main, arguments)


def content_of(result: Result) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(result.output)
    return content


def test_it_counts_what_the_campaign_then_counts(folder: Path) -> None:
    result = checked(folder, EVERY_KIND_OF_ROW, "--event", str(folder / "event.json"), "--rows", str(ROWS), "--json")
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    planned = world.campaign(CAMPAIGN).plan.totals.results()
    told = {(RowResult(item["result"]), item["reason"]): item["lines"] for item in content_of(result)["results"]}
    assert told == planned
    assert content_of(result)["rows"] == ROWS
    assert content_of(result)["refused"] is None
    assert result.exit_code == 1, "there are rejected lines"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.incident_id)
def test_an_event_need_not_name_the_list_before_it_is_sent(case: Case) -> None:
    """`kulanz send` completes it, so that a list is checked with the very file that is sent with it."""
    arguments = ["list", "check", str(case.sample), "--policy", str(case.policy), "--event", str(case.event)]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert "granted" in {item["result"] for item in content_of(result)["results"]}


def test_a_problem_is_told_by_line_field_and_what_was_expected(folder: Path) -> None:
    rows = b"A1,consumer,yes,29.90,de\n\nA2,consumer,yes,SECRET,de\nA3,SECRET,yes,1.00,de\n"
    result = checked(folder, HEADER + rows)
    assert result.exit_code == 1
    told = " ".join(result.output.split())
    assert re.search(r"1 line: fact_invalid, fee: expected [^:]*: [^:]*: line 4", told)
    assert re.search(r"1 line: fact_invalid, segment: expected [^:]*: line 5", told)
    assert "SECRET" not in result.output


def test_a_good_list_is_good(folder: Path) -> None:
    result = checked(folder, HEADER + b"A1,consumer,yes,29.90,de\nA2,prepaid,no,,\n", "--rows", "2")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "list.csv: 2 rows, 0 blank lines, 0 rejected",
        "lowest to highest value: fee 29.90 EUR to 29.90 EUR",
        "rows without a value: fee 1, language 1",
    ]


@pytest.mark.parametrize(
    ("content", "name", "options", "reason"),
    [
        (b"", "list.csv", (), "list_empty"),
        (HEADER, "list.csv", (), "list_without_rows"),
        (b"account,segment\nA1,consumer\n", "list.csv", (), "column_missing"),
        (b"account_id,account_id\nA1,A1\n", "list.csv", (), "column_twice"),
        (b"\x1f\x8b\x08\x00", "list.csv", (), "list_compressed"),
        (b"A1\n", "list.txt", (), "list_format_unknown"),
        (HEADER + b'"A1,consumer,yes,29.90,de\n', "list.csv", (), "quotes_unbalanced"),
        (HEADER + b"A1,consumer,yes,29.90,de\n", "list.csv", ("--rows", "2"), "rows_differ"),
    ],
)
def test_a_list_that_a_campaign_would_refuse_as_a_whole_is_told(
    folder: Path, content: bytes, name: str, options: tuple[str, ...], reason: str
) -> None:
    result = checked(folder, content, *options, "--json", name=name)
    assert result.exit_code == 1
    assert content_of(result)["refused"].startswith(reason)


def test_a_line_of_jsonl_is_numbered_from_one(folder: Path) -> None:
    rows = b'{"account_id": "A1"}\n{"account_id": -7}\n'
    result = checked(folder, rows, "--json", name="list.jsonl")
    assert [(found["line"], found["reason"]) for found in content_of(result)["problems"]] == [(2, "account_id_invalid")]


def test_a_file_that_is_no_policy_is_an_unusable_input(folder: Path) -> None:
    (folder / "policy.yaml").write_text("id: x")
    assert checked(folder, HEADER + b"A1,consumer,yes,1.00,de\n").exit_code == 3


FEES = """
kulanz: 1
id: fees
version: 1
title: The monthly fee
currency: EUR
facts:
  monthly_fee: money
  used: {type: number, default: 1}
  since: {type: day, default: 2020-01-01}
who:
  - decline later_customer: since > day(incident_end)
pay: monthly_fee * used
"""


def checked_fees(folder: Path, lines: list[str], *options: str, decided: bool = True, **campaign: Any) -> Result:
    (folder / "policy.yaml").write_text(FEES)
    told = {name: part for name, part in event(rows=1, policy="fees").items() if name != "id"}
    told["detail"]["campaign"].pop("limits")
    told["detail"]["campaign"] |= campaign
    (folder / "event.json").write_text(json.dumps(told))
    with_event = ("--event", str(folder / "event.json")) if decided else ()
    return checked(folder, ("\n".join(lines) + "\n").encode(), *with_event, *options)


def test_every_record_of_json_is_looked_at_for_names(folder: Path) -> None:
    """The first records are right; what is wrong stands beyond the bytes that an event's campaign looks at."""
    rows: list[dict[str, Any]] = [{"account_id": f"A{n:05d}", "monthly_fee": 10, "used": 1} for n in range(1_500)]
    rows[1_400] = {"account_id": "A01400", "monthly_fee": 10, "Used": 3}
    rows[1_450] = {"account_id": "A01450", "monthly_fee": 10, "used": 1, "note": {"by": "x"}}
    (folder / "policy.yaml").write_text(FEES)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert content.index(b"Used") > HEADER_BYTES

    found = content_of(checked(folder, content, "--json", name="list.jsonl"))

    assert [(kind["reason"], kind["field"], kind["first"]) for kind in found["kinds"]] == [
        ("fact_nearly_named", "used", [1_401])
    ]
    assert (found["rejected"], found["columns_unread"], found["facts_absent"]) == (1, ["Used", "note.by"], ["since"])


def test_names_of_json_are_remembered_in_bounded_memory_and_facts_always(folder: Path) -> None:
    rows: list[dict[str, Any]] = [{"account_id": f"A{n:05d}", f"x{n}": 1} for n in range(NAMES_REMEMBERED + 5)]
    rows.append({"account_id": "A", "monthly_fee": 10, "since": "2021-01-01"})
    (folder / "policy.yaml").write_text(FEES)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    found = content_of(checked(folder, content, "--json", name="list.jsonl"))
    assert len(found["columns_unread"]) == NAMES_REMEMBERED - 1, "account_id is one of them"
    assert found["facts_absent"] == ["used"]


def test_it_shows_what_single_lines_are_worth(folder: Path) -> None:
    lines = ["account_id,monthly_fee", *(f"A{number:02d},{fee}" for number, fee in enumerate([5, 10, 10, 62.13, 30]))]
    result = checked_fees(folder, lines)
    assert result.exit_code == 0, result.output
    figures = next(line.split() for line in result.output.splitlines() if line.startswith("granted  credit"))
    assert figures == ["granted", "credit", "5", "117.13", "EUR", "5.00", "10.00", "62.13"]
    assert "10.00      2  ########################" in result.output, "a bar for each amount"
    largest = "the largest in EUR: 62.13 in line 5, 30.00 in line 6, 10.00 in line 3, 10.00 in line 4, 5.00 in line 2"
    assert largest in " ".join(result.output.split()), "each amount beside its line"
    assert "lowest to highest value: monthly_fee 5.00 EUR to 62.13 EUR" in result.output
    assert "facts that are in no column, so their default counts: used, since" in result.output
    assert all(len(line) <= 80 for line in result.output.splitlines())


def test_the_largest_are_ten_of_any_number(folder: Path) -> None:
    lines = ["account_id,monthly_fee", *(f"A{number:03d},{number}.00" for number in range(1, 301))]
    largest = content_of(checked_fees(folder, lines, "--json"))["largest"]
    assert [(one["line"], one["size"]) for one in largest] == [(line, f"{line - 1}00") for line in range(301, 291, -1)]


def test_rows_of_one_subject_are_found_before_anything_is_sent(folder: Path) -> None:
    lines = ["account_id,monthly_fee", "1001,5.00", "7,1.00", "1001,6.00", "7,1.00", "1001.0,5.00", "01001,5.00"]
    found = content_of(checked_fees(folder, lines, "--json", decided=False))["subjects"]
    assert found["contradicting"] == {"rows": 1, "first": [[4, 2]]}
    assert found["repeated"] == {"rows": 1, "first": [[5, 3]]}
    assert found["nearly_equal"]["rows"] >= 1
    assert [7, 2] in found["nearly_equal"]["first"]
    result = checked_fees(folder, lines)
    assert "rows that contradict another of their subject, 1: lines 2, 4" in result.output
    assert "1001" not in result.output.replace("10.01", "")


def test_a_list_outside_a_limit_is_a_no_unless_the_event_states_another(folder: Path) -> None:
    lines = ["account_id,monthly_fee", "1,5.00", "2,5.00", "3,6213.00"]
    result = checked_fees(folder, lines)
    assert result.exit_code == 1
    told = " ".join(result.output.split())
    assert "is outside a limit: largest: 6213.00 EUR, at most 100 times the median (5.00 EUR)" in told
    assert checked_fees(folder, lines, limits={"largest": ["7000.00 EUR"]}).exit_code == 0
    torn = ["account_id,monthly_fee", "1,5.00", "1,6.00", "2,5.00", "2,6.00"]
    assert "outside a limit: conflicts: 2 of 4 rows (50 %)" in checked_fees(folder, torn, decided=False).output
    nearly = ["account_id,monthly_fee", "1001,5.00", "001001,5.00", "1002,5.00", "001002,5.00"]
    assert "outside a limit: nearly_equal: 2 of 4 rows (50 %)" in checked_fees(folder, nearly, decided=False).output
    stated = checked_fees(folder, nearly, limits={"nearly_equal": "50 %", "held": "0 %"})
    assert "outside a limit" not in stated.output


def test_a_misspelt_column_and_another_currency_are_a_no(folder: Path) -> None:
    result = checked_fees(folder, ["account_id,monthly_fee,Used", "1,5.00,3"])
    assert result.exit_code == 1
    assert "column_nearly_named" in result.output
    assert "'Used'" in result.output
    assert checked_fees(folder, ["account_id,monthly_fee,Used", "1,5.00,3"], ignored_columns=["Used"]).exit_code == 0
    slipped = ["account_id,monthly_fee,billing_account", "1,5.00,B-1"]
    result = checked_fees(folder, slipped)
    assert result.exit_code == 1
    assert "'billing_account'" in result.output
    assert checked_fees(folder, slipped, ignored_columns=["billing_account"]).exit_code == 0
    result = checked_fees(folder, ["account_id,monthly_fee,biller_account", "1,5.00,B-1"])
    assert result.exit_code == 0
    assert "biller_account" not in result.output, "it is read"
    result = checked_fees(folder, ["account_id,monthly_fee,currency", "1,5.00,EUR", "2,5.00,KRW"])
    assert result.exit_code == 1
    assert "rows to be paid in another currency than a column says, 1: line 3" in result.output


def test_cells_without_a_value_are_counted_by_column(folder: Path) -> None:
    lines = ["account_id,monthly_fee,since", "1,5.00,2026-01-02", "2,5.00,", "3,,2009-05-06", "4,7.00,"]
    content = content_of(checked_fees(folder, lines, "--json"))
    assert content["unknown"] == {"monthly_fee": 1, "since": 2, "used": 4}
    assert content["ranges"]["since"] == {"least": "2009-05-06", "most": "2026-01-02"}
    assert content["columns_unread"] == []


def test_problems_are_told_by_kind_with_the_first_lines_and_values_only_on_request(folder: Path) -> None:
    lines = ["account_id,monthly_fee", *(f"A{number},SECRET" for number in range(2, 12)), "B,1.00"]
    result = checked_fees(folder, lines)
    assert "10 lines: fact_invalid, monthly_fee: expected" in result.output
    assert "lines 2, 3, 4, 5, 6" in " ".join(result.output.split())
    assert "SECRET" not in result.output
    shown = checked_fees(folder, lines, "--show-values").output
    assert "2: A2,SECRET" in shown
    assert "7: A7,SECRET" not in shown


MANY = "".join(f"  n{number:02d}: {{type: number, default: 1}}\n" for number in range(KINDS_PRINTED + 2))


def test_what_is_too_much_to_print_is_counted(folder: Path) -> None:
    names = [line.split(":")[0].strip() for line in MANY.splitlines()]
    read = FEES.replace("  used:", f"{MANY}  used:").replace("* used", f"* used * ({' + '.join(names)})")
    (folder / "policy.yaml").write_text(read)
    unread = [f"unread_{chr(97 + number)}x" for number in range(NAMES_PRINTED + 2)]
    header = ",".join(["account_id", "monthly_fee", *names, *unread])
    wrong = ",".join(["A1", "5.00", *["x"] * len(names), *["y"] * len(unread)])
    result = checked(folder, f"{header}\n{wrong}\n".encode())
    text = " ".join(result.output.split())
    assert result.exit_code == 1
    assert len(re.findall(r"1 line: fact_invalid, n\d\d", text)) == KINDS_PRINTED
    assert "kinds not shown: 2; --json prints them" in text
    assert f"columns that nothing reads: {', '.join(unread[:NAMES_PRINTED])} and 2 more" in text
    assert len(content_of(checked(folder, f"{header}\n{wrong}\n".encode(), "--json"))["kinds"]) == KINDS_PRINTED + 2


def test_a_line_is_printed_to_its_seventieth_character_and_never_acts_on_a_terminal(folder: Path) -> None:
    acting = checked_fees(folder, ["account_id,monthly_fee", "A1,\x1b[31mred"], "--show-values").output
    assert "\x1b" not in acting
    long = checked_fees(folder, ["account_id,monthly_fee", "A1," + "x" * 100], "--show-values").output
    assert [len(found) for found in re.findall(r"A1,x+", long)] == [70]


def test_of_many_problems_the_first_are_named_and_all_are_counted(folder: Path) -> None:
    rows = [f"A{number},x" for number in range(PROBLEMS_SHOWN + 5)]
    found = content_of(checked_fees(folder, ["account_id,monthly_fee", *rows], "--json"))
    assert [one["line"] for one in found["problems"]] == list(range(2, PROBLEMS_SHOWN + 2))
    assert found["rejected"] == found["kinds"][0]["lines"] == len(rows)
    assert found["kinds"][0]["first"] == [2, 3, 4, 5, 6]


def test_how_far_a_list_is_read_is_told_every_so_many_lines_and_at_its_end() -> None:
    rows = [f"A{number},5.00\n" for number in range(2 * LINES_PER_PROGRESS + 7)]
    content = ("account_id,monthly_fee\n" + "".join(rows)).encode()
    heard: list[int] = []
    incident = Incident("check", 1, "Check", "", (), (Window(NOW - timedelta(hours=2), NOW),))
    policy = compile_policy(freeze(load_policy(FEES)), incident, NOW)
    found = check_list(
        lambda start, stop: [content[start:stop]], len(content), ListFormat.CSV, policy, NOW, progress=heard.append
    )
    ends = [len("account_id,monthly_fee\n") + sum(map(len, rows[: k * LINES_PER_PROGRESS - 1])) for k in (1, 2)]
    assert heard == [*ends, len(content)]
    assert found.rows == len(rows)


def test_figures_are_the_same_however_few_facts_are_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["account_id,monthly_fee", *(f"A{n},{n % 7}.50" if n % 5 else f"A{n}," for n in range(1, 60))]
    whole = content_of(checked_fees(folder, lines, "--json"))
    monkeypatch.setattr(check_list_module, "REMEMBERED_FACTS", 2)
    assert content_of(checked_fees(folder, lines, "--json")) == whole
    assert whole["unknown"]["monthly_fee"] == 11


@pytest.mark.parametrize(("blank", "wrong", "is_outside"), [(0, 2, True), (300, 2, True), (300, 1, False)])
def test_without_an_event_the_rejected_are_a_share_of_rows_and_blank_lines_are_none(
    folder: Path, blank: int, wrong: int, is_outside: bool
) -> None:
    (folder / "policy.yaml").write_text(FEES)
    rows = [*(f"A{n},5.00" for n in range(100 - wrong)), *[""] * blank, *(f"B{n},x" for n in range(wrong))]
    text = " ".join(checked(folder, ("account_id,monthly_fee\n" + "\n".join(rows) + "\n").encode()).output.split())
    assert (f"outside a limit: rejected: {wrong} of 100 rows ({wrong} %)" in text) is is_outside
    assert "held" not in text, "what comes of an incident is not known"


def test_it_finds_what_the_campaign_then_refuses(folder: Path) -> None:
    """The check's figures are those that the plan measures."""
    result = checked(folder, EVERY_KIND_OF_ROW, "--event", str(folder / "event.json"), "--json")
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    announced = json.loads(world.announcer.announced[-1].detail)
    content = content_of(result)
    assert content["amounts"] == announced["measured"]["amounts"]
    found = content["subjects"]
    measured = announced["measured"]["repeats"]
    assert (found["repeated"]["rows"], found["contradicting"]["rows"]) == (
        measured["repeated"],
        measured["contradicting"],
    )


def test_an_event_that_names_another_policy_is_no_check_of_this_one(folder: Path) -> None:
    path = folder / "event.json"
    assert checked(folder, EVERY_KIND_OF_ROW, "--event", str(path), "--json").exit_code in (0, 1)
    told = json.loads(path.read_text())
    told["detail"]["campaign"]["policy"]["version"] = 7
    path.write_text(json.dumps(told))
    good = HEADER + b"a-1,consumer,true,10.00,en\n"
    result = checked(folder, good, "--event", str(path))
    assert result.exit_code == 1
    assert "the event names policy net-credit version 7, and --policy is net-credit version 1" in read(result.output)
    assert content_of(checked(folder, good, "--event", str(path), "--json"))["event"]


def test_an_event_that_would_be_refused_for_its_time_says_so(folder: Path) -> None:
    path, good = folder / "event.json", HEADER + b"a-1,consumer,true,10.00,en\n"
    assert checked(folder, good, "--event", str(path)).exit_code == 0
    told = json.loads(path.read_text())
    told["detail"]["windows"] = [{"start": "2222-02-22T08:00:00Z"}]
    path.write_text(json.dumps(told))
    result = checked(folder, good, "--event", str(path))
    assert result.exit_code == 1
    assert read(result.output).startswith("the event would be refused: window_in_future: a window ends in the future")
