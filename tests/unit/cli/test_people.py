"""`kulanz people`: a file is checked with its line, published once, and follows the one before it."""

import json
from pathlib import Path

import pytest

from tests.support.world import World
from tests.support.world_stack import WorldStack, run

FIRST = """
kulanz_people: 1
version: 1
persons:
  anna-berg:
    ids:
      - iam:arn:aws:iam::123456789012:user/anna
      - sso:Anna.Berg@example.com
    goodwill: [20.00 EUR]
  bert-ohm:
    ids: [sso:bert@example.com]
    left: 2026-10-31
"""


@pytest.fixture
def stack() -> WorldStack:
    return WorldStack(World())


def written(folder: Path, text: str) -> str:
    path = folder / "people.yaml"
    path.write_text(text.lstrip())
    return str(path)


def test_a_file_is_checked_without_aws(tmp_path: Path) -> None:
    result = run(None, "people", "check", written(tmp_path, FIRST))
    assert (result.exit_code, result.stdout) == (0, "version 1 of the people file is right: 2 persons\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("version: 1", "version: one"), "people.yaml:2: version: expected a whole number"),
        (("sso:bert@example.com", "sso:anna.berg@example.com"), "persons.bert-ohm.ids.0: this id is written under"),
        (("    left: 2026-10-31", "    gone: 2026-10-31"), "people.yaml:11: persons.bert-ohm.gone: unknown entry"),
        (("  bert-ohm:", "  anna-berg:"), "written twice"),
        (("[20.00 EUR]", "[20.00]"), "decimal point"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    result = run(None, "people", "check", written(tmp_path, FIRST.replace(*change)))
    assert result.exit_code == 3
    assert expected in " ".join(result.stderr.split())


def test_a_version_is_published_once_and_the_next_one_follows_it(stack: WorldStack, tmp_path: Path) -> None:
    assert run(stack, "people", "show").exit_code == 1
    published = [run(stack, "people", "publish", written(tmp_path, FIRST)) for _ in range(2)]
    assert [result.exit_code for result in published] == [0, 0]
    assert published[1].stdout == "version 1 of the people file was published before, with the same content\n"

    other = FIRST.replace("20.00", "30.00")
    refused = run(stack, "people", "publish", written(tmp_path, other))
    assert refused.exit_code == 3
    assert "version 2" in refused.stderr

    dropped = FIRST.replace("version: 1", "version: 2").replace("      - sso:Anna.Berg@example.com\n", "")
    refused = run(stack, "people", "publish", written(tmp_path, dropped))
    assert refused.exit_code == 3
    assert "keep it, and write left" in " ".join(refused.stderr.split())

    assert run(stack, "people", "publish", written(tmp_path, other.replace("version: 1", "version: 2"))).exit_code == 0
    shown = json.loads(run(stack, "people", "show", "--json").stdout)
    assert (shown["version"], [one["name"] for one in shown["persons"]]) == (2, ["anna-berg", "bert-ohm"])
    assert "bert-ohm (until 2026-11-01): sso:bert@example.com" in run(stack, "people", "show").stdout


def test_a_version_that_another_person_published_just_before_is_followed_by_the_one_after_it(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the present version and the publication, somebody else has published that number."""
    assert run(stack, "people", "publish", written(tmp_path, FIRST)).exit_code == 0
    people = stack.world.people
    before, second = people.current(), FIRST.replace("version: 1", "version: 2")
    assert run(stack, "people", "publish", written(tmp_path, second)).exit_code == 0
    monkeypatch.setattr(people, "current", lambda: before)
    late = run(stack, "people", "publish", written(tmp_path, second.replace("20.00", "30.00")))
    assert late.exit_code == 3
    says = "version 2 is published with other content, which stands; write the change as version 3"
    assert says in " ".join(late.stderr.split())
