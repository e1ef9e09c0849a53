"""What the API and the engine say about an action, a plan or a trouble, in the reader's language.

They write English, from a closed set of sentences with values in them; `texts/answers.de.po` has the German of each.
Several sentences may stand one after the other, and each may have the name of a field or a code before it. What a
person, a policy or a source wrote stays as it is, and so does every value that is no number.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from kulanz_console.catalogue import catalogue, values_in

FOUND_MOST = 1_024
"""Texts and parts of texts that are remembered, of some 500 bytes each: a console lives longer than its pages."""
PARTS_MOST = 24
"""Sentences of one text. A longer one is left as it is: it is no text of the API."""
_BETWEEN = "; "
_ENDS = re.compile(r"; |\. (?=[A-Z])")
"""The end of a sentence: no value that is none goes on behind it."""
_STATED = re.compile(r"\((\w+),")
_RENAMED = '" to "'
_LABELLED = re.compile(r"((?:[\w.\[\]-]+|\(a name\)|\(the body\))): (.+)", re.DOTALL)
"""The name of a field or a code, and what is said of it."""
_FIRST_WORD = re.compile(r"[^\s{;:,(]+")


class Answers:
    """Sentences of the API in one language. `code` says a state in words, `number` writes a number or an amount."""

    def __init__(self, language: str, code: Callable[[str], str], number: Callable[[str], str]) -> None:
        self._language, self._code = language, code
        self._found: dict[str, str | None] = {}
        self._kinds: Mapping[str, Callable[[str], str | None]] = {
            "state": code, **dict.fromkeys(NUMBERS, number), "pairs": self._pairs, "stated": self._stated,
            "what": self.known, "cause": self._known_or_written, "apart": self._known_or_written,
        }  # fmt: skip

    def known(self, text: str) -> str | None:
        """A text in this language; None where a part of it is not known, and for English.

        What was found of a part is remembered for a while: each is looked for once, however it may be taken apart.
        """
        if not catalogue(self._language, "answers."):
            return None
        if text in self._found:
            return self._found[text]
        found = self._of_parts(text.split(_BETWEEN))
        if len(self._found) >= FOUND_MOST:
            self._found.clear()
        self._found[text] = found
        return found

    def _of_parts(self, parts: Sequence[str]) -> str | None:
        """The longest sentence at the beginning that is known, and the rest."""
        if len(parts) > PARTS_MOST:
            return None
        for end in range(len(parts), 0, -1):
            found = self._one(_BETWEEN.join(parts[:end]))
            if found is None:
                continue
            if end == len(parts):
                return found
            if (rest := self.known(_BETWEEN.join(parts[end:]))) is not None:
                return f"{found}{_BETWEEN}{rest}"
        return None

    def _one(self, text: str) -> str | None:
        for sentence, said in _candidates(self._language, text):
            if (found := values_in(sentence, text)) is None:
                continue
            values = {name: self._of_kind(name, one) for name, one in found.items()}
            if all(one is not None for one in values.values()):
                return said.format(**values)
        labelled = _LABELLED.fullmatch(text)
        if labelled is None or (rest := self._one(labelled[2])) is None:
            return None
        return f"{self._code(labelled[1])}: {rest}"

    def _of_kind(self, name: str, text: str) -> str | None:
        """A value as its kind asks for, or as it is. None where it has to be a sentence and is not known, or is no
        sentence and goes on behind the end of one.
        """
        kind = name.rstrip("2")
        if kind not in SENTENCES and _ENDS.search(text):
            return None
        return self._kinds[kind](text) if kind in self._kinds else text

    def _known_or_written(self, text: str) -> str:
        return self.known(text) or text

    def _stated(self, text: str) -> str:
        """Ids, each with its state and an instant in brackets."""
        return _STATED.sub(lambda found: f"({self._code(found[1])},", text)

    def _pairs(self, text: str) -> str:
        """Names and what they become: "a" to "b", "c" to "d"."""
        return text.replace(_RENAMED, catalogue(self._language, "answers.")[_RENAMED])


NUMBERS = frozenset({"sum", "number", "other", "most", "measure"})
"""Values that are numbers, amounts or what these are measured in."""
SENTENCES = frozenset({"cause", "apart", "what"})
"""Values that may be sentences of the API themselves; `what` is nothing else, the others may be what a person wrote."""


def _candidates(language: str, text: str) -> Iterator[tuple[str, str]]:
    texts = catalogue(language, "answers.")
    if text in texts:
        yield text, texts[text]
    by_word = _by_first_word(language)
    first = _FIRST_WORD.match(text)
    yield from by_word.get(first[0] if first else "", ())
    yield from by_word.get("", ())


@cache
def _by_first_word(language: str) -> Mapping[str, Sequence[tuple[str, str]]]:
    """The sentences by the word that they begin with; those that begin with a value by nothing. What has most fixed
    characters comes first: of two that fit it says more.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    texts = catalogue(language, "answers.")
    for sentence, said in sorted(texts.items(), key=lambda one: -len(re.sub(r"\{\w+\}", "", one[0]))):
        first = _FIRST_WORD.match(sentence)
        followed = sentence[first.end() : first.end() + 1] if first else ""
        found.setdefault(first[0] if first and followed != "{" else "", []).append((sentence, said))
    return found
