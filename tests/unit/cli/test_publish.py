"""Publishing seals: what a stack's campaigns decide by is what was reviewed, whoever publishes, and however often."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kulanz.application.ports import PublishingForbidden
from kulanz.domain.policy import document_from_json
from kulanz_cli import publish
from kulanz_cli.main import main
from kulanz_cli.policy_examples import run
from kulanz_cli.rulebook import BOOK, read_rule, versions
from tests.support.fake_bucket import FakePolicies
from tests.support.policy_stack import PolicyStack
from tests.support.reading import read


@pytest.fixture
def stack() -> PolicyStack:
    return PolicyStack(FakePolicies())


def kulanz(stack: PolicyStack, *words: object) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, words)], obj=stack, prog_name="kulanz")


def read_examples(stack: PolicyStack, policy_id: str, version: int) -> list[dict[str, Any]]:
    """The examples that stand beside a published version."""
    found: list[dict[str, Any]] = json.loads(stack.shelf.examples(policy_id, version) or b"[]")
    return found


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
    assert (first.exit_code, first.stdout.count(" published")) == (0, len(versions(BOOK)))
    again = kulanz(stack, "publish", BOOK)
    assert (again.exit_code, again.stdout.count("with the same content")) == (0, len(versions(BOOK)))
    assert "other examples" not in again.stdout
    assert [f"{one.policy_id}/{one.version}" for one in stack.shelf.published()] == sorted(
        f"{file.parent.name}/{file.stem}" for file in versions(BOOK)
    )


def test_all_versions_of_one_policy_are_published_by_its_folder(stack: PolicyStack) -> None:
    result = kulanz(stack, "publish", BOOK / "rogers-2022-07", "--json")
    held = {version: len(read_examples(stack, "rogers-2022-07", version)) for version in (1, 2)}
    assert json.loads(result.stdout) == {
        "v": 1,
        "policies": [
            {
                "policy": "rogers-2022-07",
                "version": version,
                "result": "published",
                "problem": "",
                "examples": held[version],
                "examples_failed": len(read_rule(BOOK / "rogers-2022-07" / f"{version}.yaml").examples) - held[version],
            }
            for version in (1, 2)
        ],
    }


@pytest.mark.parametrize("file", versions(BOOK), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_examples_that_are_published_beside_a_version_hold_under_it(stack: PolicyStack, file: Path) -> None:
    rule = read_rule(file)
    kulanz(stack, "publish", file)
    found = read_examples(stack, rule.document.policy.id, int(file.stem))
    expected = [example["id"] for example in rule.examples if run(rule.document, example).holds]
    assert [example["id"] for example in found] == expected
    assert all(run(rule.document, example).holds for example in found)


def examples_of(file: Path, *paid: str, fee: str = '"5.00"') -> None:
    """Write one example for each amount that it expects."""
    (file.parent / "examples.json").write_text(
        "["
        + ",".join(
            f'{{"id": "{place}", "rule": "{file.parent.name}", "account": {{"fee": {fee}}}, "incident": {{}},'
            f' "expected": {{"outcome": "entitled", "money": [{{"amount": "{amount}", "currency": "USD"}}]}}}}'
            for place, amount in enumerate(paid)
        )
        + "]"
    )


def test_an_example_that_does_not_hold_is_not_published_and_the_first_that_were_stand(
    stack: PolicyStack, tmp_path: Path
) -> None:
    file = write(tmp_path, "five", 1, "facts: {fee: money}\ncurrency: USD\npay: fee")
    examples_of(file, "5.00", "6.00", fee="5.00")
    published = read(kulanz(stack, "publish", file).stdout)
    assert published.startswith("five version 1 published; 1 example beside it 1 example left out, which the policy")
    (stands,) = read_examples(stack, "five", 1)
    assert (stands["id"], stands["account"]) == ("0", {"fee": "5.00"})
    assert run(read_rule(file).document, stands).holds
    examples_of(file, "5.00", "5.00")
    again = kulanz(stack, "publish", file)
    assert again.exit_code == 0
    assert "; other examples were published before, and stand" in read(again.stdout)
    assert read_examples(stack, "five", 1) == [stands]


@pytest.mark.parametrize("content", ["[", "{}", '[{"rule": "five", "note": "\\ud800"}]', "too long"])
def test_nothing_is_published_while_the_examples_beside_it_cannot_be(
    stack: PolicyStack, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "five", 1, "facts: {fee: money}\ncurrency: USD\npay: fee")
    examples_of(file, "5.00")
    if content == "too long":
        monkeypatch.setattr(publish, "MAX_EXAMPLES_BYTES", 40)
    else:
        (file.parent / "examples.json").write_text(content)
    result = kulanz(stack, "publish", tmp_path)
    assert (result.exit_code, "examples.json" in result.stderr) == (3, True)
    assert list(stack.shelf.published()) == []


@pytest.mark.parametrize(("over", "code"), [(-1, 0), (0, 0), (1, 3)])
def test_the_examples_that_hold_have_so_many_bytes_and_no_more(
    stack: PolicyStack, tmp_path: Path, over: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "five", 1, "facts: {fee: money}\ncurrency: USD\npay: fee")
    examples_of(file, "5.00", "5.00", "6.00")
    assert kulanz(stack, "publish", file).exit_code == 0
    published = stack.shelf.examples("five", 1)
    assert published is not None
    monkeypatch.setattr(publish, "MAX_EXAMPLES_BYTES", len(published) - over)
    again = kulanz(PolicyStack(FakePolicies()), "publish", file)
    assert again.exit_code == code, again.output


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
