"""Every worked example of every rule in the rulebook, exact."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kulanz.domain.policy import PolicyDocument
from kulanz.domain.policy.explaining.benefits import worth_words
from kulanz.domain.time import format_instant, parse_instant
from kulanz_cli.policy_examples import left_out, prepare, run
from kulanz_cli.rulebook import BOOK, EXAMPLES, latest_rules, read_examples

TEN_HARD_RULES = (
    "TKG58-3 TKG58-4 OFCOM-AC-REPAIR FI-EML SE-ELLAG ES-RD899-NET AWS-EC2-REGION M365-USER-MINUTES OPTUS-2023-11 "
    "PSN-2011"
)
FOUR_CASES = "SKYPE-2015 ATT-2024-02 O2DE-ALICE-MAIL SWISSCOM-2018"


CASES = [(rule.document, example) for rule in latest_rules(BOOK) for example in rule.examples]
WRITTEN = [example for path in sorted(BOOK.glob(f"*/{EXAMPLES}")) for example in read_examples(path)]


@pytest.mark.parametrize(("document", "example"), CASES, ids=[str(example["id"]) for _, example in CASES])
def test_the_policy_decides_the_example_as_its_source_does(
    document: PolicyDocument, example: Mapping[str, Any]
) -> None:
    result = run(document, example)
    assert result.holds, f"{result.differences}\n{result.explanation}"


@pytest.mark.parametrize(("document", "example"), CASES, ids=[str(example["id"]) for _, example in CASES])
def test_the_explanation_ends_with_what_was_decided(document: PolicyDocument, example: Mapping[str, Any]) -> None:
    case = prepare(document, example, left_out(document))
    explanation = case.explain()
    assert explanation.decision == case.policy.decide_with_history(case.values, case.kept)[0]
    assert explanation.steps[0].startswith(f"Policy {document.policy.id}, version {document.policy.version}")
    assert explanation.steps[-1].endswith(f"Reason: {explanation.decision.reason.replace('_', ' ')}.")
    assert all(worth_words(benefit) in explanation.steps[-1] for benefit in explanation.decision.benefits)


@pytest.mark.parametrize(("document", "example"), CASES, ids=[str(example["id"]) for _, example in CASES])
def test_how_windows_are_ordered_and_cut_changes_no_decision(
    document: PolicyDocument, example: Mapping[str, Any]
) -> None:
    cut: list[dict[str, str]] = []
    for window in example["incident"]["windows"]:
        start, end = parse_instant(window["start"]), parse_instant(window["end"])
        middle = format_instant(start + (end - start) / 3)
        cut += [{"start": middle, "end": window["end"]}, {"start": window["start"], "end": middle}]
    again = {**example, "incident": {**example["incident"], "windows": cut[::-1]}}
    whole, parts = (prepare(document, one, left_out(document)) for one in (example, again))
    assert parts.policy.decide_with_history(parts.values, parts.kept) == whole.policy.decide_with_history(
        whole.values, whole.kept
    )


@pytest.fixture
def in_newfoundland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's own time zone is one of half an hour, which no policy names."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/St_Johns")
        time.tzset()
        assert time.localtime(0).tm_gmtoff == -int(3.5 * 3600)
        yield
    time.tzset()


@pytest.mark.usefixtures("in_newfoundland")
def test_every_example_comes_out_alike_in_another_time_zone_of_the_process() -> None:
    assert [str(example["id"]) for document, example in CASES if not run(document, example).holds] == []


@pytest.mark.parametrize("rule", [*TEN_HARD_RULES.split(), *FOUR_CASES.split()])
def test_every_hard_rule_and_founding_case_has_a_policy_and_examples(rule: str) -> None:
    assert any(str(example["rule"]) == rule for _, example in CASES)


def test_every_example_stands_beside_its_policy_under_an_id_of_its_own() -> None:
    assert sorted(str(example["id"]) for _, example in CASES) == sorted({str(example["id"]) for example in WRITTEN})


def test_every_rule_has_an_example_that_shows_what_it_owes_or_why_nothing() -> None:
    assert all(rule.worked_example() is not None for rule in latest_rules(BOOK))


def test_a_wrong_expectation_is_noticed() -> None:
    document, example = next(pair for pair in CASES if pair[1]["id"] == "TKG58-3-03")
    wrong = {**example, "expected": {**example["expected"], "money": [{"amount": "47.93", "currency": "EUR"}]}}
    (difference,) = run(document, wrong).differences
    assert (difference.what, difference.expected, difference.decided) == ("money", "47.93 EUR", "47.94 EUR")
