"""What a page says in figures is what was answered: sums, what is left, who is missing, and whether all is calm."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz_console.sessions import Session
from kulanz_console.views import cases, rejects
from kulanz_console.views import waiting as first_page
from kulanz_console.visit import ITEMS_MOST, PAGES_MOST, Visit
from kulanz_console.words import Words
from tests.support.console_browser import Browser
from tests.support.small_campaign import CAMPAIGN
from tests.support.world import World
from tests.support.world_door import BERT
from tests.unit.console.test_border import waiting

__all__ = ["waiting"]
PLAN = f"/plan/{CAMPAIGN}"
BUDGET = {"month": "2026-03", "currency": "EUR", "limit": "1000.00", "reason": "as planned"}


@pytest.fixture
def browser(waiting: World) -> Browser:
    return Browser(waiting.copy()).enter()


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_how_many_must_still_lift_a_halt_is_counted_down(browser: Browser) -> None:
    said = []
    for action, desk in (("set", browser.stack.desk), ("lift", browser.stack.desk), ("lift", BERT)):
        browser.stack.desk = desk
        done = browser.submit("/money", "/money/halt", action=action, reason="a look")
        text = read(browser.get(done.location).text)
        said.append(set(re.findall(r"must still say that it may go on: (\d+)|(The stack goes on)", text)))
    assert said == [{("2", "")}, {("1", "")}, {("", "The stack goes on")}]


def test_what_is_left_of_a_budget_is_less_what_is_spent_and_reserved(browser: Browser) -> None:
    browser.submit("/money", "/money/budget", **BUDGET)
    wrong = []
    for spent, voided, reserved, says in (
        ("100.00", "0.00", "0.00", ("100.00 EUR spent", "900.00 EUR left")),
        ("100.00", "0.00", "250.00", ("100.00 EUR spent", "250.00 EUR reserved", "650.00 EUR left")),
        ("100.00", "30.00", "250.00", ("70.00 EUR spent", "250.00 EUR reserved", "680.00 EUR left")),
        ("0.00", "0.00", "1000.00", ("1,000.00 EUR reserved",)),
        ("800.00", "0.00", "250.00", ("800.00 EUR spent", "250.00 EUR reserved; 50.00 EUR beyond the budget")),
    ):
        figures = {"spent": spent, "voided": voided, "reserved": reserved}
        browser.kulanz.seen = partial(_with, figures)
        page = browser.get("/money").text
        if ", ".join(says) not in page:
            wrong.append((figures, re.findall(r"[^<>\"]*EUR (?:left|reserved|spent)[^<>\"]*", page)))
    assert not wrong


def _with(figures: Mapping[str, str], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer whose budgets have these figures."""
    return {**answer, "budgets": [{**one, **figures} for one in answer["budgets"]]} if "budgets" in answer else answer


def test_a_plan_shows_as_granted_what_is_granted_and_nothing_else(browser: Browser) -> None:
    sums = {name: f"{number}0125" for number, name in enumerate(RowResult, 1)}

    def seen(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        stated = [{"result": name, "measure": "EUR", "sum": text, "before": None} for name, text in sums.items()]
        return {**answer, "sums": stated} if "persons_needed" in answer else answer

    shown = browser.get(PLAN)
    real = {one["measure"]: one["sum"] for one in _plan(browser)["sums"] if one["result"] == RowResult.GRANTED}
    assert real == {"EUR": "3495", "call_minute": "220"}
    assert "Will be granted 34.95 EUR 220 call minutes" in read(shown.text)
    browser.kulanz.seen = seen
    text = read(browser.get(PLAN).text)
    worth = f"{int(sums[RowResult.GRANTED]) // 100}.25 EUR"
    assert f"Will be granted {worth}" in text
    assert f"Approve at most {worth}" in text


def _plan(browser: Browser) -> Mapping[str, Any]:
    incident, seq = CAMPAIGN.split("/")
    return browser.kulanz.ask("approvals.plan", None, incident=incident, seq=int(seq))


@pytest.mark.parametrize("state", [State.PAUSED, State.FLAGGED])
def test_a_campaign_that_does_not_go_on_by_itself_stands_on_the_first_page(state: State, browser: Browser) -> None:
    def seen(answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if "campaigns" not in answer:
            return answer
        changed: dict[str, Any] = deepcopy(dict(answer))
        for one in changed["campaigns"]:
            one["state"] = state.value
        return changed

    before = read(browser.get("/").text)
    assert "do not go on by themselves" not in before
    browser.kulanz.seen = seen
    shown = browser.get("/").text
    assert "do not go on by themselves" in read(shown)
    assert f"/campaign/{CAMPAIGN}" in shown


class Answers:
    """One who answers what he was given, part after part."""

    def __init__(self, of: Mapping[str, Any]) -> None:
        self._of = of

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        found: Mapping[str, Any] = self._of[use]
        return found

    def act(self, use: str, content: Mapping[str, Any], **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        raise AssertionError(use)

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(uses, True)


CALM: Mapping[str, Mapping[str, Any]] = {
    "halts.current": {"halted": False},
    "campaigns.waiting": {"campaigns": [], "kept": [], "next": None},
    "campaigns.troubles": {"troubles": []},
    "drafts.of_month": {"drafts": [], "next": None},
    "incidents.refused": {"events": []},
    "acknowledgements.overdue": {"overdue": [], "due_soon": []},
    "deliveries.waiting": {"deliveries": [], "kept_back": []},
    "goodwill.waiting": {"waiting": []},
    "voids.waiting": {"voids": []},
}
"""Every question of the first page that has an answer of its own, with nothing in it. What is kept back is a trouble,
and the first page shows it as one."""


def test_the_first_page_is_calm_only_where_nothing_waits(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "waiting_in", lambda *_: [])
    monkeypatch.setattr(cases, "proposed", lambda *_: ([], False))
    monkeypatch.setattr(rejects, "waiting_in", lambda *_: [])
    session = next(iter(browser.sessions._found.values()))
    assert _is_calm(CALM, session, browser)
    one = {"state": "waiting"}
    alone = [
        (use, name)
        for use, answer in CALM.items()
        for name, value in answer.items()
        if isinstance(value, list) and name not in ("campaigns", "voids", "kept_back")
    ]
    assert len(alone) == 8
    wrong = [
        (use, name) for use, name in alone if _is_calm({**CALM, use: {**CALM[use], name: [one]}}, session, browser)
    ]
    assert not wrong, "something waits, and the page says that nothing does"


def _is_calm(of: Mapping[str, Mapping[str, Any]], session: Session, browser: Browser) -> bool:
    visit = Visit(Answers(of), session, Words("en"), browser.world.now)
    visit.learn_rights()
    return bool(first_page.show(visit).content["is_calm"])


def test_a_list_that_is_cut_says_that_there_is_more(browser: Browser) -> None:
    session = next(iter(browser.sessions._found.values()))
    wrong = []
    for size, cursor, shown, is_more in (
        (0, None, 0, False),
        (ITEMS_MOST, None, ITEMS_MOST, False),
        (ITEMS_MOST + 1, None, ITEMS_MOST, True),
        (ITEMS_MOST, "on", ITEMS_MOST, True),
        (1, "on", PAGES_MOST, True),
    ):
        answers = Answers({"drafts.of_month": {"drafts": [{}] * size, "next": cursor}})
        found, more = Visit(answers, session, Words("en"), browser.world.now).pages("drafts.of_month", "drafts")
        if (len(found), more) != (shown, is_more):
            wrong.append((size, cursor, len(found), more))
    assert not wrong
