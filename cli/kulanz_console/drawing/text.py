"""Texts from outside as a reader sees them: a terminal or a page shows them, and does nothing else with them."""

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""They shape the letters of some scripts and neither hide nor move text."""
_REPLACEMENT = "\ufffd"
_WITH_ID = re.compile(r"(.+ (?:void|credit) )(\S+ of)")


def plain(text: object) -> str:
    """One line of text that a terminal shows and does nothing else with: what it cannot show is U+FFFD or a space."""
    written = text if isinstance(text, str) else str(text)
    return written if written.isprintable() else "".join(map(_shown, written))


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    is_blank = character.isspace() or unicodedata.category(character) in ("Zs", "Zl", "Zp")
    return " " if is_blank else _REPLACEMENT


def plain_lines(text: str) -> str:
    """The same for text of several lines, which stay apart."""
    return "\n".join(plain(line) for line in text.split("\n"))


def counted_as(number: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 row`, `1,204 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def seconds(at: str) -> str:
    """An instant for people, in whole seconds."""
    return at if "." not in at else f"{at.partition('.')[0]}Z"


def action_words(action: str) -> str:
    """What the audit log says was done, in words; the id of a void or a credit is not one of them."""
    found = _WITH_ID.fullmatch(action)
    return action.replace("_", " ") if found is None else f"{found[1].replace('_', ' ')}{found[2]}"
