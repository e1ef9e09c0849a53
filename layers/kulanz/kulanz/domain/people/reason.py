"""Why a person acts: one line, kept in the log beside the action, the same for every door and command."""

from unicodedata import category

REASON_CHARACTERS = 200
"""Of a reason, and of a note beside a decision; it holds no customer's data."""
_NOT_IN_A_LINE = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, half a surrogate pair, and what ends a line or a paragraph."""


def is_one_line(text: str) -> bool:
    """Whether a text, which may be empty, is shown in one line as it was written."""
    return not any(category(character) in _NOT_IN_A_LINE for character in text)


def is_reason(text: str) -> bool:
    """Whether a text says something, in one line of at most `REASON_CHARACTERS`."""
    return bool(text.strip()) and len(text) <= REASON_CHARACTERS and is_one_line(text)
