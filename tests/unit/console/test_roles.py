"""What a role has no right to is not shown, and is refused where it is asked for all the same."""

import re

import pytest

from kulanz.application.door.routes import BY_USE, Role
from kulanz_console.routes import ACTIONS, DOWNLOADS, EVERYBODY, MENU, QUESTIONS
from kulanz_console.visit import RIGHTS
from tests.support.console_browser import Browser, Form, forms
from tests.support.world import World
from tests.unit.console.test_border import VALUES, waiting

__all__ = ["waiting"]
EACH_ROLE = sorted(Role)


def path_of(path: str) -> str:
    return re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], path)


def test_the_page_knows_the_right_that_each_page_and_form_needs() -> None:
    needed = {one.use for one in (*QUESTIONS, *DOWNLOADS, *ACTIONS) if one.use != EVERYBODY}
    assert needed <= set(RIGHTS)
    assert set(RIGHTS) <= BY_USE.keys()
    assert len(RIGHTS) == len(set(RIGHTS))


def test_reading_a_halt_is_permitted_to_the_roles_that_read_campaigns_and_incidents() -> None:
    readers = BY_USE["halts.current"].roles
    uses = ("campaigns.waiting", "approvals.plan", "incidents.one", "drafts.of_month", "budgets.since", "voids.one")
    assert {BY_USE[use].roles for use in uses} == {readers}


@pytest.mark.parametrize("role", EACH_ROLE)
def test_a_page_is_in_the_menu_and_answered_for_whoever_has_the_role_and_no_other(waiting: World, role: Role) -> None:
    browser = Browser(waiting, frozenset({role})).enter()
    first = browser.get("/")
    assert first.status_code == 200
    links = Form()
    links.feed(first.text)
    for one in QUESTIONS:
        may = one.use == EVERYBODY or role in BY_USE[one.use].roles
        if one in MENU:
            assert (one.path in links.links) == may, one.path
        status = browser.get(path_of(one.path)).status_code
        assert status in ((200, 404) if may else (403,)), one.path


@pytest.mark.parametrize("role", EACH_ROLE)
def test_a_form_is_shown_to_whoever_has_the_role_and_refused_to_every_other(waiting: World, role: Role) -> None:
    browser = Browser(waiting.copy(), frozenset({role})).enter()
    shown = {action for page in map(path_of, (one.path for one in QUESTIONS)) for action in forms(browser.get(page))}
    token = next(iter(browser.sessions._found.values())).form_token
    for one in ACTIONS:
        if role in BY_USE[one.use].roles:
            continue
        path = path_of(one.path)
        assert path not in shown
        fields = {
            "form_token": token, "reason": "x", "plan_hash": "0" * 64, "campaign": "1", "action": "pause",
            "month": "2026-03", "currency": "EUR", "limit": "1.00",
        }  # fmt: skip
        assert browser.post(path, fields).status_code == 403, path
    assert all(role in BY_USE[use].roles for use, _ in browser.kulanz.acted)
