"""What the console hands on to the API and what it makes of its problems; and where a login may lead."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from botocore.exceptions import BotoCoreError, EndpointConnectionError

from kulanz.application.door.problems import Kind
from kulanz.application.ports import TryAgain
from kulanz_cli.door import Door, DoorProblem
from kulanz_cli.errors import foreseen
from kulanz_cli.outcomes import EXIT_UNUSABLE
from kulanz_cli.pages import ByDoor
from kulanz_console.hosted.entry import PATH_CHARACTERS_MOST, own_path
from kulanz_console.port import NotAnswered, Why
from kulanz_console.problems import must_be_valid
from tests.support.scripted import error


class Asked:
    """An API that notes what it is asked, and answers or has a problem."""

    def __init__(self, problem: DoorProblem | None = None) -> None:
        self.noted: list[Any] = []
        self._problem = problem

    def ask(self, use: str, query: object = None, **values: object) -> Mapping[str, Any]:
        self.noted.append((use, query, values))
        if self._problem is not None:
            raise self._problem
        return {"answer": 1}

    act = ask

    def permits(self, use: str) -> bool:
        self.ask(use)
        return use.endswith("s")


def by(door: Asked) -> ByDoor:
    return ByDoor(cast("Door", door))


def test_what_is_asked_and_sent_reaches_the_api_word_for_word() -> None:
    door = Asked()
    assert by(door).ask("cases.one", {"subject": "l-2", "row": None}, account="a-1", incident="in-7", seq=3) == {
        "answer": 1
    }
    assert by(door).act("stops.act", {"reason": "why"}, incident="in-7", seq=3, id="i-1") == {"answer": 1}
    assert door.noted == [
        ("cases.one", {"subject": "l-2", "row": None}, {"account": "a-1", "incident": "in-7", "seq": 3}),
        ("stops.act", {"reason": "why"}, {"incident": "in-7", "seq": 3, "id": "i-1"}),
    ]
    uses = ["a.one", "b.ones", "c.one", "d.ones"]
    assert by(Asked()).rights(uses) == {"a.one": False, "b.ones": True, "c.one": False, "d.ones": True}


RIGHT: Mapping[str, str | int | None] = {
    "account": "a-1", "incident": "in-7", "seq": 3, "month": "2026-03", "day": "2026-03-01", "subject": None,
}  # fmt: skip
WRONG = {"account": "a b", "incident": "In 7", "seq": "x", "month": "2026-13", "day": "2026-3-1", "subject": "a b"}


@pytest.mark.parametrize("name", WRONG)
def test_whichever_value_has_another_form_is_named_and_nothing_is_sent(name: str) -> None:
    must_be_valid(RIGHT)
    values = {**RIGHT, name: WRONG[name]}
    for order in (1, -1):
        with pytest.raises(NotAnswered, match=f"{name}: expected ") as problem:
            must_be_valid(dict(list(values.items())[::order]))
        assert problem.value.why is Why.WRONG
    door = Asked()
    with pytest.raises(NotAnswered):
        by(door).act("stops.act", {}, **{name: WRONG[name]})
    with pytest.raises(NotAnswered):
        by(door).ask("cases.one", {name: WRONG[name]})
    assert door.noted == []


REFUSED = (Kind.PERSON_NEEDED, Kind.REFUSED, Kind.ID_USED)
MEANS: Mapping[Kind | None, Why] = {
    **dict.fromkeys(Kind, Why.WRONG), **dict.fromkeys(REFUSED, Why.REFUSED), Kind.UNKNOWN: Why.UNKNOWN,
    Kind.TRY_AGAIN: Why.LATER, Kind.FAILED: Why.LATER, None: Why.LATER,
}  # fmt: skip


@pytest.mark.parametrize("kind", MEANS)
def test_a_problem_of_the_api_is_told_with_its_text_its_reason_and_what_it_means(kind: Kind | None) -> None:
    door = Asked(DoorProblem("the text", kind, "the-reason"))
    for call in (lambda: by(door).ask("a"), lambda: by(door).act("a", {}), lambda: by(door).rights(["a"])):
        with pytest.raises(NotAnswered) as problem:
            call()
        assert (str(problem.value), problem.value.why, problem.value.reason) == ("the text", MEANS[kind], "the-reason")


def test_whom_the_gateway_does_not_let_in_lacks_a_role_and_need_not_try_again() -> None:
    with pytest.raises(NotAnswered) as problem:
        by(Asked(DoorProblem("no", is_forbidden=True))).ask("a")
    assert problem.value.why is Why.NOT_PERMITTED


@pytest.mark.parametrize(
    ("text", "is_own"),
    [
        ("/", True), ("/plan/in-7/3?x=1#y", True), ("/" + "a" * (PATH_CHARACTERS_MOST - 1), True),
        ("/" + "a" * PATH_CHARACTERS_MOST, False), ("", False), ("plan", False), ("//evil.example", False),
        ("https://evil.example/", False), ("/\\evil.example", False), ("/a\nb", False), ("/ä", False),
        ("javascript:alert(1)", False), ("///evil.example", False),
    ],
)  # fmt: skip
def test_a_login_leads_to_a_path_of_the_console_itself_or_to_its_first_page(text: str, is_own: bool) -> None:
    assert own_path(text) == (text if is_own else "/")


def test_what_may_go_wrong_is_one_sentence_and_a_fault_of_ours_is_none() -> None:
    lost = EndpointConnectionError(endpoint_url="https://x")
    for problem, says in (
        (error("AccessDenied"), "AWS refused Operation: AccessDenied; check what your credentials permit"),
        (TryAgain("slow"), "AWS did not answer as it should (slow); try again"),
        (lost, f"AWS did not answer as it should ({lost}); try again"),
        (FileNotFoundError(2, "No such file", "list.csv"), "list.csv: No such file"),
    ):
        found = foreseen(problem)
        assert found is not None
        assert (found.message, found.exit_code) == (says, EXIT_UNUSABLE)
        assert "account-4711" not in found.message, "what AWS repeats of a request is not told"
    assert issubclass(EndpointConnectionError, BotoCoreError)
    for fault in (KeyError("a-1"), ValueError("a-1"), OSError(5, "no name"), AssertionError()):
        assert foreseen(fault) is None
