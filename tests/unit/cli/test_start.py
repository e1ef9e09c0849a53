"""The command starts fast: what a command needs is imported when it is run, and help needs nothing of it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import kulanz
from kulanz_cli.groups import HELP_COLUMNS, Lazy, walk
from kulanz_cli.main import main
from tests.support.reading import read

CLI = Path(__file__).resolve().parents[3] / "cli" / "kulanz_cli"
HEAVY = {"boto3", "botocore", "holidays", "jinja2", "pydantic", "rich", "yaml", "babel"}
PRINTS = {"terminal.py"}
"""The one module that writes to the terminal."""


@pytest.mark.parametrize("words", [["--help"], ["policy", "--help"], ["--version"], ["nothing"]], ids=" ".join)
def test_help_imports_nothing_that_a_command_needs(words: list[str]) -> None:
    code = f"import sys\nfrom kulanz_cli.main import main\nmain({words!r}, standalone_mode=False)"
    shown = f"try:\n    exec({code!r})\nfinally:\n    print(*sorted(name.partition('.')[0] for name in sys.modules))"
    path = os.pathsep.join(map(str, (CLI.parent, Path(kulanz.__file__).parents[1])))
    ran = subprocess.run(  # noqa: S603 (this interpreter, on a text from above)
        [sys.executable, "-c", f"import sys\n{shown}"],
        capture_output=True, text=True, check=False, env={"PATH": "", "PYTHONPATH": path},
    )  # fmt: skip
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert "click" in loaded, ran.stderr
    assert not loaded & HEAVY


def groups(command: click.Command | None) -> list[Lazy]:
    if not isinstance(command, Lazy):
        return []
    context = click.Context(command)
    return [command, *(found for name in command.places for found in groups(command.get_command(context, name)))]


@pytest.mark.parametrize("group", groups(main), ids=lambda group: group.name)
def test_a_list_of_commands_says_what_each_command_says_of_itself(group: Lazy) -> None:
    context = click.Context(group)
    for name, place in group.places.items():
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert read(command.help or "").startswith(place.says), name


@pytest.mark.parametrize("words", [words for words, _ in walk(main)], ids=" ".join)
def test_the_help_of_every_command_fits_a_narrow_terminal(words: tuple[str, ...]) -> None:
    for place in range(len(words) + 1):
        shown = CliRunner(env={"COLUMNS": "200"}).invoke(main, [*words[:place], "--help"], prog_name="kulanz")
        assert max(map(len, shown.stdout.splitlines())) <= HELP_COLUMNS


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"kulanz {kulanz.__version__}\n"


@pytest.mark.parametrize("path", sorted(CLI.rglob("*.py")), ids=lambda path: path.name)
def test_nothing_is_printed_but_through_the_one_place_that_makes_it_harmless(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    printing = {
        ast.unparse(node.func)
        for node in calls
        if ast.unparse(node.func) in ("print", "click.echo", "click.secho")
        or (isinstance(node.func, ast.Attribute) and node.func.attr in ("print", "print_json"))
        or ast.unparse(node.func) in ("sys.stdout.write", "sys.stderr.write")
    }
    assert bool(printing) == (path.name in PRINTS)
