"""`kulanz acknowledge`, `acknowledgements`, `overdue` and `month`: from billing's answer file to what a month cost."""

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fake_biller.biller import Biller
from tests.support.small_campaign import CAMPAIGN
from tests.support.world_stack import WorldStack, run
from tests.unit.application.door.test_acknowledgements import MONTH, Bills


@pytest.fixture
def answered() -> Iterator[tuple[WorldStack, Bills]]:
    """A campaign of which two accounts have their credit on a bill, and one was rejected."""
    with closing(Biller(":memory:")) as biller:
        bills = Bills(biller)
        biller.run_cycle("2026-04-01")
        bills.upload("first", biller.write_answers())
        stack = WorldStack(bills.world)
        stack.served = bills.door
        yield stack, bills


def test_the_month_says_what_is_on_bills_and_what_is_not(answered: tuple[WorldStack, Bills], tmp_path: Path) -> None:
    stack, _ = answered
    shown = run(stack, "month", MONTH)
    assert shown.exit_code == 0, shown.output
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    text = " ".join(shown.stdout.split())
    assert "8.97 EUR granted, 2.99 not on bills yet" in text
    assert "rejected 2.99 refused by the biller: a person has to look" in text
    assert "plan, ledger and bill agree" in text
    files = tmp_path / "month.csv", tmp_path / "month.html"
    assert run(stack, "month", MONTH, "--csv", str(files[0]), "--html", str(files[1])).exit_code == 0
    rows = list(csv.DictReader(files[0].read_text(encoding="utf-8").splitlines()))
    assert [(row["measure"], row["applied"], row["rejected"]) for row in rows] == [
        ("EUR", "5.98", "2.99"),
        ("call_minute", "40", "20"),
    ]
    assert "default-src" in files[1].read_text(encoding="utf-8")
    content = json.loads(run(stack, "month", MONTH, "--json").stdout)
    assert [one["applied"] for one in content["totals"]] == ["5.98", "40"]
    assert "no campaign" in run(stack, "month", "2026-01").stdout


def test_what_is_late_is_listed_with_its_accounts_and_ends_with_1(
    answered: tuple[WorldStack, Bills], tmp_path: Path
) -> None:
    stack, bills = answered
    assert run(stack, "overdue").exit_code == 0
    bills.world.now = max(due.due for due in bills.world.deliveries.dues)
    path = tmp_path / "late.csv"
    shown = run(stack, "overdue", "--csv", str(path))
    assert shown.exit_code == 1
    assert "late: 2 credits" in shown.stdout
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [(row["campaign"], row["account_id"], row["not_on_bills"]) for row in rows] == [
        (CAMPAIGN, "a-3", "2.99"),
        (CAMPAIGN, "a-3", "20"),
    ]
    assert run(stack, "month", MONTH).exit_code == 1


def test_what_became_of_an_answer_file_is_listed_and_waits_only_where_a_line_was_not_taken(
    answered: tuple[WorldStack, Bills],
) -> None:
    stack, bills = answered
    shown = run(stack, "acknowledgements", "--channel", "billing")
    assert shown.exit_code == 0, shown.output
    assert "applied" in shown.stdout
    told = {"account_id": "a-1", "serial": 1, "credit_id": "0" * 32, "answer": "accepted"}
    found = bills.act("call-1", {"answers": [told]})
    shown = run(stack, "acknowledgements", "--channel", "billing", "--one", found["id"])
    assert shown.exit_code == 1
    assert "unknown_id" in shown.stdout
    assert run(stack, "acknowledgements", "--channel", "other").exit_code == 1


@pytest.mark.parametrize("words", [("month", "november"), ("acknowledgements",), ("acknowledge", "nowhere.csv")])
def test_a_wrong_command_line_is_said(answered: tuple[WorldStack, Bills], words: tuple[str, ...]) -> None:
    assert run(answered[0], *words).exit_code == 2
