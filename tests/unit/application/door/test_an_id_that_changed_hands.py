"""What was decided before an id changed hands is about another customer: support does not see it, an auditor does."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.door.routes import Role
from kulanz.domain.time import format_instant
from tests.support.console_browser import EVERY_ROLE, Browser, forms
from tests.support.world import START, World
from tests.support.world_door import WorldDoor
from tests.support.world_stack import WorldStack, run
from tests.unit.application.campaigns.test_accounts_that_changed import campaign, line, world_of

MARKED = "Decided before the id changed hands"
SINCE = START + timedelta(days=1)


@pytest.fixture(scope="module")
def world() -> World:
    """Two accounts were decided. Then one of them has the other's id, by the list of another incident."""
    found = world_of()
    campaign(found, line("old"), line("new"), line("apart"))
    found.now = START + timedelta(days=2)
    campaign(found, line("new", was="old", since=format_instant(SINCE)), line("apart"), incident_id="later")
    return found


@pytest.mark.parametrize(
    ("account", "shown", "withheld"),
    [("new", ["later/1"], 1), ("old", ["later/1"], 1), ("apart", ["net-outage/1", "later/1"], 0)],
)
def test_support_sees_nothing_older_and_is_told_so(world: World, account: str, shown: list[str], withheld: int) -> None:
    door = WorldDoor(world)
    found = door.get(f"accounts/{account}").content
    assert sorted(one["campaign"] for one in found["decisions"]) == sorted(shown)
    said = {"before": format_instant(SINCE), "decisions": withheld} if withheld else None
    assert found["withheld"] == said
    assert {one["incident_id"] for one in found["incidents"]} == {one.partition("/")[0] for one in shown}
    assert {one["incident_id"] for one in found["standings"]} == {one.partition("/")[0] for one in shown}
    past = door.get(f"account-pasts/{account}").content
    assert sorted(one["campaign"] for one in past["decisions"]) == ["later/1", "net-outage/1"]
    assert past["withheld"] is None


def test_what_was_decided_at_the_instant_of_the_change_is_the_present_accounts() -> None:
    found = world_of()
    campaign(found, line("new"))
    found.now = START + timedelta(days=2)
    campaign(found, line("new", was="old", since=format_instant(SINCE)), incident_id="later")
    for entry in found.ledger.of_account("new"):
        moment = timedelta(0) if entry.key.incident_id == "later" else timedelta(microseconds=1)
        found.ledger.replace_entry(replace(entry, effective_at=SINCE - moment))
    shown = WorldDoor(found).get("accounts/new").content
    assert [one["campaign"] for one in shown["decisions"]] == ["later/1"]
    assert shown["withheld"] == {"before": format_instant(SINCE), "decisions": 1}


def test_of_one_incident_it_is_withheld_too_and_never_called_undecided(world: World) -> None:
    found = WorldDoor(world).get("accounts/new", incident="net-outage").content
    assert (found["decisions"], found["standings"], found["listed_nowhere"]) == ([], [], False)
    assert found["withheld"]["decisions"] == 1
    (named,) = found["incidents"]
    assert (named["incident_id"], named["title"]) == ("net-outage", "Network down"), (
        "who asked about it sees which it is"
    )


def test_the_command_says_what_it_leaves_out_and_an_auditor_gets_it(world: World) -> None:
    stack = WorldStack(world)
    shown = " ".join(run(stack, "ask", "new").stdout.split())
    assert f"Not shown: 1 decision from before {format_instant(SINCE)}." in shown
    assert "kulanz ask new --past" in shown
    assert "net-outage" not in shown
    past = run(stack, "ask", "new", "--past").stdout
    assert "net-outage" in past
    assert "not shown" not in past
    only = run(stack, "ask", "new", "--incident", "net-outage")
    assert (only.exit_code, "NOTHING DECIDED" in only.stdout) == (1, False)


@pytest.mark.parametrize("path", ["/account?id=new", "/account?id=new&incident=net-outage"])
def test_the_page_says_what_it_leaves_out_and_never_that_nothing_was_decided(world: World, path: str) -> None:
    shown = Browser(world, frozenset({Role.SUPPORT}), WorldStack(world)).enter().get(path).text
    assert "/past" not in shown
    assert "this id changed hands at" in shown
    assert "is shown to the role auditor alone" in shown
    assert "Nothing was decided" not in shown
    assert "was not on its list" not in shown


@pytest.mark.parametrize("account", ["new", "old"])
def test_an_auditor_reads_all_of_it_on_a_page_that_marks_what_is_older_and_does_nothing(
    world: World, account: str
) -> None:
    browser = Browser(world, EVERY_ROLE, WorldStack(world)).enter()
    assert f'href="/past?id={account}"' in browser.get(f"/account?id={account}").text
    shown = browser.get(f"/past?id={account}")
    marked = {
        re.sub("<[^>]+>", "", part).split()[0]: MARKED in part for part in shown.text.split('<p class="note">')[1:]
    }
    assert marked == {"net-outage,": True, "later,": False}
    assert set(forms(shown)) <= {"/language", "/end"}, "nothing of it is acted on"


def test_of_an_id_that_nobody_else_had_nothing_is_marked(world: World) -> None:
    shown = Browser(world, EVERY_ROLE, WorldStack(world)).enter().get("/past?id=apart").text
    assert MARKED not in shown
    assert "No list says that this id changed hands after a decision." in shown
