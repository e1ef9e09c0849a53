"""Shared by the tests of policies: compiling a policy's text or file, and building incidents."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from kulanz.domain.decision import Decision
from kulanz.domain.incident import Incident
from kulanz.domain.policy import CompiledPolicy, compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window, format_instant, parse_instant

POLICIES = Path(__file__).parents[4] / "policies"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 5, 4, 8, tzinfo=UTC)


def incident(*windows: tuple[str, str | None], cause: str | None = None, **facts: object) -> Incident:
    parsed = tuple(Window(parse_instant(start), None if end is None else parse_instant(end)) for start, end in windows)
    return Incident("incident-1", 1, "An outage", "service", ("voice", "data"), parsed, cause, facts)


MORNING = incident(("2026-05-04T08:00:00Z", "2026-05-04T12:00:00Z"))


def compiled(
    source: str | Path,
    happened: Incident = MORNING,
    parameters: Mapping[str, str] | None = None,
    decided_at: datetime = NOW,
) -> CompiledPolicy:
    return compile_policy(freeze(_document(source), parameters), happened, decided_at)


_document = cache(load_policy)
"""A document never changes, and reading it takes longer than deciding with it."""


def written(body: str) -> str:
    """Give a policy's text: the four entries every policy has, then the body."""
    return f"kulanz: 1\nid: test\nversion: 1\ntitle: A test\n{body}"


def lasting(seconds: int) -> tuple[str, str]:
    return format_instant(START), format_instant(START + timedelta(seconds=seconds))


def minor(decision: Decision) -> int:
    """What a decision grants, in minor units of whatever currency."""
    return sum(benefit.money.minor for benefit in decision.benefits if benefit.money is not None)
