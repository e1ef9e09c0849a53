"""Mutation testing of money and exposure: every operator, comparison and number changed, one at a time.

Run ``python bench/mutants.py``; a mutant that its tests do not notice is printed, and makes the run fail unless it is
explained here. It works on a copy, takes some minutes of one core, and needs nothing but the tests' own environment.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOMAIN = Path("layers/kulanz/kulanz/domain")
TARGETS = (
    (DOMAIN / "money.py", "tests/unit/policy/test_money.py"),
    (DOMAIN / "policy" / "exposure.py", "tests/unit/policy/test_exposure.py"),
)
TEST_TIMEOUT_SECONDS = 120
SIGN = "return (quotient if numerator >= 0 else -quotient) * step"
BEFORE_GAP = "low, high = instant - 24 * 3600 * SECOND_MICROSECONDS, instant"
MASK = "(clock(day, start_minutes, zone), clock(day + later, end_minutes, zone)) for day in range(first, last + 1)"
MONTH_BEFORE = "start = _billing_day(add_months(day.replace(day=1), -1), day_of_month)"
MONTH_AFTER = "end = _billing_day(add_months(start.replace(day=1), 1), day_of_month)"
EXPLAINED = {
    (MASK, "1", "2"): "a mask may reach a day beyond the outage",
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


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Change the tree in one place at a time; give the line, what stood there and what stands there now."""
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
        for name, old, new in changes:
            before = ast.unparse(node)
            setattr(node, name, new)
            yield getattr(node, "lineno", 0), before, ast.unparse(node)
            setattr(node, name, old)


def notices(copy: Path, tests: str) -> bool:
    """Run the tests in the copy; say whether they fail."""
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(copy / "layers" / "kulanz"), str(copy / "cli"), str(copy)]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", tests]
    try:
        done = subprocess.run(  # noqa: S603 (our own tests)
            command, cwd=copy, env=environment, capture_output=True, timeout=TEST_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> None:
    """Try every mutant; leave with 1 if one survives."""
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kulanz"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        for path, tests in TARGETS:
            source = (copy / path).read_text(encoding="utf-8")
            tree = ast.parse(source)
            (copy / path).write_text(ast.unparse(tree), encoding="utf-8")
            assert not notices(copy, tests), "the tests must pass before anything is changed"
            tried = 0
            for line, before, after in mutants(tree):
                (copy / path).write_text(ast.unparse(tree), encoding="utf-8")
                tried += 1
                if not notices(copy, tests):
                    stands_in = source.splitlines()[line - 1].strip()
                    why = EXPLAINED.get((stands_in, before, after))
                    survived += why is None
                    print(f"{path}:{line}: {before} -> {after}: {why or 'was not noticed'}", flush=True)
            (copy / path).write_text(source, encoding="utf-8")
            print(f"{path}: {tried} mutants tried", flush=True)
    print(f"{survived} survived unexplained")
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
