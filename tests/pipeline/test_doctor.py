"""`kulanz doctor` on the deployed stack: it passes, leaves nothing behind, and notices what is changed."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import pytest

from kulanz_cli.direct import DirectStack
from kulanz_cli.doctor import doors
from kulanz_local import drive
from tests.pipeline.conftest import Deployed

pytestmark = pytest.mark.ministack

NOT_SHOWN_ON_MINISTACK = {
    "tables": ["KMS", "Point-in-time"] * 2,
    "bucket": ["Nothing expires"],
    "policy of the bus": [
        "NobodyElseMayPublish", "OnlyCampaignPublishersMayOpenCampaigns", "OnlyAdvanceCampaignSpeaksForKulanz",
        "OnlyDraftIncidentsSpeaksOfDrafts",
    ],
    "put on the bus": ["in the name of kulanz", "not in PublisherArns"],
    "send to the queues": ["incidents queue", "chunk queue"],
    "write to the tables": ["decisions took an item", "campaigns took an item"],
    "streams": ["has not yet counted a look"] * 3,
    "permissions": ["events:PutEvents"],
    "notices topic": ["statement ListedAccountsMaySubscribe", "Nobody is subscribed"],
}  # fmt: skip
"""What the embedded AWS ignores; the list is exact, so that it shrinks when MiniStack learns one of these."""


DENY_PUBLISHING = {"Statement": [{"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}]}


def examined(stack: DirectStack, *words: str) -> tuple[int, list[Any]]:
    written = io.StringIO()
    with redirect_stdout(written):
        code = drive.run_kulanz(stack, "doctor", "--json", *words)
    return code, json.loads(written.getvalue())["results"]


@pytest.fixture
def stack(deployed: Deployed) -> Iterator[DirectStack]:
    """The stack without the subscribers of other tests. Afterwards no event of doctor's is refused: it sent none."""
    found = drive.stack_of(deployed.aws)
    sns = found.client("sns")
    for one in sns.list_subscriptions_by_topic(TopicArn=deployed.outputs.notices_topic_arn)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    yield found
    drive.wait_until_quiet(found, [deployed.outputs.incidents_queue_url, deployed.outputs.chunks_queue_url], 60)
    written = io.StringIO()
    with redirect_stdout(written):
        assert drive.run_kulanz(found, "rejected", "--json") in (0, 1)
    assert [one for one in json.loads(written.getvalue())["rejected"] if one["source"] == doors.DOCTOR] == []


def test_it_passes_and_says_what_cannot_be_shown_here(stack: DirectStack) -> None:
    code, results = examined(stack)
    assert [one for one in results if one["verdict"] == "finding"] == []
    assert code == 0
    hidden = [(one["check"], one["says"]) for one in results if one["verdict"] == "not shown"]
    expected = [(check, text) for check, texts in NOT_SHOWN_ON_MINISTACK.items() for text in texts]
    assert [check for check, _ in hidden] == [check for check, _ in expected]
    assert [(says, text) for (_, says), (_, text) in zip(hidden, expected, strict=True) if text not in says] == []
    items = stack.client("dynamodb").scan(TableName=stack.outputs.credits_table_name)["Items"]
    assert [item for item in items if item["pk"]["S"].startswith("DOCTOR#")] == []


@contextmanager
def changed(change: Callable[[], Any], back: Callable[[], Any]) -> Iterator[None]:
    change()
    try:
        yield
    finally:
        back()


def test_it_notices_what_somebody_changed(stack: DirectStack) -> None:
    outputs, s3, functions = stack.outputs, stack.client("s3"), stack.client("lambda")
    dynamodb, queues = stack.client("dynamodb"), stack.client("sqs")
    mapping = functions.list_event_source_mappings(FunctionName=outputs.open_campaign_function_name)
    (uuid,) = [one["UUID"] for one in mapping["EventSourceMappings"]]
    iam, (_, role) = stack.client("iam"), stack.resources()["PublishNoticesRole"]
    bucket, table = outputs.list_bucket_name, outputs.campaigns_table_name
    url = outputs.chunks_queue_url
    policy = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]

    def versioning(status: str) -> Any:
        return s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})

    def expiry(*, on: bool) -> Any:
        given = {"Enabled": on, "AttributeName": "until"}
        return dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=given)

    with (
        changed(lambda: versioning("Suspended"), lambda: versioning("Enabled")),
        changed(lambda: expiry(on=True), lambda: expiry(on=False)),
        changed(
            lambda: queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""}),
            lambda: queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy}),
        ),
        changed(
            lambda: iam.put_role_policy(RoleName=role, PolicyName="a-test", PolicyDocument=json.dumps(DENY_PUBLISHING)),
            lambda: iam.delete_role_policy(RoleName=role, PolicyName="a-test"),
        ),
        changed(
            lambda: functions.update_event_source_mapping(UUID=uuid, Enabled=False),
            lambda: functions.update_event_source_mapping(UUID=uuid, Enabled=True),
        ),
    ):
        code, results = examined(stack)
    found = {one["check"] for one in results if one["verdict"] == "finding"}
    assert found == {"bucket", "tables", "policies of the queues", "event source mappings", "permissions"}
    assert code == 1
    assert examined(stack)[0] == 0
