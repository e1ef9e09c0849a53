import json
from pathlib import Path

import jsonschema
import pytest

from kulanz.domain.policy import content_hash, load_policy
from kulanz.domain.policy.schema import policy_schema, schema_text
from kulanz.domain.policy.strict_yaml import read_yaml
from tests.unit.policy.rulebook import POLICIES

SCHEMA_FILE = POLICIES.parent / "docs" / "schemas" / "policy.schema.json"
FILES = sorted(POLICIES.rglob("*.yaml"))
SEALS = json.loads((POLICIES / "sealed.json").read_text(encoding="utf-8"))


def test_the_schema_in_the_documentation_is_the_language() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: kulanz policy schema > " + str(SCHEMA_FILE)


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
def test_every_rule_fits_one_screen(path: Path) -> None:
    written = path.read_text(encoding="utf-8").split("\nrestrictions:")[0].split("\nnotice:")[0].split("\ntest:")[0]
    assert len(written.splitlines()) <= 60
