"""Names of columns that are one to whoever wrote them: misspelt, in other words, or as another tool writes letters."""

import re
from collections.abc import Sequence
from unicodedata import combining, normalize

from kulanz.domain.money import is_currency

SHORTEST_MISSPELT = 4
"""Shorter names are too often one letter away from another."""
WORDS_ADDED_MOST = 2
"""Words that a name may have besides those of another: a table before it, a unit or a suffix behind it."""
SHORTEST_ABBREVIATION = 2
_AS_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
"""How names of columns are written by tools that know no other letters."""
_CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|[0-9]+")
_HISSES = tuple(hiss + end for hiss in ("s", "x", "z", "ch", "sh") for end in ("e", "es"))
_FILLERS = frozenset((
    "a", "of", "the", "in", "per", "is", "has", "was", "der", "die", "das", "des", "ist",
    "hat", "war", "de", "la", "el", "du", "le", "il", "di", "da", "do",
))  # fmt: skip


def rests_of(plain: str) -> set[str]:
    """A plain name, and what is left of it without one letter: two names that are nearly one share such a rest."""
    return {plain, *(plain[:place] + plain[place + 1 :] for place in range(len(plain)))}


def is_nearly(column: str, name: str) -> bool:
    """Whether a column's name is another's, misspelt or written in another way.

    So is one that differs in letters' case, separators or one letter; one of the same words in another order, number
    or abbreviation; one with a few words more on either side; and one inside a table or an object (`plan.fee`). Another
    digit is another name: `fee_2025` is not `fee_2024` misspelt.
    """
    plain = plain_name(name)
    return (
        is_slip(plain_name(column), plain)
        or leaf_of(column) == plain
        or are_words_of_one(words_of(column), words_of(name))
    )


def is_slip(here: str, there: str) -> bool:
    """Whether two plain names are equal or differ in one letter."""
    if here == there:
        return True
    if min(len(here), len(there)) < SHORTEST_MISSPELT or abs(len(here) - len(there)) > 1:
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(map(len, (here, there)))
    )
    a, b = here[start:], there[start:]
    if len(a) != len(b):
        longer, shorter = (a, b) if len(a) > len(b) else (b, a)
        return longer[1:] == shorter and not longer[0].isdigit()
    if a[1:] == b[1:]:
        return not (a[0].isdigit() and b[0].isdigit())
    return a[:2] == b[1::-1] and a[2:] == b[2:]


def are_words_of_one(here: Sequence[str], there: Sequence[str]) -> bool:
    """Whether the words of two names say that they are one."""
    fewer, more = sorted((here, there), key=len)
    others, missing = list(more), list[str]()
    for word in fewer:
        others.remove(word) if word in others else missing.append(word)
    if not missing:
        is_alike = not others or (len(others) <= WORDS_ADDED_MOST and not any(map(str.isdigit, others)))
        return is_alike and (len(fewer) > 1 or all(map(is_currency, map(str.upper, others))))
    return len(missing) == len(others) == 1 < len(fewer) and _abbreviates(*sorted((missing[0], others[0]), key=len))


def _abbreviates(short: str, long: str) -> bool:
    """Whether a word is another one cut off (`seg` of segment), or without letters inside (`mthly`, `acct`, `nr`)."""
    if len(short) < SHORTEST_ABBREVIATION or short.isdigit() or short[0] != long[0]:
        return False
    if len(short) > SHORTEST_ABBREVIATION and long.startswith(short):
        return True
    rest = iter(long)
    return short[-1] == long[-1] and all(letter in rest for letter in short)


def _letters(name: str) -> str:
    """A name in small letters, without the marks that some tools cannot write."""
    text = normalize("NFC", name).casefold().translate(_AS_LETTERS)
    return text if text.isascii() else "".join(one for one in normalize("NFKD", text) if not combining(one))


def plain_name(name: str) -> str:
    """The letters and digits of a name, without what tools change: case, marks, and what stands between words."""
    return "".join(filter(str.isalnum, _letters(name)))


def leaf_of(column: str) -> str:
    """What a column is called inside its table or object."""
    return plain_name(column.rpartition(".")[2])


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, one as its plural, without those that say nothing."""
    words = [_singular(word) for word in _WORD.findall(_letters(_CAMEL.sub(" ", name)))]
    return tuple([word for word in words if word not in _FILLERS]) or tuple(words)


def _singular(word: str) -> str:
    """What a word and its plural have in common: `category`, `bonus`, `tax`, `purchas` of purchase and purchases."""
    if len(word) < SHORTEST_MISSPELT:
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(_HISSES):
        return word.removesuffix("s").removesuffix("e")
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
