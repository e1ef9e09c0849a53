"""What a policy decides is read before it is: of facts of one's own, and of rows of a plan."""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_console.views.try_policy import _tried
from tests.support.console_browser import EVERY_ROLE, Browser
from tests.support.console_waiting import with_discretion
from tests.support.small_campaign import CAMPAIGN

PAGE = "/policy/net-credit/1"
WINDOW = "2026-02-27T08:00:00Z/2026-02-27T20:00:00Z"
FACTS = {"fact_segment": "consumer", "fact_affected": "yes", "fact_fee": "29.90", "fact_language": "de"}


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("<wbr>", "")).split())


@pytest.fixture(scope="module")
def browser() -> Browser:
    stack = with_discretion()
    return Browser(stack.world, EVERY_ROLE, stack).enter()


def tried(browser: Browser, **stated: str) -> tuple[int, str]:
    shown = browser.get(f"{PAGE}?{urlencode({'try': 'yes', 'windows': WINDOW, 'cause': 'power', **stated})}")
    return shown.status_code, read(shown.text)


@pytest.mark.parametrize(
    ("facts", "decided"),
    [
        (FACTS, "granted 2.99 EUR + 20 call minutes"),
        ({**FACTS, "fact_segment": "business"}, "referred (business_customer)"),
        ({**FACTS, "fact_segment": "prepaid"}, "declined (prepaid)"),
        ({**FACTS, "fact_affected": "no"}, "declined (not_affected)"),
        ({**FACTS, "fact_fee": ""}, "held (fee_unknown)"),
        ({}, "held (segment_unknown)"),
    ],
)
def test_it_decides_what_a_campaign_would_with_the_steps(browser: Browser, facts: dict[str, str], decided: str) -> None:
    status, text = tried(browser, **facts)
    assert (status, decided in text, "Policy net-credit, version 1" in text) == (200, True, True), text


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"windows": "2026-02-27"}, "expected START/END"),
        ({"windows": "2026-02-27T08:00:00/.."}, "offset"),
        ({"windows": "2026-02-27T08:00:00Z/2026-02-26T08:00:00Z"}, "expected an end after its start"),
        ({"fact_segment": "gold"}, "segment"),
        ({"fact_fee": "a lot"}, "fee"),
        ({"decided_at": "yesterday"}, "expected"),
        ({"choice_nothing": "x"}, "there is no parameter"),
    ],
)
def test_a_value_that_is_none_is_said_on_the_page(browser: Browser, facts: dict[str, str], says: str) -> None:
    status, text = tried(browser, **{**FACTS, **facts})
    assert (status, says in text) == (200, True), text
    assert "granted 2.99" not in text


def test_nothing_is_decided_before_somebody_asks(browser: Browser) -> None:
    page = browser.get(PAGE).text
    assert 'role="status"' not in page
    assert 'name="fact_segment"' in page
    assert browser.kulanz.acted == []


def test_an_approver_reads_rows_of_the_plan_with_their_steps_and_the_same_ones_each_time(browser: Browser) -> None:
    page = f"/sample/{CAMPAIGN}"
    assert f'href="{page}"' in browser.get(f"/plan/{CAMPAIGN}").text
    first, again = (browser.get(page).text for _ in range(2))
    assert first == again
    text = read(first)
    assert "granted-1 : granted 2.99 EUR" in text
    assert text.count("Policy net-credit, version 1") == first.count("<ol") > 5


TRIED = """
kulanz: 1
id: tried
version: 1
title: Each field decides something
zone: UTC
currency: EUR
facts:
  fee: money
who:
  - decline: another_cause
    when: cause != "power"
  - decline: another_function
    when: not functions has "voice"
  - decline: decided_too_late
    when: decided_at > at(2026-03-01, 00:00)
pay: fee * total(outage) / 1 h
"""
NOW = datetime(2026, 3, 20, tzinfo=UTC)
LATER = "2026-02-28T09:00:00Z/2026-02-28T10:00:00Z"
STATED = {"windows": f"{WINDOW}\n{LATER}", "cause": "power", "functions": "data | voice"}


@pytest.mark.parametrize(
    ("changed", "decided"),
    [
        ({}, "granted 130.00 EUR (credit)"),
        ({"decided_at": "2026-03-01T00:00:00Z"}, "granted 130.00 EUR (credit)"),
        ({"decided_at": "2026-03-01T00:00:01Z"}, "declined (decided_too_late)"),
        ({"cause": "storm"}, "declined (another_cause)"),
        ({"cause": ""}, "held (cause_unknown)"),
        ({"functions": "data"}, "declined (another_function)"),
        ({"windows": f"2026-03-01T09:00:00Z/2026-03-01T10:00:00Z\n{WINDOW}"}, "declined (decided_too_late)"),
        ({"windows": ""}, "declined (decided_too_late)"),
    ],
)
def test_each_field_of_the_form_decides_and_without_an_instant_the_latest_end_or_now(
    changed: dict[str, str], decided: str
) -> None:
    document = load_policy(TRIED)
    fields = {"fact_fee": "10.00", **STATED, **changed}
    found = _tried(document, fields, NOW)
    assert (found.decision or found.problem) == decided
