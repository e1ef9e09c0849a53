"""Grants one account for each message: Batch for partial failures, Idempotency against repeated ones, put, publish."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

processor = BatchProcessor(event_type=EventType.SQS)
dynamodb = boto3.client("dynamodb")
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"], boto3_client=dynamodb)
config = IdempotencyConfig(event_key_jmespath="[incident_id, account_id]")
sns = boto3.client("sns")


def decide(account: dict[str, str]) -> tuple[str, str, int]:
    """Outcome, reason and cents: the rule of the AT&T incident."""
    segment, impacted = account["segment"], account["potentially_impacted"]
    if segment == "business":
        return "referred", "business_customer", 0
    if segment in ("prepaid", "cricket", "other_brand"):
        return "declined", segment, 0
    if not segment or not impacted:
        return "held", "unknown", 0
    return ("granted", "credit", 500) if impacted == "true" else ("declined", "not_impacted", 0)


@idempotent_function(data_keyword_argument="account", persistence_store=persistence, config=config)  # type: ignore[untyped-decorator] # Powertools leaves it untyped
def grant(account: dict[str, str]) -> dict[str, str]:
    """Decide about an account, write it once, tell it."""
    outcome, reason, cents = decide(account)
    item: Any = {
        "pk": {"S": f"{account['account_id']}#{account['incident_id']}"},
        "outcome": {"S": outcome},
        "reason": {"S": reason},
        "cents": {"N": str(cents)},
        "decided_at": {"S": datetime.now(UTC).isoformat()},
    }
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):  # it stands there from an earlier try
        dynamodb.put_item(
            TableName=os.environ["CREDITS_TABLE"], Item=item, ConditionExpression="attribute_not_exists(pk)"
        )
    if outcome == "granted":
        sns.publish(
            TopicArn=os.environ["NOTICES_TOPIC_ARN"],
            Message=json.dumps({"account_id": account["account_id"], "outcome": outcome, "cents": cents}),
            MessageAttributes={"outcome": {"DataType": "String", "StringValue": outcome}},
        )
    return {"outcome": outcome}


def handle_record(record: SQSRecord) -> None:
    """One message."""
    grant(account=json.loads(record.body))


def handle(event: dict[str, Any], context: Any) -> Any:
    """A batch of messages; the failed ones come again."""
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
