"""Publishes an incident event: completes it with the uploaded list, checks it, and puts it on the stack's bus."""

import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.manager import TransferManager

from kulanz.application.incidents.incident_event import EventRefused, read_incident_event
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.incident_record import DetailType, decision_digest
from kulanz.domain.lists.header import ListFormat, format_of
from kulanz.domain.lists.lines import NO_CONTENT
from kulanz_cli.settings import Unusable
from kulanz_cli.stack import LIST_PREFIX, Stack

EVENT_BYTES = 256 * 1024
"""What EventBridge takes as one entry."""
READ_BYTES = 1024 * 1024
UPLOAD_MARK = "kulanz-upload"
"""Metadata of an uploaded list by which whoever uploaded it knows its version."""
_FIELDS = ("source", "detail-type", "detail")


class EventUnsendable(Unusable):
    """The file is not an event that can be sent; the text says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that the bus took."""

    event_id: str
    detail_type: str
    incident_id: str
    rows: int | None


def read_event(path: Path) -> dict[str, Any]:
    """An event from a file: an object with source, detail-type and detail. Raises EventUnsendable."""
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise EventUnsendable(f"{path} is not JSON in UTF-8: {error}") from None
    if not isinstance(event, dict) or set(event) != set(_FIELDS) or not isinstance(event["detail"], dict):
        raise EventUnsendable(
            f'{path}: expected one object with exactly "source", "detail-type" and "detail" (an object)'
        )
    return event


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


def with_stated(campaign: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """Where a list is, with what the event states of its ids."""
    affected = campaign.get("affected") or {}
    return place | {name: affected[name] for name in ("account_ids", "subject_ids") if name in affected}


def legal_name(name: str) -> str:
    """The name of a list in the bucket: `Affected Accounts (2).csv` becomes `Affected-Accounts-2.csv`."""
    stem, dot, ending = unicodedata.normalize("NFKD", name).rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", stem.encode("ascii", "ignore").decode()).strip("-.")
    return f"{re.sub(r'[.]{2,}', '.', plain) or 'list'}{dot}{ending}"


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


def rows_in(path: Path, list_format: ListFormat) -> int:
    """The lines of a list that are not blank, without the header of a CSV; memory does not grow with the list."""
    rows, is_csv = 0, list_format is ListFormat.CSV
    nothing = NO_CONTENT if is_csv else b"\r"
    has_begun = False  # whether the line that a block ends in has content so far
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            first, *lines = block.split(b"\n")
            has_begun = has_begun or bool(first.strip(nothing))
            for line in lines:
                rows += has_begun
                has_begun = bool(line.strip(nothing))
    rows += has_begun
    return max(0, rows - 1) if is_csv else rows


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
