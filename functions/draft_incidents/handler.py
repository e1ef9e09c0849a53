"""Deliveries of incident sources, from their queue: pointers of the receiver, and events of AWS Health and partners.

Every five minutes a schedule has the drafts looked at that something may still have to be said of.
"""

from kulanz.startup import all_imported

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.drafts_table import DynamoDrafts, DynamoRecords
from kulanz.adapters.messaging import DRAFTS_SOURCE, EventBridgeAnnouncer, SnsNotices
from kulanz.adapters.public_pages import HttpsPages
from kulanz.adapters.source_deliveries import S3Bodies, read_message
from kulanz.adapters.sources import CachedSources, S3Sources
from kulanz.application.drafts.draft_ports import Delivery
from kulanz.application.drafts.follow_drafts import FollowPorts, follow_kept, watch_drafts
from kulanz.application.drafts.keep_delivery import KeepingPorts, keep_delivery, keep_event
from kulanz.config.draft_incidents import DraftIncidentsConfig
from kulanz.failures import described, without_content

all_imported()
logger = Logger()
metrics = Metrics()


@cache
def _composed() -> FollowPorts:
    config = DraftIncidentsConfig.read()
    s3, dynamodb = client("s3"), client("dynamodb")
    keeping = KeepingPorts(
        sources=CachedSources(S3Sources(s3, config.list_bucket, config.policy_prefix)),
        bodies=S3Bodies(s3, config.list_bucket, config.upstream_prefix),
        drafts=DynamoDrafts(dynamodb, config.campaigns_table),
        pages=HttpsPages(),
    )
    return FollowPorts(
        keeping=keeping,
        records=DynamoRecords(dynamodb, config.campaigns_table),
        announcer=EventBridgeAnnouncer(client("events"), config.bus_name, DRAFTS_SOURCE),
        topic=SnsNotices(client("sns"), config.topic_arn),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """Keep what each delivery says, and say what is new of its drafts; what failed comes again by itself.

    An event without records is the schedule's: the drafts are looked at, and those that wait for a person are counted.
    """
    if "Records" not in event:
        _watch(lambda: context.get_remaining_time_in_millis() / 1000)
        return None
    failures = []
    for record in event["Records"]:
        try:
            told = read_message(record["body"])
            ports = _composed()
            keeping = ports.keeping
            if isinstance(told, Delivery):
                kept = keep_delivery(told, keeping)
            else:
                kept = keep_event(told, keeping, _sent(record))
            follow_kept(kept, ports, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other messages are acted on
            described_by = {"message_id": record["messageId"], "errors": described(error)}
            logger.error("delivery not read; it comes again", **described_by)  # noqa: TRY400 - it logs the message
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            logger.info("delivery", message_id=record["messageId"], became=kept.became.value)
    return {"batchItemFailures": failures}


@without_content(logger.error)
def _watch(seconds_left: Callable[[], float]) -> None:
    found = watch_drafts(_composed(), datetime.now(UTC), seconds_left)
    for name, why in found.failed:
        logger.error("drafts could not be looked at", upstream=name, why=why)
    logger.info("watch of drafts", waiting=len(found.waiting), polled=found.polled, is_whole=found.is_whole)
    metrics.add_metric("IncidentDraftsWaiting", MetricUnit.Count, len(found.waiting))
    metrics.flush_metrics()


def _sent(record: dict[str, Any]) -> datetime:
    """When the queue got a message: however often it comes, what it says is kept as of then."""
    milliseconds = int((record.get("attributes") or {}).get("SentTimestamp", "0"))
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else datetime.now(UTC)
