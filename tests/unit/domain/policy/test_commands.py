"""The ``kulanz policy`` commands: what they print and the codes they leave with."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kulanz_cli.main import main
from tests.support.reading import read
from tests.unit.domain.policy.rulebook import POLICIES, written

GOOD = written("facts: {fee: {type: money, currency: EUR}}\npay: 10% of fee")
EXAMPLES = [
    {
        "id": "T-1",
        "rule": "TEST",
        "account": {"fee": "50.00"},
        "expected": {"money": [{"amount": "5.00", "currency": "EUR"}]},
    },
    {
        "id": "T-2",
        "rule": "TEST",
        "account": {"fee": "50.00"},
        "expected": {"money": [{"amount": "5.01", "currency": "EUR"}]},
    },
    {"id": "O-1", "rule": "OTHER", "account": {}, "expected": {"outcome": "held"}},
]


def kulanz(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, arguments)])


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "1.yaml").write_text(GOOD)
    (tmp_path / "sealed.json").write_text("{}")
    (tmp_path / "examples.json").write_text(json.dumps(EXAMPLES))
    return tmp_path


def test_check_says_ok_or_what_is_wrong(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(written("pay: 5.00"))
    assert (kulanz("check", good).exit_code, read(kulanz("check", good).output)) == (0, f"{good}: ok")
    result = kulanz("check", good, bad)
    assert result.exit_code == 1
    assert f"{bad}:5: pay: a number with a decimal point must say what it is" in read(result.output)
    (_, finding) = json.loads(kulanz("check", "--json", good, bad).output)
    assert (finding["ok"], finding["line"], finding["field"]) == (False, 5, "pay")


def test_the_check_tells_facts_that_nothing_reads(tmp_path: Path) -> None:
    """A clause that was forgotten looks like this: the policy can be used, and pays too many."""
    file = tmp_path / "1.yaml"
    facts = "{fee: money, vulnerable: yes_no, place: zone, line: text, paid: {type: money, add: amount}}"
    file.write_text(written(f"currency: EUR\nzone: place\nsubject: line\nfacts: {facts}\npay: fee"))
    told = f"{file}: ok; nothing reads these facts, so they change nothing: vulnerable, paid"
    assert (kulanz("check", file).exit_code, read(kulanz("check", file).output)) == (0, told)
    (finding,) = json.loads(kulanz("check", "--json", file).stdout)
    assert (finding["ok"], finding["unread_facts"]) == (True, ["vulnerable", "paid"])


def test_a_version_is_sealed_once_and_its_change_is_noticed(rulebook: Path) -> None:
    file = rulebook / "test" / "1.yaml"
    assert "not sealed yet" in kulanz("check", rulebook).output
    assert kulanz("check", "--seal", rulebook).exit_code == 0
    assert kulanz("check", rulebook).exit_code == 0
    file.write_text(GOOD + "\ntest: {rule: TEST}\n# what only tests read may change")
    assert kulanz("check", rulebook).exit_code == 0
    file.write_text(GOOD.replace("10%", "11%"))
    (rulebook / "sealed.json").write_text(
        json.dumps({"test/0": "x", **json.loads((rulebook / "sealed.json").read_text())})
    )
    assert "test/0 was published and is gone" in kulanz("check", rulebook).output
    for arguments in (("check", rulebook), ("check", "--seal", rulebook)):
        result = kulanz(*arguments)
        assert result.exit_code == 1
        assert "has changed since" in result.output
        assert "test/2.yaml" in result.output


def test_a_data_file_is_checked_with_the_book_and_its_change_is_noticed(rulebook: Path) -> None:
    lines = "lines: [{from: 2024-04-01, value: 8.00 EUR}, {from: 2025-04-01, value: 9.00 EUR}]"
    (rulebook / "data").mkdir()
    rate = rulebook / "data" / "rate.yaml"
    rate.write_text(f"kulanz: 1\ndata: rate\ntitle: A rate\n{lines}")
    by_rate = "facts: {on: day}\nvalues: {rate: {by: on, tiers: rate}}\npay: rate"
    (rulebook / "test" / "1.yaml").write_text(written(by_rate))
    assert kulanz("check", "--seal", rulebook).exit_code == 0
    assert f"{rate}: ok" in read(kulanz("check", rulebook).output)
    rate.write_text(rate.read_text().replace("9.00", "9.01"))
    changed = kulanz("check", rulebook)
    assert changed.exit_code == 1
    assert "test/2.yaml" in changed.output
    assert f"a change of {rate} belongs into a data file of a new name" in read(changed.output)
    rate.write_text(rate.read_text().replace("2025-04-01", "2023-04-01"))
    (data, policy) = json.loads(kulanz("check", "--json", rulebook).output)
    assert (data["file"], data["line"], policy["line"]) == (str(rate), 4, 4)
    assert "write the oldest line first" in read(kulanz("check", rate).output)


def test_test_runs_the_policies_of_a_book_and_leaves_its_data_alone(rulebook: Path) -> None:
    (rulebook / "data").mkdir()
    (rulebook / "data" / "list.yaml").write_text("kulanz: 1\ndata: list\ntitle: A list\nlist: [a]")
    assert "1 of 2 examples hold." in kulanz("test", rulebook, rulebook / "examples.json").output


@pytest.mark.parametrize("text", ["{", "[]"])
def test_seals_that_cannot_be_read_are_no_seals(rulebook: Path, text: str) -> None:
    (rulebook / "sealed.json").write_text(text)
    assert kulanz("check", rulebook).exit_code == 3


def test_a_policy_in_the_wrong_place_is_noticed(rulebook: Path) -> None:
    (rulebook / "test" / "1.yaml").rename(rulebook / "test" / "2.yaml")
    assert "it belongs into test/1.yaml" in kulanz("check", rulebook).output


def test_test_prints_differences_with_the_explanation(rulebook: Path) -> None:
    result = kulanz("test", rulebook / "test" / "1.yaml", rulebook / "examples.json")
    assert result.exit_code == 1
    assert "T-2" in result.output
    assert "5.01 EUR" in result.output
    assert "10% of fee 50.00 EUR = 5.00 EUR" in result.output
    assert "1 of 2 examples hold." in result.output
    listed = json.loads(kulanz("test", "--json", "--all", rulebook, rulebook / "examples.json").output)
    assert [(one["example"], one["holds"]) for one in listed] == [("T-1", True), ("T-2", False), ("O-1", True)]


def test_test_prints_the_steps_of_one_failure_and_how_to_see_the_others(rulebook: Path) -> None:
    """A changed rate lets every example fail, each with a screen of steps: what differs must stay in sight."""
    file, examples = rulebook / "test" / "1.yaml", rulebook / "test" / "examples.json"
    failing = [{**EXAMPLES[1], "id": f"F-{number}"} for number in range(3)]
    examples.write_text(json.dumps(failing))
    result = kulanz("test", file)
    assert result.exit_code == 1
    assert [result.output.count(f"\nF-{number}\n") for number in range(3)] == [1, 0, 0]
    assert f"kulanz policy explain {file} --examples {examples} --example ID" in re.sub(
        r"\s+\\?\s*", " ", read(result.output)
    )
    assert "0 of 3 examples hold." in result.output
    examples.write_text(json.dumps(failing[:1]))
    assert "policy explain" not in kulanz("test", file).output


def test_test_takes_the_examples_beside_a_policy_or_asks_for_their_file(rulebook: Path) -> None:
    file = rulebook / "test" / "1.yaml"
    for path in (file, rulebook):
        assert "there is no examples.json beside" in read(kulanz("test", path).output)
    (rulebook / "examples.json").rename(file.with_name("examples.json"))
    assert "1 of 2 examples hold." in kulanz("test", file).output


def test_test_without_examples_of_the_rule_says_so(rulebook: Path) -> None:
    (rulebook / "examples.json").write_text(json.dumps(EXAMPLES[2:]))
    result = kulanz("test", rulebook, rulebook / "examples.json")
    assert result.exit_code == 3
    assert "--all" in result.output


def test_test_says_what_it_did_not_run(rulebook: Path) -> None:
    file, examples = rulebook / "test" / "1.yaml", rulebook / "examples.json"
    assert "1 example of other rules not run: OTHER." in read(kulanz("test", file, examples).output)
    examples.write_text(json.dumps([{key: value for key, value in EXAMPLES[0].items() if key != "rule"}]))
    assert (kulanz("test", file, examples).exit_code, kulanz("test", "--all", file, examples).exit_code) == (3, 0)


def test_all_examples_of_a_book_are_each_run_under_the_policy_of_their_rule(rulebook: Path) -> None:
    (rulebook / "third").mkdir()
    (rulebook / "third" / "1.yaml").write_text(GOOD.replace("id: test", "id: third"))
    result = kulanz("test", "--all", "--json", rulebook, rulebook / "examples.json")
    listed = [(one["example"], one["holds"]) for one in json.loads(result.output)]
    assert (result.exit_code, listed) == (1, [("T-1", True), ("T-2", False), ("O-1", False)])
    assert "no policy of that rule is there" in kulanz("test", "--all", rulebook, rulebook / "examples.json").output

    (rulebook / "other").mkdir()
    (rulebook / "other" / "1.yaml").write_text(GOOD.replace("id: test", "id: other"))
    result = kulanz("test", "--all", rulebook, rulebook / "examples.json")
    assert "2 of 3 examples hold." in result.output


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[1]",
        '[{"id": "a", "rule": "TEST", "expected": {}, "expected": {"outcome": "held"}}]',
        '[{"id": "a", "rule": "TEST"}, {"id": "a", "rule": "OTHER"}]',
        '[{"account": {"fee": NaN}}]',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_list_of_examples_is_refused(rulebook: Path, text: str) -> None:
    (rulebook / "examples.json").write_text(text)
    assert kulanz("test", rulebook, rulebook / "examples.json").exit_code == 3


def test_explain_takes_an_example_or_facts(rulebook: Path) -> None:
    file, examples = rulebook / "test" / "1.yaml", rulebook / "examples.json"
    assert "Granted: 5.00 EUR" in kulanz("explain", file, "--examples", examples, "--example", "T-1").output
    granted = kulanz("explain", file, "--fact", "fee=50.00").output
    assert "Granted: 5.00 EUR" in granted
    assert "--window" not in granted
    assert "State one with --window START/END" in read(kulanz("explain", file).output)  # held: no fee is stated either
    body = json.loads(kulanz("explain", "--json", file, "--fact", "fee=50.00").output)
    assert body["decision"]["benefits"] == [{"money": [500, "EUR"]}]
    assert kulanz("explain", file, "--fact", "fee=much").exit_code == 3
    assert kulanz("explain", file, "--window", "yesterday/today").exit_code == 3
    assert kulanz("explain", file, "--window", "2026-05-05T00:00:00Z/2026-05-04T00:00:00Z").exit_code == 3
    assert kulanz("explain", file, "--fact", "fee").exit_code == 2
    assert kulanz("explain", file, "--examples", examples, "--example", "T-9").exit_code == 3


def test_explain_takes_windows_and_facts_of_the_incident() -> None:
    arguments = [
        "explain", POLICIES / "att-guarantee-wireless" / "1.yaml", "--fact", "segment=consumer_postpaid",
        "--fact", "line_monthly_rate=62.00", "--fact", "in_good_standing=yes", "--incident-fact", "towers=12",
        "--window", "2025-01-15T16:00:00Z/2025-01-15T17:00:00Z",
    ]  # fmt: skip
    assert "Granted: 2.00 USD" in kulanz(*arguments, "--incident-fact", "cause=fibre_cut").output
    held = kulanz(*arguments)
    assert "Held for manual review, because cause is not known" in held.output, "test defaults are for tests alone"


def test_explain_takes_no_fact_that_the_policy_does_not_read(tmp_path: Path) -> None:
    file = tmp_path / "1.yaml"
    file.write_text(written("facts: {member: yes_no, kind: text, lost: list}\nwhen: member\npay: 5 EUR"))
    wrong = kulanz("explain", file, "--fact", "membre=yes")
    assert (wrong.exit_code, "did you mean member?" in wrong.output) == (2, True)
    assert "it reads: member, kind, lost" in kulanz("explain", file, "--fact", "x=1").output
    assert kulanz("explain", file, "--incident-fact", "x=1").exit_code == 2
    assert (
        "Granted" in kulanz("explain", file, "--fact", "member=yes", "--fact", "kind=no", "--fact", "lost=a|b").output
    )
    assert kulanz("explain", file, "--fact", "member=perhaps").exit_code == 3


def test_explain_decides_when_it_is_told_to(tmp_path: Path) -> None:
    file = tmp_path / "1.yaml"
    file.write_text(written("pay: 5 EUR\nmode: {claim: {until: 2026-05-04}}"))
    assert "Owed as soon as" in kulanz("explain", file, "--decided-at", "2026-05-04T23:59:59Z").output
    assert "Reason: claim too late" in kulanz("explain", file, "--decided-at", "2026-05-05T00:00:00Z").output
    assert kulanz("explain", file, "--decided-at", "soon").exit_code == 3
    functions = written('when: functions has ["voice", "data"]\npay: 5 EUR')
    file.write_text(functions)
    assert "Granted" in kulanz("explain", file, "--incident-fact", "functions=data|voice").output


def test_the_schema_is_printed_and_compared(tmp_path: Path) -> None:
    printed = kulanz("schema").output
    assert json.loads(printed)["title"] == "A policy of Kulanz"
    file = tmp_path / "schema.json"
    file.write_text(printed)
    assert kulanz("schema", "--check", file).exit_code == 0
    file.write_text("{}")
    assert kulanz("schema", "--check", file).exit_code == 1
    printed = kulanz("schema", "--data").output
    assert json.loads(printed)["title"] == "A data file of policies of Kulanz"
    file.write_text(printed)
    assert kulanz("schema", "--data", "--check", file).exit_code == 0
