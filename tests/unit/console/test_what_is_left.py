"""A month's page begins with what is left before it can be closed, and says that nothing is only where nothing is."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from kulanz.application.door.routes import BY_USE, Role
from kulanz.domain.campaigns.campaign import ENDED, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.channel import Channel
from kulanz_console.month_table import csv_of
from kulanz_console.pages import TEMPLATES
from kulanz_console.routes import DOWNLOADS
from kulanz_console.still_open import (
    MAY_CHANGE,
    NOT_COUNTED,
    NOT_EVERY,
    NOT_OVER,
    NOTHING_OPEN,
    NOTHING_READ,
    OPEN_RIGHTS,
    OPEN_TEXTS,
    StillOpen,
    still_open,
)
from kulanz_console.views.month import BY_MONTH, OPEN_PATHS
from kulanz_console.visit import ITEMS_MOST
from tests.support.console_browser import Browser
from tests.support.console_waiting import with_everything
from tests.unit.console.test_on_the_way_to_bills import MONTH, closed, opened, text_of

NOW = datetime(2026, 4, 2, 8, tzinfo=UTC)
NOTHING = (NOTHING_OPEN, NOT_OVER, NOTHING_READ, NOT_EVERY)


class Told:
    """Who answers what is asked about a month: nothing waits, but for what is given."""

    def __init__(self, **given: Sequence[Mapping[str, Any]]) -> None:
        self._given = {"troubles": (), "voids": (), "waiting": (), "proposed": (), "campaigns": (), **given}

    def ask(self, use: str) -> Mapping[str, Any]:  # noqa: ARG002 (each answer has all of it)
        return self._given

    def items(self, use: str, name: str, **_: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return self._given[name]


def campaign(state: State = State.CLOSED, differences: Sequence[str] = (), **line: Any) -> dict[str, Any]:
    """A campaign whose credits are all on bills, but for what is changed of its line."""
    of = {"by_state": {"applied": "9.00"}, "overdue": "0.00", "asked_back": "0", **line}
    return {"campaign": "in-7/1", "state": state.value, "differences": list(differences), "lines": [of]}


def left(of: Mapping[str, Any], now: datetime = NOW, **given: Any) -> StillOpen:
    return still_open("2026-03", [of], OPEN_RIGHTS, Told(**given), now)


VOID = {"campaign": "in-7/1", "about": "campaign"}
CASES = {"closed": None, "waiting": {"held": 2}}
KINDS: Mapping[str, tuple[str, StillOpen]] = {
    "a difference": ("differences", left(campaign(differences=["EUR: less than nothing is due"]))),
    "late": ("late", left(campaign(overdue="0.01"))),
    "rejected": ("rejected", left(campaign(by_state={"rejected": "1.00"}))),
    "taken back": ("rejected", left(campaign(by_state={"taken_back": "1.00"}))),
    "due": ("undelivered", left(campaign(by_state={"due": "1.00"}))),
    "assigned": ("undelivered", left(campaign(by_state={"assigned": "0.01"}))),
    "sent": ("unanswered", left(campaign(by_state={"sent": "1"}))),
    "unknown": ("unanswered", left(campaign(by_state={"unknown": "1.00"}))),
    "asked back": ("asked_back", left(campaign(asked_back="1.00"))),
    "a plan": ("plans", left(campaign(State.AWAITING_APPROVAL))),
    "a void": ("voids", left(campaign(), voids=[VOID])),
    "a case": ("proposed", left(campaign(), proposed=[{"campaign": "in-7/1"}])),
    "goodwill": (
        "goodwill", still_open("2026-04", [], OPEN_RIGHTS, Told(waiting=[{"state": "waiting"}]), NOW)
    ),
    **{
        f"a campaign that is {state}": ("campaigns", left(campaign(state)))
        for state in State if state not in (*ENDED, State.AWAITING_APPROVAL)
    },
    **{
        f"trouble {kind}": ("troubles", left(campaign(), troubles=[{"on": "in-7/1", "kind": kind.value}]))
        for kind in TroubleKind if kind is not TroubleKind.GLASS_BROKEN
    },
}  # fmt: skip


@pytest.mark.parametrize("what", KINDS)
def test_each_kind_alone_is_left_and_nobody_says_that_nothing_is(what: str) -> None:
    kind, found = KINDS[what]
    assert {name: number for name, number in found.numbers.items() if number} == {kind: 1}
    assert found.said() == [MAY_CHANGE]
    assert found.lines() == [(OPEN_TEXTS[kind], 1)]


def test_cases_are_counted_and_not_their_campaigns() -> None:
    assert left(campaign(), campaigns=[CASES, {**CASES, "closed": "2026-04-01T00:00:00Z"}]).numbers["cases"] == 2


@pytest.mark.parametrize("state", sorted(ENDED))
def test_of_a_campaign_that_ended_with_all_on_bills_written_off_or_booked_nothing_is_left(state: State) -> None:
    settled = {"applied": "9.00", "written_off": "1.00", "accepted": "2.00", "due": "0.00", "sent": "0"}
    other = [{"on": "in-9/1", "kind": "stuck"}, {"on": "in-7/1", "kind": "glass_broken"}]
    found = left(campaign(state, by_state=settled), troubles=other)
    assert (found.said(), found.lines()) == ([NOTHING_OPEN], [])


def test_every_kind_is_among_these() -> None:
    assert {kind for kind, _ in KINDS.values()} | {"cases"} == OPEN_TEXTS.keys()
    assert OPEN_PATHS.keys() | BY_MONTH.keys() == OPEN_TEXTS.keys()


def test_a_month_is_said_to_be_done_only_where_it_is_over_and_all_of_it_is_counted() -> None:
    sides = (False, True)
    for number, is_whole, is_over, is_every in product((0, 1), sides, sides, sides):
        said = StillOpen({"late": number}, is_whole=is_whole, is_over=is_over, is_every=is_every).said()
        assert (NOTHING_OPEN in said) is (not number and is_whole and is_over and is_every)
        assert (NOT_COUNTED in said) is not is_whole
        assert (said[0] == MAY_CHANGE, NOT_EVERY in said) == (bool(number), not is_every)
        assert len([one for one in said if one in NOTHING]) == (0 if number and is_every else 1)


@pytest.mark.parametrize(("now", "is_over"), [(NOW, True), (datetime(2026, 3, 31, 23, tzinfo=UTC), False)])
def test_a_month_that_is_not_over_is_not_done(now: datetime, is_over: bool) -> None:
    assert left(campaign(), now).said() == [NOTHING_OPEN if is_over else NOT_OVER]


def test_the_page_begins_with_what_is_left_and_each_kind_leads_to_where_it_stands() -> None:
    stack = with_everything()
    browser = Browser(stack.world, stack=stack).enter()
    page, first = browser.get(MONTH).text, (browser.get("/").text + WAITING)
    assert page.index('id="open"') < min(page.index(f'id="{one}"') for one in ("totals", "campaigns", "differences"))
    for kind, path in OPEN_PATHS.items():
        where, _, anchor = path.partition("#")
        assert not anchor or f'id="{anchor}"' in (first if where else page), kind
        assert browser.get(where or MONTH).status_code == 200


WAITING = '<section id="plans"><section id="troubles"><section id="rejects">'
"""What the first page has only where such a thing waits, as `waiting.html` writes it."""


def test_the_first_page_has_the_places_that_a_month_leads_to() -> None:
    template = (TEMPLATES / "waiting.html").read_text(encoding="utf-8")
    for place in re.findall(r'id="(\w+)"', WAITING):
        assert f'id="{place}"' in template


def test_a_part_of_a_month_is_never_said_to_be_done() -> None:
    world = closed(Channel("billing"))
    world.now = NOW
    browser = opened(world)
    (one,) = browser.kulanz.ask("acknowledgements.of_month", None, month="2026-03")["campaigns"]
    lines = [{**line, "by_state": {"applied": line["granted"]}, "overdue": "0"} for line in one["lines"]]

    def seen(answer: Mapping[str, Any], number: int = ITEMS_MOST + 1) -> Mapping[str, Any]:
        if "bookings" not in str(answer.get("campaigns", "")):
            return {**answer, "campaigns": []} if "campaigns" in answer else answer
        return {**answer, "campaigns": [{**one, "campaign": f"a/{n + 1}", "lines": lines} for n in range(number)]}

    browser.kulanz.seen = seen
    shown = text_of(browser, MONTH)
    assert NOT_EVERY in shown
    assert NOTHING_OPEN not in shown
    assert "/month.csv" not in browser.get(MONTH).text
    refused = browser.get("/month.csv?month=2026-03")
    assert (refused.status_code, "text/html" in refused.content_type) == (422, True)
    browser.kulanz.seen = lambda answer: seen(answer, 1)
    assert NOTHING_OPEN in text_of(browser, MONTH)


def test_the_table_is_the_one_that_the_command_writes() -> None:
    browser = opened(closed(Channel("billing")))
    assert '<a href="/month.csv?month=2026-03" download>' in browser.get(MONTH).text
    file = browser.get("/month.csv?month=2026-03")
    assert (file.status_code, file.content_type) == (200, "text/csv; charset=utf-8")
    assert file.headers["Content-Disposition"] == 'attachment; filename="kulanz-2026-03.csv"'
    found = browser.kulanz.ask("acknowledgements.of_month", None, month="2026-03")["campaigns"]
    assert file.text == csv_of(found)
    assert len(file.text.splitlines()) > 1
    assert browser.get("/month.csv?month=2026-13").status_code == 422


@pytest.mark.parametrize("role", sorted(Role))
def test_a_file_is_for_the_roles_that_read_what_is_in_it(role: Role) -> None:
    browser = Browser(closed(Channel("billing")), frozenset({role})).enter()
    for one in DOWNLOADS:
        status = browser.get(one.path).status_code
        assert status == (200 if role in BY_USE[one.use].roles else 403), one.path
