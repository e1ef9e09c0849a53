"""Every worked example of every rule in the rulebook, exact."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.money import Money, format_amount
from kulanz.domain.policy import PolicyDocument, load_policy
from kulanz.domain.time import format_instant, parse_instant
from kulanz_cli.policy_examples import prepare, run, same_rule

POLICIES = Path(__file__).parents[2] / "policies"
EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "examples.json").read_text(encoding="utf-8"))
TEN_HARD_RULES = (
    "TKG58-3 TKG58-4 OFCOM-AC-REPAIR FI-EML SE-ELLAG ES-RD899-NET AWS-EC2-REGION M365-USER-MINUTES OPTUS-2023-11 "
    "PSN-2011"
)
FOUR_CASES = "SKYPE-2015 ATT-2024-02 O2DE-ALICE-MAIL SWISSCOM-2018"


def latest() -> list[PolicyDocument]:
    """Load the latest version of every policy of the rulebook."""
    newest: dict[str, PolicyDocument] = {}
    for path in sorted(POLICIES.rglob("*.yaml"), key=lambda file: (file.parent.name, int(file.stem))):
        newest[path.parent.name] = load_policy(path)
    return list(newest.values())


RULEBOOK = latest()
CASES = [
    (document, example) for document in RULEBOOK for example in EXAMPLES if same_rule(document, str(example["rule"]))
]


@pytest.mark.parametrize(("document", "example"), CASES, ids=[str(example["id"]) for _, example in CASES])
def test_the_policy_decides_the_example_as_its_source_does(document: PolicyDocument, example: dict[str, Any]) -> None:
    result = run(document, example)
    assert result.holds, f"{result.differences}\n{result.explanation}"


@pytest.mark.parametrize(("document", "example"), CASES, ids=[str(example["id"]) for _, example in CASES])
def test_the_explanation_ends_with_what_was_decided(document: PolicyDocument, example: dict[str, Any]) -> None:
    case = prepare(document, example, document.policy.test.defaults)
    explanation = case.policy.explain(case.values)
    assert explanation.decision == case.policy.decide(case.values)
    assert explanation.steps[0].startswith(f"Policy {document.policy.id}, version {document.policy.version}")
    assert explanation.steps[-1].endswith(f"Reason: {explanation.decision.reason}.")
    for benefit in explanation.decision.benefits:
        owed = f"{benefit.quantity} {benefit.unit}" if benefit.money is None else show(benefit.money)
        assert owed in explanation.steps[-1]


@pytest.mark.parametrize(("document", "example"), CASES, ids=[str(example["id"]) for _, example in CASES])
def test_how_windows_are_ordered_and_cut_changes_no_decision(document: PolicyDocument, example: dict[str, Any]) -> None:
    cut: list[dict[str, str]] = []
    for window in example["incident"]["windows"]:
        start, end = parse_instant(window["start"]), parse_instant(window["end"])
        middle = format_instant(start + (end - start) / 3)
        cut += [{"start": middle, "end": window["end"]}, {"start": window["start"], "end": middle}]
    again = {**example, "incident": {**example["incident"], "windows": cut[::-1]}}
    whole, parts = (prepare(document, one, document.policy.test.defaults) for one in (example, again))
    assert parts.policy.decide(parts.values) == whole.policy.decide(whole.values)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns"])
def test_every_example_comes_out_alike_in_any_time_zone_of_the_process(zone: str) -> None:
    program = (
        "import time; time.tzset()\n"
        "from tests.conformance.test_examples import CASES, run\n"
        "print([str(example['id']) for document, example in CASES if not run(document, example).holds], time.tzname)"
    )
    environment = {**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 (our own text)
    assert result.stdout.startswith("[] ")
    assert "UTC" not in result.stdout


def show(amount: Money) -> str:
    return f"{format_amount(amount)} {amount.currency}"


@pytest.mark.parametrize("rule", [*TEN_HARD_RULES.split(), *FOUR_CASES.split()])
def test_every_hard_rule_and_founding_case_has_a_policy_and_examples(rule: str) -> None:
    assert any(str(example["rule"]) == rule for _, example in CASES)


def test_every_example_has_its_policy() -> None:
    assert {str(example["id"]) for _, example in CASES} == {str(example["id"]) for example in EXAMPLES}


def test_a_wrong_expectation_is_noticed() -> None:
    document, example = next(pair for pair in CASES if pair[1]["id"] == "TKG58-3-03")
    wrong = {**example, "expected": {**example["expected"], "money": [{"amount": "47.93", "currency": "EUR"}]}}
    (difference,) = run(document, wrong).differences
    assert (difference.what, difference.expected, difference.decided) == ("money", "47.93 EUR", "47.94 EUR")
