"""What `kulanz list check` prints and tells of what it found: every figure in its place, no two of them the same."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from kulanz.application.lists.check_list import CheckedList, Found, LineProblem, Range, Subjects
from kulanz.domain.campaigns.limits import Exceeded
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.lists.rows import Problem
from kulanz.domain.money import Money
from kulanz_cli.checked_list import KINDS_PRINTED, _findings, checked_content, show_checked
from kulanz_cli.local_parts import LocalList
from kulanz_cli.terminal import console, counted_as
from tests.support.answering import cells


def problem(reason: Any, field: str, expected: str) -> Problem:
    return Problem(reason, field, expected)


OTHER, FEW, MANY = problem("other", "", "a row"), problem("few", "fee", "an amount"), problem("many", "zip", "a code")


def found() -> CheckedList:
    one = CheckedList(lines=9_999)
    one.classes.update({
        (RowResult.GRANTED, "ok"): 4_000, (RowResult.GRANTED, "late"): 3_000, (RowResult.HELD, "unknown"): 2_000,
        (RowResult.REJECTED, "few"): 600, (RowResult.BLANK, ""): 399,
    })  # fmt: skip
    for euros, lines in ((1_00, 11), (2_00, 22), (9_00, 3)):
        one.amounts.count(Decision(Outcome.GRANTED, "ok", (Benefit(money=Money(euros, "EUR")),)), lines)
    one.amounts.count(Decision(Outcome.GRANTED, "ok", (Benefit(quantity="7", unit="call_minute"),)), 5)
    one.amounts.count(Decision(Outcome.GRANTED, "late", (Benefit(money=Money(4_00, "EUR")),)), 6)
    one.largest = {"EUR": [(9_00, -71), (9_00, -70), (4_00, -72)], "call_minute": [(Decimal(7), -73)]}
    one.ranges = {"fee": Range("EUR", 1_23, 4_56), "share": Range("", Fraction(1, 8), Fraction(3, 4))}
    one.unknown.update({"zip": 12, "fee": 13})
    one.no_language.update({"language": 14})
    one.short, one.unread, one.absent = 15, ["left", "over"], ["since"]
    one.other_currency = Found(16, [171, 172])
    one.long_ids, one.zeros_for_digits = 40, Found(38, [181, 182])
    one.subjects = Subjects(18, 19, 20, [(22, 21)], [(24, 23), (26, 25)], [(28, 27)])
    one.kinds = {OTHER: Found(30, [31]), FEW: Found(32, [33, 1_034]), MANY: Found(35, [36, 37])}
    one.problems = [LineProblem(33, 330, FEW), LineProblem(36, 360, MANY)]
    return one


OUTSIDE = [Exceeded("total EUR", "5 of 4"), Exceeded("rejected", "600 of 1,000")]


def test_everything_that_was_found_is_printed_once_with_its_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    show_checked(console(), LocalList([Path("l.csv")]), found(), "why: so", OUTSIDE, decided=True, show_values=False)
    assert cells(capsys.readouterr().out) == [
        ["l.csv would be refused as a whole: why: so"],
        ["l.csv is outside a limit: total EUR: 5 of 4"],
        ["l.csv is outside a limit: rejected: 600 of 1,000"],
        ["l.csv: 9,600 rows, 399 blank lines, 600 rejected"],
        ["result", "reason", "lines", "sum", "smallest", "median", "largest"],
        ["blank", "399"],
        ["granted", "late", "3,000", "24.00 EUR", "4.00", "4.00", "4.00"],
        ["granted", "ok", "4,000", "82.00 EUR", "1.00", "2.00", "9.00"],
        ["35 call minutes", "7", "7", "7"],
        ["held", "unknown", "2,000"],
        ["rejected", "few", "600"],
        ["granted, ok, EUR: lines by amount"],
        ["amount", "lines"],
        ["1.00", "11", "#" * 12],
        ["2.00", "22", "#" * 24],
        ["9.00", "3", "#" * 3],
        ["lowest to highest value: fee 1.23 EUR to 4.56 EUR, share 0.125 to 0.75"],
        ["rows without a value: fee 13, zip 12"],
        ["rows whose language is no tag such as de or pt-BR, written to in the default one: language 14"],
        ["rows without their last cells, read as empty: 15"],
        ["columns that nothing reads: left, over"],
        ["facts that are in no column, so their default counts: since"],
        ["35 lines: many, zip: expected a code: lines 36, 37"],
        ["32 lines: few, fee: expected an amount: lines 33, 1,034"],
        ["30 lines: other: expected a row: line 31"],
        ["rows that contradict another of their subject, 19: lines 23, 24, 25, 26"],
        ["rows that repeat another one, 18: lines 21, 22"],
        ["ids that differ from another only by zeros, letters' case or .0, 20: lines 27, 28"],
        ["ids that a spreadsheet rounded, to be exported as text, 38 of 40: lines 181, 182"],
        ["rows to be paid in another currency than a column says, 16: lines 171, 172"],
        ["the largest in EUR: 9.00 in line 70, 9.00 in line 71, 4.00 in line 72"],
    ]


def test_without_an_incident_nothing_is_said_of_what_would_be_decided(capsys: pytest.CaptureFixture[str]) -> None:
    show_checked(console(), LocalList([Path("l.csv")]), found(), "", [], decided=False, show_values=False)
    text = capsys.readouterr().out
    assert not [
        word for word in ("granted", "held", "largest", "late") if word in text.replace("lowest to highest", "")
    ]
    content = checked_content("l.csv", found(), "", [], decided=False)
    assert (content["amounts"], content["largest"]) == ([], [])
    assert [one["result"] for one in content["results"]] == ["blank", "rejected"]


def test_a_program_is_told_everything_that_was_found_under_its_name() -> None:
    content: dict[str, Any] = checked_content("l.csv", found(), "why: so", OUTSIDE, decided=True)
    del content["amounts"]
    assert content == {
        "v": 1, "list": "l.csv", "refused": "why: so",
        "limits_exceeded": [
            {"limit": "total EUR", "figures": "5 of 4"}, {"limit": "rejected", "figures": "600 of 1,000"},
        ],
        "lines": 9_999, "rows": 9_600, "blank": 399, "rejected": 600,
        "results": [
            {"result": result, "reason": reason, "lines": lines} for result, reason, lines in (
                ("blank", "", 399), ("granted", "late", 3_000), ("granted", "ok", 4_000), ("held", "unknown", 2_000),
                ("rejected", "few", 600),
            )
        ],
        "largest": [
            {"measure": measure, "line": line, "size": size} for measure, line, size in (
                ("EUR", 70, "900"), ("EUR", 71, "900"), ("EUR", 72, "400"), ("call_minute", 73, "7"),
            )
        ],
        "ranges": {"fee": {"least": "1.23 EUR", "most": "4.56 EUR"}, "share": {"least": "0.125", "most": "0.75"}},
        "unknown": {"zip": 12, "fee": 13}, "no_language": {"language": 14}, "short_rows": 15,
        "columns_unread": ["left", "over"], "facts_absent": ["since"],
        "rounded_ids": {"lines": 38, "first": [181, 182]}, "other_currency": {"lines": 16, "first": [171, 172]},
        "subjects": {
            "repeated": {"rows": 18, "first": [(22, 21)]},
            "contradicting": {"rows": 19, "first": [(24, 23), (26, 25)]},
            "nearly_equal": {"rows": 20, "first": [(28, 27)]},
        },
        "kinds": [
            {"reason": "other", "field": "", "expected": "a row", "lines": 30, "first": [31]},
            {"reason": "few", "field": "fee", "expected": "an amount", "lines": 32, "first": [33, 1_034]},
            {"reason": "many", "field": "zip", "expected": "a code", "lines": 35, "first": [36, 37]},
        ],
        "problems": [
            {"line": 33, "offset": 330, "reason": "few", "field": "fee", "expected": "an amount"},
            {"line": 36, "offset": 360, "reason": "many", "field": "zip", "expected": "a code"},
        ],
    }  # fmt: skip


def test_a_list_in_which_nothing_is_wrong_says_nothing_more(capsys: pytest.CaptureFixture[str]) -> None:
    one = CheckedList(lines=1)
    one.classes[RowResult.GRANTED, "ok"] = 1
    show_checked(console(), LocalList([Path("l.csv")]), one, "", [], decided=False, show_values=True)
    assert capsys.readouterr().out == "l.csv: 1 row, 0 blank lines, 0 rejected\n"
    show_checked(console(), LocalList([Path("l.csv")]), CheckedList(), "why", [], decided=True, show_values=True)
    assert capsys.readouterr().out == "l.csv would be refused as a whole: why\n"
    assert checked_content("l.csv", one, "", [], decided=False)["refused"] is None


@pytest.mark.parametrize("over", [-1, 0, 1, 7])
def test_so_many_kinds_are_shown_the_most_frequent_first_and_only_then_it_says_how_many_are_not(over: int) -> None:
    checked, number = CheckedList(), KINDS_PRINTED + over
    for place in range(number):
        checked.kinds[problem("fact_invalid", f"f{place:02}", "a number")] = Found(place + 1, [place + 2])
    said = [text for text, _ in _findings(checked, decided=False)]
    shown = [counted_as(lines, "line") for lines in range(number, max(0, over), -1)]
    assert [text.partition(":")[0] for text in said[: len(shown)]] == shown
    assert said[len(shown) :] == ([f"kinds not shown: {over}; --json prints them"] if over > 0 else [])
