"""*Policies*: the rulebook as it is published, and a rule with its examples, to be tried with facts of one's own."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kulanz.domain.policy import PolicyError
from kulanz_console.drawing.yaml_text import yaml_text
from kulanz_console.paths import segment
from kulanz_console.views.try_policy import trial_of
from kulanz_console.visit import Shown, Visit

COLUMNS = 96
TEXTS_KEPT = 64
"""Policies and examples that are kept as texts: what is published never changes, and one is read again and again."""


def show(visit: Visit) -> Shown:
    """Every published version, by policy."""
    found, is_more = visit.pages("policies.published", "policies")
    versions: dict[str, list[Any]] = {}
    for one in found:
        versions.setdefault(one["id"], []).append(one)
    content = {"policies": versions, "is_more": is_more}
    return Shown("policies.html", visit.words("Policies"), content)


def show_one(visit: Visit) -> Shown:
    """A version: its text, and the examples that it was published with."""
    found = visit.ask("policies.one", None, policy=visit.of["policy"], version=visit.of["version"])
    document = found["document"]
    text = _text(document["policy"])
    trial, untried = None, ""
    try:
        trial = trial_of(visit, document)
    except PolicyError as problem:  # published by another release, whose language this one does not read
        untried = str(problem)
    examples = [(_says(one), _text(one)) for one in found["examples"] or ()]
    content = {
        "policy": found, "heading": str(document["policy"].get("title", found["id"])), "text": text,
        "examples": examples, "trial": trial, "untried": untried,
        "path": f"/policy/{segment(found['id'])}/{found['version']}",
    }  # fmt: skip
    title = visit.words("Policy {policy}, version {version}", policy=found["id"], version=found["version"])
    return Shown("policy.html", title, content)


def _text(content: Any) -> str:
    return _text_of(json.dumps(content))


@lru_cache(TEXTS_KEPT)
def _text_of(written: str) -> str:
    return yaml_text(json.loads(written), COLUMNS)


def _says(example: Mapping[str, Any]) -> str:
    """An example by its id, and how its author came to what it expects."""
    return ": ".join(str(example[name]) for name in ("id", "derivation") if example.get(name))
