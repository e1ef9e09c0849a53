"""Drives a deployed stack as its company would: publishes policies and incidents, and follows campaigns."""

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click

import kulanz as release
from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State
from kulanz.domain.gate.approval import Approval, ApprovalRefused
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.people.caller import Person
from kulanz_cli.direct import DirectStack
from kulanz_cli.event_file import read_event
from kulanz_cli.main import main as kulanz
from kulanz_cli.send import with_list
from kulanz_cli.shown_campaign import ShownCampaign, ShownPass
from kulanz_cli.stack import Stack
from kulanz_cli.watch import AT_REST, CampaignBars
from kulanz_local.cases import LIMITS, Case
from kulanz_local.embedded import REGION, EmbeddedAws, aws_session

POLL_SECONDS = 0.25
QUIET_LOOKS = 4
"""Queues are quiet when they were found empty so many times in a row."""
LOG_LINES = 8
TICK_SECONDS = 60


class Overdue(Exception):
    """What was waited for did not happen within its limit."""


def stack_of(aws: EmbeddedAws, name: str = "kulanz") -> DirectStack:
    """The deployed stack as the `kulanz` command sees it; its tables are for whoever compares what was planted."""
    session = aws_session()
    keys = session.get_credentials()
    return DirectStack(name, region=REGION, endpoint_url=aws.endpoint, make_client=session.client, credentials=keys)


def stack_of_person(aws: EmbeddedAws, key: str, secret: str, name: str = "kulanz") -> Stack:
    """The deployed stack as a person sees it who signs with keys of her own."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
    keys = session.get_credentials()
    return Stack(name, region=REGION, endpoint_url=aws.endpoint, make_client=session.client, credentials=keys)


def shown(campaign: Campaign) -> ShownCampaign:
    """A campaign as the command shows it, from its record instead of an answer of the API."""
    plan, apply = (
        ShownPass(one.totals, one.bytes_done, one.sent, campaign.is_finished(work))
        for work, one in ((Pass.PLAN, campaign.plan), (Pass.APPLY, campaign.apply))
    )
    return ShownCampaign(
        id=campaign.id,
        state=campaign.state,
        reason=campaign.state_reason,
        keeps_history=campaign.keeps_history,
        rows_announced=campaign.rows_announced,
        bytes_in_all=campaign.chunks.total_bytes,
        plan=plan,
        apply=apply,
    )


def run_kulanz(stack: Stack, *arguments: str) -> int:
    """Run the `kulanz` command on a stack in this process; its exit code."""
    try:
        code: Any = kulanz.main(list(arguments), prog_name="kulanz", standalone_mode=False, obj=stack)
    except click.Abort as ended:  # what click makes of Ctrl-C
        raise KeyboardInterrupt from ended
    return code if isinstance(code, int) else 0


def completed_event(stack: DirectStack, case: Case, path: Path, rows: int) -> dict[str, Any]:
    """The event of a case, naming the list at `path`, which is uploaded."""
    return with_list(with_limits(read_event(case.event)), stack, path, rows)


def with_limits(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a case with the limits that its list needs, which has trouble planted."""
    detail = event["detail"]
    return {**event, "detail": {**detail, "campaign": {**detail["campaign"], "limits": dict(LIMITS)}}}


def wait_until(what: str, longest_seconds: float, is_so: Callable[[], bool]) -> None:
    """Ask until it is so. Raises Overdue after `longest_seconds`."""
    deadline = time.monotonic() + longest_seconds
    while not is_so():
        if time.monotonic() >= deadline:
            raise Overdue(f"{what} did not happen within {longest_seconds:.0f} seconds")
        time.sleep(POLL_SECONDS)


def follow(
    stack: DirectStack,
    campaign_ids: Iterable[CampaignId],
    bars: CampaignBars,
    longest_seconds: float,
    check: Callable[[], None],
    look: "Callable[[DirectStack, CampaignId], Campaign | None] | None" = None,
) -> list[Campaign]:
    """Draw campaigns from the sums of their receipts until all rest, and approve the plans that keep their limits.

    With another `look` than `approved`, plans wait until somebody approves them. Raises Overdue; `check` may raise at
    any look.
    """
    look = look or approved
    wanted = list(campaign_ids)
    found: dict[CampaignId, Campaign] = {}

    def all_rest() -> bool:
        check()
        for campaign_id in wanted:
            if campaign_id in found and found[campaign_id].state in AT_REST:
                continue
            campaign = look(stack, campaign_id)
            if campaign is not None:
                found[campaign_id] = campaign
                bars.show(shown(campaign))
        return len(found) == len(wanted) and all(campaign.state in AT_REST for campaign in found.values())

    wait_until("the end of the campaigns", longest_seconds, all_rest)
    return [found[campaign_id] for campaign_id in wanted]


def unapproved(stack: DirectStack, campaign_id: CampaignId) -> Campaign | None:
    """The campaign as it stands, whatever it waits for."""
    return stack.campaigns().campaign(campaign_id)


APPROVERS = tuple(Person(f"iam:arn:aws:iam::000000000000:user/{name}") for name in ("anna", "ben"))
"""The two persons of a stack on this machine who approve what waits."""


def approved(stack: DirectStack, campaign_id: CampaignId) -> Campaign | None:
    """The campaign as it stands, after its approvers have said yes to a plan that waits and keeps its limits."""
    store = stack.campaigns()
    campaign = store.campaign(campaign_id)
    if campaign is None or campaign.state is not State.AWAITING_APPROVAL:
        return campaign
    plan = store.filed_plan(campaign_id)
    if plan is None or plan.exceeded:
        return campaign
    ports = GatePorts(store, stack.stores(), SAFE, stack.people().current())
    for person in APPROVERS:
        approval = Approval(f"yes-{person.id.rpartition('/')[2]}", person.id, plan.hash, (), datetime.now(UTC))
        with suppress(ApprovalRefused):  # another look was faster, or the first approval was enough
            campaign = decide_plan(campaign_id, approval, person, ports, release.__version__)
    return campaign


def wait_until_quiet(stack: DirectStack, queue_urls: Iterable[str], longest_seconds: float) -> None:
    """Wait until no message waits in the queues or is being worked on."""
    sqs, urls, quiet = stack.client("sqs"), list(queue_urls), 0

    def is_quiet() -> bool:
        nonlocal quiet
        quiet = quiet + 1 if all(messages_in(sqs, url) == 0 for url in urls) else 0
        return quiet >= QUIET_LOOKS

    wait_until("an empty queue", longest_seconds, is_quiet)


def messages_in(sqs: Any, queue_url: str) -> int:
    """Messages in a queue, waiting, delayed or being worked on."""
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes.get(name, 0)) for name in names)


def files_in(stack: DirectStack, folder: str) -> dict[str, bytes]:
    """The files of a folder of the list bucket, by name, as whoever fetches them there gets them."""
    s3, bucket = stack.client("s3"), stack.outputs.list_bucket_name
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/")["Contents"]
    return {
        one["Key"].rpartition("/")[2]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed
    }


def tick(stack: DirectStack) -> dict[str, float]:
    """Invoke the watch as its schedule does; the metrics that it reported, by name."""
    function = stack.outputs.advance_campaign_function_name
    began_at = int(time.time() * 1000)
    stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"id": f"tick-{began_at}"}).encode())
    reported: dict[str, float] = {}

    logs = stack.client("logs")
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]

    def is_reported() -> bool:
        for group in groups:
            if "advance" in group.lower():
                for event in logs.filter_log_events(logGroupName=group, startTime=began_at)["events"]:
                    reported.update(_metrics_in(event["message"]))
        return "CreditsOverdue" in reported

    wait_until("the metrics of the tick", TICK_SECONDS, is_reported)
    return reported


def _metrics_in(line: str) -> dict[str, float]:
    """The metrics of a line of a function's log, where it has some."""
    try:
        told = json.loads(line)
        named = [one["Name"] for group in told["_aws"]["CloudWatchMetrics"] for one in group["Metrics"]]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: value[-1] if isinstance(value := told[name], list) else value for name in named}


def given_up(stack: DirectStack) -> dict[str, int]:
    """Messages in the queues of refused events and dead letters; empty when all is well."""
    sqs, outputs = stack.client("sqs"), stack.outputs
    urls = {
        "rejected events": outputs.rejected_queue_url,
        "given up events": outputs.incidents_dead_letter_queue_url,
        "given up chunks": outputs.chunks_dead_letter_queue_url,
    }
    counted = {name: messages_in(sqs, url) for name, url in urls.items()}
    return {name: number for name, number in counted.items() if number}


def decisions_stored(stack: DirectStack) -> Counter[str]:
    """Decisions by incident, counted item by item; the embedded AWS takes minutes for over 100,000."""
    client, counted = stack.client("dynamodb"), Counter[str]()
    start: dict[str, Any] = {}
    while True:
        page = client.scan(
            TableName=stack.outputs.credits_table_name, ConsistentRead=True, ProjectionExpression="sk", **start
        )
        kinds_and_incidents = (item["sk"]["S"].split("#")[:2] for item in page["Items"])
        counted.update(incident for kind, incident in kinds_and_incidents if kind == "DECISION")
        if not page.get("LastEvaluatedKey"):
            return counted
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def items_in_the_ledger(stack: DirectStack) -> int:
    """Items in the ledger's table, as the embedded AWS counts them at once; AWS itself does every six hours."""
    table = stack.client("dynamodb").describe_table(TableName=stack.outputs.credits_table_name)["Table"]
    return int(table["ItemCount"])


def situation(stack: DirectStack, campaign_ids: Iterable[CampaignId]) -> str:
    """Where everything stands, for a person who has to find out why something did not happen."""
    sqs, store, told = stack.client("sqs"), stack.campaigns(), []
    for field in fields(stack.outputs):
        if field.name.endswith("_queue_url"):
            url = getattr(stack.outputs, field.name)
            told.append(f"{field.name.removesuffix('_url')}: {messages_in(sqs, url)} messages")
    for campaign_id in campaign_ids:
        campaign = store.campaign(campaign_id)
        if campaign is None:
            told.append(f"{campaign_id} does not exist")
            continue
        done = (
            f"plan {campaign.plan.bytes_done}, apply {campaign.apply.bytes_done} of {campaign.chunks.total_bytes} bytes"
        )
        told.append(f"{campaign_id} is {campaign.state} ({campaign.state_reason}): {done}")
    return "\n".join([*told, *_log_tails(stack)])


def _log_tails(stack: DirectStack) -> Iterator[str]:
    """The last lines of each function's log, and the last that tell of an error."""
    logs = stack.client("logs")
    for group in logs.describe_log_groups().get("logGroups", []):
        last, errors = deque[str](maxlen=LOG_LINES), deque[str](maxlen=LOG_LINES)
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            for event in page["events"]:
                line = event["message"].rstrip()
                last.append(line)
                if '"level":"ERROR"' in line or "Traceback" in line or "Task timed out" in line:
                    errors.append(line)
        yield from (f"--- {group['logGroupName']}", *errors, "...", *last)
