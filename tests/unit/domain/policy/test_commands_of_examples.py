"""Which examples ``kulanz policy test`` and ``explain`` run, under which version, and what is said of the others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.policy import MAX_NAMED
from tests.support.reading import read
from tests.unit.domain.policy.rulebook import written
from tests.unit.domain.policy.test_commands import kulanz


def example(name: str, rule: str, **expected: Any) -> dict[str, Any]:
    return {"id": name, "rule": rule, "account": {}, "expected": expected}


def euro(amount: str) -> list[dict[str, str]]:
    return [{"amount": amount, "currency": "EUR"}]


def book(folder: Path, versions: Sequence[tuple[str, int]], examples: Sequence[dict[str, Any]]) -> tuple[Path, Path]:
    """Policies of which a version pays as many euros as its number says, and a file of examples."""
    for name, version in versions:
        text = written(f"pay: {version}.00 EUR").replace("id: test", f"id: {name}")
        (folder / name).mkdir(exist_ok=True)
        (folder / name / f"{version}.yaml").write_text(text.replace("version: 1", f"version: {version}"))
    file = folder / "examples.json"
    file.write_text(json.dumps(examples))
    return folder, file


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (2, 1, 3), (2, 9, 10), (10, 2)])
def test_a_folder_is_tested_by_the_latest_version_of_each_of_its_policies(
    numbers: Sequence[int], tmp_path: Path
) -> None:
    versions = [("one", number) for number in numbers] + [("two", number + 1) for number in numbers]
    latest = max(numbers)
    expected = [
        example("E-1", "one", money=euro(f"{latest}.00")), example("E-2", "two", money=euro(f"{latest + 1}.00")),
    ]  # fmt: skip
    shown = kulanz("test", *book(tmp_path, versions, expected))
    assert (shown.exit_code, read(shown.output)) == (0, "2 of 2 examples hold.")


def test_an_example_with_several_differences_is_one_that_does_not_hold(tmp_path: Path) -> None:
    wrong = example("E-2", "one", outcome="none", mode="claim", money=euro("9.00"))
    examples = [example(f"E-{number}", "one", outcome="entitled") for number in (1, 3, 4)]
    shown = kulanz("test", *book(tmp_path, [("one", 1)], [*examples, wrong]))
    assert shown.exit_code == 1
    lines = [line.split() for line in shown.output.splitlines()]
    assert [line[:2] for line in lines if line[:1] == ["E-2"] and len(line) > 1] == [
        ["E-2", "outcome"], ["E-2", "mode"], ["E-2", "money"],
    ]  # fmt: skip
    assert "3 of 4 examples hold." in shown.output


@pytest.mark.parametrize("number", [1, MAX_NAMED - 1, MAX_NAMED, MAX_NAMED + 1, 2 * MAX_NAMED])
def test_so_many_rules_that_were_not_run_are_named_and_the_others_are_said_to_be(number: int, tmp_path: Path) -> None:
    names = [f"rule-{place:02}" for place in range(number)]
    others = [example(f"O-{place}", name, outcome="none") for place, name in enumerate([*reversed(names), names[0]])]
    shown = kulanz("test", *book(tmp_path, [("one", 1)], [example("E-1", "one", outcome="entitled"), *others]))
    more = " and others" if number > MAX_NAMED else ""
    assert shown.exit_code == 0
    assert read(shown.output) == (
        f"1 of 1 example holds. {number + 1} examples of other rules not run: {', '.join(names[:MAX_NAMED])}{more}."
    )


@pytest.mark.parametrize("number", [1, MAX_NAMED, MAX_NAMED + 1])
def test_so_many_examples_without_a_rule_are_named_and_none_is_run(number: int, tmp_path: Path) -> None:
    nameless = [example(f"N-{place:02}", "", outcome="none") for place in range(number)]
    shown = kulanz("test", *book(tmp_path, [("one", 1)], [example("E-1", "one", outcome="entitled"), *nameless]))
    named = ", ".join(f"N-{place:02}" for place in range(min(number, MAX_NAMED)))
    assert shown.exit_code == 3
    assert f"name the rule of {named}, or use --all with one policy" in read(shown.output)


READINGS = """parameters: {share: {low: the low reading, high: the high reading}}
facts: {fee: {type: money, currency: EUR}, towers: number}
pay: if(share = "low", 10%, 20%) * fee * towers
"""


def test_explain_takes_a_reading_and_facts_of_both_sides_each_as_it_was_typed(tmp_path: Path) -> None:
    file = tmp_path / "1.yaml"
    file.write_text(written(READINGS))
    facts = ("--fact", "fee=50.00", "--incident-fact", "towers=3")
    for words, amount in (
        (("--reading", "low"), "15.00"), (("--reading", "high"), "30.00"), (("--reading", "the high reading"), "30.00"),
    ):  # fmt: skip
        shown = kulanz("explain", file, *facts, *words)
        assert (shown.exit_code, f"Granted: {amount} EUR" in shown.output) == (0, True), shown.output
    wrong = kulanz("explain", file, *facts, "--reading", "middle")
    assert (wrong.exit_code, "expected a choice of one of the policy's parameters" in read(wrong.output)) == (3, True)


def test_explain_counts_every_window_and_decides_at_the_end_of_the_last(tmp_path: Path) -> None:
    file = tmp_path / "1.yaml"
    file.write_text(written("pay: full(total(outage), 1 h) * 1 EUR\nmode: {claim: {until: 2026-05-06}}"))
    windows = [f"2026-05-0{day}T08:00:00Z/2026-05-0{day}T{8 + hours:02}:30:00Z" for day, hours in ((4, 2), (5, 3))]
    for stated, amount in ((windows, "6.00"), (windows[::-1], "6.00"), (windows[:1], "2.00"), (windows[1:], "3.00")):
        words = [word for window in stated for word in ("--window", window)]
        shown = kulanz("explain", file, *words)
        assert (shown.exit_code, f"{amount} EUR" in shown.output) == (0, True), shown.output
    late = kulanz("explain", file, "--window", windows[0], "--window", "2026-05-06T20:00:00Z/2026-05-07T20:00:00Z")
    assert "claim too late" in late.output


@pytest.mark.parametrize("words", [(), ("--data",)])
def test_a_schema_that_differs_is_told_with_the_command_that_writes_it(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(kulanz("schema", *(() if words else ("--data",))).output)
    shown = kulanz("schema", *words, "--check", file)
    written_by = " ".join(("kulanz", "policy", "schema", *words, ">", str(file)))
    assert (shown.exit_code, read(shown.output)) == (1, f"{file}: differs; write it again with: {written_by}")
