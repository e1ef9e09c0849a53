"""The baseline's worker over an endpoint that answers at once: `python -m bench.naive_worker ACCOUNTS ENDPOINT`.

Prints the processor seconds of its handler for so many accounts, as one JSON number.
"""

import csv
import importlib
import io
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.stacks import PROJECT, naive_rows
from bench.worker import CREDENTIALS

RECORDS_PER_BATCH = 100


@dataclass(frozen=True, slots=True)
class Context:
    """What the handler asks of Lambda."""

    function_name: str = "grant_one"

    def get_remaining_time_in_millis(self) -> int:
        """Always a minute."""
        return 60_000


def record(number: int, row: dict[str, str]) -> dict[str, Any]:
    """An SQS record as Lambda hands it over."""
    return {
        "messageId": f"{number:08d}-0000-0000-0000-000000000000",
        "receiptHandle": "x",
        "body": json.dumps({"incident_id": "bench", **row}),
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:accounts",
        "awsRegion": "us-east-1",
    }


def main(accounts: int, endpoint: str) -> None:
    """Handle so many accounts, and a first batch that is not measured."""
    os.environ.update(
        CREDENTIALS,
        AWS_ENDPOINT_URL=endpoint,
        CREDITS_TABLE="credits",
        IDEMPOTENCY_TABLE="idempotency",
        NOTICES_TOPIC_ARN="arn:aws:sns:us-east-1:123456789012:notices",
        POWERTOOLS_SERVICE_NAME="naive",
    )
    sys.path.insert(0, str(PROJECT / "bench/naive/functions"))
    handle = importlib.import_module("grant_one").handle
    rows = list(csv.DictReader(io.StringIO(naive_rows(accounts + RECORDS_PER_BATCH)[0].decode())))
    batches = [
        {"Records": [record(start + n, row) for n, row in enumerate(rows[start : start + RECORDS_PER_BATCH])]}
        for start in range(0, len(rows), RECORDS_PER_BATCH)
    ]
    handle(batches[0], Context())
    cpu = time.process_time()
    for batch in batches[1:]:
        if handle(batch, Context())["batchItemFailures"]:
            raise SystemExit("the baseline failed")
    print(json.dumps(time.process_time() - cpu))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
