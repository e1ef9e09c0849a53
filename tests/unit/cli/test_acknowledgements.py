"""`kulanz acknowledge`, `acknowledgements`, `overdue` and `month`: from billing's answer file to what a month cost."""

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.channel import Channel
from kulanz_cli.acknowledgements import is_waiting
from kulanz_console.drawing.ways import BY_ACCOUNT, accounts_of
from tests.fake_biller.biller import Biller
from tests.support.small_campaign import CAMPAIGN, POLICY, event, list_of, row, sealed_policy, small_world
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
    assert "2026-03 costs 8.97 EUR 5.98 on bills, 2.99 not on bills yet" in text
    assert "rejected 2.99 refused by the biller: a person has to look" in text
    assert "no unexplained difference" in text
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


def test_a_campaigns_deliveries_say_with_which_code_its_credits_are_rejected(
    answered: tuple[WorldStack, Bills],
) -> None:
    stack, _ = answered
    shown = run(stack, "deliveries", "--campaign", CAMPAIGN)
    assert [line for line in shown.stdout.splitlines() if " rejected with " in line] == [
        "2.99 EUR rejected with unknown_account by billing",
        "20 call minutes rejected with unknown_account by billing",
    ]
    found = json.loads(run(stack, "deliveries", "--campaign", CAMPAIGN, "--json").stdout)["rejected"]
    named = {"channel": "billing", "code": "unknown_account"}
    assert found == [{"measure": "EUR", **named, "sum": "2.99"}, {"measure": "call_minute", **named, "sum": "20"}]


def test_a_file_waits_for_a_person_by_each_result_that_contradicts_what_was_delivered() -> None:
    def waits(result: str, *, finished: bool = True) -> bool:
        return is_waiting({"finished": finished, "results": [{"result": result, "code": "", "lines": 1}]})

    contradicting = {"unknown_id", "amount_differs", "conflict", "before_delivery", "other_serial", "rejected_line"}
    assert {one.value for one in AnswerResult if waits(one.value)} == contradicting
    assert waits("of_a_later_release")
    assert waits("accepted", finished=False)


def campaign(bookings: list[tuple[str, str]], **sums: str) -> dict[str, Any]:
    """A campaign of a month, as the API answers it, with one line."""
    line = {"measure": "USD", **dict.fromkeys(BY_ACCOUNT, "0.00"), **sums}
    named = [{"ledger_account": account, "reason_code": code, "treatment": ""} for account, code in bookings]
    return {"bookings": named, "lines": [line]}


def test_a_month_is_added_up_by_the_accounts_and_codes_that_policies_name_and_none_is_guessed() -> None:
    month = [
        campaign([("4000", "OUT")], granted="10.00", used="4.00", not_on_bills="6.00", expired="1.00"),
        campaign([("4000", "OUT")], granted="0.50", not_on_bills="0.50", overdue="0.50"),
        campaign([("4000", "OUT"), ("5000", "OUT")], granted="7.00"),
        campaign([("", "")], granted="2.00", voided="2.00"),
    ]
    found = {(one["ledger_account"], one["reason_code"]): one for one in accounts_of(month)}
    assert {place: one["granted"] for place, one in found.items()} == {
        ("4000", "OUT"): "10.50", ("several", "OUT"): "7.00", ("", ""): "2.00",
    }  # fmt: skip
    booked = found["4000", "OUT"]
    assert (booked["used"], booked["not_on_bills"], booked["overdue"], booked["expired"]) == (
        "4.00", "6.50", "0.50", "1.00",
    )  # fmt: skip
    assert found["", ""]["voided"] == "2.00"


def test_the_accounts_of_a_month_stand_in_all_its_forms(tmp_path: Path) -> None:
    world = small_world(list_of([row("a-1"), row("a-2")]), channel=Channel("billing"))
    bill = "\nbill: {reason_code: SVC-1, ledger_account: 4000-120, treatment: compensation}\n"
    world.policies.publish("net-credit", 2, sealed_policy(POLICY.replace("version: 1", "version: 2") + bill))
    world.publish(event(rows=2, policy_version=2))
    world.run_until_quiet()
    stack, files = WorldStack(world), (tmp_path / "month.csv", tmp_path / "month.html")
    shown = run(stack, "month", MONTH, "--csv", str(files[0]), "--html", str(files[1]))
    assert shown.exit_code == 0, shown.output
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert "4000-120" in shown.stdout
    for content in (shown.stdout, files[1].read_text(encoding="utf-8")):
        assert content.count("SVC-1") == content.count("4000-120") == 2, "one for each measure"
    rows = list(csv.DictReader(files[0].read_text(encoding="utf-8").splitlines()))
    assert {(one["ledger_account"], one["reason_code"], one["treatment"]) for one in rows} == {
        ("4000-120", "SVC-1", "compensation")
    }
    accounts = json.loads(run(stack, "month", MONTH, "--json").stdout)["accounts"]
    assert [(one["ledger_account"], one["measure"], one["granted"]) for one in accounts] == [
        ("4000-120", "EUR", "5.98"), ("4000-120", "call_minute", "40"),
    ]  # fmt: skip


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
