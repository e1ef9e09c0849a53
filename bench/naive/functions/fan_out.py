"""Reads a list and sends one message for each account, ten in a call."""

import csv
import json
import os
from itertools import batched
from typing import Any

import boto3

s3 = boto3.client("s3")
sqs: Any = boto3.client("sqs")


def handle(event: dict[str, Any], _: Any) -> dict[str, int]:
    """Fan a list out: `{"bucket": ..., "key": ..., "incident_id": ...}`."""
    body = s3.get_object(Bucket=event["bucket"], Key=event["key"])["Body"]
    rows = csv.DictReader(line.decode("utf-8-sig") for line in body.iter_lines())
    sent = 0
    for page in batched(rows, 10, strict=False):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps({"incident_id": event["incident_id"], **row})}
            for number, row in enumerate(page)
        ]
        answer = sqs.send_message_batch(QueueUrl=os.environ["ACCOUNT_QUEUE_URL"], Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError("some messages were not sent")
        sent += len(entries)
    return {"sent": sent}
