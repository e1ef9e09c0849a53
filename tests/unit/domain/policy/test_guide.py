"""Every policy in the guide can be used, and every example under it comes out as written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kulanz.domain.policy import PolicyDocument
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.data_files import load_data_file
from kulanz.domain.policy.document.schema import data_file_schema, policy_schema
from kulanz.domain.policy.document.strict_yaml import read_yaml
from kulanz.domain.policy.language.calendars import calendar_functions
from kulanz.domain.policy.language.functions import operators
from kulanz_cli.policy_examples import run

GUIDE = (Path(__file__).parents[4] / "docs" / "policy-guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|json)\n(.*?)```", GUIDE, re.DOTALL)
DATA_FILES = {match[1]: text for kind, text in BLOCKS if (match := re.search(r"^data: (.*)$", text, re.MULTILINE))}
POLICIES = [text for kind, text in BLOCKS if kind == "yaml" and text not in DATA_FILES.values()]


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Pair every example with the policy above it."""
    pairs, policy = [], ""
    for kind, text in BLOCKS:
        if kind == "yaml":
            policy = text if text in POLICIES else policy
        else:
            pairs += [(policy, example) for example in json.loads(text)]
    return pairs


def name_of(text: str) -> str:
    return next(line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: "))


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], PolicyDocument]:
    """Load a policy of the guide from a book that has the guide's data files."""
    (tmp_path / "data").mkdir()
    for name, text in DATA_FILES.items():
        (tmp_path / "data" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def loaded(text: str) -> PolicyDocument:
        file = tmp_path / name_of(text) / "1.yaml"
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
        return load_policy(file)

    return loaded


@pytest.mark.parametrize("text", DATA_FILES.values(), ids=DATA_FILES.keys())
def test_every_data_file_of_the_guide_can_be_used(text: str, tmp_path: Path) -> None:
    file = tmp_path / f"{next(name for name, known in DATA_FILES.items() if known == text)}.yaml"
    file.write_text(text, encoding="utf-8")
    load_data_file(file)
    jsonschema.Draft202012Validator(data_file_schema()).validate(read_yaml(text, "")[0])


@pytest.mark.parametrize("text", POLICIES, ids=name_of)
def test_every_policy_of_the_guide_can_be_used(text: str, load: Callable[[str], PolicyDocument]) -> None:
    load(text)
    data, _ = read_yaml(text, "")
    jsonschema.Draft202012Validator(policy_schema()).validate(data)


@pytest.mark.parametrize(("text", "example"), examples(), ids=[name_of(text) for text, _ in examples()])
def test_every_example_of_the_guide_comes_out_as_written(
    text: str, example: dict[str, Any], load: Callable[[str], PolicyDocument]
) -> None:
    result = run(load(text), example)
    assert result.holds, f"{result.differences}\n{result.explanation}"


@pytest.mark.parametrize("name", sorted(name for name in operators() | calendar_functions(None) if name.isidentifier()))
def test_every_function_is_in_the_guide(name: str) -> None:
    word = {"known": "is known", "negative": "-a", "and": "a and b", "or": "a or b", "in": "in [", "has": "has"}.get(
        name
    )
    assert (word or f"{name}(" if name != "not" else "not a") in GUIDE
