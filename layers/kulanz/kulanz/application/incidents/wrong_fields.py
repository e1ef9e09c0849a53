"""What is wrong with the fields of an event, in the words of whoever writes it, and never with what stood in them."""

import re
from collections.abc import Collection
from typing import NamedTuple

from pydantic import ValidationError

ALIKE = 0.8
"""How much of two names is equal where one is taken for a misspelling of the other; above it `titel` and `title`."""
_SHOWN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z0-9_-]{1,64}){0,3}|\[key\]", re.ASCII).fullmatch
_TEXT = "expected a text, in quotes"
_OBJECT = "expected an object, in braces"
_SAID = {
    "missing": "this field is missing; add it",
    "int_type": "expected a whole number, without quotes",
    "string_type": _TEXT,
    "list_type": "expected a list, in square brackets",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
}
"""What is expected, by the kind of mistake."""


class WrongField(NamedTuple):
    """A field by its path, which is empty where the whole is meant, and what to do about it."""

    path: str
    says: str


def wrong_fields(error: ValidationError, names: Collection[str]) -> list[WrongField]:
    """Every mistake that a contract found. `names` are those of all its fields, for who misspelt one."""
    return [
        WrongField(".".join(map(_shown, one["loc"])), _said(one["type"], one["msg"], one["loc"], names))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _shown(part: str | int) -> str:
    """A step of a path. A name that is none of a contract's may be anything, so it is not repeated."""
    return str(part) if isinstance(part, int) or _SHOWN_NAME(part) else "(a name)"


def _said(kind: str, message: str, place: tuple[str | int, ...], names: Collection[str]) -> str:
    if kind == "extra_forbidden":
        return f"this field is not known{_advice(str(place[-1]), names)}"
    plain = message.removeprefix("Value error, ")
    return _SAID.get(kind) or re.sub(r"^(?:Input|String|List|Dictionary) should ", "must ", plain)


def _advice(name: str, names: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (needed only to word an error)

    if name in names:
        return " in this place; remove it, or move it to where it belongs"
    close = get_close_matches(name, sorted(names), n=1, cutoff=ALIKE)
    return f"; did you mean {close[0]}?" if close else "; remove it"
