"""Checking a policy before any incident, by compiling it as a campaign would. No worker imports this."""

from pathlib import Path as FilePath

from kulanz.domain.policy.deciding.compiled import CompiledPolicy
from kulanz.domain.policy.deciding.components import components_of
from kulanz.domain.policy.deciding.program import Program
from kulanz.domain.policy.document.document import Exposure, Policy, PolicyDocument
from kulanz.domain.policy.document.frozen import MAX_PUBLISHED_BYTES, document_json, resolve_parameters
from kulanz.domain.policy.document.yaml_source import read_policy
from kulanz.domain.policy.language.errors import PolicyError


def load_policy(source: FilePath | str) -> PolicyDocument:
    """Read and check a policy, from a path or from its text. Raises ``PolicyError`` with file, line, and what to do."""
    document = read_policy(source)
    check(document)
    return document


def check(document: PolicyDocument) -> None:
    """Check everything of a document that can be wrong before any incident. Raises ``PolicyError`` with the line."""
    if len(document_json(document)) > MAX_PUBLISHED_BYTES:
        problem = f"with its data files it has over {MAX_PUBLISHED_BYTES} bytes when published; shorten lists and texts"
        raise document.located(PolicyError(problem))
    try:
        program = Program(document, resolve_parameters(document, {}), None, None)
        CompiledPolicy(program).must_be_affordable()
        _check_named(program)
        _check_zone(program)
    except PolicyError as error:
        raise document.located(error) from None


def unread_facts(document: PolicyDocument) -> tuple[str, ...]:
    """Name the facts of a checked document that no expression reads: whatever an account's are, nothing changes."""
    program = Program(document, resolve_parameters(document, {}), None, None)
    CompiledPolicy(program)
    read = program.named | {document.policy.zone, document.policy.subject}
    return tuple(name for name in document.policy.facts if name not in read)


def _check_named(program: Program) -> None:
    """Refuse what was written to change decisions and changes none, because nothing names it."""
    policy = program.policy
    for section, named in (("values", policy.values), ("parameters", policy.parameters)):
        for name in named:
            if name not in program.named:
                raise PolicyError("nothing uses it, so it changes nothing; use it, or remove it", (section, name))
    for component, path in components_of(program):
        if component.otherwise and not component.when and not component.for_each:
            raise PolicyError("it is the reason where `when` does not hold, and there is none", (*path, "otherwise"))
    is_read = "outage" in program.named or program.piece_place is not None or _has_periods(policy)
    if policy.exposure != Exposure() and not is_read:
        problem = (
            "nothing reads `outage`, so it changes nothing; where nothing is owed unless some outage is left,"
            " write when: total(outage) > 0 h"
        )
        raise PolicyError(problem, ("exposure",))


def _has_periods(policy: Policy) -> bool:
    """Whether amounts are divided over periods of the calendar."""
    return any(cap.per != "incident" for cap in policy.cap) or any(fact.per for fact in policy.facts.values())


def _check_zone(program: Program) -> None:
    """A rule of a place has its days by the clock of that place; those of another clock begin hours off."""
    policy = program.policy
    each = (policy.for_each, *(component.for_each for component in policy.heads))
    asks = program.scope.asks_clock or _has_periods(policy) or any(unit not in ("", "outage") for unit in each)
    if policy.jurisdiction not in ("", "worldwide") and "zone" not in program.document.data and asks:
        problem = "its days would begin at midnight UTC; name its clock, such as zone: Europe/Berlin, or zone: UTC"
        raise PolicyError(problem, ("jurisdiction",))
