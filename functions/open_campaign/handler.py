"""Events of the bus, from the incidents queue."""

from kulanz.startup import all_imported

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.messaging import SqsChunks, SqsRejected
from kulanz.adapters.parted_lists import PartedLists
from kulanz.adapters.s3 import S3Archive, S3Lists, S3Policies
from kulanz.adapters.stores import DynamoStores
from kulanz.application.campaigns.open_campaign import (
    Opening,
    OpenPorts,
    OpenSettings,
    open_campaign,
    open_kept_requests,
    reject_unreadable,
)
from kulanz.config.open_campaign import OpenCampaignConfig
from kulanz.domain.campaigns.campaign import Cause
from kulanz.failures import described, without_content

all_imported()
logger = Logger()


@cache
def _composed() -> tuple[OpenPorts, OpenSettings]:
    config = OpenCampaignConfig.read()
    dynamodb, s3, sqs = client("dynamodb"), client("s3"), client("sqs")
    ports = OpenPorts(
        campaigns=DynamoCampaigns(dynamodb, config.campaigns_table),
        lists=PartedLists(S3Lists(s3, config.list_bucket)),
        policies=S3Policies(s3, config.list_bucket, config.policy_prefix),
        chunks=SqsChunks(sqs, config.chunk_queue_url),
        rejected=SqsRejected(sqs, config.rejected_queue_url),
        archive=S3Archive(s3, config.list_bucket),
        stores=DynamoStores(dynamodb, config.credits_table, config.campaigns_table),
    )
    settings = OpenSettings(
        list_bucket=config.list_bucket,
        list_prefix=config.list_prefix,
        incident_sources=config.incident_sources,
        campaign_sources=config.campaign_sources,
        chunk_bytes=config.chunk_bytes,
        decidable_days=config.decidable_days,
        account_ids=config.account_ids,
    )
    return ports, settings


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Act on each message; those that could not be acted on now are named, and come again.

    An event without records is the schedule's: it opens what had to wait.
    """
    if "Records" not in event:
        return _open_kept(str(event.get("id", "")), context)
    failures = []
    for record in event["Records"]:
        try:
            opening = _act(record["body"], record["messageId"], context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other messages are acted on
            described_by = {"message_id": record["messageId"], "errors": described(error)}
            logger.error("event not acted on; it comes again", **described_by)  # noqa: TRY400 - it logs the message
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            logger.info("event", message_id=record["messageId"], opening=opening.value)
    return {"batchItemFailures": failures}


@without_content(logger.error)
def _open_kept(event_id: str, context: LambdaContext) -> dict[str, Any]:
    ports, settings = _composed()
    ports = replace(ports, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)
    cause = Cause(context.function_name, event_id, os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""))
    for opening in open_kept_requests(ports, settings, cause, datetime.now(UTC)):
        logger.info("request that had waited", opening=opening.value)
    return {"batchItemFailures": []}


def _act(body: str, message_id: str, context: LambdaContext) -> Opening:
    ports, settings = _composed()
    ports = replace(ports, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)
    now = datetime.now(UTC)
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):  # the latter for what is nested deeper than anything we would understand
        envelope = None
    if not isinstance(envelope, dict):
        return reject_unreadable(body, ports, now)
    cause = Cause(
        context.function_name, str(envelope.get("id", message_id)), os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
    )
    return open_campaign(envelope, ports, settings, cause, now)
