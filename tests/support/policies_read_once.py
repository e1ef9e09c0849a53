"""Reads each text of a policy once: scanning YAML takes longer than anything else that is done with it.

A process of tests reads the policies of the book dozens of times. What is remembered is remembered as bytes, so that
each reader gets data of its own; a text that is refused is read again, for its message names the file.
"""

import pickle
from typing import Any

from kulanz.domain.policy.document import strict_yaml
from kulanz.domain.policy.language.errors import Path

type Read = tuple[dict[str, Any], dict[Path, int]]
"""The data, and the line of each entry."""


def read_policies_once() -> None:
    """Let every reader of this process share what was read from the same text."""
    reader = strict_yaml._Reader
    whole = reader.document
    known: dict[str, bytes] = {}

    def document(self: strict_yaml._Reader) -> Read:
        if self._source not in known:
            known[self._source] = pickle.dumps(whole(self))
        found: Read = pickle.loads(known[self._source])  # noqa: S301 - these bytes are its own
        return found

    reader.document = document  # type: ignore[method-assign] # it gives what the method gives
