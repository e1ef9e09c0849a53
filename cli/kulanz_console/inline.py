"""The small markup inside a sentence, written at once: a page has hundreds, and a tree for each takes most of its time.

Each is what `drawing.markup` makes of the same text.
"""

from functools import lru_cache

from markupsafe import Markup, escape

from kulanz.domain.time import parse_instant
from kulanz_console.drawing.markup import BREAKABLE, instant_text
from kulanz_console.drawing.text import plain

INSTANTS_KEPT = 1_024
"""Instants that are kept as markup: a page has the same few again and again."""


def foreign(text: object) -> Markup:
    """A text that somebody outside wrote, with a direction of its own. It may be broken where its parts meet."""
    written = BREAKABLE.sub("<wbr>", escape(plain(text)))
    return Markup(f"<bdi>{written}</bdi>")  # noqa: S704 (escaped)


def english(text: object) -> Markup:
    """A sentence that the engine or the API wrote, in its one language; a screen reader reads it as such."""
    return Markup(f'<bdi lang="en">{escape(plain(text))}</bdi>')  # noqa: S704 (escaped)


def code(text: object) -> Markup:
    """An id or a hash, whole."""
    return Markup(f'<code dir="ltr">{escape(plain(text))}</code>')  # noqa: S704 (escaped)


@lru_cache(INSTANTS_KEPT)
def instant(text: str) -> Markup:
    """An instant of an answer, such as 2026-03-01T09:00:49Z, in UTC and saying so."""
    shown = instant_text(parse_instant(text))
    return Markup(f'<time datetime="{escape(plain(text))}">{shown}</time>')  # noqa: S704 (escaped)
