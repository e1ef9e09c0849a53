"""Cursors: where a long answer goes on. A cursor belongs to one question, and says nothing to whoever carries it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from hashlib import sha256

from kulanz.application.door.problems import Kind, Problem

_MARK_CHARACTERS = 16


def make_cursor(question: Mapping[str, str], position: str) -> str:
    """The cursor of a question (its route and every value of it but the cursor) at a position."""
    text = json.dumps([_mark(question), position], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(question: Mapping[str, str], cursor: str | None) -> str:
    """The position; empty where there is no cursor. Raises Problem for one of another question.

    A position that somebody made up is only a place in the answer to the same question: whoever may ask it may have
    every part of the answer.
    """
    if cursor is None:
        return ""
    try:
        found = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, Error):
        found = None
    match found:
        case [mark, str(position)] if mark == _mark(question):
            return position
    raise Problem(Kind.CURSOR, "expected the text `next` of an earlier answer to this very question")


def _mark(question: Mapping[str, str]) -> str:
    text = json.dumps(sorted(question.items()))
    return sha256(text.encode()).hexdigest()[:_MARK_CHARACTERS]
