"""`kulanz doctor --thorough`: it says time and cost and asks, then tries what takes time; each step can fail."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kulanz_cli.doctor import command, thorough
from kulanz_cli.main import main
from tests.support.healthy_aws import ACCOUNT, CALLER_ROLE, HealthyAws

PAGE = Path(__file__).resolve().parents[3] / "docs/deployment.md"
PUBLISHER = {"PublisherArns": CALLER_ROLE}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for, without waiting."""
    waits: list[float] = []
    monkeypatch.setattr(command, "steps", lambda: thorough.checks(waits.append))
    return waits


def healthy(parameters: dict[str, str] | None = None) -> HealthyAws:
    aws = HealthyAws(parameters or PUBLISHER)
    status = {"DetectionStatus": "DETECTION_COMPLETE"}
    aws.replies |= {
        "cloudformation.detect_stack_drift": {"StackDriftDetectionId": "1"},
        "cloudformation.describe_stack_drift_detection_status": status,
        "cloudformation.describe_stack_resource_drifts": {"StackResourceDrifts": []},
    }
    return aws


def run(aws: HealthyAws, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, ["doctor", "--thorough", *words], obj=aws, prog_name="kulanz", input=given)


def test_it_says_what_it_takes_before_it_does_anything(waited: list[float]) -> None:
    aws = healthy()
    result = run(aws, given="n\n")
    assert result.exit_code == 1
    assert "Takes up to 11 minutes and costs less than 0.01 USD:" in result.stdout
    assert "two sources" in result.stdout
    assert (aws.calls, waited) == ([], [])


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_what_can_be_tried_is_tried_and_the_rest_is_a_checklist(waited: list[float], words: tuple[str, ...]) -> None:
    aws = healthy()
    result = run(aws, *words, given="y\n")
    assert result.exit_code == 0, result.stdout
    assert waited == []
    assert "refused as a whole" in " ".join(result.stdout.split())
    assert "10. Delete a trial stack" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("waited")
def test_json_cannot_ask() -> None:
    assert run(healthy(), "--json").exit_code == 2
    result = run(healthy(), "--json", "--yes")
    assert json.loads(result.stdout)["by_hand"] == list(thorough.BY_HAND)


FAULTS: list[tuple[str, str, Callable[[HealthyAws, pytest.MonkeyPatch], object]]] = [
    (
        "drift", "ListBucketPolicy",
        lambda aws, _: aws.replies.update({"cloudformation.describe_stack_resource_drifts": {
            "StackResourceDrifts": [{"LogicalResourceId": "ListBucketPolicy"}]}}),
    ),
    (
        "drift", "more than 600 s",
        lambda aws, _: aws.replies.update({"cloudformation.describe_stack_drift_detection_status": {
            "DetectionStatus": "DETECTION_IN_PROGRESS"}}),
    ),
    (
        "two sources", "an allowed and a forbidden",
        lambda aws, _: aws.replies.update({"events.put_events": {"Entries": []}}),
    ),
]  # fmt: skip


@pytest.mark.usefixtures("waited")
@pytest.mark.parametrize(("step", "says", "make"), FAULTS, ids=[f"{step}: {says}" for step, says, _ in FAULTS])
def test_a_step_notices_what_it_is_for(
    step: str, says: str, make: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = healthy()
    make(aws, monkeypatch)
    result = run(aws, "--json", "--yes")
    found = [one for one in json.loads(result.stdout)["results"] if one["verdict"] == "finding"]
    assert [one for one in found if one["check"] == step and says in one["says"] and one["do"]]
    assert result.exit_code == 1


def test_every_step_is_made_to_fail() -> None:
    assert {step for step, _, _ in FAULTS} == {step.name for step in thorough.STEPS}


@pytest.mark.usefixtures("waited")
def test_who_may_not_publish_is_told_that_two_sources_need_another_caller() -> None:
    result = run(healthy({"PublisherArns": f"arn:aws:iam::{ACCOUNT}:role/desk"}), "--yes")
    assert "run it as a publisher too" in " ".join(result.stdout.split())


def test_the_checklist_of_the_page_is_that_of_the_command() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    minutes = sum(step.minutes for step in thorough.STEPS)
    assert f"({minutes} minutes at most, less than 0.01 USD)" in page
    assert [text for number, text in enumerate(thorough.BY_HAND, 1) if f"{number}. {text}" not in page] == []
