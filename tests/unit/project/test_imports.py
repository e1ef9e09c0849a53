"""A function imports nothing that it does not need: each package costs every cold start."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

NOT_NEEDED = (
    *("yaml", "holidays", "pydantic", "click", "rich", "jinja2", "babel"),
    "kulanz.domain.policy.deciding.checking",
    "kulanz.domain.policy.explaining",
)


@pytest.mark.parametrize("function", ["grant_credits", "publish_notices", "advance_campaign"])
def test_a_function_starts_without_what_authors_and_commands_need(function: str) -> None:
    program = f"import sys, {function}.handler; print([name for name in {NOT_NEEDED!r} if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own text

    assert told.stdout.strip() == "[]"


NO_GRANT_NEEDS = (
    "kulanz.adapters.campaign_table",
    "kulanz.config.api",
    "kulanz.config.stated",
    "kulanz.domain.budgets",
    "kulanz.domain.byhand",
    "kulanz.domain.delivery.credit",
    "kulanz.domain.gate",
    "kulanz.domain.incident_record",
    "kulanz.domain.people.people",
)


def test_a_worker_starts_without_what_no_grant_needs() -> None:
    program = f"import sys, grant_credits.handler; print([name for name in {NO_GRANT_NEEDS!r} if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own text

    assert told.stdout.strip() == "[]"


ROOT = Path(__file__).parents[3]
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_looks_for_garbage_only_once_all_is_imported(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    program = f"import gc, {path.parent.name}.handler; print(gc.isenabled(), gc.get_freeze_count())"

    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own text

    assert ast.unparse(imports[0]) == "from kulanz.startup import all_imported"
    is_enabled, kept = told.stdout.split()
    assert is_enabled == "True"
    assert int(kept) > IMPORTED_LEAST, "what was imported is looked at again and again"


IMPORTED_LEAST = 20_000
"""Objects: any function imports more than twice as many."""
LOCKS = {
    "functions": ["layers/dependencies/requirements.txt"],
    "functions/serve_console": ["layers/dependencies/requirements.txt", "cli/requirements.txt"],
    "cli/kulanz_console": ["layers/dependencies/requirements.txt", "cli/requirements.txt"],
}
"""What a function has on AWS, by the folder that it imports. An emulator may have more, and hide what is missing."""
OURS = {"kulanz", "kulanz_console", "api", "serve_console"}


def imported(path: Path) -> set[str]:
    """The packages that a module names, wherever in it."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named.add(node.module.partition(".")[0])
    return named - set(sys.stdlib_module_names) - OURS


@pytest.mark.parametrize("folder", LOCKS)
def test_what_a_function_imports_is_in_its_layers(folder: str) -> None:
    locked = {
        line.partition("==")[0].partition("[")[0]
        for lock in LOCKS[folder]
        for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith(" ")
    }
    brings = packages_distributions()
    paths = [
        path for path in (ROOT / folder).rglob("*.py") if folder != "functions" or "serve_console" not in path.parts
    ]
    assert paths
    for path in paths:
        for name in imported(path):
            assert {one.lower().replace("_", "-") for one in brings[name]} & locked, (
                f"{path} imports {name}, which no layer has"
            )
