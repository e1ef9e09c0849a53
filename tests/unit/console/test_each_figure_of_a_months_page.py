"""The console's month: every figure of a table stands under its heading, and none of them is the same as another."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest

from kulanz.domain.delivery.channel import Channel
from tests.support.console_browser import Browser
from tests.unit.cli.test_edges_of_billing import WHY_NOT, Cells, month
from tests.unit.console.test_on_the_way_to_bills import MONTH, closed, opened


@pytest.fixture(scope="module")
def browser() -> Browser:
    return opened(closed(Channel("billing")))


def page(browser: Browser, campaigns: list[dict[str, Any]], soon: list[Any] | None = None) -> str:
    """The page of a month with these campaigns, whose delivery is the one that the stack has."""
    campaigns[0]["delivery"] = "billing/1"

    def seen(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if "bookings" in str(answer.get("campaigns", "")):
            return {"campaigns": campaigns, "next": None}
        if "due_soon" in answer:
            return {**answer, "due_soon": soon or []}
        return {**answer, "sent_at": "2026-03-05T09:00:00Z"} if "sent_at" in answer else answer

    browser.kulanz.seen = seen
    try:
        return browser.get(MONTH).text
    finally:
        browser.kulanz.seen = dict


def rows(text: str) -> list[list[str]]:
    return [[" ".join(cell.split()) for cell in row] for row in Cells(text).rows]


ADDED = "billing/1, additions billing/13 to 19 (4), 2 not sent, additions letters/3"


def test_every_figure_stands_under_its_heading(browser: Browser) -> None:
    campaigns = month()
    campaigns[0]["lines"][0]["by_channel"][1]["by_state"]["sent"] = "2.00"
    soon = [
        {"campaign": campaign, "measure": measure, "due": f"2026-04-0{day}T00:00:00Z", "credits": 1, "sum": "1"}
        for campaign, measure, day in (("in-7/1", "EUR", 5), ("in-8/2", "EUR", 4), ("in-9/1", "EUR", 3))
    ]
    text = page(browser, campaigns, soon)
    assert rows(text) == [
        ["State", "Sum", "Meaning"],
        ["due", "31.00 EUR", "not delivered yet"],
        [
            "sent", "15.00 EUR",
            "delivered, and the biller has not answered; the oldest delivery was sent 2026-03-05 09:00:00 UTC",
        ],
        ["accepted", "21.00 EUR", "booked by the biller, and on no bill yet"],
        ["applied", "50.00 EUR", "on bills"],
        ["written off", "6.00 EUR", "given up by a person"],
        ["voided", "8.00 EUR", "taken back before it was used"],
        ["State", "Sum", "Meaning"],
        ["applied", "60 call minutes", "on bills"],
        ["Biller's code", "Channel", "Rejected"],
        ["=moved", "letters", "3.00 EUR"], ["frozen", "billing", "2.00 EUR"], ["other codes", "billing", "4.00 EUR"],
        ["Ledger account", "Reason code", "Granted", "On bills", "Not on bills", "Late", "Expired unused"],
        ["4000-120", "SVC-OUTAGE", "100.00 EUR", "50.00 EUR", "36.00 EUR", "14.00 EUR", "4.00 EUR"],
        ["4000-120", "SVC-OUTAGE", "60 call minutes", "60 call minutes", *["0 call minutes"] * 3],
        ["several", "SVC-OUTAGE", "31.00 EUR", "0.00 EUR", "31.00 EUR", "0.00 EUR", "0.00 EUR"],
        ["Channel", "Delivered", "On bills", "Not on bills", "Rejected", "Written off", "Voided"],
        ["billing", "71.50 EUR", "47.00 EUR", "11.00 EUR", "9.00 EUR", "6.00 EUR", "7.50 EUR"],
        ["letters", "23.00 EUR", "3.00 EUR", "20.00 EUR", "0.00 EUR", "0.00 EUR", "0.00 EUR"],
        ["Campaign", "State", "Policy", "Planned", "Granted", "On bills", "Late", "Delivery"],
        ["in-7/1", "closed", "net-credit 6", "110.00 EUR", "100.00 EUR", "50.00 EUR", "14.00 EUR", ADDED],
        ["in-7/1", "closed", "net-credit 6", "70 call minutes", *["60 call minutes"] * 2, "0 call minutes", ADDED],
        ["in-8/2", "closed", "net-credit 9", "33.00 EUR", "31.00 EUR", "0.00 EUR", "0.00 EUR", WHY_NOT],
    ]  # fmt: skip
    assert re.findall(r'<dt>([^<]*)</dt><dd><span class="large">([^<]*)</span>', unescape(text)) == [
        ("To be booked", "123.00 EUR"), ("Granted", "131.00 EUR"), ("Not on bills", "67.00 EUR"), ("Late", "14.00 EUR"),
        ("To be booked", "60 call minutes"), ("Granted", "60 call minutes"), ("Not on bills", "0 call minutes"),
        ("Late", "0 call minutes"),
    ]  # fmt: skip
    said = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "the next from 2026-04-04 00:00:00 UTC" in said, "the earliest of the month's own"
    assert said.count("the next from") == 1
    assert "4.00 EUR of what is not on bills has expired unused." in said
    assert "is asked back" not in said


def test_what_is_asked_back_and_what_is_no_month_of_its_own_is_said(browser: Browser) -> None:
    campaigns = month()
    campaigns[0]["lines"][0]["asked_back"] = "2.50"
    said = " ".join(re.sub(r"<[^>]+>", " ", page(browser, campaigns)).split())
    assert "2.50 EUR of it is asked back of the biller, and not void yet." in said
    assert "the next from" not in said
