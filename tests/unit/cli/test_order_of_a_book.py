"""Versions of a policy are in the order of their numbers, 9 before 10, wherever a book is read."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kulanz_cli.main import main
from kulanz_cli.rulebook import EXAMPLES, find_rule, latest_versions, policy_files, versions
from tests.support.reading import read

NUMBERS = (1, 2, 9, 10, 11, 100)


def kulanz(*words: object) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, words)], prog_name="kulanz")


def policy(name: str, version: int, body: str = "") -> str:
    return f"kulanz: 1\nid: {name}\nversion: {version}\ntitle: {name} in version {version}\npay: 5.00 EUR\n{body}"


def made(folder: Path, name: str, numbers: Sequence[int]) -> None:
    (folder / name).mkdir()
    for number in reversed(numbers):
        (folder / name / f"{number}.yaml").write_text(policy(name, number))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made(tmp_path, "beta", NUMBERS)
    made(tmp_path, "alpha", NUMBERS[:4])
    (tmp_path / "alpha" / "notes.yaml").write_text("of the authors\n")
    return tmp_path


def test_a_book_is_read_by_id_and_version(book: Path) -> None:
    in_order = [f"alpha/{number}" for number in NUMBERS[:4]] + [f"beta/{number}" for number in NUMBERS]
    assert [f"{file.parent.name}/{file.stem}" for file in versions(book)] == in_order
    assert [f"{file.parent.name}/{file.stem}" for file in policy_files(book)] == in_order
    assert [int(file.stem) for file in policy_files(book / "beta")] == [*NUMBERS]
    assert policy_files(book / "beta" / "9.yaml") == [book / "beta" / "9.yaml"]
    assert [f"{file.parent.name}/{file.stem}" for file in latest_versions(book)] == ["alpha/10", "beta/100"]
    listed = json.loads(kulanz("list", "--book", book, "--all", "--json").stdout)
    assert [f"{one['policy']}/{one['version']}" for one in listed] == in_order
    latest = json.loads(kulanz("list", "--book", book, "--json").stdout)
    assert [f"{one['policy']}/{one['version']}" for one in latest] == ["alpha/10", "beta/100"]


def test_a_policy_is_found_in_the_version_that_was_named_or_in_its_latest(book: Path) -> None:
    for number in NUMBERS:
        assert find_rule(book, f"beta/{number}").name == f"beta/{number}"
    assert [find_rule(book, name).name for name in ("alpha", "beta")] == ["alpha/10", "beta/100"]
    missing = kulanz("show", "beta/3", "--book", book)
    assert (missing.exit_code, "beta has no version 3; known: 1, 2, 9, 10, 11, 100" in read(missing.stderr)) == (
        3,
        True,
    )


def test_a_policy_of_ones_own_begins_from_the_latest_version_and_counts_what_holds(book: Path, tmp_path: Path) -> None:
    def example(name: str, amount: str) -> dict[str, object]:
        money = [{"amount": amount, "currency": "EUR"}]
        return {"id": name, "rule": "beta", "account": {}, "expected": {"money": money}}

    for amounts, said in (
        (("5.00", "6.00", "7.00"), "1 example holds now"), (("5.00", "5.00", "6.00"), "2 examples hold now"),
    ):  # fmt: skip
        (book / "beta" / EXAMPLES).write_text(
            json.dumps([example(f"E-{place}", amount) for place, amount in enumerate(amounts)])
        )
        into = tmp_path / f"own-{said[0]}"
        begun = kulanz("new", "gamma", "--from", "beta", "--book", book, "--into", into)
        assert begun.exit_code == 0, begun.output
        assert "title: beta in version 100" in (into / "gamma" / "1.yaml").read_text()
        assert said in read(begun.stdout)
