"""Nobody is offered a yes that would be refused: the page says whose is missing. Who answers still refuses it."""

import re
from collections.abc import Mapping

import pytest

from kulanz.application.door.routes import Role
from kulanz_console.words import LANGUAGES
from tests.support.by_hand import CARLA
from tests.support.console_browser import Browser, forms
from tests.support.console_waiting import VOID, WAITING_CASE, with_everything, with_plan
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_door import ANNA, BERT, Somebody
from tests.support.world_stack import WorldStack

PLAN = f"/plan/{CAMPAIGN}"
ROBOT = Somebody("role:arn:aws:sts::123456789012:assumed-role/deploy/bert")
STRANGER = Somebody("login:https://id.example/pool#erik")
YES: Mapping[str, tuple[str, str, str]] = {
    "plan": (PLAN, f"{PLAN}/approve", ""),
    "void": (VOID, f"{VOID}/decide", "approve"),
    "goodwill": ("/goodwill", "/goodwill/T-1/decide", "approve"),
    "case": (WAITING_CASE, f"{WAITING_CASE}/second", "agree"),
    "halt": ("/money", "/money/halt", "lift"),
}
"""The page, the form of a yes, and its button."""
NO_FOR_WHO_ASKED = frozenset({"plan", "void", "goodwill", "case"})
OTHER = "It needs the yes of a person other than anna."


def stack_of(kind: str) -> WorldStack:
    """Anna asked for what waits; of a halt she has said that it may be lifted."""
    if kind != "plan":
        stack = with_everything(with_plan())
        if kind == "halt":
            for action in ("set", "lift"):
                stack.served.put(f"halt/h-{action}", {"action": action, "reason": "a drill"}, ANNA)
        return stack
    world = small_world(approvers=(), requester=ANNA.id)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return WorldStack(world)


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html.replace("&#39;", "'").replace("<wbr>", "")).split())


def page_of(kind: str, who: Somebody, language: str = "en") -> tuple[str, bool, bool]:
    """What the page says to somebody, whether it offers a yes, and whether it offers a no."""
    stack = stack_of(kind)
    stack.desk = who
    path, target, button = YES[kind]
    response = Browser(stack.world, stack=stack).enter().get(path, **{"Accept-Language": language})
    assert response.status_code == 200
    found = forms(response)
    is_offered = target in found and (not button or f'value="{button}"' in response.text)
    no = f"{PLAN}/reject" in found if kind == "plan" else 'value="reject"' in response.text
    return read(response.text), is_offered, no


@pytest.mark.parametrize("kind", YES)
def test_who_asked_for_it_is_told_that_another_persons_yes_is_missing(kind: str) -> None:
    said, is_offered, no = page_of(kind, ANNA)
    assert (is_offered, no) == (False, kind in NO_FOR_WHO_ASKED), "who asked may still take it back"
    assert ("You have said yes." if kind == "halt" else "You asked for it yourself.") + " " + OTHER in said


@pytest.mark.parametrize("kind", YES)
def test_another_person_is_offered_the_yes(kind: str) -> None:
    said, is_offered, no = page_of(kind, BERT)
    assert (is_offered, no) == (True, kind in NO_FOR_WHO_ASKED)
    assert "It needs the yes of a person other than" not in said


@pytest.mark.parametrize(
    ("who", "why"), [(ROBOT, "You act as a machine"), (STRANGER, "the people file does not name you")]
)
@pytest.mark.parametrize("kind", YES)
def test_whose_yes_never_counts_is_told_what_to_do(kind: str, who: Somebody, why: str) -> None:
    said, is_offered, _ = page_of(kind, who)
    assert not is_offered
    assert why in said


def test_who_has_said_yes_to_a_plan_is_not_asked_again_and_hears_who_cannot_be_the_other() -> None:
    world = small_world(approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    browser = Browser(world).enter()
    browser.stack.desk = BERT
    filled = browser.form(PLAN, f"{PLAN}/approve")
    page = browser.submit(PLAN, f"{PLAN}/approve")
    assert page.status_code == 303
    page = browser.get(PLAN)
    assert f"{PLAN}/approve" not in forms(page)
    assert f"{PLAN}/reject" in forms(page)
    assert "You have said yes. It needs the yes of a person other than bert." in read(page.text)
    refused = browser.post(f"{PLAN}/approve", {**filled, "id": "again"})
    assert refused.status_code == 409
    assert "You have said yes." in read(refused.text)
    browser.stack.desk = CARLA
    assert browser.submit(PLAN, f"{PLAN}/approve").location == f"/campaign/{CAMPAIGN}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_there_in_each_language(language: str) -> None:
    said = {page_of("void", who, language)[0] for who in (ANNA, BERT, ROBOT, STRANGER)}
    assert len(said) == 4
    english = [one for one in said if "yes" in one.lower().split()]
    assert bool(english) is (language == "en")


@pytest.mark.parametrize(("who", "times"), [(ANNA, 2), (BERT, 0)])
def test_the_first_page_says_of_what_another_persons_yes_is_missing(who: Somebody, times: int) -> None:
    stack = stack_of("case")
    stack.desk = who
    page = read(Browser(stack.world, stack=stack).enter().get("/").text)
    assert page.count("It needs another person's yes.") == times, "a case and goodwill that anna asked for"


@pytest.mark.parametrize(("who", "is_said"), [(ANNA, True), (BERT, False)])
def test_the_first_page_says_it_of_a_plan_that_one_requested(who: Somebody, is_said: bool) -> None:
    stack = stack_of("plan")
    stack.desk = who
    page = read(Browser(stack.world, stack=stack).enter().get("/").text)
    assert ("It needs another person's yes." in page) is is_said
    support = Browser(stack.world, frozenset({Role.OPERATOR}), stack).enter()
    assert "another person's yes" not in read(support.get("/").text), "who approves nothing misses nobody's yes"
