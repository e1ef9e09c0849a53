"""`kulanz discretion`: a file is checked with its line, published once, and follows the one before it."""

import json
from pathlib import Path

import pytest

from tests.support.world import World
from tests.support.world_stack import WorldStack, run

FIRST = """
kulanz_discretion: 1
version: 1
zone: Europe/Berlin
reasons:
  long_wait:
    title: Waited too long
  other:
    title: Something else
    note: true
goodwill:
  EUR:
    alone: {decision: "50.00", person_month: "500.00", account_month: "100.00"}
    two: {decision: "200.00", person_month: "2000.00", account_month: "300.00"}
"""


@pytest.fixture
def stack() -> WorldStack:
    return WorldStack(World())


def written(folder: Path, text: str) -> str:
    path = folder / "discretion.yaml"
    path.write_text(text.lstrip())
    return str(path)


def test_a_file_is_checked_without_aws(tmp_path: Path) -> None:
    result = run(None, "discretion", "check", written(tmp_path, FIRST))
    assert (result.exit_code, result.stdout) == (0, "version 1 of the discretion file is right: 2 reasons\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("version: 1", "version: one"), "discretion.yaml:2: version: expected a whole number"),
        (('"200.00"', '"20.00"'), "discretion.yaml:13: goodwill.EUR.two.decision: two persons may give less"),
        (('"200.00"', "200.00"), "discretion.yaml:13"),
        (("  EUR:", "  EUX:"), "discretion.yaml:11: goodwill.EUX: expected a currency of ISO 4217"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    result = run(None, "discretion", "check", written(tmp_path, FIRST.replace(*change)))
    assert result.exit_code == 3
    assert expected in " ".join(result.stderr.split())


def test_a_version_is_published_once_and_shown(stack: WorldStack, tmp_path: Path) -> None:
    none = run(stack, "discretion", "show")
    assert none.exit_code == 1
    assert none.stdout.endswith("and publish it:\n  kulanz discretion publish FILE\n")
    published = [run(stack, "discretion", "publish", written(tmp_path, FIRST)) for _ in range(2)]
    assert [result.exit_code for result in published] == [0, 0]
    assert published[1].stdout == "version 1 of the discretion file was published before, with the same content\n"

    refused = run(stack, "discretion", "publish", written(tmp_path, FIRST.replace("200.00", "250.00")))
    assert (refused.exit_code, "version 2" in refused.stderr) == (3, True)

    shown = run(stack, "discretion", "show")
    assert shown.stdout.splitlines()[:3] == [
        "version 1; months in Europe/Berlin",
        "goodwill, one person: 50.00 EUR a decision, 500.00 EUR a person and month,",
        "  100.00 EUR an account and month",
    ]
    assert json.loads(run(stack, "discretion", "show", "--json").stdout)["limits"][1]["decision"] == "200.00 EUR"
