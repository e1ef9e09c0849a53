"""What tells an approver that a plan is of the wrong list."""

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest

from kulanz.application.campaigns.plausible_plan import is_older, same_list, usual_review
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, WriteResult
from tests.support.console_browser import Browser
from tests.support.world import World
from tests.support.wrong_lists import A_RIGHT_LIST, WRONG_LISTS, planned


@pytest.fixture(scope="module")
def right() -> World:
    return planned(A_RIGHT_LIST)


def campaign_of(world: World, name: str) -> Campaign:
    found = world.campaigns.campaign(CampaignId.parse(name))
    assert found is not None
    return found


def checks(world: World) -> str:
    """What the page of the second plan says was checked, as text."""
    page = Browser(world).enter().get("/plan/second/1").text
    section = page.partition('aria-labelledby="checked"')[2].partition("</section>")[0]
    return unescape(re.sub(r"<[^>]+>", "", section))


@pytest.mark.parametrize("name", WRONG_LISTS)
def test_each_wrong_list_is_recognised_from_the_page_of_its_plan(name: str) -> None:
    world = planned(WRONG_LISTS[name])
    said = checks(world)
    assert WRONG_LISTS[name].on_page in said
    others = [one.on_page for other, one in WRONG_LISTS.items() if other != name and not name.startswith("of last")]
    assert not [one for one in others if one in said]
    exceeded = [
        one["name"] for one in Browser(world).kulanz.ask("approvals.plan", incident="second", seq=1)["exceeded"]
    ]
    assert exceeded == list(WRONG_LISTS[name].limits)


def test_a_right_list_is_warned_of_nothing(right: World) -> None:
    said = checks(right)
    assert not [one.on_page for one in WRONG_LISTS.values() if one.on_page in said]
    assert "The plan is within its limits." in said


def test_a_page_says_what_a_granted_line_is_here_and_was_before(right: World) -> None:
    page = Browser(right).enter().get("/plan/second/1").text
    based_on = page.partition('aria-labelledby="basis"')[2].partition("</section>")[0]
    said = unescape(re.sub(r"<[^>]+>", "", based_on))
    assert "12.00 EUR; 10.00 EUR in net-outage/1, the last under this policy" in said


def test_a_page_says_that_a_long_list_was_looked_at_by_a_sample(right: World) -> None:
    browser = Browser(right).enter()
    repeats = {
        "rows_looked_at": 5_017, "whole_list": False, "repeated": 408, "contradicting": 3, "nearly_equal": 7,
    }  # fmt: skip
    browser.kulanz.seen = lambda found: {**found, "repeats": repeats} if "repeats" in found else found
    page = unescape(re.sub(r"<[^>]+>", "", browser.get("/plan/second/1").text))
    assert "411 of 5,017 rows looked at, a sample, repeat an account" in page
    assert "7 rows have nearly the id of another row of 5,017 looked at, a sample" in page


@pytest.mark.parametrize(
    ("here", "before", "lines", "times"),
    [(30_000, 10_000, 100, 3), (29_999, 10_000, 100, None), (30_000, 0, 100, None), (30_000, 10_000, 0, None),
     (123_456, 907, 100, 136)],
)  # fmt: skip
def test_three_times_the_average_of_before_is_named_and_no_less(
    right: World, here: int, before: int, lines: int, times: int | None
) -> None:
    """Offered lines get something, too, and have no part in it."""
    closed, plan = campaign_of(right, "net-outage/1"), campaign_of(right, "second/1")

    def of(one: Campaign, size: int, number: int) -> Campaign:
        counts, sums = Counter[CountKey](), dict[SumKey, int | Decimal]()
        for row_result, times_as_much in ((RowResult.GRANTED, 1), (RowResult.OFFERED, 5)):
            counts[CountKey(row_result, "credit", WriteResult.NONE)] = 3 * number if times_as_much > 1 else number
            sums[SumKey(row_result, WriteResult.NONE, "EUR")] = times_as_much * size
        return replace(one, plan=replace(one.plan, totals=replace(one.plan.totals, counts=counts, sums=sums)))

    found = usual_review(of(plan, here, 100), [of(closed, before, lines)])
    assert [(one["campaign"], one["measure"], one["times"]) for one in found] == [("net-outage/1", "EUR", times)]
    assert found[0]["each_here"] == str(round(here / 100))


def test_instants_are_compared_and_not_their_texts() -> None:
    incident = {"title": "", "revision": 1, "cause": None, "windows": [
        {"start": "2026-02-26T09:00:00.5Z", "end": None}, {"start": "2026-02-27T09:00:00Z", "end": None},
    ]}  # fmt: skip
    assert is_older("2026-02-26T09:00:00Z", incident)  # type: ignore[arg-type]
    assert not is_older("2026-02-26T09:00:00.5Z", incident)  # type: ignore[arg-type]
    assert not is_older(None, incident)  # type: ignore[arg-type]


def test_a_list_with_another_checksum_or_size_is_another_one(right: World) -> None:
    first, plan = campaign_of(right, "net-outage/1"), campaign_of(right, "second/1")
    same = replace(plan, pinned=replace(plan.pinned, size=first.pinned.size, etag=first.pinned.etag))
    assert same_list(same, [first]) == ["net-outage/1"]
    assert same_list(plan, [first]) == []
    assert same_list(replace(same, pinned=replace(same.pinned, etag=plan.pinned.etag)), [first]) == []
    assert same_list(replace(same, pinned=replace(same.pinned, size=first.pinned.size - 1)), [first]) == []
