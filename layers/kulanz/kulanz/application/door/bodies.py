"""How the body of an action is checked: by a model that refuses what it does not know, and repeats no value."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kulanz.application.door.problems import FieldProblem, Kind, Problem
from kulanz.domain.people.reason import REASON_CHARACTERS, is_one_line, is_reason

ERRORS_SHOWN = 10


class Body(BaseModel):
    """What the bodies of actions have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _one_line(value: str) -> str:
    if not is_one_line(value):
        raise ValueError("one line of text without control characters")
    return value


def _reason(value: str) -> str:
    if not is_reason(_one_line(value)):
        raise ValueError("one line of text that is not blank")
    return value


_LINE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
"""What `is_one_line` checks, for the OpenAPI document."""
Words = Annotated[
    str,
    Field(max_length=REASON_CHARACTERS, json_schema_extra={"pattern": f"^{_LINE}"}),
    AfterValidator(_one_line),
]
"""A reason or a note that may be empty."""
Reason = Annotated[
    str,
    Field(min_length=1, max_length=REASON_CHARACTERS, json_schema_extra={"pattern": rf"^(?=.*\S){_LINE}"}),
    AfterValidator(_reason),
]
"""Why somebody acts, for the log: no customer's data."""


def read_body[Model: BaseModel](model: type[Model], body: Mapping[str, Any]) -> Model:
    """Check a body. Raises Problem with every wrong field (the first ten), and no value."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        errors: list[FieldProblem] = [
            {"field": _path(model, one["loc"]), "expected": _expected(one["type"], one["msg"])}
            for one in found[:ERRORS_SHOWN]
        ]
        raise Problem(Kind.BODY, "correct the fields that are named, and send it again", errors=errors) from None


def _path(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Where a field is. A name that the model does not have may be anything, so it is not repeated."""
    if place and place[0] not in model.model_fields:
        return "(a name)"
    return ".".join(map(str, place)) or "(the body)"


def _expected(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such field; remove it"
    return message.removeprefix("Value error, ")
