"""What `kulanz ask` says where nothing was decided: that somebody was not listed only where that is known."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel
from kulanz.application.door.accounts import ask_answer
from kulanz.domain.campaigns.campaign import ENDED, CampaignId, Cause, State
from kulanz_cli.answers import answer_content, show_answer
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, list_of, row, small_world
from tests.support.world import World

ID = CampaignId.parse(CAMPAIGN)
NOT_LISTED = "was not on"


def world_of(rows: int = ROWS) -> World:
    world = small_world()
    world.publish(event(rows=rows))
    return world


def told(world: World, account_id: str) -> tuple[str, bool]:
    """What a person reads, and what a program does."""
    printed = io.StringIO()
    answer = world.ask(account_id, INCIDENT_ID)
    show_answer(ask_answer(answer), Console(file=printed, width=100), INCIDENT_ID)
    return printed.getvalue(), answer_content(ask_answer(answer))["listed_nowhere"]


@pytest.mark.parametrize("incident_id", [None, "an-incident-without-a-campaign"])
def test_where_no_campaign_is_known_nobody_is_known_to_be_unlisted(incident_id: str | None) -> None:
    answer = small_world().ask("granted-1", incident_id)
    assert not answer_content(ask_answer(answer))["listed_nowhere"]


def test_an_incident_that_is_not_recorded_is_named_with_where_to_look() -> None:
    printed = io.StringIO()
    answer = ask_answer(small_world().ask("granted-1", "net-outrage"))
    show_answer(answer, Console(file=printed, width=80), "net-outrage")
    text = printed.getvalue()
    assert "The incident net-outrage is not recorded on this stack." in text
    assert "kulanz incidents --month 2026-03\n" in text
    assert "kulanz ask granted-1\n" in text
    assert "name it with --incident" not in text


@pytest.mark.parametrize("state", State)
def test_only_a_campaign_that_has_not_ended_can_change(state: State) -> None:
    """Beside one that waits, a plan that was rejected stays rejected."""
    world = world_of()
    while world.campaigns.campaign(ID) is None:
        world.run(world.steps()[0])
    answer = ask_answer(world.ask("granted-1", INCIDENT_ID))
    assert not answer["final"]
    (campaign,) = answer["campaigns"]
    printed = io.StringIO()
    shown = {**answer, "campaigns": [{**campaign, "state": state}]}
    show_answer(shown, Console(file=printed, width=100), INCIDENT_ID)  # type: ignore[arg-type] # as JSON has it
    assert ("this can change" in printed.getvalue()) == (state not in ENDED)


def test_an_account_that_no_finished_campaign_has_decided_was_not_listed() -> None:
    world = world_of()
    world.run_until_quiet()
    text, listed_nowhere = told(world, "unlisted")
    assert NOT_LISTED in text
    assert listed_nowhere


@pytest.mark.parametrize("is_rejected", [True, False])
def test_only_a_campaign_with_rejected_rows_leads_to_them(*, is_rejected: bool) -> None:
    """The rows of the small campaign, some of which are rejected; or a list of one good row."""
    world = world_of()
    if not is_rejected:
        world = small_world()
        world.lists.upload("lists/good.csv", list_of([row("granted-1")]))
        world.publish(event(key="lists/good.csv", rows=1))
    world.run_until_quiet()
    text, listed_nowhere = told(world, "unlisted")
    assert listed_nowhere
    assert ("kulanz rejected" in text, "Which rows were rejected" in text) == (is_rejected, is_rejected)


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_campaign_that_was_cancelled_says_nothing_about_whom_it_had_not_reached(state: State) -> None:
    world = world_of()
    while world.campaigns.campaign(ID) is None or world.campaign(CAMPAIGN).state is not state:
        world.run(world.steps()[0])
    cancel(
        ID,
        ControlPorts(world.campaigns, world.chunks, world.stores),
        "x",
        Cause("a person", "a ticket", "7"),
        world.now,
    )
    world.run_until_quiet()
    text, listed_nowhere = told(world, "granted-1")  # it is listed
    assert NOT_LISTED not in text
    assert "ended (cancelled) before its list was decided" in text
    assert not listed_nowhere


def test_a_refused_campaign_says_nothing_about_anybody() -> None:
    world = world_of(rows=ROWS + 1)
    world.run_until_quiet()
    text, listed_nowhere = told(world, "granted-1")
    assert NOT_LISTED not in text
    assert "ended (refused)" in text
    assert not listed_nowhere


def test_once_decisions_may_have_been_deleted_their_absence_says_nothing() -> None:
    world = world_of()
    world.run_until_quiet()
    world.now = world.campaign(CAMPAIGN).decidable_until - timedelta(seconds=1)
    assert told(world, "purged")[1]
    world.now += timedelta(seconds=1)
    text, listed_nowhere = told(world, "purged")
    assert NOT_LISTED not in text
    assert "may have been deleted" in text
    assert not listed_nowhere
