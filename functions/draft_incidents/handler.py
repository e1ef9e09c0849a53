"""Deliveries of incident sources, from their queue: pointers of the receiver, and events of AWS Health and partners."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.adapters.public_pages import HttpsPages
from kulanz.adapters.source_deliveries import S3Bodies, read_message
from kulanz.adapters.sources import CachedSources, S3Sources
from kulanz.application.drafts.draft_ports import Delivery
from kulanz.application.drafts.keep_delivery import KeepingPorts, keep_delivery, keep_event
from kulanz.config import DraftIncidentsConfig
from kulanz.failures import described

logger = Logger()


@cache
def _composed() -> KeepingPorts:
    config = DraftIncidentsConfig.read()
    s3 = client("s3")
    return KeepingPorts(
        sources=CachedSources(S3Sources(s3, config.list_bucket, config.policy_prefix)),
        bodies=S3Bodies(s3, config.list_bucket, config.upstream_prefix),
        drafts=DynamoDrafts(client("dynamodb"), config.campaigns_table),
        pages=HttpsPages(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Keep what each delivery says; what failed comes again by itself."""
    failures = []
    for record in event["Records"]:
        try:
            told = read_message(record["body"])
            ports = _composed()
            kept = keep_delivery(told, ports) if isinstance(told, Delivery) else keep_event(told, ports, _sent(record))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other messages are acted on
            described_by = {"message_id": record["messageId"], "errors": described(error)}
            logger.error("delivery not read; it comes again", **described_by)  # noqa: TRY400 - it logs the message
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            logger.info("delivery", message_id=record["messageId"], became=kept.value)
    return {"batchItemFailures": failures}


def _sent(record: dict[str, Any]) -> datetime:
    """When the queue got a message: however often it comes, what it says is kept as of then."""
    milliseconds = int((record.get("attributes") or {}).get("SentTimestamp", "0"))
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else datetime.now(UTC)
