"""What a policy decides is read before it is: of facts of one's own, and of rows of a plan."""

import re
from urllib.parse import urlencode

import pytest

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
