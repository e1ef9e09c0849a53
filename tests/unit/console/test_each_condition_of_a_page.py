"""What a page says under a condition it says there alone: each is looked at where it holds and where it does not.

One answer of a world in which everything waits is changed in one place. What is said then was not said before.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from html import unescape
from typing import Any

import pytest

from kulanz_console import pages
from kulanz_console.port import NotAnswered, Why
from kulanz_console.visit import RIGHTS
from tests.support.conditions_of_lists import MORE, OTHERS
from tests.support.conditions_of_pages import (
    ACCEPT,
    ASK,
    AT,
    CAMPAIGN,
    CASES,
    CREDIT,
    DECLINED,
    GRANTED,
    HELD,
    OF_CAMPAIGN,
    OF_MONTH,
    OFFERED,
    ONE,
    OVERPAID,
    PLAN,
    REJECTED,
    SECOND,
    UNKNOWN,
)
from tests.support.conditions_seen import Seen, watching
from tests.support.console_browser import Browser
from tests.support.console_waiting import CASE, DRAFT, VOID, WAITING_CASE, with_everything, with_plan

MORE_OF_IT = "more"
"""The cursor of an answer that is changed to have more; what comes then is the same once again."""


@cache
def served() -> Browser:
    stack = with_everything(with_plan())
    return Browser(stack.world, stack=stack)


@cache
def answered(use: str, query: tuple[tuple[str, str | None], ...], values: tuple[tuple[str, Any], ...]) -> Any:
    """An answer of the world. Nothing is changed in it, so that each is worked out once."""
    return served().kulanz.ask(use, dict(query), **dict(values))


class Changed:
    """Who answers as the world does, but for one place of the answers to one question."""

    def __init__(self, use: str = "", changes: Mapping[str, Any] | None = None, without: Sequence[str] = ()) -> None:
        self._use, self._changes, self._without = use, changes or {}, without

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: Any) -> Mapping[str, Any]:
        stated = {name: text for name, text in (query or {}).items() if text != MORE_OF_IT}
        found: Mapping[str, Any] = answered(use, tuple(stated.items()), tuple(values.items()))
        changed = deepcopy(dict(found))
        for place, value in self._changes.items():
            of, _, within = place.rpartition(":")
            if use == (of or self._use) and isinstance(value, NotAnswered):
                raise value
            if use == (of or self._use):
                _put(changed, within, value)
        return changed

    def act(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        raise REFUSED

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return {use: use not in self._without for use in uses}


def _put(of: Any, place: str, value: Any) -> None:
    *way, last = (int(part) if part.isdecimal() else part for part in place.split("."))
    try:
        for part in way:
            of = of[part]
    except IndexError:
        return  # the page asks for it more than once
    of[last] = value


def page(path: str, kulanz: Any) -> str:
    """A page as its browser gets it."""
    browser = entered()
    browser.entry._kulanz = kulanz
    (session,) = browser.sessions._found.values()
    session.rights_end_at = None
    shown = browser.get(path)
    assert shown.status_code == 200, path
    return shown.text


SEEN: Seen = {}
"""The conditions that the pages here looked at."""


@cache
def entered() -> Browser:
    """A browser whose pages note each condition that they look at."""
    browser = Browser(served().world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "Environment", made := watching(SEEN))
        browser.console._environment = pages.environment.__wrapped__()
    browser.console._environment.globals["noted"] = made.noted  # type: ignore[attr-defined]
    return browser.enter()


def said(text: str) -> str:
    """What is read of a page, and its attributes that lead somewhere."""
    text = re.sub(
        r"<(?:a|form|button|input|option|details)\b([^>]*)>", r" \1 ", re.sub(r"</?(wbr|bdi|time)[^>]*>", "", text)
    )
    return (
        " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
        .replace(" ,", ",")
        .replace(" .", ".")
        .replace(" ;", ";")
    )


@cache
def base(path: str) -> str:
    return said(page(path, Changed()))


EACH = [(path, use, *case) for found in (CASES, MORE) for (path, use), cases in found.items() for case in cases]


@cache
def said_elsewhere() -> list[tuple[Any, ...]]:
    wrong = list[tuple[Any, ...]]()
    for path, use, changes, text, *before in EACH:
        is_gone = text.startswith("-")
        first = said(page(path, Changed(use, before[0]))) if before else base(path)
        then = said(page(path, Changed(use, changes)))
        if (text.removeprefix("-") in first, text.removeprefix("-") in then) != (is_gone, not is_gone):
            wrong.append((path, use, changes, text))
    return wrong


def test_what_a_page_says_under_a_condition_is_said_there_alone() -> None:
    assert said_elsewhere() == []


def test_what_a_page_says_as_it_is_asked_for_is_said_there_alone() -> None:
    assert [one for one in OTHERS if one[2] not in base(one[0]) or one[2] in base(one[1])] == []


def test_of_a_campaign_without_a_plan_it_is_said_whether_one_is_being_made() -> None:
    class Without(Changed):
        def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: Any) -> Mapping[str, Any]:
            if use == ONE:
                raise UNKNOWN
            return super().ask(use, query, **values)

    makes, why, link = "The plan of second/1 is being made", "Reason: the plan adds up", 'href="/campaign/second/1"'
    for state, reason, expected in (
        ("planning", "plan_balanced", (True, False, True)), ("cancelled", "plan_balanced", (False, True, True)),
        ("cancelled", "", (False, False, True)),
    ):  # fmt: skip
        found = said(page(PLAN, Without("campaigns.one", {"state": state, "reason": reason})))
        assert tuple(text in found for text in (makes, why, link)) == expected, state
        assert ("second/1 has no plan to approve" in found) == (state != "planning")


RIGHTS_OF = [
    ("/", "goodwill.decide", "until 2026-03-15 09:00:50 UTC. It needs another person's yes."),
    (DECLINED, "halts.current", 'href="/campaign/net-outage/1"'),
    (HELD, "cases.of_month", 'href="/case/held-1/net-outage/1"'),
    (GRANTED, "voids.ask", 'action="/account/granted-1/net-outage/void"'),
    (GRANTED, "goodwill.give", "Give goodwill:"),
    (CAMPAIGN, "audit.of_day", 'href="/audit?campaign='),
    (CAMPAIGN, "voids.ask", 'action="/campaign/net-outage/1/void"'),
    (SECOND, "stops.act", 'action="/campaign/second/1/stop"'),
    (PLAN, "approvals.act", 'action="/plan/second/1/replan"'),
    (PLAN, "exports.sample", 'href="/sample/second/1"'),
    (CASE, "cases.decide", f'action="{CASE}/decide"'),
    (CASE, "accounts.ask", 'href="/account?id=held-1"'),
    (WAITING_CASE, "cases.second", f'action="{WAITING_CASE}/second"'),
    (VOID, "voids.decide", "Your decision"),
    (DRAFT, "drafts.confirm", f'action="{DRAFT}/confirm"'),
    (DRAFT, "drafts.confirm", f'action="{DRAFT}/dismiss"'),
    ("/cases/net-outage/1", "halts.current", 'href="/campaign/net-outage/1"'),
    ("/cases/net-outage/1", "accounts.ask", 'href="/account?id=referred-1"'),
    ("/goodwill", "goodwill.decide", 'action="/goodwill/T-1/decide"'),
    ("/goodwill", "goodwill.give", "Look up an account"),
    ("/goodwill", "accounts.ask", 'href="/account?id=granted-1"'),
    ("/money", "halts.act", 'action="/money/halt"'),
    ("/money", "budgets.act", 'action="/money/budget"'),
    ("/incident/second", "audit.of_day", 'href="/audit?incident=second"'),
    ("/", "accounts.ask", 'action="/account"'),
    ("/", "goodwill.waiting", "Goodwill that waits for a second person"),
    ("/", "halts.current", "Voids that are not over"),
    ("/", "halts.current", "Drafts that nobody has confirmed"),
    ("/", "cases.of_month", "Cases that a person decides"),
]
"""A page, a right, and what it shows to whoever has it."""
RIGHTS_IN = [
    ("/", "approvals.act", ONE, {"your_yes": "asked"}, "It needs another person's yes. 40"),
    (DECLINED, "accounts.ask_past", ASK, {"withheld": {"before": AT, "decisions": 1}}, 'href="/past?id=declined-1"'),
    (DECLINED, "acceptances.accept", ASK, OFFERED, f'action="{ACCEPT}"'),
    (CAMPAIGN, "acknowledgements.late_credits", OF_CAMPAIGN, {"lines.0.overdue": "1.00"}, 'href="/late/net-outage/1"'),
    (
        CAMPAIGN,
        "acknowledgements.late_credits",
        OF_CAMPAIGN,
        {"lines.0.by_state.rejected": "1.00"},
        'href="/rejected/net-outage/1"',
    ),
    (
        CAMPAIGN,
        "voids.ask",
        "campaigns.reconciliation",
        {"report.plan.worth": OVERPAID},
        'action="/campaign/net-outage/1/overpaid"',
    ),
    (
        "/",
        "acknowledgements.late_credits",
        OF_MONTH,
        {"campaigns.0.lines.0.by_state.rejected": "1.00"},
        'href="/rejected/',
    ),
    (
        "/rejected/net-outage/1",
        "credits.act",
        REJECTED,
        {"credits": [CREDIT]},
        'href="/rejected/net-outage/1?credit=c-9#act"',
    ),
    ("/rejected/net-outage/1?credit=c-9", "credits.act", REJECTED, {"credits": [CREDIT]}, "Send it again"),
    ("/rejected/net-outage/1", "halts.current", REJECTED, {"credits": []}, 'href="/campaign/net-outage/1"'),
    (VOID, "voids.decide", "voids.one", {"state": "flagged"}, 'value="settle"'),
]
"""The same, where an answer is changed."""


@cache
def shown_to_others() -> list[tuple[Any, ...]]:
    wrong = list[tuple[Any, ...]]()
    each: Sequence[tuple[Any, ...]] = [*RIGHTS_OF, *RIGHTS_IN]
    for path, right, *changed, text in each:
        use, changes = changed or ("", {})
        shown = [text in said(page(path, Changed(use, changes, without))) for without in ((), (right,))]
        if shown != [True, False] or right not in RIGHTS:
            wrong.append((path, right, text, shown))
    return wrong


def test_what_needs_a_right_is_shown_to_whoever_has_it_alone() -> None:
    assert shown_to_others() == []


REFUSED = NotAnswered("it is not possible", Why.REFUSED)
WAY = 'policy:{"segment":"consumer"}'
EXCEEDED = {"exceeded": [{"name": "held", "figures": "x"}, {"name": "total", "figures": "y"}]}
DECIDE, REASON = f"{CASE}/decide", {"reason": "known_fact", "seen": "x"}
AGAIN = [
    (f"{CAMPAIGN}/void", {"reason": "so"}, "campaigns.reconciliation", {"report.plan.worth": OVERPAID}, "open", "so"),
    (DECIDE, {**REASON, "way": "decline"}, "", {}, "", 'value="decline" checked'),
    (DECIDE, {**REASON, "way": "amount", "amount": "7", "measure": "EUR"}, "", {}, "", 'value="amount" checked'),
    (DECIDE, {**REASON, "way": WAY}, "", {}, "", f'value="{WAY}" checked'),
    (f"{DRAFT}/confirm", {"digest": "x", "windows": "proposed"}, "", {}, "", 'value="proposed" checked'),
    ("/goodwill/T-1/decide", {"action": "reject", "reason": "so"}, "", {}, "", 'autocomplete="off" value="so"'),
    (f"{PLAN}/approve", {"plan_hash": "0" * 64}, "", {}, "", "The plan has changed under this page"),
    (
        f"{VOID}/decide",
        {"plan_hash": "0" * 64, "action": "approve"},
        "",
        {},
        "",
        "The plan has changed under this page",
    ),
    (f"{PLAN}/approve", {"plan_hash": "HASH", "limit": "held"}, ONE, EXCEEDED, "", 'value="held" checked'),
    (f"{CAMPAIGN}/void", {"at_biller": "yes", "reason": "so"}, "", {}, "open", 'name="at_biller" value="yes" checked'),
    (
        f"{CAMPAIGN}/overpaid",
        {"at_biller": "yes", "reason": "so"},
        "campaigns.reconciliation",
        {"report.plan.worth": OVERPAID},
        "open",
        'name="at_biller" value="yes" checked',
    ),
    (
        "/account/granted-1/net-outage/void",
        {"campaign": "1", "reason": "so"},
        "",
        {},
        "open",
        'name="reason" maxlength="200" required autocomplete="off" value="so"',
    ),
    (
        "/account/granted-1/net-outage/void",
        {"campaign": "2", "reason": "so"},
        "",
        {},
        "",
        "Take back what is unused of it",
    ),
    (
        "/account/granted-1/goodwill",
        {"measure": "EUR", "amount": "7.00", "reason": "long_wait", "repeat_of": "T-1"},
        "",
        {},
        "open",
        'value="T-1" selected',
    ),
    (f"{PLAN}/approve", {"plan_hash": "HASH", "break_glass": "so"}, "", {}, "open", 'id="break_glass"'),
    (
        f"{DRAFT}/confirm",
        {"digest": "x", "campaign": "yes", "windows": "own"},
        "",
        {},
        "open",
        "The draft has changed under this page",
    ),
]
"""A form, what was filled in, an answer that is changed, whether its fold stands open then, and what it holds."""


def sent(path: str, filled: Mapping[str, str], use: str, changes: Mapping[str, Any]) -> str:
    """A form that is not taken: the page that shows it again."""
    browser = entered()
    page("/money", Changed(use, changes))
    (session,) = browser.sessions._found.values()
    shown = browser.post(path, {**filled, "form_token": session.form_token, "id": "a-1"})
    assert shown.status_code == 409, path
    return shown.text


@cache
def forms_shown_otherwise() -> list[tuple[Any, ...]]:
    wrong = list[tuple[Any, ...]]()
    for path, filled, use, changes, is_open, text in AGAIN:
        fields = {name: plan_hash() if value == "HASH" else value for name, value in filled.items()}
        shown = sent(path, fields, use, changes)
        action = re.escape(f'action="{path}"')
        folds = re.findall(rf"<details[^>]*>(?:(?!</details>).)*{action}", shown, re.DOTALL)
        inner = re.findall(rf"{action}(?:(?!</form>).)*<details[^>]*>", shown, re.DOTALL)
        opened = [fold for one in (*folds, *inner) if " open" in (fold := re.findall("<details[^>]*>", one)[-1])]
        if bool(opened) != bool(is_open) or unescape(text) not in unescape(shown):
            wrong.append((path, filled, text, opened))
    return wrong


def test_a_form_that_was_not_taken_is_shown_open_with_what_was_filled_in() -> None:
    assert forms_shown_otherwise() == []


ELSEWHERE: Mapping[str | tuple[str, str], str] = {
    "base.html": "whose page it is, before and in a session, here and hosted: test_who_is_signed_in, test_hosted",
    "month.html": "test_each_figure_of_a_months_page, test_still_open",
    "problem.html": "where nothing is answered: test_actions",
    "policy.html": "test_try_it",
    "sign_in.html": "test_hosted",
    "ended.html": "test_hosted",
    ("account.html", "visit problem"): "a form that is shown again after a login: test_hosted",
    **{
        ("waiting.html", text): "where nothing waits: test_figures_of_pages, test_roles"
        for text in ("halt", "halt halted", "is_calm", "visit may halts.current")
    },
}
"""Templates, and conditions of them, that other tests look at."""


def plan_hash() -> str:
    return str(answered(ONE, (), (("incident", "second"), ("seq", 1)))["plan_hash"])


def test_every_condition_of_a_page_is_looked_at_from_both_sides() -> None:
    """A condition that is added needs what it says above: else its `not` could be lost, and nobody would see it."""
    said_elsewhere(), shown_to_others(), forms_shown_otherwise()
    test_what_a_page_says_as_it_is_asked_for_is_said_there_alone()
    test_of_a_campaign_without_a_plan_it_is_said_whether_one_is_being_made()
    for template in pages.TEMPLATES.glob("*.html"):
        entered().console._environment.get_template(template.name)  # also what no page here is written by
    missing = [
        f"{name}:{line} {text} {sides}" for (name, line, text), sides in sorted(SEEN.items())
        if len(sides) < 2 and name not in ELSEWHERE and (name, text) not in ELSEWHERE
    ]  # fmt: skip
    assert missing == []
    assert [
        one for one in ELSEWHERE if one not in {name for name, *_ in SEEN} | {(name, text) for name, _, text in SEEN}
    ] == []
