"""What pages claim of a reconciliation: only what was compared, what is left of it, and sums that add up."""

import re
from html import unescape
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FACT_TYPES, FactError
from kulanz_console.drawing.ways import (
    NO_DIFFERENCE,
    NOTHING_ON_BILLS,
    NOTHING_TO_COMPARE,
    OTHER_CODES,
    PARTLY_ON_BILLS,
    is_compared,
    rejected_of,
    rest_of,
)
from tests.support.console_browser import Browser, settled
from tests.support.console_waiting import VOID, with_everything
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_people import to_approve
from tests.unit.console.test_on_the_way_to_bills import MONTH, closed, opened, text_of


def bill(state: str, planned: str, granted: str, left: str) -> dict[str, Any]:
    line = {"measure": "EUR", "planned": planned, "granted": granted, "to_be_booked": granted, "not_on_bills": left}
    return {"state": state, "lines": [line]}


def test_what_is_rejected_has_the_largest_sum_of_a_measure_first_and_other_codes_last() -> None:
    sums = {("EUR", "old", 1): "7.00", ("EUR", "new", 1): "11.00", ("EUR", "", 1): "90.00", ("CHF", "few", 1): "0.50"}
    sums |= {("EUR", "new", 2): "3.00", ("EUR", "big", 2): "20.00", ("CHF", "many", 2): "6.00", ("EUR", "old", 2): "1"}
    lines = [
        {"measure": measure, "rejected_with": [{"channel": "billing", "code": code, "sum": text}]}
        for (measure, code, _), text in sums.items()
    ]
    for given in (lines, lines[::-1]):
        assert [(one["measure"], one["code"], one["sum"]) for one in rejected_of([{"lines": given}])] == [
            ("CHF", "many", "6.00"), ("CHF", "few", "0.50"), ("EUR", "big", "20.00"), ("EUR", "new", "14.00"),
            ("EUR", "old", "8.00"), ("EUR", OTHER_CODES, "90.00"),
        ]  # fmt: skip


def test_a_difference_is_denied_only_where_something_was_compared() -> None:
    rejected = bill(State.REJECTED, "34.95", "0.00", "0.00")
    empty = {"state": State.CLOSED, "lines": list[Any]()}
    waits = bill(State.AWAITING_APPROVAL, "34.95", "0.00", "0.00")
    none_granted = bill(State.CLOSED, "34.95", "0.00", "0.00")
    granted = bill(State.CLOSED, "34.95", "26.96", "26.96")
    on_bills = bill(State.CLOSED, "34.95", "26.96", "0.00")
    partly = bill(State.CANCELLED, "34.95", "26.96", "6.96")
    nothing = (NOTHING_ON_BILLS, "EUR", "26.96", "26.96")
    rows: list[tuple[list[dict[str, Any]], bool, list[tuple[str, ...]]]] = [
        ([], False, []),
        ([rejected], False, []),
        ([empty], False, []),
        ([waits], False, []),
        ([none_granted], True, []),
        ([granted], True, [nothing]),
        ([rejected, granted], True, [nothing]),
        ([on_bills], True, []),
        ([partly], True, [(PARTLY_ON_BILLS, "EUR", "6.96", "26.96")]),
        ([partly, granted], True, [(PARTLY_ON_BILLS, "EUR", "33.92", "53.92")]),
    ]
    assert [row for row in rows if (is_compared(row[0]), rest_of(row[0])) != row[1:]] == []


@pytest.fixture(scope="module")
def granted() -> Browser:
    return opened(closed(Channel("billing")))


@pytest.fixture(scope="module")
def rejected() -> Browser:
    world = small_world()
    world.publish(event(rows=ROWS))
    settled(world, lambda one: bool(to_approve(one)))
    browser = Browser(world).enter()
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    done = browser.submit(f"/plan/{CAMPAIGN}", f"/plan/{CAMPAIGN}/reject", reason="rows twice")
    assert done.status_code == 303, done.text
    assert world.campaign(CAMPAIGN).state is State.REJECTED
    return browser


@pytest.mark.parametrize("path", [MONTH, f"/campaign/{CAMPAIGN}"])
def test_what_is_granted_and_on_no_bill_stands_beside_no_difference(granted: Browser, path: str) -> None:
    shown = text_of(granted, path)
    assert f"{NO_DIFFERENCE} Nothing is on bills yet, of " in shown
    assert " agree" not in shown


def test_a_rejected_plan_is_not_compared_with_anything_and_says_its_state(rejected: Browser) -> None:
    month, campaign = text_of(rejected, MONTH), text_of(rejected, f"/campaign/{CAMPAIGN}")
    assert NOTHING_TO_COMPARE in month
    assert NO_DIFFERENCE not in month + campaign
    assert f"{CAMPAIGN} rejected net-credit" in month
    assert "its plan was rejected or cancelled" in month


def test_a_rejected_campaign_says_which_rows_its_plan_found_twice(rejected: Browser) -> None:
    incident, seq = CAMPAIGN.split("/")
    found = rejected.kulanz.ask("approvals.plan", None, incident=incident, seq=int(seq))["repeats"]
    again = found["repeated"] + found["contradicting"]
    assert again, "the list has rows twice"
    shown = text_of(rejected, f"/campaign/{CAMPAIGN}")
    assert f"The plan found, in {found['rows_looked_at']} rows that it looked at: {again} rows name" in shown
    assert "No row has a problem" not in shown


def test_the_lines_of_a_void_add_up() -> None:
    shown = text_of(Browser((stack := with_everything()).world, stack=stack).enter(), VOID)
    figures = re.search(
        r"Lines: ([\d,]+)\. With [^:]*: ([\d,]+)\. With [^:]*: ([\d,]+)\. Without [^:]*: ([\d,]+)\.", shown
    )
    assert figures is not None, shown
    lines, *parts = (int(text.replace(",", "")) for text in figures.groups())
    assert sum(parts) == lines
    assert all(parts), "each kind is there"


def test_a_wrong_value_says_what_was_expected_without_the_word_twice() -> None:
    wrong, said = [], 0
    for type_ in FACT_TYPES:
        fact = FactDeclaration("fee", type_, currency="EUR")
        for text in (
            "Infinity",
            "٢٩.٩٠",
            "2024-13-01T00:00:00",
            "x y",
            "1.2345678901234",
            "2024-02-31",
            "2024-02-31T99:00:00Z",
            "99999999999999999999",
        ):
            for read in (fact.parse_text, fact.parse_json):
                try:
                    read(text)
                except FactError as error:
                    said += 1
                    wrong += [(type_, text, error.expected)] if error.expected.startswith("expected") else []
    assert said > 50
    assert wrong == []


def test_cases_name_accounts_conflicts_and_places_as_the_campaign_does() -> None:
    stack = with_everything()
    browser = Browser(stack.world, stack=stack).enter()
    shown = text_of(browser, f"/cases/{CAMPAIGN}")
    assert "expected expected" not in shown
    assert "conflict conflict" not in shown
    assert "It contradicts the row that was decided. Its case shows both." in shown
    html = browser.get(f"/cases/{CAMPAIGN}").text
    case = re.search(r'href="(/case/[^"]*row=[^"]*)"', html)
    assert case is not None, "a row in conflict has its page"
    shown_case = text_of(browser, unescape(case[1]))
    assert "By the row that was decided:" in shown_case
    assert "· conflict ·" not in shown_case
    assert 'href="/account?id=held-1"' in html
    places = re.findall(r"line [\d,]+ \(byte ([\d,]+)\)", text_of(browser, f"/campaign/{CAMPAIGN}"))
    assert places
    of_cases = re.findall(r'<td class="number">([\d,]+)</td>', html)
    assert set(places) & set(of_cases), "the two pages name the same places"
