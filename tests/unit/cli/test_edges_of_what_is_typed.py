"""Where what was typed is just taken, and where it is not any more: which option is named, and what is told."""

import json
from typing import Any

import pytest

from kulanz.application.door.parameters import FACTS_MOST
from kulanz.application.door.problems import Kind
from kulanz_cli.door import DoorProblem
from tests.support.answering import Answering, cells
from tests.support.world_stack import run
from tests.unit.cli.test_edges_of_voids_and_drafts import UNREAD, listed, of_month
from tests.unit.cli.test_what_is_asked import Asked, _AskedEnoughError
from tests.unit.cli.test_what_is_sent import GOODWILL, Sending

GIVE = ("goodwill", "a-1", "5.00", "EUR", "--reason", "the-code")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("--ticket", "T 1"), "--ticket"), (("--ticket", "T" * 65), "--ticket"),
        (("--ticket", "T..1"), "--ticket"), (("--id", "m" * 65), "--id"),
        (("--id", "m" * 65, "--ticket", "T-1"), "--id"),
    ],
)  # fmt: skip
def test_an_id_that_goodwill_cannot_have_names_the_option_that_has_it(words: tuple[str, ...], option: str) -> None:
    stack = Sending(GOODWILL)
    shown = run(stack, *GIVE, *words)
    assert (shown.exit_code, stack.sent) == (2, [])
    (other,) = {"--id", "--ticket"} - {option}
    said = " ".join(shown.output.replace("│", " ").split())
    assert (f"{option}: expected" in said, f"{other}: expected" in said) == (True, False)


@pytest.mark.parametrize(("words", "given"), [((), None), (("--ticket", "T-1"), "T-1"), (("--id", "i" * 64), "i" * 64),
                                              (("--id", "i-1", "--ticket", "T-1"), "i-1")])  # fmt: skip
def test_goodwill_is_given_under_the_id_or_else_the_ticket(words: tuple[str, ...], given: str | None) -> None:
    stack = Sending(GOODWILL)
    assert run(stack, *GIVE, *words).exit_code == 0
    ((_, _, of),) = stack.sent
    assert given is None or of["goodwill"] == given


@pytest.mark.parametrize("more", [0, 1])
def test_so_many_facts_are_asked_with_and_no_more(more: int) -> None:
    stack = Asked()
    facts = [word for number in range(FACTS_MOST + more) for word in ("--fact", f"f{number}=x")]
    if more:
        shown = run(stack, "cases", "in-7/3", "a-1", *facts)
        assert (shown.exit_code, stack.asked) == (2, [])
        assert f"expected one JSON object of 1 to {FACTS_MOST} texts" in " ".join(
            shown.output.replace("│", " ").split()
        )
        return
    with pytest.raises(_AskedEnoughError):
        run(stack, "cases", "in-7/3", "a-1", *facts)


class Refusing(Answering):
    """A stack whose API does not do it."""

    def __init__(self, problem: DoorProblem) -> None:
        super().__init__()
        self._problem = problem

    def act(self, use: str, *_: object, **__: object) -> Any:
        assert use == "acceptances.accept"
        raise self._problem


ACCEPT = ("accept", "a-1", "--incident", "in-7")


@pytest.mark.parametrize(
    ("kind", "reason", "told"),
    [(Kind.REFUSED, "offer_ended", "offer_ended"), (Kind.REFUSED, "", "unknown"), (Kind.UNKNOWN, "", "unknown")],
)
def test_an_offer_that_is_not_open_is_a_no_with_its_reason(kind: Kind, reason: str, told: str) -> None:
    stack = Refusing(DoorProblem("the offer is over", kind, reason))
    shown = run(stack, *ACCEPT)
    assert (shown.exit_code, shown.stdout) == (1, "the offer is over\n")
    as_json = run(stack, *ACCEPT, "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (
        1, {"v": 1, "accepted": False, "reason": told, "message": "the offer is over"},
    )  # fmt: skip


@pytest.mark.parametrize("kind", [one for one in (*Kind, None) if one not in (Kind.REFUSED, Kind.UNKNOWN)])
def test_whatever_else_the_api_says_is_no_answer_about_an_offer(kind: Kind | None) -> None:
    shown = run(Refusing(DoorProblem("something", kind)), *ACCEPT, "--json")
    assert (shown.exit_code, shown.stdout) == (3, "")


@pytest.mark.parametrize(
    ("drafts", "unread", "lines"),
    [
        ([], [], [["no source reported anything in 2026-03"]]),
        ([], [UNREAD], [["it, 2026-03-10T09:00:00Z: not read, not_json: expected JSON"]]),
        (
            [listed("it-1-a", "new", 0)], [],
            [["draft", "outage", "state", "title"], ["it-1-a", "none", "to be confirmed", "title of it-1-a"]],
        ),
    ],
)  # fmt: skip
def test_nothing_was_reported_only_where_nothing_was_received(
    drafts: list[Any], unread: list[Any], lines: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    stack = Answering(drafts__of_month=[{"drafts": drafts, "unread": unread}])
    assert cells(run(stack, "drafts", "--month", "2026-03").stdout) == lines


@pytest.mark.parametrize(("words", "limit"), [(("set", "EUR", "2026-03", "250.00"), "250.00"),
                                              (("remove", "EUR", "2026-03"), None)])  # fmt: skip
def test_a_budget_is_changed_as_it_was_typed_and_told_as_it_was_answered(
    words: tuple[str, ...], limit: str | None
) -> None:
    stack = Sending(of_month("2026-03"))
    shown = run(stack, "budget", *words, "--reason", "why", "--id", "i-1", "--json")
    assert json.loads(shown.stdout).items() >= of_month("2026-03").items()
    ((use, body, of),) = stack.sent
    assert (use, body, of) == (
        "budgets.act", {"limit": limit, "reason": "why"}, {"currency": "EUR", "month": "2026-03", "id": "i-1"},
    )  # fmt: skip
