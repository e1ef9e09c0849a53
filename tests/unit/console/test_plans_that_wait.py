"""A plan that waits: until when, what of its list looks wrong, and what is done when its time is over."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from kulanz.domain.time import parse_instant
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.waiting import PLANS_LOOKED_AT
from tests.support.console_browser import EVERY_ROLE, Browser, forms
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT
from tests.support.wrong_lists import A_RIGHT_LIST, WRONG_LISTS, planned

PLAN = "/plan/second/1"
WARNING = "Its list has a warning"
TICK = "<li>The plan is within its limits."


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("&#39;", "'").replace("<wbr>", "")).split())


@pytest.fixture(scope="module")
def right() -> World:
    return planned(A_RIGHT_LIST)


def until(browser: Browser) -> str:
    return str(browser.kulanz.ask("approvals.plan", incident="second", seq=1)["approvable_until"])


def test_a_plan_whose_time_is_over_is_not_approved_but_planned_again_on_its_page(right: World) -> None:
    browser = Browser(right.copy()).enter()
    filled, ends = browser.form(PLAN, f"{PLAN}/approve"), parse_instant(until(browser))
    for now, is_over in ((ends - timedelta(seconds=1), False), (ends, True)):
        browser.world.now = now
        browser = Browser(browser.world, stack=browser.stack).enter()
        page, first = browser.get(PLAN), read(browser.get("/").text)
        said = read(page.text)
        assert ("Expired on" in said, "Expired on" in first) == (is_over, is_over)
        assert ("approve before" in said, "approve before" in first) == (not is_over, not is_over)
        assert (f"{PLAN}/approve" in forms(page), "Approvals still missing" in said) == (not is_over, not is_over)
        assert ('id="replan" open>' in page.text, "gains no right by it" in said) == (is_over, is_over)
    filled["form_token"] = browser.form(PLAN, f"{PLAN}/replan")["form_token"]
    refused = browser.post(f"{PLAN}/approve", filled)
    assert refused.status_code == 409
    assert "The time to approve this plan is over. Use the form: Plan the same list again." in read(refused.text)
    done = browser.submit(PLAN, f"{PLAN}/replan", reason="its time was over")
    assert done.location == "/campaign/second/2"
    assert "another person's approval" in read(browser.get(done.location).text)
    made = browser.get("/plan/second/2")
    assert (made.status_code, "The plan of second/2 is being made" in read(made.text)) == (200, True)
    assert 'href="/campaign/second/2"' in made.text
    assert "kulanz watch" not in made.text


def test_where_rows_repeat_an_account_the_figures_are_said_to_be_the_most() -> None:
    browser = Browser(planned(WRONG_LISTS["doubled"])).enter()
    page = browser.get(PLAN).text
    said = read(page)
    assert "at most: 40 rows repeat an account of this list, each is granted once" in said
    assert "Would get something 80 at most" in said
    assert re.search(r"Approve at most [\d,.]+ EUR", said)
    assert TICK not in page
    assert WARNING in read(browser.get("/").text)


def test_whatever_looks_wrong_about_a_list_is_a_warning_on_the_first_page_and_takes_the_tick_of_its_plan() -> None:
    silent = []
    for name, wrong in WRONG_LISTS.items():
        browser = Browser(planned(wrong)).enter()
        if WARNING not in read(browser.get("/").text) or TICK in browser.get(PLAN).text:
            silent.append(name)
    assert silent == []


def test_ids_that_are_nearly_equal_are_shown_by_an_example_and_no_page_contradicts_it() -> None:
    browser = Browser(planned(WRONG_LISTS["doubled by another export"])).enter()
    assert "as 1018315 and 001018315" in read(browser.get(PLAN).text)
    sample = read(browser.get("/sample/second/1").text)
    assert "under the very same id" in sample
    assert "Ids that differ by zeros, letters' case or .0 are two accounts." in sample


def test_a_plan_without_a_warning_has_its_tick_and_no_budget_is_no_alarm(right: World) -> None:
    browser = Browser(right.copy()).enter()
    page = browser.get(PLAN).text
    assert TICK in page
    assert re.search(r'<li class="plain">No budget is set', page)
    assert "at most:" not in read(page)
    assert re.search(r"Approve [\d,.]+ EUR", read(page))
    assert WARNING not in read(browser.get("/").text)


def test_a_plan_that_the_first_page_did_not_look_at_is_not_shown_as_one_without_a_warning(right: World) -> None:
    browser = Browser(right.copy()).enter()
    (item,) = browser.kulanz.ask("campaigns.waiting")["campaigns"]
    many = [{**item, "campaign": f"second/{seq}"} for seq in range(1, PLANS_LOOKED_AT + 3)]
    browser.kulanz.seen = lambda answer: {**answer, "campaigns": many} if "kept" in answer else answer
    browser.kulanz.asked.clear()
    first = read(browser.get("/").text)
    assert browser.kulanz.asked.count("approvals.plan") == PLANS_LOOKED_AT
    assert first.count("approve before") == len(many), "each plan has its deadline"
    assert first.count("Open it to see whether its list has a warning.") == len(many) - 1
    assert f"Lists that this page did not look at: {len(many) - 1}." in first, "one of these campaigns is there"
    assert 'href="/?lists=all"' in browser.get("/").text


def test_every_list_is_looked_at_on_request_and_the_page_counts_those_with_a_warning() -> None:
    browser = Browser(planned(WRONG_LISTS["doubled"])).enter()
    (item,) = browser.kulanz.ask("campaigns.waiting")["campaigns"]
    plan = browser.kulanz.ask("approvals.plan", incident="second", seq=1)
    number = 2 * PLANS_LOOKED_AT + 2
    many = [
        {**item, "campaign": f"second/{seq}", "approvable_until": f"2026-04-{seq:02d}T00:00:00Z"}
        for seq in range(number, 0, -1)
    ]
    parts = iter([("more", many[:-2]), (None, many[-2:])] * 2)

    def ask(use: str, *_: Any, **of: Any) -> Any:
        if use == "campaigns.waiting":
            following, campaigns = next(parts)
            return {"campaigns": campaigns, "kept": [], "next": following}
        return plan if use == "approvals.plan" else asked(use, *_, **of)

    asked, browser.kulanz.ask = browser.kulanz.ask, ask  # type: ignore[method-assign]
    every = browser.get("/?lists=all").text
    shown = re.findall(r'href="/plan/second/(\d+)"', every)
    assert list(map(int, shown)) == list(range(1, number + 1)), "the nearest end stands first"
    said = read(every)
    assert said.count(WARNING) == number
    assert f"Lists with a warning: {number}." in said
    assert "did not look at" not in said


def test_a_campaign_says_until_when_its_plan_can_be_approved_as_long_as_it_waits(right: World) -> None:
    browser = Browser(right.copy()).enter()
    said = browser.kulanz.ask("campaigns.one", incident="second", seq=1)["approvable_until"]
    assert said == until(browser) == browser.kulanz.ask("campaigns.waiting")["campaigns"][0]["approvable_until"]
    browser.submit(PLAN, f"{PLAN}/reject", reason="the wrong list")
    for campaign in ("second", "net-outage"):
        assert browser.kulanz.ask("campaigns.one", incident=campaign, seq=1)["approvable_until"] is None


def test_a_plan_that_cannot_be_read_now_does_not_take_the_first_page_from_anybody(right: World) -> None:
    browser = Browser(right.copy()).enter()

    def seen(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if "plan_hash" in answer:
            raise NotAnswered("AWS did not answer as it should", Why.LATER)
        return answer

    browser.kulanz.seen = seen
    page = browser.get("/")
    assert (page.status_code, f'href="{PLAN}"' in page.text) == (200, True)
    assert "approve before" in read(page.text)
    assert "Open it to see whether its list has a warning." in read(page.text)
    assert browser.get(PLAN).status_code == 503


def test_a_campaign_that_is_not_over_says_of_problems_only_what_is_known_so_far(right: World) -> None:
    browser = Browser(right.copy()).enter()
    pages = {name: read(browser.get(f"/campaign/{name}").text) for name in ("second/1", "net-outage/1")}
    assert "So far no row was rejected or is in conflict." in pages["second/1"]
    assert "Rows with a problem No row was rejected or is in conflict." in pages["net-outage/1"]


def test_an_emergency_stands_below_the_approval_and_persons_by_their_short_names(right: World) -> None:
    browser = Browser(right.copy()).enter()
    browser.stack.desk = ANNA
    browser.submit(PLAN, f"{PLAN}/approve")
    browser.stack.desk = BERT
    page = browser.get(PLAN).text
    yes = re.search(r"<button class=.main yes.>", page)
    assert yes is not None
    assert yes.start() < page.index("In an emergency: alone")
    assert f'<span title="{ANNA.id}"><bdi>anna</bdi></span>' in page


NEXT_LIST = "A right list comes with the next revision of the incident, which opens its next campaign."
NOTHING_TO_COMPARE = "No closed campaign was found under this policy to compare the amounts with"


def test_an_approver_hears_where_no_earlier_campaign_shows_what_a_line_usually_gets(right: World) -> None:
    first = small_world()
    first.approvers = ()
    first.publish(event(rows=ROWS))
    first.run_until_quiet()
    assert NOTHING_TO_COMPARE in read(Browser(first).enter().get(f"/plan/{CAMPAIGN}").text)
    assert NOTHING_TO_COMPARE not in read(Browser(right.copy()).enter().get(PLAN).text)


def test_a_plan_that_waits_shows_its_sum_first_and_no_columns_of_what_it_has_not_done(right: World) -> None:
    first = Browser(right.copy()).enter().get("/").text
    columns = re.findall(
        r'<th [^>]*scope="col"[^>]*>([^<]*)</th>', first.partition('id="plans"')[2].partition("</table>")[0]
    )
    assert columns == ["Campaign", "Planned", "State", "Rows", "Policy"]


def test_what_is_on_no_bill_says_why_and_a_rejected_plan_speaks_of_no_bill(right: World) -> None:
    browser = Browser(right.copy(), EVERY_ROLE).enter()
    done = browser.submit(PLAN, f"{PLAN}/reject", reason="the fees are in cents")
    rejected = read(browser.get(done.location).text)
    assert ("Nothing was granted." in rejected, "On its way to bills" in rejected) == (True, False)
    assert NEXT_LIST in rejected
    closed = read(browser.get(f"/campaign/{CAMPAIGN}").text)
    assert NEXT_LIST not in closed
    assert "In no delivery: no channel to billing was set up" in closed


@pytest.mark.parametrize(
    ("void", "says"),
    [
        (None, "The request for in-4 waits until the stopped execution of in-4/1 has surely ended. It opens by itself"),
        ("in-4/1/v-1", "The request for in-4 waits until the void in-4/1/v-1 has ended. It is tried again"),
    ],
)
def test_a_request_that_is_kept_says_what_it_waits_for(right: World, void: str | None, says: str) -> None:
    browser = Browser(right.copy()).enter()
    kept = {"incident_id": "in-4", "after": "in-4/1", "opens_at": "2026-03-05T10:00:00Z", "void": void}
    browser.kulanz.seen = lambda answer: {**answer, "kept": [kept]} if "kept" in answer else answer
    assert f"{says} after 2026-03-05 10:00:00 UTC" in read(browser.get("/").text)
