"""Every policy in the guide can be used, and every example under it comes out as written."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kulanz.domain.policy import load_policy
from kulanz.domain.policy.calendars import calendar_functions
from kulanz.domain.policy.functions import operators
from kulanz.domain.policy.schema import policy_schema
from kulanz.domain.policy.strict_yaml import read_yaml
from kulanz_cli.policy_examples import run

GUIDE = (Path(__file__).parents[3] / "docs" / "policy-guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|json)\n(.*?)```", GUIDE, re.DOTALL)
POLICIES = [text for kind, text in BLOCKS if kind == "yaml"]


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Pair every example with the policy above it."""
    pairs, policy = [], ""
    for kind, text in BLOCKS:
        if kind == "yaml":
            policy = text
        else:
            pairs += [(policy, example) for example in json.loads(text)]
    return pairs


def name_of(text: str) -> str:
    return next(line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: "))


@pytest.mark.parametrize("text", POLICIES, ids=name_of)
def test_every_policy_of_the_guide_can_be_used(text: str) -> None:
    load_policy(text)
    data, _ = read_yaml(text, "")
    jsonschema.Draft202012Validator(policy_schema()).validate(data)


@pytest.mark.parametrize(("text", "example"), examples(), ids=[name_of(text) for text, _ in examples()])
def test_every_example_of_the_guide_comes_out_as_written(text: str, example: dict[str, Any]) -> None:
    result = run(load_policy(text), example)
    assert result.holds, f"{result.differences}\n{result.explanation}"


@pytest.mark.parametrize("name", sorted(name for name in operators() | calendar_functions(None) if name.isidentifier()))
def test_every_function_is_in_the_guide(name: str) -> None:
    word = {"known": "is known", "negative": "-a", "and": "a and b", "or": "a or b", "in": "in [", "has": "has"}.get(
        name
    )
    assert (word or f"{name}(" if name != "not" else "not a") in GUIDE
