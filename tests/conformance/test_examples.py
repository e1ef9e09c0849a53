"""Every worked example of every rule in the rulebook, exact."""

import json
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.money import Money, format_amount
from kulanz.domain.policy import PolicyDocument, load_policy
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
    for path in sorted(POLICIES.glob("*/[0-9]*.yaml"), key=lambda file: (file.parent.name, int(file.stem))):
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
    policy, values, kept, _ = prepare(document, example)
    explanation = policy.explain(values, kept)
    assert explanation.decision == policy.decide_and_keep(values, kept)[0]
    assert explanation.steps[0].startswith(f"Policy {document.policy.id}, version {document.policy.version}")
    assert explanation.steps[-1].endswith(f"Reason: {explanation.decision.reason}.")
    for benefit in explanation.decision.benefits:
        owed = f"{benefit.quantity} {benefit.unit}" if benefit.money is None else show(benefit.money)
        assert owed in explanation.steps[-1]


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
