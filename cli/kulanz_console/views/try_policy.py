"""*Try it*: what a published policy decides of facts that a person fills in, with its steps. Nothing is written.

It is decided on this side by the same engine, over the document as it was published.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from kulanz.domain.incident import Incident
from kulanz.domain.lists.cells import YES_NO
from kulanz.domain.lists.facts import FactError
from kulanz.domain.policy import PolicyDocument, PolicyError, compile_policy, document_from_json, freeze
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import TimeError, Window, parse_instant
from kulanz_console import answered
from kulanz_console.visit import Visit

FACT, CHOICE = "fact_", "choice_"
"""What the names of fields begin with: facts of the account or the incident, and choices of the policy's parameters."""
DOCUMENTS_KEPT = 16
"""Policies that are kept as they were read: what is published never changes."""
_document = lru_cache(DOCUMENTS_KEPT)(document_from_json)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form. `choices` by their values, empty for a text."""

    name: str
    label: str
    choices: Mapping[str, str]
    value: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What was decided, in a few words and in steps; or what is wrong with a value."""

    decision: str = ""
    steps: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """The form with what was filled in, and what came of it; None before it was sent."""

    fields: tuple[Field, ...]
    windows: str
    cause: str
    functions: str
    decided_at: str
    tried: Tried | None


def trial_of(visit: Visit, published: Mapping[str, Any]) -> Trial:
    """The form for a policy, and the decision where it was sent. Raises PolicyError for a policy of another release."""
    document = _document(json.dumps(published).encode())
    query = {name: text.strip() for name, text in visit.query.items()}
    facts = tuple(
        Field(
            f"{FACT}{name}", f"{name} ({fact.type})",
            {one: one for one in fact.choices} or ({"yes": "yes", "no": "no"} if fact.type == "yes_no" else {}),
            query.get(f"{FACT}{name}", ""),
        )
        for name, fact in document.policy.facts.items()
    )  # fmt: skip
    choices = tuple(
        Field(f"{CHOICE}{name}", name, parameter.choices, query.get(f"{CHOICE}{name}", parameter.default))
        for name, parameter in document.policy.parameters.items()
    )
    return Trial(
        fields=(*facts, *choices),
        windows=query.get("windows", ""),
        cause=query.get("cause", ""),
        functions=query.get("functions", ""),
        decided_at=query.get("decided_at", ""),
        tried=_tried(document, query, visit.now) if "try" in query else None,
    )


def _tried(document: PolicyDocument, query: Mapping[str, str], now: datetime) -> Tried:
    """Decide it. What is wrong with a value is said, without the value."""
    try:
        windows = tuple(_window(line.strip()) for line in query.get("windows", "").splitlines() if line.strip())
        stated = query.get("decided_at") or ""
        ends = [window.end for window in windows if window.end is not None]
        decided_at = parse_instant(stated) if stated else max(ends, default=now)
        chosen = {name.removeprefix(CHOICE): text for name, text in query.items() if name.startswith(CHOICE) and text}
        facts = {
            name: _cell(document, name, text) for name in document.policy.facts if (text := query.get(FACT + name))
        }
        happened = Incident(
            incident_id="tried", revision=1, title="Tried", service="", windows=windows,
            functions=tuple(part.strip() for part in query.get("functions", "").split("|") if part.strip()),
            cause=query.get("cause") or None,
        )  # fmt: skip
        policy = compile_policy(freeze(document, chosen), happened, decided_at)
        values = tuple(fact.parse_json(facts.get(fact.name)) for fact in policy.facts)
        found = explain(policy, values, policy.history_as_stated(facts))
    except (PolicyError, FactError, TimeError) as problem:
        return Tried(problem=str(problem))
    return Tried(answered.summary(found.decision), tuple(found.steps))


def _cell(document: PolicyDocument, name: str, text: str) -> object:
    """A field as the cell of a list is read."""
    return YES_NO.get(text, text) if document.policy.facts[name].type == "yes_no" else text


def _window(line: str) -> Window:
    start, slash, end = (part.strip() for part in line.partition("/"))
    if not slash:
        raise TimeError("a window: expected START/END, or START/.. while it lasts")
    window = Window(parse_instant(start), None if end == ".." else parse_instant(end))
    if window.end is not None and window.end <= window.start:
        raise TimeError("a window: expected an end after its start")
    return window
