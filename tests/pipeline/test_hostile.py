"""The hostile corpus through the deployed stack: a sample in every test run, all of it with KULANZ_HOSTILE=all."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz_cli.direct import DirectStack
from kulanz_cli.terminal import console
from kulanz_local import drive
from kulanz_local.gate import desks
from kulanz_local.stories.telling import Stage
from kulanz_local.subscriber import Subscriber
from tests.hostile.corpus import Case, body_of, cases, event_cases, list_bytes, row_bytes
from tests.pipeline.conftest import Deployed
from tests.support.small_campaign import SEALED, event
from tests.support.world_steps import with_version

pytestmark = pytest.mark.ministack

SAMPLE_EVERY = 1 if os.environ.get("KULANZ_HOSTILE") == "all" else 7
LISTS_SAMPLE_EVERY = 1 if SAMPLE_EVERY == 1 else 10
LONGEST_LINE_BYTES = 10_000_000 if SAMPLE_EVERY == 1 else 2 * LINE_BYTES
"""Twice as long as a line may be crosses 32 chunks; the corpus's two megabytes cross 488, and each is a message."""
CANARY = "canary5e1f"
GOOD_ROWS = 3
GOOD = b"account_id,segment,affected,fee,language\n" + b"".join(
    f"good-{number},consumer,yes,10.00,de\n".encode() for number in range(GOOD_ROWS)
)


@pytest.fixture(scope="module")
def stage(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    outputs = deployed.outputs
    place = deployed.session, deployed.aws.endpoint, outputs.notices_topic_arn, outputs.event_bus_name
    stack = drive.stack_of(deployed.aws)
    stack.policies().publish("net-credit", 1, SEALED)
    for key in ("lists/net-outage.csv", "lists/hostile.csv.gz", "lists/hostile.xlsx"):
        put(stack, key, GOOD)
    with Subscriber(*place) as subscriber:
        yield Stage(stack, desks(deployed.aws), subscriber, console(), Path(tmp_path_factory.mktemp("hostile")))


def put(stack: DirectStack, key: str, content: bytes) -> None:
    stack.client("s3").put_object(Bucket=stack.outputs.list_bucket_name, Key=key, Body=content)


def newest(stack: DirectStack, key: str) -> str:
    """The version of a list that is current now; one that nothing has where there is none."""
    try:
        return str(stack.client("s3").head_object(Bucket=stack.outputs.list_bucket_name, Key=key)["VersionId"])
    except ClientError:
        return "version-of-nothing"


def request(stage: Stage, incident_id: str, key: str, rows: int) -> CampaignId:
    """Put an event about a list of our own on the bus."""
    good = event(key=key, rows=rows, incident_id=incident_id)
    good["detail"]["campaign"]["affected"]["s3"]["bucket"] = stage.stack.outputs.list_bucket_name
    with_version(good, partial(newest, stage.stack))
    stage.send(good["detail-type"], good["detail"])
    return CampaignId(incident_id, 1)


def refusals(stack: DirectStack) -> list[dict[str, Any]]:
    """What the queue of refused events holds; it is empty afterwards."""
    sqs, url = stack.client("sqs"), stack.outputs.rejected_queue_url
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_hostile_events_are_refused_and_a_good_one_behind_them_is_acted_on(stage: Stage, deployed: Deployed) -> None:
    stack = stage.stack
    refusals(stack)
    # SQS itself refuses a message without a character.
    tried = [case for case in event_cases() if case.get("body") != ""][::SAMPLE_EVERY]
    for case in tried:
        body = body_of(
            case, stack.outputs.list_bucket_name, partial(newest, stack), incident_id="hostile", title=CANARY
        )
        stack.client("sqs").send_message(QueueUrl=deployed.outputs.incidents_queue_url, MessageBody=body)
    behind = request(stage, "behind-hostile-events", "lists/net-outage.csv", GOOD_ROWS)
    assert stage.closed(behind).state is State.CLOSED
    drive.wait_until_quiet(stack, [deployed.outputs.incidents_queue_url], 120)
    found = refusals(stack)
    reasons = Counter(refusal["reason"] for refusal in found)
    # How deep a parser goes is its own matter, so the deep cases state no reason; each is refused all the same.
    stated = Counter(case["reason"] for case in tried if "reason" in case)
    assert stated <= reasons
    assert (reasons - stated).total() == sum("reason" not in case for case in tried)
    assert CANARY not in json.dumps(found)
    assert drive.messages_in(stack.client("sqs"), deployed.outputs.incidents_dead_letter_queue_url) == 0


@pytest.mark.parametrize(("file", "ending"), [("lists/csv_rows.yaml", "csv"), ("lists/jsonl_rows.yaml", "jsonl")])
def test_hostile_rows_end_as_told_in_one_list(stage: Stage, deployed: Deployed, file: str, ending: str) -> None:
    found = cases(file)
    rows = [row_bytes(case).replace(b"A1", f"{CANARY}-{number}".encode()) for number, case in enumerate(found)]
    # Where a line of the corpus is as long as a line may be, a longer name would make it too long.
    rows = [row if "pad" not in case else row_bytes(case) for row, case in zip(rows, found, strict=True)]
    rows = [row[:LONGEST_LINE_BYTES] for row in rows]
    header = [b"account_id,segment,affected,fee,language"] if ending == "csv" else []
    put(stage.stack, f"lists/hostile-rows.{ending}", b"\n".join([*header, *rows]) + b"\n")
    blank = sum(case["is"] == "blank" for case in found)
    campaign = stage.closed(request(stage, f"hostile-rows-{ending}", f"lists/hostile-rows.{ending}", len(rows) - blank))
    wanted: Counter[tuple[str, str]] = Counter()
    for case in found:
        row_result, _, reason = case["is"].partition(" ")
        wanted[row_result, reason] += 1
    told: Counter[tuple[str, str]] = Counter()
    for (row_result, reason), lines in campaign.plan.totals.results().items():
        told[row_result.value, reason if row_result.value == "rejected" else ""] += lines
    assert told == wanted
    assert_logs_are_silent(stage.stack)
    assert drive.messages_in(stage.stack.client("sqs"), deployed.outputs.chunks_dead_letter_queue_url) == 0


@pytest.mark.parametrize("case", cases("lists/whole.yaml")[::LISTS_SAMPLE_EVERY], ids=lambda case: case["name"])
def test_a_hostile_list_is_refused_or_decided_as_told(stage: Stage, case: Case) -> None:
    name = "".join(letter if letter.isalnum() else "-" for letter in case["name"].lower())
    put(stage.stack, f"lists/{name}.csv", list_bytes(case))
    refusals(stage.stack)
    campaign_id = request(stage, f"hostile-{name}"[:64], f"lists/{name}.csv", case.get("rows", 1))
    store = stage.stack.campaigns()
    if "opens" in case:
        stage.wait_until("a refusal", lambda: [one["reason"] for one in refusals(stage.stack)] == [case["opens"]])
        assert store.campaign(campaign_id) is None
        return
    ended = State.REFUSED if "plan" in case else State.CLOSED

    def has_ended() -> bool:
        found = drive.approved(stage.stack, campaign_id)
        return found is not None and found.state is ended

    stage.wait_until(ended, has_ended)
    found = store.campaign(campaign_id)
    assert found is not None
    assert found.state_reason.startswith(case.get("plan", "balanced"))


def assert_logs_are_silent(stack: DirectStack) -> None:
    """No log of any function holds a value of a row."""
    logs = stack.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    printed = [item["message"] for group in groups for item in logs.filter_log_events(logGroupName=group)["events"]]
    assert any('"chunk"' in line for line in printed), "the functions have logged"
    assert not any(CANARY in line for line in printed)
