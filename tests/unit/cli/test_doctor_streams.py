"""`kulanz doctor` from the streams to the topic: each check notices what it is for, and nothing is sent through."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from kulanz_cli.doctor.command import CHECKS
from kulanz_cli.doctor.doors import PLACE
from kulanz_cli.doctor.streams import READERS
from tests.support.healthy_aws import ACCOUNT, NOW, TOPIC, HealthyAws, refusal
from tests.unit.cli.test_doctor import FAULTS as OTHER_FAULTS
from tests.unit.cli.test_doctor import FAULTS_OF_THE_CONSOLE, LISTS, allow_everybody, answer, findings, run, without

DECISIONS, REVISIONS, PROGRESS = (reader.mapping for reader in READERS)
OTHER_STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/a/stream/2025-01-01T00:00:00.000"
OTHER_FILTER = {"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT"]})}]}


def mapping(name: str, **changes: Any) -> Callable[[HealthyAws], object]:
    return lambda aws: aws.readers[name].update(changes)


def lacking(action: str) -> Callable[[HealthyAws], object]:
    def simulated(ActionNames: list[str], **_: Any) -> Any:  # noqa: N803 - the SDK's own name
        decisions = ["implicitDeny" if one == action else "allowed" for one in ActionNames]
        return {"EvaluationResults": [{"EvalDecision": one} for one in decisions]}

    return answer("iam.simulate_principal_policy", simulated)


def to_the_topic(make: Callable[[HealthyAws], object]) -> Callable[[HealthyAws], object]:
    def made(aws: HealthyAws) -> None:
        aws.template.parameters["DeliveryChannel"] = "billing:topic"
        make(aws)

    return made


FAULTS: list[tuple[str, str, Callable[[HealthyAws], object]]] = [
    ("streams", "publish_notices reads another stream", mapping(DECISIONS, EventSourceArn=OTHER_STREAM)),
    ("streams", "publish_notices hears of other records", mapping(DECISIONS, FilterCriteria=OTHER_FILTER)),
    ("streams", "publish_notices hears of other records", mapping(REVISIONS, FilterCriteria={})),
    ("streams", "What advance_campaign gives up is not kept", mapping(PROGRESS, DestinationConfig={})),
    (
        "streams",
        "What publish_notices gives up is not kept",
        mapping(DECISIONS, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::another_list_bucket"}}),
    ),
    ("streams", "Nobody counts what advance_campaign gives up", mapping(PROGRESS, MetricsConfig={"Metrics": []})),
    ("streams", "has not looked into", answer("cloudwatch.get_metric_statistics", {"Datapoints": []})),
    ("streams", f"The mapping {PROGRESS} is missing", lambda aws: setattr(aws, "resources", dict)),
    ("permissions", "role of publish_notices may not call sns:Publish", lacking("sns:Publish")),
    ("permissions", "role of publish_notices may not call s3:PutObject", lacking("s3:PutObject")),
    ("permissions", "role of advance_campaign may not call events:PutEvents", lacking("events:PutEvents")),
    ("permissions", "role of advance_campaign may not call sqs:SendMessage", lacking("sqs:SendMessage")),
    ("notices topic", "RefusePlainHttp is missing", lambda aws: without(aws.topic_policy, "RefusePlainHttp")),
    ("notices topic", "ForTests", lambda aws: allow_everybody(aws.topic_policy)),
    (
        "notices topic",
        "1 of 1 subscriptions of the topic were never confirmed",
        answer("sns.list_subscriptions_by_topic", {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]}),
    ),
    (
        "credits topic",
        "RefusePlainHttp is missing",
        to_the_topic(lambda aws: without(aws.credits_topic_policy, "RefusePlainHttp")),
    ),
    (
        "credits topic",
        "nobody books them",
        to_the_topic(answer("sns.list_subscriptions_by_topic", {"Subscriptions": []})),
    ),
]


@pytest.mark.parametrize(("check", "says", "make"), FAULTS, ids=[f"{check}: {says}" for check, says, _ in FAULTS])
def test_a_check_notices_what_it_is_for(check: str, says: str, make: Callable[[HealthyAws], object]) -> None:
    aws = HealthyAws()
    make(aws)
    assert [text for name, text in findings(aws) if name == check and says in text]
    assert [line for line in run(aws).stdout.splitlines() if len(line) > 80 and " " in line.strip()] == []


def test_every_check_is_made_to_fail() -> None:
    assert {check for check, _, _ in (*FAULTS, *OTHER_FAULTS, *FAULTS_OF_THE_CONSOLE)} == set(CHECKS)


def test_nothing_is_published_and_no_record_is_written_that_a_reader_would_see() -> None:
    aws = HealthyAws()
    run(aws)
    sent = {"publish", "publish_batch", "update_item", "transact_write_items", "put_metric_data"}
    assert {name for name, _ in aws.calls} & sent == set()
    assert {given["Item"]["sk"]["S"] for name, given in aws.calls if name == "put_item"} == {PLACE}


def test_the_readers_are_those_of_the_template() -> None:
    assert set(HealthyAws().readers) == {reader.mapping for reader in READERS}


def test_listed_accounts_may_subscribe_and_sns_may_write_them_as_their_roots() -> None:
    aws = HealthyAws({**LISTS, "SubscriberAccountIds": "999999999999,888888888888"})
    assert findings(aws) == []
    (allowed,) = [one for one in aws.topic_policy["Statement"] if one["Effect"] == "Allow"]
    allowed["Principal"] = {"AWS": [f"arn:aws:iam::{one}:root" for one in ("999999999999", "888888888888")]}
    assert findings(aws) == []
    allowed["Principal"]["AWS"].append(f"arn:aws:iam::{ACCOUNT}:root")
    assert [check for check, _ in findings(aws)] == ["notices topic"]


def test_nobody_has_to_hear_the_credits_topic_where_credits_go_into_files() -> None:
    aws = HealthyAws({"DeliveryChannel": "billing:csv"})
    aws.replies["sns.list_subscriptions_by_topic"] = {"Subscriptions": []}
    assert "credits topic" not in {check for check, _ in findings(aws)}


LOGS = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}


@pytest.mark.parametrize(
    ("target", "statements", "says"),
    [
        ("access-logs", [LOGS], ""),
        ("access-logs", [{**LOGS, "Action": ["s3:GetObject", "s3:PutObject"]}], ""),
        ("access-logs", [], "no access log arrives"),
        ("access-logs", [{**LOGS, "Effect": "Deny"}], "no access log arrives"),
        ("access-logs", [{**LOGS, "Principal": {"Service": "sns.amazonaws.com"}}], "no access log arrives"),
        ("access-logs", [{**LOGS, "Principal": "*"}], "no access log arrives"),
        ("access-logs", None, "no access log arrives"),
        ("others", [LOGS], "to others, not to access-logs"),
        ("", [LOGS], "to no bucket, not to access-logs"),
    ],
)
def test_access_logs_that_s3_would_drop_without_a_word_are_a_finding(
    target: str, statements: list[Any] | None, says: str
) -> None:
    aws = HealthyAws({"AccessLogBucket": "access-logs"})
    ours = aws.replies["s3.get_bucket_policy"]

    def policy(Bucket: str) -> Any:  # noqa: N803 - the SDK's own name
        if Bucket != "access-logs":
            return ours()
        if statements is None:
            raise refusal("NoSuchBucketPolicy", "GetBucketPolicy")
        return {"Policy": json.dumps({"Statement": statements})}

    aws.replies["s3.get_bucket_policy"] = policy
    aws.replies["s3.get_bucket_logging"] = {"LoggingEnabled": {"TargetBucket": target}} if target else {}
    found = findings(aws)
    assert [check for check, text in found if says and says in text] == ["bucket"] * bool(says)
    assert len(found) == bool(says)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (answer("sns.list_subscriptions_by_topic", {"Subscriptions": []}), "Nobody is subscribed to the topic"),
        (
            lambda aws: (
                aws.replies.update({"cloudwatch.get_metric_statistics": {"Datapoints": []}}),
                [one.update(LastModified=NOW) for one in aws.readers.values()],
            ),
            "run this again in half an hour",
        ),
    ],
)
def test_what_a_new_stack_cannot_show_yet_is_no_finding(make: Callable[[HealthyAws], object], says: str) -> None:
    aws = HealthyAws()
    make(aws)
    assert findings(aws) == []
    assert says in " ".join(run(aws).stdout.split())


def test_who_may_not_ask_the_simulator_is_told_so() -> None:
    aws = HealthyAws()
    aws.replies["iam.simulate_principal_policy"] = refusal("AccessDenied", "SimulatePrincipalPolicy")
    assert findings(aws) == [("permissions", "Not checked: you may not call SimulatePrincipalPolicy.")]


def test_the_simulator_is_asked_about_the_names_of_this_stack() -> None:
    aws = HealthyAws()
    run(aws)
    asked = [given for name, given in aws.calls if name == "simulate_principal_policy"]
    resources = {(given["ActionNames"][0], given["ResourceArns"][0]) for given in asked}
    prefix = f"eu-central-1:{ACCOUNT}"
    assert resources == {
        ("sns:Publish", TOPIC),
        ("s3:PutObject", "arn:aws:s3:::list_bucket/aws/lambda/a"),
        ("sqs:SendMessage", f"arn:aws:sqs:{prefix}:chunks_queue_url"),
        ("events:PutEvents", f"arn:aws:events:{prefix}:event-bus/event_bus"),
    }
