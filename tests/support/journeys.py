"""What each role does at the hosted console, step by step as `tests/browser/browse_hosted.py` plays it.

Two places run them: the console's function over a world in memory, and the deployed stack.
"""

from collections.abc import Sequence
from typing import Any

from kulanz.application.door.routes import Role

type Steps = Sequence[Sequence[str]]

SIGN_IN: Steps = [["sign_in"]]
SAID: Steps = [["read", "said", ".said"]]
LOOK: Steps = [["look"]]
"""Axe, and a telephone's width."""
LEAVE: Steps = [["click", "form[action$='/end'] button"], ["wait", "/ended"], *LOOK, ["read", "left", "main"]]
YES = "form[action$='/approve'] button.yes"
GIVE = "details:has(form[action$='/goodwill'])"
GIVE_IT: Steps = [["click", f"{GIVE} button.yes"], *SAID]


def journey(who: str, *steps: Steps, path: str = "", before: Steps = ()) -> dict[str, Any]:
    """Somebody who signs in at a page of the console, and goes on from there. `before` is done on the page that asks
    to sign in.
    """
    return {"who": who, "path": path, "steps": [step for part in (before, SIGN_IN, *steps) for step in part]}


def to_plan(campaign: object) -> Steps:
    """From the first page to a plan that waits."""
    return [["click", f"main table a[href$='/plan/{campaign}']"], ["wait", f"/plan/{campaign}"]]


def yes_by_keyboard() -> Steps:
    """Approve the plan that is shown."""
    return [["press", YES], *SAID]


def yes_by_a_double_click() -> Steps:
    """Approve it with a second click in the same moment."""
    return [["twice", YES], *SAID]


def stop(verb: str, reason: str) -> Steps:
    """Stop the campaign that is shown."""
    return [
        ["fill", "section.act form[action$='/stop'] input[name=reason]", reason],
        ["click", f"button[value={verb}]"],
        *SAID,
    ]


def replan(reason: str) -> Steps:
    """Plan the list of the plan that is shown again."""
    return [["click", "#replan summary"], ["fill", "#replan_reason", reason], ["click", "#replan button"], *SAID]


def look_up(account: str) -> Steps:
    """Look up an account from the first page."""
    return [["fill", "#id", account], ["press", "#id"], ["read", "answer", "main"]]


def fill_in_goodwill(ticket: str, note: str) -> Steps:
    """Fill in goodwill on the page of an account."""
    return [
        ["click", f"{GIVE} summary"],
        ["fill", "#amount", "5.00"],
        ["fill", "#measure", "EUR"],
        ["fill", "#ticket", ticket],
        ["choose", "#listed", "long_wait"],
        ["fill", "#note", note],
    ]


def ask_for_a_void(reason: str) -> Steps:
    """Ask to take back what is unused of the campaign that is shown."""
    return [
        ["click", "details:has(form[action$='/void']) summary"],
        ["fill", "#void_reason", reason],
        ["click", "form[action$='/void'] button.no"],
        ["read", "void", "h1"],
    ]


FINANCE = journey(Role.FINANCE, [["click", "nav a[href$='/month']"], ["read", "month", "main"]])
AUDITOR = journey(Role.AUDITOR, [["click", "nav a[href$='/audit']"], ["read", "log", "main"]])
PUBLISHER = journey(Role.PUBLISHER, [["click", "nav a[href$='/policies']"], ["read", "policies", "main"]])
ADMINISTRATOR = journey(
    Role.ADMINISTRATOR, [["fill", "#halt_reason", "a drill"], ["click", "button[value=set]"]], SAID, path="/money"
)
READERS = {
    "somebody from finance": FINANCE,
    "an auditor": AUDITOR,
    "an administrator": ADMINISTRATOR,
    "a publisher": PUBLISHER,
}
"""Those who do the same at every stack; the halt that is set stays."""
