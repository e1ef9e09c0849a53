"""What finance reads of deliveries, answers and months: every figure in its place, and an exit code that says it."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.acknowledgements import PROBLEMS_SHOWN
from kulanz_cli.month import LATE_FIELDS, html_of, late_csv
from kulanz_cli.outcomes import EXIT_UNUSABLE
from kulanz_console.drawing.ways import NOT_EXACT
from kulanz_console.month_table import csv_of
from kulanz_console.still_open import NOT_COUNTED, StillOpen
from tests.support.answering import Answering, cells
from tests.support.reading import read
from tests.support.world_stack import run

YES, NO = 0, 1


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


# The month


def line(measure: str, planned: str, granted: str, voided: str, **sums: Any) -> dict[str, Any]:
    law = {"used": "0", "expired": "0", "written_off": "0", "open": "0", "is_exact": True, "asked_back": "0"}
    return {"measure": measure, "planned": planned, "granted": granted, "voided": voided, **law, **sums}


ADDED = "additions billing/13 to 19 (4), 2 not sent, additions letters/3"
WHY_NOT = "no channel to billing was set up"


def month() -> list[dict[str, Any]]:
    """Two campaigns; no figure of an amount is the same as one in another place."""
    money = line(
        *("EUR", "110.00", "100.00", "8.00"), to_be_booked="92.00", not_on_bills="36.00", overdue="14.00",
        by_state={"accepted": "21.00", "applied": "50.00", "sent": "15.00", "written_off": "6.00"},
        used="50.00", expired="4.00", written_off="6.00", open="32.00", is_exact=False,
        by_channel=[
            {"channel": "", "by_state": {"due": "7.00"}, "voided": "0.50"},
            {"channel": "billing", "by_state": {"applied": "47.00", "rejected": "9.00", "written_off": "6.00"},
             "voided": "7.50"},
            {"channel": "letters", "by_state": {"applied": "3.00", "sent": "20.00"}, "voided": "0.00"},
        ],
        rejected_with=[
            {"channel": "billing", "code": "", "sum": "4.00"},
            {"channel": "billing", "code": "frozen", "sum": "2.00"},
            {"channel": "letters", "code": "=moved", "sum": "3.00"},
        ],
    )  # fmt: skip
    calls = line(
        *("call_minute", "70", "60", "0"),
        to_be_booked="60",
        not_on_bills="0",
        overdue="0",
        by_state={"applied": "60"},
        used="60",
    )
    due = line(
        *("EUR", "33.00", "31.00", "0.00"), to_be_booked="31.00", not_on_bills="31.00", overdue="0.00",
        by_state={"due": "31.00"}, open="31.00",
    )  # fmt: skip
    of = {"policy": "net-credit", "state": "closed", "decided_at": "2026-03-01T09:00:00Z", "differences": []}
    booked = {"ledger_account": "4000-120", "reason_code": "SVC-OUTAGE", "treatment": "price_reduction"}
    apart = {**booked, "ledger_account": "5000-7"}
    added = [
        {"channel": "billing", "deliveries": 4, "first": "billing/13", "last": "billing/19", "not_sent": 2},
        {"channel": "letters", "deliveries": 1, "first": "letters/3", "last": "letters/3", "not_sent": 0},
    ]
    sent = {"delivery": "billing/12", "delivery_state": "sent", "additions": added, "why_not": ""}
    first = {"policy_version": 6, **sent, "bookings": [booked], "lines": [money, calls]}
    return [
        {"campaign": "in-7/1", **first, **of},
        {
            "campaign": "in-8/2",
            "policy_version": 9,
            "delivery": None,
            "delivery_state": "",
            "why_not": WHY_NOT,
            "bookings": [booked, apart],
            "lines": [due],
            **of,
        },
    ]


CLOSED = (None, "2026-04-01T00:00:00Z")
NOTHING = StillOpen({}, is_whole=True)
NOW = datetime(2026, 4, 2, 8, tzinfo=UTC)


TROUBLES = (("in-7/1", "stuck"), ("in-9/1", "stuck"), ("in-8/2", "glass_broken"), ("in-8", "status"))


def pages_of(campaigns: list[dict[str, Any]]) -> Answering:
    """Each campaign on a page of its own."""
    return Answering(
        acknowledgements__of_month=[{"campaigns": [one]} for one in campaigns],
        campaigns__troubles=[{"troubles": [{"on": on, "kind": kind} for on, kind in TROUBLES]}],
        voids__waiting=[{"voids": [{"campaign": named, "about": "unused"} for named in ("in-8/2", "in-9/1")]}],
        cases__proposed=[{"proposed": [{"campaign": "in-7/1"}]}, {"proposed": [{"campaign": "in-9/1"}]}],
        cases__of_month=[
            {"campaigns": [{"closed": closed, "waiting": {"held": 3, "referred": 1}}]} for closed in CLOSED
        ],
        goodwill__waiting=[{"waiting": [{"state": "waiting"}]}],
    )


def test_every_figure_of_a_month_stands_in_its_place() -> None:
    shown = run(pages_of(month()), "month", "2026-03")
    assert cells(shown.stdout) == [
        ["2026-03: 2 campaigns"],
        ["2026-03 costs 123.00 EUR: 131.00 granted, less 8.00 voided"],
        ["50.00 on bills, 67.00 not on bills yet, 6.00 written off"],
        ["state", "sum", "meaning"],
        ["due", "31.00", "not delivered yet"],
        ["sent", "15.00", "delivered, and the biller has not answered"],
        ["accepted", "21.00", "booked by the biller, and on no bill yet"],
        ["not on bills", "67.00", "all of the above"],
        ["not on bills, late", "14.00", "of it: the deadline is over (kulanz overdue)"],
        ["not on bills, expired", "4.00", "of it: the customer can no longer use it"],
        ["applied", "50.00", "on bills"],
        ["written off", "6.00", "given up by a person"],
        ["voided", "8.00", "taken back before it was used"],
        ["131.00 EUR granted = 50.00 used on bills + 4.00 expired unused + 8.00 voided + 6.00 written off +"],
        ["63.00 open"],
        ["2026-03 gives 60 call minutes"],
        ["60 on bills, 0 not on bills yet"],
        ["state", "sum", "meaning"],
        ["applied", "60", "on bills"],
        ["60 call minutes granted = 60 used on bills"],
        [NOT_EXACT],
        ["biller's code", "channel", "measure", "rejected"],
        ["=moved", "letters", "EUR", "3.00"],
        ["frozen", "billing", "EUR", "2.00"],
        ["other codes", "billing", "EUR", "4.00"],
        ["ledger account", "reason code", "measure", "granted", "on bills", "not on bills", "expired unused"],
        ["4000-120", "SVC-OUTAGE", "EUR", "100.00", "50.00", "36.00", "4.00"],
        ["4000-120", "SVC-OUTAGE", "call minutes", "60", "60", "0", "0"],
        ["several", "SVC-OUTAGE", "EUR", "31.00", "0", "31.00", "0"],
        ["several: the components of one policy are booked apart; each delivered credit says how"],
        ["channel", "measure", "delivered", "on bills", "not on bills", "rejected", "written off", "voided"],
        ["billing", "EUR", "69.50", "47.00", "9.00", "9.00", "6.00", "7.50"],
        ["letters", "EUR", "23.00", "3.00", "20.00", "0.00", "0.00", "0.00"],
        ["campaign", "granted", "on bills", "measure", "delivery"],
        [
            "in-7/1",
            "100.00",
            "50.00",
            "EUR",
            "billing/12, additions billing/13 to 19 (4), 2 not sent, additions letters/3",
        ],
        [
            "in-7/1",
            "60",
            "60",
            "call minutes",
            "billing/12, additions billing/13 to 19 (4), 2 not sent, additions letters/3",
        ],
        ["in-8/2", "31.00", "0", "EUR", "-"],
        [f"in-8/2 is not delivered: {WHY_NOT}"],
        ["no unexplained difference"],
        ["What is left"],
        ["This is left before the month can be closed."],
        ["Campaigns with credits that are late: 1"],
        ["Campaigns with credits that are not delivered: 1"],
        ["Campaigns with credits that the biller has not answered: 1"],
        ["Troubles of the month's campaigns: 1"],
        ["Voids that are not over: 1"],
        ["Decisions of cases that wait for a second person: 1"],
        ["Cases for manual review: 4"],
    ]


@pytest.mark.parametrize("count", [1, 9, 10, 11, 40])
def test_what_is_rejected_is_summed_over_every_campaign_of_the_month(count: int) -> None:
    campaigns = []
    for number in range(1, count + 1):
        one = month()[0]
        one["lines"] = one["lines"][:1]
        one["lines"][0]["rejected_with"] = [
            {"channel": "billing", "code": "frozen", "sum": f"{number}.00"},
            {"channel": "billing", "code": f"only-{number}", "sum": "0.50"},
        ]
        campaigns.append({**one, "campaign": f"in-{number}/1"})
    found = cells(run(pages_of(campaigns), "month", "2026-03").stdout)
    rejected = [row for row in found if row[:1] == ["frozen"] or row[0].startswith("only-")]
    assert rejected[0] == ["frozen", "billing", "EUR", f"{count * (count + 1) // 2}.00"]
    assert {tuple(row) for row in rejected[1:]} == {
        (f"only-{number}", "billing", "EUR", "0.50") for number in range(1, count + 1)
    }


OF_BILLS = {
    "differences": 0, "late": 1, "rejected": 0, "undelivered": 1, "unanswered": 1, "asked_back": 0, "plans": 0,
    "campaigns": 0,
}  # fmt: skip
ALL_LEFT = {**OF_BILLS, "troubles": 1, "voids": 1, "proposed": 1, "cases": 4}


@pytest.mark.parametrize(
    ("lacks", "numbers"),
    [
        ((), ALL_LEFT),
        (("cases__of_month",), {**OF_BILLS, "troubles": 1, "voids": 1}),
        (("goodwill__waiting",), ALL_LEFT),
    ],
)
def test_a_month_counts_what_is_still_open_and_says_where_a_role_is_lacking(
    lacks: tuple[str, ...], numbers: dict[str, int], tmp_path: Path
) -> None:
    stack = pages_of(month())
    for name in lacks:
        stack.lose(name)
    shown = run(stack, "month", "2026-03", "--html", str(tmp_path / "month.html")).stdout
    page = re.sub("<[^>]+>", " ", (tmp_path / "month.html").read_text(encoding="utf-8"))
    content = json.loads(run(stack, "month", "2026-03", "--json").stdout)
    assert (content["still_open"], content["still_open_is_whole"]) == (numbers, not lacks)
    for text in (shown, page):
        words = " ".join(text.split()).partition("What is left ")[2]
        assert words.startswith(
            "This is left before the month can be closed. Campaigns with credits that are late: 1 Campaigns"
        )
        assert words.endswith(NOT_COUNTED) is bool(lacks)


@pytest.mark.parametrize(
    ("late", "differs", "code"), [("0.00", False, YES), ("0.01", False, NO), ("0.00", True, NO), ("0.01", True, NO)]
)
def test_a_month_ends_with_1_where_something_is_late_or_differs(late: str, differs: bool, code: int) -> None:
    campaigns = month()
    campaigns[0]["lines"][0]["overdue"] = late
    campaigns[1]["differences"] = ["EUR: less than nothing is due"] if differs else []
    shown = run(pages_of(campaigns), "month", "2026-03")
    assert shown.exit_code == code
    assert ("differs: in-8/2: EUR: less than nothing is due" in shown.stdout) is differs
    assert ("no unexplained difference" in shown.stdout) is not differs


def test_a_month_of_more_campaigns_than_fit_is_not_added_up_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kulanz_cli.month.CAMPAIGNS_MOST", 2)
    assert "2026-03: 2 campaigns" in run(pages_of(month()), "month", "2026-03").stdout
    shown = run(pages_of([*month(), month()[0]]), "month", "2026-03")
    assert (shown.exit_code, shown.stdout) == (EXIT_UNUSABLE, "")
    assert "2026-03 opened more than 2 campaigns" in read(shown.stderr)


def test_a_line_of_the_months_table_has_each_figure_under_its_name() -> None:
    head, *rows = csv.reader(io.StringIO(csv_of(month())))
    assert dict(zip(head, rows[0], strict=True)) == {
        "campaign": "in-7/1", "policy": "net-credit", "version": "6", "delivery": "billing/12", "measure": "EUR",
        "planned": "110.00", "granted": "100.00", "due": "0", "assigned": "0", "sent": "15.00", "unknown": "0",
        "accepted": "21.00", "applied": "50.00", "rejected": "0", "taken_back": "0", "written_off": "6.00",
        "voided": "8.00", "overdue": "14.00", "expired": "4.00", "open": "32.00", "expired_is_exact": "no",
        "ledger_account": "4000-120", "reason_code": "SVC-OUTAGE", "treatment": "price_reduction",
        "additions": "billing/13 to billing/19 (4); letters/3", "by_channel": "billing: 69.50; letters: 23.00",
        "rejected_with": "letters =moved: 3.00; billing frozen: 2.00; billing other codes: 4.00",
    }  # fmt: skip
    assert [row[3] for row in rows] == ["billing/12", "billing/12", ""]
    assert [row[-6:-3] for row in rows[1:]] == [
        ["4000-120", "SVC-OUTAGE", "price_reduction"], ["several", "SVC-OUTAGE", "price_reduction"],
    ]  # fmt: skip


class Cells(HTMLParser):
    """The rows of all tables of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, _: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._is_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._is_cell = self._is_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self.rows[-1][-1] += data


def test_a_months_page_says_as_of_when_it_is_and_whether_the_month_is_over() -> None:
    assert "As of 2026-04-02T08:00:00Z.<" in html_of("2026-03", month(), NOTHING, NOW)
    assert "As of 2026-04-02T08:00:00Z, and the month is not over.<" in html_of("2026-04", month(), NOTHING, NOW)


def test_the_months_page_has_each_figure_under_its_heading() -> None:
    rows = Cells(html_of("2026-03", month(), NOTHING, NOW)).rows
    late, expired = "of it: the deadline is over (kulanz overdue)", "of it: the customer can no longer use it"
    assert [row for row in rows if row[0].startswith("not on bills")] == [
        ["not on bills", "67.00", "all of the above"],
        ["not on bills, late", "14.00", late],
        ["not on bills, expired", "4.00", expired],
    ]
    assert ["frozen", "billing", "EUR", "2.00"] in rows
    assert ["letters", "EUR", "23.00", "3.00", "20.00", "0.00", "0.00", "0.00"] in rows
    heads = ["Granted", "On bills", "Not on bills", "Late", "Expired unused", "Voided", "Written off"]
    place = rows.index(["Ledger account", "Reason code", "Measure", *heads])
    assert rows[place + 1 : place + 4] == [
        ["4000-120", "SVC-OUTAGE", "EUR", "100.00", "50.00", "36.00", "14.00", "4.00", "8.00", "6.00"],
        ["4000-120", "SVC-OUTAGE", "call minutes", "60", "60", "0", "0", "0", "0", "0"],
        ["several", "SVC-OUTAGE", "EUR", "31.00", "0", "31.00", "0.00", "0", "0.00", "0"],
    ]
    sums = ["Planned", "Granted", "Used", "Expired", "Voided", "Written off", "Open", "Not on bills", "Late"]
    assert rows[-4:] == [
        ["Campaign", "Policy", "Measure", *sums, "Delivery"],
        [
            *("in-7/1", "net-credit 6", "EUR", "110.00", "100.00", "50.00", "4.00", "8.00", "6.00", "32.00"),
            *("36.00", "14.00", f"billing/12, {ADDED}"),
        ],
        ["in-7/1", "net-credit 6", "call minutes", "70", "60", "60", *["0"] * 6, f"billing/12, {ADDED}"],
        ["in-8/2", "net-credit 9", "EUR", "33.00", "31.00", "0", "0", "0.00", "0", "31.00", "31.00", "0.00", WHY_NOT],
    ]


@pytest.mark.parametrize(
    ("delivery", "state", "why_not", "said"),
    [
        ("billing/12", "sent", "", None),
        ("billing/12", "flagged", "", "billing/12, flagged"),
        (None, "", "", None),
        (None, "", WHY_NOT, WHY_NOT),
    ],
)
def test_a_month_says_why_what_is_on_no_bill_is_in_no_delivery(
    delivery: str | None, state: str, why_not: str, said: str | None
) -> None:
    campaigns = month()
    campaigns[0] |= {"additions": [], "delivery": delivery, "delivery_state": state, "why_not": why_not}
    shown = " ".join(run(pages_of(campaigns), "month", "2026-03").stdout.split())
    assert ("in-7/1 is not delivered" in shown) is (said is not None)
    assert said is None or f"in-7/1 is not delivered: {said}" in shown
    place = Cells(html_of("2026-03", campaigns, NOTHING, NOW)).rows[-3]
    assert place[-1] == (said or delivery or "additions only")


def test_a_month_names_the_campaigns_whose_credits_wait_for_a_person_with_what_to_type() -> None:
    campaigns = month()
    named = "in-8/2: 3.00 EUR rejected, 4.00 EUR taken back: kulanz credits in-8/2"
    for is_waiting in (False, True):
        if is_waiting:
            campaigns[1]["lines"][0]["by_state"] |= {"rejected": "3.00", "taken_back": "4.00"}
        shown = " ".join(run(pages_of(campaigns), "month", "2026-03").stdout.split())
        assert (f"waits for a person: {named}" in shown) is is_waiting
        is_counted = "Campaigns with credits that the biller rejected or took back: 1" in shown
        assert is_counted is is_waiting
        assert (named in re.sub("<[^>]+>", "", html_of("2026-03", campaigns, NOTHING, NOW))) is is_waiting


# What is late


def due(campaign: str, number: int, size: str, measure: str) -> dict[str, Any]:
    return {"campaign": campaign, "due": "2026-05-02T00:00:00Z", "credits": number, "sum": size, "measure": measure}


LATE = [due("in-7/1", 1_234, "56.78", "EUR"), due("in-7/1", 2, "40", "call_minute")]
SOON = [due("in-8/2", 3, "9.10", "EUR")]


def test_what_is_late_and_what_is_due_soon_are_counted_apart() -> None:
    shown = run(Answering(acknowledgements__overdue=[{"overdue": LATE, "due_soon": SOON}]), "overdue")
    assert cells(shown.stdout) == [
        ["late: 1,236 credits"],
        ["campaign", "due", "credits", "sum"],
        ["in-7/1", "2026-05-02T00:00:00Z", "1,234", "56.78 EUR"],
        ["in-7/1", "2026-05-02T00:00:00Z", "2", "40 call minutes"],
        ["due soon: 3 credits"],
        ["campaign", "due", "credits", "sum"],
        ["in-8/2", "2026-05-02T00:00:00Z", "3", "9.10 EUR"],
    ]


@pytest.mark.parametrize(("late", "soon", "code"), [([], [], YES), ([], SOON, YES), (LATE, [], NO), (LATE, SOON, NO)])
def test_only_what_is_late_ends_with_1(late: list[Any], soon: list[Any], code: int) -> None:
    for words in (["overdue"], ["overdue", "--json"]):
        stack = Answering(acknowledgements__overdue=[{"overdue": late, "due_soon": soon}])
        assert run(stack, *words).exit_code == code


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_code_of_billing_is_a_formula_in_the_table_of_the_late(first: str) -> None:
    found = {name: f"{first}{name}" if name == "code" else name for name in LATE_FIELDS}
    head, cells_ = csv.reader(io.StringIO(late_csv([found]), newline=""))
    assert dict(zip(head, cells_, strict=True)) == {**found, "code": f"'{first}code"}


def test_each_campaign_that_is_late_is_asked_for_its_credits_once(tmp_path: Path) -> None:
    path, late = tmp_path / "late.csv", [dict.fromkeys(LATE_FIELDS, "x")]
    found = Answering(
        acknowledgements__overdue=[{"overdue": LATE, "due_soon": SOON}],
        acknowledgements__late_credits=[{"credits": late}, {"credits": late}],
    )
    assert run(found, "overdue", "--csv", str(path)).exit_code == NO
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 2


# What billers answered

FILE = "0123456789ab"


def answered(*results: tuple[str, str, int], **changes: Any) -> dict[str, Any]:
    return {
        "channel": "billing", "id": FILE, "key": "acknowledgements/billing/a.csv",
        "opened_at": "2026-04-01T00:00:00Z", "bytes_in_all": 9_999, "bytes_done": 9_999, "finished": True,
        "lines": 4_321, "results": [dict(zip(("result", "code", "lines"), one, strict=True)) for one in results],
        **changes,
    }  # fmt: skip


def test_every_figure_of_an_answer_file_stands_in_its_place() -> None:
    problem = {"offset": 77, "result": "unreadable", "reason": "cell", "field": "day", "expected": "a day"}
    file = answered(("accepted", "", 4_000), ("rejected", "closed", 300), bytes_done=1_234, finished=False)
    rest = [{"offset": number, "result": "conflict", "reason": "id_used"} for number in range(PROBLEMS_SHOWN + 2)]
    pages = [{"v": 1, **file, "problems": found, "next": None} for found in ([problem], rest)]
    shown = run(Answering(acknowledgements__one=pages), "acknowledgements", "--channel", "billing", "--one", FILE)
    about = f"{FILE}: 4,321 lines, 1,234 of 9,999 bytes are read; acknowledgements/billing/a.csv,"
    assert cells(shown.stdout) == [
        [about],
        ["2026-04-01T00:00:00Z"],
        ["result", "code", "lines"],
        ["accepted", "4,000"],
        ["rejected", "closed", "300"],
        ["byte 77: unreadable: cell day, a day"],
        *([f"byte {number}: conflict: id_used"] for number in range(PROBLEMS_SHOWN - 1)),
        ["and 3 more; --json has them all"],
    ]


NOBODY_LOOKS = ("accepted", "applied", "rejected", "taken_back", "duplicate", "overtaken", "blank")
SOMEBODY_LOOKS = ("conflict", "unknown_id", "invalid", "full", "what-a-later-release-says")


@pytest.mark.parametrize("is_finished", [True, False])
@pytest.mark.parametrize("result", [*NOBODY_LOOKS, *SOMEBODY_LOOKS])
def test_answers_end_with_1_where_a_line_changed_nothing_or_is_not_read(result: str, is_finished: bool) -> None:
    files = [answered(("accepted", "", 1)), answered((result, "", 1), finished=is_finished)]
    stack = Answering(acknowledgements__of_channel=[{"files": [one]} for one in files])
    shown = run(stack, "acknowledgements", "--channel", "billing", "--json")
    assert shown.exit_code == (YES if is_finished and result in NOBODY_LOOKS else NO)
    assert len(json.loads(shown.stdout)["files"]) == len(files)


# Deliveries


def delivered(state: str, reason: str = "") -> dict[str, Any]:
    return {
        "delivery": "billing/12", "campaign": "in-7/1", "over": "list", "state": state, "reason": reason,
        "credits": 1_236, "kind": "file",
        "sums": [
            {"type": "credit", "measure": "EUR", "credits": 1_234, "sum": "56.78"},
            {"type": "reversal", "measure": "call_minute", "credits": 2, "sum": "40"},
        ],
    }  # fmt: skip


def test_every_figure_of_a_delivery_stands_in_its_place() -> None:
    answer = {
        "delivery": delivered("flagged", "sums_differ: EUR"), "additions": [], "why_not": "",
        "to_be_booked": [{"measure": "EUR", "sum": "60.00"}],
    }  # fmt: skip
    shown = run(Answering(deliveries__of_campaign=[answer]), "deliveries", "--campaign", "in-7/1")
    assert cells(shown.stdout) == [
        ["to be booked: 60.00 EUR"],
        ["delivery", "campaign", "over", "state", "credits"],
        ["billing/12", "in-7/1", "list", "flagged", "1,236"],
        ["billing/12: 56.78 EUR in 1,234 of type credit"],
        ["billing/12: 40 call minutes in 2 of type reversal"],
        ["billing/12 is flagged: sums_differ: EUR"],
    ]


@pytest.mark.parametrize(("state", "code"), [("sent", YES), ("assigning", NO), ("flagged", NO)])
def test_a_delivery_that_is_not_sent_ends_with_1_whatever_was_asked(state: str, code: int) -> None:
    one = delivered(state)
    stack = Answering(
        deliveries__one=[one],
        deliveries__of_channel=[{"deliveries": [delivered("sent")]}, {"deliveries": [one]}],
        deliveries__of_campaign=[{"delivery": one, "additions": [], "why_not": "", "to_be_booked": []}],
        deliveries__waiting=[{"deliveries": [one], "kept_back": []}],
    )
    for words in ((), ("--one", "billing/12"), ("--channel", "billing"), ("--campaign", "in-7/1")):
        assert run(stack, "deliveries", *words).exit_code == code, words
