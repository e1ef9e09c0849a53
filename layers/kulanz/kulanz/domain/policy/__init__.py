"""The policy language: from a YAML document to a decision for each account, with its explanation.

``load_policy`` reads a file, ``freeze`` gives the bytes a campaign keeps, ``compile_policy`` makes them decide.
"""

from typing import TYPE_CHECKING

from kulanz.domain.policy.deciding.compiled import CompiledPolicy, Explanation, check, compile_policy, unread_facts
from kulanz.domain.policy.document.document import PolicyDocument
from kulanz.domain.policy.document.frozen import content_hash, document_from_json, document_json, freeze, policy_hash
from kulanz.domain.policy.language.errors import PolicyError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CompiledPolicy",
    "Explanation",
    "PolicyDocument",
    "PolicyError",
    "check",
    "compile_policy",
    "content_hash",
    "document_from_json",
    "document_json",
    "freeze",
    "load_policy",
    "policy_hash",
    "unread_facts",
]


def load_policy(source: "Path | str") -> PolicyDocument:
    """Read and check a policy from a file or its text. Raises ``PolicyError`` with file, line and what to do."""
    from kulanz.domain.policy.document.yaml_source import load_policy as load  # noqa: PLC0415 (it brings YAML, which no worker needs)

    return load(source)
