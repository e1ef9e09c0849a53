"""What a page makes of the API's problems, whoever answers: the API by its gateway, or the use cases themselves."""

from collections.abc import Mapping

from kulanz.application.door.parameters import PARAMETERS
from kulanz.application.door.problems import Kind
from kulanz_console.port import NotAnswered, Why

_WHY = {
    Kind.UNKNOWN: Why.UNKNOWN,
    Kind.PATH: Why.WRONG,
    Kind.QUERY: Why.WRONG,
    Kind.CURSOR: Why.WRONG,
    Kind.BODY_UNREADABLE: Why.WRONG,
    Kind.BODY: Why.WRONG,
    Kind.CONTENT_TYPE: Why.WRONG,
    Kind.TOO_LARGE: Why.WRONG,
    Kind.ANSWER_TOO_LARGE: Why.WRONG,
    Kind.REQUEST_REFUSED: Why.WRONG,
    Kind.PERSON_NEEDED: Why.REFUSED,
    Kind.REFUSED: Why.REFUSED,
    Kind.ID_USED: Why.REFUSED,
    Kind.TRY_AGAIN: Why.LATER,
    Kind.FAILED: Why.LATER,
}
"""What a page makes of each kind of problem."""
assert _WHY.keys() == set(Kind), "a page has to know what to make of every kind"


def why_of(kind: Kind | None) -> Why:
    """What a page makes of a kind; None is an answer that is none of the function's."""
    return Why.LATER if kind is None else _WHY[kind]


def must_be_valid(values: Mapping[str, str | int | None]) -> None:
    """What a person typed has the form that the API expects: it says which, and nothing is sent. Raises NotAnswered."""
    for name, value in values.items():
        if value is not None and not PARAMETERS[name].is_valid(str(value)):
            raise NotAnswered(f"{name}: expected {PARAMETERS[name].expected}", Why.WRONG)
