"""``kulanz rejected``: which events were refused, and which rows of a campaign's list, and why."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from kulanz.adapters.messaging import RejectionContract
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State
from kulanz_cli.command import CampaignParameter, existing_campaign
from kulanz_cli.settings import EXIT_NO, Unusable, as_json, pass_stack
from kulanz_cli.stack import RECEIVE_WAIT_SECONDS, Stack
from kulanz_cli.terminal import console, print_json, say

MESSAGES_PER_RECEIVE = 10
HIDDEN_SECONDS = 30
"""How long a message that is looked at is kept from being received again; then it is visible as before."""
SHOWN = 100
SHOWN_MOST = 10_000
REJECTED_CODES = "Exit codes: 0 nothing refused, 1 something was, 2 wrong command line, 3 the stack could not be used."


@click.command(
    "rejected",
    epilog=REJECTED_CODES,
)
@click.argument("campaign_id", metavar="[CAMPAIGN]", type=CampaignParameter(), required=False)
@click.option("--limit", type=click.IntRange(1, SHOWN_MOST), default=SHOWN, show_default=True, help="Show at most.")
@click.option("--done", is_flag=True, help="Take the events shown out of the queue; they stay in the bucket.")
@as_json
@pass_stack
def rejected(stack: Stack, campaign_id: CampaignId | None, limit: int, done: bool, is_json: bool) -> None:
    """Show refused events, or the rejected rows of CAMPAIGN.

    CAMPAIGN is written att-2024-02-22/1; of one that was refused as a whole, the reason is shown as well. Looking at
    the queue of refused events takes nothing out of it. Rows are named by line number and byte offset; their content
    is in the list alone.
    """
    if campaign_id is None:
        with refused_events(stack, limit, done=done) as found:
            _show(None, "", found, is_json=is_json)
        has_problem = bool(found)
    elif done:
        raise click.UsageError("--done belongs to refused events; rows stay with their campaign")
    else:
        campaign = existing_campaign(stack, campaign_id)
        refusal = campaign.state_reason if campaign.state is State.REFUSED else ""
        found = list(_rows(stack, campaign, limit))
        _show(campaign_id, refusal, found, is_json=is_json)
        has_problem = bool(found or refusal)
    if has_problem:
        click.get_current_context().exit(EXIT_NO)


def _show(campaign_id: CampaignId | None, refusal: str, found: Sequence[dict[str, Any]], *, is_json: bool) -> None:
    if is_json:
        named = None if campaign_id is None else str(campaign_id)
        print_json({"v": 1, "campaign": named, "refused": refusal or None, "rejected": found})
        return
    out = console()
    if refusal:
        say(out, f"{campaign_id} was refused as a whole, and nobody was credited: {refusal}", further=2)
    if not found:
        say(out, "no event was refused" if campaign_id is None else f"no row of {campaign_id} has a problem")
    for item in found:
        say(out, _event_line(item) if campaign_id is None else _row_line(item), further=2)


def _event_line(item: dict[str, Any]) -> str:
    what = " ".join(part for part in (item["detail_type"], item["incident_id"]) if part) or "a message"
    where = f" ({item['field']})" if item["field"] else ""
    return f"{item['received_at']} {what} from {item['source'] or 'nobody'}: {item['reason']}{where}: {item['message']}"


def _row_line(item: dict[str, Any]) -> str:
    where = f", {item['field']}" if item.get("field") else ""
    other = f" (the row at byte {item['stored_offset']} stands)" if "stored_offset" in item else ""
    line = "" if item["line"] is None else f"line {item['line']}, "
    return f"{line}byte {item['offset']}: {item['reason']}{where}: expected {item['expected']}{other}"


def _refusal(message: Mapping[str, Any]) -> dict[str, Any]:
    """A refused event from its message. Raises Unusable where somebody else wrote the message."""
    try:
        found = json.loads(message["Body"])
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found.keys() >= RejectionContract.__required_keys__:
        raise Unusable(
            f"the message {message['MessageId']} in the queue of refused events is not one that Kulanz wrote; look at"
            " it in the SQS console, and delete it there"
        )
    return found


@contextmanager
def refused_events(stack: Stack, limit: int, *, done: bool) -> Iterator[list[dict[str, Any]]]:
    """The refused events in the queue. They stay there, unless they are `done` and what was shown of them is too."""
    sqs, queue_url = stack.client("sqs"), stack.outputs.rejected_queue_url
    seen: dict[str, str] = {}
    found: list[dict[str, Any]] = []
    was_shown = False
    try:
        while len(seen) < limit:
            answer = sqs.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=min(MESSAGES_PER_RECEIVE, limit - len(seen)),
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
            )
            messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            if not messages:
                break
            seen |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            found += map(_refusal, messages)
        yield found
        was_shown = True
    finally:
        for handle in seen.values():
            if done and was_shown:
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)
            else:
                sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)


@dataclass(slots=True)
class _LineCounter:
    """The number of the line that starts at an offset, for rising offsets, in one reading of the list."""

    blocks: Iterator[bytes]
    position: int = 0
    lines: int = 0
    block: bytes = b""

    def number_at(self, offset: int) -> int:
        while self.position + len(self.block) < offset:
            self.lines += self.block.count(b"\n")
            self.position += len(self.block)
            self.block = next(self.blocks, b"")
            if not self.block:
                break
        taken = offset - self.position
        self.lines += self.block[:taken].count(b"\n")
        self.position, self.block = offset, self.block[taken:]
        return self.lines + 1


def _rows(stack: Stack, campaign: Campaign, limit: int) -> Iterator[dict[str, Any]]:
    found = {**_filed(stack, campaign, Pass.PLAN, limit), **_filed(stack, campaign, Pass.APPLY, limit)}
    counter: _LineCounter | None = _LineCounter(stack.answers().lists.read(campaign.pinned, 0))
    for place in sorted(found)[:limit]:
        try:
            line = None if counter is None else counter.number_at(place[0])
        except PinnedVersionGone:
            counter = line = None
        yield {"line": line, **found[place]}


def _filed(stack: Stack, campaign: Campaign, work: Pass, limit: int) -> dict[tuple[int, str, str], dict[str, Any]]:
    """The first problems that a pass filed. Two workers on one chunk may both have filed a line: it is shown once."""
    s3, bucket = stack.client("s3"), stack.outputs.list_bucket_name
    prefix = f"{campaign.id.folder}/problems/{work}-"
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if len(found) >= limit:
                return found
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            problems = [json.loads(line) for line in body.splitlines()]
            found |= {(problem["offset"], problem["reason"], problem.get("field", "")): problem for problem in problems}
    return found
