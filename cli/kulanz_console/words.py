"""The texts of pages in the reader's language, and numbers and amounts as that language writes them.

English stands in the templates and views; `texts/de.po` has the German for each of them.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from markupsafe import Markup, escape

from kulanz_console.answers import Answers
from kulanz_console.catalogue import catalogue
from kulanz_console.drawing.said import Given, Said
from kulanz_console.drawing.text import plain
from kulanz_console.inline import english, foreign
from kulanz_console.steps import Steps

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
TEXTS_MOST = 4_096
"""Texts of ours that are kept escaped and taken apart; there are some hundreds in each language."""
_NUMBER = re.compile(r"(?<![\w.,/:-])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?![\w/:-]|[.,]\d)")
"""A number as English writes it, and nothing of an id, a date or a version."""
_VALUE = re.compile(r"\{(\w+)\}")
_CODE = re.compile(r"^[a-z]+(?:_[a-z]+)+(?=: )")
"""A code at the beginning of a reason, such as `paused_by_hand`."""
IN_WORDS: Mapping[str, str] = {"balanced": "all that was planned is accounted for", "plan_balanced": "the plan adds up"}
"""Reasons that are a code alone."""
_SWAPPED = str.maketrans(",.", ".,")


class Words:
    """What a page says, in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = catalogue(language)
        self._answers = Answers(language, self.code, self.phrase)
        self.step = Steps(language, self.code, self.phrase)

    def __call__(self, text: str, **values: object) -> Markup:
        """A text with its values, each of which is only ever text, unless it is markup already."""
        found = self._texts.get(text, text)
        if not values:
            return _escaped(found)
        written = [escape(_shown(values[part])) if place % 2 else part for place, part in enumerate(_parts_of(found))]
        return Markup("".join(written))  # noqa: S704 (texts of ours, and values that are escaped)

    def number(self, text: object) -> str:
        """A number or an amount as it is written in English, as this language writes it."""
        written = f"{text:,}" if isinstance(text, int) else str(text)
        return _NUMBER.sub(lambda found: found[0].translate(_SWAPPED), written) if self.language == "de" else written

    def phrase(self, text: str) -> str:
        """A text of ours that has numbers in it, such as the title of a picture; as it is where it is not known."""
        if not self._texts:
            return str(text)
        if isinstance(text, Said):
            values = {name: self.phrase(value) for name, value in text.values.items()}
            return self._texts.get(text.text, text.text).format(**values)
        if isinstance(text, Given):
            return text
        numbers = _NUMBER.findall(text)
        found = self._texts.get(_NUMBER.sub("{}", text))
        if found is not None and found.count("{}") == len(numbers) and not _VALUE.search(found):
            return found.format(*map(self.number, numbers))
        for separator in (", ", " + "):
            parts = text.split(separator)
            if len(parts) > 1:
                return separator.join(self.phrase(part) for part in parts)
        return self.number(text)

    def stated(self, text: object) -> Markup:
        """A sentence that the engine or the API wrote: in this language where it is known, else marked as English."""
        written = str(text)
        known = self._known(written)
        return english(written) if known is None else foreign(known)

    def noted(self, text: object) -> Markup:
        """A text of the engine or of a person, such as a reason in the audit log: known, or as it was written. A code
        at its beginning is in words.
        """
        written = str(text)
        known = self._known(written) if self._texts else IN_WORDS.get(written)
        said = _CODE.sub(lambda found: found[0].replace("_", " "), written) if known is None else known
        return foreign(said)

    def _known(self, text: str) -> str | None:
        """A sentence of the API or the console in this language; None where it is not known."""
        if not self._texts:
            return text
        if _VALUE.search(text):
            return self._answers.known(text)
        if text in self._texts:
            return self._texts[text]
        return self.phrase(text) if _NUMBER.sub("{}", text) in self._texts else self._answers.known(text)

    def facts(self, text: str) -> str:
        """A text of ours about a decision: its clauses in this language as far as they are known."""
        if isinstance(text, Said | Given) or text in self._texts:
            return self.phrase(text)
        return "; ".join(map(self.phrase, text.split("; ")))

    def code(self, text: object) -> str:
        """A code of ours, such as a state or a result, in words."""
        words = str(text).replace("_", " ")
        return self._texts.get(words, words)


@cache
def words_in(language: str) -> Words:
    """The texts of a language. Of what requests showed they remember some (`FOUND_MOST`), and nothing else."""
    return Words(language)


@lru_cache(TEXTS_MOST)
def _escaped(text: str) -> Markup:
    return escape(text)


@lru_cache(TEXTS_MOST)
def _parts_of(text: str) -> list[str]:
    """A text of ours taken apart: what stands as it is, and in every second place the name of a value."""
    return _VALUE.split(text)


def _shown(value: object) -> object:
    return value if hasattr(value, "__html__") else plain(value)


def language_of(accepted: Any, chosen: str) -> str:
    """The language that was chosen, else the best of what the browser accepts."""
    if chosen in LANGUAGES:
        return chosen
    return str(accepted.best_match(LANGUAGES, default="en"))
