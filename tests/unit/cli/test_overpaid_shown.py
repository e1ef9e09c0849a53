"""What was overpaid is said wherever a person looks: of an account, in the list of campaigns, and on the pages."""

import json
from dataclasses import replace

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, State
from tests.support.console_browser import EVERY_ROLE, Browser
from tests.support.reading import read
from tests.support.small_campaign import INCIDENT_ID, row
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.application.delivery.test_voiding_overpaid import SECOND, THIRD, first, overpaying, then, voided

TOO_MUCH = {"campaign": SECOND, "sums": {"EUR": "300"}}


def told(world: World, account: str) -> object:
    found = run(WorldStack(world), "ask", account, "--incident", INCIDENT_ID, "--json")
    (standing,) = json.loads(found.stdout)["standings"]
    return standing["overpaid"]


def test_an_answer_says_what_was_overpaid_until_it_was_taken_back() -> None:
    world = overpaying()
    assert {account: told(world, account) for account in ("a-1", "a-2", "a-3")} == {
        "a-1": TOO_MUCH, "a-2": None, "a-3": None,
    }  # fmt: skip
    text = run(WorldStack(world), "ask", "a-1", "--incident", INCIDENT_ID).stdout
    assert f"overpaid 3.00 EUR more than is owed now, as campaign {SECOND} found" in read(text)
    assert all(len(line) <= 80 for line in text.splitlines())
    voided(world)
    assert told(world, "a-1") is None


def test_of_a_credit_that_was_taken_back_in_part_every_line_has_what_is_left() -> None:
    world = overpaying()
    voided(world)
    stack = WorldStack(world)
    shown = run(stack, "ask", "a-1", "--incident", INCIDENT_ID)
    text = read(shown.stdout)
    assert text.startswith("GRANTED 2.00 EUR + 20 call minutes account")
    assert "meaning The account gets a part of it: the rest was taken back." in text
    assert "billing 2.00 EUR is not delivered to billing yet; 3.00 of 5.00 was taken back" in text
    assert "taken back 3.00 EUR" in text
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    page = Browser(world, EVERY_ROLE, stack).enter().get("/account?id=a-1").text.replace("<wbr>", "")
    band = page.partition('<p class="band"><strong>')[2].partition("</strong>")[0]
    assert "2.00 EUR + 20 call minutes" in band


def test_who_is_held_by_the_latest_campaign_is_not_said_to_be_overpaid() -> None:
    world = first(row("a-1", fee="50.00"), row("a-2", fee="50.00"))
    then(world, row("a-1", fee=""), row("a-2", fee="10.00"))
    assert [told(world, account) for account in ("a-1", "a-2")] == [None, {"campaign": SECOND, "sums": {"EUR": "400"}}]


def test_who_was_held_once_is_said_to_be_overpaid_by_what_a_later_campaign_gave() -> None:
    world = first(row("a-1", fee=""))
    then(world, row("a-1", fee="50.00"))
    then(world, row("a-1", fee="20.00"))
    assert told(world, "a-1") == {"campaign": THIRD, "sums": {"EUR": "300"}}


def test_of_a_list_that_is_too_long_to_be_searched_the_campaign_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = overpaying()
    monkeypatch.setattr("kulanz.application.ledger.found_overpaid.SEARCHED_BYTES_MOST", 10)
    assert told(world, "a-1") == {"campaign": SECOND, "sums": None}
    text = read(run(WorldStack(world), "ask", "a-1", "--incident", INCIDENT_ID).stdout)
    assert f"campaign {SECOND} found some accounts overpaid; an export of its plan has them" in text


def test_the_list_of_campaigns_has_the_sum_and_the_command_that_takes_it_back() -> None:
    shown = run(WorldStack(overpaying()), "campaigns", INCIDENT_ID).stdout
    text = read(shown)
    assert f"{SECOND} found 3.00 EUR overpaid by earlier campaigns" in text
    assert f"kulanz void {SECOND} --overpaid --reason ..." in text
    assert f"{INCIDENT_ID}/1 found" not in text
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_the_page_of_an_account_says_it() -> None:
    stack = WorldStack(overpaying())
    browser = Browser(stack.world, EVERY_ROLE, stack).enter()
    shown = browser.get("/account?id=a-1").text
    assert f"3.00 EUR more than is owed now, as campaign {SECOND} found" in shown.replace("<wbr>", "")
    assert "Overpaid:" not in browser.get("/account?id=a-2").text


def test_only_of_a_campaign_that_closed_it_is_said_how_what_was_overpaid_is_taken_back() -> None:
    world = overpaying()
    kept = world.campaigns._campaigns[CampaignId.parse(SECOND)]
    closed = kept.campaign
    assert closed.state is State.CLOSED
    for state in State:
        kept.campaign = replace(closed, state=state)
        listed = read(run(WorldStack(world), "campaigns", INCIDENT_ID).stdout)
        assert (f"{SECOND} found 3.00 EUR overpaid by earlier campaigns" in listed) is (state is State.CLOSED), state
        assert (f"kulanz void {SECOND} --overpaid" in listed) is (state is State.CLOSED), state
