"""The policy language: from a YAML document to a decision for each account, with its explanation.

Four rooms, each of which imports only those before it: ``language`` (what an expression may say), ``document`` (what a
policy file may say), ``deciding`` (what it means for an account) and ``explaining`` (the steps of a decision in words).

What every function needs is offered here: ``freeze`` gives the bytes that a campaign keeps, ``compile_policy`` makes
them decide. What costs a cold start is imported where it stands: ``deciding.checking`` loads and checks a policy file,
``explaining.explanation`` explains a decision.

Each of these names is imported when it is first asked for, so that whoever needs a room need not import all four.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kulanz.domain.policy.deciding.compiled import CompiledPolicy, compile_policy
    from kulanz.domain.policy.document.document import PolicyDocument
    from kulanz.domain.policy.document.frozen import (
        content_hash,
        document_from_json,
        document_json,
        freeze,
        policy_hash,
    )
    from kulanz.domain.policy.language.errors import PolicyError

__all__ = [
    "CompiledPolicy",
    "PolicyDocument",
    "PolicyError",
    "compile_policy",
    "content_hash",
    "document_from_json",
    "document_json",
    "freeze",
    "policy_hash",
]
_MODULES = {
    "deciding.compiled": ("CompiledPolicy", "compile_policy"),
    "document.document": ("PolicyDocument",),
    "document.frozen": ("content_hash", "document_from_json", "document_json", "freeze", "policy_hash"),
    "language.errors": ("PolicyError",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
