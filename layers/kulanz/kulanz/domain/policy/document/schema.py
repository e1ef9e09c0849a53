"""The JSON Schemas of policies and data files, from the declarations that read them: for completion in an editor."""

import json
from typing import Any

from kulanz.domain.policy.document.data_files import DATA_FILE
from kulanz.domain.policy.document.document import POLICY
from kulanz.domain.policy.document.shape import Part


def policy_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a policy document."""
    return schema_of(POLICY, "A policy of Kulanz")


def data_file_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a data file that policies take in."""
    return schema_of(DATA_FILE, "A data file of policies of Kulanz")


def schema_of(part: Part, title: str) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a document that a part declares."""
    definitions: dict[str, Any] = {}
    root = part.schema(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text(schema: dict[str, Any]) -> str:
    """Give a schema as the text that is kept beside the documentation."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
