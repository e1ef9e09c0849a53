import json
import re
from pathlib import Path
from statistics import median

import jsonschema
import pytest

from kulanz.domain.policy import content_hash
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.schema import data_file_schema, policy_schema, schema_text
from kulanz.domain.policy.document.strict_yaml import read_yaml
from tests.unit.domain.policy.rulebook import POLICIES

SCHEMAS = POLICIES.parent / "docs" / "schemas"
FILES = sorted(POLICIES.glob("*/[0-9]*.yaml"))
SEALS = json.loads((POLICIES / "sealed.json").read_text(encoding="utf-8"))


def test_the_schemas_in_the_documentation_are_the_language() -> None:
    policies, data = SCHEMAS / "policy.schema.json", SCHEMAS / "policy-data.schema.json"
    assert policies.read_text(encoding="utf-8") == schema_text(policy_schema()), f"kulanz policy schema > {policies}"
    assert data.read_text(encoding="utf-8") == schema_text(data_file_schema()), f"kulanz policy schema --data > {data}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_policy_fits_the_schema(path: Path) -> None:
    data, _ = read_yaml(path.read_bytes(), str(path))
    jsonschema.Draft202012Validator(policy_schema()).validate(data)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_published_version_has_not_changed(path: Path) -> None:
    document = load_policy(path)
    name = f"{document.policy.id}/{document.policy.version}"
    assert name == f"{path.parent.name}/{path.stem}"
    assert content_hash(document) == SEALS[name], "a sealed version never changes: write a new version"


def test_every_seal_has_its_policy() -> None:
    assert {f"{path.parent.name}/{path.stem}" for path in FILES} == set(SEALS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_rule_fits_one_screen_and_says_where_it_applies_and_where_it_is_written(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
    policy = load_policy(path).policy
    assert policy.jurisdiction
    assert policy.sources


def test_a_rule_is_short_when_its_headline_and_sources_are_left_aside() -> None:
    headline = re.compile(r"kulanz:|id:|version:|title:|jurisdiction:|sources:|  - \S+://|$")
    lengths = [
        sum(headline.match(line) is None for line in path.read_text(encoding="utf-8").splitlines()) for path in FILES
    ]
    assert median(lengths) <= 20
