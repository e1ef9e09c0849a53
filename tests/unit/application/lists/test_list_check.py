"""`kulanz list check` tells what a campaign would make of a list, line by line, and never a line's content."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz_cli.main import main
from kulanz_local.cases import CASES, Case
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_ROW, POLICY, ROWS, event, small_world

HEADER = b"account_id,segment,affected,fee,language\n"


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
    assert "line 4: fact_invalid, fee: expected" in result.output
    assert "line 5: fact_invalid, segment: expected" in result.output
    assert "SECRET" not in result.output


def test_a_good_list_is_good(folder: Path) -> None:
    result = checked(folder, HEADER + b"A1,consumer,yes,29.90,de\nA2,prepaid,no,,\n", "--rows", "2")
    assert (result.exit_code, result.output) == (0, "list.csv: 2 rows, 0 blank lines, 0 rejected\n")


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
    rows = b'{"account_id": "A1"}\n{"account_id": 7}\n'
    result = checked(folder, rows, "--json", name="list.jsonl")
    assert [(found["line"], found["reason"]) for found in content_of(result)["problems"]] == [(2, "account_id_invalid")]


def test_a_file_that_is_no_policy_is_an_unusable_input(folder: Path) -> None:
    (folder / "policy.yaml").write_text("id: x")
    assert checked(folder, HEADER + b"A1,consumer,yes,1.00,de\n").exit_code == 3
