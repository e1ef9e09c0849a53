"""A draft is confirmed on its page: the windows that a person chose, of the draft that was shown, once."""

import json
import re
from typing import Any

import pytest

from kulanz.application.door.routes import Role
from tests.support.console_browser import EVERY_ROLE, Browser, forms
from tests.support.console_waiting import DRAFT, HELD_DRAFT, with_discretion, with_drafts
from tests.support.received import receive
from tests.support.sources import body_of
from tests.support.world_stack import DESK
from tests.unit.application.door.test_drafts import VOICE

CONFIRM = f"{DRAFT}/confirm"
OWN = "2026-03-10T10:31:03+01:00/.."


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("&#39;", "'").replace("<wbr>", "")).split())


@pytest.fixture
def browser() -> Browser:
    stack = with_drafts(with_discretion())
    stack.desk = DESK
    return Browser(stack.world, EVERY_ROLE, stack).enter()


def recorded_windows(browser: Browser) -> Any:
    revision = browser.world.campaigns.revision(VOICE, 1)
    return None if revision is None else json.loads(revision.content)["windows"]


def test_a_draft_shows_its_windows_to_scale(browser: Browser) -> None:
    page = browser.get(DRAFT).text
    assert page.count('<svg role="img"') == page.count('role="img"') >= 2
    assert "0:18:01" in read(page), "how long the proposed windows are"


@pytest.mark.parametrize(
    ("filled", "start", "is_open"),
    [
        ({"windows": "proposed"}, "2026-03-10T09:37:26.995000Z", False),
        ({"windows": "whole"}, "2026-03-10T09:31:02.798000Z", False),
        ({"windows": "own", "own": f" {OWN} \n"}, "2026-03-10T09:31:03Z", True),
    ],
)
def test_the_windows_that_were_chosen_are_recorded_once(
    browser: Browser, filled: dict[str, str], start: str, is_open: bool
) -> None:
    sent = {**browser.form(DRAFT, CONFIRM), **filled, "cause": "power"}
    first, again = (browser.post(CONFIRM, sent) for _ in range(2))
    assert (first.status_code, again.status_code, first.location) == (303, 303, f"/incident/{VOICE}")
    windows = recorded_windows(browser)
    assert (windows[0]["start"][:19], windows[0].get("end") is None) == (start[:19], is_open)
    assert browser.world.campaigns.revision(VOICE, 2) is None
    assert "Confirmed as revision 1" in read(browser.get(DRAFT).text)


@pytest.mark.parametrize(
    ("filled", "says"),
    [
        ({}, "choose which windows count"),
        ({"windows": "own", "own": ""}, "choose which windows count"),
        ({"windows": "never"}, "choose which windows count"),
        ({"windows": "own", "own": "2026-03-10"}, "START/END"),
        ({"windows": "own", "own": "2026-03-10T09:00:00/2026-03-10T10:00:00"}, "with its offset"),
        ({"windows": "proposed", "campaign": "yes", "policy": "net-credit"}, "for a campaign, state the policy"),
        ({"windows": "proposed", "campaign": "yes", "policy": "net-credit/1", "rows": "1"}, "for a campaign"),
    ],
)
def test_what_is_no_confirmation_is_said_and_nothing_is_recorded(
    browser: Browser, filled: dict[str, str], says: str
) -> None:
    shown = browser.submit(DRAFT, CONFIRM, title="Calls", **filled)
    assert (shown.status_code, says in read(shown.text)) == (422, True)
    assert forms(shown)[CONFIRM]["title"] == "Calls"
    assert recorded_windows(browser) is None


def test_a_draft_that_changed_under_the_page_is_not_confirmed(browser: Browser) -> None:
    filled = {**browser.form(DRAFT, CONFIRM), "windows": "proposed"}
    body = body_of("statuspage", "outage-resolved")
    body["incident"] |= {"updated_at": "2026-03-11T08:00:00Z"}
    body["incident"]["incident_updates"][3]["display_at"] = "2026-03-10T09:33:26.995Z"
    receive(browser.stack.served, body)
    shown = browser.post(CONFIRM, filled)
    assert (shown.status_code, "The draft has changed under this page" in shown.text) == (409, True)
    assert recorded_windows(browser) is None
    assert forms(shown)[CONFIRM]["digest"] != filled["digest"]


@pytest.mark.parametrize("draft", [DRAFT, HELD_DRAFT])
def test_a_draft_of_which_nothing_is_to_be_recorded_is_dismissed_once_with_its_reason(
    browser: Browser, draft: str
) -> None:
    """Also one that cannot be confirmed: it would wait for ever."""
    action = f"{draft}/dismiss"
    sent = browser.form(draft, action)
    missing = browser.post(action, {**sent, "reason": "  "})
    assert missing.status_code == 422
    assert action in forms(missing), "nothing was done"
    first, again = (browser.post(action, {**sent, "reason": "a test of the pager"}) for _ in range(2))
    assert (first.status_code, again.status_code, first.location) == (303, 303, draft)
    page = browser.get(draft)
    assert "a test of the pager" in read(page.text)
    assert action not in forms(page)
    assert recorded_windows(browser) is None


def test_a_draft_that_changed_under_the_page_is_not_dismissed(browser: Browser) -> None:
    filled = {**browser.form(DRAFT, f"{DRAFT}/dismiss"), "reason": "nothing"}
    other = browser.post(f"{DRAFT}/dismiss", {**filled, "digest": "0" * 64})
    assert (other.status_code, "The draft has changed under this page" in other.text) == (409, True)
    assert "Not confirmed" in read(browser.get(DRAFT).text)


def test_a_dismissed_draft_of_which_something_else_is_reported_waits_again(browser: Browser) -> None:
    browser.submit(DRAFT, f"{DRAFT}/dismiss", reason="a test of the pager")
    assert f"{DRAFT}/dismiss" not in forms(browser.get(DRAFT))
    browser.kulanz.seen = lambda answer: {**answer, "digest": "f" * 64} if "dismissed" in answer else answer
    page = browser.get(DRAFT)
    assert {CONFIRM, f"{DRAFT}/dismiss"} <= set(forms(page))
    assert "Not confirmed" in read(page.text)
    assert "a test of the pager" in read(page.text), "what was said of it before stays"


def test_a_campaign_is_requested_over_the_very_version_of_a_list(browser: Browser) -> None:
    asked: list[Any] = []
    acted = browser.kulanz.act

    def act(use: str, content: Any, **values: Any) -> Any:
        asked.append(content)
        opened = {"revision": 1, "incident_id": VOICE, "campaign": f"{VOICE}/1", "state": "planning"}
        return opened if content.get("campaign") else acted(use, content, **values)

    browser.kulanz.act = act  # type: ignore[method-assign]
    place = {"bucket": "a-bucket", "key": "lists/a.csv", "version_id": "v1"}
    done = browser.submit(DRAFT, CONFIRM, windows="proposed", campaign="yes", policy="net-credit/1", rows="12", **place)
    assert (done.status_code, done.location) == (303, f"/campaign/{VOICE}/1")
    requested = {"policy": {"id": "net-credit", "version": 1}, "affected": {"s3": place, "rows": 12}}
    assert asked[0]["campaign"] == requested


def test_what_cannot_be_confirmed_has_no_form_and_says_why(browser: Browser) -> None:
    page = browser.get(HELD_DRAFT)
    assert f"{HELD_DRAFT}/confirm" not in forms(page)
    assert "It cannot be confirmed:" in read(page.text)


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.APPROVER, Role.AUDITOR])
def test_requesters_alone_confirm(role: Role) -> None:
    stack = with_drafts(with_discretion())
    browser = Browser(stack.world, frozenset({role}), stack).enter()
    assert (CONFIRM in forms(browser.get(DRAFT))) is (role is Role.REQUESTER)
