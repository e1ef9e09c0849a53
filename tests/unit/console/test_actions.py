"""What a person does on the pages, end to end over a world in memory: once, to what was shown, with its reason."""

import re

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import Outcome
from kulanz.domain.gate.approval import Approval
from kulanz_console.app import STATUS_OF
from kulanz_console.port import NotAnswered, Why
from tests.support.accepted_offer import offered
from tests.support.console_browser import Browser, forms
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT
from tests.unit.console.test_border import waiting

__all__ = ["waiting"]
PLAN, PAGE = f"/plan/{CAMPAIGN}", f"/campaign/{CAMPAIGN}"


@pytest.fixture
def browser(waiting: World) -> Browser:
    return Browser(waiting.copy()).enter()


def state(browser: Browser) -> State:
    return browser.world.campaign(CAMPAIGN).state


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_two_persons_approve_a_plan_and_its_credits_are_granted(browser: Browser) -> None:
    browser.stack.desk = ANNA
    done = browser.submit(PLAN, f"{PLAN}/approve")
    assert (done.status_code, done.location, state(browser)) == (303, PLAN, State.AWAITING_APPROVAL)
    assert "Approvals still missing: 1" in read(browser.get(PLAN).text)
    browser.stack.desk = BERT
    assert browser.submit(PLAN, f"{PLAN}/approve").location == PAGE
    browser.world.run_until_quiet()
    assert state(browser) is State.CLOSED
    assert "26.96 EUR" in read(browser.get(PAGE).text)
    assert f"{PLAN}/replan" not in forms(browser.get(PLAN)), "what is done cannot be planned again"


def test_one_person_is_not_two_and_the_page_says_so(browser: Browser) -> None:
    filled = browser.form(PLAN, f"{PLAN}/approve")
    browser.post(f"{PLAN}/approve", filled)
    again = browser.post(f"{PLAN}/approve", {**filled, "id": "another", "break_glass": ""})
    assert again.status_code == 409
    assert "Not done" in read(again.text)
    assert f"{PLAN}/approve" not in forms(again), "what was refused is not offered again"
    assert state(browser) is State.AWAITING_APPROVAL


def test_a_double_click_is_done_once(browser: Browser) -> None:
    filled = browser.form(PLAN, f"{PLAN}/approve")
    assert [browser.post(f"{PLAN}/approve", filled).status_code for _ in range(3)] == [303, 303, 303]
    assert len(browser.world.campaigns.actions(CampaignId.parse(CAMPAIGN))) == 1
    browser.stack.desk = BERT
    assert browser.form(PLAN, f"{PLAN}/approve")["id"] != filled["id"], "the page loaded anew is another form"


def test_a_plan_is_rejected_with_the_reason_that_the_log_keeps(browser: Browser) -> None:
    action = f"{PLAN}/reject"
    missing = browser.submit(PLAN, action, reason="  ")
    assert (missing.status_code, state(browser)) == (422, State.AWAITING_APPROVAL)
    assert browser.submit(PLAN, action, reason="the list is last month's").status_code == 303
    assert state(browser) is State.REJECTED
    assert "the list is last month's" in read(browser.get(PAGE).text.replace("&#x27;", "'").replace("&#39;", "'"))


def test_a_plan_that_changed_under_the_page_is_not_approved_and_the_new_one_is_shown(browser: Browser) -> None:
    filled = browser.form(PLAN, f"{PLAN}/approve")
    other = {**filled, "plan_hash": "0" * 64, "limit": ["held", "rejected"], "reason": "as agreed"}
    shown = browser.post(f"{PLAN}/approve", other)
    assert shown.status_code == 409
    assert "The plan has changed under this page" in read(shown.text)
    assert state(browser) is State.AWAITING_APPROVAL
    assert list(browser.world.campaigns.actions(CampaignId.parse(CAMPAIGN))) == []
    fields = forms(shown)[f"{PLAN}/approve"]
    assert fields["plan_hash"] == filled["plan_hash"]
    assert fields["id"] != filled["id"], "a yes to another plan is another action"
    assert " checked" not in shown.text
    assert forms(shown)[f"{PLAN}/reject"]["reason"] == "as agreed"


def exceeding() -> Browser:
    """A plan that exceeds the limit of rejected rows."""
    rows = [row(f"a-{number}") for number in range(20)] + [row("")] * 5
    world = small_world(list_of(rows))
    sent = event(rows=len(rows))
    del sent["detail"]["campaign"]["limits"]
    world.publish(sent)
    world.run_until_quiet()
    return Browser(world).enter()


def test_an_exceeded_limit_has_to_be_named_by_the_yes() -> None:
    browser = exceeding()
    assert state(browser) is State.AWAITING_APPROVAL
    page = browser.get(PLAN).text
    named = re.findall(r'name="limit" value="(\w+)"', page)
    assert "rejected" in named
    assert " checked" not in page, "nobody accepts a limit by not looking"
    refused = browser.submit(PLAN, f"{PLAN}/approve")
    assert (refused.status_code, "Not done" in read(refused.text)) == (409, True)
    wrong = browser.submit(PLAN, f"{PLAN}/approve", limit=[*named, "held"])
    assert wrong.status_code in (303, 409), "to name more than is exceeded is the API's to judge"
    if wrong.status_code == 409:
        assert wrong.text.count(" checked") == len(named), "what was ticked stays ticked"
        assert browser.submit(PLAN, f"{PLAN}/approve", limit=named).status_code == 303
    (given,) = browser.world.campaigns.actions(CampaignId.parse(CAMPAIGN))
    assert isinstance(given, Approval)
    assert set(named) <= set(given.limits)


def test_a_form_that_was_refused_is_corrected_on_the_page_that_says_so() -> None:
    browser = exceeding()
    refused = browser.submit(PLAN, f"{PLAN}/approve")
    corrected = {**forms(refused)[f"{PLAN}/approve"], "limit": ["rejected"]}
    done = browser.post(f"{PLAN}/approve", corrected)
    assert done.status_code == 303, read(done.text)
    refused = browser.submit("/money", "/money/halt", action="lift", reason="not halted")
    assert refused.status_code == 409
    corrected = {**forms(refused)["/money/halt"], "action": "set", "reason": "a wrong list"}
    assert browser.post("/money/halt", corrected).status_code == 303


def test_a_list_is_planned_again_as_the_next_campaign(browser: Browser) -> None:
    done = browser.submit(PLAN, f"{PLAN}/replan", reason="after the correction")
    assert done.status_code == 303
    assert done.location == f"/campaign/{INCIDENT_ID}/2"


def test_a_campaign_is_ended_by_an_operator_and_nothing_is_offered_that_its_state_rules_out(waiting: World) -> None:
    world = waiting.copy()
    browser = Browser(world).enter()
    assert [re.findall(r'name="action" value="(\w+)"', browser.get(PAGE).text)] == [["cancel"]]
    assert browser.submit(PAGE, f"{PAGE}/stop", action="cancel", reason=" ").status_code == 422
    assert browser.submit(PAGE, f"{PAGE}/stop", action="settle", reason="x").status_code == 409
    assert browser.submit(PAGE, f"{PAGE}/stop", action="explode", reason="x").status_code == 422
    assert browser.submit(PAGE, f"{PAGE}/stop", action="cancel", reason="the wrong list").status_code == 303
    assert state(browser) is State.CANCELLED
    assert "the wrong list" in read(browser.get(PAGE).text)
    assert f"{PAGE}/stop" not in forms(browser.get(PAGE))


def test_the_stack_is_halted_by_one_and_lifted_by_two(browser: Browser) -> None:
    assert browser.submit("/money", "/money/halt", action="set", reason="too much").status_code == 303
    assert "The stack is halted" in read(browser.get("/").text)
    browser.submit("/money", "/money/halt", action="lift", reason="corrected")
    assert browser.world.campaigns.halt().is_on
    browser.stack.desk = BERT
    browser.submit("/money", "/money/halt", action="lift", reason="corrected")
    assert not browser.world.campaigns.halt().is_on
    assert "The stack is not halted" in read(browser.get("/money").text)


def test_a_budget_is_set_and_shown_and_a_wrong_one_keeps_what_was_written(browser: Browser) -> None:
    filled = {"month": "2026-03", "currency": "eur", "limit": "250000.00", "reason": "as planned"}
    wrong = browser.submit("/money", "/money/budget", **{**filled, "limit": "a lot"})
    assert wrong.status_code == 422
    assert forms(wrong)["/money/budget"]["limit"] == "a lot"
    assert browser.submit("/money", "/money/budget", **filled).status_code == 303
    assert "250,000.00 EUR" in read(browser.get("/money").text)


def test_an_offer_is_accepted_for_the_customer_once() -> None:
    browser = Browser(offered()).enter()
    page, target = "/account?id=other", f"/account/other/{INCIDENT_ID}/accept"
    assert "10.00 EUR: offered, and not accepted yet" in read(browser.get(page).text).replace(" :", ":")
    filled = browser.form(page, target)
    assert [browser.post(target, filled).status_code for _ in range(2)] == [303, 303]
    assert "10.00 EUR: granted" in read(browser.get(page).text).replace(" :", ":")
    assert target not in forms(browser.get(page))
    accepted = [entry for entry in browser.world.ledger.all_entries() if entry.key.account_id == "other"]
    assert [entry.status for entry in accepted] == [Outcome.GRANTED]


@pytest.mark.parametrize("path", ["/", PLAN, PAGE, "/account?id=granted-1", "/money", "/month", "/audit"])
def test_an_api_that_does_not_answer_is_said_and_nothing_is_tried_again_by_itself(path: str, browser: Browser) -> None:
    browser.get("/")
    browser.kulanz.fails = NotAnswered("AWS did not answer the stack as it should; try again", Why.LATER)
    shown = browser.get(path)
    assert shown.status_code == 503
    assert "Load the page again" in read(shown.text)
    assert browser.kulanz.acted == []


@pytest.mark.parametrize("why", Why)
def test_what_was_not_done_is_another_action_when_it_is_corrected_and_the_same_where_it_may_have_been_done(
    why: Why, browser: Browser
) -> None:
    """An id stands for what was sent under it, also where that was refused: under it a correction would be refused."""
    filled = browser.form(PLAN, f"{PLAN}/reject")

    def refuse(*_: object, **__: object) -> dict[str, object]:
        raise NotAnswered("it is not done", why)

    browser.kulanz.act = refuse  # type: ignore[method-assign]
    shown = browser.post(f"{PLAN}/reject", {**filled, "reason": "a wrong list"})
    assert shown.status_code == STATUS_OF[why]
    kept = forms(shown)[f"{PLAN}/reject"]
    assert (kept["id"] == filled["id"]) == (why is Why.LATER)
    assert (kept["reason"], kept["plan_hash"]) == ("a wrong list", filled["plan_hash"])


def test_a_language_is_kept_until_another_one_is_chosen_that_there_is(browser: Browser) -> None:
    """Also where the browser would rather have another; what is no language changes nothing."""
    german, english = ["de", "de"], ["en", "en"]
    for chosen, shown in (("xx", ["en", "de"]), ("de", german), ("xx", german), ("", german), ("en", english)):
        sent = browser.post("/language", {**browser.form("/", "/language"), "language": chosen})
        pages = [browser.get("/", **{"Accept-Language": accepted}).text for accepted in ("en", "de")]
        assert sent.status_code == 303
        assert re.findall(r'<html lang="(\w+)">', "".join(pages)) == shown, chosen


def test_an_action_without_an_answer_keeps_its_form_and_its_id(browser: Browser) -> None:
    filled = browser.form(PLAN, f"{PLAN}/reject")
    answered, browser.kulanz.act = browser.kulanz.act, _no_answer  # type: ignore[method-assign]
    shown = browser.post(f"{PLAN}/reject", {**filled, "reason": "a wrong list"})
    assert shown.status_code == 503
    kept = forms(shown)[f"{PLAN}/reject"]
    assert (kept["id"], kept["reason"], kept["plan_hash"]) == (filled["id"], "a wrong list", filled["plan_hash"])
    browser.kulanz.act = answered  # type: ignore[method-assign]
    assert browser.post(f"{PLAN}/reject", kept).status_code == 303
    assert state(browser) is State.REJECTED


def _no_answer(*_: object, **__: object) -> dict[str, object]:
    raise NotAnswered(
        "the stack's API did not answer, and it may have been done; try again: it is done once", Why.LATER
    )
