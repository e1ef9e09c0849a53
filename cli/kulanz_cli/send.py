"""Publishes an incident event: completes it with the uploaded list, checks it, and puts it on the stack's bus."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.manager import TransferManager

from kulanz.application.incidents.incident_event import EventRefused, read_incident_event
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.incident_record import DetailType, decision_digest
from kulanz.domain.lists.header import format_of
from kulanz_cli.event_file import EventUnsendable, legal_name, rows_in, with_stated
from kulanz_cli.stack import LIST_PREFIX, Stack

EVENT_BYTES = 256 * 1024
"""What EventBridge takes as one entry."""
UPLOAD_MARK = "kulanz-upload"
"""Metadata of an uploaded list by which whoever uploaded it knows its version."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that the bus took."""

    event_id: str
    detail_type: str
    incident_id: str
    rows: int | None


def with_list(event: dict[str, Any], stack: Stack, path: Path, rows: int | None) -> dict[str, Any]:
    """The event naming the list at `path`, uploaded under the key that the event gives (or the file's name).

    `rows` is the publisher's control total; without it the lines of the file are counted.
    """
    campaign = event["detail"].get("campaign")
    if not isinstance(campaign, dict):
        raise EventUnsendable("the event has no detail.campaign; a list belongs to a campaign")
    affected = campaign.get("affected") or {}
    key = (affected.get("s3") or {}).get("key") or LIST_PREFIX + legal_name(path.name)
    uploaded = upload_list(stack, path, key, rows)
    return {
        **event,
        "detail": {**event["detail"], "campaign": {**campaign, "affected": with_stated(campaign, uploaded)}},
    }


def with_decision_digest(event: dict[str, Any], stack: Stack) -> dict[str, Any]:
    """A campaign request that names the digest of what its revision, as the stack has it, decides by.

    Raises EventUnsendable where the stack has no such revision.
    """
    detail = event["detail"]
    if event["detail-type"] != DetailType.CAMPAIGN_REQUESTED or "decision_digest" in detail:
        return event
    named, number = detail.get("incident_id"), detail.get("revision")
    is_named = isinstance(named, str) and is_incident_id(named) and isinstance(number, int)
    found = stack.campaigns().revision(named, number) if is_named else None
    if found is None:
        raise EventUnsendable("the stack has no such revision of the incident; send the incident first")
    return {**event, "detail": {**detail, "decision_digest": decision_digest(found.content)}}


def upload_list(stack: Stack, path: Path, key: str, rows: int | None = None) -> dict[str, Any]:
    """Upload a list; give it as an event names it, with its version and its rows, which are counted where not given."""
    counted = rows_in(path, format_of(key)) if rows is None else rows
    bucket, s3 = stack.outputs.list_bucket_name, stack.client("s3")
    mark = uuid4().hex  # an upload in parts does not say which version it made
    upload_file(s3, path, bucket, key, {UPLOAD_MARK: mark})
    head = s3.head_object(Bucket=bucket, Key=key)
    if head["Metadata"].get(UPLOAD_MARK) != mark:
        raise EventUnsendable(f"somebody else uploaded a list as {key} at the same time; nothing was sent, try again")
    return {"s3": {"bucket": bucket, "key": key, "version_id": head["VersionId"]}, "rows": counted}


def upload_file(s3: Any, path: Path, bucket: str, key: str, metadata: dict[str, str]) -> None:
    """Upload a file of any size, in parts where it is large."""
    with TransferManager(s3) as transfers:
        transfers.upload(str(path), bucket, key, {"Metadata": metadata}).result()


def send(event: dict[str, Any], stack: Stack) -> Sent:
    """Check an event by the contract and put it on the bus. Raises EventUnsendable.

    A campaign request that names no decision digest gets that of the revision it names.
    """
    event = with_decision_digest(event, stack)
    try:
        known = read_incident_event(event["source"], event["detail-type"], event["detail"])
    except EventRefused as refusal:
        raise EventUnsendable(f"{refusal.field or 'detail'}: {refusal}") from None
    detail = json.dumps(event["detail"], ensure_ascii=False)
    if len(detail.encode()) > EVENT_BYTES:
        raise EventUnsendable(f"the event has over {EVENT_BYTES} bytes; upload its accounts as a list")
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": detail,
        "EventBusName": stack.outputs.event_bus_name,
    }
    try:
        result = stack.client("events").put_events(Entries=[entry])["Entries"][0]
    except (ClientError, BotoCoreError) as error:
        raise EventUnsendable(f"the bus did not take the event: {error}") from None
    if "EventId" not in result:
        raise EventUnsendable(f"the bus refused the event: {result.get('ErrorCode')}; try again")
    rows = None if known.request is None else known.request.affected.rows
    return Sent(result["EventId"], known.detail_type.value, known.incident_id, rows)
