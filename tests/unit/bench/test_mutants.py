"""The run that changes money and exposure in every place: what it tries, and what it does not expect to be noticed."""

import ast

from bench.mutants import EXPLAINED, SOURCES, TARGETS, Coverage, mutants


def tried(module: str) -> set[tuple[str, str, str]]:
    path = SOURCES / f"{module.replace('.', '/')}.py"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = mutants(ast.parse(text), path)
    return {(lines[mutant.line - 1].strip(), mutant.before, mutant.after) for mutant in found}


def test_only_changes_that_are_tried_are_explained() -> None:
    every = set[tuple[str, str, str]]().union(*(tried(module) for module in TARGETS))
    assert set(EXPLAINED) <= every, "a line has changed: explain it again, or see that a test notices it by now"
    assert len(every) > 10 * len(EXPLAINED)


def test_a_change_is_tried_by_the_tests_that_run_it_and_the_quickest_first() -> None:
    coverage = Coverage(
        imported={1}, lines={"slow": {1, 5}, "quick": {5}, "other": {7}}, seconds={"slow": 9, "quick": 1, "other": 2}
    )
    assert coverage.tests_of(5) == ["quick", "slow"]
    assert coverage.tests_of(1) == ["quick", "other", "slow"]
    assert coverage.tests_of(99) == []
