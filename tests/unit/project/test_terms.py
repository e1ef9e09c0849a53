"""Texts for people use the terms of the glossary: phrases that carry an old meaning are found and named.

Phrases, not words: a list of accounts is still a list, and a story is still told.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
GLOSSARY_TERMS_MOST = 25
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md"))]
SCHEMAS = sorted((PROJECT / "docs" / "schemas").glob("*.json"))
SOURCES = [
    path
    for folder in ("cli", "local", "layers/kulanz", "functions")
    for path in sorted((PROJECT / folder).rglob("*.py"))
]
FEWEST_SOURCES = 200
"""Fewer are not the project."""
INSTEAD = {
    r"what became of": "write result, or what happened to",
    r"\bthe fate\b|\bfate of\b": "write result",
    r"\bclass(es)? of (a |the |each )?lines?\b|\bin exactly one class\b|\blines? and class(es)?\b": "result (of a row)",
    r"\b(the|its|their|finance's) books\b|\bbooks (differ|balance|agree|by|have)\b|\bbook does not balance": (
        "reconciliation"
    ),
    r"\bkept facts?\b|\bfacts? (that is|that are) kept\b|\bkeeps facts\b": "history",
    r"\bstands? before\b|\bwhat stood before\b": "earlier decision",
    r"\ba person decides\b|\bask for a person\b": "manual review",
    r"\blist prices?\b": "AWS cost, or AWS prices",
    r"\b(is|are|was|were) told (as|by|on|once|again|of|with|under)\b": "is reported, is named, is sent",
    r"\b(tells|tell) (of|which|where|how many|how much|every|what (a|the|it))\b": "reports, shows, names",
    r"\b(event|file|figures?|header|message|record|report|request|revision|state)s? tells?\b": "states, reports, shows",
    r"\b(mend|mends|mended) (the|it|a|them|their|its)\b": "fix",
    r"\b(campaign|it|that) rests\b|\bis at rest\b": "has stopped, is finished",
    r"\b(a|the|each|every|which|per|one) units? (is|are|was|were|has|had|that|may|of an account)\b": "subject",
    r"\bunits (on the list|have been|are decided|were)\b": "subjects",
    r"\btiles? the list\b": "cover the list without gap or overlap",
}


type Placed = tuple[int, str]
"""A line, and what stands in it."""


@cache
def words_of(path: Path) -> tuple[Sequence[Placed], Sequence[Placed]]:
    """The texts of a source that people may read, and what it defines for others.

    The texts are every string that is not a docstring; what it defines are its modules' and classes' names, and the
    names in their bodies.
    """
    texts: list[Placed] = []
    names: list[Placed] = [(1, path.stem)]
    documented, tree = set[int](), ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):  # a parent comes before its parts
        if isinstance(body := getattr(node, "body", None), list):
            documented |= {
                id(one.value) for one in body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
            }
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            texts.append((node.lineno, node.value))
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append((node.lineno, node.name))
        if isinstance(node, ast.Module | ast.ClassDef):
            for one in node.body:
                targets = one.targets if isinstance(one, ast.Assign) else [getattr(one, "target", None)]
                names += ((one.lineno, target.id) for target in targets if isinstance(target, ast.Name))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.attr))
    return texts, names


def descriptions(content: Any) -> Iterator[str]:
    """The texts of a schema for people."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name in ("description", "title") and isinstance(value, str):
                yield value
            else:
                yield from descriptions(value)
    elif isinstance(content, list):
        for item in content:
            yield from descriptions(item)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file for people, each with its line."""
    if path.suffix == ".py":
        yield from words_of(path)[0]
    elif path.suffix == ".json":
        yield from ((0, text) for text in descriptions(json.loads(path.read_text(encoding="utf-8"))))
    else:
        yield 1, path.read_text(encoding="utf-8")


ANY_PHRASE = re.compile("|".join(f"(?:{phrase})" for phrase in INSTEAD).replace(" ", r"\s+"), re.IGNORECASE)
"""Nearly every text has none of them: one look tells."""
PHRASES = {re.compile(phrase.replace(" ", r"\s+"), re.IGNORECASE): instead for phrase, instead in INSTEAD.items()}


def old_meanings(path: Path) -> list[str]:
    found = []
    for line, text in texts(path):
        if ANY_PHRASE.search(text) is None:
            continue
        for phrase, instead in PHRASES.items():
            for match in phrase.finditer(text):
                place = line + text.count("\n", 0, match.start())
                found.append(f"{path.relative_to(PROJECT)}:{place}: {match[0]!r}: say {instead}")
    return found


def test_no_text_for_people_uses_a_phrase_with_an_old_meaning() -> None:
    paths = [*PAGES, *SCHEMAS, *SOURCES, PROJECT / "template.yaml"]
    assert len(SOURCES) > FEWEST_SOURCES
    assert [found for path in paths for found in old_meanings(path)] == []


OLD_NAMES = re.compile(
    r"(?i:(^|_)(told|tell|tells|teller|fate|books|deed|mend))(_|$)|Told|Tell"
    r"|KeptEntry|PARTS_KEPT|KEPT_(PER|WRITE)|(^|_)kept_(content|values|facts?|entr|history)"
)
"""In names of modules, classes, functions and fields. A request that waits is kept, and a story is told."""
STORIES = PROJECT / "local" / "kulanz_local" / "stories"


def test_no_name_that_a_contributor_meets_has_an_old_meaning() -> None:
    paths = [path for path in SOURCES if not path.is_relative_to(STORIES)]
    is_old = cache(OLD_NAMES.search)
    found = [
        f"{path.relative_to(PROJECT)}:{line}: {name}"
        for path in paths
        for line, name in words_of(path)[1]
        if is_old(name)
    ]
    assert found == []


@pytest.mark.parametrize(
    "name", ["ChunkTold", "told_rule", "_tell", "_told", "KeptEntry", "PARTS_KEPT", "kept_content"]
)
def test_the_search_finds_an_old_name(name: str) -> None:
    assert OLD_NAMES.search(name)


@pytest.mark.parametrize(
    "text",
    [
        "what became of a decided line in the ledger", "the books differ", "an event tells what happened",
        "until a person decides", "kept facts", "a campaign rests", "every unit has at most one decision",
    ],
)  # fmt: skip
def test_the_search_finds_an_old_meaning(text: str) -> None:
    assert any(re.search(phrase, text, re.IGNORECASE) for phrase in INSTEAD)


def test_the_glossary_is_short_sorted_and_has_one_sentence_for_each_term() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", (PROJECT / "docs" / "glossary.md").read_text(), re.MULTILINE
    )
    rows = [row for row in rows if row[0] != "term" and not row[0].startswith("-")]
    assert 1 < len(rows) <= GLOSSARY_TERMS_MOST
    assert [term for term, _, _ in rows] == sorted((term for term, _, _ in rows), key=str.casefold)
    for term, meaning, _ in rows:
        assert meaning.endswith("."), term
        assert ". " not in meaning, f"{term}: one sentence"
