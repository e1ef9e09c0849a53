"""What the API answers when it does not do what was asked: problem details (RFC 9457) of few, stable types."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NotRequired, TypedDict

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:kulanz:problem:"
"""docs/api.md has a line for each type. None is a place on the network: the page belongs to the release."""


class Kind(Enum):
    """The types of problems: the last part of the type, the HTTP status, the title."""

    UNKNOWN = ("unknown", 404, "Not found")
    PATH = ("path-invalid", 400, "The path has a value of another form")
    QUERY = ("query-invalid", 400, "The query is not one of this question")
    CURSOR = ("cursor-invalid", 400, "The cursor is not one of this question")
    BODY_UNREADABLE = ("body-unreadable", 400, "The body is not JSON")
    BODY = ("body-invalid", 422, "The body is not as described")
    CONTENT_TYPE = ("content-type", 415, "The body is of another type")
    TOO_LARGE = ("too-large", 413, "The body is too large")
    ANSWER_TOO_LARGE = ("answer-too-large", 422, "The answer is too large")
    PERSON_NEEDED = ("person-needed", 403, "A person is needed")
    REFUSED = ("refused", 409, "It cannot be done as matters stand")
    REQUEST_REFUSED = ("request-refused", 422, "The request was refused")
    ID_USED = ("id-used", 409, "The id stands for another action")
    TRY_AGAIN = ("try-again", 503, "Try again")
    FAILED = ("failed", 500, "The function failed")

    def __init__(self, code: str, status: int, title: str) -> None:
        self.code = code
        self.status = status
        self.title = title

    @property
    def type(self) -> str:
        """The URI of the type."""
        return f"{TYPE_PREFIX}{self.code}"


class FieldProblem(TypedDict):
    """What is wrong with one field of a body, a path or a query; never its value."""

    field: str
    expected: str


class ProblemContent(TypedDict):
    """A problem as it travels. `reason` is the code of a refusal, as the pages of lists and events have it."""

    type: str
    title: str
    status: int
    detail: str
    reason: NotRequired[str]
    errors: NotRequired[Sequence[FieldProblem]]


class Problem(Exception):
    """What was asked is not answered or done. The text says what was expected and what to do, and holds no value."""

    def __init__(self, kind: Kind, detail: str, *, reason: str = "", errors: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.reason = reason
        self.errors = errors

    def content(self) -> ProblemContent:
        """The problem as JSON-able content."""
        content: ProblemContent = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.reason:
            content["reason"] = self.reason
        if self.errors:
            content["errors"] = list(self.errors)
        return content


def said_of(content: Mapping[str, Any]) -> tuple[Kind | None, str, str]:
    """The kind of a problem as it travelled, what it says in one sentence, and the code of a refusal."""
    kind = next((one for one in Kind if one.type == content["type"]), None)
    if kind is Kind.TRY_AGAIN:
        return kind, "AWS did not answer the stack as it should; try again", ""
    detail, errors = content["detail"], content.get("errors", ())
    said = [detail, *(f"{one['field']}: {one['expected']}" for one in errors)]
    if errors and errors[0]["expected"] == detail:  # a refusal names its field, and may begin with its name
        del said[int(detail.startswith((f"{errors[0]['field']} ", f"{errors[0]['field']}: ")))]
    return kind, "; ".join(said), str(content.get("reason", ""))


def unknown(what: str = "") -> Problem:
    """Nothing of that name: the same words whether it does not exist or is not for the caller."""
    return Problem(Kind.UNKNOWN, what or "there is nothing here; see docs/api.md for the routes")


def differing_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldProblem]:
    """The fields in which two bodies differ, by name."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [{"field": name, "expected": "as it was the first time, or another id"} for name in names]
