"""What the pages of a month and of deliveries say of what is not over: what may change, what is in no delivery."""

from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.application.door.routes import Role
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import Channel
from kulanz_console.still_open import NOT_COUNTED, NOTHING_OPEN, StillOpen
from tests.support.console_browser import Browser, settled
from tests.support.console_waiting import with_everything
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_people import to_approve
from tests.support.world_stack import WorldStack
from tests.unit.application.door.test_deliveries import settled as ended_by_a_person
from tests.unit.console.test_on_the_way_to_bills import MONTH, closed, opened, text_of


def test_a_month_counts_what_may_still_change_it_each_with_where_it_stands() -> None:
    stack = with_everything()
    browser = Browser(stack.world, stack=stack).enter()
    shown = text_of(browser, MONTH).partition("What is left This is left before the month can be closed.")[2]
    html = browser.get(MONTH).text
    waits = sum(browser.kulanz.ask("cases.of_month", None, month="2026-03")["campaigns"][0]["waiting"].values())
    for text, path in (
        ("Voids that are not over : 1", "/#voids"),
        ("Decisions of cases that wait for a second person : 1", "/cases"),
        (f"Cases for manual review : {waits}", "/cases?month=2026-03"),
        ("Goodwill that waits for a second person : 1", "/goodwill"),
    ):
        assert text in shown
        assert f'<a href="{path}">' in html
    assert "Plans that wait" not in shown
    other = text_of(browser, "/month?month=2026-02")
    assert NOTHING_OPEN in other
    assert "not counted" not in shown + other


def test_a_plan_that_waits_is_still_open_in_its_month() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    settled(world, lambda one: bool(to_approve(one)))
    shown = text_of(Browser(world).enter(), MONTH)
    assert "What is left This is left before the month can be closed. Plans that wait for an approval : 1" in shown


def test_a_month_says_what_it_does_not_count_for_want_of_a_role() -> None:
    world = closed(Channel("billing"))
    finance = Browser(world, frozenset({Role.FINANCE}), WorldStack(world)).enter()
    assert NOT_COUNTED in text_of(finance, MONTH)


def test_a_month_says_since_when_the_biller_has_not_answered_and_from_when_it_is_late() -> None:
    browser = opened(closed(Channel("billing")))
    (sent,) = browser.kulanz.ask("deliveries.of_channel", None, channel="billing")["deliveries"]
    due = "2026-04-30T22:00:00Z"

    def seen(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        places = (("another/1", "2026-04-01T00:00:00Z"), (CAMPAIGN, due), (CAMPAIGN, "2026-05-31T22:00:00Z"))
        soon = [{"campaign": one, "due": at, "measure": "EUR", "credits": 1, "sum": "1.00"} for one, at in places]
        return {**answer, "due_soon": soon} if "due_soon" in answer else answer

    browser.kulanz.seen = seen
    shown, html = text_of(browser, MONTH), browser.get(MONTH).text
    assert "the biller has not answered; the oldest delivery was sent " in shown
    assert sent["sent_at"] in html
    assert due in html
    assert "2026-04-01T00" not in html


def test_since_when_the_biller_has_not_answered_is_not_asked_of_a_delivery_that_is_on_bills() -> None:
    browser = opened(closed(Channel("billing")))

    def seen(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if "bookings" not in str(answer.get("campaigns", "")):
            return answer
        (one,) = answer["campaigns"]
        lines = [{**line, "by_state": {"applied": line["granted"]}} for line in one["lines"]]
        return {**answer, "campaigns": [one, {**one, "campaign": "another/1", "delivery": "post/1", "lines": lines}]}

    browser.kulanz.seen = seen
    browser.kulanz.asked.clear()
    assert "the oldest delivery was sent" in text_of(browser, MONTH)
    assert browser.kulanz.asked.count("deliveries.one") == 1


def says_of_deliveries(world: World) -> str:
    return text_of(opened(world), "/deliveries").partition("Not sent yet")[2]


def test_what_no_delivery_has_is_never_called_sent() -> None:
    shown = says_of_deliveries(closed(None))
    assert "No delivery was made yet for a campaign of 2026-03, 2026-02." in shown
    assert f"{CAMPAIGN} 26.96 EUR no channel to billing was set up" in shown
    assert "is sent" not in shown


def test_what_is_delivered_waits_for_nothing_and_its_channel_is_a_link() -> None:
    browser = opened(closed(Channel("billing")))
    shown = text_of(browser, "/deliveries")
    assert "No delivery waits to be sent." in shown
    assert "Nothing waits for a delivery." in shown
    assert '<a href="/deliveries?channel=billing">' in browser.get("/deliveries").text


def test_what_is_kept_back_stands_once() -> None:
    world = ended_by_a_person(Channel("billing"), State.CLOSED, "settled_by_hand: ok")
    stack = WorldStack(world)
    stack.served.troubles = world.troubles
    browser = Browser(world, stack=stack).enter()
    shown = text_of(browser, "/deliveries").partition("Not sent yet")[2]
    assert "Kept back" in shown
    assert "In no delivery yet Only what is kept back." in shown
    assert "26.96 EUR" not in shown.partition("Kept back")[0]


@pytest.mark.parametrize("is_left", [True, False])
@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize("is_every", [True, False])
def test_each_thing_that_keeps_a_month_open_is_said(
    *, is_left: bool, is_whole: bool, is_over: bool, is_every: bool
) -> None:
    """That it can be closed is said where nothing speaks against it; that it is not over to whoever may read little."""
    found = StillOpen({"plans": int(is_left)}, is_whole, is_over, is_every).said()
    is_clear = not is_left and is_every
    assert found == [
        text
        for text, is_so in (
            ("This is left before the month can be closed.", is_left),
            ("Not all of the month is counted here; kulanz month counts all of it.", not is_every),
            ("Nothing is left so far, but the month is not over.", is_clear and not is_over),
            ("Nothing is left: the month can be closed.", is_clear and is_over and is_whole),
            ("Nothing is left of what your roles may read.", is_clear and is_over and not is_whole),
            ("What your roles may not read is not counted. An auditor may read all of it.", not is_whole),
        )
        if is_so
    ]
