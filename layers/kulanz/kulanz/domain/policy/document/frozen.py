"""A policy as bytes: its published form, and its frozen form with the parameters that a campaign chose.

Both are compact JSON in the order in which the policy is written (the order of tiers means something). What only tests
read is left out, so that two policies with the same bytes decide the same.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from kulanz.domain.policy.document.document import PolicyDocument, read_document
from kulanz.domain.policy.language.errors import PolicyError

FORMAT = 1
MAX_PUBLISHED_BYTES = 256 * 1024
"""Of a published form; what is longer is no policy that a campaign could be opened under."""
MAX_EXAMPLES_BYTES = 1024 * 1024
"""Of the worked examples that are published beside a policy, as JSON. An answer of the API has at most 5 MiB."""
MAX_FROZEN_BYTES = 512 * 1024


def document_json(document: PolicyDocument) -> bytes:
    """Give the published form of a document: what a bucket stores for its version."""
    return _dump({"format": FORMAT, **_content(document)})


def document_from_json(published: bytes) -> PolicyDocument:
    """Read a published form, checking it again. Raises ``PolicyError``."""
    document, _ = _read(published)
    return document


def freeze(document: PolicyDocument, parameters: Mapping[str, str] | None = None) -> bytes:
    """Give the frozen form: the document with every parameter resolved. Raises ``PolicyError`` for a wrong one."""
    chosen = resolve_parameters(document, parameters or {})
    return _dump({"format": FORMAT, **_content(document), "parameters": chosen})


def read_frozen(frozen: bytes) -> tuple[PolicyDocument, dict[str, str]]:
    """Read the document and the parameters of a frozen form, checking it again. Raises ``PolicyError``."""
    document, parameters = _read(frozen)
    return document, resolve_parameters(document, parameters)


def policy_hash(frozen: bytes) -> str:
    """Give the SHA-256 of a frozen or published form, in hex."""
    return sha256(frozen).hexdigest()


def content_hash(document: PolicyDocument) -> str:
    """Give the SHA-256 of what a version says, as sealed for published versions: without resolved holidays."""
    return sha256(_dump({"policy": _content(document)["policy"]})).hexdigest()


def resolve_parameters(document: PolicyDocument, chosen: Mapping[str, str]) -> dict[str, str]:
    """Give the value of every parameter, chosen or default. Raises ``PolicyError`` for one that does not exist."""
    declared = document.policy.parameters
    for name in chosen:
        if name not in declared:
            known = ", ".join(declared) or "this policy has none"
            raise document.located(PolicyError(f"there is no parameter {name!r}; known: {known}", ("parameters",)))
    resolved = {}
    for name, parameter in declared.items():
        value = chosen.get(name, parameter.default)
        if value not in parameter.choices:
            expected = ", ".join(parameter.choices)
            raise document.located(PolicyError(f"expected one of {expected}", ("parameters", name)))
        resolved[name] = value
    return resolved


def _content(document: PolicyDocument) -> dict[str, Any]:
    content: dict[str, Any] = {"policy": {key: value for key, value in document.data.items() if key != "test"}}
    if document.holidays:
        content["holidays"] = list(document.holidays)
    if document.worked:
        content["worked"] = list(document.worked)
    return content


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _read(data: bytes) -> tuple[PolicyDocument, dict[str, str]]:
    if len(data) > MAX_FROZEN_BYTES:
        raise PolicyError(f"expected at most {MAX_FROZEN_BYTES} bytes")
    try:
        content = json.loads(data)
    except ValueError:
        raise PolicyError("expected a policy as JSON, as it was published") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PolicyError(f"expected a policy of format {FORMAT}; publish it again with this version")
    holidays, worked = content.get("holidays", []), content.get("worked", [])
    parameters = content.get("parameters", {})
    if not isinstance(holidays, list) or not isinstance(worked, list) or not isinstance(parameters, dict):
        raise PolicyError("expected holidays as a list and parameters as names and choices; publish it again")
    return read_document(content.get("policy"), holidays=tuple(holidays), worked=tuple(worked)), parameters
