"""The gallery of explanations: of every rule what it tells somebody who gets something, and somebody who does not.

`python -m tests.support.gallery` writes it again; read what changed as the customer would.
"""

from collections.abc import Iterator
from pathlib import Path

from kulanz_cli.policy_examples import run
from kulanz_cli.rulebook import BOOK, Rule, latest_rules

GALLERY = Path(__file__).parents[1] / "unit" / "domain" / "policy" / "explanations.txt"
COMMAND = "python -m tests.support.gallery"


def shown(rule: Rule) -> Iterator[str]:
    """The ids of the first example that entitles somebody, and of the first that does not."""
    for entitles in (True, False):
        outcomes = ((example, (example.get("expected") or {}).get("outcome")) for example in rule.examples)
        yield from [str(example["id"]) for example, outcome in outcomes if (outcome == "entitled") is entitles][:1]


def gallery() -> str:
    """Every explanation, one step a line."""
    parts = []
    for rule in latest_rules(BOOK):
        ids = list(shown(rule))
        parts += [
            f"{example['id']}\n{run(rule.document, example).explanation}\n"
            for example in rule.examples
            if example["id"] in ids
        ]
    return "\n".join(parts)


if __name__ == "__main__":
    GALLERY.write_text(gallery(), encoding="utf-8")
