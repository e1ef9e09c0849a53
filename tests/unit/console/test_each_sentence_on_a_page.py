"""Every sentence of the code is German in each place of a page where one of its kind can stand; so is every refusal."""

import html
import re
from collections.abc import Mapping
from typing import Any

from kulanz.application.audit.read_log import _ADDED
from kulanz.application.door.actions import WITHOUT_ENTRY
from kulanz.application.door.routes import ROUTES
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.trouble import SAYS, TroubleKind
from kulanz.domain.drafts.following import LONG_WAITING_SAYS
from kulanz.domain.incident_record import DetailType
from kulanz_console.port import NotAnswered, Why
from tests.support.console_browser import Browser
from tests.support.console_waiting import ALL_THAT_WAITS, DRAFT, HELD_DRAFT, with_everything, with_plan
from tests.support.small_campaign import CAMPAIGN
from tests.unit.console.test_every_sentence_in_german import GERMAN, WHOLE, german, sentences
from tests.unit.console.test_hostile import LISTS, PATHS

AT = "2026-03-01T09:00:00Z"
EVERY = sorted(one for one in {*sentences(), *WHOLE} if GERMAN._known(one))
"""Those of the API; steps of decisions have tests of their own."""
TROUBLES = {kind.value: says.format(on="net-1/1") for kind, says in SAYS.items()}
TROUBLES |= {kind.value: says.format(draft="it-1") for kind, says in LONG_WAITING_SAYS.items()}
DIFFERENCES = [
    *(one for one in WHOLE if "(in the smallest unit)" in one),
    "plan and ledger: lines: planned 9, written 8",
]
LIMITS = [one for one in WHOLE if re.search(r"(at most|at least) [\d.,]+( %| \w+)*( \(.*\))?$", one)]
CHANGED = [one for one in EVERY if one.startswith(("it was", "now proposed", "not proposed", "the source says"))]
CODED = re.compile(r"[a-z]+_[a-z_]+: ")
REASONS = [one for one in EVERY if CODED.match(one)]
"""Why a campaign, a void or a delivery is in its state: with a code at the beginning."""
SAID_BY_CASE = frozenset({"voids", "void-approvals", "settlements"})
"""Works of which an entry says what a person did; the whole sentences have them."""
DONE = sorted(
    {*(one.replace("_", " ") for one in State), *DetailType, *_ADDED.values(), "sent a credit to another channel"}
    | {" ".join(one.words) for one in ROUTES if one.has_action_id and one.work in WITHOUT_ENTRY - SAID_BY_CASE
       and one.use != "credits.act"}
    | {one for one in WHOLE if one.endswith((" of", " by hand"))} | {"dismissed the draft of"}
    | {"approved", "requested", "accepted", "gave", "asked to decide", "agreed to", "asked to give", "rejected to give"}
    | {"set", "removed", "published", "uploaded"}
)  # fmt: skip
"""What an entry of the audit log says was done."""


def refused(number: int, message: str) -> dict[str, Any]:
    return {
        "id": f"m-{number}", "reason": "incident_invalid", "field": "detail.title", "message": message, "source": "s",
        "detail_type": "Incident Declared", "incident_id": "i-1", "event_key": "", "received_at": AT,
    }  # fmt: skip


def entry(action: str, reason: str) -> dict[str, Any]:
    return {
        "at": AT, "actor": "sso:anna", "action": action, "about": "campaign", "on": "i-1/1", "place": "1",
        "reason": reason, "cause": "c",
    }  # fmt: skip


def with_every_sentence(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer that has every sentence of the code in each place where one of its kind can stand."""
    found = dict(answer)
    if "troubles" in found:
        found["troubles"] = [
            {"kind": kind, "on": "net-1/1", "says": says, "since": AT, "urgent": False}
            for kind, says in TROUBLES.items()
        ]
    if "foreign" in found:
        found["events"] = [refused(number, one) for number, one in enumerate(EVERY)]
    if "entries" in found:
        found["entries"] = [entry(one, "") for one in DONE] + [entry("paused", one) for one in REASONS]
    if "log" in found:
        found["log"] = [found["log"][0] | {"reason": one} for one in REASONS]
    if "exceeded" in found:
        found["exceeded"] = [{"name": "rejected", "figures": one} for one in LIMITS]
    if "differences" in found:
        found["differences"] = DIFFERENCES
    if "changed" in found:
        found["changed"] = CHANGED
    return found


NAMES = frozenset(DetailType)
"""Types of events: a sentence names them as whoever sends one writes them."""
WITH_SENTENCES = {
    "/": (*EVERY, *TROUBLES.values()), "/incidents": EVERY, "/audit": (*DONE, *REASONS),
    f"/campaign/{CAMPAIGN}": REASONS,
    "/plan/second/1": LIMITS, DRAFT: CHANGED, HELD_DRAFT: CHANGED,
}  # fmt: skip
"""The pages, and what each then has."""


def text_of(page: str) -> str:
    """What is to be read on a page."""
    return html.unescape(re.sub("<[^>]+>", "", page.replace("<wbr>", "")))


def test_every_sentence_of_the_code_is_german_in_each_place_of_a_page() -> None:
    assert len(EVERY) > 500
    assert all((TROUBLES, DIFFERENCES, LIMITS, CHANGED, REASONS, DONE))
    assert TROUBLES.keys() > set(TroubleKind)
    stack = with_everything(with_plan())
    browser = Browser(stack.world, stack=stack).enter()
    browser.kulanz.seen = with_every_sentence
    for path, said in WITH_SENTENCES.items():
        shown = browser.get(path, **{"Accept-Language": "de"})
        assert (shown.status_code, shown.text.count('lang="en"')) == (200, 1), path  # the button of the language
        text = text_of(shown.text)
        assert [one for one in said if str(german(one)) not in text] == [], path
        english = [one for one in (*EVERY, *TROUBLES.values()) if " " in one and one not in NAMES and one in text]
        assert english == [], path


def test_why_something_is_not_done_is_said_in_german_on_every_page() -> None:
    stack = with_everything(with_plan())
    browser = Browser(stack.world, stack=stack).enter()
    says = "campaign net-1/1 is applying; only a flagged one waits to be settled"
    browser.get("/", **{"Accept-Language": "de"})
    browser.kulanz.fails = NotAnswered(says, Why.REFUSED)
    paths = list(dict.fromkeys([*PATHS, *LISTS, *ALL_THAT_WAITS]))
    texts = {path: text_of(browser.get(path, **{"Accept-Language": "de"}).text) for path in paths}
    assert [path for path, text in texts.items() if says in text] == []
    silent = [path for path, text in texts.items() if "Stand der Kampagne net-1/1: wird ausgeführt; nur" not in text]
    assert silent == ["/account", "/past", "/row/net-outage/1"], (
        "pages that ask nothing before somebody fills in their form"
    )
