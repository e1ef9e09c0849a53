"""`kulanz list check` over parts says what it says of the same rows in one file; parts that are no list are named."""

import json
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kulanz.domain.lists.manifest import Manifest, Part
from kulanz_cli.main import main
from tests.support.small_campaign import EVERY_KIND_OF_LINE, HEADER, POLICY, event, row

HEADER_LINE = HEADER + b"\n"
LINES = [*EVERY_KIND_OF_LINE.values(), *(row(f"more-{number % 9}", fee=f"{number}.50") for number in range(12))]
WHOLE = HEADER_LINE + b"".join(line + b"\n" for line in LINES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    told = {name: part for name, part in event(rows=len(LINES)).items() if name != "id"}
    (tmp_path / "event.json").write_text(json.dumps(told))
    return tmp_path


def check(folder: Path, *files: str, options: Sequence[str] = ()) -> Result:
    words = ["--policy", str(folder / "policy.yaml"), "--event", str(folder / "event.json"), *options]
    return CliRunner().invoke(main, ["list", "check", *files, *words])


def content(folder: Path, *files: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(check(folder, *files, options=["--json"]).stdout)
    return {name: value for name, value in found.items() if name != "list"}


def written(folder: Path, contents: Sequence[bytes], name: str = "acme") -> Path:
    """A folder of parts, and their manifest beside it."""
    into = folder / name
    into.mkdir()
    parts = []
    for number, text in enumerate(contents, 1):
        (into / f"part-{number:05d}.csv").write_bytes(text)
        parts.append(Part(f"lists/{name}/part-{number:05d}.csv", f"v{number}", f'"{number}"', len(text)))
    (folder / f"{name}.csv.manifest.json").write_bytes(Manifest(HEADER_LINE, tuple(parts)).text())
    return into


def cut(seed: int, parts: int) -> list[bytes]:
    """The lines in so many parts, some of them perhaps without rows; no two with the same rows."""
    chance = random.Random(seed)
    while True:
        bounds = [0, *sorted(chance.choices(range(len(LINES) + 1), k=parts - 1)), len(LINES)]
        found = [b"".join(line + b"\n" for line in LINES[a:b]) for a, b in pairwise(bounds)]
        filled = [rows for rows in found if rows]
        if len(set(filled)) == len(filled):
            return [HEADER_LINE + rows for rows in found]


def test_the_report_is_that_of_one_file(folder: Path) -> None:
    (folder / "whole.csv").write_bytes(WHOLE)
    expected = content(folder, str(folder / "whole.csv"))
    assert expected["rejected"]
    assert expected["subjects"]["contradicting"]["rows"]
    differing = []
    for seed, parts in enumerate((2, 3, 7, 20)):
        into = written(folder, cut(seed, parts), f"cut-{seed}")
        ways = (
            [str(into)],
            [str(into / "part-*.csv")],
            [str(path) for path in sorted(into.iterdir())],
            [str(folder / f"{into.name}.csv.manifest.json")],
        )
        differing += [(parts, files[0]) for files in ways if content(folder, *files) != expected]
    assert not differing


def test_a_line_that_is_named_is_named_with_its_part(folder: Path) -> None:
    into = written(folder, [HEADER_LINE + row("a-1") + b"\n", HEADER_LINE + row("a-2") + b"\n" + b"@,consumer\n"])
    shown = check(folder, str(into), options=["--show-values"])
    assert shown.exit_code == 1
    text = " ".join(shown.stdout.split())
    assert "part-00001.csv and 1 more: 3 rows" in text
    assert "lines are counted through all parts: 4 is part-00002.csv line 3" in text
    assert "4: @,consumer" in text


def _another_header(into: Path) -> None:
    (into / "part-00002.csv").write_bytes(HEADER_LINE.replace(b"fee", b"fie") + row("a-2") + b"\n")


def _cut_off(into: Path) -> None:
    (into / "part-00002.csv").write_bytes((into / "part-00002.csv").read_bytes()[:-1])


def _a_copy(into: Path) -> None:
    (into / "part-00002.csv").write_bytes((into / "part-00001.csv").read_bytes())


def _a_table(into: Path) -> None:
    (into / "part-00002.xlsx").write_bytes(b"PK")


REFUSED: Sequence[tuple[Callable[[Path], None], str]] = (
    (_another_header, "part-00002.csv has another header than part-00001.csv"),
    (_cut_off, "part-00002.csv ends within a line"),
    (_a_copy, "have the same content"),
    (_a_table, "part-00002.xlsx is no part of a list"),
)


def test_parts_that_are_no_one_list_are_refused_as_they_would_be_when_they_are_sent(folder: Path) -> None:
    wrong = []
    for number, (harm, expected) in enumerate(REFUSED):
        into = written(folder, [HEADER_LINE + row(f"a-{one}") + b"\n" for one in (1, 2)], f"harmed-{number}")
        harm(into)
        shown = check(folder, str(into))
        text = " ".join(shown.output.split())
        if shown.exit_code != 1 or "would be refused as a whole" not in text or expected not in text:
            wrong.append((expected, shown.exit_code, text))
    assert not wrong


def test_a_manifest_of_which_a_part_is_missing_or_another_is_refused(folder: Path) -> None:
    into = written(folder, [HEADER_LINE + row(f"a-{one}") + b"\n" for one in (1, 2)])
    manifest = str(folder / "acme.csv.manifest.json")
    (into / "part-00002.csv").write_bytes(HEADER_LINE + row("a-20") + b"\n")
    shown = check(folder, manifest)
    assert shown.exit_code == 1
    assert "part-00002.csv has another size than the manifest says" in " ".join(shown.output.split())
    (into / "part-00002.csv").unlink()
    shown = check(folder, manifest)
    assert shown.exit_code == 3
    assert "names lists/acme/part-00002.csv, and" in " ".join(shown.output.split())


def test_a_list_that_lies_elsewhere_is_to_be_copied_first(folder: Path) -> None:
    shown = check(folder, "s3://bucket/lists/acme/")
    assert shown.exit_code == 3
    assert "aws s3 cp --recursive s3://bucket/lists/acme/ FOLDER" in " ".join(shown.output.split())
