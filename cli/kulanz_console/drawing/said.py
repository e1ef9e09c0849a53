"""Sentences with values: English as a text, and still known by what they say, for a page in another language."""

from collections.abc import Iterable, Mapping
from typing import Self


class Said(str):  # noqa: SLOT000 (it has two values beside its text)
    """A text of ours with its values in it. `text` is what it says, with the places of its values; pages look it up."""

    text: str
    values: Mapping[str, str]

    def __new__(cls, text: str, **values: str) -> Self:
        made = super().__new__(cls, text.format(**values))
        made.text, made.values = text, values
        return made


class Given(str):
    """A text that somebody outside wrote, such as an id, a reason or a bill's number: the same in each language."""

    __slots__ = ()


def joined(separator: str, parts: Iterable[str]) -> Said:
    """Some texts as one, each of which is still known. What is empty is left out."""
    named = {f"p{number}": one for number, one in enumerate(part for part in parts if part)}
    return Said(separator.join(f"{{{name}}}" for name in named), **named)
