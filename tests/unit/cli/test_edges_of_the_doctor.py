"""Each answer of AWS on which a check of the doctor turns, from both of its sides."""

from typing import Any

import pytest

from kulanz_cli.doctor import stores, thorough
from kulanz_cli.doctor.examined import Examined, Verdict, examine
from tests.support.healthy_aws import HealthyAws, refusal
from tests.unit.cli.test_doctor_thorough import healthy

LOOKS = 120
"""Ten minutes, of a look every five seconds."""
COMPLETE, RUNNING = "DETECTION_COMPLETE", "DETECTION_IN_PROGRESS"


def drift(aws: HealthyAws) -> tuple[list[tuple[Verdict, str]], list[float]]:
    waits: list[float] = []
    steps = thorough.checks(waits.append)
    found = [(one.result.verdict, one.result.says) for one in examine(Examined(aws), {"drift": steps["drift"]})]
    return found, waits


def compared(*statuses: str, pages: tuple[tuple[str, ...], ...] = ((),), **more: str) -> HealthyAws:
    """A stack that CloudFormation compares with these answers, and what has changed by pages."""
    aws = healthy()
    answers = iter(statuses)
    last = {"DetectionStatus": statuses[-1], **more}
    aws.replies["cloudformation.describe_stack_drift_detection_status"] = lambda **_: (
        {"DetectionStatus": status} if (status := next(answers, "")) and status == RUNNING else last
    )

    def page(**asked: Any) -> dict[str, Any]:
        assert asked["StackName"] == aws.name
        assert sorted(asked["StackResourceDriftStatusFilters"]) == ["DELETED", "MODIFIED"], "a deleted one is changed"
        number = int(asked.get("NextToken", 0))
        following = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
        return {"StackResourceDrifts": [{"LogicalResourceId": name} for name in pages[number]], **following}

    aws.replies["cloudformation.describe_stack_resource_drifts"] = page
    return aws


@pytest.mark.parametrize(
    "pages", [(("B", "A"),), (("C",), ("A",), ("B",)), ((), ("A",)), (("A",), ()), (("A", "B"), (), ("C",))]
)
def test_all_that_changed_since_the_deployment_is_named_whatever_page_it_stands_on(
    pages: tuple[tuple[str, ...], ...],
) -> None:
    ((verdict, says),), waits = drift(compared(COMPLETE, pages=pages))
    changed = ", ".join(sorted(name for page in pages for name in page))
    assert (verdict, waits) == (Verdict.FINDING, [])
    assert says == f"Changed since the deployment, by hand or by a tool: {changed}."


@pytest.mark.parametrize(("running", "is_done"), [(0, True), (1, True), (LOOKS - 1, True), (LOOKS, False)])
def test_the_comparison_is_waited_for_so_long_and_no_longer(running: int, is_done: bool) -> None:
    ((verdict, says),), waits = drift(compared(*[RUNNING] * running, COMPLETE))
    assert waits == [thorough.DRIFT_POLL_SECONDS] * running
    assert sum(waits) <= thorough.DRIFT_LONGEST_SECONDS
    assert verdict is (Verdict.OK if is_done else Verdict.FINDING), says
    assert ("compared for more than 600 s" in says) is not is_done


@pytest.mark.parametrize(
    ("more", "changed", "verdict", "says"),
    [
        ({}, (), Verdict.NOT_SHOWN, "CloudFormation could not compare all: no reason."),
        ({"DetectionStatusReason": "a type"}, (), Verdict.NOT_SHOWN, "CloudFormation could not compare all: a type."),
        ({"DetectionStatusReason": "a type"}, ("A",), Verdict.FINDING, "by hand or by a tool: A."),
    ],
)
def test_what_could_not_be_compared_is_said_unless_something_has_changed(
    more: dict[str, str], changed: tuple[str, ...], verdict: Verdict, says: str
) -> None:
    ((found, text),), _ = drift(compared("DETECTION_FAILED", pages=(changed,), **more))
    assert (found, says in text) == (verdict, True), text


@pytest.mark.parametrize(
    ("answer", "verdict", "says"),
    [
        (refusal("AccessDeniedException", "PutEvents"), Verdict.OK, "is refused as a whole"),
        ({"Entries": [{"EventId": "1"}, {"ErrorCode": "NotAuthorized"}]}, Verdict.OK, "is refused as a whole"),
        ({"Entries": [{"EventId": "1"}, {"EventId": "2"}]}, Verdict.FINDING, "an allowed and a forbidden"),
        (refusal("ThrottlingException", "PutEvents"), Verdict.FINDING, "Not checked: AWS answered PutEvents"),
        ({"Entries": [{"ErrorCode": "InternalFailure"}, {}]}, Verdict.FINDING, "Not checked: AWS answered PutEvents"),
    ],
)
def test_only_a_refusal_by_a_policy_shows_that_two_sources_are_refused(
    answer: Any, verdict: Verdict, says: str
) -> None:
    aws = healthy()
    aws.replies["events.put_events"] = answer
    steps = thorough.checks(lambda _: None)
    (found,) = examine(Examined(aws), {"two sources": steps["two sources"]})
    assert (found.result.verdict, says in found.result.says) == (verdict, True), found
    ((_, put),) = [call for call in aws.calls if call[0] == "put_events"]
    assert [entry["Source"] for entry in put["Entries"]] == ["kulanz-doctor", "kulanz"], "both in one call"


LETS_IN: dict[str, Any] = {
    "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "lets_in"),
    [
        ({}, True),
        ({"Action": "s3:*"}, True),
        ({"Action": ["s3:GetObject", "s3:PutObject"]}, True),
        ({"Principal": {"Service": ["logs.amazonaws.com", "logging.s3.amazonaws.com"]}}, True),
        ({"Effect": "Deny"}, False),
        ({"Action": "s3:GetObject"}, False),
        ({"Action": []}, False),
        ({"Principal": {"Service": "logs.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "logging.s3.amazonaws.com"}}, False),
        ({"Principal": "*"}, False),
    ],
)
def test_a_bucket_of_logs_lets_s3_write_by_one_statement(changes: dict[str, Any], lets_in: bool) -> None:
    assert stores._lets_logs_in(LETS_IN | changes) is lets_in
