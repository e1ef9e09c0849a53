"""``kulanz redrive``, ``advance`` and ``notices``: what fixes a stack after something failed. Each is safe to repeat.

What the stack's functions do is left to them: they are invoked with the records that they missed, so that nobody else
needs their permissions.
"""

import json
from collections.abc import Iterable
from itertools import batched
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.campaign_keys import meta_key
from kulanz.adapters.incident_items import revision_item
from kulanz.adapters.ledger_table import entry_item
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.ledger.committed import committed_decisions
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter, IncidentParameter, existing_campaign
from kulanz_cli.settings import ACTION_CODES, Unusable, as_json, pass_stack
from kulanz_cli.stack import RECEIVE_WAIT_SECONDS, Stack
from kulanz_cli.terminal import console, counted_as, print_json, say

MESSAGES_PER_CALL = 10
HIDDEN_SECONDS = 60
"""How long a dead letter is hidden while it is moved; if that is cut off, it shows up again."""
RECORDS_PER_INVOCATION = 200
"""Some 250 KB; Lambda takes 6 MB as one event."""


@click.command("redrive", epilog=ACTION_CODES)
@click.argument("queue", type=click.Choice(["incidents", "chunks"]))
@as_json
@pass_stack
def redrive(stack: Stack, queue: str, is_json: bool) -> None:
    """Move dead letters back to their QUEUE. Fix their cause first.

    A message is deleted from the dead letters after it was sent; a message that comes twice is recognised.
    """
    outputs = stack.outputs
    source, target = {
        "incidents": (outputs.incidents_dead_letter_queue_url, outputs.incidents_queue_url),
        "chunks": (outputs.chunks_dead_letter_queue_url, outputs.chunks_queue_url),
    }[queue]
    try:
        moved = _move_all(stack.client("sqs"), source, target)
    except (ClientError, BotoCoreError) as error:
        raise Unusable(f"the queue did not answer as it should ({type(error).__name__}); try again") from None
    _report(
        {"queue": queue, "moved": moved}, f"{counted_as(moved, 'message')} moved back to the queue of {queue}", is_json
    )


def _move_all(sqs: Any, source: str, target: str) -> int:
    moved: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=MESSAGES_PER_CALL,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
        )
        messages = answer.get("Messages", [])
        if not messages:
            return len(moved)
        for message in messages:
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved.add(message["MessageId"])


@click.command("advance", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@as_json
@pass_stack
def advance(stack: Stack, campaign_id: CampaignId, is_json: bool) -> None:
    """Let advance_campaign look at CAMPAIGN again. Needed after the stream lost the record of a change."""
    found = existing_campaign(stack, campaign_id)
    _invoke(stack, stack.outputs.advance_campaign_function_name, [_record("MODIFY", meta_key(found.id))])
    state = existing_campaign(stack, campaign_id).state.value
    _report({"campaign": str(found.id), "state": state}, f"{found.id} is {state}", is_json)


@click.group("notices", epilog=ACTION_CODES)
def notices() -> None:
    """Publish notices again. They keep their ids, by which subscribers recognise what they know."""


@notices.command("rebuild", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@as_json
@pass_stack
def rebuild(stack: Stack, campaign_id: CampaignId, is_json: bool) -> None:
    """Publish the notice of every decision of CAMPAIGN again, by another pass over its pinned list."""
    found = existing_campaign(stack, campaign_id)
    ports = stack.answers()
    policy = thaw(found, ports.campaigns.frozen(found.id))
    decisions = 0
    try:
        pages = committed_decisions(found, policy, ports.lists, ports.ledger)
        for page in batched((entry for entries in pages for entry in entries), RECORDS_PER_INVOCATION, strict=False):
            _publish(stack, [entry_item(entry) for entry in page])
            decisions += len(page)
    except PinnedVersionGone:
        raise Unusable("the pinned version of the list was deleted; its accounts are no longer known by it") from None
    text = f"the notices of {counted_as(decisions, 'decision')} of {found.id} were published again"
    _report({"campaign": str(found.id), "decisions": decisions}, text, is_json)


@notices.command("status", epilog=ACTION_CODES)
@click.argument("incident_id", metavar="INCIDENT", type=IncidentParameter())
@as_json
@pass_stack
def status(stack: Stack, incident_id: str, is_json: bool) -> None:
    """Publish the status notices of INCIDENT again, one for each revision."""
    revisions = stack.campaigns().revisions(incident_id)
    if not revisions:
        raise Unusable(f"no incident {incident_id} is recorded")
    for page in batched(revisions, RECORDS_PER_INVOCATION, strict=False):
        _publish(stack, [revision_item(revision) for revision in page])
    text = f"{counted_as(len(revisions), 'status notice')} of {incident_id} published again"
    _report({"incident_id": incident_id, "revisions": len(revisions)}, text, is_json)


def _record(event_name: str, item: dict[str, Any]) -> dict[str, Any]:
    """A record as the table's stream would deliver it."""
    keys = {name: item[name] for name in ("pk", "sk")}
    image = {"Keys": keys, "NewImage": item}
    return {"eventID": "kulanz-repair", "eventName": event_name, "eventSource": "aws:dynamodb", "dynamodb": image}


def _publish(stack: Stack, items: Iterable[dict[str, Any]]) -> None:
    _invoke(stack, stack.outputs.publish_notices_function_name, [_record("INSERT", item) for item in items])


def _invoke(stack: Stack, function: str, records: Iterable[dict[str, Any]]) -> None:
    payload = json.dumps({"Records": list(records)}).encode()
    try:
        answer = stack.client("lambda").invoke(FunctionName=function, Payload=payload)
    except (ClientError, BotoCoreError) as error:
        raise Unusable(f"{function} could not be invoked ({type(error).__name__}); try again") from None
    if "FunctionError" in answer:
        raise Unusable(f"{function} failed; read its log, then try again")


def _report(content: dict[str, Any], text: str, is_json: bool) -> None:
    if is_json:
        print_json({"v": 1, **content})
    else:
        say(console(), text)
