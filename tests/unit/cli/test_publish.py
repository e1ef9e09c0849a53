"""Publishing seals: what a stack's campaigns decide by is what was reviewed, whoever publishes, and however often."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kulanz.application.ports import PublishingForbidden
from kulanz.domain.policy import document_from_json
from kulanz_cli.main import main
from kulanz_cli.rulebook import BOOK, versions
from tests.support.fakes import FakePolicies
from tests.support.policy_stack import PolicyStack
from tests.support.reading import read


@pytest.fixture
def stack() -> PolicyStack:
    return PolicyStack(FakePolicies())


def kulanz(stack: PolicyStack, *words: object) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, words)], obj=stack, prog_name="kulanz")


def write(folder: Path, policy_id: str, version: int, body: str) -> Path:
    file = folder / policy_id / f"{version}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"kulanz: 1\nid: {policy_id}\nversion: {version}\ntitle: {policy_id}\n{body}\n")
    return file


def test_a_policy_is_published_once(stack: PolicyStack, tmp_path: Path) -> None:
    file = write(tmp_path, "five", 1, "pay: 5.00 USD")
    assert kulanz(stack, "publish", file).stdout == "five version 1 published\n"
    again = kulanz(stack, "publish", file)
    assert (again.exit_code, again.stdout) == (0, "five version 1 was published before, with the same content\n")
    file.write_text(file.read_text() + "# a comment is no change\n")
    assert kulanz(stack, "publish", file).exit_code == 0


def test_other_content_under_a_published_version_is_refused_with_what_to_do(stack: PolicyStack, tmp_path: Path) -> None:
    file = write(tmp_path, "five", 1, "pay: 5.00 USD")
    kulanz(stack, "publish", file)
    stands = stack.shelf.fetch("five", 1)
    write(tmp_path, "five", 1, "pay: 6.00 USD")
    result = kulanz(stack, "publish", file)
    assert result.exit_code == 1
    assert f"write the change as version 2 into {file.with_name('2.yaml')}" in read(result.stdout)
    assert stack.shelf.fetch("five", 1) == stands
    assert kulanz(stack, "publish", write(tmp_path, "five", 2, "pay: 6.00 USD")).exit_code == 0


def test_a_whole_book_is_published_at_once_and_again_without_change(stack: PolicyStack) -> None:
    first = kulanz(stack, "publish", BOOK)
    assert (first.exit_code, first.stdout.count("published\n")) == (0, len(versions(BOOK)))
    again = kulanz(stack, "publish", BOOK)
    assert (again.exit_code, again.stdout.count("with the same content\n")) == (0, len(versions(BOOK)))
    assert [f"{one.policy_id}/{one.version}" for one in stack.shelf.published()] == sorted(
        f"{file.parent.name}/{file.stem}" for file in versions(BOOK)
    )


def test_all_versions_of_one_policy_are_published_by_its_folder(stack: PolicyStack) -> None:
    result = kulanz(stack, "publish", BOOK / "rogers-2022-07", "--json")
    assert json.loads(result.stdout) == {
        "v": 1,
        "policies": [
            {"policy": "rogers-2022-07", "version": version, "result": "published", "problem": ""} for version in (1, 2)
        ],
    }


def test_one_refused_version_does_not_keep_the_others_of_a_book_back(stack: PolicyStack, tmp_path: Path) -> None:
    write(tmp_path, "a", 1, "pay: 5.00 USD")
    kulanz(stack, "publish", tmp_path)
    write(tmp_path, "a", 1, "pay: 6.00 USD")
    write(tmp_path, "b", 1, "pay: 7.00 USD")
    result = kulanz(stack, "publish", tmp_path, "--json")
    assert result.exit_code == 1
    assert [one["result"] for one in json.loads(result.stdout)["policies"]] == ["is refused", "published"]


@pytest.mark.parametrize("broken", ["pay: 5.00", "pay: 5.00 EUR\nwho: [{decline: x, when: fee > 1}]"])
def test_nothing_of_a_book_is_published_while_one_policy_cannot_be_used(
    stack: PolicyStack, tmp_path: Path, broken: str
) -> None:
    write(tmp_path, "a", 1, "pay: 5.00 USD")
    write(tmp_path, "b", 1, broken)
    result = kulanz(stack, "publish", tmp_path)
    assert result.exit_code == 3
    assert "b/1.yaml:" in result.stderr
    assert list(stack.shelf.published()) == []


def test_nothing_is_published_while_a_version_differs_from_its_seal_or_has_none(
    stack: PolicyStack, tmp_path: Path
) -> None:
    file = write(tmp_path, "a", 1, "pay: 5.00 USD")
    kulanz(stack, "check", "--seal", tmp_path)
    later = write(tmp_path, "a", 2, "pay: 6.00 USD")
    result = kulanz(stack, "publish", tmp_path)
    assert (result.exit_code, "check --seal" in result.stdout) == (1, True)
    kulanz(stack, "check", "--seal", later)
    write(tmp_path, "a", 1, "pay: 5.50 USD")
    result = kulanz(stack, "publish", file)
    assert (result.exit_code, "has changed since" in result.stdout) == (1, True)
    assert list(stack.shelf.published()) == []


def test_a_policy_is_published_with_the_data_files_it_takes_in(stack: PolicyStack, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    rate = tmp_path / "data" / "rate.yaml"
    rate.write_text("kulanz: 1\ndata: rate\ntitle: A rate\nlines: [{from: 2024-04-01, value: 8.00 GBP}]\n")
    policy = write(tmp_path, "rated", 1, "values: {rate: {by: day(incident_start), tiers: rate}}\npay: rate")
    assert kulanz(stack, "publish", policy).stdout == "rated version 1 published\n"
    published = json.loads(stack.shelf.fetch("rated", 1))
    assert published["policy"]["values"]["rate"]["tiers"] == {"from 2024-04-01": "8.00 GBP", "otherwise": "unknown"}
    rate.write_text(rate.read_text().replace("8.00", "9.00"))
    assert kulanz(stack, "publish", policy).exit_code == 1, "the version is published with another rate"
    rate.unlink()
    refused = kulanz(stack, "publish", policy)
    assert refused.exit_code == 3
    assert f"{policy}:5: values.rate.tiers: there is no data file" in read(refused.stderr)


def test_a_newer_calendar_of_holidays_changes_nothing_that_was_published(stack: PolicyStack) -> None:
    """A version is what its author wrote; the holidays it was published with stand."""
    file = BOOK / "ofcom-ac-repair" / "1.yaml"
    kulanz(stack, "publish", file)
    known = stack.shelf.fetch("ofcom-ac-repair", 1)
    older = json.loads(known)
    older["holidays"].pop()
    stack.shelf = FakePolicies()
    stack.shelf.publish("ofcom-ac-repair", 1, json.dumps(older).encode())
    result = kulanz(stack, "publish", file)
    assert (result.exit_code, "public holidays known then" in read(result.stdout)) == (0, True)
    assert document_from_json(stack.shelf.fetch("ofcom-ac-repair", 1)).holidays == tuple(older["holidays"])


def test_who_may_not_publish_is_told_who_he_is_and_who_can_let_him(tmp_path: Path) -> None:
    class Guarded(FakePolicies):
        def publish(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:  # noqa: ARG002 - refuses all
            raise PublishingForbidden(policy_id)

    result = kulanz(PolicyStack(Guarded()), "publish", write(tmp_path, "five", 1, "pay: 5.00 USD"))
    assert result.exit_code == 3
    assert "arn:aws:iam::123456789012:role/Administrator may not" in read(result.stderr)
    assert "PolicyPublisherArns" in result.stderr
    assert "somebody@example.org" not in result.stderr


def test_what_a_stack_has_published_is_listed_beside_the_book(stack: PolicyStack, tmp_path: Path) -> None:
    write(tmp_path, "a", 1, "pay: 5.00 USD")
    write(tmp_path, "b", 1, "give: {quantity: 20, unit: minute}")
    write(tmp_path, "c", 1, "pay: 1.00 USD")
    kulanz(stack, "publish", tmp_path)
    write(tmp_path, "a", 1, "pay: 6.00 USD")
    (tmp_path / "c" / "1.yaml").unlink()
    listed = json.loads(kulanz(stack, "list", "--published", "--book", tmp_path, "--json").stdout)
    assert [(one["policy"], one["beside_book"], one["gives"]) for one in listed] == [
        ("a", "differs from the book", ["USD"]),
        ("b", "as in the book", ["minutes"]),
        ("c", "not in the book", ["USD"]),
    ]
    text = kulanz(stack, "list", "--published", "--book", tmp_path, "--kind", "units").stdout
    assert [line.split()[0] for line in text.splitlines()] == ["policy", "b/1"]
    assert "as in the book" in text


def test_a_list_of_what_is_published_leaves_room_for_titles(stack: PolicyStack, tmp_path: Path) -> None:
    """Where the rule applies, when and what it gives would squeeze them to a letter or two; `show` tells that."""
    body = "jurisdiction: GB\nzone: Europe/London\nin_force: {from: 2024-01-01}\npay: 5.00 USD\nmode: offer"
    write(tmp_path, "a-rule-with-a-name-of-some-length", 1, body)
    kulanz(stack, "publish", tmp_path)
    head, line, *_ = (
        CliRunner(env={"COLUMNS": "100"})
        .invoke(main, ["policy", "list", "--published", "--book", str(tmp_path)], obj=stack)
        .stdout.splitlines()
    )
    assert head.split() == ["policy", "published", "book", "title"]
    policy, day, *_ = line.split()
    assert policy == "a-rule-with-a-name-of-some-length/1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)


def test_a_stack_without_policies_says_so(stack: PolicyStack) -> None:
    result = kulanz(stack, "list", "--published")
    assert (result.exit_code, result.stdout) == (1, "nothing is published\n")
