"""*Policies*: the rulebook as it is published, and a rule with its examples."""

from typing import Any

import yaml

from kulanz_console.visit import Shown, Visit

COLUMNS = 96


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
    text = yaml.safe_dump(document["policy"], sort_keys=False, allow_unicode=True, width=COLUMNS)
    examples = [
        (one, yaml.safe_dump(one, sort_keys=False, allow_unicode=True, width=COLUMNS))
        for one in found["examples"] or ()
    ]
    content = {
        "policy": found, "heading": str(document["policy"].get("title", found["id"])), "text": text,
        "examples": examples,
    }  # fmt: skip
    title = visit.words("Policy {policy}, version {version}", policy=found["id"], version=found["version"])
    return Shown("policy.html", title, content)
