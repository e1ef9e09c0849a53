"""Mutation testing of money, exposure and time: every operator, comparison, number, max and min changed, one at a time.

`make mutants` runs it. A mutant that its tests do not notice is printed, and makes the run fail unless it is explained
here. Each mutant is a forked process in which the module is imported with the change; it runs only the tests that run
the changed line, the quickest first, and stops at the first that fails.
"""

import argparse
import ast
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "layers" / "kulanz"
TARGETS = {
    "kulanz.domain.money": ("tests/unit/domain/policy/test_money.py",),
    "kulanz.domain.policy.language.exposure": ("tests/unit/domain/policy/test_exposure.py",),
    "kulanz.domain.campaigns.limits": (
        "tests/unit/domain/campaigns/test_limits.py",
        "tests/unit/domain/lists/test_border_table.py",
    ),
    "kulanz.domain.time": ("tests/unit/domain/policy/test_time.py", "tests/unit/domain/policy/test_edges.py"),
}
SECONDS_PER_MUTANT = 120
"""A mutant that loops for ever is noticed by this alarm."""
SIGN = "return (quotient if numerator >= 0 else -quotient) * step"
BEFORE_GAP = "low, high = instant - 24 * 3600 * SECOND_MICROSECONDS, instant"
MONTH_BEFORE = "start = _billing_day(add_months(day.replace(day=1), -1), day_of_month)"
MONTH_AFTER = "end = _billing_day(add_months(start.replace(day=1), 1), day_of_month)"
CLIP_START = "if kept and start is not None and kept[0][0] < start:"
CLIP_END = "if kept and end is not None and kept[-1][1] > end:"
OF_A_SAMPLE = "if number < (0 if is_whole else ROWS_TO_ESTIMATE) or not _is_over(number, rows, share):"
EXPLAINED = {
    (OF_A_SAMPLE, "0", "1"): "no contradicting row is over no share",
    (CLIP_START, "kept[0][0] < start", "kept[0][0] <= start"): "an equal start is set to itself",
    (CLIP_END, "kept[-1][1] > end", "kept[-1][1] >= end"): "an equal end is set to itself",
    (
        "if end < other_end:",
        "end < other_end",
        "end <= other_end",
    ): "of two that end together, either may be left first",
    (MONTH_BEFORE, "1", "2"): "of that day only the month is used",
    (MONTH_AFTER, "1", "2"): "of that day only the month is used",
    (SIGN, "numerator >= 0", "numerator > 0"): "at zero the quotient is zero, and its sign means nothing",
    ("REMEMBERED_DAYS = 4096", "4096", "4097"): "how many days are remembered changes no result",
    ("if end > merged[-1][1]:", "end > merged[-1][1]", "end >= merged[-1][1]"): "an equal end is set to itself",
    ("if periods and at < periods[-1][1]:", "at < periods[-1][1]", "at <= periods[-1][1]"): "set to what it is",
    (BEFORE_GAP, "24", "25"): "a little longer than the longest gap will do as well",
    (BEFORE_GAP, "3600", "3601"): "a little longer than the longest gap will do as well",
    ("count, last = 0, -1", "1", "2"): "any number below every day will do",
    (SIGN, "0", "1"): "the numerator is whole, so that this too differs at zero alone",
}
"""Mutants that change nothing anybody could notice, by the line they stand in, and why."""
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
OTHER_EXTREME = {"max": "min", "min": "max"}


@dataclass(frozen=True)
class Mutant:
    """A changed module: where, what stood there and what stands there now."""

    line: int
    before: str
    after: str
    code: CodeType


@dataclass
class Coverage:
    """Which lines of the module each test runs, and how long it takes; lines that are run by importing it."""

    imported: set[int] = field(default_factory=set)
    lines: dict[str, set[int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def tests_of(self, line: int) -> list[str]:
        """Give the tests that run a line, the quickest first; all of them where importing runs it."""
        tests = self.lines if line in self.imported else [test for test, lines in self.lines.items() if line in lines]
        return sorted(tests, key=lambda test: self.seconds[test])


def mutants(tree: ast.Module, path: Path) -> Iterator[Mutant]:
    """Change the tree in one place at a time."""
    for node in ast.walk(tree):
        changes: list[tuple[str, object, object]] = []
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
            changes.append(("op", node.op, SWAPS[type(node.op)]()))
        elif isinstance(node, ast.Compare):
            for place, operator in enumerate(node.ops):
                swapped = [*node.ops[:place], SWAPS[type(operator)](), *node.ops[place + 1 :]]
                changes.append(("ops", node.ops, swapped))
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            changes.append(("value", node.value, node.value + 1))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            changes.append(("operand", node.operand, ast.UnaryOp(op=ast.Not(), operand=node.operand)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OTHER_EXTREME:
            changes.append(("func", node.func, ast.Name(OTHER_EXTREME[node.func.id], ast.Load())))
        for name, old, new in changes:
            before = ast.unparse(node)
            setattr(node, name, new)
            changed = compile(ast.fix_missing_locations(tree), str(path), "exec")
            yield Mutant(getattr(node, "lineno", 0), before, ast.unparse(node), changed)
            setattr(node, name, old)


class _Instead(MetaPathFinder, Loader):
    """Imports one module from code that was compiled already."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._module = module
        self._code = code

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 (our own module, changed in one place)


class _Chosen:
    """Keeps the chosen tests, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if _name(item) in self._order), key=lambda item: self._order[_name(item)]
        )


class _Traced:
    """Notes which lines of a file each test runs."""

    def __init__(self, path: Path) -> None:
        self.coverage = Coverage()
        self._path = str(path)
        self._lines = self.coverage.imported
        sys.settrace(self._trace)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != self._path:
            return None
        if event == "line":
            self._lines.add(frame.f_lineno)
        return self._trace

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        name, started = _name(item), time.monotonic()
        self._lines = self.coverage.lines.setdefault(name, set())
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.coverage.seconds[name] = self.coverage.seconds.get(name, 0) + time.monotonic() - started


def _name(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def run(module: str, code: CodeType, plugin: object) -> int:
    """Run the module's tests with this code for it, in this process; give pytest's exit code."""
    signal.alarm(SECONDS_PER_MUTANT)
    sys.meta_path.insert(0, _Instead(module, code))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    options = ["-q", "-x", "-p", "no:cacheprovider", "-o", "filterwarnings=ignore"]  # hypothesis is imported already
    return int(pytest.main([*options, *TARGETS[module]], plugins=[plugin]))


def in_a_fork(module: str, code: CodeType, plugin: object) -> int:
    """Start a process that runs the tests and leaves with 0 only if all pass; give its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        status = run(module, code, plugin)
    finally:
        os._exit(status)


def coverage_of(module: str, code: CodeType, path: Path) -> Coverage:
    """Run every test on the module as it is, and see what each one runs."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            traced = _Traced(path)
            status = run(module, code, traced)
            told = traced.coverage
            lines = {name: sorted(lines) for name, lines in told.lines.items()}
            with os.fdopen(writing, "w") as pipe:
                json.dump([sorted(told.imported), lines, told.seconds], pipe)
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise SystemExit(f"the tests of {module} must pass before anything is changed")
    imported, lines, seconds = json.loads(text)
    return Coverage(set(imported), {name: set(ran) for name, ran in lines.items()}, seconds)


def survivors(module: str, path: Path, jobs: int) -> Iterator[tuple[int, Mutant | None]]:
    """Try every mutant of a module, so many at a time; give those that no test noticed, and last their number."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    coverage = coverage_of(module, compile(tree, str(path), "exec"), path)
    running: dict[int, Mutant] = {}
    tried = 0
    for mutant in mutants(tree, path):
        tried += 1
        tests = coverage.tests_of(mutant.line)
        if not tests:
            yield tried, mutant
            continue
        if len(running) >= jobs:
            yield from _ended(running, tried)
        running[in_a_fork(module, mutant.code, _Chosen(tests))] = mutant
    while running:
        yield from _ended(running, tried)
    yield tried, None


def _ended(running: dict[int, Mutant], tried: int) -> Iterator[tuple[int, Mutant]]:
    child, status = os.wait()
    mutant = running.pop(child)
    if os.waitstatus_to_exitcode(status) in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"the tests of line {mutant.line} were not found")
    if status == 0:
        yield tried, mutant


def main() -> None:
    """Try every mutant; leave with 1 if one survives that is not explained, or an explanation is of none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--module", choices=TARGETS, action="append", help="only this module")
    options = parser.parse_args()
    os.chdir(ROOT)
    hypothesis.settings.register_profile("mutants", database=None, derandomize=True)
    hypothesis.settings.load_profile("mutants")  # the tests' own profile is made from it
    unexplained, used = 0, set()
    for module in options.module or TARGETS:
        path = SOURCES / f"{module.replace('.', '/')}.py"
        source, started, survived = path.read_text(encoding="utf-8").splitlines(), time.monotonic(), 0
        for tried, mutant in survivors(module, path, options.jobs):
            if mutant is None:
                seconds = round(time.monotonic() - started)
                noticed = tried - survived
                print(
                    f"{module}: {tried} mutants tried in {seconds} s, {noticed} noticed, {survived} survived",
                    flush=True,
                )
                continue
            survived += 1
            key = (source[mutant.line - 1].strip(), mutant.before, mutant.after)
            why = EXPLAINED.get(key)
            used.add(key)
            unexplained += why is None
            change = f"{path.relative_to(ROOT)}:{mutant.line}: {mutant.before} -> {mutant.after}"
            print(f"{change}: {why or 'was not noticed'}", flush=True)
    idle = [] if options.module else [key for key in EXPLAINED if key not in used]
    for key in idle:
        print(f"explained, but noticed by now or gone: {key}")
    print(f"{unexplained} survived unexplained")
    sys.exit(1 if unexplained or idle else 0)


if __name__ == "__main__":
    main()
