"""Tables of pages: every value of an answer stands in its own cell, under its heading; no two values are the same."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kulanz.domain.decision import Decision, Outcome
from kulanz_console.pages import Page, environment
from kulanz_console.routes import MENU
from kulanz_console.views import cases, deliveries, rejects, voids
from kulanz_console.visit import Shown, Visit
from tests.unit.cli.test_edges_of_billing import Cells
from tests.unit.console.test_what_pages_ask import NONE, Kept, visit_of


def written(view: Callable[[Visit], Shown], kulanz: Kept, **of: Any) -> str:
    """The page of a view, as a browser gets it."""
    visit = visit_of(kulanz, **of)
    shown = view(visit)
    page = Page(environment(""), visit.words, "kulanz", visit, MENU, False)
    return page.write(shown.template, shown.title, {**shown.content, "visit": visit})


def rows(text: str) -> list[list[str]]:
    return [[" ".join(cell.split()) for cell in row] for row in Cells(text).rows]


def said(text: str) -> str:
    words = re.sub(r"<[^>]+>", " ", re.sub(r"</?(wbr|bdi|time)[^>]*>", "", text))
    return re.sub(r" (?=[,.;)])", "", " ".join(words.split()))


def due(number: int, measure: str, text: str) -> dict[str, Any]:
    return {
        "campaign": f"in-{number}/1", "due": f"2026-04-0{number}T09:00:00Z", "credits": 10 + number, "sum": text,
        "measure": measure,
    }  # fmt: skip


def delivery(number: int, state: str, sent_at: str | None, reason: str = "") -> dict[str, Any]:
    return {
        "delivery": f"billing/{number}", "campaign": f"in-{number}/2", "state": state, "reason": reason,
        "credits": 100 + number, "sent_at": sent_at,
        "sums": [{"measure": "EUR", "sum": f"{number}.00"}, {"measure": "call_minute", "sum": f"{number}"}],
    }  # fmt: skip


def test_deliveries_and_what_is_late_or_kept_back() -> None:
    kept = {
        "campaign": "in-9/1", "state": "cancelled", "since": "2026-03-09T09:00:00Z",
        "due": [{"measure": "EUR", "sum": "9.00"}, {"measure": "CHF", "sum": "8.00"}],
    }  # fmt: skip
    bill = {
        "campaign": "in-8/1", "delivery": None, "why_not": "",
        "lines": [{"measure": "EUR", "by_state": {"due": "7.00"}}],
    }  # fmt: skip

    def month(month: str) -> Mapping[str, Any]:
        return {"campaigns": [bill] if month == "2026-03" else [], "next": None}

    text = written(
        deliveries.show,
        Kept(
            deliveries__waiting={"deliveries": [delivery(4, "flagged", None, "sums_differ")], "kept_back": [kept]},
            acknowledgements__overdue={"overdue": [due(1, "EUR", "1.00")], "due_soon": [due(2, "call_minute", "2")]},
            acknowledgements__of_month=month,
            deliveries__of_channel={"deliveries": [delivery(5, "sent", "2026-03-05T09:00:00Z")], "next": None},
        ),
        channel="billing",
    )
    of_dues = ["Campaign", "Due", "Credits", "Sum"]
    of_deliveries = ["Delivery", "State", "Campaign", "Credits", "Sums", "Sent"]
    assert rows(text) == [
        of_dues, ["in-1/1", "2026-04-01 09:00:00 UTC", "11", "1.00 EUR"],
        of_dues, ["in-2/1", "2026-04-02 09:00:00 UTC", "12", "2 call minutes"],
        of_deliveries, ["billing/4", "flagged: sums_differ", "in-4/2", "104", "4.00 EUR, 4 call minutes", "not yet"],
        ["Campaign", "Sum", "Delivery"], ["in-8/1", "7.00 EUR", "additions only"],
        ["Campaign", "State", "Since", "Sum"],
        ["in-9/1", "cancelled", "2026-03-09 09:00:00 UTC", "9.00 EUR"],
        ["in-9/1", "cancelled", "2026-03-09 09:00:00 UTC", "8.00 CHF"],
        of_deliveries, ["billing/5", "sent", "in-5/2", "105", "5.00 EUR, 5 call minutes", "2026-03-05 09:00:00 UTC"],
    ]  # fmt: skip
    assert 'href="/late/in-1/1"' in text
    assert 'href="/late/in-2/1"' not in text, "what is not late yet has no list"


def credit(number: int, subject: str, code: str) -> dict[str, Any]:
    return {
        "account_id": f"a-{number}", "subject": subject, "state": "taken_back", "code": code, "amount": f"{number}.00",
        "not_on_bills": f"0.{number}0", "measure": "EUR", "credit_id": f"credit-{number}", "due_by": "list_and_months",
        "due": f"2026-04-0{number}T09:00:00Z", "reversed": "0.00",
    }  # fmt: skip


def test_credits_that_are_late_or_rejected() -> None:
    found = {"credits": [credit(1, "-", ""), credit(2, "l-2", "frozen")], "next": None}
    late = written(deliveries.show_late, Kept(acknowledgements__late_credits=found))
    by = "list and months"
    assert rows(late) == [
        ["Account", "Due", "Counted by", "State", "Amount", "Not on bills", "Credit"],
        ["a-1", "2026-04-01 09:00:00 UTC", by, "taken back", "1.00 EUR", "0.10 EUR", "credit-1"],
        ["a-2, l-2", "2026-04-02 09:00:00 UTC", by, "taken back (frozen)", "2.00 EUR", "0.20 EUR", "credit-2"],
    ]
    text = written(rejects.show, Kept(acknowledgements__rejected_credits=found), credit="credit-2")
    assert rows(text) == [
        ["Account", "State", "Code of the biller", "Amount", "Credit"],
        ["a-1", "taken back", "", "0.10 EUR", "credit-1"],
        ["a-2, l-2", "taken back", "frozen", "0.20 EUR", "credit-2"],
    ]
    assert "0.20 EUR, a-2 was on a bill that the biller voided ( frozen )" in said(text).replace(
        "(frozen)", "( frozen )"
    )
    for name, value in (("account_id", "a-2"), ("subject", "l-2"), ("credit_id", "credit-2")):
        assert f'name="{name}" value="{value}"' in text


def test_a_void_with_its_plan_and_what_was_done() -> None:
    def figures(number: int) -> dict[str, Any]:
        return {
            "lines": 1_000 * number, "decisions": 300 + number, "unmatched": 20 + number, "notices": 40 + number,
            "sums": [
                {"share": share, "measure": "EUR", "sum": f"{number}{cents}"}
                for share, cents in (("voidable", "00"), ("used", "50"))
            ],
            "asked": [{"channel": f"channel-{number}", "measure": "EUR", "credits": 60 + number, "sum": f"{number}70"}],
        }  # fmt: skip

    one = {
        "campaign": "in-7/3", "void": "v-1", "state": "voided", "about": "unused", "plan_hash": "ab", "why": "why so",
        "reason": "balanced", "ends": None, "plan": figures(1), "done": figures(2), "persons_needed": 3,
        "requested_by": "sso:anna", "opened_at": "2026-03-01T09:00:00Z", "your_yes": "counts",
        "approvals": [{"person": "sso:ben", "at": "2026-03-02T09:00:00Z"}],
    }  # fmt: skip
    text = written(voids.show, Kept(voids__one=one))
    assert rows(text) == [
        ["Share", "Sum"], ["unused: would be taken back", "1.00 EUR"], ["on bills: stays", "1.50 EUR"],
        ["Share", "Sum"], ["unused: would be taken back", "2.00 EUR"], ["on bills: stays", "2.50 EUR"],
    ]  # fmt: skip
    told = said(text)
    for expected in (
        "why so · asked by anna, 2026-03-01 09:00:00 UTC",
        "Lines: 1,000. With something unused: 301.",
        "nothing to take back: 678. Without a decision of the campaign, or repeated: 21.",
        "Lines: 2,000. With something unused: 302.",
        "nothing to take back: 1,676.",
        "or repeated: 22.",
        "channel-1: 1.70 EUR. Credits: 61.",
        "channel-2: 2.70 EUR. Credits: 62.",
        "Notices to customers: 41.",
        "Notices to customers: 42.",
        "ben, 2026-03-02 09:00:00 UTC",
        "must say yes: 3. Still missing: 2.",
    ):
        assert expected in told, expected


def test_cases_by_campaign_and_what_waits_for_a_second_person() -> None:
    def of_month(month: str) -> Mapping[str, Any]:
        one: dict[str, Any] = {
            "campaign": "in-1/1", "decided_at": "2026-03-18T09:00:00Z", "decidable_until": "2026-03-23T09:00:00Z",
            "waiting": {"held": 1_001, "referred": 12, "conflict": 13, "rejected": 14}, "closed": None, "decided": {},
            "later": [],
        }  # fmt: skip
        over = {**one, "campaign": "in-2/1", "closed": {"says": "over"}, "waiting": {"rejected": 15}}
        return {"campaigns": [one, over] if month == "2026-03" else [], "next": None}

    by_hand = {"decision": Decision(Outcome.DECLINED, "the-reason").to_body()}
    waits = {
        "account_id": "a-1", "subject": "l-2", "campaign": "in-9/4", "by_hand": by_hand, "person": "sso:anna",
        "waits_until": "2026-04-01T09:00:00Z", "hash": "ab", "kind": "held", "your_yes": "counts",
    }  # fmt: skip
    own = {**waits, "account_id": "a-2", "subject": "-", "person": "sso:ben", "your_yes": "asked"}
    text = written(cases.show, Kept(cases__of_month=of_month, cases__proposed={**NONE, "proposed": [waits, own]}))
    found = rows(text)
    heads = ["Campaign", "held", "referred", "conflict", "rejected", "Days old", "To be decided before", "Days left"]
    start = found.index(heads)
    until = "2026-03-23 09:00:00 UTC"
    assert found[start + 1 : start + 3] == [
        ["in-1/1", "1,001", "12", "13", "14", "2", until, "3"], ["in-2/1", "0", "0", "0", "15", "2", until, "closed"],
    ]  # fmt: skip
    assert ["a-1, l-2", "in-9/4", "declined (the-reason)", "anna", "2026-04-01 09:00:00 UTC"] in found
    needs = "ben. It needs another person's yes."
    assert ["a-2", "in-9/4", "declined (the-reason)", needs, "2026-04-01 09:00:00 UTC"] in found
