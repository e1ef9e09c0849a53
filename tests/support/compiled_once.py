"""Compiles each policy once for many runs of a campaign: compiling is pure, and takes longer than a small run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from kulanz.application.campaigns import freeze_policy as freezing_module
from kulanz.application.campaigns import frozen as frozen_module
from kulanz.domain.incident import Incident
from kulanz.domain.policy import CompiledPolicy, compile_policy


@contextmanager
def policies_compiled_once() -> Iterator[None]:
    """Let the use cases share what was compiled from the same bytes, incident and instant."""
    known: dict[tuple[bytes, str, datetime], CompiledPolicy] = {}

    def compiled(frozen: bytes, incident: Incident, decided_at: datetime) -> CompiledPolicy:
        place = frozen, repr(incident), decided_at
        if place not in known:
            known[place] = compile_policy(frozen, incident, decided_at)
        return known[place]

    with (
        patch.object(freezing_module, "compile_policy", compiled),
        patch.object(frozen_module, "compile_policy", compiled),
    ):
        yield
