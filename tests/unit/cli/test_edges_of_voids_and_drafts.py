"""What a person reads of voids, drafts, budgets and exports: every figure in its place, and how a command ends."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.domain.exports.figures import Figures, LineKey, SumKey, Written
from kulanz.sources.configuration import configuration_json
from kulanz_cli import budget
from kulanz_cli.exported import command
from kulanz_cli.terminal import console
from tests.support.answering import Answering, cells
from tests.support.small_campaign import small_world
from tests.support.sources import content_of
from tests.support.world_stack import WorldStack, run

YES, NO = 0, 1


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


# Voids

NOTHING = {"lines": 0, "unmatched": 0, "decisions": 0, "sums": []}
PLAN = {
    "lines": 4_321, "unmatched": 21, "decisions": 1_234,
    "sums": [
        {"share": "used", "measure": "EUR", "sum": "3210"}, {"share": "voidable", "measure": "EUR", "sum": "1234567"},
        {"share": "voidable", "measure": "call_minute", "sum": "40"},
    ],
}  # fmt: skip
DONE = {
    "lines": 4_000, "unmatched": 20, "decisions": 1_200,
    "sums": [
        {"share": "changed", "measure": "EUR", "sum": "5"}, {"share": "voided", "measure": "EUR", "sum": "1234562"},
    ],
}  # fmt: skip


def void(state: str, done: Any = NOTHING, approvals: int = 1) -> dict[str, Any]:
    return {
        "v": 1, "void": "v-1", "campaign": "in-7/1", "state": state, "reason": "as it is", "why": "the wrong list",
        "plan_hash": "0123456789abcdef", "approvals": [{}] * approvals, "persons_needed": 2, "plan": PLAN,
        "done": done, "ends": None, "about": "campaign",
    }  # fmt: skip


def test_every_figure_of_a_void_stands_in_its_place() -> None:
    found = [void("awaiting_approval"), void("voiding", DONE)]
    shown = run(Answering(voids__of_campaign=[{"voids": found}]), "void", "in-7/1")
    assert shown.exit_code == YES
    assert cells(shown.stdout) == [
        ["void v-1 of in-7/1 is awaiting_approval: as it is"],
        ["why: the wrong list"],
        ["plan 0123456789ab: approved by 1 of 2 persons"],
        ["1,234 decisions to void"],
        ["of 4,321 lines, 3,066 have nothing to take back, 21 name no decision of the campaign, or repeat one"],
        ["of what was granted", "measure", "sum"],
        ["on bills", "EUR", "32.10"],
        ["unused, would be voided", "EUR", "12,345.67"],
        ["unused, would be voided", "call minutes", "40"],
        ["customers are not told: the policy has no text for it, or they had no notice"],
        ["If you agree with all of it, or not:"],
        ["kulanz approve-void in-7/1 v-1 --plan 0123456789ab"],
        ["kulanz reject-void in-7/1 v-1 --plan 0123456789ab --reason ..."],
        ["void v-1 of in-7/1 is voiding: as it is"],
        ["why: the wrong list"],
        ["1,200 decisions done"],
        ["of 4,000 lines, 2,780 have nothing to take back, 20 name no decision of the campaign, or repeat one"],
        ["of what was granted", "measure", "sum"],
        ["used or delivered since", "EUR", "0.05"],
        ["voided", "EUR", "12,345.62"],
        ["customers are not told: the policy has no text for it, or they had no notice"],
    ]


@pytest.mark.parametrize(
    ("figures", "state", "said"),
    [
        ({**PLAN, "notices": 1_200}, "awaiting_approval", "1,200 notices to customers would follow If you agree"),
        ({**DONE, "notices": 1}, "voided", "1 notice to customers"),
        (
            {**PLAN, "notices": 2, "asked": [{"channel": "billing", "measure": "EUR", "credits": 2, "sum": "9"}]},
            "awaiting_approval",
            "2 notices to customers would follow; of what the biller is asked for, once it has booked that",
        ),
        ({**PLAN, "notices": 0}, "awaiting_approval", "customers are not told: the policy has no text for it"),
        ({"lines": 3, "unmatched": 3, "decisions": 0, "sums": []}, "voided", "3 name no decision of the campaign"),
    ],
)
def test_a_void_says_how_many_notices_follow_or_that_customers_are_not_told(
    figures: Mapping[str, Any], state: str, said: str
) -> None:
    found = void(state, figures if state == "voided" else NOTHING) | {"plan": figures}
    shown = run(Answering(voids__of_campaign=[{"voids": [found]}]), "void", "in-7/1").stdout
    assert said in " ".join(shown.split())
    assert ("customers" in shown) is bool(figures["decisions"]), "of what takes nothing back there is nothing to say"


@pytest.mark.parametrize("lines", [0, 1, 4_321])
def test_a_void_that_read_a_line_says_what_it_has_done_also_where_that_is_nothing(lines: int) -> None:
    found = void("voided", {"lines": lines, "unmatched": lines, "decisions": 0, "sums": []})
    shown = run(Answering(voids__of_campaign=[{"voids": [found]}]), "void", "in-7/1").stdout
    assert ("0 decisions done" in shown, "to void" in shown, "would" in shown) == (lines > 0, not lines, not lines)


def test_one_of_a_kind_is_one_and_what_was_asked_stays_true_after_the_answer() -> None:
    asked = [{"channel": "billing", "measure": "EUR", "credits": 1, "sum": "500"}]
    one = {"lines": 1, "unmatched": 0, "decisions": 1, "sums": [], "asked": asked}
    found = [void("awaiting_approval") | {"plan": one}, void("voided", one)]
    shown = " ".join(run(Answering(voids__of_campaign=[{"voids": found}]), "void", "in-7/1").stdout.split())
    for text in ("1 decision to void", "of 1 line, 0 have", "1 decision done"):
        assert text in shown
    assert "billing would be asked for 1 credit, 5.00 EUR: void once it has booked that" in shown
    assert "billing was asked for 1 credit, 5.00 EUR: void once it has booked that" in shown


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_only_a_campaign_without_a_void_ends_with_1(words: tuple[str, ...]) -> None:
    for found, code in (([], NO), ([void("rejected")], YES)):
        assert run(Answering(voids__of_campaign=[{"voids": found}]), "void", "in-7/1", *words).exit_code == code


# Budgets


def of_month(month: str) -> dict[str, Any]:
    sums = {"limit": "100.00", "spent": "20.00", "voided": "0.00", "reserved": "30.00", "left": "50.00"}
    return {"month": month, "currency": "EUR", **sums}


@pytest.mark.parametrize(
    ("words", "months"),
    [
        ((), ["2026-03", "2026-04", "2026-05"]),
        (("--since", "2026-02"), ["2026-02", "2026-03", "2026-04", "2026-05"]),
        (("--since", "2026-04"), ["2026-04", "2026-05"]),
        (("--since", "2026-06"), []),
    ],
)
def test_budgets_are_shown_from_the_stacks_month_or_the_one_that_is_stated(
    words: tuple[str, ...], months: list[str]
) -> None:
    """What the present month is, the stack says: it was asked for those of the month before, too."""
    found = [of_month(f"2026-0{number}") for number in range(2, 6)]
    pages = [{"month": "2026-03", "budgets": found[:2]}, {"month": "2026-03", "budgets": found[2:]}]
    shown = run(Answering(budgets__since=pages), "budget", "show", *words)
    assert [line[0] for line in cells(shown.stdout) if "EUR" in line[0]] == [f"{month} EUR" for month in months]
    assert ("no budget is set" in shown.stdout) is (not months)


@pytest.mark.parametrize("voided", [("0.00", "0.00"), ("0.00", "4.00"), ("4.00", "0.00"), ("4.00", "7.00")])
def test_what_was_voided_has_a_column_where_anything_was_in_any_month(voided: tuple[str, str]) -> None:
    found = [of_month(f"2026-0{place + 3}") | {"voided": sum_} for place, sum_ in enumerate(voided)]
    shown = cells(run(Answering(budgets__since=[{"month": "2026-03", "budgets": found}]), "budget", "show").stdout)
    is_shown = voided != ("0.00", "0.00")
    assert ("voided" in shown[0]) is is_shown
    place = shown[0].index("voided") if is_shown else 0
    assert [line[place] for line in shown if "EUR" in line[0]] == (
        [*voided] if is_shown else ["2026-03 EUR", "2026-04 EUR"]
    )


@pytest.mark.parametrize(
    ("now", "month"), [(datetime(2026, 4, 1, 23, tzinfo=UTC), "2026-03"), (datetime(2026, 4, 2, tzinfo=UTC), "2026-04")]
)
def test_the_stack_is_asked_from_a_month_that_has_begun_in_every_zone(
    now: datetime, month: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "datetime", SimpleNamespace(now=now.astimezone))
    assert budget.present_month() == month


# Drafts


def listed(name: str, state: str, microseconds: int | None) -> dict[str, Any]:
    return {"draft": name, "title": f"title of {name}", "state": state, "proposed_microseconds": microseconds}


UNREAD = {"source": "it", "received_at": "2026-03-10T09:00:00Z", "reason": "not_json", "message": "expected JSON"}


def test_every_draft_of_a_month_has_its_length_and_its_state() -> None:
    found = [
        *(listed("it-1-a", "new", 3_661_000_000), listed("it-2-a", "confirmed", 59_000_000)),
        *(listed("it-3-a", "changed", None), listed("it-4-a", "held", 0)),
    ]
    pages = [{"drafts": found[:1], "unread": []}, {"drafts": found[1:], "unread": [UNREAD]}]
    shown = run(Answering(drafts__of_month=pages), "drafts", "--month", "2026-03")
    assert cells(shown.stdout) == [
        ["draft", "outage", "state", "title"],
        ["it-1-a", "1 h 1 min 1 s", "to be confirmed", "title of it-1-a"],
        ["it-2-a", "59 s", "confirmed", "title of it-2-a"],
        ["it-3-a", "goes on", "confirmed; it has changed since", "title of it-3-a"],
        ["it-4-a", "none", "cannot be confirmed; look at it", "title of it-4-a"],
        ["it, 2026-03-10T09:00:00Z: not read, not_json: expected JSON"],
    ]


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.parametrize("drafts", [[], [listed("it-1-a", "new", 0)]])
@pytest.mark.parametrize("unread", [[], [UNREAD]])
def test_a_month_of_which_nothing_was_received_ends_with_1(
    drafts: list[Any], unread: list[Any], words: tuple[str, ...]
) -> None:
    stack = Answering(drafts__of_month=[{"drafts": drafts, "unread": unread}])
    code = run(stack, "drafts", "--month", "2026-03", *words).exit_code
    assert code == (YES if drafts or unread else NO)


def stamp(minute: int, field: str = "f", assumed: bool = False) -> dict[str, Any]:
    return {"at": f"2026-03-10T09:{minute:02}:00Z", "field": field, "assumed": assumed}


def test_a_draft_that_goes_on_is_drawn_to_its_end_and_says_what_is_assumed() -> None:
    """56 minutes in 56 cells. Of a cell that is impaired for half its time one sees it; of one less, one does not."""
    half, less = "2026-03-10T09:10:30Z", "2026-03-10T09:20:29Z"
    spans = [
        {"degree": "major", "start": stamp(0), "end": stamp(4)},
        {"degree": "partial", "start": stamp(10), "end": {**stamp(0), "at": half}},
        {"degree": "planned", "start": stamp(20), "end": {**stamp(0), "at": less}},
        {"degree": "unknown", "start": stamp(50), "end": None},
    ]
    content: dict[str, Any] = {
        "draft": "it-1-a", "digest": "ab" * 32, "kind": "statuspage", "upstream_id": "1", "title": "Down",
        "course": None, "service": "voice", "functions": ["calls", "mail"], "suggested": {"cause": "power"},
        "began": stamp(0, "created"), "ended": stamp(56, "resolved"),
        "windows": [
            {"start": stamp(0, "a", assumed=True), "end": stamp(4, "b")},
            {"start": stamp(10, "c"), "end": stamp(11, "d", assumed=True)}, {"start": stamp(50, "e"), "end": None},
        ],
        "by": {"major": [{}], "partial": [{}, {}], "whole": []},
        "totals_microseconds": {"proposed": None, "major": 240_000_000, "partial": 270_000_000, "whole": 1},
        "components": [{"component": "c1", "name": "Voice", "spans": spans}],
        "unmapped": [{"component": "c2", "name": "Mail"}], "marks": ["planned"], "problem": "",
        "confirmed": {"digest": "cd" * 32, "revision": 3, "by": "iam:anna", "at": "2026-03-11T00:00:00Z"},
        "changed": ["one thing"],
    }  # fmt: skip
    shown = run(Answering(drafts__one=[content]), "draft", "it-1-a")
    drawn = "####" + "-" * 6 + "+" + "-" * 39 + "?" * 6
    assert cells(shown.stdout) == [
        ["it-1-a: Down"],
        ["source", "statuspage, incident 1, state not known"],
        ["service", "voice (calls, mail)"],
        ["suggested", "cause power"],
        ["began", "2026-03-10T09:00:00Z (created)"],
        ["ended", "2026-03-10T09:56:00Z (resolved)"],
        ["03-10 09:00:00", "03-10 09:56:00"],
        ["Voice", drawn],
        ["# major, + partial, = planned, ? unknown, - operational; a cell is 1 min"],
        ["--windows", "what counts", "outage", "windows"],
        ["proposed", "as configured", "goes on", "3"],
        ["major", "major", "4 min", "1"],
        ["partial", "major and partial", "4 min 30 s", "2"],
        ["whole", "start to resolved", "none", "0"],
        ["proposed: ~2026-03-10T09:00:00Z (a)"],
        ["to 2026-03-10T09:04:00Z (b)"],
        ["proposed: 2026-03-10T09:10:00Z (c)"],
        ["to ~2026-03-10T09:11:00Z (d)"],
        ["proposed: 2026-03-10T09:50:00Z (e)"],
        ["to it goes on"],
        ["not mapped: c2 (Mail)"],
        ["! it is planned work"],
        ["confirmed as revision 3 by iam:anna at 2026-03-11T00:00:00Z"],
        ["since then: one thing"],
        ["To confirm it, with the windows that count:"],
        ["kulanz draft it-1-a --confirm --draft abababababab --windows proposed"],
        ["If nothing is to be recorded of it:"],
        ["kulanz draft it-1-a --dismiss --draft abababababab --reason ..."],
    ]


def test_sources_are_shown_with_what_they_do() -> None:
    stack = WorldStack(small_world())
    content = content_of("statuspage")
    (name,) = content["sources"]
    content["sources"]["before"] = {**content["sources"][name], "stopped": True}
    stack.served.sources.publish(1, configuration_json(content))
    shown = run(stack, "source", "show")
    rows = {line[0]: line[-1] for line in cells(shown.stdout)[1:]}
    assert (shown.exit_code, rows) == (YES, {"source": "state", name: "receives", "before": "stopped"})


# Exports


def test_every_figure_of_an_export_stands_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    found = Figures()
    found.lines.update({LineKey("granted", "credit", Written.YES): 1_200, LineKey("held", "x", Written.NO): 34})
    found.sums.update(
        {
            SumKey("granted", "EUR"): 123_456, SumKey("offered", "call_minute"): Decimal("1.5"),
            SumKey("accepted", "EUR"): 111, SumKey("claimable", "EUR"): 222, SumKey("uncounted", "EUR"): 333,
        }
    )  # fmt: skip
    finished: Any = {
        "campaign": "in-7/1", "of": "ledger", "asked_at": "2026-03-02T00:00:00Z", "id": "e-1",
        "expected": {"lines": [], "sums": [{"of": "granted", "measure": "EUR", "sum": "654321"}]},
    }  # fmt: skip
    parts: Any = SimpleNamespace(figures=found, rows=1_300)
    command._show(finished, parts, Path("rows.csv"), console())
    assert cells(capsys.readouterr().out) == [
        ["in-7/1: 1,300 rows of 1,234 lines in rows.csv"],
        ["what the ledger says, as of 2026-03-02T00:00:00Z; export e-1"],
        ["result", "sum of", "export", "reconciliation"],
        ["granted", "EUR", "1,234.56", "6,543.21"],
        ["offered", "call minutes", "1.5", "0"],
        ["1.11 EUR accepted, or granted by hand, since"],
        ["2.22 EUR still to be claimed by customers"],
        ["3.33 EUR in the ledger, but counted by no receipt"],
    ]
