"""Incident sources on the deployed stack: signed by their own rules, received, and kept as drafts without loss."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from typing import Any

import boto3
import pytest

from kulanz.application.drafts.draft_ports import Unread, Upstream
from kulanz.sources.configuration import configuration_json
from kulanz_cli.direct import DirectStack
from kulanz_cli.signed import Http, SignedRequest
from kulanz_cli.sources import as_delivery
from kulanz_local import drive
from tests.pipeline.conftest import Deployed
from tests.support.sources import body_of, content_of
from tests.unit.sources.test_signatures import signed

pytestmark = [pytest.mark.ministack, pytest.mark.long]

SECRET = "a secret of PagerDuty's"
DELIVERIES = 60
SENDERS = 6
READ_SECONDS = 120
REFUSED, RECEIVED, TOO_LARGE = 401, 202, 413


@pytest.fixture
def stack(deployed: Deployed) -> DirectStack:
    """The deployed stack, with a pager and AWS Health as its sources."""
    found = drive.stack_of(deployed.aws)
    sources = {"pager": content_of("pagerduty")["sources"]["it"], "health": content_of("aws_health")["sources"]["it"]}
    current = found.sources().current()
    if "pager" not in current.sources:  # the stack may have told a story of a status page before
        content = {"kulanz_sources": 1, "version": current.version + 1, "sources": sources}
        found.sources().publish(current.version + 1, configuration_json(content))
    secrets: Any = deployed.session.client("secretsmanager", endpoint_url=deployed.aws.endpoint)
    with suppress(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name="kulanz/sources/pager", SecretString=json.dumps({"secrets": ["new", SECRET]}))
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


def test_many_deliveries_at_once_are_all_received_and_become_drafts(stack: DirectStack) -> None:
    bodies = [incident(number) for number in range(DELIVERIES)]
    with ThreadPoolExecutor(SENDERS) as senders:
        first = bodies[:SENDERS]  # each worker of the receiver starts with one
        assert {*senders.map(lambda body: sent(stack, body, signed(SECRET, body)), first)} == {RECEIVED}
        started = time.monotonic()
        statuses = list(senders.map(lambda body: sent(stack, body, signed(SECRET, body)), bodies))
    seconds = time.monotonic() - started
    assert set(statuses) == {RECEIVED}
    wanted = {f"qupstream{number:04d}" for number in range(DELIVERIES)}
    drive.wait_until("all drafts", READ_SECONDS, lambda: wanted <= received(stack))
    print(f"{DELIVERIES / seconds:.0f} deliveries a second were received")  # noqa: T201 (a figure for whoever looks)


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
