"""The texts of a language by their English, as `texts` has them."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
_FIELD = re.compile(r"\{(\w+)\}")
_KINDS = {
    "more": r"(?P<{}>(?: .*)?)", "terms": r"(?P<{}>(?:[;,].*)?)", "of": r"(?P<{}>[\w.:-]+(?: [\d:]+)?)",
    "campaign": r"(?P<{}>\S+)",
}  # fmt: skip
"""Values that may be empty, that which is one instant, and a campaign; every other has one character at least."""


@cache
def catalogue(language: str, part: str = "") -> Mapping[str, str]:
    """The texts of a language by their English; empty for English. `part` is a catalogue of its own."""
    path = TEXTS / f"{part}{language}.po"
    if not path.is_file():
        return {}
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file) if one.id and one.string}


def values_in(sentence: str, text: str) -> Mapping[str, str] | None:
    """The values that a text has in the places of a sentence; None where it is another sentence."""
    if not text.startswith(sentence.partition("{")[0]):
        return None
    found = _pattern(sentence).fullmatch(text)
    return None if found is None else found.groupdict()


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    written = (
        _KINDS.get(part, r"(?P<{}>.+?)").format(part) if place % 2 else re.escape(part)
        for place, part in enumerate(_FIELD.split(sentence))
    )
    return re.compile("".join(written), re.DOTALL)
