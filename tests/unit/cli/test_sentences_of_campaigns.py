"""What is said of campaigns, ledgers, drafts and discretion: all of it, of values that all differ."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kulanz.application.ledger.check_ledger import Checked
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import CountKey, Difference, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.delivery.law import Shares
from kulanz_cli import ledger, settlement
from kulanz_cli.reconciliation import law_text, show_others, show_reconciliation
from kulanz_cli.shown_campaign import ShownCampaign, ShownPass
from kulanz_cli.voids import _size
from tests.support.answering import Answering
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.cli.test_what_is_sent import Sending

C = "in-7/3"
ID = CampaignId.parse(C)


def words(text: str) -> str:
    return " ".join(text.split())


def said(expected_code: int, *line: str, **answers: Any) -> str:
    shown = run(Answering(**answers), *line)
    assert shown.exit_code == expected_code, shown.output
    return words(shown.stdout)


# What waits, above the campaigns


def trouble(kind: str, number: int, *, urgent: bool = False) -> dict[str, Any]:
    return {
        "kind": kind, "on": f"in-{number}/1", "since": f"2026-03-0{number}T09:00:00Z", "says": f"says {number}",
        "urgent": urgent,
    }  # fmt: skip


HALTED = {"halted": True, "since": "2026-03-09T09:00:00Z", "reason": "floods"}
KEPT = [
    {"incident_id": "in-4", "after": "in-4/1", "opens_at": "2026-03-05T10:00:00Z", "void": None},
    {"incident_id": "in-5", "after": "in-5/1", "opens_at": "2026-03-06T10:00:00Z", "void": "v-9"},
]
KEPT_SAYS = (
    "a request for in-4 waits for the workers of in-4/1; it opens after 2026-03-05T10:00:00Z"
    " a request for in-5 waits for the void v-9; it is tried again after 2026-03-06T10:00:00Z"
)
GLASS = "glass_broken in-2/1 since 2026-03-02T09:00:00Z: says 2"
LOST = "lost in-1/1 since 2026-03-01T09:00:00Z: says 1. Look now."


@pytest.mark.parametrize(
    ("troubles", "halt", "kept", "code", "says"),
    [
        ([], {"halted": False}, [], 1, "no campaign waits for a person"),
        ([trouble("glass_broken", 2)], {"halted": False}, [], 1, f"{GLASS} no campaign waits for a person"),
        (
            [trouble("lost", 1, urgent=True), trouble("glass_broken", 2)], HALTED, KEPT, 0,
            (f"{GLASS} the stack is halted since 2026-03-09T09:00:00Z: floods; kulanz halt shows more {LOST}"
            f" {KEPT_SAYS} no campaign waits for a person"),
        ),
    ],
)  # fmt: skip
def test_what_stands_above_the_campaigns_that_wait_is_said_the_gravest_first(
    troubles: Any, halt: Any, kept: Any, code: int, says: str
) -> None:
    pages = [{"campaigns": [], "kept": kept, "incident_known": None}, {"campaigns": [], "kept": []}]
    answers = {"halts__current": [halt], "campaigns__troubles": [{"troubles": troubles}]}
    assert said(code, "campaigns", campaigns__waiting=pages, **answers) == says


@pytest.mark.parametrize(
    ("line", "is_known", "says"),
    [
        (("--month", "2026-03"), None, "no campaign was opened in 2026-03"),
        (
            ("in-7",),
            True,
            "incident in-7 is recorded and has no campaign Events from the bus that were refused: kulanz rejected",
        ),
        (
            ("in-7",),
            False,
            "incident in-7 is not recorded on this stack Events from the bus that were refused: kulanz rejected",
        ),
    ],
)
def test_where_there_is_no_campaign_it_is_said_of_what(line: tuple[str, ...], is_known: bool | None, says: str) -> None:
    page: list[Any] = [{"campaigns": [], "kept": [], "incident_known": is_known}]
    answers = {"campaigns__of_month": page, "campaigns__of_incident": page}
    assert said(1, "campaigns", *line, **answers) == says


# Reconciliation


def shown_pass(counts: dict[tuple[RowResult, str, WriteResult], int]) -> ShownPass:
    found = Counter({CountKey(*key): number for key, number in counts.items()})
    return ShownPass(Totals(lines=found.total(), counts=found), 1, 1, is_finished=True)


def reconciled(state: State, reason: str) -> str:
    granted, declined = (RowResult.GRANTED, "ok"), (RowResult.DECLINED, "not_out")
    plan = {
        (*granted, WriteResult.NONE): 1_234,
        (*declined, WriteResult.NONE): 56,
        (RowResult.REJECTED, "x", WriteResult.NONE): 1,
    }
    apply = {
        (*granted, WriteResult.WRITTEN): 1_200, (*granted, WriteResult.CONFLICT): 3,
        (*granted, WriteResult.DUPLICATE): 31,
        (*declined, WriteResult.WRITTEN): 50,
    }  # fmt: skip
    campaign = ShownCampaign(
        ID, state, reason, keeps_history=False, rows_announced=1, bytes_in_all=1,
        plan=shown_pass(plan), apply=shown_pass(apply),
    )  # fmt: skip
    printed = io.StringIO()
    show_reconciliation(campaign, Console(file=printed, width=120))
    return words(printed.getvalue())


LINES_SAY = (
    "result reason lines ledger duplicate conflict granted ok 1,234 1,200 31 3 declined not_out 56 50 0 0"
    " rejected x 1 - - - all 1,291 1,250 31 3"
)
WHERE = "1 row was rejected and 3 rows contradict others; which and why: kulanz rejected in-7/3"


def test_a_reconciliation_says_each_count_in_its_column_and_differences_only_of_what_is_flagged() -> None:
    assert reconciled(State.CLOSED, "") == f"in-7/3 is closed {LINES_SAY} {WHERE}"
    flagged = reconciled(State.FLAGGED, "lines_differ: by 6")
    assert flagged.startswith(f"in-7/3 is flagged: lines_differ: by 6 {LINES_SAY} differs: ")
    assert "planned 56, applied 50" in flagged
    assert flagged.endswith(WHERE)


def test_every_measure_that_was_planned_or_written_has_its_sums_each_in_its_column() -> None:
    def summed(sums: dict[tuple[RowResult, WriteResult, str], int]) -> ShownPass:
        totals = Totals(lines=1, sums={SumKey(*key): size for key, size in sums.items()})
        return ShownPass(totals, 1, 1, is_finished=True)

    granted, offered = RowResult.GRANTED, RowResult.OFFERED
    plan = {(granted, WriteResult.NONE, "EUR"): 10_00, (offered, WriteResult.NONE, "JPY"): 11_000}
    apply = {
        (granted, WriteResult.WRITTEN, "EUR"): 9_00, (granted, WriteResult.DUPLICATE, "EUR"): 1_00,
        (granted, WriteResult.CONFLICT, "KWD"): 2_345, (granted, WriteResult.WRITTEN, "call_minute"): 7,
    }  # fmt: skip
    campaign = ShownCampaign(
        ID, State.CLOSED, "", keeps_history=False, rows_announced=1, bytes_in_all=1, plan=summed(plan),
        apply=summed(apply),
    )  # fmt: skip
    printed = io.StringIO()
    show_reconciliation(campaign, Console(file=printed, width=120))
    assert [words(line) for line in printed.getvalue().splitlines()] == [
        "in-7/3 is closed",
        "",
        "result sum of planned ledger duplicate conflict",
        "granted EUR 10.00 9.00 1.00 0.00",
        "granted KWD 0.000 0.000 0.000 2.345",
        "granted call minutes 0 7 0 0",
        "offered JPY 11,000 0 0 0",
    ]


@pytest.mark.parametrize(
    ("same", "other", "named_all", "says"),
    [
        ([], [], True, ""),
        (["in-1/1", "in-2/1"], [], True, "same windows and service, the same list: in-1/1, in-2/1"),
        ([], ["in-3/1"], False, "same windows and service, another list: in-3/1, and perhaps more"),
        (
            ["in-1/1"], ["in-3/1"], True,
            "same windows and service, the same list: in-1/1 same windows and service, another list: in-3/1",
        ),
    ],
)  # fmt: skip
def test_campaigns_of_other_incidents_are_named_by_whether_their_list_is_the_same(
    same: list[str], other: list[str], named_all: bool, says: str
) -> None:
    printed = io.StringIO()
    show_others({"same_list": same, "other_list": other, "named_all": named_all}, Console(file=printed, width=120))
    assert words(printed.getvalue()) == says


SHARES = Shares(used=1_00, expired=2_00, voided=4_00, written_off=8_00, open=16_00)


def test_the_law_is_an_equation_of_what_is_not_nothing() -> None:
    assert law_text("EUR", SHARES) == (
        "EUR: granted 31.00 = 1.00 used + 2.00 expired + 4.00 voided + 8.00 written off + 16.00 open"
    )
    assert law_text("EUR", Shares(voided=4_00)) == "EUR: granted 4.00 = 4.00 voided"
    assert law_text("EUR", Shares()) == "EUR: granted 0.00 = 0"


@pytest.mark.parametrize(("text", "size"), [("7", 7), ("7.00", 7), ("7.5", "7.5"), ("0", 0)])
def test_a_size_is_whole_where_it_is(text: str, size: Any) -> None:
    found = _size(text)
    assert str(found) == str(size)
    assert isinstance(found, int) is isinstance(size, int)


# Ledger


CHECKS = {
    "agrees": (
        Checked(ID, 1, (), may_have_expired=False, law={"EUR": SHARES}),
        f"in-7/3 agrees: 1 decision of its list in the ledger {law_text('EUR', SHARES)}",
    ),
    "too little may have expired": (
        Checked(ID, 12, (Difference("EUR", 500, 300),), may_have_expired=True),
        (
            "in-7/3 agrees: 12 decisions of its list in the ledger EUR: receipts 5.00, ledger 3.00"
            " Decisions of it may have passed their time to live."
        ),
    ),
    "too little": (
        Checked(ID, 12, (Difference("EUR", 500, 300),), may_have_expired=False),
        "in-7/3 differs: 12 decisions of its list in the ledger EUR: receipts 5.00, ledger 3.00",
    ),
    "beyond the receipts": (
        Checked(ID, 12, (), may_have_expired=False, beyond=(Difference("EUR", 500, 1_200),)),
        (
            "in-7/3 agrees: 12 decisions of its list in the ledger EUR: 7.00 more than the receipts count"
            " Workers that were stopped before their receipt wrote these. They are granted."
        ),
    ),
    "goodwill, which has no list": (
        Checked(ID, 0, (), may_have_expired=False, by_hand=3, law={"EUR": SHARES}),
        f"in-7/3 agrees: 0 decisions of its list in the ledger, 3 decisions by hand {law_text('EUR', SHARES)}",
    ),
    "a broken law": (
        Checked(ID, 12, (), may_have_expired=False, broken=("EUR is short",)),
        "in-7/3 differs: 12 decisions of its list in the ledger the law is broken: EUR is short",
    ),
    "unread": (
        Checked(ID, 0, (), may_have_expired=False, is_read=False),
        "in-7/3 cannot be compared: its list cannot be read. No receipt counts a decision of it.",
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_checked_ledger_says_what_differs_and_why_that_may_be(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    checked, says = CHECKS[name]
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(ledger, "check_ledger", lambda *_: checked)
    shown = run(WorldStack(World()), "ledger", "check", C)
    assert words(shown.stdout) == says
    told = json.loads(run(WorldStack(World()), "ledger", "check", C, "--json").stdout)["campaigns"]
    assert [one["agrees"] for one in told] == ["differs" not in says]
    assert [one["is_read"] for one in told] == [checked.is_read]


def test_a_programs_form_of_a_check_has_every_figure_in_the_currencys_own_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    law = {"USD": Shares(used=1_234_00), "EUR": SHARES}
    differing, beyond = Difference("EUR", 1_234_56, 7), Difference("decisions", 3, 5)
    checked = Checked(
        ID, 12, (differing,), may_have_expired=True, beyond=(beyond,), law=law, broken=("short",), by_hand=3
    )
    monkeypatch.setattr(ledger, "check_ledger", lambda *_: checked)
    (told,) = json.loads(run(WorldStack(World()), "ledger", "check", C, "--json").stdout)["campaigns"]
    assert told == {
        "campaign": C, "agrees": False, "decisions": 12, "by_hand": 3, "is_read": True, "may_have_expired": True,
        "differences": [{"what": "EUR", "receipts": "1234.56", "ledger": "0.07"}],
        "beyond_the_receipts": [{"what": "decisions", "receipts": "3", "ledger": "5"}],
        "law": [
            {
                "measure": "EUR", "granted": "31.00", "used": "1.00", "expired": "2.00", "voided": "4.00",
                "written_off": "8.00", "open": "16.00",
            },
            {
                "measure": "USD", "granted": "1234.00", "used": "1234.00", "expired": "0.00", "voided": "0.00",
                "written_off": "0.00", "open": "0.00",
            },
        ],
        "broken": ["short"],
    }  # fmt: skip


# Drafts


DRAFT: dict[str, Any] = {
    "draft": "it-1-a", "digest": "ab" * 32, "kind": "statuspage", "source": "it", "upstream_id": "1", "title": "Down",
    "course": "resolved", "service": "voice", "functions": ["calls"], "suggested": {}, "began": None, "ended": None,
    "windows": [{"start": {"at": "2026-03-10T09:01:00Z"}, "end": {"at": "2026-03-10T09:02:00Z"}}],
    "by": {
        "major": [{"start": {"at": "2026-03-10T09:03:00Z"}, "end": {"at": "2026-03-10T09:04:00Z"}}],
        "partial": [{"start": {"at": "2026-03-10T09:05:00Z"}, "end": None}], "whole": [],
    },
    "components": [], "unmapped": [], "marks": [], "problem": "", "confirmed": None, "changed": [],
}  # fmt: skip
ANSWER = {"v": 1, "incident_id": "it-1-a", "revision": 4, "campaign": None, "state": None}
CONFIRM = ("draft", "it-1-a", "--confirm", "--draft", "ab" * 6)


def window(start: int, end: int | None) -> dict[str, str | None]:
    return {"start": f"2026-03-10T09:0{start}:00Z", "end": None if end is None else f"2026-03-10T09:0{end}:00Z"}


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (("--windows", "proposed"), {"windows": [window(1, 2)]}),
        (
            ("--windows", "major", "--cause", "c", "--title", "t"),
            {"windows": [window(3, 4)], "cause": "c", "title": "t"},
        ),
        (
            ("--windows", "partial", "--function", "f", "--function", "g", "--reason", "r"),
            {"windows": [window(5, None)], "functions": ["f", "g"], "reason": "r"},
        ),
        (
            ("--window", "2026-03-10T09:06:00Z/2026-03-10T09:07:00Z", "--window", "2026-03-10T09:08:00Z/.."),
            {"windows": [window(6, 7), window(8, None)]},
        ),
    ],
)
def test_a_draft_is_confirmed_with_the_windows_and_words_that_were_typed(
    line: tuple[str, ...], body: dict[str, Any]
) -> None:
    for given in ((), ("--id", "mine")):
        stack = Sending(ANSWER, drafts__one=[DRAFT])
        shown = run(stack, *CONFIRM, *line, *given)
        assert (shown.exit_code, words(shown.stdout)) == (
            0, "Recorded: incident it-1-a, revision 4. No campaign was requested.",
        ), shown.output  # fmt: skip
        ((use, sent, of),) = stack.sent
        assert (use, sent) == ("drafts.confirm", {"digest": "ab" * 32, **body})
        assert of["draft"] == "it-1-a"
        assert of["id"] == "mine" if given else str(of["id"]).startswith("confirm-")


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (("--windows", "whole"), 3, "the draft has no window for whole"),
        (("--windows", "major", "--policy", "p/1"), 2, "--policy and --rows belong to --list"),
        (("--windows", "major", "--rows", "1"), 2, "--policy and --rows belong to --list"),
        ((), 2, "either --windows or --window"),
        (("--windows", "major", "--window", "2026-03-10T09:08:00Z/.."), 2, "either --windows or --window"),
        (("--windows", "major", "--draft", "cd" * 6), 3, "the draft has changed"),
        (("--windows", "major", "--dismiss", "--reason", "r"), 2, "--dismiss needs --reason"),
    ],
)
def test_a_confirmation_that_does_not_fit_sends_nothing(line: tuple[str, ...], code: int, says: str) -> None:
    stack = Sending(ANSWER, drafts__one=[DRAFT])
    shown = run(stack, *CONFIRM, *line)
    assert (shown.exit_code, stack.sent) == (code, [])
    assert says in words(shown.output)


OPTIONS = (
    "--cause",
    "--title",
    "--function",
    "--policy",
    "--windows=major",
    "--window=2026-03-10T09:08:00Z/..",
    "--rows=1",
)


@pytest.mark.parametrize("option", OPTIONS)
def test_what_belongs_to_a_confirmation_is_refused_with_a_dismissal(option: str) -> None:
    stack = Sending(ANSWER, drafts__one=[DRAFT])
    given = (option,) if "=" in option else (option, "x")
    assert run(stack, "draft", "it-1-a", "--dismiss", "--reason", "r", *given).exit_code == 2
    assert stack.sent == []


def test_a_dismissal_names_what_was_looked_at_and_says_what_follows() -> None:
    for given in ((), ("--id", "mine")):
        stack = Sending({"v": 1}, drafts__one=[DRAFT])
        shown = run(stack, "draft", "it-1-a", "--dismiss", "--reason", "r", *given)
        assert words(shown.stdout) == "Dismissed: it-1-a. It is listed again when its source reports something else."
        ((use, body, of),) = stack.sent
        assert (use, body) == ("drafts.confirm", {"action": "dismiss", "digest": "ab" * 32, "reason": "r"})
        assert (of["draft"], of["id"] == "mine") == ("it-1-a", bool(given))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("planning", "is open (planning). Follow it:"),
        ("closed", "was opened for it, and has ended (closed). See it:"),
        ("refused", "was opened for it, and has ended (refused). See it:"),
    ],
)
def test_what_became_of_a_confirmed_drafts_campaign_is_said(state: str, says: str) -> None:
    answer = ANSWER | {"campaign": C, "state": state}
    stack = Sending(answer, drafts__one=[DRAFT], campaigns__one=[{"state": state}])
    assert words(run(stack, *CONFIRM, "--windows", "major").stdout) == (
        f"Recorded: incident it-1-a, revision 4. Campaign in-7/3 {says} kulanz watch in-7/3"
    )


# Discretion

FILE = """
kulanz_discretion: 1
version: 1
zone: Europe/Berlin
reasons:
  long_wait:
    title: Waited too long
    bill: {text: A gesture, reason_code: R1, treatment: compensation, ledger_account: "4711"}
  other:
    title: Something else
    note: true
goodwill:
  EUR:
    alone: {decision: "1.00", person_month: "2.00", account_month: "3.00"}
    two: {decision: "4.00", person_month: "5.00", account_month: "6.00"}
"""


def test_a_discretion_file_is_told_with_each_of_its_values_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "discretion.yaml"
    path.write_text(FILE.lstrip())
    told = json.loads(run(None, "discretion", "check", str(path), "--json").stdout)
    bill = told["reasons"][0]["bill"]
    assert (bill["reason_code"], bill["treatment"], bill["ledger_account"]) == ("R1", "compensation", "4711")
    assert [(one["code"], one["title"], one["note"]) for one in told["reasons"]] == [
        ("long_wait", "Waited too long", False),
        ("other", "Something else", True),
    ]
    limits = {"for": "goodwill", "measure": "EUR"}
    assert told["limits"] == [
        limits
        | {"agreed_by": "alone", "decision": "1.00 EUR", "person_month": "2.00 EUR", "account_month": "3.00 EUR"},
        limits | {"agreed_by": "two", "decision": "4.00 EUR", "person_month": "5.00 EUR", "account_month": "6.00 EUR"},
    ]
    assert (told["version"], told["zone"]) == (1, "Europe/Berlin")


@pytest.mark.parametrize("second", [None, "sso:ben"])
@pytest.mark.parametrize("is_settled", [False, True])
def test_what_was_stated_of_a_campaign_waits_for_a_second_person_until_it_is_settled(
    second: str | None, is_settled: bool
) -> None:
    stated = {
        "by": "sso:anna", "granted": {"EUR": "1234.50", "JPY": "7"}, "claimable": {"EUR": "3.00", "JPY": "9000"},
        "second": second, "is_settled": is_settled,
    }  # fmt: skip
    assert list(settlement._about({"stated": stated, "must_be_stated": True})) == [
        "stated by sso:anna: 1,234.50 EUR granted and 3.00 claimable, 7 JPY granted and 9,000 claimable",
        *(["stated as well by sso:ben"] if second else []),
        *([] if is_settled else ["it waits for a second person who states the same"]),
    ]
