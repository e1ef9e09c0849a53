"""What the pages of deliveries and of a month say of what is on no bill: kept back, by which account, and why."""

import re
from collections.abc import Mapping
from contextlib import closing
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz_console.drawing.ways import delivery_words
from kulanz_console.still_open import NOTHING_OPEN
from tests.fake_biller.biller import Biller
from tests.support.console_browser import EVERY_ROLE, Browser
from tests.support.road import Road
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack
from tests.unit.application.door.test_deliveries import settled

MONTH = "/month?month=2026-03"


def text_of(browser: Browser, path: str) -> str:
    """A page without its markup."""
    html = re.sub(r"<wbr>|</?bdi[^>]*>", "", browser.get(path).text)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def opened(world: World) -> Browser:
    """A browser on the pages of a stack, in every role."""
    return Browser(world, EVERY_ROLE, WorldStack(world)).enter()


def closed(channel: Channel | None) -> World:
    """A campaign that closed by itself."""
    world = small_world(channel=channel)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_a_month_says_by_account_what_it_came_to_and_which_delivery_has_it() -> None:
    shown = text_of(opened(closed(Channel("billing"))), MONTH)
    assert "Ledger account Reason code Granted On bills Not on bills Late Expired unused not said not said" in shown
    row = next(part for part in shown.split(CAMPAIGN)[1:] if "billing/1" in part)
    assert "billing/1" in row


def test_a_month_says_how_much_is_asked_back_until_the_biller_has_answered() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)

        def shown(*steps: str) -> str:
            for step in steps:
                road.step(step)
            stack = WorldStack(road.world)
            stack.served = road.door  # it has read the biller's answers
            return text_of(Browser(road.world, EVERY_ROLE, stack).enter(), MONTH)

        open_now = "Campaigns with credits that the biller is asked to take back, and has not answered : 1"
        assert "is asked" not in shown("deliver", "answer")
        told = shown("ask booked")
        asked = road.asked_back()["EUR"] * Decimal("0.01")
        assert f"{asked} EUR of it is asked back of the biller, and not void yet." in told
        assert open_now in told
        assert NOTHING_OPEN not in told
        assert "is asked" not in shown("deliver", "answer")


def test_a_month_says_why_a_campaign_is_in_no_delivery() -> None:
    assert "no channel to billing was set up" in text_of(opened(closed(None)), MONTH)


@pytest.mark.parametrize("state", DeliveryState)
def test_only_of_a_delivery_that_is_sent_its_state_is_not_said(state: DeliveryState) -> None:
    """What is being assigned or published, or is flagged, is not with billing yet."""
    told = {"delivery": "billing/1", "delivery_state": state.value, "why_not": ""}
    assert delivery_words(told) == ("billing/1" if state is DeliveryState.SENT else f"billing/1, {state.value}")
    assert delivery_words({"delivery": None, "delivery_state": "", "why_not": "it granted nothing"}) == (
        "it granted nothing"
    )
    assert delivery_words({"delivery": None, "delivery_state": "", "why_not": ""}) == "additions only"


def test_what_is_kept_back_is_listed_with_its_campaign_and_sums_until_it_is_delivered() -> None:
    world = settled(Channel("billing"), State.CLOSED, "settled_by_hand: ok")
    stack = WorldStack(world)
    stack.served.troubles = world.troubles
    browser = Browser(world, EVERY_ROLE, stack).enter()
    (kept,) = stack.served.get("deliveries/waiting").content["kept_back"]
    shown = text_of(browser, "/deliveries").partition("Kept back")[2]
    assert CAMPAIGN in shown
    assert kept["due"]
    for part in kept["due"]:
        assert part["sum"].partition(".")[0] in shown
    assert stack.served.put(f"deliveries/settled/{CAMPAIGN}/d-1", {"reason": "checked"}).status == 200
    world.run_until_quiet()
    world.watch()
    assert "Kept back" not in text_of(browser, "/deliveries")


DUE = "2026-03-01T22:00:00Z"


def late(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer, as it is once a credit is late."""
    changed: dict[str, Any] = deepcopy(dict(answer))
    if "due_soon" in changed:
        changed["overdue"] = [{"campaign": CAMPAIGN, "due": DUE, "credits": 1, "measure": "EUR", "sum": "2.99"}]
    for one in (*changed.get("campaigns", ()), changed):
        for line in one.get("lines", ()) if "why_not" in one else ():
            line["overdue"] = "2.99"
    return changed


@pytest.mark.parametrize("path", ["/", "/deliveries", MONTH, f"/campaign/{CAMPAIGN}"])
def test_what_is_late_leads_to_its_credits_from_every_page_that_counts_it(path: str) -> None:
    browser = opened(closed(Channel("billing")))
    link = f'href="/late/{CAMPAIGN}"'
    assert link not in browser.get(path).text
    browser.kulanz.seen = late
    shown = browser.get(path).text
    assert link in shown
    assert (f'<time datetime="{DUE}">' in shown) == (path in ("/", "/deliveries"))
    assert DUE not in re.sub(r"<time[^>]*>.*?</time>", "", shown)
