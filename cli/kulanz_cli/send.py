"""Publishes an incident event: completes it with the uploaded list, checks it, and puts it on the stack's bus."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.application.door.problems import Kind
from kulanz.application.incidents.incident_event import EventRefused, read_incident_event
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.incident_record import DetailType
from kulanz.domain.lists.header import format_of
from kulanz_cli.door import DoorProblem
from kulanz_cli.event_file import EventUnsendable, legal_name, rows_in, stated_key, with_place
from kulanz_cli.stack import LIST_PREFIX, Stack

EVENT_BYTES = 256 * 1024
"""What EventBridge takes as one entry."""
PART_BYTES = 64 * 1024 * 1024
"""A longer list is uploaded in parts; S3 takes 10,000 of them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that the bus took."""

    event_id: str
    detail_type: str
    incident_id: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An object as S3 took it: by this version and entity tag it is known, whoever writes the same key."""

    version_id: str
    etag: str


def with_list(event: dict[str, Any], stack: Stack, path: Path, rows: int | None) -> dict[str, Any]:
    """The event naming the list at `path`, uploaded under the key that the event gives (or the file's name).

    `rows` is the publisher's control total; without it the lines of the file are counted.
    """
    key = stated_key(event) or LIST_PREFIX + legal_name(path.name)
    return with_place(event, upload_list(stack, path, key, rows))


def with_decision_digest(event: dict[str, Any], stack: Stack) -> dict[str, Any]:
    """A campaign request that names the digest of what its revision, as the stack has it, decides by.

    Raises EventUnsendable where the stack has no such revision.
    """
    detail = event["detail"]
    if event["detail-type"] != DetailType.CAMPAIGN_REQUESTED or "decision_digest" in detail:
        return event
    named, number = detail.get("incident_id"), detail.get("revision")
    digest = ""
    if isinstance(named, str) and is_incident_id(named) and isinstance(number, int) and number > 0:
        try:
            digest = stack.door().ask("incidents.revision", incident=named, revision=number)["decision_digest"]
        except DoorProblem as problem:
            if problem.kind is not Kind.UNKNOWN:
                raise
    if not digest:
        raise EventUnsendable("the stack has no such revision of the incident; send the incident first")
    return {**event, "detail": {**detail, "decision_digest": digest}}


def upload_list(stack: Stack, path: Path, key: str, rows: int | None = None) -> dict[str, Any]:
    """Upload a list; give it as an event names it, with its version and its rows, which are counted where not given."""
    counted = rows_in(path, format_of(key)) if rows is None else rows
    bucket = stack.outputs.list_bucket_name
    version = upload_file(stack.client("s3"), path, bucket, key).version_id
    return {"s3": {"bucket": bucket, "key": key, "version_id": version}, "rows": counted}


def upload_file(
    s3: Any, path: Path, bucket: str, key: str, metadata: Mapping[str, str] = MappingProxyType({})
) -> Uploaded:
    """Upload a file of any size, in parts where it is large. It needs `s3:PutObject` alone."""
    with path.open("rb") as file:
        if path.stat().st_size <= PART_BYTES:
            return _uploaded(s3.put_object(Bucket=bucket, Key=key, Body=file, Metadata=dict(metadata)))
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata=dict(metadata))["UploadId"]
        of: dict[str, Any] = {"Bucket": bucket, "Key": key, "UploadId": upload}
        try:
            parts = [
                {"PartNumber": number, "ETag": s3.upload_part(**of, PartNumber=number, Body=block)["ETag"]}
                for number, block in enumerate(iter(partial(file.read, PART_BYTES), b""), 1)
            ]
            return _uploaded(s3.complete_multipart_upload(**of, MultipartUpload={"Parts": parts}))
        except BaseException:  # at Ctrl-C too: what is left of an upload costs money
            s3.abort_multipart_upload(**of)
            raise


def _uploaded(answer: Mapping[str, Any]) -> Uploaded:
    return Uploaded(str(answer["VersionId"]), str(answer["ETag"]))


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
