"""Compiles each policy once for all tests of a process: compiling is pure, and takes longer than a small run."""

from datetime import datetime
from functools import lru_cache

from kulanz.domain.incident import Incident
from kulanz.domain.policy.deciding import compiled
from kulanz.domain.policy.deciding.compiled import CompiledPolicy

REMEMBERED_MOST = 300
"""Policies that are remembered; a process of tests compiles thousands of them, each for a few tests in a row."""


class _ByContent:
    """An incident or an instant, alike where all of its content is: instants of two zones are equal and not alike."""

    def __init__(self, value: Incident | datetime) -> None:
        self.value, self._content = value, repr(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByContent) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)


def compile_policies_once() -> None:
    """Let all of this process share what was compiled from the same bytes, incident and instant.

    To be called before whoever compiles policies is imported.
    """
    really = compiled.compile_policy

    @lru_cache(REMEMBERED_MOST)
    def remembered(frozen: bytes, incident: _ByContent, decided_at: _ByContent) -> CompiledPolicy:
        assert isinstance(incident.value, Incident)
        assert isinstance(decided_at.value, datetime)
        return really(frozen, incident.value, decided_at.value)

    def compile_policy(frozen: bytes, incident: Incident, decided_at: datetime) -> CompiledPolicy:
        return remembered(frozen, _ByContent(incident), _ByContent(decided_at))

    compiled.compile_policy = compile_policy
