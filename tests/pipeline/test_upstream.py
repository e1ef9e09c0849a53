"""Incident sources on the deployed stack: signed by their own rules, received, and kept as drafts without loss."""

import json
import time
from copy import deepcopy
from typing import Any

import boto3
import pytest

from kulanz.application.drafts.draft_ports import Unread, Upstream
from kulanz_cli.direct import DirectStack
from kulanz_cli.signed import Http, SignedRequest
from kulanz_cli.sources import as_delivery
from kulanz_local import drive
from tests.pipeline.conftest import Deployed
from tests.support import flood
from tests.support.sources import body_of
from tests.unit.sources.test_signatures import signed

pytestmark = [pytest.mark.ministack, pytest.mark.long]

SECRET = flood.SECRETS["pager"]
SECONDS = 15
READ_SECONDS = 240
REFUSED, RECEIVED, TOO_LARGE = 401, 202, 413


@pytest.fixture
def stack(deployed: Deployed) -> DirectStack:
    """The deployed stack with its sources, after a watch that may hold that there are none."""
    found = drive.stack_of(deployed.aws)
    watch = deployed.outputs.draft_incidents_function_name
    found.client("lambda").invoke(FunctionName=watch, Payload=json.dumps({"id": "watch"}).encode())
    flood.connect(found)
    return found


def sent(stack: DirectStack, body: bytes, header: str, path: str = "pager") -> int:
    headers = {"content-type": "application/json", "x-pagerduty-signature": header}
    return Http()(SignedRequest("POST", f"{stack.sources_url()}/{path}", headers, body)).status


def incident(number: int) -> bytes:
    body = deepcopy(body_of("pagerduty", "resolved"))
    body["event"]["id"] = f"EVENT{number:04d}"
    body["event"]["data"]["id"] = f"QUPSTREAM{number:04d}"
    return as_delivery(body)


def received(stack: DirectStack) -> set[str]:
    """The names of the incidents that something was received of this month."""
    month, after, found = time.strftime("%Y-%m", time.gmtime()), "", set[str]()
    while True:
        page = stack.drafts().in_month(month, after)
        found |= {one.name for one in page.found if isinstance(one, Upstream)}
        if not page.after:
            return found
        after = page.after


def test_twenty_deliveries_a_second_are_received_and_each_ends_as_its_draft_or_refused(
    stack: DirectStack, deployed: Deployed
) -> None:
    """Three sources at once, out of order, some doubled, forged or cut off: nothing is lost, and nothing is more."""
    told = flood.flood(SECONDS, seed=1)
    flood.send(stack, told.sent[: flood.SENDERS], flood.RATE)  # the functions and the sources' secrets are read
    outcome = flood.send(stack, told.sent, flood.RATE)
    print(outcome.text)  # noqa: T201 (a figure for whoever looks)
    assert not outcome.wrong, "expected and given statuses of the answers"
    try:
        drive.wait_until("all drafts", READ_SECONDS, lambda: not flood.missing(stack, told))
    except drive.Overdue:
        pytest.fail(f"{flood.missing(stack, told)}\n{drive.situation(stack, ())}")
    drafted = {draft.id for draft in flood.found(stack, told)}
    assert drafted == set(flood.expected(stack, told)), "no delivery made a draft of another incident"
    sqs: Any = deployed.session.client("sqs", endpoint_url=deployed.aws.endpoint)
    counted = sqs.get_queue_attributes(QueueUrl=deployed.outputs.sources_queue_url, AttributeNames=["All"])[
        "Attributes"
    ]
    assert counted["ApproximateNumberOfMessages"] == "0"
    assert counted["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_what_is_not_signed_is_refused_and_what_cannot_be_read_is_listed(stack: DirectStack) -> None:
    body = incident(9_000)
    assert sent(stack, body, "") == REFUSED
    assert sent(stack, body, signed("another", body)) == REFUSED
    assert sent(stack, body, signed(SECRET, body), "nobody") == REFUSED
    assert sent(stack, body, signed(SECRET, body), "pager/secret") == REFUSED
    large = b"x" * (1024 * 1024 + 1)
    assert sent(stack, large, signed(SECRET, large)) == TOO_LARGE
    unreadable = "Störung, kein JSON".encode()
    assert sent(stack, unreadable, signed(SECRET, unreadable)) == RECEIVED

    def is_listed() -> bool:
        page = stack.drafts().in_month(time.strftime("%Y-%m", time.gmtime()))
        return any(isinstance(one, Unread) and one.reason == "not_json" for one in page.found)

    drive.wait_until("the reason", READ_SECONDS, is_listed)
    assert "qupstream9000" not in received(stack)


def test_an_event_of_aws_health_becomes_a_draft_that_nobody_can_confirm(stack: DirectStack, deployed: Deployed) -> None:
    """Put into the queue as EventBridge would: a stand-in takes no event of aws.*; its pattern is the template's."""
    session: boto3.Session = deployed.session
    event = json.dumps(body_of("aws_health", "issue-closed"))
    sqs = session.client("sqs", endpoint_url=deployed.aws.endpoint)
    sqs.send_message(QueueUrl=deployed.outputs.sources_queue_url, MessageBody=event)

    def drafts() -> list[dict[str, Any]]:
        month = time.strftime("%Y-%m", time.gmtime())
        pages = stack.door().pages("drafts.of_month", month=month)
        return [one for page in pages for one in page["drafts"] if one["draft"].startswith("health-")]

    drive.wait_until("the draft", READ_SECONDS, lambda: bool(drafts()))
    assert [one["state"] for one in drafts()] == ["held"]
