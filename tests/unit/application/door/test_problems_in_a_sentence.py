"""What a problem says in one sentence: each thing once, and of which field."""

from collections.abc import Sequence

import pytest

from kulanz.application.door.problems import FieldProblem, Kind, Problem, said_of

OCCUPIED = "campaign net-1/1 is not finished; wait for it, or cancel it"


@pytest.mark.parametrize(
    ("detail", "errors", "says"),
    [
        ("it waits", [], "it waits"),
        ("expected an id", [{"field": "id", "expected": "expected an id"}], "id: expected an id"),
        (OCCUPIED, [{"field": "campaign", "expected": OCCUPIED}], OCCUPIED),
        ("fee: a number", [{"field": "fee", "expected": "fee: a number"}], "fee: a number"),
        (OCCUPIED, [{"field": "void", "expected": OCCUPIED}], f"void: {OCCUPIED}"),
        ("campaigns wait", [{"field": "campaign", "expected": "campaigns wait"}], "campaign: campaigns wait"),
        (
            "correct them",
            [{"field": "a", "expected": "a text"}, {"field": "b", "expected": "a number"}],
            "correct them; a: a text; b: a number",
        ),
    ],
)
def test_a_problem_says_each_thing_once(detail: str, errors: Sequence[FieldProblem], says: str) -> None:
    kind, said, reason = said_of(Problem(Kind.REFUSED, detail, reason="code", errors=errors).content())
    assert (kind, said, reason) == (Kind.REFUSED, says, "code")
