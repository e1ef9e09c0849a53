"""Chunk messages, one at a time."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.messaging import SqsChunks, read_chunk_message
from kulanz.adapters.parted_lists import PartedLists
from kulanz.adapters.s3 import S3Archive, S3Lists
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.grant_credits import grant_credits
from kulanz.config import GrantCreditsConfig
from kulanz.domain.campaigns.campaign import Cause
from kulanz.failures import without_content

logger = Logger()
metrics = Metrics()
_policies = FrozenCache()


@cache
def _composed() -> tuple[GrantPorts, GrantSettings, DynamoLedger]:
    config = GrantCreditsConfig.read()
    s3 = client("s3")
    ledger = DynamoLedger(client("dynamodb"), config.credits_table, config.calls_in_flight)
    ports = GrantPorts(
        campaigns=DynamoCampaigns(client("dynamodb"), config.campaigns_table),
        lists=PartedLists(S3Lists(s3, config.list_bucket)),
        ledger=ledger,
        chunks=SqsChunks(client("sqs"), config.chunk_queue_url),
        archive=S3Archive(s3, config.list_bucket),
    )
    settings = GrantSettings(config.calls_in_flight, config.units_per_second, config.retention_days)
    return ports, settings, ledger


class _LambdaClock:
    """The clock of this invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds_left(self) -> float:
        return self._context.get_remaining_time_in_millis() / 1000

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@logger.inject_lambda_context
@metrics.log_metrics
@without_content(logger.error)
def handle(event: dict[str, Any], context: LambdaContext) -> None:
    """Work the chunk of each message (the queue sends one); an error lets the message come again."""
    ports, settings, ledger = _composed()
    for record in event["Records"]:
        message = read_chunk_message(record["body"])
        cause = Cause(context.function_name, record["messageId"], context.function_version)
        try:
            worked = grant_credits(message, ports, settings, _LambdaClock(context), cause, _policies)
        finally:  # most of all where a chunk was given up because of them
            metrics.add_metric("ThrottledInserts", MetricUnit.Count, ledger.take_throttled())
        logger.info(
            "chunk",
            campaign=str(message.campaign),
            work=message.work.value,
            chunk=message.chunk,
            outcome=worked.work.value,
            lines=worked.lines,
            receipts=worked.receipts,
            in_the_ledger=worked.written,
        )
        metrics.add_metric("LinesWorked", MetricUnit.Count, worked.lines)
        metrics.add_metric("DecisionsInLedger", MetricUnit.Count, worked.written)
