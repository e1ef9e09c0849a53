"""The console in a real browser: its journeys, axe on every page, nothing sideways, nothing from elsewhere."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import Channel
from kulanz_cli.pages import ByDoor, listen
from kulanz_console.routes import QUESTIONS
from tests.support.console_browser import settled
from tests.support.console_waiting import ALL_THAT_WAITS, with_everything
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT, Somebody
from tests.support.world_people import to_approve
from tests.support.world_stack import DESK, WorldStack
from tests.unit.console.test_border import VALUES
from tests.unit.console.test_hostile import LISTS, OF_ONE_THING

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venvs/browser/bin/python"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
TOUR_SECONDS = 240
ACCOUNT = "granted-1"
PATHS = [
    *(
        re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], one.path)
        for one in QUESTIONS
        if not any(part in one.path for part in OF_ONE_THING)
    ),
    *("/account?id=granted-1", "/account?id=nobody", "/account?id=held-1&incident=net-outage", "/none"),
]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not CHROMIUM or not PYTHON.exists(),
        reason="the console's pages are not tried in a browser: chromium or `make .venvs/browser/.ready` is missing",
    ),
]


@contextmanager
def console_of(world: World, somebody: Somebody, made: WorldStack | None = None) -> Iterator[str]:
    """A console over a world in memory, with the identity of somebody: its first address."""
    stack = made or WorldStack(world)
    stack.desk = somebody
    server, address = listen("kulanz", ByDoor(stack.door()), lambda: world.now)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield address
    server.shutdown()
    serving.join()
    server.server_close()


def browsed(approvals: Sequence[str] = (), tour: str = "", pages: Sequence[str] = ()) -> dict[str, Any]:
    """What the browser found."""
    asked = {"chromium": CHROMIUM, "approvals": list(approvals), "tour": tour, "pages": list(pages), "account": ACCOUNT}
    done = subprocess.run(  # noqa: S603 (our own text)
        [PYTHON, Path(__file__).with_name("browse.py"), json.dumps(asked)],
        check=False, capture_output=True, text=True, timeout=TOUR_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def world() -> World:
    """A campaign whose plan waits."""
    made = small_world(channel=Channel("billing"))
    made.publish(event(rows=ROWS))
    return settled(made, lambda one: bool(to_approve(one)))


def test_two_approvers_approve_a_plan_by_the_keyboard(world: World) -> None:
    approving = world.copy()
    with ExitStack() as consoles:
        found = browsed([consoles.enter_context(console_of(approving, one)) for one in (ANNA, BERT)])
    assert found["approved"] == [
        f"{CAMPAIGN}: your approval counts. It needs another person's, too.",
        f"{CAMPAIGN} is now: applying.",
    ]
    assert (found["errors"], found["foreign"]) == ([], [])
    approving.run_until_quiet()
    assert approving.campaign(CAMPAIGN).state is State.CLOSED


WAITING = ("/", f"/plan/{CAMPAIGN}", f"/campaign/{CAMPAIGN}", "/money")
"""The pages that have other things on them while a plan waits."""


def test_every_page_is_for_everybody(world: World) -> None:
    shown = world.copy()
    with console_of(shown, DESK) as address:
        must_be_for_everybody(browsed(tour=address, pages=WAITING))
    shown.run_until_quiet()
    with console_of(shown, DESK) as address:
        found = browsed(tour=address, pages=PATHS)
    must_be_for_everybody(found)
    said = found["shown"]
    assert "2.99 EUR + 20 call minutes: granted." in said["support"], "two actions from the first page"
    assert "2.99 EUR + 20 call minutes: granted." in said["without script"]
    assert said["times"], "there are times on the page"
    for local, utc, at_hand in said["times"]:
        assert utc == at_hand
        assert utc.endswith(" UTC")
        assert "GMT+1" in local or "GMT+2" in local


def test_the_pages_of_what_waits_for_a_person_are_for_everybody() -> None:
    stack = with_everything()
    with console_of(stack.world, DESK, stack) as address:
        must_be_for_everybody(browsed(tour=address, pages=[*LISTS, *ALL_THAT_WAITS]))


def must_be_for_everybody(found: dict[str, Any]) -> None:
    assert found["violations"] == [], "axe has a finding"
    assert found["sideways"] == [], "a page is wider than its screen"
    assert found["foreign"] == [], "something comes from elsewhere"
    assert [one for one in found["errors"] if "/none" not in one] == [], "a script fails, or breaks the policy"
    said = found["shown"]
    assert (said["first focus"], said["language"], said["cookie for scripts"]) == ("skip", "de", "")
