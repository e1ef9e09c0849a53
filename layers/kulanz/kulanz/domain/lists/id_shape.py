"""The shape that the ids of a list have, where somebody who knows them states it: a pattern, a length, a check digit.

Where a shape is stated, what has it is an id, and nothing is suspected any more: a customer may be called ``nan``.

A pattern is a sequence of parts, and there may be several sequences with ``|`` between them. A part is a character, a
class such as ``[A-Z0-9]``, or ``\\d``, with ``{10}``, ``{8,10}``, ``?``, ``+`` or ``*`` behind it. There are no
groups, so a quantifier never stands in another one. How many ways there are to divide an id between its parts is
bounded as well (``DIVISIONS_MOST``). So no pattern, and no id that a stranger writes, can keep a worker busy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, IDENTIFIER_LENGTH_CHARACTERS, is_account_id
from kulanz.domain.lists.account_ids import IdProblem, ReadId, written_as_number
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.check_digits import CHECK_DIGITS

PATTERN_CHARACTERS = 200
SEQUENCES_MOST = 10
DIVISIONS_MOST = 4_225
"""Two parts of any length in one sequence, such as [A-Z]+[0-9]*: 65 lengths each, 0 to 64."""

_LENGTHS = IDENTIFIER_LENGTH_CHARACTERS + 1
_PART = re.compile(
    r"(?:\\[dA-Za-z0-9._:~-]|\[(?:[A-Za-z0-9._:~-]|\\[d._:~-])+\]|[A-Za-z0-9_:~-])"
    r"(?P<quantifier>\{(?P<least>[0-9]{1,2})(?:(?P<comma>,)(?P<most>[0-9]{1,2})?)?\}|[?+*])?",
    re.ASCII,
)
_ESCAPED_LETTER = re.compile(r"\\[A-Zabce-z0-9]")
_SEPARATORS = str.maketrans("", "", "._:~-")

PATTERN_EXPECTED = (
    f"a pattern of at most {PATTERN_CHARACTERS} characters made of letters, digits, [classes] and \\d, each with {{n}},"
    " {n,m}, ?, + or *; several with | between them, and no groups; a point is written \\."
)


class IdShapeError(ValueError):
    """A shape that cannot be used; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class IdShape:
    """The stated shape of ids: each part is left out where nothing is stated. Raises ``IdShapeError``."""

    pattern: str = ""
    minimum: int = 1
    maximum: int = IDENTIFIER_LENGTH_CHARACTERS
    check: str = ""

    def __post_init__(self) -> None:
        if self.pattern:
            _must_be_simple(self.pattern)
        if not 1 <= self.minimum <= self.maximum <= IDENTIFIER_LENGTH_CHARACTERS:
            raise IdShapeError(f"expected a length from 1 to {IDENTIFIER_LENGTH_CHARACTERS}, the least first")
        if self.check and self.check not in CHECK_DIGITS:
            raise IdShapeError(f"expected a check digit by its name: {', '.join(CHECK_DIGITS)}")
        if not self.pattern and not self.check and self.maximum - self.minimum + 1 == IDENTIFIER_LENGTH_CHARACTERS:
            raise IdShapeError("expected a pattern, a length or a check digit")

    @property
    def content(self) -> dict[str, str | int]:
        """The shape as plain data."""
        return {"pattern": self.pattern, "minimum": self.minimum, "maximum": self.maximum, "check": self.check}

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> "IdShape | None":
        """The shape that plain data says; None where it says none."""
        return None if content is None else cls(**content)

    def reader(self) -> ReadId:
        """What reads an id of this shape from a cell or a JSON value."""
        fits = re.compile(self.pattern or r"[\x21-\x7e]+", re.ASCII).fullmatch
        checks = CHECK_DIGITS.get(self.check)
        least, most = self.minimum, self.maximum
        other = IdProblem("shape", f"an id as it was stated for this list: {self}")

        def read(given: object) -> str | IdProblem:
            if not isinstance(given, str):
                return written_as_number(given, read)
            text = clean(given)
            if not text:
                return IdProblem("missing", ACCOUNT_ID_EXPECTED)
            if not (least <= len(text) <= most and is_account_id(text) and fits(text)):
                return other
            if checks is not None and not checks(text.translate(_SEPARATORS).upper()):
                return other
            return text

        return read

    def __str__(self) -> str:
        """The shape for people."""
        length = f"{self.minimum}" if self.minimum == self.maximum else f"{self.minimum} to {self.maximum}"
        parts = [f"pattern {self.pattern}"] if self.pattern else []
        parts += [f"{length} characters", *([f"check digit {self.check}"] if self.check else [])]
        return ", ".join(parts)


def _must_be_simple(pattern: str) -> None:
    if len(pattern) > PATTERN_CHARACTERS or pattern.count("|") >= SEQUENCES_MOST:
        raise IdShapeError(f"expected {PATTERN_EXPECTED}")
    for sequence in pattern.split("|"):
        position, divisions = 0, 1
        while position < len(sequence):
            part = _PART.match(sequence, position)
            if part is None or _ESCAPED_LETTER.search(part[0]):
                raise IdShapeError(f"expected {PATTERN_EXPECTED}")
            divisions *= _lengths(part)
            position = part.end()
        if not sequence or divisions > DIVISIONS_MOST:
            raise IdShapeError(f"expected at most two parts of any length in a sequence; {PATTERN_EXPECTED}")
    try:
        re.compile(pattern, re.ASCII)
    except re.error:
        raise IdShapeError(f"expected {PATTERN_EXPECTED}") from None


def _lengths(part: re.Match[str]) -> int:
    """How many lengths a part can have."""
    quantifier = part["quantifier"]
    if not quantifier:
        return 1
    if quantifier == "?":
        return 2
    if quantifier in "+*" or (part["comma"] and part["most"] is None):
        return _LENGTHS
    least = int(part["least"])
    most = int(part["most"]) if part["comma"] else least
    if least > most or most > IDENTIFIER_LENGTH_CHARACTERS:
        raise IdShapeError(f"expected counts up to {IDENTIFIER_LENGTH_CHARACTERS}, the least first; {PATTERN_EXPECTED}")
    return most - least + 1
