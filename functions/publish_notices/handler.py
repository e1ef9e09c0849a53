"""Committed decisions, from the stream of CreditsTable; revisions of incidents, from that of CampaignsTable."""

from kulanz.startup import all_imported

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.credit_entries import read_booked, stored_entries
from kulanz.adapters.incident_items import is_revision, read_revision
from kulanz.adapters.ledger_table import NOTICE_LOCALE, is_decision
from kulanz.adapters.messaging import SnsNotices
from kulanz.adapters.troubles import DynamoTroubles
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.notices.keep_notices import kept_by_halt
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, publish_notices
from kulanz.application.notices.publish_status import publish_status
from kulanz.config.publish_notices import PublishNoticesConfig
from kulanz.failures import without_content

all_imported()
logger = Logger()
_policies = FrozenCache()


@cache
def _composed() -> tuple[PublishPorts, int]:
    config = PublishNoticesConfig.read()
    dynamodb = client("dynamodb")
    ports = PublishPorts(
        campaigns=DynamoCampaigns(dynamodb, config.campaigns_table),
        topic=SnsNotices(client("sns"), config.topic_arn),
        troubles=DynamoTroubles(dynamodb, config.campaigns_table),
    )
    return ports, config.recipients_per_message


@logger.inject_lambda_context
@without_content(logger.error)
def handle(event: dict[str, Any], _: LambdaContext) -> None:
    """Publish what the batch's new records say, and what was taken back of older ones; an error repeats the batch, and
    subscribers know repeated notices.
    """
    ports, recipients_per_message = _composed()
    written = [record["dynamodb"] for record in event["Records"] if record["eventName"] == "INSERT"]
    changed = [record["dynamodb"] for record in event["Records"] if record["eventName"] == "MODIFY"]
    decisions = [Recorded(read_booked(one["NewImage"])) for one in written if is_decision(one["NewImage"])]
    decisions += [
        Recorded(read_booked(one["NewImage"]), stored_entries(one["OldImage"]))
        for one in changed
        if NOTICE_LOCALE in one["NewImage"]
    ]
    revisions = [read_revision(one["NewImage"]) for one in written if is_revision(one["NewImage"])]
    if kept_by_halt(decisions, revisions, ports.campaigns, ports.troubles, datetime.now(UTC)):
        logger.info("notices kept by the halt", decisions=len(decisions), revisions=len(revisions))
        return
    told = publish_status(revisions, ports.topic)
    published = publish_notices(decisions, ports, recipients_per_message, _policies)
    logger.info(
        "notices",
        decisions=published.decisions,
        recipients=published.recipients,
        messages=published.messages,
        revisions=told,
    )
