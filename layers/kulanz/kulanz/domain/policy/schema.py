"""The JSON Schema of a policy file, from the same declaration that reads it: completion and errors in an editor."""

import json
from typing import Any

from kulanz.domain.policy.document import POLICY


def policy_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a policy document."""
    definitions: dict[str, Any] = {}
    root = POLICY.schema(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of Kulanz",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Give the schema as the text that is kept beside the documentation."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
