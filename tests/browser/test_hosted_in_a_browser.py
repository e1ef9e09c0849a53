"""The hosted console in a real browser: each role's main journey, from the login at the provider to its logout.

The function's own handler answers, over HTTPS, with a world in memory behind it; the provider of logins is another
server. The browser decides itself what cookies, redirections and the pages' own policy (CSP) allow.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kulanz.application.door.routes import Role
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.people.people import people_json
from serve_console import handler
from tests.browser.test_pages_in_a_browser import CHROMIUM, PYTHON, pytestmark
from tests.support.console_waiting import with_everything, with_plan
from tests.support.hosted_browser import ROOT
from tests.support.journeys import (
    GIVE,
    GIVE_IT,
    LEAVE,
    LOOK,
    READERS,
    fill_in_goodwill,
    journey,
    look_up,
    stop,
    to_plan,
    yes_by_a_double_click,
    yes_by_keyboard,
)
from tests.support.served_console import composed, listening
from tests.support.served_provider import certificate, served
from tests.support.world_door import WorldDoor

__all__ = ["pytestmark"]
JOURNEYS_SECONDS = 60
PLAN = "/plan/second/1"
NOTE = "called <b>twice</b>"
JOURNEYS: dict[str, dict[str, Any]] = {
    "an approver": journey(Role.APPROVER, to_plan("second/1"), LOOK, yes_by_keyboard(), LEAVE, before=LOOK),
    "another approver, by a link to the plan": journey(
        "second", [["wait", PLAN]], yes_by_a_double_click(), [["back"]], LOOK, path=PLAN
    ),
    "a support agent, whose login expires in the middle of a form": journey(
        Role.SUPPORT,
        look_up("granted-2"),
        LOOK,
        fill_in_goodwill("T-77", NOTE),
        [["expire"], ["click", f"{GIVE} button.yes"], *LOOK, ["read", "asked", "main"]],
        [["sign_in_elsewhere"], ["click", "form[action$='/goodwill'] button"], ["read", "again", "[role=alert]"]],
        [["value", "note", "#note"], ["value", "ticket", "#ticket"]],
        GIVE_IT,
    ),
    "an operator": journey(Role.OPERATOR, stop("pause", "the hotline asks to wait"), path="/campaign/second/1"),
    **READERS,
    "a requester": journey(Role.REQUESTER, [["click", "main a[href*='/draft/']"], ["read", "draft", "h1"]]),
}
"""What each does; those that come later see what was done before.

Axe looks at what the hosted console alone has, and at a plan and an account: the other pages are those of
test_pages_in_a_browser.
"""


@pytest.fixture(scope="module")
def door() -> WorldDoor:
    """A plan that waits for two persons, and something of every kind that waits for one."""
    return with_everything(with_plan()).served


@pytest.fixture(scope="module")
def found(door: WorldDoor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the browser read, and what is wrong."""
    cert, key = certificate(tmp_path_factory.mktemp("gateway"))
    with served(cert, key) as provider, listening(cert, key) as host, pytest.MonkeyPatch.context() as patch:
        provider.clock = lambda: door.world.now
        provider.metadata = {"end_session_endpoint": f"{provider.issuer}/logout"}
        provider.persons = {**{str(role): [f"kulanz-{role}"] for role in Role}, "second": ["kulanz-approver"]}
        ids = {name: {"ids": [f"login:{provider.issuer}#{name}"]} for name in provider.persons}
        door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": ids}))
        console = composed(host, provider, door, cert)
        patch.setattr(handler, "_composed", lambda: console)
        asked = {
            "chromium": CHROMIUM, "console": f"https://{host}{ROOT}", "provider": provider.issuer, "journeys": JOURNEYS,
        }  # fmt: skip
        done = subprocess.run(  # noqa: S603 (our own text)
            [PYTHON, Path(__file__).with_name("browse_hosted.py"), json.dumps(asked)],
            check=False, capture_output=True, text=True, timeout=4 * JOURNEYS_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield {**json.loads(done.stdout), "left": list(provider.left)}


def test_each_role_comes_to_the_end_of_its_main_journey(found: dict[str, Any], door: WorldDoor) -> None:
    assert found["stopped"] == []
    read = found["read"]
    assert read["an approver"]["said"] == "second/1: your approval counts. It needs another person's, too."
    assert read["another approver, by a link to the plan"]["said"] == "second/1 is now: applying."
    assert "granted" in read["a support agent, whose login expires in the middle of a form"]["answer"]
    assert "paused" in read["an operator"]["said"]
    assert read["somebody from finance"]["month"].startswith("Month")
    assert "second/1" in read["an auditor"]["log"]
    assert read["an administrator"]["said"]
    assert read["a requester"]["draft"]
    assert "net-credit" in read["a publisher"]["policies"]
    assert door.world.campaign("second/1").state is State.PAUSED


def test_a_login_that_expires_in_the_middle_of_a_form_loses_nothing_and_does_nothing_twice(
    found: dict[str, Any], door: WorldDoor
) -> None:
    assert found["stopped"] == []
    read = found["read"]["a support agent, whose login expires in the middle of a form"]
    assert "nothing that you filled in is lost" in read["asked"]
    assert "Nothing was done yet" in read["again"]
    assert (read["note"], read["ticket"]) == (NOTE, "T-77")
    assert read["said"]
    assert len(door.goodwill.of_account("granted-2")) == 1


def test_who_ends_the_session_has_ended_the_login_at_the_provider_too(found: dict[str, Any]) -> None:
    assert found["read"]["an approver"]["left"].startswith("Ended")
    (asked,) = found["left"]
    assert asked["post_logout_redirect_uri"].endswith(f"{ROOT}/ended")


def test_the_hosted_pages_are_for_everybody_and_load_nothing_from_elsewhere(found: dict[str, Any]) -> None:
    assert found["violations"] == [], "axe has a finding"
    assert found["sideways"] == [], "a page is wider than a telephone"
    assert found["foreign"] == [], "something comes from elsewhere"
    assert found["errors"] == [], "a script fails, or a page breaks its own policy"
    assert {one.get("cookie for scripts", "") for one in found["read"].values()} == {""}
