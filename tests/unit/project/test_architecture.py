"""The drawing in docs/architecture.md is the house: the folders that exist, in the order of the import contracts."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = {
    "kulanz": ROOT / "layers/kulanz/kulanz",
    "kulanz_cli": ROOT / "cli/kulanz_cli",
    "kulanz_console": ROOT / "cli/kulanz_console",
    "kulanz_local": ROOT / "local/kulanz_local",
}
HOUSE = ""
"""The name of the outermost frame: what stands in no package."""

type Layers = list[frozenset[str]]
"""Names from the top down; those of one line do not import each other."""


def drawn(text: str) -> dict[str, Layers]:
    """The lines of every frame of a drawing, by the package that the frame is: the last name in its first line."""
    frames: dict[str, Layers] = {HOUSE: []}
    open_frames = [HOUSE]
    for line in text.splitlines():
        names = re.split(r" {2,}", line.strip("│┌└ "))[0]
        if "└" in line:
            open_frames.pop()
        elif names:
            frames[open_frames[-1]].append(frozenset(name.strip() for name in names.split("|")))
            if "┌" in line:
                open_frames.append(f"{open_frames[-1]}.{names.split()[-1]}".lstrip("."))
                frames[open_frames[-1]] = []
    assert open_frames == [HOUSE], "a frame of the drawing is not closed"
    return frames


def contracted() -> dict[str, Layers]:
    """The layers of every import contract, by the package that they divide."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layered = [one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    return {
        container: [frozenset(name.strip(" ()") for name in layer.split("|")) for layer in one["layers"]]
        for one in layered
        for container in one.get("containers", [HOUSE])
    }


def drawing() -> str:
    return (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]


def folder_of(package: str) -> Path:
    first, *rest = package.split(".")
    return FOLDERS[first].joinpath(*rest)


def test_the_drawing_shows_what_the_import_contracts_hold() -> None:
    assert drawn(drawing()) == contracted()


def test_every_contract_is_exhaustive_so_that_a_new_room_must_find_its_place() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    loose = [
        one["name"]
        for one in settings["tool"]["importlinter"]["contracts"]
        if "containers" in one and not one.get("exhaustive")
    ]
    assert loose == []


@pytest.mark.parametrize("package", sorted(contracted().keys() - {HOUSE}))
def test_every_room_that_exists_is_drawn_and_every_drawn_room_exists(package: str) -> None:
    entries = [
        path for path in folder_of(package).iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    ]
    assert {path.stem for path in entries} - {"__init__"} == frozenset[str]().union(*drawn(drawing())[package])


def test_the_outermost_frame_has_all_packages() -> None:
    assert frozenset[str]().union(*drawn(drawing())[HOUSE]) == FOLDERS.keys()


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, inside of functions as well."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_nothing_but_tests_imports_a_handler() -> None:
    functions = {folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir()}
    files = [file for folder in FOLDERS.values() for file in folder.rglob("*.py")]
    assert {"open_campaign", "grant_credits"} <= functions
    named = re.compile(rf"(?:\bfrom|\bimport|,)[\s.\\]*(?:{'|'.join(functions)})\b")
    looked_at = [file for file in files if named.search(file.read_text(encoding="utf-8"))]  # taking apart takes longer
    assert [str(file) for file in looked_at if any(name.split(".")[0] in functions for name in imported(file))] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda text: text.replace("explaining ", "deciding   ", 1), "another order"),
        (
            lambda text: text.replace("│ ┌ domain ", "│ ┌ domian "),
            "another name",
        ),
        (lambda text: text.replace("ledger | notices", "ledger, notices "), "names that would import each other"),
        (lambda text: "".join(line for line in text.splitlines(keepends=True) if "config" not in line), "one less"),
    ],
)
def test_a_drawing_of_another_house_is_noticed(changed: object, said: str) -> None:
    assert callable(changed)
    other = changed(drawing())
    assert other != drawing(), said
    assert drawn(other) != contracted(), said
